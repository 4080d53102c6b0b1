"""Files that a person gives or that lie in a folder of theirs: read whole, but never a device, nor without an end."""

import errno
import json
import os
import stat
from pathlib import Path
from typing import Any

from storage.errors import BadInput, readable_size
from storage.files.places import Place

MOST_RECORD = 64 << 20  # bytes of a record that the project keeps itself; the largest have a few kilobytes
MOST_BYTES = 256 << 20  # a list of labels for a million pictures has a fifth of it
_DESCRIPTORS = (Path("/dev/fd"), Path("/proc/self/fd"))  # where a shell has the output of `<(program)`


def read_small(path: Path, name: str, most: int = MOST_BYTES) -> bytes:
    """Read a file of at most `most` bytes.

    Parameters
    ----------
    name : str
        Of the file, for messages.

    Raises
    ------
    BadInput
        It is a device, a socket, or a pipe other than a shell's; or it has more bytes; or no file has such a name.
    OSError
    """
    if "\0" in str(path):
        raise BadInput(f"{name}: no file's name has a NUL; give another name")
    piped = path.parent in _DESCRIPTORS
    handle = os.open(path, os.O_RDONLY | (0 if piped else os.O_NONBLOCK))  # a pipe without a writer would wait
    with os.fdopen(handle, "rb") as file:
        mode = os.fstat(handle).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not (stat.S_ISREG(mode) or (piped and stat.S_ISFIFO(mode))):
            raise BadInput(f"{name}: is a device, a pipe or a socket; give an ordinary file")
        data = file.read(most + 1)
    if len(data) > most:
        raise BadInput(f"{name}: has more than {readable_size(most)}, the most that is read of such a file")
    return data


class NotOrdinary(ValueError):
    """What stands in a file's place is no file that can be read whole: it has no end, or far too many bytes."""


def read_ordinary(path: Place, most: int = MOST_RECORD, first: int | None = None) -> bytes:
    """Read a file of at most `most` bytes that the project itself may have written, or its `first` bytes.

    A home, or a model, may come from somebody else: a pipe in a file's place would be waited for, and a device would
    be read without an end.

    Raises
    ------
    NotOrdinary
    OSError
    """
    if not isinstance(path, Path):
        size = path.stat().st_size
        if size > most:
            raise NotOrdinary(_too_large(size, most))
        return path.read_bytes()[:first]
    if path.is_dir():  # which no file object can be made of
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe without a writer would wait
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise NotOrdinary("it is a device, a pipe or a socket")
        if status.st_size > most:
            raise NotOrdinary(_too_large(status.st_size, most))
        return file.read(min(most, status.st_size + 1) if first is None else first)


def read_json(path: Place) -> Any:
    """Read a file of JSON that the project itself may have written.

    Raises
    ------
    ValueError
        It is no JSON, is nested too deep, or is no ordinary file.
    OSError
    """
    try:
        return json.loads(read_ordinary(path))
    except RecursionError:
        raise ValueError("its JSON is nested too deep") from None


def _too_large(size: int, most: int) -> str:
    return f"it has {readable_size(size)} and is larger than the {readable_size(most)} that are read"

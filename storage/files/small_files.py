"""Files that a person gives or that lie in a folder of theirs: read whole, but never a device, nor without an end."""

import errno
import os
import stat
from pathlib import Path

from storage.errors import BadInput, readable_size

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
        It is a device, a socket, or a pipe other than a shell's; or it has more bytes.
    OSError
    """
    data = read_head(path, name, most + 1)
    if len(data) > most:
        raise BadInput(f"{name}: has more than {readable_size(most)}, the most that is read of such a file")
    return data


def read_head(path: Path, name: str, most: int) -> bytes:
    """Read the first `most` bytes of a file, or all that it has.

    Raises
    ------
    BadInput
        It is a device, a socket, or a pipe other than a shell's.
    OSError
    """
    piped = path.parent in _DESCRIPTORS
    handle = os.open(path, os.O_RDONLY | (0 if piped else os.O_NONBLOCK))  # a pipe without a writer would wait
    with os.fdopen(handle, "rb") as file:
        mode = os.fstat(handle).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not (stat.S_ISREG(mode) or (piped and stat.S_ISFIFO(mode))):
            raise BadInput(f"{name}: is a device, a pipe or a socket; give an ordinary file")
        return file.read(most)

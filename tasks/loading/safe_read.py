"""Read one picture file safely: a regular file of a bounded size, which has not changed since it was listed."""

import os
import stat
from pathlib import Path

from storage.errors import BadInput, remedy
from storage.files.stamps import Stamp, stamp_of

MOST_BYTES = 32_000_000
HEAD = 12  # bytes that tell the format of a picture
_BEGINNINGS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
GONE, UNSETTLED = "no such file", "still being written"


class BadPicture(BadInput):
    """A file is not a readable picture; the message is the reason, without the file's name."""


class Unreadable(BadPicture):
    """A file could not be read, for a reason that may pass although the file stays the same: permissions, a disk."""


class Fatal(Unreadable):
    """Reading a file ended the process that read it."""


class Unsettled(Unreadable):
    """A file has changed since it was listed: it is still being written, or it is gone."""


def read_file(path: Path | str, seen: Stamp | None = None, *, follow: bool = True) -> bytes:
    """Return the bytes of a regular file of at most 32 MB.

    Parameters
    ----------
    seen : Stamp, optional
        The file's stamp when it was listed; it must be the same before and after the file is read.
    follow : bool
        Whether the file may be a symbolic link.

    Raises
    ------
    BadPicture
    """
    try:
        status = os.stat(path, follow_symlinks=follow)  # noqa: PTH116 - for a million files, a Path each is slow
        _require_same(status, seen)
        size, mode = status.st_size, status.st_mode
        data = b""
        # A pipe is not opened, since that would wait until somebody writes into it.
        if stat.S_ISREG(mode) and 0 < size <= MOST_BYTES:
            handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW))
            with os.fdopen(handle, "rb", buffering=0) as file:
                data = file.read(size)
                if seen:
                    _require_same(os.fstat(handle), seen)
    except FileNotFoundError as error:
        raise Unsettled(GONE) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        if isinstance(error, BadPicture):
            raise
        if isinstance(error, ValueError):
            raise Unreadable(f"the file cannot be read ({error}); give it another name") from error
        raise Unreadable(f"the file cannot be read ({error.strerror or error}); {remedy(error)}") from error
    if stat.S_ISDIR(mode):
        raise Unreadable("a folder, not a picture file, or a folder that this user may not list")
    if not stat.S_ISREG(mode):
        raise BadPicture("not a regular file but a link, pipe, socket or device")
    require_size(size if data or size > MOST_BYTES else 0)
    return data


def begins_as_picture(head: bytes) -> bool:
    """Return whether the first bytes of a file are those of a format that is read."""
    return head.startswith(_BEGINNINGS) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


def read_head(path: Path | str) -> bytes:
    """Return the first bytes of a file; an empty text for anything but a regular file.

    Raises
    ------
    OSError
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe that took the file's place is not waited for
    with os.fdopen(handle, "rb", buffering=0) as file:
        return file.read(HEAD) if stat.S_ISREG(os.fstat(handle).st_mode) else b""


def require_size(size: int) -> None:
    """Refuse an empty file, and a file of more than `MOST_BYTES`.

    Raises
    ------
    BadPicture
    """
    if size > MOST_BYTES:
        raise BadPicture(f"{size:,} bytes; at most {MOST_BYTES:,} are read: make the picture smaller")
    if not size:
        raise BadPicture("the file is empty (0 bytes)")


def _require_same(status: os.stat_result, seen: Stamp | None) -> None:
    if seen and stamp_of(status) != seen:
        raise Unsettled(UNSETTLED)

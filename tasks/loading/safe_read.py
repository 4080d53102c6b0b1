"""Read one picture file safely: a regular file of a bounded size, which has not changed since it was listed."""

import os
import re
import stat
from pathlib import Path

from storage.errors import BadInput, remedy
from storage.files.stamps import Stamp, stamp_of

MOST_BYTES = 32_000_000
HEAD = 12  # bytes that tell the format of a picture
_BEGINNINGS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
JPEG, SCAN, MOST_SCANS = b"\xff\xd8\xff", b"\xff\xda", 100  # a progressive JPEG has about ten
MOST_SEGMENTS, MOST_FILLED = 1000, 1_000_000  # of a JPEG: 32 MB of metadata fill 500
_MARKER = re.compile(rb"\xff[\x01-\xfe]")  # of a segment
_BARE = {0x01, *range(0xD0, 0xDA)}  # markers of segments without a size
PNG, MOST_CHUNKS = b"\x89PNG\r\n\x1a\n", 100_000  # 32 MB of pixels are written in some 4,000
GIF, MOST_BLOCKS = b"GIF8", 50_000  # of metadata: each frame has two
_BLOCK = re.compile(b"[!,;]")  # of a GIF: an extension, a frame, or the end; other bytes before them are skipped
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


def require_few_parts(data: bytes) -> None:
    """Refuse a file of so many parts that it would take minutes: Pillow joins pieces of metadata one by one.

    Raises
    ------
    BadPicture
    """
    if data.startswith(JPEG):
        scans = data.count(SCAN)
        parts, filled, at = 0, 0, 2
        while (marker := _MARKER.search(data, at)) and marker[0] != SCAN and parts <= MOST_SEGMENTS:
            parts, filled, size = parts + 1, filled + marker.start() - at, data[marker.end() : marker.end() + 2]
            at = marker.end() + (0 if marker[0][1] in _BARE else int.from_bytes(size))
        filled += (marker.start() if marker else len(data)) - at
        if scans > MOST_SCANS:
            raise BadPicture(f"a JPEG of {scans:,} scans; at most {MOST_SCANS} are read: save the picture anew")
        if parts > MOST_SEGMENTS or filled > MOST_FILLED:
            told = f"{MOST_SEGMENTS:,} segments, or {MOST_FILLED:,} bytes between them"
            raise BadPicture(f"a JPEG of more than {told}, before its picture: save the picture anew")
    chunks, at = 0, len(PNG)
    while data.startswith(PNG) and at + 12 * (MOST_CHUNKS - chunks) < len(data):
        if data[at + 4 : at + 8] == b"IEND":
            break  # what is behind the picture is not read
        chunks, at = chunks + 1, at + 12 + int.from_bytes(data[at : at + 4])
        if chunks > MOST_CHUNKS:
            raise BadPicture(f"a PNG of more than {MOST_CHUNKS:,} chunks: save the picture anew")
    if data.startswith(GIF):
        _require_few_blocks(data)


def _require_few_blocks(data: bytes) -> None:
    """Refuse a GIF of too many comments and other extensions, or pieces of them."""
    at, blocks = 13 + _table(data, 10), 0
    while (block := _BLOCK.search(data, at)) and block[0] != b";":
        extension = block[0] == b"!"
        at = block.start() + (2 if extension else 11 + _table(data, block.start() + 9))
        while size := int.from_bytes(data[at : at + 1]):
            at, blocks = at + 1 + size, blocks + extension
        at, blocks = at + 1, blocks + extension
        if blocks > MOST_BLOCKS:
            raise BadPicture(f"a GIF of more than {MOST_BLOCKS:,} pieces of metadata: save the picture anew")


def _table(data: bytes, at: int) -> int:
    """Return the bytes of the colours of a GIF whose flags stand at a place."""
    flags = int.from_bytes(data[at : at + 1])
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0

"""A cache of shards from object stores, in files named by sha256, so that each shard is fetched once.

Files in the cache are not trusted. Whenever their bytes are used, they are compared with a digest, and fetched again
if they differ. So it does not matter who else writes there or what a crash left behind.
"""

import hashlib
import os
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from storage.errors import BadInput, Damaged, Exhausted, refused_by_system
from storage.files.places import ObjectPath, Place, read_range
from storage.files.small_files import NotOrdinary, read_ordinary

LARGEST = 1 << 31  # bytes; a larger file is no shard, and is not read
FOLDER = "CAPTCHAS_CACHE"  # by default the cache is in the system's folder for temporary files
BYTES = "CAPTCHAS_CACHE_BYTES"  # the most bytes that all files may have together; 0: nothing is kept
_DEFAULT_BYTES = 2_000_000_000
_SINGLE_CHUNKS = 4  # so many chunks of a shard are fetched one by one; with the next, the whole shard is fetched
_ABANDONED = 3600  # seconds after which a half-written file must be a dead process's
_locks = tuple(threading.Lock() for _ in "0123456789abcdef")  # by a digest's first digit: no shard is fetched twice
_chunks_fetched: Counter[str] = Counter()


def file_bytes(path: Place, sha256: str | None = None) -> bytes:
    """Read a shard's file. An object whose `sha256` is known may come from the cache.

    Raises
    ------
    Damaged
        The file cannot be read.
    Exhausted
        The process has too few open files or too little memory to read it: no fault of the file.
    """
    try:
        return fetched(path, sha256) if sha256 and isinstance(path, ObjectPath) else read_ordinary(path, LARGEST)
    except NotOrdinary as error:
        raise Damaged(f"{path}: is no shard ({error})") from error
    except OSError as error:
        refused = refused_by_system(error)
        if isinstance(refused, Exhausted):
            raise refused from error
        raise Damaged(f"{path}: cannot be read ({error.strerror})") from error


def room() -> int:
    """Return the number of bytes that may be kept.

    Raises
    ------
    BadInput
    """
    given = os.environ.get(BYTES, str(_DEFAULT_BYTES))
    if not given.isdecimal():
        raise BadInput(f"{BYTES}: must be a number of bytes, 0 to keep nothing; it is {given!r}")
    return int(given)


def folder() -> Path:
    """Return the folder of the cache.

    Raises
    ------
    BadInput
    """
    given = os.environ.get(FOLDER)
    if given:
        return Path(given)
    path = Path(tempfile.gettempdir(), f"captchas-cache-{os.getuid()}")
    if path.exists() and path.lstat().st_uid != os.getuid():  # a named pipe there would block a reader
        raise BadInput(f"{path}: is another user's; name a folder of your own with {FOLDER}")
    return path


def fetched(path: ObjectPath, sha256: str) -> bytes:
    """Return the bytes of an object, from the cache or from the store; the caller must prove them.

    Raises
    ------
    FileNotFoundError, Unreachable
    """
    with _locks[int(sha256[:1], 16)]:
        data = _kept(sha256)
        if data is None:
            data = path.read_bytes()
            if hashlib.sha256(data).hexdigest() == sha256:
                _keep(sha256, data)
        return data


def chunk(path: ObjectPath, sha256: str, start: int, size: int) -> bytes:
    """Return some bytes of an object, from the cache or by a range request; the caller must prove them.

    Raises
    ------
    FileNotFoundError, Unreachable
    """
    with suppress(OSError):
        return read_range(_file(sha256), start, size)
    _chunks_fetched[sha256] += 1
    if _chunks_fetched[sha256] <= _SINGLE_CHUNKS or not room():
        return path.read_range(start, size)
    del _chunks_fetched[sha256]
    return fetched(path, sha256)[start : start + size]


def forget(sha256: str) -> None:
    """Remove a file whose bytes turned out to be wrong."""
    with suppress(OSError):
        _file(sha256).unlink(missing_ok=True)


def _file(sha256: str) -> Path:
    return folder() / f"{sha256}.h5"


def _kept(sha256: str) -> bytes | None:
    path = _file(sha256)
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if hashlib.sha256(data).hexdigest() != sha256:
        forget(sha256)
        return None
    with suppress(OSError):
        os.utime(path)  # the least recently used go first
    return data


def _keep(sha256: str, data: bytes) -> None:
    """Keep bytes if there is room. An error of the disk is ignored, because nothing depends on the cache."""
    most = room()
    if len(data) > most:
        return
    path = _file(sha256)
    staged = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        staged.write_bytes(data)
        staged.replace(path)
    except OSError:
        with suppress(OSError):
            staged.unlink(missing_ok=True)
        return
    _evict(path, most)


def _evict(newest: Path, most: int) -> None:
    """Remove the least recently used files, never `newest`, until no more than `most` bytes are kept."""
    files = []
    with suppress(OSError), os.scandir(newest.parent) as entries:
        for entry in entries:
            with suppress(OSError):
                stat = entry.stat()
                if entry.name.endswith(".tmp"):
                    if time.time() - stat.st_mtime > _ABANDONED:
                        os.unlink(entry.path)  # noqa: PTH108 - an entry is not a Path
                elif entry.name != newest.name and entry.name.endswith(".h5"):
                    files.append((stat.st_mtime, stat.st_size, entry.path))
    total = newest.stat().st_size if newest.exists() else 0
    for _, size, path in sorted(files, reverse=True):
        total += size
        if total > most:
            with suppress(OSError):
                os.unlink(path)  # noqa: PTH108 - the path of an entry is a text

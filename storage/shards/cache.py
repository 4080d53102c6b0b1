"""Shards of object stores, kept on this machine under their sha256, so that each is fetched once.

A file here is never trusted: its bytes are compared with a digest whenever they are used, and one that differs is
fetched again. So it does not matter who else writes there, or what a crash left.
"""

import hashlib
import os
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from storage.errors import BadInput
from storage.files.places import ObjectPath, read_range

FOLDER = "CAPTCHAS_CACHE"  # by default in the system's folder for temporary files
BYTES = "CAPTCHAS_CACHE_BYTES"  # that all files there may have together; 0: nothing is kept
_SINGLE = 4  # chunks of a shard that is not here are fetched one by one; then the shard as a whole
_OLD = 3600  # seconds after which a half-written file is of a dead process
_locks = tuple(threading.Lock() for _ in range(16))  # so that two threads do not fetch one shard
_asked: Counter[str] = Counter()


def room() -> int:
    """The bytes that may be kept.

    Raises
    ------
    BadInput
    """
    given = os.environ.get(BYTES, str(2_000_000_000))
    if not given.isdecimal():
        raise BadInput(f"{BYTES}: must be a number of bytes, 0 to keep nothing; it is {given!r}")
    return int(given)


def folder() -> Path:
    """Where files are kept.

    Raises
    ------
    BadInput
    """
    given = os.environ.get(FOLDER)
    if given:
        return Path(given)
    path = Path(tempfile.gettempdir(), f"captchas-cache-{os.getuid()}")
    if path.exists() and path.lstat().st_uid != os.getuid():  # whose pipe would hold a reader up for ever
        raise BadInput(f"{path}: is another user's; name a folder of your own with {FOLDER}")
    return path


def fetched(path: ObjectPath, sha256: str) -> bytes:
    """The bytes of an object, from here if they are here, else from the store; whoever asks proves them.

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
    """Some bytes of an object that was fetched before, from here or by a range request; whoever asks proves them.

    Raises
    ------
    FileNotFoundError, Unreachable
    """
    with suppress(OSError):
        return read_range(_file(sha256), start, size)
    _asked[sha256] += 1
    if _asked[sha256] <= _SINGLE or not room():
        return path.read_range(start, size)
    del _asked[sha256]
    return fetched(path, sha256)[start : start + size]


def forget(sha256: str) -> None:
    """Remove what turned out not to be what it should."""
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
    """Keep bytes, if there is room and the disk takes them: this is a convenience, and fails in silence."""
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
    files = []
    with suppress(OSError), os.scandir(newest.parent) as entries:
        for entry in entries:
            with suppress(OSError):
                stat = entry.stat()
                if entry.name.endswith(".tmp"):
                    if time.time() - stat.st_mtime > _OLD:
                        os.unlink(entry.path)  # noqa: PTH108 - an entry is no Path
                elif entry.name != newest.name and entry.name.endswith(".h5"):
                    files.append((stat.st_mtime, stat.st_size, entry.path))
    total = newest.stat().st_size if newest.exists() else 0
    for _, size, path in sorted(files, reverse=True):
        total += size
        if total > most:
            with suppress(OSError):
                os.unlink(path)  # noqa: PTH108

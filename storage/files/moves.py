"""Moving a file to where nothing stands: at any moment it is in one of the two places, or in both."""

import ctypes
import errno
import functools
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from blake3 import blake3

from storage.files import atomic
from storage.files.places import Place

_HERE = -100  # AT_FDCWD: paths are as they are
_NO_REPLACE = 1  # RENAME_NOREPLACE
_UNKNOWN = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP}
_ELSEWHERE = {errno.EXDEV, errno.EPERM, errno.ENOTSUP}  # the last two: there are no links


def free_name(path: Place) -> Place:
    """Return `path` if nothing has that name, else the first of `path.1`, `path.2` and so on that is free."""
    target, number = path, 0
    while target.exists() or target.is_symlink():  # a link that leads nowhere has the name too
        number += 1
        target = path.with_name(f"{path.name}.{number}")
    return target


def move_new(path: Path, target: Path, seen: tuple[int, int], digest: bytes, run: str) -> bool:
    """Move a file, on one file system or across two; False if it is no longer what was seen: then it stays.

    Parameters
    ----------
    seen : (bytes, mtime in ns)
    digest : bytes
        Of its content, blake3.
    run : str
        In the name of a temporary file, where the file system has no files without a name.

    Raises
    ------
    FileExistsError
        Something stands at `target`, and was left alone.
    OSError
    """
    atomic.make_folder(target.parent)
    try:
        try:
            renamed = _rename_new(path, target)
        except OSError as error:
            if error.errno not in _ELSEWHERE:
                raise
            return _copy_new(path, target, seen, digest, run)
    except FileNotFoundError:
        return False
    if renamed and _seen(target) != seen:
        with suppress(FileExistsError):  # else yet another one is there: this one stays where it is now
            _rename_new(target, path)
        return False
    return renamed


def finish_move(path: Path, target: Path, seen: tuple[int, int], digest: bytes, run: str) -> bool:
    """End a move that was cut off; False if it has to begin anew."""
    try:
        if not os.path.lexists(path):
            return True  # whoever takes files from there may have been faster
        if _seen(path) != seen:
            return os.path.lexists(target)  # another file has come under that name
        if not os.path.lexists(target):
            return move_new(path, target, seen, digest, run)
        contents = {blake3(one.read_bytes()).digest() for one in (path, target)}
        same = contents == {digest}
        if same:
            path.unlink()
    except OSError:
        return False
    return same


def _rename_new(path: Path, target: Path) -> bool:
    """Rename without replacing: in one step, or by a link, where the system cannot. FileExistsError, OSError."""
    function = _renameat2()
    if function:
        if function(_HERE, os.fsencode(path), _HERE, os.fsencode(target), _NO_REPLACE) == 0:
            return True
        code = ctypes.get_errno()
        if code not in _UNKNOWN:
            raise OSError(code, os.strerror(code), str(target))
    target.hardlink_to(path)
    path.unlink()
    return True


@functools.cache
def _renameat2() -> Callable | None:
    try:
        return ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return None


def _copy_new(path: Path, target: Path, seen: tuple[int, int], digest: bytes, run: str) -> bool:
    data = path.read_bytes()
    if _seen(path) != seen or blake3(data).digest() != digest:
        return False
    if not atomic.publish(target, data, run):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    with suppress(OSError):
        shutil.copystat(path, target)
    atomic.sync_folder(target.parent)
    try:
        same = _seen(path) == seen
        if same:
            path.unlink()
    except OSError:
        atomic.discard(target)
        raise
    if not same:
        atomic.discard(target)
    return same


def _seen(path: Path) -> tuple[int, int]:
    status = path.stat(follow_symlinks=False)
    return status.st_size, status.st_mtime_ns

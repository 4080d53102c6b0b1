"""Moves of a file that replace nothing: at any moment the file is at one of the two paths, or at both."""

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
from storage.files.stamps import Stamp, stamp_of

_AT_FDCWD = -100  # from fcntl.h: relative paths are relative to the working directory
_RENAME_NOREPLACE = 1  # from linux/fs.h
_UNSUPPORTED = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP}  # by this kernel or file system
_ELSEWHERE = {errno.EXDEV, errno.EPERM, errno.ENOTSUP}  # another file system, or a file system without links

_Rename = Callable[[int, bytes, int, bytes, int], int]  # renameat2(2)


def free_name(path: Place) -> Place:
    """Return `path` if nothing has that name, else the first of `path.1`, `path.2` and so on that is free."""
    target, number = path, 0
    while target.exists() or target.is_symlink():  # a link that leads nowhere has the name too
        number += 1
        target = path.with_name(f"{path.name}.{number}")
    return target


def move_new(path: Path, target: Path, seen: Stamp, digest: bytes, run: str) -> bool:
    """Move a file, on one file system or across two; if it has changed since it was seen, leave it and return False.

    Parameters
    ----------
    seen : Stamp
    digest : bytes
        The blake3 digest of its content.
    run : str
        Part of the name of a temporary file, where the file system has no files without a name.

    Raises
    ------
    FileExistsError
        `target` is taken, and was left as it is.
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
        with suppress(FileExistsError):  # then a third file has come to `path`, and the file stays at `target`
            _rename_new(target, path)
        return False
    return renamed


def finish_move(path: Path, target: Path, seen: Stamp, digest: bytes, run: str) -> bool:
    """Finish a move that was cut off; False if it must be begun again."""
    try:
        if not os.path.lexists(path):
            return True  # a reader of `target` may have taken the file away already
        if _seen(path) != seen:
            return os.path.lexists(target)  # another file has come to `path`
        if not os.path.lexists(target):
            return move_new(path, target, seen, digest, run)
        contents = {blake3(file.read_bytes()).digest() for file in (path, target)}
        same = contents == {digest}
        if same:
            path.unlink()
    except OSError:
        return False
    return same


def _rename_new(path: Path, target: Path) -> bool:
    """Rename without replacing: in one step, or by a link where the system cannot. FileExistsError, OSError."""
    renameat2 = _renameat2()
    if renameat2:
        if renameat2(_AT_FDCWD, os.fsencode(path), _AT_FDCWD, os.fsencode(target), _RENAME_NOREPLACE) == 0:
            return True
        code = ctypes.get_errno()
        if code not in _UNSUPPORTED:
            raise OSError(code, os.strerror(code), str(target))
    target.hardlink_to(path)
    path.unlink()
    return True


@functools.cache
def _renameat2() -> _Rename | None:
    try:
        function: _Rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return None
    return function


def _copy_new(path: Path, target: Path, seen: Stamp, digest: bytes, run: str) -> bool:
    data = path.read_bytes()
    if _seen(path) != seen or blake3(data).digest() != digest:
        return False
    if os.path.lexists(target) or not atomic.publish(target, data, run):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    with suppress(OSError, OverflowError):  # a time or an attribute that this file system does not know
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


def _seen(path: Path) -> Stamp:
    return stamp_of(path.stat(follow_symlinks=False))

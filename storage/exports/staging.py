"""Files and folders of an export, each written whole or not at all.

A million small files cannot be fsynced one by one. So a part is written under a temporary name, made durable by one
call, and renamed.
"""

import ctypes
import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from storage.errors import CaptchasError, explained
from storage.files import atomic
from storage.files.judged_folders import held

_OCCUPIED = {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR, errno.EISDIR}
_COPIED_AT_ONCE = 1 << 20  # bytes


@contextmanager
def staged_file(path: Path) -> Iterator[BinaryIO]:
    """Write a file as a stream. It appears at `path`, and replaces what was there, when all of it is durable.

    Raises
    ------
    NoSpace, Unwritable
        Nothing is left behind.
    """
    with _staged(path) as (staged, aim):
        with staged.open("xb") as file:
            yield file
            file.flush()
            atomic.sync_file(file)
        _settle(staged, aim)


@contextmanager
def staged_folder(path: Path) -> Iterator[Path]:
    """Fill a folder. It appears at `path`, and replaces what was there, when all of it is durable.

    Raises
    ------
    NoSpace, Unwritable
        Nothing is left behind.
    """
    with _staged(path) as (staged, aim):
        staged.mkdir()
        yield staged
        sync_filesystem(staged)
        _settle(staged, aim)


@contextmanager
def _staged(path: Path) -> Iterator[tuple[Path, Path]]:
    """Give a temporary name and the path's own, both in the folder as it is now; after any error nothing is left."""
    with held(path) as aim:
        staged = atomic.temporary(aim, atomic.new_run())  # two tries of one job must not share a name
        try:
            yield staged, aim
        except CaptchasError:
            remove(staged)
            raise
        except OSError as error:
            remove(staged)
            raise explained(error, path) from error
        except BaseException:
            remove(staged)
            raise


def _settle(staged: Path, path: Path) -> None:
    """Rename a finished file or folder to `path`; it replaces a file or folder of that name."""
    try:
        staged.replace(path)
    except OSError as error:
        if error.errno not in _OCCUPIED:
            raise
        old = atomic.temporary(path, atomic.new_run())  # a folder with files in it cannot be renamed over
        path.rename(old)
        staged.replace(path)
        remove(old)
    atomic.sync_folder(path.parent)


def sync_filesystem(folder: Path) -> None:
    """Make everything that was written to the folder's file system durable: one call for thousands of files."""
    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if syncfs is None:  # not Linux
        os.sync()
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        if syncfs(handle):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(handle)


def concatenate(path: Path, pieces: Iterable[bytes | Path]) -> int:
    """Write bytes and the content of files, one after the other, to `path`; return its size in bytes.

    Raises
    ------
    NoSpace, Unwritable
    """
    with staged_file(path) as file:
        for piece in pieces:
            if isinstance(piece, bytes):
                file.write(piece)
            else:
                with piece.open("rb") as source:
                    shutil.copyfileobj(source, file, _COPIED_AT_ONCE)
        return file.tell()


def measured(path: Path) -> tuple[int, int]:
    """Count (files, bytes) of a file, or of all files below a folder; (0, 0) if nothing is there."""
    if not path.is_dir():
        return (1, path.stat().st_size) if path.is_file() else (0, 0)
    files = size = 0
    for folder, _, _ in os.walk(path):
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.is_dir(follow_symlinks=False):
                    files, size = files + 1, size + entry.stat(follow_symlinks=False).st_size
    return files, size


def remove(path: Path) -> None:
    """Remove a file, or a folder with its content; it is no error if nothing is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        atomic.discard(path)


def clear(folder: Path) -> None:
    """Remove the files and folders that ended runs left under temporary names."""
    for path in folder.glob(".*.tmp"):  # everything in an export's folder was written by an export
        remove(path)

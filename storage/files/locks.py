"""Locks: one run at a time on a dataset, a model, an export or an inbox; and folders that end with their process."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from blake3 import blake3
from filelock import FileLock, Timeout

from storage.errors import Busy, explained
from storage.files import atomic
from storage.files.places import ObjectPath, Place
from storage.files.private import create_private, is_lasting, scratch_folder
from storage.objects import leases


@contextmanager
def locked(folder: Place) -> Iterator[None]:
    """Hold the lock of a dataset, model or export: an OS lock on `NAME.lock` beside it, or a lease in an object store.

    The kernel frees an OS lock when its holder dies, so a lock file that a dead run left is no obstacle.

    Raises
    ------
    Busy
        Another run holds it.
    """
    if isinstance(folder, ObjectPath):
        with leases.leased(folder.scheme, folder.key):
            yield
        return
    folder = folder.resolve()  # '.' has no name; and a folder has one lock, however its path is spelled
    atomic.make_folder(folder.parent)
    busy = f"{folder}: another run is working on it; wait for that to end, or choose another --out"
    with _os_lock(folder.with_name(folder.name + ".lock"), busy):
        yield


@contextmanager
def inbox_locked(answers: Path, folder: Place) -> Iterator[None]:
    """Hold the lock of an inbox: an OS lock on a file under `answers`, the folder of the kept answers.

    Raises
    ------
    Busy
        Another run holds it.
    """
    name = blake3(os.fsencode(str(folder))).hexdigest(8)
    busy = f"{folder}: another run is solving it; wait for that to end, or end it"
    with _os_lock(atomic.make_folder(answers / "locks") / f"{name}.lock", busy):
        yield


@contextmanager
def _os_lock(file: Path, busy: str) -> Iterator[None]:
    create_private(file)
    lock = FileLock(file)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise Busy(busy) from None
    except OSError as error:  # also for a read-only file system, which gives no PermissionError
        raise explained(error, file.parent) from error
    try:
        yield
    finally:
        lock.release()


_NEW = ".new"  # the end of a folder's name until its lock is held
_HOUR = 3600  # seconds
_SCRATCH = "work-"


@contextmanager
def held_folder(path: Path) -> Iterator[Path]:
    """Make a folder for this process alone, and remove it at the end.

    An OS lock on the folder tells `clear_dead` that its process lives, which may be killed before the end.
    """
    made = path.with_name(path.name + _NEW)
    atomic.make_folder(made)
    handle = os.open(made, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without such locks, where `clear_dead` gets none either
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        made.rename(path)  # only now others look at it
        made = path
        yield path
    finally:
        shutil.rmtree(made, ignore_errors=True)
        os.close(handle)


def clear_dead(parent: Path, pattern: str) -> None:
    """Remove the folders that killed processes left of `held_folder`; those of living processes stay.

    A folder whose lock was not held yet goes after an hour.

    Parameters
    ----------
    parent, pattern : Path, str
        Where they are, and what `Path.glob` finds them by.
    """
    for folder in (*parent.glob(pattern), *filter(_is_old, parent.glob(pattern + _NEW))):
        try:
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue  # gone meanwhile, another user's, or no folder
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue  # held
        finally:
            os.close(handle)


def _is_old(folder: Path) -> bool:
    with suppress(OSError):
        return abs(time.time() - folder.stat().st_mtime) > _HOUR
    return False


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make a folder for temporary files which no other user can read, and remove it and what killed processes left."""
    parent = scratch_folder()
    clear_dead(parent, f"{_SCRATCH}{'[0-9a-f]' * 12}")
    try:
        with held_folder(parent / f"{_SCRATCH}{atomic.new_run()}") as folder:
            yield folder
    finally:
        if not is_lasting(parent):
            shutil.rmtree(parent, ignore_errors=True)

"""Locks: one run at a time on a dataset, a model, an export or an inbox."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from blake3 import blake3
from filelock import FileLock, Timeout

from storage.errors import Busy, explained
from storage.files import atomic
from storage.files.places import ObjectPath, Place
from storage.files.private import create_private
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

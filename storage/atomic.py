"""Files that are either whole or not there: write under a temporary name, fsync, then publish."""

import errno
import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

from storage.errors import NoSpace, Unwritable

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


def new_run() -> str:
    """An id for one run: 12 hexadecimal digits, in the name of every temporary file that it makes."""
    return secrets.token_hex(6)


def temporary(path: Path, run: str) -> Path:
    """The name under which `run` writes what will become `path`: hidden, in the same folder."""
    return path.with_name(f".{path.name}.{run}.tmp")


def leftovers(folder: Path) -> list[Path]:
    """Temporary files in `folder` that some run left behind."""
    return sorted(folder.glob(".*.tmp"))


def make_folder(folder: Path) -> Path:
    """Create `folder` with its parents.

    Raises
    ------
    Unwritable, NoSpace
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise Unwritable(f"{folder} cannot be a folder: {error.strerror}; choose another path") from error
    except OSError as error:
        raise _explained(error, folder) from error
    return folder


def replace(path: Path, data: bytes, run: str | None = None) -> None:
    """Put `data` at `path`, over what was there; a reader sees the old bytes or the new ones.

    Raises
    ------
    NoSpace, Unwritable
        Nothing is left behind and the old file is as it was.
    """
    make_folder(path.parent)
    staged = temporary(path, run or new_run())
    try:
        _write(staged, data)
        staged.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        _discard(staged)
        raise _explained(error, path) from error
    except BaseException:
        _discard(staged)
        raise


def publish(path: Path, data: bytes, run: str) -> bool:
    """Put `data` at `path` unless something is there already; True if it is ours.

    A hard link fails where a rename would replace: a worker that outlived its client cannot
    overwrite a shard that the next run has sealed.

    Raises
    ------
    NoSpace, Unwritable
        Nothing is left behind.
    """
    staged = temporary(path, run)
    try:
        _write(staged, data)
        try:
            os.link(staged, path)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            if path.exists():
                return False
            staged.replace(path)
    except OSError as error:
        raise _explained(error, path) from error
    else:
        return True
    finally:
        _discard(staged)


def sync_folder(folder: Path) -> None:
    """Make the folder's entries durable, where the file system can."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP}:
            raise
    finally:
        os.close(handle)


def need_space(folder: Path, wanted: int) -> None:
    """Refuse to begin when fewer than `wanted` bytes (plus 5 %) are free under `folder`.

    Raises
    ------
    NoSpace
    """
    there = folder
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free
    if free < wanted * 1.05:
        raise NoSpace(
            f"{folder}: about {readable_size(wanted)} are needed, {readable_size(free)} are free; "
            "free some space, ask for a smaller --count, or choose another folder with --out"
        )


def readable_size(count: int) -> str:
    """Bytes as people write them: `readable_size(1_500_000) == '1.5 MB'`."""
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 999.95:  # what would be shown as 1000.0 goes to the next unit
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def _write(path: Path, data: bytes) -> None:
    with path.open("xb", buffering=0) as file:
        view = memoryview(data)
        while view:  # an unbuffered write may be short
            view = view[file.write(view) :]
        os.fsync(file.fileno())


def _discard(path: Path) -> None:
    with suppress(OSError):  # a read-only file system refuses even for a file that is not there
        path.unlink(missing_ok=True)


def _explained(error: OSError, path: Path) -> OSError:
    if error.errno in _FULL:
        return NoSpace(
            f"{path}: the disk is full ({error.strerror}); nothing half-written was kept. "
            "Free some space and give the same command again: it goes on from there"
        )
    if error.errno in _REFUSED:
        return Unwritable(
            f"{path}: this user may not write there ({error.strerror}); change the permissions or choose another folder"
        )
    return error

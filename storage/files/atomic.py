"""Files that are either whole or not there: write under a temporary name, fsync, then publish."""

import errno
import functools
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from storage.errors import NoSpace, Unwritable, explained, readable_size
from storage.files.places import ObjectPath

# A single write of 10 MB makes Linux look for pages that large: after some files that took ten times as long.
_AT_ONCE = 1 << 20
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
_TEMPORARY = re.compile(r"\..+\.\w+\.[0-9a-z]+\.tmp")  # as `temporary` names them
_NO_UNNAMED = {errno.EISDIR, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}


def _or_there(function: Callable) -> Callable:  # in an object store, the method of the same name of the path
    @functools.wraps(function)
    def chosen(path, *rest, **options):
        there = isinstance(path, ObjectPath)
        return getattr(path, function.__name__)(*rest, **options) if there else function(path, *rest, **options)

    return chosen


def new_run() -> str:
    """An id for one run: 12 hexadecimal digits, in the name of every temporary file that it makes."""
    return secrets.token_hex(6)


def temporary(path: Path, run: str) -> Path:
    """The name under which `run` writes what will become `path`: hidden, in the same folder."""
    return path.with_name(f".{path.name}.{run}.tmp")


@_or_there
def leftovers(folder: Path) -> list[Path]:
    """Temporary files in `folder` that some run left behind: of their names, and files; nobody else's."""
    return sorted(path for path in folder.glob(".*.tmp") if _TEMPORARY.fullmatch(path.name) and path.is_file())


@_or_there
def fingerprint(path: Path) -> tuple[int, ...]:
    """What tells a file from any other that stands, or will stand, under its name; empty if there is none."""
    try:
        found = path.stat(follow_symlinks=False)
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


@_or_there
def move(path: Path, target: Path, judged: tuple[int, ...] | None = None) -> bool:
    """Rename a file, and say whether it was; where `target` is on another file system, copy it, then remove it.

    A dataset's folder may be a mount point, and what is beside it then is elsewhere.

    Parameters
    ----------
    judged : tuple, optional
        The `fingerprint` of the file that is meant: another one, which somebody put there meanwhile, is put back.
    """
    try:
        path.rename(target)
    except FileNotFoundError as error:
        if judged is None:
            raise explained(error, target) from error
        return False
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise explained(error, target) from error
        replace(target, path.read_bytes())
        if judged is not None and fingerprint(path) != judged:
            discard(target)
            return False
        path.unlink()
        return True
    if judged is None or fingerprint(target) == judged:
        return True
    # A link, which replaces nothing: if yet another one stands there, this one stays where it is now.
    put_back = _link(target, path)
    if put_back is None and not path.exists():
        target.replace(path)
    elif put_back:
        target.unlink()
    return False


@_or_there
def make_folder(folder: Path) -> Path:
    """Create `folder` with its parents.

    Raises
    ------
    Unwritable, NoSpace
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, FileNotFoundError, NotADirectoryError) as error:
        raise Unwritable(f"{folder} cannot be a folder: {error.strerror}; choose another path") from error
    except OSError as error:
        raise explained(error, folder) from error
    return folder


@_or_there
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
        discard(staged)
        raise explained(error, path) from error
    except BaseException:
        discard(staged)
        raise


@_or_there
@contextmanager
def replacing(path: Path) -> Iterator[Callable[[bytes], None]]:
    """Like `replace`, for what comes bit by bit: gives the function that writes the next bytes.

    Nothing stands at `path`, or what stood there still does, until the block ends without an error. Until then the
    file has no name, where the system has such files: a run that is killed leaves nothing.

    Raises
    ------
    NoSpace, Unwritable
        Nothing is left behind and the old file is as it was.
    """
    make_folder(path.parent)
    staged = temporary(path, new_run())
    try:
        handle = _unnamed(path.parent)
        file = staged.open("xb", buffering=0) if handle is None else os.fdopen(handle, "wb", buffering=0)
    except OSError as error:
        raise explained(error, path) from error

    def write(data: bytes) -> None:
        try:
            _put(file, data)
        except OSError as error:
            raise explained(error, path) from error

    try:
        with file:
            yield write
            try:
                sync_file(file)
                # See `publish`. Where a file without a name can get none, its bytes are copied.
                if handle is not None and not _link(f"/proc/self/fd/{handle}", staged, src_dir_fd=handle):
                    with Path(f"/proc/self/fd/{handle}").open("rb") as source, staged.open("xb") as copy:
                        shutil.copyfileobj(source, copy)
                        copy.flush()
                        sync_file(copy)
                staged.replace(path)
                sync_folder(path.parent)
            except OSError as error:
                raise explained(error, path) from error
    except BaseException:
        discard(staged)
        raise


@_or_there
def publish(path: Path, data: bytes | tuple[bytes, ...], run: str) -> bool:
    """Put `data` (or its parts, one after another) at `path` unless something is there already; True if it is ours.

    A hard link fails where a rename would replace: a worker that outlived its client cannot
    overwrite a shard that the next run has sealed. Until then the file has no name, where the system
    has such files (Linux, most file systems), else that of `temporary`.

    Raises
    ------
    NoSpace, Unwritable
        Nothing is left behind.
    """
    parts = data if isinstance(data, tuple) else (data,)
    try:
        handle = _unnamed(path.parent)
        if handle is not None:
            with os.fdopen(handle, "wb", buffering=0) as file:
                _fill(file, parts)
                # With any `src_dir_fd` Python takes the call that follows this link to the file itself.
                ours = _link(f"/proc/self/fd/{handle}", path, src_dir_fd=handle)
            if ours is not None:
                return ours
        return _publish_named(path, parts, run)
    except OSError as error:
        raise explained(error, path) from error


def _publish_named(path: Path, parts: tuple[bytes, ...], run: str) -> bool:
    # A name of its own for each try: a worker that was killed here may have left the one before.
    staged = temporary(path, run + secrets.token_hex(4))
    try:
        _write(staged, *parts)
        ours = _link(staged, path)
        if ours is None and not path.exists():
            staged.replace(path)
            ours = True
        return bool(ours)
    finally:
        discard(staged)


def _link(source: str | Path, path: Path, **options) -> bool | None:
    """Whether `path` was free and is now the file of `source`; None where the system has no such links."""
    try:
        os.link(source, path, **options)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno in _NO_LINKS:
            return None
        raise
    return True


def _unnamed(folder: Path) -> int | None:
    """A descriptor of a file without a name in `folder`; None where the system has no such files.

    The kernel takes it away with its process: a worker that outlives its client, and is killed once the
    next run has tidied the folder, leaves nothing there.
    """
    if not hasattr(os, "O_TMPFILE") or not Path("/proc/self/fd").is_dir():
        return None
    try:
        return os.open(folder, os.O_TMPFILE | os.O_WRONLY, 0o666)
    except OSError as error:
        if error.errno in _NO_UNNAMED:
            return None
        raise


def sync_file(file: BinaryIO) -> None:
    """Bring a file to the disk, and keep no copy of it in memory: what is read next is what the disk holds.

    Copies would push out what others read. And a virtual machine that gives free pages back gets each from its host
    again, which took a sixth to a quarter of the time of drawing ten million pictures (`docs/performance.md`).
    """
    os.fsync(file.fileno())
    with suppress(AttributeError, OSError):  # advice, which not every system takes
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


@_or_there
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


@_or_there
def need_space(folder: Path, wanted: int) -> None:
    """Refuse to begin when fewer than `wanted` bytes (plus 5 %) are free under `folder`.

    Raises
    ------
    NoSpace
    """
    there = next(place for place in (folder, *folder.parents) if place.exists())
    free = shutil.disk_usage(there).free
    if free < wanted * 1.05:
        raise NoSpace(
            f"{folder}: about {readable_size(wanted)} are needed, {readable_size(free)} are free; "
            "free some space, ask for a smaller --count, or choose another folder with --out"
        )


def _write(path: Path, *parts: bytes) -> None:
    with path.open("xb", buffering=0) as file:
        _fill(file, parts)


def _fill(file, parts: tuple[bytes, ...]) -> None:
    for part in parts:
        _put(file, part)
    sync_file(file)


def _put(file, data: bytes) -> None:
    view = memoryview(data)
    while view:  # an unbuffered write may be short
        view = view[file.write(view[:_AT_ONCE]) :]


@_or_there
def discard(path: Path) -> None:
    """Remove a file, if it is there and can be removed."""
    with suppress(OSError):  # a read-only file system refuses even for a file that is not there
        path.unlink(missing_ok=True)

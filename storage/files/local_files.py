"""Atomic files on this machine: write under a temporary name or none, fsync, then publish."""

import errno
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from storage.errors import NoSpace, Unwritable, explained, readable_size
from storage.files.judged_folders import held
from storage.files.places import Fingerprint, ObjectPath, Place
from storage.files.targets import require_replaceable

# Bytes of one write. A single write of 10 MB makes Linux look for pages that large: after some files that took ten
# times as long.
_AT_ONCE = 1 << 20
_MARGIN = 1.05  # what must be free, as a multiple of the estimate
_MODE = 0o666  # of a new file, before the umask; the same as that of `open`
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
_NO_UNNAMED = {errno.EISDIR, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
_NO_FOLDER_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP}
_TEMPORARY = re.compile(r"\..+\.\w+\.[0-9a-z]+\.tmp")  # as `temporary` names them


class _Writer(Protocol):
    def write(self, data: memoryview, /) -> int | None: ...
    def fileno(self) -> int: ...


def new_run() -> str:
    """Return a new id for a run: 12 hexadecimal digits, part of the name of every temporary file that it makes."""
    return secrets.token_hex(6)


def temporary(path: Path, run: str) -> Path:
    """Return the name under which `run` writes the file that will become `path`: hidden, in the same folder."""
    return path.with_name(f".{path.name}.{run}.tmp")


@dataclass(frozen=True)
class LocalFiles:
    """`storage.files.atomic.AtomicFiles` for a path of this machine."""

    path: Path

    def publish(self, data: bytes | tuple[bytes, ...], run: str) -> bool:
        """Link a complete file to the path.

        A hard link fails where a rename would replace: a worker that outlived its client cannot overwrite a shard
        that the next run has sealed. Until then the file has no name, where the system has such files (Linux, most
        file systems), else a temporary name.
        """
        require_replaceable(self.path)
        parts = data if isinstance(data, tuple) else (data,)
        with held(self.path) as path:
            try:
                handle = _unnamed(path.parent)
                if handle is not None:
                    with os.fdopen(handle, "wb", buffering=0) as file:
                        _fill(file, parts)
                        ours = _link_unnamed(handle, path)
                    if ours is not None:
                        return ours
                return _publish_named(path, parts, run)
            except OSError as error:
                raise explained(error, self.path) from error

    def replace(self, data: bytes, run: str | None = None) -> None:
        require_replaceable(self.path)
        LocalFiles(self.path.parent).make_folder()
        with held(self.path) as path:
            staged = temporary(path, run or new_run())
            try:
                handle = _unnamed(path.parent)  # a kill meanwhile leaves nothing
                if handle is None:
                    _write(staged, data)
                else:
                    with os.fdopen(handle, "wb", buffering=0) as file:
                        _fill(file, (data,))
                        _name(handle, staged)
                staged.replace(path)
                LocalFiles(path.parent).sync_folder()
            except OSError as error:
                LocalFiles(staged).discard()
                raise explained(error, self.path) from error
            except BaseException:
                LocalFiles(staged).discard()
                raise

    @contextmanager
    def replacing(self) -> Iterator[Callable[[bytes], None]]:
        """Write a file without a name until the block ends, where the system has such files: a kill leaves nothing."""
        require_replaceable(self.path)
        LocalFiles(self.path.parent).make_folder()
        with held(self.path) as path:
            yield from self._replacing(path)

    def _replacing(self, path: Path) -> Iterator[Callable[[bytes], None]]:
        staged = temporary(path, new_run())
        try:
            handle = _unnamed(path.parent)
            file = staged.open("xb", buffering=0) if handle is None else os.fdopen(handle, "wb", buffering=0)
        except OSError as error:
            raise explained(error, self.path) from error

        def write(data: bytes) -> None:
            try:
                _put(file, data)
            except OSError as error:
                raise explained(error, self.path) from error

        try:
            with file:
                yield write
                require_replaceable(self.path)  # once more: a large file takes its time
                try:
                    sync_file(file)
                    if handle is not None:
                        _name(handle, staged)
                    staged.replace(path)
                    LocalFiles(path.parent).sync_folder()
                except OSError as error:
                    raise explained(error, self.path) from error
        except BaseException:
            LocalFiles(staged).discard()
            raise

    def move(self, target: Place, judged: Fingerprint | None = None) -> bool:
        """Rename the file; where `target` is on another file system, copy it, then remove it.

        A dataset's folder may be a mount point; its neighbours are then on another file system.
        """
        if isinstance(target, ObjectPath):
            raise TypeError(f"{self.path}: a local file can be moved to a local path only, not to {target}")
        if self.path.is_dir():
            if os.path.lexists(target):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
        else:
            require_replaceable(target)
        with held(target) as place:
            try:
                self.path.rename(place)
            except FileNotFoundError as error:
                if judged is None:
                    raise explained(error, target) from error
                return False
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise explained(error, target) from error
                return self._move_by_copy(target, judged)
        if judged is None or LocalFiles(target).fingerprint() == judged:
            return True
        # Put it back by a link, which replaces nothing: if a third file has come to the path, the file stays at target.
        put_back = _link(target, self.path)
        if put_back is None and not os.path.lexists(self.path):
            target.replace(self.path)
        elif put_back:
            target.unlink()
        return False

    def _move_by_copy(self, target: Path, judged: Fingerprint | None) -> bool:
        copy = LocalFiles(target)
        copy.replace(self.path.read_bytes())
        if judged is not None and self.fingerprint() != judged:
            copy.discard()
            return False
        self.path.unlink()
        return True

    def fingerprint(self) -> Fingerprint:
        try:
            found = self.path.stat(follow_symlinks=False)
        except OSError:
            return ()
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns

    def discard(self) -> None:
        with suppress(OSError):  # a read-only file system refuses even where there is no file
            self.path.unlink(missing_ok=True)

    def make_folder(self) -> None:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, FileNotFoundError, NotADirectoryError) as error:
            raise Unwritable(f"{self.path} cannot be a folder: {error.strerror}; choose another path") from error
        except OSError as error:
            raise explained(error, self.path) from error

    def leftovers(self) -> list[Path]:
        return sorted(path for path in self.path.glob(".*.tmp") if _TEMPORARY.fullmatch(path.name) and path.is_file())

    def sync_folder(self) -> None:
        try:
            handle = os.open(self.path, os.O_RDONLY)
        except OSError:
            return
        try:
            os.fsync(handle)
        except OSError as error:
            if error.errno not in _NO_FOLDER_SYNC:
                raise
        finally:
            os.close(handle)

    def need_space(self, wanted: int) -> None:
        existing = next(place for place in (self.path, *self.path.parents) if place.exists())
        free = shutil.disk_usage(existing).free
        if free < wanted * _MARGIN:
            raise NoSpace(
                f"{self.path}: about {readable_size(wanted)} are needed, {readable_size(free)} are free; "
                "free some space, ask for a smaller --count, or choose another folder with --out"
            )


def sync_file(file: _Writer) -> None:
    """Write a file through to the disk and drop it from memory, so that the next read comes from the disk.

    Copies in memory would push out what others read. A virtual machine that gives free pages back must also get each
    of them from its host again: a sixth to a quarter of the time of drawing ten million pictures
    (`docs/performance.md`).
    """
    os.fsync(file.fileno())
    with suppress(AttributeError, OSError):  # not every system takes this advice
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _publish_named(path: Path, parts: tuple[bytes, ...], run: str) -> bool:
    # Each try has a name of its own: a worker that was killed here may have left the file of an earlier try.
    staged = temporary(path, run + secrets.token_hex(4))
    try:
        _write(staged, *parts)
        ours = _link(staged, path)
        if ours is None and not os.path.lexists(path):
            staged.replace(path)
            ours = True
        return bool(ours)
    finally:
        LocalFiles(staged).discard()


def _link(source: str | Path, path: Path, src_dir_fd: int | None = None) -> bool | None:
    """Link `source` to `path`. True if `path` was free, False if not, None if the system has no such links."""
    try:
        os.link(source, path, src_dir_fd=src_dir_fd)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno in _NO_LINKS:
            return None
        raise
    return True


def _link_unnamed(handle: int, path: Path) -> bool | None:
    # With any `src_dir_fd` Python calls linkat, which follows this symbolic link to the file itself.
    return _link(f"/proc/self/fd/{handle}", path, src_dir_fd=handle)


def _name(handle: int, path: Path) -> None:
    """Give a file without a name a name that is free, or copy it there."""
    if not _link_unnamed(handle, path):
        _copy_unnamed(handle, path)


def _copy_unnamed(handle: int, path: Path) -> None:
    """Copy a file that can get no name."""
    with Path(f"/proc/self/fd/{handle}").open("rb") as source, path.open("xb") as copy:
        shutil.copyfileobj(source, copy)
        copy.flush()
        sync_file(copy)


def _unnamed(folder: Path) -> int | None:
    """Open a new file without a name in `folder`; None if the system has no such files.

    The kernel removes it when its process ends: a worker that outlives its client, and is killed after the next run
    has tidied the folder, leaves nothing.
    """
    if not hasattr(os, "O_TMPFILE") or not Path("/proc/self/fd").is_dir():
        return None
    try:
        return os.open(folder, os.O_TMPFILE | os.O_WRONLY, _MODE)
    except OSError as error:
        if error.errno in _NO_UNNAMED:
            return None
        raise


def _write(path: Path, *parts: bytes) -> None:
    with path.open("xb", buffering=0) as file:
        _fill(file, parts)


def _fill(file: _Writer, parts: tuple[bytes, ...]) -> None:
    for part in parts:
        _put(file, part)
    sync_file(file)


def _put(file: _Writer, data: bytes) -> None:
    view = memoryview(data)
    while view:  # an unbuffered write may be short
        view = view[file.write(view[:_AT_ONCE]) :]

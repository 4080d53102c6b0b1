"""The parts of an export, each written whole or not at all, and the record that is written last.

A million small files cannot be fsynced one by one. So a part is written under a temporary name, made durable by one
call, and renamed.
"""

import ctypes
import errno
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from storage.errors import CaptchasError, Damaged, Different, explained
from storage.files import atomic
from storage.texts import as_json

RECORD = "export.json"
NOTES = ".parts"  # the folder in which an unfinished export keeps notes for the next run
_OCCUPIED = {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR, errno.EISDIR}
_COPIED_AT_ONCE = 1 << 20  # bytes


@dataclass(frozen=True)
class Part:
    """The part of an export that comes from one shard; `name` is None if none of its pictures were chosen."""

    shard: int
    name: str | None
    pictures: int
    files: int
    bytes: int

    def stands(self, out: Path) -> bool:
        """Return whether the part still has as many files and bytes as were written."""
        return self.name is None or measured(out / self.name) == (self.files, self.bytes)


@dataclass(frozen=True)
class ExportRecord:
    """The content of `export.json`.

    what : dict
        Everything that the bytes of the export depend on; a record with another `what` is of another export.
    parts, indexes
        Empty in the record of an unfinished export. `indexes` gives the size in bytes of each file beside the parts.
    """

    what: dict[str, Any]
    parts: tuple[Part, ...] = ()
    indexes: dict[str, int] | None = None

    @property
    def complete(self) -> bool:
        """Whether the export was completed."""
        return self.indexes is not None

    @property
    def pictures(self) -> int:
        """Number of pictures in all parts."""
        return sum(part.pictures for part in self.parts)

    def stands(self, out: Path) -> bool:
        """Return whether the export was completed and each of its files still has its size."""
        return (
            self.indexes is not None
            and all(measured(out / name) == (1, size) for name, size in self.indexes.items())
            and all(part.stands(out) for part in self.parts)
        )

    def write(self, path: Path) -> None:
        """Write the record to `path`, atomically."""
        content = asdict(self) | {"pictures": self.pictures}
        atomic.replace(path, (as_json(content, indent=1) + "\n").encode())

    @classmethod
    def read(cls, out: Path) -> "ExportRecord | None":
        """Read the record of the export in `out`, complete or unfinished; None if there is no export.

        Raises
        ------
        Damaged
            The record is not one that this project writes.
        Different
            The folder holds files that no export wrote.
        """
        for path in (out / RECORD, out / NOTES / RECORD):
            try:
                content = json.loads(path.read_bytes())
                del content["pictures"]
                return cls(**content | {"parts": tuple(Part(**part) for part in content["parts"])})
            except (FileNotFoundError, NotADirectoryError):
                continue
            except (OSError, ValueError, TypeError, KeyError) as error:
                raise Damaged(
                    f"{path}: cannot be read as the record of an export ({error}); move {out} away"
                ) from error
        foreign = sorted(path.name for path in out.iterdir() if path.name != NOTES) if out.is_dir() else []
        if foreign:
            raise Different(
                f"{out}: holds files that no export wrote ({', '.join(foreign[:3])}{', …' * (len(foreign) > 3)}); "
                "give a folder that is empty or new with --out"
            )
        return None


@contextmanager
def staged_file(path: Path) -> Iterator[BinaryIO]:
    """Write a file as a stream. It appears at `path`, and replaces what was there, when all of it is durable.

    Raises
    ------
    NoSpace, Unwritable
        Nothing is left behind.
    """
    staged = atomic.temporary(path, atomic.new_run())  # two tries of one job must not share a name
    with _nothing_left(staged, path):
        with staged.open("xb") as file:
            yield file
            file.flush()
            atomic.sync_file(file)
        _settle(staged, path)


@contextmanager
def staged_folder(path: Path) -> Iterator[Path]:
    """Fill a folder. It appears at `path`, and replaces what was there, when all of it is durable.

    Raises
    ------
    NoSpace, Unwritable
        Nothing is left behind.
    """
    staged = atomic.temporary(path, atomic.new_run())
    with _nothing_left(staged, path):
        staged.mkdir()
        yield staged
        sync_filesystem(staged)
        _settle(staged, path)


@contextmanager
def _nothing_left(staged: Path, path: Path) -> Iterator[None]:
    """Remove `staged` after any error, and explain an OSError."""
    try:
        yield
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
    """Rename a finished file or folder to `path`, over what is there."""
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

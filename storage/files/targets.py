"""Targets: judge what stands at a path before a command writes there, and write to streams."""

import os
import re
import stat
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path

from storage.errors import BadInput, Unwritable
from storage.files.judged_folders import remember, require_same
from storage.files.places import ObjectPath, Place, read_range

STANDARD_OUTPUT = Path("-")


class Kind(Enum):
    """What stands at a path, links followed. The value is for messages."""

    MISSING = "nothing"
    FILE = "a file"
    FOLDER = "a folder"
    DEVICE = "a device"
    FIFO = "a FIFO"
    SOCKET = "a socket"
    KERNEL = "a name that the kernel provides"


class Owned(Enum):
    """What a file or folder of this project is. The value is for messages."""

    LOCK = "a lock"
    LEDGER = "the ledger"
    DATABASE = "a database or a part of it"
    MODEL = "a model"
    SHARD = "a shard or another HDF5 file"
    MANIFEST = "a dataset's manifest"
    DATASET = "a dataset"
    EXPORT = "an export"
    SERVER = "the home's record of its server"


_KINDS = (
    (stat.S_ISREG, Kind.FILE), (stat.S_ISDIR, Kind.FOLDER), (stat.S_ISFIFO, Kind.FIFO), (stat.S_ISSOCK, Kind.SOCKET),
)  # fmt: skip
# The files that make a folder a dataset or an export, with words that only ours have: other programs use these names.
_RECORDS = {
    "manifest.json": (Owned.DATASET, (b'"identity"', b'"shards"')),
    ".export.json": (Owned.EXPORT, (b'"what"', b'"parts"')),
    "export.json": (Owned.EXPORT, (b'"what"', b'"parts"')),
}
_SHARD = re.compile(r"shard-\d{6}-\d+\.h5")
_SQLITE, _HDF5, _ZIP = b"SQLite format 3\0", b"\x89HDF\r\n\x1a\n", b"PK\x03\x04"
_OF_SERVER = ("password", "up.json", "profiles.toml")  # in the home's folder prefect
_MOST_RECORD = 64 << 20  # bytes of a record that are looked through
_SIDES = ("-wal", "-shm", "-journal")  # suffixes of the files that SQLite keeps beside a database
_ELSEWHERE = "choose another path"


def kind_of(path: Place) -> Kind:
    """Return what stands at a path; a link counts as what it leads to, or as nothing.

    Raises
    ------
    OSError
        It cannot be looked at.
    """
    if isinstance(path, ObjectPath):
        return Kind.FILE if path.is_file() else Kind.FOLDER if path.is_dir() else Kind.MISSING
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return Kind.KERNEL if _in_kernel(path) else Kind.MISSING
    kind = next((kind for test, kind in _KINDS if test(mode)), Kind.DEVICE)
    return Kind.KERNEL if kind is Kind.FILE and _in_kernel(path) else kind


def _in_kernel(path: Path) -> bool:
    """Return whether a name is in /dev, /proc or /sys: /dev/stdout leads to a file, but a rename replaces the link."""
    folder = os.path.realpath(path.parent)
    return folder == "/dev" or f"{folder}/".startswith(("/proc/", "/sys/"))


def owned(path: Place) -> Owned | None:
    """Return what a path is to this project, if a command must not replace it; None for any other file or folder.

    The file itself is judged by its name and its first bytes, the folder by the records in it.
    """
    if path.name.endswith(".lock"):
        return Owned.LOCK
    if path.name.startswith("ledger.sqlite"):
        return Owned.LEDGER
    if path.name in _OF_SERVER and path.parent.name == "prefect":
        return Owned.SERVER
    if path.is_dir():
        return _owned_folder(path)
    if not path.is_file():
        side = next((side for side in _SIDES if path.name.endswith(side)), "")
        return Owned.DATABASE if side and _head(_without(path, side)) == _SQLITE else None
    head = _head(path)
    if head == _SQLITE or any(path.name.endswith(s) and _head(_without(path, s)) == _SQLITE for s in _SIDES):
        return Owned.DATABASE
    if head.startswith(_HDF5):
        return Owned.SHARD
    if path.suffix in (".skops", ".onnx") or (head.startswith(_ZIP) and isinstance(path, Path) and _is_model(path)):
        return Owned.MODEL
    return Owned.MANIFEST if path.name == "manifest.json" and _owned_folder(path.parent) else None


def _without(path: Place, side: str) -> Place:
    return path.with_name(path.name.removesuffix(side) or side)


def _head(path: Place) -> bytes:
    return read_range(path, 0, len(_SQLITE)) if path.is_file() else b""


def _is_model(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return "schema.json" in archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return False


def _owned_folder(folder: Place) -> Owned | None:
    for name, (owner, words) in _RECORDS.items():
        record = folder / name
        if record.is_file():
            data = read_range(record, 0, _MOST_RECORD)
            if all(word in data for word in words):
                return owner
    # A dataset that is being drawn has no manifest yet, but a lock beside it.
    if isinstance(folder, Path) and folder.name and folder.with_name(folder.name + ".lock").is_file():
        with os.scandir(folder) as entries:
            if any(_SHARD.fullmatch(entry.name) for entry in entries):
                return Owned.DATASET
    return None


def _holders(path: Place) -> Iterator[Place]:
    """Yield the existing folders that a path is in, by its name and by where its links lead."""
    if isinstance(path, ObjectPath):
        while path.parent != path and path.parent.key.count("/") >= path.scheme.startswith("s3"):
            path = path.parent
            yield path
        return
    yield from {
        folder for real in (path.resolve(), path.parent.resolve() / path.name) for folder in real.parents
        if folder.is_dir()
    }  # fmt: skip


def require_file(
    path: Place, option: str, *, stream: bool = False, model: bool = False, inputs: Iterable[Place] = ()
) -> None:
    """Refuse a path that a command must not put a file at; call it before any work.

    Parameters
    ----------
    option : str
        The option's name, for the message.
    stream : bool
        Whether the command can write to a FIFO or to standard output (`-`).
    model : bool
        Whether the command writes models, and so may replace a model.
    inputs : iterable of Place
        Files that the command reads.

    Raises
    ------
    BadInput
    """
    if path == STANDARD_OUTPUT:
        if stream:
            return
        raise BadInput(f"{option}: must name a file; it is -, standard output: {_ELSEWHERE}")
    with _looking(path, option):
        kind = kind_of(path)
        if kind is Kind.FIFO and stream:
            return
        if kind not in (Kind.FILE, Kind.MISSING):
            pipes = ", or - for standard output" if stream else ""
            raise BadInput(f"{option}: must be a new or an ordinary file; {path} is {kind.value}: {_ELSEWHERE}{pipes}")
        owner = owned(path)
        if owner and not (model and owner is Owned.MODEL):
            raise BadInput(f"{option}: must replace nothing that is kept here; {path} is {owner.value}: {_ELSEWHERE}")
        for read in inputs:
            if kind is Kind.FILE and _same(path, read):
                raise BadInput(f"{option}: must not be a file that is read; {path} is {read}: {_ELSEWHERE}")
        _require_outside(path, option)
        remember(path.parent)


def require_folder(path: Place, option: str, *, may_be: Owned | None = None, members: Iterable[str] = ()) -> None:
    """Refuse a path that a command must not use as a folder to write into; call it before any work.

    Parameters
    ----------
    may_be : Owned, optional
        What the folder may be already.
    members : iterable of str
        The files that the command writes into it.

    Raises
    ------
    BadInput
    """
    if path == STANDARD_OUTPUT:
        raise BadInput(f"{option}: must name a folder; it is -, standard output: {_ELSEWHERE}")
    with _looking(path, option):
        kind = kind_of(path)
        if kind not in (Kind.FOLDER, Kind.MISSING):
            raise BadInput(f"{option}: must be a folder; {path} is {kind.value}: {_ELSEWHERE}")
        owner = _owned_folder(path) if kind is Kind.FOLDER else None
        if owner and owner is not may_be:
            raise BadInput(f"{option}: must replace nothing that is kept here; {path} is {owner.value}: {_ELSEWHERE}")
        _require_outside(path, option)
        remember(path)
    for name in members:
        require_file(path / name, option)


def _require_outside(path: Place, option: str) -> None:
    for folder in _holders(path):
        owner = _owned_folder(folder)
        if owner:
            raise BadInput(f"{option}: must not lie in {owner.value}; {path} lies in {folder}: {_ELSEWHERE}")


def _same(path: Place, other: Place) -> bool:
    if isinstance(path, Path) and isinstance(other, Path):
        return other.exists() and path.samefile(other)
    return path == other


@contextmanager
def _looking(path: Place, option: str) -> Iterator[None]:
    try:
        yield
    except BadInput:
        raise
    except NotADirectoryError as error:
        above = reversed(path.parents) if isinstance(path, Path) else ()
        file = next((folder for folder in above if folder.is_file()), path.parent)
        raise BadInput(
            f"{option}: cannot be written to; {path}: {file} cannot be a folder, it is a file: {_ELSEWHERE}"
        ) from error
    except (OSError, RuntimeError, ValueError) as error:  # a ring of links; a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise BadInput(
            f"{option}: must be a path that can be written; {path} is not ({reason}): {_ELSEWHERE}"
        ) from error


def require_replaceable(path: Path) -> None:
    """Refuse to replace a folder, device, FIFO or socket; the last defence, at the moment of writing.

    Raises
    ------
    BadInput
    Unwritable
        A folder leads elsewhere than when it was judged: a link has come to its place, or to that of one above it.
    """
    require_same(path)
    try:
        kind = kind_of(path)
    except OSError:
        return  # the write itself tells why
    if kind not in (Kind.FILE, Kind.MISSING):
        raise BadInput(
            f"{path}: must be a new or an ordinary file; it is {kind.value}, and stays as it is: {_ELSEWHERE}"
        )


def is_stream(path: Place) -> bool:
    """Return whether a path is standard output (`-`) or a FIFO, which is written to and never replaced."""
    return path == STANDARD_OUTPUT or (isinstance(path, Path) and path.is_fifo())


@contextmanager
def streamed(path: Path) -> Iterator[Callable[[bytes], None]]:
    """Give a function that writes the next bytes to a stream. A FIFO waits until another program reads it."""
    if path == STANDARD_OUTPUT:
        out = sys.stdout.buffer
        sys.stdout.flush()
        yield lambda data: _put(out.write, data, "standard output")
        _put(lambda _: out.flush(), b"", "standard output")
        return
    with open(os.open(path, os.O_WRONLY), "wb") as file:  # noqa: PTH123 - never creates a file
        yield lambda data: _put(file.write, data, str(path))


def _put(write: Callable[[bytes], object], data: bytes, name: str) -> None:
    try:
        write(data)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Unwritable(
            f"out: {name} cannot be written ({error.strerror}); send it to a file with free space"
        ) from error

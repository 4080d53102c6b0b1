"""Where things are: a path of this machine, or a URL of an object store, which answers to the same names.

The code of datasets and models asks a `Place` and need not know which it is. A local one is a plain `pathlib.Path`, and
no library for object stores is imported for it.
"""

import fnmatch
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from storage.errors import BadInput
from storage.objects import leases
from storage.objects.store import Found, Store, store_of

# Two letters at least: `c:` is a drive. `Path` folds the slashes of a URL into one, and command lines make Paths.
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.:-]+):(/+)(.*)", re.DOTALL)
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]+")


def is_url(name: "str | Path | ObjectPath") -> bool:
    """Whether a name is a URL: `SCHEME:/` at its beginning. A local folder of such a name goes by its absolute path."""
    return isinstance(name, ObjectPath) or _URL.fullmatch(str(name)) is not None


def shown(name: "str | Path | ObjectPath") -> str:
    """A name as it may stand in messages and reports: without what a URL may have of credentials or a query."""
    match = _URL.fullmatch(str(name))
    if not match:
        return str(name)
    rest = match[3].partition("?")[0].partition("#")[0]
    if {"@", ":"} & set(rest.partition("/")[0]):
        rest = "***@" + rest.rpartition("@")[2] if "@" in rest else "***"
    return f"{match[1]}://{'/' * (match[1] == 'file')}{rest}" + "?***" * (len(match[3].split("?")) > 1)


def place(name: "str | Path | ObjectPath") -> "Place":
    """The place that a name stands for: a `Path`, or of an `s3:` or `memory:` URL an `ObjectPath`.

    Raises
    ------
    BadInput
        A URL of another scheme, without a bucket and a name in it, or with credentials or a query.
    """
    if isinstance(name, ObjectPath):
        return name
    match = _URL.fullmatch(str(name))
    if not match:
        return Path(name)
    scheme, slashes, rest = match[1].lower(), match[2], match[3].rstrip("/")
    if scheme not in ("s3", "memory", "file"):
        raise BadInput(
            f"URL {shown(name)}: must begin with s3:// (or memory:// or file://); stores of other kinds are not "
            "spoken to, web sites are not read, and a local folder of such a name goes by its absolute path"
        )
    authority = rest.partition("/")[0]
    if scheme != "file" and ("@" in authority or ":" in authority or "?" in rest or "#" in rest):
        raise BadInput(
            f"URL {shown(name)}: must have neither credentials nor a query, which process lists, histories and "
            "databases would keep; put credentials into the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)"
        )
    if scheme == "file":
        if len(slashes) == 2:
            raise BadInput(f"URL {shown(name)}: must be file:/// and an absolute path")
        return Path("/", rest)
    parts = rest.split("/")
    if scheme == "s3" and (len(parts) < 2 or not _BUCKET.fullmatch(parts[0])):
        raise BadInput(f"URL {shown(name)}: must name a bucket and a folder in it, as s3://BUCKET/NAME")
    if {"", ".", ".."} & set(parts):
        raise BadInput(f"URL {shown(name)}: must have no empty part, and none of '.' or '..'")
    return ObjectPath(scheme, rest)


def local(name: "str | Path | ObjectPath", option: str) -> Path:
    """A place on this machine.

    Raises
    ------
    BadInput
        A URL of an object store.
    """
    found = place(name)
    if isinstance(found, ObjectPath):
        raise BadInput(f"{option}: must be a folder of this machine; it is {found}")
    return found


@dataclass(frozen=True, order=True)
class ObjectPath:
    """An object, or what objects have as a folder, with the methods of `pathlib.Path` and `atomic` used here.

    It is no `os.PathLike`, so that no local function opens it by mistake. There are no folders to be made, no links
    and no half-written files in an object store: a put is whole or not there.
    """

    scheme: str
    key: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.key}"

    def __truediv__(self, name: "str | Path") -> "ObjectPath":
        return ObjectPath(self.scheme, f"{self.key}/{name}")

    @property
    def _store(self) -> Store:
        return store_of(self.scheme)

    @property
    def name(self) -> str:
        return self.key.rpartition("/")[2]

    @property
    def stem(self) -> str:
        return self.name.rpartition(".")[0] or self.name

    @property
    def suffix(self) -> str:
        return self.name.removeprefix(self.stem)

    @property
    def parent(self) -> "ObjectPath":
        return ObjectPath(self.scheme, self.key.rpartition("/")[0] or self.key)

    def with_name(self, name: str) -> "ObjectPath":
        return ObjectPath(self.scheme, self.key[: len(self.key) - len(self.name)] + name)

    def resolve(self) -> "ObjectPath":
        return self

    def is_relative_to(self, other: "Place") -> bool:
        return self == other or (isinstance(other, ObjectPath) and str(self).startswith(f"{other}/"))

    def is_symlink(self) -> bool:
        return False

    def is_file(self) -> bool:
        return self._store.head(self.key) is not None

    def is_dir(self) -> bool:
        return any(True for _ in self._store.listed(self.key, most=1))

    def exists(self) -> bool:
        return self.is_file() or self.is_dir()

    def iterdir(self) -> Iterator["ObjectPath"]:
        return (self / name for name, *_ in self._store.listed(self.key))

    def glob(self, pattern: str) -> Iterator["ObjectPath"]:
        return (path for path in self.iterdir() if fnmatch.fnmatchcase(path.name, pattern))

    def sizes(self) -> dict[str, int]:
        """The size of each object directly in this folder, by its name."""
        return {name: size for name, size, _ in self._store.listed(self.key) if size is not None}

    def walk(self, above: str = "") -> Iterator[tuple[str, int, int]]:
        """(relative name, bytes, mtime in ns) of every object below, in the order of `tasks.loading.listing`.

        Names that begin with a dot are passed over. In memory are the names of the folders on the current path.
        """
        entries = [entry for entry in self._store.listed(self.key) if not entry[0].startswith(".")]
        entries.sort(key=lambda entry: entry[0] + "\0" * (entry[1] is None))
        for name, size, modified in entries:
            if size is None:
                yield from (self / name).walk(f"{above}{name}/")
            else:
                yield above + name, size, int(modified * 1e9)

    def stat(self) -> SimpleNamespace:
        found = self._found()
        return SimpleNamespace(st_size=found.size, st_mtime=found.modified, st_mtime_ns=int(found.modified * 1e9))

    def _found(self) -> Found:
        found = self._store.head(self.key)
        if found is None:
            raise FileNotFoundError(2, "no such object", str(self))
        return found

    def read_bytes(self) -> bytes:
        return self._store.read(self.key)

    def read_range(self, start: int, size: int) -> bytes:
        """`size` bytes from byte `start` on: one range request."""
        return self._store.read(self.key, start, size)

    def unlink(self, missing_ok: bool = False) -> None:
        leases.require(str(self))
        found = self._store.head(self.key) if missing_ok else self._found()
        if found:
            self._store.delete(self.key, found.version)

    def rename(self, target: "ObjectPath") -> None:
        """Copy, then remove: a run that is killed in between leaves both."""
        self.move(target)

    # What follows is what the functions of the same names in `storage.files.atomic` do here.

    def publish(self, data: bytes | tuple[bytes, ...], run: str) -> bool:
        try:
            self._store.put(self.key, b"".join(data) if isinstance(data, tuple) else data, new=True)
        except FileExistsError:  # or the put was written, its answer lost: whoever asks compares the content
            return False
        return True

    def replace(self, data: bytes, run: str | None = None) -> None:
        leases.require(str(self))
        self._store.put(self.key, data)

    @contextmanager
    def replacing(self) -> Iterator[Callable[[bytes], None]]:
        with tempfile.SpooledTemporaryFile(1 << 24) as file:
            yield file.write
            file.seek(0)
            self.replace(file.read())

    def move(self, target: "ObjectPath", judged: tuple | None = None) -> bool:
        leases.require(str(self))
        if judged is None and not self.is_file():
            for path in list(self.iterdir()):  # nothing, or what goes for a folder
                path.move(target / path.name)
            return True
        version = judged[0] if judged else self._found().version
        try:
            self._store.copy(self.key, target.key, version)
        except (FileNotFoundError, FileExistsError):
            if judged is None:
                raise
            return False
        if self.fingerprint() == (version,):
            self._store.delete(self.key, version)
            return True
        self._store.delete(target.key)
        return False

    def fingerprint(self) -> tuple[str, ...]:
        found = self._store.head(self.key)
        return (found.version,) if found else ()

    def make_folder(self) -> "ObjectPath":
        return self

    def leftovers(self) -> list:
        return []

    def sync_folder(self) -> None:
        pass

    def need_space(self, wanted: int) -> None:
        pass

    def discard(self) -> None:
        self._store.delete(self.key)


Place = Path | ObjectPath


def sizes(folder: Place) -> dict[str, int]:
    """The size of each file directly in a folder, by its name; nothing where there is no such folder."""
    if isinstance(folder, ObjectPath):
        return folder.sizes()
    try:
        with os.scandir(folder) as entries:
            return {entry.name: entry.stat().st_size for entry in entries if entry.is_file()}
    except (FileNotFoundError, NotADirectoryError):
        return {}


def read_range(path: Place, start: int, size: int) -> bytes:
    """`size` bytes of a file from byte `start` on, fewer at its end."""
    if isinstance(path, ObjectPath):
        return path.read_range(start, size)
    with path.open("rb", buffering=0) as file:
        file.seek(start)
        return file.read(size)

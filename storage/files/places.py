"""Places: paths of this machine and URLs of object stores, with the same methods.

The code of datasets and models takes a `Place` and need not know which kind it is. A local place is a plain
`pathlib.Path`; no library for object stores is imported for it.
"""

import errno
import fnmatch
import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from storage.errors import BadInput
from storage.files.stamps import as_int64
from storage.objects import leases
from storage.objects.store import ObjectInfo, Store, store_of

# Two letters at least: `c:` is a drive. `Path` folds the slashes of a URL into one, and command lines make Paths.
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.:-]+):(/+)(.*)", re.DOTALL)
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]+")


def is_url(name: "str | Place") -> bool:
    """Tell whether a name is a URL, that is, begins with `SCHEME:/`.

    A local folder of such a name must be given by its absolute path.
    """
    return isinstance(name, ObjectPath) or _URL.fullmatch(str(name)) is not None


def shown(name: "str | Place") -> str:
    """Return a name for messages and reports: a URL without its credentials and its query."""
    match = _URL.fullmatch(str(name))
    if not match:
        return str(name)
    rest = match[3].partition("?")[0].partition("#")[0]
    if {"@", ":"} & set(rest.partition("/")[0]):
        rest = "***@" + rest.rpartition("@")[2] if "@" in rest else "***"
    return f"{match[1]}://{'/' * (match[1] == 'file')}{rest}" + "?***" * (len(match[3].split("?")) > 1)


def place(name: "str | Place") -> "Place":
    """Return the place of a name: an `ObjectPath` for an `s3:` or `memory:` URL, else a `Path`.

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
            f"URL {shown(name)}: must begin with s3:// (or memory:// or file://), since other stores and web sites are "
            "not supported; give a local folder of such a name by its absolute path"
        )
    authority = rest.partition("/")[0]
    if scheme != "file" and ("@" in authority or ":" in authority or "?" in rest or "#" in rest):
        raise BadInput(
            f"URL {shown(name)}: must have neither credentials nor a query, since process lists, histories and "
            "databases would keep them; put credentials into the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)"
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


def local(name: "str | Place", option: str) -> Path:
    """Return the place of a name, which must be on this machine.

    Raises
    ------
    BadInput
        A URL of an object store.
    """
    found = place(name)
    if isinstance(found, ObjectPath):
        raise BadInput(f"{option}: must be a folder of this machine; it is {found}")
    return found


class ObjectStatus(NamedTuple):
    """The part of `os.stat_result` that an object store knows."""

    st_size: int
    st_mtime: float
    st_mtime_ns: int


@dataclass(frozen=True, order=True)
class ObjectPath:
    """An object, or the common prefix of objects that stands for a folder, with the methods of `pathlib.Path` in use.

    It is no `os.PathLike`, so that no local function opens it by mistake.
    """

    scheme: str
    key: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.key}"

    def __truediv__(self, name: str | Path) -> "ObjectPath":
        return ObjectPath(self.scheme, f"{self.key}/{name}")

    @property
    def store(self) -> Store:
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
        return self.store.head(self.key) is not None

    def is_dir(self) -> bool:
        return any(True for _ in self.store.listed(self.key, most=1))

    def exists(self) -> bool:
        return self.is_file() or self.is_dir()

    def iterdir(self) -> Iterator["ObjectPath"]:
        return (self / name for name, *_ in self.store.listed(self.key))

    def glob(self, pattern: str) -> Iterator["ObjectPath"]:
        return (path for path in self.iterdir() if fnmatch.fnmatchcase(path.name, pattern))

    def sizes(self) -> dict[str, int]:
        """Return the size in bytes of each object directly in this folder, by its name."""
        return {name: size for name, size, _ in self.store.listed(self.key) if size is not None}

    def walk(self, above: str = "") -> Iterator[tuple[str, int, int]]:
        """List (relative name, bytes, mtime in ns) of every object below, in the order of `tasks.loading.listing`.

        Names that begin with a dot are skipped. Memory holds only the entries of the folders on the current path.
        """
        entries = [entry for entry in self.store.listed(self.key) if not entry[0].startswith(".")]
        entries.sort(key=lambda entry: entry[0] + "\0" * (entry[1] is None))
        for name, size, modified in entries:
            if size is None:
                yield from (self / name).walk(f"{above}{name}/")
            else:
                yield above + name, as_int64(size), _nanoseconds(modified)

    def stat(self) -> ObjectStatus:
        found = self.info()
        return ObjectStatus(as_int64(found.size), found.modified, _nanoseconds(found.modified))

    def info(self) -> ObjectInfo:
        """Return the store's facts about this object; FileNotFoundError if it does not exist."""
        found = self.store.head(self.key)
        if found is None:
            raise FileNotFoundError(errno.ENOENT, "no such object", str(self))
        return found

    def read_bytes(self) -> bytes:
        return self.store.read(self.key)

    def read_range(self, start: int, size: int) -> bytes:
        """Read `size` bytes from byte `start` on, by one range request."""
        return self.store.read(self.key, start, size)

    def write_bytes(self, data: bytes) -> None:
        """Put the whole object, also over an old object; Busy if this run has lost its lock."""
        leases.require(str(self))
        self.store.put(self.key, data)

    def unlink(self, missing_ok: bool = False) -> None:
        """Remove the object; Busy if this run has lost its lock."""
        leases.require(str(self))
        found = self.store.head(self.key) if missing_ok else self.info()
        if found:
            self.store.delete(self.key, found.version)


def _nanoseconds(seconds: float) -> int:
    return as_int64(int(seconds * 1_000_000_000)) if math.isfinite(seconds) else 0


Place = Path | ObjectPath
# Device, inode, bytes and mtime in ns of a local file; the version of an object; empty for no file.
Fingerprint = tuple[int | str, ...]


def sizes(folder: Place) -> dict[str, int]:
    """Return the size in bytes of each file directly in a folder, by its name; {} if there is no such folder."""
    if isinstance(folder, ObjectPath):
        return folder.sizes()
    try:
        with os.scandir(folder) as entries:
            return {entry.name: entry.stat().st_size for entry in entries if entry.is_file()}
    except (FileNotFoundError, NotADirectoryError):
        return {}


def read_range(path: Place, start: int, size: int) -> bytes:
    """Read `size` bytes of a file from byte `start` on, fewer at its end."""
    if isinstance(path, ObjectPath):
        return path.read_range(start, size)
    with open(path, "rb", buffering=0, opener=_at_once) as file:
        file.seek(start)
        return file.read(size)


def _at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # a pipe without a writer in a file's place would wait

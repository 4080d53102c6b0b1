"""Atomic files in an object store, where a put is whole or not there."""

import errno
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from storage.files.places import Fingerprint, ObjectPath, Place
from storage.objects import leases

_IN_MEMORY = 1 << 24  # bytes of a growing file that are kept in memory; more go to a temporary file of this machine


@dataclass(frozen=True)
class ObjectFiles:
    """`storage.files.atomic.AtomicFiles` for a path in an object store.

    An object store has no folders to make, no links, no half-written files and no known end of space.
    """

    path: ObjectPath

    def publish(self, data: bytes | tuple[bytes, ...], run: str) -> bool:
        """Put an object that must be new.

        False also if an earlier try was written and its answer lost: the caller compares the content.
        """
        try:
            self.path.store.put(self.path.key, b"".join(data) if isinstance(data, tuple) else data, new=True)
        except FileExistsError:
            return False
        return True

    def replace(self, data: bytes, run: str | None = None) -> None:
        self.path.write_bytes(data)

    @contextmanager
    def replacing(self) -> Iterator[Callable[[bytes], None]]:
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:

            def write(data: bytes) -> None:
                file.write(data)

            yield write
            file.seek(0)
            self.replace(file.read())

    def move(self, target: Place, judged: Fingerprint | None = None) -> bool:
        """Copy the object, or every object below, then remove it: a run that is killed in between leaves both."""
        if not isinstance(target, ObjectPath):
            raise TypeError(f"{self.path}: an object can be moved to an object path only, not to {target}")
        leases.require(str(self.path))
        if judged is None and not self.path.is_file():
            below = list(self.path.iterdir())
            if not below:
                raise FileNotFoundError(errno.ENOENT, "no such object", str(self.path))
            for path in below:
                ObjectFiles(path).move(target / path.name)
            return True
        store, key = self.path.store, self.path.key
        version = str(judged[0]) if judged else self.path.info().version
        try:
            store.copy(key, target.key, version)
        except (FileNotFoundError, FileExistsError):
            if judged is None:
                raise
            return False
        if self.fingerprint() == (version,):
            store.delete(key, version)
            return True
        store.delete(target.key)
        return False

    def fingerprint(self) -> Fingerprint:
        found = self.path.store.head(self.path.key)
        return (found.version,) if found else ()

    def discard(self) -> None:
        self.path.store.delete(self.path.key)

    def make_folder(self) -> None:
        """Do nothing: an object needs no folder."""

    def leftovers(self) -> list[ObjectPath]:
        return []

    def sync_folder(self) -> None:
        """Do nothing: an object is durable once its put has returned."""

    def need_space(self, wanted: int) -> None:
        """Do nothing: an object store does not tell how much space is left."""

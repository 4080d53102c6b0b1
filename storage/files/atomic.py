"""Files that are either whole or not there, on this machine and in an object store.

`AtomicFiles` is the contract. Its two classes are in `local_files` and `object_files`; the functions here choose
between them by the type of the path.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from storage.files.local_files import LocalFiles, new_run, sync_file, temporary
from storage.files.object_files import ObjectFiles
from storage.files.places import Fingerprint, ObjectPath, Place

__all__ = [
    "AtomicFiles", "discard", "files_at", "fingerprint", "leftovers", "make_folder", "move", "need_space", "new_run",
    "publish", "replace", "replacing", "sync_file", "sync_folder", "temporary",
]  # fmt: skip

_Place = TypeVar("_Place", bound=Place)


class AtomicFiles(Protocol):
    """Changes to the file or folder at one path: each happens as a whole or not at all.

    Every method may raise `NoSpace` or `Unwritable`, and `Unreachable` for an object store; after an error nothing
    half-written is left and the old file is as it was.
    """

    def publish(self, data: bytes | tuple[bytes, ...], run: str) -> bool:
        """Write `data` (or its parts, one after another) unless the path is taken; True if the file is ours."""

    def replace(self, data: bytes, run: str | None = None) -> None:
        """Write `data` to the path, over an existing file; a reader sees either the old or the new bytes."""

    def replacing(self) -> AbstractContextManager[Callable[[bytes], None]]:
        """Replace the file piece by piece: give a function that writes the next bytes.

        The old file, or none, stays at the path until the block ends without an error.
        """

    def move(self, target: Place, judged: Fingerprint | None = None) -> bool:
        """Move the file to `target`; True if it was moved.

        With `judged`, the fingerprint of the file that is meant, a file that has come to the path since then is not
        moved. FileNotFoundError if there is no file and none was judged; TypeError if `target` is a place of another
        kind.
        """

    def fingerprint(self) -> Fingerprint:
        """Return what tells this file from any other that has stood, or will stand, at the path; () for no file."""

    def discard(self) -> None:
        """Remove the file, if it is there and can be removed."""

    def make_folder(self) -> None:
        """Create the folder with its parents."""

    def leftovers(self) -> Sequence[Place]:
        """List the temporary files in the folder that killed runs left; no other file is listed."""

    def sync_folder(self) -> None:
        """Make the folder's entries durable, where the file system can."""

    def need_space(self, wanted: int) -> None:
        """Raise `NoSpace` if fewer than `wanted` bytes (plus 5 %) are known to be free for the folder."""


def files_at(path: Place) -> AtomicFiles:
    """Return the atomic operations of a path."""
    return ObjectFiles(path) if isinstance(path, ObjectPath) else LocalFiles(path)


def publish(path: Place, data: bytes | tuple[bytes, ...], run: str) -> bool:
    """See `AtomicFiles.publish`."""
    return files_at(path).publish(data, run)


def replace(path: Place, data: bytes, run: str | None = None) -> None:
    """See `AtomicFiles.replace`; creates the folder too."""
    files_at(path).replace(data, run)


def replacing(path: Place) -> AbstractContextManager[Callable[[bytes], None]]:
    """See `AtomicFiles.replacing`; creates the folder too."""
    return files_at(path).replacing()


def move(path: Place, target: Place, judged: Fingerprint | None = None) -> bool:
    """See `AtomicFiles.move`."""
    return files_at(path).move(target, judged)


def fingerprint(path: Place) -> Fingerprint:
    """See `AtomicFiles.fingerprint`."""
    return files_at(path).fingerprint()


def discard(path: Place) -> None:
    """See `AtomicFiles.discard`."""
    files_at(path).discard()


def make_folder(folder: _Place) -> _Place:
    """Create `folder` with its parents, and return it."""
    files_at(folder).make_folder()
    return folder


def leftovers(folder: Place) -> Sequence[Place]:
    """See `AtomicFiles.leftovers`."""
    return files_at(folder).leftovers()


def sync_folder(folder: Place) -> None:
    """See `AtomicFiles.sync_folder`."""
    files_at(folder).sync_folder()


def need_space(folder: Place, wanted: int) -> None:
    """See `AtomicFiles.need_space`."""
    files_at(folder).need_space(wanted)

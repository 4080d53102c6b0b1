"""The merge of a folder with the ledger: both are in the same order, so they are walked side by side.

At any time one file and one row are in memory. Nothing is written and nothing is opened here.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from storage.ledger.ledger import KnownFile, PictureFile, key
from tasks.solving.choice import FileState, Unseen


class NewFile(NamedTuple):
    """A file that the ledger does not know. A file that cannot be looked at also counts as new: reading says why."""

    picture: PictureFile


class OutdatedFile(NamedTuple):
    """A file that has to be looked at again: it has changed, its failure may pass, or other settings are asked for.

    `picture.digest` is the known digest if the content may still be the same, and None if it has to be read anyway.
    """

    picture: PictureFile
    known: KnownFile


class AnsweredFile(NamedTuple):
    """A file whose answer in the ledger holds."""

    path: str
    known: KnownFile


class VanishedFile(NamedTuple):
    """A file that was listed, and was gone a moment later."""

    path: str


class GoneFile(NamedTuple):
    """A picture of the ledger that the folder does not have."""

    known: KnownFile


Finding = NewFile | OutdatedFile | AnsweredFile | VanishedFile | GoneFile


def merge(
    files: Iterable[tuple[str, FileState]], known: Iterable[KnownFile], settings: int | None = None
) -> Iterator[Finding]:
    """Compare the files of a folder with the ledger's rows of it.

    Parameters
    ----------
    files : iterable of (str, FileState)
        Relative path and state of each file, in the order of a listing.
    known : iterable of KnownFile
        The pictures of the ledger, in the same order.
    settings : int, optional
        Answers of other settings are outdated; by default the answers of all settings hold.

    Yields
    ------
    Finding
        One for each file and for each picture that is only in the ledger, in the same order.
    """
    rows = iter(known)
    row = next(rows, None)
    for path, state in files:
        place = key(path)
        while row is not None and row.key < place:
            yield GoneFile(row)
            row = next(rows, None)
        if row is not None and row.key == place:
            same, row = row, next(rows, None)
            yield _compare(path, state, same, settings)
        else:
            yield _compare(path, state, None, settings)
    if row is not None:
        yield GoneFile(row)
        yield from map(GoneFile, rows)


def _compare(path: str, state: FileState, known: KnownFile | None, settings: int | None) -> Finding:
    holds = known is not None and not known.passing and (settings is None or settings == known.settings)
    if known is not None and holds and state == (known.size, known.mtime):  # nearly every file, so it comes first
        return AnsweredFile(path, known)
    if state is Unseen.GONE:
        return VanishedFile(path)
    if state is Unseen.REFUSED:
        return NewFile(PictureFile(path, 0, 0, None))
    size, mtime = state
    if known is None:
        return NewFile(PictureFile(path, size, mtime, None))
    digest = known.digest if holds and size == known.size else None
    return OutdatedFile(PictureFile(path, size, mtime, digest), known)

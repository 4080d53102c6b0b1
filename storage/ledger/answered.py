"""The pictures of a folder that have answers, with what a second look at their files needs."""

from collections.abc import Iterator
from typing import NamedTuple

from storage.ledger import checks
from storage.ledger.database import Row
from storage.ledger.ledger import ANSWER, Answer, Ledger, PictureFile, path_of

CHUNK = 8192  # rows that are in memory at once
_QUERY = (
    f"SELECT moved, path, number, size, mtime, digest, run, {', '.join(ANSWER)} FROM pictures WHERE folder = ? AND "
    "settings = ? AND gone = 0 AND passing = 0 AND "
)
_IN_CHUNKS = _QUERY + "(moved, path, number) > (?, ?, ?) ORDER BY moved, path, number LIMIT ?"
_TEXTS = _IN_CHUNKS.replace(f"size, mtime, digest, run, {', '.join(ANSWER)}", "word, confidence, reading, status")
_ALIKE = _QUERY + "moved = 0 AND digest = ? ORDER BY path"


class AnsweredPicture(NamedTuple):
    """A picture of a folder with its answer, the run that gave it, and whether the file was moved away."""

    picture: PictureFile
    answer: Answer
    run: int
    moved: bool


def answered_pictures(ledger: Ledger, folder: int, settings: int) -> Iterator[AnsweredPicture]:
    """Iterate over the pictures in a folder that have lasting answers of these settings, then over those moved away.

    Both are in the order of a listing. Rows are read in chunks, as by `Ledger.known`.
    """
    return map(_picture, _chunks(ledger, checks.FOUND, _IN_CHUNKS, folder, settings))


def answered_texts(ledger: Ledger, folder: int, settings: int) -> Iterator[Answer]:
    """Iterate over the answers to the same pictures: only word, confidence, reading and status, for speed."""
    for *_, word, confidence, reading, status in _chunks(ledger, checks.TEXTS, _TEXTS, folder, settings):
        yield Answer(word, confidence, reading, status=status)


def _chunks(ledger: Ledger, types: checks.RowTypes, query: str, folder: int, settings: int) -> Iterator[Row]:
    last: tuple[int, bytes, int] = 0, b"", -1
    while True:
        rows = ledger.checked(types, query, (folder, settings, *last, CHUNK))
        yield from rows
        if len(rows) < CHUNK:
            return
        last = rows[-1][:3]


def of_content(ledger: Ledger, folder: int, settings: int, digest: bytes) -> list[AnsweredPicture]:
    """Return the pictures in a folder that have this content and lasting answers of these settings."""
    return [_picture(row) for row in ledger.checked(checks.FOUND, _ALIKE, (folder, settings, digest))]


def _picture(row: Row) -> AnsweredPicture:
    moved, path, _, size, mtime, digest, run, *answer = row
    return AnsweredPicture(PictureFile(path_of(path), size, mtime, digest), Answer._make(answer), run, bool(moved))

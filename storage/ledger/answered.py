"""The pictures of a folder that have answers, with what a second look at their files needs."""

from collections.abc import Iterator
from typing import NamedTuple

from storage.ledger import checks
from storage.ledger.ledger import ANSWER, Answer, Ledger, PictureFile, path_of

CHUNK = 8192  # rows that are in memory at once
_QUERY = (
    f"SELECT moved, path, number, size, mtime, digest, run, {', '.join(ANSWER)} FROM pictures WHERE folder = ? AND "
    "settings = ? AND gone = 0 AND passing = 0 AND (moved, path, number) > (?, ?, ?) ORDER BY moved, path, number "
    "LIMIT ?"
)


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
    last: tuple[int, bytes, int] = 0, b"", -1
    while True:
        rows = ledger.checked(checks.FOUND, _QUERY, (folder, settings, *last, CHUNK))
        for moved, path, number, size, mtime, digest, run, *answer in rows:
            picture = PictureFile(path_of(path), size, mtime, digest)
            yield AnsweredPicture(picture, Answer._make(answer), run, bool(moved))
            last = moved, path, number
        if len(rows) < CHUNK:
            return

"""The ledger of all solved pictures: one database under the home, with a row for each picture."""

import heapq
import json
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from blake3 import blake3

from storage.files.places import Place
from storage.ledger import checks
from storage.ledger.database import Database, Row
from storage.ledger.schema import SCHEMA, WAITING

FORMAT = 1
LEDGER = "ledger.sqlite"
CHUNK = 8192  # rows that are in memory at once
SOLVED, ABSTAINED, FAILED = checks.STATUSES  # of an answer
_APPLICATION = 0x63617074  # "capt"


class Answer(NamedTuple):
    """The answer to a picture: the columns of the results after the path. None stands for no value.

    `reading` is the most probable letters before any dictionary. Confidences are from 0 to 1.
    """

    word: str | None = None
    confidence: float | None = None
    reading: str | None = None
    reading_confidence: float | None = None
    second: str | None = None
    second_confidence: float | None = None
    third: str | None = None
    third_confidence: float | None = None
    segments: int | None = None  # letters in the picture
    status: str = FAILED
    reason: str | None = None  # why there is no word, or what is to be known of the picture


ANSWER = Answer._fields
_COLUMNS = ", ".join(ANSWER)
_RECORD = (
    "INSERT OR REPLACE INTO pictures (folder, settings, run, answered, path, size, mtime, digest, passing, target, "
    f"{_COLUMNS}) VALUES ({', '.join('?' * (10 + len(ANSWER)))})"
)
_ANSWER = f"SELECT digest, {_COLUMNS} FROM pictures WHERE digest = ? AND settings = ? AND passing = 0 LIMIT 1"


class PictureFile(NamedTuple):
    """A file as it was when it was solved: `mtime` in ns, `digest` its BLAKE3, or None if the file was not read."""

    path: str
    size: int
    mtime: int
    digest: bytes | None


class LedgerEntry(NamedTuple):
    """A picture with its answer, whether the answer may differ next time, and the place to move it to."""

    picture: PictureFile
    answer: Answer
    passing: bool = False
    target: str | None = None


class KnownFile(NamedTuple):
    """The facts by which a run skips a picture; `key` is the key of its path."""

    key: bytes
    size: int
    mtime: int
    settings: int
    passing: int
    gone: int
    target: bytes | None
    digest: bytes | None
    status: str
    run: int


class ResultRow(NamedTuple):
    """A row of results: a picture's path, relative to its folder, and its answer."""

    path: str
    answer: Answer


def key(path: str) -> bytes:
    """Encode a relative path as bytes that sort as a listing does: `a/b` comes before `a.png`.

    Python's strings hold bytes that are not UTF-8 as surrogates. These are encoded as they are, so that keys sort like
    the strings.
    """
    return path.replace("/", "\0").encode("utf-8", "surrogatepass")


def path_of(key: bytes) -> str:
    """Decode the path from a `key`."""
    return key.decode("utf-8", "surrogatepass").replace("\0", "/")


def digest_of(data: bytes) -> bytes:
    """Return the BLAKE3 of a picture file, 32 bytes."""
    return blake3(data).digest()


class Ledger:
    """The ledger of a home; a context manager.

    Several runs may open it at the same time if each works on another folder.

    Parameters
    ----------
    path : Path
    durable : bool
        Whether answers survive a crash of the machine too, not only of the process; for runs that move files.

    Raises
    ------
    Damaged, Busy, NoSpace, Unwritable
        From every method, as in `Database`.
    """

    def __init__(self, path: Path, *, durable: bool = False):
        self._base = Database(path, schema=SCHEMA, application=_APPLICATION, version=FORMAT, durable=durable)
        for statement in WAITING:
            self._base.rows(statement)
        self.transaction = self._base.transaction
        if self._base.number(checks.BAD_SETTINGS):
            raise self._base.set_aside("is not as it was written: the text of its settings is no JSON")
        if self._base.number(checks.LAST_NUMBERS):
            raise self._base.set_aside("is not as it was written: its runs have no more numbers")

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, *_: object) -> None:
        self._base.close()

    def folder(self, path: Place) -> int:
        """Return the number of a folder, by which the other methods know it."""
        return self._number("folders", {"path": os.fsencode(str(path))})

    def knows(self, path: Place) -> bool:
        """Return whether an earlier run worked on this folder."""
        return bool(self._base.rows("SELECT 1 FROM folders WHERE path = ?", (os.fsencode(str(path)),)))

    def settings(self, model: str, text: str) -> int:
        """Return the number of the settings that decide an answer: the model's digest, and the others as text."""
        return self._number("settings", {"model": model, "text": text})

    def _number(self, table: str, values: dict[str, object]) -> int:
        """Return the number of the row that has these values; add it if it is new."""
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        where = " AND ".join(f"{name} = ?" for name in values)
        with self.transaction():
            self._base.rows(f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})", values.values())
            return self._base.number(f"SELECT id FROM {table} WHERE {where}", values.values())

    def begin(self, folder: int) -> int:
        """Begin a run and return its number; later runs have larger numbers."""
        with self.transaction():
            self._base.rows("INSERT INTO runs (folder, began) VALUES (?, ?)", (folder, time.time_ns()))
            return self._base.number("SELECT last_insert_rowid()")

    def known(self, folder: int, only: str | None = None) -> Iterator[KnownFile]:
        """Iterate over the pictures that are or were in the folder, in the order of a listing; or `only` one path.

        Rows are read in chunks, so that a change to a later row is seen if it is made before the row's chunk is read.
        """
        columns = ", ".join(name if name != "key" else "path" for name in KnownFile._fields)
        query = f"SELECT {columns} FROM pictures WHERE folder = ? AND moved = 0 AND path"
        if only is not None:
            yield from map(KnownFile._make, self.checked(checks.KNOWN, query + " = ?", (folder, key(only))))
            return
        last = b""
        while True:
            rows = self.checked(checks.KNOWN, query + " > ? ORDER BY path LIMIT ?", (folder, last, CHUNK))
            yield from map(KnownFile._make, rows)
            if len(rows) < CHUNK:
                return
            last = rows[-1][0]

    def answers(self, digests: Iterable[bytes], settings: int) -> dict[bytes, Answer]:
        """Return the answers of these settings to contents, by digest, without answers that may differ next time."""
        found = self._base.first(_ANSWER, ((digest, settings) for digest in set(digests)))
        return {row[0]: Answer._make(row[1:]) for row in self._proven(checks.ANSWERED, found)}

    def results(self, folder: int, after: int = 0, only: str | None = None) -> Iterator[ResultRow]:
        """Iterate over path and answer of all pictures in the folder or moved from it, in the order of a listing.

        With `after`, only what runs after that run answered.
        """
        return (ResultRow(path_of(row[0]), Answer._make(row[2:])) for row in heapq.merge(*(
            self._results(folder, moved, after, only) for moved in (0, 1)
        )))  # fmt: skip

    def _results(self, folder: int, moved: int, after: int, only: str | None) -> Iterator[Row]:
        query = (
            f"SELECT path, number, {_COLUMNS} FROM pictures WHERE folder = ? AND moved = ? AND (path, number) > (?, ?) "
            f"AND gone = 0 AND run > ?{' AND path = ?' if only is not None else ''} ORDER BY path, number LIMIT ?"
        )
        path, number = b"", -1
        chosen = () if only is None else (key(only),)
        while True:
            rows = self.checked(checks.RESULT, query, (folder, moved, path, number, after, *chosen, CHUNK))
            yield from rows
            if len(rows) < CHUNK:
                return
            path, number = rows[-1][:2]

    def checked(self, types: checks.RowTypes, statement: str, values: Iterable[object]) -> list[Row]:
        """Run a statement and return its rows, which must have these types."""
        return self._proven(types, self._base.rows(statement, values))

    def _proven(self, types: checks.RowTypes, rows: list[Row]) -> list[Row]:
        """Return rows if they have these types; else set the ledger aside."""
        for row in rows:
            fault = types.fault(row)
            if fault:
                raise self._base.set_aside(f"is not as it was written: {fault}")
        return rows

    def written(self, folder: int) -> tuple[int, dict[str, Any]]:
        """Return the last run that wrote its results, and its record of them; (0, {}) if no run did."""
        query = "SELECT id, results FROM runs WHERE folder = ? AND results IS NOT NULL ORDER BY id DESC LIMIT 1"
        found = self._base.rows(query, (folder,))
        if not found:
            return 0, {}
        results = checks.results_of(found[0][1])
        if results is None:
            raise self._base.set_aside("is not as it was written: the results of a run are not what a run records")
        return found[0][0], results

    def writer(self, files: Iterable[Path]) -> bytes | None:
        """Return the path of the folder whose results were the last to be written to one of these files."""
        query = (
            "SELECT runs.id, path FROM runs JOIN folders ON folders.id = folder WHERE instr(results, ?) ORDER BY 1 DESC"
        )
        found = self._base.first(query, ((json.dumps({"out": str(file)})[1:-1],) for file in files))
        return max(found)[1] if found else None

    def changes(self, folder: int) -> int:
        """Return a number that grows with every change that affects the folder's results."""
        return self._base.number("SELECT changes FROM folders WHERE id = ?", (folder,))

    # Call the following methods within a transaction.

    def finish(self, run: int, results: dict[str, Any]) -> None:
        """Record that a run has written its results, and what must be known of them."""
        self._base.rows("UPDATE runs SET results = ? WHERE id = ?", (json.dumps(results), run))

    def record(self, folder: int, settings: int, run: int, entries: Iterable[LedgerEntry]) -> None:
        """Record answers, in place of the pictures' old answers."""
        now = time.time_ns()
        self._base.each(_RECORD, (
            (
                folder, settings, run, now, key(entry.picture.path), *entry.picture[1:], entry.passing,
                None if entry.target is None else os.fsencode(entry.target), *entry.answer,
            )
            for entry in entries
        ))  # fmt: skip
        self._changed(folder)

    def touch(self, folder: int, pictures: Iterable[PictureFile]) -> None:
        """Record new modification times of pictures whose content is the same."""
        self._base.each(
            "UPDATE pictures SET mtime = ?, gone = 0 WHERE folder = ? AND moved = 0 AND path = ?",
            ((picture.mtime, folder, key(picture.path)) for picture in pictures),
        )
        self._changed(folder)

    def mark_gone(self, folder: int, keys: Iterable[bytes], gone: bool) -> None:
        """Record that files have gone, or have come back."""
        query = "UPDATE pictures SET gone = ? WHERE folder = ? AND moved = 0 AND path = ?"
        self._base.each(query, ((gone, folder, gone_key) for gone_key in keys))
        self._changed(folder)

    def mark_moving(self, folder: int, targets: Iterable[tuple[str, str | None]]) -> None:
        """Record the paths to which files will be moved; None cancels a move."""
        self._base.each(
            "UPDATE pictures SET target = ? WHERE folder = ? AND moved = 0 AND path = ?",
            ((target and os.fsencode(target), folder, key(path)) for path, target in targets),
        )

    def mark_moved(self, folder: int, paths: Iterable[str]) -> None:
        """Record that files were moved to their targets."""
        number = "(SELECT coalesce(max(number), 0) + 1 FROM pictures WHERE folder = ?1 AND moved = 1 AND path = ?2)"
        self._base.each(
            f"UPDATE pictures SET moved = 1, gone = 0, number = {number} WHERE folder = ?1 AND moved = 0 AND path = ?2",
            ((folder, key(path)) for path in paths),
        )
        self._changed(folder)

    def wait(self, pictures: Iterable[PictureFile]) -> None:
        """Put aside pictures whose content is being read elsewhere; they are forgotten when the ledger is closed."""
        rows = ((key(picture.path), *picture[1:]) for picture in pictures)
        self._base.each("INSERT OR REPLACE INTO waiting VALUES (?, ?, ?, ?)", rows)

    def waiting(self, digest: bytes | None = None) -> Iterator[list[PictureFile]]:
        """Take back the pictures that were put aside, or only those with this content, in chunks.

        Pictures that are put aside during the iteration may be left.
        """
        which, last = "path > ?" + (" AND digest = ?" if digest else ""), b""
        more = (digest,) if digest else ()
        while rows := self._base.rows(
            f"SELECT * FROM waiting WHERE {which} ORDER BY path LIMIT ?", (last, *more, CHUNK)
        ):
            self._base.rows(f"DELETE FROM waiting WHERE {which} AND path <= ?", (last, *more, rows[-1][0]))
            last = rows[-1][0]
            yield [PictureFile(path_of(row[0]), *row[1:]) for row in rows]

    def _changed(self, folder: int) -> None:
        self._base.rows("UPDATE folders SET changes = changes + 1 WHERE id = ?", (folder,))

"""What is known of every picture of every inbox: one database under the home, a row a picture."""

import heapq
import json
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from blake3 import blake3

from storage.files.places import Place
from storage.ledger.database import Database

FORMAT = 1
LEDGER = "ledger.sqlite"
CHUNK = 8192  # rows that are in memory at once
SOLVED, ABSTAINED, FAILED = "solved", "abstained", "failed"  # the statuses of an answer
_APPLICATION = 0x63617074  # "capt"
# `path` is a `key`, so that the table is in the order of a listing. A picture that was moved away stands behind all
# that are in the folder, with a `number` if its name came more than once. `target` is where it was moved, or is to be
# moved: written before the file moves. `changes` counts what makes the results of a folder other ones; a run's
# `results` say which file it wrote.
_SCHEMA = """
CREATE TABLE folders (id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE, changes INTEGER NOT NULL DEFAULT 0);
CREATE TABLE settings (id INTEGER PRIMARY KEY, model TEXT NOT NULL, text TEXT NOT NULL, UNIQUE (model, text));
CREATE TABLE runs (id INTEGER PRIMARY KEY AUTOINCREMENT, folder INTEGER NOT NULL, began INTEGER NOT NULL, results TEXT);
CREATE INDEX runs_of_folder ON runs (folder, id);
CREATE TABLE pictures (
    folder INTEGER NOT NULL, moved INTEGER NOT NULL DEFAULT 0, path BLOB NOT NULL, number INTEGER NOT NULL DEFAULT 0,
    size INTEGER NOT NULL, mtime INTEGER NOT NULL, digest BLOB, passing INTEGER NOT NULL, target BLOB,
    settings INTEGER NOT NULL, run INTEGER NOT NULL, answered INTEGER NOT NULL, gone INTEGER NOT NULL DEFAULT 0,
    word TEXT, confidence REAL, reading TEXT, reading_confidence REAL, second TEXT, second_confidence REAL,
    third TEXT, third_confidence REAL, segments INTEGER, status TEXT NOT NULL, reason TEXT,
    PRIMARY KEY (folder, moved, path, number)
) WITHOUT ROWID;
CREATE INDEX pictures_of_digest ON pictures (digest, settings) WHERE digest IS NOT NULL AND passing = 0
"""
_WAITING = (
    "CREATE TEMP TABLE waiting (path BLOB PRIMARY KEY, size INTEGER, mtime INTEGER, digest BLOB) WITHOUT ROWID",
    "CREATE INDEX temp.waiting_of_digest ON waiting (digest, path)",
)


class Answer(NamedTuple):
    """What a run found in a picture: the columns of the results, after the path. None: there is nothing to say.

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
    reason: str | None = None  # why there is no word


ANSWER = Answer._fields
_COLUMNS = ", ".join(ANSWER)
_RECORD = (
    "INSERT OR REPLACE INTO pictures (folder, settings, run, answered, path, size, mtime, digest, passing, target, "
    f"{_COLUMNS}) VALUES ({', '.join('?' * (10 + len(ANSWER)))})"
)
_ANSWER = f"SELECT digest, {_COLUMNS} FROM pictures WHERE digest = ? AND settings = ? AND passing = 0 LIMIT 1"


class PictureFile(NamedTuple):
    """A file as it was when its answer was found. `mtime` in ns; `digest` is blake3's, None if it was not read."""

    path: str
    size: int
    mtime: int
    digest: bytes | None


class LedgerEntry(NamedTuple):
    """A picture with its answer, whether that may be another one next time, and where it is to be moved."""

    picture: PictureFile
    answer: Answer
    passing: bool = False
    target: str | None = None


class KnownFile(NamedTuple):
    """What a run has to know of a picture to leave it alone; `key` is its path's."""

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
    """A relative path as bytes that sort as a listing does: a folder's files before what its name is the beginning of.

    Bytes of a name that are no UTF-8 are surrogates in Python; encoded as such they sort as its strings do.
    """
    return path.replace("/", "\0").encode("utf-8", "surrogatepass")


def path_of(key: bytes) -> str:
    """The path of a `key`."""
    return key.decode("utf-8", "surrogatepass").replace("\0", "/")


def digest_of(data: bytes) -> bytes:
    """The digest by which a picture's content is known."""
    return blake3(data).digest()


class Ledger:
    """The ledger of a home; a context manager.

    Several runs, each of a folder of its own, may have it open.

    Parameters
    ----------
    durable : bool
        Answers survive not only the process but the machine; for runs that move files.

    Raises
    ------
    BadInput, Damaged, Busy, NoSpace, Unwritable
        As `Database` does, from every method.
    """

    def __init__(self, path: Path, *, durable: bool = False):
        self._base = Database(path, schema=_SCHEMA, application=_APPLICATION, version=FORMAT, durable=durable)
        for statement in _WAITING:
            self._base.rows(statement)
        self.transaction = self._base.transaction

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, *_) -> None:
        self._base.close()

    def folder(self, path: Place) -> int:
        """The number of a folder, which stands for it in all that follows."""
        return self._number("folders", {"path": os.fsencode(str(path))})

    def knows(self, path: Place) -> bool:
        """Whether a run looked at this folder before."""
        return bool(self._base.rows("SELECT 1 FROM folders WHERE path = ?", (os.fsencode(str(path)),)))

    def settings(self, model: str, text: str) -> int:
        """The number of a model (its digest) with what else decides about an answer."""
        return self._number("settings", {"model": model, "text": text})

    def _number(self, table: str, values: dict) -> int:
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        where = " AND ".join(f"{name} = ?" for name in values)
        with self.transaction():
            self._base.rows(f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})", values.values())
            return self._base.rows(f"SELECT id FROM {table} WHERE {where}", values.values())[0][0]

    def begin(self, folder: int) -> int:
        """The number of a new run; later ones have larger numbers."""
        with self.transaction():
            self._base.rows("INSERT INTO runs (folder, began) VALUES (?, ?)", (folder, time.time_ns()))
            return self._base.rows("SELECT last_insert_rowid()")[0][0]

    def known(self, folder: int, only: str | None = None) -> Iterator[KnownFile]:
        """The pictures that are, or were, in the folder, in the order of a listing; or `only` this one.

        What changes meanwhile further on is seen; what was given is not asked for again.
        """
        columns = ", ".join(name if name != "key" else "path" for name in KnownFile._fields)
        query = f"SELECT {columns} FROM pictures WHERE folder = ? AND moved = 0 AND path"
        if only is not None:
            yield from map(KnownFile._make, self._base.rows(query + " = ?", (folder, key(only))))
            return
        last, rows = b"", [()] * CHUNK
        while len(rows) == CHUNK:
            rows = self._base.rows(query + " > ? ORDER BY path LIMIT ?", (folder, last, CHUNK))
            yield from map(KnownFile._make, rows)
            last = rows[-1][0] if rows else last

    def answers(self, digests: Iterable[bytes], settings: int) -> dict[bytes, Answer]:
        """What these settings answered to contents, by digest, unless it may be another answer next time."""
        found = self._base.first(_ANSWER, ((digest, settings) for digest in set(digests)))
        return {row[0]: Answer._make(row[1:]) for row in found}

    def results(self, folder: int, after: int = 0, only: str | None = None) -> Iterator[ResultRow]:
        """Path and answer of every picture that is in the folder or was moved from it, in the order of a listing.

        Parameters
        ----------
        after : int
            Only what runs after this one answered.
        """
        return (ResultRow(path_of(row[0]), Answer._make(row[2:])) for row in heapq.merge(*(
            self._results(folder, moved, after, only) for moved in (0, 1)
        )))  # fmt: skip

    def _results(self, folder: int, moved: int, after: int, only: str | None) -> Iterator[tuple]:
        query = (
            f"SELECT path, number, {_COLUMNS} FROM pictures WHERE folder = ? AND moved = ? AND (path, number) > (?, ?) "
            f"AND gone = 0 AND run > ?{' AND path = ?' if only is not None else ''} ORDER BY path, number LIMIT ?"
        )
        last, rows = (b"", -1), [()] * CHUNK
        while len(rows) == CHUNK:
            rows = self._base.rows(
                query, (folder, moved, *last, after, *([key(only)] if only is not None else []), CHUNK)
            )
            yield from rows
            last = rows[-1][:2] if rows else last

    def written(self, folder: int) -> tuple[int, dict]:
        """The last run that wrote its results, and what it said of them; 0 if there is none."""
        query = "SELECT id, results FROM runs WHERE folder = ? AND results IS NOT NULL ORDER BY id DESC LIMIT 1"
        found = self._base.rows(query, (folder,))
        return (found[0][0], json.loads(found[0][1])) if found else (0, {})

    def changes(self, folder: int) -> int:
        """A number that grows with everything that makes the folder's results other ones."""
        return self._base.rows("SELECT changes FROM folders WHERE id = ?", (folder,))[0][0]

    # Within a transaction:

    def finish(self, run: int, results: dict) -> None:
        """Write that a run's results are written, and what is to be known of them."""
        self._base.rows("UPDATE runs SET results = ? WHERE id = ?", (json.dumps(results), run))

    def record(self, folder: int, settings: int, run: int, entries: Iterable[LedgerEntry]) -> None:
        """Write answers, over what was known of these pictures."""
        now = time.time_ns()
        self._base.each(_RECORD, (
            (
                folder, settings, run, now, key(one.picture.path), *one.picture[1:], one.passing,
                None if one.target is None else os.fsencode(one.target), *one.answer,
            )
            for one in entries
        ))  # fmt: skip
        self._changed(folder)

    def touch(self, folder: int, pictures: Iterable[PictureFile]) -> None:
        """Write other times for the same contents."""
        self._base.each(
            "UPDATE pictures SET mtime = ?, gone = 0 WHERE folder = ? AND moved = 0 AND path = ?",
            ((one.mtime, folder, key(one.path)) for one in pictures),
        )
        self._changed(folder)

    def mark_gone(self, folder: int, keys: Iterable[bytes], gone: bool) -> None:
        """Write that files are no longer there, or are again."""
        query = "UPDATE pictures SET gone = ? WHERE folder = ? AND moved = 0 AND path = ?"
        self._base.each(query, ((gone, folder, one) for one in keys))
        self._changed(folder)

    def mark_moving(self, folder: int, targets: Iterable[tuple[str, str | None]]) -> None:
        """Write where files are about to be moved; None: they are not."""
        self._base.each(
            "UPDATE pictures SET target = ? WHERE folder = ? AND moved = 0 AND path = ?",
            ((target and os.fsencode(target), folder, key(path)) for path, target in targets),
        )

    def mark_moved(self, folder: int, paths: Iterable[str]) -> None:
        """Write that files are now where they were to be moved."""
        number = "(SELECT coalesce(max(number), 0) + 1 FROM pictures WHERE folder = ?1 AND moved = 1 AND path = ?2)"
        self._base.each(
            f"UPDATE pictures SET moved = 1, gone = 0, number = {number} WHERE folder = ?1 AND moved = 0 AND path = ?2",
            ((folder, key(path)) for path in paths),
        )
        self._changed(folder)

    def wait(self, pictures: Iterable[PictureFile]) -> None:
        """Put aside pictures of a content that is being read; they are forgotten with this object."""
        self._base.each(
            "INSERT OR REPLACE INTO waiting VALUES (?, ?, ?, ?)", ((key(one.path), *one[1:]) for one in pictures)
        )

    def waiting(self, digest: bytes | None = None) -> Iterator[list[PictureFile]]:
        """What was put aside, or only what has this content, in chunks; put aside it is no longer.

        What is put aside meanwhile may be left.
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

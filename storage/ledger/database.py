"""An SQLite database in WAL mode: opened or created, changed in transactions, moved aside if it is not ours."""

import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from storage.errors import Busy, Damaged, NoSpace, Unwritable
from storage.files import atomic
from storage.files.private import create_private
from storage.ledger.checks import layout_fault

PATIENCE = 60.0  # seconds that a run waits for another run's transaction
SIDES = ("", "-wal", "-shm")  # suffixes of SQLite's files
CACHE = 8 << 10  # KB of pages in memory
JOURNAL = 8192  # pages in the journal at which they are written into the database
_ROOM = 64 << 10  # free bytes; with fewer, `-shm`, which has 32 KB, may not find room
_PRIMARY = 0xFF  # SQLite's extended error codes have the primary code in their lowest byte
Row = tuple[Any, ...]
"""A row of an answer: values of SQLite's types, by column."""


class Database:
    """An SQLite database of this project.

    Every change is a transaction; a run that is killed loses only the transaction that it was in. Several processes
    may open the database. Only one of them writes at a time.

    Parameters
    ----------
    path : Path
    schema : str
        The statements that create a new database, separated by semicolons.
    application : int
        The application id in the file, which tells our databases from those of other programs.
    version : int
        The version of the schema.
    durable : bool
        Whether transactions survive a crash of the machine too, not only of the process.

    Raises
    ------
    Damaged
        The file is damaged, or another version or another program wrote it. It was moved aside, and the message says
        where to. This and the following errors come from every method.
    Busy, NoSpace, Unwritable
    """

    def __init__(self, path: Path, *, schema: str, application: int, version: int, durable: bool = False):
        self.path = path
        atomic.make_folder(path.parent)
        create_private(path)  # SQLite's -wal and -shm take its mode
        with self._guarded():
            self._base = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
        try:
            self._prepare(schema, application, version, durable)
        except BaseException:
            self.close()
            raise

    def _prepare(self, schema: str, application: int, version: int, durable: bool) -> None:
        self.rows("BEGIN")  # one snapshot: another process may be creating the tables
        (((found,),), ((owner,),)) = (self.rows(f"PRAGMA {name}") for name in ("user_version", "application_id"))
        tables = self.number("SELECT count(*) FROM sqlite_master")
        if tables:
            self._require_ours(schema, (owner, application), (found, version))
        self.rows("COMMIT")
        self.rows("PRAGMA journal_mode = WAL")
        self.rows(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        self.rows(f"PRAGMA cache_size = -{CACHE}")
        self.rows(f"PRAGMA wal_autocheckpoint = {JOURNAL}")
        if tables:
            return
        with self.transaction():
            if not self.rows("SELECT 1 FROM sqlite_master"):  # no other process created it meanwhile
                for statement in schema.split(";"):
                    self.rows(statement)
                self.rows(f"PRAGMA application_id = {application}")
                self.rows(f"PRAGMA user_version = {version}")

    def _require_ours(self, schema: str, owners: tuple[int, int], versions: tuple[int, int]) -> None:
        """Set the file aside unless this project, in this version, wrote it; each pair is (found, wanted)."""
        if owners[0] != owners[1]:
            raise self.set_aside("is another program's database")
        if versions[0] != versions[1]:
            raise self.set_aside(
                f"is of format {versions[0]}, and this version knows {versions[1]} only; moved back, it serves the "
                "version that wrote it"
            )
        fault = layout_fault(self.rows, schema)
        if fault:
            raise self.set_aside(f"is not as it was written: {fault}")

    def close(self) -> None:
        """Close the database. The last process that closes it leaves a single file."""
        self._base.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all changes that are made within; after an error or a kill, none of them."""
        self.rows("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            with suppress(sqlite3.Error):  # a full disk has ended the transaction already, and a damaged file is closed
                self._base.execute("ROLLBACK")
            raise
        self.rows("COMMIT")

    def rows(self, statement: str, values: Iterable[object] = ()) -> list[Row]:
        """Run a statement and return all its rows."""
        with self._guarded():
            return self._base.execute(statement, tuple(values)).fetchall()

    def number(self, statement: str, values: Iterable[object] = ()) -> int:
        """Run a statement whose single value is an integer, and return it."""
        for (value,) in self.rows(statement, values):
            if isinstance(value, int):
                return value
        raise self.set_aside("is not as it was written: a number is missing, or holds something else")

    def first(self, statement: str, values: Iterable[Row]) -> list[Row]:
        """Run a statement with each of the values; return the first row of each that has any."""
        with self._guarded():
            return [row for some in values if (row := self._base.execute(statement, some).fetchone())]

    def each(self, statement: str, values: Iterable[Row]) -> None:
        """Run a statement with each of the values."""
        with self._guarded():
            self._base.executemany(statement, values)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Raise SQLite's errors as the project's errors."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            match getattr(error, "sqlite_errorcode", 0) & _PRIMARY:
                case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
                    raise self.set_aside(f"is damaged ({error})") from error
                case sqlite3.SQLITE_CONSTRAINT | sqlite3.SQLITE_MISMATCH:  # the statements break no rule of the schema
                    raise self.set_aside(f"is not as it was written: {error}") from error
                case sqlite3.SQLITE_ERROR | sqlite3.SQLITE_TOOBIG if "transaction" not in str(error):
                    raise self.set_aside(f"is not as it was written: {error}") from error  # an index, a rule, a default
                case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                    raise Busy(
                        f"{self.path}: another run has been writing to it for {PATIENCE:.0f} s; wait for its end"
                    ) from error
                case sqlite3.SQLITE_FULL:
                    raise self._no_space() from error
                case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
                    raise Unwritable(
                        f"{self.path}: this user may not write there ({error}); change the permissions or choose "
                        "another --home"
                    ) from error
                case sqlite3.SQLITE_IOERR if shutil.disk_usage(self.path.parent).free < _ROOM:
                    raise self._no_space() from error  # memory that it shares by way of a file: SQLite tells no reason
                case sqlite3.SQLITE_IOERR:
                    raise Unwritable(
                        f"{self.path}: the disk failed ({error}); mend it or choose another --home, then give the "
                        "same command again: it goes on from there"
                    ) from error
            if "decode to UTF-8" in str(error):  # Python's own error, without a code
                raise self.set_aside("is not as it was written: a text is not UTF-8") from error
            raise

    def _no_space(self) -> NoSpace:
        return NoSpace(
            f"{self.path}: the disk is full; free some space and give the same command again: it goes on from there"
        )

    def set_aside(self, reason: str) -> Damaged:
        """Move the files of a database aside, for a reason that begins with a verb; return the error to raise."""
        self.close()
        aside = self.path.with_name(f"{self.path.name}.damaged-{time.time_ns()}")
        for side in SIDES:
            path = self.path.with_name(self.path.name + side)
            if path.exists():
                path.rename(aside.with_name(aside.name + side))
        return Damaged(
            f"{self.path}: {reason}; it was moved to {aside.name}. Give the same command again: it begins "
            "a new ledger and reads everything once more. To see what the old ledger holds: "
            f"sqlite3 {aside.name} .recover"
        )

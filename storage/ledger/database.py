"""An SQLite database in WAL mode: opened or begun, changed in transactions, moved aside when it is damaged."""

import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from storage.errors import BadInput, Busy, Damaged, NoSpace, Unwritable
from storage.files import atomic

PATIENCE = 60.0  # seconds that a run waits for another one's transaction
SIDES = ("", "-wal", "-shm")  # of the names of SQLite's files
CACHE, JOURNAL = 8 << 10, 8192  # KB in memory; pages in the journal before they go into the file


class Database:
    """A database of ours.

    Every change is a transaction: a run that is killed loses the one that it was in. Several processes may have it
    open; one of them writes at a time.

    Parameters
    ----------
    schema : str
        The statements that make a new one.
    application : int
        By which the file is known for ours.
    version : int
        Of the schema.
    durable : bool
        Transactions survive not only the process but the machine.

    Raises
    ------
    BadInput
        Written by a newer version, or another program's.
    Damaged
        It is moved aside first. From every method, as are the following.
    Busy, NoSpace, Unwritable
    """

    def __init__(self, path: Path, *, schema: str, application: int, version: int, durable: bool = False):
        self.path = path
        atomic.make_folder(path.parent)
        with self._guarded():
            self._base = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
        try:
            self._prepare(schema, application, version, durable)
        except BaseException:
            self.close()
            raise

    def _prepare(self, schema: str, application: int, version: int, durable: bool) -> None:
        (((there,),), ((owner,),)) = (self.rows(f"PRAGMA {name}") for name in ("user_version", "application_id"))
        tables = self.rows("SELECT count(*) FROM sqlite_master")[0][0]
        if tables and owner != application:
            raise BadInput(f"{self.path}: is another program's database; move it, or choose another --home")
        if there > version:
            raise BadInput(
                f"{self.path}: is of format {there}, this version knows up to {version}; "
                "use the version that wrote it, or another --home"
            )
        self.rows("PRAGMA journal_mode = WAL")
        self.rows(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        self.rows(f"PRAGMA cache_size = -{CACHE}")
        self.rows(f"PRAGMA wal_autocheckpoint = {JOURNAL}")
        if tables:
            return
        with self.transaction():
            if not self.rows("SELECT 1 FROM sqlite_master"):  # nobody was faster
                for statement in schema.split(";"):
                    self.rows(statement)
                self.rows(f"PRAGMA application_id = {application}")
                self.rows(f"PRAGMA user_version = {version}")

    def close(self) -> None:
        """Close it; the last one to do so leaves one file."""
        self._base.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written within is there afterwards, or, after an error or a kill, none of it."""
        self.rows("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            with suppress(sqlite3.Error):  # a full disk has ended it already, and a damaged file is closed
                self._base.execute("ROLLBACK")
            raise
        self.rows("COMMIT")

    def rows(self, statement: str, values: Iterable = ()) -> list[tuple]:
        """Run a statement; all rows that it gives."""
        with self._guarded():
            return self._base.execute(statement, tuple(values)).fetchall()

    def first(self, statement: str, values: Iterable[tuple]) -> list[tuple]:
        """Run a statement with each of the values; the first row that each gives, where it gives one."""
        with self._guarded():
            return [row for some in values if (row := self._base.execute(statement, some).fetchone())]

    def each(self, statement: str, values: Iterable[tuple]) -> None:
        """Run a statement with each of the values."""
        with self._guarded():
            self._base.executemany(statement, values)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            match getattr(error, "sqlite_errorcode", 0) & 0xFF:
                case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
                    raise self._set_aside(error) from error
                case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                    raise Busy(
                        f"{self.path}: another run has been writing to it for {PATIENCE:.0f} s; wait for that to end"
                    ) from error
                case sqlite3.SQLITE_FULL:
                    raise NoSpace(
                        f"{self.path}: the disk is full; free some space and give the same command again: "
                        "it goes on from there"
                    ) from error
                case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
                    raise Unwritable(
                        f"{self.path}: this user may not write there ({error}); change the permissions or choose "
                        "another --home"
                    ) from error
                case sqlite3.SQLITE_IOERR:
                    raise Unwritable(
                        f"{self.path}: the disk failed ({error}); mend it or choose another --home, then give the "
                        "same command again: it goes on from there"
                    ) from error
            raise

    def _set_aside(self, error: Exception) -> Damaged:
        self.close()
        aside = self.path.with_name(f"{self.path.name}.damaged-{time.time_ns()}")
        for side in SIDES:
            path = self.path.with_name(self.path.name + side)
            if path.exists():
                path.rename(aside.with_name(aside.name + side))
        return Damaged(
            f"{self.path}: is damaged ({error}); it was moved to {aside.name}. Give the same command again: it begins "
            f"a new one and reads everything once more. What the old one holds: sqlite3 {aside.name} .recover"
        )

"""Prove that an SQLite file and its rows are this project's: SQLite itself lets any column hold any type."""

import json
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

Rows = Callable[..., Sequence[Sequence[Any]]]  # runs a statement with values, and returns all its rows
_TABLES = "SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view') AND substr(name, 1, 7) <> 'sqlite_'"
_COLUMNS = 'SELECT name, upper(type), "notnull", pk, hidden FROM pragma_table_xinfo(?) ORDER BY cid'
_UNIQUE = (
    "SELECT keys.name, columns.name FROM pragma_index_list(?) AS keys, pragma_index_info(keys.name) AS columns "
    'WHERE keys."unique" ORDER BY keys.name, columns.seqno'
)


def layout_fault(rows: Rows, schema: str) -> str:
    """Return how the tables of a database differ from those of a schema; '' if they do not.

    More tables, views and indexes are let be, since people may add them; a trigger is not, since it changes rows.
    """
    wanted = sqlite3.connect(":memory:")
    try:
        wanted.executescript(schema)
        return _difference(rows, lambda *given: wanted.execute(*given).fetchall())
    finally:
        wanted.close()


def _difference(rows: Rows, wanted: Rows) -> str:
    kinds = {row[0]: row[1] for row in rows(_TABLES)}
    for name, _ in wanted(_TABLES):
        if kinds.get(name) != "table":
            return f"{name!r} is {'a view' if name in kinds else 'missing'}, where a table must be"
        there, here = ({row[0]: tuple(row) for row in some(_COLUMNS, (name,))} for some in (rows, wanted))
        for column in [*here, *there]:
            if there.get(column) != here.get(column):
                said = "lacks" if column not in there else "has another" if column in here else "has an unknown"
                return f"table {name!r} {said} column {column!r}"
        if _unique(rows, name) != _unique(wanted, name):
            return f"table {name!r} has other unique keys"
    trigger = rows("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    return f"it has a trigger, {trigger[0][0]!r}" if trigger else ""


def _unique(rows: Rows, table: str) -> set[tuple[str, ...]]:
    """Return the columns of each unique key of a table."""
    keys: dict[str, list[str]] = {}
    for key, column in rows(_UNIQUE, (table,)):
        keys.setdefault(key, []).append(column)
    return {tuple(columns) for columns in keys.values()}


class RowTypes:
    """The types that each column of a row may have. Combinations that fitted once are found in a set.

    Parameters
    ----------
    columns : dict of tuple of type
        By the name of each column, in order.
    """

    def __init__(self, columns: dict[str, tuple[type, ...]]):
        self._columns = columns
        self._path = list(columns).index("path") if "path" in columns else None
        self._status = list(columns).index("status")
        self._fitting: set[tuple[type, ...]] = set()

    def fault(self, row: Sequence[Any]) -> str:
        """Return which column of a row has a wrong type or value; '' if none has."""
        found = tuple(map(type, row))
        if found not in self._fitting:
            for (name, allowed), kind in zip(self._columns.items(), found, strict=True):
                if kind not in allowed:
                    return f"column {name!r} of a row holds a value of type {kind.__name__}"
            self._fitting.add(found)
        if row[self._status] not in STATUSES:
            return f"the status of a row is none of {', '.join(STATUSES)}"
        if self._path is not None and not row[self._path].isascii() and not _decodes(row[self._path]):
            return "a path is not UTF-8"
        return ""


def _decodes(path: bytes) -> bool:
    try:
        path.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def results_of(text: object) -> dict[str, Any] | None:
    """Parse what a run recorded of its results; None if no run records such a text."""
    if not isinstance(text, str):
        return None
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict):
        return None
    counts = content.get("rows", {})
    whole = isinstance(counts, dict) and all(type(count) is int for count in counts.values())
    return content if whole else None


STATUSES = ("solved", "abstained", "failed")
_TEXT, _REAL, _NULL = str, float, type(None)
_ANSWER: dict[str, tuple[type, ...]] = {
    "word": (_TEXT, _NULL), "confidence": (_REAL, _NULL), "reading": (_TEXT, _NULL),
    "reading_confidence": (_REAL, _NULL), "second": (_TEXT, _NULL), "second_confidence": (_REAL, _NULL),
    "third": (_TEXT, _NULL), "third_confidence": (_REAL, _NULL), "segments": (int, _NULL), "status": (_TEXT,),
    "reason": (_TEXT, _NULL),
}  # fmt: skip
ANSWERED = RowTypes({"digest": (bytes,)} | _ANSWER)
RESULT = RowTypes({"path": (bytes,), "number": (int,)} | _ANSWER)
FOUND = RowTypes({
    "moved": (int,), "path": (bytes,), "number": (int,), "size": (int,), "mtime": (int,), "digest": (bytes, _NULL),
    "run": (int,),
} | _ANSWER)  # fmt: skip
TEXTS = RowTypes(
    {"moved": (int,), "path": (bytes,), "number": (int,)}
    | {name: _ANSWER[name] for name in ("word", "confidence", "reading", "status")}
)
KNOWN = RowTypes({
    "path": (bytes,), "size": (int,), "mtime": (int,), "settings": (int,), "passing": (int,), "gone": (int,),
    "target": (bytes, _NULL), "digest": (bytes, _NULL), "status": (_TEXT,), "run": (int,),
})  # fmt: skip
# SQLite gives no number after the last one, and says that the disk is full.
LAST_NUMBERS = f"SELECT count(*) FROM sqlite_sequence WHERE typeof(seq) <> 'integer' OR seq > {1 << 62}"
BAD_SETTINGS = (
    "SELECT count(*) FROM settings WHERE CASE WHEN typeof(model) = 'text' AND typeof(text) = 'text' "
    "THEN NOT json_valid(text) ELSE 1 END"
)

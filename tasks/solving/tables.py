"""The results of a folder as a file for other programs: CSV, JSON lines or Parquet, written as they come."""

import csv
import io
import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from types import SimpleNamespace

from storage.exports.parquet import Kind, require_pyarrow, write_table
from storage.files import atomic
from storage.files.places import Place
from storage.ledger.ledger import ANSWER

# `path` is relative to the folder, with forward slashes.
COLUMNS = ("path", *ANSWER)
GROUP = 8192  # rows that are in memory at once
_STATUS = COLUMNS.index("status")
_NUMBERS = [place for place, name in enumerate(COLUMNS) if name.endswith("confidence")]


class AnswerFormat(StrEnum):
    """What results are written as."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


def choose_format(given: AnswerFormat | None, out: Place | None) -> AnswerFormat:
    """What was asked for, else what the file's name ends with, else CSV.

    Raises
    ------
    BadInput
        Parquet, and pyarrow is not installed.
    """
    named = {f".{one.value}": one for one in AnswerFormat}
    chosen = given or named.get(out.suffix.lower() if out else "", AnswerFormat.CSV)
    if chosen is AnswerFormat.PARQUET:
        require_pyarrow()
    return chosen


def write_answers(out: Place, format: AnswerFormat, rows: Iterable[tuple]) -> Counter[str]:
    """Write rows of `COLUMNS`, over what was there, and count them by status; None is an empty cell, or null.

    Raises
    ------
    NoSpace, Unwritable
        Nothing is left behind, and what was there is as it was; so it is when the rows end with an error.
    """
    counts: Counter[str] = Counter()
    groups = _counted(_in_groups(rows), counts)
    with atomic.replacing(out) as write:
        match format:
            case AnswerFormat.CSV:
                write(_csv([COLUMNS]))
                for group in groups:
                    write(_csv(_with_digits(group)))
            case AnswerFormat.JSONL:
                for group in groups:
                    write(_json(group))
            case AnswerFormat.PARQUET:
                kinds = {name: Kind.REAL if name.endswith("confidence") else Kind.TEXT for name in COLUMNS}
                kinds["segments"] = Kind.INTEGER
                with _Written(write) as file:
                    write_table(file, kinds, map(_columns, groups))
    return counts


def _in_groups(rows: Iterable[tuple]) -> Iterator[list[tuple]]:
    rows = iter(rows)
    while group := list(itertools.islice(rows, GROUP)):
        yield group


def _counted(groups: Iterable[list[tuple]], counts: Counter[str]) -> Iterator[list[tuple]]:
    for group in groups:
        counts.update(row[_STATUS] for row in group)
        yield group


def _with_digits(group: list[tuple]) -> Iterator[list]:
    for row in group:
        cells = list(row)
        for place in _NUMBERS:
            if cells[place] is not None:
                cells[place] = f"{cells[place]:.6f}"
        yield cells


def _csv(rows: Iterable) -> bytes:
    # Only characters of the line's end are quoted, and names may hold a carriage return; the file ends lines with \n.
    lines: list[str] = []
    sink = SimpleNamespace(write=lambda line: lines.append(line[:-2] + "\n"))
    csv.writer(sink, lineterminator="\r\n").writerows(rows)
    return "".join(lines).encode("utf-8", "surrogateescape")


def _json(group: list[tuple]) -> bytes:
    # Escaped, a name's bytes that are no UTF-8 are what they are in Python: lone surrogates.
    return "".join(json.dumps(dict(zip(COLUMNS, row, strict=True))) + "\n" for row in group).encode()


def _columns(group: list[tuple]) -> dict[str, list]:
    columns = dict(zip(COLUMNS, map(list, zip(*group, strict=True)), strict=True))
    columns["path"] = [path.encode("utf-8", "backslashreplace").decode() for path in columns["path"]]
    return columns


class _Written(io.RawIOBase):
    """A function that writes bytes, as the file that pyarrow wants."""

    def __init__(self, write: Callable[[bytes], None]):
        self._write, self._place = write, 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def write(self, data) -> int:
        self._write(bytes(data))
        self._place += len(data)
        return len(data)

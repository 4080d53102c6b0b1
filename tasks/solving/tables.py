"""Write the results of a folder to a file for other programs: CSV, JSON lines or Parquet."""

import csv
import io
import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from storage.exports.parquet import ColumnKind, require_pyarrow, write_table
from storage.files import atomic
from storage.files.places import Place
from storage.files.targets import is_stream, streamed
from storage.ledger.ledger import ANSWER, ResultRow

# `path` is relative to the folder, with forward slashes.
COLUMNS = ("path", *ANSWER)
GROUP = 8192  # rows that are in memory at once
_CONFIDENCES = [number for number, name in enumerate(COLUMNS) if name.endswith("confidence")]
_LINE_END = "\r\n"

Cells = tuple[str | float | None, ...]  # of a row, by `COLUMNS`


class AnswerFormat(StrEnum):
    """The format of results."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


def choose_format(given: AnswerFormat | None, out: Place | None) -> AnswerFormat:
    """Return the format that was asked for, else the format of the file's suffix, else CSV.

    Raises
    ------
    BadInput
        Parquet was chosen, and pyarrow is not installed.
    """
    named = {f".{format.value}": format for format in AnswerFormat}
    chosen = given or named.get(out.suffix.lower() if out else "", AnswerFormat.CSV)
    if chosen is AnswerFormat.PARQUET:
        require_pyarrow()
    return chosen


def write_answers(out: Place, format: AnswerFormat, rows: Iterable[ResultRow]) -> Counter[str]:
    """Write results to a file with the columns `COLUMNS`; None becomes an empty cell, or null.

    An existing file is replaced at the end. After an error, an error of `rows` included, it is as it was. To a FIFO or
    standard output, rows are written as they come.

    Returns
    -------
    Counter of str
        The number of rows by status.

    Raises
    ------
    NoSpace, Unwritable
    """
    counts: Counter[str] = Counter()
    groups = _cells(rows, counts)
    with streamed(out) if isinstance(out, Path) and is_stream(out) else atomic.replacing(out) as write:
        match format:
            case AnswerFormat.CSV:
                write(_csv([COLUMNS]))
                for group in groups:
                    write(_csv(_with_digits(group)))
            case AnswerFormat.JSONL:
                for group in groups:
                    write(_json(group))
            case AnswerFormat.PARQUET:
                kinds = {name: ColumnKind.REAL if name.endswith("confidence") else ColumnKind.TEXT for name in COLUMNS}
                kinds["segments"] = ColumnKind.INTEGER
                with io.BufferedWriter(_Written(write)) as file:
                    write_table(file, kinds, map(_columns, groups))
    return counts


def _cells(rows: Iterable[ResultRow], counts: Counter[str]) -> Iterator[list[Cells]]:
    """Yield the cells of `GROUP` rows at a time, and count the rows by status."""
    rows = iter(rows)
    while group := list(itertools.islice(rows, GROUP)):
        counts.update(row.answer.status for row in group)
        yield [(row.path, *row.answer) for row in group]


def _with_digits(group: list[Cells]) -> Iterator[list[str | float | None]]:
    for row in group:
        cells = list(row)
        for number in _CONFIDENCES:
            if cells[number] is not None:
                cells[number] = f"{cells[number]:.6f}"
        yield cells


def _csv(rows: Iterable[Iterable[str | float | None]]) -> bytes:
    # The writer quotes a carriage return, which a name may hold, only if lines end with it. The file's lines end
    # with \n alone.
    lines: list[str] = []
    sink = SimpleNamespace(write=lambda line: lines.append(line.removesuffix(_LINE_END) + "\n"))
    csv.writer(sink, lineterminator=_LINE_END).writerows(rows)
    return "".join(lines).encode("utf-8", "surrogateescape")


def _json(group: list[Cells]) -> bytes:
    # The bytes of a name that are no UTF-8 are lone surrogates in Python; JSON escapes them.
    return "".join(json.dumps(dict(zip(COLUMNS, row, strict=True))) + "\n" for row in group).encode()


def _columns(group: list[Cells]) -> dict[str, list[object]]:
    columns = dict(zip(COLUMNS, map(list, zip(*group, strict=True)), strict=True))
    columns["path"] = [str(path).encode("utf-8", "backslashreplace").decode() for path in columns["path"]]
    return columns


class _Written(io.RawIOBase):
    """A file for pyarrow that hands all bytes to a function."""

    def __init__(self, write: Callable[[bytes], None]):
        self._write, self._place = write, 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def write(self, data: Any) -> int:  # any buffer; its type, collections.abc.Buffer, is of Python 3.12
        written = bytes(data)
        self._write(written)
        self._place += len(written)
        return len(written)


def could_be_answers(file: Path) -> bool:
    """Return whether a file begins as a file of `write_answers`; an empty file does if its suffix is of a format."""
    with file.open("rb") as content:
        head = content.read(len(COLUMNS[0]) + 16)
    begins = (b"path,word,", b'{"path": ', b"PAR1")
    return head.startswith(begins) if head else file.suffix[1:].lower() in [format.value for format in AnswerFormat]

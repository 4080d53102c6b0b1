"""Write the results of a folder to a file for other programs: CSV, JSON lines or Parquet."""

import io
import itertools
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

from storage.errors import BadInput
from storage.exports.parquet import ColumnKind, require_pyarrow, write_table
from storage.files import atomic
from storage.files.places import Place
from storage.files.targets import STANDARD_OUTPUT, is_stream, streamed
from storage.ledger.ledger import ANSWER, ResultRow
from storage.texts import csv_bytes, plain

# `path` is relative to the folder, with forward slashes.
COLUMNS = ("path", *ANSWER)
GROUP = 8192  # rows that are in memory at once
_CONFIDENCES = [number for number, name in enumerate(COLUMNS) if name.endswith("confidence")]

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
        Parquet was chosen, and pyarrow is not installed or standard output is a terminal.
    """
    named = {f".{format.value}": format for format in AnswerFormat}
    chosen = given or named.get(out.suffix.lower() if out else "", AnswerFormat.CSV)
    if chosen is AnswerFormat.PARQUET:
        require_pyarrow()
        if _on_terminal(out):
            raise BadInput("format parquet: must not go to a terminal; name a file with --out, or redirect the output")
    return chosen


def _on_terminal(out: Place | None) -> bool:
    return out == STANDARD_OUTPUT and sys.stdout.isatty()


def write_answers(
    out: Place, format: AnswerFormat, rows: Iterable[ResultRow], *, csv_safe: bool = False
) -> Counter[str]:
    """Write results to a file with the columns `COLUMNS`; None becomes an empty cell, or null.

    An existing file is replaced at the end. After an error, an error of `rows` included, it is as it was. To a FIFO or
    standard output, rows are written as they come. On a terminal, CSV shows control characters as `plain` does.

    Parameters
    ----------
    csv_safe : bool
        In CSV, put an apostrophe before each text that a spreadsheet would run.

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
                write(csv_bytes([COLUMNS]))
                for group in groups:
                    cells = _with_digits(group)
                    write(csv_bytes(map(_plain_cells, cells) if _on_terminal(out) else cells, safe=csv_safe))
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


def _plain_cells(row: list[str | float | None]) -> list[str | float | None]:
    return [plain(cell) if isinstance(cell, str) else cell for cell in row]


def _json(group: list[Cells]) -> bytes:
    # The bytes of a name that are no UTF-8 are lone surrogates in Python; JSON escapes them.
    return "".join(json.dumps(dict(zip(COLUMNS, row, strict=True))) + "\n" for row in group).encode()


def _columns(group: list[Cells]) -> dict[str, list[object]]:
    columns = dict(zip(COLUMNS, map(list, zip(*group, strict=True)), strict=True))
    # Parquet's text is UTF-8 and holds any other character.
    return {name: [_without_surrogates(cell) for cell in cells] for name, cells in columns.items()}


def _without_surrogates(cell: str | float | None) -> str | float | None:
    if not isinstance(cell, str) or cell.isascii():
        return cell
    return cell.encode("utf-8", "backslashreplace").decode()


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


def told(rows: Iterable[ResultRow]) -> list[dict[str, object]]:
    """Return answers for a report: dicts with the columns of a file of answers."""
    return [{"path": row.path, **row.answer._asdict()} for row in rows]


def could_be_answers(file: Path) -> bool:
    """Return whether a file begins as a file of `write_answers`; an empty file does if its suffix is of a format."""
    with file.open("rb") as content:
        head = content.read(len(COLUMNS[0]) + 16)
    begins = (b"path,word,", b'{"path": ', b"PAR1")
    return head.startswith(begins) if head else file.suffix[1:].lower() in [format.value for format in AnswerFormat]

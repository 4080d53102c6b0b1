"""Columns of corrections that are empty where the text of another column was right."""

from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from tasks.exchange.label_sources.column_kinds import NEWER, OLDER, READERS, is_header
from tasks.exchange.label_sources.file_formats.column_names import LABEL_COLUMNS, plain_name
from tasks.exchange.label_sources.file_formats.label_files import PICTURE
from tasks.exchange.label_sources.file_formats.label_table import LabelTable

ELSE = "/"  # between the names of columns of which the first that is not empty counts
ALIKE = 0.5  # of a text and its correction, at least
MOST_WRITTEN = 200  # characters of a text at most
COMPARED, COLUMNS = 500, 8  # of the corrections, and of the columns of each kind: more are not compared
MOSTLY = 0.8  # share of the corrections that are like what they correct


def with_corrections(table: LabelTable) -> tuple[LabelTable, int]:
    """Return a table whose column of corrections is filled from the texts that were right, and how many rows that are.

    So is a column that is empty in some rows, in all others like one other column, and never the same: if somebody had
    written all texts again, some would be the same.
    """
    header, rows = _header(table)
    names = [plain_name(name) for name in header]
    newer = [k for k, name in enumerate(names) if NEWER.search(name)]
    older = [k for k, name in enumerate(names) if name in LABEL_COLUMNS or READERS.match(name) or OLDER.search(name)]
    for new in newer[:COLUMNS]:
        old = [
            k for k in older[:COLUMNS]
            if k != new and _corrects([cells[k] for _, cells in rows], [cells[new] for _, cells in rows])
        ]  # fmt: skip
        if len(old) == 1:
            return _filled(table, new, old, dropped=True)
    return table, 0


def with_first(table: LabelTable, columns: tuple[str, str] | None) -> tuple[LabelTable, tuple[str, str] | None]:
    """Return a table and its columns where somebody chose several, such as `corrected/ocr`: the first text counts."""
    header, _ = _header(table)
    if not columns or ELSE not in columns[1] or columns[1] in header:
        return table, columns
    width = len(header or (table.rows[0][1] if table.rows else ()))
    chosen = [_place(header, width, name) for name in columns[1].split(ELSE)]
    if None in chosen:
        return table, columns
    first, *others = (k for k in chosen if k is not None)
    return _filled(table, first, others)[0], (columns[0], columns[1].split(ELSE)[0])


def in_place_of_empty(names: Sequence[str], columns: Sequence[Sequence[str]]) -> tuple[int, int] | None:
    """Return the column of corrections that is empty in some rows, and the first other; None if there is none."""
    new = next((k for k, name in enumerate(names) if NEWER.search(name) and "" in columns[k] and any(columns[k])), None)
    old = next((k for k, cells in enumerate(columns) if k != new and all(cells)), None)
    return None if new is None or old is None else (new, old)


def _header(table: LabelTable) -> tuple[Sequence[str], list[tuple[int, list[str]]]]:
    """Return the names of the columns and the rows; no names if the table tells none."""
    if table.columns is not None:
        return table.columns, table.rows
    named = is_header([cells for _, cells in table.rows], lambda column, cell: False)
    return (table.rows[0][1], table.rows[1:]) if named and table.rows else ([], table.rows)


def _place(header: Sequence[str], width: int, name: str) -> int | None:
    name = name.strip()
    known = [k for k, there in enumerate(header) if there.strip().casefold() == name.casefold()]
    known = known or [k for k, there in enumerate(header) if plain_name(there) == plain_name(name) != ""]
    if not known and name.isdecimal() and 0 < int(name) <= width:
        return int(name) - 1
    return known[0] if len(known) == 1 else None


def _corrects(old: Sequence[str], new: Sequence[str]) -> bool:
    both = [(a, b) for a, b in zip(old, new, strict=True) if b]
    empty = [a for a, b in zip(old, new, strict=True) if not b]
    if not both or not empty or not all(empty) or any(a == b or PICTURE.search(a) for a, b in both):
        return False
    if max(len(text) for pair in both for text in pair) > MOST_WRITTEN:
        return False  # no labels, and slow to compare
    behind = next(k for k, b in enumerate(reversed(new)) if b)
    if 2 * behind > len(new):
        return False  # nobody may have come so far yet
    some = both[:: -(-len(both) // COMPARED)]
    alike = sum(SequenceMatcher(None, a.casefold(), b.casefold()).ratio() >= ALIKE for a, b in some)
    return alike >= MOSTLY * len(some)


def _filled(table: LabelTable, first: int, others: Sequence[int], dropped: bool = False) -> tuple[LabelTable, int]:
    """Return a table whose first column has what the others have where it is empty; perhaps without the others."""
    gone = {*others} if dropped else set()
    count = 0
    rows: list[tuple[int, list[str]]] = []
    for number, cells in table.rows:
        text = next((cells[k] for k in (first, *others) if cells[k]), "")
        count += not cells[first] and text != ""
        kept = [text if k == first else cell for k, cell in enumerate(cells)]
        rows.append((number, [cell for k, cell in enumerate(kept) if k not in gone]))
    columns = table.columns and tuple(name for k, name in enumerate(table.columns) if k not in gone)
    return replace(table, rows=rows, columns=columns), count

"""Tables with a column of 0 and 1 for each class, or for each letter at each place of a label."""

import re
from collections.abc import Sequence

from tasks.exchange.label_sources.column_kinds import Unclear
from tasks.exchange.label_sources.file_formats.label_table import LabelTable

YES = (("1", "0"), ("true", "false"), ("yes", "no"))  # in a column a class
PLACED = (  # the names of such columns: `0_A`, `char2.A`, and `A_0`
    re.compile(r"(?P<place>.*\d)[_.:= -]?(?P<letter>[^\W_]|[^\w\s])"),
    re.compile(r"(?P<letter>[^\W_]|[^\w\s])[_.:= -]?(?P<place>.*\d)"),
)
FEWEST = 10  # columns of a place, where their names tell neither place nor letter


def with_classes(table: LabelTable) -> LabelTable:
    """Return a table with columns of 0 and 1 as a table of path and label; any other table as it is.

    There is a column for each class and one 1 in each row, or a column for each letter at each place of a label and one
    1 for each place.

    Raises
    ------
    Unclear
        Several letters have a 1 in a row and their order is lost, or the columns do not say which letters they are.
    """
    if table.columns or len(table.rows) < 2 or len(table.rows[0][1]) < 3:
        return table
    (_, header), *rows = table.rows
    marked = [[cell.lower().removesuffix(".0") for cell in cells[1:]] for _, cells in rows]
    yes = next((one for one, none in YES if all({*cells} <= {one, none} for cells in marked)), "")
    if not yes:
        return table
    counts = {cells.count(yes) for cells in marked}
    if labels := _by_places(header[1:], [[cell == yes for cell in cells] for cells in marked]):
        return _of_labels(table, labels)
    if {*header} & {"0", "1"}:
        many = len(counts) == 1 < max(counts) and len(header) > FEWEST * max(counts)
        if many and (len(header) - 1) % max(counts) == 0:
            raise Unclear(
                f"labels {table.file}: has {max(counts)} times a 1 in each row of {len(header) - 1} columns, as of a "
                "letter for each place, and does not name the letters; write path and text of each picture into a "
                "labels.csv"
            )
        return table
    names = _without_prefix(header[1:])
    if max(counts) > 1 and all(len(name) == 1 for name in names):
        raise Unclear(
            f"labels {table.file}: tells which letters a picture shows, and not in which order; write path and text of "
            "each picture into a labels.csv"
        )
    if counts != {1}:
        return table
    return _of_labels(table, [names[cells.index(yes)] for cells in marked])


def _by_places(names: Sequence[str], rows: Sequence[Sequence[bool]]) -> list[str]:
    """Return the label of each row, if each column is of a letter at a place, and each place has one; else []."""
    for named in PLACED:
        found = [named.fullmatch(name) for name in names]
        columns = [(match["place"], match["letter"], k) for k, match in enumerate(found) if match]
        places = {place: int(re.findall(r"\d+", place)[-1]) for place, _, _ in columns}
        if len(columns) < len(names) or len(places) < 2 or len({*places.values()}) < len(places):
            continue
        at = [
            [(letter, k) for there, letter, k in columns if there == place]
            for place in sorted(places, key=lambda place: places[place])
        ]
        shown = [[[letter for letter, k in some if row[k]] for some in at] for row in rows]
        if min(map(len, at)) > 1 and all(len(letters) == 1 for of in shown for letters in of):
            return ["".join(letters[0] for letters in of) for of in shown]
    return []


def _of_labels(table: LabelTable, labels: Sequence[str]) -> LabelTable:
    """Return the table of path and label."""
    (number, header), *rows = table.rows
    named = [(line, [cells[0], label]) for (line, cells), label in zip(rows, labels, strict=True)]
    return LabelTable(table.file, table.unit, [(number, [header[0], "class"]), *named])


def _without_prefix(names: Sequence[str]) -> list[str]:
    """Return names of columns without what pandas writes before all of them: `label_A`, `label_B`."""
    before = {match[0] if (match := re.match(r".*[_.:=]", name)) else "" for name in names}
    return [name.removeprefix(prefix) or name for prefix in before for name in names] if len(before) == 1 else [*names]

"""Rows of a report as a table for people; it needs rich, which takes longer to import than a picture to read."""

import sys

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.reporting.lines import fit, print_lines, readable, words
from flows.shell.saying import columns

FILE_COLUMNS = 132  # of a table in a file


def print_rows(title: str, rows: list[dict[str, object]]) -> None:
    """Print rows as a table; where that would break words on a narrow terminal, a paragraph a row."""
    # A pipe or a file has no width of its own; 80 columns would break most tables.
    console = Console(highlight=False, soft_wrap=True, width=columns() if sys.stdout.isatty() else FILE_COLUMNS)
    table = _table(title, rows)
    if not console.is_terminal or _fitted(table, console.width):
        console.print(table)
        return
    print_lines(f"{words(title)}:")
    for row in rows:
        (_, first), *others = row.items()
        said = "; ".join(f"{words(key)} {readable(value)}" for key, value in others if value not in (None, "", [], {}))
        print_lines(f"- {readable(first)}: {said}")


def _fitted(table: Table, width: int) -> bool:
    """Choose the widths of a table's columns so that it fits and no word is broken; return whether that can be."""
    cells = [[Text(str(cell)) for cell in (column.header, *column.cells)] for column in table.columns]
    least = [max(cell_len(word) for text in column for word in [*text.plain.split(), ""]) for column in cells]
    natural = [max(text.cell_len for text in column) for column in cells]
    spare = width - sum(least) - 3 * len(least) - 1  # a border and two blanks beside each column, and the last border
    if spare < 0:
        return False
    for number, column in enumerate(table.columns):
        given = min(spare, natural[number] - least[number])
        column.width, spare = least[number] + given, spare - given
    return True


def _table(title: str, rows: list[dict[str, object]]) -> Table:
    table = Table(title=Text(fit(words(title))), title_justify="left")
    columns = list(rows[0])
    for column in columns:
        number = all(isinstance(row.get(column), int | float) for row in rows)
        table.add_column(Text(fit(words(column))), justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(fit(readable(row.get(column)))) for column in columns))
    return table

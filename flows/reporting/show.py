"""A report on the terminal: one JSON object, or lines for people."""

import json
import sys
import textwrap
from collections.abc import Mapping

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from storage.errors import Unwritable
from storage.texts import as_json as fit_json
from storage.texts import plain


def show(report: Mapping[str, object], *, as_json: bool) -> None:
    """Print a flow's report; lists of dicts become tables.

    For people, the values under `shown` replace those of the same keys; the JSON leaves `shown` out.

    Raises
    ------
    Unwritable
        Standard output is full, or fails; a closed pipe is a BrokenPipeError.
    """
    try:
        _print(report, as_json)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Unwritable(
            f"standard output: cannot be written ({error.strerror}); the work is done; send the report "
            "to a file with free space"
        ) from error


def _print(report: Mapping[str, object], as_json: bool) -> None:
    content = {key: value for key, value in report.items() if key != "shown"}
    if as_json:
        text = fit_json(content, indent=1, default=str)
        if not _encodable(text):
            text = json.dumps(content, indent=1, default=str)
        sys.stdout.write(text + "\n")
        return
    # A pipe or a file has no width of its own; 80 columns would break most tables.
    width = None if sys.stdout.isatty() else 132
    console = Console(highlight=False, soft_wrap=True, width=width)
    shown = report.get("shown")
    for key, value in (content | (shown if isinstance(shown, dict) else {})).items():
        if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
            _print_rows(console, key, value)
        elif value not in (None, [], {}):
            _print_lines(console, f"{_words(key)}: {readable(value)}")


def _print_rows(console: Console, title: str, rows: list[dict[str, object]]) -> None:
    """Print rows as a table; where that would break words on a narrow terminal, a paragraph a row."""
    table = _table(title, rows)
    if not console.is_terminal or _fitted(table, console.width):
        console.print(table)
        return
    console.print(fit(f"{_words(title)}:"))
    for row in rows:
        (_, first), *others = row.items()
        said = "; ".join(f"{_words(key)} {readable(value)}" for key, value in others if value not in (None, "", [], {}))
        _print_lines(console, f"- {readable(first)}: {said}")


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


def _print_lines(console: Console, text: str) -> None:
    """Print text in lines that break between words at the width of a terminal; paths stay whole. In a file: a line."""
    broken = textwrap.TextWrapper(
        max(20, console.width), subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )
    for line in broken.wrap(plain(text)) if console.is_terminal else [text]:
        console.print(fit(line))


def _table(title: str, rows: list[dict[str, object]]) -> Table:
    table = Table(title=fit(_words(title)), title_justify="left")
    columns = list(rows[0])
    for column in columns:
        number = all(isinstance(row.get(column), int | float) for row in rows)
        table.add_column(fit(_words(column)), justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(fit(readable(row.get(column))) for column in columns))
    return table


def fit(text: str, style: str = "") -> Text:
    """Return text as rich prints it: without control characters, markup or emoji codes, in the terminal's encoding."""
    text = plain(text)
    if not _encodable(text):
        text = text.encode(sys.stdout.encoding, "backslashreplace").decode(sys.stdout.encoding)
    return Text(text, style)


def _encodable(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _words(key: str) -> str:
    return key.replace("_", " ")


def readable(value: object) -> str:
    """Write a value as people do: thousands apart, a dict or list on a single line."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    if isinstance(value, dict):
        return ", ".join(f"{key} {readable(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return ", ".join(map(readable, value))
    return str(value)

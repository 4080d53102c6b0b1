"""Foreign text, made fit for where it is shown: names of files, labels, fields of manifests and models, messages.

Such text may hold anything: bytes that are not UTF-8 (Python has them as lone surrogates), control characters that
move a terminal's cursor, marks that turn the direction of writing, and the markup of Markdown or of a spreadsheet.

Data stay faithful: `as_json` and `csv_bytes` lose nothing. `plain`, `markdown`, `code` and `caption` are for people.
"""

import csv
import json
import re
import unicodedata
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

# Control characters (line breaks and tabs too), invisible format characters (all that turn the direction of writing
# too), lone surrogates, and Unicode's separators of lines and paragraphs.
_UNFIT = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_NOT_ASCII_PRINTABLE = re.compile("[^ -~]")
_MARKUP = re.compile(r"[\\`*_\[\]{}|~!#^$@]")  # what Markdown may read as markup anywhere in a line
_AT_LINE_START = re.compile(r"(\s*)([-+=]|\d+(?=[.)](?:\s|$)))")  # a list, or the line below a heading
_LINKS = re.compile(r"(?i)(:)(?=//)|(?<=\bwww)(\.)")  # readers of Markdown make links of bare addresses
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
# A spreadsheet takes a cell that begins so for a formula; the wide forms count as well in East Asian versions. Some
# spreadsheets begin a new cell at a semicolon or a tab, and a line break that they do not take for quoted begins a row.
_FORMULA = re.compile(r"^(?=[=+\-@\t\r\n＝＋－＠])|(?<=[;\t\r\n])(?=[=+\-@＝＋－＠])")
_LINE_END = "\r\n"
MOST_CAPTION = 48  # characters of a line below a picture


def plain(text: object) -> str:
    r"""Return text on a single line for a terminal or a log: each unfit character as Python's escape of it.

    >>> plain("a\x1b[31m\nb")
    'a\\x1b[31m\\nb'
    """
    return _escaped(str(text), lambda character: character.encode("unicode_escape").decode("ascii"))


def plain_lines(text: object) -> str:
    """Return text of several lines, such as a traceback, each as `plain` returns it."""
    return "\n".join(map(plain, str(text).split("\n")))


def plain_values(value: Any) -> Any:
    """Return a JSON value with all its texts and keys plain, for programs that refuse what is not UTF-8.

    Tuples become lists; whatever JSON does not know becomes its text.
    """
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict):
        return {plain(key): plain_values(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain_values(inner) for inner in value]
    return plain(value)


def markdown(text: object) -> str:
    """Return text that Markdown shows as it is, in a paragraph, a list or the cell of a table."""
    text = _MARKUP.sub(r"\\\g<0>", plain(text))
    text = _LINKS.sub(lambda match: "\\" + match[0], text)
    if start := _AT_LINE_START.match(text):
        before = start.end() if start[2].isdecimal() else start.start(2)
        text = f"{text[:before]}\\{text[before:]}"
    return re.sub("[&<>]", lambda match: _ENTITIES[match[0]], text)


def code(text: object) -> str:
    """Return text as a code span of Markdown, whatever backticks it holds; not for the cell of a table."""
    text = plain(text)
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    padding = " " if not text.strip() or text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{padding}{text}{padding}{fence}"


def caption(text: object, most: int = MOST_CAPTION) -> str:
    """Return text for a picture's caption: printable ASCII, and no longer than `most` characters."""
    text = plain(text).encode("ascii", "backslashreplace").decode()
    return text if len(text) <= most else f"{text[: most - 3]}..."


def as_json(value: object, *, indent: int | None = None, default: Callable[[Any], Any] | None = None) -> str:
    """Return JSON that may be printed: unfit characters, and bytes that are not UTF-8, are JSON's escapes of them."""
    text = json.dumps(value, ensure_ascii=False, indent=indent, default=default)
    return _escaped(text, lambda character: json.dumps(character)[1:-1], kept="\n" if indent is not None else "")


def csv_bytes(rows: Iterable[Iterable[object]], *, safe: bool = False) -> bytes:
    r"""Return rows of a CSV file in UTF-8. Each line ends with ``\n``.

    Bytes that are not UTF-8 stay as they are in a name; any other lone surrogate is written out as ``\ud800``.

    Parameters
    ----------
    rows : iterable of iterables
        The cells; None becomes an empty cell.
    safe : bool
        Write each cell as `harmless` returns it.
    """
    # The writer quotes a carriage return only if lines end with it.
    lines: list[str] = []
    sink = SimpleNamespace(write=lambda line: lines.append(line.removesuffix(_LINE_END) + "\n"))
    csv.writer(sink, lineterminator=_LINE_END).writerows((map(harmless, row) for row in rows) if safe else rows)
    text = "".join(lines)
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return re.sub("[\ud800-\udc7f\udd00-\udfff]", lambda match: f"\\u{ord(match[0]):04x}", text).encode(
            "utf-8", "surrogateescape"
        )


def harmless(cell: object) -> object:
    """Return a cell of a table with an apostrophe before all that a spreadsheet would run; numbers stay as they are.

    It would run ``= + - @``, also in their wide forms, at the beginning of a text, or after a semicolon, a tab or a
    line break in it; and perhaps what comes after a tab or a line break at the beginning.
    """
    return _FORMULA.sub("'", cell) if isinstance(cell, str) else cell


def _escaped(text: str, escape: Callable[[str], str], kept: str = "") -> str:
    def written(match: re.Match[str]) -> str:
        character = match[0]
        fit = character in kept or unicodedata.category(character) not in _UNFIT
        return character if fit else escape(character)

    return _NOT_ASCII_PRINTABLE.sub(written, text)


def canonical(value: object) -> str:
    """Write JSON with sorted keys and no spaces, so that equal values give equal text and equal digests."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

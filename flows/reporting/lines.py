"""Lines of a report for people, and values as people write them."""

import sys

from flows.shell.saying import broken, columns
from storage.texts import plain


def print_lines(text: str) -> None:
    """Print text in lines that break between words at the width of a terminal; paths stay whole. In a file: a line."""
    lines = broken(plain(text), columns(), "    ") if sys.stdout.isatty() else [text]
    for line in lines:
        sys.stdout.write(f"{fit(line)}\n")


def fit(text: str) -> str:
    """Return text without control characters, in the encoding of standard output."""
    text = plain(text)
    if not encodable(text):
        text = text.encode(sys.stdout.encoding, "backslashreplace").decode(sys.stdout.encoding)
    return text


def encodable(text: str) -> bool:
    """Return whether standard output can show a text as it is."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def words(key: str) -> str:
    """Write a key of a report as people do."""
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

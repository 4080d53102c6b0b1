"""What is said on standard error, and how wide a terminal is."""

import os
import re
import shutil
import sys
import unicodedata

from storage.texts import plain

LEAST_COLUMNS = 20  # that lines are broken to, however narrow a terminal says that it is
_BOLD_RED, _NORMAL = "\x1b[1;31m", "\x1b[0m"


def say(message: str) -> None:
    """Write a line on standard error, after the name of the command."""
    name, said, stream = "captchas:", f" {plain(message)}", sys.stderr
    if stream.isatty():
        said = "\n".join(broken(name + said, columns())).removeprefix(name)
        if not os.environ.get("NO_COLOR") and os.environ.get("TERM") not in ("dumb", "unknown"):
            name = f"{_BOLD_RED}{name}{_NORMAL}"
    stream.write(f"{name}{said}\n")
    stream.flush()


def columns() -> int:
    """Return how wide the terminal is."""
    return max(LEAST_COLUMNS, shutil.get_terminal_size().columns)


def broken(text: str, width: int, indent: str = "") -> list[str]:
    """Break a line between words so that each line fits a terminal; a longer word, such as a path, stays whole.

    Parameters
    ----------
    text : str
        Without line breaks.
    width : int
        Columns of the terminal; Chinese, Japanese and Korean letters take two.
    indent : str
        What all lines but the first begin with.
    """
    lines, line, used = [], "", 0
    for part in re.findall(r" +|[^ ]+", text):
        size = _cells(part)
        if line.strip() and used + size > width and part.strip():
            lines.append(line.rstrip())
            line, used = indent, len(indent)
        line, used = line + part, used + size
    return [*lines, line.rstrip()]


def _cells(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )

"""What is said on standard error, and how wide a terminal is."""

import os
import shutil
import sys
import textwrap

from storage.texts import plain

_BOLD_RED, _NORMAL = "\x1b[1;31m", "\x1b[0m"


def say(message: str) -> None:
    """Write a line on standard error, after the name of the command."""
    name, said, stream = "captchas:", f" {plain(message)}", sys.stderr
    if stream.isatty():  # lines break between words; paths stay whole, so that they can be copied
        said = textwrap.fill(name + said, columns(), break_long_words=False, break_on_hyphens=False).removeprefix(name)
        if not os.environ.get("NO_COLOR") and os.environ.get("TERM") not in ("dumb", "unknown"):
            name = f"{_BOLD_RED}{name}{_NORMAL}"
    stream.write(f"{name}{said}\n")
    stream.flush()


def columns() -> int:
    """Return how wide the terminal is."""
    return max(20, shutil.get_terminal_size().columns)

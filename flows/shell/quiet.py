"""Whether this command shows progress and reports: `--quiet`."""

import os
import sys

QUIET = "CAPTCHAS_QUIET"


def is_quiet() -> bool:
    """Return whether only errors are to be shown."""
    return os.environ.get(QUIET, "") not in ("", "0")


def shows_progress() -> bool:
    """Return whether a bar is to be drawn: standard error is a terminal that can move its cursor, and nobody minds."""
    return sys.stderr.isatty() and os.environ.get("TERM", "") not in ("dumb", "unknown") and not is_quiet()


def tell(line: str) -> None:
    """Write a line about what is being done to standard error, unless the command is to be quiet."""
    if not is_quiet():
        sys.stderr.write(f"captchas: {line}\n")
        sys.stderr.flush()

"""A report on the terminal: one JSON object, or lines for people."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from flows.reporting.lines import encodable, print_lines, readable, words
from flows.shell.quiet import is_quiet
from storage.errors import Unwritable
from storage.texts import as_json as fit_json


def show(report: Mapping[str, object], *, as_json: bool) -> None:
    """Print a flow's report; lists of dicts become tables.

    For people, the values under `shown` replace those of the same keys; the JSON leaves `shown` out. With `--quiet`
    people get nothing.

    Raises
    ------
    Unwritable
        Standard output is full, or fails; a closed pipe is a BrokenPipeError.
    """
    if is_quiet() and not as_json:
        return
    with writing():
        _print(report, as_json)


@contextmanager
def writing() -> Iterator[None]:
    """Explain why standard output cannot be written; `show` has the errors."""
    try:
        yield
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
        if not encodable(text):
            text = json.dumps(content, indent=1, default=str)
        sys.stdout.write(text + "\n")
        return
    shown = report.get("shown")
    for key, value in (content | (shown if isinstance(shown, dict) else {})).items():
        if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
            from flows.reporting.rows import print_rows

            print_rows(key, value)
        elif value not in (None, [], {}):
            print_lines(f"{words(key)}: {readable(value)}")

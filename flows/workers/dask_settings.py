"""Dask's settings in the environment: a value that Dask cannot use is named, before workers fail for it."""

import os
from collections.abc import Callable
from typing import Any

from dask import config
from dask.utils import parse_bytes, parse_timedelta

from storage.errors import BadInput


def require_dask_settings() -> None:
    """Refuse a variable `DASK_…` whose value is of another kind than Dask's own default.

    Raises
    ------
    BadInput
    """
    defaults = config.merge(*config.defaults)
    for name, given in os.environ.items():
        if name.startswith("DASK_"):
            default = config.get(name[5:].lower().replace("__", "."), None, config=defaults)
            if not _fits(config.interpret_value(given), default):
                raise BadInput(f"{name}: must be as Dask's {default!r} is; it is {given!r}; correct or unset it")


def _fits(value: Any, default: Any) -> bool:
    """Return whether a value is of a default's kind: yes or no, a number, a time, a size or a table; else any text."""
    if value is None or default is None:
        return True
    if isinstance(default, bool):
        return isinstance(value, bool | int | float)
    if isinstance(default, int | float):
        return isinstance(value, bool | int | float) or _parses(parse_bytes, value)
    if isinstance(default, dict):
        return isinstance(value, dict)
    for parse in (parse_timedelta, parse_bytes):
        if isinstance(default, str) and default[:1].isdigit() and _parses(parse, default):
            return isinstance(value, bool | int | float) or _parses(parse, value)
    return True


def _parses(parse: Callable[[Any], Any], value: Any) -> bool:
    try:
        parse(value)
    except (ValueError, TypeError, KeyError, AttributeError):
        return False
    return True

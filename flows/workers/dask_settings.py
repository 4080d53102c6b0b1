"""Dask's settings in the environment: a value that Dask cannot use is named, before workers fail for it."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dask import config
from dask.utils import parse_bytes, parse_timedelta

from storage.errors import BadInput, full

_COMPRESSION = "distributed.comm.compression"


def require_dask_settings() -> None:
    """Refuse a variable `DASK_…` whose value is of another kind than Dask's own default.

    Raises
    ------
    BadInput
    """
    defaults = config.merge(*config.defaults)
    for name, given in os.environ.items():
        if name.startswith("DASK_"):
            key, value = name[5:].lower().replace("__", "."), config.interpret_value(given)
            default = config.get(key, None, config=defaults)
            if key == _COMPRESSION and isinstance(value, str):
                _require_compression(name, value)
            elif not _fits(value, default):
                raise BadInput(f"{name}: must be as Dask's {default!r} is; it is {given!r}; correct or unset it")


def require_scratch() -> None:
    """Refuse a folder of Dask's settings for temporary files in which this user can make none.

    Raises
    ------
    BadInput, NoSpace
    """
    folder = config.get("temporary-directory")
    if not folder:
        return
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except (OSError, TypeError, ValueError) as error:
        if no_space := full(error, Path(str(folder))):
            raise no_space from error
        name = "DASK_TEMPORARY_DIRECTORY"
        what = name if name in os.environ else "Dask's temporary-directory"
        raise BadInput(
            f"{what}: must be a folder that this user may write to ({error}); it is {folder!r}; correct or unset it"
        ) from error


def _require_compression(name: str, value: str) -> None:
    """Refuse a way of compressing that this machine lacks; Dask's default is none, which is no text."""
    from distributed.protocol.compression import compressions

    if value not in compressions:
        known = ", ".join(sorted(name for name in compressions if name))
        raise BadInput(f"{name}: must be false, {known}; it is {value!r}; correct or unset it")


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

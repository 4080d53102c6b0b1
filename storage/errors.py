"""The project's errors. Each message names the thing, the rule, the value found and the remedy.

Every class also derives from the nearest built-in exception, so that a caller may catch either.
"""

import difflib
import errno
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from storage.texts import plain

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_MOST_NAME = 255  # bytes
_SHOWN = 40  # characters of a name that is too long
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}


class CaptchasError(Exception):
    """Base class of all the project's errors."""

    exit_code = 1  # of the command: 1 for a job that failed, 2 for bad input
    report: Mapping[str, Any] | None = None  # the results up to the failure, for people and for --json; JSON values

    def __str__(self) -> str:
        """Return the message fit for a terminal, a log and Prefect's database, since it may hold foreign names."""
        return plain(super().__str__())


class BadInput(CaptchasError, ValueError):
    """A value that a person can correct: an option, a profile, a word list, a font."""

    exit_code = 2


class NotThere(CaptchasError, FileNotFoundError):
    """A dataset, model, file or folder that does not exist."""

    exit_code = 2


class Different(BadInput):
    """A dataset, model or export of that name exists, made to another specification."""


class Busy(CaptchasError, BlockingIOError):
    """Another run holds the lock."""


class Damaged(CaptchasError, OSError):
    """A file whose bytes differ from those that were sealed."""


class NoSpace(CaptchasError, OSError):
    """The disk is full, or would be before the job ends."""


class GlyphsDiffer(CaptchasError, RuntimeError):
    """Fonts or libraries on this machine draw other bitmaps than those that the dataset was made from."""


class NothingLearnt(CaptchasError, RuntimeError):
    """A training after which a model reads no better than by guessing."""


class OutOfBounds(CaptchasError, ArithmeticError):
    """A dataset's statistics differ from those that its profile promises."""


class Unwritable(CaptchasError, PermissionError):
    """A folder that the run may not write to."""


class Unreachable(CaptchasError, RuntimeError):
    """An object store that does not answer, or refuses; no OSError, which readers of shards take for damage."""


def explained(error: OSError, path: Path) -> OSError:
    """Return the project's error for a full disk or a refused write, and a new equal error for any other.

    It is new since it is raised from `error`: an error that is its own cause sends Dask's workers into an endless loop.
    """
    if error.errno in _FULL:
        return NoSpace(
            f"{path}: the disk is full ({error.strerror}); nothing half-written was kept. "
            "Free some space and give the same command again: it goes on from there"
        )
    if error.errno in _REFUSED:
        return Unwritable(
            f"{path}: this user may not write there ({error.strerror}); change the permissions or choose another folder"
        )
    return OSError(error.errno, error.strerror, str(path))


def too_long(error: OSError) -> BadInput | None:
    """Return the project's error for a name that the file system refuses as too long; None for another error."""
    if error.errno != errno.ENAMETOOLONG or error.filename is None:
        return None
    path = os.fsdecode(error.filename)
    longest = max(Path(path).parts, key=lambda part: len(os.fsencode(part)), default="")
    size = len(os.fsencode(longest))
    if size > _MOST_NAME:
        found = f"the name {longest[:_SHOWN]}… has {size} bytes"
    else:  # a lock or a temporary file has the name with an ending
        where = path if len(path) <= 2 * _SHOWN else f"{path[: 2 * _SHOWN]}…"
        found = f"{where}: a name there is too long with its ending"
    return BadInput(
        f"{found}; a file system takes {_MOST_NAME} bytes for a name and 4,095 for a path; give a shorter name, for "
        "instance with --name or --out"
    )


def ring_of_links(error: OSError | RuntimeError) -> BadInput | None:
    """Return the project's error for a link that leads to itself; None for another error."""
    if isinstance(error, OSError):
        path = os.fsdecode(error.filename) if error.errno == errno.ELOOP and error.filename is not None else None
    else:  # Path.resolve, before Python 3.13
        said = str(error)
        path = said.removeprefix("Symlink loop from ").strip("'\"") if said.startswith("Symlink loop") else None
    return (
        None
        if path is None
        else BadInput(f"{path}: a link in it leads to itself; remove the link, or name another path")
    )


def readable_size(count: int) -> str:
    """Return a number of bytes as people write it: `readable_size(1_500_000) == '1.5 MB'`."""
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 999.95:  # a size that would be shown as 1000.0 goes to the next unit
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def nearest(name: str, valid: Iterable[str]) -> str:
    """Return '; did you mean X?' if `name` is close to a valid name X, else ''."""
    close = difflib.get_close_matches(str(name), list(valid), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""

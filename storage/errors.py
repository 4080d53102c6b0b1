"""The project's errors: each names what, the rule, the value found and what to do next.

Every class is also the nearest built-in, so that a caller may catch either. `exit_code` is what the
command line ends with: 2 for bad input, 1 for a job that failed. Sizes are said as people write them.
"""

import difflib
import errno
from pathlib import Path

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}


class CaptchasError(Exception):
    """Root of the family."""

    exit_code = 1
    report: dict | None = None  # what was found out before the failure, for people and for --json


class BadInput(CaptchasError, ValueError):
    """A value that a person can mend: an option, a profile, a word list, a font."""

    exit_code = 2


class NotThere(CaptchasError, FileNotFoundError):
    """A dataset, model, file or folder that was named and does not exist."""

    exit_code = 2


class Different(BadInput):
    """Something exists under that name, made to another specification."""


class Busy(CaptchasError, BlockingIOError):
    """Another run holds the lock."""


class Damaged(CaptchasError, OSError):
    """A file whose bytes are not those that were sealed."""


class NoSpace(CaptchasError, OSError):
    """The disk is full, or would be before the job ends."""


class GlyphsDiffer(CaptchasError, RuntimeError):
    """Fonts or libraries on this machine draw other bitmaps than the dataset was made from."""


class OutOfBounds(CaptchasError, ArithmeticError):
    """A dataset's statistics are not those of what it was to hold."""


class Unwritable(CaptchasError, PermissionError):
    """A folder that the run may not write to."""


class Unreachable(CaptchasError, RuntimeError):
    """An object store that does not answer, or refuses; no OSError, lest a shard there be taken for a damaged one."""


def explained(error: OSError, path: Path) -> OSError:
    """A full disk or a refusal as the project's error, any other as a new one that says the same.

    New, because it is raised from `error`: one that is its own cause sends Dask's workers round for ever.
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


def readable_size(count: int) -> str:
    """Bytes as people write them: `readable_size(1_500_000) == '1.5 MB'`."""
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 999.95:  # what would be shown as 1000.0 goes to the next unit
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def nearest(name: str, valid) -> str:
    """'; did you mean X?' for a name close to a valid one, else ''."""
    close = difflib.get_close_matches(str(name), list(valid), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""

"""The project's errors. Each message names the thing, the rule, the value found and the remedy.

Every class also derives from the nearest built-in exception, so that a caller may catch either.
"""

import difflib
import errno
import os
import resource
import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from storage.texts import plain

_FULL = {errno.ENOSPC, errno.EDQUOT}
_KERNEL_CACHE = os.path.join("numba", "core", "caching.py")  # noqa: PTH118 - the end of a file's name, as text
_MOST_NAME, _MOST_PATH = 255, 4095  # bytes
_ENDING = 32  # bytes of the longest ending that a temporary file has
_MOST_SAID = 4000  # characters of a message
_SHOWN = 40  # characters of a name that is too long
_GONE = {errno.ENOENT, errno.ENOTDIR}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}
_ALLOW, _LATER = "give this user permission to read it", "check the disk or the network drive, and try again"
_REMEDIES = {  # of a read
    errno.ENAMETOOLONG: "give it a shorter name, or move it into a folder that lies in fewer others",
    errno.ELOOP: "remove the link in it that leads to itself",
    errno.ENXIO: "it is a socket or a device; give an ordinary file",
    errno.EISDIR: "it is a folder; give a file",
    errno.ENOTDIR: "a file stands where a folder should; give another path",
    errno.EACCES: _ALLOW, errno.EPERM: _ALLOW,
    errno.EIO: _LATER, errno.ESTALE: _LATER, errno.ENOTCONN: _LATER, errno.ETIMEDOUT: _LATER,
}  # fmt: skip


class CaptchasError(Exception):
    """Base class of all the project's errors."""

    exit_code = 1  # of the command: 1 for a job that failed, 2 for bad input
    report: Mapping[str, Any] | None = None  # the results up to the failure, for people and for --json; JSON values

    def __str__(self) -> str:
        """Return the message fit for a terminal, a log and Prefect's database, since it may hold foreign names.

        Of a long one, which quotes a foreign text without an end, the beginning and the remedy are kept.
        """
        said = plain(super().__str__())
        return said if len(said) <= _MOST_SAID else f"{said[: _MOST_SAID // 2]} … {said[-_MOST_SAID // 2 :]}"


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


class FolderGone(Unwritable, FileNotFoundError):
    """The folder that is written into is gone."""


class Exhausted(CaptchasError, RuntimeError):
    """Open files or memory that the system does not give to this process; no OSError, which could be a file's fault."""


class Unreachable(CaptchasError, RuntimeError):
    """An object store that does not answer, or refuses; no OSError, which readers of shards take for damage."""


def explained(error: OSError, path: Path) -> OSError:
    """Return the project's error for a write that found no room, no right or no folder; a new equal one for any other.

    It is new since it is raised from `error`: an error that is its own cause sends Dask's workers into an endless loop.
    """
    if error.errno == errno.EFBIG:
        return NoSpace(f"{path}: {_too_large()}; nothing half-written was kept")
    if error.errno in _FULL:
        return NoSpace(
            f"{path}: the disk is full ({error.strerror}); nothing half-written was kept. "
            "Free some space and give the same command again: it goes on from there"
        )
    if error.errno in _REFUSED:
        return Unwritable(
            f"{path}: this user may not write there ({error.strerror}); change the permissions or choose another folder"
        )
    if error.errno in _GONE and not path.parent.is_dir():
        return FolderGone(
            f"{path}: its folder is gone, or was moved away while the command ran; put it back, and give the same "
            "command again"
        )
    return OSError(error.errno, error.strerror, str(path))


def full(error: BaseException, path: Path) -> NoSpace | None:
    """Return the project's error if a write failed since the disk is full; None for any other error.

    For code that blames a value for errors of its path: nobody can correct the value for want of space.
    """
    told = explained(error, path) if isinstance(error, OSError) else None
    return told if isinstance(told, NoSpace) else None


def remedy(error: OSError) -> str:
    """Return what helps against an error of a read: permissions do not shorten a name."""
    return _REMEDIES.get(error.errno or 0, "check its permissions and the disk")


def _too_large() -> str:
    """Return the rule that a file too large breaks, and the remedy: a limit of this process, or the file system's."""
    most = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    if most == resource.RLIM_INFINITY:
        return "its file system takes no file of this size; choose a folder on another disk"
    return f"this process may write {most} bytes to a file, which are too few; raise the limit: ulimit -f unlimited"


def refused_by_system(error: BaseException) -> CaptchasError | None:
    """Return the project's error for what the system refuses to any program; None for another error.

    That is a name or path that is too long, a link that leads to itself, a working directory that is gone, a folder for
    compiled kernels, an open file or thread too many, and memory.
    """
    if isinstance(error, RuntimeError) and str(error) == "can't start new thread":  # Python has no class for it
        return Exhausted(
            "threads: this process may start no more; raise the limits (ulimit -u unlimited, ulimit -v unlimited), or "
            "end other programs"
        )
    if isinstance(error, RuntimeError) and "no locator available" in str(error):  # numba has no class for it
        return BadInput(
            "NUMBA_CACHE_DIR: must be a folder that this user may write to, since the compiled kernels can be kept "
            "neither beside their sources nor in this user's cache; export NUMBA_CACHE_DIR=FOLDER, or correct HOME"
        )
    if isinstance(error, OSError) and (
        told := _no_room_for_kernels(error) or _no_folder(error) or _too_long(error) or _too_many_files(error)
    ):
        return told
    if isinstance(error, OSError | RuntimeError) and (ring := _ring_of_links(error)):
        return ring
    return _no_memory(error)


def _no_room_for_kernels(error: OSError) -> NoSpace | None:
    """Return the project's error if numba found no room for compiled kernels; its error names no file."""
    if error.errno not in _FULL:
        return None
    frames = (frame.f_code.co_filename for frame, _ in traceback.walk_tb(error.__traceback__))
    if not any(name.endswith(_KERNEL_CACHE) for name in frames):
        return None
    folder = os.environ.get("NUMBA_CACHE_DIR") or "beside their sources, or in this user's cache"
    return NoSpace(
        f"compiled kernels: the disk is full ({error.strerror}) where they are kept, {folder}; free some space, or "
        "export NUMBA_CACHE_DIR=FOLDER, a folder on another disk"
    )


def _no_folder(error: OSError) -> NotThere | None:
    if error.errno == errno.ENOENT and error.filename is None:
        try:
            os.getcwd()  # noqa: PTH109 - what Path would call
        except FileNotFoundError:
            return NotThere("the working directory: is not there any more; go to another folder (cd), and try again")
    return None


def _too_long(error: OSError) -> BadInput | None:
    if error.errno != errno.ENAMETOOLONG or error.filename is None:
        return None
    path = os.fsdecode(error.filename)
    longest = max(Path(path).parts, key=lambda part: len(os.fsencode(part)), default="")
    size, whole = len(os.fsencode(longest)), len(os.fsencode(path))
    where = path if len(path) <= 2 * _SHOWN else f"{path[: 2 * _SHOWN]}…"
    if size > _MOST_NAME:
        return BadInput(
            f"the name {longest[:_SHOWN]}… has {size} bytes; a file system takes {_MOST_NAME} bytes for a name, so "
            "there is nothing of that name, and nothing can be made there; give another name"
        )
    if whole > _MOST_PATH:
        return BadInput(
            f"the path {where} has {whole} bytes; a file system takes {_MOST_PATH} bytes for a path; name a folder "
            "that lies in fewer others, or a shorter path from the working directory"
        )
    return BadInput(  # a lock or a temporary file has the name with an ending
        f"{where}: a name there is too long with the ending of its lock or of a temporary file; a file system takes "
        f"{_MOST_NAME} bytes for a name; choose a name of at most {_MOST_NAME - _ENDING} bytes"
    )


def _too_many_files(error: OSError) -> Exhausted | None:
    if error.errno == errno.ENFILE:
        return Exhausted("open files: this machine has too many of them; end other programs, and try again")
    if error.errno != errno.EMFILE:
        return None
    return Exhausted(
        f"open files: this process may open {resource.getrlimit(resource.RLIMIT_NOFILE)[0]}, which are too few; "
        "raise the limit: ulimit -n 256"
    )


def _no_memory(error: BaseException) -> Exhausted | None:
    """Return the error for want of memory, also where a library could not be loaded for it."""
    most = resource.getrlimit(resource.RLIMIT_AS)[0]
    limited = most != resource.RLIM_INFINITY
    loading = limited and isinstance(error, OSError | ImportError) and "shared object" in str(error)
    if not (loading or isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM):
        return None
    if limited:
        return Exhausted(
            f"memory: this process may address {readable_size(most)}, which are too few; raise the limit: "
            "ulimit -v unlimited"
        )
    return Exhausted("memory: there is too little left; end other programs, or give fewer --workers, and try again")


def _ring_of_links(error: OSError | RuntimeError) -> BadInput | None:
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

"""Limits of an owner's processes, what they know of the environment, and how all of them are ended."""

import contextlib
import ctypes
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from storage.errors import BadInput, readable_size

SECONDS, MEMORY = "CAPTCHAS_DRAW_SECONDS", "CAPTCHAS_DRAW_BYTES"  # variables that set these limits
# What a program needs to find itself, its libraries and fonts, and to know the language. All else may be a secret.
PASSED = (
    "PATH", "HOME", "USER", "LANG", "LANGUAGE", "TZ", "SHELL", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "XDG_DATA_DIRS",
    "XDG_DATA_HOME", "FONTCONFIG_FILE", "FONTCONFIG_PATH", "PYTHONPATH", "VIRTUAL_ENV", "NODE_PATH", "PERL5LIB",
    "RUBYLIB", "GEM_HOME", "GEM_PATH", "PHPRC", "PHP_INI_SCAN_DIR", "CLASSPATH", "JAVA_HOME", "GOPATH", "GOROOT",
    "DOTNET_ROOT", "LUA_PATH", "LUA_CPATH", "MAGICK_CONFIGURE_PATH", "CUDA_VISIBLE_DEVICES",
)  # fmt: skip
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
BRAKE = 1024  # processes and threads that a user may have beyond those at the start: no limit of ours, but an end
_PARENT_DEATH_SIGNAL, _CHILD_SUBREAPER = 1, 36  # of prctl(2)
_PATIENCE = 5.0  # seconds until a process that was killed has to be gone
_PAGE = resource.getpagesize()


@dataclass(frozen=True)
class Limits:
    """What drawing a picture may take.

    Parameters
    ----------
    seconds : float
        For a picture; a batch has as many times that.
    start : float
        Seconds to import a callable's module.
    memory : int
        Bytes of all processes of a picture.
    output : int
        Bytes of a picture's file, and of any other file that is written.
    pixels : int
        Of a picture.
    processes : int
        That a picture's drawing may have at a time.
    """

    seconds: float = 10.0
    start: float = 60.0
    memory: int = 2 << 30
    output: int = 32_000_000
    pixels: int = 16_000_000
    processes: int = 64

    def as_dict(self) -> dict[str, float]:
        """Return the limits as JSON values."""
        return asdict(self)

    def told(self) -> dict[str, str]:
        """Return what is said of a process that passed a limit."""
        return {
            "seconds": f"took longer than {self.seconds:g} s",
            "start": f"took longer than {self.start:g} s to import",
            "memory": f"took more than {readable_size(self.memory)} of memory",
            "output": f"wrote more than {readable_size(self.output)}",
            "processes": f"had more than {self.processes} processes at a time",
        }


def limits_of(environment: Mapping[str, str] = os.environ) -> Limits:
    """Return the limits, with those that the environment sets.

    Raises
    ------
    BadInput
    """
    usual = Limits()
    seconds = _number(environment, SECONDS, usual.seconds)
    return replace(usual, seconds=seconds, memory=int(_number(environment, MEMORY, usual.memory)))


def _number(environment: Mapping[str, str], name: str, usual: float) -> float:
    given = environment.get(name)
    if not given:
        return usual
    try:
        value = float(given)
    except ValueError:
        value = 0.0
    if not 0 < value < 1 << 62:
        raise BadInput(f"{name}: must be a number above 0; it is {given!r}; correct or unset it")
    return value


def environment_of(scratch: str) -> dict[str, str]:
    """Return the environment of an owner's process, with a folder for its temporary files."""
    passed = {name: value for name, value in os.environ.items() if name in PASSED or (name.startswith("LC_") and value)}
    own = dict.fromkeys(("TMPDIR", "TMP", "TEMP"), scratch) | dict.fromkeys(ONE_THREAD, "1")
    # Sets of texts have the same order in every process.
    return passed | own | {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}


def confined(limits: Limits, seconds: float | None) -> Callable[[], None]:
    """Return what a child does before it becomes an owner's process: the kernel's limits, and an end with its parent.

    Parameters
    ----------
    seconds : float, optional
        Processor time of each of its processes.
    """
    parent = os.getpid()
    # RLIMIT_DATA counts what may be written. RLIMIT_AS also counts what is only reserved, of which Node and Java
    # have many gigabytes.
    memory = resource.RLIMIT_DATA if sys.platform.startswith("linux") else resource.RLIMIT_AS
    chosen = [(resource.RLIMIT_CORE, 0), (memory, limits.memory), (resource.RLIMIT_FSIZE, limits.output)]
    if seconds is not None:
        chosen.append((resource.RLIMIT_CPU, int(seconds) + 2))
    if os.geteuid():
        chosen.append((resource.RLIMIT_NPROC, _tasks_of_user() + BRAKE))
    library = ctypes.CDLL(None)

    def confine() -> None:
        for number, value in chosen:
            hard = resource.getrlimit(number)[1]
            most = value if hard == resource.RLIM_INFINITY else min(value, hard)
            with contextlib.suppress(OSError, ValueError):  # a system without this limit
                resource.setrlimit(number, (most, most))
        if sys.platform.startswith("linux"):
            library.prctl(_PARENT_DEATH_SIGNAL, int(signal.SIGKILL), 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    return confine


def adopt_orphans() -> None:
    """Become the parent of all descendants whose own parent ends, so that none escapes (Linux)."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants() -> dict[int, int]:
    """Return the resident bytes of every process below this process, by its id; none on systems without /proc."""
    parents: dict[int, tuple[int, int, str]] = {}
    for name in _entries("/proc"):
        if name.isdecimal():
            with contextlib.suppress(OSError, ValueError, IndexError):
                fields = Path("/proc", name, "stat").read_bytes().rpartition(b") ")[2].split()
                parents[int(name)] = int(fields[1]), int(fields[21]) * _PAGE, fields[0].decode()
    found: dict[int, int] = {}
    grown = {os.getpid()}
    while grown:
        grown = {process for process, (parent, _, _) in parents.items() if parent in grown and process not in found}
        found |= {process: parents[process][1] for process in grown if parents[process][2] not in "ZX"}
    return found


def kill_descendants() -> None:
    """End every process below this process, also while they start others: stop them all first, then kill them."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        stopped: set[int] = set()
        while new := set(descendants()) - stopped:
            _send(new, signal.SIGSTOP)
            stopped |= new
        _send(stopped, signal.SIGKILL)
        if not reap() or not stopped:
            return
        time.sleep(0.002)


def reap() -> bool:
    """Take the exit codes of children that have ended; return whether others are left."""
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                return True
        except ChildProcessError:
            return False


def bytes_below(folder: Path, most: int) -> int:
    """Add up the sizes of the files below a folder, until they are more than `most`."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(Path(path, name)).st_size
            if total > most:
                return total
    return total


def _send(processes: set[int], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process, number)


def _tasks_of_user() -> int:
    """Count the processes and threads of this user, as RLIMIT_NPROC does."""
    count, user = 0, os.getuid()
    for name in _entries("/proc"):
        if name.isdecimal():
            with contextlib.suppress(OSError):
                if os.stat(f"/proc/{name}").st_uid == user:  # noqa: PTH116 - a thousand of them
                    count += len(_entries(f"/proc/{name}/task"))
    return count


def _entries(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 - names only, a thousand of them
    except OSError:
        return []

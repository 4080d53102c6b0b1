"""Processes that commands start: finding them, ending them, and starting a child again when it dies."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from storage.errors import CaptchasError
from storage.files import atomic

CLIENT = "CAPTCHAS_CLIENT"  # the process id of the command, in the environment of all that it starts
RUN = "PREFECT__FLOW_RUN_ID"  # in the environment of a process that runs a flow
_EVERY = 0.05  # seconds between two looks
# Seconds until a dead child is started again: longer after each death in short time.
_BACK_OFF = (1, 2, 4, 8, 15, 30)
_SHORT = 60.0  # seconds; a child that ran longer than this begins anew in _BACK_OFF
_LOG_KEPT = 1 << 20  # bytes; a longer log is renamed to .1, and a new log begins
_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of Linux's prctl
_PARENT_EVERY = 0.5  # seconds between two looks at the parent
_following: threading.Thread | None = None
# Looked up here: between fork and exec a process should not load libraries.
_prctl = getattr(ctypes.CDLL(None), "prctl", None) if sys.platform == "linux" else None


def started(pid: int) -> str | None:
    """Return a text that tells a process from a later process with the same number; None if there is no process.

    Where there is a /proc, the text is the start of the process in the kernel's ticks.
    """
    try:
        fields = Path("/proc", str(pid), "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        return None if fields[0] == "Z" else fields[19]
    except OSError:
        if Path("/proc/self/stat").exists():
            return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except OSError:
        pass  # another user's
    return "?"


def started_by(chosen: Callable[[dict[str, str], bytes], bool]) -> list[int]:
    """Find other processes of this user by environment and command line; none without /proc."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            variables = dict(
                line.partition("=")[::2] for line in (process / "environ").read_text("utf-8", "replace").split("\0")
            )
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue  # gone meanwhile, or another user's
        if int(process.name) != os.getpid() and chosen(variables, command):
            found.append(int(process.name))
    return found


def orphans(prefect_home: str | None) -> list[int]:
    """Find Prefect's servers, workers and runs of a Prefect home that outlived the command that started them."""

    def orphaned(variables: dict[str, str], command: bytes) -> bool:
        client = variables.get(CLIENT)
        return bool(
            client
            and b"prefect" in command
            and variables.get("PREFECT_HOME") == prefect_home
            and not Path("/proc", client).exists()
        )

    return started_by(orphaned)


def enders() -> list[signal.Signals]:
    """List the signals that end a command: Ctrl-C, SIGTERM, and SIGHUP unless `nohup` had it ignored."""
    ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return [signal.SIGINT, signal.SIGTERM, *([] if ignored else [signal.SIGHUP])]


def follow_parent() -> None:
    """Get SIGHUP when the parent of this process is gone, as from a terminal that is closed.

    Not if this process was started to outlive its parent: by `nohup`, by `setsid`, or with `&`.
    """
    global _following
    parent = os.getppid()
    if _following is None and not (parent == 1 or _is_detached()):
        _following = threading.Thread(target=_follow, args=(parent,), name="captchas-parent", daemon=True)
        _following.start()


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_PARENT_EVERY)
    os.kill(os.getpid(), signal.SIGHUP)


def _is_detached() -> bool:
    """Return whether this process leads a session, ignores the signals of a terminal, or is a background job."""
    ignored = {signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGINT)}
    if signal.SIG_IGN in ignored or os.getsid(0) == os.getpid():
        return True
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.getpgrp() == os.getpid() != os.tcgetpgrp(terminal)
    finally:
        os.close(terminal)


def end_with(parent: int) -> Callable[[], None]:
    """Return a `preexec_fn` with which a child gets SIGTERM when the thread that started it ends, also by SIGKILL.

    Linux only; elsewhere it does nothing.

    Parameters
    ----------
    parent : int
        The id of this process: a parent that died before the child could ask is noticed by its id.
    """

    def ask() -> None:
        if _prctl and _prctl(_PARENT_DEATH_SIGNAL, int(signal.SIGTERM), 0, 0, 0) == 0 and os.getppid() != parent:
            os._exit(1)

    return ask


def runs_of(client: int) -> list[int]:
    """Find the processes that run flows for a command's worker; they end cleanly after SIGTERM."""
    return started_by(
        lambda variables, line: variables.get(CLIENT) == str(client) and RUN in variables and b"prefect" in line
    )


def runs_alive(client: int) -> set[str]:
    """Find the ids of the living runs that a command's worker started."""
    found = set()
    for pid in runs_of(client):
        with suppress(OSError):
            lines = Path("/proc", str(pid), "environ").read_text("utf-8", "replace").split("\0")
            found |= {line.partition("=")[2] for line in lines if line.startswith(f"{RUN}=")}
    return found


def all_of(client: int) -> list[int]:
    """Find all processes that a command started, directly or indirectly."""
    return started_by(lambda variables, _: variables.get(CLIENT) == str(client))


def end(pids: Iterable[int], patience: float = 0.0) -> list[int]:
    """Send SIGTERM to processes, after `patience` seconds (if not 0) SIGKILL to the rest; return their ids."""
    before = {pid: started(pid) for pid in pids}
    for pid in before:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + patience
    left = [pid for pid, when in before.items() if patience and when]
    while left and time.monotonic() < deadline:
        time.sleep(_EVERY)
        left = [pid for pid in left if started(pid) == before[pid]]
    for pid in left:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return list(before)


class Exhausted(CaptchasError, RuntimeError):
    """A process that dies whenever it is started."""


class Child:
    """A process that is started again when it dies; its output goes to a log file.

    Parameters
    ----------
    name : str
    command : list of str
    environment : dict
    log : Path
    folder : Path, optional
        The working directory.
    ready : callable, optional
        Asked before a new start; while it returns False, the process is not started.
    """

    def __init__(
        self,
        name: str,
        command: list[str],
        environment: dict[str, str],
        log: Path,
        folder: Path | None = None,
        ready: Callable[[], bool] = lambda: True,
    ):
        self.name, self.log, self._ready = name, log, ready
        self._command, self._environment, self._folder = command, environment, folder
        self._process: subprocess.Popen[bytes] | None = None
        self.code: int | None = None  # the last exit code
        self._deaths = 0
        self._since = self._again = 0.0

    @property
    def pid(self) -> int | None:
        """Return the id of the running process; None between two runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def running(self) -> bool:
        """Return whether the process runs."""
        return self.pid is not None

    def start(self) -> None:
        """Start the process in its own session, without the terminal's signals; it ends with this process."""
        atomic.make_folder(self.log.parent)
        if self.log.exists() and self.log.stat().st_size > _LOG_KEPT:
            self.log.replace(self.log.with_name(self.log.name + ".1"))
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=self._environment, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=end_with(os.getpid()),
            )  # fmt: skip
        self._since = time.monotonic()

    def look(self) -> str | None:
        """Start the process again if it died and its wait is over; return what happened, if anything.

        Raises
        ------
        Exhausted
            The process died again and again in short time.
        """
        if self._process is None:  # dead, and waiting for its next start
            if time.monotonic() < self._again or not self._ready():
                return None
            self.start()
            return f"the {self.name} was started again (process {self.pid})"
        code = self._process.poll()
        if code is None:
            return None
        now = time.monotonic()
        self._deaths = self._deaths + 1 if now - self._since < _SHORT else 1
        if self._deaths > len(_BACK_OFF):
            raise Exhausted(
                f"the {self.name} ended {self._deaths} times in short time, at last with exit code {code}; "
                f"see {self.log}, which ends: {self.last_words()}"
            )
        wait = _BACK_OFF[self._deaths - 1]
        self._process, self._again = None, now + wait
        return f"the {self.name} ended with exit code {code}; it is started again in {wait} s; see {self.log}"

    def last_words(self) -> str:
        """Return the last line of the log that is not blank."""
        try:
            lines = self.log.read_bytes()[-4000:].decode(errors="replace").split("\n")
        except OSError:
            return "-"
        return next((line.strip() for line in reversed(lines) if line.strip()), "-")

    def end(self, patience: float) -> None:
        """End the process; kill it after `patience` seconds."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(patience)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self.code = self._process.wait()
        self._process = None

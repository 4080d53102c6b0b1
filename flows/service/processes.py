"""Processes that commands start: who started them, which are left over, and one that is started again when it dies."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from storage.errors import CaptchasError
from storage.files import atomic

CLIENT = "CAPTCHAS_CLIENT"  # the process id of the command, in the environment of all that it starts
RUN = "PREFECT__FLOW_RUN_ID"  # in the environment of a process that runs a flow
_EVERY = 0.05  # seconds between two looks
# A child that died is started again after so many seconds, the longer the more often it died in short time.
_BACK_OFF = (1, 2, 4, 8, 15, 30)
_SHORT = 60.0  # seconds; one that ran longer before it died begins anew
_LOG_KEPT = 1 << 20  # bytes; a longer log is begun anew, the old one kept as .1


def started(pid: int) -> str | None:
    """What tells a process from a later one with the same number; None if there is none.

    Its start in the kernel's ticks, where there is a /proc.
    """
    try:
        fields = Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()
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
    """Processes of this user whose environment and command line are `chosen`, but this one; none without a /proc."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            variables = dict(
                line.partition("=")[::2] for line in (process / "environ").read_text(errors="replace").split("\0")
            )
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue  # gone meanwhile, or another user's
        if int(process.name) != os.getpid() and chosen(variables, command):
            found.append(int(process.name))
    return found


def orphans(prefect_home: str | None) -> list[int]:
    """Prefect's servers, workers and runs in a Prefect home that outlived the command of ours which started them."""

    def orphaned(variables: dict[str, str], command: bytes) -> bool:
        client = variables.get(CLIENT)
        return bool(
            client
            and b"prefect" in command
            and variables.get("PREFECT_HOME") == prefect_home
            and not Path("/proc", client).exists()
        )

    return started_by(orphaned)


def runs_of(client: int) -> list[int]:
    """Processes that run flows for a command's worker: they end cleanly when they are told to."""
    return started_by(
        lambda variables, line: variables.get(CLIENT) == str(client) and RUN in variables and b"prefect" in line
    )


def runs_alive(client: int) -> set[str]:
    """Ids of the runs that have a process, of those that a command's worker started."""
    found = set()
    for pid in runs_of(client):
        with suppress(OSError):
            lines = Path("/proc", str(pid), "environ").read_text(errors="replace").split("\0")
            found |= {line.partition("=")[2] for line in lines if line.startswith(f"{RUN}=")}
    return found


def all_of(client: int) -> list[int]:
    """All processes that a command started, and those started by them."""
    return started_by(lambda variables, _: variables.get(CLIENT) == str(client))


def end(pids: Iterable[int], patience: float = 0.0) -> list[int]:
    """Tell processes to end, and with `patience` in seconds kill those that have not by then; returns them."""
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
    """A process of ours that is started again when it dies; what it says goes to a log file.

    Parameters
    ----------
    name : str
    command : list of str
    environment : dict
    log : Path
    folder : Path, optional
        Its working directory.
    ready : callable, optional
        Asked before it is started again; as long as it says False, it is not.
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
        self._process: subprocess.Popen | None = None
        self.code: int | None = None  # what it ended with last
        self._deaths = 0
        self._since = self._again = 0.0

    @property
    def pid(self) -> int | None:
        """Of the process that runs; None between two."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self.pid is not None

    def start(self) -> None:
        """Start it, out of reach of the terminal's Ctrl-C: who started it decides when it ends."""
        atomic.make_folder(self.log.parent)
        if self.log.exists() and self.log.stat().st_size > _LOG_KEPT:
            self.log.replace(self.log.with_name(self.log.name + ".1"))
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=self._environment, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        self._since = time.monotonic()

    def look(self) -> str | None:
        """Start it again if it died and its time has come; what happened since the last look, if anything.

        Raises
        ------
        Exhausted
            It died again and again within a short time.
        """
        if self._process is None:  # waits for its time
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
        """The last line of its log that says anything."""
        try:
            lines = self.log.read_bytes()[-4000:].decode(errors="replace").split("\n")
        except OSError:
            return "-"
        return next((line.strip() for line in reversed(lines) if line.strip()), "-")

    def end(self, patience: float) -> None:
        """End it; killed after `patience` seconds."""
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

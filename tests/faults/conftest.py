"""Runs that are killed, stopped and watched; each in its own session, so that all its processes can be found.

The long forms are those of `make soak`; SOAK_SEED=N chooses other moments.
"""

import ctypes
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import pytest

from tasks.datasets import generate
from tasks.datasets.inventory import inventory
from tasks.datasets.judge import judge
from tasks.datasets.prove import proof_jobs, prove

HERE = Path(__file__).parent
_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER: children of killed children become ours, so that we can reap them


def processes() -> dict[int, tuple[int, int, str]]:
    """Return {id: (parent, session, command line)} of every living process."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            state, parent, _, session = (place / "stat").read_text().rpartition(")")[2].split()[:4]
            if state not in "ZX":
                found[int(place.name)] = int(parent), int(session), (place / "cmdline").read_text()
        except (OSError, ValueError):
            continue  # gone meanwhile
    return found


class Started:
    """A command in a session of its own."""

    def __init__(self, command: list, said: Path, **options):
        self._said = said
        with said.open("w") as output, said.with_suffix(".errors").open("w") as errors:
            # Files and no pipes: workers that outlive their client would hold a pipe open.
            self.process = subprocess.Popen(
                [*map(str, command)], stdout=output, stderr=errors, start_new_session=True, **options
            )
        self.id = self.process.pid

    def workers(self) -> list[int]:
        """Return Dask's worker processes: those that multiprocessing spawned from the client."""
        return [
            one for one, (parent, session, line) in processes().items()
            if session == self.id and parent == self.id and "spawn_main" in line
        ]  # fmt: skip

    def session(self) -> list[int]:
        """Return the processes of the session that still run."""
        return [one for one, (_, session, _) in processes().items() if session == self.id]

    def kill(self, kind: str, choose: Callable = min) -> bool:
        """SIGKILL `client`, `worker` (chosen by `choose`) or `everything`; return False if it had ended already."""
        while (ids := {"client": [self.id], "worker": self.workers(), "everything": self.session()}[kind]) == []:
            if self.process.poll() is not None:
                return False
            time.sleep(0.05)
        if self.process.poll() is not None:
            return False
        for one in [choose(ids)] if kind == "worker" else ids:
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        return True

    def wait(self, patience: float = 1200) -> int:
        """Wait for the exit code. Patience is counted in polls, so that stopping the tests for a while does no harm."""
        for _ in range(int(patience / 0.02)):
            if self.process.poll() is not None:
                return self.process.returncode
            time.sleep(0.02)
        raise subprocess.TimeoutExpired(self.process.args, patience)

    def gone(self, patience: float = 60) -> bool:
        """Wait until all processes of the session end, and reap them; return whether they did."""
        for _ in range(int(patience / 0.1)):
            self.reap()
            if not self.session():
                return True
            time.sleep(0.1)  # to look at every process takes a hundredth of a second
        return False

    def reap(self) -> None:
        self.process.poll()
        with suppress(ChildProcessError):
            while os.waitpid(-self.id, os.WNOHANG)[0]:
                pass

    def end(self) -> None:
        for one in self.session():
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        self.process.wait()
        self.gone(20)

    @property
    def report(self) -> dict:
        return json.loads(self._said.read_text())

    @property
    def errors(self) -> str:
        return self._said.with_suffix(".errors").read_text()


@pytest.fixture(params=["short", pytest.param("long", marks=pytest.mark.soak)])
def long(request) -> bool:
    """Return whether the tests run in their long form, for `make soak`."""
    return request.param == "long"


@pytest.fixture(scope="session")
def seed() -> int:
    """Return the seed of the random moments."""
    return int(os.environ.get("SOAK_SEED", "1"))


@pytest.fixture
def tell(request, capsys) -> Callable[[str], None]:
    """Print a line of `make soak`."""

    def say(line: str) -> None:
        if request.node.get_closest_marker("soak"):
            with capsys.disabled():
                print(f"\n  {line}", end="", flush=True)

    return say


@pytest.fixture(scope="session")
def start(tmp_path_factory) -> Iterator[Callable[..., Started]]:
    """Start a script of this folder; all that it starts has ended after the tests."""
    folder, runs = tmp_path_factory.mktemp("said"), []
    libc = ctypes.CDLL(None, use_errno=True)
    if not sys.platform.startswith("linux") or libc.prctl(_SUBREAPER, 1, 0, 0, 0):
        pytest.skip("needs Linux, to find all processes of a session and reap them")

    def begin(script: str, *arguments, before=(), **options) -> Started:
        command = [*before, sys.executable, HERE / script, *arguments]
        runs.append(Started(command, folder / f"{len(runs)}", **options))
        return runs[-1]

    yield begin
    for run in runs:
        run.end()
    libc.prctl(_SUBREAPER, 0, 0, 0, 0)


@pytest.fixture(scope="session")
def drive() -> ModuleType:
    """Return the script as a module, for its functions."""
    spec = importlib.util.spec_from_file_location("drive", HERE / "drive.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def whole(drive, tmp_path_factory) -> Callable[[int], dict[str, str]]:
    """Draw and prove an undisturbed dataset of so many pictures in this process; return its files."""
    known = {}

    def drawn(count: int) -> dict[str, str]:
        if count not in known:
            folder = tmp_path_factory.mktemp("whole") / "d"
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(generate, "BLOCKS_A_SHARD", 1)
                drive.draw(folder, count)
            found = inventory(folder)
            assert judge(found, [prove(job) for job in proof_jobs(found)]).findings == ()
            known[count] = drive.files(folder)
        return known[count]

    return drawn


@pytest.fixture(scope="session")
def calls(start, tmp_path_factory) -> Callable[..., list[dict]]:
    """Return the findings of `calls.py`: a line for each file system call at which something went wrong."""

    def tried(*arguments) -> list[dict]:
        run = start("calls.py", tmp_path_factory.mktemp("calls") / "place", *arguments)
        assert run.wait() == 0, run.errors
        return [json.loads(line) for line in run._said.read_text().splitlines()]

    return tried


@pytest.fixture(scope="session")
def sealed_only() -> Callable[[dict, dict], None]:
    """Assert that a folder holds nothing but parts of a whole dataset, each whole, and temporary files."""

    def check(there: dict[str, str], *wholes: dict[str, str]) -> None:
        for name, digest in there.items():
            assert digest in [whole.get(name) for whole in wholes] or (name[0] == "." and name.endswith(".tmp")), name

    return check


@pytest.fixture(scope="session")
def list_files(drive) -> Callable[[Path], dict[str, str]]:
    return drive.files

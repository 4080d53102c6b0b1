"""Every end of a command ends all that it started."""

import ast
import os
import pty
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from flows.service import processes
from flows.service.run_database import DATABASE

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "flows", "generate", "hard", "--count", "3000000", "--workers", "1")

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs Linux's /proc")


# The signal that ends a command, or None if its terminal is closed, and the exit code.
ENDS = {"terminated": (signal.SIGTERM, 143), "killed": (signal.SIGKILL, -9), "its terminal closed": (None, 129)}


def until(reached: Callable[[], object], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.2)  # to look at the environment of every process takes a hundredth of a second


class Command:
    """A command that draws for long, on a home of its own, and what it started."""

    def __init__(self, home: Path):
        self.code = None
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "CAPTCHAS_"))}
        environment = clean | {"HOME": str(home), "PYTHONPATH": str(ROOT), "CAPTCHAS_HOME": str(home)}
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            with suppress(OSError):
                os.execve(sys.executable, COMMAND, environment)
            os._exit(127)

    def ended(self) -> bool:
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.code = os.waitstatus_to_exitcode(status) if pid else None
        return self.code is not None


def told(command: Command, number: signal.Signals | None) -> bool:
    """Tell a command to end once all is there: the server, a worker, its watcher. Return whether that is so."""
    if len(processes.all_of(command.pid)) < 3 and not command.ended():
        return False
    os.close(command.terminal) if number is None else os.kill(command.pid, number)
    return True


@pytest.fixture(scope="module")
def commands(environment, tmp_path_factory) -> Iterator[dict[str, Command]]:
    """One command for each way to end, all started at once, and each told to end before it draws for long."""
    started = {}
    for name in ENDS:
        home = tmp_path_factory.mktemp("signals")
        (home / "prefect").mkdir()
        # What a first run leaves: the database of the tests' own server, which is complete.
        with (
            closing(sqlite3.connect(Path(environment["TESTS_PREFECT_FOLDER"], DATABASE))) as made,
            closing(sqlite3.connect(home / "prefect" / DATABASE)) as copy,
        ):
            made.backup(copy)
        started[name] = Command(home)
    waiting = [*started]

    def all_told() -> bool:
        waiting[:] = [name for name in waiting if not told(started[name], ENDS[name][0])]
        return not waiting

    until(all_told, 180)
    yield started
    for one in started.values():
        processes.end([*processes.all_of(one.pid), *([] if one.ended() else [one.pid])], patience=5)


@pytest.mark.slow
@pytest.mark.parametrize("how", ENDS)
def test_however_a_command_ends_all_that_it_started_ends(commands, how):
    command, (_, code) = commands[how], ENDS[how]
    until(lambda: command.ended() and not processes.all_of(command.pid), 30)
    assert command.code == code


FOLLOWER = """
import os, signal, sys, time
from flows.service.processes import follow_parent
signal.signal(signal.SIGHUP, lambda *_: sys.exit(0)) if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN else None
follow_parent()
print(os.getpid(), flush=True)
time.sleep(30)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shell", "follows"),
    [('"$@"; :', True), ('nohup "$@"; :', False), ('"$@" & wait', False), ('setsid --wait "$@"; :', False)],
)
def test_a_command_ends_with_its_parent_unless_it_is_detached(shell, follows):
    """The shell stays its parent, since it has something to do afterwards."""
    command = ["bash", "-c", shell, "bash", sys.executable, "-c", FOLLOWER]
    with subprocess.Popen(
        command, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True, start_new_session=True,
    ) as parent:  # fmt: skip
        child = int(parent.stdout.readline())
        parent.kill()
        try:
            if follows:
                until(lambda: processes.started(child) is None, 20)
            else:
                time.sleep(3 * processes._PARENT_EVERY)
                assert processes.started(child)
        finally:
            processes.end([child], patience=5)


def test_nohup_keeps_a_command_running():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert signal.SIGHUP not in processes.enders()
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        assert signal.SIGHUP in processes.enders()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_beginning_imports_nothing_from_a_file():
    """Until `main` has begun, Ctrl-C shows a traceback."""
    program = (
        "import sys; before = {*sys.modules}; import beating_captchas\n"
        "print({getattr(sys.modules[name], '__file__', None) for name in {*sys.modules} - before})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    assert {*ast.literal_eval(done.stdout)} <= {None, str(ROOT / "beating_captchas.py")}


@pytest.mark.parametrize(("where", "code"), [("flushed", 130), ("say", 130), ("sys.exit", 2)])
def test_ctrl_c_while_a_mistake_is_told_shows_no_traceback(where, code):
    program = (
        "import os, signal, sys, flows.__main__ as command\n"
        f"was = command.{where}\n"
        "def interrupted(*given):\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    return was(*given)\n"
        f"command.{where} = interrupted\n"
        "sys.argv = ['captchas', 'generate', '--count=0', 'book']\n"
        "command.main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == code
    assert done.stderr in ("", "captchas: count: must be from 1 to 16,384,000,000; it is 0\n")


INTERRUPTED = """
import os, signal, sys, time, flows.__main__ as command
def work(arguments):
    {0}
command._run, sys.argv = work, ["captchas", "datasets"]
command.main()
"""


@pytest.mark.parametrize(("work", "code"), [
    # A library that makes another error of the interruption, here one that would be told as the user's mistake.
    ("""
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    except KeyboardInterrupt as interrupted:
        raise command.CaptchasError("a mistake") from interrupted""", 143),
    ("exec('os.kill(os.getpid(), signal.SIGTERM)')", 143),
    # Python runs no handler in the main thread while a library computes.
    ("""
    from flows.shell import interrupts
    interrupts.GRACE = 0.1
    import hashlib, threading
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()
    hashlib.pbkdf2_hmac("sha256", b"", b"", 100_000_000)""", 143),
], ids=["another error", "within an exec", "within a library"])  # fmt: skip
def test_a_signal_ends_with_its_code_in_time_whatever_it_interrupts(work, code, tmp_path):
    (tmp_path / "interrupted.py").write_text(INTERRUPTED.format(work))  # a module, as `python -m flows` is
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "interrupted"], capture_output=True, text=True, cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == code
    assert done.stderr in ("", "captchas: interrupted; the same command goes on from here\n")
    assert time.monotonic() - began < 15


def test_ctrl_c_before_the_command_has_begun_shows_no_traceback():
    program = (
        "import os, signal, sys, beating_captchas\n"
        "beating_captchas.clash = lambda: os.kill(os.getpid(), signal.SIGINT)\n"  # the first that it does
        "sys.argv = ['captchas', 'profiles']\n"
        "beating_captchas.main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")

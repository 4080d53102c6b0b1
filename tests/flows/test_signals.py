"""Every end of a command ends all that it started, and the next run goes on."""

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from flows.service import processes

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "flows", "generate", "hard", "--count", "3000000", "--workers", "2")

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs Linux's /proc")


@pytest.fixture(scope="module")
def environment(tmp_path_factory) -> dict[str, str]:
    """The environment of commands with a server of their own, on a home that has its database."""
    home = tmp_path_factory.mktemp("signals")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "CAPTCHAS_"))}
    environment = clean | {"HOME": str(home), "PYTHONPATH": str(ROOT), "CAPTCHAS_HOME": str(home / "data")}
    first = [sys.executable, "-m", "flows", "generate", "letters", "--count", "10", "--workers", "1"]
    subprocess.run(first, env=environment, check=True, capture_output=True)
    return environment


def until(reached: Callable[[], object], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def wait_until_it_draws(pid: int, environment: dict[str, str]) -> list[int]:
    """Return the ids of the server and the workers, once a shard more is sealed."""
    folder = Path(environment["CAPTCHAS_HOME"], "datasets", "hard")
    before = len(list(folder.glob("shard-*")))
    until(lambda: len(list(folder.glob("shard-*"))) > before, 90)
    there = processes.all_of(pid)
    assert len(there) >= 3  # the server, two workers
    return there


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_a_command_and_all_that_it_started(environment, number):
    command = subprocess.Popen(
        COMMAND, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    with command:
        wait_until_it_draws(command.pid, environment)
        os.kill(command.pid, number)
        until(lambda: command.poll() is not None, 10)
        assert command.returncode == (-number if number == signal.SIGKILL else 128 + number)
        until(lambda: not processes.all_of(command.pid), 10)
        assert (b"goes on from here" in command.stderr.read()) == (number != signal.SIGKILL)


def test_a_closed_terminal_ends_a_command_and_all_that_it_started(environment):
    pid, terminal = pty.fork()
    if pid == 0:
        with suppress(OSError):
            os.execve(sys.executable, COMMAND, environment)
        os._exit(127)
    wait_until_it_draws(pid, environment)
    os.close(terminal)
    code = []
    until(lambda: (ended := os.waitpid(pid, os.WNOHANG))[0] and code.append(ended[1]) is None, 10)
    assert os.waitstatus_to_exitcode(code[0]) == 128 + signal.SIGHUP
    until(lambda: not processes.all_of(pid), 10)


def test_nohup_keeps_a_command_running():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert signal.SIGHUP not in processes.enders()
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        assert signal.SIGHUP in processes.enders()
    finally:
        signal.signal(signal.SIGHUP, before)

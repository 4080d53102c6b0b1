"""A real Prefect server on loopback for all flow tests, and the command line as people run it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

CAPTCHAS = Path(sys.executable).with_name("captchas")
PREFECT = Path(sys.executable).with_name("prefect")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def end(process: subprocess.Popen, patience: float = 20) -> None:
    """End a process that we started, and what it started, by its group's id."""
    for sent in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, sent)
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                continue
    process.wait()


@pytest.fixture(scope="session")
def environment(tmp_path_factory) -> Iterator[dict[str, str]]:
    """The environment of all commands: a server of our own, its database in a temporary folder."""
    folder = tmp_path_factory.mktemp("prefect")
    port = free_port()
    variables = os.environ | {
        "PREFECT_HOME": str(folder),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
    }
    log = (folder / "server.log").open("w")
    server = subprocess.Popen(
        [PREFECT, "server", "start", "--host", "127.0.0.1", "--port", str(port)],
        env=variables, stdout=log, stderr=log, start_new_session=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=2):
                    break
            except OSError:
                if server.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(f"the Prefect server did not start: {(folder / 'server.log').read_text()[-2000:]}")
                time.sleep(0.3)
        yield variables
    finally:
        end(server)
        log.close()


Run = Callable[..., subprocess.CompletedProcess]


@pytest.fixture(scope="session")
def captchas(environment) -> Run:
    """Run `captchas ARGUMENTS`; `.stdout` and `.stderr` are text, `.report` the JSON object with --json."""

    def run(*arguments, timeout: float = 240, **options) -> subprocess.CompletedProcess:
        result = subprocess.run(
            [CAPTCHAS, *map(str, arguments)], env=environment, capture_output=True, text=True, timeout=timeout,
            **options,
        )  # fmt: skip
        if result.returncode == 0 and "--json" in arguments:
            result.report = json.loads(result.stdout)
        return result

    return run


@pytest.fixture(scope="session")
def start(environment) -> Iterator[Callable[..., subprocess.Popen]]:
    """Start a command in a process group of its own; all are ended with the tests."""
    started = []

    def run(*arguments, **options) -> subprocess.Popen:
        process = subprocess.Popen(
            [*map(str, arguments)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True, **options,
        )  # fmt: skip
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            end(process)
        process.stdout.close()
        process.stderr.close()


@pytest.fixture(scope="session")
def demo(captchas, tmp_path_factory) -> tuple[Path, dict]:
    """The home and report of one run of the whole demo, which several tests look at."""
    home = tmp_path_factory.mktemp("demo")
    result = captchas("demo", "--home", home, "--json")
    assert result.returncode == 0, result.stderr
    return home, result.report

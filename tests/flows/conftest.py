"""A real Prefect server on loopback for all flow tests, and the command line as people run it."""

import io
import json
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from contextvars import copy_context
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from dask import config as dask_config
from distributed.utils import get_mp_context

from flows.__main__ import main
from flows.service import embedded_server, prefect_guard, run_database
from flows.workers.cluster import crew
from tasks.lowlevel.png_encoder import png

CAPTCHAS = Path(sys.executable).with_name("captchas")
WORKERS = 2  # of commands that run in this process
# What a worker imports before its first job: Dask, and the units with their kernels.
FOR_WORKERS = ("distributed.nanny", "tasks.datasets.prove", "tasks.exchange.ingest", "tasks.scoring.evaluate",
               "tasks.solving.batches", "tasks.training.spool")  # fmt: skip


def pytest_configure() -> None:
    """Fork the Dask workers of this process from a server that has imported what they need: 0.1 s each, not 1 s.

    Commands that run as processes of their own start workers as they do for people.
    """
    dask_config.set({"distributed.worker.multiprocessing-method": "forkserver"})
    get_mp_context().set_forkserver_preload(list(FOR_WORKERS))


def end(process: subprocess.Popen, patience: float = 20) -> None:
    """End a process of the tests and its children, by the id of their group."""
    for sent in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, sent)
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                continue
    process.wait()


@pytest.fixture(scope="session")
def environment(serve) -> dict[str, str]:
    """Set the environment of all commands: the tests' Prefect server, with its database in a temporary folder.

    It is the server that a command starts where there is none, without the services of a server that stays.
    """
    url = os.environ["PREFECT_API_URL"]
    port = url.removesuffix("/api").rpartition(":")[2]
    run_database.prepare(Path(os.environ["PREFECT_HOME"]))
    set_variables = ["env", *(f"{name}={value}" for name, value in embedded_server._AS_EMBEDDED.items())]
    serve("server", [*set_variables, *prefect_guard.server_command(int(port), "--log-level", "error")], f"{url}/health")
    return dict(os.environ)


@pytest.fixture(scope="session")
def here(environment) -> Iterator[Callable]:
    """Run `captchas ARGUMENTS` in this process by `main`, without the seconds that a process takes to start.

    All commands share Dask workers that stay, except those that ask for workers or a cluster of their own.
    """
    context = copy_context()  # the open crew is a context variable; other tests must not see it
    stack = ExitStack()

    def run(*arguments: str) -> SimpleNamespace:
        own = any(argument.partition("=")[0] in ("--workers", "--cluster") for argument in arguments)
        variables = dict(os.environ)
        out, err, code = io.StringIO(), io.StringIO(), 0
        with (
            pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err),
            warnings.catch_warnings(),
        ):  # fmt: skip
            warnings.simplefilter("ignore")  # Prefect's and distributed's
            patch.setattr(sys, "argv", ["captchas", *arguments])
            try:
                if not own and "crew" not in vars(run):
                    run.crew = context.run(stack.enter_context, crew(WORKERS))
                (copy_context() if own else context).run(main)
            except SystemExit as ended:
                code = ended.code or 0
            finally:
                signal.signal(signal.SIGINT, signal.default_int_handler)
                for number in (signal.SIGHUP, signal.SIGTERM):
                    signal.signal(number, signal.SIG_DFL)
                os.environ.clear()
                os.environ.update(variables)
        return SimpleNamespace(returncode=code, stdout=out.getvalue(), stderr=err.getvalue(), report=None)

    yield run
    context.run(stack.close)
    if "prefect" in sys.modules:  # send its last messages to the server before the server ends
        sys.modules["prefect.logging.handlers"].APILogWorker.drain_all()
        sys.modules["prefect.events.worker"].EventsWorker.drain_all()


Run = Callable[..., subprocess.CompletedProcess]


@pytest.fixture(scope="session")
def captchas(environment, here) -> Run:
    """Run `captchas ARGUMENTS`; `.stdout` and `.stderr` are text, `.report` the JSON object with --json.

    `alone`, or any option of `subprocess.run`: as a process of its own.
    """

    def run(*arguments, alone: bool = False, timeout: float = 240, **options):
        arguments = [*map(str, arguments)]
        if alone or options:
            result = subprocess.run(
                [CAPTCHAS, *arguments], env=environment, capture_output=True, text=True, timeout=timeout, **options
            )
        else:
            result = here(*arguments)
        if result.returncode == 0 and "--json" in arguments:
            result.report = json.loads(result.stdout)
        return result

    return run


@pytest.fixture
def unplotted(monkeypatch) -> None:
    """Have commands of this process draw no plots, for tests that look at the rest of a report: each takes a second."""
    for name in ("plot_rates", "plot_confusion", "plot_failures", "plot_reliability"):
        monkeypatch.setattr(f"tasks.scoring.report.{name}", lambda *_: png(np.zeros((9, 9), np.uint8)))


@pytest.fixture(scope="session")
def start(environment) -> Iterator[Callable[..., subprocess.Popen]]:
    """Start a command in its own process group, which is ended with the tests."""
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
    """Run the whole demo once; return its home and report, which several tests check."""
    home = tmp_path_factory.mktemp("demo")
    result = captchas("demo", "--home", home, "--json")
    assert result.returncode == 0, result.stderr
    return home, result.report

"""What a run tells: its name, its state when it failed, its pictures; and what is tried again."""

import base64
import logging
import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.exceptions import TerminationSignal
from prefect.utilities.callables import parameter_docstrings

from flows.reporting import runs
from flows.reporting.progress import duration
from flows.workers.roster import WorkerLost
from storage.errors import BadInput, Busy
from tasks.lowlevel.png_encoder import png

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"dataset": "book", "count": 5000}, "verify-book-5000-"),
        ({"dataset": "/a/folder/own.toml", "count": None}, "verify-own-"),
        ({"dataset": ["book", "x/letters/"], "count": 1}, "verify-book-letters-1-"),
        ({"dataset": "b" * 90, "count": 1}, "verify-" + "b" * 60 + "-"),
        ({}, "verify-"),
    ],
)
def test_a_run_is_named_for_what_it_works_on_and_the_time(monkeypatch, given, name):
    monkeypatch.setattr(runs, "flow_run", SimpleNamespace(parameters=given))
    assert re.fullmatch(
        re.escape(name) + r"20\d\d-\d\d-\d\d-\d\d:\d\d:\d\d", runs.named("verify", "dataset", "count")()
    )


@pytest.mark.slow
def test_an_error_of_ours_is_the_states_message_and_reaches_the_caller_as_it_is(environment, caplog):
    error = BadInput("count: must be 1 or more; it is 0")
    error.report = {"found": 3}

    @task(cache_policy=NO_CACHE)
    def works():
        raise error

    @flow
    @runs.told
    def failing(ours: bool) -> dict:
        if not ours:
            raise KeyError("a defect")
        works()

    with caplog.at_level(logging.ERROR), pytest.raises(BadInput) as raised:
        failing(True)
    assert raised.value is error
    assert not [record for record in caplog.records if record.exc_info and "count: must" in record.getMessage()]
    state = failing(True, return_state=True)
    assert (state.type.value, state.message) == ("FAILED", str(error))
    with pytest.raises(KeyError):
        failing(False)


def test_a_runs_log_ends_with_the_result(environment, caplog):
    report = {"dataset": "d", "count": 5000, "hint": None, "rows": [{"a": 1}], "splits": {"x": 1}, "shown": {"a": 1}}

    @flow
    @runs.told
    def works() -> dict:
        return report

    with caplog.at_level(logging.INFO, "prefect.flow_runs"):
        assert works() == report
    ours = [record.getMessage() for record in caplog.records if "Result" in record.getMessage()]
    assert ours == ["Result: dataset d; count 5,000; rows 1"]
    assert works.fn() == report  # alone, without a run


def test_a_deployments_run_waits_for_a_dataset_and_a_shell_does_not(monkeypatch):
    said, waited, held = [], [], iter([True, True, False, True, True, True, True, True])
    logger = SimpleNamespace(
        warning=lambda *words: said.append(words), error=lambda *words: said.append(words), info=lambda *_: None
    )
    monkeypatch.setattr(runs, "get_run_logger", lambda: logger)
    monkeypatch.setattr(runs.time, "sleep", waited.append)
    monkeypatch.setattr(runs, "WAITS", (3, 5))
    monkeypatch.setattr(runs, "flow_run", SimpleNamespace(id="a run"))

    @runs.told
    def works():
        if next(held):
            raise Busy("another run has it")
        return {"done": True}

    monkeypatch.setattr(runs, "deployment", SimpleNamespace(id="one"))
    assert works() == {"done": True}
    assert waited == [3, 5]
    assert works().message == "another run has it"
    assert waited == [3, 5, 3, 5]
    monkeypatch.setattr(runs, "deployment", SimpleNamespace(id=None))
    assert works().is_failed()
    assert len(waited) == 4 and len(said) == 6
    monkeypatch.setattr(runs, "flow_run", SimpleNamespace(id=None))  # the function alone, outside any run
    with pytest.raises(Busy):
        works()


def test_the_waits_of_flows_within_a_flow_do_not_multiply(monkeypatch):
    waited = []
    monkeypatch.setattr(runs, "get_run_logger", lambda: logging.getLogger("tests"))
    monkeypatch.setattr(runs.time, "sleep", waited.append)
    monkeypatch.setattr(runs, "WAITS", (3, 5))
    monkeypatch.setattr(runs, "deployment", SimpleNamespace(id="one"))  # which Prefect hands to subflows

    @runs.told
    def inner():
        raise Busy("another run has it")

    @runs.told
    def outer():
        inner()

    monkeypatch.setattr(runs, "flow_run", SimpleNamespace(id=None))
    with pytest.raises(Busy):
        outer()
    assert waited == [3, 5]
    with pytest.raises(Busy):
        inner()
    assert waited == [3, 5, 3, 5]


def test_what_the_engine_adds_to_an_error_of_ours_is_dropped():
    def record(error):
        return logging.LogRecord("x", 40, "x.py", 1, "Engine execution exited", (), (type(error), error, None))

    assert not runs._told_already(record(BadInput("no")))
    assert runs._told_already(record(KeyError("a defect")))
    assert runs._told_already(logging.LogRecord("x", 20, "x.py", 1, "fine", (), None))
    ours, defect = record(BadInput("no")), record(KeyError("a defect"))
    assert runs._without_traceback(ours) and runs._without_traceback(defect)
    assert ours.exc_info is None and defect.exc_info is not None


@pytest.mark.parametrize(
    ("error", "tries"), [(WorkerLost("gone"), 3), (BadInput("no"), 1), (OSError("full"), 1)]
)  # fmt: skip
def test_only_what_may_pass_is_tried_again(environment, error, tries):
    calls = []

    @task(cache_policy=NO_CACHE, **(runs.RETRIES | {"retry_delay_seconds": 0}))
    def works():
        calls.append(1)
        raise error

    with pytest.raises(type(error)):
        works()
    assert len(calls) == tries


def test_the_back_off_grows():
    assert len(runs.RETRIES["retry_delay_seconds"]) == runs.RETRIES["retries"]
    assert list(runs.WAITS) == sorted(runs.WAITS)


def test_a_picture_in_a_report_is_small_enough():
    noise = np.random.default_rng(1).integers(0, 256, (600, 800), np.uint8)
    for image in (noise, noise[:20, :30]):
        data = png(image)
        text = runs.picture(data, "A title")
        head, _, content = text.partition("base64,")
        assert head == "![A title](data:image/png;"
        found = base64.b64decode(content.removesuffix(")"))
        assert found.startswith(b"\x89PNG") and len(found) <= runs.MOST_BYTES
        assert (found == data) == (len(data) <= runs.MOST_BYTES)


def test_prefect_shows_what_each_parameter_means():
    @runs.told
    def works(one: int = 1, other: int = 2) -> dict:
        """Do it.

        And more.

        Parameters
        ----------
        one
            First line,
            and a second: with a colon.
        other
            Another.
        """
        return {}

    @runs.told
    def plain() -> dict:
        """Do it."""
        return {}

    assert parameter_docstrings(works.__doc__) == {
        "one": "First line,\nand a second: with a colon.",
        "other": "Another.",
    }
    assert works.__doc__.startswith("Do it.\n\nAnd more.\n")
    assert plain.__doc__ == "Do it."


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 s"), (99.4, "99 s"), (100, "2 min"), (5900, "98 min"), (6000, "1 h 40 min")]
)  # fmt: skip
def test_durations_as_people_say_them(seconds, said):
    assert duration(seconds) == said


@pytest.mark.slow
def test_a_run_that_was_told_to_end_does_so_though_a_thread_holds_it():
    """Prefect would wait 30 s before it kills; at a shell, where no deployment is, the process is the user's."""
    code = """
import threading, time
from types import SimpleNamespace
from prefect.exceptions import TerminationSignal
from flows.reporting import runs

runs.ENDING, runs.deployment = 0.5, SimpleNamespace(id="a deployment")
threading.Thread(target=time.sleep, args=(90,)).start()

@runs.told
def cancelled():
    raise TerminationSignal(15)

cancelled()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60)
    assert done.returncode == 143, done.stderr.decode()


@pytest.mark.slow
def test_sigterm_ends_a_command_s_flow_as_ctrl_c_does():
    """Prefect would pass it on after it has closed the run: the time that a command has to end began too late."""
    code = """
import os, signal
from flows.reporting import runs
from flows.shell.interrupts import Ended

ended, seen = Ended(), []
signal.signal(signal.SIGINT, ended.by)
signal.signal(signal.SIGTERM, lambda *_: seen.append("Prefect"))  # as its engine does

@runs.told
def ends():
    os.kill(os.getpid(), signal.SIGTERM)

try:
    ends()
except KeyboardInterrupt:
    print(ended.code, ended.begun, seen, flush=True)
os._exit(0)  # before the timer
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "143 True []\n", done.stderr


@pytest.mark.parametrize(("state", "told"), [("CANCELLING", 1), ("RUNNING", 0)])
def test_the_server_is_told_of_a_cancelled_run_by_the_run_itself(monkeypatch, state, told):
    """Prefect's worker imports the flow once more before it tells; a run that `captchas up` ends was not cancelled."""
    states, sent = [state], []

    class Server:
        def __enter__(self):
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def read_flow_run(self, number):
            return SimpleNamespace(id=number, state=SimpleNamespace(is_cancelling=lambda: states[-1] == "CANCELLING"))

        def set_flow_run_state(self, number, state, force):
            states.append(state.type.value)
            sent.append((str(number), state.type.value, force))

    monkeypatch.setattr(runs, "get_client", lambda sync_client: Server())
    monkeypatch.setattr(runs, "deployment", SimpleNamespace(id="a deployment"))
    there = SimpleNamespace(id="00000000-0000-0000-0000-000000000001", parameters={})
    monkeypatch.setattr(runs, "flow_run", there)
    monkeypatch.setattr(runs, "_end_soon", lambda: None)

    @runs.told
    def inner():
        raise TerminationSignal(15)

    @runs.told
    def cancelled():
        there.id = "00000000-0000-0000-0000-000000000002"  # of the flow within it
        inner()

    with pytest.raises(TerminationSignal):
        cancelled()
    assert sent == [("00000000-0000-0000-0000-000000000001", "CANCELLED", True)] * told

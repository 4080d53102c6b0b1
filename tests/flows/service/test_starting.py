"""What makes commands start and end sooner leaves the process as it was."""

import gc
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, get_current_settings, temporary_settings

from flows.service import starting
from flows.service.starting import start_compiler, without_collector, without_heartbeats
from storage.errors import BadInput


@pytest.mark.parametrize("on", [True, False])
def test_the_collector_is_as_it_was(on):
    if not on:
        gc.disable()
    try:
        with pytest.raises(ImportError), without_collector():
            assert not gc.isenabled()
            raise ImportError
        assert gc.isenabled() is on
    finally:
        gc.enable()
        gc.unfreeze()


def test_commands_send_no_heartbeats_unless_the_user_sets_them():
    assert get_current_settings().flows.heartbeat_frequency is not None
    with without_heartbeats():
        assert get_current_settings().flows.heartbeat_frequency is None
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: 60}), without_heartbeats():
        assert get_current_settings().flows.heartbeat_frequency == 60


@pytest.mark.slow
def test_prefect_imports_nothing_more_once_the_rest_is_imported():
    """What a first flow run imports is imported while the server starts."""
    program = (
        "import json, sys; import flows.generate; from flows.service.starting import import_rest; import_rest(); "
        "before = set(sys.modules); import prefect.engine, prefect.flow_engine, prefect.task_engine, fastapi.encoders; "
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert json.loads(run.stdout) == []


def compiled_by(program, tmp_path, monkeypatch):
    """Have `program` stand for the compiler, and wait for its end; what is told."""
    monkeypatch.setattr("tasks.compiled.kernels_missing", lambda every: every)
    monkeypatch.setattr(starting, "compiling", lambda: ([sys.executable, "-c", program], {"ADDED": "1"}))
    told = []
    compiled = start_compiler(dict(os.environ), tmp_path, told.append)
    for _ in range(600):
        if compiled():
            return told
        time.sleep(0.05)
    raise TimeoutError


def test_kernels_that_setup_did_not_compile_are_compiled_before_a_worker_starts(tmp_path, monkeypatch):
    program = "import os, time; print('1 of 1 parts (' + os.environ['ADDED'] + ')', flush=True); time.sleep(0.3)"
    assert compiled_by(program, tmp_path, monkeypatch) == [
        "setting up the home, once: compiling the kernels, which takes a minute or more; no run starts before",
        "setting up the home, once: compiling the kernels: 1 of 1 parts (1)",
    ]


def test_kernels_that_cannot_be_compiled_are_told(tmp_path, monkeypatch):
    told = compiled_by("raise SystemExit('no room')", tmp_path, monkeypatch)
    assert told[-2:] == [
        "setting up the home, once: compiling the kernels: no room",
        f"the kernels could not be compiled; see {tmp_path / 'kernels.log'}",
    ]


@pytest.mark.parametrize("number", [signal.SIGILL, signal.SIGABRT])
def test_kernels_that_cannot_run_are_refused_at_once(monkeypatch, number):
    """Else the command and its workers would end by the same signal, without a word."""
    program = f"import os; os.kill(os.getpid(), {int(number)})"
    monkeypatch.setattr("tasks.compiled.kernels_missing", lambda: True)
    monkeypatch.setattr(starting, "compiling", lambda: ([sys.executable, "-S", "-c", program], {}))
    with pytest.raises(BadInput, match=rf"cannot run on this processor \({number.name}\); unset NUMBA_CPU_NAME"):
        starting.compile_kernels()


def test_nothing_is_told_if_setup_compiled_the_kernels(tmp_path, monkeypatch):
    monkeypatch.setattr("tasks.compiled.kernels_missing", lambda every: False)
    assert start_compiler({}, tmp_path, pytest.fail)()

"""Runs at once on one dataset: one works, the others say so and end with 1."""

import os
import signal
import time
from typing import ClassVar

import pytest

from flows.workers import cluster

BUSY = "another run is working on it"


@pytest.mark.slow
def test_a_second_run_is_refused_and_does_the_first_no_harm(start, whole, list_files, tmp_path):
    folder = tmp_path / "d"
    first = start("drive.py", folder, 5000, "--pace", 0.2)
    while not list(folder.glob("shard-*")):
        assert first.process.poll() is None, first.errors
        time.sleep(0.01)
    os.kill(first.id, signal.SIGSTOP)  # it holds the lock, however slowly the others start
    for run in [start("drive.py", folder, count) for count in (5000, 8000)]:
        assert run.wait() == 1
        assert f"{folder}: {BUSY}" in run.errors
        assert "Traceback" not in run.errors
    os.kill(first.id, signal.SIGCONT)
    assert first.wait() == 0, first.errors
    assert first.report["drawn"] == 5000
    assert list_files(folder) == whole(5000)


@pytest.mark.slow
def test_of_many_runs_at_once_each_draws_the_whole_or_is_refused(start, whole, list_files, long, tell, tmp_path):
    refused = 0
    for trial in range(10 if long else 1):
        folder = tmp_path / f"d{trial}"
        runs = [start("drive.py", folder, 5000, "--pace", 0.02) for _ in range(6 if long else 3)]
        codes = [run.wait() for run in runs]
        assert 0 in codes
        for run, code in zip(runs, codes, strict=True):
            assert code == 0 or (code == 1 and BUSY in run.errors), run.errors
        assert sum(run.report["drawn"] for run, code in zip(runs, codes, strict=True) if code == 0) == 5000
        assert list_files(folder) == whole(5000)
        refused += codes.count(1)
    tell(f"{10 if long else 1} times {6 if long else 3} runs at once: {refused} were refused")


class Slow:
    """A cluster, and a client of it, that take longer to close than they are given."""

    workers: ClassVar[dict] = {}

    def close(self, timeout: float) -> None:
        raise TimeoutError


def test_workers_that_are_slow_to_end_cost_no_run(monkeypatch):
    """Seen on a machine with five times as many busy processes as cores."""
    monkeypatch.setattr(cluster, "_start", lambda workers: Slow())
    monkeypatch.setattr(cluster, "Client", lambda local: Slow())
    with cluster.crew(1):
        done = True
    assert done
    with pytest.raises(ZeroDivisionError), cluster.crew(1):
        1 / 0  # noqa: B018 - nor does it hide what went wrong


def test_a_worker_that_dies_while_it_starts_is_said(monkeypatch):
    def fails(**_):
        raise RuntimeError("Nanny failed to start.")

    monkeypatch.setattr(cluster, "LocalCluster", fails)
    with pytest.raises(cluster.WorkerLost, match=r"ended while it started.*Nanny failed.*same command again"):
        cluster._start(1)

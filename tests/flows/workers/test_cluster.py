"""The fan-out: every job once, few in flight, lost workers replaced, errors passed on."""

import gc
import os
import subprocess
import sys
import threading
import time
from contextlib import nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import cloudpickle
import pytest
from dask.distributed import Client
from distributed.scheduler import KilledWorker

from flows.workers import cluster, roster
from flows.workers.cluster import beginning, crew
from flows.workers.fanout import AHEAD, IN_FLIGHT, fan_out
from flows.workers.roster import WorkerLost
from storage.errors import BadInput

pytestmark = pytest.mark.filterwarnings("ignore")  # distributed's own, while workers die
cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers cannot import a test module


@dataclass(frozen=True)
class Job:
    number: int


def number_of(job: Job) -> int:
    return job.number


def double(number: int) -> int:
    return 2 * number


def wait(number: int) -> int:
    time.sleep(0.05)
    return number


def die_once(marker: str) -> str:
    if not Path(marker).exists():
        Path(marker).touch()
        os._exit(9)
    return marker


def die(_) -> None:
    os._exit(9)


def wait_for_first(number: int) -> int:
    time.sleep(1.5 if number == 0 else 0.005)
    return number


def refuse(number: int) -> int:
    if number == 3:
        raise BadInput("number: must not be 3; it is 3")
    return number


@pytest.fixture(scope="module")
def client():
    with crew(2) as one:
        yield one


@pytest.mark.slow
def test_every_job_is_done_once(client):
    seen = []
    receipts = list(fan_out(client, double, range(500), on_done=seen.append))
    assert sorted(receipts) == [2 * number for number in range(500)]
    assert receipts == seen


@pytest.mark.slow
def test_few_jobs_are_in_flight(client):
    """Jobs are taken from the sequence only as receipts come back."""
    taken = 0

    class Jobs(list):
        def __iter__(self):
            nonlocal taken
            for taken in range(1, 101):  # noqa: UP028 - `taken` is what the test looks at
                yield taken

    done = 0
    for _ in fan_out(client, wait, Jobs()):
        done += 1
        assert taken <= done + 2 * IN_FLIGHT
    assert done == 100


@pytest.mark.slow
def test_what_is_done_is_not_kept(client):
    """Dask keeps the last thousand messages of each connection, with their jobs, unless it is told not to."""
    for _ in fan_out(client, number_of, map(Job, range(300))):
        pass
    gc.collect()
    assert sum(isinstance(one, Job) for one in gc.get_objects()) < 150


def test_jobs_may_be_made_as_they_are_asked_for(client):
    taken = 0

    def jobs():
        nonlocal taken
        for taken in range(1, 61):  # noqa: UP028 - `taken` is what the test looks at
            yield taken

    for done, receipt in enumerate(fan_out(client, double, jobs(), in_order=True), 1):
        assert receipt == 2 * done
        assert taken <= done + AHEAD * 2 * IN_FLIGHT
    assert taken == done == 60


@pytest.mark.slow
def test_receipts_in_order_wait_in_a_bounded_window(client):
    """The first job takes longest: so many others are done meanwhile, and no more are begun."""
    done, most = [], 0
    for number, receipt in enumerate(fan_out(client, wait_for_first, range(300), in_order=True, on_done=done.append)):
        assert receipt == number
        most = max(most, len(done) - number)
    assert len(done) == 300
    assert 2 * IN_FLIGHT < most <= AHEAD * 2 * IN_FLIGHT


def test_a_crew_within_a_crew_is_the_same(client):
    with crew(5) as inner:
        assert inner is client


def test_an_error_of_the_unit_ends_the_run(client):
    with pytest.raises(BadInput, match="must not be 3"):
        list(fan_out(client, refuse, range(1000)))


def test_a_lost_worker_costs_nothing_and_does_not_disturb_the_order(client, tmp_path):
    jobs = [str(tmp_path / f"{number}") for number in range(3)]
    assert list(fan_out(client, die_once, iter(jobs), in_order=True)) == jobs


def test_a_job_that_kills_every_worker_is_named(client, monkeypatch):
    monkeypatch.setattr(client.cluster.scheduler, "allowed_failures", 1)  # two lost workers a try, not four
    with pytest.raises(WorkerLost, match=r"die, job 1 of 1: its workers died again and again"):
        list(fan_out(client, die, ["x"], tries=2))
    assert list(fan_out(client, double, [21])) == [42]


def test_a_run_whose_workers_are_gone_ends(monkeypatch):
    """Dask alone would wait for ever."""
    monkeypatch.setattr(cluster, "_open", ContextVar("another crew than the module's", default=None))
    monkeypatch.setattr(roster, "PERIOD", 0.2)
    monkeypatch.setattr(roster, "PATIENCE", 1.0)
    with crew(1) as client:
        receipts = fan_out(client, wait, range(1000))
        next(receipts)
        client.cluster.scale(0)
        began = time.monotonic()
        with pytest.raises(WorkerLost, match="this run's worker processes ended, and none came back in 1 s"):
            list(receipts)
        assert time.monotonic() - began < 20


def die_of_odd(number: int) -> int:
    if number % 2:
        os._exit(9)
    return number


def test_other_jobs_may_take_the_place_of_one_that_is_lost(client, monkeypatch):
    monkeypatch.setattr(client.cluster.scheduler, "allowed_failures", 0)  # one lost worker a try
    replaced = []
    on_lost = lambda job: replaced.append(job) or [2 * job] * (job < 5)  # noqa: E731
    receipts = list(fan_out(client, die_of_odd, iter([3, 4, 7]), tries=3, on_lost=on_lost))
    assert [one for one in receipts if one % 2] == []
    assert {3, 7} <= {*replaced}
    # An even one may be lost as well, three times beside one that kills; each is done or replaced, and once.
    assert sorted(receipts + replaced) == sorted([3, 4, 7, *(2 * job for job in replaced if job < 5)])


def test_a_job_that_fails_while_its_receipt_is_fetched_is_done_again(client, monkeypatch):
    """As when its worker dies in that moment, and it is given out again and kills others: Dask loses the error."""
    fetch, lost = client._gather, []

    async def gather(futures, *arguments, **options):
        if not lost:
            (future,) = futures
            lost.append(future.key)
            error = KilledWorker(future.key, SimpleNamespace(address="tcp://127.0.0.1:1"), 3)
            future._state.set_error(error, None)
            raise error
        return await fetch(futures, *arguments, **options)

    monkeypatch.setattr(client, "_gather", gather)
    assert sorted(fan_out(client, double, range(20))) == [2 * number for number in range(20)]
    assert lost


@pytest.mark.soak
def test_dask_that_does_not_close_is_left_and_its_workers_are_killed(monkeypatch):
    """As when the wall clock, by which it counts, is set back by hours meanwhile."""
    stuck = threading.Event()
    monkeypatch.setattr(cluster, "_open", ContextVar("another crew than the module's", default=None))
    monkeypatch.setattr(cluster, "CLOSING", 0.2)
    monkeypatch.setattr(cluster.Client, "close", lambda *_, **__: stuck.wait(15))
    with crew(1) as client:
        (pid,) = client.run(os.getpid).values()
        began = time.monotonic()
    assert time.monotonic() - began < 10
    deadline = time.monotonic() + 20
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()
    monkeypatch.undo()
    stuck.set()
    for thread in threading.enumerate():
        if thread.name == "captchas-closing":
            thread.join(30)
    client.close()


@pytest.fixture
def no_crew(monkeypatch) -> None:
    monkeypatch.setattr(cluster, "_open", ContextVar("another crew than the module's", default=None))


def loaded() -> set[str]:
    return {"numba", "cffi"} & set(sys.modules) | {str(os.getpid())}


@pytest.mark.usefixtures("no_crew")
def test_workers_start_while_the_caller_goes_on_and_end_with_it(monkeypatch):
    gate, start = threading.Event(), cluster._start
    monkeypatch.setattr(cluster, "_start", lambda workers: gate.wait(20) and start(workers))
    with beginning(1):
        gate.set()  # reached before the workers are there
        with crew() as first, crew(3) as second:
            assert first is second
            (there,) = first.run(loaded).values()
        with crew() as again:
            assert again is first
    (pid,) = (name for name in there if name.isdigit())
    assert not Path(f"/proc/{pid}").exists()
    assert there == {"numba", pid}  # and none of what numba only looks for


class Made:
    """A cluster of no process."""

    def __init__(self):
        self.workers, self.closed = {}, False

    def close(self, timeout: float) -> None:
        self.closed = timeout > 0


@pytest.mark.usefixtures("no_crew")
def test_within_an_open_crew_no_other_workers_start(monkeypatch):
    """As for each command of a process that keeps its workers, such as that of these tests."""
    started = []
    monkeypatch.setattr(cluster, "_start", lambda workers: started.append(workers) or Made())
    with beginning(1), beginning(2):
        pass
    assert started == [1]


@pytest.mark.usefixtures("no_crew")
@pytest.mark.parametrize("error", [None, ValueError])
def test_workers_that_nobody_came_to_need_are_ended(monkeypatch, error):
    made = Made()
    monkeypatch.setattr(cluster, "_start", lambda workers: workers and made)
    with pytest.raises(error) if error else nullcontext(), beginning(1):
        if error:
            raise error
    assert made.closed
    assert cluster._open.get() is None


@pytest.mark.usefixtures("no_crew")
def test_workers_that_did_not_start_are_started_by_the_crew_itself(monkeypatch):
    tried = []

    def start(workers: int) -> Made:
        tried.append(workers)
        raise WorkerLost(f"try {len(tried)}")

    monkeypatch.setattr(cluster, "_start", start)
    with beginning(1):
        for number in (2, 3):
            with pytest.raises(WorkerLost, match=f"try {number}"), crew(2):
                pass
    assert tried == [1, 2, 2]


def test_workers_must_be_positive():
    with pytest.raises(BadInput, match="workers: must be 1 or more; it is 0"), crew(0):
        pass


def test_a_client_that_could_not_connect_is_closed_before_the_next_begins():
    """Dask closes it when it is collected; while another client starts, that would be a deadlock."""
    before = {id(found) for found in gc.get_objects() if isinstance(found, Client)}
    gc.disable()
    try:
        with pytest.raises(BadInput, match="no Dask scheduler answers") as refused:
            cluster._connect("tls://127.0.0.1:9")
        assert refused.value.__cause__  # the error is kept, with its frames
        left = [found for found in gc.get_objects() if isinstance(found, Client) and id(found) not in before]
        assert {client.status for client in left} <= {"closed"}
    finally:
        gc.enable()


def test_a_command_that_ends_at_once_is_followed_by_no_warning():
    """Python's own process told the terminal of semaphores that were left to it."""
    code = """
import os, sys
from multiprocessing import resource_tracker
from flows.workers.cluster import _start_tracker

before, start = [*sys.warnoptions], resource_tracker._resource_tracker.ensure_running
def started():
    seen.append(dict(os.environ))  # as another thread may, which copies it
    start()
seen = []
resource_tracker.ensure_running = started
_start_tracker()
resource_tracker.register("/of-no-process", "semaphore")
assert seen == [dict(os.environ)]
assert sys.warnoptions == before == ["ignore:nothing"]
os._exit(0)
"""
    environment = os.environ | {"PYTHONWARNINGS": "ignore:nothing"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")

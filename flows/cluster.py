"""A Dask client for this run, and the bounded fan-out over it."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from multiprocessing import resource_tracker
from pathlib import Path
from queue import Empty
from typing import NamedTuple

from dask import config
from dask.distributed import Client, Future, LocalCluster, as_completed
from distributed.scheduler import KilledWorker

from flows.roster import Roster, WorkerLost
from storage.errors import BadInput
from tasks.worker import Unfit

IN_FLIGHT = 4  # jobs a worker thread that are submitted at once: enough to keep it busy, few enough to cancel
AHEAD = 8  # times as many receipts may wait for the job before them, where their order is asked for
CLOSING = 10.0  # seconds that Dask has to end its workers
WAITING = 30.0  # seconds that a cluster has to get its first worker
# Workers keep the memory that they free: Dask's own setting gives it back each time, and to get it again,
# page by page, took a quarter of the time of drawing.
MEMORY = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
    "MALLOC_TOP_PAD_": str(16 << 20),
}
# Dask watches itself; on two cores that took a twelfth of the time of drawing.
QUIET = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "500ms",
    "distributed.admin.tick.limit": "1h",
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.scheduler.active-memory-manager.start": False,
    "distributed.worker.memory.monitor-interval": "1s",
}
# A process that is not back in 15 s, as on a busy machine, Dask drops for good, and in the end there is none.
PATIENT = {"distributed.deploy.lost-worker-timeout": "1d"}
IDLE = 1.0  # seconds without a receipt, after which somebody looks whether anybody is there


class _Crew(NamedTuple):
    """What is open: the client, who works, and what it was opened with."""

    client: Client
    roster: Roster
    workers: int | None
    cluster: str | None


_open: ContextVar[_Crew | None] = ContextVar("crew", default=None)


def cores() -> int:
    """How many processes run at once on this machine: what `workers` is by default."""
    return len(os.sched_getaffinity(0))


@contextmanager
def crew(
    workers: int | None = None,
    cluster: str | None = None,
    *,
    writes: Iterable[Path | str] = (),
    reads: Iterable[Path | str] = (),
) -> Iterator[Client]:
    """The Dask workers of this run: local processes, or those of a cluster, however many it has.

    A crew inside another one (a flow within a flow) is the same crew, connected again if its scheduler was lost.

    Parameters
    ----------
    workers : int, optional
        Local processes, one thread each; by default one a core.
    cluster : str, optional
        The address of a running scheduler, such as tcp://host:8786.
    writes, reads : paths
        What the workers of a cluster must see as this process does: folders that they write to, and folders or files
        that they only read.

    Raises
    ------
    BadInput
        No scheduler at that address; it has no workers; one has other software or does not see a folder.
    WorkerLost, ClusterLost
    """
    if workers is not None and workers < 1:
        raise BadInput(f"workers: must be 1 or more; it is {workers}")
    outer = _open.get()
    if outer is not None and outer.client.status == "running":
        outer.roster.require_shared(writes, reads)
        yield outer.client
        return
    if outer is not None:
        workers, cluster = outer.workers, outer.cluster
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    local = None if cluster else _start(workers or cores())
    client = _connect(cluster) if cluster else Client(local)
    try:
        roster = Roster(client, cluster)
        if cluster:
            roster.require_all()
            roster.require_shared(writes, reads)
        token = _open.set(_Crew(client, roster, workers, cluster))
        try:
            with config.set(PATIENT):
                yield client
        finally:
            _open.reset(token)
    finally:
        _close(client, local)


def _close(client: Client, local: LocalCluster | None) -> None:
    """Close both, or leave them after some seconds, the workers killed.

    On a busy machine workers take longer to end than Dask is told to wait, and Dask counts by the wall clock:
    while that is set back by hours, it waits for hours.
    """
    nannies = [(nanny, nanny.pid) for nanny in local.workers.values()] if local else []

    def closing():
        with suppress(TimeoutError):
            client.close(timeout=3)
        if local:
            with suppress(TimeoutError):
                local.close(timeout=3)

    thread = threading.Thread(target=closing, name="captchas-closing", daemon=True)
    thread.start()
    thread.join(CLOSING)
    if thread.is_alive() and local:
        local.shutdown_on_close = False  # Dask would try again, and wait again, when Python ends
        for nanny, pid in nannies:
            nanny.auto_restart = False
            if pid:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def _start(workers: int) -> LocalCluster:
    """Start worker processes that take no notice of Ctrl-C: this process decides when they end.

    A terminal sends SIGINT to the whole group. Signals that a thread blocks stay blocked in what it
    starts, so the cluster's threads and processes are started from one that blocks it.
    """
    resource_tracker.ensure_running()  # starting it later would unblock the signal again
    blocked = (signal.SIG_BLOCK, {signal.SIGINT})
    memory = {f"distributed.nanny.pre-spawn-environ.{name}": value for name, value in MEMORY.items()}
    with (
        config.set(memory | QUIET),
        ThreadPoolExecutor(1, initializer=signal.pthread_sigmask, initargs=blocked) as one,
    ):
        starting = one.submit(
            LocalCluster,
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",  # several runs at a time each need a port of their own
            silence_logs=logging.CRITICAL,
        )
        try:
            return starting.result()
        except (RuntimeError, TimeoutError) as error:
            raise WorkerLost(
                f"a worker process ended while it started, or took too long ({error}); give the same command again, "
                "with fewer --workers if memory is short"
            ) from error


def _connect(address: str) -> Client:
    try:
        client = Client(address, timeout="5s")
    except (OSError, ValueError, TimeoutError) as error:
        raise BadInput(
            f"cluster {address!r}: no Dask scheduler answers there ({error}); give tcp://HOST:PORT"
        ) from error
    deadline = time.monotonic() + WAITING
    try:
        while not client.nthreads():
            if time.monotonic() > deadline:
                raise BadInput(
                    f"cluster {address!r}: the scheduler has no workers; start some with: dask worker {address}"
                )
            time.sleep(0.1)
    except OSError as error:
        _close(client, None)
        raise Roster(client, address).lost() from error
    except BaseException:
        _close(client, None)
        raise
    return client


def fan_out(
    client: Client,
    unit: Callable,
    jobs: Iterable,
    *,
    tries: int = 3,
    in_order: bool = False,
    on_done: Callable | None = None,
    on_lost: Callable | None = None,
) -> Iterator:
    """Run `unit(job)` for every job; yield the receipts as they come, in no fixed order.

    Jobs are taken only as workers need them, few are in flight and no result outlives its receipt, so memory
    does not grow with the number of jobs. A job whose worker died is given out again, `tries` times in all; an
    error that the unit raised ends the run, since it would come again.

    Parameters
    ----------
    in_order : bool
        Yield the receipts in the order of the jobs. Those that come early wait; so many at most that memory
        stays bounded, hence a job that takes very long holds the others up.
    on_done : callable, optional
        Called with each receipt as it comes, for progress.
    on_lost : callable, optional
        Called with a job whose workers died each time, for the jobs to do in its place; they may be none. Not with
        `in_order`.

    Raises
    ------
    WorkerLost
        Naming the job whose workers died each time, or when nobody was there any more.
    ClusterLost
        The scheduler is gone. Any error of the unit is raised as it is.
    """
    crew = _open.get()
    roster = crew.roster if crew and crew.client is client else Roster(client)
    roster.look(now=True)
    work, first = roster.guard(unit)
    queue = iter(enumerate(jobs))
    # With results: they are fetched as they come, many at a time. One after another, each would wait for a round
    # from here by the scheduler to a worker and back, which on a busy cluster is longer than drawing takes.
    running = as_completed(loop=client.loop, with_results=True)
    place, attempts, early = {}, {}, {}
    taken = given = 0

    def submit(number, job):
        if client.status != "running":  # it would wait for a scheduler that may never come
            raise roster.lost()
        future = client.submit(work, *first, job, pure=False, retries=0, **roster.restriction())
        place[future.key] = (number, job)
        running.add(future)

    def fill():
        nonlocal taken
        limit = IN_FLIGHT * max(1, sum(roster.threads.values()))
        while len(place) < limit and not (in_order and taken - given >= AHEAD * limit):
            following = next(queue, None)
            if following is None:
                return
            taken += 1
            submit(*following)

    try:
        fill()
        while place:
            future, receipt = _next(running, roster)
            number, job = place.pop(future.key)
            if future.status == "cancelled" or isinstance(receipt, CancelledError):  # by nobody here
                raise roster.lost()
            error = receipt[1] if future.status == "error" else None
            if isinstance(error, KilledWorker) or (error and roster.explains(error)):
                attempts[number] = attempts.get(number, 1) + (not isinstance(error, Unfit))
                if attempts[number] > tries and on_lost and isinstance(error, KilledWorker):
                    del attempts[number]
                    for other in on_lost(job):
                        submit(number, other)
                    fill()
                    continue
                if attempts[number] > tries:
                    raise _died(unit, number, jobs) if isinstance(error, KilledWorker) else error
                submit(number, job)
                continue
            if error:
                raise error.with_traceback(receipt[2])
            future.release()
            if on_done:
                on_done(receipt)
            if in_order:
                early[number] = receipt
                while given in early:
                    receipt, given = early.pop(given), given + 1
                    yield receipt
            else:
                yield receipt
            fill()
    finally:
        futures = list(running.futures)
        if futures and client.status == "running":
            client.cancel(futures, force=True)


def _next(running: as_completed, roster: Roster) -> tuple[Future, object]:
    """The next future that is done, and its result. Nobody may be left to do one: then Dask would wait for ever."""
    while True:
        with suppress(Empty):
            done = running.queue.get(timeout=IDLE)
            roster.look()
            return done
        roster.look()


def _died(unit: Callable, number: int, jobs: Iterable) -> WorkerLost:
    which = f"job {number + 1}" + (f" of {len(jobs)}" if isinstance(jobs, Sized) else "")
    return WorkerLost(
        f"{unit.__name__}, {which}: its workers died again and again; "
        "it may need more memory than a worker has. Give the same command again to go on"
    )

"""A Dask client for this run, and the bounded fan-out over it."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from multiprocessing import resource_tracker

from dask import config
from dask.distributed import Client, LocalCluster, as_completed
from distributed.scheduler import KilledWorker

from storage.errors import BadInput, CaptchasError

IN_FLIGHT = 4  # jobs a worker thread that are submitted at once: enough to keep it busy, few enough to cancel
AHEAD = 8  # times as many receipts may wait for the job before them, where their order is asked for
CLOSING = 10.0  # seconds that Dask has to end its workers
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
_open: ContextVar[Client | None] = ContextVar("client", default=None)


class WorkerLost(CaptchasError, RuntimeError):
    """A job whose workers died each time it was tried, or workers that did not start."""


def cores() -> int:
    """How many processes run at once on this machine: what `workers` is by default."""
    return len(os.sched_getaffinity(0))


@contextmanager
def crew(workers: int | None = None, cluster: str | None = None) -> Iterator[Client]:
    """The Dask workers of this run: local processes, or those of a cluster.

    A crew inside another one (a flow within a flow) is the same crew.

    Parameters
    ----------
    workers : int, optional
        Local processes, one thread each; by default one a core.
    cluster : str, optional
        The address of a running scheduler, such as tcp://host:8786.

    Raises
    ------
    BadInput
        No scheduler at that address, or it has no workers.
    """
    if workers is not None and workers < 1:
        raise BadInput(f"workers: must be 1 or more; it is {workers}")
    outer = _open.get()
    if outer is not None:
        yield outer
        return
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    if cluster:
        client = _connect(cluster)
        local = None
    else:
        local = _start(workers or cores())
        client = Client(local)
    token = _open.set(client)
    try:
        yield client
    finally:
        _open.reset(token)
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
    deadline = time.monotonic() + 10
    while not client.nthreads():
        if time.monotonic() > deadline:
            client.close()
            raise BadInput(f"cluster {address!r}: the scheduler has no workers; start some with: dask worker {address}")
        time.sleep(0.1)
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
        Naming the job. Any error of the unit is raised as it is.
    """
    queue = iter(enumerate(jobs))
    limit = IN_FLIGHT * max(1, sum(client.nthreads().values()))
    running = as_completed()
    place, attempts, early = {}, {}, {}
    taken = given = 0

    def submit(number, job):
        future = client.submit(unit, job, pure=False, retries=0)
        place[future.key] = (number, job)
        running.add(future)

    def fill():
        nonlocal taken
        while len(place) < limit and not (in_order and taken - given >= AHEAD * limit):
            following = next(queue, None)
            if following is None:
                return
            taken += 1
            submit(*following)

    try:
        fill()
        while place:
            future = next(running)
            number, job = place.pop(future.key)
            if future.status == "error" and isinstance(future.exception(), KilledWorker):
                attempts[number] = attempts.get(number, 1) + 1
                if attempts[number] > tries and on_lost:
                    del attempts[number]
                    for other in on_lost(job):
                        submit(number, other)
                    fill()
                    continue
                if attempts[number] > tries:
                    which = f"job {number + 1}" + (f" of {len(jobs)}" if isinstance(jobs, Sized) else "")
                    raise WorkerLost(
                        f"{unit.__name__}, {which}: its workers died again and again; "
                        "it may need more memory than a worker has. Give the same command again to go on"
                    )
                submit(number, job)
                continue
            receipt = future.result()
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
        if futures:
            client.cancel(futures, force=True)

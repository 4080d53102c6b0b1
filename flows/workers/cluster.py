"""A Dask client for this run: local processes, or a cluster."""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from multiprocessing import resource_tracker
from typing import NamedTuple

from dask import config
from dask.distributed import Client, LocalCluster

from flows.parameters import require_workers
from flows.workers.certificate import temporary_security
from flows.workers.dask_settings import require_dask_settings, require_scratch
from flows.workers.roster import Roster, WorkerLost
from storage.errors import BadInput
from storage.files.places import Place
from storage.files.private import scratch_folder

_IGNORED = "ignore:resource_tracker"  # of Python's warnings
CLOSING = 10.0  # seconds that Dask has to end its workers
WAITING = 30.0  # seconds that a cluster has to get its first worker
# Workers keep the memory that they free. Dask's own setting returns it to the kernel each time; to get it again, page
# by page, took a quarter of the time of drawing.
MEMORY = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
    "MALLOC_TOP_PAD_": str(16 << 20),
}
# Dask's self-monitoring took a twelfth of the time of drawing on two cores.
QUIET = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "500ms",
    "distributed.admin.tick.limit": "1h",
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.scheduler.active-memory-manager.start": False,
    "distributed.worker.memory.monitor-interval": "1s",
    # Dask's pages show jobs and logs to every user of the machine, and take no credentials.
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
}
# Local workers import numba as named pictures do: a tenth of a second less for each.
LEAN = "flows.workers.lean"
# Set while a crew is open.
LASTING = {
    # By default Dask drops a process that is not back in 15 s, as on a busy machine; at last no process is left.
    "distributed.deploy.lost-worker-timeout": "1d",
    # By default each connection keeps its last thousand messages, with their jobs, for debugging: 300 MB.
    "distributed.admin.low-level-log-length": 10,
}


class _Crew(NamedTuple):
    """The open crew: its client, its workers, and the parameters it was opened with."""

    client: Client
    roster: Roster
    workers: int | None
    cluster: str | None


class _Begun:
    """A crew whose workers still start; `ready` waits for them."""

    def __init__(self, workers: int | None):
        self._workers = workers
        self._thread = ThreadPoolExecutor(1, "captchas-workers")
        self._local = self._thread.submit(_start, workers or cores())
        self._crew: _Crew | None = None
        self._failed = False

    def ready(self) -> _Crew | None:
        """Return the crew once its workers are there; None if they did not start."""
        if self._crew is None and not self._failed:
            try:
                local = self._local.result()
            except WorkerLost:
                self._failed = True
                return None
            client = Client(local)
            self._crew = _Crew(client, Roster(client), self._workers, None)
        return self._crew

    def end(self) -> None:
        """End the workers, also those that still start."""
        self._thread.shutdown()
        if self._local.exception() is None:
            _close(self._crew.client if self._crew else None, self._local.result())


_open: ContextVar[_Crew | _Begun | None] = ContextVar("crew", default=None)


def _opened() -> _Crew | None:
    """Return the open crew; wait for it if it still starts."""
    there = _open.get()
    return there.ready() if isinstance(there, _Begun) else there


@contextmanager
def beginning(workers: int | None) -> Iterator[None]:
    """Start the local workers of the crews within, and go on meanwhile: the first crew waits for them.

    If they do not start, each crew within starts its own, and tells what happened. Within an open crew nothing is
    started: the crews within are that one.
    """
    require_workers(workers)
    require_dask_settings()
    if _open.get() is not None:
        yield
        return
    _quieten()
    with config.set(LASTING):
        begun = _Begun(workers)
        token = _open.set(begun)
        try:
            yield
        finally:
            _open.reset(token)
            begun.end()


def _quieten() -> None:
    """Leave it to this project to tell what happens to workers."""
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def cores() -> int:
    """Count the cores that this process may use: the default of `workers`."""
    return len(os.sched_getaffinity(0))


@contextmanager
def crew(
    workers: int | None = None,
    cluster: str | None = None,
    *,
    writes: Iterable[Place | str] = (),
    reads: Iterable[Place | str] = (),
) -> Iterator[Client]:
    """Open the Dask workers of this run: local processes, or all workers of a cluster.

    A crew inside a crew (a flow within a flow) is the same crew, connected again if its scheduler was lost.

    Parameters
    ----------
    workers : int, optional
        Local processes, one thread each; by default one for each core.
    cluster : str, optional
        The address of a running scheduler, such as tcp://host:8786, or tls://host:8786 with Dask's own configuration.
    writes, reads : paths
        Folders that the workers of a cluster write to, and folders or files that they read. They must see the same
        files there as this process.

    Raises
    ------
    BadInput
        No scheduler answers at that address, it has no workers, or a worker has other software or lacks a folder.
    WorkerLost, ClusterLost
    """
    require_workers(workers)
    require_dask_settings()
    outer = _opened()
    if outer is not None and outer.client.status == "running":
        outer.roster.require_shared(writes, reads)
        yield outer.client
        return
    if outer is not None:
        workers, cluster = outer.workers, outer.cluster
    _quieten()
    with config.set(LASTING):
        local = None if cluster else _start(workers or cores())
        client = _connect(cluster) if cluster else Client(local)
        try:
            roster = Roster(client, cluster)
            if cluster:
                roster.require_all()
                roster.require_shared(writes, reads)
            token = _open.set(_Crew(client, roster, workers, cluster))
            try:
                yield client
            finally:
                _open.reset(token)
        finally:
            _close(client, local)


def _close(client: Client | None, local: LocalCluster | None) -> None:
    """Close client and cluster; after `CLOSING` seconds kill the workers and leave the rest.

    On a busy machine workers take longer to end than Dask is told to wait. And Dask waits by the wall clock: if the
    clock is set back by hours, it waits for hours.
    """
    nannies = [(nanny, nanny.pid) for nanny in local.workers.values()] if local else []

    def closing() -> None:
        if client:
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
    """Start worker processes that ignore Ctrl-C and a closed terminal: this process decides when they end.

    A terminal sends SIGINT and SIGHUP to the whole process group. Threads and processes inherit the blocked signals of
    the thread that starts them, so the cluster is started from a thread that blocks both.

    Whoever reaches a Dask port runs code as this user, and every user of the machine reaches loopback. So all
    connections are TLS in both directions, with a certificate that only these processes have, in memory.
    """
    require_scratch()
    _start_tracker()  # starting it later would unblock the signal again
    blocked = (signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    # Python imports modules from the folders of Dask's workers first. Dask's own place for these folders has the same
    # name for all users, so it may be another user's.
    lean = {"distributed.worker.preload": [*config.get("distributed.worker.preload"), LEAN]}
    scratch = {} if config.get("temporary-directory") else {"temporary-directory": str(scratch_folder())}
    memory = {f"distributed.nanny.pre-spawn-environ.{name}": value for name, value in MEMORY.items()}
    with (
        config.set(memory | QUIET | lean | scratch),
        ThreadPoolExecutor(1, initializer=signal.pthread_sigmask, initargs=blocked) as thread,
    ):
        starting = thread.submit(
            LocalCluster,
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",  # several runs at a time each need a port of their own
            silence_logs=logging.CRITICAL,
            security=temporary_security(),
            scheduler_kwargs={"dashboard": False},
        )
        try:
            return starting.result()
        except (RuntimeError, TimeoutError) as error:
            raise WorkerLost(
                f"a worker process ended while it started, or took too long ({error}); give the same command again, "
                "with fewer --workers if memory is short"
            ) from error


def _start_tracker() -> None:
    """Start Python's process that takes semaphores away, without its warning: a command that must end leaves some."""
    # The process is given these as options. Another thread may copy the environment just now, so that stays as it is.
    sys.warnoptions.append(_IGNORED)
    try:
        resource_tracker.ensure_running()
    finally:
        sys.warnoptions.remove(_IGNORED)


class _Connected(Client):
    """A client that is closed at once if it cannot connect.

    Dask would close it when it is collected. If that is while another client starts, both wait for one lock forever.
    """

    def __init__(self, address: str):
        try:
            Client.__init__(self, address, timeout="5s")
        except BaseException:
            with suppress(Exception):  # as far as it got
                Client.close(self, timeout=CLOSING)
            raise


def _connect(address: str) -> Client:
    try:
        client: Client = _Connected(address)
    except (OSError, ValueError, TypeError, TimeoutError) as error:  # TypeError: tls:// without certificates
        raise BadInput(
            f"cluster {address!r}: no Dask scheduler answers there ({error}); give tcp://HOST:PORT, or tls://HOST:PORT "
            "with the certificates in DASK_DISTRIBUTED__COMM__TLS__CA_FILE, …__CLIENT__CERT and …__CLIENT__KEY"
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


def roster_of(client: Client) -> Roster:
    """Return the roster of the open crew, or a new roster for a client of somebody else."""
    crew = _opened()
    return crew.roster if crew and crew.client is client else Roster(client)

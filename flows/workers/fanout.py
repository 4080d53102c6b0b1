"""The bounded fan-out of jobs over a Dask client."""

from collections.abc import Callable, Generator, Iterable, Sized
from concurrent.futures import CancelledError
from contextlib import suppress
from queue import Empty
from typing import Any, Generic, NamedTuple, TypeVar

from dask.distributed import Client, Future, as_completed
from dask.typing import Key
from distributed.scheduler import KilledWorker

from flows.workers.cluster import roster_of
from flows.workers.roster import WorkerLost
from tasks.worker import Unfit

IN_FLIGHT = 4  # jobs a worker thread that are submitted at once: enough to keep it busy, few enough to cancel
AHEAD = 8  # with `in_order`: receipts that may wait for an earlier job, as a multiple of the jobs in flight
IDLE = 1.0  # seconds without a receipt, after which the workers are looked at

Job = TypeVar("Job")
Receipt = TypeVar("Receipt")


def fan_out(
    client: Client,
    unit: Callable[[Job], Receipt],
    jobs: Iterable[Job],
    *,
    tries: int = 3,
    in_order: bool = False,
    on_done: Callable[[Receipt], object] | None = None,
    on_lost: Callable[[Job], Iterable[Job]] | None = None,
) -> Generator[Receipt, None, None]:
    """Run `unit(job)` for every job; yield the receipts as they come, in no fixed order.

    Jobs are taken only as workers need them, few are in flight, and each result is released with its receipt, so
    memory does not grow with the number of jobs. A job whose worker died is submitted again, `tries` times in all. An
    error that the unit raised ends the run, since it would come again.

    Parameters
    ----------
    in_order : bool
        Yield the receipts in the order of the jobs. Early receipts wait. Their number is bounded, so a job that takes
        very long holds the others up.
    on_done : callable, optional
        Called with each receipt as it comes, for progress.
    on_lost : callable, optional
        Called with a job whose workers died each time; returns the jobs to do in its place, perhaps none. Not with
        `in_order`.

    Raises
    ------
    WorkerLost
        Naming the job whose workers died each time, or when no worker was left.
    ClusterLost
        The scheduler is gone. Any error of the unit is raised as it is.
    """
    flight = _Flight(client, unit, jobs, tries, on_lost)
    early: dict[int, Receipt] = {}
    given = 0
    try:
        flight.fill()
        while flight.jobs:
            landed = flight.land()
            if landed is None:
                continue
            number, receipt = landed
            if on_done:
                on_done(receipt)
            if in_order:
                early[number] = receipt
                while given in early:
                    receipt, given = early.pop(given), given + 1
                    yield receipt
            else:
                yield receipt
            flight.fill(given if in_order else None)
    finally:
        flight.cancel()


class _Submitted(NamedTuple):
    """A job in flight."""

    number: int
    job: Any
    future: Future[Any]


class _Flight(Generic[Job, Receipt]):
    """The jobs in flight: submits them, takes their results, and submits a job again if its worker died."""

    def __init__(
        self,
        client: Client,
        unit: Callable[[Job], Receipt],
        jobs: Iterable[Job],
        tries: int,
        on_lost: Callable[[Job], Iterable[Job]] | None,
    ):
        self._client, self._unit, self._all, self._tries, self._on_lost = client, unit, jobs, tries, on_lost
        self._roster = roster_of(client)
        self._roster.look(now=True)
        self._work, self._first = self._roster.guard(unit)
        self._queue = iter(enumerate(jobs))
        # Results come with the futures, many at a time. Fetched singly, each would wait for a round trip from here by
        # the scheduler to a worker, which on a busy cluster takes longer than drawing.
        self._running = as_completed(loop=client.loop, with_results=True)
        self._attempts: dict[int, int] = {}  # of jobs whose worker died, or was unfit
        self._taken = 0
        self.jobs: dict[Key, _Submitted] = {}  # by the future's key

    def fill(self, given: int | None = None) -> None:
        """Submit jobs until enough are in flight.

        Parameters
        ----------
        given : int, optional
            How many receipts were yielded in the order of the jobs; None where order does not matter.
        """
        limit = IN_FLIGHT * max(1, sum(self._roster.threads.values()))
        while len(self.jobs) < limit and (given is None or self._taken - given < AHEAD * limit):
            following = next(self._queue, None)
            if following is None:
                return
            self._taken += 1
            self._submit(*following)

    def land(self) -> tuple[int, Receipt] | None:
        """Wait for a job; return its number and receipt, or None if it was submitted again or came twice."""
        future, result = self._next()
        if future.key not in self.jobs:  # it came after all, twice
            return None
        number, job, _ = self.jobs.pop(future.key)
        if future.status == "cancelled" or isinstance(result, CancelledError):  # not by this process
            raise self._roster.lost()
        if future.status == "error":
            _, error, traceback = result
            if not (isinstance(error, KilledWorker) or self._roster.explains(error)):
                raise error.with_traceback(traceback)
            self._again(number, job, error)
            return None
        future.release()
        return number, result

    def cancel(self) -> None:
        """Cancel all jobs in flight."""
        futures = list(self._running.futures)
        if futures and self._client.status == "running":
            self._client.cancel(futures, force=True)

    def _submit(self, number: int, job: Job) -> None:
        if self._client.status != "running":  # it would wait for a scheduler that may never come
            raise self._roster.lost()
        future = self._client.submit(
            self._work, *self._first, job, pure=False, retries=0, **self._roster.restriction()
        )  # fmt: skip
        self.jobs[future.key] = _Submitted(number, job, future)
        self._running.add(future)

    def _again(self, number: int, job: Job, error: Exception) -> None:
        """Submit a job again whose worker died or was unfit; after `tries` deaths, the jobs to do in its place."""
        self._attempts[number] = self._attempts.get(number, 1) + (not isinstance(error, Unfit))
        if self._attempts[number] <= self._tries:
            self._submit(number, job)
        elif not isinstance(error, KilledWorker):
            raise error
        elif self._on_lost is None:
            raise self._died(number)
        else:
            del self._attempts[number]
            for other in self._on_lost(job):
                self._submit(number, other)
            self.fill(None)

    def _next(self) -> tuple[Future[Any], Any]:
        """Return the next future that is done, and its result, also in two cases in which Dask would wait for ever.

        No worker is left. Or a worker died before its receipt was fetched, and the job failed when it was done
        again: the error that Dask meets while it fetches (distributed 2026.8, `as_completed._track_future`) is lost.
        """
        failed: set[Key] = set()  # at the last look; a moment later they may come by themselves
        while True:
            with suppress(Empty):
                done: tuple[Future[Any], Any] = self._running.queue.get(timeout=IDLE)
                self._roster.look()
                return done
            self._roster.look()
            before = failed
            failed = {key for key, submitted in self.jobs.items() if submitted.future.status == "error"}
            for key in failed & before:
                future = self.jobs[key].future
                error = future.exception()
                return future, (type(error), error, future.traceback())

    def _died(self, number: int) -> WorkerLost:
        which = f"job {number + 1}" + (f" of {len(self._all)}" if isinstance(self._all, Sized) else "")
        return WorkerLost(
            f"{self._unit.__name__}, {which}: its workers died again and again; "
            "it may need more memory than a worker has. Give the same command again to go on"
        )

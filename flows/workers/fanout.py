"""The bounded fan-out of jobs over a Dask client."""

from collections.abc import Callable, Iterable, Iterator, Sized
from concurrent.futures import CancelledError
from contextlib import suppress
from queue import Empty

from dask.distributed import Client, Future, as_completed
from distributed.scheduler import KilledWorker

from flows.workers.cluster import roster_of
from flows.workers.roster import Roster, WorkerLost
from tasks.worker import Unfit

IN_FLIGHT = 4  # jobs a worker thread that are submitted at once: enough to keep it busy, few enough to cancel
AHEAD = 8  # times as many receipts may wait for the job before them, where their order is asked for
IDLE = 1.0  # seconds without a receipt, after which somebody looks whether anybody is there


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
    roster = roster_of(client)
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
        place[future.key] = (number, job, future)
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
            future, receipt = _next(running, roster, place)
            if future.key not in place:  # it came after all, twice
                continue
            number, job, _ = place.pop(future.key)
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


def _next(running: as_completed, roster: Roster, place: dict[str, tuple]) -> tuple[Future, object]:
    """The next future that is done, and its result, in two cases in which Dask would wait for ever.

    Nobody is left to do one. Or a worker died before its receipt was fetched, and the job failed when it was done
    again: the error that Dask meets while it fetches (distributed 2026.8, `as_completed._track_future`) is lost.
    """
    failed = set()  # at the look before; a moment later they may come by themselves
    while True:
        with suppress(Empty):
            done = running.queue.get(timeout=IDLE)
            roster.look()
            return done
        roster.look()
        before, failed = failed, {key for key, (*_, future) in place.items() if future.status == "error"}
        for key in failed & before:
            *_, future = place[key]
            error = future.exception()
            return future, (type(error), error, future.traceback())


def _died(unit: Callable, number: int, jobs: Iterable) -> WorkerLost:
    which = f"job {number + 1}" + (f" of {len(jobs)}" if isinstance(jobs, Sized) else "")
    return WorkerLost(
        f"{unit.__name__}, {which}: its workers died again and again; "
        "it may need more memory than a worker has. Give the same command again to go on"
    )

"""The workers of a run: they are present, have the run's software, and see its folders."""

import logging
import re
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from dask.distributed import Client

from storage.errors import BadInput, CaptchasError
from storage.files import atomic
from storage.files.judged_folders import judged
from storage.files.places import ObjectPath, Place
from storage.texts import plain
from tasks import worker

PERIOD = 2.0  # seconds between two looks at who is there, which cost 2 ms each
ANSWER = 30.0  # seconds that the scheduler or a worker has to answer a question
PATIENCE = 60.0  # seconds without a worker, or without an answer, until a run is given up
REVIVE = 5.0  # seconds that Dask has to start a process again, before it is done here
TRIES = 3  # looks at a folder, in which files may come and go meanwhile
_URL = re.compile(r"[a-z0-9+]{2,}:/")


class Passing(CaptchasError):
    """A failure that may not come again: the same job may succeed a while later.

    Finished work is sealed, so a retry goes on from there. Other errors come again: bad input, a damaged file, a full
    disk.
    """


class WorkerLost(Passing, RuntimeError):
    """A job whose workers died each time it was tried, workers that did not start, or no worker left."""


class ClusterLost(Passing, ConnectionError):
    """The scheduler went away, or does not answer. A retry must connect again, so the flow retries, not a task."""


class Roster:
    """The workers of a run.

    Parameters
    ----------
    client : Client
    address : str, optional
        The cluster's address. Without it the workers are processes that this run started; then only their presence is
        checked, not their software.

    Attributes
    ----------
    threads : dict of int
        By the address of each worker that may work for this run: its number of threads.
    refused : dict of str
        By the address of each other worker: why it is refused.
    """

    def __init__(self, client: Client, address: str | None = None):
        self.client, self.address = client, address
        self.threads: dict[str, int] = {}
        self.refused: dict[str, str] = {}
        self._looked = time.monotonic()
        self._missed: float | None = None  # the first time that no worker was there or the scheduler did not answer
        self._short: float | None = None  # the first time that a local process was missing

    def require_all(self) -> None:
        """Refuse a cluster if any worker has other software.

        Raises
        ------
        BadInput
            Naming the workers and what differs.
        ClusterLost
        """
        self.look(now=True)
        if self.refused:
            raise BadInput(
                f"cluster {self.address!r}: {len(self.refused)} of {len(self.refused) + len(self.threads)} workers "
                f"cannot work for this run: {self._objections()}. Install the same version of this project there, with "
                "the same constraints.txt, and start the workers again"
            )

    def look(self, now: bool = False) -> None:
        """List the workers, at most once in `PERIOD` seconds unless `now`; examine the new workers of a cluster.

        Raises
        ------
        WorkerLost
            There was no worker for `PATIENCE` seconds.
        ClusterLost
        """
        began = time.monotonic()
        if not now and began - self._looked < PERIOD:
            return
        if self.client.status != "running":
            raise self.lost()
        there = None
        try:
            there = self._ask_scheduler()
        except TimeoutError:
            pass  # a busy machine: it may answer the next time
        except OSError as error:
            raise self.lost() from error
        if there is not None:
            if self.address:
                self._examine(there.keys() - self.threads.keys() - self.refused.keys())
                self.refused = {name: why for name, why in self.refused.items() if name in there}
            self.threads = {name: count for name, count in there.items() if name not in self.refused}
            if not self.address:
                self._revive(began)
        self._looked = time.monotonic()
        if self.threads and there is not None:
            self._missed = None
            return
        if self._missed is None:
            self._missed = began
        if self._looked - self._missed > PATIENCE:
            raise self._nobody() if there is not None else self.lost(f"did not answer for {PATIENCE:.0f} s")

    def restriction(self) -> dict[str, Any]:
        """Return the options of `Client.submit` that keep a job from refused workers; empty in most runs."""
        return {"workers": list(self.threads), "allow_other_workers": True} if self.refused and self.threads else {}

    def guard(self, unit: Callable[..., object]) -> tuple[Callable[..., object], tuple[object, ...]]:
        """Return the function to submit, and its arguments before the job.

        On a cluster it checks its worker first: a new worker may get jobs before this process has examined it. Workers
        of this machine judge folders by what this process has found: elsewhere a folder may lead elsewhere.
        """
        if self.address:
            return worker.do, (unit, worker.software_fingerprint())
        return worker.do_within, (unit, judged())

    def explains(self, error: Exception) -> bool:
        """Return whether a job failed because of its worker; `look` finds out which worker."""
        if not self.address or not isinstance(error, worker.Unfit | ImportError | AttributeError):
            return False
        if isinstance(error, worker.Unfit):  # a worker came back with other software at its old address
            self.threads = {}
        self.look(now=not self.threads or not self.refused)
        if not self.threads:
            time.sleep(PERIOD)  # no worker is fit: jobs would only be submitted again and again
        return isinstance(error, worker.Unfit) or bool(self.refused)

    def require_shared(self, writes: Iterable[Place | str] = (), reads: Iterable[Place | str] = ()) -> None:
        """Refuse a cluster if a worker sees other folders than this process; URLs are not checked.

        Parameters
        ----------
        writes : paths of folders
            Where the run's results go: a file is written, looked for by the workers, and removed.
        reads : paths of files or folders
            Nothing is written; the files are compared.

        Raises
        ------
        BadInput
            Naming the workers and the path.
        """
        if not self.address:
            return
        for path in _folders(writes):
            token = atomic.temporary(atomic.make_folder(path) / "shared.token", atomic.new_run())
            try:
                atomic.publish(token, token.name.encode(), atomic.new_run())
                self._compare(path, partial(worker.sample, token))
            finally:
                atomic.discard(token)
        for path in _folders(reads):
            self._compare(path, partial(worker.sample, path))

    def lost(self, what: str = "is gone, or was restarted") -> ClusterLost:
        """Return the error of a run without a scheduler."""
        if not self.address:
            return ClusterLost("this run's own Dask scheduler is gone; give the same command again to go on")
        return ClusterLost(
            f"cluster {self.address!r}: the scheduler {what}. Start it and its workers again (dask scheduler; "
            "dask worker ADDRESS), then give the same command again: it goes on from here"
        )

    def _nobody(self) -> WorkerLost:
        if not self.address:
            return WorkerLost(
                f"this run's worker processes ended, and none came back in {PATIENCE:.0f} s; give the same command "
                "again to go on, with fewer --workers if memory is short"
            )
        refused = f", and those that came were refused ({self._objections()})" if self.refused else ""
        return WorkerLost(
            f"cluster {self.address!r}: no worker was left for {PATIENCE:.0f} s{refused}. Start some with "
            f"`dask worker {self.address}`, then give the same command again: it goes on from here"
        )

    def _revive(self, now: float) -> None:
        """Start local processes again that Dask has given up: it does so if a process dies while it starts.

        Otherwise a job that kills its worker at once, again and again, would leave no process.
        """
        cluster = self.client.cluster
        if cluster is None:
            return
        nannies = [nanny for nanny in cluster.workers.values() if hasattr(nanny, "is_alive")]
        if len(self.threads) >= len(nannies):
            self._short = None
        elif self._short is None:
            self._short = now
        elif now - self._short > REVIVE:
            self._short = now
            for nanny in nannies:
                if not nanny.is_alive():
                    cluster.loop.add_callback(nanny.restart)

    def _examine(self, names: Iterable[str]) -> None:
        """Compare the software of workers with this process's."""
        answers = self._ask(worker.record, names=list(names))
        for name, answer in answers.items():
            if isinstance(answer, OSError):
                continue  # it went away, or the next look asks it again
            if isinstance(answer, Exception):
                why = f"it lacks this project, or has another version of it ({type(answer).__name__}: {answer})"
            else:
                why = ", ".join(worker.differences(answer, worker.record()))
            if why:
                self.refused[name] = why
                logging.getLogger(__name__).warning("worker %s gets no job of this run: %s", plain(name), plain(why))

    def _compare(self, path: Path, look: Callable[[], dict[str, str]]) -> None:
        for attempt in range(TRIES):
            time.sleep(attempt)
            answers = self._ask(worker.differing_files, look())
            wrong = sorted(name for name, answer in answers.items() if answer and not isinstance(answer, OSError))
            if not wrong:
                return
        raise BadInput(
            f"cluster {self.address!r}: {len(wrong)} of {len(answers)} workers do not see what is at {path}: "
            f"{', '.join(wrong[:3])}{' …' if len(wrong) > 3 else ''}. Mount the same folder there under the same "
            "path, or choose a path that all machines share"
        )

    def _objections(self) -> str:
        """Return the refused workers and the reasons, equal reasons together."""
        by_reason: dict[str, list[str]] = {}
        for name, why in sorted(self.refused.items()):
            by_reason.setdefault(why, []).append(name)
        return "; ".join(
            f"{names[0]}{f' and {len(names) - 1} more' if names[1:] else ''}: {why}"
            for why, names in by_reason.items()
        )  # fmt: skip

    def _ask_scheduler(self) -> dict[str, int]:
        """Return {address: threads} of all workers."""
        scheduler: Any = self.client.scheduler  # None once Dask has closed the client
        try:
            threads: dict[str, int] = self.client.sync(scheduler.ncores, callback_timeout=ANSWER)
        except (AttributeError, RuntimeError) as error:  # closed just now by Dask's own thread
            raise self.lost() from error
        return threads

    def _ask(
        self, question: Callable[..., object], *arguments: object, names: list[str] | None = None
    ) -> dict[str, Any]:
        """Return {address: answer or error} of these workers, or of all that were not refused.

        As `Client.run`, but with a time limit: a frozen worker would never answer.
        """
        names = list(self.threads) if names is None else names
        if not names:
            return {}
        try:
            answers: dict[str, Any] = self.client.sync(
                self.client._run, question, *arguments, workers=names, on_error="return", callback_timeout=ANSWER
            )
        except TimeoutError as error:
            raise WorkerLost(
                f"cluster {self.address!r}: a worker did not answer in {ANSWER:.0f} s ({', '.join(names[:3])}"
                f"{' …' if len(names) > 3 else ''}); end the worker that hangs, then give the same command again"
            ) from error
        except OSError as error:
            raise self.lost() from error
        return answers


def _folders(places: Iterable[Place | str]) -> list[Path]:
    """Return the places that are no URLs, as absolute paths."""
    return [Path(place).resolve() for place in places if not (isinstance(place, ObjectPath) or _URL.match(str(place)))]

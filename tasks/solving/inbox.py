"""The state that all parts of a run over an inbox share: its numbers in the ledger, its counts, its moves."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from storage.errors import CaptchasError
from storage.files import atomic
from storage.files.locks import inbox_locked
from storage.ledger.answered import AnsweredPicture
from storage.ledger.ledger import SOLVED, Answer, Ledger, LedgerEntry
from tasks.solving.batches import SolvePlan
from tasks.solving.choice import EarlyLook, ReadAgain, SolveChoice, SolveOutcome
from tasks.solving.moving import Mover

WRITTEN = 1024  # answers in one transaction


class Inbox:
    """A run over a folder, or over a single picture. The caller holds the folder's lock.

    Attributes
    ----------
    choice : SolveChoice
    plan : SolvePlan
    ledger : Ledger
    early : EarlyLook or None
        A look at the files before the run, from which the wait for the second look counts.
    folder, settings, run : int
        The numbers of the folder, of the plan's settings and of this run in the ledger.
    outcome : SolveOutcome
        The counts of the whole run, of all its attempts.
    again : ReadAgain or None
        What the second reading came to, in all attempts; None if no picture was read again.
    mover : Mover
    fatal : dict of bytes to str
        The contents that ended the process that read them, with the reason. They are not read again in this run.
    attempts : int
        How often the run has begun to solve the inbox.
    progress : callable
        Called now and then with the number of files that are done.
    holds : callable
        Tells by its answer whether a solved file is not moved at once, since it may be read again.
    """

    def __init__(self, choice: SolveChoice, plan: SolvePlan, ledger: Ledger, early: EarlyLook | None = None):
        self.choice, self.plan, self.ledger, self.early = choice, plan, ledger, early
        self.folder = ledger.folder(choice.folder)
        self.settings = ledger.settings(plan.model_sha256, plan.settings)
        self.run = ledger.begin(self.folder)
        self.outcome = SolveOutcome()
        self.again: ReadAgain | None = None
        self.mover = Mover(ledger, self.folder, choice.folder, choice.move_to, atomic.new_run())
        self.fatal: dict[bytes, str] = {}
        self.attempts = 0
        self.progress: Callable[[int], None] = _ignore
        self.holds: Callable[[Answer], bool] = _never
        self._held: list[str] = []

    def begin(self) -> None:
        """Prepare the next attempt: it takes the counts of what earlier attempts have answered from the ledger."""
        if self.attempts:
            moved = Counter({SOLVED: self.mover.moved})  # no listing finds these files again
            before = self.outcome
            self.outcome = SolveOutcome(read=before.read, counts=moved, others=before.others, failures=before.failures)
            for _ in self.ledger.waiting():
                pass  # a path that is taken out is forgotten
        self.attempts += 1
        self.progress = _ignore

    def write(self, entries: list[LedgerEntry]) -> None:
        """Write answers to the ledger, count them, and move the solved files."""
        for first in range(0, len(entries), WRITTEN):
            chunk = entries[first : first + WRITTEN]
            held = [entry for entry in chunk if self.holds(entry.answer)]
            self._held += [entry.picture.path for entry in held]
            some = [*self.mover.aim([entry for entry in chunk if not self.holds(entry.answer)]), *held]
            with self.ledger.transaction():
                self.ledger.record(self.folder, self.settings, self.run, some)
            for entry in some:
                self.outcome.answer(entry.picture.path, entry.answer)
            self.mover.move(some)
        self.progress(self.outcome.done)

    def move_held(self) -> None:
        """Move the solved files that were held and are still there."""
        for path in self._held:
            for row in self.ledger.known(self.folder, path):
                self.mover.plan(row, path)
        self._held = []
        self.mover.catch_up()

    def rewrite(self, entries: Sequence[LedgerEntry], before: Sequence[AnsweredPicture]) -> None:
        """Write other answers to pictures that have answers, in place of those in `before`; move the solved files."""
        some = self.mover.aim([*entries])
        with self.ledger.transaction():
            self.ledger.record(self.folder, self.settings, self.run, some)
        for entry, row in zip(some, before, strict=True):
            if row.run == self.run:  # else it was counted as answered before
                self.outcome.counts[row.answer.status] -= 1
                self.outcome.counts[entry.answer.status] += 1
        self.mover.move(some)


def remember(file: Path, plan: SolvePlan, entries: Sequence[LedgerEntry]) -> list[str]:
    """Write the answers to pictures that were read without a run, where the ledger knows the folder they are in.

    Parameters
    ----------
    file : Path
        The ledger. If it is not there, nothing is written.
    plan : SolvePlan
    entries : sequence of LedgerEntry
        Their paths are absolute. An answer belongs to the nearest folder above it that the ledger knows.

    Returns
    -------
    list of str
        For each folder whose answers could not be written, the reason. They are given all the same.
    """
    reasons: list[str] = []
    if not entries or not file.is_file():
        return reasons
    with _reasoned(reasons), Ledger(file) as ledger:
        for folder, inside in _by_folder(ledger, entries).items():
            with _reasoned(reasons), inbox_locked(file.parent, folder):
                number, settings = ledger.folder(folder), ledger.settings(plan.model_sha256, plan.settings)
                run = ledger.begin(number)
                with ledger.transaction():
                    ledger.record(number, settings, run, inside)
    return reasons


@contextmanager
def _reasoned(reasons: list[str]) -> Iterator[None]:
    try:
        yield
    except CaptchasError as error:
        reasons.append(str(error))


def _by_folder(ledger: Ledger, entries: Sequence[LedgerEntry]) -> dict[Path, list[LedgerEntry]]:
    """Sort entries by the nearest folder above them that the ledger knows, with paths relative to it."""
    known: dict[Path, bool] = {}
    found: dict[Path, list[LedgerEntry]] = {}
    for entry in entries:
        path = Path(entry.picture.path)
        for folder in path.parents:
            if folder not in known:
                known[folder] = ledger.knows(folder)
            if known[folder]:
                inside = entry.picture._replace(path=path.relative_to(folder).as_posix())
                found.setdefault(folder, []).append(entry._replace(picture=inside))
                break
    return found


def _ignore(_done: int) -> None:
    pass


def _never(_answer: Answer) -> bool:
    return False

"""The state that all parts of a run over an inbox share: its numbers in the ledger, its counts, its moves."""

from collections import Counter
from collections.abc import Callable

from storage.files import atomic
from storage.ledger.ledger import SOLVED, Ledger, LedgerEntry
from tasks.solving.batches import SolvePlan
from tasks.solving.choice import SolveChoice, SolveOutcome
from tasks.solving.moving import Mover

WRITTEN = 1024  # answers in one transaction


class Inbox:
    """A run over a folder, or over a single picture. The caller holds the folder's lock.

    Attributes
    ----------
    choice : SolveChoice
    plan : SolvePlan
    ledger : Ledger
    folder, settings, run : int
        The numbers of the folder, of the plan's settings and of this run in the ledger.
    outcome : SolveOutcome
        The counts of the whole run, of all its attempts.
    mover : Mover
    fatal : dict of bytes to str
        The contents that ended the process that read them, with the reason. They are not read again in this run.
    attempts : int
        How often the run has begun to solve the inbox.
    progress : callable
        Called now and then with the number of files that are done.
    """

    def __init__(self, choice: SolveChoice, plan: SolvePlan, ledger: Ledger):
        self.choice, self.plan, self.ledger = choice, plan, ledger
        self.folder = ledger.folder(choice.folder)
        self.settings = ledger.settings(plan.model_sha256, plan.settings)
        self.run = ledger.begin(self.folder)
        self.outcome = SolveOutcome()
        self.mover = Mover(ledger, self.folder, choice.folder, choice.move_to, atomic.new_run())
        self.fatal: dict[bytes, str] = {}
        self.attempts = 0
        self.progress: Callable[[int], None] = _ignore

    def begin(self) -> None:
        """Prepare the next attempt: it takes the counts of what earlier attempts have answered from the ledger."""
        if self.attempts:
            moved = Counter({SOLVED: self.mover.moved})  # no listing finds these files again
            self.outcome = SolveOutcome(read=self.outcome.read, counts=moved, failures=self.outcome.failures)
            for _ in self.ledger.waiting():
                pass  # a path that is taken out is forgotten
        self.attempts += 1
        self.progress = _ignore

    def write(self, entries: list[LedgerEntry]) -> None:
        """Write answers to the ledger, count them, and move the solved files."""
        for first in range(0, len(entries), WRITTEN):
            some = self.mover.aim(entries[first : first + WRITTEN])
            with self.ledger.transaction():
                self.ledger.record(self.folder, self.settings, self.run, some)
            for entry in some:
                self.outcome.answer(entry.picture.path, entry.answer)
            self.mover.move(some)
        self.progress(self.outcome.done)


def _ignore(_done: int) -> None:
    pass

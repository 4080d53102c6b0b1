"""One run over an inbox: what is new in it, each content once, the answers into the ledger, solved files moved.

A run walks through the folder and through the ledger side by side, both in the same order, and keeps of either only
what it is at. What may have to be read is looked at twice, `settle` seconds apart; the second look is on the workers,
and gives digests. A content that the ledger has an answer for is not read. All others are read in batches, and each
batch's answers are in the ledger before the next.
"""

import dataclasses
import itertools
import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator

from storage.files import atomic
from storage.files.places import ObjectPath
from storage.ledger.ledger import KnownFile, Ledger, LedgerEntry, PictureFile, key, path_of
from tasks.loading.safe_read import GONE, BadPicture, Fatal, Unreadable, Unsettled
from tasks.solving.batches import SOLVED, LookJob, LookReceipt, SolveJob, SolvePlan, SolveReceipt, failed
from tasks.solving.choice import SolveChoice, SolveOutcome
from tasks.solving.moving import Mover

LOOKED, BATCH = 1024, 256  # files a job
WINDOW = 32  # look jobs that may wait for their second look
ANSWERED, OTHERS = "answered before", "answered by another model or settings"


class Inbox:
    """One run over a folder, or one picture; whoever has it holds the folder's lock.

    Attributes
    ----------
    outcome : Outcome
    mover : Mover
    progress : callable
        Called now and then with the number of files that are done with.
    """

    def __init__(self, choice: SolveChoice, plan: SolvePlan, ledger: Ledger):
        self.choice, self.plan, self.ledger = choice, plan, ledger
        self.progress: Callable[[int], None] = lambda done: None
        self.root = str(choice.folder)
        self.folder = ledger.folder(choice.folder)
        self.settings = ledger.settings(plan.model_sha256, plan.settings)
        self.run = ledger.begin(self.folder)
        self.outcome = SolveOutcome()
        self.mover = Mover(ledger, self.folder, choice.folder, choice.move_to, atomic.new_run())
        self._reading: set[bytes] = set()
        self._lost: dict[bytes, str] = {}
        self._waiting = False
        self._away = 0  # files that earlier tries have moved
        self._candidates: Iterator[PictureFile] | None = None
        self._first: list[PictureFile] = []

    def anything(self) -> bool:
        """Whether there is any file to look at: only then workers are needed. To be asked first.

        Asked again, after an error that may pass, the run begins anew: what it has answered, it counts from the ledger.
        """
        again = self._candidates is not None
        if again:
            before, self._away = self.outcome, self.mover.moved
            self.outcome = SolveOutcome(
                read=before.read, counts=Counter({SOLVED: self._away}), failures=before.failures
            )
            self._reading.clear()
            self._waiting = False
            for _ in self.ledger.waiting():
                pass
        self._candidates = self._new(again)
        self._first = list(itertools.islice(self._candidates, 1))
        return bool(self._first)

    def looks(self) -> Iterator[LookJob]:
        """Jobs for what may have to be read, each when its files were seen `settle` seconds ago."""
        seen: deque[tuple[float, tuple[PictureFile, ...]]] = deque()
        candidates = itertools.chain(self._first, self._candidates)
        while True:
            ripe = seen and time.monotonic() >= seen[0][0] + self.choice.settle
            if not ripe and len(seen) < WINDOW and (files := tuple(itertools.islice(candidates, LOOKED))):
                seen.append((time.monotonic(), files))
                continue
            if not seen:
                return
            time.sleep(max(0.0, seen[0][0] + self.choice.settle - time.monotonic()))
            yield LookJob(self.root, seen.popleft()[1], self._follows)

    def jobs(self, looks: Iterable[LookReceipt]) -> Iterator[SolveJob]:
        """Jobs for the contents that nobody has answered yet; all others are done with here."""
        return self._batches(self._unanswered(looks))

    def repeats(self) -> Iterator[SolveJob]:
        """Once all jobs are done: of each content whose file changed before it was read, another file.

        Ask again until `waiting` says that there are no more.
        """
        self._waiting = False
        return self._batches(map(self._settle_digests, self.ledger.waiting()))

    @property
    def waiting(self) -> bool:
        """Whether there may be more `repeats`."""
        return self._waiting

    def record(self, receipt: SolveReceipt) -> None:
        """Write a batch's answers, also for the files that waited for them, then move what is solved."""
        entries = []
        for picture, answer in zip(receipt.files, receipt.answers, strict=True):
            self._reading.discard(picture.digest)
            if isinstance(answer, Unsettled):
                self.outcome.leave(picture.path, str(answer))
            elif isinstance(answer, Unreadable):
                if isinstance(answer, Fatal):
                    self._lost[picture.digest] = str(answer)
                entries.append(LedgerEntry(picture, failed(str(answer)), passing=True))
            else:
                self.outcome.read += 1
                entries.append(LedgerEntry(picture, answer))
        self._write(entries)
        for one in entries if self._waiting else ():
            for some in self.ledger.waiting(one.picture.digest):
                self._write([one._replace(picture=other) for other in some])

    def lost(self, job: SolveJob) -> list[SolveJob]:
        """What is to be done instead of a job whose workers died: the same apart, or, the second time, nothing."""
        if not job.alone:
            return [dataclasses.replace(job, alone=True)]
        why = Fatal("its batch ended worker after worker; they may have too little memory")
        self.record(SolveReceipt(job.files, (why,) * len(job.files)))
        return []

    @property
    def _follows(self) -> bool:
        return self.choice.follow or self.choice.one is not None  # a picture that is named is read, link or not

    def _files(self) -> Iterator[tuple[str, tuple[int, ...] | None]]:
        """Each file's relative name, and its size and mtime in ns; None if it is gone, () if it cannot be looked at."""
        if isinstance(self.choice.path, ObjectPath):
            yield from ((name, (size, mtime)) for name, size, mtime in self.choice.objects())
            return
        stat, root = os.stat if self._follows else os.lstat, self.root + "/"
        for name in self.choice.names():
            try:
                status = stat(root + name)
            except FileNotFoundError:
                yield name, None
            except OSError:
                yield name, ()
            else:
                yield name, (status.st_size, status.st_mtime_ns)

    def _new(self, again: bool) -> Iterator[PictureFile]:
        """Every file that is not known as it is now; its `digest` is the one with which it would be known."""
        known = self.ledger.known(self.folder, self.choice.one)
        # What all but a few of a million files have in common: so these take next to no time.
        usual, stays = (self.settings, 0, 0, None), not (self.choice.move_to or again)
        gone, back, row, number, unchanged = [], [], next(known, None), 0, 0
        for number, (name, status) in enumerate(self._files(), 1):
            if number % LOOKED == 0:
                self._count(number, unchanged)
                unchanged = 0
                self._mark(gone, back)
            mine = key(name)
            while row and row[0] < mine:
                self._missing(row, gone)
                row = next(known, None)
            there, row = (row, next(known, None)) if row and row[0] == mine else (None, row)
            if status is None:
                self.outcome.leave(name, GONE)
                continue
            if not status:  # a second look says why
                yield PictureFile(name, 0, 0, None)
                continue
            if there and stays and there[1:7] == (*status, *usual):
                unchanged += 1
                continue
            picture = PictureFile(name, *status, None)
            same = there and there[1:3] == picture[1:3]
            kept = there and not there.passing and (not self.choice.again or there.settings == self.settings)
            moved = there and there.target is not None and self.mover.finish(there, name)
            if kept and same:
                if again and there.run == self.run:
                    self.outcome.counts[there.status] += 1
                else:
                    self.outcome.skipped[ANSWERED if there.settings == self.settings else OTHERS] += 1
                if not moved:
                    self.mover.plan(there, name)
                    if there.gone:
                        back.append(mine)
            elif moved:
                yield picture
            else:
                yield picture._replace(digest=there.digest) if kept and there.size == picture.size else picture
        while row and not self.choice.one:
            self._missing(row, gone)
            row = next(known, None)
        self._count(number, unchanged)
        self._mark(gone, back)
        self.mover.catch_up()

    def _count(self, total: int, unchanged: int) -> None:
        self.outcome.total = total + self._away
        if unchanged:
            self.outcome.skipped[ANSWERED] += unchanged

    def _missing(self, row: KnownFile, gone: list[bytes]) -> None:
        """What is known, and not in the folder: it is gone, unless a move was cut off."""
        if not (row.target is not None and self.mover.finish(row, path_of(row.key))) and not row.gone:
            gone.append(row.key)
            if len(gone) >= LOOKED:
                self._mark(gone, [])

    def _mark(self, gone: list[bytes], back: list[bytes]) -> None:
        if gone or back:
            with self.ledger.transaction():
                self.ledger.mark_gone(self.folder, gone, True)
                self.ledger.mark_gone(self.folder, back, False)
            gone.clear()
            back.clear()
        self.progress(self.outcome.done)

    def _unanswered(self, looks: Iterable[LookReceipt]) -> Iterator[list[PictureFile]]:
        for receipt in looks:
            found, touched, entries = [], [], []
            for picture, digest in zip(receipt.files, receipt.digests, strict=True):
                if isinstance(digest, Unsettled):
                    self.outcome.leave(picture.path, str(digest))
                elif isinstance(digest, BadPicture):
                    passing = isinstance(digest, Unreadable)
                    entries.append(LedgerEntry(picture._replace(digest=None), failed(str(digest)), passing))
                elif digest == picture.digest:
                    self.outcome.skipped[ANSWERED] += 1
                    touched.append(picture)
                else:
                    found.append(picture._replace(digest=digest))
            if touched:
                self._touch(touched)
            self._write(entries)
            yield self._settle_digests(found)

    def _touch(self, pictures: list[PictureFile]) -> None:
        with self.ledger.transaction():
            self.ledger.touch(self.folder, pictures)
        if self.choice.move_to:
            for one in pictures:
                for row in self.ledger.known(self.folder, one.path):
                    self.mover.plan(row, one.path)
            self.mover.catch_up()

    def _settle_digests(self, pictures: list[PictureFile]) -> list[PictureFile]:
        """Answer what the ledger has an answer for, put aside what is being read; the rest is to be read now."""
        answers = self.ledger.answers((one.digest for one in pictures), self.settings)
        new, entries, waiting = [], [], []
        for one in pictures:
            if one.digest in answers:
                entries.append(LedgerEntry(one, answers[one.digest]))
            elif one.digest in self._lost:
                entries.append(LedgerEntry(one, failed(self._lost[one.digest]), passing=True))
            elif one.digest in self._reading:
                waiting.append(one)
            else:
                self._reading.add(one.digest)
                new.append(one)
        if waiting:
            self._waiting = True
            self.ledger.wait(waiting)
        self._write(entries)
        return new

    def _batches(self, groups: Iterable[list[PictureFile]]) -> Iterator[SolveJob]:
        ready: list[PictureFile] = []
        for group in groups:
            ready += group
            none = len(ready) < BATCH
            while len(ready) >= BATCH or (none and self._reading):
                # Of less than a batch, or of nothing: so that what is being read is not waited for until all is listed.
                yield SolveJob(self.root, tuple(ready[:BATCH]), self.plan, self._follows)
                del ready[:BATCH]
                none = False
        if ready:
            yield SolveJob(self.root, tuple(ready), self.plan, self._follows)

    def _write(self, entries: list[LedgerEntry]) -> None:
        for first in range(0, len(entries), LOOKED):
            some = self.mover.aim(entries[first : first + LOOKED])
            with self.ledger.transaction():
                self.ledger.record(self.folder, self.settings, self.run, some)
            for one in some:
                self.outcome.answer(one.picture.path, one.answer)
            self.mover.move(some)
        self.progress(self.outcome.done)

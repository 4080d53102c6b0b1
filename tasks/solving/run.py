"""A run over an inbox: read each new content once, write the answers to the ledger, move solved files.

A run merges the folder with the ledger (`tasks.solving.merge`). It looks a second time, `settle` seconds later, at each
file that may have to be read: workers do this, and return digests. A content that has an answer in the ledger is not
read. All other contents are read in batches, and the answers of a batch are in the ledger before the next batch.

The order of calls::

    inbox = Inbox(choice, plan, ledger)
    attempt = next_attempt(inbox)  # None if there is nothing to look at, so that no workers have to be started
    if attempt:
        attempt.solve(look_all, read_all)  # after an error that may pass: begin again with `next_attempt(inbox)`
"""

import dataclasses
import heapq
import itertools
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing

from storage.ledger.ledger import LedgerEntry, PictureFile
from tasks.loading.safe_read import BadPicture, Fatal, Unreadable, Unsettled
from tasks.solving.alike.unlike import is_marked
from tasks.solving.batches import LookJob, LookReceipt, SolveJob, SolveReceipt, content_of, failed
from tasks.solving.inbox import Inbox
from tasks.solving.survey import ANSWERED, Survey

LOOKED, BATCH = 1024, 256  # files a job
WINDOW = 32  # look jobs that may wait for their second look

# Functions that run the unit of a job for each job and yield the receipts in any order. The second function is also
# given what to call with a job whose workers died; that call returns the jobs to run instead.
LookAll = Callable[[Iterator[LookJob]], Generator[LookReceipt, None, None]]
ReadAll = Callable[[Iterator[SolveJob], Callable[[SolveJob], list[SolveJob]]], Generator[SolveReceipt, None, None]]


def next_attempt(inbox: Inbox) -> "Attempt | None":
    """Begin to solve an inbox, or begin again after an error that may pass; None if there is no file to look at."""
    inbox.begin()
    candidates = Survey(inbox).candidates()
    first = list(itertools.islice(candidates, 1))
    return Attempt(inbox, itertools.chain(first, candidates)) if first else None


class Attempt:
    """An attempt at solving an inbox; it ends when all is done, or with the first error. `next_attempt` begins it.

    Parameters
    ----------
    inbox : Inbox
    candidates : iterator of PictureFile
        The files to look at, as `Survey` finds them.
    """

    def __init__(self, inbox: Inbox, candidates: Iterator[PictureFile]):
        self.inbox, self._candidates = inbox, candidates
        self._reading: set[bytes] = set()  # contents that are being read
        self._waiting = False  # whether files may wait in the ledger for such a content
        self._began = False

    def solve(self, look_all: LookAll, read_all: ReadAll, progress: Callable[[int], None] | None = None) -> None:
        """Look at all files and read all new contents.

        Parameters
        ----------
        look_all, read_all : callable
            Run all jobs; see `LookAll` and `ReadAll`.
        progress : callable, optional
            Called now and then with the number of files that are done.

        Raises
        ------
        RuntimeError
            It was called before.
        """
        if self._began:
            raise RuntimeError("an attempt solves once; `next_attempt` gives the next attempt")
        self._began = True
        if progress:
            self.inbox.progress = progress
        with closing(look_all(self._looks())) as looked:
            self._record_all(read_all(self._batches(map(self._new_contents, looked)), self.replace_lost))
        # A file that waits for another file of the same content is read itself if that other file has changed.
        while self._waiting:
            self._waiting = False
            repeats = self._batches(map(self._unanswered, self.inbox.ledger.waiting()))
            self._record_all(read_all(repeats, self.replace_lost))

    def replace_lost(self, job: SolveJob) -> list[SolveJob]:
        """Return the jobs to run instead of a job whose workers died: the first time the same job, read apart.

        The second time there is no job: all files of the batch fail for now.
        """
        if not job.alone:
            return [dataclasses.replace(job, alone=True)]
        why = Fatal("its batch ended worker after worker; they may have too little memory")
        self.record(SolveReceipt(job.files, (why,) * len(job.files)))
        return []

    def record(self, receipt: SolveReceipt) -> None:
        """Write the answers of a batch, also for the files that wait for them; then move the solved files."""
        entries = []
        for picture, answer in zip(receipt.files, receipt.answers, strict=True):
            self._reading.discard(content_of(picture))
            if isinstance(answer, Unsettled):
                self.inbox.outcome.leave(picture.path, str(answer))
            elif isinstance(answer, Unreadable):
                if isinstance(answer, Fatal):
                    self.inbox.fatal[content_of(picture)] = str(answer)
                entries.append(LedgerEntry(picture, failed(str(answer)), passing=True))
            else:
                self.inbox.outcome.read += 1
                entries.append(LedgerEntry(picture, answer))
        self.inbox.write(entries)
        for entry in entries if self._waiting else ():
            for pictures in self.inbox.ledger.waiting(entry.picture.digest):
                self.inbox.write([entry._replace(picture=picture) for picture in pictures])

    def _record_all(self, receipts: Generator[SolveReceipt, None, None]) -> None:
        with closing(receipts):
            for receipt in receipts:
                self.record(receipt)

    # Second look.

    def _looks(self) -> Iterator[LookJob]:
        """Yield jobs for the second look, each not before its files were first seen `settle` seconds ago."""
        seen: list[tuple[float, int, tuple[PictureFile, ...]]] = []  # a heap: what was seen first is ripe first
        choice, number = self.inbox.choice, itertools.count()
        while True:
            ripe = seen and time.monotonic() >= seen[0][0] + choice.settle
            if not ripe and len(seen) < WINDOW and (files := tuple(itertools.islice(self._candidates, LOOKED))):
                for when, some in self._first_seen(files):
                    heapq.heappush(seen, (when, next(number), some))
                continue
            if not seen:
                return
            time.sleep(max(0.0, seen[0][0] + choice.settle - time.monotonic()))
            yield LookJob(str(choice.folder), heapq.heappop(seen)[2], choice.follows_links)

    def _first_seen(self, files: tuple[PictureFile, ...]) -> Iterator[tuple[float, tuple[PictureFile, ...]]]:
        """Yield when these files were first seen as they are now: before the run began, or just now."""
        early, now = self.inbox.early, time.monotonic()
        if early is None:
            yield now, files
            return
        before: list[PictureFile] = []
        rest: list[PictureFile] = []
        for file in files:
            (before if early.saw(file.path, (file.size, file.mtime)) else rest).append(file)
        if before:
            yield early.at, tuple(before)
        if rest:
            yield now, tuple(rest)

    def _new_contents(self, receipt: LookReceipt) -> list[PictureFile]:
        """Return the files whose contents must be read; all others are done with here."""
        outcome = self.inbox.outcome
        found, touched, entries = [], [], []
        for picture, digest in zip(receipt.files, receipt.digests, strict=True):
            if isinstance(digest, Unsettled):
                outcome.leave(picture.path, str(digest))
            elif isinstance(digest, BadPicture):
                passing = isinstance(digest, Unreadable)
                entries.append(LedgerEntry(picture._replace(digest=None), failed(str(digest)), passing))
            elif digest == picture.digest:
                outcome.skipped[ANSWERED] += 1
                touched.append(picture)
            else:
                found.append(picture._replace(digest=digest))
        if touched:
            self._touch(touched)
        self.inbox.write(entries)
        return self._unanswered(found)

    def _touch(self, pictures: list[PictureFile]) -> None:
        """Write the new times of files whose contents are the same, and move those that are solved."""
        ledger, folder, mover = self.inbox.ledger, self.inbox.folder, self.inbox.mover
        with ledger.transaction():
            ledger.touch(folder, pictures)
        if self.inbox.choice.move_to:
            for picture in pictures:
                for row in ledger.known(folder, picture.path):
                    mover.plan(row, picture.path)
            mover.catch_up()

    # Reading.

    def _unanswered(self, pictures: list[PictureFile]) -> list[PictureFile]:
        """Write the answers that the ledger has, put aside files of contents that are being read; return the rest."""
        inbox = self.inbox
        known = inbox.ledger.answers(map(content_of, pictures), inbox.settings)
        # What is marked was read in view of the other texts of its folder, which may be another one.
        answers = {content: answer for content, answer in known.items() if not is_marked(answer)}
        new, entries, waiting = [], [], []
        for picture in pictures:
            content = content_of(picture)
            if content in answers:
                entries.append(LedgerEntry(picture, answers[content]))
            elif content in inbox.fatal:
                entries.append(LedgerEntry(picture, failed(inbox.fatal[content]), passing=True))
            elif content in self._reading:
                waiting.append(picture)
            else:
                self._reading.add(content)
                new.append(picture)
        if waiting:
            self._waiting = True
            inbox.ledger.wait(waiting)
        self.inbox.write(entries)
        return new

    def _batches(self, groups: Iterable[list[PictureFile]]) -> Iterator[SolveJob]:
        """Yield batches of files to read, whole batches as far as possible."""
        ready: list[PictureFile] = []
        for group in groups:
            ready += group
            # While contents are being read, a smaller or empty batch is yielded as well: the caller records their
            # answers between two batches, and must not wait until the whole folder is listed.
            small = len(ready) < BATCH and bool(self._reading)
            while small or len(ready) >= BATCH:
                yield self._job(ready[:BATCH])
                del ready[:BATCH]
                small = False
        if ready:
            yield self._job(ready)

    def _job(self, files: list[PictureFile]) -> SolveJob:
        choice = self.inbox.choice
        return SolveJob(str(choice.folder), tuple(files), self.inbox.plan, choice.follows_links)

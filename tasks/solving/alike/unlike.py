"""Read the pictures of a run whose texts are unlike most others of their folder once more, and choose.

The order of calls::

    hold_unlike(inbox)  # before pictures are read
    ...  # all pictures get answers
    unlike = find_unlike(inbox)  # None if there is nothing to read again
    if unlike:
        unlike.solve(read_all)
    inbox.move_held()

Nothing of it depends on the order in which answers came: what texts have in common is estimated from the first `MOST`
answers of the folder, and how many truly differ from the first `SAMPLE` contents of those that do. A picture that was
read a second time is marked in its reason. The sample is written in one transaction; a kill after it may change close
cases of the rest, since marked pictures count then as they were chosen.
"""

import dataclasses
import functools
import itertools
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from typing import NamedTuple

from storage.ledger.answered import AnsweredPicture, answered_pictures, answered_texts, of_content
from storage.ledger.ledger import FAILED, Answer, LedgerEntry, PictureFile
from tasks.readers import read_pictures
from tasks.solving.alike.in_common import InCommon, Other, in_common
from tasks.solving.alike.second_reading import letters_of, limits, others_of, told_in_common
from tasks.solving.batches import Listed, SolveJob, SolvePlan, answers_of, content_of, read_unchanged, reader_of
from tasks.solving.choice import ReadAgain
from tasks.solving.inbox import Inbox

BATCH = 64  # pictures of a job
MOST = 20_000  # answers, the first in a listing, that tell what texts have in common
SAMPLE = 1024  # contents, the first in a listing, from which it is estimated how many texts truly differ
TAKEN = "read once more, like most others"  # the beginning of a sentence in a reason, which marks a picture
KEPT = "unlike most others"


class Second(NamedTuple):
    """A second reading of a picture: how it compares with the first, and its answer if it has a text."""

    other: Other
    answer: Answer | None


class SecondJob(NamedTuple):
    """Files to read both as before and as texts like most others."""

    job: SolveJob
    common: InCommon


class SecondReceipt(NamedTuple):
    """The job's files, each with its second reading, or None if it cannot be read now."""

    files: tuple[PictureFile, ...]
    found: tuple[Second | None, ...]


# A function that runs `read_second` for each job and yields the receipts in any order. Its second parameter is what to
# call with a job whose workers died.
ReadSecond = Callable[
    [Iterator[SecondJob], Callable[[SecondJob], list[SecondJob]]], Generator[SecondReceipt, None, None]
]


def second_answers(
    common: InCommon, plan: SolvePlan, pictures: Sequence[Listed], read: Callable[[Listed], bytes]
) -> list[Second | None]:
    """Read pictures as before and as texts like most others; None for a picture that cannot be read now.

    Raises
    ------
    BadInput
        The model does not fit.
    """
    usual = reader_of(plan)
    alphabet, length = limits(common, letters_of(usual))
    again = dataclasses.replace(plan, alphabet=alphabet or plan.alphabet, length=length)
    first, failures = read_pictures(usual, pictures, read, {})
    notes: dict[int, str] = {}
    second, lost = read_pictures(reader_of(again), pictures, read, notes)
    answers = answers_of(again, second, notes)
    unread = {index for index, _ in (*failures, *lost)}
    found: list[Second | None] = []
    for index, other in enumerate(others_of(first, second, len(pictures))):
        answer = answers.get(index)
        fitting = answer if isinstance(answer, Answer) and answer.status != FAILED else None
        found.append(None if index in unread else Second(other, fitting))
    return found


def read_second(job: SecondJob) -> SecondReceipt:
    """Do the work of a job on a worker."""
    files = job.job.files
    return SecondReceipt(
        files, tuple(second_answers(job.common, job.job.plan, files, functools.partial(read_unchanged, job.job)))
    )


def text_of(answer: Answer) -> str:
    """Return the text that was read in a picture, also where no word is given; '' for none."""
    return "" if answer.status == FAILED else answer.word or answer.reading or ""


def is_marked(answer: Answer) -> bool:
    """Tell whether a picture was read a second time already."""
    return answer.reason is not None and (TAKEN in answer.reason or KEPT in answer.reason)


class _Texts:
    """The texts of answers with their confidences; `answers` begins to iterate over them."""

    def __init__(self, answers: Callable[[], Iterable[Answer]]):
        self._answers = answers

    def __iter__(self) -> Iterator[tuple[str, float]]:
        return ((text_of(answer), answer.confidence or 0.0) for answer in self._answers())


def common_of(plan: SolvePlan, answers: Callable[[], Iterable[Answer]]) -> InCommon | None:
    """Tell what answers have in common; None for nothing, and where texts are known or pictures stand alone."""
    if not plan.together:
        return None
    reader = reader_of(plan)
    return in_common(_Texts(answers), reader.length, letters_of(reader))


def chosen(before: Answer, second: Second, common: InCommon, told: str) -> Answer:
    """Return the answer to a picture that was read twice, with what to know of it; `told` tells what is in common."""
    if second.answer is not None and common.takes(second.other):
        return second.answer._replace(reason=_joined(f"{TAKEN}: {told}", second.answer.reason))
    return before._replace(reason=_joined(before.reason, f"{KEPT}: {told}"))


def _joined(*reasons: str | None) -> str:
    return "; ".join(filter(None, reasons))


def read_unlike(
    plan: SolvePlan, answers: list[Answer], read_again: Callable[[InCommon, list[int]], list[Second | None]]
) -> ReadAgain | None:
    """Choose between two readings of pictures whose texts are unlike most others; `answers` gets what is chosen.

    Parameters
    ----------
    plan : SolvePlan
    answers : list of Answer
        To pictures that belong together.
    read_again : callable
        Reads some of them, by their numbers, as `second_answers` does.
    """
    common = common_of(plan, lambda: answers)
    unlike = [
        number for number, answer in enumerate(answers)
        if common is not None and (text := text_of(answer)) and not common.fits(text)
    ]  # fmt: skip
    if common is None or not unlike:
        return None
    told = told_in_common(common, letters_of(reader_of(plan)))
    found = read_again(common, unlike)
    common = common.learnt(sorted(second.other for second in found if second is not None))
    pictures = changed = 0
    for number, second in zip(unlike, found, strict=True):
        if second is not None:
            before, answers[number] = answers[number], chosen(answers[number], second, common, told)
            pictures += 1
            changed += text_of(before) != text_of(answers[number])
    return ReadAgain(told, pictures, changed) if pictures else None


def find_unlike(inbox: Inbox) -> "Unlike | None":
    """Return the pictures of a folder to read a second time; None if there are none."""
    common = _common(inbox)
    if common is None:
        return None
    unlike = Unlike(inbox, common)
    return unlike if unlike.count else None


def _common(inbox: Inbox) -> InCommon | None:
    """Tell what the answers of a folder have in common; None for a single picture too."""
    if inbox.choice.only:
        return None
    ledger, folder, settings = inbox.ledger, inbox.folder, inbox.settings
    return common_of(inbox.plan, lambda: itertools.islice(answered_texts(ledger, folder, settings), MOST))


def hold_unlike(inbox: Inbox) -> None:
    """Have files stay until they are read again if their texts are unlike most answers of earlier runs.

    For a run that moves solved files. The first run has no such answers, and holds nothing.
    """
    common = _common(inbox) if inbox.choice.move_to is not None else None
    if common is not None:
        known = common  # which no later line changes
        inbox.holds = lambda answer: bool(text_of(answer)) and not known.fits(text_of(answer))


def left_unlike(inbox: Inbox) -> "Unlike | None":
    """Return the pictures that a killed run left to read a second time, of a folder without new pictures."""
    _, written = inbox.ledger.written(inbox.folder)
    unchanged = written.get("changes") == inbox.ledger.changes(inbox.folder)
    return None if unchanged else find_unlike(inbox)


class Unlike:
    """The pictures of a folder whose texts are unlike most others, and were not read a second time.

    Attributes
    ----------
    common : InCommon
    told : str
        What texts have in common, in words.
    count : int
        The contents to read: one picture stands for all that have the same.
    """

    def __init__(self, inbox: Inbox, common: InCommon):
        self.inbox, self.common = inbox, common
        self.told = told_in_common(common, letters_of(reader_of(inbox.plan)))
        self.count = sum(1 for _ in self._pictures())
        self._listed = 0  # pictures for which jobs were made
        self._sample: set[str] = set()  # the first pictures of the jobs from which it is learnt
        self._awaited: set[str] = set()  # those that are being read

    def solve(self, read_all: ReadSecond, progress: Callable[[int], None] | None = None) -> None:
        """Read all of them, and write to the ledger what is chosen.

        Parameters
        ----------
        read_all : callable
            Runs all jobs; see `ReadSecond`.
        progress : callable, optional
            Called with the number of contents of each batch that is done.
        """
        held: list[SecondReceipt] | None = []
        with closing(read_all(self._jobs(), self._lost)) as receipts:
            for receipt in receipts:
                self._awaited.discard(receipt.files[0].path)
                if held is None:
                    self._record([receipt])
                else:
                    held.append(receipt)
                    if not self._awaited and self._listed >= min(SAMPLE, self.count):
                        self._learn(held)
                        held = None
                if progress:
                    progress(len(receipt.files))
        if held:
            self._learn(held)

    def _learn(self, held: list[SecondReceipt]) -> None:
        """Estimate how many texts truly differ, and record all in one transaction: what is left tells less of it."""
        sample = [receipt.found for receipt in held if receipt.files[0].path in self._sample]
        self.common = self.common.learnt(sorted(second.other for found in sample for second in found if second))
        self._record(held)

    def _is_unlike(self, row: AnsweredPicture) -> bool:
        text = text_of(row.answer)
        return bool(text) and not row.moved and not is_marked(row.answer) and not self.common.fits(text)

    def _pictures(self) -> Iterator[PictureFile]:
        """Yield a picture of each content."""
        contents: set[bytes | None] = set()
        for row in answered_pictures(self.inbox.ledger, self.inbox.folder, self.inbox.settings):
            if row.moved:  # and so are all that follow
                return
            if self._is_unlike(row) and row.picture.digest not in contents:
                contents.add(row.picture.digest)
                yield row.picture

    def _jobs(self) -> Iterator[SecondJob]:
        choice, plan, first = self.inbox.choice, self.inbox.plan, self.common
        pictures = self._pictures()
        while batch := tuple(itertools.islice(pictures, BATCH)):
            if self._listed < SAMPLE:
                self._sample.add(batch[0].path)
                self._awaited.add(batch[0].path)
            self._listed += len(batch)
            yield SecondJob(SolveJob(str(choice.folder), batch, plan, choice.follows_links), first)

    def _lost(self, job: SecondJob) -> list[SecondJob]:
        """Keep the answers of a job whose workers died."""
        self._awaited.discard(job.job.files[0].path)
        return []

    def _record(self, receipts: list[SecondReceipt]) -> None:
        """Write what is chosen for the pictures that were read, and for all others of the same content."""
        inbox, entries, runs, changed = self.inbox, [], [], 0
        for picture, second in (pair for one in receipts for pair in zip(one.files, one.found, strict=True)):
            if second is None:
                continue
            rows = of_content(inbox.ledger, inbox.folder, inbox.settings, content_of(picture))
            for row in filter(self._is_unlike, rows):
                answer = chosen(row.answer, second, self.common, self.told)
                changed += text_of(answer) != text_of(row.answer)
                entries.append(LedgerEntry(row.picture, answer))
                runs.append(row)
        if entries:
            inbox.rewrite(entries, runs)
            before = inbox.again or ReadAgain(self.told, 0, 0)
            inbox.again = ReadAgain(self.told, before.pictures + len(entries), before.changed + changed)

"""Write the results of an inbox, all of them or the new results, and only if something has changed."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from storage.files import atomic
from storage.files.places import Place
from storage.files.targets import is_stream
from storage.ledger.ledger import FAILED, Answer, ResultRow
from storage.texts import caption
from tasks.figures.contact_sheet import mixed_sheet
from tasks.loading.decode import load_picture
from tasks.loading.safe_read import BadPicture
from tasks.solving.inbox import Inbox
from tasks.solving.tables import AnswerFormat, told, write_answers

SHOWN, COLUMNS = 16, 4  # pictures on a contact sheet, and in a row of it
MOST_TOLD = 1000  # answers in a report; more are only in the file
TRIED = 4  # times as many answers are tried for a sheet, since files may have gone meanwhile


@dataclass(frozen=True)
class AnswersFile:
    """The file of results to write; `why` says why it is not in the folder of the plain name."""

    out: Place
    format: AnswerFormat
    only_new: bool = False
    csv_safe: bool = False  # changes the cells of a CSV file that a spreadsheet would run
    why: str = ""


class Written(NamedTuple):
    """The answers in a file: their number by status, and the first `MOST_TOLD` of them."""

    counts: dict[str, int]
    first: list[ResultRow]

    @property
    def told(self) -> list[dict[str, object]] | None:
        """Return all answers for a report; None if there are more than `MOST_TOLD`."""
        return told(self.first) if sum(self.counts.values()) <= MOST_TOLD else None


def write_results(inbox: Inbox, wanted: AnswersFile) -> Written:
    """Write the answers of an inbox in the order of a listing.

    Without `only_new` these are the answers of all pictures that are in the folder or were moved from it; of a single
    picture only its own. With `only_new` these are the answers since the last run that wrote its results, whether or
    not the runs in between were killed.

    Raises
    ------
    NoSpace, Unwritable
    """
    ledger, folder, only = inbox.ledger, inbox.folder, inbox.choice.only
    first: list[ResultRow] = []
    safe = wanted.csv_safe and wanted.format is AnswerFormat.CSV
    if only:
        rows = ledger.results(folder, after=inbox.run - 1 if wanted.only_new else 0, only=only)
        return Written(dict(write_answers(wanted.out, wanted.format, _noted(rows, first), csv_safe=safe)), first)
    last, before = ledger.written(folder)
    now = {
        "out": str(wanted.out.resolve()), "format": wanted.format.value, "only_new": wanted.only_new,
        "csv_safe": safe, "changes": ledger.changes(folder),
    }  # fmt: skip
    file = _fingerprint(wanted.out)
    same = file and before.get("file") == file and now.items() <= ({"csv_safe": False} | before).items()
    if same and not wanted.only_new:
        counts: dict[str, int] = before["rows"]
        first.extend(itertools.islice(ledger.results(folder), MOST_TOLD))
    else:
        rows = ledger.results(folder, after=last if wanted.only_new else 0)
        counts = dict(write_answers(wanted.out, wanted.format, _noted(rows, first), csv_safe=safe))
    with ledger.transaction():
        ledger.finish(inbox.run, now | {"file": _fingerprint(wanted.out), "rows": counts})
    return Written(counts, first)


def _noted(rows: Iterable[ResultRow], first: list[ResultRow]) -> Iterator[ResultRow]:
    """Yield the rows, and note the first `MOST_TOLD`."""
    for row in rows:
        if len(first) < MOST_TOLD:
            first.append(row)
        yield row


def _fingerprint(out: Place) -> list[int | str]:
    """Return the fingerprint of a file of results; empty for none and for a stream, which is written to each time."""
    return [] if is_stream(out) else list(atomic.fingerprint(out))


def answers_sheet(inbox: Inbox, shown: int = SHOWN) -> bytes | None:
    """Draw a contact sheet of the first pictures that this run answered, each above its word.

    Pictures that failed are not opened: a picture that ends the process that decodes it would end this process.

    Returns
    -------
    bytes or None
        A PNG file. None if the run answered nothing, or if the pictures are in an object store.
    """
    images, captions = [], []
    for image, answer in itertools.islice(_pictures(inbox, TRIED * shown), shown):
        sure = "" if answer.confidence is None else f"{100 * answer.confidence:.1f} %"
        images.append(image)
        captions.append(f"{caption(answer.word or answer.reading or '-')}\n{answer.status} {sure}")
    if not images:
        return None
    return mixed_sheet(images, captions, COLUMNS)


def _pictures(inbox: Inbox, tried: int) -> Iterator[tuple[np.ndarray, Answer]]:
    """Yield the first pictures that this run answered, from the inbox or from where they were moved to."""
    folders = [folder for folder in (inbox.choice.folder, inbox.choice.move_to) if isinstance(folder, Path)]
    rows = inbox.ledger.results(inbox.folder, after=inbox.run - 1, only=inbox.choice.only)
    answered = (row for row in rows if row.answer.status != FAILED)
    for path, answer in itertools.islice(answered, tried if folders else 0):
        for folder in folders:
            try:
                image = load_picture(folder / path)
            except BadPicture:
                continue
            yield image, answer
            break

"""Write the results of an inbox, all of them or the new results, and only if something has changed."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from storage.files import atomic
from storage.files.places import Place
from storage.files.targets import is_stream
from storage.ledger.ledger import FAILED, Answer
from tasks.figures.contact_sheet import mixed_sheet
from tasks.loading.decode import load_picture
from tasks.loading.safe_read import BadPicture
from tasks.solving.inbox import Inbox
from tasks.solving.tables import AnswerFormat, write_answers

SHOWN, COLUMNS = 16, 4  # pictures on a contact sheet, and in a row of it
TRIED = 4  # times as many answers are tried for a sheet, since files may have gone meanwhile


@dataclass(frozen=True)
class AnswersFile:
    """The file of results to write; `why` says why it is not in the folder of the plain name."""

    out: Place
    format: AnswerFormat
    only_new: bool = False
    why: str = ""


def write_results(inbox: Inbox, wanted: AnswersFile) -> dict[str, int]:
    """Write the answers of an inbox in the order of a listing.

    Without `only_new` these are the answers of all pictures that are in the folder or were moved from it; of a single
    picture only its own. With `only_new` these are the answers since the last run that wrote its results, whether or
    not the runs in between were killed.

    Returns
    -------
    dict of str to int
        The number of answers by status.

    Raises
    ------
    NoSpace, Unwritable
    """
    ledger, folder, only = inbox.ledger, inbox.folder, inbox.choice.only
    if only:
        rows = ledger.results(folder, after=inbox.run - 1 if wanted.only_new else 0, only=only)
        return dict(write_answers(wanted.out, wanted.format, rows))
    last, before = ledger.written(folder)
    now = {
        "out": str(wanted.out.resolve()), "format": wanted.format.value, "only_new": wanted.only_new,
        "changes": ledger.changes(folder),
    }  # fmt: skip
    file = _fingerprint(wanted.out)
    if not wanted.only_new and file and before.get("file") == file and now.items() <= before.items():
        counts: dict[str, int] = before["rows"]
    else:
        rows = ledger.results(folder, after=last if wanted.only_new else 0)
        counts = dict(write_answers(wanted.out, wanted.format, rows))
    with ledger.transaction():
        ledger.finish(inbox.run, now | {"file": _fingerprint(wanted.out), "rows": counts})
    return counts


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
        captions.append(f"{answer.word or answer.reading or '-'}\n{answer.status} {sure}")
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

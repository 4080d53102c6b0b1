"""The results of an inbox: all of them or what is new, and not again where nothing has changed."""

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from storage.files import atomic
from storage.files.places import Place
from storage.ledger.ledger import ANSWER, STATUS
from tasks.figures.contact_sheet import contact_sheet
from tasks.loading.decode import load_picture
from tasks.loading.safe_read import BadPicture
from tasks.solving.batches import FAILED
from tasks.solving.run import Inbox
from tasks.solving.tables import AnswerFormat, write_answers

SHOWN = 16  # pictures on a sheet of answers


@dataclass(frozen=True)
class AnswersFile:
    """Which file to write."""

    out: Place
    format: AnswerFormat
    only_new: bool = False


def write_results(inbox: Inbox, wanted: AnswersFile) -> dict[str, int]:
    """Write the answers of an inbox, in the order of a listing; how many there are of each status.

    All of them: of every picture that is in the folder or was moved from it, or of the one that was named. Or those
    that were found since the last run that came to this point, whatever became of the runs in between.

    Raises
    ------
    NoSpace, Unwritable
    """
    ledger, folder, one = inbox.ledger, inbox.folder, inbox.choice.one
    if one:
        rows = ledger.results(folder, after=inbox.run - 1 if wanted.only_new else 0, only=one)
        return dict(write_answers(wanted.out, wanted.format, rows))
    last, before = ledger.written(folder)
    now = {
        "out": str(wanted.out.resolve()), "format": wanted.format.value, "only_new": wanted.only_new,
        "changes": ledger.changes(folder),
    }  # fmt: skip
    file = list(atomic.fingerprint(wanted.out))
    if not wanted.only_new and file and before.get("file") == file and now.items() <= before.items():
        counts = before["rows"]
    else:
        rows = ledger.results(folder, after=last if wanted.only_new else 0)
        counts = dict(write_answers(wanted.out, wanted.format, rows))
    with ledger.transaction():
        ledger.finish(inbox.run, now | {"file": list(atomic.fingerprint(wanted.out)), "rows": counts})
    return counts


def sheet_of(inbox: Inbox, shown: int = SHOWN) -> bytes | None:
    """A contact sheet of the first pictures that this run read, as PNG, each above its word.

    None where there is none to show: nothing was read, or the pictures lie in an object store. What failed is not
    opened here: a picture that ends the process which decodes it would end this one.
    """
    folders = [one for one in (inbox.choice.folder, inbox.choice.move_to) if isinstance(one, Path)]
    images, captions = [], []
    rows = inbox.ledger.results(inbox.folder, after=inbox.run - 1, only=inbox.choice.one)
    seen = (row for row in rows if row[1 + STATUS] != FAILED)
    for path, *cells in itertools.islice(seen, 4 * shown if folders else 0):
        answer = dict(zip(ANSWER, cells, strict=True))
        for folder in folders:
            try:
                images.append(load_picture(folder / path))
            except BadPicture:
                continue
            sure = "" if answer["confidence"] is None else f"{100 * answer['confidence']:.1f} %"
            captions.append(f"{answer['word'] or answer['reading'] or '-'}\n{answer['status']} {sure}")
            break
        if len(images) == shown:
            break
    if not images:
        return None
    sizes = np.array([image.shape for image in images])
    canvas = np.zeros((len(images), *sizes.max(axis=0)), np.uint8)
    for place, image in zip(canvas, images, strict=True):
        place[: image.shape[0], : image.shape[1]] = image
    return contact_sheet(canvas, captions, columns=4, sizes=sizes)

"""The results of an inbox: all of them or what is new, and not again where nothing has changed."""

from dataclasses import dataclass

from storage import atomic
from storage.places import Place
from tasks.answers import Format, write_answers
from tasks.inbox import Inbox


@dataclass(frozen=True)
class Wanted:
    """Which file to write."""

    out: Place
    format: Format
    only_new: bool = False


def write_results(inbox: Inbox, wanted: Wanted) -> dict[str, int]:
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

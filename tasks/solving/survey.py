"""The first look at an inbox: find the files that have to be looked at again."""

from collections.abc import Iterator

from storage.files.places import ObjectPath
from storage.ledger.ledger import KnownFile, PictureFile, path_of
from tasks.loading.listing import is_named_otherwise
from tasks.loading.safe_read import GONE, HEAD, begins_as_picture, read_head
from tasks.solving.inbox import Inbox
from tasks.solving.merge import AnsweredFile, GoneFile, NewFile, OutdatedFile, merge

NOTED = 1024  # files after which the ledger and the progress are brought up to date
NO_PICTURE = "no picture by its kind"
ANSWERED, OTHERS = "answered before", "answered by another model or settings"


class Survey:
    """The first look of an attempt at solving an inbox, which `Inbox.begin` began."""

    def __init__(self, inbox: Inbox):
        self.inbox = inbox
        self._moved_before = inbox.mover.moved  # by earlier attempts
        self._others = 0

    def candidates(self) -> Iterator[PictureFile]:
        """Yield every file that has to be looked at again, and write to the ledger which files are gone or back.

        The digest of a file is the content with which its answer would hold.
        """
        inbox, mover, outcome = self.inbox, self.inbox.mover, self.inbox.outcome
        files, known = inbox.choice.files(), inbox.ledger.known(inbox.folder, inbox.choice.only)
        gone: list[bytes] = []
        back: list[bytes] = []
        listed = 0
        for finding in merge(files, known, inbox.settings if inbox.choice.again else None):
            if isinstance(finding, GoneFile):
                if not self._finish(finding.known, path_of(finding.known.key)) and not finding.known.gone:
                    gone.append(finding.known.key)
                    if len(gone) >= NOTED:
                        self._mark(gone, back)
                continue
            listed += 1
            if listed % NOTED == 0:
                outcome.total = self._moved_before + listed
                self._mark(gone, back)
            if isinstance(finding, AnsweredFile):
                path, row = finding
                self._count(row)
                if not self._finish(row, path):
                    mover.plan(row, path)
                    if row.gone:
                        back.append(row.key)
            elif isinstance(finding, OutdatedFile):
                self._others += finding.known.settings != inbox.settings
                outcome.others = max(outcome.others, self._others)  # an earlier attempt may have answered some
                moved = self._finish(finding.known, finding.picture.path)
                yield finding.picture._replace(digest=None) if moved else finding.picture
            elif isinstance(finding, NewFile):
                if self._is_no_picture(finding.picture):
                    outcome.skipped[NO_PICTURE] += 1
                else:
                    yield finding.picture
            else:
                outcome.leave(finding.path, GONE)
        outcome.total = self._moved_before + listed
        self._mark(gone, back)
        mover.catch_up()

    def _is_no_picture(self, file: PictureFile) -> bool:
        """Return whether a file of a folder is of another kind, by its suffix and by its first bytes."""
        choice = self.inbox.choice
        if choice.only or not is_named_otherwise(file.path):
            return False
        path = choice.folder / file.path
        try:
            if isinstance(path, ObjectPath):
                head = path.read_range(0, min(HEAD, file.size)) if file.size else b""
            else:
                head = read_head(path)
        except OSError:
            return False  # reading it tells the reason
        return not begins_as_picture(head)

    def _count(self, known: KnownFile) -> None:
        """Count a file whose answer holds."""
        outcome = self.inbox.outcome
        if self.inbox.attempts > 1 and known.run == self.inbox.run:
            outcome.counts[known.status] += 1
        else:
            outcome.skipped[ANSWERED if known.settings == self.inbox.settings else OTHERS] += 1

    def _finish(self, known: KnownFile, path: str) -> bool:
        """End a move that an earlier run began; return whether the file has been moved."""
        return known.target is not None and self.inbox.mover.finish(known, path)

    def _mark(self, gone: list[bytes], back: list[bytes]) -> None:
        """Write which files are gone and which are back; empty both lists."""
        if gone or back:
            with self.inbox.ledger.transaction():
                self.inbox.ledger.mark_gone(self.inbox.folder, gone, True)
                self.inbox.ledger.mark_gone(self.inbox.folder, back, False)
            gone.clear()
            back.clear()
        self.inbox.progress(self.inbox.outcome.done)

"""Solved files go to another folder, under names that are free there.

Where a file is to go is in the ledger, with its answer, before it moves, and that it went is written afterwards. So
whatever a run that was killed in between has left, the next one ends it.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from storage.files.moves import finish_move, move_new
from storage.ledger.ledger import STATUS, KnownFile, Ledger, LedgerEntry, PictureFile
from tasks.solving.batches import SOLVED

AT_ONCE = 256  # files that are on their way
SHOWN = 20  # files in a report that could not be moved


class Mover:
    """The moves of one run over `root`; without a `target` only those that an earlier run began."""

    def __init__(self, ledger: Ledger, folder: int, root: Path, target: Path | None, run: str):
        self.ledger, self.folder, self.root, self.run = ledger, folder, root, run
        self.target = target.resolve() if target else None
        self.moved = 0
        self.unmoved: list[dict] = []
        self._behind: list[PictureFile] = []

    def aim(self, entries: list[LedgerEntry]) -> list[LedgerEntry]:
        """The same, with a place to go to for what is solved."""
        if self.target is None:
            return entries
        taken: set[str] = set()
        return [
            one._replace(target=self._free(one.picture.path, taken)) if one.answer[STATUS] == SOLVED else one
            for one in entries
        ]

    def move(self, entries: Iterable[LedgerEntry]) -> None:
        """Move what is aimed, once that is in the ledger."""
        moved, not_moved = [], []
        for picture, _, _, target in entries:
            if target is not None:
                (moved if self._carry(picture, target) else not_moved).append(picture.path)
        if moved or not_moved:
            with self.ledger.transaction():
                self.ledger.mark_moved(self.folder, moved)
                self.ledger.mark_moving(self.folder, ((path, None) for path in not_moved))
        self.moved += len(moved)

    def finish(self, row: KnownFile, path: str) -> bool:
        """End the move that an earlier run began; False if there is none now, and the file may be moved anew."""
        target = Path(os.fsdecode(row.target))
        away = finish_move(self.root / path, target, (row.size, row.mtime), row.digest, self.run)
        with self.ledger.transaction():
            if away:
                self.ledger.mark_moved(self.folder, [path])
            else:
                self.ledger.mark_moving(self.folder, [(path, None)])
        self.moved += away
        return away

    def plan(self, row: KnownFile, path: str) -> None:
        """Move a file as well that an earlier run has solved."""
        if self.target is not None and row.status == SOLVED:
            self._behind.append(PictureFile(path, row.size, row.mtime, row.digest))
            if len(self._behind) >= AT_ONCE:
                self.catch_up()

    def catch_up(self) -> None:
        """Move what is planned."""
        aimed = self.aim([LedgerEntry(one, (SOLVED,) * (STATUS + 1)) for one in self._behind])
        self._behind = []
        if aimed:
            with self.ledger.transaction():
                self.ledger.mark_moving(self.folder, ((one.picture.path, one.target) for one in aimed))
            self.move(aimed)

    def _free(self, path: str, taken: set[str]) -> str:
        """A name below the target that nothing has; a second one gets a number."""
        stem, suffix = os.path.splitext(self.target / path)  # noqa: PTH122
        place, number = stem + suffix, 1
        while place in taken or os.path.lexists(place):
            number += 1
            place = f"{stem}-{number}{suffix}"
        taken.add(place)
        return place

    def _carry(self, picture: PictureFile, target: str) -> bool:
        while True:
            try:
                return move_new(self.root / picture.path, Path(target), picture[1:3], picture.digest, self.run)
            except FileExistsError:  # somebody was faster
                target = self._free(picture.path, {target})
                with self.ledger.transaction():
                    self.ledger.mark_moving(self.folder, [(picture.path, target)])
            except OSError as error:
                if len(self.unmoved) < SHOWN:
                    self.unmoved.append({"path": picture.path, "reason": error.strerror or str(error)})
                return False

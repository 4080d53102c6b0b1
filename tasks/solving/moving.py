"""Move solved files to another folder, under names that are free there.

The ledger has the place of a file, with its answer, before the file moves, and the move is marked as done afterwards.
So the next run ends the moves of a run that was killed.
"""

import os
import re
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path, PurePath

from storage.errors import BadInput
from storage.files.moves import finish_move, move_new
from storage.files.places import Place, local
from storage.ledger.ledger import SOLVED, KnownFile, Ledger, LedgerEntry, PictureFile
from tasks.solving.batches import content_of

AT_ONCE = 256  # files of earlier runs that are moved in one transaction
SHOWN = 20  # files in a report that could not be moved


class Mover:
    """The moves of a run.

    Parameters
    ----------
    ledger : Ledger
    folder : int
        The folder's number in the ledger.
    root : Place
        The folder that solved files are moved from.
    target : Path or None
        The folder that they are moved to. None: only moves that an earlier run began are ended.
    run : str
        A name that no other run has, for temporary files.

    Attributes
    ----------
    moved : int
        Files that have been moved.
    unmoved : list of dict
        Path and reason of the first files that could not be moved.
    """

    def __init__(self, ledger: Ledger, folder: int, root: Place, target: Path | None, run: str):
        self.ledger, self.folder, self.root, self.run = ledger, folder, root, run
        self.target = target.resolve() if target else None
        self.moved = 0
        self.unmoved: list[dict[str, str]] = []
        self._planned: list[PictureFile] = []

    @cached_property
    def _local_root(self) -> Path:
        return local(self.root, "move-to")

    def aim(self, entries: list[LedgerEntry]) -> list[LedgerEntry]:
        """Return the same entries; solved entries with a place to move to."""
        if self.target is None:
            return entries
        taken: set[str] = set()
        return [
            entry._replace(target=self._free_place(entry.picture.path, taken))
            if entry.answer.status == SOLVED
            else entry
            for entry in entries
        ]

    def move(self, entries: Iterable[LedgerEntry]) -> None:
        """Move the files of entries that have a place to move to, once the entries are in the ledger."""
        self._move_all([(entry.picture, entry.target) for entry in entries if entry.target is not None])

    def finish(self, known: KnownFile, path: str) -> bool:
        """End the move that an earlier run began.

        Returns
        -------
        bool
            False if the file was not moved. Then its move is forgotten, and it may be moved anew.
        """
        if known.target is None:
            return False
        target = Path(os.fsdecode(known.target))
        stamp = known.size, known.mtime
        away = _fits(path, target) and finish_move(self._local_root / path, target, stamp, content_of(known), self.run)
        with self.ledger.transaction():
            if away:
                self.ledger.mark_moved(self.folder, [path])
            else:
                self.ledger.mark_moving(self.folder, [(path, None)])
        self.moved += away
        return away

    def plan(self, known: KnownFile, path: str) -> None:
        """Plan to move a file that an earlier run has solved."""
        if self.target is not None and known.status == SOLVED:
            self._planned.append(PictureFile(path, known.size, known.mtime, known.digest))
            if len(self._planned) >= AT_ONCE:
                self.catch_up()

    def catch_up(self) -> None:
        """Move the files that are planned."""
        if not self._planned:
            return
        taken: set[str] = set()
        moves = [(picture, self._free_place(picture.path, taken)) for picture in self._planned]
        self._planned = []
        with self.ledger.transaction():
            self.ledger.mark_moving(self.folder, ((picture.path, target) for picture, target in moves))
        self._move_all(moves)

    def _move_all(self, moves: list[tuple[PictureFile, str]]) -> None:
        moved: list[str] = []
        not_moved: list[str] = []
        for picture, target in moves:
            (moved if self._carry(picture, target) else not_moved).append(picture.path)
        if moves:
            with self.ledger.transaction():
                self.ledger.mark_moved(self.folder, moved)
                self.ledger.mark_moving(self.folder, ((path, None) for path in not_moved))
        self.moved += len(moved)

    def _carry(self, picture: PictureFile, target: str) -> bool:
        """Move a file; if another program takes the place meanwhile, move it to the next free place."""
        path, seen = self._local_root / picture.path, (picture.size, picture.mtime)
        while True:
            try:
                return move_new(path, Path(target), seen, content_of(picture), self.run)
            except FileExistsError:
                target = self._free_place(picture.path, {target})
                with self.ledger.transaction():
                    self.ledger.mark_moving(self.folder, [(picture.path, target)])
            except (OSError, BadInput) as error:
                if len(self.unmoved) < SHOWN:
                    reason = getattr(error, "strerror", None) or str(error)
                    self.unmoved.append({"path": picture.path, "reason": reason})
                return False

    def _free_place(self, path: str, taken: set[str]) -> str:
        """Return a place below the target that no file has and that is not in `taken`; add it to `taken`.

        If the path's own place is not free, the name gets a number.
        """
        if self.target is None:
            raise ValueError("this run moves no files: it has no target")
        stem, suffix = os.path.splitext(self.target / path)  # noqa: PTH122 - a place is text here, as in the ledger
        place, number = stem + suffix, 1
        while place in taken or os.path.lexists(place):
            number += 1
            place = f"{stem}-{number}{suffix}"
        taken.add(place)
        return place


def _fits(path: str, target: Path) -> bool:
    """Return whether a run may have begun this move: from the folder, to the same place below another one.

    Anybody may have written the ledger: it must not take files from elsewhere, nor give them other names.
    """
    source = PurePath(path)
    if source.is_absolute() or ".." in (*source.parts, *target.parts) or not target.is_absolute():
        return False
    stem, suffix = os.path.splitext(source.name)  # noqa: PTH122 - as `_free_place` divides it
    named = re.fullmatch(rf"{re.escape(stem)}(-\d+)?{re.escape(suffix)}", target.name)
    above = source.parent.parts
    return named is not None and (not above or target.parent.parts[-len(above) :] == above)

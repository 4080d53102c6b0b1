"""The pictures that a run is to solve, its settings, and counts of its answers."""

import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from storage.errors import BadInput, CaptchasError, NotThere
from storage.files.places import ObjectPath, Place, local
from storage.files.stamps import Stamp, stamp_of
from storage.learnt_texts import LONGEST
from storage.ledger.ledger import FAILED, Answer
from tasks.loading.listing import any_picture, count_pictures, list_as_they_come, list_names

SHOWN = 20  # failures in a report
LONGEST_SETTLE = 3600.0  # seconds; each file that is to be read waits so long
EARLY = 32_768  # files of an early look; where there are more, the wait between two looks is a small part of the run
EARLY_SECONDS = 0.3  # that an early look may take: with a slow disk the run would rather begin


class Unseen(Enum):
    """Why a file that was listed has no size and no time."""

    GONE = "gone"
    REFUSED = "this user may not look at it"


FileState = Stamp | Unseen


def require_settle(seconds: float) -> None:
    """Raise `BadInput` for a wait between two looks that is negative or too long."""
    if not 0 <= seconds <= LONGEST_SETTLE:
        raise BadInput(f"settle: must be from 0 to {LONGEST_SETTLE:.0f} seconds; it is {seconds}")


def parse_length(given: str | None) -> tuple[int, int] | None:
    """Return the shortest and the longest length that ``"4"`` or ``"4-6"`` names.

    Raises
    ------
    BadInput
    """
    if given is None:
        return None
    shortest, dash, longest = given.partition("-")
    if not shortest.isdecimal() or (dash and not longest.isdecimal()):
        raise BadInput(f"length: must be a number such as 4, or two such as 4-6; it is {given!r}")
    bounds = int(shortest), int(longest if dash else shortest)
    if not 1 <= bounds[0] <= bounds[1] <= LONGEST:
        raise BadInput(f"length: must be from 1 to {LONGEST} letters, the shortest first; it is {given!r}")
    return bounds


class EarlyLook:
    """A look at the files of a folder before a run begins, from which the wait for the second look counts.

    It is no dataclass, since Prefect goes through all items of those that its tasks get.

    Attributes
    ----------
    at : float
        When the last file was looked at, by the monotonic clock.
    """

    def __init__(self, at: float, stamps: dict[str, FileState]):
        self.at, self._stamps = at, stamps

    def saw(self, path: str, stamp: Stamp) -> bool:
        """Return whether the file had this stamp."""
        return self._stamps.get(path) == stamp


@dataclass(frozen=True)
class SolveChoice:
    """The pictures to solve, and the settings.

    Parameters
    ----------
    path : Place
        A folder, or a single picture, on this machine or in an object store.
    again : bool
        Also read what another model, or other settings, answered.
    settle : float
        Seconds between the two looks at a file that is to be read.
    move_to : Path, optional
        The folder that solved files are moved to.
    follow : bool
        Also read what symbolic links point to.
    skip : tuple of Place
        Files that are no pictures: answers and the ledger.
    """

    path: Place
    again: bool = False
    settle: float = 1.0
    move_to: Path | None = None
    follow: bool = False
    skip: tuple[Place, ...] = ()

    @cached_property  # decided once, since the picture may be moved meanwhile
    def only(self) -> str | None:
        """Return the picture's name if `path` is a single picture, else None."""
        return self.path.name if self.path.is_file() else None

    @cached_property
    def folder(self) -> Place:
        """Return the folder that paths are relative to, links resolved."""
        return (self.path.parent if self.only else self.path).resolve()

    @property
    def follows_links(self) -> bool:
        """Return whether links are read: if the user asks for it, or if the single picture is a link."""
        return self.follow or self.only is not None

    def require_possible(self, may_be_empty: bool = False) -> None:
        """Raise an error if there is nothing to read, or if a value is out of its range.

        Raises
        ------
        NotThere, BadInput
        """
        require_settle(self.settle)
        if not self.path.exists():
            raise NotThere(f"{self.path}: no such file or folder; give a picture, or a folder of pictures")
        if isinstance(self.path, ObjectPath) and (self.move_to or self.follow):
            raise BadInput(
                f"{'move-to' if self.move_to else 'follow-links'}: is for files of this machine; {self.path} is in an "
                "object store"
            )
        if self.move_to:
            self._require_elsewhere(self.move_to)
        if not may_be_empty and not self.only and not self._any():
            raise BadInput(f"{self.path}: has no file; put pictures into it (PNG, JPEG, GIF, BMP, WebP or TIFF)")

    def _require_elsewhere(self, move_to: Path) -> None:
        folder, target = local(self.folder, "path"), move_to.resolve()
        if target.is_relative_to(folder) or folder.is_relative_to(target):
            raise BadInput(
                f"move-to: must neither lie in the folder that is solved nor hold it; {move_to} does: "
                "choose a folder beside it"
            )
        if self.follow:
            raise BadInput("move-to: moves what lies in the folder itself, so it does not go with --follow-links")
        if target.exists() and not target.is_dir():
            raise BadInput(f"move-to: must be a folder; {move_to} is a file")

    def count(self) -> int:
        """Count the files."""
        if self.only:
            return 1
        if isinstance(self.path, ObjectPath):
            return sum(1 for _ in self._objects(self.path))
        return count_pictures(self.path, self._skipped_files(), follow=self.follow)

    def files(self) -> Iterator[tuple[str, FileState]]:
        """Yield the relative path and the state of each file, in the order of a listing."""
        if isinstance(self.path, ObjectPath):
            yield from self._objects(self.path)
            return
        names = [self.only] if self.only else list_names(self.path, self._skipped_files(), follow=self.follow)
        yield from self._states(names)

    def look_early(self) -> EarlyLook | None:
        """Look at all files now, while a run still starts; None if they are too many, too slow, or in an object store.

        The run itself tells what is wrong with a folder or a file.
        """
        if isinstance(self.path, ObjectPath):
            return None
        names = [self.only] if self.only else list_as_they_come(self.path, self._skipped_files(), follow=self.follow)
        deadline = time.monotonic() + EARLY_SECONDS
        stamps: dict[str, FileState] = {}
        with suppress(CaptchasError):
            for name, state in self._states(names):
                if len(stamps) == EARLY or time.monotonic() > deadline:
                    return None
                stamps[name] = state
        return EarlyLook(time.monotonic(), stamps)

    def _states(self, names: Iterable[str]) -> Iterator[tuple[str, FileState]]:
        """Yield each name with the state of its file on this machine."""
        stat, root = os.stat if self.follows_links else os.lstat, f"{self.folder}/"
        for name in names:
            try:
                status = stat(root + name)
            except FileNotFoundError:
                yield name, Unseen.GONE
            except OSError:
                yield name, Unseen.REFUSED
            else:
                yield name, stamp_of(status)

    def _objects(self, path: ObjectPath) -> Iterator[tuple[str, Stamp]]:
        """Yield the objects of a folder in an object store, in the same order."""
        if self.only:
            found = path.stat()
            yield self.only, (found.st_size, found.st_mtime_ns)
            return
        left_out = {str(skip).removeprefix(f"{path}/") for skip in self.skip if isinstance(skip, ObjectPath)}
        yield from ((name, (size, mtime)) for name, size, mtime in path.walk() if name not in left_out)

    def _skipped_files(self) -> tuple[Path, ...]:
        return tuple(path for path in self.skip if isinstance(path, Path))

    def _any(self) -> bool:
        if isinstance(self.path, ObjectPath):
            return next(self._objects(self.path), None) is not None
        return any_picture(self.path, self._skipped_files(), follow=self.follow)


class ReadAgain(NamedTuple):
    """What a second reading of pictures came to.

    told : what most texts have in common, in words
    pictures, changed : how many were read again in this run, and how many of these have another answer
    """

    told: str
    pictures: int
    changed: int


@dataclass
class SolveOutcome:
    """The counts of a run, and the first files that it failed to answer.

    Attributes
    ----------
    total : int
        Files that were listed.
    read : int
        Pictures that were read. The other answered files have the content of a picture that was read, in this run
        or before.
    counts : Counter of str
        Files that were answered, by status.
    skipped : Counter of str
        Files that were not answered, by reason.
    others : int
        Files that had answers of another model or other settings and are answered again.
    failures, left : list of dict
        Path and reason of the first files that failed, and of the first files that were left for the next run.
    """

    total: int = 0
    read: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    others: int = 0
    failures: list[dict[str, str]] = field(default_factory=list)
    left: list[dict[str, str]] = field(default_factory=list)

    @property
    def done(self) -> int:
        """Return the number of files that are done, answered or skipped."""
        return self.counts.total() + self.skipped.total()

    def answer(self, path: str, answer: Answer) -> None:
        """Count an answer."""
        self.counts[answer.status] += 1
        if answer.status == FAILED and len(self.failures) < SHOWN:
            # An earlier attempt may have failed at the same file.
            self.failures = [failure for failure in self.failures if failure["path"] != path]
            self.failures.append({"path": path, "reason": answer.reason or ""})

    def leave(self, path: str, reason: str) -> None:
        """Count a file that is left for the next run."""
        self.skipped[reason] += 1
        if len(self.left) < SHOWN:
            self.left.append({"path": path, "reason": reason})

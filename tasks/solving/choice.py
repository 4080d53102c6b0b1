"""What a run is to solve and how, and what became of it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from storage.errors import BadInput, NotThere
from storage.files.places import ObjectPath, Place
from storage.ledger.ledger import STATUS
from tasks.loading.listing import any_picture, count_pictures, list_names
from tasks.solving.batches import FAILED

SHOWN = 20  # failures in a report


@dataclass(frozen=True)
class SolveChoice:
    """What to solve, and how.

    path : a folder, or one picture, here or in an object store
    again : also what another model, or other settings, answered
    settle : seconds between the two looks at a file that is to be read
    move_to : where solved files go
    follow : symbolic links too
    skip : files that are no pictures: of ours
    """

    path: Place
    again: bool = False
    settle: float = 1.0
    move_to: Path | None = None
    follow: bool = False
    skip: tuple[Place, ...] = ()

    @cached_property  # decided once: a picture that was moved meanwhile is still what was asked for
    def one(self) -> str | None:
        """The name of the picture, if it is one."""
        return self.path.name if self.path.is_file() else None

    @cached_property
    def folder(self) -> Place:
        """The folder that paths are relative to, links resolved."""
        return (self.path.parent if self.one else self.path).resolve()

    def require_possible(self, may_be_empty: bool = False) -> None:
        """Refuse what has nothing to read, and values that cannot be.

        Raises
        ------
        NotThere, BadInput
        """
        if not 0 <= self.settle <= 3600:
            raise BadInput(f"settle: must be from 0 to 3600 seconds; it is {self.settle}")
        if not self.path.exists():
            raise NotThere(f"{self.path}: no such file or folder; give a picture, or a folder of pictures")
        if isinstance(self.path, ObjectPath) and (self.move_to or self.follow):
            raise BadInput(
                f"{'move-to' if self.move_to else 'follow-links'}: is for files of this machine; {self.path} is in an "
                "object store"
            )
        if self.move_to:
            self._require_elsewhere(self.move_to.resolve())
        if not may_be_empty and not self.one and not self._any():
            raise BadInput(f"{self.path}: has no file; put pictures into it (PNG, JPEG, GIF, BMP, WebP or TIFF)")

    def _require_elsewhere(self, target: Path) -> None:
        if target == self.folder or self.folder in target.parents or target in self.folder.parents:
            raise BadInput(
                f"move-to: must neither lie in the folder that is solved nor hold it; {self.move_to} does: "
                "choose one beside it"
            )
        if self.follow:
            raise BadInput("move-to: moves what lies in the folder itself, so it does not go with --follow-links")
        if target.exists() and not target.is_dir():
            raise BadInput(f"move-to: must be a folder; {self.move_to} is a file")

    def count(self) -> int:
        """How many files there are."""
        if self.one:
            return 1
        if isinstance(self.path, ObjectPath):
            return sum(1 for _ in self.objects())
        return count_pictures(self.path, self._files(), follow=self.follow)

    def names(self) -> Iterable[str]:
        """The files of a folder of this machine in order, relative to it."""
        return [self.one] if self.one else list_names(self.path, self._files(), follow=self.follow)

    def objects(self) -> Iterator[tuple[str, int, int]]:
        """The objects of a folder in an object store in the same order: (relative name, bytes, mtime in ns)."""
        if self.one:
            found = self.path.stat()
            yield self.one, found.st_size, found.st_mtime_ns
            return
        left_out = {str(path).removeprefix(f"{self.path}/") for path in self.skip if isinstance(path, ObjectPath)}
        yield from (entry for entry in self.path.walk() if entry[0] not in left_out)

    def _files(self) -> tuple[Path, ...]:
        return tuple(path for path in self.skip if isinstance(path, Path))

    def _any(self) -> bool:
        if isinstance(self.path, ObjectPath):
            return next(self.objects(), None) is not None
        return any_picture(self.path, self._files(), follow=self.follow)


@dataclass
class SolveOutcome:
    """What became of the files: of each status how many were answered, and why others were not; the first of them.

    `read` of the answered were read, the others have the content of one that was, now or in an earlier run.
    """

    total: int = 0
    read: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    failures: list[dict] = field(default_factory=list)
    left: list[dict] = field(default_factory=list)

    @property
    def done(self) -> int:
        """How many files are done with."""
        return self.counts.total() + self.skipped.total()

    def answer(self, path: str, answer: tuple) -> None:
        """Count an answer."""
        self.counts[answer[STATUS]] += 1
        if answer[STATUS] == FAILED and len(self.failures) < SHOWN:
            self.failures = [one for one in self.failures if one["path"] != path]  # an earlier try's
            self.failures.append({"path": path, "reason": answer[-1]})

    def leave(self, path: str, reason: str) -> None:
        """Count a file that is left for the next run."""
        self.skipped[reason] += 1
        if len(self.left) < SHOWN:
            self.left.append({"path": path, "reason": reason})

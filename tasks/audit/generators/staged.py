"""The folder of what a generator has drawn: the pictures' files, and a line for each picture that was tried.

A line is written after its picture, so a killed run goes on behind the last whole line.
"""

import json
import os
from collections import Counter
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from storage.errors import Damaged, Different, explained
from storage.files import atomic
from storage.texts import canonical, csv_bytes, plain
from tasks.audit import schema
from tasks.audit.generators.own_generator import OwnGenerator

GENERATOR, DRAWN, LABELS, PICTURES = "generator.json", "drawn.jsonl", "labels.csv", "pictures"
AGAIN = 8  # pictures that are drawn twice, to see whether they come out equal
_A_FOLDER = 1000  # pictures
_SAID = 300  # characters of an example


class Row(NamedTuple):
    """A picture that was drawn: its text, file, bytes, the digest of its pixels, and the seconds that it took."""

    text: str
    file: str
    size: int
    pixels: str
    seconds: float


class StagedFile(NamedTuple):
    """A picture's file: how its name ends, its bytes, and the time (ns) that its owner gave it, if that is known."""

    ends: str
    data: bytes
    time: int | None = None


class Failed(NamedTuple):
    """A picture that could not be used: the kind of failure and what was found."""

    what: str
    said: str


class Staged:
    """What a generator has drawn so far.

    Parameters
    ----------
    folder : Path
    generator : OwnGenerator

    Attributes
    ----------
    rows, failed : dict
        By the picture's index.
    equal : dict of bool
        Whether a picture that was drawn twice came out equal.

    Raises
    ------
    Different
        The folder holds what another generator drew, or this one with other options.
    Damaged
    """

    def __init__(self, folder: Path, generator: OwnGenerator):
        self.folder = folder
        self.rows: dict[int, Row] = {}
        self.failed: dict[int, Failed] = {}
        self.equal: dict[int, bool] = {}
        atomic.make_folder(folder / PICTURES)
        self._require_same(generator)
        self._read()
        if not self.rows:  # what failed may have been mended
            self.failed.clear()
            self.equal.clear()
            (folder / DRAWN).unlink(missing_ok=True)
        self._journal = (folder / DRAWN).open("ab", buffering=0)

    def __enter__(self) -> "Staged":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._journal.close()

    def add(self, index: int, text: str, picture: StagedFile, pixels: str, seconds: float) -> None:
        """Keep a picture."""
        file = f"{PICTURES}/{index // _A_FOLDER:05d}/{index:08d}{picture.ends}"
        path = self.folder / file
        try:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(picture.data)
            if picture.time is not None:
                with suppress(OSError, OverflowError):  # another file system may not have such times
                    os.utime(path, ns=(picture.time, picture.time))
        except OSError as error:
            raise explained(error, path) from error
        self.rows[index] = row = Row(text, file, len(picture.data), pixels, round(seconds, 6))
        self._note({"index": index, **row._asdict()})

    def fail(self, index: int, what: str, said: str) -> None:
        """Note why a picture could not be used."""
        self.failed[index] = failed = Failed(what, said[:_SAID])
        self._note({"index": index, **failed._asdict()})

    def compare(self, index: int, pixels: str | None) -> None:
        """Note whether a picture that was drawn again came out equal; None if it came out not at all."""
        self.equal[index] = equal = pixels == self.rows[index].pixels
        self._note({"again": index, "equal": equal})

    def chosen(self, count: int) -> list[Row]:
        """Return the first `count` pictures by their index, fewer if there are fewer."""
        return [self.rows[index] for index in sorted(self.rows)[:count]]

    def write_labels(self, rows: list[Row]) -> None:
        """Write the table of labels, with which other tools can read the pictures too."""
        table = csv_bytes([("path", "label"), *((row.file, row.text) for row in rows)])
        atomic.replace(self.folder / LABELS, table)
        os.fsync(self._journal.fileno())

    def failures(self, count: int) -> list[schema.Failure]:
        """Count the kinds of failures among the first `count` pictures that were tried, the most frequent first.

        Each has the example of its first picture.
        """
        found = {index: failed for index, failed in sorted(self.failed.items()) if index < count}
        counts = Counter(failed.what for failed in found.values())
        first = {failed.what: index for index, failed in reversed(found.items())}

        def example(what: str) -> str:
            return plain(": ".join(filter(None, [f"picture {first[what]}", found[first[what]].said])))

        return [{"what": plain(what), "count": count, "example": example(what)} for what, count in counts.most_common()]

    def _require_same(self, generator: OwnGenerator) -> None:
        path = self.folder / GENERATOR
        record = canonical(generator.record())
        try:
            there = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            atomic.replace(path, record.encode())
            return
        if there != record:
            raise Different(
                f"{self.folder}: holds what another generator drew, or this one before it was changed or with other "
                f"options ({_difference(there, generator.record())}); choose another folder, or remove that one"
            )

    def _read(self) -> None:
        """Read the lines that a former run wrote; a line without its end was cut off."""
        path = self.folder / DRAWN
        data = path.read_bytes() if path.exists() else b""
        whole = data[: data.rfind(b"\n") + 1]
        try:
            for line in whole.splitlines():
                self._take(json.loads(line))
        except (ValueError, TypeError, KeyError) as error:
            raise Damaged(f"{path}: is damaged ({error}); remove {self.folder} to draw anew") from error
        if len(whole) < len(data):
            os.truncate(path, len(whole))
        for index, row in list(self.rows.items()):
            file = self.folder / row.file
            if not file.is_file() or file.stat().st_size != row.size:
                del self.rows[index]

    def _take(self, line: dict[str, Any]) -> None:
        if "again" in line:
            self.equal[line["again"]] = line["equal"]
        elif "what" in line:
            self.failed[line["index"]] = Failed(line["what"], line["said"])
        else:
            index = line.pop("index")
            self.rows[index] = Row(**line)
            self.failed.pop(index, None)

    def _note(self, line: dict[str, Any]) -> None:
        try:
            self._journal.write(json.dumps(line).encode() + b"\n")
        except OSError as error:
            raise explained(error, self.folder / DRAWN) from error


def _difference(there: str, wanted: dict[str, Any]) -> str:
    """Name the fields in which a kept record differs."""
    try:
        before = json.loads(there)
        names = [name for name in wanted if before.get(name) != wanted[name]]
    except (ValueError, AttributeError):
        names = []
    return ", ".join(names) + (" differs" if len(names) == 1 else " differ") if names else "its record is damaged"

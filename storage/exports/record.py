"""The record of an export, which is written last: what was exported, its parts and their sizes."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from storage.errors import Damaged, Different
from storage.exports.staging import measured
from storage.files import atomic
from storage.files.small_files import read_json
from storage.texts import as_json

# Hidden, since other tools take a visible JSON file for data: Hugging Face's `datasets` reads all files of a folder
# whose names do not begin with a dot, and fails on a Parquet export with a JSON file in it.
RECORD = ".export.json"
EARLIER = "export.json"  # its name in exports of earlier versions
RECORDS = (RECORD, EARLIER)
NOTES = ".parts"  # the folder in which an unfinished export keeps notes for the next run


@dataclass(frozen=True)
class Part:
    """The part of an export that comes from one shard; `name` is None if none of its pictures were chosen."""

    shard: int
    name: str | None
    pictures: int
    files: int
    bytes: int

    def stands(self, out: Path) -> bool:
        """Return whether the part still has as many files and bytes as were written."""
        return self.name is None or measured(out / self.name) == (self.files, self.bytes)


@dataclass(frozen=True)
class ExportRecord:
    """The content of an export's record.

    what : dict
        Everything that the bytes of the export depend on. Exports with different `what` are different exports.
    parts, indexes
        Empty in the record of an unfinished export. `indexes` gives the size in bytes of each file beside the parts.
    """

    what: dict[str, Any]
    parts: tuple[Part, ...] = ()
    indexes: dict[str, int] | None = None

    @property
    def complete(self) -> bool:
        """Return whether the export was completed."""
        return self.indexes is not None

    @property
    def pictures(self) -> int:
        """Return the number of pictures in all parts."""
        return sum(part.pictures for part in self.parts)

    def stands(self, out: Path) -> bool:
        """Return whether the export was completed and each of its files still has its size."""
        return (
            self.indexes is not None
            and all(measured(out / name) == (1, size) for name, size in self.indexes.items())
            and all(part.stands(out) for part in self.parts)
        )

    def has_all(self, names: Sequence[str], index: str | None, *, empty: bool) -> bool:
        """Return whether the record, which anybody may have written, has these parts in order, and the index.

        Parameters
        ----------
        names : sequence of str
            Of the part of each shard.
        index : str, optional
            The file beside the parts.
        empty : bool
            Parts may have no pictures, and then no file, as those of a split.
        """
        return (
            [part.shard for part in self.parts] == list(range(len(names)))
            and all(
                part.name == name or (empty and part.name is None) for part, name in zip(self.parts, names, strict=True)
            )
            and (index is None or index in (self.indexes or {}))
        )

    def write(self, path: Path) -> None:
        """Write the record to `path`, atomically."""
        content = asdict(self) | {"pictures": self.pictures}
        atomic.replace(path, (as_json(content, indent=1) + "\n").encode())

    @classmethod
    def read(cls, out: Path) -> "ExportRecord | None":
        """Read the record of the export in `out`, complete or unfinished; None if there is no export.

        Raises
        ------
        Damaged
            The file is not a record that this project writes.
        Different
            The folder holds files that no export wrote.
        """
        for path in (folder / name for folder in (out, out / NOTES) for name in RECORDS):
            try:
                return _record(read_json(path))
            except (FileNotFoundError, NotADirectoryError):
                continue
            except (OSError, ValueError, TypeError, KeyError) as error:
                raise Damaged(
                    f"{path}: cannot be read as the record of an export ({error}); move {out} away"
                ) from error
        foreign = sorted(path.name for path in out.iterdir() if path.name != NOTES) if out.is_dir() else []
        if foreign:
            raise Different(
                f"{out}: holds files that no export wrote ({', '.join(foreign[:3])}{', …' * (len(foreign) > 3)}); "
                "give a folder that is empty or new with --out"
            )
        return None


def part_from(content: object) -> Part:
    """Read a part from JSON, which anybody may have written into the folder.

    Raises
    ------
    ValueError, TypeError
    """
    part = Part(**content)  # type: ignore[arg-type]  # which fails for all but a table
    if not (part.name is None or _is_name(part.name)) or not all(
        type(number) is int and number >= 0 for number in (part.shard, part.pictures, part.files, part.bytes)
    ):
        raise ValueError("a part must have a file's name, and whole numbers")
    return part


def _record(content: Any) -> ExportRecord:
    del content["pictures"]
    record = ExportRecord(**content | {"parts": tuple(map(part_from, content["parts"]))})
    indexes = {} if record.indexes is None else record.indexes
    if not isinstance(record.what, dict) or not isinstance(indexes, dict):
        raise TypeError("what and indexes must be tables")
    if not all(_is_name(name) and type(size) is int for name, size in indexes.items()):
        raise ValueError("indexes must be files' names with their bytes")
    return record


def _is_name(name: object) -> bool:
    """Return whether a value is the name of a file in a folder, and no path out of it."""
    return isinstance(name, str) and name == Path(name).name and "\0" not in name and name not in ("", ".", "..")

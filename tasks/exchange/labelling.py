"""The source of labels: file names, a file that lists them, or a text file beside each picture; and what is mended."""

import json
import posixpath
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from storage.errors import BadInput
from storage.exports.record import RECORDS
from storage.files.small_files import read_small
from tasks.exchange.label_sources.beside import labels_beside, names_files, texts_beside
from tasks.exchange.label_sources.file_formats.label_files import read_table
from tasks.exchange.label_sources.label_columns import resolve
from tasks.exchange.label_sources.name_parts import Part, kinds_of
from tasks.exchange.label_sources.name_structure import without_copy
from tasks.exchange.label_sources.picture_index import ListedLabels, PictureIndex, without_suffix
from tasks.exchange.label_sources.spelling.spelt import CAPITALS, with_capitals
from tasks.exchange.label_sources.written_labels import as_meant, seen
from tasks.exchange.rejects import MANY, require_no_classes, require_no_numbered_classes

LAST_PART = r"(?:.*_)?(?P<label>[^_]*)"  # the text after the last _, or the whole name
NAMED = {  # the separator is _, or in names without it a dash, or in names without both a blank
    "first": r"(?P<label>(?=[^/]*_)[^/_]*|(?![^/]*_)(?=[^/]*-)[^/-]*|(?![^/]*[_-])[^/ ]*)(?:[_\- ].*)?",
    "last": r"(?:.*_|(?!.*_).*-|(?!.*[_-]).* )?(?P<label>[^_]*)",
    "whole": "(?P<label>[^/]*)",
    "folder": "(?P<label>[^/]+)/[^/]*",
    CAPITALS: "(?P<label>[^/]*)",  # without the mark before each
}
MOSTLY = 0.7  # share of labels of one length, where shorter numbers look as if they had lost zeros


class Zeros(StrEnum):
    """What to do with labels of digits that are shorter than others, as if a spreadsheet had cut leading zeros."""

    FILL = "fill"
    KEEP = "keep"


@dataclass(frozen=True)
class LabelOptions:
    """How labels are read and mended.

    Parameters
    ----------
    columns : (path, label), optional
        Of a file of labels: names, or numbers from 1.
    fold_case : bool
        Make labels upper case.
    zeros : Zeros, optional
        None refuses labels that may have lost zeros.
    """

    columns: tuple[str, str] | None = None
    fold_case: bool = False
    zeros: Zeros | None = None

    def tidy(self, label: str) -> str:
        """Mend a label, but for its zeros."""
        return tidy_label(label.strip(), self.fold_case)


def parse_columns(given: str | None) -> tuple[str, str] | None:
    """Return the columns of path and label that ``"image,solution"`` names.

    Raises
    ------
    BadInput
    """
    if given is None:
        return None
    path, comma, label = (part.strip() for part in given.partition(","))
    if not (path and comma and label) or path == label:
        raise BadInput(f"columns: must be two names with a comma between, such as image,solution; it is {given!r}")
    return path, label


@dataclass(frozen=True)
class Labelling:
    """The source of labels.

    Parameters
    ----------
    pattern : str
        For labels in file names: `first`, `last`, `whole`, `folder` or `capitals`, or a regular expression with a group
        `label`, or a template with `{label}` once and `*` for any characters within a name. It must match a file's
        whole name, without its suffix or with it; or else the name with the folder above, and so on. The mark of a
        copy, such as the end of `ABCD (1).png`, belongs to no name.
    file : Path, optional
        A file that lists paths and labels, used instead of the pattern.
    found : tuple of Path
        Files of labels that lie below the folder, used instead of the pattern.
    beside : str
        The end of the names of files that each hold the label of the picture beside them, such as `.gt.txt`.
    folder : Path, optional
        The folder of the pictures.
    notes : tuple of str
        What a person should know about the choice.
    agreeing : tuple of Path
        Other files of labels: they say the same as those that are used, or one thing of all pictures.

    Raises
    ------
    BadInput
        The pattern is neither a template nor a regular expression.
    """

    pattern: str = LAST_PART
    file: Path | None = None
    found: tuple[Path, ...] = ()
    beside: str = ""
    folder: Path | None = field(default=None, compare=False)
    options: LabelOptions = LabelOptions()
    notes: tuple[str, ...] = field(default=(), compare=False)
    agreeing: tuple[Path, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        _ = self._regex  # raises for a wrong pattern now, not at the first file

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        pattern = NAMED.get(self.pattern, self.pattern)
        if "(?P<label>" not in pattern:
            if pattern.count("{label}") != 1:
                raise BadInput(
                    f"pattern {pattern!r}: must have {{label}} once, or be {', '.join(NAMED)} or a regular expression "
                    "with a group (?P<label>…); for instance '{label}_*' or '(?P<label>[A-Z]+)-[0-9]+'"
                )
            parts = re.split(r"(\{label\}|\*)", pattern)
            meaning = {"{label}": "(?P<label>[^/]*?)", "*": "[^/]*"}
            pattern = "".join(meaning.get(part, re.escape(part)) for part in parts)
        try:
            return re.compile(pattern, re.DOTALL)
        except re.error as error:
            raise BadInput(f"pattern {pattern!r}: is no regular expression ({error})") from error

    def label(self, path: str) -> str | None:
        """Find the label in a file's name; None if the pattern does not match. `path` has forward slashes."""
        parts = path.split("/")
        for first in range(len(parts) - 1, -1, -1):
            name = "/".join(parts[first:])
            stem = without_suffix(name)
            if stem == name:
                stem = without_suffix(posixpath.splitext(name)[0])  # BONE of BONE.png.part
            suffix = name[len(stem) :]
            single = without_copy(stem)
            for tried in dict.fromkeys((single, single + suffix, stem, name)):
                if match := self._regex.fullmatch(tried):
                    text = without_copy(match["label"] or "")
                    return with_capitals(text) if self.pattern == CAPITALS else as_meant(text)
        return None

    @property
    def files(self) -> tuple[Path, ...]:
        """Return the files that list labels."""
        return (self.file,) if self.file else self.found

    @property
    def source(self) -> str:
        """Return what holds the labels, for messages; '' for names."""
        if self.files:
            return ", ".join(path.name for path in self.files[:2]) + ", …" * (len(self.files) > 2)
        return f"a {self.beside} beside it" if self.beside else ""

    def listed(self, paths: Sequence[str]) -> ListedLabels:
        """Read the labels that files hold.

        Raises
        ------
        NotThere, BadInput
            A file cannot be read, or labels a picture that another file labels.
        """
        if self.beside:
            return labels_beside(self.folder or Path(), paths, self.beside, self.options.columns)
        index = PictureIndex(paths)
        labels: dict[str, str] = {}
        strangers: dict[str, str] = {}
        left_out: dict[str, str] = {}
        turned = corrected = 0
        for file in self.files:
            read = resolve(read_table(file), index, self._base(file), self.options.columns)
            for path in read.labels.keys() & labels.keys():
                raise BadInput(f"labels {file}: labels {path!r}, as another file does; choose one with --labels")
            labels |= read.labels
            strangers |= read.strangers
            left_out |= read.left_out
            turned += read.turned
            corrected += read.corrected
        return ListedLabels(self.files[0], labels, strangers, left_out, turned=turned, corrected=corrected)

    def _base(self, file: Path) -> str:
        """Return the folder of a file of labels, relative to that of the pictures; '' for one elsewhere."""
        if self.folder is None or not file.parent.is_relative_to(self.folder):
            return ""
        base = file.parent.relative_to(self.folder).as_posix()
        return "" if base == "." else base

    def only_pictures(self, paths: list[str]) -> list[str]:
        """Leave out the files that belong to a picture's label: the text beside it, or its boxes."""
        if not self.beside:
            return paths
        texts = texts_beside(paths, self.beside)
        stems = {without_suffix(path) for path in texts}
        ends = (".gt.txt", ".box", ".json", ".xml")
        own = {path for path in paths for end in ends if path.endswith(end) and path.removesuffix(end) in stems}
        own.update(texts.values(), names_files(paths))
        return [path for path in paths if path not in own]

    def as_dict(self) -> dict[str, str]:
        """Return the source, for a manifest: no path of this machine."""
        told: dict[str, str] = {}
        if self.file:
            told["file"] = self.file.name
        elif self.found and self.folder:
            told["found"] = ", ".join(path.relative_to(self.folder).as_posix() for path in self.found)
        elif self.beside:
            told["beside"] = self.beside
        else:
            told["pattern"] = self.pattern
        if self.options.columns:
            told["columns"] = ",".join(self.options.columns)
        if self.options.fold_case:
            told["case"] = "upper"
        if self.options.zeros:
            told["zeros"] = self.options.zeros.value
        return told


def require_faithful(folder: Path, read: ListedLabels) -> None:
    """Refuse labels of an export made with --csv-safe if one has an apostrophe, which it may have got there."""
    for name in RECORDS:
        try:
            safe = json.loads(read_small(folder / name, name))["what"].get("csv_safe")
        except (OSError, BadInput, ValueError, TypeError, KeyError, AttributeError):
            continue
        label = next((label for label in read.labels.values() if "'" in label), None)
        if safe and label is not None:
            raise BadInput(
                f"labels {read.file}: was written with --csv-safe, which puts apostrophes into labels such as "
                f"{label!r}; export the dataset again without it"
            )


def tidy_label(label: str, fold_case: bool = False) -> str:
    """Return a label in Unicode's normal form C, without what no picture shows; in upper case if wanted."""
    label = label.replace(" ", "") if label.isascii() else unicodedata.normalize("NFC", seen(label))
    return "".join(letter.upper() if len(letter.upper()) == 1 else letter for letter in label) if fold_case else label


def shorter_numbers(labels: Sequence[str]) -> list[str]:
    """Return the labels of digits that may have lost leading zeros: most labels are longer, and of one length."""
    lengths: dict[int, int] = {}
    for label in labels:
        lengths[len(label)] = lengths.get(len(label), 0) + 1
    usual = max(lengths, key=lambda length: lengths[length], default=0)
    if not labels or lengths[usual] < MOSTLY * len(labels):
        return []
    lost = [label for label in labels if len(label) < usual and label.isdecimal() and label[0] != "0"]
    return lost if 2 * len(lost) >= len(labels) - lengths[usual] else []


def fill_zeros(labels: Sequence[str], length: int) -> list[str]:
    """Write zeros before labels of digits that are shorter than `length`."""
    return [label.zfill(length) if label.isdecimal() else label for label in labels]


def with_zeros(pairs: list[tuple[str, str]], labelling: Labelling, mended: Counter[str]) -> list[tuple[str, str]]:
    """Write lost zeros before labels, or keep them short, as the options say; without an option, refuse."""
    labels = [label for _, label in pairs]
    counted = labelling.files and not labelling.options.columns and len(labels) >= MANY
    if counted and all(map(str.isdecimal, labels)) and kinds_of([labels], len(labels))[0] is Part.COUNTER:
        raise BadInput(
            f"labels {labelling.source}: hold a counter ({', '.join(labels[:3])}, …), not what pictures show; choose "
            "other columns with --columns, or say with it that these are the labels"
        )
    if labelling.files and not labelling.options.columns:
        require_no_classes(pairs, labelling.source)
        if labelling.options.zeros is None:
            require_no_numbered_classes(labels, labelling.source)
    lost = shorter_numbers(labels)
    if not lost or labelling.options.zeros is Zeros.KEEP:
        return pairs
    length = max(map(len, labels))
    if labelling.options.zeros is None:
        longer = next(label for label in labels if len(label) == length)
        raise BadInput(
            f"labels {labelling.source}: {len(lost):,} of {len(labels):,} labels are shorter numbers, such as "
            f"{lost[0]!r} among {longer!r}, as if a spreadsheet had taken leading zeros away; choose --zeros fill "
            f"({lost[0]!r} becomes {lost[0].zfill(length)!r}) or --zeros keep (the pictures show {lost[0]!r})"
        )
    mended["zeros"] += len(lost)
    filled = fill_zeros(labels, length)
    return [(path, sys.intern(label)) for (path, _), label in zip(pairs, filled, strict=True)]

"""The pictures of a folder, found by the names that files of labels use for them, and their labels."""

import posixpath
import re
import unicodedata
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote

from tasks.exchange.label_sources.file_formats.label_files import PICTURE
from tasks.exchange.label_sources.name_parts import FEW
from tasks.loading.listing import READ

SPLIT_FOLDERS = {
    "train": "train", "training": "train", "val": "validation", "valid": "validation", "validation": "validation",
    "dev": "validation", "test": "test", "testing": "test", "eval": "test",
}  # fmt: skip
_CAPTION = re.compile(rf"({READ[:-1]})#\d$", re.IGNORECASE)  # the number of a text, as Flickr's captions have it
HASHED = re.compile(r"[0-9a-f]{8}-")  # what Label Studio writes before the name of a picture


class Match(Enum):
    """How the names in a file of labels lead to pictures; the first that fits most names is used for all."""

    PATH = "paths"
    BESIDE = "paths from the file of labels"
    STEM = "paths without suffix"
    BESIDE_STEM = "paths from the file of labels, without suffix"
    NAME = "file names"
    NAME_STEM = "file names without suffix"
    NUMBER = "numbers"
    HASHED = "file names without Label Studio's prefix"
    FOLDED = "file names in any case"
    COUNTED = "file names with numbers of other lengths"
    DOUBLE = "file names without any suffix"
    BEHIND = "what stands behind the beginning that all file names have"


def split_of(path: str) -> str | None:
    """Return the split that a picture's folders tell: `train/A/1.png` is of train, `val_images/1.png` of validation."""
    folders = path.split("/")[:-1]
    for folder in folders:
        if split := SPLIT_FOLDERS.get(folder.lower().rstrip("-_. 0123456789")):
            return split
    return next(filter(None, map(split_of_file, folders)), None)


def split_of_file(name: str) -> str | None:
    """Return the only split that a file's name tells, as that of `train_labels.csv`; else None."""
    words = [word.lower() for word in re.findall("[A-Z]?[a-z]+|[A-Z]+", name)]  # also of trainLabels
    found = {SPLIT_FOLDERS[word] for word in words if word in SPLIT_FOLDERS}
    return next(iter(found)) if len(found) == 1 else None


def split_of_row(column: str, value: str, others: Collection[str]) -> str | None:
    """Return the split that a cell tells, as `train`, or a 1 in a column `is_train`; else None.

    Parameters
    ----------
    others : collection of str
        The splits that there are: 0 in a column `is_train` is the only other one.
    """
    value = value.strip().lower()
    yes = {"1": True, "1.0": True, "true": True, "yes": True, "0": False, "0.0": False, "false": False, "no": False}
    if value not in yes:
        return SPLIT_FOLDERS.get(value)
    named = split_of_file(column)
    rest = [split for split in others if split != named]
    if named is None or yes[value]:
        return named
    return rest[0] if len(rest) == 1 else None


def without_suffix(path: str) -> str:
    """Return a path without the suffix of a picture."""
    return PICTURE.sub("", path)


def tidy_path(path: str) -> str:
    """Return a path as people write it with slashes only, without './', in Unicode's normal form C."""
    path = path.strip()
    if path.isascii() and not any(mark in path for mark in ("\\", "//", "./")):
        return path  # most are plain, and this takes a tenth of the time
    return unicodedata.normalize("NFC", posixpath.normpath(path.replace("\\", "/")))


class PictureIndex:
    """The pictures of a folder, found by the names that files of labels use."""

    def __init__(self, paths: Sequence[str]):
        self.paths = paths
        self._maps: dict[Match, dict[str, list[str]]] = {}

    @cached_property
    def splits(self) -> set[str]:
        """Return the splits that folders of pictures tell."""
        return {split for path in self.paths if (split := split_of(path))}

    def find(self, match: Match, listed: str, base: str = "") -> list[str]:
        """Return the pictures that a listed name may mean; `base` is the folder of the file of labels."""
        named = tidy_path(listed)
        if match in (Match.BESIDE, Match.BESIDE_STEM):
            named = posixpath.normpath(posixpath.join(base, named))
            match = {Match.BESIDE: Match.PATH, Match.BESIDE_STEM: Match.STEM}[match]
        found = self._map(match).get(_KEYS[match](named), [])
        if len(found) < 2 or match in (Match.PATH, Match.STEM):
            return found
        # Of several pictures of that name, those that share most folders with the listed path.
        shared = [_shared_folders(named, path) for path in found]
        return [path for path, folders in zip(found, shared, strict=True) if folders == max(shared)]

    @cached_property
    def _beginning(self) -> str:
        """Return what all names begin with, as `captcha_`, without digits at its end; '' in several folders."""
        if len(self.paths) < FEW:
            return ""
        first, last = tidy_path(min(self.paths)), tidy_path(max(self.paths))
        same = next((k for k, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), 0)
        begun = first[:same].rstrip("0123456789")
        return begun if "/" not in first[len(begun) :] and not begun.endswith("/") else ""

    def _map(self, match: Match) -> dict[str, list[str]]:
        if match not in self._maps:
            there: dict[str, list[str]] = {}
            for path in self.paths if match is not Match.BEHIND or self._beginning else ():
                if key := _KEYS[match](tidy_path(path)[len(self._beginning) if match is Match.BEHIND else 0 :]):
                    there.setdefault(key, []).append(path)
            self._maps[match] = there
        return self._maps[match]


def _name(path: str) -> str:
    # The path of an uploaded picture may be a URL, or a query such as Label Studio's ?d=folder/1.png.
    address, question, query = path.partition("?")
    if question and not PICTURE.search(address):
        address = query.rpartition("=")[2]
    name = (unquote(address) if "%" in address else address).rpartition("/")[2]
    return _CAPTION.sub(r"\1", name) if "#" in name else name


def _bare(path: str) -> str:
    """Return a file's name without any suffix of a picture: `1` of `1.png.jpg`."""
    stem = without_suffix(_name(path))
    return stem if without_suffix(stem) == stem else _bare(stem)


def _number(path: str) -> str:
    stem = without_suffix(_name(path))
    return stem.lstrip("0") or "0" if stem.isascii() and stem.isdigit() else ""


_KEYS: dict[Match, Callable[[str], str]] = {
    Match.PATH: str,
    Match.STEM: without_suffix,
    Match.NAME: _name,
    Match.NAME_STEM: lambda path: without_suffix(_name(path)),
    Match.NUMBER: _number,
    Match.HASHED: lambda path: without_suffix(HASHED.sub("", _name(path), count=1)),
    Match.FOLDED: lambda path: without_suffix(_name(path)).casefold(),
    Match.COUNTED: lambda path: re.sub(r"(?<!\d)0+(?=\d)", "", without_suffix(_name(path))),
    Match.DOUBLE: _bare,
    Match.BEHIND: lambda path: _number(path) or without_suffix(_name(path)),
}


def _shared_folders(listed: str, path: str) -> int:
    """Count the folders that two paths share at equal heights above the file: `train/labels/1`, `train/images/1`: 1."""
    return sum(a == b for a, b in zip(*(text.split("/")[-2::-1] for text in (listed, path)), strict=False))


@dataclass(frozen=True)
class ListedLabels:
    """The labels of a file.

    Parameters
    ----------
    labels : dict
        Label by picture.
    strangers : dict
        The reason why a listed name is of no picture, by name.
    left_out : dict
        The reason why a picture has no label although the file has one for it.
    sure : bool
        Whether the column is named as labels are, or somebody chose it.
    turned : int
        The number of rows that have path and label in each other's column.
    numbered : bool
        Whether it names pictures by bare numbers only, which may count something else.
    several : str
        A name that is of several pictures, with two of them; '' if there is none.
    corrected : int
        The number of rows without a correction, whose text was right.
    """

    file: Path
    labels: dict[str, str]
    strangers: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    sure: bool = True
    turned: int = 0
    numbered: bool = False
    several: str = ""
    corrected: int = 0

    @property
    def only(self) -> str:
        """Return what the file says of every picture, if that is the same of several; else ''."""
        said = set(self.labels.values())
        return next(iter(said)) if len(said) == 1 and len(self.labels) >= FEW else ""

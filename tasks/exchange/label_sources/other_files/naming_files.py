"""Files of any kind that are named as files of labels, or that name the pictures, and so may hold their labels."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from storage.errors import BadInput, NotThere
from storage.files.small_files import read_small
from tasks.exchange.label_sources.column_kinds import SaysElse, Unclear
from tasks.exchange.label_sources.doubtful import ReadersAnswers
from tasks.exchange.label_sources.file_formats.column_names import typed
from tasks.exchange.label_sources.file_formats.label_files import (
    NAMED_PICTURE,
    PICTURE,
    labelish,
    may_list,
    read_table,
)
from tasks.exchange.label_sources.file_formats.unreadable import (
    CODE,
    NO_LABELS,
    PACKED,
    UNREADABLE,
    WRITE_TABLE,
    is_about_project,
    kind_of,
    remedy_for,
)
from tasks.exchange.label_sources.label_columns import resolve
from tasks.exchange.label_sources.name_parts import FEW
from tasks.exchange.label_sources.picture_index import PictureIndex
from tasks.loading.listing import UNREAD
from tasks.loading.safe_read import begins_as_picture

LOOKED_INTO = 200  # files of other kinds at most, the first by name
MOST_BYTES = 64 << 20  # of a file that is looked into
HALF = 0.5  # share of the pictures that a file must name
NEARLY_ALL = 0.9  # share of the lines that must be checksums
SHORTEST, SHORTEST_NUMBER = 4, 5  # characters of a name that counts without its suffix
SPLIT_WORDS = {"train", "val", "test"}  # names of labels, and of much else
YAML = {".yaml", ".yml"}
WRITTEN = {".md", ".ini", ".toml", ".properties", ".conf", *YAML}
_UNREAD = re.compile(UNREAD, re.IGNORECASE)
_BACKUP = re.compile(r"(.+?)(?:\.bak|\.old|\.orig|\.save|\.backup|~)\d*", re.IGNORECASE)
_WORD = re.compile(r"[^\s\"'`<>|,;:=()\[\]{}/\\?&#*\x00-\x1f]+")
_ASCII_WORD = re.compile(r"[\w.@+~-]+", re.ASCII)
_TIME = re.compile(r"\d{4}[-/]\d\d[-/]\d\d|\d\d:\d\d:\d\d(?:[.,]\d+)?")
_HASH = r"(?:[0-9A-Fa-f]{8}|[0-9A-Fa-f]{32,128})"
_CHECKSUM = re.compile(rf"\\?{_HASH}[ \t]+\*?\S.*|[A-Z0-9/-]+ ?\(.*\) ?= ?{_HASH}|\S.*[ \t]+{_HASH}")


def is_strongly_labelish(name: str) -> bool:
    """Return whether a file is named as files of labels are, and not only for a split."""
    base = name.rpartition("/")[2].lower()
    return labelish(name) and (base.rpartition(".")[0] or base) not in SPLIT_WORDS


def reads_as_list(file: Path, name: str, pictures: Sequence[str]) -> bool:
    """Return whether a file for people or settings, such as `labels.md` or `labels.yaml`, lists labels line by line."""
    if kind_of(name) not in WRITTEN or not is_strongly_labelish(name):
        return False
    try:
        read = resolve(read_table(file), PictureIndex(pictures), name.rpartition("/")[0])
    except (BadInput, NotThere):
        return False
    return len(read.labels) > max(FEW, len(read.strangers))


def is_list(name: str) -> bool:
    """Return whether a file may list labels, by its name: a `train.log` is the log of a training."""
    return may_list(name) and (kind_of(name) != ".log" or is_strongly_labelish(name))


class PictureNames:
    """The names of the pictures, which files of any kind may hold.

    A number, a word or few characters without a picture's suffix may mean anything, so they count in files only that
    are named as files of labels are.
    """

    def __init__(self, pictures: Sequence[str]):
        self._stems = {PICTURE.sub("", path.rpartition("/")[2]) for path in pictures}
        self._bare = {stem for stem in self._stems if _is_telling(stem)}
        self.least = sum(map(len, self._stems)) // 2  # bytes of a file that names half of them
        self.count = len(self._stems)

    def are_in(self, text: str, *, binary: bool = False, bare: bool = False) -> bool:
        """Return whether a text names at least half of the pictures."""
        found = {self._stem(word, bare) for word in {*(_ASCII_WORD if binary else _WORD).findall(text)}} - {""}
        return len(found) >= max(FEW, HALF * len(self._stems)) and (binary or bare or self._says_more(text))

    def _stem(self, word: str, bare: bool) -> str:
        """Return the picture's name without its suffix, if a word is one; else ''."""
        name = word.rstrip(".")
        stem = PICTURE.sub("", name) if "." in name else name
        known = self._stems if bare or stem != name else self._bare
        return stem if stem in known else ""

    def _says_more(self, text: str) -> bool:
        """Return whether a text says more than the same of each picture, line by line, and the time."""
        rests: Counter[str] = Counter()
        others = 0
        for line in text.splitlines():
            found = [word for word in _WORD.findall(line) if self._stem(word, False)]
            if len(found) == 1:
                rests[_TIME.sub("", line.replace(found[0], ""))] += 1
            else:
                others += bool(line.strip())
        most = max(rests.values(), default=0)
        return most < NEARLY_ALL * (rests.total() + others)


def _is_telling(stem: str) -> bool:
    if stem.isdecimal():
        return len(stem) >= SHORTEST_NUMBER
    return len(stem) >= SHORTEST and not stem.isalpha()


def text_of(file: Path) -> tuple[str, bool] | None:
    """Return the text of a file, and whether it is binary; None for a picture, or what cannot be read."""
    try:
        data = read_small(file, file.name, MOST_BYTES)
    except (OSError, BadInput):
        return None
    if begins_as_picture(data[:12]):
        return None
    try:
        text = data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1"), True
    return text, "\0" in text


def are_checksums(text: str) -> bool:
    """Return whether a text holds a checksum of a file in each line, as sha256sum and md5 write it."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and line.lstrip()[0] not in ";#"]
    fit = sum(_CHECKSUM.fullmatch(line) is not None and NAMED_PICTURE.search(line) is not None for line in lines)
    return bool(lines) and fit >= NEARLY_ALL * len(lines)


class NamingFiles:
    """The files of kinds that are not read for labels, and yet may hold some.

    Attributes
    ----------
    unread : dict of str to str
        What a person can do, by the file's path.
    checksums : list of str
        Files that name the pictures for their checksums.
    """

    def __init__(self, folder: Path, names: Iterable[str], pictures: Sequence[str]):
        self.unread: dict[str, str] = {}
        self.checksums: list[str] = []
        there = {*names}
        looked_into = 0
        known = self._known = PictureNames(pictures)
        for name in sorted(there):
            backup = _BACKUP.fullmatch(name)
            if kind_of(name) in NO_LABELS or is_about_project(name):
                continue
            if backup and (folder / backup[1]).is_file():
                continue  # a copy of a file that is judged itself
            if kind_of(name) in UNREADABLE or (kind_of(name) in PACKED and labelish(name)):
                self.unread[name] = remedy_for(name)
            elif _UNREAD.search(name) or PICTURE.search(name.removesuffix(kind_of(name))):
                continue  # a picture of another format, or one that is not whole yet
            elif labelish(name) or (looked_into < LOOKED_INTO and _size(folder / name) >= known.least):
                looked_into += 1
                self._look_into(folder / name, name, known)
            elif kind_of(name) in YAML and _names_one(folder / name):
                self.unread[name] = remedy_for(name)

    @property
    def all(self) -> set[str]:
        """Return the files that are no pictures, whatever their names."""
        return {*self.unread, *self.checksums}

    def reasons(self) -> dict[str, str]:
        """Return why each file is not read, and what a person can do."""
        return {name: f"may hold labels, and cannot be read; {remedy}" for name, remedy in self.unread.items()}

    def judged(self, file: Path, error: BadInput | None = None) -> BadInput | None:
        """Return the error of a list that cannot be used: `Unclear` if it names the pictures, but for checksums."""
        if isinstance(error, SaysElse | Unclear | ReadersAnswers):
            return error
        read = text_of(file)
        if read is None or not self._known.are_in(read[0], binary=read[1]):
            return error
        if are_checksums(read[0]):
            return SaysElse(f"labels {file}: holds checksums")
        return Unclear(
            str(
                error
                or f"labels {file}: names most of the pictures, and is not read as a list of labels; if it is "
                f"one, give it with {typed('labels', file)}, or {WRITE_TABLE}"
            )
        )

    def _look_into(self, file: Path, name: str, known: PictureNames) -> None:
        read = text_of(file)
        if not read or not read[0].strip():
            return
        text, binary = read
        strongly = is_strongly_labelish(name)
        told = strongly and (binary or len(text) >= known.count or NAMED_PICTURE.search(text) is not None)
        told = told or (binary and labelish(name))
        if kind_of(name) in CODE | YAML:
            told = (labelish(name) or kind_of(name) in YAML) and NAMED_PICTURE.search(text) is not None
        if not binary and are_checksums(text):
            self.checksums.append(name)
        elif told or known.are_in(text, binary=binary, bare=strongly):
            self.unread[name] = remedy_for(name) or WRITE_TABLE


def _size(file: Path) -> int:
    try:
        return file.lstat().st_size
    except OSError:
        return 0


def _names_one(file: Path) -> bool:
    read = text_of(file)
    return read is not None and not read[1] and NAMED_PICTURE.search(read[0]) is not None

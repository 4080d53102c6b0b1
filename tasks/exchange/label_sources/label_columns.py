"""Which column of a file of labels names the pictures, and which column holds the labels."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from storage.errors import BadInput
from tasks.exchange.label_sources.doubtful import require_not_shifted, with_classes
from tasks.exchange.label_sources.label_files import PICTURE, TABLES, LabelTable
from tasks.exchange.label_sources.name_parts import FEW, Part, kinds_of
from tasks.exchange.label_sources.picture_index import Match, PictureIndex, tidy_path

PATH_COLUMNS = (
    "path", "file", "filename", "filepath", "name", "image", "img", "imagename", "imagepath", "imagefile", "imageid",
    "imgname", "imgpath", "picture", "pic", "photo", "ocr", "source", "src", "key", "url", "uri", "id", "index",
)  # fmt: skip
LABEL_COLUMNS = (
    "label", "word", "words", "text", "labels", "texts", "solution", "answer", "code", "captcha", "captchatext",
    "captchacode", "captchalabel", "value", "target", "truth", "groundtruth", "gt", "transcription", "transcript",
    "caption", "class", "classname", "string", "result", "content", "output", "plaintext", "labeltext", "letters",
    "characters", "chars", "digits", "phrase", "y",
)  # fmt: skip
SAMPLE = 2000  # rows that the columns are judged by
JOIN = "+"  # between the names of columns that hold a letter each
MOST_JOINED = 32  # of them, as the letters of a label
FITS = 0.9  # share of a column that must name pictures
SHOWN = 3  # values of a column in a message


class Unclear(BadInput):
    """A file labels the pictures, and does not say in which of its columns."""


@dataclass(frozen=True)
class ListedLabels:
    """The labels of a file.

    Parameters
    ----------
    labels : dict
        Label by picture.
    strangers : dict
        The reason why a listed name is of no picture, by name.
    """

    file: Path
    labels: dict[str, str]
    strangers: dict[str, str] = field(default_factory=dict)

    @property
    def only(self) -> str:
        """Return what the file says of every picture, if that is the same of several; else ''."""
        said = set(self.labels.values())
        return next(iter(said)) if len(said) == 1 and len(self.labels) >= FEW else ""


def resolve(
    table: LabelTable, index: PictureIndex, base: str = "", columns: tuple[str, str] | None = None
) -> ListedLabels:
    """Choose the columns of a file of labels, and find its pictures.

    Parameters
    ----------
    base : str
        The file's folder, relative to that of the pictures.
    columns : (path, label), optional
        The names of the columns, or their numbers from 1.

    Raises
    ------
    BadInput
        The columns are unclear, or two rows label one picture.
    """
    choice = _Choice(table if columns else with_classes(table), index, base)
    place, labelled = choice.columns(columns)
    match = choice.best(place)[0]
    source = table.file.name
    labels: dict[str, str] = {}
    strangers: dict[str, str] = {}
    lines: dict[str, int] = {}
    missing: list[str] = []
    for number, cells in choice.rows:
        listed = tidy_path(cells[place])
        found = index.find(match, cells[place], base)
        path = found[0] if len(found) == 1 else listed
        if path in lines:
            raise _twice(table, lines[path], number, path)
        lines[path] = number
        if len(found) == 1:
            labels[path] = "".join(cells[k] for k in labelled)
        elif found:
            strangers[listed] = (
                f"{source} labels it, which may be {found[0]} or {found[1]}; write the folder before the name"
            )
        else:
            strangers[listed] = f"{source} labels it, but the folder has no such file (or a link, or hidden)"
            missing.append(cells[place])
    if len(missing) == 1:
        require_not_shifted(table, match, [cells[place] for _, cells in choice.rows], missing, index, base)
    return ListedLabels(table.file, labels, strangers)


def listed_labels(table: LabelTable, columns: tuple[str, str] | None = None) -> dict[str, str]:
    """Return the label of each listed path, without a look at any folder."""
    choice = _Choice(table, PictureIndex([]), "")
    place, labelled = choice.columns(columns)
    labels: dict[str, str] = {}
    lines: dict[str, int] = {}
    for number, cells in choice.rows:
        path = tidy_path(cells[place])
        if path in labels:
            raise _twice(table, lines[path], number, path)
        labels[path], lines[path] = "".join(cells[k] for k in labelled), number
    return labels


def _twice(table: LabelTable, first: int, second: int, path: str) -> BadInput:
    units = "lines" if table.unit == "line" else "entries"
    return BadInput(f"labels {table.file}, {units} {first} and {second}: both label {path!r}; keep one of them")


def plain_name(column: str) -> str:
    """Return the last part of a column's name that is no number, in small letters and digits."""
    parts = [part for part in column.split(".") if part and not part.isdigit()]
    return re.sub(r"[\W_]", "", parts[-1].lower()) if parts else ""


class _Choice:
    """The choice of the columns of a table."""

    def __init__(self, table: LabelTable, index: PictureIndex, base: str):
        self.table, self.index, self.base = table, index, base
        self.header = table.columns or ()
        self.rows = table.rows
        self._best: dict[int, tuple[Match, int]] = {}
        if table.columns is None and self._first_row_is_header():
            self.header = tuple(table.rows[0][1])
            self.rows = table.rows[1:]
            self._best = {}
        self.names = [plain_name(name) for name in self.header]

    @property
    def width(self) -> int:
        return len(self.header or (self.rows[0][1] if self.rows else ()))

    def sample(self) -> list[list[str]]:
        """Return rows from all over the table."""
        step = max(1, len(self.rows) // SAMPLE)
        return [cells for _, cells in self.rows[::step]]

    def best(self, column: int) -> tuple[Match, int]:
        """Return how a column's names fit most pictures, and how many of the sample do."""
        if column not in self._best:
            values = [cells[column] for cells in self.sample()]
            best = (Match.PATH, 0)
            for match in Match:
                count = sum(len(self.index.find(match, value, self.base)) == 1 for value in values if value)
                if count > best[1]:
                    best = (match, count)
                if best[1] == len(values):
                    break
            self._best[column] = best
        return self._best[column]

    def _first_row_is_header(self) -> bool:
        """Return whether the first row names the columns: as known columns do, or unlike all other rows."""
        if not self.table.rows:
            return False
        first, *others = [cells for _, cells in self.table.rows[: 2 + SAMPLE]]
        names = [plain_name(cell) for cell in first]
        if any(PICTURE.search(cell) for cell in first):
            return False
        paths = [k for k, name in enumerate(names) if name in PATH_COLUMNS]
        labels = [k for k, name in enumerate(names) if name in LABEL_COLUMNS]
        if (paths and labels) or not others:
            return True
        for column, cell in enumerate(first):
            if sum(PICTURE.search(cells[column]) is not None for cells in others) > len(others) // 2:
                return True
            match, count = self.best(column)
            if count and not self.index.find(match, cell, self.base):
                return True
        return False

    def columns(self, wanted: tuple[str, str] | None) -> tuple[int, list[int]]:
        """Return the column of the paths, and those of the labels: several if each holds a letter."""
        if wanted:
            path, label = wanted
            parts = label.split(JOIN) if label not in self.header and JOIN in label else [label]
            return self._named(path), list(map(self._named, parts))
        place = self._path_column()
        return place, [self._label_column(place)]

    def _named(self, name: str) -> int:
        name = name.strip()
        same = [k for k, there in enumerate(self.header) if there.strip().casefold() == name.casefold()]
        same = same or [k for k, there in enumerate(self.names) if there == plain_name(name) != ""]
        if len(same) == 1:
            return same[0]
        if not same and name.isdigit() and 0 < int(name) <= self.width:
            return int(name) - 1
        raise BadInput(
            f"columns {name!r}: labels {self.table.file} has {'two' if same else 'no'} such columns; it has "
            f"{self._told()}; give a name, or a number from 1 to {self.width}"
        )

    def _told(self) -> str:
        if self.header:
            return ", ".join(repr(name) for name in self.header)
        return f"{self.width} columns without names"

    def _path_column(self) -> int:
        known = [k for name in PATH_COLUMNS for k, there in enumerate(self.names) if there == name]
        if known and self.best(known[0])[1] >= FITS * len(self.sample()) > 0:
            return known[0]
        scores = {column: self.best(column)[1] for column in range(self.width)}
        most = max(scores.values(), default=0)
        if not most:
            if known and any(name in LABEL_COLUMNS for name in self.names):
                return known[0]
            suffixed = [k for k in range(self.width) if self._suffixed(k)]
            if len(suffixed) == 1:
                return suffixed[0]
            if self.table.file.suffix.lower() not in TABLES and not self.header and self.width == 2:
                return 0
            raise BadInput(
                f"labels {self.table.file}: the first line must name a column {', '.join(PATH_COLUMNS[:2])} or "
                f"{PATH_COLUMNS[2]} and a column {', '.join(LABEL_COLUMNS[:3])} or {LABEL_COLUMNS[3]}, or --columns "
                f"must name both; it is {','.join(self._first())!r}, and no column names pictures of the folder"
            )
        fitting = [column for column, count in scores.items() if count >= FITS * most]
        fitting = [k for k in fitting if self._distinct(k)] or fitting
        chosen = next((k for k in known if k in fitting), None)
        if chosen is not None:
            return chosen
        suffixed = [k for k in fitting if self._suffixed(k)]
        if len(fitting) > 1 and len(suffixed) != 1:
            raise self._unclear("name the pictures", [(k, [self._other(k)]) for k in fitting[:2]])
        return (suffixed or fitting)[0]

    def _first(self) -> Sequence[str]:
        return self.header or (self.rows[0][1] if self.rows else [])

    def _values(self, column: int) -> list[str]:
        return [cells[column] for cells in self.sample()]

    def _distinct(self, column: int) -> bool:
        values = self._values(column)
        return len(set(values)) == len(values)

    def _suffixed(self, column: int) -> bool:
        values = self._values(column)
        return bool(values) and sum(PICTURE.search(value) is not None for value in values) > 0.5 * len(values)

    def _other(self, column: int) -> int:
        return 1 if column == 0 else 0

    def _label_column(self, place: int) -> int:
        others = [k for k in range(self.width) if k != place and any(self._values(k))]
        others = others or [k for k in range(self.width) if k != place]
        if len(others) == 1:
            return others[0]
        varied = [k for k in others if len(set(self._values(k))) > 1]
        varied = [k for k in varied if not self._counts(k)] or varied
        known = [k for name in LABEL_COLUMNS for k in others if k < len(self.names) and self.names[k] == name]
        if len(self.rows) > 2:  # of one value each, a column says nothing of a picture
            known = [k for k in known if k in varied] or ([] if varied else known)
        if known and all(self._values(k) == self._values(known[0]) for k in known):
            return known[0]
        unclear = known or varied or others
        if len(unclear) == 1:
            return unclear[0]
        letters = [k for k in unclear if all(len(value) < 2 for value in self._values(k))]
        together = [letters] if 1 < len(letters) <= MOST_JOINED and letters == unclear else []
        error = self._unclear("hold the labels", [(place, some) for some in (*together, *([k] for k in unclear))])
        raise Unclear(str(error)) if self.best(place)[1] >= FITS * len(self.sample()) > 0 else error

    def _counts(self, column: int) -> bool:
        """Return whether a column holds a counter, hashes or times, and so no labels."""
        return kinds_of([self._values(column)], len(self.rows))[0] in (Part.COUNTER, Part.HASH, Part.DATE)

    def _unclear(self, what: str, choices: list[tuple[int, list[int]]]) -> BadInput:
        readings = "; ".join(
            f"--columns {self._said(place)},{JOIN.join(map(self._said, label))} reads "
            + ", ".join(f"{''.join(cells[k] for k in label)!r} in {cells[place]}" for _, cells in self.rows[:SHOWN])
            for place, label in choices[:4]
        )
        return BadInput(f"labels {self.table.file}: several columns may {what}; choose one with --columns: {readings}")

    def _said(self, column: int) -> str:
        return self.header[column] if self.header else str(column + 1)

"""The choice of the columns of a table: which names the pictures, and which holds the labels."""

from collections.abc import Sequence

from storage.errors import BadInput
from tasks.exchange.label_sources.column_kinds import (
    READERS,
    SaysElse,
    Unclear,
    in_turn,
    is_header,
    is_rival,
    may_be_labels,
    says_else,
    tells_else,
)
from tasks.exchange.label_sources.doubtful import names_none, readers_answers
from tasks.exchange.label_sources.file_formats.column_names import LABEL_COLUMNS, PATH_COLUMNS, plain_name, typed
from tasks.exchange.label_sources.file_formats.label_files import PICTURE, TABLES
from tasks.exchange.label_sources.file_formats.label_table import LabelTable
from tasks.exchange.label_sources.name_parts import Part, kinds_of
from tasks.exchange.label_sources.picture_index import (
    Match,
    PictureIndex,
    split_of,
    split_of_file,
    split_of_row,
)
from tasks.exchange.label_sources.tables.corrections import ELSE, in_place_of_empty

SAMPLE = 2000  # rows that the columns are judged by
JOIN = "+"  # between the names of columns that hold a letter each
MOST_JOINED = 32  # of them, as the letters of a label
FITS = 0.9  # share of a column that must name pictures
SHOWN = 3  # values of a column in a message


class Choice:
    """The choice of the columns of a table."""

    def __init__(self, table: LabelTable, index: PictureIndex, base: str):
        self.table, self.index, self.base = table, index, base
        self.split = split_of_file(table.file.stem)
        self.header = table.columns or ()
        self.rows = table.rows
        self.names: list[str] = []
        self._best: dict[int, tuple[Match, int]] = {}
        self._splits: int | None = None  # the column that tells the split of each row
        if table.columns is None and is_header([cells for _, cells in table.rows[: 2 + SAMPLE]], self._unlike):
            self.header = tuple(table.rows[0][1])
            self.rows = table.rows[1:]
            self._best = {}
        self.names = [plain_name(name) for name in self.header]

    def find(self, match: Match, name: str, split: str | None = None) -> list[str]:
        """Return the pictures that a name may mean; those of a split, if one is given or the file's name tells one."""
        split = split or self.split
        found = self.index.find(match, name, self.base)
        if len(found) > 1 and self.base:  # of several, those below the file's own folder
            found = [path for path in found if path.startswith(f"{self.base}/")] or found
        if len(found) < 2 or not split:
            return found
        return [path for path in found if split_of(path) == split] or found

    def split_in(self, cells: Sequence[str], column: int | None = None) -> str | None:
        """Return the split that a row tells in a column, or in that which names need; None if it tells none."""
        column = self._splits if column is None else column
        if column is None:
            return None
        return split_of_row(self.header[column] if self.header else "", cells[column], self.index.splits)

    @property
    def width(self) -> int:
        return len(self._first())

    def sample(self) -> list[list[str]]:
        """Return rows from all over the table."""
        step = max(1, len(self.rows) // SAMPLE)
        return [cells for _, cells in self.rows[::step]]

    def best(self, column: int) -> tuple[Match, int]:
        """Return how a column's names fit most pictures, and how many of the sample do."""
        if column not in self._best:
            values = [cells[column] for cells in self.sample()]
            best = (Match.PATH, 0)
            named = self._suffixed(column) or (column < len(self.names) and self.names[column] in PATH_COLUMNS)
            for match in (match for match in Match if match is not Match.BEHIND or named):
                count = sum(len(self.find(match, value)) == 1 for value in values if value)
                if count > best[1]:
                    best = (match, count)
                if best[1] == len(values):
                    break
            self._best[column] = best
        return self._best[column]

    def _unlike(self, column: int, cell: str) -> bool:
        """Return whether a cell names no picture, and others of its column do."""
        match, count = self.best(column)
        return count > 0 and not self.index.find(match, cell, self.base)

    def folder_column(self, place: int, labelled: list[int]) -> tuple[int | None, Match]:
        """Return the column of the folders, where names alone are of several pictures; and how names fit pictures."""
        if self._distinct(place) or self.width < 3:
            return None, self.best(place)[0]
        for k in (k for k in range(self.width) if k not in {place, *labelled}):
            names = [f"{cells[k]}/{cells[place]}" for cells in self.sample()]
            for match in (Match.PATH, Match.BESIDE, Match.STEM, Match.NAME):
                if len({*names}) == len(names) and all(len(self.find(match, name)) == 1 for name in names):
                    return k, match
            splits = [self.split_in(cells, k) for cells in self.sample()]
            match = self.best(place)[0] if self.best(place)[1] else Match.NAME_STEM
            found = [self.find(match, cells[place], split) for cells, split in zip(self.sample(), splits, strict=True)]
            if None not in splits and all(len(paths) == 1 for paths in found):
                self._splits = k
                return None, match
        return None, self.best(place)[0]

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
        if sum(name.startswith("pixel") for name in self.names) > 1:
            raise SaysElse(f"labels {self.table.file}: holds the pixels of pictures, not of these files")
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
            raise names_none(self.table.file, ",".join(self._first()), len(self.rows), bool(suffixed))
        fitting = [column for column, count in scores.items() if count >= FITS * most]
        fitting = [k for k in fitting if self._distinct(k)] or fitting
        chosen = next((k for k in known if k in fitting), None)
        if chosen is not None:
            return chosen
        suffixed = [k for k in fitting if self._suffixed(k)]
        if len(suffixed) > 1 and self._name_alike(suffixed):
            return suffixed[0]
        if len(fitting) > 1 and len(suffixed) != 1 and not in_turn([self._values(k) for k in fitting]):
            raise self._unclear("name the pictures", [(k, [int(k == 0)]) for k in fitting[:2]])
        return (suffixed or fitting)[0]

    def _first(self) -> Sequence[str]:
        return self.header or (self.rows[0][1] if self.rows else [])

    def _values(self, column: int) -> list[str]:
        return [cells[column] for cells in self.sample()]

    def _distinct(self, column: int) -> bool:
        return len({*(values := self._values(column))}) == len(values)

    def _name_alike(self, columns: list[int]) -> bool:
        """Return whether columns name the same picture in each row, as a path and an address."""
        named = ({tuple(self.find(self.best(k)[0], cells[k])) for k in columns} for cells in self.sample())
        return all(len(pictures) == 1 for pictures in named)

    def _suffixed(self, column: int) -> bool:
        values = self._values(column)
        return bool(values) and sum(PICTURE.search(value) is not None for value in values) > 0.5 * len(values)

    def _label_column(self, place: int) -> int:
        others = [k for k in range(self.width) if k != place and any(self._values(k))]
        others = others or [k for k in range(self.width) if k != place]
        others = self._without_facts(place, others)
        if len(others) == 1:
            return others[0]
        varied = [k for k in others if len(set(self._values(k))) > 1]
        varied = [k for k in varied if not self._counts(k)] or varied
        known = [k for name in LABEL_COLUMNS for k in others if k < len(self.names) and self.names[k] == name]
        if len(self.rows) > 2:  # of one value each, a column says nothing of a picture
            known = [k for k in known if k in varied] or ([] if varied else known)
        if known and all(self._values(k) == self._values(known[0]) for k in known):
            first = self._values(known[0])
            rivals = [k for k in varied or others if k not in known and is_rival(self.names[k], self._values(k), first)]
            known = [known[0], *rivals]
            if len(known) == 1:
                return known[0]
        unclear = known or varied or others
        if len(unclear) == 1:
            return unclear[0]
        letters = [k for k in unclear if all(len(value) < 2 for value in self._values(k))]
        together = [letters] if 1 < len(letters) <= MOST_JOINED and letters == unclear else []
        error = self._unclear("hold the labels", [(place, some) for some in (*together, *([k] for k in unclear))])
        raise Unclear(str(error)) if self.best(place)[1] >= FITS * len(self.sample()) > 0 else error

    def _without_facts(self, place: int, others: list[int]) -> list[int]:
        """Leave out columns that say something else of a picture, and a reader's answers.

        Raises
        ------
        SaysElse, ReadersAnswers
            No column is left.
        """
        names = {k: self.names[k] if self.names else "" for k in others}
        values = [self._values(k) for k in others]
        header = [self.header[k] for k in others] if self.header else [""] * len(others)
        labels = [others[k] for k in may_be_labels([*names.values()], header, values)]
        if not others:
            raise SaysElse(f"labels {self.table.file}: names pictures, and says nothing of them")
        if not labels:
            what, first = next(filter(None, map(tells_else, values)), ""), self._said(others[0])
            raise says_else(self.table.file, what or repr(first), f"{self._said(place)},{first}")
        labels = [k for k in labels if not all(map(PICTURE.search, self._values(k)))] or labels
        chosen = [k for k in labels if not (READERS.match(names[k]) or self._said(k).startswith("predictions."))]
        if labels and not chosen:
            raise readers_answers(self.table.file, f"{self._said(place)},{self._said(labels[0])}")
        return chosen

    def _counts(self, column: int) -> bool:
        """Return whether a column holds a counter, hashes or times, and so no labels."""
        return kinds_of([self._values(column)], len(self.rows))[0] in (Part.COUNTER, Part.HASH, Part.DATE)

    def _unclear(self, what: str, choices: list[tuple[int, list[int]]]) -> BadInput:
        readings = "; ".join(
            f"{typed('columns', f'{self._said(place)},{JOIN.join(map(self._said, label))}')} reads "
            + ", ".join(f"{''.join(cells[k] for k in label)!r} in {cells[place]}" for _, cells in self.rows[:SHOWN])
            for place, label in choices[:4]
        )
        single = [label[0] for _, label in choices if len(label) == 1 and label[0] < len(self.names)]
        names, columns = [self.names[k] for k in single], [self._values(k) for k in single]
        if filled := in_place_of_empty(names, columns):
            new, old = (self._said(single[k]) for k in filled)
            option = typed("columns", f"{self._said(choices[0][0])},{new}{ELSE}{old}")
            readings += f"; {option} takes {old} where {new} is empty"
        return BadInput(f"labels {self.table.file}: several columns may {what}; choose one with --columns: {readings}")

    def _said(self, column: int) -> str:
        """Return the name of a column as `--columns` takes it, or its number from 1."""
        name = self.header[column].strip() if self.header else ""
        same = [there for there in self.header if there.strip().casefold() == name.casefold()]
        return name if len(same) == 1 and name and not {*name} & {",", JOIN, ELSE} else str(column + 1)

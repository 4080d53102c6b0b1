"""The parts of pictures' names, and which of them vary as labels do."""

import itertools
import re
import statistics
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from storage.errors import BadInput
from tasks.exchange.label_sources.file_formats.label_files import PICTURE
from tasks.exchange.label_sources.folder_names import begin_names, first_letters, folder_readings
from tasks.exchange.label_sources.name_parts import FEW, SAME, Part, character_codes, kinds_of, shape
from tasks.exchange.label_sources.picture_index import SPLIT_FOLDERS
from tasks.exchange.label_sources.spelling.marks import dividing_marks
from tasks.exchange.label_sources.spelling.spelt import (
    CAPITALS,
    LETTERS,
    are_of_one_kind,
    beside_digit,
    have_marked_capitals,
    hex_texts,
    single_letters,
    with_capitals,
    without_lengths,
)
from tasks.exchange.label_sources.written_labels import as_meant

SEPARATORS = "_- ."
SYMBOLS = "+=*?!@#$%&"  # labels that have these may have a dash and a dot too
MOST = 50_000  # names that are looked at, from all over the folder
SHOWN = 3  # names in a message
_MINUS = re.compile(r"\d ?- ?\d+ ?=|= ?-\d")
WRONG = {"wrong", "bad", "incorrect", "fail", "fails", "failed", "failure", "false", "error", "errors", "mistake",
         "mistakes", "nok", "rejected", "unsolved", "invalid", "unknown", "unlabeled", "unlabelled", "unsure",
         "skipped", "timeout"}  # fmt: skip
STRAYS = {  # names of pictures without a label, or of no CAPTCHA
    "unknown", "todo", "tbd", "skip", "skipped", "unlabeled", "unlabelled", "unsure", "none", "null", "nan", "na",
    "empty", "blank", "error", "untitled", "tmp", "temp", "test", "sample", "example", "demo", "background", "bg",
    "logo", "icon", "thumb", "thumbnail", "preview", "template", "placeholder", "image", "captcha", "screenshot",
}  # fmt: skip
COPY = re.compile(
    r"(?: ?\(\d{1,3}\)| - (?:Copy|Kopie|copie|copia)(?: \(\d+\))?| copy(?: \d+)?|\.(?:bin|nrm)|@[1-4]x)+$",
    re.IGNORECASE,
)
PLAIN_FOLDERS = {*SPLIT_FOLDERS, "images", "image", "img", "imgs", "pictures", "data", "dataset", "samples", "captcha",
                 "captchas", "png", "jpg"}  # fmt: skip


def strays_among(labels: Sequence[str]) -> list[int]:
    """Return the places of labels that stand for none: a word such as `unknown`, a few X, a number among words.

    A label that looks like others, by its kinds of characters and its length, is none of these.
    """
    numbers = [k for k, label in enumerate(labels) if label.isdecimal()]
    words = [k for k, label in enumerate(labels) if label.rstrip("0123456789").casefold() in STRAYS and label]
    odd = {*(numbers if len(numbers) > 1 else []), *words}
    rest = [label for k, label in enumerate(labels) if label and k not in odd]
    if any(map(str.isdecimal, "".join(rest))):
        odd -= {*numbers}
    lengths: dict[frozenset[str], set[int]] = {}
    for label in rest:
        lengths.setdefault(frozenset(map(shape, label)), set()).add(len(label))
    every = set().union(*lengths.values())

    def is_odd(label: str) -> bool:
        there = every if label.isdecimal() else lengths.get(frozenset(map(shape, label)), {0})
        return not min(there) <= len(label) <= max(there)

    found = {k for k in odd if is_odd(labels[k])} if len(rest) >= max(FEW, len(odd)) else set()
    return sorted(found | {k for k, label in enumerate(labels) if re.fullmatch("[Xx]{4,}", label)})


@dataclass(frozen=True)
class Reading:
    """A way to take labels from names: the pattern for `--pattern`, and the label of each name."""

    pattern: str
    labels: tuple[str, ...]


def without_copy(stem: str) -> str:
    """Return a name without the mark of a copy: `ABCD (1)`, `ABCD - Copy`, `ABCD copy 2` are `ABCD`."""
    return COPY.sub("", stem) or stem


def names_of(paths: Sequence[str]) -> "Names | None":
    """Return the names of pictures, or of some from all over the folder; None if there are none."""
    paths = [path for path in paths if PICTURE.search(path)] or list(paths)
    total = len(paths)
    paths = paths[:: max(1, -(-total // MOST))]
    paths = [path for path in paths if path.isprintable() or not any(map(_breaks, path))]
    if not paths:
        return None
    stems = [unicodedata.normalize("NFC", PICTURE.sub("", path.rpartition("/")[2])) for path in paths]
    return Names(paths, [without_copy(stem) for stem in stems], total)


def _breaks(mark: str) -> bool:
    """Return whether a character breaks a message: of a name that is not UTF-8, or a control character."""
    return unicodedata.category(mark) in ("Cc", "Cs")


class Names:
    """The names of pictures, divided into parts at the separators that all of them have."""

    def __init__(self, paths: list[str], stems: list[str], total: int):
        self.paths, self.stems, self.total = paths, stems, total
        self.symbols = any(mark in stem for stem in stems for mark in SYMBOLS)
        self.separators, self.count = self._structure()
        tokens = [self._tokens(stem) for stem in stems]
        self.regular = [k for k, parts in enumerate(tokens) if len(parts) == self.count]
        self.columns = [[tokens[k][place] for k in self.regular] for place in range(self.count)]
        folders = [paths[k].rpartition("/")[0] for k in self.regular]
        self.kinds = kinds_of(self.columns, total, folders)
        self._mark_decimals()
        self.kinds = without_lengths(self.columns, self.kinds)
        self.single = single = single_letters(self.columns, self.kinds)
        if len(single) >= LETTERS:  # few digits of labels may look like numbers
            self.kinds = [Part.LABEL if k in single else kind for k, kind in enumerate(self.kinds)]

    def _mark_decimals(self) -> None:
        """Mark what stands behind the dot of shares such as 0.94, and of seconds such as 1704067204.150868."""
        marks = re.escape(self.separators) or "/"
        gaps = {tuple(re.findall(f"[{marks}]", self.stems[k])) for k in self.regular}
        between = gaps.pop() if len(gaps) == 1 else ()
        for place, (gap, kind) in enumerate(zip(between, self.kinds, strict=False)):
            whole = kind is Part.DATE or {*self.columns[place]} <= {"0", "1"}
            if gap == "." and whole and all(map(str.isdecimal, self.columns[place + 1])):
                self.kinds[place + 1] = Part.NUMBER

    def examples(self) -> list[int]:
        """Return the indices of a few names from all over."""
        step = max(1, len(self.paths) // SHOWN)
        return list(range(0, len(self.paths), step))[:SHOWN]

    @property
    def _class(self) -> str:
        return re.escape(self.separators)

    def _tokens(self, stem: str) -> list[str]:
        return re.split(f"[{re.escape(self.separators)}]", stem) if self.separators else [stem]

    def _structure(self) -> tuple[str, int]:
        """Return the separators that divide nearly all names into equally many parts, most parts first."""
        there = [mark for mark in SEPARATORS if any(mark in stem for stem in self.stems)]
        if "-" in there and all(_MINUS.search(stem) for stem in self.stems if "-" in stem):
            there.remove("-")  # of a sum
        always = dividing_marks(self.stems)
        best = ("", 1)
        for size in range(len(there) + 1):
            for chosen in itertools.combinations(there, size):
                marks = "".join(chosen) + always
                counts = [1 + sum(map(stem.count, marks)) for stem in self.stems]
                usual = statistics.mode(counts)
                if usual > best[1] and counts.count(usual) >= SAME * len(counts):
                    best = (marks, usual)
        return best

    def readings(self) -> list[Reading]:
        """Return the readings whose values vary as labels do."""
        if have_marked_capitals(self.stems):
            return [Reading(CAPITALS, tuple(map(with_capitals, self.stems)))]
        if letters := self._letters():
            return [letters]
        if fewer := beside_digit(self.single, self.columns) if self._are_labels(self.single) else []:
            return [reading for places in (fewer, self.single) if (reading := self._joined(places))]
        loose = self._irregular() if self.count == 1 else None
        inside = self._of_kind(Part.LABEL) if loose is None else loose
        return [*inside, *self._folders(bool(inside))]

    def marked_wrong(self, labels: Sequence[str]) -> list[int]:
        """Return the places of the paths that have a word such as `wrong` beside their label."""
        words = [{*re.split(r"\d*[\W_]+|\d+$", PICTURE.sub("", path).lower())} for path in self.paths]
        return [k for k, label in enumerate(labels) if WRONG & (words[k] - {label.lower()})]

    def _of_kind(self, kind: Part) -> list[Reading]:
        return [self._reading(place) for place, there in enumerate(self.kinds) if there is kind]

    def _reading(self, place: int) -> Reading:
        tokens = [self._tokens(stem) for stem in self.stems]
        labels = tuple(as_meant(parts[place]) if place < len(parts) else "" for parts in tokens)
        if self.count == 1:
            return self._whole()
        return Reading(self._pattern(place), labels)

    def _whole(self) -> Reading:
        """Return the reading of whole names; the few that have a separator, unlike all others, have no label."""
        odd = [mark for mark in self._marks() if any(mark in stem for stem in self.stems)]
        pattern = f"(?P<label>[^/{re.escape(''.join(odd))}]+)" if odd else "whole"
        return Reading(pattern, tuple(map(as_meant, self.stems)))

    def _marks(self) -> str:
        """Return the separators; labels with symbols, such as those of sums, may have a dash and a dot themselves."""
        return SEPARATORS.translate({ord("-"): None, ord("."): None}) if self.symbols else SEPARATORS

    def _letters(self) -> Reading | None:
        """Return the reading of parts side by side that are a letter each, as in `0001_a_B_c`; else None."""
        places = self.single
        return self._joined(places) if self._are_labels(places) and are_of_one_kind(self._of(places)) else None

    def _of(self, places: list[int]) -> list[list[str]]:
        return self.columns[places[0] : places[-1] + 1]

    def _are_labels(self, places: list[int]) -> bool:
        """Return whether several parts, and only these, vary as labels do."""
        labels = [k for k, kind in enumerate(self.kinds) if kind is Part.LABEL]
        return len(places) >= LETTERS and labels == places and len(self.regular) == len(self.stems)

    def _joined(self, places: list[int]) -> Reading | None:
        """Return the reading of parts side by side, with one mark between them."""
        first, last = places[0], places[-1]
        gaps = {gap for stem in self.stems for gap in re.findall(f"[{self._class}]", stem)[first:last]}
        if last - first >= len(places) or len(gaps) > 1:
            return None
        before, token, mark = (
            f"(?:[^/{self._class}]*[{self._class}]){{{first}}}",
            f"[^/{self._class}]",
            re.escape(*gaps),
        )
        behind = f"(?:[{self._class}].*)?" if last + 1 < self.count else ""
        texts = tuple("".join(self._tokens(stem)[first : last + 1]) for stem in self.stems)
        if any(as_meant("".join(gaps).join(text)) != text for text in texts):
            return None  # perhaps a date
        pattern = f"{before if first else ''}(?P<label>{token}(?:{mark}{token}){{{last - first}}}){behind}"
        return Reading(pattern, texts)

    def _pattern(self, place: int) -> str:
        """Write a template, if all names have the same separators at the same places; else a regular expression."""
        marks = f"[{re.escape(self.separators)}]"
        gaps = {tuple(re.findall(marks, self.stems[k])) for k in self.regular}
        if len(gaps) == 1:
            (between,) = gaps
            stars = ["{label}" if k == place else "*" for k in range(self.count)]
            return "".join(itertools.chain(*itertools.zip_longest(stars, between, fillvalue="")))
        token = f"[^/{re.escape(self.separators)}]*"
        return f"(?:{token}{marks}){{{place}}}(?P<label>{token})(?:{marks}.*)?"

    def _irregular(self) -> list[Reading] | None:
        """Return the readings of names that have differing numbers of parts: the first part, or the last.

        None if hardly a name has a separator.
        """
        for mark in self._marks():
            divided = [stem for stem in self.stems if mark in stem]
            if len(divided) <= (1 - SAME) * len(self.stems):
                continue
            letters = [[part for part in stem.split(mark) if len(part) == 1] for stem in self.stems]
            if sum(len(parts) >= LETTERS for parts in letters) >= 0.5 * len(letters):
                if all(as_meant(stem) == stem.replace(mark, "") for stem in self.stems):
                    return [Reading("whole", tuple(map(as_meant, self.stems)))]
                return []  # labels letter by letter, and something beside them
            ends = [[stem.partition(mark)[0] for stem in divided], [stem.rpartition(mark)[2] for stem in divided]]
            kinds = kinds_of(ends, self.total)
            patterns = (rf"(?P<label>[^/{mark}]*)(?:[{mark}].*)?", rf"(?:.*[{mark}])?(?P<label>[^/{mark}]*)")
            if mark == "_":
                patterns = ("first", "last")
            stems = self.stems
            labels = [[stem.partition(mark)[0] for stem in stems], [stem.rpartition(mark)[2] for stem in stems]]
            return [
                Reading(pattern, tuple(values))
                for pattern, values, kind in zip(patterns, labels, kinds, strict=True)
                if kind is Part.LABEL
            ]
        return None

    def _folders(self, others: bool) -> list[Reading]:
        """Return the readings of the folders' names, if they vary as labels do."""
        if not all("/" in path for path in self.paths):
            return []
        folders = [unicodedata.normalize("NFC", path.split("/")[-2]) for path in self.paths]
        different = set(folders)
        if different & PLAIN_FOLDERS or {folder.lower() for folder in different} & PLAIN_FOLDERS or len(different) < 2:
            return []
        if all(re.fullmatch("[0-9a-f]{2}", folder) for folder in different) and not character_codes(folders):
            return []  # the first digits of hashes
        if others and first_letters(folders, self.stems):
            return []
        if others and begin_names(folders, self.stems):
            return [Reading(*reading) for reading in folder_readings(folders)]
        kind = kinds_of([folders, self.stems], self.total)[0]
        single = all(len(folder) == 1 for folder in different)
        lengths = {len(folder) for folder in different}
        # Each name once: folders such as 0 to 49, part-1 and block-00 are counted.
        counted = kinds_of([[re.sub(r"[\W_]", "", folder) for folder in sorted(different)]], len(different))[0]
        varied = kind is Part.LABEL and counted is Part.LABEL and len(lengths) < 3
        strong = len(different) > 4 and (single or varied)
        if (others and counted is Part.COUNTER) or not (strong or (single and not others)):
            return []
        return [Reading(*reading) for reading in folder_readings(folders)]

    def nothing(self) -> BadInput:
        """Make the error of names without a part that varies as labels do."""
        for place, values in enumerate(self.columns):
            if texts := hex_texts(values):
                return self.coded(values[0], texts[0], self._reading(place).pattern)
        if self.count == 1:
            kind = self.kinds[0]
            told = "they have differing numbers of parts" if kind is Part.LABEL else f"they are {kind.value}"
        else:
            kinds = enumerate(self.kinds, 1)
            told = ", ".join(f"part {k} {'is ' * (kind is not Part.LABEL)}{kind.value}" for k, kind in kinds)
        shown = ", ".join(self.paths[k] for k in self.examples())
        return BadInput(
            f"names: no part of the pictures' names varies as labels do ({told}), for instance {shown}; say where the "
            "labels are: --labels FILE, or --pattern whole, first, last, folder or a template such as '{label}_*'"
        )

    @staticmethod
    def coded(value: str, text: str, pattern: str) -> BadInput:
        """Make the error of names that hold the codes of a label's characters."""
        return BadInput(
            f"names: hold codes of characters: {value!r} is {text!r}; rename the pictures, or write path and label of "
            f"each into a labels.csv; --pattern '{pattern}' takes them as they are"
        )

"""Folders that are named for what their pictures show: a letter or a word, perhaps beside a number or a case."""

import itertools
import re
from collections.abc import Sequence

from tasks.exchange.label_sources.name_parts import FEW, Part, kinds_of, shape

DIGITS = 9  # folders of a digit each, at least, that are no lengths or counters
SHORT = 2  # letters of a folder that divides many names, and of what stands behind labels, at most
CLASSES = 200  # numbers of classes at most
CASES = {
    "upper",
    "lower",
    "uppercase",
    "lowercase",
    "cap",
    "caps",
    "capital",
    "small",
    "big",
    "uc",
    "lc",
    "digit",
    "num",
}
_ONE = re.compile(r"[_\-. ]*([^\W_])[_\-. ]*")  # a letter with a mark, as case-blind file systems need it
_LAST = re.compile(r"([^\W\d_]+)([^\W_])")


def folder_readings(folders: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    """Return the ways to take labels from folders' names: the pattern for `--pattern`, and the label of each picture.

    Parameters
    ----------
    folders : sequence of str
        The name of each picture's folder. They vary as labels do.
    """
    whole = ("folder", tuple(folders))
    different = sorted(set(folders))
    if any(len(folder) > 1 for folder in different) and all(map(_ONE.fullmatch, different)):
        letters = tuple(_ONE.sub(r"\1", folder) for folder in folders)
        return [(r"[_\-. ]*(?P<label>[^\W_])[_\-. ]*/[^/]*", letters), whole]
    if _have_case(different):
        return [("[^/]*(?P<label>[^/])/[^/]*", tuple(folder[-1] for folder in folders)), whole]
    tokens = {folder: re.split(r"[_\-. ]", folder) for folder in different}
    if len({len(parts) for parts in tokens.values()}) > 1 or len(tokens[different[0]]) == 1:
        return [whole]
    columns = [[tokens[folder][k] for folder in different] for k in range(len(tokens[different[0]]))]
    kinds = kinds_of(columns, len(different))
    places = [k for k, kind in enumerate(kinds) if kind is Part.LABEL and not {v.lower() for v in columns[k]} <= CASES]
    readings = [(_pattern(different, k), tuple(tokens[folder][k] for folder in folders)) for k in places]
    return readings if len(readings) < 2 else [*readings, whole]


def first_letters(folders: Sequence[str], stems: Sequence[str]) -> bool:
    """Return whether folders are the first letters of names, so that folders stay small, and no labels themselves.

    The folders are short, the names are all of one length, and what follows has letters like those before it: `A398` in
    the folder A may be a picture of an A.
    """
    pairs = [*zip(folders, stems, strict=True)]
    if max(map(len, folders)) > SHORT or len({*map(len, stems)}) > 1:
        return False
    if not all(stem.casefold().startswith(folder.casefold()) for folder, stem in pairs):
        return False
    heads, rests = ([*part] for part in zip(*((s[: len(f)], s[len(f) :]) for f, s in pairs), strict=True))
    lettered = 2 * sum(any(map(str.isalpha, rest)) for rest in rests) > len(rests)
    alike = {*map(shape, "".join(heads))} <= {*map(shape, "".join(rests))}
    return lettered and alike and min(map(len, rests)) > SHORT and kinds_of([rests], len(rests))[0] is Part.LABEL


def begin_names(folders: Sequence[str], stems: Sequence[str]) -> bool:
    """Return whether each name goes on behind its folder's, as `AITV/AITVa`: either may be the label."""
    pairs = zip(folders, stems, strict=True)
    return all(stem.casefold().startswith(folder.casefold()) and len(stem) > len(folder) for folder, stem in pairs)


def few_digits(labels: Sequence[str]) -> bool:
    """Return whether labels are some digits, often, and not all ten, as lengths, levels and parts are counted too."""
    different = set(labels)
    return len(labels) > 2 * len(different) < 2 * DIGITS and all(
        len(label) == 1 and label.isdecimal() for label in different
    )


def class_numbers(labels: Sequence[str]) -> bool:
    """Return whether labels are numbers of one digit and of more, each often, as of classes and not as of pictures."""
    different = set(labels)
    if len(labels) < 2 * len(different) or not all(map(str.isdecimal, different)) or not "".join(different).isascii():
        return False
    numbers = {*map(int, different)}
    plain = all(str(int(label)) == label for label in different)
    return plain and min(numbers) <= DIGITS < max(numbers) < CLASSES


def more_than_letters(labels: Sequence[str]) -> str:
    """Return a folder's name that is more than a letter, where most are a letter: `A_caps` beside `a`; else ''."""
    different = {*labels}
    longer = sorted(label for label in different if len(label) > 1)
    some_letters = any(label.isalpha() for label in different if len(label) == 1)
    return longer[0] if longer and some_letters and 2 * len(longer) <= len(different) else ""


def counted_folders(paths: Sequence[str], labels: Sequence[str]) -> list[int]:
    """Return the places of pictures of folders that only count them, where other folders have labels."""
    folders: dict[str, list[int]] = {}
    for place, path in enumerate(paths):
        folders.setdefault(path.rpartition("/")[0], []).append(place)
    counted = [places for places in folders.values() if _count_on([labels[k] for k in places])]
    found = {place for places in counted for place in places}
    rest = [label for place, label in enumerate(labels) if place not in found]
    numbers = [int(label) for label in rest if label.isdecimal()]
    return sorted(found) if 2 * len(numbers) < len(rest) or max(numbers, default=0) > 4 * len(labels) else []


def _count_on(labels: Sequence[str]) -> bool:
    """Return whether labels are the numbers of a counter without a gap."""
    if len(labels) < FEW or not all(map(str.isdecimal, labels)):
        return False
    numbers = {*map(int, labels)}
    return len(numbers) == len(labels) == max(numbers) - min(numbers) + 1


def _have_case(folders: Sequence[str]) -> bool:
    """Return whether a few prefixes tell the case of the letter behind them, as in `uA`, `la`, `d1`."""
    found = [_LAST.fullmatch(folder) for folder in folders]
    cases: dict[str, set[str]] = {}
    for match in found:
        if match:
            letter = match[2]
            cases.setdefault(match[1], set()).add("A" if letter.isupper() else "a" if letter.islower() else "1")
    different = {case for of in cases.values() for case in of}
    told = all(len(of) == 1 for of in cases.values()) and len(different) == len(cases) > 1
    return all(found) and told


def _pattern(folders: Sequence[str], place: int) -> str:
    gaps = {tuple(re.findall(r"[_\-. ]", folder)) for folder in folders}
    if len(gaps) > 1:
        return rf"(?:[^/_\-. ]*[_\-. ]){{{place}}}(?P<label>[^/_\-. ]*)(?:[_\-. ][^/]*)?/[^/]*"
    (between,) = gaps
    stars = ["{label}" if k == place else "*" for k in range(len(between) + 1)]
    return "".join(itertools.chain(*itertools.zip_longest(stars, between, fillvalue=""))) + "/*"

"""Answers in a code of the owner's: learnt from every other file, and proven on the rest."""

import re
import string
from collections import Counter, defaultdict
from collections.abc import Iterator

import numpy as np

from tasks.audit.findings.files.spellings import LONGEST, decoded

LEAST_FILES = 60
TOLD = 0.9  # share of the other files whose letter, or number, a code must tell
COMMONEST = 0.5  # share of one letter at a place, above which guessing it is no code
_SPAN = 48  # bytes at each end of what is looked at
_LETTERS = 12  # of an answer that are looked for
_DIGITS = re.compile(rb"-?\d+")
_ORDERS = (
    string.digits, string.ascii_uppercase, string.digits + string.ascii_uppercase,
    string.ascii_uppercase + string.digits,
)  # fmt: skip
_UNIQUE = 0.1  # share of the files that may have the same number
_KINDS = 8  # of what stands at a place, that are enough of any number of files


class Codes:
    """Gathers what stands in files, and their answers, by place."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], list[tuple[bytes, str]]] = defaultdict(list)
        self._least: dict[str, int] = {}

    def add(self, place: str, value: bytes, text: str, least: int = 1) -> None:
        """Note what stands in a place of a file with an answer.

        A code has to tell `least` letters of it; with 0 it has to be a number.
        Files that were numbered, or written, in the order of their answers tell the first letter, which is no code.
        """
        self._least[place] = least
        value = value if len(value) <= 2 * LONGEST else value[:LONGEST] + value[-LONGEST:]  # it is kept until the end
        seen = set()
        for how, view in decoded(value):
            if how not in seen:  # the first part of each notation
                seen.add(how)
                self._found[place, how].append((view, text))

    def told(self) -> Iterator[tuple[str, str, int]]:
        """Yield the places that tell the answer by a code: (place, how, in how many files)."""
        told = set()
        for (place, _), pairs in self._found.items():
            kinds = len({value for value, _ in pairs})
            if place in told or len(pairs) < LEAST_FILES or kinds < min(_KINDS, _UNIQUE * len(pairs)):
                continue
            least = self._least[place]
            how = _number_code(pairs) or (_letter_code(pairs, least) if least else None)
            if how:
                told.add(place)
                yield place, how, len(pairs)


def _letter_code(pairs: list[tuple[bytes, str]], least: int) -> str | None:
    """Return which letters of the answer single bytes tell, by a table that is learnt from every other file."""
    columns = _columns([value for value, _ in pairs])
    texts = [text for _, text in pairs]
    length = Counter(map(len, texts)).most_common(1)[0][0]
    known = sorted(set("".join(texts)))
    number = {letter: k for k, letter in enumerate(known)}
    told = []
    for place in range(min(length, _LETTERS)):
        letters = np.array([number[text[place]] if place < len(text) else -1 for text in texts])
        if _predicts(columns, letters, len(known)):
            told.append(place)
    if len(told) < least:
        return None
    which = "each letter" if len(told) == min(length, _LETTERS) else f"letter {told[0] + 1}"
    return f"in a code: {which} of the answer follows from a byte of it"


def _columns(values: list[bytes]) -> np.ndarray:
    """Return bytes at the same distance from the start, and from the end, (files, places) int64; -1 past an end."""
    out = np.full((len(values), 2 * _SPAN), -1, np.int64)
    for row, value in zip(out, values, strict=True):
        first, last = value[:_SPAN], value[-_SPAN:][::-1]
        row[: len(first)] = list(first)
        row[_SPAN : _SPAN + len(last)] = list(last)
    keep = [k for k in range(out.shape[1]) if len(np.unique(out[:, k])) > 1]
    return out[:, keep]


def _predicts(columns: np.ndarray, letters: np.ndarray, size: int) -> bool:
    """Return whether a column tells the letters of every second file, by a table learnt from the others."""
    there = letters >= 0
    for column in columns.T:
        both = there & (column >= 0)
        rows = np.flatnonzero(both)
        if len(rows) < LEAST_FILES:
            continue
        learnt, asked = rows[::2], rows[1::2]
        table = np.zeros((256, size), np.int64)
        np.add.at(table, (column[learnt], letters[learnt]), 1)
        right = (table.argmax(axis=1)[column[asked]] == letters[asked]) & (table.sum(axis=1)[column[asked]] > 0)
        often = np.bincount(letters[asked], minlength=size).max() / len(asked)
        if right.mean() >= TOLD and often <= COMMONEST:
            return True
    return False


def _number_code(pairs: list[tuple[bytes, str]]) -> str | None:
    """Return whether a number is the answer read as a number, and the same more or less in all files."""
    given = [_DIGITS.findall(value) for value, _ in pairs]
    rows = [k for k, found in enumerate(given) if found and len(found[-1]) < 40]
    if len(rows) < max(LEAST_FILES, TOLD * len(pairs)):
        return None
    texts = [pairs[k][1] for k in rows]
    for read in _readings(texts):
        offsets = Counter(int(given[k][-1]) - number for k, number in zip(rows, read, strict=True))
        if offsets.most_common(1)[0][1] >= TOLD * len(rows) and len(set(read)) > _UNIQUE * len(read):
            return "as a number: the answer's letters are its digits"
    return None


def is_number(values: list[int], texts: list[str], most: int) -> bool:
    """Return whether values, up to `most`, are the texts read as numbers, and the same more or less in all.

    Values of inverted pixels become less where numbers become more.
    """
    for read in _readings(texts):
        if len(set(read)) <= _UNIQUE * len(read) or max(read) - min(read) > most:
            continue
        for turned in (1, -1):
            offsets = Counter(value - turned * number for value, number in zip(values, read, strict=True))
            if offsets.most_common(1)[0][1] >= TOLD * len(values):
                return True
    return False


def _readings(texts: list[str]) -> Iterator[list[int]]:
    """Yield the texts read as numbers: as bytes, and in the base of each order of letters that has them all."""
    yield [int.from_bytes(text.encode(), "big") for text in texts]
    own = "".join(sorted(set("".join(texts))))
    for order, some in ((own, texts), *((order, [text.upper() for text in texts]) for order in _ORDERS)):
        if set("".join(some)) <= set(order):
            yield [_number(text, order) for text in some]


def _number(text: str, order: str) -> int:
    number = 0
    for letter in text:
        number = len(order) * number + order.index(letter)
    return number

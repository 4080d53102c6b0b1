"""Labels that names spell: letter by letter, with marks before capitals, or in codes."""

import re
from collections.abc import Sequence
from math import prod
from statistics import mode

from storage.errors import BadInput
from tasks.exchange.label_sources.name_parts import FEW, SAME, Part

LETTERS = 3  # parts of one letter each that are one label
RARE = 0.8  # share of the names at most that agree on a length, where they do not agree on one
UNLIKE = 0.5  # in the share of digits, that columns of letters of labels have at most
PROOF = 20  # codes of letters and digits in a row: no hash and no number has so many by chance
CAPITALS = "capitals"  # the pattern of names with a mark before each capital
_MARKED = re.compile(r"[\W_]([^\W\d_])")
_CODES = re.compile(r"(?:3[0-9]|4[1-9a-fA-F]|5[0-9aA]|6[1-9a-fA-F]|7[0-9aA]){2,}")  # of letters and digits


def single_letters(columns: Sequence[Sequence[str]], kinds: Sequence[Part]) -> list[int]:
    """Return the parts that are one letter in each name, but for counters of less than ten names.

    Parameters
    ----------
    columns : sequence of sequences of str
        For each part its values.
    kinds : sequence of Part
        What each part seems to be.
    """
    places = [k for k, values in enumerate(columns) if all(len(value) == 1 for value in values)]
    return [k for k in places if kinds[k] is not Part.COUNTER or len({*columns[k]}) < max(FEW, len(columns[k]))]


def without_lengths(columns: Sequence[Sequence[str]], kinds: Sequence[Part]) -> list[Part]:
    """Return the kinds of parts, with numbers that are the lengths of another part in each name, as in `6_BONNET`."""
    found = list(kinds)
    for k, values in enumerate(columns):
        others = [other for j, other in enumerate(columns) if j != k and kinds[j] is Part.LABEL]
        lengths = [[*map(str, map(len, other))] for other in others]
        if kinds[k] is Part.LABEL and len({*values}) > 1 and [*values] in lengths:
            found[k] = Part.NUMBER
    return found


def beside_digit(places: Sequence[int], columns: Sequence[Sequence[str]]) -> list[int]:
    """Return the parts of a letter each without the first or last, if that alone is always a digit; [] otherwise.

    It may be a number of the picture, as in `A B C D 4`, or the last letter of the label.
    """
    digits = [all(map(str.isdecimal, columns[k])) for k in places]
    if len(places) <= LETTERS or sum(digits) != 1 or not (digits[0] or digits[-1]):
        return []
    return [*places[1:]] if digits[0] else [*places[:-1]]


def are_of_one_kind(columns: Sequence[Sequence[str]]) -> bool:
    """Return whether parts of one letter vary alike, as the letters of labels do; a letter and two counters do not."""
    digits = [sum(map(str.isdecimal, values)) / len(values) for values in columns]
    different = [len({*values}) for values in columns]
    if min(digits) == 1 and prod(different) == len(columns[0]):
        return False  # counters, each within the other
    return max(digits) - min(digits) <= UNLIKE and 2 * min(different) >= max(different)


def require_no_marked_capitals(stems: Sequence[str], example: str, kept: str) -> None:
    """Refuse names that have a mark before each capital, as disks that know no capitals need: `_Ab_Cd` is AbCd.

    Without the mark all are of one length, and with it they are not.

    Parameters
    ----------
    stems : sequence of str
        Names, or their parts with the labels.
    example : str
        A path, for the message.
    kept : str
        A pattern that takes them as they are.

    Raises
    ------
    BadInput
    """
    if len(stems) < FEW:
        return
    for mark in sorted({letter for letter in "".join(stems[:100]) if not letter.isalnum()}):
        behind = [letter for stem in stems for letter in re.findall(f"{re.escape(mark)}(.)", stem)]
        if len({stem.count(mark) for stem in stems}) < 3 or 2 * sum(map(str.isalpha, behind)) < len(behind):
            continue
        plain, marked = ([len(stem.replace(gone, "")) for stem in stems] for gone in (mark, "\0"))
        if _share(plain) >= SAME and _share(marked) < RARE:
            way = f"take {with_capitals(stems[0])!r} from {example} with --pattern {CAPITALS}, " * (kept == "whole")
            raise BadInput(
                f"names: seem to have {mark!r} before each capital of the label, as in {example}; write path and label "
                f"of each picture into a labels.csv, {way}or take them as they are with --pattern '{kept}'"
            )


def with_capitals(stem: str) -> str:
    """Return a name with capitals in place of marks before letters: `_ab_Cd` is AbCd."""
    return _MARKED.sub(lambda match: match[1].upper(), stem)


def have_marked_capitals(stems: Sequence[str]) -> bool:
    """Return whether all capitals of names have one mark before them, and nothing else has: `_Ab_Cd`, `e_Fgh`.

    Without the mark nearly all are of one length. Some names have one capital, some more and some none.
    """
    marks = {letter for stem in stems for letter in stem if not letter.isalnum()}
    plain = [with_capitals(stem) for stem in stems]
    counts = {len(stem) - len(text) for stem, text in zip(stems, plain, strict=True)}
    if len(stems) < FEW or len(marks) != 1 or len(counts) < 3:
        return False
    capitals = sum(map(str.isupper, "".join(stems)))
    marked = sum(letter.isupper() for stem in stems for letter in re.findall(r"[\W_](.)", stem))
    all_marks = sum(not letter.isalnum() for letter in "".join(stems))
    return capitals == marked == all_marks and _share([*map(len, plain)]) >= SAME


def _share(lengths: Sequence[int]) -> float:
    return lengths.count(mode(lengths)) / len(lengths)


def hex_texts(values: Sequence[str]) -> list[str] | None:
    """Return the texts whose characters values are the codes of: `424f4e45` is BONE; None if they are none."""
    if len(values) < FEW or sum(map(len, values)) < 2 * PROOF or not all(map(_CODES.fullmatch, values)):
        return None
    texts = [bytes.fromhex(value).decode() for value in values]
    # Decimal ones are a CAPTCHA's own digits, but for a 3 at every other place.
    return None if all(map(str.isdecimal, values)) and not all(map(str.isdecimal, texts)) else texts

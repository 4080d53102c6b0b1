"""What the parts of names are: labels, counters, hashes, dates or constants, by their values in all names."""

import itertools
import re
import statistics
import unicodedata
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Sequence
from enum import Enum

FEW = 5  # names at least, of which one may be unlike the others
SAME = 0.95  # share of the names that must agree on a property
LONGEST = 32  # characters of a label, as of a profile's texts
ALIKE, MANY_ALIKE = 10, 30  # labels that all begin alike are no chance, with two letters and with one
HASH = 7  # digits of a short hash at least
LONG_ID = 11  # characters that no label of a CAPTCHA has, and random names have
LONG_NUMBER = 9  # digits that no label has, and times and numbers of databases have
_URL_SAFE = str.maketrans("-_", "+/")
DEFAULT = 0.1  # share of the labels that one of them has, where the others differ: it stands for no answer
MIXED = 0.6  # share of the labels at most that are none yet
DIFFERENT = 0.8  # share of those others that are different
_CODE = re.compile(r"(?:U\+|uni|u|0x)?([0-9A-Fa-f]{2}|[0-9A-Fa-f]{4})")  # of a character
DAY = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(T?([01]\d|2[0-3])[0-5]\d([0-5]\d\d{0,6})?)?Z?")

SIZE = re.compile(r"\d{3,4}x\d{2,4}")  # of a picture
VARIANT = re.compile(  # of a picture, as who has few makes more of them
    r"(?:aug|augmented|h?flip|vflip|rot|rotate|rotated|noise|noisy|blur|crop|scale|shear|gr[ae]y|bin|orig|original|dup|clean|denoised|binary|raw|"
    r"copy|copie|copia|kopie|kopia|のコピー|копия|副本)\d*",
    re.IGNORECASE,
)


class Part(Enum):
    """What a part of the names is, by its values in all names. The value is for messages."""

    LABEL = "may be the label"
    WORDS = "a few words"
    FIXED = "always the same"
    COUNTER = "a counter"
    NUMBER = "a number"
    HASH = "a hash or random name"
    DATE = "a date or time"


def kinds_of(columns: list[list[str]], total: int, folders: Sequence[str] = ()) -> list[Part]:
    """Judge each part of the names by its values in all names.

    Parameters
    ----------
    columns : list of lists of str
        For each part its values.
    total : int
        The number of pictures, of which the names are a sample.
    folders : sequence of str, optional
        The folder of each name. Counters may begin anew in each.
    """
    kinds = [_kind(values, total) for values in columns]
    if len(set(folders)) > 1:
        for place, values in enumerate(columns):
            if kinds[place] in (Part.LABEL, Part.NUMBER) and _counts_in_folders(values, folders, total):
                kinds[place] = Part.COUNTER
    for place, values in enumerate(columns):
        others = [list(rest) for k, rest in enumerate(columns) if k != place]
        if kinds[place] in (Part.LABEL, Part.NUMBER) and others and _counts_copies(values, others):
            kinds[place] = Part.COUNTER
    _join_dates(columns, kinds)
    _join_uuids(columns, kinds)
    return kinds


def is_told(values: Sequence[str]) -> bool:
    """Return whether a column is no label: shares such as 0.98, or always the same word or number."""
    if all(re.fullmatch(r"-?\d*\.\d+", value) for value in values):
        return True
    return len(values) >= FEW and len(set(values)) == 1 and len(values[0]) > 1 and values[0].isalnum()


def base64_texts(values: Sequence[str]) -> list[str] | None:
    """Return the texts that values encode in base64; None if they do not.

    Its padding betrays it; or, without any, that all values are of letters and digits when they are decoded.
    """
    padded = [value for value in values if value[-1:] == "="]
    try:
        texts = [
            b64decode((value + "=" * (-len(value) % 4)).translate(_URL_SAFE), validate=True).decode()
            for value in padded or values
        ]
    except ValueError:
        return None
    plain = padded or all(text.isascii() and text.isalnum() for text in texts)
    return texts if plain and len(texts) >= max(FEW, SAME * len(values)) and all(map(str.isprintable, texts)) else None


def count(values: Sequence[str]) -> bool:
    """Return whether values are the numbers of a counter, each once or several times."""
    different = sorted(set(values))
    return kinds_of([different], len(different)) == [Part.COUNTER]


def character_codes(values: Sequence[str]) -> str | None:
    """Return the letters that values are codes of, as `41` is A in NIST's folders; None if they are none."""
    different = sorted(set(values))
    found = [_CODE.fullmatch(value) for value in different]
    letters = "".join(chr(int(match[1], 16)) for match in found if match)
    coded = len(letters) == len(different) >= FEW and letters.isascii() and letters.isalnum()
    return letters if coded and not all(map(str.isdecimal, different)) else None


def default_among(labels: Sequence[str]) -> tuple[str, int] | None:
    """Return a label that many have where nearly all others differ, and how many: it stands for none; else None."""
    texts = [label for label in labels if label]
    usual, times = Counter(texts).most_common(1)[0] if texts else ("", 0)
    others = [label for label in texts if label != usual]
    many = times >= max(FEW, DEFAULT * len(labels)) and len({*others}) > max(FEW, DIFFERENT * len(others))
    return (usual, times) if many else None


def others_among(labels: Sequence[str]) -> list[int]:
    """Return the places of hashes or of a counter among labels that are neither, as of pictures without a label yet."""
    hashed = [k for k, label in enumerate(labels) if are_hashes([label])]
    if 2 * sum(re.fullmatch("[0-9a-fA-F]+", label) is not None for label in labels) > len(labels) + len(hashed):
        hashed = []  # the others have only such digits, too
    if len(hashed) >= FEW and len(hashed) <= MIXED * len(labels):
        return hashed
    numbers = {int(label): k for k, label in enumerate(labels) if label.isdecimal()}
    lengths = [len(label) for label in labels if label and not label.isdecimal()]
    counted = bool(numbers) and min(numbers) < 2 and max(numbers) - min(numbers) + 1 == len(numbers)
    alone = len(numbers) == sum(map(str.isdecimal, labels)) and statistics.mode(lengths or [0]) > 1
    return sorted(numbers.values()) if counted and alone and FEW <= len(numbers) <= MIXED * len(labels) else []


def shape(mark: str) -> str:
    """Return the general category of a character: a small letter, a capital, a digit ..."""
    return unicodedata.category(mark)


def without_word(pattern: str, labels: Sequence[str]) -> tuple[str, tuple[str, ...]] | None:
    """Return the pattern and the labels without the word before all of them, as in `img0417`.

    None if they begin differently, or may begin alike by chance.
    """
    there = {label for label in labels if label}
    first, last = min(there, default=""), max(there, default="")
    same = next((k for k, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), len(first))
    found = re.match(r"[^\W\d_]{2,}[-_. ]?|[^\W\d_]\d{0,2}", first[:same])
    if not found or len(there) < ALIKE or found[0] in there:
        return None
    rest = "".join(label[found.end() :] for label in there)
    if sum(map(str.isalpha, found[0])) < 2 and len(there) < MANY_ALIKE and shape(found[0][0]) in {*map(shape, rest)}:
        return None  # a letter may be alike by chance
    word, field = found[0], "(?P<label>" if "(?P<label>" in pattern else "{label}"
    named = {
        "whole": f"{word}{{label}}", "folder": f"{word}{{label}}/*",
        "first": f"{word}(?P<label>[^/_]*)(?:_.*)?", "last": f"(?:.*_)?{word}(?P<label>[^/_]*)",
    }  # fmt: skip
    taken = tuple(label.removeprefix(word) for label in labels)
    return named.get(pattern) or pattern.replace(field, word + field), taken


def _kind(values: Sequence[str], total: int) -> Part:
    n, different = len(values), set(values)
    filled = [value for value in values if value]
    if (n > 1 and len(different) == 1) or len(filled) < 0.5 * n:
        return Part.FIXED
    longest = statistics.median(map(len, filled))
    unique = len(different) == n
    if _most(filled, _is_date):
        return Part.DATE
    if _most(filled, lambda value: SIZE.fullmatch(value) is not None):
        return Part.NUMBER
    if all(map(VARIANT.fullmatch, filled)):
        return Part.WORDS
    if _most(filled, str.isdecimal):
        return _kind_of_numbers([value for value in filled if value.isdecimal()], total)
    if are_hashes(filled) or longest > LONGEST:
        return Part.HASH
    first, last = min(filled), max(filled)
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    begin = len([*same]) if len(different) >= ALIKE else 0  # such as `captcha`, before labels
    if unique and longest - begin >= LONG_ID and len(set(map(len, filled))) == 1:
        return Part.HASH
    if _counts_on(filled, total):
        return Part.COUNTER
    few = len(different) <= 12 and n >= 5 * len(different)
    words = few and all(value.isalpha() and value != value.upper() and len(value) > 2 for value in different)
    return Part.WORDS if words and len(set(map(len, different))) > 1 else Part.LABEL


def _most(values: Sequence[str], test: Callable[[str], bool]) -> bool:
    """Return whether a test holds for nearly all values: of five to twenty, all but one."""
    count = sum(map(test, values))
    return count > 0 and len(values) - count <= max(len(values) >= FEW, (1 - SAME) * len(values))


def _span(numbers: Sequence[int]) -> int:
    """Return the span of numbers without the outermost fiftieths."""
    ordered, out = sorted(numbers), len(numbers) // 50
    return ordered[-1 - out] - ordered[out]


def _kind_of_numbers(values: list[str], total: int) -> Part:
    """Tell counters and numbers of records from labels of digits, which also begin with 0."""
    numbers = [int(value) for value in values]
    n, lengths = len(numbers), set(map(len, values))
    unique = len(set(numbers)) >= n - n // 50
    if statistics.median(map(len, values)) >= LONG_NUMBER:
        return Part.NUMBER
    if unique and _span(numbers) < 2 * total + 2:
        return Part.COUNTER
    if not unique:
        return Part.LABEL
    if len(lengths) > 1 and not any(value[0] == "0" and len(value) > 1 for value in values):
        return Part.NUMBER
    first = [value[0] for value in values]
    if n >= 30 and "0" not in first and "0" in "".join(value[1:] for value in values):
        return Part.NUMBER
    if n >= 10 and max(map(first.count, set(first))) > 0.6 * n:
        return Part.NUMBER
    return Part.LABEL


def are_hashes(values: list[str]) -> bool:
    """Return whether nearly all values are hashes: seven or more hexadecimal digits of one case, letters among them."""
    text = "".join(values)
    digits = sum(map(str.isdecimal, text)) / max(1, len(text))
    fits = re.compile(f"[0-9a-f]{{{HASH},}}|[0-9A-F]{{{HASH},}}").fullmatch
    return 0.2 < digits < 1 and _most(values, lambda value: fits(value) is not None)


def _is_date(value: str) -> bool:
    """Return whether a value is a day such as 20240105, with a time or without, or seconds since 1970."""
    return DAY.fullmatch(value) is not None or re.fullmatch(r"1\d{9}(\d{3}){0,3}", value) is not None


def _counts_on(values: list[str], total: int) -> bool:
    """Return whether values such as img12 are letters, the same in many, and a counter."""
    matches = [re.fullmatch(r"([^\W\d_]+)(\d+)", value) for value in values]
    found = [match for match in matches if match]
    if len(values) < 2 or len(found) < SAME * len(values) or len(set(values)) < len(values):
        return False
    groups: dict[str, list[int]] = {}
    for match in found:
        groups.setdefault(match[1], []).append(int(match[2]))
    few = len(groups) <= max(1, len(values) // 8)
    sample = max(1.0, total / len(values))
    return few and all(_span(numbers) < 2 * sample * len(numbers) + 2 for numbers in groups.values())


def _counts_in_folders(values: list[str], folders: Sequence[str], total: int) -> bool:
    """Return whether values count the pictures of each folder."""
    inside: dict[str, list[str]] = {}
    for folder, value in zip(folders, values, strict=True):
        inside.setdefault(folder, []).append(value)
    if len(inside) > len(values) // 2:
        return False
    share = total / len(values)
    return all(_kind(some, round(share * len(some))) in (Part.COUNTER, Part.FIXED) for some in inside.values())


def _counts_copies(values: list[str], others: list[list[str]]) -> bool:
    """Return whether numbers count the pictures of equal other parts: A_1, A_2, B_1, B_2."""
    if not all(map(str.isdecimal, values)) or len(set(values)) < 2:
        return False
    groups: dict[tuple[str, ...], list[int]] = {}
    for value, rest in zip(values, zip(*others, strict=True), strict=True):
        groups.setdefault(rest, []).append(int(value))
    if len(groups) == len(values):
        return False
    whole = sum(sorted(numbers) == list(range(min(numbers), min(numbers) + len(numbers))) and min(numbers) < 2
                for numbers in groups.values())  # fmt: skip
    return whole >= SAME * len(groups)


def _join_dates(columns: list[list[str]], kinds: list[Part]) -> None:
    """Mark the parts of dates and times that separators divide, such as 2024-01-05 10.12.33."""
    tests = {
        "Y": re.compile(r"(19|20)\d\d"), "M": re.compile(r"0[1-9]|1[0-2]"), "D": re.compile(r"0[1-9]|[12]\d|3[01]"),
        "h": re.compile(r"[01]\d|2[0-3]"), "m": re.compile(r"[0-5]\d"), "s": re.compile(r"[0-5]\d"),
        "X": re.compile(r"(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3])"), "f": re.compile(r"\d{3}|\d{6}"),
        "t": re.compile(r"([01]\d|2[0-3])[0-5]\d([0-5]\d(\d{3})?)?"),
    }  # fmt: skip

    def fits(place: int, letters: str) -> bool:
        return place + len(letters) <= len(columns) and all(
            all(tests[letter].fullmatch(value) for value in columns[place + k]) for k, letter in enumerate(letters)
        )

    for place in range(len(columns)):
        if fits(place, "YMXms"):
            kinds[place : place + 5] = [Part.DATE] * 5
    dated = Part.DATE in kinds
    for place in range(len(columns)):
        for letters in ("YMD", "DMY", "MDY"):
            if fits(place, letters):
                kinds[place : place + 3] = [Part.DATE] * 3
                dated = True
    if not dated:
        return
    for letters in ("hmsf", "hms", "t"):
        for place in range(len(columns)):
            if Part.DATE in kinds[:place] and kinds[place] is not Part.DATE and fits(place, letters):
                kinds[place : place + len(letters)] = [Part.DATE] * len(letters)
                break


def _join_uuids(columns: list[list[str]], kinds: list[Part]) -> None:
    """Mark the five parts of a UUID."""
    sizes = (8, 4, 4, 4, 12)
    for place in range(len(columns) - 4):
        if all(
            re.fullmatch(f"[0-9a-fA-F]{{{size}}}", value)
            for size, values in zip(sizes, columns[place : place + 5], strict=True) for value in values
        ):  # fmt: skip
            kinds[place : place + 5] = [Part.HASH] * 5

"""Texts of poor random numbers: each follows from the text before, or letters come in a circle."""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from scipy import special

from tasks.audit.findings.measuring.evidence import LEVEL
from tasks.audit.findings.texts.sequences import APART, SAME, numbers_of_texts

LEAST_PAIRS = 60
TOLD = 0.9  # share of the texts whose letter, or rest, the text before must tell
_MOST_TEXTS = 1000  # that are looked at, the first
_WINDOW, _WINDOWS = 6, 60  # texts of which a modulus is computed, and how often, from the first on
_LETTERS = 8  # of a text that are looked at
_LARGEST_REST = 256
_SURE = 1e-6  # chance that as many letters in a row come twice among random ones
_COPIES = 0.2  # share of the letters that come in a row that came before, from which there is a circle
_UNIQUE = 0.9  # share of different texts, below which other sentences tell that they come again


def told_recurrence(texts: Sequence[str]) -> str | None:
    """Say how a text follows from a text before: of a linear congruential generator, or in part; None if it does not.

    Parameters
    ----------
    texts : sequence of str
        In the order of drawing.
    """
    some = list(texts[:_MOST_TEXTS])
    if len(set(some)) < _UNIQUE * len(some) or len(some) < LEAST_PAIRS:
        return None
    return _congruential(some) or _circle(some) or _following(some)


def _congruential(texts: Sequence[str]) -> str | None:
    """Find x' = a x + c modulo m, all three unknown, where the text is the number x."""
    for _, numbers in numbers_of_texts(texts):
        for apart in range(1, APART + 1):
            modulus = _modulus(numbers, apart)
            if modulus is None:
                continue
            factor, constant = _factor(numbers, apart, modulus)
            same = sum(
                (factor * a + constant) % modulus == b for a, b in zip(numbers, numbers[apart:], strict=False)
            ) / (len(numbers) - apart)  # fmt: skip
            if same >= SAME:
                return (
                    f"Texts are those of a linear congruential generator: in {100 * same:.0f} % of the cases a text, "
                    f"read as a number, is {factor:,} times {_before(apart)}, plus {constant:,}, modulo {modulus:,}. "
                    "Who knows a few texts knows all that follow."
                )
    return None


def _modulus(numbers: Sequence[int], apart: int) -> int | None:
    """Return the modulus of which most windows of texts are, if they are of any.

    Differences of such numbers are multiplied by the same factor from one to the next, so d0 d2 - d1 d1 is a multiple
    of the modulus.
    """
    found = []
    for first in range(min(_WINDOWS, len(numbers) - _WINDOW * apart)):
        window = numbers[first : first + _WINDOW * apart : apart]
        d = [b - a for a, b in pairwise(window)]
        found.append(math.gcd(*(d[k] * d[k + 2] - d[k + 1] ** 2 for k in range(len(d) - 2)), d[0] * d[4] - d[1] * d[3]))
    found = [math.gcd(*some) for some in zip(found, found[1:], found[2:], strict=False)]
    # Of random numbers it is 1, or little more.
    large = Counter(modulus for modulus in found if modulus > max(numbers))
    return large.most_common(1)[0][0] if large else None


def _factor(numbers: Sequence[int], apart: int, modulus: int) -> tuple[int, int]:
    """Return the commonest factor of neighbouring differences, and the constant."""
    factors: Counter[int] = Counter()
    for a, b, c in zip(numbers, numbers[apart:], numbers[2 * apart :], strict=False):
        if math.gcd(b - a, modulus) == 1:
            factors[(c - b) * pow(b - a, -1, modulus) % modulus] += 1
    factor = factors.most_common(1)[0][0] if factors else 0
    constants = Counter((b - factor * a) % modulus for a, b in zip(numbers, numbers[apart:], strict=False))
    return factor, constants.most_common(1)[0][0]


def _following(texts: Sequence[str]) -> str | None:
    """Find what a text tells of a later one, by a table that is learnt from the first half and tried on the second.

    Each letter may follow from a letter of the text before; and the rest of a division, by which simple generators
    repeat themselves after a few texts, from the same rest.
    """
    length = min(_LETTERS, Counter(map(len, texts)).most_common(1)[0][0])
    known = {letter: k for k, letter in enumerate(sorted(set("".join(texts))))}
    lines = np.array([[known[text[k]] if k < len(text) else -1 for k in range(length)] for text in texts])
    series = [(f"letter {k + 1}", lines[:, k]) for k in range(length)]
    rests = [
        (f"its rest after a division by {rest}", np.array([number % rest for number in numbers]))
        for order, numbers in numbers_of_texts(texts)
        for rest in range(2, _LARGEST_REST + 1) if len(order) ** _LETTERS % rest == 0
    ]  # fmt: skip
    for apart in range(1, APART + 1):
        tests = APART * (length**2 + len(rests))
        for what, line in series:
            for by, other in series:
                if _tells(other[:-apart], line[apart:], tests):
                    return f"{what.capitalize()} of a text follows from {by} of {_before(apart)}."
        for what, line in rests:
            if _tells(line[:-apart], line[apart:], tests):
                return f"Of a text, read as a number, {what} follows from that of {_before(apart)}."
    return None


def _tells(before: np.ndarray, after: np.ndarray, tests: int) -> bool:
    if _contradicts(before[:LEAST_PAIRS].tolist(), after[:LEAST_PAIRS].tolist()):
        return False
    there = (before >= 0) & (after >= 0)
    before, after = before[there], after[there]
    if len(before) < LEAST_PAIRS:
        return False
    size = int(after.max()) + 1
    half = len(before) // 2  # not every second: what comes in turn would be learnt in part only
    cells = (int(before.max()) + 1) * size
    table = np.bincount(before[:half] * size + after[:half], minlength=cells).reshape(-1, size)
    asked, right = before[half:], after[half:]
    known: np.ndarray = table.sum(axis=1) > 0
    seen = known[asked]
    same, n = int((table.argmax(axis=1)[asked] == right)[seen].sum()), int(seen.sum())
    often = np.bincount(right).max() / len(right)
    return n >= LEAST_PAIRS // 4 and same >= TOLD * n and special.bdtrc(same - 1, n, often) * tests < LEVEL


def _contradicts(before: Sequence[int], after: Sequence[int]) -> bool:
    """Return whether equal values are followed by different ones in most of a few pairs: most tests end here."""
    first: dict[int, int] = {}
    again = other = 0
    for a, b in zip(before, after, strict=True):
        if a in first and a >= 0 and b >= 0:
            again += 1
            other += first[a] != b
        elif b >= 0:
            first[a] = b
    return other > max(3, again // 2)


def _circle(texts: Sequence[str]) -> str | None:
    """Find letters that come in the same order again, across the ends of texts."""
    whole = "".join(texts)
    counts = Counter(whole)
    equal = sum(count * count for count in counts.values()) / len(whole) ** 2  # chance that two letters are equal
    if equal > 0.5:
        return None
    run = math.ceil(math.log(_SURE / len(whole) ** 2) / math.log(equal))
    last: dict[str, int] = {}
    apart: Counter[int] = Counter()
    for k in range(len(whole) - run + 1):
        some = whole[k : k + run]
        if some in last:
            apart[k - last[some]] += 1
        last[some] = k
    if not apart:
        return None
    period, often = apart.most_common(1)[0]
    if often < max(run, _COPIES * (len(whole) - run)):
        return None
    return (
        f"Letters come in a circle of {period:,}: after these they begin anew, across the ends of texts. Who has seen "
        "it once knows each text from its first letters."
    )


def _before(apart: int) -> str:
    return "the text before" if apart == 1 else f"text {apart} before"

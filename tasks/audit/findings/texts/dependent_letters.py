"""Letters that depend on each other, on the length or on the text before; and a letter that never comes."""

import math
import string
from collections.abc import Sequence

import numpy as np

from tasks.audit.findings.likeness import LOOK_ALIKES
from tasks.audit.findings.measuring import evidence

DEPENDENT = {
    "letters by the text's length": "letters depend on the length of their text",
    "a letter twice in a row, less often": "a letter follows itself less often than chance makes",
    "a letter twice in a row, more often": "a letter follows itself more often than chance makes",
    "a letter twice in a text, less often": "a text has a letter twice less often than chance makes",
    "a letter twice in a text, more often": "a text has a letter twice more often than chance makes",
    "a letter of the text before, less often": "texts share letters with the text before less often than chance makes",
    "a letter of the text before, more often": "texts share letters with the text before more often than chance makes",
}
_Test = tuple[str, int, float, float]
_LEAST_TIMES = 20  # that a letter of a kind comes, above which one that never comes is no chance
_VOWELS = set("aeiouyAEIOUY")  # left out, often all but one, so that no words come
_KINDS = (string.digits, string.ascii_uppercase, string.ascii_lowercase)


def dependence_tests(texts: Sequence[str], lines: np.ndarray, size: int) -> list[_Test]:
    """Return (what, n, statistic, chance) of each test that has counts enough.

    Parameters
    ----------
    texts : sequence of str
        In the order of drawing, as far as it is known.
    lines : (n, L) int64
        The texts as numbers of letters, -1 past the end.
    size : int
        Different letters.
    """
    there = lines >= 0
    counts = [np.bincount(column[column >= 0], minlength=size) for column in lines.T]
    shares = [count / max(1, count.sum()) for count in counts]
    found = [_length_test(texts, lines, size), _before(lines, there, counts)]
    for what, nearest, farthest in (("a letter twice in a row", 1, 1), ("a letter twice in a text", 2, len(counts))):
        equal, n, expected = 0, 0, 0.0
        for k in range(len(counts)):
            for other in range(k + nearest, min(k + farthest + 1, len(counts))):
                both = there[:, k] & there[:, other]
                equal += int((lines[both, k] == lines[both, other]).sum())
                n += int(both.sum())
                expected += float(both.sum()) * float(shares[k] @ shares[other])
        found.append(_share_test(what, equal, n, expected))
    return [test for test in found if test is not None]


def _before(lines: np.ndarray, there: np.ndarray, counts: list[np.ndarray]) -> _Test | None:
    """Test whether letters equal those at their place in the text before as often as chance makes."""
    both = there[1:] & there[:-1]
    expected = 0.0
    for k, count in enumerate(counts):
        n = int(count.sum())
        if n > 1:
            expected += float(both[:, k].sum()) * float((count * (count - 1)).sum()) / (n * (n - 1))
    equal = int((lines[1:][both] == lines[:-1][both]).sum())
    return _share_test("a letter of the text before", equal, int(both.sum()), expected)


def _share_test(what: str, count: int, n: int, expected: float) -> _Test | None:
    """Test a count of n against what is expected, both ways."""
    if min(expected, n - expected) < 2 * evidence.LEAST_EXPECTED:  # the normal distribution holds
        return None
    z = evidence.binomial_z(count, n, expected / n)
    return f"{what}, {'more' if count > expected else 'less'} often", n, z * z, math.erfc(abs(z) / math.sqrt(2))


def _length_test(texts: Sequence[str], lines: np.ndarray, size: int) -> _Test | None:
    """Test whether letters, those at the beginning and others alike, depend on the length of their text."""
    lengths = np.array([len(text) for text in texts])
    tests = []
    for chosen in (lines[:, :1], lines):
        table = np.array([
            np.bincount(some[some >= 0], minlength=size)
            for length in np.unique(lengths) for some in [chosen[lengths == length]]
        ])  # fmt: skip
        table = table[:, table.sum(axis=0) > 0]
        expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / max(1, table.sum())
        if len(table) < 2 or table.shape[1] < 2 or expected.min() < evidence.LEAST_EXPECTED:
            continue
        statistic = float(((table - expected) ** 2 / expected).sum())
        p = evidence.chance_above(statistic, (len(table) - 1) * (table.shape[1] - 1))
        tests.append(("letters by the text's length", int(table.sum()), statistic, min(1.0, 2 * p)))
    return min(tests, key=lambda test: test[3], default=None)


def lacking_letter(letters: str, n: int) -> str | None:
    """Return the only letter of a kind, such as A-Z, that never comes, if neither chance nor a purpose explains it.

    Vowels are left out so that no words come, and look-alikes of letters that come.
    """
    used = set(letters)
    for kind in _KINDS:
        lacking = [letter for letter in kind if letter not in used]
        if len(lacking) != 1 or n < _LEAST_TIMES * len(used) or lacking[0] in _VOWELS:
            continue
        others = {pair.replace(lacking[0], "") for pair in LOOK_ALIKES if lacking[0] in pair}
        if not others & used - set(kind) and not (lacking[0] in "O0Il1" and others & used):
            return lacking[0]
    return None

"""Tests and intervals that the findings rest on. Everything is computed; nothing is drawn at random."""

import math
from collections.abc import Sequence

import numpy as np
from scipy import special

from tasks.rates import wilson

LEVEL = 0.001  # of a finding: the chance that a generator without the defect is said to have it
LEAST_EXPECTED = 5  # counts in a cell, below which the chi-square distribution does not hold


def chi_square(counts: np.ndarray, expected: np.ndarray) -> tuple[float, float]:
    """Test counts against what is expected of them; cells in which nothing is expected do not count.

    Parameters
    ----------
    counts, expected : (k,) int, float64
        With equal sums.

    Returns
    -------
    statistic, p : float
        Pearson's statistic, and the chance of one as large with k - 1 degrees of freedom; 0 and 1 for k < 2.
    """
    there = expected > 0
    if there.sum() < 2:
        return 0.0, 1.0
    statistic = float(((counts[there] - expected[there]) ** 2 / expected[there]).sum())
    return statistic, float(special.chdtrc(int(there.sum()) - 1, statistic))


def chance_above(statistic: float, freedom: int) -> float:
    """Return the chance of a chi-square statistic as large, with so many degrees of freedom."""
    return float(special.chdtrc(freedom, statistic))


def holm(chances: Sequence[float]) -> list[float]:
    """Correct chances for the number of tests, by Holm's step-down method; they stay in their order."""
    order = np.argsort(chances, kind="stable")
    out, worst = [1.0] * len(chances), 0.0
    for rank, place in enumerate(order.tolist()):
        worst = max(worst, min(1.0, (len(chances) - rank) * chances[place]))
        out[place] = worst
    return out


def poisson_above(count: int, expected: float) -> float:
    """Return the chance of `count` events or more where `expected` are."""
    return 1.0 if count == 0 else float(special.pdtrc(count - 1, expected)) if expected > 0 else 0.0


def poisson_below(count: int, expected: float) -> float:
    """Return the chance of `count` events or fewer where `expected` are."""
    return float(special.pdtr(count, expected)) if expected > 0 else 1.0


def poisson_interval(count: int) -> tuple[float, float]:
    """Return the exact 95 % interval of the mean of which `count` events were seen (Garwood)."""
    low = 0.0 if count == 0 else float(special.gammaincinv(count, 0.025))
    return low, float(special.gammaincinv(count + 1, 0.975))


def bits(counts: np.ndarray) -> float:
    """Estimate the entropy of what was counted, in bits, with Miller's and Madow's correction for few counts."""
    n = counts.sum()
    if not n:
        return 0.0
    shares = counts[counts > 0] / n
    plain = float(-(shares * np.log2(shares)).sum())
    return plain + (len(shares) - 1) / (2 * float(n) * math.log(2))


def equal_rates(right: np.ndarray, n: np.ndarray) -> float:
    """Test whether groups have one rate: the chance of rates that differ as much, by chi-square.

    Groups of no tries do not count. It is 1 for fewer than two groups, or if all or none are right.
    """
    right, n = right[n > 0], n[n > 0]
    total, tries = int(right.sum()), int(n.sum())
    if len(n) < 2 or total in (0, tries):
        return 1.0
    share = total / tries
    statistic = float(((right - n * share) ** 2 / (n * share * (1 - share))).sum())
    return float(special.chdtrc(len(n) - 1, statistic))


def paired_difference(before: np.ndarray, after: np.ndarray) -> tuple[float, float, float]:
    """Return the difference of two rates on the same pictures, after less before, with its 95 % interval.

    Parameters
    ----------
    before, after : (n,) bool

    Returns
    -------
    difference, low, high : float
        nan for n = 0.

    References
    ----------
    R. G. Newcombe, "Improved confidence intervals for the difference between binomial proportions based on paired
    data", Statistics in Medicine 17, 1998, method 10.
    """
    n = len(before)
    if not n:
        return math.nan, math.nan, math.nan
    both, only_after = int((before & after).sum()), int((~before & after).sum())
    only_before = int((before & ~after).sum())
    neither = n - both - only_after - only_before
    first, second = (both + only_after) / n, (both + only_before) / n
    (low1, high1), (low2, high2) = wilson(both + only_after, n), wilson(both + only_before, n)
    product = (both + only_after) * (only_before + neither) * (both + only_before) * (only_after + neither)
    gap = both * neither - only_after * only_before
    corrected = max(gap - n / 2, 0.0) if gap > 0 else float(gap)
    together = corrected / math.sqrt(product) if product else 0.0
    difference = first - second

    def reach(a: float, b: float) -> float:
        return math.sqrt(max(a * a - 2 * together * a * b + b * b, 0.0))

    low = difference - reach(first - low1, high2 - second)
    high = difference + reach(second - low2, high1 - first)
    return difference, max(low, -1.0), min(high, 1.0)


def binomial_z(count: int, n: int, share: float) -> float:
    """Return by how many standard deviations a count differs from what `share` of `n` predicts."""
    deviation = math.sqrt(n * share * (1 - share))
    return (count - n * share) / deviation if deviation else 0.0


def oddest(counts: np.ndarray, share: float) -> tuple[int, float]:
    """Return the count that differs most from `share` of all, and the chance that any would differ as much.

    The chance is that of the exact binomial test of each, both ways, times their number (Bonferroni).
    """
    n = int(counts.sum())
    above = special.bdtrc(counts - 1, n, share)
    below = special.bdtr(counts, n, share)
    chances = 2 * np.minimum(np.where(counts > 0, above, 1.0), below)
    place = int(chances.argmin())
    return place, min(1.0, float(chances[place]) * len(counts))


def strict_z(tests: int) -> float:
    """Return the deviation that none of so many tests passes by chance, at `LEVEL` (Bonferroni)."""
    return float(-special.ndtri(LEVEL / max(tests, 1) / 2))

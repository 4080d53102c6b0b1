"""The difference of two rates, with its 95 % interval: on the same pictures, and on others."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from tasks.rates import Rate, Z


class Difference(NamedTuple):
    """How much more the second is right than the first, and the ends of the interval; each from -1 to 1."""

    value: float
    low: float
    high: float


def paired(first: Sequence[bool], second: Sequence[bool]) -> Difference:
    """Compare two attackers on the same pictures.

    Half a picture is added to each cell of the table of both, so that the interval keeps a width where few pictures
    tell the two apart.

    Raises
    ------
    ValueError
        Not as many answers of the one as of the other, or none.

    References
    ----------
    A. Agresti and Y. Min, "Simple improved confidence intervals for comparing matched proportions", Statistics in
    Medicine 24, 2005.
    """
    pairs = list(zip(first, second, strict=True))
    if not pairs:
        raise ValueError("there must be a picture that both were measured on")
    gained = sum(new and not old for old, new in pairs)
    lost = sum(old and not new for old, new in pairs)
    n = len(pairs) + 2
    up, down = gained + 0.5, lost + 0.5
    middle = (up - down) / n
    reach = Z * math.sqrt(max(up + down - (up - down) ** 2 / n, 0.0)) / n
    return Difference((gained - lost) / len(pairs), max(middle - reach, -1.0), min(middle + reach, 1.0))


def unpaired(first: Rate, second: Rate) -> Difference:
    """Compare rates that were measured on different pictures, by the Wilson intervals of both.

    References
    ----------
    R. G. Newcombe, "Interval estimation for the difference between independent proportions: comparison of eleven
    methods", Statistics in Medicine 17, 1998, method 10.
    """
    value = second.value - first.value
    low = value - math.hypot(second.value - second.low, first.high - first.value)
    high = value + math.hypot(second.high - second.value, first.value - first.low)
    return Difference(value, low, high)

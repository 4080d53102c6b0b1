"""Rates with 95 % intervals: the form of every score in this project."""

import math
import operator
from dataclasses import dataclass
from typing import Literal, TypedDict

import numpy as np

# The 97.5 % quantile of the normal distribution: 95 % lie between its two tails.
Z = 1.959963984540054


class RateRecord(TypedDict):
    """A `Rate` with its interval, ready for JSON: None instead of nan."""

    right: int
    n: int
    rate: float | None
    low: float | None
    high: float | None


# The fields of a `RateRecord`, in the order of the columns of a table.
RATE_FIELDS: tuple[Literal["right", "n", "rate", "low", "high"], ...] = ("right", "n", "rate", "low", "high")


class ValueRate(RateRecord):
    """The rate of the pictures that were drawn with this value of a parameter."""

    value: int | str


class ConfidenceRate(RateRecord):
    """The rate of a bin of answers, and their mean confidence, 0 to 1."""

    confidence: float


class Calibration(TypedDict):
    """The expected calibration error of a ranking's confidence, 0 to 1, and the bins that it comes from."""

    error: float
    reliability: list[ConfidenceRate]


def wilson(right: int, n: int, z: float = Z) -> tuple[float, float]:
    """Compute Wilson's score interval of a rate, at 95 % unless `z` says otherwise.

    It stays inside 0 to 1, and has a width even at 0 of n and at n of n, near which a good reader's rates lie. The
    normal interval of textbooks does neither.

    Parameters
    ----------
    right : int, 0 to n
    n : int, 0 or more
    z : float
        The quantile of the normal distribution that the ends are at, above 0.

    Returns
    -------
    low, high : float
        0 to 1, around ``right / n``; nan for n = 0.

    Raises
    ------
    ValueError
        A count is negative, or more answers are right than were tried.
    TypeError
        A count is no integer.

    References
    ----------
    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927.
    """
    right, n = operator.index(right), operator.index(n)
    if n < 0:
        raise ValueError(f"n must be 0 or more, not {n}: count the tries again")
    if not 0 <= right <= n:
        raise ValueError(f"right must be between 0 and n = {n}, not {right}: count the right answers again")
    if n == 0:
        return math.nan, math.nan
    share = right / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # For these counts the ends are exactly 0 and 1; floating point may miss them by its last digit.
    low = 0.0 if right == 0 else middle - reach
    high = 1.0 if right == n else middle + reach
    return low, high


@dataclass(frozen=True)
class Rate:
    """Right answers among `n` tries; printed and saved with its 95 % interval.

    Raises
    ------
    ValueError, TypeError
        As for `wilson`.
    """

    right: int
    n: int

    def __post_init__(self) -> None:
        wilson(self.right, self.n)
        # NumPy's integers are taken, but JSON does not know them.
        object.__setattr__(self, "right", operator.index(self.right))
        object.__setattr__(self, "n", operator.index(self.n))

    @classmethod
    def of(cls, right: np.ndarray) -> "Rate":
        """Count a boolean array of any shape, True where the answer was right."""
        right = as_booleans("right", right)
        return cls(int(np.count_nonzero(right)), right.size)

    @property
    def value(self) -> float:
        """Return the share of successes, 0 to 1; nan for n = 0."""
        return self.right / self.n if self.n else math.nan

    @property
    def low(self) -> float:
        """Return the lower end of the Wilson interval, 0 to 1; nan for n = 0."""
        return wilson(self.right, self.n)[0]

    @property
    def high(self) -> float:
        """Return the upper end of the Wilson interval, 0 to 1; nan for n = 0."""
        return wilson(self.right, self.n)[1]

    def __str__(self) -> str:
        if self.n == 0:
            return "no tries (n = 0)"
        low, high = wilson(self.right, self.n)
        # The narrower the interval, the more decimals: 3 of 100,000 must not print as "0.00 % (0.0 to 0.0 %)".
        decimals = max(1, math.ceil(-math.log10(100 * (high - low))))
        return (
            f"{100 * self.value:.{decimals + 1}f} % "
            f"({100 * low:.{decimals}f} to {100 * high:.{decimals}f} %, n = {self.n:,})"
        )

    def as_dict(self) -> RateRecord:
        """Give ``{"right", "n", "rate", "low", "high"}``, ready for JSON: None instead of nan."""
        rate, low, high = (None if math.isnan(number) else number for number in (self.value, self.low, self.high))
        return {"right": self.right, "n": self.n, "rate": rate, "low": low, "high": high}


def as_booleans(name: str, flags: np.ndarray) -> np.ndarray:
    """Check that an argument is an array of bool; an empty array of any type is made bool."""
    flags = np.asarray(flags)
    flags = flags if flags.size else flags.astype(bool)
    if flags.dtype != bool:
        raise ValueError(f"{name} must be an array of bool, not {flags.dtype}")
    return flags

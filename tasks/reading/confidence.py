"""How far an answer can be believed: the evidence about it, and the curves that make a probability of the evidence."""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeGuard

import numpy as np

from storage.errors import BadInput
from tasks.reading.features import measure_letters
from tasks.reading.lattice import Lattice
from tasks.reading.path_bounds import NEVER
from tasks.reading.ranking import Ranking
from tasks.reading.string_search import Strings

# Evidence is cut off here: log odds, and logarithms of shares.
SUREST, LEAST_SURE, LEAST_ALLOWED = 14.0, -14.0, -20.0
ROUNDING = 1e-6  # logarithms of shares nearer to 0 than this are 0
UNEXPLAINED = 100  # a hundredth of the ink that no letter explains counts like a letter's being half as sure
OLD_LEAST_SURE, OLD_LEAST_SURE_OF_ALL, OLD_MARGIN = -8, -20, 8.0  # the same, in version 0.1

# What is known of every reading. All columns speak for the answer the more, the larger they are. Where too little and
# too much both speak against it, there are two columns: the value, and the value turned round.
COMMON = (
    "least sure letter", "all letters", "letters allowed", "ink explained", "letters close", "few cuts", "many cuts",
    "low", "high", "dense", "sparse", "thick", "thin",
)  # fmt: skip
# The columns of evidence for an answer, by ranking.
EVIDENCE = {
    Ranking.NONE.value: ("margin", *COMMON),
    Ranking.PROBABILITY.value: ("share of words", "reading bent", *COMMON),
}
ALLOWED = EVIDENCE[Ranking.NONE.value].index("letters allowed")
# Models of version 0.1 have a shift, and a weight for each of these columns and each product of two.
_OLD_COLUMNS = {Ranking.NONE.value: 5, Ranking.PROBABILITY.value: 4}
MOST_CORNERS = 64  # of a line


class Line(NamedTuple):
    """A line of straight pieces that never falls: `worth` at the corners `at`, and constant beyond the outer ones."""

    at: list[float]
    worth: list[float]


class Curve(NamedTuple):
    """What makes a probability of evidence.

    The log odds are `shift` plus the worth of each column of the evidence by its line. So more evidence for an answer
    never lowers its confidence, and evidence beyond what the curve was fitted on counts like the last that it was
    fitted on. The probability stays from `least` to `most`: no more than so many answers can show.
    """

    shift: float
    least: float
    most: float
    lines: list[Line]

    def as_record(self) -> dict[str, Any]:
        """Return the curve as JSON values, for a model's record."""
        return {**self._asdict(), "lines": [line._asdict() for line in self.lines]}


def confidence(evidence: np.ndarray, curve: Curve) -> np.ndarray:
    """Compute the probability that each answer is right, (n,) float64, from its evidence (n, columns)."""
    odds = np.full(len(evidence), curve.shift)
    for values, line in zip(evidence.T, curve.lines, strict=True):
        odds += np.interp(values, line.at, line.worth)
    share: np.ndarray = np.clip(1 / (1 + np.exp(-np.clip(odds, -40, 40))), curve.least, curve.most)
    return share


def old_confidence(evidence: np.ndarray, weights: list[float], allowed: np.ndarray) -> np.ndarray:
    """Compute confidence as version 0.1 did, times the share of its letters that the network gives to the alphabet.

    Parameters
    ----------
    evidence : (n, k) float64
        The columns of version 0.1.
    weights : list of float
        A shift, then a weight for each column and for each product of two.
    allowed : (n,) float64
        The logarithm of that share.
    """
    first, second = np.triu_indices(evidence.shape[1])
    design = np.column_stack([evidence, evidence[:, first] * evidence[:, second]])
    odds = weights[0] + design @ np.array(weights[1:])
    share: np.ndarray = np.exp(allowed) / (1 + np.exp(-np.clip(odds, -40, 40)))
    return share


def old_evidence(strings: Strings, odds: np.ndarray, lattice: Lattice) -> np.ndarray:
    """Compute the evidence of version 0.1 for the best strings, (n, 5) float64, without a dictionary.

    The margin to the second string; the log probability of the least sure letter, and of all letters together; the
    logarithms of the number of cuts and of the letters' height.
    """
    classes, chosen = strings.texts[:, 0], strings.chosen
    found = chosen >= 0
    own = odds[chosen[found]]
    log = np.zeros(chosen.shape)
    log[found] = own[np.arange(len(own)), classes[found]] - np.logaddexp(0, _log_sum(own))
    margin = np.minimum(strings.scores[:, 0] - strings.scores[:, 1], OLD_MARGIN)
    least = np.maximum(log.min(axis=1), OLD_LEAST_SURE)
    room = np.log1p(np.column_stack([lattice.cuts, lattice.height]))
    return np.column_stack([margin, least, np.maximum(log.sum(axis=1), OLD_LEAST_SURE_OF_ALL), room])


def curves_of(records: object, columns: Mapping[str, tuple[str, ...]] = EVIDENCE) -> dict[str, Curve | list[float]]:
    """Check a model's calibration, and return its curves by ranking; a list of weights is that of an old model.

    Parameters
    ----------
    records : object
    columns : mapping of str to tuple of str
        The columns of the evidence, by ranking.

    Raises
    ------
    BadInput
        A ranking that has no confidence, or a curve that no training makes.
    """
    if not isinstance(records, dict) or not records.keys() <= columns.keys():
        raise BadInput(f"model, calibration: must be curves by ranking ({', '.join(columns)}); it is {records!r}")
    return {name: _curve(name, record, columns[name]) for name, record in records.items()}


def _curve(name: str, record: object, known: tuple[str, ...]) -> Curve | list[float]:
    if isinstance(record, list) and known == EVIDENCE[name]:
        columns = _OLD_COLUMNS[name]
        wanted = 1 + columns + columns * (columns + 1) // 2
        if len(record) != wanted or not all(map(is_number, record)):
            raise BadInput(f"model, calibration: must be {wanted} finite numbers for {name!r}; it is {record!r}")
        return [float(weight) for weight in record]
    if not isinstance(record, dict) or record.keys() != set(Curve._fields):
        raise BadInput(f"model, calibration: must have {', '.join(Curve._fields)} for {name!r}; it is {record!r}")
    shift, least, most, lines = (record[field] for field in Curve._fields)
    if not (all(map(is_number, (shift, least, most))) and 0 <= least <= most <= 1):
        raise BadInput(
            f"model, calibration: must have a finite shift, and 0 <= least <= most <= 1 for {name!r}; they are "
            f"{shift!r}, {least!r}, {most!r}"
        )
    if not isinstance(lines, list) or len(lines) != len(known):
        raise BadInput(f"model, calibration: must have a line for each of {', '.join(known)}; it is {lines!r}")
    return Curve(float(shift), float(least), float(most), [_line(*pair) for pair in zip(known, lines, strict=True)])


def _line(column: str, record: object) -> Line:
    at, worth = (record.get(key) for key in Line._fields) if isinstance(record, dict) else (None, None)
    if not (
        _are_numbers(at) and _are_numbers(worth) and len(at) == len(worth) and 1 <= len(at) <= MOST_CORNERS
        and all(low < high for low, high in itertools.pairwise(at))
        and all(low <= high for low, high in itertools.pairwise(worth))
    ):  # fmt: skip
        raise BadInput(
            f"model, calibration, {column!r}: must be 1 to {MOST_CORNERS} corners, at ascending places and worth no "
            f"less than the one before; it is {record!r}"
        )
    return Line([float(value) for value in at], [float(value) for value in worth])


def _are_numbers(values: object) -> TypeGuard[list[float]]:
    return isinstance(values, list) and all(map(is_number, values))


def is_number(value: object) -> bool:
    """Tell whether a value of a record is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


class Letters(NamedTuple):
    """The letters of the best strings of n pictures, m in all, in order.

    Attributes
    ----------
    counts : (n,) int64
        Letters of each string.
    odds : (m, C) float64
        Log odds of every letter that the network knows against "not one letter"; those that a picture's case makes
        less probable are lowered already.
    column : (m,) int64
        The letter read.
    allowed : (C,) bool
        The letters that may occur.
    box : (m, 4) int16
        Top, left, bottom, right in the upright ink.
    """

    counts: np.ndarray
    odds: np.ndarray
    column: np.ndarray
    allowed: np.ndarray
    box: np.ndarray


def common_evidence(letters: Letters, ink: np.ndarray, cuts: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Compute the evidence that does not depend on a ranking, (n, columns) float64 in the order of `COMMON`.

    Parameters
    ----------
    letters : Letters
    ink : (n, H, W) uint8
        From `tasks.reading.deskew.upright`.
    cuts, height : (n,) int64
        Of the lattice: places where a letter may end, and the letters' height in pixels.
    """
    n = len(letters.counts)
    starts = np.concatenate([[0], np.cumsum(letters.counts)])
    sure, share = _odds_of(letters)
    total, inside, area, edge, gap = measure_letters(ink, starts, letters.box).T
    tall, there = np.maximum(height, 1), np.maximum(inside, 1)
    dense = inside / np.maximum(255 * area, 1)
    # As much ink as a stroke has edges, in heights: half the width of the strokes.
    thick = np.log(np.maximum(there / np.maximum(edge * tall, 1), 1e-3))
    unexplained = 1 - np.minimum(inside / np.maximum(total, 1), 1)
    room, size = np.log1p(cuts), np.log1p(height)
    picture = np.repeat(np.arange(n), letters.counts)
    wrong, out = np.zeros(n), np.zeros(n)
    np.add.at(wrong, picture, -np.logaddexp(0, -sure))
    np.add.at(out, picture, share)
    least = np.full(n, SUREST)
    np.minimum.at(least, picture, sure)
    columns = [
        np.clip(least, LEAST_SURE, SUREST), _log_odds(wrong), np.maximum(out, LEAST_ALLOWED),
        -np.log1p(UNEXPLAINED * unexplained), -np.log1p(gap / tall), -room, room, -size, size, dense, -dense,
        thick, -thick,
    ]  # fmt: skip
    return np.column_stack(columns)


def _odds_of(letters: Letters) -> tuple[np.ndarray, np.ndarray]:
    """Return the log odds of each letter against all others allowed, and the log share of all that are allowed."""
    rows = np.arange(len(letters.column))
    none = np.zeros(len(rows))
    whole = np.logaddexp(none, _log_sum(letters.odds))
    share = np.logaddexp(none, _log_sum(letters.odds[:, letters.allowed])) - whole
    share[share > -ROUNDING] = 0
    others = letters.odds.copy()
    others[:, ~letters.allowed] = -np.inf
    own = others[rows, letters.column]
    others[rows, letters.column] = -np.inf
    return own - np.logaddexp(none, _log_sum(others)), share


def _log_sum(odds: np.ndarray) -> np.ndarray:
    most = np.maximum(odds.max(axis=1, initial=LEAST_ALLOWED), LEAST_ALLOWED)
    total: np.ndarray = most + np.log(np.exp(odds - most[:, None]).sum(axis=1) + 1e-300)
    return total


def _log_odds(log: np.ndarray) -> np.ndarray:
    """Turn log probabilities into log odds, without loss near certainty."""
    odds: np.ndarray = np.clip(log - np.log(np.maximum(-np.expm1(log), math.exp(-SUREST))), LEAST_ALLOWED, SUREST)
    return odds


def log_odds_of(share: np.ndarray, least: float) -> np.ndarray:
    """Turn shares into log odds; shares nearer to 0 or 1 than `least` count as that near."""
    share = np.clip(share, least, 1 - least)
    odds: np.ndarray = np.log(share / (1 - share))
    return odds


def spread(best: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Give the best answers their confidences, (n,), and let the others share the rest in proportion, (n, 3)."""
    rest = np.where(shares[:, 0] < 1, (1 - best) / np.maximum(1 - shares[:, 0], 1e-300), 0)
    out = shares * rest[:, None]
    out[:, 1:] = np.minimum(out[:, 1:], best[:, None])
    out[:, 0] = best
    return out


def unknown(shape: Sequence[int]) -> np.ndarray:
    """Return confidences that no curve gives: not a number."""
    return np.full(tuple(shape), np.nan)


def shares_of(scores: np.ndarray) -> np.ndarray:
    """Return the shares, (n, 3), of strings with these scores among the three."""
    weights = np.exp(scores - scores[:, :1]) * (scores > NEVER / 2)
    shares: np.ndarray = weights / np.maximum(weights.sum(axis=1, keepdims=True), 1)
    return shares

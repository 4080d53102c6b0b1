"""Bounds on the score of a path through a lattice, whatever its letters, from which both searches start.

A path is a row of spans that do not overlap. Each span is read as one letter; ink between spans is skipped. The score
of a path is the sum of its letters' log odds against "not one letter": a span that the path leaves out counts as no
letter.
"""

from typing import NamedTuple

import numba
import numpy as np

BEST = 3  # answers for each picture
NEVER = -1e9  # the score of a path that does not exist


class Spans(NamedTuple):
    """The spans of n pictures, m in all, with the log odds of their letters.

    Attributes
    ----------
    starts : (n + 1,) int64
        Where the spans of each picture begin.
    cuts : (n,) int64
        Number of cuts of each picture.
    first, last : (m,) int
        The cuts that a span lies between; in each picture ordered by `first`.
    odds : (m, C) float64
        Log odds of each letter against "not one letter".
    """

    starts: np.ndarray
    cuts: np.ndarray
    first: np.ndarray
    last: np.ndarray
    odds: np.ndarray


class Picture(NamedTuple):
    """The spans of one picture; `top` has the largest log odds of each."""

    first: np.ndarray
    last: np.ndarray
    odds: np.ndarray
    top: np.ndarray
    cuts: int


class Reach(NamedTuple):
    """Bounds on the score of a path.

    Attributes
    ----------
    ahead, behind : (longest + 1, cuts or more) float64
        Score of the best r letters from a cut on, and up to it.
    through : (m or more,) float64
        Score of the best path through each span, without the span's own letter.
    """

    ahead: np.ndarray
    behind: np.ndarray
    through: np.ndarray


@numba.njit(cache=True, nogil=True)
def largest(spans):
    """Return the most cuts and the most spans that a picture has."""
    cuts, count = 0, 0
    for i in range(len(spans.cuts)):
        cuts, count = max(cuts, spans.cuts[i]), max(count, spans.starts[i + 1] - spans.starts[i])
    return cuts, count


@numba.njit(cache=True, nogil=True)
def picture_of(spans, i, room):
    """Return the i-th picture; `room`, (most spans,) float64, takes its largest odds."""
    low, high = spans.starts[i], spans.starts[i + 1]
    odds, top = spans.odds[low:high], room[: high - low]
    for s in range(high - low):
        top[s] = odds[s].max()
    return Picture(spans.first[low:high], spans.last[low:high], odds, top, spans.cuts[i])


@numba.njit(cache=True, nogil=True)
def find_reach(picture, shortest, reach):
    """Fill in the best score of a path through each span, whatever its letters, and return the best of all.

    Parameters
    ----------
    picture : Picture
    shortest : int
        Letters on a path, at least; at most as many as `reach` has room for.
    reach : Reach
        Filled.
    """
    first, last, top, cuts = picture.first, picture.last, picture.top, picture.cuts
    ahead, behind, through = reach.ahead, reach.behind, reach.through
    longest = len(ahead) - 1
    ahead[:, :cuts] = NEVER
    behind[:, :cuts] = NEVER
    ahead[0, :cuts] = 0.0
    behind[0, :cuts] = 0.0
    for r in range(1, longest + 1):
        s = len(first) - 1
        for k in range(cuts - 1, -1, -1):
            if k + 1 < cuts:
                ahead[r, k] = ahead[r, k + 1]
            while s >= 0 and first[s] == k:
                ahead[r, k] = max(ahead[r, k], top[s] + ahead[r - 1, last[s]])
                s -= 1
        s = 0
        for k in range(cuts):
            if k:
                behind[r, k] = max(behind[r, k], behind[r, k - 1])
            while s < len(first) and first[s] == k:
                behind[r, last[s]] = max(behind[r, last[s]], behind[r - 1, k] + top[s])
                s += 1
    best = NEVER
    for r in range(shortest, longest + 1):
        best = max(best, ahead[r, 0])
    for s in range(len(first)):
        through[s] = NEVER
        for r in range(longest):
            front = behind[r, first[s]]
            if front > NEVER / 2:
                for q in range(max(shortest - r - 1, 0), longest - r):
                    through[s] = max(through[s], front + ahead[q, last[s]])
    return best

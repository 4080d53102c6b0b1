"""Texts of digits alone, where nobody said which letters may occur: many CAPTCHAs have digits alone."""

from collections.abc import Sequence

import numpy as np

from tasks.deep.decoding import Texts, best_texts, column_shares
from tasks.reading.path_bounds import BEST, NEVER

# The network learnt from few pictures of digits alone, so it takes 1 for I and 9 for g among digits.
MOSTLY = 0.6  # of a text's letters: if fewer are digits, nothing tells that all may be
TIMES = 4.0  # the logarithm of how much more probable a text of digits alone is than the network takes it to be


def as_numbers(texts: Texts, scores: np.ndarray, alphabet: Sequence[str], length: tuple[int, int]) -> Texts:
    """Put a text of digits alone first where the best text is mostly digits and the other is nearly as probable.

    Parameters
    ----------
    texts : Texts
        Of n pictures, by places in `alphabet`.
    scores : (n, T, 1 + letters) float32
        Of the network, over the whole alphabet.
    """
    digits = np.array([place for place, letter in enumerate(alphabet) if letter in "0123456789"], np.int64)
    best = texts.classes[:, 0]
    letters, of_digits = (best >= 0).sum(axis=1), np.isin(best, digits).sum(axis=1)
    rows = np.flatnonzero((of_digits >= MOSTLY * letters) & (of_digits > 0) & (of_digits < letters))
    if not len(rows):
        return texts
    shares, allowed = column_shares(scores[rows], digits)
    found = best_texts(shares, *length)
    own = found.scores[:, 0] + allowed
    near = (found.scores[:, 0] > NEVER / 2) & (own + TIMES > texts.scores[rows, 0])
    rows, own, allowed = rows[near], own[near] + TIMES, allowed[near]
    out = Texts(*(column.copy() for column in texts))
    places = np.where(found.classes[near, 0] >= 0, digits[found.classes[near, 0]], -1)
    # All shares sum to 1 again.
    whole = np.log1p(np.expm1(TIMES) * np.exp(allowed))
    out.classes[rows, 1:], out.classes[rows, 0] = texts.classes[rows, : BEST - 1], places
    out.scores[rows, 1:], out.scores[rows, 0] = texts.scores[rows, : BEST - 1], own
    out.scores[rows] -= whole[:, None]
    out.peaks[rows], out.weakest[rows] = found.peaks[near], found.weakest[near] * np.exp(allowed)
    return out

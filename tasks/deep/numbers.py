"""Texts of digits alone, where nobody said which letters may occur: many CAPTCHAs have digits alone."""

from collections.abc import Sequence

import numpy as np

from tasks.deep.decoding import USUAL, Texts, best_texts, column_shares
from tasks.deep.shape import UNTOLD
from tasks.reading.path_bounds import BEST, NEVER

# The network learnt from few pictures of digits alone, so it takes 1 for I and 9 for g among digits.
MOSTLY = 0.5  # of a text's letters: if fewer are digits, nothing tells that all may be
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
    if length == UNTOLD:  # a number is no shorter than usual either, where the best text is not
        usual = letters[rows] >= USUAL
        for column, of_usual in zip(found, best_texts(shares[usual], USUAL, length[1]), strict=True):
            column[usual] = of_usual
    out = Texts(*(column.copy() for column in texts))
    for k, row in enumerate(rows.tolist()):
        own = found.scores[k] + allowed[k] + TIMES
        if found.scores[k, 0] <= NEVER / 2 or own[0] <= texts.scores[row, 0]:
            continue
        places = np.where(found.classes[k] >= 0, digits[found.classes[k]], -1)
        others = ~np.isin(texts.classes[row], [*digits, -1]).all(axis=1)  # the rest is among the texts of digits
        every = np.concatenate([places, texts.classes[row, others]])
        worth = np.concatenate([np.where(found.scores[k] > NEVER / 2, own, NEVER), texts.scores[row, others]])
        best = np.argsort(-worth, kind="stable")[:BEST]
        whole = np.log1p(np.expm1(TIMES) * np.exp(allowed[k]))  # so that all shares sum to 1 again
        out.classes[row] = np.where((worth[best] > NEVER / 2)[:, None], every[best], -1)
        out.scores[row] = np.where(worth[best] > NEVER / 2, worth[best] - whole, NEVER)
        out.peaks[row], out.weakest[row] = found.peaks[k], found.weakest[k] * np.exp(allowed[k])
    return out

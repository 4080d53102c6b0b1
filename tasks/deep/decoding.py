"""The network's columns -> the most probable texts, with exact probabilities: prefix beam search over CTC's paths."""

from typing import NamedTuple

import numba
import numpy as np

from tasks.deep.shape import BLANK
from tasks.reading.path_bounds import BEST, NEVER

_BEAM = 8  # texts that are followed, besides the best three of each length
_LEAST_LETTER = 2e-4  # letters less probable in a column begin there only if they are its best
_SURE_BLANK = 0.9999  # no letter begins in such a column
_PRIME = np.uint64(0x9E3779B97F4A7C15)


class Texts(NamedTuple):
    """The three best texts of n pictures, best first.

    Attributes
    ----------
    classes : (n, 3, L) int16
        Places in the alphabet, from 0; -1 past the end.
    scores : (n, 3) float64
        Logarithms of their probabilities, summed over all paths; `NEVER` where there are fewer.
    peaks : (n, L) int16
        Of the best text, the column where each letter is surest; -1 past the end.
    weakest : (n,) float64
        The probability of the least sure letter of the best text in its surest column; 1 without letters.
    """

    classes: np.ndarray
    scores: np.ndarray
    peaks: np.ndarray
    weakest: np.ndarray


def column_shares(scores: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turn scores (n, T, 1 + letters) into shares of the blank and of the chosen letters in each column.

    Parameters
    ----------
    chosen : (A,) int64
        The letters that may occur, as places in the network's alphabet.

    Returns
    -------
    shares : (n, T, 1 + A) float64
        They sum to 1.
    allowed : (n,) float64
        The logarithm of the share of all paths whose letters are all chosen; 0 at most.
    """
    highest = scores.max(axis=2, keepdims=True)
    weights = np.exp((scores - highest).astype(np.float64))
    whole = weights.sum(axis=2)
    picked = weights[:, :, np.concatenate([[BLANK], chosen + 1])]
    part = picked.sum(axis=2)
    return picked / part[:, :, None], np.minimum(np.log(part / whole).sum(axis=1), 0.0)


def best_texts(shares: np.ndarray, shortest: int, longest: int) -> Texts:
    """Find the three most probable texts of an allowed length.

    Parameters
    ----------
    shares : (n, T, 1 + A) float64
        From `column_shares`.

    References
    ----------
    A. Hannun et al., "First-pass large vocabulary continuous speech recognition using bi-directional recurrent DNNs",
    2014, for the search. The probabilities of the three are then summed over all of CTC's paths.
    """
    n = len(shares)
    texts = Texts(
        np.full((n, BEST, longest), -1, np.int16), np.full((n, BEST), NEVER), np.full((n, longest), -1, np.int16),
        np.ones(n),
    )  # fmt: skip
    _search(np.ascontiguousarray(shares, np.float64), shortest, longest, texts)
    return texts


class _Beam(NamedTuple):
    """Texts that are followed: letters (B, L), length, hash and last letter of each, and its paths' probabilities.

    blank, letter : (B,) float64, of the paths that end in a blank, and in the last letter
    """

    letters: np.ndarray
    length: np.ndarray
    key: np.ndarray
    blank: np.ndarray
    letter: np.ndarray


def _new_beam(size, longest):
    return _Beam(
        np.zeros((size, longest), np.int16), np.zeros(size, np.int64), np.zeros(size, np.uint64), np.zeros(size),
        np.zeros(size),
    )  # fmt: skip


_make_beam = numba.njit(cache=True, nogil=True)(_new_beam)


@numba.njit(cache=True, nogil=True)
def _search(shares, shortest, longest, texts):
    most = _BEAM + BEST * (longest + 1)
    classes = shares.shape[2]
    now, then = _make_beam(most, longest), _make_beam(most, longest)
    grown = _make_beam(most * (classes + 1), longest)
    origin = np.empty(most * (classes + 1), np.int64)
    order_of = np.empty(most * (classes + 1))
    alpha = np.empty(2 * longest + 1)
    for i in range(len(shares)):
        columns = shares[i]
        count = 1
        now.length[0], now.key[0], now.blank[0], now.letter[0] = 0, 0, 1.0, 0.0
        for t in range(len(columns)):
            count = _follow(columns[t], now, count, then, grown, origin, order_of, longest)
            now, then = then, now
        _choose(columns, now, count, shortest, alpha, texts.classes[i], texts.scores[i])
        _find_peaks(columns, texts.classes[i, 0], texts.peaks[i], texts.weakest, i)


@numba.njit(cache=True, nogil=True)
def _follow(column, now, count, then, grown, origin, order_of, longest):
    """Follow all texts of `now` through a column into `then`; return how many there are."""
    total = count
    for b in range(count):
        mass = now.blank[b] + now.letter[b]
        grown.blank[b] = mass * column[BLANK]
        grown.letter[b] = 0.0
        if now.length[b]:
            grown.letter[b] = now.letter[b] * column[1 + now.letters[b, now.length[b] - 1]]
        grown.length[b], grown.key[b], origin[b] = now.length[b], now.key[b], b
    if column[BLANK] < _SURE_BLANK:
        top = 1
        for c in range(2, len(column)):
            if column[c] > column[top]:
                top = c
        for c in range(1, len(column)):
            if column[c] < _LEAST_LETTER and c != top:
                continue
            for b in range(count):
                if now.length[b] == longest:
                    continue
                mass = now.blank[b]
                if not now.length[b] or now.letters[b, now.length[b] - 1] != c - 1:
                    mass += now.letter[b]
                mass *= column[c]
                key = (now.key[b] + np.uint64(c)) * _PRIME
                same = -1
                for other in range(count):
                    if now.key[other] == key and now.length[other] == now.length[b] + 1:
                        same = other
                if same >= 0:
                    grown.letter[same] += mass
                elif mass > 0.0:
                    grown.blank[total], grown.letter[total] = 0.0, mass
                    grown.length[total], grown.key[total] = now.length[b] + 1, key
                    origin[total] = b * len(column) + c + len(now.length)
                    total += 1
    return _keep(now, count, then, grown, origin, order_of, total, len(column), longest)


@numba.njit(cache=True, nogil=True)
def _keep(now, count, then, grown, origin, order_of, total, classes, longest):
    """Keep the most probable texts, and the best three of each length; largest first."""
    for k in range(total):
        order_of[k] = grown.blank[k] + grown.letter[k]
    kept = 0
    seen = np.zeros(longest + 1, np.int64)
    if total <= _BEAM:
        for k in range(total):
            _copy(now, then, kept, grown, k, origin[k], classes)
            kept += 1
        return kept
    for k in np.argsort(-order_of[:total]):
        if kept == len(then.length) or order_of[k] <= 0.0:
            break
        if kept < _BEAM or seen[grown.length[k]] < BEST:
            seen[grown.length[k]] += 1
            _copy(now, then, kept, grown, k, origin[k], classes)
            kept += 1
    return kept


@numba.njit(cache=True, nogil=True)
def _copy(now, then, to, grown, k, origin, classes):
    then.blank[to], then.letter[to] = grown.blank[k], grown.letter[k]
    then.length[to], then.key[to] = grown.length[k], grown.key[k]
    b, c = origin, 0
    if origin >= len(now.length):
        b, c = (origin - len(now.length)) // classes, (origin - len(now.length)) % classes
    for j in range(now.length[b]):
        then.letters[to, j] = now.letters[b, j]
    if c:
        then.letters[to, now.length[b]] = c - 1


@numba.njit(cache=True, nogil=True)
def _choose(columns, beam, count, shortest, alpha, classes, scores):
    """Put the three most probable texts of an allowed length in order, by all their paths."""
    for b in range(count):
        length = beam.length[b]
        if length < shortest or beam.blank[b] + beam.letter[b] < np.exp(scores[BEST - 1]) / 2:
            continue
        found = text_probability(columns, beam.letters[b, :length], alpha)
        score = np.log(found) if found > 0 else NEVER
        for k in range(BEST):
            if score > scores[k]:
                for j in range(BEST - 1, k, -1):
                    scores[j], classes[j] = scores[j - 1], classes[j - 1]
                scores[k], classes[k] = score, -1
                classes[k, :length] = beam.letters[b, :length]
                break


@numba.njit(cache=True, nogil=True)
def text_probability(columns, letters, alpha):
    """Return the probability of a text, summed over all of CTC's paths; `alpha` is memory for 2 L + 1 numbers."""
    states = 2 * len(letters) + 1
    alpha[:states] = 0.0
    alpha[0] = columns[0, BLANK]
    if states > 1:
        alpha[1] = columns[0, 1 + letters[0]]
    for t in range(1, len(columns)):
        for s in range(states - 1, -1, -1):
            value = alpha[s]
            if s:
                value += alpha[s - 1]
            if s % 2:
                if s > 1 and letters[s // 2] != letters[s // 2 - 1]:
                    value += alpha[s - 2]
                alpha[s] = value * columns[t, 1 + letters[s // 2]]
            else:
                alpha[s] = value * columns[t, BLANK]
    return alpha[states - 1] + (alpha[states - 2] if states > 1 else 0.0)


@numba.njit(cache=True, nogil=True)
def _find_peaks(columns, letters, peaks, weakest, i):
    """Align the best text with the columns: each letter stands where it is surest on the best path."""
    length = 0
    while length < len(letters) and letters[length] >= 0:
        length += 1
    if not length:
        return
    size = len(columns)
    # worth[k, t]: the best sum of logarithms with letter k in column t, the letters before it in columns before.
    worth = np.full((length, size), -1e300)
    came = np.zeros((length, size), np.int64)
    for k in range(length):
        best, at = 0.0, -1
        for t in range(size):
            if k and t:
                if at < 0 or worth[k - 1, t - 1] > best:
                    best, at = worth[k - 1, t - 1], t - 1
            if not k or at >= 0:
                worth[k, t] = best + np.log(columns[t, 1 + letters[k]] + 1e-30)
                came[k, t] = at
    at = 0
    for t in range(size):
        if worth[length - 1, t] > worth[length - 1, at]:
            at = t
    least = 1.0
    for k in range(length - 1, -1, -1):
        peaks[k] = at
        least = min(least, columns[at, 1 + letters[k]])
        at = came[k, at]
    weakest[i] = least

"""The network's columns -> the most probable texts, with exact probabilities: prefix beam search over CTC's paths."""

from typing import NamedTuple

import numba
import numpy as np

from tasks.deep.shape import BLANK
from tasks.reading.path_bounds import BEST, NEVER

USUAL, SHORT = 4, 0.9  # letters; that a text has fewer must be at least so probable
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


def rarely_short(texts: Texts, shares: np.ndarray, longest: int) -> Texts:
    """Take a text of fewer than `USUAL` letters only where it nearly surely has so few, else the best of more letters.

    Noise hides letters, and few CAPTCHAs have fewer.

    Parameters
    ----------
    texts : Texts
        The best of any length.
    shares, longest
        As for `best_texts`.
    """
    letters = (texts.classes >= 0).sum(axis=2)
    short = (letters > 0) & (letters < USUAL)
    likely = (np.exp(texts.scores) * short).sum(axis=1)  # which of them it is need not be sure: O and 0 are alike
    rows = np.flatnonzero(short[:, 0] & (likely < SHORT))
    if not len(rows):
        return texts
    longer = best_texts(shares[rows], USUAL, longest)
    there = longer.classes[:, 0, 0] >= 0
    out = Texts(*(column.copy() for column in texts))
    for column, found in zip(out, longer, strict=True):
        column[rows[there]] = found[there]
    return out


class _Beam(NamedTuple):
    """Texts that are followed: letters (B, L), length, hash and last letter of each, and its paths' probabilities.

    blank, letter : (B,) float64, of the paths that end in a blank, and in the last letter
    """

    letters: np.ndarray
    length: np.ndarray
    key: np.ndarray
    blank: np.ndarray
    letter: np.ndarray


class _Grown(NamedTuple):
    """The same texts after one column more, and those with one letter more.

    before, added : (G,) int64, the text that it comes from, and the class of the letter that was added, 0 for none
    total : (G,) float64, of all its paths
    """

    length: np.ndarray
    key: np.ndarray
    blank: np.ndarray
    letter: np.ndarray
    before: np.ndarray
    added: np.ndarray
    total: np.ndarray


@numba.njit(cache=True, nogil=True)
def _make_beam(size, longest):
    return _Beam(
        np.zeros((size, longest), np.int16), np.zeros(size, np.int64), np.zeros(size, np.uint64), np.zeros(size),
        np.zeros(size),
    )  # fmt: skip


@numba.njit(cache=True, nogil=True)
def _make_grown(size):
    return _Grown(
        np.zeros(size, np.int64), np.zeros(size, np.uint64), np.zeros(size), np.zeros(size), np.zeros(size, np.int64),
        np.zeros(size, np.int64), np.zeros(size),
    )  # fmt: skip


@numba.njit(cache=True, nogil=True)
def _search(shares, shortest, longest, texts):
    most = _BEAM + BEST * (longest + 1)
    now, then = _make_beam(most, longest), _make_beam(most, longest)
    grown = _make_grown(most * (shares.shape[2] + 1))
    alpha = np.empty(2 * longest + 1)
    for i in range(len(shares)):
        columns = shares[i]
        # Where too few columns hold a letter that may occur, letters may begin in any.
        for sure_blank in (_SURE_BLANK, 2.0):
            count = 1
            now.length[0], now.key[0], now.blank[0], now.letter[0] = 0, 0, 1.0, 0.0
            for t in range(len(columns)):
                total = _stay(columns[t], now, count, grown)
                if columns[t, BLANK] < sure_blank:
                    total = _grow(columns[t], now, count, grown, longest)
                count = _keep(now, then, grown, total, longest)
                now, then = then, now
            _choose(columns, now, count, shortest, alpha, texts.classes[i], texts.scores[i])
            if texts.scores[i, 0] > NEVER:
                break
        _find_peaks(columns, texts.classes[i, 0], texts.peaks[i], texts.weakest, i)


@numba.njit(cache=True, nogil=True)
def _stay(column, now, count, grown):
    """Follow texts through a column without a new letter; return how many there are."""
    for b in range(count):
        grown.blank[b], grown.letter[b] = (now.blank[b] + now.letter[b]) * column[BLANK], 0.0
        if now.length[b]:
            grown.letter[b] = now.letter[b] * column[1 + now.letters[b, now.length[b] - 1]]
        grown.length[b], grown.key[b], grown.before[b], grown.added[b] = now.length[b], now.key[b], b, 0
    return count


@numba.njit(cache=True, nogil=True)
def _grow(column, now, count, grown, longest):
    """Add each letter that may begin in a column to each text; return how many texts there are then."""
    total = count
    top = 1 + np.argmax(column[1:])
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
            same = _find(now, count, key, now.length[b] + 1)
            if same >= 0:
                grown.letter[same] += mass
            elif mass > 0.0:
                grown.blank[total], grown.letter[total] = 0.0, mass
                grown.length[total], grown.key[total] = now.length[b] + 1, key
                grown.before[total], grown.added[total] = b, c
                total += 1
    return total


@numba.njit(cache=True, nogil=True)
def _find(now, count, key, length):
    """Return the place of a text that is followed already, or -1."""
    for other in range(count):
        if now.key[other] == key and now.length[other] == length:
            return other
    return -1


@numba.njit(cache=True, nogil=True)
def _keep(now, then, grown, total, longest):
    """Keep the most probable texts, and the best three of each length, in `then`; return how many they are."""
    for k in range(total):
        grown.total[k] = grown.blank[k] + grown.letter[k]
    kept = 0
    seen = np.zeros(longest + 1, np.int64)
    for k in np.argsort(-grown.total[:total]):
        if kept == len(then.length) or grown.total[k] <= 0.0:
            break
        if kept < _BEAM or seen[grown.length[k]] < BEST:
            seen[grown.length[k]] += 1
            before = grown.before[k]
            then.blank[kept], then.letter[kept] = grown.blank[k], grown.letter[k]
            then.length[kept], then.key[kept] = grown.length[k], grown.key[k]
            then.letters[kept] = now.letters[before]
            if grown.added[k]:
                then.letters[kept, now.length[before]] = grown.added[k] - 1
            kept += 1
    return kept


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
            if k and t and (at < 0 or worth[k - 1, t - 1] > best):
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

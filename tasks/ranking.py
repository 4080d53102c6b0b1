"""Letter probabilities + dictionary -> the three best words of each picture."""

from dataclasses import dataclass
from enum import StrEnum

import numba
import numpy as np
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

from storage.errors import BadInput

BEST = 3  # words a picture

# The distances say which word is nearest, not how sure that is. To put a number on it they take one letter in a
# hundred for wrong, and every wrong letter, missing or added ones too, for equally likely: each step away from
# the reading makes a word ODDS times less likely. Not calibrated.
LETTER_ERROR = 0.01
_SMALLEST = np.finfo(np.float32).tiny  # stands for a probability of 0, whose logarithm would spoil every sum
_ROWS = 64  # pictures scored at once: their scores over thousands of words stay in the processor's cache


class Ranking(StrEnum):
    """How a word is chosen.

    `PROBABILITY`: the largest sum of log letter probabilities among the words of the reading's length.
    `POSITIONS`: the book's: the most positions equal to the reading's, among the words of its length.
    `LEVENSHTEIN`: the fewest letters to change, add or take away, among all words.
    `NONE`: no dictionary; the most probable letters.
    """

    PROBABILITY = "probability"
    POSITIONS = "positions"
    LEVENSHTEIN = "levenshtein"
    NONE = "none"


@dataclass(frozen=True)
class Ranked:
    """The best three of n pictures.

    Attributes
    ----------
    words : (n, 3) str
        Best first, '' where there are fewer. Ties: the first of the sorted list.
    probabilities : (n, 3) float64
        0 to 1, of all words that were compared (they sum to 1); 0 beside ''.
    """

    words: np.ndarray
    probabilities: np.ndarray


@dataclass(frozen=True)
class _Group:
    """The words of one length: their places in the dictionary, and a column of L x C ones and zeros for each."""

    places: np.ndarray
    onehot: np.ndarray


class Dictionary:
    """A word list over an alphabet, prepared once.

    Parameters
    ----------
    words : tuple of str
        In any order; one that comes twice counts once. May be empty: then only `Ranking.NONE` can be asked for.
    alphabet : str
        The characters in the order of the classes.

    Attributes
    ----------
    words : (W,) str
        Sorted; `listed` is the same as a list.

    Raises
    ------
    BadInput
        A word with a character outside the alphabet (it is named), or an empty one.
    """

    def __init__(self, words: tuple[str, ...], alphabet: str):
        self.alphabet = alphabet
        self.letters = np.array(list(alphabet), "U1")
        index = {character: number for number, character in enumerate(alphabet)}
        chosen = sorted(set(words))
        for word in chosen:
            foreign = sorted(set(word) - set(index))
            if foreign or not word:
                raise BadInput(
                    f"dictionary, word {word!r}: must have one or more characters of {alphabet!r}, which are all that "
                    f"the model can read; it has {', '.join(map(repr, foreign)) or 'none'}. Take the word out, or "
                    "train a model on a profile whose alphabet has them"
                )
        self.listed = chosen
        self.words = np.array(chosen) if chosen else np.empty(0, "U1")
        self._groups: dict[int, _Group] = {}
        lengths = np.array([len(word) for word in chosen], int)
        for length in np.unique(lengths).tolist():
            places = np.flatnonzero(lengths == length)
            codes = np.array([[index[c] for c in chosen[place]] for place in places])
            onehot = np.zeros((length, len(alphabet), len(places)), np.float32)
            onehot[np.arange(length)[:, None], codes.T, np.arange(len(places))] = 1
            self._groups[length] = _Group(places, onehot.reshape(length * len(alphabet), len(places)))

    def __len__(self) -> int:
        """Number of words."""
        return len(self.words)

    def group(self, length: int) -> _Group | None:
        """The words of that length, None if there are none."""
        return self._groups.get(length)


def rank(probabilities: np.ndarray, counts: np.ndarray, dictionary: Dictionary, ranking: Ranking) -> Ranked:
    """The three best words of each picture.

    Where the dictionary has no word with as many letters as there are segments, `PROBABILITY` and `POSITIONS`
    fall back to `LEVENSHTEIN`: a picture with merged letters still gets the nearest word. A picture with no
    segment gets none.

    Parameters
    ----------
    probabilities : (m, C) float32
        Of each segment's classes, in the order of the alphabet; pictures ascending, segments in reading order.
    counts : (n,) int
        Segments in each picture; they sum to m.
    dictionary : Dictionary
        Not empty, except for `Ranking.NONE`.
    ranking : Ranking

    Raises
    ------
    BadInput
        An empty dictionary for a ranking that needs one.
    ValueError
        Arrays that do not fit together.
    """
    if probabilities.ndim != 2 or probabilities.shape[1] != len(dictionary.alphabet):
        raise ValueError(f"probabilities: must be (m, {len(dictionary.alphabet)}); it is {probabilities.shape}")
    if counts.sum() != len(probabilities):
        raise ValueError(f"counts: must sum to {len(probabilities)} segments; it sums to {counts.sum()}")
    if ranking is not Ranking.NONE and not len(dictionary):
        raise BadInput(f"ranking {ranking.value!r}: needs a dictionary; there is none, so only 'none' is possible")
    firsts = np.cumsum(counts) - counts
    if ranking is Ranking.NONE:
        return _strings(probabilities, firsts, counts, dictionary)
    words = np.zeros((len(counts), BEST), dictionary.words.dtype)
    shares = np.zeros((len(counts), BEST))
    for length in np.unique(counts[counts > 0]).tolist():
        rows = np.flatnonzero(counts == length)
        group = dictionary.group(length)
        for first in range(0, len(rows), _ROWS):
            some = rows[first : first + _ROWS]
            letters = probabilities[firsts[some, None] + np.arange(length)]
            if group is None or ranking is Ranking.LEVENSHTEIN:
                scores = _nearness(join_letters(letters.argmax(axis=2), dictionary), dictionary)
                places = None
            else:
                scores, places = _scores(letters, group, ranking), group.places
            best, shares_of_best = _top(scores)
            shares[some, : best.shape[1]] = shares_of_best
            words[some, : best.shape[1]] = dictionary.words[best if places is None else places[best]]
    return Ranked(words, shares)


def join_letters(classes: np.ndarray, dictionary: Dictionary) -> np.ndarray:
    """(g, L) places in the alphabet -> (g,) str; -1 stands for nothing, after the last letter."""
    letters = np.where(classes >= 0, dictionary.letters[classes], "")
    length = max(classes.shape[1], 1)
    if not letters.size:
        return np.zeros(len(classes), "U1")
    return np.ascontiguousarray(letters, "U1").view(f"U{length}").ravel()


def _scores(letters: np.ndarray, group: _Group, ranking: Ranking) -> np.ndarray:
    """Log weights (g, W) of a group's words from letter probabilities (g, L, C)."""
    if ranking is Ranking.PROBABILITY:
        values = np.log(np.maximum(letters, _SMALLEST))
        return values.reshape(len(letters), -1) @ group.onehot
    equal = letters.argmax(axis=2)[:, :, None] == np.arange(letters.shape[2])
    matches = equal.reshape(len(letters), -1).astype(np.float32) @ group.onehot
    return (matches - letters.shape[1]) * _step(letters.shape[2])


def _nearness(readings: np.ndarray, dictionary: Dictionary) -> np.ndarray:
    """Log weights (g, W) of all words, by their Levenshtein distance to each reading."""
    distances = cdist(readings.tolist(), dictionary.listed, scorer=Levenshtein.distance, dtype=np.uint16)
    return distances.astype(np.float32) * -_step(len(dictionary.alphabet))


def _step(classes: int) -> np.float32:
    """How much less likely, as a difference of logarithms, one letter more that differs makes a word."""
    return np.float32(np.log((1 - LETTER_ERROR) * max(classes - 1, 1) / LETTER_ERROR))


def _top(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The columns of the three largest scores (g, 3 or fewer), first column first among equals, and their softmax.

    `scores` is used up.
    """
    best = np.empty((len(scores), min(BEST, scores.shape[1])), np.int64)
    values = np.empty(best.shape)
    rows = np.arange(len(scores))
    total = np.exp(scores - scores.max(axis=1, keepdims=True)).sum(axis=1, dtype=np.float64)
    # Three passes of argmax, which keeps the first of equals, cost less than one partition, which does not.
    for k in range(best.shape[1]):
        best[:, k] = scores.argmax(axis=1)
        values[:, k] = scores[rows, best[:, k]]
        scores[rows, best[:, k]] = -np.inf
    return best, np.exp(values - values[:, :1]) / total[:, None]


def _strings(probabilities: np.ndarray, firsts: np.ndarray, counts: np.ndarray, dictionary: Dictionary) -> Ranked:
    """The three most probable strings; the softmaxes of the letters make all strings of a length sum to 1."""
    longest = max(int(counts.max(initial=0)), 1)
    classes = np.full((len(counts), BEST, longest), -1, np.int16)
    shares = np.zeros((len(counts), BEST))
    _best_strings(np.ascontiguousarray(probabilities), firsts, counts, classes, shares)
    return Ranked(join_letters(classes.reshape(-1, longest), dictionary).reshape(-1, BEST), shares)


@numba.njit(cache=True, nogil=True)
def _best_strings(probabilities, firsts, counts, classes, shares):
    """Exact k best products over independent positions: a prefix of one of the k best is one of its k best.

    Equals are taken in the order of the alphabet: `order` is each prefix's place among the kept ones, so that
    (place of the prefix, letter) compares as the whole strings do.
    """
    kept = shares.shape[1]
    width = probabilities.shape[1]
    top = np.empty(kept, np.int64)
    worth = np.empty(kept * kept)
    key = np.empty(kept * kept, np.int64)
    parent = np.empty(kept * kept, np.int64)
    order = np.empty(kept, np.int64)
    before = np.empty(kept, np.int64)
    for i in range(len(counts)):
        if counts[i] == 0:
            continue
        beams = 1
        shares[i, 0], order[0] = 1.0, 0
        for position in range(counts[i]):
            row = probabilities[firsts[i] + position]
            letters = min(kept, width)
            for a in range(letters):  # the largest letters, first among equals
                top[a] = -1
                for c in range(width):
                    taken = False
                    for b in range(a):
                        taken |= top[b] == c
                    if not taken and (top[a] < 0 or row[c] > row[top[a]]):
                        top[a] = c
            made = 0
            for b in range(beams):
                for a in range(letters):
                    worth[made] = shares[i, b] * row[top[a]]
                    key[made] = order[b] * width + top[a]
                    parent[made] = b
                    made += 1
            beams = min(kept, made)
            previous = classes[i].copy()
            for b in range(beams):
                best = b
                for j in range(b + 1, made):
                    if worth[j] > worth[best] or (worth[j] == worth[best] and key[j] < key[best]):
                        best = j
                worth[b], worth[best] = worth[best], worth[b]
                key[b], key[best] = key[best], key[b]
                parent[b], parent[best] = parent[best], parent[b]
                shares[i, b] = worth[b]
                classes[i, b, :position] = previous[parent[b], :position]
                classes[i, b, position] = key[b] % width
                before[b] = key[b]
            for b in range(beams):
                order[b] = (before[:beams] < before[b]).sum()

"""Readings + dictionary -> the three nearest words of each picture; what a dictionary is, and how words are ranked."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

from storage.errors import BadInput
from tasks.reading.path_bounds import BEST
from tasks.reading.word_search import Trie

# The distances say which word is nearest, not how sure that is. To put a number on it they take one letter in a
# hundred for wrong, and every wrong letter, missing or added ones too, for equally likely: each step away from
# the reading makes a word ODDS times less likely. Not calibrated.
LETTER_ERROR = 0.01
_ROWS = 64  # pictures scored at once: their scores over thousands of words stay in the processor's cache


class Ranking(StrEnum):
    """How a word is chosen.

    `PROBABILITY`: the dictionary takes part in the cutting: of all words and all ways to cut the picture into their
    letters, the most probable.
    `POSITIONS`: the book's: the most positions equal to the reading's, among the words of its length.
    `LEVENSHTEIN`: the fewest letters to change, add or take away, among all words.
    `NONE`: no dictionary; the most probable cuts and letters.
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
        0 to 1; 0 beside ''.
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
    trie : Trie
        The same words as a tree.

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
        self.trie = Trie(chosen, alphabet)
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


def nearest(classes: np.ndarray, dictionary: Dictionary, ranking: Ranking) -> Ranked:
    """The three words nearest to each reading.

    Where the dictionary has no word as long as the reading, `POSITIONS` falls back to `LEVENSHTEIN`. A picture
    without a reading gets no word.

    Parameters
    ----------
    classes : (n, L) int
        Places in the alphabet, -1 past the end.
    dictionary : Dictionary
        Not empty.
    ranking : Ranking
        `POSITIONS` or `LEVENSHTEIN`.

    Raises
    ------
    BadInput
        An empty dictionary.
    """
    if not len(dictionary):
        raise BadInput(f"ranking {ranking.value!r}: needs a dictionary; there is none, so only 'none' is possible")
    words = np.zeros((len(classes), BEST), dictionary.words.dtype)
    shares = np.zeros((len(classes), BEST))
    counts = (classes >= 0).sum(axis=1)
    for length in np.unique(counts[counts > 0]).tolist():
        rows = np.flatnonzero(counts == length)
        group = dictionary.group(length)
        for first in range(0, len(rows), _ROWS):
            some = rows[first : first + _ROWS]
            if group is None or ranking is Ranking.LEVENSHTEIN:
                scores = _nearness(join_letters(classes[some, :length], dictionary), dictionary)
                places = None
            else:
                scores, places = _matches(classes[some, :length], group, len(dictionary.alphabet)), group.places
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


def _matches(classes: np.ndarray, group: _Group, alphabet: int) -> np.ndarray:
    """Log weights (g, W) of a group's words, by the positions where they equal readings (g, L)."""
    equal = classes[:, :, None] == np.arange(alphabet)
    matches = equal.reshape(len(classes), -1).astype(np.float32) @ group.onehot
    return (matches - classes.shape[1]) * _step(alphabet)


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

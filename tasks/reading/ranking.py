"""Rank the words of a dictionary by their distance to each reading, and keep the three nearest."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

from storage.errors import BadInput
from tasks.reading.path_bounds import BEST
from tasks.reading.word_search import Trie

# A distance says which word is nearest, not how probable it is. The probabilities here assume that one letter in a
# hundred is misread, and that all other letters are equally likely then; a missing or an added letter counts like a
# misread letter. Each step of distance so divides a word's probability by the same number. It is not calibrated.
LETTER_ERROR = 0.01
_ROWS = 64  # pictures that are scored at once, so that their scores of thousands of words stay in the cache


class Ranking(StrEnum):
    """The rule by which a word is chosen.

    `PROBABILITY`: the most probable pair of a word and a way to cut the picture into its letters.
    `POSITIONS`: the word with the most letters equal to the reading's, among words as long as the reading; the book's.
    `LEVENSHTEIN`: the word with the fewest letters to change, add or remove.
    `NONE`: no dictionary; the most probable cuts and letters.
    """

    PROBABILITY = "probability"
    POSITIONS = "positions"
    LEVENSHTEIN = "levenshtein"
    NONE = "none"


@dataclass(frozen=True)
class Ranked:
    """The three best words for each of n pictures.

    Attributes
    ----------
    words : (n, 3) str
        Best first; '' if there are fewer than three. Of equally good words, the first in the sorted list comes first.
    probabilities : (n, 3) float64
        0 to 1; 0 beside ''.
    """

    words: np.ndarray
    probabilities: np.ndarray


@dataclass(frozen=True)
class _Group:
    """The words of one length, L: their indices in the dictionary, and their letters as columns of L x C bits."""

    places: np.ndarray
    onehot: np.ndarray


class Dictionary:
    """A word list over an alphabet, prepared once.

    Parameters
    ----------
    words : tuple of str
        In any order; duplicates count once. If it is empty, only `Ranking.NONE` is possible.
    alphabet : str
        The characters in the order of the classes.

    Attributes
    ----------
    words : (W,) str
        Sorted; `listed` holds the same words as a list.
    trie : Trie
        The same words as a tree.

    Raises
    ------
    BadInput
        A word is empty, or has a character outside the alphabet; the message names it.
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
        """Return the number of words."""
        return len(self.words)

    def group(self, length: int) -> _Group | None:
        """Return the words of that length, or None if the dictionary has none."""
        return self._groups.get(length)


def nearest_words(classes: np.ndarray, dictionary: Dictionary, ranking: Ranking) -> Ranked:
    """Find the three words nearest to each reading.

    If the dictionary has no word as long as the reading, `POSITIONS` falls back to `LEVENSHTEIN`. A picture without a
    reading gets no word.

    Parameters
    ----------
    classes : (n, L) int
        Indices into the alphabet, -1 after the last letter.
    dictionary : Dictionary
        Not empty.
    ranking : Ranking
        `POSITIONS` or `LEVENSHTEIN`.

    Raises
    ------
    BadInput
        The dictionary is empty.
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
    """Join letters, (g, L) indices into the alphabet, -1 after the last letter, into words, (g,) str."""
    letters = np.where(classes >= 0, dictionary.letters[classes], "")
    length = max(classes.shape[1], 1)
    if not letters.size:
        return np.zeros(len(classes), "U1")
    return np.ascontiguousarray(letters, "U1").view(f"U{length}").ravel()


def _matches(classes: np.ndarray, group: _Group, alphabet: int) -> np.ndarray:
    """Return log weights (g, W) of a group's words, by the number of positions at which they equal readings (g, L)."""
    equal = classes[:, :, None] == np.arange(alphabet)
    matches = equal.reshape(len(classes), -1).astype(np.float32) @ group.onehot
    weights: np.ndarray = (matches - classes.shape[1]) * _step(alphabet)
    return weights


def _nearness(readings: np.ndarray, dictionary: Dictionary) -> np.ndarray:
    """Return log weights (g, W) of all words, by their Levenshtein distance to each reading."""
    distances = cdist(readings.tolist(), dictionary.listed, scorer=Levenshtein.distance, dtype=np.uint16)
    return distances.astype(np.float32) * -_step(len(dictionary.alphabet))


def _step(classes: int) -> np.float32:
    """Return by how much each differing letter lowers the logarithm of a word's probability."""
    return np.float32(np.log((1 - LETTER_ERROR) * max(classes - 1, 1) / LETTER_ERROR))


def _top(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the columns of the three largest scores, (g, 3 or fewer), and their softmax.

    Equal scores are in the order of their columns. `scores` is overwritten.
    """
    best = np.empty((len(scores), min(BEST, scores.shape[1])), np.int64)
    values = np.empty(best.shape)
    rows = np.arange(len(scores))
    total = np.exp(scores - scores.max(axis=1, keepdims=True)).sum(axis=1, dtype=np.float64)
    # Three passes of argmax take less time than one partition, and keep equal scores in order.
    for k in range(best.shape[1]):
        best[:, k] = scores.argmax(axis=1)
        values[:, k] = scores[rows, best[:, k]]
        scores[rows, best[:, k]] = -np.inf
    return best, np.exp(values - values[:, :1]) / total[:, None]

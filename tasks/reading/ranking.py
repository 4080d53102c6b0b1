"""Rank words by their distance to a reading, and strings by their case; keep the three best."""

import functools
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from storage.errors import BadInput
from tasks.reading.path_bounds import BEST, NEVER, Spans
from tasks.reading.string_search import Strings, best_strings
from tasks.reading.word_search import Trie

# A distance says which word is nearest, not how probable it is. The shares here assume that one letter in a hundred is
# misread, and that all other letters are equally likely then; a missing or an added letter counts like a misread
# letter. Each step of distance so divides a word's share by the same number. No share is shown as a confidence.
LETTER_ERROR = 0.01
# The share of texts that mix upper and lower case, where nobody says what letters may occur; chosen, not measured.
MIXED = 0.2
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
        0 to 1; 0 beside ''. Not a number where no curve gives a confidence.
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
        known, chosen = set(alphabet), sorted(set(words))
        wrong = next((word for word in chosen if not word or not known.issuperset(word)), None)
        if wrong is not None:
            foreign = ", ".join(map(repr, sorted(set(wrong) - known)))
            raise BadInput(
                f"dictionary, word {wrong!r}: must have one or more characters of {alphabet!r}, which are all that "
                f"the model can read; it has {foreign or 'none'}. Take the word out, or train a model on a profile "
                "whose alphabet has them"
            )
        self.listed = chosen
        self.words = np.array(chosen) if chosen else np.empty(0, "U1")
        self.trie = Trie(chosen, alphabet)
        self._groups: dict[int, _Group] = {}

    def __len__(self) -> int:
        """Return the number of words."""
        return len(self.words)

    def group(self, length: int) -> _Group | None:
        """Return the words of that length, or None if the dictionary has none."""
        if length not in self._groups and any(len(word) == length for word in self.listed):
            places = np.array([place for place, word in enumerate(self.listed) if len(word) == length], np.int64)
            letters = np.array([[*self.listed[place]] for place in places])
            onehot = (letters.T[:, None] == self.letters[:, None]).astype(np.float32)
            self._groups[length] = _Group(places, onehot.reshape(length * len(self.letters), len(places)))
        return self._groups.get(length)


dictionary_of = functools.lru_cache(maxsize=2)(Dictionary)  # a classic and a deep reader read with the same


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
    from rapidfuzz.distance import Levenshtein  # for this ranking only, which no command reads by
    from rapidfuzz.process import cdist

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


class Cases:
    """The two cases of an alphabet, where nobody said which letters may occur.

    Many letters look alike in both cases, such as c and o. A text of one case is more probable than a text that mixes
    them: a share `MIXED` of all texts draws from the whole alphabet, all others from one case, digits and signs.

    upper, lower : (C,) bool
    twin : (C,) int64, the same letter in the other case, or the letter itself if there is none
    """

    def __init__(self, alphabet: str):
        self.upper = np.array([letter.isupper() for letter in alphabet])
        self.lower = np.array([letter.islower() for letter in alphabet])
        place = {letter: number for number, letter in enumerate(alphabet)}
        self.twin = np.array([place.get(letter.swapcase(), number) for number, letter in enumerate(alphabet)])

    def __bool__(self) -> bool:
        """Tell whether the alphabet has both cases."""
        return bool(self.upper.any() and self.lower.any())

    def subsets(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the columns of all letters but the lower case, and of all but the upper case."""
        return np.flatnonzero(~self.lower), np.flatnonzero(~self.upper)

    def has(self, classes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Tell which texts (..., L), -1 past the end, have letters of the upper case, and which of the lower."""
        there = classes >= 0
        return (self.upper[classes] & there).any(axis=-1), (self.lower[classes] & there).any(axis=-1)

    def bonus(self, classes: np.ndarray) -> np.ndarray:
        """Return by how much its case raises the log probability of each text (..., L)."""
        upper, lower = self.has(classes)
        few = np.where(upper, (~self.lower).sum(), (~self.upper).sum())
        gain = np.log((1 - MIXED) / 2 / MIXED) + (classes >= 0).sum(axis=-1) * np.log(len(self.twin) / few)
        return np.where(upper & lower, 0.0, gain)

    def lower_other(self, odds: np.ndarray, texts: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Lower the odds of the letters that are of the other case than a text of one case.

        Parameters
        ----------
        odds : (m, C) float64
            Log odds of all letters that the network knows, for each letter of the texts.
        texts : (n, L)
            As for `has`.
        columns : (A,) int64
            The columns of the alphabet's letters in `odds`.

        Returns
        -------
        odds : (m, C) float64
        turned : (n,) float64
            By how much each text of one case beats the same text in the other case; infinite for all others.
        """
        there, odds = texts >= 0, odds.copy()
        picture, own = np.nonzero(there)[0], texts[there].astype(np.int64)
        upper, lower = self.has(texts)
        rows = np.arange(len(own))
        gain = odds[rows, columns[own]] - odds[rows, columns[self.twin[own]]]
        turned = np.maximum(np.bincount(picture, gain, len(texts)), 0)
        bonus = self.bonus(texts)
        for own_case, other in ((upper & ~lower, self.lower), (lower & ~upper, self.upper)):
            odds[:, columns[other]] -= (bonus * own_case)[picture][:, None]
        return odds, np.where(upper ^ lower, turned, np.inf)

    def favour(self, spans: Spans, strings: Strings, length: tuple[int, int], slack: float) -> Strings:
        """Add the bonus of its case to each string; search strings of one case where the best string mixes both."""
        texts, chosen, scores = strings.texts.copy(), strings.chosen.copy(), strings.scores.copy()
        there = scores > NEVER / 2
        scores += np.where(there, self.bonus(texts), 0)
        again = there[:, 0] & (np.logical_and(*self.has(texts[:, 0])) | (scores.argmax(axis=1) > 0))
        rest = ~again
        texts[rest], scores[rest] = _ordered(
            texts[rest], scores[rest], np.argsort(-scores[rest], axis=1, kind="stable")
        )
        if again.any():
            texts[again], chosen[again], scores[again] = self._of_one_case(
                spans, Strings(texts[again], chosen[again], scores[again]), again, length, slack
            )
        return Strings(texts, chosen, scores)

    def _of_one_case(
        self, spans: Spans, strings: Strings, again: np.ndarray, length: tuple[int, int], slack: float
    ) -> Strings:
        """Return the best three of some pictures' strings and of the strings over the letters of one case."""
        counts = np.diff(spans.starts)
        rows = np.flatnonzero(np.repeat(again, counts))
        starts = np.concatenate([[0], np.cumsum(counts[again])])
        found: list[Strings] = []
        for columns in self.subsets():
            odds = np.ascontiguousarray(spans.odds[rows][:, columns])
            some = Spans(starts, spans.cuts[again], spans.first[rows], spans.last[rows], odds)
            texts, chosen, scores = best_strings(some, *length, slack)
            texts = np.where(texts >= 0, columns[texts], -1).astype(texts.dtype)
            scores += np.where(scores > NEVER / 2, self.bonus(texts), 0)
            found.append(Strings(texts, np.where(chosen >= 0, rows[chosen], -1), scores))
        found.append(strings)
        # The spans are known of the best string of each search only, so one of these is the best of all.
        firsts = np.stack([part.scores[:, 0] for part in found])
        search, each = firsts.argmax(axis=0), np.arange(len(strings.texts))
        texts = np.concatenate([part.texts for part in found], axis=1)
        scores = np.minimum(np.concatenate([part.scores for part in found], axis=1), firsts.max(axis=0)[:, None])
        key = -scores
        key[each, search * BEST] = -np.inf
        texts, scores = _ordered(texts, scores, np.argsort(key, axis=1, kind="stable"))
        same = np.tril((texts[:, :, None] == texts[:, None]).all(axis=-1), -1).any(axis=2)
        scores[same] = NEVER  # the same string as one before it
        texts, scores = _ordered(texts, scores, np.argsort(-scores, axis=1, kind="stable")[:, :BEST])
        return Strings(texts, np.stack([part.chosen for part in found])[search, each], scores)


def _ordered(texts: np.ndarray, scores: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.take_along_axis(texts, order[:, :, None], axis=1), np.take_along_axis(scores, order, axis=1)

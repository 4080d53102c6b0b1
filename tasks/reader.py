"""Pictures in, ranked words with confidence out: the one door for evaluating and for solving."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from sklearn.neural_network import MLPClassifier

from storage.errors import BadInput
from tasks.classifier import probabilities
from tasks.letters import FEATURES, shape_letters
from tasks.ranking import Dictionary, Ranked, Ranking, join_letters, rank
from tasks.segmentation import Segments, cut

# A picture with more segments than this is noise: it is not read (its count still says why).
LONGEST = 64

# How the letters of a model were cut; a picture that is solved has to be cut the same way.
NEEDED = ("classes", "features", "threshold", "smallest", "connectivity")


@dataclass(frozen=True)
class Readings:
    """What n pictures say, and how it was found; m segments, C classes.

    Attributes
    ----------
    reading : (n,) str
        The most probable letters, before any dictionary; '' without ink.
    reading_confidence : (n,) float64
        Product of those letters' probabilities; 0 beside ''.
    words, confidences : (n, 3) str, (n, 3) float64
        Best first, by the reader's ranking; '' and 0 where there are fewer.
    segments : (n,) int32
        How many letters the picture was cut into.
    cut : Segments
        Where they are: arrays of m, pictures ascending, in reading order.
    letter : (m,) str
        The most probable class of each segment.
    probabilities : (m, C) float32
        In the order of the model's classes.
    answers : dict of Ranking to Ranked
        For every ranking that was asked for; `words` and `confidences` are one of them.
    """

    reading: np.ndarray
    reading_confidence: np.ndarray
    words: np.ndarray
    confidences: np.ndarray
    segments: np.ndarray
    cut: Segments
    letter: np.ndarray
    probabilities: np.ndarray
    answers: dict[Ranking, Ranked]


class Reader:
    """A loaded model, with or without a dictionary.

    Parameters
    ----------
    network, provenance : MLPClassifier, dict
        From `storage.models.load_model`; the provenance has at least the keys in `NEEDED`.
    words : tuple of str
        The dictionary; empty for random strings.
    ranking : Ranking, optional
        By default `PROBABILITY` with a dictionary, and `NONE` without.

    Raises
    ------
    BadInput
        The model was trained on other features or its record is incomplete; a word with a character that it
        cannot read; a ranking that needs a dictionary where there is none.
    """

    def __init__(
        self,
        network: MLPClassifier,
        provenance: dict,
        words: tuple[str, ...] = (),
        ranking: Ranking | None = None,
    ):
        lacking = [key for key in NEEDED if key not in provenance]
        if lacking:
            raise BadInput(f"model: its record lacks {', '.join(lacking)}; train it again")
        if provenance["features"] != FEATURES:
            raise BadInput(
                f"model: was trained on letter features version {provenance['features']}, and this version makes "
                f"{FEATURES}; train it again"
            )
        self.classes: str = provenance["classes"]
        if len(network.classes_) != len(self.classes):
            raise BadInput(
                f"model: its network knows {len(network.classes_)} classes, and its record names "
                f"{len(self.classes)} ({self.classes!r}); train it again"
            )
        self.network = network
        self.threshold: float = provenance["threshold"]
        self.smallest: int = provenance["smallest"]
        self.connectivity: int = provenance["connectivity"]
        self.dictionary = Dictionary(words, self.classes)
        if ranking is None:
            ranking = Ranking.PROBABILITY if words else Ranking.NONE
        self.ranking = self._possible(ranking)

    def read(self, images: np.ndarray, rankings: Iterable[Ranking] = ()) -> Readings:
        """Read pictures.

        Parameters
        ----------
        images : (n, H, W) uint8
            0 background to 255 ink. Batches of about 1,000 are fastest; the result holds their label images.
        rankings : iterable of Ranking
            More rankings to answer by, besides the reader's own. Cutting and classifying is done once.

        Raises
        ------
        BadInput
            A ranking that needs a dictionary where there is none.
        ValueError
            Another shape or type.
        """
        asked = dict.fromkeys([self.ranking, *map(self._possible, rankings)])
        segments = cut(images, self.threshold, self.smallest, self.connectivity)
        chances = probabilities(self.network, shape_letters(images, segments))
        letter = chances.argmax(axis=1)
        readable = segments.counts <= LONGEST
        kept = readable[segments.picture]
        counts = np.where(readable, segments.counts, 0)
        reading, confidence = self._readings(letter[kept], chances[kept], counts)
        answers = {ranking: rank(chances[kept], counts, self.dictionary, ranking) for ranking in asked}
        own = answers[self.ranking]
        return Readings(
            reading, confidence, own.words, own.probabilities, segments.counts, segments,
            self.dictionary.letters[letter], chances, answers,
        )  # fmt: skip

    def _possible(self, ranking: Ranking) -> Ranking:
        ranking = Ranking(ranking)
        if ranking is not Ranking.NONE and not len(self.dictionary):
            raise BadInput(f"ranking {ranking.value!r}: needs a dictionary; give one, or choose 'none'")
        return ranking

    def _readings(self, letter: np.ndarray, chances: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        picture = np.repeat(np.arange(len(counts)), counts)
        place = np.arange(len(letter)) - np.repeat(np.cumsum(counts) - counts, counts)
        padded = np.full((len(counts), max(int(counts.max(initial=0)), 1)), -1, np.int64)
        padded[picture, place] = letter
        confidence = np.where(counts > 0, 1.0, 0.0)
        np.multiply.at(confidence, picture, chances[np.arange(len(letter)), letter])
        return join_letters(padded, self.dictionary), confidence

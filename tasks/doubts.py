"""Lower the confidence of answers to pictures that show what the model cannot know of: accents, icons, blots."""

from dataclasses import replace

import numpy as np

from tasks.deep.deep_reader import DeepReader
from tasks.loading.colour_ink import ink_of_batch
from tasks.loading.oddities.oddities import Oddities, find_oddities
from tasks.reading.ranking import Ranked
from tasks.reading.reader import Reader, Readings

DOUBTS = 1  # raised whenever other pictures are doubted, or by other factors
DOUBTED = 0.45  # a doubted answer's confidence is multiplied by this: no answer that is surely wrong looks probable
# Letters without marks of their own. Any other letter may account for a mark: i, j, and all that models learn besides.
PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghklmnopqrstuvwxyz0123456789")


def doubted(
    reader: Reader | DeepReader, readings: Readings, images: np.ndarray, sizes: np.ndarray | None = None
) -> Readings:
    """Return the readings of pictures, with less confidence where a picture shows what its answer does not explain.

    Only of readers with `doubts`: a model that learnt from its owner's pictures knows what these show.

    Parameters
    ----------
    images : (n, H, W) or (n, H, W, 3) uint8
        The pictures that were read: ink, or sRGB as seen.
    sizes : (n, 2) int64, optional
        Rows and columns of each picture at the top left of its canvas; by default the canvas.
    """
    if not reader.doubts:
        return readings
    sure = np.maximum(np.nan_to_num(readings.confidences[:, 0]), np.nan_to_num(readings.reading_confidence))
    rows = np.flatnonzero(sure > DOUBTED)  # nobody believes the others, so they need no look
    if not len(rows):
        return readings
    if sizes is None:
        sizes = np.tile(np.array(images.shape[1:3], np.int64), (len(images), 1))
    found = find_oddities(ink_of_batch(images[rows], sizes[rows, 0], sizes[rows, 1]))
    answers = {
        ranking: Ranked(ranked.words, ranked.probabilities * _factors(rows, found, ranked.words[:, 0])[:, None])
        for ranking, ranked in readings.answers.items()
    }
    return replace(
        readings,
        reading_confidence=readings.reading_confidence * _factors(rows, found, readings.reading),
        confidences=readings.confidences * _factors(rows, found, readings.words[:, 0])[:, None],
        answers=answers,
    )


def _factors(rows: np.ndarray, found: Oddities, words: np.ndarray) -> np.ndarray:
    """Return by what each answer's confidence is multiplied, (n,) float64; `found` is of the pictures `rows`."""
    factors = np.ones(len(words))
    factors[rows] = np.where(unexplained(found, words[rows].tolist()), DOUBTED, 1.0)
    return factors


def unexplained(found: Oddities, words: list[str]) -> np.ndarray:
    """Tell which pictures show what their words do not explain, (n,) bool.

    - More letters with marks than the word has, in a picture whose letters can be told from each other.
    - A thing that stands apart from fewer things than the word has letters: it was read as a letter.
    - A blot, which hides a letter or is none; one that stands apart and was not read does not count.
    """
    length = np.array([len(word) for word in words], np.int64)
    marks = np.array([sum(letter not in PLAIN for letter in word) for word in words], np.int64)
    left_out = found.apart & (length <= found.things)
    told_apart = (found.things > 0) & (found.things >= length - 1)
    strange: np.ndarray = (
        ((found.marks > marks) & told_apart) | (found.apart & ~left_out) | (found.blots & ~left_out)
    ) & (length > 0)
    return strange

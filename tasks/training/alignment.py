"""Forced alignment: which spans of a picture's lattice are its known letters. The networks learn from them."""

import numpy as np

from tasks.reading.lattice import Lattice
from tasks.reading.string_search import align

# No comparison with other values is recorded. The shipped model was trained with these; others give another model.
SAME = 0.13  # of the text's height: a span whose edges are off by no more shows the letter
OTHER = 0.3  # a span whose edges are off by more shows no letter; spans in between are not learnt
OUTWARD = 0.2  # weight of the distance to a box's innermost edges: of the spans that fit a box, the tightest is best
NEAR = -0.25  # mean nearness of a path's letters, below which a picture counts as not aligned
LIKELY = -6.0  # the same for mean log odds, where a network aligns
LETTERS_A_PICTURE, OTHERS_A_PICTURE = 9, 7  # spans that are learnt from at most; docs/reader.md, Training
# Mean log odds of a believed path's letters, and how much more the best path of any letters may have.
CREDIBLE, DOUBT = 2.0, 1.0
_ABSENT = -50.0  # nearness past the end of the text: far below that to any box


def nearness(lattice: Lattice, shear: np.ndarray, offset: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Measure how well each span agrees with each letter's true box: 0 at best, -1 for a text height of distance.

    A letter need not reach into the corners of its box. When the shear is undone, the edges of its ink are therefore
    known only within the columns by which the shear moves the box's top against its bottom.

    Parameters
    ----------
    lattice : Lattice
    shear, offset : (n,) int64
        From `tasks.reading.deskew.upright`.
    boxes : (n, L, 4) int
        Top, left, bottom, right in the picture; -1 past the end of the text.

    Returns
    -------
    (m, L) float64
    """
    picture = lattice.picture
    box = boxes[picture].astype(float)
    slope, moved = (shear[picture] / 1000)[:, None], offset[picture][:, None]
    edges = []
    for column in (1, 3):
        at_top = box[..., column] - slope * box[..., 0] + moved
        at_bottom = box[..., column] - slope * (box[..., 2] - 1) + moved
        edges.append((np.minimum(at_top, at_bottom), np.maximum(at_top, at_bottom)))
    left, right = lattice.box[:, 1].astype(float)[:, None], lattice.box[:, 3].astype(float)[:, None]
    (left_least, left_most), (right_least, right_most) = edges
    off = np.maximum(left_least - left, 0) + np.maximum(left - left_most, 0)
    off += np.maximum(right_least - right, 0) + np.maximum(right - right_most, 0)
    off += OUTWARD * (np.abs(left - left_most) + np.abs(right - right_least))
    return np.where(box[..., 0] < 0, _ABSENT, -off / lattice.height[picture][:, None])


def odds_of_letters(lattice: Lattice, codes: np.ndarray, odds: np.ndarray) -> np.ndarray:
    """Pick a network's log odds that each span is each known letter of its picture.

    Parameters
    ----------
    lattice : Lattice
    codes : (n, L) int
        Classes of the picture's letters, -1 past the end.
    odds : (m, C) float64
        Log odds of each span and class, from a network.

    Returns
    -------
    (m, L) float64
        Past the end of the text without meaning.
    """
    return np.take_along_axis(odds, np.maximum(codes[lattice.picture], 0), axis=1)


def mark(lattice: Lattice, codes: np.ndarray, worth: np.ndarray, least: float, classes: int) -> np.ndarray:
    """Label each span by the best path of the picture's known letters.

    Parameters
    ----------
    lattice : Lattice
    codes : (n, L) int
        Classes of the picture's letters, -1 past the end.
    worth : (m, L) float64
        How much speaks for each span as each letter: from `nearness` or `odds_of_letters`.
    least : float
        The mean worth of a path's letters, above which the picture is aligned: `NEAR` or `LIKELY`.
    classes : int
        Number of letters, which is also the class "not one letter".

    Returns
    -------
    (m,) int64
        A class; `classes` for a span that shows no single letter; -1 for a span too close to a letter to say, and
        for all spans of a picture that was not aligned.
    """
    picture, lengths = lattice.picture, (codes >= 0).sum(axis=1)
    chosen = np.full(codes.shape, -1, np.int64)
    scores = np.zeros(len(codes))
    align(lattice.starts, lattice.cuts, lattice.first, lattice.last, worth, lengths, chosen, scores)
    labels = np.full(len(picture), classes, np.int64)
    left, right = lattice.box[:, 1].astype(int), lattice.box[:, 3].astype(int)
    for k in range(codes.shape[1]):
        own = chosen[picture, k]
        off = (np.abs(left - left[own]) + np.abs(right - right[own])) / np.maximum(lattice.height[picture], 1)
        off[own < 0] = np.inf
        labels[(off > SAME) & (off <= OTHER) & (labels == classes)] = -1
        labels[off <= SAME] = codes[picture, k][off <= SAME]
    labels[(scores <= least * lengths)[picture]] = -1
    return labels


def believed(lattice: Lattice, codes: np.ndarray, odds: np.ndarray) -> np.ndarray:
    """Tell in which pictures a network would read the known letters where the best path puts them, (n,) bool.

    In a picture whose letters it does not see, some path of the known letters exists all the same. But the network
    finds it hardly likely, or other letters far more likely.

    Parameters
    ----------
    lattice : Lattice
    codes : (n, L) int
        Classes of the picture's letters, -1 past the end.
    odds : (m, C) float64
        Log odds of each span and class, from the network.
    """
    lengths = (codes >= 0).sum(axis=1)
    own = _best_worth(lattice, codes, odds_of_letters(lattice, codes, odds))
    free = _best_worth(lattice, codes, np.repeat(odds.max(axis=1)[:, None], codes.shape[1], axis=1))
    credible: np.ndarray = (own > CREDIBLE * lengths) & (own > free - DOUBT * lengths)
    return credible


def _best_worth(lattice: Lattice, codes: np.ndarray, worth: np.ndarray) -> np.ndarray:
    """Return the worth of the best path of as many letters as each picture has, (n,) float64."""
    chosen, scores = np.full(codes.shape, -1, np.int64), np.zeros(len(codes))
    lengths = (codes >= 0).sum(axis=1)
    align(lattice.starts, lattice.cuts, lattice.first, lattice.last, worth, lengths, chosen, scores)
    return scores


def pick(
    labels: np.ndarray,
    picture: np.ndarray,
    classes: int,
    random: np.ndarray,
    letters: int = LETTERS_A_PICTURE,
    others: int = OTHERS_A_PICTURE,
) -> np.ndarray:
    """Choose some spans of each picture at random: letters, and spans that show no letter.

    Parameters
    ----------
    labels, picture : (m,) int
        From `mark`; and the picture of each span.
    classes : int
        The class "not one letter".
    random : (m,) uint64
        The spans with the smallest numbers are chosen.
    letters, others : int
        Most of each kind from one picture. A picture without a letter gives no span.

    Returns
    -------
    (k,) int64
        Ascending.
    """
    letter, other = (labels >= 0) & (labels < classes), labels == classes
    chosen = np.union1d(_first(letter, picture, random, letters), _first(other, picture, random, others))
    taught = np.zeros(int(picture.max(initial=-1)) + 1, bool)
    taught[picture[letter]] = True
    kept: np.ndarray = chosen[taught[picture[chosen]]]
    return kept


def _first(kind: np.ndarray, picture: np.ndarray, key: np.ndarray, most: int) -> np.ndarray:
    """Find the `most` rows of each picture with the smallest keys, among those of a kind, (m,) bool."""
    rows = np.flatnonzero(kind)
    rows = rows[np.lexsort((key[rows], picture[rows]))]
    ordered = picture[rows]
    place = np.arange(len(rows)) - np.searchsorted(ordered, ordered)
    return rows[place < most]

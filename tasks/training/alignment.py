"""Drawn words -> which spans of their lattice are which letters: what the letter network learns from."""

import numpy as np

from tasks.reading.lattice import Lattice
from tasks.reading.string_search import align

SAME, OTHER = 0.13, 0.3  # of the letters' height: how far the edges of a letter's spans, and of no letter's, may differ
SLANTED = 0.15  # columns a row: boxes of letters that were sheared more say too little about their edges
_ABSENT = -50.0


def nearness(lattice: Lattice, shear: np.ndarray, offset: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """How well a span agrees with each letter's true box: 0 at best, and -1 for each letter height that it is off.

    Of a box's corners it is unknown which ones the letter fills, so its edges in the upright ink are known only up
    to the columns that a letter of its height is sheared.

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
        one = box[..., column] - slope * box[..., 0] + moved
        other = box[..., column] - slope * (box[..., 2] - 1) + moved
        edges.append((np.minimum(one, other), np.maximum(one, other)))
    left, right = lattice.box[:, 1].astype(float)[:, None], lattice.box[:, 3].astype(float)[:, None]
    (left_least, left_most), (right_least, right_most) = edges
    off = np.maximum(left_least - left, 0) + np.maximum(left - left_most, 0)
    off += np.maximum(right_least - right, 0) + np.maximum(right - right_most, 0)
    off += 0.2 * (np.abs(left - left_most) + np.abs(right - right_least))
    return np.where(box[..., 0] < 0, _ABSENT, -off / lattice.height[picture][:, None])


def mark(
    lattice: Lattice, codes: np.ndarray, near: np.ndarray | None, odds: np.ndarray | None, classes: int
) -> np.ndarray:
    """The class of each span, by the best path of the picture's known letters.

    Parameters
    ----------
    lattice : Lattice
    codes : (n, L) int
        Classes of the picture's letters, -1 past the end.
    near : (m, L) float64, optional
        From `nearness`: boxes align.
    odds : (m, C) float64, optional
        What a network says of the spans, where there are no boxes.
    classes : int
        Letters that there are; the number of the class "not one letter".

    Returns
    -------
    (m,) int64
        A class; `classes` for what is no single letter; -1 for spans too close to say, and for pictures whose
        letters found no path.
    """
    picture, lengths = lattice.picture, (codes >= 0).sum(axis=1)
    if near is not None:
        worth, least = near, -0.25
    else:
        worth, least = np.take_along_axis(odds, np.maximum(codes[picture], 0), axis=1), -6.0
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


def pick(
    labels: np.ndarray, picture: np.ndarray, classes: int, random: np.ndarray, letters: int = 9, others: int = 7
) -> np.ndarray:
    """Some spans of each picture to learn from: as many of its letters, and of what is no letter, as there may be.

    Parameters
    ----------
    labels, picture : (m,) int
    classes : int
    random : (m,) uint64
        Who comes first.
    letters, others : int
        Most a picture, of each kind.

    Returns
    -------
    (k,) int64
        Ascending.
    """
    letter, other = (labels >= 0) & (labels < classes), labels == classes
    chosen = np.union1d(_first(letter, picture, random, letters), _first(other, picture, random, others))
    taught = np.zeros(int(picture.max(initial=-1)) + 1, bool)
    taught[picture[letter]] = True
    return chosen[taught[picture[chosen]]]


def _first(kind: np.ndarray, picture: np.ndarray, key: np.ndarray, most: int) -> np.ndarray:
    """The `most` rows of each picture with the smallest keys, of one kind."""
    rows = np.flatnonzero(kind)
    rows = rows[np.lexsort((key[rows], picture[rows]))]
    ordered = picture[rows]
    place = np.arange(len(rows)) - np.searchsorted(ordered, ordered)
    return rows[place < most]

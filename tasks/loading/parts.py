"""Connected parts of a mask, and what a cheap look at ink tells: whether a picture needs a closer look."""

from typing import NamedTuple

import numba
import numpy as np

TOP, LEFT, BOTTOM, RIGHT, AREA = range(5)  # columns of a table of parts


class Parts(NamedTuple):
    """The k connected parts of a mask (H, W), in the order of their first pixels.

    Attributes
    ----------
    labels : (H, W) int32
        The number of each pixel's part, from 0; -1 outside of the mask.
    table : (k, 5) int64
        Top, left, bottom, right, and the number of pixels.
    """

    labels: np.ndarray
    table: np.ndarray

    @property
    def height(self) -> np.ndarray:
        """Return the rows of each part's box."""
        height: np.ndarray = self.table[:, BOTTOM] - self.table[:, TOP]
        return height

    @property
    def width(self) -> np.ndarray:
        """Return the columns of each part's box."""
        width: np.ndarray = self.table[:, RIGHT] - self.table[:, LEFT]
        return width

    @property
    def area(self) -> np.ndarray:
        """Return the pixels of each part."""
        area: np.ndarray = self.table[:, AREA]
        return area

    def of(self, chosen: np.ndarray) -> np.ndarray:
        """Return the pixels of the chosen parts, (k,) bool -> (H, W) bool."""
        inside: np.ndarray = np.append(chosen, False)[self.labels]
        return inside


def find_parts(mask: np.ndarray) -> Parts:
    """Find the parts of a mask, (H, W) bool, whose pixels touch at a side or at a corner."""
    labels = np.empty(mask.shape, np.int32)
    table = np.empty((mask.size // 2 + 1, 5), np.int64)
    count = _label(np.ascontiguousarray(mask), labels, table)
    return Parts(labels, table[:count].copy())


def fullness(ink: np.ndarray, least: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Count the pixels of at least `least` in each row and in each column; find each column's strongest pixel."""
    rows, columns = np.zeros(ink.shape[0], np.int32), np.zeros(ink.shape[1], np.int32)
    strongest = np.zeros(ink.shape[1], np.uint8)
    _count(ink, np.uint8(least), rows, columns, strongest)
    return rows, columns, strongest


@numba.njit(cache=True, nogil=True)
def _count(ink, least, rows, columns, strongest):
    for y in range(len(ink)):
        row = ink[y]
        total = np.int32(0)
        for x in range(len(row)):
            inked = np.int32(row[x] >= least)
            total += inked
            columns[x] += inked
            strongest[x] = max(strongest[x], row[x])
        rows[y] = total


@numba.njit(cache=True, nogil=True)
def _label(mask, labels, table):
    """Fill in the labels and the table of parts; return the number of parts."""
    height, width = mask.shape
    parent = np.empty(height * width // 2 + 2, np.int32)
    count = 0
    for y in range(height):
        for x in range(width):
            labels[y, x] = -1
            if mask[y, x]:
                labels[y, x] = own = _join(labels, parent, y, x, count)
                count += np.int32(own == count)
    numbers, found = np.empty(count, np.int32), 0
    for k in range(count):
        root = _root(parent, k)
        numbers[k] = found if root == k else numbers[root]
        if root == k:
            table[found, TOP], table[found, LEFT], table[found, BOTTOM], table[found, RIGHT] = height, width, 0, 0
            table[found, AREA] = 0
            found += 1
    for y in range(height):
        for x in range(width):
            if labels[y, x] >= 0:
                k = numbers[labels[y, x]]
                labels[y, x] = k
                table[k, TOP], table[k, LEFT] = min(table[k, TOP], y), min(table[k, LEFT], x)
                table[k, BOTTOM], table[k, RIGHT] = max(table[k, BOTTOM], y + 1), max(table[k, RIGHT], x + 1)
                table[k, AREA] += 1
    return found


@numba.njit(cache=True, nogil=True)
def _join(labels, parent, y, x, count):
    """Return the part of a pixel: of the neighbours before it, which it joins; the new part `count` without any."""
    own = np.int32(-1)
    if x and labels[y, x - 1] >= 0:
        own = _root(parent, labels[y, x - 1])
    if y:
        for near in range(max(x - 1, 0), min(x + 2, labels.shape[1])):
            if labels[y - 1, near] >= 0:
                other = _root(parent, labels[y - 1, near])
                if own >= 0:
                    parent[max(own, other)] = min(own, other)
                    own = min(own, other)
                else:
                    own = other
    if own < 0:
        own = np.int32(count)
        parent[count] = count
    return own


@numba.njit(cache=True, nogil=True)
def _root(parent, k):
    while parent[k] != k:
        parent[k] = parent[parent[k]]
        k = parent[k]
    return k

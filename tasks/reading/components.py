"""Upright ink -> a lattice with a span for each connected component, for pictures whose letters do not touch."""

from typing import NamedTuple

import numba
import numpy as np

from tasks.reading.lattice import WIDEST, Lattice
from tasks.reading.text_line import LANES, find_line, most_ink, window_of

# Behind each value: the words of `hard` right with other values, in percent without / with the dictionary, where they
# are 71.8 / 92.1 with these (2,048 pictures, seed 2, the shipped model, `python -m tests.benchmarks.constants`).
INKED = 160  # of 255: a pixel belongs to a component; 80: 72.0 / 92.5, 240: 72.6 / 92.0
SPECK = 2  # percent of the letters' height squared: a smaller component is dropped; 1 and 4: the same
# Percent of the letters' height: neighbours that share more columns have no cut between them; 12: 71.9 / 92.2,
# 50: the same.
OVERHANG = 25
_MOST = 32  # components; 16 and 64: the same
# Columns of the table of parts: the part that a part was joined to, or itself; its first column, and its first row in
# that column; the column after its last; its number of pixels.
_PARENT, _LEFT, _TOP, _RIGHT, _AREA = range(5)


def find_apart(ink: np.ndarray) -> Lattice:
    """Make a span of each component, in reading order; no spans if a picture's components cannot be single letters.

    Parameters
    ----------
    ink : (n, H, W) uint8
        From `tasks.reading.deskew.upright`.
    """
    n = len(ink)
    counts, height = np.zeros(n, np.int64), np.zeros(n, np.int64)
    box = np.empty((n, _MOST, 4), np.int16)
    _find(ink, counts, height, box)
    used = np.arange(_MOST) < counts[:, None]
    first = np.broadcast_to(np.arange(_MOST, dtype=np.int16), used.shape)[used]
    return Lattice(counts, np.where(counts > 0, counts + 1, 0), height, first, first + np.int16(1), box[used])


class _Room(NamedTuple):
    """Arrays that all pictures use in turn; a picture has at most R runs or components.

    Attributes
    ----------
    runs : (R, 3) int64
        First column, column after the last, part.
    parts : (R, 5) int64
        See `_PARENT`.
    order : (R,) int64
        Keys that sort the components by place.
    left, right : (_MOST,) int64
        Columns of the components that are letters.
    none, inside : (P,) int32
        The arguments of `most_ink`: zeros, and the ink of each window.
    """

    runs: np.ndarray
    parts: np.ndarray
    order: np.ndarray
    left: np.ndarray
    right: np.ndarray
    none: np.ndarray
    inside: np.ndarray


@numba.njit(cache=True, nogil=True)
def _find(ink, counts, heights, box):
    n, rows, columns = ink.shape
    most, padded = rows * (columns // 2 + 1), (rows + 1 + LANES) // LANES * LANES
    room = _Room(
        np.empty((most, 3), np.int64), np.empty((most, 5), np.int64), np.empty(most, np.int64),
        np.empty(_MOST, np.int64), np.empty(_MOST, np.int64), np.zeros(padded, np.int32), np.zeros(padded, np.int32),
    )  # fmt: skip
    profile, sizes, line = np.zeros(rows), np.zeros(columns, np.int64), np.zeros(rows)
    for i in range(n):
        image = ink[i]
        high, low, height = find_line(image, profile, line, sizes)
        heights[i] = height
        if height == 0:
            continue
        found = _join(image, profile, room.runs, room.parts)
        count = _order(found, rows, height, room)
        if count < 1 or not _separate(room.left[:count], room.right[:count], height):
            continue
        counts[i] = count
        for k in range(count):
            left, right = room.left[k], room.right[k]
            start = high + _window(image[high:low, left:right], height, room.none, room.inside)
            box[i, k, 0], box[i, k, 1], box[i, k, 2], box[i, k, 3] = start, left, start + height, right


@numba.njit(cache=True, nogil=True)
def _order(found, rows, height, room):
    """Fill in the columns of the components, without specks, in reading order; return their number, -1 if too many."""
    parts, order, left, right = room.parts, room.order, room.left, room.right
    most, kept, count = len(parts), 0, 0
    for k in range(found):
        if parts[k, _PARENT] == k:
            order[kept] = (parts[k, _LEFT] * rows + parts[k, _TOP]) * most + k
            kept += 1
    order[:kept].sort()
    for key in order[:kept]:
        if count == _MOST:
            return -1
        part = parts[key % most]
        if part[_AREA] * 100 >= SPECK * height * height:
            left[count], right[count] = part[_LEFT], part[_RIGHT]
            count += 1
    return count


@numba.njit(cache=True, nogil=True)
def _separate(left, right, height):
    """Cut neighbours that overhang each other, halfway; return whether all may be single letters then."""
    fine = True
    for k in range(len(left)):
        fine &= (right[k] - left[k]) * 100 <= WIDEST * height
        if k:
            shared = right[k - 1] - left[k]
            fine &= shared * 100 <= OVERHANG * height
            if shared > 0:
                right[k - 1] = left[k] = left[k] + shared // 2
            fine &= right[k - 1] > left[k - 1]
    return fine and right[-1] > left[-1]


@numba.njit(cache=True, nogil=True)
def _join(image, profile, runs, parts):
    """Join the runs of inked pixels that touch, row by row; return the number of parts, including joined parts.

    runs : (R, 3) int64, scratch: first column, column after the last, part
    parts : (R, 5) int64, filled: see `_PARENT`; a part that is its own parent is a whole component
    """
    columns = image.shape[1]
    count, above, used = 0, 0, 0  # the runs of the row above are above:used
    for y in range(len(image)):
        begun = used
        x = columns if profile[y] == 0 else 0
        row, near = image[y], above
        while x < columns:
            if row[x] < INKED:
                x += 1
                continue
            start = x
            while x < columns and row[x] >= INKED:
                x += 1
            while near < begun and runs[near, 1] < start:
                near += 1
            own, at = -1, near
            while at < begun and runs[at, 0] <= x:
                other = _root(parts, runs[at, 2])
                if own < 0:
                    own = other
                elif own != other:
                    _merge(parts, own, other)
                at += 1
            if own < 0:
                own = count
                parts[own, _PARENT], parts[own, _LEFT], parts[own, _TOP] = own, start, y
                parts[own, _RIGHT], parts[own, _AREA] = x, 0
                count += 1
            if start < parts[own, _LEFT]:
                parts[own, _LEFT], parts[own, _TOP] = start, y
            parts[own, _RIGHT] = max(parts[own, _RIGHT], x)
            parts[own, _AREA] += x - start
            runs[used, 0], runs[used, 1], runs[used, 2] = start, x, own
            used += 1
        above = begun
    return count


@numba.njit(cache=True, nogil=True)
def _root(parts, k):
    while parts[k, _PARENT] != k:
        parts[k, _PARENT] = parts[parts[k, _PARENT], _PARENT]
        k = parts[k, _PARENT]
    return k


@numba.njit(cache=True, nogil=True)
def _merge(parts, own, other):
    parts[other, _PARENT] = own
    if (parts[other, _LEFT], parts[other, _TOP]) < (parts[own, _LEFT], parts[own, _TOP]):
        parts[own, _LEFT], parts[own, _TOP] = parts[other, _LEFT], parts[other, _TOP]
    parts[own, _RIGHT] = max(parts[own, _RIGHT], parts[other, _RIGHT])
    parts[own, _AREA] += parts[other, _AREA]


@numba.njit(cache=True, nogil=True)
def _window(rows, height, none, inside):
    """Find the window of `height` rows with the most ink; `none` and `inside` as in `_Room`."""
    windows = len(rows) - height + 1
    total = np.int64(0)
    for y in range(height):
        total += _sum(rows[y])
    inside[0] = total
    for w in range(1, windows):
        total += _sum(rows[w + height - 1]) - _sum(rows[w - 1])
        inside[w] = total
    padded = (windows + LANES - 1) // LANES * LANES
    inside[windows:padded] = -1
    return window_of(none, inside, windows, most_ink(none, inside, padded))


@numba.njit(cache=True, nogil=True)
def _sum(row):
    total = np.int64(0)
    for x in range(len(row)):
        total += row[x]
    return total

"""Upright ink -> a lattice with one span for each connected component: all that letters standing apart need."""

import numba
import numpy as np

from tasks.lattice import WIDEST, Lattice, measure

INKED = 128  # of 255: a pixel belongs to a component
SPECK = 2  # percent of the letters' height squared: a smaller component is dropped
OVERHANG = 25  # percent of the letters' height: neighbours that share more columns have no cut between them
_MOST = 32  # components


def find_apart(ink: np.ndarray) -> Lattice:
    """One span a component, in reading order; none for a picture whose components cannot be single letters.

    Parameters
    ----------
    ink : (n, H, W) uint8
        From `tasks.ink.upright`.
    """
    n = len(ink)
    counts, height = np.zeros(n, np.int64), np.zeros(n, np.int64)
    box = np.empty((n, _MOST, 4), np.int16)
    _find(ink, counts, height, box)
    used = np.arange(_MOST) < counts[:, None]
    first = np.broadcast_to(np.arange(_MOST, dtype=np.int16), used.shape)[used]
    return Lattice(counts, np.where(counts > 0, counts + 1, 0), height, first, first + np.int16(1), box[used])


@numba.njit(cache=True, nogil=True)
def _find(ink, counts, heights, box):
    n, rows, columns = ink.shape
    seen = np.zeros((rows, columns), np.int64)
    stack = np.empty(rows * columns, np.int64)
    left, right, area = np.empty(_MOST, np.int64), np.empty(_MOST, np.int64), np.empty(_MOST, np.int64)
    profile, sizes, line = np.zeros(rows), np.zeros(columns, np.int64), np.zeros(rows)
    for i in range(n):
        image = ink[i]
        high, low, height = measure(image, profile, line, sizes)
        heights[i] = height
        if height == 0:
            continue
        count, fine = 0, True
        for x in range(columns):  # by columns, so that components come by their left edges
            for y in range(rows):
                if image[y, x] < INKED or seen[y, x] == i + 1:
                    continue
                if count == _MOST:
                    fine = False
                    break
                left[count], right[count], area[count] = x, x + 1, 0
                stack[0], filled = y * columns + x, 1
                seen[y, x] = i + 1
                while filled:
                    filled -= 1
                    at_y, at_x = stack[filled] // columns, stack[filled] % columns
                    area[count] += 1
                    right[count] = max(right[count], at_x + 1)
                    for near_y in range(max(at_y - 1, 0), min(at_y + 2, rows)):
                        for near_x in range(max(at_x - 1, 0), min(at_x + 2, columns)):
                            if image[near_y, near_x] >= INKED and seen[near_y, near_x] != i + 1:
                                seen[near_y, near_x] = i + 1
                                stack[filled] = near_y * columns + near_x
                                filled += 1
                if area[count] * 100 >= SPECK * height * height:
                    count += 1
            if not fine:
                break
        for k in range(count):
            fine &= (right[k] - left[k]) * 100 <= WIDEST * height
            if k:
                shared = right[k - 1] - left[k]
                fine &= shared * 100 <= OVERHANG * height
                if shared > 0:
                    right[k - 1] = left[k] = left[k] + shared // 2
                fine &= right[k - 1] > left[k - 1]
        if not fine or count == 0 or right[count - 1] <= left[count - 1]:
            continue
        counts[i] = count
        for k in range(count):
            start = _window(image, left[k], right[k], high, low, height)
            box[i, k, 0], box[i, k, 1], box[i, k, 2], box[i, k, 3] = start, left[k], start + height, right[k]


@numba.njit(cache=True, nogil=True)
def _window(image, left, right, high, low, height):
    """As `tasks.lattice` does it: of all windows of that height the one with the most ink, the middle one of equals."""
    inside = 0
    for y in range(high, high + height):
        for x in range(left, right):
            inside += image[y, x]
    most, start, again = inside, high, high
    for y in range(high + height, low):
        for x in range(left, right):
            inside += np.int64(image[y, x]) - np.int64(image[y - height, x])
        if inside > most:
            most = inside
            start = again = y - height + 1
        elif inside == most and again == y - height:
            again = y - height + 1
    return (start + again) // 2

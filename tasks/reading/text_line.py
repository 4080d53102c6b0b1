"""Upright ink -> where the line of text is, and how high its letters are."""

import numba
import numpy as np

FAINT = 90  # of 255: a column with less ink in all is a gap
SHARE = 0.3  # of the mean of inked rows: text has more ink than this
LOWEST = 4  # rows: lower stretches of ink are no line of text
AROUND = 6  # the line is taken wider by its height divided by this, above and below
SHORTEST = 2  # rows: columns with no longer stretch of ink say nothing of the letters' height
HIGH = 92  # percentile of the columns' stretches that stands for the highest letters; the rest may be lines and specks
TALL = 7  # tenths of that: lower stretches are parts of letters and do not count for the median
LANES = 32  # windows are compared in whole vectors of this many


@numba.njit(cache=True, nogil=True)
def _densest(profile, low, high, share):
    """Find the stretch of a profile that exceeds `share` of the mean of its inked rows the most: (start, stop)."""
    total, inked = 0.0, 0
    for y in range(low, high):
        if profile[y] > 0:
            total += profile[y]
            inked += 1
    if inked == 0:
        return low, low
    cost = share * total / inked
    best, start, stop = -1.0, low, low
    running, began = 0.0, low
    for y in range(low, high):
        running += profile[y] - cost
        if running <= 0:
            running, began = 0.0, y + 1
        elif running > best:
            best, start, stop = running, began, y + 1
    return start, stop


@numba.njit(cache=True, nogil=True)
def measure(image, profile, line, sizes):
    """Find the line of text: return its first row, the row after its last, and its letters' height, 0 without ink.

    profile, line : (H,) float64, and sizes : (W,) int64, room
    """
    rows, columns = image.shape
    for y in range(rows):
        total = np.uint32(0)
        row = image[y]
        for x in range(columns):
            total += np.uint32(row[x])
        profile[y] = total
    top, bottom = _densest(profile, 0, rows, SHARE)
    if bottom - top < LOWEST:
        return 0, 0, 0
    around = (bottom - top) // AROUND
    high, low = max(0, top - around), min(rows, bottom + around)
    return high, low, max(min(_letter_height(image, high, low, line, sizes), low - high), LOWEST)


@numba.njit(cache=True, nogil=True, error_model="numpy")  # a test of every divisor would keep a loop scalar
def _letter_height(image, high, low, line, sizes):
    """The letters' height: the median of the columns' stretches of ink that are not much lower than the highest.

    As `_densest` finds them, of all columns at once.
    """
    columns = image.shape[1]
    state = np.zeros((7, columns))
    total, inked, cost, running, length, best, size = (
        state[0], state[1], state[2], state[3], state[4], state[5], state[6],
    )  # fmt: skip
    for y in range(high, low):
        row = image[y]
        for x in range(columns):
            total[x] += np.float64(row[x])
            inked[x] += 1.0 if row[x] else 0.0
    for x in range(columns):
        cost[x] = SHARE * total[x] / max(inked[x], 1.0)
    for y in range(high, low):
        _grow(image[y], cost, running, length, best, size)
    # Sorted by counting: `line` holds how many stretches there are of each size.
    line[:] = 0
    count = 0
    for x in range(columns):
        sizes[x] = np.int64(size[x])
        if total[x] > FAINT and sizes[x] > SHORTEST:
            line[sizes[x] - 1] += 1
            count += 1
    if count == 0:
        return 0
    most = _ranked(line, (count * HIGH) // 100)
    least = 0
    for k in range(len(line)):
        if (k + 1) * 10 < most * TALL:
            least += np.int64(line[k])
    return _ranked(line, least + (count - least) // 2)


@numba.njit(cache=True, nogil=True)
def _grow(row, cost, running, length, best, size):
    """One more row for each column: what the stretch that ends there is worth and how long it is; and the best's."""
    for x in range(len(row)):
        most, long = best[x], size[x]
        worth = running[x] + (np.float64(row[x]) - cost[x])
        longer = length[x] + 1.0
        running[x] = worth if worth > 0.0 else 0.0
        length[x] = longer if worth > 0.0 else 0.0
        size[x] = longer if worth > most else long
        best[x] = worth if worth > most else most


@numba.njit(cache=True, nogil=True)
def _ranked(line, rank):
    """The size with so many before it; ``line[k]`` counts those of size k + 1."""
    k, before = 0, line[0]
    while before <= rank:
        k += 1
        before += line[k]
    return k + 1


@numba.njit(cache=True, nogil=True, inline="always")  # a call for each span takes as long as the search
def most_ink(left, right, padded):
    """Return the ink of the window of rows that has the most between two columns.

    left, right : (padded or more,) int32
        The ink of each window left of the two columns; ``right < left`` for windows that do not exist.
    padded : int
        The windows, filled up to a multiple of `LANES`.
    """
    most = np.int32(-1)
    for w in range(padded):
        most = max(most, np.int32(right[w] - left[w]))
    return most


@numba.njit(cache=True, nogil=True)
def window_of(left, right, windows, most):
    """Return the first window with that much ink, or the middle one of equal windows that follow it."""
    start = 0
    while right[start] - left[start] < most:
        start += 1
    again = start
    while again + 1 < windows and right[again + 1] - left[again + 1] == most:
        again += 1
    return (start + again) // 2

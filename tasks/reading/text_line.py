"""Upright ink -> the rows of the line of text, and the height of its letters."""

import numba
import numpy as np

# Behind each value: the words of `hard` right with other values, in percent without / with the dictionary, where they
# are 71.8 / 92.1 with these (2,048 pictures, seed 2, the shipped model, `python -m tests.benchmarks.constants`).
FAINTEST = 90  # of 255: a column with less ink in all is a gap; 45: 71.8 / 91.8, 180: 72.1 / 92.0
# Of the mean of inked rows: rows of text have more ink than this; 0.15: 64.8 / 87.9, 0.6: 70.2 / 92.9.
SHARE = 0.3
LOWEST = 4  # rows of the lowest line of text; 2 and 8: the same
# The line gets a margin of its height divided by this, above and below; 3: 71.8 / 92.0, 12: 71.7 / 92.4.
AROUND = 6
# Rows: columns whose longest stretch of ink is no longer do not count for the letters' height; 1: 71.7 / 92.0,
# 4: 71.3 / 91.8.
SHORTEST = 2
# Percentile of the columns' stretches that stands for the highest letters; longer stretches may be lines.
# 84: 71.9 / 92.8, 96: 70.9 / 91.7.
HIGH = 92
# Tenths of that height: shorter stretches are parts of letters and do not count for the median.
# 4: 67.2 / 90.6, 9: 68.8 / 91.3.
TALL = 7
LANES = 32  # windows that are compared at once, in vectors


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
def find_line(image, profile, line, sizes):
    """Find the line of text: return its first row, the row after its last, and its letters' height, 0 without ink.

    profile, line : (H,) float64, scratch
    sizes : (W,) int64, scratch
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


@numba.njit(cache=True, nogil=True, error_model="numpy")  # a check of each divisor would prevent vectors
def _letter_height(image, high, low, line, sizes):
    """Return the letters' height: the median of the columns' stretches of ink, without stretches that are too short.

    A column's stretch is found as by `_densest`, for all columns at once.
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
    # A counting sort: `line` holds the number of stretches of each size.
    line[:] = 0
    count = 0
    for x in range(columns):
        sizes[x] = np.int64(size[x])
        if total[x] > FAINTEST and sizes[x] > SHORTEST:
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
    """Add a row: update the worth and length of each column's stretch that ends here, and of its best stretch."""
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
    """Return the size at place `rank` of the sorted sizes; ``line[k]`` counts the stretches of size k + 1."""
    k, before = 0, line[0]
    while before <= rank:
        k += 1
        before += line[k]
    return k + 1


@numba.njit(cache=True, nogil=True, inline="always")  # a call for each span takes as long as the search
def most_ink(left, right, padded):
    """Return the ink of the window of rows that has the most between two columns.

    left, right : (padded or more,) int32
        The ink of each window left of the two columns; ``right < left`` marks windows that do not exist.
    padded : int
        The number of windows, rounded up to a multiple of `LANES`.
    """
    most = np.int32(-1)
    for w in range(padded):
        most = max(most, np.int32(right[w] - left[w]))
    return most


@numba.njit(cache=True, nogil=True)
def window_of(left, right, windows, most):
    """Return the first window with that much ink; of equal windows in a row, the window in their middle."""
    start = 0
    while right[start] - left[start] < most:
        start += 1
    again = start
    while again + 1 < windows and right[again + 1] - left[again + 1] == most:
        again += 1
    return (start + again) // 2

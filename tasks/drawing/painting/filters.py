"""Filters over a finished plane of a picture: squares of pixels, sharpening, a few levels."""

import numba
import numpy as np

from tasks.drawing.noise_kernel import blur

# Ordered dithering (Bayer, 1973): at which of 16 steps between two levels a pixel takes the higher.
_ORDER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], np.int32)


@numba.njit(cache=True, nogil=True)
def coarsen(plane, side, sums):
    """Give each square of `side` by `side` pixels its mean; sums : (W,) int32, scratch."""
    rows, columns = plane.shape
    for top in range(0, rows, side):
        bottom = min(top + side, rows)
        sums[:columns] = 0
        for y in range(top, bottom):
            row = plane[y]
            for x in range(columns):
                sums[x] += row[x]
        for left in range(0, columns, side):
            right, total = min(left + side, columns), 0
            for x in range(left, right):
                total += sums[x]
            area = (bottom - top) * (right - left)
            mean = np.uint8((2 * total + area) // (2 * area))
            for y in range(top, bottom):
                plane[y, left:right] = mean


@numba.njit(cache=True, nogil=True)
def sharpen(plane, percent, soft, above, here, sums):
    """Add `percent` of the difference between a plane and its blurred copy.

    soft : as large as the plane, scratch; the others as in `blur`
    """
    soft[:] = plane
    blur(soft, above, here, sums)
    amount = np.int32(percent * 256 // 100)
    for y in range(plane.shape[0]):
        row, low = plane[y], soft[y]
        for x in range(np.uint64(plane.shape[1])):
            value = np.int32(row[x])
            edge = np.int32(np.int32(value - np.int32(low[x])) * amount) >> np.int32(8)
            row[x] = np.uint8(min(max(np.int32(value + edge), np.int32(0)), np.int32(255)))


@numba.njit(cache=True, nogil=True)
def print_levels(plane, levels):
    """Leave so many evenly spaced levels, in the pattern of a printed picture."""
    steps, table = np.int32(levels - 1), np.empty(256, np.uint8)
    for k in range(levels):
        table[k] = np.uint8((255 * k + (levels - 1) // 2) // (levels - 1))
    for y in range(plane.shape[0]):
        row = plane[y]
        for x in range(plane.shape[1]):
            # 255 * (order + 1/2) / 16, over 32
            wanted = np.int32(32 * row[x]) * steps + 255 * (2 * _ORDER[y & 3, x & 3] + 1)
            row[x] = table[wanted // (32 * 255)]

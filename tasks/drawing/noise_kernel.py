"""The noise kernel: uneven background, strokes, specks and blur over finished pictures, in integer arithmetic.

Noise covers a pixel like ink: the pixel takes the ink's share of its distance to 255. All chances of a picture
follow from a 64-bit key: chance n is output n of SplitMix64 with that seed. `add_noise` lists which chance is
used where.
"""

import math

import numba
import numpy as np

from tasks.drawing.resampling import HALF, ONE
from tasks.lowlevel.splitmix64 import output

STEEPNESS = 16  # steps a unit of slope in the table of thicknesses
STEEPEST_STROKE = 8  # rows a column; a steeper stroke has the thickness of this slope
# Where the chances of each kind begin, and how many each stroke and speck may use.
FIRST_STROKE, A_STROKE = 16, 8
FIRST_SPECK, A_SPECK = 65536, 4


def thicknesses() -> np.ndarray:
    """Return sqrt(1 + slope**2) in 1/256 for slopes of n / 16, (129,) int64: a stroke's rows a pixel of width."""
    return np.array(
        [math.isqrt((STEEPNESS**2 + n * n) << 16) // STEEPNESS for n in range(STEEPNESS * STEEPEST_STROKE + 1)]
    )


@numba.njit(cache=True, nogil=True)
def _chance(key, number, limit):
    """Return chance `number` of a key, 0 … limit - 1."""
    return np.int64((output(key, number) >> np.uint64(32)) * np.uint64(limit) >> np.uint64(32))


@numba.njit(cache=True, nogil=True)
def _cover(pixel, ink):
    """Cover a uint8 pixel with `ink`, uint16, 0 to 255; in 16-bit numbers, so that the compiler makes vectors.

    The product is divided by 255: n // 255 is (n + 1 + (n >> 8)) >> 8, here rounded.
    """
    rest = np.uint16(np.uint16(255) - np.uint16(pixel))
    share = np.uint16(np.uint16(rest * ink) + np.uint16(127))
    share = np.uint16(share + np.uint16(share >> np.uint16(8))) >> np.uint16(8)
    return np.uint8(np.uint16(pixel) + np.uint16(share))


@numba.njit(cache=True, nogil=True)
def _shade(picture, key, percent):
    """Cover a picture with an ink that is linear between four corners of 0 to `percent` each."""
    rows, columns = picture.shape
    most = percent * 255 // 100 + 1
    corners = np.empty(4, np.int64)
    for k in range(4):
        corners[k] = _chance(key, k, most) << 16
    for y in range(rows):
        start = corners[0] + (corners[1] - corners[0]) * y // rows
        stop = corners[2] + (corners[3] - corners[2]) * y // rows
        level, step = np.int32(start), np.int32((stop - start) // columns)
        row = picture[y]
        for x in range(columns):
            ink = np.int32(level + np.int32(step * np.int32(x))) >> np.int32(16)
            row[x] = _cover(row[x], np.uint16(ink))


@numba.njit(cache=True, nogil=True)
def _stroke(picture, key, place, bent, width, ink, thickness):
    """Draw a line, or an arc if `bent`, from the left to the right quarter; its chances begin at `place`."""
    rows, columns = picture.shape
    quarter = max(1, columns // 4)
    first, last = _chance(key, place, quarter), columns - 1 - _chance(key, place + 1, quarter)
    inverse = ONE * ONE // max(1, last - first)
    # Ends lie in the middle two thirds of the rows; an arc's middle lies up to half the rows off their mean.
    y0 = rows * ONE // 6 + _chance(key, place + 2, rows * ONE * 2 // 3)
    y1 = rows * ONE // 6 + _chance(key, place + 3, rows * ONE * 2 // 3)
    bow = _chance(key, place + 4, rows * ONE) - rows * HALF if bent else 0
    for x in range(first, last + 1):
        t = (x - first) * inverse >> 16
        y = y0 + ((y1 - y0) * t >> 16) + (4 * bow * (t * (ONE - t) >> 16) >> 16)
        slope = abs(y1 - y0 + (4 * bow * (ONE - 2 * t) >> 16)) * inverse >> 32
        half = width * thickness[min(slope * STEEPNESS >> 16, STEEPNESS * STEEPEST_STROKE)] << 7
        # Pixel i covers i - 1/2 to i + 1/2.
        top, bottom = y - half + HALF, y + half + HALF
        for i in range(max(0, top >> 16), min(rows, (bottom + ONE - 1) >> 16)):
            share = min(bottom, (i + 1) << 16) - max(top, i << 16)
            picture[i, x] = _cover(picture[i, x], np.uint16(share * ink >> 16))


@numba.njit(cache=True, nogil=True)
def blur(picture, above, here, sums):
    """Filter a picture once with [1 2 1] / 4 down and across, its border repeated.

    above, here : (W,) uint8, and sums : (W + 2,) uint16, scratch
    """
    rows, columns = picture.shape
    for x in range(columns):
        above[x] = picture[0, x]
    for y in range(rows):
        row, below = picture[y], picture[min(y + 1, rows - 1)]
        for x in range(columns):
            here[x] = row[x]
            twice = np.uint16(np.uint16(2) * np.uint16(row[x]))
            sums[x + 1] = np.uint16(np.uint16(np.uint16(above[x]) + twice) + np.uint16(below[x]))
        sums[0], sums[columns + 1] = sums[1], sums[columns]
        for x in range(columns):
            ends = np.uint16(np.uint16(sums[x] + sums[x + 2]) + np.uint16(8))
            row[x] = np.uint8(np.uint16(ends + np.uint16(np.uint16(2) * sums[x + 1])) >> np.uint16(4))
        above, here = here, above


@numba.njit(cache=True, nogil=True)
def add_noise(images, sizes, keys, settings, thickness):
    """Draw noise over pictures, in place.

    images : (n, H, W) uint8
    sizes : (n, 2) int64, rows and columns in use
    keys : (n,) uint64
    settings : (n, 7) int64, lines, arcs, line width, line ink (percent), specks, background (percent), blur (passes)
    thickness : see `thicknesses`

    Chances 0 to 3 are the background's corners; stroke k takes 5 from 16 + 8 k on (ends' columns, ends'
    rows, bend), lines before arcs; speck k takes 3 from 65,536 + 4 k on (row, column, size).
    """
    above, here = np.zeros(images.shape[2], np.uint8), np.zeros(images.shape[2], np.uint8)
    sums = np.zeros(images.shape[2] + 2, np.uint16)
    for n in range(len(images)):
        picture, key = images[n, : sizes[n, 0], : sizes[n, 1]], keys[n]
        lines, arcs, width, percent, specks, background, passes = settings[n]
        ink = percent * 255 // 100
        if background:
            _shade(picture, key, background)
        for k in range(lines + arcs):
            _stroke(picture, key, FIRST_STROKE + A_STROKE * k, k >= lines, width, ink, thickness)
        for k in range(specks):
            place = FIRST_SPECK + A_SPECK * k
            y, x = _chance(key, place, sizes[n, 0]), _chance(key, place + 1, sizes[n, 1])
            size = _chance(key, place + 2, 4)
            for i in range(y, min(y + 1 + size // 2, sizes[n, 0])):
                for j in range(x, min(x + 1 + size % 2, sizes[n, 1])):
                    picture[i, j] = _cover(picture[i, j], np.uint16(ink))
        for _ in range(passes):
            blur(picture, above, here, sums)

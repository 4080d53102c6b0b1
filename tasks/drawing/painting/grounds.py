"""Grounds: patterns between two colours, a row of shares at a time.

A pattern is periodic along an axis that is turned by `angle`. Places on the axis are phases: 2**32 is a period, so
that 32-bit numbers go around by themselves.
"""

from typing import NamedTuple

import numba
import numpy as np

from tasks.drawing.painting.blending import blend_row
from tasks.drawing.resampling import ONE
from tasks.lowlevel.splitmix64 import output
from tasks.profiles.painting import Ground

# Numbers in the parameters of a dataset; new grounds are added at the end.
NUMBERS = {ground: number for number, ground in enumerate(Ground)}
FLAT, GRADIENT, GRID, STRIPES, DOTS, CHECKS, TILES, TEXTURE = range(8)
PHASE_CHANCES = 0, 1  # of a pattern, along both axes
NODE = 1 << 20  # the first chance of a texture's nodes, and …
A_ROW = 1 << 10  # … how many each of its rows may use


class Pattern(NamedTuple):
    """A periodic pattern: its axis in 1/65536, its period and the width of its lines in pixels, its phases."""

    cosine: int
    sine: int
    period: int
    width: int
    first: int
    second: int


@numba.njit(cache=True, nogil=True)
def _distance(start, step, x, period):
    """Return how far pixel x of a row is from the nearest line, in 1/256 px; int32."""
    phase = np.int32(np.uint32(start) + np.uint32(np.uint32(step) * np.uint32(x)))
    far = np.int32(abs(phase >> np.int32(16)))
    return np.int32(np.int32(far * np.int32(period)) >> np.int32(8))


@numba.njit(cache=True, nogil=True)
def _share(distance, half):
    """Return how much of a pixel lies within `half` of a line, 0 to 255; both in 1/256 px."""
    return np.uint8(min(max(half - distance + np.int32(128), np.int32(0)), np.int32(255)))


@numba.njit(cache=True, nogil=True)
def _steps(pattern, y):
    """Return phase and step of both axes for a row, as uint32."""
    across, down = pattern.cosine * ONE // pattern.period, pattern.sine * ONE // pattern.period
    return (
        np.uint32(pattern.first + down * y & 0xFFFFFFFF), np.uint32(across & 0xFFFFFFFF),
        np.uint32(pattern.second + across * y & 0xFFFFFFFF), np.uint32(-down & 0xFFFFFFFF),
    )  # fmt: skip


@numba.njit(cache=True, nogil=True)
def stripes(pattern, y, cover, columns, both):
    """Write the shares of a row of stripes, or of a grid if `both`."""
    start, step, second, other = _steps(pattern, y)
    half, period = np.int32(pattern.width * 128), np.int32(pattern.period)
    for x in range(np.uint64(columns)):
        cover[x] = _share(_distance(start, step, x, period), half)
    if both:
        for x in range(np.uint64(columns)):
            cover[x] = max(cover[x], _share(_distance(second, other, x, period), half))


@numba.njit(cache=True, nogil=True)
def _dots(pattern, y, cover, columns):
    """Write the shares of a row of dots; the distance to an edge follows from the squares, near the edge."""
    start, step, second, other = _steps(pattern, y)
    period, radius = np.int32(pattern.period), np.int32(16 * pattern.width)  # in 1/16 px
    most, unit = np.int32(16 * radius), np.int32((8 << 16) // radius)
    for x in range(np.uint64(columns)):
        a = np.int32(_distance(start, step, x, period) >> np.int32(4))
        b = np.int32(_distance(second, other, x, period) >> np.int32(4))
        inside = np.int32(np.int32(radius * radius) - np.int32(a * a) - np.int32(b * b))
        inside = min(max(inside, -most), most)
        share = np.int32(np.int32(np.int32(inside * unit) >> np.int32(16)) + np.int32(128))
        cover[x] = np.uint8(min(max(share, np.int32(0)), np.int32(255)))


@numba.njit(cache=True, nogil=True)
def _checks(pattern, y, cover, columns):
    """Write the shares of a row of checks, each half a period wide."""
    start, step, second, other = _steps(pattern, y)
    period = np.int32(pattern.period)
    half = np.int32(period << np.int32(6))  # a quarter of the period
    for x in range(np.uint64(columns)):
        a = np.int32(_share(_distance(start, step, x, period), half))
        b = np.int32(_share(_distance(second, other, x, period), half))
        cover[x] = np.uint8(np.int32(np.int32(a * b) + np.int32((np.int32(255) - a) * (np.int32(255) - b))) // 255)


@numba.njit(cache=True, nogil=True)
def _gradient(pattern, y, cover, rows, columns):
    """Write the shares of a row of a gradient: 0 to 255 from corner to corner along the axis."""
    c, s = pattern.cosine, pattern.sine
    least = min(0, c * (columns - 1)) + min(0, s * (rows - 1))
    most = max(0, c * (columns - 1)) + max(0, s * (rows - 1))
    span = max(1, most - least)
    level, step = ((s * y - least) * 255 << 16) // span, (c * 255 << 16) // span
    for x in range(np.uint64(columns)):
        share = np.int32(np.int32(level) + np.int32(np.int32(step) * np.int32(x))) >> np.int32(16)
        cover[x] = np.uint8(min(max(share, np.int32(0)), np.int32(255)))


@numba.njit(cache=True, nogil=True)
def _texture(pattern, key, y, cover, columns, nodes):
    """Write the shares of a row of a smooth texture: nodes a period apart, bilinear between them."""
    period = pattern.period
    i, part = y // period, y % period
    count = columns // period + 2
    for j in range(count):
        upper = np.int64(output(key, NODE + i * A_ROW + j) >> np.uint64(56))
        lower = np.int64(output(key, NODE + (i + 1) * A_ROW + j) >> np.uint64(56))
        nodes[j] = ((upper * (period - part) + lower * part) << 16) // period
    for j in range(count - 1):
        level, step, first = nodes[j], (nodes[j + 1] - nodes[j]) // period, j * period
        for x in range(first, min(first + period, columns)):
            cover[x] = np.uint8((level + step * (x - first)) >> 16)


@numba.njit(cache=True, nogil=True)
def fill(planes, colour):
    """Fill all planes with one colour."""
    for c in range(planes.shape[0]):
        planes[c, :, :] = colour[c]


@numba.njit(cache=True, nogil=True)
def pattern_of(turn, period, width, key):
    """Make a pattern whose phases are chances of a key."""
    first, second = output(key, PHASE_CHANCES[0]) >> np.uint64(32), output(key, PHASE_CHANCES[1]) >> np.uint64(32)
    return Pattern(turn[1], turn[0], period, width, np.int64(first), np.int64(second))


@numba.njit(cache=True, nogil=True)
def draw_ground(planes, kind, pattern, key, colours, cover, nodes):
    """Draw a ground other than tiles over all pixels.

    planes : (C, rows, columns) uint8, written
    colours : (2, C) uint8, of the ground and of its pattern
    cover : (W,) uint8, nodes : (W,) int64, scratch
    """
    fill(planes, colours[0])
    if kind == FLAT:
        return
    _, rows, columns = planes.shape
    for y in range(rows):
        if kind == GRADIENT:
            _gradient(pattern, y, cover, rows, columns)
        elif kind == DOTS:
            _dots(pattern, y, cover, columns)
        elif kind == CHECKS:
            _checks(pattern, y, cover, columns)
        elif kind == TEXTURE:
            _texture(pattern, key, y, cover, columns, nodes)
        else:
            stripes(pattern, y, cover, columns, kind == GRID)
        blend_row(planes, y, cover, colours[1])


@numba.njit(cache=True, nogil=True)
def draw_tiles(planes, ends, count, colours):
    """Draw a field of its own colour under each letter; field k ends before column ends[k], the last with the picture.

    colours : (L, C) uint8
    """
    left = 0
    for k in range(count):
        right = planes.shape[2] if k == count - 1 else min(max(ends[k], left), planes.shape[2])
        for c in range(planes.shape[0]):
            planes[c, :, left:right] = colours[k, c]
        left = right

"""Strokes and shapes, painted column by column: lines, arcs, waves, ellipses, crosses, specks.

All chances follow from a 64-bit key: chance n is output n of SplitMix64 with that seed. Each kind begins at a place of
its own, and each of its strokes may use so many.
"""

import math
from typing import NamedTuple

import numba
import numpy as np

from tasks.drawing.painting.blending import dab
from tasks.drawing.resampling import HALF, ONE
from tasks.lowlevel.splitmix64 import output

STEEPNESS = 16  # steps a unit of slope in the table of thicknesses
STEEPEST = 8  # rows a column; a steeper stroke has the thickness of this slope
CHORDS = 1 << 10  # steps in the table of a circle's half chords
# Where the chances of each kind begin, and how many each may use.
STROKE, SPECK, STRIKE, ELLIPSE, CROSS, GRAIN = 16, 1 << 16, 1 << 12, 1 << 13, 1 << 14, 1 << 24
BLOT, SLASH, A_BLOT, A_SLASH, SLASHES = 1 << 18, 1 << 19, 4, 4, 8  # a letter has at most so many slashes
CURVE, A_CURVE = (1 << 22) + (1 << 13), 8
SEGMENT, A_SEGMENT = (1 << 22) + (1 << 14), 4
A_STROKE, A_SPECK, A_STRIKE, AN_ELLIPSE, A_CROSS = 8, 4, 8, 8, 8
PHASES = 1 << 12  # steps of a turn in the table of sines


class Pen(NamedTuple):
    """What strokes are drawn with: a width in pixels, an ink of 0 to 255, and a colour of three numbers."""

    width: int
    ink: int
    colour: tuple[int, int, int]


class Tables(NamedTuple):
    """Tables of all pictures, all int64.

    sines : (4096,), of a turn
    thickness : see `tasks.drawing.noise_kernel.thicknesses`
    chords : see `chords`
    decoys : (D,), the bitmaps that decoys are chosen from
    """

    sines: np.ndarray
    thickness: np.ndarray
    chords: np.ndarray
    decoys: np.ndarray


def chords() -> np.ndarray:
    """Return sqrt(1 - (n / 1024)**2) in 1/65536, (1025,) int64: a circle's half chord at a distance from its centre."""
    return np.array([math.isqrt((CHORDS**2 - n * n) << 32) // CHORDS for n in range(CHORDS + 1)])


@numba.njit(cache=True, nogil=True)
def chance(key, number, limit):
    """Return chance `number` of a key, 0 … limit - 1."""
    return np.int64((output(key, number) >> np.uint64(32)) * np.uint64(limit) >> np.uint64(32))


@numba.njit(cache=True, nogil=True, inline="always")
def _span(planes, x, top, bottom, pen):
    """Cover the rows top to bottom, in 1/65536 px, of a column; pixel i reaches from i to i + 1."""
    rows = planes.shape[1]
    for i in range(max(0, top >> 16), min(rows, (bottom + ONE - 1) >> 16)):
        share = min(bottom, (i + 1) << 16) - max(top, i << 16)
        dab(planes, i, x, np.uint8(share * pen.ink >> 16), pen.colour)


@numba.njit(cache=True, nogil=True, inline="always")
def _half(slope, pen, thickness):
    """Return half the rows that a stroke of a slope covers, in 1/65536 px."""
    return pen.width * thickness[min(slope * STEEPNESS >> 16, STEEPNESS * STEEPEST)] << 7


@numba.njit(cache=True, nogil=True)
def stroke(planes, key, place, bent, thickness, pen):
    """Draw a line, or an arc if `bent`, from the left to the right quarter; its chances begin at `place`."""
    _, rows, columns = planes.shape
    quarter = max(1, columns // 4)
    first, last = chance(key, place, quarter), columns - 1 - chance(key, place + 1, quarter)
    inverse = ONE * ONE // max(1, last - first)
    # Ends lie in the middle two thirds of the rows; an arc's middle lies up to half the rows off their mean.
    y0 = rows * ONE // 6 + chance(key, place + 2, rows * ONE * 2 // 3)
    y1 = rows * ONE // 6 + chance(key, place + 3, rows * ONE * 2 // 3)
    bow = chance(key, place + 4, rows * ONE) - rows * HALF if bent else 0
    for x in range(first, last + 1):
        t = (x - first) * inverse >> 16
        y = y0 + ((y1 - y0) * t >> 16) + (4 * bow * (t * (ONE - t) >> 16) >> 16)
        slope = abs(y1 - y0 + (4 * bow * (ONE - 2 * t) >> 16)) * inverse >> 32
        half = _half(slope, pen, thickness)
        _span(planes, x, y - half + HALF, y + half + HALF, pen)


@numba.njit(cache=True, nogil=True)
def strike(planes, key, place, box, tables, pen):
    """Draw a wave through the text's `box`: half a turn to two turns, up to a third of its height up and down."""
    tall, wide, sines, thickness = box[2] - box[0], box[3] - box[1], tables.sines, tables.thickness
    if tall <= 0 or wide <= 0:
        return
    swing = tall * ONE // 12 + chance(key, place, tall * ONE // 4)
    middle = (box[0] + box[2]) * HALF + chance(key, place + 1, tall * ONE // 4 + 1) - tall * ONE // 8
    turns = HALF + chance(key, place + 2, 3 * HALF)
    phase, reach = chance(key, place + 3, ONE), 2 + wide // 16
    step = turns // wide  # of a turn, in 1/65536
    for x in range(max(0, box[1] - reach), min(planes.shape[2], box[3] + reach)):
        angle = phase + step * x
        y = middle + (sines[(angle & ONE - 1) // (ONE // PHASES)] * swing >> 16)
        after = middle + (sines[(angle + step & ONE - 1) // (ONE // PHASES)] * swing >> 16)
        half = _half(abs(after - y), pen, thickness)
        _span(planes, x, y - half + HALF, y + half + HALF, pen)


@numba.njit(cache=True, nogil=True)
def _chord(table, place, radius):
    """Return the half chord, 0 to 65536, of an ellipse at a place; both in 1/65536 px, the place within the radius."""
    return table[min(abs(place) * CHORDS // max(1, radius), CHORDS)]


@numba.njit(cache=True, nogil=True)
def _ring(planes, centre, radii, table, pen):
    """Draw an ellipse's outline about its centre, y and x, with radii down and across, in 1/65536 px."""
    (y0, x0), (tall, wide), half = centre, radii, pen.width * HALF
    for x in range(max(0, (x0 - wide - half) >> 16), min(planes.shape[2], ((x0 + wide + half) >> 16) + 1)):
        off = (x << 16) + HALF - x0
        if abs(off) > wide + half:
            continue
        outer = (tall + half) * _chord(table, off, wide + half) >> 16
        inner = 0
        if abs(off) < wide - half and tall > half:
            inner = (tall - half) * _chord(table, off, wide - half) >> 16
        if inner > 0:
            _span(planes, x, y0 - outer, y0 - inner, pen)
            _span(planes, x, y0 + inner, y0 + outer, pen)
        else:
            _span(planes, x, y0 - outer, y0 + outer, pen)


@numba.njit(cache=True, nogil=True)
def ellipse(planes, key, place, rings, table, pen):
    """Draw an ellipse, or as many concentric rings, up to half as large as the picture is high."""
    _, rows, columns = planes.shape
    y0, x0 = chance(key, place, rows * ONE), chance(key, place + 1, columns * ONE)
    tall = rows * ONE // 8 + chance(key, place + 2, rows * ONE * 3 // 8)
    wide = tall * (ONE // 2 + chance(key, place + 3, ONE + HALF)) >> 16
    for k in range(1, rings + 1):
        _ring(planes, (y0, x0), (tall * k // rings, wide * k // rings), table, pen)


@numba.njit(cache=True, nogil=True)
def _segment(planes, centre, reach, thickness, pen):
    """Draw a straight line that reaches as far down and across on both sides of its centre, in 1/65536 px."""
    (y0, x0), (dy, dx) = centre, reach
    slope = (dy << 16) // dx
    half = _half(abs(slope), pen, thickness)
    first, last = min(x0 - dx, x0 + dx) >> 16, max(x0 - dx, x0 + dx) >> 16
    for x in range(max(0, first), min(planes.shape[2], last + 1)):
        y = y0 + (slope * ((x << 16) + HALF - x0) >> 16)
        _span(planes, x, y - half, y + half, pen)


@numba.njit(cache=True, nogil=True)
def cross(planes, key, place, tables, pen):
    """Draw two short lines at right angles to each other, turned by 12 to 78 degrees."""
    _, rows, columns = planes.shape
    y0, x0 = chance(key, place, rows * ONE), chance(key, place + 1, columns * ONE)
    reach = 2 + chance(key, place + 2, max(1, rows // 8))
    number = PHASES // 30 + chance(key, place + 3, PHASES * 11 // 60)
    s, c = tables.sines[number] * reach, tables.sines[number + PHASES // 4] * reach
    _segment(planes, (y0, x0), (s, c), tables.thickness, pen)
    _segment(planes, (y0, x0), (c, -s), tables.thickness, pen)


@numba.njit(cache=True, nogil=True)
def slash(planes, key, letter, box, count, tables, pen):
    """Draw straight lines near the middle of a letter's `box`, turned by up to 80 degrees."""
    tall, wide = box[2] - box[0], box[3] - box[1]
    for k in range(count):
        place = SLASH + A_SLASH * (SLASHES * letter + k)
        y0 = (box[0] + box[2]) * HALF + chance(key, place, tall * HALF) - tall * ONE // 4
        x0 = (box[1] + box[3]) * HALF + chance(key, place + 1, wide * HALF) - wide * ONE // 4
        number = (chance(key, place + 2, PHASES * 4 // 9) - PHASES * 2 // 9) % PHASES
        reach = max(tall, wide) * (35 + chance(key, place + 3, 60)) // 100  # half of its length
        dy, dx = tables.sines[number] * reach, tables.sines[(number + PHASES // 4) % PHASES] * reach
        _segment(planes, (y0, x0), (dy, max(dx, 1)), tables.thickness, pen)


@numba.njit(cache=True, nogil=True)
def segment(planes, key, place, percent, tables, pen):
    """Draw a straight line about any point, turned by up to 80 degrees, up to `percent` of the picture's width long."""
    _, rows, columns = planes.shape
    y0, x0 = chance(key, place, rows * ONE), chance(key, place + 1, columns * ONE)
    number = (chance(key, place + 2, PHASES * 4 // 9) - PHASES * 2 // 9) % PHASES
    most = columns * percent * ONE // 200  # half of the longest
    reach = most // 5 + chance(key, place + 3, most * 4 // 5 + 1)
    dy, dx = tables.sines[number] * reach >> 16, tables.sines[(number + PHASES // 4) % PHASES] * reach >> 16
    _segment(planes, (y0, x0), (dy, max(dx, 1)), tables.thickness, pen)


@numba.njit(cache=True, nogil=True)
def _stamp(shares, y, x, width):
    """Cover a disc in part where it is not covered more, and return its rows and columns as a box."""
    radius, middle, centre = 8 * width, y >> 12, x >> 12  # in 1/16 px
    top, left = max(0, (y >> 16) - width // 2 - 1), max(0, (x >> 16) - width // 2 - 1)
    bottom, right = min(shares.shape[0], (y >> 16) + width // 2 + 3), min(shares.shape[1], (x >> 16) + width // 2 + 3)
    for i in range(top, bottom):
        for j in range(left, right):
            # The distance to the edge follows from the squares, near the edge.
            inside = radius * radius - (16 * i - middle) ** 2 - (16 * j - centre) ** 2
            share = min(max(inside * 8 // radius + 128, 0), 255)
            if share > shares[i, j]:
                shares[i, j] = share
    return top, left, bottom, right


@numba.njit(cache=True, nogil=True)
def _length(y, x):
    """Return about how long a step down and to the right is."""
    y, x = abs(y), abs(x)
    return max(y, x) + 3 * min(y, x) // 8


@numba.njit(cache=True, nogil=True)
def curve(shares, key, place, width, dash):
    """Write the shares of a cubic Bezier curve from the left to the right eighth, and return their box.

    Its ends and both points that it bends to lie in any row. shares : (rows, columns) uint8, 0 before
    """
    rows, columns = shares.shape
    tall, wide = rows * ONE, columns * ONE
    y0, y3 = chance(key, place, tall), chance(key, place + 3, tall)
    y1, y2 = chance(key, place + 1, tall), chance(key, place + 2, tall)
    x0, x3 = chance(key, place + 4, wide // 8), wide - chance(key, place + 5, wide // 8)
    x1, x2 = chance(key, place + 6, wide), chance(key, place + 7, wide)
    steps = 1 + ((_length(y1 - y0, x1 - x0) + _length(y2 - y1, x2 - x1) + _length(y3 - y2, x3 - x2)) >> 15)
    box, far, before = (rows, columns, 0, 0), 0, (y0, x0)
    for k in range(steps + 1):
        t = k * ONE // steps
        s = ONE - t
        a, b, c, d = (s * s >> 16) * s >> 16, 3 * ((s * s >> 16) * t >> 16), 3 * ((t * t >> 16) * s >> 16), t * t >> 16
        d = d * t >> 16
        y, x = (a * y0 + b * y1 + c * y2 + d * y3) >> 16, (a * x0 + b * x1 + c * x2 + d * x3) >> 16
        far += _length(y - before[0], x - before[1])
        before = y, x
        if dash and (far >> 16) // dash % 2:
            continue
        one = _stamp(shares, y, x, width)
        box = min(box[0], one[0]), min(box[1], one[1]), max(box[2], one[2]), max(box[3], one[3])
    return box


@numba.njit(cache=True, nogil=True)
def blot(planes, key, place, size, table, colour):
    """Draw a disc with a diameter of a third of `size` pixels to the whole."""
    _, rows, columns = planes.shape
    y0, x0 = chance(key, place, rows * ONE), chance(key, place + 1, columns * ONE)
    least = max(1, size // 3)
    _ring(planes, (y0, x0), (0, 0), table, Pen(least + chance(key, place + 2, size - least + 1), 255, colour))


@numba.njit(cache=True, nogil=True)
def frame(planes, high, wide, colour):
    """Cover `high` rows at top and bottom, and `wide` columns at left and right."""
    _, rows, columns = planes.shape
    for c in range(planes.shape[0]):
        planes[c, : min(high, rows)] = colour[c]
        planes[c, max(0, rows - high) :] = colour[c]
        planes[c, :, : min(wide, columns)] = colour[c]
        planes[c, :, max(0, columns - wide) :] = colour[c]


@numba.njit(cache=True, nogil=True)
def speck(planes, key, place, side, pen):
    """Draw a square spot of `side` pixels, or for 0 a spot of 1 or 2 by 1 or 2."""
    _, rows, columns = planes.shape
    y, x, size = chance(key, place, rows), chance(key, place + 1, columns), chance(key, place + 2, 4)
    high, wide = (side, side) if side else (1 + size // 2, 1 + size % 2)
    for i in range(y, min(y + high, rows)):
        for j in range(x, min(x + wide, columns)):
            dab(planes, i, j, np.uint8(pen.ink), pen.colour)


@numba.njit(cache=True, nogil=True)
def grains(planes, key, permille):
    """Make so many of 1,000 pixels white or black; each grain takes one chance."""
    _, rows, columns = planes.shape
    for k in range(rows * columns * permille // 1000):
        bits = output(key, GRAIN + k)
        y = np.int64((bits >> np.uint64(43)) * np.uint64(rows) >> np.uint64(21))
        x = np.int64((bits >> np.uint64(22) & np.uint64(0x1FFFFF)) * np.uint64(columns) >> np.uint64(21))
        value = np.uint8(255 * (bits & np.uint64(1)))
        for c in range(np.uint64(planes.shape[0])):
            planes[c, np.uint64(y), np.uint64(x)] = value

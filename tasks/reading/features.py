"""Spans of upright ink -> the inputs of the letter network, by the same function for training and for reading.

A span and its surroundings are stretched to two grids. The cells of the first hold the mean ink. The cells of the
second hold the strength of the ink's gradient in each of eight directions (gradient features, long the best for a plain
network on letters). All are differences of summed areas, so that the work for a span does not depend on its size.

References
----------
C.-L. Liu, K. Nakashima, H. Sako, H. Fujisawa, "Handwritten digit recognition: benchmarking of state-of-the-art
techniques", Pattern Recognition 36, 2003.
F. C. Crow, "Summed-area tables for texture mapping", SIGGRAPH 1984.
"""

import numba
import numpy as np

from tasks.lowlevel.float32x8 import blend8, bytes8, copy8, mix8, roots8
from tasks.reading.lattice import Lattice

FEATURES = 4  # raised whenever the values of spans or the inputs of confidence change: a model is bound to its number

# Cells of ink: rows and columns of the span itself, and of its surroundings. Columns beside the span are an eighth of
# its height wide.
ROWS, COLUMNS, AROUND_Y, AROUND_X = 10, 8, 1, 3
DOWN, ACROSS = ROWS + 2 * AROUND_Y, COLUMNS + 2 * AROUND_X
BARS = 16  # the width of a span as bars, which are filled up to it: 0.1 to 1.6 heights
COARSE = DOWN * ACROSS + BARS

# Cells of gradients, and one more on each side; those beside the span are a fifth of its height wide.
DIRECTIONS = 8
TALL, WIDE = 6, 5
SIZE = COARSE + (TALL + 2) * (WIDE + 2) * DIRECTIONS

TAIL = 4  # ink up to a fourth of a letter's height above and below it belongs to it: tails, accents, dots

_ROOT = np.float32(np.sqrt(2))
# The two directions that a gradient lies between, by the signs of its two parts and by which part is larger. Tables
# take less time than branches, which a processor would mispredict. Directions: right 0, down 2, left 4, up 6.
_STRAIGHT = np.array([6, 6, 2, 2, 4, 0, 4, 0], np.uintp)
_DIAGONAL = np.array([5, 7, 3, 1, 5, 7, 3, 1], np.uintp)
_EIGHT = np.uintp(DIRECTIONS)
_GAIN = np.float32(12)  # multiplies the square root of a mean gradient; the product is cut off at 255
# Numba divides a float32 by an integer in float64, which halves the lanes of a vector.
_ONE_TALL, _ONE_WIDE = np.float32(1 / TALL), np.float32(1 / WIDE)
_ONE_ROW, _ONE_COLUMN = np.float32(1 / ROWS), np.float32(1 / COLUMNS)


def shape_spans(ink: np.ndarray, lattice: Lattice, chosen: np.ndarray | None = None) -> np.ndarray:
    """Compute the inputs of the network.

    Parameters
    ----------
    ink : (n, H, W) uint8
        From `tasks.reading.deskew.upright`.
    lattice : Lattice
        Of the same pictures.
    chosen : (k,) int, optional
        Numbers of spans, ascending. Default: all spans.

    Returns
    -------
    (k, SIZE) uint8
    """
    ink = np.ascontiguousarray(ink)  # of other layouts the kernels would be compiled anew
    picture, box = lattice.picture, lattice.box
    if chosen is not None:
        picture, box = picture[chosen], box[chosen]
    out = np.empty((len(picture), SIZE), np.uint8)
    _coarse(ink, picture, box, out)
    _gradients(ink, picture, box, out)
    return out


@numba.njit(cache=True, nogil=True)
def _within(value, most):
    return min(max(value, np.float32(0)), np.float32(most))


@numba.njit(cache=True, nogil=True, fastmath=True)
def _coarse(ink, picture, box, out):
    rows, columns = ink.shape[1:]
    table = np.zeros((rows + 1, columns + 1), np.float32)
    # All spans of a picture have the same height. For each top that occurs: the ink of their rows left of each column.
    strips, known = np.empty((rows + 1, (columns + 1) * DOWN), np.float32), np.zeros(rows + 1, np.bool_)
    line, flat = np.empty((ACROSS + 1) * DOWN, np.float32), out.reshape(-1)
    before = -1
    for k in range(len(picture)):
        if picture[k] != before:
            before = picture[k]
            known[:] = False
            _sum_ink(ink[before], table)
        top, left, bottom, right = box[k, 0], np.float32(box[k, 1]), box[k, 2], np.float32(box[k, 3])
        strip = strips[top]
        if not known[top]:
            known[top] = True
            _sum_rows(table, top, bottom, strip)
        height, width = np.float32(bottom - top), right - left
        step, beside = width * _ONE_COLUMN, height * np.float32(0.125)
        for b in range(ACROSS + 1):
            inside = min(max(b - AROUND_X, 0), COLUMNS)
            x = left + np.float32(inside) * step + np.float32(b - AROUND_X - inside) * beside
            x = _within(x, columns)
            j = min(int(x), columns - 1)
            part, place = x - np.float32(j), b * DOWN
            for a in (0, DOWN - 8):  # twelve rows as two vectors of eight that overlap
                source = np.uintp(j * DOWN + a)
                blend8(strip, source, source + np.uintp(DOWN), part, line, np.uintp(place + a))
        start = k * out.shape[1]
        for b in range(ACROSS):
            share = np.float32(1) / (step if AROUND_X <= b < AROUND_X + COLUMNS else beside)
            for a in (0, DOWN - 8):
                source = np.uintp(b * DOWN + a)
                bytes8(line, source, source + np.uintp(DOWN), share, flat, np.uintp(start + b * DOWN + a))
        ratio = width / height
        for j in range(BARS):
            bar = (ratio - np.float32(0.1) * np.float32(j)) * np.float32(2550)
            out[k, ACROSS * DOWN + j] = np.uint8(_within(bar, 255))


@numba.njit(cache=True, nogil=True, fastmath=True)
def _sum_rows(table, top, bottom, strip):
    """Sum up, for each column, the mean ink of each row of cells left of it; the rows of a column are contiguous."""
    rows, columns = table.shape[0] - 1, table.shape[1]
    step = np.float32(bottom - top) * _ONE_ROW
    share = np.float32(1) / step
    for a in range(DOWN):
        y = _within(np.float32(top) + np.float32(a - AROUND_Y) * step, rows)
        below = _within(np.float32(top) + np.float32(a + 1 - AROUND_Y) * step, rows)
        i, j = min(int(y), rows - 1), min(int(below), rows - 1)
        part, other = y - np.float32(i), below - np.float32(j)
        for x in range(columns):
            high = table[i, x] + part * (table[i + 1, x] - table[i, x])
            low = table[j, x] + other * (table[j + 1, x] - table[j, x])
            strip[x * DOWN + a] = (low - high) * share


@numba.njit(cache=True, nogil=True, fastmath=True)
def _gradients(ink, picture, box, out):
    rows, columns = ink.shape[1:]
    stride = (columns + 1) * DIRECTIONS
    table = np.zeros((rows + 1) * stride, np.float32)
    corners = WIDE + 3
    line, above = np.zeros(corners * DIRECTIONS, np.float32), np.zeros(corners * DIRECTIONS, np.float32)
    at, part_x, share = np.empty(corners, np.int64), np.empty(corners, np.float32), np.empty(corners, np.float32)
    flat = out.reshape(-1)
    before, until = -1, 0
    for k in range(len(picture)):
        if picture[k] != before:
            before = picture[k]
            until = max(until, k)
            high, low, first, last = (
                rows,
                0,
                columns,
                0,
            )  # of the part that the spans and their surroundings cover
            while until < len(picture) and picture[until] == before:
                around = (box[until, 2] - box[until, 0]) // 5 + 2
                high, low = min(high, box[until, 0] - around), max(low, box[until, 2] + around)
                first, last = min(first, box[until, 1] - around), max(last, box[until, 3] + around)
                until += 1
            _sum_gradients(ink[before], max(high, 0), min(low, rows), max(first, 0), min(last, columns), table)
        top, left = np.float32(box[k, 0]), np.float32(box[k, 1])
        height, right = np.float32(box[k, 2]) - top, np.float32(box[k, 3])
        step_y, step_x = height * _ONE_TALL, (right - left) * _ONE_WIDE
        beside = height * np.float32(0.2)
        for b in range(corners):
            x = left + np.float32(b - 1) * step_x
            if b == 0:
                x = left - beside
            elif b == WIDE + 2:
                x = right + beside
            x = _within(x, columns)
            at[b] = min(int(x), columns - 1)
            part_x[b] = x - np.float32(at[b])
            share[b] = _GAIN * _GAIN / (step_y * (step_x if 1 <= b <= WIDE else beside))
        place = k * SIZE + COARSE
        for a in range(TALL + 3):
            y = _within(top + np.float32(a - 1) * step_y, rows)
            i = min(int(y), rows - 1)
            part_y = y - np.float32(i)
            for b in range(corners):
                start = i * stride + at[b] * DIRECTIONS
                mix8(
                    table, np.uintp(start), np.uintp(start + stride), part_x[b], part_y, line, np.uintp(b * DIRECTIONS)
                )
            if a:
                for b in range(corners - 1):
                    roots8(line, above, np.uintp(b * DIRECTIONS), share[b], flat, np.uintp(place))
                    place += DIRECTIONS
            line, above = above, line


@numba.njit(cache=True, nogil=True)
def _sum_ink(image, table):
    """Fill `table[y, x]` with the sum of the ink above row y and left of column x."""
    rows, columns = image.shape
    for y in range(rows):
        total = np.float32(0)
        for x in range(columns):
            total += np.float32(image[y, x])
            table[y + 1, x + 1] = table[y, x + 1] + total


@numba.njit(cache=True, nogil=True, fastmath=True)
def _sum_gradients(image, top, bottom, left, right, table):
    """Sum up Sobel's gradients in a part of a picture as `_sum_ink` sums up ink, for each of eight directions.

    A gradient is shared between the two directions that it lies between. `table` is flat; the directions of a place
    are contiguous.
    """
    rows, columns = image.shape
    stride = (columns + 1) * DIRECTIONS
    sums = np.zeros(stride, np.float32)
    begin, end = left * DIRECTIONS, (right + 1) * DIRECTIONS
    for q in range(begin, end):
        table[top * stride + q] = 0
    for y in range(top, bottom):
        high, middle, low = image[max(y - 1, 0)], image[y], image[min(y + 1, rows - 1)]
        for d in range(DIRECTIONS):
            sums[begin + d] = 0
        place = np.uintp(begin)
        for x in range(left, right):
            before, here, after = np.uintp(max(x - 1, 0)), np.uintp(x), np.uintp(min(x + 1, columns - 1))
            upper = np.int32(high[after]) - np.int32(high[before])
            lower = np.int32(low[after]) - np.int32(low[before])
            across = upper + 2 * (np.int32(middle[after]) - np.int32(middle[before])) + lower
            down = lower - upper + 2 * (np.int32(low[before]) - np.int32(high[before]))
            down += 2 * (np.int32(low[here]) - np.int32(high[here]))
            copy8(sums, place, place + _EIGHT)
            place += _EIGHT
            if across != 0 or down != 0:
                flat, steep = abs(across), abs(down)
                sector = np.uintp(across > 0) + np.uintp(2) * np.uintp(down > 0) + np.uintp(4) * np.uintp(flat >= steep)
                sums[place + _STRAIGHT[sector]] += np.float32(abs(flat - steep))
                sums[place + _DIAGONAL[sector]] += np.float32(min(flat, steep)) * _ROOT
        start = y * stride
        for q in range(begin, end):
            table[start + stride + q] = table[start + q] + sums[q]


def measure_letters(ink: np.ndarray, starts: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Measure pictures and the letters found in them.

    Parameters
    ----------
    ink : (n, H, W) uint8
        From `tasks.reading.deskew.upright`.
    starts : (n + 1,) int64
        Number of each picture's first letter, and of all letters.
    box : (m, 4) int16
        The letters, from left to right.

    Returns
    -------
    (n, 5) float64
        All ink; the ink, area and edges of the letters; the widest gap between two, in pixels.
    """
    amounts = np.zeros((len(ink), 5))
    _measure(ink, starts, box, amounts)
    return amounts


@numba.njit(cache=True, nogil=True)
def _measure(ink, starts, box, amounts):
    """Fill in, for each picture, all ink, the ink, area and edges of its letters, and the widest gap between two."""
    rows, columns = ink.shape[1:]
    for i in range(len(ink)):
        image = ink[i]
        total, inside, area, edge, gap = 0, 0, 0, 0, 0
        for y in range(rows):
            row = image[y]
            for x in range(columns):
                total += row[x]
        for k in range(starts[i], starts[i + 1]):
            high = box[k, 2] - box[k, 0]
            top, bottom = max(box[k, 0] - high // TAIL, 0), min(box[k, 2] + high // TAIL, rows)
            left, right = max(box[k, 1], 0), min(box[k, 3], columns)
            area += high * (right - left)
            if k > starts[i]:
                gap = max(gap, left - box[k - 1, 3])
            for y in range(top, bottom):
                row = image[y]
                before = np.int64(0)
                for x in range(left, right):
                    here = np.int64(row[x])
                    inside += here
                    edge += abs(here - before)
                    before = here
                edge += before
        amounts[i, 0], amounts[i, 1], amounts[i, 2], amounts[i, 3], amounts[i, 4] = total, inside, area, edge, gap

"""Bend letters that are sampled: their corners are moved, and lenses magnify, make smaller or whirl what is in them.

Both tell of each pixel where it comes from, in 1/65536 px; pixel centres are whole numbers. A lens is an ellipse
inside the picture that changes nothing at its edge and most in its middle, so no letter leaves the picture by it.
"""

from typing import NamedTuple

import numba
import numpy as np

from tasks.drawing.painting.strokes import PHASES, chance
from tasks.drawing.resampling import ONE

# Where the chances begin, beside those in `strokes`, and how many each lens and each letter's corners may use.
LENS, CORNER, A_LENS, CORNERS = 1 << 22, (1 << 22) + (1 << 12), 4, 8


class Lenses(NamedTuple):
    """The lenses of a picture: how many, their size in percent of it, their power in percent, their turn in degrees."""

    number: int
    tall: int
    wide: int
    power: int
    turn: int


class Bend(NamedTuple):
    """Scratch of pictures whose letters are bent.

    down, across : (H * W,) int32, the row and column that each pixel of a picture comes from
    rows : (H, 2) int32, of each row of pixels the least and the greatest row that they come from
    columns : (W, 2) int32, the same of columns
    i, j : (W,) int32, the places of a row
    held : ((H + 2) * (W + 2),) uint8, a letter's shares in its box, with a border of 0
    shares : (H * W,) uint8, 0 between letters
    """

    down: np.ndarray
    across: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    i: np.ndarray
    j: np.ndarray
    held: np.ndarray
    shares: np.ndarray


@numba.njit(cache=True, nogil=True)
def make_bend(height, width):
    return Bend(
        np.zeros(height * width, np.int32), np.zeros(height * width, np.int32), np.zeros((height, 2), np.int32),
        np.zeros((width, 2), np.int32), np.zeros(width, np.int32), np.zeros(width, np.int32),
        np.zeros((height + 2) * (width + 2), np.uint8), np.zeros(height * width, np.uint8),
    )  # fmt: skip


@numba.njit(cache=True, nogil=True)
def _look_through(down, across, centre, half, lens, sines):
    """Move the places that lie in a lens to where the lens shows them from; `centre` and `half` are y and x."""
    (y0, x0), (tall, wide) = centre, half
    by_y, by_x = (ONE << 16) // tall, (ONE << 16) // wide
    for k in range(len(down)):
        v, u = (down[k] - y0) * by_y >> 16, (across[k] - x0) * by_x >> 16
        rest = ONE - (u * u + v * v >> 16)
        if rest <= 0:
            continue
        weight = rest * rest >> 16
        if lens.turn:
            number = (lens.turn * weight * PHASES // 360 >> 16) % PHASES
            sine, cosine = sines[number], sines[(number + PHASES // 4) % PHASES]
            u, v = cosine * u - sine * v >> 16, sine * u + cosine * v >> 16
        factor = ONE - lens.power * weight // 100
        down[k] = y0 + ((v * factor >> 16) * tall >> 16)
        across[k] = x0 + ((u * factor >> 16) * wide >> 16)


@numba.njit(cache=True, nogil=True)
def _set_ranges(places, ranges, axis):
    """Write of each row (axis 0) or column of `places` the least and the greatest."""
    for k in range(places.shape[axis]):
        ranges[k, 0], ranges[k, 1] = np.int32(1 << 30), np.int32(-1 << 30)
    for y in range(places.shape[0]):
        for x in range(places.shape[1]):
            k = x if axis else y
            ranges[k, 0], ranges[k, 1] = min(ranges[k, 0], places[y, x]), max(ranges[k, 1], places[y, x])


@numba.njit(cache=True, nogil=True)
def set_lenses(bend, key, lenses, sines, size):
    """Write where each pixel of a picture of `size` (rows, columns) comes from."""
    rows, columns = size
    down, across = bend.down[: rows * columns].reshape(size), bend.across[: rows * columns].reshape(size)
    for y in range(np.uint64(rows)):
        bend.rows[y] = np.int32(y) << 16
        for x in range(np.uint64(columns)):
            down[y, x], across[y, x] = np.int32(y) << np.int32(16), np.int32(x) << np.int32(16)
    for x in range(columns):
        bend.columns[x] = np.int32(x << 16)
    for k in range(lenses.number):
        place = LENS + A_LENS * k
        tall, wide = max(rows * ONE * lenses.tall // 200, ONE), max(columns * ONE * lenses.wide // 200, ONE)
        y = tall + chance(key, place, max(rows * ONE - 2 * tall, 0) + 1) - ONE // 2
        x = wide + chance(key, place + 1, max(columns * ONE - 2 * wide, 0) + 1) - ONE // 2
        _look_through(down.reshape(-1), across.reshape(-1), (y, x), (tall, wide), lenses, sines)
    if lenses.number > 0:
        _set_ranges(down, bend.rows, 0)
        _set_ranges(across, bend.columns, 1)


@numba.njit(cache=True, nogil=True)
def _moves(key, place, reach):
    """Return how far four corners are moved along an axis, up to `reach`, in 1/4096 px, int32."""
    count = 2 * reach + 1
    return (
        np.int32(chance(key, place, count) - reach), np.int32(chance(key, place + 1, count) - reach),
        np.int32(chance(key, place + 2, count) - reach), np.int32(chance(key, place + 3, count) - reach),
    )  # fmt: skip


@numba.njit(cache=True, nogil=True)
def _reached(ranges, count, first, last):
    """Return the rows or columns that come from the pixels first … last - 1 in part, half-open."""
    low, high = count, 0
    for k in range(count):
        if ranges[k, 1] > (first - 1) << 16 and ranges[k, 0] < last << 16:
            low, high = min(low, k), k + 1
    return low, high


@numba.njit(cache=True, nogil=True, inline="always")
def _share_of(value, middle, half, inverse):
    """Return where a place lies between two edges, -256 to 256; edges and beyond are -256 and 256."""
    off = min(max(np.int32(value - middle), -half), half)
    return np.int32(np.int32(np.int32(off >> np.int32(8)) * inverse) >> np.int32(12))


@numba.njit(cache=True, nogil=True, inline="always")
def _between(u, v, moves):
    """Return how far a place (u, v) in a letter's box is moved along an axis, in 1/65536 px."""
    left, right, upper, lower = np.int32(256) - u, np.int32(256) + u, np.int32(256) - v, np.int32(256) + v
    one = np.int32(np.int32(left * moves[0]) + np.int32(right * moves[1])) >> np.int32(9)
    two = np.int32(np.int32(left * moves[2]) + np.int32(right * moves[3])) >> np.int32(9)
    both = np.int32(np.int32(upper * np.int32(one)) + np.int32(lower * np.int32(two))) >> np.int32(9)
    return np.int32(np.int32(both) << np.int32(4))


@numba.njit(cache=True, nogil=True)
def _move_corners(i, j, span, box, down, across):
    """Add to the places i, j (W,) int32 of a row what moved corners add; down, across : four moves each."""
    high, wide = np.int32(box[2] - box[0]), np.int32(box[3] - box[1])
    y, x = np.int32((box[0] + box[2] - 1) << 15), np.int32((box[1] + box[3] - 1) << 15)
    tall, broad = np.int32(high << np.int32(15)), np.int32(wide << np.int32(15))
    by_y, by_x = np.int32((1 << 13) // high), np.int32((1 << 13) // wide)
    for k in range(np.uint64(span[0]), np.uint64(span[1])):
        v, u = _share_of(i[k], y, tall, by_y), _share_of(j[k], x, broad, by_x)
        i[k] += _between(u, v, down)
        j[k] += _between(u, v, across)


@numba.njit(cache=True, nogil=True, inline="always")
def _read(four, i, j):
    """Return the share at a place between four pixels, from their shares and the place in 1/65536 px."""
    down, right = np.uint32(np.uint32(i >> 8) & np.uint32(255)), np.uint32(np.uint32(j >> 8) & np.uint32(255))
    up, left = np.uint32(np.uint32(256) - down), np.uint32(np.uint32(256) - right)
    upper = np.uint32(np.uint32(np.uint32(four[0]) * left) + np.uint32(np.uint32(four[1]) * right))
    lower = np.uint32(np.uint32(np.uint32(four[2]) * left) + np.uint32(np.uint32(four[3]) * right))
    value = np.uint32(np.uint32(upper * up) + np.uint32(lower * down))
    return np.uint8(np.uint32(value + np.uint32(1 << 15)) >> np.uint32(16))


@numba.njit(cache=True, nogil=True)
def _read_row(held, box, i, j, span, row):
    """Write the shares at the places i, j of a row; return its first and last column with ink, half-open."""
    top, left = (box[0] - 1) << 16, (box[1] - 1) << 16
    bottom, right = box[2] << 16, box[3] << 16
    step, one = np.uint64(box[3] - box[1] + 2), np.uint64(1)
    first, last = span[1], span[0]
    for x in range(np.uint64(span[0]), np.uint64(span[1])):
        y0, x0 = i[x], j[x]
        if y0 <= top or y0 >= bottom or x0 <= left or x0 >= right:
            continue
        k = np.uint64((y0 - top) >> 16) * step + np.uint64((x0 - left) >> 16)
        four = held[k], held[k + one], held[k + step], held[k + step + one]
        share = _read(four, y0, x0)
        if share:
            row[x] = share
            first, last = min(first, np.int64(x)), np.int64(x) + 1
    return first, last


@numba.njit(cache=True, nogil=True)
def _hold(held, shares, box):
    """Move a letter's shares to `held`, with a border of 0, and set them back to 0."""
    step = box[3] - box[1] + 2
    held[: step * (box[2] - box[0] + 2)] = 0
    for y in range(np.uint64(box[0]), np.uint64(box[2])):
        first = np.uint64((y - np.uint64(box[0]) + np.uint64(1)) * np.uint64(step) + np.uint64(1))
        for x in range(np.uint64(box[1]), np.uint64(box[3])):
            held[first + x - np.uint64(box[1])] = shares[y, x]
            shares[y, x] = 0


@numba.njit(cache=True, nogil=True)
def bend_letter(bend, shares, box, key, letter, percent):
    """Write a letter as it is bent to `bend.shares`, set its shares back to 0, and return its new box.

    shares : (rows, columns) uint8, those of a letter in its `box` (top, left, bottom, right), else 0
    percent : of its height and width, by which its corners are moved at most
    """
    if box[0] < 0:
        return box
    rows, columns = shares.shape
    down, across = bend.down[: shares.size].reshape(shares.shape), bend.across[: shares.size].reshape(shares.shape)
    bent, held, i, j = bend.shares[: shares.size].reshape(shares.shape), bend.held, bend.i, bend.j
    _hold(held, shares, box)
    high, wide = (box[2] - box[0]) * percent, (box[3] - box[1]) * percent
    moves = (
        _moves(key, CORNER + CORNERS * letter, (high << 12) // 100),
        _moves(key, CORNER + CORNERS * letter + 4, (wide << 12) // 100),
    )  # fmt: skip
    first, last = _reached(bend.rows, rows, box[0] - high // 100 - 1, box[2] + high // 100 + 1)
    span = _reached(bend.columns, columns, box[1] - wide // 100 - 1, box[3] + wide // 100 + 1)
    found = rows, columns, 0, 0
    for y in range(first, last):
        for x in range(np.uint64(span[0]), np.uint64(span[1])):
            i[x], j[x] = down[np.uint64(y), x], across[np.uint64(y), x]
        if percent:
            _move_corners(i, j, span, box, moves[0], moves[1])
        inked = _read_row(held, box, i, j, span, bent[y])
        if inked[1] > inked[0]:
            found = min(found[0], y), min(found[1], inked[0]), y + 1, max(found[3], inked[1])
    return found if found[2] else (-1, -1, -1, -1)

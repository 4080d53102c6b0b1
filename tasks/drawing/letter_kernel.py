"""The drawing kernel: letters sheared, scaled and put on a canvas, in integer arithmetic.

A letter's rows are shifted by the shear (linear interpolation at the source's resolution), then
scaled, columns before rows: linear interpolation where the scale is 100 % or more, the mean over each
pixel's area below. Values carry 8 fractional bits between the steps, weights 14; nothing is a float,
so the bytes are the same on every processor.

With few shears and scales a letter has few distinct pictures (its place on the pixel grid counts
too): then all are drawn once, as sprites, and a word costs no more than copying four of them.
"""

from dataclasses import dataclass
from itertools import pairwise
from math import gcd

import numba
import numpy as np

from tasks.lowlevel.unaligned import load64, store64

WEIGHT_BITS = 14
SPRITE_BYTES = 48 << 20  # beyond this many bytes of sprites, letters are drawn directly


@dataclass(frozen=True)
class Taps:
    """Which source pixels make an output pixel, at one scale: first index and weights of each.

    start : (N,) int32
    weight : (N, T) int32, each row sums to 2**14
    """

    start: np.ndarray
    weight: np.ndarray


def make_taps(scale: int, count: int) -> Taps:
    """Taps of output pixels 0 … count - 1 at `scale` percent."""
    one = 1 << WEIGHT_BITS
    start = np.zeros(count, np.int32)
    rows = []
    for x in range(count):
        if scale >= 100:
            # Pixel centres: (x + 1/2) * 100 / scale - 1/2, over the denominator 2 * scale.
            numerator, denominator = 100 * (2 * x + 1) - scale, 2 * scale
            start[x] = numerator // denominator
            second = (numerator % denominator * one + denominator // 2) // denominator
            rows.append([one - second, second])
        else:
            # In units of 1/scale: source pixel j covers scale units, output pixel x covers 100.
            start[x] = 100 * x // scale
            last = (100 * (x + 1) - 1) // scale
            edges = [100 * x, *((j + 1) * scale for j in range(start[x], last)), 100 * (x + 1)]
            sums = [((edge - 100 * x) * one + 50) // 100 for edge in edges]
            rows.append([high - low for low, high in pairwise(sums)])
    weight = np.zeros((count, max(map(len, rows))), np.int32)
    for x, row in enumerate(rows):
        weight[x, : len(row)] = row
    return Taps(start, weight)


def tangent(milliradians: int) -> int:
    """tan(angle) in 1/65536, from integer series: libm's last bit differs between machines."""
    bits = 96
    angle = (abs(milliradians) << bits) // 1000
    sine, cosine, term, number = 0, 0, 1 << bits, 0
    while term:
        signed = -term if number % 4 >= 2 else term
        if number % 2:
            sine += signed
        else:
            cosine += signed
        number += 1
        term = (term * angle >> bits) // number
    value = ((sine << 17) // cosine + 1) >> 1
    return value if milliradians >= 0 else -value


def phases(scale: int) -> int:
    """After so many source columns the output grid repeats."""
    return 100 // gcd(scale, 100)


@numba.njit(cache=True, nogil=True)
def _letter(bitmap, top, column, slope, start, weight, scale, rows_out, columns_out, sheared, scaled, out):
    """Draw one letter into `out` from its corner on; returns its (top, left, rows, columns) there."""
    height, width = bitmap.shape
    first_shift = (slope * top) >> 16
    last_shift = (slope * (top + height - 1)) >> 16
    low = column + min(first_shift, last_shift)
    high = column + max(first_shift, last_shift) + width + 1
    taps = weight.shape[1]
    x0 = max(0, (low * scale) // 100 - 1)
    x1 = min(columns_out, (high * scale) // 100 + 2)
    y0 = max(0, (top * scale) // 100 - 1)
    y1 = min(rows_out, ((top + height) * scale) // 100 + 2)
    if x1 <= x0 or y1 <= y0:
        return y0, x0, 0, 0
    base = min(low, start[x0])
    length = max(high, start[x1 - 1] + taps) - base
    for i in range(height):
        for k in range(length):
            sheared[k] = 0
        offset = slope * (top + i)
        fraction = offset & 0xFFFF
        place = column + (offset >> 16) - base
        before = 0
        for j in range(width):
            ink = int(bitmap[i, j])
            sheared[place + j] = (ink * (65536 - fraction) + before * fraction + 128) >> 8
            before = ink
        sheared[place + width] = (before * fraction + 128) >> 8
        for x in range(x0, x1):
            total = 0
            for t in range(taps):
                total += weight[x, t] * sheared[start[x] + t - base]
            scaled[i, x - x0] = (total + 8192) >> 14
    for y in range(y0, y1):
        for x in range(x1 - x0):
            sheared[x] = 1 << 21
        for t in range(taps):
            i = start[y] + t - top
            if 0 <= i < height and weight[y, t]:
                for x in range(x1 - x0):
                    sheared[x] += weight[y, t] * scaled[i, x]
        for x in range(x1 - x0):
            out[y - y0, x] = sheared[x] >> 22
    return y0, x0, y1 - y0, x1 - x0


@numba.njit(cache=True, nogil=True)
def _trim(picture, rows, columns):
    """First and last row and column (half-open) of the pixels above 0; all 0 if there is none."""
    y0, y1, x0, x1 = rows, 0, columns, 0
    for y in range(rows):
        for x in range(columns):
            if picture[y, x]:
                y0, y1 = min(y0, y), max(y1, y + 1)
                x0, x1 = min(x0, x), max(x1, x + 1)
    if y1 == 0:
        return 0, 0, 0, 0
    return y0, y1, x0, x1


@numba.njit(cache=True, nogil=True)
def _add(sprite, top, left, picture, box):
    """Add a trimmed letter to the picture, no pixel above 255, and write its box."""
    y0, x0 = max(0, -top), max(0, -left)
    y1, x1 = min(sprite.shape[0], picture.shape[0] - top), min(sprite.shape[1], picture.shape[1] - left)
    if y1 <= y0 or x1 <= x0:
        return
    for y in range(y0, y1):
        for x in range(x0, x1):
            total = np.uint16(picture[top + y, left + x]) + np.uint16(sprite[y, x])
            picture[top + y, left + x] = np.uint8(min(total, np.uint16(255)))
    if y1 - y0 < sprite.shape[0] or x1 - x0 < sprite.shape[1]:
        # Interpolation may put a faint pixel past the edge; what is left of the letter has another box.
        a, b, c, d = _trim(sprite[y0:y1, x0:x1], y1 - y0, x1 - x0)
        y0, y1, x0, x1 = y0 + a, y0 + b, x0 + c, x0 + d
    box[0], box[1], box[2], box[3] = top + y0, left + x0, top + y1, left + x1


@numba.njit(cache=True, nogil=True)
def padded(columns):
    """A sprite's row takes whole words of 8 bytes."""
    return (columns + 7) & ~7


@numba.njit(cache=True, nogil=True)
def _add_words(sprites, offset, rows, columns, pixels, place, across):
    """Add a sprite that lies within its picture, eight pixels at a time, no pixel above 255.

    The zeros that pad a row may reach into the next one or past the last: they change nothing there.
    """
    low, high, eight = np.uint64(0x7F7F7F7F7F7F7F7F), np.uint64(0x8080808080808080), np.uint64(8)
    words = np.uint64(padded(columns) >> 3)
    source, row = np.uint64(offset), np.uint64(place)
    for _ in range(rows):
        at = row
        for _ in range(words):
            a, b = load64(pixels, at), load64(sprites, source)
            total = (a & low) + (b & low) ^ (a ^ b) & high
            over = (a & b | (a | b) & ~total) & high
            store64(pixels, at, total | over | over - (over >> np.uint64(7)))
            at += eight
            source += eight
        row += np.uint64(across)


@numba.njit(cache=True, nogil=True)
def make_sprites(ink, offsets, shapes, corners, slope, start, weight, scale, period, base, rows_out, out, where):
    """Draw every bitmap at every phase of one shear and scale.

    `out` takes the pixels one after another, `where` (G, period, 5) int64 their offset, top, left,
    rows and columns; returns how many bytes were used.
    """
    columns_out = len(start)
    sheared = np.zeros(columns_out + 4096, np.int32)
    scaled = np.zeros((shapes[:, 0].max(), columns_out), np.int32)
    scratch = np.zeros((rows_out, columns_out), np.uint8)
    used = 0
    for g in range(len(offsets)):
        height, width = shapes[g]
        bitmap = ink[offsets[g] : offsets[g] + height * width].reshape(height, width)
        for phase in range(period):
            top, left, rows, columns = _letter(
                bitmap, corners[g, 0], base + phase, slope, start, weight, scale, rows_out, columns_out,
                sheared, scaled, scratch,
            )  # fmt: skip
            y0, y1, x0, x1 = _trim(scratch, rows, columns)
            where[g, phase] = (used, top + y0, left + x0, y1 - y0, x1 - x0)
            wide = padded(x1 - x0)
            for y in range(y0, y1):
                out[used : used + wide] = 0
                for x in range(x0, x1):
                    out[used + x - x0] = scratch[y, x]
                used += wide
    return used


@numba.njit(cache=True, nogil=True)
def draw_rows(
    letters, font, shear, scale, left, variant, advance, kerning, corners, ink, offsets, shapes,
    slopes, scales, starts, weights, sizes, periods, base, where_first, where, sprites, pixels, shape, boxes,
):  # fmt: skip
    """Draw one picture a row.

    letters : (n, L) int32 index into the alphabet, -1 past the end
    font, shear, scale : (n,) indices into the tables
    variant, advance, kerning : the faces' tables, by font
    where_first : (shears, scales) first row in `where`; (0, 0) long when letters are drawn directly
    pixels : (n * H * W + 8,) uint8, written; the last 8 bytes are room for whole words
    shape : (H, W)
    boxes : (n, L, 4) int16, written
    """
    cached = where_first.size > 0
    count, length = letters.shape
    rows_canvas, columns_canvas = shape
    images = pixels[: count * rows_canvas * columns_canvas].reshape(count, rows_canvas, columns_canvas)
    sheared = np.zeros(columns_canvas + 8192, np.int32)
    scaled = np.zeros((shapes[:, 0].max(), columns_canvas + 2), np.int32)
    scratch = np.zeros((rows_canvas, columns_canvas), np.uint8)
    pixels[:] = 0
    boxes[:] = -1
    for n in range(count):
        f, h, s = font[n], shear[n], scale[n]
        rows, columns = sizes[s]
        picture = images[n, :rows, :columns]
        percent, period = scales[s], periods[s]
        pen, previous = 0, variant.shape[1] - 1
        for k in range(length):
            letter = letters[n, k]
            if letter < 0:
                break
            if k:
                pen += advance[f, previous] + kerning[f, previous, letter]
            g = variant[f, previous, letter]
            column = left + ((pen + 32) >> 6) + corners[g, 1]
            if cached:
                repeat = (column - base[s]) // period
                entry = where[where_first[h, s] + g * period + column - base[s] - repeat * period]
                height, width = entry[3], entry[4]
                wide = padded(width)
                top, first = entry[1], entry[2] + repeat * (period * percent // 100)
                if height and top >= 0 and first >= 0 and top + height <= rows and first + width <= columns:
                    _add_words(
                        sprites, entry[0], height, width, pixels, (n * rows_canvas + top) * columns_canvas + first,
                        columns_canvas,
                    )  # fmt: skip
                    boxes[n, k] = (top, first, top + height, first + width)
                elif height:
                    sprite = sprites[entry[0] : entry[0] + height * wide].reshape(height, wide)[:, :width]
                    _add(sprite, top, first, picture, boxes[n, k])
            else:
                height, width = shapes[g]
                bitmap = ink[offsets[g] : offsets[g] + height * width].reshape(height, width)
                y, x, height, width = _letter(
                    bitmap, corners[g, 0], column, slopes[h], starts[s], weights[s], percent, rows, columns,
                    sheared, scaled, scratch,
                )  # fmt: skip
                y0, y1, x0, x1 = _trim(scratch, height, width)
                _add(scratch[y0:y1, x0:x1], y + y0, x + x0, picture, boxes[n, k])
            previous = letter

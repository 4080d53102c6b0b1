"""The plain drawing kernel: letters sheared, scaled and put on a canvas, in integer arithmetic.

A letter's rows are shifted by the shear (linear interpolation at the source's resolution), then
scaled, columns before rows: linear interpolation where the scale is 100 % or more, the mean over each
pixel's area below. Values carry 8 fractional bits between the steps, weights 14; nothing is a float,
so the bytes are the same on every processor.

With few shears and scales a letter has few distinct pictures (its place on the pixel grid counts
too): then all are drawn once, as sprites, and a word costs no more than copying four of them.
"""

from typing import NamedTuple

import numba
import numpy as np

from tasks.drawing.resampling import ONE, WEIGHT_BITS, Taps
from tasks.lowlevel.saturating import add, add_words
from tasks.lowlevel.unaligned import WORD, load64, padded, store64

INK_BITS = 8  # fractional bits of ink between shear and scale
SPRITE_BYTES = 48 << 20  # beyond this many bytes of sprites, letters are drawn directly
SPARE = 1 << 13  # source columns of scratch beyond the canvas, for a letter that reaches past it
NO_BOX = (-1, -1, -1, -1)  # of a letter that lies outside the picture


class Setting(NamedTuple):
    """Tables for setting text: the tables of all faces, as in `GlyphSet`, and the column where a text begins.

    variant : (faces, A + 1, A) int32, numbers of bitmaps
    advance : (faces, A) int32, kerning : (faces, A, A) int32
    """

    variant: np.ndarray
    advance: np.ndarray
    kerning: np.ndarray
    left: int


class Bitmaps(NamedTuple):
    """The letters' bitmaps of all faces.

    ink : (bytes,) uint8, one bitmap after another
    offsets : (G,) int64, the first byte of each
    shapes, corners : (G, 2) int64, rows and columns; row and column of its first pixel relative to the pen
    """

    ink: np.ndarray
    offsets: np.ndarray
    shapes: np.ndarray
    corners: np.ndarray


class Shears(NamedTuple):
    """The values that shear and scale take.

    slopes : (shears,) int64, tangents in 1/65536
    scales : (scales,) int64, in percent
    starts, weights : (scales, N) and (scales, N, T) int32, as in `Taps`
    sizes : (scales, 2) int64, rows and columns of a picture
    periods : (scales,) int64, see `tasks.drawing.resampling.phases`
    base : (scales,) int64, the source column of a sprite's first phase
    """

    slopes: np.ndarray
    scales: np.ndarray
    starts: np.ndarray
    weights: np.ndarray
    sizes: np.ndarray
    periods: np.ndarray
    base: np.ndarray


class Sprites(NamedTuple):
    """Every bitmap at every shear, scale and phase.

    first : (shears, scales) int64, the first row in `where`; (0, 0) long if letters are drawn directly
    where : (S, 5) int64, by bitmap and phase: offset in `pixels`, top, left, rows, columns
    pixels : (bytes,) uint8, each row padded to whole words
    """

    first: np.ndarray
    where: np.ndarray
    pixels: np.ndarray


class Texts(NamedTuple):
    """The pictures to draw, in rows.

    letters : (n, L) int32, numbers in the alphabet, -1 past the end
    font, shear, scale : (n,) int64, numbers in the tables
    """

    letters: np.ndarray
    font: np.ndarray
    shear: np.ndarray
    scale: np.ndarray


class _Scratch(NamedTuple):
    sheared: np.ndarray  # (columns + SPARE,) int32
    scaled: np.ndarray  # (rows of the highest bitmap, columns) int32
    letter: np.ndarray  # (rows, columns) uint8


@numba.njit(cache=True, nogil=True)
def _bitmap(bitmaps, g):
    height, width = bitmaps.shapes[g]
    return bitmaps.ink[bitmaps.offsets[g] : bitmaps.offsets[g] + height * width].reshape(height, width)


@numba.njit(cache=True, nogil=True)
def _scratch(bitmaps, rows, columns):
    return _Scratch(
        np.zeros(columns + SPARE, np.int32), np.zeros((bitmaps.shapes[:, 0].max(), columns), np.int32),
        np.zeros((rows, columns), np.uint8),
    )  # fmt: skip


@numba.njit(cache=True, nogil=True)
def _shear_row(row, place, fraction, sheared, length):
    """Write a bitmap's row from `place` + `fraction` / 65536 on, with `INK_BITS` fractional bits."""
    half = ONE >> INK_BITS + 1
    for k in range(length):
        sheared[k] = 0
    before = 0
    for j in range(len(row)):
        ink = int(row[j])
        sheared[place + j] = (ink * (ONE - fraction) + before * fraction + half) >> 16 - INK_BITS
        before = ink
    sheared[place + len(row)] = (before * fraction + half) >> 16 - INK_BITS


@numba.njit(cache=True, nogil=True)
def _letter(bitmap, top, column, slope, taps, rows_out, columns_out, scratch):
    """Draw one letter into `scratch.letter` from its corner on; returns its top, left, rows and columns."""
    height, width = bitmap.shape
    scale, start, weight = taps
    sheared, scaled, out = scratch
    first_shift = (slope * top) >> 16
    last_shift = (slope * (top + height - 1)) >> 16
    low = column + min(first_shift, last_shift)
    high = column + max(first_shift, last_shift) + width + 1
    count = weight.shape[1]
    x0 = max(0, (low * scale) // 100 - 1)
    x1 = min(columns_out, (high * scale) // 100 + 2)
    y0 = max(0, (top * scale) // 100 - 1)
    y1 = min(rows_out, ((top + height) * scale) // 100 + 2)
    if x1 <= x0 or y1 <= y0:
        return y0, x0, 0, 0
    base = min(low, start[x0])
    length = max(high, start[x1 - 1] + count) - base
    for i in range(height):
        offset = slope * (top + i)
        _shear_row(bitmap[i], column + (offset >> 16) - base, offset & 0xFFFF, sheared, length)
        for x in range(x0, x1):
            total = 0
            for t in range(count):
                total += weight[x, t] * sheared[start[x] + t - base]
            scaled[i, x - x0] = (total + (1 << WEIGHT_BITS - 1)) >> WEIGHT_BITS
    for y in range(y0, y1):
        for x in range(x1 - x0):
            sheared[x] = 1 << WEIGHT_BITS + INK_BITS - 1
        for t in range(count):
            i = start[y] + t - top
            if 0 <= i < height and weight[y, t]:
                for x in range(x1 - x0):
                    sheared[x] += weight[y, t] * scaled[i, x]
        for x in range(x1 - x0):
            out[y - y0, x] = sheared[x] >> WEIGHT_BITS + INK_BITS
    return y0, x0, y1 - y0, x1 - x0


@numba.njit(cache=True, nogil=True)
def _trim(picture, rows, columns):
    """Return first and last row and column (half-open) of the pixels above 0; all 0 if there is none."""
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
def _add(letter, top, left, picture):
    """Add a trimmed letter to the picture, no pixel above 255; returns its box."""
    y0, x0 = max(0, -top), max(0, -left)
    y1, x1 = min(letter.shape[0], picture.shape[0] - top), min(letter.shape[1], picture.shape[1] - left)
    if y1 <= y0 or x1 <= x0:
        return NO_BOX
    for y in range(y0, y1):
        for x in range(x0, x1):
            picture[top + y, left + x] = add(picture[top + y, left + x], letter[y, x])
    if y1 - y0 < letter.shape[0] or x1 - x0 < letter.shape[1]:
        # Interpolation may put a faint pixel past the edge; the rest of the letter has a smaller box.
        a, b, c, d = _trim(letter[y0:y1, x0:x1], y1 - y0, x1 - x0)
        y0, y1, x0, x1 = y0 + a, y0 + b, x0 + c, x0 + d
    return top + y0, left + x0, top + y1, left + x1


@numba.njit(cache=True, nogil=True)
def _add_words(sprites, offset, rows, columns, pixels, place, across):
    """Add a sprite that lies within its picture, eight pixels at a time, no pixel above 255.

    The zeros that pad a row may reach into the next row or past the last: they change nothing there.
    """
    words, eight = np.uint64(padded(columns) // WORD), np.uint64(WORD)
    source, row = np.uint64(offset), np.uint64(place)
    for _ in range(rows):
        at = row
        for _ in range(words):
            store64(pixels, at, add_words(load64(pixels, at), load64(sprites, source)))
            at += eight
            source += eight
        row += np.uint64(across)


@numba.njit(cache=True, nogil=True)
def make_sprites(bitmaps, taps, slope, rows_out, period, base, out, where):
    """Draw every bitmap at every phase of one shear and scale.

    `out` takes the pixels, one sprite after another, and `where` (G, period, 5) int64 the offset, top, left,
    rows and columns of each. Returns how many bytes were used.
    """
    columns_out = len(taps.start)
    scratch = _scratch(bitmaps, rows_out, columns_out)
    used = 0
    for g in range(len(bitmaps.offsets)):
        bitmap, corner = _bitmap(bitmaps, g), bitmaps.corners[g, 0]
        for phase in range(period):
            top, left, rows, columns = _letter(
                bitmap, corner, base + phase, slope, taps, rows_out, columns_out, scratch
            )
            y0, y1, x0, x1 = _trim(scratch.letter, rows, columns)
            where[g, phase] = (used, top + y0, left + x0, y1 - y0, x1 - x0)
            wide = padded(x1 - x0)
            for y in range(y0, y1):
                out[used : used + wide] = 0
                for x in range(x0, x1):
                    out[used + x - x0] = scratch.letter[y, x]
                used += wide
    return used


@numba.njit(cache=True, nogil=True)
def _add_clipped(sprites, entry, left, picture):
    """Add the sprite of an entry of `where`, which reaches past its picture; returns its box."""
    offset, top, height, width = entry[0], entry[1], entry[3], entry[4]
    wide = padded(width)
    return _add(sprites[offset : offset + height * wide].reshape(height, wide)[:, :width], top, left, picture)


@numba.njit(cache=True, nogil=True)
def draw_rows(texts, setting, bitmaps, shears, sprites, pixels, shape, boxes):
    """Draw a picture for each row of `texts`.

    pixels : (n * H * W + 8,) uint8, written; the last 8 bytes are room for whole words
    shape : (H, W)
    boxes : (n, L, 4) int16, written
    """
    # Unpacked once: each look-up of a field in the loop would count references to its array.
    letters, font, shear, scale = texts
    variant, advance, kerning, left = setting
    corners = bitmaps.corners
    slopes, scales, starts, weights, sizes, periods, base = shears
    sprite_first, where, sprite_pixels = sprites
    cached = sprite_first.size > 0
    count, length = letters.shape
    images = pixels[: count * shape[0] * shape[1]].reshape(count, shape[0], shape[1])
    scratch = _scratch(bitmaps, shape[0], shape[1])
    pixels[:] = 0
    boxes[:] = -1
    for n in range(count):
        f, h, s = font[n], shear[n], scale[n]
        rows, columns = sizes[s]
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
                entry = where[sprite_first[h, s] + g * period + column - base[s] - repeat * period]
                first, top = entry[2] + repeat * (period * percent // 100), entry[1]
                height, width = entry[3], entry[4]
                if height and top >= 0 and first >= 0 and top + height <= rows and first + width <= columns:
                    place = (n * shape[0] + top) * shape[1] + first
                    _add_words(sprite_pixels, entry[0], height, width, pixels, place, shape[1])
                    boxes[n, k] = (top, first, top + height, first + width)
                elif height:
                    boxes[n, k] = _add_clipped(sprite_pixels, entry, first, images[n, :rows, :columns])
            else:
                taps = Taps(percent, starts[s], weights[s])
                y, x, height, width = _letter(
                    _bitmap(bitmaps, g), corners[g, 0], column, slopes[h], taps, rows, columns, scratch
                )
                y0, y1, x0, x1 = _trim(scratch.letter, height, width)
                boxes[n, k] = _add(scratch.letter[y0:y1, x0:x1], y + y0, x + x0, images[n, :rows, :columns])
            previous = letter

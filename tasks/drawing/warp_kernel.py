"""The general drawing kernel: every letter turned, moved, sheared, waved and scaled in one resampling.

The kernel maps each pixel of a letter's region back to a place in the letter's bitmap: through the scale, the
wave (a table of shifts for rows and for columns), the shear and the turn. There it reads the bitmap by
bilinear interpolation. Coordinates have 16 fractional bits, weights 8; nothing is a float, so the bytes are
the same on every processor. Below 70 % a pixel is the mean of several samples in both directions, since a
single sample would miss thin strokes.
"""

from typing import NamedTuple

import numba
import numpy as np

from tasks.drawing.bilinear import BORDER, find, interpolate
from tasks.drawing.resampling import HALF, ONE
from tasks.lowlevel.saturating import add

SINES = 1 << 12  # steps a turn in the table that waves are read from
PHASES = 1 << 10  # steps a turn of a wave's random phase
STEEP = 1 << 12  # a coordinate that grows slower than this a pixel (in 1/65536) does not bound a row's span
ROUNDING = 2  # 1/65536 px that rounding may add to a coordinate


class Letters(NamedTuple):
    """The letters of n pictures and how each is drawn.

    glyph : (n, L) int64, number of the bitmap, -1 past the end
    centre : (n, L, 2) int64, y and x of each letter's centre before shear and scale, in half pixels
    turn : (n, L, 2) int64, sine and cosine in 1/65536
    slope : (n,) int64, tangent of the shear in 1/65536
    scale : (n,) int64, number in the tables of `Scales`
    wave : (n, 5) int64, amplitude of y and x in 1/10 px, length in px, phase of y and x in 1/1024 turn
    """

    glyph: np.ndarray
    centre: np.ndarray
    turn: np.ndarray
    slope: np.ndarray
    scale: np.ndarray
    wave: np.ndarray


class Bitmaps(NamedTuple):
    """The letters' bitmaps.

    texels : (T,) uint32, see `tasks.drawing.bilinear.texels`, one bitmap after another
    first : (G,) int64, the first texel of each
    shapes : (G, 2) int64, rows and columns of each bitmap
    """

    texels: np.ndarray
    first: np.ndarray
    shapes: np.ndarray


class Scales(NamedTuple):
    """Tables that depend on the scale.

    sizes : (scales, 2) int64, rows and columns of a picture
    percents : (scales,) int64
    dense : (scales,) int64, samples a pixel, see `tasks.drawing.resampling.samples`
    places : (scales, samples) int64, see `tasks.drawing.resampling.sample_places`
    """

    sizes: np.ndarray
    percents: np.ndarray
    dense: np.ndarray
    places: np.ndarray


class Picture(NamedTuple):
    """A picture's numbers; `factor`, in 1/65536, turns pixels before scaling into samples."""

    rows: int
    columns: int
    side: int  # samples a pixel, in each direction
    factor: int
    slope: int
    high: int  # amplitude of the wave that shifts rows, in 1/65536 px
    wide: int  # and of that which shifts columns


class Source(NamedTuple):
    """A letter's bitmap, and where a place (y, x) before scaling lies in it, in 1/65536 px.

    Its column is cosine * x + column_y * y + column, its row sine * x + row_y * y + row.
    """

    corner: int  # the texel of its first pixel
    height: int
    width: int
    sine: int
    cosine: int
    column_y: int
    row_y: int
    column: int
    row: int


class Region(NamedTuple):
    """The rows of pixels and the columns of samples that a letter may touch, half-open."""

    top: int
    bottom: int
    left: int
    right: int


class Scratch(NamedTuple):
    """An entry a sample of a row or column."""

    down: np.ndarray  # the wave's shift of each column, and …
    across: np.ndarray  # … of each row, int64, in 1/65536 px
    tu: np.ndarray  # the part of a sample's source column and …
    tv: np.ndarray  # … row that its own column gives, int32
    found: np.ndarray  # texels, uint32
    weight: np.ndarray  # fractions of the source's column and row, uint32
    total: np.ndarray  # sums of a pixel's samples, int32
    line: np.ndarray  # a row of the letter, uint8
    seen: np.ndarray  # the bits that any row set, uint8


@numba.njit(cache=True, nogil=True)
def _span(size, gain, start, slack, factor, count):
    """Return the samples with gain * place + start between -1 px and `size` px, and a few more, half-open.

    slack : how far a wave may shift the coordinate, in 1/65536 px
    """
    low, high = -ONE, size << 16
    if gain < 0:
        low, high, gain, start = -high, -low, -gain, -start
    inverse = (ONE << 16) // gain
    first = ((low - slack - start) * inverse) >> 16
    last = ((high + slack - start) * inverse) >> 16
    return max(0, ((first + HALF) * factor >> 32) - 1), min(count, ((last + HALF) * factor >> 32) + 3)


@numba.njit(cache=True, nogil=True)
def _clip(source, picture, start, left, right):
    """Return the samples of left … right - 1 that the bitmap may reach, half-open."""
    if abs(source.cosine) > STEEP:
        slack = (abs(source.column_y) * picture.high >> 16) + ROUNDING
        first, last = _span(source.width, source.cosine, start[0], slack, picture.factor, right)
        left, right = max(left, first), min(right, last)
    if abs(source.sine) > STEEP:
        slack = (abs(source.row_y) * picture.high >> 16) + ROUNDING
        first, last = _span(source.height, source.sine, start[1], slack, picture.factor, right)
        left, right = max(left, first), min(right, last)
    return left, right


@numba.njit(cache=True, nogil=True)
def _merge(line, first, last, row, seen):
    """Add a letter's row to a picture's row, no pixel above 255; returns whether the letter's has ink."""
    any_ink = np.uint8(0)
    for k in range(np.uint64(first), np.uint64(last)):
        value = line[k]
        row[k] = add(row[k], value)
        seen[k] |= value
        any_ink |= value
    return any_ink > 0


@numba.njit(cache=True, nogil=True)
def shift(table, amplitude, phase, length, places, count, shifts):
    """Write a wave's shifts of `count` rows or columns of samples, in 1/65536 px."""
    if amplitude == 0:
        shifts[:count] = 0
        return
    for i in range(count):
        angle = phase * (ONE // PHASES) + places[i] // length & ONE - 1
        shifts[i] = table[angle // (ONE // SINES)] * amplitude >> 16


@numba.njit(cache=True, nogil=True)
def _source(letters, n, j, bitmaps):
    """Return where letter j of picture n comes from."""
    g, m = letters.glyph[n, j], letters.slope[n]
    height, width = bitmaps.shapes[g, 0], bitmaps.shapes[g, 1]
    s, c = letters.turn[n, j, 0], letters.turn[n, j, 1]
    y0, x0 = letters.centre[n, j, 0] << 15, letters.centre[n, j, 1] << 15  # half pixels in 1/65536 px
    column = ((width - 1) << 15) + ((s * y0 - c * x0) >> 16)
    row = ((height - 1) << 15) - ((s * x0 + c * y0) >> 16)
    corner = bitmaps.first[g] + BORDER * (width + 3) + BORDER
    return Source(corner, height, width, s, c, -(c * m >> 16) - s, c - (s * m >> 16), column, row)


@numba.njit(cache=True, nogil=True)
def find_region(source, picture, y0, x0):
    """Return where a letter with its centre at (y0, x0), in 1/65536 px, may have ink.

    The region of its bitmap and a pixel around it, turned, sheared and waved.
    """
    rows, columns, k, factor, m, high, wide = picture
    s, c = source.sine, source.cosine
    reach_y, reach_x = ((source.height - 1) << 15) + ONE, ((source.width - 1) << 15) + ONE
    half_x = (abs(c - (m * s >> 16)) * reach_x + abs(s + (m * c >> 16)) * reach_y >> 16) + wide + HALF
    half_y = (abs(s) * reach_x + abs(c) * reach_y >> 16) + high + HALF
    middle = x0 + (m * y0 >> 16) + HALF
    left = max(0, ((middle - half_x) * factor >> 32) // k) * k
    right = min(columns, ((middle + half_x) * factor >> 32) // k + 1) * k
    top = max(0, ((y0 + HALF - half_y) * factor >> 32) // k)
    bottom = min(rows, ((y0 + HALF + half_y) * factor >> 32) // k + 1)
    return Region(top, bottom, left, right)


@numba.njit(cache=True, nogil=True)
def _sum(line, span, total):
    for i in range(span[0], span[1]):
        total[i] += line[i]


@numba.njit(cache=True, nogil=True)
def _average(total, line, low, high, k):
    """Write the mean of k * k samples to each pixel low … high - 1 of `line`; `total` has the sums of columns."""
    for i in range(low, high):
        mean = k * k // 2
        for q in range(k):
            mean += total[i * k + q]
        line[i] = np.uint8(mean // (k * k))


@numba.njit(cache=True, nogil=True)
def _trim(seen, first, last):
    """Return the first of the numbers that is not 0 and the last, half-open; at least one must not be 0."""
    while not seen[first]:
        first += 1
    while not seen[last - 1]:
        last -= 1
    return first, last


@numba.njit(cache=True, nogil=True)
def draw_letter(texels, source, region, picture, places, scratch, image):
    """Add a letter to a picture, (H, W) uint8; returns its box, -1 four times if it has no ink there."""
    # Unpacked once a letter: a look-up of a field in the loops would count references to its array.
    down, across, tu, tv, found, weight, total, line, seen = scratch
    left, right, k = region.left, region.right, picture.side
    for i in range(left, right):
        tu[i] = (source.cosine * places[i] + source.column_y * down[i]) >> 16
        tv[i] = (source.sine * places[i] + source.row_y * down[i]) >> 16
    seen[left // k : right // k] = 0
    top, bottom = -1, -1
    for y in range(region.top, region.bottom):
        low, end = right, left
        if k > 1:
            total[left:right] = 0
        for q in range(y * k, y * k + k):
            start = (
                ((source.cosine * across[q] + source.column_y * places[q]) >> 16) + source.column,
                ((source.sine * across[q] + source.row_y * places[q]) >> 16) + source.row,
            )
            span = _clip(source, picture, start, left, right)
            if span[1] <= span[0]:
                continue
            find(tu, tv, source, start, span, found, weight)
            interpolate(texels, found, weight, span, line)
            low, end = min(low, span[0]), max(end, span[1])
            if k > 1:
                _sum(line, span, total)
        if end <= low:
            continue
        if k > 1:
            low, end = low // k, (end + k - 1) // k
            _average(total, line, low, end, k)
        if _merge(line, low, end, image[y], seen):
            top, bottom = y if top < 0 else top, y + 1
    if top < 0:
        return -1, -1, -1, -1
    first, last = _trim(seen, left // k, right // k)
    return top, first, bottom, last


@numba.njit(cache=True, nogil=True)
def make_scratch(count):
    return Scratch(
        np.zeros(count, np.int64), np.zeros(count, np.int64), np.zeros(count, np.int32), np.zeros(count, np.int32),
        np.zeros(count, np.uint32), np.zeros(count, np.uint32), np.zeros(count, np.int32),
        np.zeros(count, np.uint8), np.zeros(count, np.uint8),
    )  # fmt: skip


@numba.njit(cache=True, nogil=True)
def draw_letters(letters, bitmaps, scales, table, images, boxes):
    """Draw a picture for each row of `letters`.

    table : (4096,) int64, sines of a turn
    images : (n, H, W) uint8 and boxes : (n, L, 4) int16, written
    """
    scratch = make_scratch(scales.places.shape[1])
    images.reshape(-1)[:] = 0
    boxes[:] = -1
    for n in range(len(images)):
        number, wave = letters.scale[n], letters.wave[n]
        rows, columns = scales.sizes[number, 0], scales.sizes[number, 1]
        side, places = scales.dense[number], scales.places[number]
        factor = (side * scales.percents[number] << 16) // 100
        high, wide = wave[0] * ONE // 10, wave[1] * ONE // 10
        picture = Picture(rows, columns, side, factor, letters.slope[n], high, wide)
        shift(table, high, wave[3], wave[2], places, columns * side, scratch.down)
        shift(table, wide, wave[4], wave[2], places, rows * side, scratch.across)
        for j in range(letters.glyph.shape[1]):
            if letters.glyph[n, j] < 0:
                break
            source = _source(letters, n, j, bitmaps)
            region = find_region(source, picture, letters.centre[n, j, 0] << 15, letters.centre[n, j, 1] << 15)
            if region.right > region.left:
                boxes[n, j] = draw_letter(bitmaps.texels, source, region, picture, places, scratch, images[n])

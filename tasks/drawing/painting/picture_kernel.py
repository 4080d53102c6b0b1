"""The painting kernel: ground, noise under the letters, shadows, letters, noise over them, filters; picture by picture.

A letter is sampled as the general kernel does it (`tasks.drawing.warp_kernel`), into a plane of shares, and then
covers the picture in its colour.
"""

from typing import NamedTuple

import numba
import numpy as np

from tasks.drawing import warp_kernel
from tasks.drawing.noise_kernel import blur
from tasks.drawing.painting import filters, grounds, strokes
from tasks.drawing.painting.blending import blend_row, interleave
from tasks.drawing.resampling import DENSE, ONE

LINES = 8  # colours that strokes have in turn
# Columns of `Pictures.numbers`.
NUMBERS = (
    "ground", "ground_size", "ground_width", "background", "lines_under", "arcs_under", "lines", "arcs", "line_width",
    "line_ink", "specks", "strikes", "strike_width", "strike_ink", "ellipses", "rings", "crosses", "shape_width",
    "shape_ink", "hatching", "hatching_width", "hatching_ink", "decoys", "decoy_size", "decoy_ink", "shadow",
    "shadow_y", "shadow_x", "shadow_ink", "salt", "coarse", "blur", "sharpen", "halftone",
)  # fmt: skip
(
    GROUND, GROUND_SIZE, GROUND_WIDTH, BACKGROUND, LINES_UNDER, ARCS_UNDER, LINES_OVER, ARCS_OVER, LINE_WIDTH,
    LINE_INK, SPECKS, STRIKES, STRIKE_WIDTH, STRIKE_INK, ELLIPSES, RINGS, CROSSES, SHAPE_WIDTH,
    SHAPE_INK, HATCHING, HATCHING_WIDTH, HATCHING_INK, DECOYS, DECOY_SIZE, DECOY_INK, SHADOW,
    SHADOW_Y, SHADOW_X, SHADOW_INK, SALT, COARSE, BLUR, SHARPEN, HALFTONE,
) = range(len(NUMBERS))  # fmt: skip
# Chances of the key `paint`, beside those in `grounds` and `strokes`: the turn of hatching, and the decoys'.
HATCH, DECOY, A_DECOY = 8, 1 << 15, 8


class Pictures(NamedTuple):
    """The values of n pictures.

    numbers : (n, 34) int64, see `NUMBERS`; inks and widths as profiles have them, `shadow` is 1 with a shadow
    noise, paint : (n,) uint64, keys of the chances
    ground : (n, 2, C) uint8, colours of the ground and its pattern; tile, letter, shadow : (n, L, C) uint8
    line, speck : (n, 8, C) uint8
    turn : (n, 2) int64, sine and cosine of the ground's axis
    """

    numbers: np.ndarray
    noise: np.ndarray
    paint: np.ndarray
    ground: np.ndarray
    tile: np.ndarray
    letter: np.ndarray
    shadow: np.ndarray
    line: np.ndarray
    speck: np.ndarray
    turn: np.ndarray


class Letters(NamedTuple):
    """The letters of n pictures and how each is drawn, as in `warp_kernel.Letters`, but in 1/64 px and with a size.

    glyph, behind : (n, L) int64, numbers of the bitmaps of letters and of their shadows
    centre : (n, L, 2) int64, in 1/64 px
    zoom : (n, L) int64, in 1/65536
    decoys : (D,) int64, the bitmaps that decoys are chosen from
    """

    glyph: np.ndarray
    behind: np.ndarray
    centre: np.ndarray
    turn: np.ndarray
    zoom: np.ndarray
    slope: np.ndarray
    scale: np.ndarray
    wave: np.ndarray
    decoys: np.ndarray


class Tables(NamedTuple):
    """Sines of a turn (4096,), thicknesses of strokes and half chords of a circle, all int64."""

    sines: np.ndarray
    thickness: np.ndarray
    chords: np.ndarray


class _Desk(NamedTuple):
    """Scratch for a picture: its planes, the shares of a letter, rows."""

    planes: np.ndarray  # (C * H * W,) uint8
    cover: np.ndarray  # (H * W,) uint8, 0 between letters
    row: np.ndarray  # (W,) uint8
    nodes: np.ndarray  # (W + 2,) int64
    above: np.ndarray  # (W,) uint8
    here: np.ndarray  # (W,) uint8
    sums: np.ndarray  # (W + 2,) uint16
    totals: np.ndarray  # (W,) int32


@numba.njit(cache=True, nogil=True)
def _faded(cover, box, ink):
    """Reduce the shares of a letter to `ink` percent."""
    part = np.uint16(ink * 256 // 100)
    for y in range(box[0], box[2]):
        row = cover[y]
        for x in range(np.uint64(box[1]), np.uint64(box[3])):
            row[x] = np.uint8(np.uint16(np.uint16(row[x]) * part) >> np.uint16(8))


@numba.njit(cache=True, nogil=True)
def _source(bitmaps, g, y0, x0, sine, cosine, zoom, slope):
    """Return where a letter's samples lie in its bitmap, as in `warp_kernel`, and the turn that bounds its region."""
    height, width = bitmaps.shapes[g, 0], bitmaps.shapes[g, 1]
    s, c = (sine << 16) // zoom, (cosine << 16) // zoom
    column = ((width - 1) << 15) + ((s * y0 - c * x0) >> 16)
    row = ((height - 1) << 15) - ((s * x0 + c * y0) >> 16)
    corner = bitmaps.first[g] + 2 * (width + 3) + 2
    source = warp_kernel.Source(corner, height, width, s, c, -(c * slope >> 16) - s, c - (s * slope >> 16), column, row)
    bound = warp_kernel.Source(corner, height, width, sine * zoom >> 16, cosine * zoom >> 16, 0, 0, 0, 0)
    return source, bound


@numba.njit(cache=True, nogil=True)
def _cover(bitmaps, scales, letters, n, g, place, turn, zoom, slope, tables, scratch, ready, cover):
    """Write the shares of a letter, and return its box.

    place : y and x of its centre, in 1/65536 px before shear and scale
    ready : (1,) int64, the row of `scales` that the waves in `scratch` belong to, or -1
    """
    scale, wave = letters.scale[n], letters.wave[n]
    rows, columns = scales.sizes[scale, 0], scales.sizes[scale, 1]
    # A letter that is made much smaller has more samples.
    number = scale + (len(scales.sizes) if zoom * scales.percents[scale] < ONE * DENSE else 0)
    side, places = scales.dense[number], scales.places[number]
    factor = (side * scales.percents[scale] << 16) // 100
    high, wide = wave[0] * ONE // 10, wave[1] * ONE // 10
    picture = warp_kernel.Picture(rows, columns, side, factor, slope, high, wide)
    if ready[0] != number:
        warp_kernel.shift(tables.sines, high, wave[3], wave[2], places, columns * side, scratch.down)
        warp_kernel.shift(tables.sines, wide, wave[4], wave[2], places, rows * side, scratch.across)
        ready[0] = number
    source, bound = _source(bitmaps, g, place[0], place[1], turn[0], turn[1], zoom, slope)
    region = warp_kernel.find_region(bound, picture, place[0], place[1])
    if region.right <= region.left:
        return -1, -1, -1, -1
    return warp_kernel.draw_letter(bitmaps.texels, source, region, picture, places, scratch, cover)


@numba.njit(cache=True, nogil=True)
def _paint_cover(planes, cover, box, ink, colour):
    """Cover a picture by the shares of a letter in its box, and set them back to 0."""
    if box[0] < 0:
        return
    if ink < 100:
        _faded(cover, box, ink)
    for c in range(planes.shape[0]):
        for y in range(box[0], box[2]):
            blend_row(planes[c, y], cover[y], box[1], box[3], colour[c])
    for y in range(box[0], box[2]):
        cover[y, box[1] : box[3]] = 0


@numba.njit(cache=True, nogil=True)
def _shade(planes, key, percent, row, colour):
    """Cover a picture with shares that are linear between four corners of 0 to `percent` each."""
    _, rows, columns = planes.shape
    most = percent * 255 // 100 + 1
    one, two = strokes.chance(key, 0, most) << 16, strokes.chance(key, 1, most) << 16
    three, four = strokes.chance(key, 2, most) << 16, strokes.chance(key, 3, most) << 16
    for y in range(rows):
        start, stop = one + (two - one) * y // rows, three + (four - three) * y // rows
        level, step = np.int32(start), np.int32((stop - start) // columns)
        for x in range(np.uint64(columns)):
            row[x] = np.uint8(np.int32(level + np.int32(step * np.int32(x))) >> np.int32(16))
        for c in range(planes.shape[0]):
            blend_row(planes[c, y], row, 0, columns, colour[c])


@numba.njit(cache=True, nogil=True)
def _hatch(planes, key, period, width, ink, tables, row, colour):
    """Draw parallel lines over a picture, turned by a chance."""
    _, rows, columns = planes.shape
    number = strokes.chance(key, HATCH, len(tables.sines))
    turn = tables.sines[number], tables.sines[(number + len(tables.sines) // 4) % len(tables.sines)]
    pattern = grounds.pattern_of(turn, period, width, key)
    part = np.uint16(ink * 256 // 100)
    for y in range(rows):
        grounds.stripes(pattern, y, row, columns, False)
        for x in range(np.uint64(columns)):
            row[x] = np.uint8(np.uint16(np.uint16(row[x]) * part) >> np.uint16(8))
        for c in range(planes.shape[0]):
            blend_row(planes[c, y], row, 0, columns, colour[c])


@numba.njit(cache=True, nogil=True)
def _lay_ground(planes, pictures, n, letters, scales, row, nodes):
    """Draw a picture's ground."""
    numbers = pictures.numbers[n]
    if numbers[GROUND] == grounds.TILES:
        scale, slope, count = letters.scale[n], letters.slope[n], 0
        percent = scales.percents[scale]
        for k in range(letters.glyph.shape[1]):
            if letters.glyph[n, k] < 0:
                break
            count += 1
            if k:
                y = letters.centre[n, k, 0] + letters.centre[n, k - 1, 0]
                x = letters.centre[n, k, 1] + letters.centre[n, k - 1, 1] + (slope * y >> 16)
                nodes[k - 1] = x * percent // 12_800
        grounds.draw_tiles(planes, nodes, count, pictures.tile[n])
        return
    pattern = grounds.pattern_of(
        pictures.turn[n], max(4, numbers[GROUND_SIZE]), numbers[GROUND_WIDTH], pictures.paint[n]
    )
    grounds.draw_ground(planes, numbers[GROUND], pattern, pictures.paint[n], pictures.ground[n], row, nodes)


@numba.njit(cache=True, nogil=True)
def _draw_strokes(planes, key, straight, bent, numbers, tables, colours):
    """Draw lines and arcs."""
    ink = numbers[LINE_INK] * 255 // 100
    for k in range(straight + bent):
        place = strokes.STROKE + strokes.A_STROKE * k
        strokes.stroke(
            planes, key, place, k >= straight, numbers[LINE_WIDTH], ink, tables.thickness, colours[k % LINES]
        )


@numba.njit(cache=True, nogil=True)
def _draw_under(planes, pictures, n, tables, row):
    """Draw what lies between ground and letters, but for decoys."""
    numbers, key, colours = pictures.numbers[n], pictures.paint[n], pictures.line[n]
    if numbers[BACKGROUND]:
        _shade(planes, pictures.noise[n], numbers[BACKGROUND], row, pictures.letter[n, 0])
    if numbers[HATCHING] >= 4:
        _hatch(planes, key, numbers[HATCHING], numbers[HATCHING_WIDTH], numbers[HATCHING_INK], tables, row, colours[0])
    ink = numbers[SHAPE_INK] * 255 // 100
    for k in range(numbers[ELLIPSES]):
        place = strokes.ELLIPSE + strokes.AN_ELLIPSE * k
        strokes.ellipse(
            planes, key, place, numbers[RINGS], numbers[SHAPE_WIDTH], ink, tables.chords, colours[k % LINES]
        )
    for k in range(numbers[CROSSES]):
        place = strokes.CROSS + strokes.A_CROSS * k
        strokes.cross(planes, key, place, numbers[SHAPE_WIDTH], ink, tables.thickness, tables.sines, colours[k % LINES])
    _draw_strokes(planes, key, numbers[LINES_UNDER], numbers[ARCS_UNDER], numbers, tables, colours)


@numba.njit(cache=True, nogil=True)
def _draw_decoys(planes, pictures, n, letters, bitmaps, scales, tables, scratch, ready, cover):
    """Draw small letters under the text."""
    numbers, key, percent = pictures.numbers[n], pictures.paint[n], scales.percents[letters.scale[n]]
    rows, columns = planes.shape[1] * 100 // percent, planes.shape[2] * 100 // percent
    for k in range(numbers[DECOYS]):
        place = DECOY + A_DECOY * k
        g = letters.decoys[strokes.chance(key, place, len(letters.decoys))]
        y, x = strokes.chance(key, place + 1, rows * ONE), strokes.chance(key, place + 2, columns * ONE)
        number = (strokes.chance(key, place + 3, len(tables.sines) // 6) - len(tables.sines) // 12) % len(tables.sines)
        turn = tables.sines[number], tables.sines[(number + len(tables.sines) // 4) % len(tables.sines)]
        zoom = numbers[DECOY_SIZE] * ONE // 100
        box = _cover(bitmaps, scales, letters, n, g, (y, x), turn, zoom, 0, tables, scratch, ready, cover)
        _paint_cover(planes, cover, box, numbers[DECOY_INK], pictures.line[n, k % LINES])


@numba.njit(cache=True, nogil=True)
def _draw_letters(planes, pictures, n, letters, bitmaps, scales, tables, scratch, ready, cover, boxes):
    """Draw shadows and letters; boxes : (L, 4) int16, written."""
    numbers = pictures.numbers[n]
    for front in (False, True):
        if not front and numbers[SHADOW] == 0:
            continue
        for k in range(letters.glyph.shape[1]):
            if letters.glyph[n, k] < 0:
                break
            g = letters.glyph[n, k] if front else letters.behind[n, k]
            y, x = letters.centre[n, k, 0] << 10, letters.centre[n, k, 1] << 10
            if not front:
                y += numbers[SHADOW_Y] * ONE
                x += numbers[SHADOW_X] * ONE - (letters.slope[n] * numbers[SHADOW_Y])
            turn = letters.turn[n, k, 0], letters.turn[n, k, 1]
            box = _cover(
                bitmaps, scales, letters, n, g, (y, x), turn, letters.zoom[n, k], letters.slope[n], tables, scratch,
                ready, cover,
            )  # fmt: skip
            if front:
                boxes[k] = box
                _paint_cover(planes, cover, box, 100, pictures.letter[n, k])
            else:
                _paint_cover(planes, cover, box, numbers[SHADOW_INK], pictures.shadow[n, k])


@numba.njit(cache=True, nogil=True)
def _draw_over(planes, pictures, n, tables, boxes):
    """Draw what lies over the letters."""
    numbers, key, colours = pictures.numbers[n], pictures.noise[n], pictures.line[n]
    _draw_strokes(planes, key, numbers[LINES_OVER], numbers[ARCS_OVER], numbers, tables, colours)
    top, left, bottom, right = 1 << 20, 1 << 20, 0, 0
    for k in range(len(boxes)):
        if boxes[k, 0] >= 0:
            top, left = min(top, boxes[k, 0]), min(left, boxes[k, 1])
            bottom, right = max(bottom, boxes[k, 2]), max(right, boxes[k, 3])
    for k in range(numbers[STRIKES]):
        place = strokes.STRIKE + strokes.A_STRIKE * k
        strokes.strike(
            planes, pictures.paint[n], place, (top, left, bottom, right), numbers[STRIKE_WIDTH],
            numbers[STRIKE_INK] * 255 // 100, tables.thickness, tables.sines, colours[k % LINES],
        )  # fmt: skip
    for k in range(numbers[SPECKS]):
        place = strokes.SPECK + strokes.A_SPECK * k
        strokes.speck(planes, key, place, numbers[LINE_INK] * 255 // 100, pictures.speck[n, k % LINES])
    if numbers[SALT]:
        strokes.grains(planes, pictures.paint[n], numbers[SALT])


@numba.njit(cache=True, nogil=True)
def _filter(planes, numbers, soft, desk):
    """Make a finished picture coarse, soft or sharp, and print it with few levels."""
    for c in range(planes.shape[0]):
        if numbers[COARSE] > 1:
            filters.coarsen(planes[c], numbers[COARSE], desk.totals)
        for _ in range(numbers[BLUR]):
            blur(planes[c], desk.above, desk.here, desk.sums)
        if numbers[SHARPEN]:
            filters.sharpen(planes[c], numbers[SHARPEN], soft, desk.above, desk.here, desk.sums)
        if numbers[HALFTONE] > 1:
            filters.print_levels(planes[c], numbers[HALFTONE])


@numba.njit(cache=True, nogil=True)
def paint(pictures, letters, bitmaps, scales, tables, images, boxes):
    """Paint a picture for each row of `letters`.

    bitmaps : warp_kernel.Bitmaps
    scales : warp_kernel.Scales, with more samples a pixel in the second half of `dense` and `places`
    images : (n, H, W, C) uint8 and boxes : (n, L, 4) int16, written
    """
    _, height, width, channels = images.shape
    scratch = warp_kernel.make_scratch(scales.places.shape[1])
    desk = _Desk(
        np.zeros(channels * height * width, np.uint8), np.zeros(height * width, np.uint8), np.zeros(width, np.uint8),
        np.zeros(width + 64, np.int64), np.zeros(width, np.uint8), np.zeros(width, np.uint8),
        np.zeros(width + 2, np.uint16), np.zeros(width, np.int32),
    )  # fmt: skip
    ready = np.full(1, -1, np.int64)
    boxes[:] = -1
    for n in range(len(images)):
        rows, columns = scales.sizes[letters.scale[n], 0], scales.sizes[letters.scale[n], 1]
        # As large as the picture, so that the compiler knows their pixels to lie side by side.
        planes = desk.planes[: channels * rows * columns].reshape((channels, rows, columns))
        cover, numbers = desk.cover[: rows * columns].reshape((rows, columns)), pictures.numbers[n]
        ready[0] = -1
        _lay_ground(planes, pictures, n, letters, scales, desk.row, desk.nodes)
        _draw_under(planes, pictures, n, tables, desk.row)
        if numbers[DECOYS]:
            _draw_decoys(planes, pictures, n, letters, bitmaps, scales, tables, scratch, ready, cover)
        _draw_letters(planes, pictures, n, letters, bitmaps, scales, tables, scratch, ready, cover, boxes[n])
        _draw_over(planes, pictures, n, tables, boxes[n])
        _filter(planes, numbers, cover, desk)
        if numbers[SHARPEN]:
            cover[:] = 0
        interleave(planes, images[n], pictures.ground[n, 0])

"""The painting kernel: ground, noise under the letters, shadows, letters, noise over them, filters; picture by picture.

The chances of strokes over the letters and of specks follow from the key `noise`, all others from `paint`; `grounds`,
`strokes` and the constants below list which chance is used where.
"""

from typing import NamedTuple

import numba
import numpy as np

from tasks.drawing import warp_kernel
from tasks.drawing.noise_kernel import blur
from tasks.drawing.painting import bending, filters, grounds, strokes
from tasks.drawing.painting.blending import blend_row, channels, fade, interleave
from tasks.drawing.painting.covering import Bench, Look, lay, sample
from tasks.drawing.resampling import ONE

LINES = 8  # colours that strokes have in turn
# Columns of `Pictures.numbers`.
NUMBERS = (
    "ground", "ground_size", "ground_width", "background", "lines_under", "arcs_under", "lines", "arcs", "line_width",
    "line_ink", "specks", "strikes", "strike_width", "strike_ink", "ellipses", "rings", "crosses", "shape_width",
    "shape_ink", "hatching", "hatching_width", "hatching_ink", "decoys", "decoy_size", "decoy_ink", "shadow",
    "shadow_y", "shadow_x", "shadow_ink", "salt", "coarse", "blur", "sharpen", "halftone", "letter_ink",
    "speck_size", "blots", "blot_size", "slashes", "slash_width", "frame_y", "frame_x",
    "curves", "curve_width", "curve_ink", "curve_dash", "lenses", "lens_y", "lens_x", "lens_power", "lens_turn",
    "segments", "segments_under", "segment_width", "segment_ink", "segment_length",
)  # fmt: skip
(
    GROUND, GROUND_SIZE, GROUND_WIDTH, BACKGROUND, LINES_UNDER, ARCS_UNDER, LINES_OVER, ARCS_OVER, LINE_WIDTH,
    LINE_INK, SPECKS, STRIKES, STRIKE_WIDTH, STRIKE_INK, ELLIPSES, RINGS, CROSSES, SHAPE_WIDTH,
    SHAPE_INK, HATCHING, HATCHING_WIDTH, HATCHING_INK, DECOYS, DECOY_SIZE, DECOY_INK, SHADOW,
    SHADOW_Y, SHADOW_X, SHADOW_INK, SALT, COARSE, BLUR, SHARPEN, HALFTONE, LETTER_INK,
    SPECK_SIZE, BLOTS, BLOT_SIZE, SLASHES, SLASH_WIDTH, FRAME_Y, FRAME_X,
    CURVES, CURVE_WIDTH, CURVE_INK, CURVE_DASH, LENSES, LENS_Y, LENS_X, LENS_POWER, LENS_TURN,
    SEGMENTS, SEGMENTS_UNDER, SEGMENT_WIDTH, SEGMENT_INK, SEGMENT_LENGTH,
) = range(len(NUMBERS))  # fmt: skip
# Chances of the key `paint`, beside those in `grounds` and `strokes`: the turn of hatching, and the decoys'.
HATCH, DECOY, A_DECOY = 8, 1 << 15, 8
LEAST_PERIOD = 4  # pixels from line to line; less is no hatching


class Pictures(NamedTuple):
    """The values of n pictures.

    numbers : (n, 56) int64, see `NUMBERS`; inks and widths as profiles have them, `shadow` is 1 with a shadow
    noise, paint : (n,) uint64, keys of the chances
    ground : (n, 2, C) uint8, colours of the ground and its pattern; tile, letter, shadow : (n, L, C) uint8
    line, speck : (n, 8, C) uint8; frame : (n, 1, C) uint8
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
    frame: np.ndarray
    turn: np.ndarray


class _Rows(NamedTuple):
    """Scratch of a row."""

    shares: np.ndarray  # (W,) uint8
    nodes: np.ndarray  # (W + 64,) int64
    above: np.ndarray  # (W,) uint8
    here: np.ndarray  # (W,) uint8
    sums: np.ndarray  # (W + 2,) uint16
    totals: np.ndarray  # (W,) int32


@numba.njit(cache=True, nogil=True)
def _shade(planes, key, percent, shares, colour):
    """Cover a picture with shares that are linear between four corners of 0 to `percent` each."""
    _, rows, columns = planes.shape
    most = percent * 255 // 100 + 1
    one, two = strokes.chance(key, 0, most) << 16, strokes.chance(key, 1, most) << 16
    three, four = strokes.chance(key, 2, most) << 16, strokes.chance(key, 3, most) << 16
    for y in range(rows):
        start, stop = one + (two - one) * y // rows, three + (four - three) * y // rows
        level, step = np.int32(start), np.int32((stop - start) // columns)
        for x in range(np.uint64(columns)):
            shares[x] = np.uint8(np.int32(level + np.int32(step * np.int32(x))) >> np.int32(16))
        blend_row(planes, y, shares, colour)


@numba.njit(cache=True, nogil=True)
def _turn(tables, number):
    """Return sine and cosine of step `number` of a turn."""
    steps = len(tables.sines)
    return tables.sines[number % steps], tables.sines[(number + steps // 4) % steps]


@numba.njit(cache=True, nogil=True)
def _hatch(planes, key, numbers, tables, shares, colour):
    """Draw parallel lines over a picture, turned by a chance."""
    turn = _turn(tables, strokes.chance(key, HATCH, len(tables.sines)))
    pattern = grounds.pattern_of(turn, numbers[HATCHING], numbers[HATCHING_WIDTH], key)
    ink = numbers[HATCHING_INK]
    for y in range(planes.shape[1]):
        grounds.stripes(pattern, y, shares, planes.shape[2], False)
        for x in range(np.uint64(planes.shape[2])):
            shares[x] = fade(shares[x], ink)
        blend_row(planes, y, shares, colour)


@numba.njit(cache=True, nogil=True)
def _lay_ground(planes, pictures, n, letters, percent, rows):
    """Draw a picture's ground; `percent` is the picture's scale."""
    numbers, count = pictures.numbers[n], 0
    if numbers[GROUND] != grounds.TILES:
        pattern = grounds.pattern_of(
            (pictures.turn[n, 0], pictures.turn[n, 1]), max(4, numbers[GROUND_SIZE]), numbers[GROUND_WIDTH],
            pictures.paint[n],
        )  # fmt: skip
        grounds.draw_ground(
            planes, numbers[GROUND], pattern, pictures.paint[n], pictures.ground[n], rows.shares, rows.nodes
        )
        return
    for k in range(letters.glyph.shape[1]):
        if letters.glyph[n, k] < 0:
            break
        count += 1
        if k:  # a field ends between two letters' centres, as they stand in the sheared picture
            y = letters.centre[n, k, 0] + letters.centre[n, k - 1, 0]
            x = letters.centre[n, k, 1] + letters.centre[n, k - 1, 1] + (letters.slope[n] * y >> 16)
            rows.nodes[k - 1] = x * percent // 12_800
    grounds.draw_tiles(planes, rows.nodes, count, pictures.tile[n])


@numba.njit(cache=True, nogil=True)
def _draw_strokes(planes, key, straight, bent, numbers, tables, colours):
    """Draw lines and arcs."""
    ink = numbers[LINE_INK] * 255 // 100
    for k in range(straight + bent):
        pen = strokes.Pen(numbers[LINE_WIDTH], ink, channels(colours[k % LINES]))
        strokes.stroke(planes, key, strokes.STROKE + strokes.A_STROKE * k, k >= straight, tables.thickness, pen)


@numba.njit(cache=True, nogil=True)
def _draw_segments(planes, key, spans, numbers, tables, colours):
    """Draw the segments from one number on, and how many."""
    ink = numbers[SEGMENT_INK] * 255 // 100
    for k in range(spans[0], spans[0] + spans[1]):
        pen = strokes.Pen(numbers[SEGMENT_WIDTH], ink, channels(colours[k % LINES]))
        strokes.segment(planes, key, strokes.SEGMENT + strokes.A_SEGMENT * k, numbers[SEGMENT_LENGTH], tables, pen)


@numba.njit(cache=True, nogil=True)
def _draw_under(planes, pictures, n, tables, shares):
    """Draw what lies between ground and letters, but for decoys."""
    numbers, key, colours = pictures.numbers[n], pictures.paint[n], pictures.line[n]
    if numbers[BACKGROUND]:
        _shade(planes, pictures.noise[n], numbers[BACKGROUND], shares, pictures.letter[n, 0])
    if numbers[HATCHING] >= LEAST_PERIOD:
        _hatch(planes, key, numbers, tables, shares, colours[0])
    ink = numbers[SHAPE_INK] * 255 // 100
    for k in range(numbers[ELLIPSES]):
        pen = strokes.Pen(numbers[SHAPE_WIDTH], ink, channels(colours[k % LINES]))
        strokes.ellipse(planes, key, strokes.ELLIPSE + strokes.AN_ELLIPSE * k, numbers[RINGS], tables.chords, pen)
    for k in range(numbers[CROSSES]):
        pen = strokes.Pen(numbers[SHAPE_WIDTH], ink, channels(colours[k % LINES]))
        strokes.cross(planes, key, strokes.CROSS + strokes.A_CROSS * k, tables, pen)
    _draw_strokes(planes, key, numbers[LINES_UNDER], numbers[ARCS_UNDER], numbers, tables, colours)
    _draw_segments(planes, key, (numbers[SEGMENTS], numbers[SEGMENTS_UNDER]), numbers, tables, colours)


@numba.njit(cache=True, nogil=True)
def _draw_decoys(planes, pictures, n, letters, bench, tables, shares):
    """Draw small letters under the text."""
    numbers, key, scale, steps = pictures.numbers[n], pictures.paint[n], letters.scale[n], len(tables.sines)
    percent = bench.scales.percents[scale]
    rows, columns = planes.shape[1] * 100 // percent, planes.shape[2] * 100 // percent
    for k in range(numbers[DECOYS]):
        place = DECOY + A_DECOY * k
        g = tables.decoys[strokes.chance(key, place, len(tables.decoys))]
        y, x = strokes.chance(key, place + 1, rows * ONE), strokes.chance(key, place + 2, columns * ONE)
        turn = _turn(tables, strokes.chance(key, place + 3, steps // 6) - steps // 12)
        zoom = numbers[DECOY_SIZE] * ONE // 100
        look = Look(g, y, x, turn[0], turn[1], 0, zoom, zoom, 0)
        box = sample(bench, shares, scale, letters.wave[n], look)
        lay(planes, shares, box, numbers[DECOY_INK], pictures.line[n, k % LINES])


@numba.njit(cache=True, nogil=True)
def _draw_letters(planes, pictures, n, letters, bench, tables, shares, boxes):
    """Draw shadows and letters; boxes : (n, L, 4) int16, written."""
    numbers, slope, scale, wave = pictures.numbers[n], letters.slope[n], letters.scale[n], letters.wave[n]
    bends = numbers[LENSES] > 0 or letters.corners[n].any()
    laid = bench.bend.shares[: shares.size].reshape(shares.shape) if bends else shares
    if bends:
        lenses = bending.Lenses(
            numbers[LENSES], numbers[LENS_Y], numbers[LENS_X], numbers[LENS_POWER], numbers[LENS_TURN]
        )  # fmt: skip
        bending.set_lenses(bench.bend, pictures.paint[n], lenses, tables.sines, shares.shape)
    for layer in range(0 if numbers[SHADOW] else 1, 2):
        for k in range(letters.glyph.shape[1]):
            if letters.glyph[n, k] < 0:
                break
            y, x, g = letters.centre[n, k, 0] << 10, letters.centre[n, k, 1] << 10, letters.glyph[n, k]
            if layer == 0:
                y += numbers[SHADOW_Y] * ONE
                x += numbers[SHADOW_X] * ONE - slope * numbers[SHADOW_Y]
                g = letters.behind[n, k]
            form = letters.zoom[n, k], letters.tall[n, k], letters.lean[n, k]
            look = Look(g, y, x, letters.turn[n, k, 0], letters.turn[n, k, 1], slope, *form)
            box = sample(bench, shares, scale, wave, look)
            if bends:
                box = bending.bend_letter(bench.bend, shares, box, pictures.paint[n], k, letters.corners[n, k])
            if layer == 0:
                lay(planes, laid, box, numbers[SHADOW_INK], pictures.shadow[n, k])
            else:
                boxes[n, k] = box
                lay(planes, laid, box, numbers[LETTER_INK], pictures.letter[n, k])
                if numbers[SLASHES] and box[0] >= 0:
                    pen = strokes.Pen(numbers[SLASH_WIDTH], 255, channels(pictures.letter[n, k]))
                    strokes.slash(planes, pictures.paint[n], k, box, numbers[SLASHES], tables, pen)


@numba.njit(cache=True, nogil=True)
def _draw_over(planes, pictures, n, tables, shares, boxes):
    """Draw what lies over the letters; boxes : (n, L, 4) int16."""
    numbers, key, colours = pictures.numbers[n], pictures.noise[n], pictures.line[n]
    _draw_strokes(planes, key, numbers[LINES_OVER], numbers[ARCS_OVER], numbers, tables, colours)
    top, left, bottom, right = 1 << 20, 1 << 20, 0, 0
    for k in range(boxes.shape[1] if numbers[STRIKES] else 0):
        if boxes[n, k, 0] >= 0:
            top, left = min(top, boxes[n, k, 0]), min(left, boxes[n, k, 1])
            bottom, right = max(bottom, boxes[n, k, 2]), max(right, boxes[n, k, 3])
    ink = numbers[STRIKE_INK] * 255 // 100
    for k in range(numbers[STRIKES]):
        pen = strokes.Pen(numbers[STRIKE_WIDTH], ink, channels(colours[k % LINES]))
        place = strokes.STRIKE + strokes.A_STRIKE * k
        strokes.strike(planes, pictures.paint[n], place, (top, left, bottom, right), tables, pen)
    for k in range(numbers[CURVES]):
        place = strokes.CURVE + strokes.A_CURVE * k
        box = strokes.curve(shares, pictures.paint[n], place, numbers[CURVE_WIDTH], numbers[CURVE_DASH])
        lay(planes, shares, box, numbers[CURVE_INK], colours[k % LINES])
    _draw_segments(planes, pictures.paint[n], (0, numbers[SEGMENTS]), numbers, tables, colours)
    ink = numbers[LINE_INK] * 255 // 100
    for k in range(numbers[SPECKS]):
        pen = strokes.Pen(1, ink, channels(pictures.speck[n, k % LINES]))
        strokes.speck(planes, key, strokes.SPECK + strokes.A_SPECK * k, numbers[SPECK_SIZE], pen)
    for k in range(numbers[BLOTS]):
        place, colour = strokes.BLOT + strokes.A_BLOT * k, channels(pictures.speck[n, k % LINES])
        strokes.blot(planes, pictures.paint[n], place, numbers[BLOT_SIZE], tables.chords, colour)
    if numbers[SALT]:
        strokes.grains(planes, pictures.paint[n], numbers[SALT])
    if numbers[FRAME_Y] or numbers[FRAME_X]:
        strokes.frame(planes, numbers[FRAME_Y], numbers[FRAME_X], pictures.frame[n, 0])


@numba.njit(cache=True, nogil=True)
def _filter(planes, numbers, soft, rows):
    """Make a finished picture coarse, soft or sharp, and print it with few levels; soft : a plane of 0, scratch."""
    for c in range(planes.shape[0]):
        if numbers[COARSE] > 1:
            filters.coarsen(planes[c], numbers[COARSE], rows.totals)
        for _ in range(numbers[BLUR]):
            blur(planes[c], rows.above, rows.here, rows.sums)
        if numbers[SHARPEN]:
            filters.sharpen(planes[c], numbers[SHARPEN], soft, rows.above, rows.here, rows.sums)
    if numbers[SHARPEN]:
        soft[:] = 0
    if numbers[HALFTONE] > 1:
        filters.print_levels(planes, numbers[HALFTONE])


@numba.njit(cache=True, nogil=True)
def paint(pictures, letters, bitmaps, scales, tables, images, boxes):
    """Paint a picture for each row of `letters`.

    bitmaps, scales : see `covering.Bench`
    images : (n, H, W, C) uint8 and boxes : (n, L, 4) int16, written
    """
    _, height, width, channels = images.shape
    bench = Bench(
        bitmaps, scales, tables.sines, warp_kernel.make_scratch(scales.places.shape[1]),
        np.zeros(height * width, np.uint8), np.full(1, -1, np.int64), bending.make_bend(height, width),
    )  # fmt: skip
    rows = _Rows(
        np.zeros(width, np.uint8), np.zeros(width + 64, np.int64), np.zeros(width, np.uint8),
        np.zeros(width, np.uint8), np.zeros(width + 2, np.uint16), np.zeros(width, np.int32),
    )  # fmt: skip
    canvas = np.zeros(channels * height * width, np.uint8)
    boxes[:] = -1
    for n in range(len(images)):
        scale, numbers = letters.scale[n], pictures.numbers[n]
        tall, wide = scales.sizes[scale, 0], scales.sizes[scale, 1]
        # As large as the picture, so that the compiler knows that its pixels lie side by side.
        planes = canvas[: channels * tall * wide].reshape((channels, tall, wide))
        shares = bench.shares[: tall * wide].reshape((tall, wide))
        bench.ready[0] = -1
        _lay_ground(planes, pictures, n, letters, scales.percents[scale], rows)
        _draw_under(planes, pictures, n, tables, rows.shares)
        if numbers[DECOYS]:
            _draw_decoys(planes, pictures, n, letters, bench, tables, shares)
        _draw_letters(planes, pictures, n, letters, bench, tables, shares, boxes)
        _draw_over(planes, pictures, n, tables, shares, boxes)
        _filter(planes, numbers, shares, rows)
        interleave(planes, images[n], pictures.ground[n, 0])

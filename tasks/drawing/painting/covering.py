"""Cover a picture by letters: each is sampled as in the general kernel, into shares, and then laid in its colour."""

from typing import NamedTuple

import numba
import numpy as np

from tasks.drawing import warp_kernel
from tasks.drawing.bilinear import BORDER
from tasks.drawing.painting.bending import Bend
from tasks.drawing.painting.blending import blend_box, fade, widened
from tasks.drawing.resampling import DENSE, ONE


class Letters(NamedTuple):
    """The letters of n pictures and how each is drawn, as in `warp_kernel.Letters`, but in 1/64 px and with a size.

    glyph, behind : (n, L) int64, numbers of the bitmaps of letters and of their shadows
    centre : (n, L, 2) int64, in 1/64 px
    zoom, tall : (n, L) int64, in 1/65536, of a letter's width and its height
    lean : (n, L) int64, the tangent of the angle by which it leans, in 1/65536
    corners : (n, L) int64, percent by which its corners are moved at most
    """

    glyph: np.ndarray
    behind: np.ndarray
    centre: np.ndarray
    turn: np.ndarray
    zoom: np.ndarray
    tall: np.ndarray
    lean: np.ndarray
    slope: np.ndarray
    scale: np.ndarray
    wave: np.ndarray
    corners: np.ndarray


class Bench(NamedTuple):
    """What sampling needs: tables, and scratch.

    bitmaps, scales : as the general kernel has them; the second half of `scales.dense` and `scales.places` has more
        samples a pixel, for letters that are made much smaller
    sines : (4096,) int64
    shares : (H * W,) uint8, 0 between letters
    ready : (1,) int64, the row of `scales.places` that the waves in `scratch` belong to, or -1
    bend : scratch of letters that are bent
    """

    bitmaps: warp_kernel.Bitmaps
    scales: warp_kernel.Scales
    sines: np.ndarray
    scratch: warp_kernel.Scratch
    shares: np.ndarray
    ready: np.ndarray
    bend: Bend


class Look(NamedTuple):
    """How a letter is drawn: its bitmap, its centre in 1/65536 px, its turn and shear, its size; all in 1/65536.

    It is made larger, across by `zoom` and down by `tall`, then leant, then turned, then sheared with the others.
    """

    glyph: int
    y: int
    x: int
    sine: int
    cosine: int
    slope: int
    zoom: int
    tall: int
    lean: int


@numba.njit(cache=True, nogil=True)
def _sources(bitmaps, look):
    """Return where a letter's samples lie in its bitmap, and a source with the turn that bounds its region."""
    height, width = bitmaps.shapes[look.glyph, 0], bitmaps.shapes[look.glyph, 1]
    across, down, lean, m = look.zoom, look.tall, look.lean, look.slope
    # What is done to the letter is undone here, backwards: u = c x - s y is its column, v = t x + d y its row.
    s = ((look.sine + (lean * look.cosine >> 16)) << 16) // across
    c = ((look.cosine - (lean * look.sine >> 16)) << 16) // across
    t, d = (look.sine << 16) // down, (look.cosine << 16) // down
    column = ((width - 1) << 15) + ((s * look.y - c * look.x) >> 16)
    row = ((height - 1) << 15) - ((t * look.x + d * look.y) >> 16)
    corner = bitmaps.first[look.glyph] + BORDER * (width + 3) + BORDER
    source = warp_kernel.Source(corner, height, width, t, c, -(c * m >> 16) - s, d - (t * m >> 16), column, row)
    # A bitmap that holds the letter as it leans; with a pixel more above and below, which is stretched too.
    high = ((height + 1) * down + across - 1) // across - 1
    wide = width + ((abs(lean) * (high + 1) + ONE - 1) >> 16)
    s, c = look.sine * across >> 16, look.cosine * across >> 16
    return source, warp_kernel.Source(corner, high, wide, s, c, 0, 0, 0, 0)


@numba.njit(cache=True, nogil=True, inline="always")
def sample(bench, shares, scale, wave, look):
    """Write the shares of a letter, (rows, columns) uint8, and return its box; -1 four times if it has no ink.

    wave : (5,) int64, see `warp_kernel.Letters`
    """
    scales, scratch = bench.scales, bench.scratch
    rows, columns = shares.shape
    number = scale + (len(scales.sizes) if min(look.zoom, look.tall) * scales.percents[scale] < ONE * DENSE else 0)
    side, places = scales.dense[number], scales.places[number]
    factor = (side * scales.percents[scale] << 16) // 100
    high, wide = wave[0] * ONE // 10, wave[1] * ONE // 10
    if bench.ready[0] != number:
        warp_kernel.shift(bench.sines, high, wave[3], wave[2], places, columns * side, scratch.down)
        warp_kernel.shift(bench.sines, wide, wave[4], wave[2], places, rows * side, scratch.across)
        bench.ready[0] = number
    picture = warp_kernel.Picture(rows, columns, side, factor, look.slope, high, wide)
    source, bound = _sources(bench.bitmaps, look)
    region = warp_kernel.find_region(bound, picture, look.y, look.x)
    if region.right <= region.left or region.bottom <= region.top:
        return -1, -1, -1, -1
    return warp_kernel.draw_letter(bench.bitmaps.texels, source, region, picture, places, scratch, shares)


@numba.njit(cache=True, nogil=True)
def lay(planes, shares, box, ink, colour):
    """Cover a picture by the shares in a letter's box, reduced to `ink` percent, and set them back to 0."""
    if box[0] < 0:
        return
    if ink < 100:
        for y in range(np.uint64(box[0]), np.uint64(box[2])):
            for x in range(np.uint64(box[1]), np.uint64(box[3])):
                shares[y, x] = fade(shares[y, x], ink)
    blend_box(planes, shares, widened(box, shares.shape[1]), colour)
    for y in range(np.uint64(box[0]), np.uint64(box[2])):
        for x in range(np.uint64(box[1]), np.uint64(box[3])):
            shares[y, x] = 0

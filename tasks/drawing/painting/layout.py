"""Set each text into its picture by its own size: smaller where it is too large, and where the profile wants it."""

from typing import NamedTuple

import numba
import numpy as np

from storage.errors import BadInput
from tasks.profiles.profile import Profile

PEN = 64  # units of a pixel in which letters are placed
_TRIES = 12


class Faces(NamedTuple):
    """Tables of all faces, letters counted alone: letter a of face f is glyph f * A + a.

    advance : (F, A) int64, kerning : (F, A, A) int64, in 1/64 px
    corners, shapes : (G, 2) int64, in pixels, of bitmaps as the font has them; corners count from the line
    reach : (G, angles, 2) int64, see `tasks.drawing.outlines.ink_columns`; one angle if letters stand by their advance
    """

    advance: np.ndarray
    kerning: np.ndarray
    corners: np.ndarray
    shapes: np.ndarray
    reach: np.ndarray


class Wanted(NamedTuple):
    """How the letters of n pictures are to stand.

    letter, face, angle : (n, L) int64; -1 for a letter past the end; the angle's number in `Faces.reach`
    turn : (n, L, 2) int64, sine and cosine in 1/65536
    zoom : (n, L) int64, in 1/65536
    stretch : (n, L) int64, percent of a letter's height
    move : (n, L, 2) int64, down and to the right, in pixels
    gap : (n, L) int64, pixels before a letter; if letters are set by their ink, between the inks
    half : (n, L, 2) int64, half the height and width of what is drawn of a bitmap, leant and stretched, in half pixels
    slope : (n,) int64, tangent of the shear in 1/65536
    spare : (n, 4) int64, top, left, bottom, right, in 1/64 px: what waves and shadows take
    place : (n, 2) int64, percent of the room
    """

    letter: np.ndarray
    face: np.ndarray
    angle: np.ndarray
    turn: np.ndarray
    zoom: np.ndarray
    stretch: np.ndarray
    move: np.ndarray
    gap: np.ndarray
    half: np.ndarray
    slope: np.ndarray
    spare: np.ndarray
    place: np.ndarray


@numba.njit(cache=True, nogil=True)
def _line_up(wanted, n, faces, by_ink, centre):
    """Write the letters' centres, (L, 2), in 1/64 px from the first pen, and return their number."""
    pen = 0
    for k in range(wanted.letter.shape[1]):
        letter, face, zoom = wanted.letter[n, k], wanted.face[n, k], wanted.zoom[n, k]
        if letter < 0:
            return k
        g = face * faces.advance.shape[1] + letter
        if by_ink:
            low, high = faces.reach[g, wanted.angle[n, k], 0], faces.reach[g, wanted.angle[n, k], 1]
            if k:
                pen += PEN * wanted.gap[n, k]
            centre[k, 1] = pen - (low * zoom >> 16)
            pen += (high - low) * zoom >> 16
        else:
            if k:
                before = wanted.face[n, k - 1]
                step = faces.advance[before, wanted.letter[n, k - 1]]
                if before == face:
                    step += faces.kerning[face, wanted.letter[n, k - 1], letter]
                pen += (step * wanted.zoom[n, k - 1] >> 16) + PEN * wanted.gap[n, k]
            middle = PEN * faces.corners[g, 1] + PEN // 2 * (faces.shapes[g, 1] - 1)
            centre[k, 1] = pen + (middle * zoom >> 16)
        middle = PEN * faces.corners[g, 0] + PEN // 2 * (faces.shapes[g, 0] - 1)
        centre[k, 0] = (middle * (zoom * wanted.stretch[n, k] // 100) >> 16) + PEN * wanted.move[n, k, 0]
        centre[k, 1] += PEN * wanted.move[n, k, 1]
    return wanted.letter.shape[1]


@numba.njit(cache=True, nogil=True)
def _extent(wanted, n, centre, count, percent):
    """Return the text's top, left, bottom and right at a percentage of its size, sheared, in 1/64 px."""
    slope = wanted.slope[n]
    top, left, bottom, right = 1 << 40, 1 << 40, -1 << 40, -1 << 40
    for k in range(count):
        s, c = wanted.turn[n, k, 0], wanted.turn[n, k, 1]
        # A pixel more on each side, which interpolation may ink.
        tall, wide = (wanted.half[n, k, 0] + 1) * PEN // 2, (wanted.half[n, k, 1] + 1) * PEN // 2
        zoom = wanted.zoom[n, k] * percent // 100
        across = (abs(c - (slope * s >> 16)) * wide + abs(s + (slope * c >> 16)) * tall >> 16) * zoom >> 16
        down = (abs(s) * wide + abs(c) * tall >> 16) * zoom >> 16
        y = centre[k, 0] * percent // 100
        x = centre[k, 1] * percent // 100 + (slope * y >> 16)
        top, bottom = min(top, y - down), max(bottom, y + down)
        left, right = min(left, x - across), max(right, x + across)
    spare = wanted.spare[n]
    return top - spare[0], left - spare[1], bottom + spare[2], right + spare[3]


@numba.njit(cache=True, nogil=True)
def settle(wanted, faces, by_ink, room, centre, fit):
    """Place the letters of n pictures.

    Parameters
    ----------
    by_ink : bool
        Letters are set by their ink, not by their advance.
    room : (4,) int64
        Top, left, height and width of the part of the picture that texts may take, in pixels before scaling.
    centre : (n, L, 2) int64, written
        y and x of the centres before shear and scale, in 1/64 px.
    fit : (n,) int64, written
        Percent of its size at which a text fits into the room; 0 if it fits at none.
    """
    # From the centre of the first pixel to that of the last.
    height, width = PEN * (room[2] - 1), PEN * (room[3] - 1)
    for n in range(len(centre)):
        count = _line_up(wanted, n, faces, by_ink, centre[n])
        percent = 100
        extent = _extent(wanted, n, centre[n], count, percent)
        for _ in range(_TRIES):
            tall, wide = extent[2] - extent[0], extent[3] - extent[1]
            if percent == 0 or (tall <= height and wide <= width):
                break
            percent = max(0, min(percent - 1, percent * height // tall, percent * width // wide))
            extent = _extent(wanted, n, centre[n], count, percent)
        fits = extent[2] - extent[0] <= height and extent[3] - extent[1] <= width
        fit[n] = percent if fits else 0
        down = PEN * room[0] + (height - extent[2] + extent[0]) * wanted.place[n, 0] // 100 - extent[0]
        right = PEN * room[1] + (width - extent[3] + extent[1]) * wanted.place[n, 1] // 100 - extent[1]
        slope = wanted.slope[n]
        for k in range(count):
            before = centre[n, k, 0] * percent // 100
            centre[n, k, 0] = before + down
            # The shear pushes a row by its distance from the top: what `down` adds is taken off again.
            centre[n, k, 1] = (
                centre[n, k, 1] * percent // 100 + (slope * before >> 16) + right - (slope * (before + down) >> 16)
            )


def require_ink(profile: Profile, letters: np.ndarray, boxes: np.ndarray) -> None:
    """Refuse pictures that lack a letter of their text: made so thin or so small that no pixel shows it.

    Parameters
    ----------
    letters : (n, L) int32
        -1 past the end of a text.
    boxes : (n, L, 4) int16
        Of the letters' own ink, -1 without any.

    Raises
    ------
    BadInput
    """
    rows, places = np.nonzero((letters >= 0) & (boxes[..., 0] < 0))
    if len(rows):
        text = "".join(profile.alphabet[k] for k in letters[rows[0]] if k >= 0)
        raise BadInput(
            f"profile {profile.name!r}: no pixel shows letter {places[0] + 1} of {text!r}; choose more weight, size, "
            "stretch, scale or font_size, fewer lenses, or a lens_power nearer to 0"
        )

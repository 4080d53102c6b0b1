"""Pictures of texts around a circle or on a strong arc, as seen -> the text in a row, in black on white.

The letters' middles lie on a circle. Its ring is unrolled: letters stand with their feet towards the middle, or on a
lower arc with their heads.
"""

from typing import NamedTuple

import numpy as np

from tasks.loading.oddities.cards import from_ground
from tasks.loading.oddities.layouts.close_up import HIGH
from tasks.loading.oddities.layouts.ink import (
    FAINT,
    MANY,
    MOST,
    in_own_size,
    inked_parts,
    line_widths,
    on_canvas,
)
from tasks.loading.parts import BOTTOM, LEFT, RIGHT, TOP, Parts

FEWEST = 4  # letters: a circle runs through the middles of any three
# Of the letters' longer sides, their median:
SMALL = 0.45  # a part whose longer side is shorter is no letter of its own, but belongs to one
NEAR = 0.28  # the middles are no farther from the circle
BENT = 0.9  # the arc is at least so high: else the text is as good as level
LARGEST = 12.0  # a circle's radius is no larger
RING = 0.85  # the ring reaches so far to both sides of the circle
UNLIKE = 2.6  # the longest of the letters' longer sides is at most so many times the shortest
OPEN = 1.5  # the widest gap is so many times the next: the text begins behind it, else at the top
SIDE = 0.3  # of the radius: an arc whose middle is no higher or lower than the circle's is read in both directions
GAP = 0.2  # columns without ink that are farther from all ink are left out
SHARP = 48  # pixels: a ring is at least so high when it is unrolled


class Circle(NamedTuple):
    """The middle of a circle and its radius, in pixels, and the letters' angles, clockwise from the text's beginning.

    begin : the angle at which the text begins, clockwise from the top
    whole : whether letters stand all around
    height : of the arc's middle, above the circle's, in radii
    angles : (n,) float64, ascending
    """

    y: float
    x: float
    radius: float
    begin: float
    whole: bool
    height: float
    angles: np.ndarray


def out_of_a_circle(image: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return a text on a circle or a strong arc in a row; nothing if it stands on none.

    On an upper arc it runs clockwise, with the letters' feet towards the middle; on a lower one anticlockwise, with
    their heads towards it. An arc at a side is tried in both directions. A whole circle is read clockwise from
    its top, or from its widest gap.

    Parameters
    ----------
    image : (H, W, 3) uint8

    Returns
    -------
    tuple of up to two (h, w, 3) uint8
    """
    if image.shape[0] * image.shape[1] > MOST:
        return ()
    far = from_ground(image)
    for width in line_widths(far):
        parts = inked_parts(far, width)
        letters = _letters(parts) if parts else np.zeros(0, np.int64)
        circle = _circle(parts, letters) if parts and len(letters) else None
        if not parts or circle is None:
            continue
        ring = _unrolled(far, circle, float(np.median(_sides(parts)[letters])))
        turned = np.ascontiguousarray(ring[::-1, ::-1])
        upper, lower = circle.whole or circle.height > -SIDE, not circle.whole and circle.height < SIDE
        rows = [ring] * upper + [turned] * lower
        return tuple(in_own_size(on_canvas(row, row.shape)) for row in rows)
    return ()


def _sides(parts: Parts) -> np.ndarray:
    sides: np.ndarray = np.maximum(parts.height, parts.width)
    return sides


def _letters(parts: Parts) -> np.ndarray:
    """Return the numbers of the parts that may be letters, (n,) int64; none if they are not alike."""
    sides = _sides(parts)
    none = np.zeros(0, np.int64)
    if not FEWEST <= (sides >= HIGH).sum() <= 4 * MANY:
        return none
    middle = float(np.median(sides[sides >= HIGH]))
    letters = np.flatnonzero(sides >= max(HIGH, SMALL * middle))
    if not FEWEST <= len(letters) <= MANY or sides[letters].max() > UNLIKE * sides[letters].min():
        return none
    return letters


def _circle(parts: Parts, letters: np.ndarray) -> Circle | None:
    """Return the circle on which letters' middles lie; None if it is none, or so large that the text is level."""
    table = parts.table[letters].astype(np.float64)
    y, x = (table[:, TOP] + table[:, BOTTOM]) / 2, (table[:, LEFT] + table[:, RIGHT]) / 2
    side = float(np.median(_sides(parts)[letters]))
    # x² + y² = 2ax + 2by + c, by least squares (Kåsa 1976)
    matrix = np.column_stack([2 * x, 2 * y, np.ones(len(x))])
    (a, b, c), _, rank, _ = np.linalg.lstsq(matrix, x * x + y * y, rcond=None)
    radius = float(np.sqrt(max(c + a * a + b * b, 0.0)))
    if rank < 3 or not 0.7 * side <= radius <= LARGEST * side:
        return None
    if np.abs(np.hypot(x - a, y - b) - radius).max() > NEAR * side:
        return None
    angles = np.mod(np.arctan2(x - a, b - y), 2 * np.pi)  # clockwise from the top
    order = np.argsort(angles)
    gaps = np.diff(np.append(angles[order], angles[order[0]] + 2 * np.pi))
    widest = int(np.argmax(gaps))
    whole = bool(gaps[widest] < OPEN * np.partition(gaps, -2)[-2])
    if whole:  # a whole ring: the letter nearest to the top is the first
        first = int(np.argmin(np.minimum(angles[order], 2 * np.pi - angles[order])))
        widest = (first - 1) % len(order)
    else:
        half = (2 * np.pi - gaps[widest]) / 2
        if radius * (1 - np.cos(min(half, np.pi / 2))) < BENT * side:
            return None
    begin = float(angles[order[widest]] + gaps[widest] / 2)
    behind = np.sort(np.mod(angles - begin, 2 * np.pi))
    return Circle(b, a, radius, begin, whole, float(np.cos(begin + np.pi)), behind)


def _unrolled(far: np.ndarray, circle: Circle, side: float) -> np.ndarray:
    """Return the ring in which the letters stand, clockwise, (h, w) uint8 ink, its outer edge above."""
    scale = max(1.0, SHARP / (2 * RING * side))
    margin = 0.9 * side / circle.radius
    free = min(float(circle.angles[0]), 2 * np.pi - float(circle.angles[-1]))
    margin = min(margin, free)
    first, last = float(circle.angles[0]) - margin, float(circle.angles[-1]) + margin
    wide = max(1, round(scale * circle.radius * (last - first)))
    reach = RING * side
    r = circle.radius + np.linspace(reach, -min(reach, circle.radius), max(1, round(2 * reach * scale)))[:, None]
    angle = circle.begin + np.linspace(first, last, wide)[None, :]
    y, x = circle.y - r * np.cos(angle), circle.x + r * np.sin(angle)
    strongest = float(np.quantile(far[far > 0], 0.95)) if far.any() else 1.0
    ink = np.clip((_sampled(far, y, x) / strongest - FAINT) / (1 - FAINT), 0, 1)
    inked = np.pad((ink > 0.5).any(axis=0), round(GAP * side * scale))
    near = np.lib.stride_tricks.sliding_window_view(inked, 2 * round(GAP * side * scale) + 1).any(axis=1)
    return (255 * ink[:, near]).astype(np.uint8)


def _sampled(far: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the levels of a picture, (H, W) uint8, at places between its pixels; 0 outside."""
    padded = np.pad(far.astype(np.float64), 1)
    y, x = np.clip(y + 1, 0, far.shape[0] + 0.999), np.clip(x + 1, 0, far.shape[1] + 0.999)
    top, left = y.astype(np.int64), x.astype(np.int64)
    down, right = y - top, x - left
    upper = padded[top, left] * (1 - right) + padded[top, left + 1] * right
    lower = padded[top + 1, left] * (1 - right) + padded[top + 1, left + 1] * right
    found: np.ndarray = upper * (1 - down) + lower * down
    return found

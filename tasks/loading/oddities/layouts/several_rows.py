"""Pictures of texts in two or three rows, as seen -> the rows one after another, in black on white.

Readers take a picture as a single row: of two they read either, or letters of both.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from PIL import Image

from tasks.loading.oddities.cards import from_ground
from tasks.loading.oddities.layouts.close_up import ALIKE, FEW
from tasks.loading.oddities.layouts.ink import (
    MANY,
    MOST,
    SPECK,
    in_own_size,
    inked_parts,
    line_widths,
    middle_height,
    on_canvas,
    own_ink,
    side_by_side,
)
from tasks.loading.parts import BOTTOM, LEFT, RIGHT, TOP, Parts

ROWS = 3  # texts have no more
ANGLES = (0, 3, -3, 6, -6)  # degrees: rows that slant are told from each other at any of these, which is near enough
# Of the median height:
TWO = 1.8  # lower than so many are no two rows
STEP = 0.7  # from middle to middle, rows are farther from each other than letters of a row
SPREAD = 0.7  # the middles of a row's letters are no farther from each other
OVERLAP = 0.15  # a letter reaches no farther into the next row
DOT = 0.35  # the middle of a dot is no higher above its row
SIZE = 1.5  # the letters of a row are at most so many times as high as those of another
CUT, HALF = 0.3, 1.0  # rows nearer than the first, whose parts are so many times as wide as high, are halves of letters
SAME, UNEQUAL = 0.15, 0.1  # rows of the same letters differ by no more in their sides, and in their ink
STRENGTH = 0.75  # of the strongest row's ink: weaker rows are a reflection or a shadow
SHARED = 0.25  # of a letter's columns: a letter that shares more with those of another row stands in none of its gaps


class Rows(NamedTuple):
    """The numbers of the parts of each row, from the top, and the degrees by which rows slant."""

    rows: list[list[int]]
    angle: float


def in_one_row(image: np.ndarray) -> np.ndarray | None:
    """Return the rows of a text side by side; None if a picture has a single row.

    Parameters
    ----------
    image : (H, W, 3) uint8

    Returns
    -------
    (H, W, 3) uint8
    """
    if image.shape[0] * image.shape[1] > MOST:
        return None
    far = from_ground(image)
    for width in line_widths(far):
        parts = inked_parts(far, width)
        if parts is None:
            continue
        if _is_single(parts):
            return None
        found = find_rows(parts)
        if found and _are_alike(far, parts, found.rows):
            strips = [_strip(far, parts, numbers, found.angle) for numbers in found.rows]
            # The same text twice is a text, but a letter below an equal letter is another.
            if min(map(len, found.rows)) > 1 and all(_are_equal(strips[0], strip) for strip in strips[1:]):
                strips = strips[:1]
            row = side_by_side(strips)
            return in_own_size(on_canvas(row, row.shape))
    return None


def find_rows(parts: Parts) -> Rows | None:
    """Return the rows in which letters stand; None for a single row, and for scattered letters."""
    middle = middle_height(parts)
    low, high = (side * middle for side in ALIKE)
    letters = np.flatnonzero((parts.height >= low) & (parts.height <= high))
    # What is higher than letters joins rows: a line does, if it is not thinner than letters.
    if not middle or (parts.height > high).any() or not FEW <= len(letters) <= 2 * MANY:
        return None
    for angle in ANGLES:
        rows = _rows(parts, letters, middle, angle)
        if rows and not any(_are_halves(parts, *pair, middle) for pair in pairwise(rows)):
            return Rows(rows, angle)
    return None


def _is_single(parts: Parts) -> bool:
    """Tell whether all parts that are as high as letters stand in a single row."""
    low, high = (side * middle_height(parts) for side in ALIKE)
    letters = parts.table[(parts.height >= low) & (low > 0)]
    if not len(letters) or (parts.height > high).any():
        return False
    return bool(np.ptp(letters[:, [TOP, BOTTOM]]) < TWO * high / ALIKE[1])


def _rows(parts: Parts, letters: np.ndarray, middle: float, angle: float) -> list[list[int]]:
    """Return the numbers of the parts of each row from the top, if rows slant by so many degrees; nothing for one."""
    shift = np.tan(np.radians(angle)) * (parts.table[:, LEFT] + parts.table[:, RIGHT]) / 2
    top, bottom = parts.table[:, TOP] - shift, parts.table[:, BOTTOM] - shift
    centre = (top + bottom) / 2
    order = letters[np.argsort(centre[letters])]
    rows = np.split(order, np.flatnonzero(np.diff(centre[order]) > STEP * middle) + 1)
    if not 2 <= len(rows) <= ROWS:
        return []
    heights = [float(np.median(bottom[row] - top[row])) for row in rows]
    level = all(np.ptp(centre[row]) <= SPREAD * middle for row in rows)
    apart = all(top[lower].min() >= bottom[upper].max() - OVERLAP * middle for upper, lower in pairwise(rows))
    if not (level and apart) or max(heights) > SIZE * min(heights) or not _below_each_other(parts, rows):
        return []
    # Dots and pieces of letters go to the row in whose lines they are.
    rest = np.setdiff1d(np.flatnonzero(parts.area >= SPECK * middle * middle), letters)
    edges = [(top[row].min() - DOT * middle, bottom[row].max()) for row in rows]
    return [
        [*row.tolist(), *rest[(start <= centre[rest]) & (centre[rest] <= end)].tolist()]
        for row, (start, end) in zip(rows, edges, strict=True)
    ]


def _below_each_other(parts: Parts, rows: list[np.ndarray]) -> bool:
    """Tell whether letters of rows stand below letters of other rows; those of a scattered text stand in their gaps."""
    left, right = parts.table[:, LEFT], parts.table[:, RIGHT]
    for pair in pairwise(rows):
        fewer, more = sorted(pair, key=len)
        shared = np.minimum(right[fewer][:, None], right[more]) - np.maximum(left[fewer][:, None], left[more])
        below = np.maximum(shared, 0).sum(axis=1) > SHARED * (right - left)[fewer]
        if 2 * below.sum() < len(fewer):
            return False
    return True


def _are_halves(parts: Parts, upper: list[int], lower: list[int], middle: float) -> bool:
    """Tell whether two rows are the upper and the lower halves of letters, which a light line cuts."""
    above, below = np.isin(parts.labels, upper), np.isin(parts.labels, lower)
    both = above.any(axis=0) & below.any(axis=0)
    gaps = below[:, both].argmax(axis=0) - (len(above) - above[::-1, both].argmax(axis=0))
    near = not len(gaps) or float(np.quantile(gaps, 0.1)) <= CUT * middle
    return near and float(np.median((parts.width / parts.height)[upper + lower])) >= HALF


def _are_alike(far: np.ndarray, parts: Parts, rows: list[list[int]]) -> bool:
    """Tell whether the ink of all rows is about as strong."""
    strong = [float(np.quantile(far[np.isin(parts.labels, row)], 0.9)) for row in rows]
    return min(strong) >= STRENGTH * max(strong)


def _strip(far: np.ndarray, parts: Parts, numbers: list[int], angle: float) -> np.ndarray:
    """Return the ink of a row, (h, w) uint8, turned level and cut to it."""
    ink = own_ink(far, np.isin(parts.labels, numbers))
    if angle:
        ink = np.asarray(Image.fromarray(ink).rotate(angle, Image.Resampling.BICUBIC, expand=True))
    inked = ink > ink.max() // 2  # turned thin strokes are fainter
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _are_equal(first: np.ndarray, second: np.ndarray) -> bool:
    """Tell whether two rows show the same letters."""
    (high, wide), other = first.shape, second.shape
    if abs(high - other[0]) > SAME * high or abs(wide - other[1]) > SAME * wide:
        return False
    scaled = np.asarray(Image.fromarray(second).resize((wide, high), Image.Resampling.BICUBIC))
    unequal = np.abs(first - scaled.astype(np.float64)).sum()
    return bool(unequal <= UNEQUAL * (first.sum() + scaled.sum()))

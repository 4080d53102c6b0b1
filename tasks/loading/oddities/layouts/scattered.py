"""Pictures of letters at any height or far apart, as seen -> the letters side by side, enlarged, in black on white.

Readers take a picture as a whole to one height: letters that are a quarter as high as their picture become too small,
and so do letters of a picture that is too wide. No training has seen texts that slant by more than some degrees.
"""

from itertools import pairwise

import numpy as np
from PIL import Image

from tasks.loading.oddities.cards import from_ground
from tasks.loading.oddities.layouts.close_up import ALIKE, FEW, LARGE
from tasks.loading.oddities.layouts.ink import (
    MANY,
    MOST,
    SPECK,
    inked_parts,
    line_widths,
    middle_height,
    on_canvas,
    own_ink,
    side_by_side,
)
from tasks.loading.oddities.layouts.several_rows import find_rows
from tasks.loading.parts import BOTTOM, LEFT, RIGHT, TOP, Parts

UNEVEN = 1.5  # of the median height: letters at about one height take up no more rows
WIDE = 1.2  # of the median height: usual gaps are narrower
UNLIKE, TALLER = (0.35, 2.6), 1.8  # of the median height, and of the lowest letter's: letters of different sizes
EVEN = 1.3  # of the lowest letter's height: letters of one size are no higher
SHARP = 24  # pixels of height at least, to which such letters are scaled
# Of the median height, and degrees: letters on a line are no farther from it; it slants by more.
ON_LINE, LEVEL = 0.3, 8
OVER = 0.5  # of the narrower one's columns: parts that share more are of one letter, as an i and its dot
LETTER = 0.35  # of the letters' median area: what has more, and is no letter, may be several

Letter = tuple[int, int, int, int, list[int]]  # top, left, bottom, right, and the numbers of its parts


def in_a_row(image: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return a picture's letters side by side, without lines that are thinner; nothing if they are not scattered.

    If they stand on a slanting line, the second picture has them turned so that this line is level.

    Parameters
    ----------
    image : (H, W, 3) uint8

    Returns
    -------
    tuple of (H, W, 3) uint8
    """
    if image.shape[0] * image.shape[1] > MOST:
        return ()
    far = from_ground(image)
    for width in line_widths(far):
        found = _found(far, width)
        if not found or not _are_scattered(found[1], len(far)):
            continue
        if find_rows(found[0]):
            return ()
        rows = [_row(far, *found)]
        slope = _slope(found[1])
        if slope:
            turned = np.asarray(Image.fromarray(far).rotate(slope, Image.Resampling.BICUBIC, expand=True))
            level = _found(turned, width)
            rows += [_row(turned, *level)] if level and len(level[1]) == len(found[1]) else []
        return tuple(on_canvas(row, image.shape[:2]) for row in rows)
    return ()


def in_one_size(image: np.ndarray) -> np.ndarray | None:
    """Return a picture's letters side by side and equally high; None if their heights do not differ much.

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
        found = _found(far, width, UNLIKE)
        heights = [bottom - top for top, _, bottom, _, _ in found[1]] if found else [1]
        # A thing at one end of a text of even letters is no letter of another size.
        even = any(max(rest) < EVEN * min(rest) for rest in (heights[1:], heights[:-1]) if rest)
        if found and max(heights) >= TALLER * min(heights) and not even:
            return on_canvas(_row(far, *found, max(SHARP, int(np.median(heights)))), image.shape[:2])
    return None


def _found(far: np.ndarray, width: int, alike: tuple[float, float] = ALIKE) -> tuple[Parts, list[Letter]] | None:
    """Return the parts of ink, (H, W) uint8, that are at least so many pixels wide, and their letters; or nothing."""
    parts = inked_parts(far, width)
    letters = _letters(parts, alike) if parts else []
    return (parts, letters) if parts and letters else None


def _are_scattered(letters: list[Letter], high: int) -> bool:
    """Tell whether letters are small and on no line, or far from each other."""
    middle = float(np.median([bottom - top for top, _, bottom, _, _ in letters]))
    rows = max(letter[2] for letter in letters) - min(letter[0] for letter in letters)
    if max(letter[3] for letter in letters) - min(letter[1] for letter in letters) < rows:
        return False  # they may be below each other
    gaps = [after[1] - before[3] for before, after in pairwise(letters)]
    return (middle <= LARGE * high and rows > UNEVEN * middle) or float(np.median(gaps)) > WIDE * middle


def _slope(letters: list[Letter]) -> float:
    """Return by how many degrees the line slants that letters stand on, downwards; 0 if they are on none, or level."""
    top, left, bottom, right = np.array([letter[:4] for letter in letters], np.float64).T
    x, y, high = (left + right) / 2, (top + bottom) / 2, float(np.median(bottom - top))
    if np.ptp(x) < high:
        return 0.0
    slope, at = np.polyfit(x, y, 1)
    on_line = float(np.abs(y - slope * x - at).max()) <= ON_LINE * high
    degrees = float(np.degrees(np.arctan(slope)))
    return degrees if on_line and abs(degrees) >= LEVEL else 0.0


def _letters(parts: Parts, alike: tuple[float, float]) -> list[Letter]:
    """Return what is alike in height from left to right; nothing if it is not told from what is no letter.

    `alike` is from how much of the median height to how much of it letters are high.
    """
    middle = middle_height(parts)
    if not middle:
        return []
    letters: list[Letter] = []
    for k in sorted(
        np.flatnonzero(parts.area >= max(3, SPECK * middle * middle)).tolist(), key=parts.table[:, LEFT].__getitem__
    ):
        top, left, bottom, right = parts.table[k, [TOP, LEFT, BOTTOM, RIGHT]].tolist()
        if letters:
            a, b, c, d, numbers = letters[-1]
            shared = min(right, d) - max(left, b)
            if shared > OVER * min(right - left, d - b) and max(bottom, c) - min(top, a) <= alike[1] * middle:
                letters[-1] = min(top, a), min(left, b), max(bottom, c), max(right, d), [*numbers, k]
                continue
        letters.append((top, left, bottom, right, [k]))
    likes = [
        alike[0] * middle <= c - a <= alike[1] * middle and d - b <= 2 * alike[1] * middle for a, b, c, d, _ in letters
    ]
    areas = [int(parts.area[numbers].sum()) for *_, numbers in letters]
    kept = [letter for letter, like in zip(letters, likes, strict=True) if like]
    if not FEW <= len(kept) <= MANY:
        return []
    usual = float(np.median([area for area, like in zip(areas, likes, strict=True) if like]))
    if any(area > LETTER * usual for area, like in zip(areas, likes, strict=True) if not like):
        return []
    return kept


def _row(far: np.ndarray, parts: Parts, letters: list[Letter], equal: int = 0) -> np.ndarray:
    """Return ink (h, w) uint8 of letters side by side, each with its soft edges; all so high if `equal` is not 0."""
    cells = []
    for top, left, bottom, right, numbers in letters:
        box = slice(top, bottom), slice(left, right)
        ink = own_ink(far[box], np.isin(parts.labels[box], numbers))
        size = max(1, round((right - left) * equal / (bottom - top))), equal
        cells.append(np.asarray(Image.fromarray(ink).resize(size, Image.Resampling.BICUBIC)) if equal else ink)
    return side_by_side(cells)

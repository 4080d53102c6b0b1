"""Pictures of texts that run down or up, as seen -> the text in a row, in black on white.

Letters stand upright below each other, or the whole text lies on its side. Readers look from left to right, and read
nothing in either.
"""

import numpy as np

from tasks.loading.oddities.cards import from_ground
from tasks.loading.oddities.layouts.close_up import FEW, HIGH
from tasks.loading.oddities.layouts.ink import (
    MANY,
    MOST,
    in_own_size,
    inked_parts,
    line_widths,
    on_canvas,
    own_ink,
    side_by_side,
)
from tasks.loading.parts import BOTTOM, LEFT, RIGHT, TOP, Parts

TALL = 1.6  # of its columns: a column of letters has more rows
OVER = 0.5  # of the lower one's rows: parts that share more are of one letter
MIDDLE = 0.35  # of the letters' longer sides, their median: their middles are no farther from the column's
SMALL = 0.35  # of the same: a part whose longer side is shorter is no letter
UNLIKE = 2.6  # the longest of the letters' longer sides is at most so many times the shortest


def out_of_a_column(image: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return a text that runs down or up in a row; nothing if it does not.

    Three ways are tried: its letters stand upright below each other; the text is turned to the left; to the right.

    Parameters
    ----------
    image : (H, W, 3) uint8

    Returns
    -------
    tuple of three (h, w, 3) uint8
    """
    if image.shape[0] * image.shape[1] > MOST or image.shape[0] <= image.shape[1]:
        return ()
    far = from_ground(image)
    for width in line_widths(far):
        parts = inked_parts(far, width)
        letters = _letters(parts) if parts else []
        if not parts or not letters:
            continue
        cells = []
        for numbers in letters:
            top, left = parts.table[numbers][:, [TOP, LEFT]].min(axis=0)
            bottom, right = parts.table[numbers][:, [BOTTOM, RIGHT]].max(axis=0)
            box = slice(top, bottom), slice(left, right)
            cells.append(own_ink(far[box], np.isin(parts.labels[box], numbers)))
        row = side_by_side(cells)
        found = on_canvas(row, row.shape), *(np.ascontiguousarray(np.rot90(image, times)) for times in (-1, 1))
        return tuple(map(in_own_size, found))
    return ()


def _letters(parts: Parts) -> list[list[int]]:
    """Return the numbers of the parts of each letter of a column, from the top; nothing if they stand in none."""
    table, sides = parts.table, np.maximum(parts.height, parts.width)
    if (sides >= HIGH).sum() < FEW:
        return []
    kept = np.flatnonzero(sides >= SMALL * np.median(sides[sides >= HIGH]))
    letters: list[tuple[int, int, int, int, list[int]]] = []
    for k in kept[np.argsort(table[kept, TOP], kind="stable")].tolist():
        top, left, bottom, right = table[k, [TOP, LEFT, BOTTOM, RIGHT]].tolist()
        if letters:
            a, b, c, d, numbers = letters[-1]
            if min(bottom, c) - max(top, a) > OVER * min(bottom - top, c - a):
                letters[-1] = min(top, a), min(left, b), max(bottom, c), max(right, d), [*numbers, k]
                continue
        letters.append((top, left, bottom, right, [k]))
    tops, lefts, bottoms, rights = np.array([letter[:4] for letter in letters]).T
    longer = np.maximum(bottoms - tops, rights - lefts)
    if not FEW <= len(letters) <= MANY or np.ptp([tops.min(), bottoms.max()]) < TALL * (rights.max() - lefts.min()):
        return []
    middles = (lefts + rights) / 2
    if np.abs(middles - np.median(middles)).max() > MIDDLE * float(np.median(longer)):
        return []
    return [letter[4] for letter in letters] if longer.max() <= UNLIKE * longer.min() else []

"""Ink -> whether the left or the right border of a picture cuts a letter off."""

import numba
import numpy as np

from tasks.loading.parts import BOTTOM, LEFT, RIGHT, TOP

FEWEST = 3  # letters: fewer are no text that tells lines from letters
SHORTEST, LONGEST = 2, 0.45  # a stroke across the border: pixels at least, and of the letters' height at most
PIECE_WIDE, PIECE_HIGH, PIECE_LEAST = 0.5, 0.1, 3  # of that height, and pixels: the rest of a letter, and its stroke
DEEP, SHALLOWEST, DEEPEST = 0.5, 3, 5  # of a stroke's thickness, and columns that are looked at
THINNER, THICKER = 0.8, 1.25  # times its thickness at the border: the round end of a stroke grows by more
APART, TOUCHED, CROSSED = 0, 1, 2  # no letter reaches the border; one does; a stroke runs straight into it


@numba.njit(cache=True, nogil=True)
def cut_off(
    inked: np.ndarray, labels: np.ndarray, table: np.ndarray, letters: np.ndarray, height: int, width: int
) -> int:
    """Tell whether a letter reaches the left or the right border, and whether a stroke of it runs straight into it.

    Such a stroke was cut, or is an arm of E, F, L, T or Z that ends just there. A picture with letters at both borders
    was cropped to its text: `APART`.

    Parameters
    ----------
    inked : (H, W) bool
    labels, table
        The parts, as `find_parts` gives them.
    letters : (k,) bool
        Whether each part may be a letter.
    height, width : int
        Of the highest letter, and of the picture, which may be narrower than W.
    """
    if letters.sum() < FEWEST:
        return APART
    top, bottom = len(inked), 0
    for k in range(len(table)):
        if letters[k]:
            top, bottom = min(top, table[k, TOP]), max(bottom, table[k, BOTTOM])
    found = np.zeros(2, np.int64)
    for side in range(2):
        at, step = (0, 1) if side == 0 else (width - 1, -1)
        row = top
        while row < bottom:
            begin = row
            while row < bottom and inked[row, at]:
                row += 1
            if row > begin:
                part, run = labels[begin, at], row - begin
                piece = table[part, RIGHT] - table[part, LEFT] <= PIECE_WIDE * height
                piece &= run >= max(PIECE_LEAST, PIECE_HIGH * height)
                if letters[part]:
                    found[side] = max(found[side], TOUCHED)
                stroke = (letters[part] or piece) and SHORTEST <= run <= LONGEST * height
                if stroke and _goes_on(inked, begin, row, at, step, width):
                    found[side] = CROSSED
            row += 1
    return found.max() if found.min() == APART else APART


@numba.njit(cache=True, nogil=True)
def _goes_on(inked: np.ndarray, top: int, bottom: int, at: int, step: int, width: int) -> bool:
    """Tell whether a stroke in rows of the border is as thick further in, straight or aslant."""
    run = bottom - top
    deep = min(max(SHALLOWEST, int(DEEP * run + 0.5)), DEEPEST, width - 1)
    for k in range(1, deep):
        ink, middle = inked[top:bottom, at + k * step].sum() // 2, top
        while middle < bottom and (ink or not inked[middle, at + k * step]):
            ink -= inked[middle, at + k * step]
            middle += 1
        if middle == bottom:
            return False
        top, bottom = middle, middle + 1
        while top > 0 and inked[top - 1, at + k * step]:
            top -= 1
        while bottom < len(inked) and inked[bottom, at + k * step]:
            bottom += 1
        if not THINNER * run <= bottom - top <= THICKER * run + 0.5:
            return False
    return True

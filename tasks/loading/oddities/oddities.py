"""Ink -> what is in it that no plain letter explains. It only looks: no ink is changed."""

from typing import NamedTuple

import numba
import numpy as np

from tasks.loading.oddities.cut_off import APART, cut_off
from tasks.loading.parts import AREA, BOTTOM, LEFT, RIGHT, TOP, find_parts

INKED = 96  # of 255: a pixel belongs to a part
FEWEST, MOST = 2, 96  # parts: letters can be told from other things only among so many
LETTER = 0.5  # of the height of the highest part: a letter is not lower
WIDEST = 2.2  # times its height: a letter is not wider
# Of the letters' height, or that squared.
MARK_HIGH, MARK_AREA, MARK_GAP = 0.45, 0.008, 0.35  # a mark is no higher, no smaller, and no further from its letter
DIRT = 4  # specks that are smaller than marks: where there are more, noise cuts letters and lies above them
MARK_OVER = 0.08  # by so much a mark and its letter may share rows
GAP = 0.6  # what stands apart does so by more
WIDER_GAP = 2.5  # times the widest of the other gaps: so does it
APART_WIDE = 1.6  # what stands apart is not wider
LEVEL, TAIL = 0.08, 0.3  # what is level with a letter ends so near to it, but for the tail of a Q or J
LOWEST = 8  # pixels: letters that are lower do not show their marks and strokes
FEWEST_LETTERS = 3  # that stand together, so that their gaps say something
SOLID, SOLID_OF_HIGHEST = 0.5, 0.42  # of the letters' median height, and of the highest: the side of a square of ink
THICKER = 1.8  # times the widest stroke of the other letters: so is that side


class Oddities(NamedTuple):
    """What n pictures show that no plain letter explains.

    Attributes
    ----------
    things : (n,) int64
        So many things stand side by side, without those that stand apart; 0 where they cannot be told.
    marks : (n,) int64
        Letters with a mark of their own above or below: a dot, an accent.
    apart : (n,) bool
        Whether there is something else at one end, which stands apart from them.
    begin, end : (n,) int64
        The columns that the things side by side are in; half of the gap to what stands apart belongs to them.
    alike : (n,) bool
        Whether what stands apart is as high as a letter, and level with one.
    blots : (n,) bool
        Whether a filled area is as large as a letter, beside letters.
    cut : (n,) int64
        Whether the left or the right border cuts a letter off: `APART`, `TOUCHED` or `CROSSED` of `cut_off`.
    """

    things: np.ndarray
    marks: np.ndarray
    apart: np.ndarray
    blots: np.ndarray
    begin: np.ndarray
    end: np.ndarray
    alike: np.ndarray
    cut: np.ndarray


def find_oddities(ink: np.ndarray, widths: np.ndarray | None = None) -> Oddities:
    """Look at ink (n, H, W) uint8, 0 ground to 255, of pictures whose widths are (n,) int64, by default W."""
    n = len(ink)
    counts, blots, alike = np.zeros((4, n), np.int64), np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    cut = np.zeros(n, np.int64)
    counts[3] = ink.shape[2]
    for k in range(n):
        parts = find_parts(ink[k] >= INKED)
        if FEWEST <= len(parts.table) <= MOST:
            *counts[:, k], blots[k], alike[k] = _look(ink[k], parts.table)
            width = ink.shape[2] if widths is None else int(widths[k])
            cut[k] = _cut(ink[k], parts.labels, parts.table, width) if counts[0, k] else APART
    things, marks, begin, end = counts
    return Oddities(things, marks, (begin > 0) | (end < ink.shape[2]), blots, begin, end, alike, cut)


@numba.njit(cache=True, nogil=True)
def _look(ink: np.ndarray, table: np.ndarray) -> tuple[int, int, int, int, bool, bool]:
    letters, height = _letters(table, ink.shape)
    if height < LOWEST:
        return 0, 0, 0, ink.shape[1], False, False
    things, begin, end = _side_by_side(table, letters, height, ink.shape[1])
    alike = (begin > 0 or end < ink.shape[1]) and _alike(table, letters, height, begin, end)
    return things, _marked(table, letters, height), begin, end, _blotted(ink, table, letters, height), alike


@numba.njit(cache=True, nogil=True)
def _cut(ink: np.ndarray, labels: np.ndarray, table: np.ndarray, width: int) -> int:
    letters, height = _letters(table, ink.shape)
    return cut_off(ink >= INKED, labels, table, letters, height, width)


@numba.njit(cache=True, nogil=True)
def _letters(table: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, int]:
    """Tell which parts may be letters, and the height of the highest."""
    count = len(table)
    letters, height = np.zeros(count, np.bool_), 0
    for turn in range(2):
        for k in range(count):
            high, wide = table[k, BOTTOM] - table[k, TOP], table[k, RIGHT] - table[k, LEFT]
            if wide > WIDEST * high or high >= shape[0]:
                continue
            if turn == 0:
                height = max(height, high)
            else:
                letters[k] = high >= LETTER * height
    return letters, height


@numba.njit(cache=True, nogil=True)
def _marked(table: np.ndarray, letters: np.ndarray, height: int) -> int:
    """Count the letters with a mark; none where there is as much else, or dirt."""
    least = max(4.0, MARK_AREA * height * height)
    marked = np.zeros(len(table), np.bool_)
    others, dirt = 0, 0
    for k in range(len(table)):
        if letters[k]:
            continue
        own = -1
        if table[k, AREA] >= least and table[k, BOTTOM] - table[k, TOP] <= MARK_HIGH * height:
            own = _owner(table, letters, height, k)
        if own >= 0:
            marked[own] = True
        elif table[k, AREA] >= least:
            others += 1
        else:
            dirt += 1
    count = marked.sum()
    return count if count > others and dirt <= DIRT else 0


@numba.njit(cache=True, nogil=True)
def _owner(table: np.ndarray, letters: np.ndarray, height: int, k: int) -> int:
    """Return the letter above or below which a part stands, or -1."""
    middle = (table[k, LEFT] + table[k, RIGHT]) / 2
    for other in range(len(table)):
        wide = table[other, RIGHT] - table[other, LEFT]
        if not letters[other] or not table[other, LEFT] <= middle <= table[other, RIGHT]:
            continue
        if table[k, RIGHT] - table[k, LEFT] > 1.15 * wide + 1:
            continue
        above, below = table[other, TOP] - table[k, BOTTOM], table[k, TOP] - table[other, BOTTOM]
        if -MARK_OVER * height <= max(above, below) <= MARK_GAP * height:
            return other
    return -1


@numba.njit(cache=True, nogil=True)
def _side_by_side(table: np.ndarray, letters: np.ndarray, height: int, width: int) -> tuple[int, int, int]:
    """Count what is side by side, without what stands apart at an end; return the columns that it is in too."""
    count = 0
    lefts, rights, parts = np.empty(len(table), np.int64), np.empty(len(table), np.int64), 0
    for k in range(len(table)):
        if letters[k]:
            lefts[parts], rights[parts] = table[k, LEFT], table[k, RIGHT]
            parts += 1
    _sort(lefts[:parts], rights[:parts])
    for k in range(parts):
        if count and lefts[k] < rights[count - 1]:
            rights[count - 1] = max(rights[count - 1], rights[k])
        else:
            lefts[count], rights[count] = lefts[k], rights[k]
            count += 1
    if count <= FEWEST_LETTERS:
        return count, 0, width
    gaps = lefts[1:count] - rights[: count - 1]
    order = np.arange(count - 1)
    _sort(gaps.copy(), order)
    # One gap is wider than all others, or the first and the last are.
    for wide in range(1, 3):
        if wide == 2 and (gaps[order[-2]] != min(gaps[0], gaps[-1]) or count <= FEWEST_LETTERS + 1):
            break
        widest, other = gaps[order[-wide]], gaps[order[-wide - 1]] if wide < len(gaps) else 0
        at = order[-1] + 1  # so many things are before the gap
        if widest <= GAP * height or widest <= WIDER_GAP * other:
            continue
        before = at <= count - FEWEST_LETTERS and rights[at - 1] - lefts[0] <= APART_WIDE * height
        behind = at >= FEWEST_LETTERS and rights[count - 1] - lefts[at] <= APART_WIDE * height
        middle = (rights[at - 1] + lefts[at]) // 2
        if before:
            return count - at, middle, width
        if behind:
            return at, 0, middle
    return count, 0, width


@numba.njit(cache=True, nogil=True)
def _alike(table: np.ndarray, letters: np.ndarray, height: int, begin: int, end: int) -> bool:
    """Tell whether what is before `begin`, or from `end` on, is as high as a letter between them, and level with it."""
    top, bottom = 1 << 30, 0
    for k in range(len(table)):
        if letters[k] and not begin <= table[k, LEFT] < end:
            top, bottom = min(top, table[k, TOP]), max(bottom, table[k, BOTTOM])
    for k in range(len(table)):
        below = bottom - table[k, BOTTOM]
        near = abs(table[k, TOP] - top) <= LEVEL * height and -LEVEL * height <= below <= TAIL * height
        if near and letters[k] and begin <= table[k, LEFT] < end:
            return True
    return False


@numba.njit(cache=True, nogil=True)
def _sort(keys: np.ndarray, others: np.ndarray) -> None:
    """Sort a few numbers, and others along with them: numba's own sorting takes seconds to compile."""
    for k in range(1, len(keys)):
        for at in range(k, 0, -1):
            if keys[at] >= keys[at - 1]:
                break
            keys[at], keys[at - 1] = keys[at - 1], keys[at]
            others[at], others[at - 1] = others[at - 1], others[at]


@numba.njit(cache=True, nogil=True)
def _blotted(ink: np.ndarray, table: np.ndarray, letters: np.ndarray, highest: int) -> bool:
    """Tell whether one letter has a square of ink in it that is far wider than all strokes of the others."""
    heights, squares = np.zeros(len(table), np.int64), np.zeros(len(table), np.int64)
    count, widest = 0, -1
    for k in range(len(table)):
        if letters[k]:
            top, left, bottom, right = table[k, TOP], table[k, LEFT], table[k, BOTTOM], table[k, RIGHT]
            heights[count] = bottom - top
            squares[k] = _largest_square(ink[top:bottom, left:right])
            count += 1
            if widest < 0 or squares[k] > squares[widest]:
                widest = k
    if count < 2:
        return False
    side, other = squares[widest], 0
    for k in range(len(table)):
        if k != widest:
            other = max(other, squares[k])
    at_border = table[widest, TOP] == 0 or table[widest, LEFT] == 0
    at_border |= table[widest, BOTTOM] == ink.shape[0] or table[widest, RIGHT] == ink.shape[1]
    _sort(heights[:count], np.zeros(count, np.int64))
    large = side >= SOLID * heights[count // 2] and side >= SOLID_OF_HIGHEST * highest
    return large and side >= THICKER * other and not at_border


@numba.njit(cache=True, nogil=True)
def _largest_square(ink: np.ndarray) -> int:
    """Return the side of the largest square that ink fills."""
    size, largest = np.zeros(ink.shape[1] + 1, np.int64), 0
    for y in range(len(ink)):
        before = 0
        for x in range(ink.shape[1]):
            above = size[x + 1]
            size[x + 1] = min(size[x], above, before) + 1 if ink[y, x] >= INKED else 0
            before = above
            largest = max(largest, size[x + 1])
    return largest

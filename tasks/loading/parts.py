"""Connected parts of a mask, and what a cheap look at ink tells: whether a picture needs a closer look."""

from typing import NamedTuple

import numba
import numpy as np

FAINT = 12  # of 255: a weaker pixel is no line
SHARP = 192  # of 255: the ends of such a gap are not weaker, since a light line has sharp edges
GAP = 2  # rows: a gap in a column that a thin light line may have cut is not higher
RULE = 128  # of 255: a rule that does not reach the borders is not weaker; the blur between close letters is
WEAKEST, WEAK = 48, 204  # of 255: a letter whose strongest ink is from the one to below the other is faint
TOP, LEFT, BOTTOM, RIGHT, AREA = range(5)  # columns of a table of parts


class Parts(NamedTuple):
    """The k connected parts of a mask (H, W), in the order of their first pixels.

    Attributes
    ----------
    labels : (H, W) int32
        The number of each pixel's part, from 0; -1 outside of the mask.
    table : (k, 5) int64
        Top, left, bottom, right, and the number of pixels.
    """

    labels: np.ndarray
    table: np.ndarray

    @property
    def height(self) -> np.ndarray:
        """Return the rows of each part's box."""
        height: np.ndarray = self.table[:, BOTTOM] - self.table[:, TOP]
        return height

    @property
    def width(self) -> np.ndarray:
        """Return the columns of each part's box."""
        width: np.ndarray = self.table[:, RIGHT] - self.table[:, LEFT]
        return width

    @property
    def area(self) -> np.ndarray:
        """Return the pixels of each part."""
        area: np.ndarray = self.table[:, AREA]
        return area

    def of(self, chosen: np.ndarray) -> np.ndarray:
        """Return the pixels of the chosen parts, (k,) bool -> (H, W) bool."""
        inside: np.ndarray = np.append(chosen, False)[self.labels]
        return inside


def find_parts(mask: np.ndarray) -> Parts:
    """Find the parts of a mask, (H, W) bool, whose pixels touch at a side or at a corner."""
    labels = np.empty(mask.shape, np.int32)
    table = np.empty((mask.size // 2 + 1, 5), np.int64)
    count = _label(np.ascontiguousarray(mask), labels, table)
    return Parts(labels, table[:count].copy())


class Signs(NamedTuple):
    """What a cheap look at ink tells.

    Attributes
    ----------
    row, column : float
        Share of the fullest row and of the fullest column that has ink of at least `FAINT`.
    weak : int
        Columns that end a row of four whose strongest ink is from `WEAKEST` to `WEAK`, if some of it is high: letters
        that are faint, not lines.
    sides : int
        Sides of the picture with ink of at least 128.
    border : float
        Share of the outermost pixels with such ink.
    touched : bool
        Whether letters touch the border: a run of such ink on one side is three pixels long, and the side has more of
        it than lines leave there that cross it.
    gaps : float
        Share of the inked columns in which a gap of at most two rows parts strong ink.
    """

    row: float
    column: float
    weak: int
    sides: int
    border: float
    touched: bool
    gaps: float


def signs_of(ink: np.ndarray) -> Signs:
    """Look at ink (H, W) uint8."""
    counts = np.zeros((2, ink.shape[1]), np.int32)
    return Signs(*_signs(ink, counts[0], counts[1], np.zeros(ink.shape[1], np.uint8)), _gaps(ink, GAP, None))


def fullness(ink: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Count the pixels of at least `FAINT` in each row and in each column; measure each row's longest run of `RULE`."""
    height, width = ink.shape
    rows, columns, runs = np.zeros(height, np.int64), np.zeros(width, np.int64), np.zeros(height, np.int64)
    _fill_in(ink, rows, columns, runs)
    return rows, columns, runs


@numba.njit(cache=True, nogil=True)
def _fill_in(ink: np.ndarray, rows: np.ndarray, columns: np.ndarray, runs: np.ndarray) -> None:
    for y in range(len(ink)):
        run = 0
        for x in range(ink.shape[1]):
            run = run + 1 if ink[y, x] >= RULE else 0
            rows[y] += ink[y, x] >= FAINT
            columns[x] += ink[y, x] >= FAINT
            runs[y] = max(runs[y], run)


def fill_gaps(ink: np.ndarray) -> np.ndarray:
    """Fill the gaps in columns that `Signs.gaps` counts with the weaker ink of both ends; return new ink."""
    out = ink.copy()
    _gaps(ink, GAP, out)
    return out


@numba.njit(cache=True, nogil=True)
def _gaps(ink: np.ndarray, most: int, out: np.ndarray | None) -> float:
    """Return the share of inked columns that have a gap of at most `most` rows; fill the gaps in `out`, if given."""
    height, width = ink.shape
    last = np.full(width, -1, np.int32)  # the last row with strong ink
    gaps = np.zeros(width, np.uint8)
    for y in range(height):
        row, below = ink[y], ink[min(y + 1, height - 1)]
        for x in range(width):
            if row[x] >= SHARP:
                before = last[x]
                # Both ends are two rows high, unlike dots; the gap is empty, unlike a blurred one.
                thick = below[x] >= SHARP and before > 0 and ink[before - 1, x] >= SHARP
                gap = 1 < y - before <= most + 1 and ink[y - 1, x] < WEAKEST and ink[before + 1, x] < WEAKEST
                if thick and gap:
                    gaps[x] = 1
                    if out is not None:
                        out[before + 1 : y, x] = min(row[x], ink[before, x])
                last[x] = y
    inked = 0
    for x in range(width):
        inked += int(last[x] >= 0)
    return float(gaps.sum()) / max(inked, 1)


@numba.njit(cache=True, nogil=True)
def _signs(
    ink: np.ndarray, counts: np.ndarray, solid: np.ndarray, strongest: np.ndarray
) -> tuple[float, float, int, int, float, bool]:
    """Return what `Signs` holds; `counts`, `solid` and `strongest`, (W,), are zeros to begin with."""
    height, width = ink.shape
    fullest = 0
    for y in range(height):
        row = ink[y]
        total = np.int32(0)
        for x in range(width):
            inked = np.int32(row[x] >= np.uint8(FAINT))
            total += inked
            counts[x] += inked
            solid[x] += np.int32(row[x] >= np.uint8(WEAKEST))
            strongest[x] = max(strongest[x], row[x])
        fullest = max(fullest, int(total))
    weak, run, most = 0, 0, 0
    for x in range(width):
        if WEAKEST <= strongest[x] < WEAK and 5 * solid[x] < 4 * height:  # else it is a ground
            run, most = run + 1, max(most, solid[x])
            weak += int(run >= 4 and most >= 4 and 12 * most >= height)
        else:
            run, most = 0, 0
    top, above = _side(ink[0], 0.08)
    bottom, below = _side(ink[height - 1], 0.08)
    left, before = _side(ink[:, 0], 0.2)
    right, behind = _side(ink[:, width - 1], 0.2)
    sides = int(top > 0) + int(bottom > 0) + int(left > 0) + int(right > 0)
    border = (top + bottom + left + right) / (2 * (height + width))
    return fullest / width, counts.max() / height, weak, sides, border, above or below or before or behind


@numba.njit(cache=True, nogil=True)
def _side(side: np.ndarray, share: float) -> tuple[int, bool]:
    """Count the pixels of strong ink on a side; tell whether they are so many, and in a run, that letters touch it."""
    count, run, longest = 0, 0, 0
    for x in range(len(side)):
        run = run + 1 if side[x] >= 128 else 0
        count += int(run > 0)
        longest = max(longest, run)
    return count, longest >= 3 and count >= share * len(side)


@numba.njit(cache=True, nogil=True)
def _label(mask: np.ndarray, labels: np.ndarray, table: np.ndarray) -> int:
    """Fill in the labels and the table of parts; return the number of parts."""
    height, width = mask.shape
    parent = np.empty(height * width // 2 + 2, np.int32)
    count = 0
    for y in range(height):
        for x in range(width):
            labels[y, x] = -1
            if mask[y, x]:
                labels[y, x] = own = _join(labels, parent, y, x, count)
                count += own == count
    numbers, found = np.empty(count, np.int32), 0
    for k in range(count):
        root = _root(parent, k)
        numbers[k] = found if root == k else numbers[root]
        if root == k:
            table[found, TOP], table[found, LEFT], table[found, BOTTOM], table[found, RIGHT] = height, width, 0, 0
            table[found, AREA] = 0
            found += 1
    for y in range(height):
        for x in range(width):
            if labels[y, x] >= 0:
                k = numbers[labels[y, x]]
                labels[y, x] = k
                table[k, TOP], table[k, LEFT] = min(table[k, TOP], y), min(table[k, LEFT], x)
                table[k, BOTTOM], table[k, RIGHT] = max(table[k, BOTTOM], y + 1), max(table[k, RIGHT], x + 1)
                table[k, AREA] += 1
    return found


@numba.njit(cache=True, nogil=True)
def _join(labels: np.ndarray, parent: np.ndarray, y: int, x: int, count: int) -> int:
    """Return the part of a pixel: of the neighbours before it, which it joins; the new part `count` without any."""
    own = -1
    if x and labels[y, x - 1] >= 0:
        own = _root(parent, labels[y, x - 1])
    if y:
        for near in range(max(x - 1, 0), min(x + 2, labels.shape[1])):
            if labels[y - 1, near] >= 0:
                other = _root(parent, labels[y - 1, near])
                if own >= 0:
                    parent[max(own, other)] = min(own, other)
                    own = min(own, other)
                else:
                    own = other
    if own < 0:
        own = count
        parent[count] = count
    return own


@numba.njit(cache=True, nogil=True)
def _root(parent: np.ndarray, k: int) -> int:
    while parent[k] != k:
        parent[k] = parent[parent[k]]
        k = parent[k]
    return k

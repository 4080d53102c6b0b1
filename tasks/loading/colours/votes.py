"""Which inks of a picture are letters: lines, specks and patterns of another ink are voted down.

An ink is judged by its connected parts: how thick they are, how large, and how much of it lies at the border.
"""

import numba
import numpy as np

from tasks.loading.colours.layers import NONE

SPECK = 0.14  # of the picture's height: a part that is neither higher nor wider is a speck
USUAL = 0.35  # of all pixels of ink: so many are in parts that are at least as thick as letters
BROAD = 0.4  # of the picture's width: a line is wider than letters
WIDE = 0.2  # of the picture's width: if an ink is wider, and has the runs of level lines, it is lines
LEVEL = 2.4  # times as many runs of pixels in columns as in rows: a line that is nearer to level than to upright
LONG = 0.25  # of the picture's height: a thin part that is longer is a line
MOST_OF_SPECK = 12  # pixels: a speck has no more
OUTLINES = 6  # half pixels: if letters are not thicker, they are outlines
MANY = 12  # specks: a picture with fewer has dots of letters
LOWEST = 0.2  # of the picture's height: a letter is not lower
SPARSE = 0.12  # of its box: a letter fills more
THIN = 0.62  # of the letters' thickness: lines are thinner
# A part as thin as a line is a letter if it stands where a letter would.
COVERED = 0.34  # of its columns, at most, hold letters
WITHIN = 0.7  # of its height, at least, is level with letters
ALIKE = 0.6, 1.6  # times the letters' height: how high it is, and at most how wide
EDGE = 0.12  # of the border's pixels: an ink that covers more is part of the ground
AREA, TOP, LEFT, BOTTOM, RIGHT, ACROSS, ALONG, INK, PARENT, COLUMNS = range(10)  # columns of a table of parts

GONE, KEPT = 1, 2  # states of a pixel


@numba.njit(cache=True, nogil=True)
def find_ink_parts(
    labels: np.ndarray, rows: np.ndarray, columns: np.ndarray, names: np.ndarray, table: np.ndarray
) -> int:
    """Number the connected parts of equal ink; return how many numbers are taken.

    Parameters
    ----------
    labels : (H, W) uint8
        The ink of each pixel, or `NONE`.
    rows, columns : (m,) int32
        The pixels that may have ink, row by row.
    names : (H, W) int32
        Filled in with the number of each pixel's part, -1 for none; a number may stand for another, `table[k, PARENT]`.
    table : (H * W, COLUMNS) int32
        Filled in: pixels, box, runs of pixels in rows and in columns, ink, and parent; summed up in the roots.
    """
    width = labels.shape[1]
    names[:] = -1
    count = 0
    for k in range(len(rows)):
        y, x = rows[k], columns[k]
        ink = labels[y, x]
        if ink == NONE:
            continue
        own, across, along = -1, 1, 1
        if x and labels[y, x - 1] == ink:
            own, across = _root(table, names[y, x - 1]), 0
        if y:
            along = int(labels[y - 1, x] != ink)
            for column in range(max(x - 1, 0), min(x + 2, width)):
                if labels[y - 1, column] == ink:
                    other = _root(table, names[y - 1, column])
                    if own < 0:
                        own = other
                    elif own != other:
                        own = _merge(table, own, other)
        if own < 0:
            own = count
            count += 1
            row = table[own]
            row[AREA], row[TOP], row[LEFT], row[BOTTOM], row[RIGHT] = 0, y, x, y + 1, x + 1
            row[ACROSS], row[ALONG], row[INK], row[PARENT] = 0, 0, ink, own
        names[y, x] = own
        row = table[own]
        row[AREA] += 1
        row[BOTTOM] = y + 1
        row[LEFT], row[RIGHT] = min(row[LEFT], x), max(row[RIGHT], x + 1)
        row[ACROSS] += across
        row[ALONG] += along
    return count


@numba.njit(cache=True, nogil=True)
def _root(table: np.ndarray, k: int) -> int:
    while table[k, PARENT] != k:
        table[k, PARENT] = table[table[k, PARENT], PARENT]
        k = table[k, PARENT]
    return k


@numba.njit(cache=True, nogil=True)
def _merge(table: np.ndarray, one: int, other: int) -> int:
    kept, gone = min(one, other), max(one, other)
    row, rest = table[kept], table[gone]
    row[AREA] += rest[AREA]
    row[TOP], row[LEFT] = min(row[TOP], rest[TOP]), min(row[LEFT], rest[LEFT])
    row[BOTTOM], row[RIGHT] = max(row[BOTTOM], rest[BOTTOM]), max(row[RIGHT], rest[RIGHT])
    row[ACROSS] += rest[ACROSS]
    row[ALONG] += rest[ALONG]
    rest[PARENT] = kept
    return kept


@numba.njit(cache=True, nogil=True)
def vote(table: np.ndarray, parts: int, labels: np.ndarray, inks: int, kept: np.ndarray) -> None:
    """Decide which parts are letters, (parts,) bool `kept`."""
    height, width = labels.shape
    letters = np.zeros(inks, np.bool_)
    small = max(2.0, SPECK * height)
    at_border = _at_border(labels, inks)
    widths, areas, specks = np.zeros(40), np.zeros(inks), 0
    across, along, lefts, rights = np.zeros(inks), np.zeros(inks), np.full(inks, width), np.zeros(inks, np.int64)
    for k in range(parts):
        row = table[k]
        ink = row[INK]
        if row[PARENT] != k or at_border[ink]:
            continue
        if _is_speck(row, small):
            specks += 1
        elif not _is_long(row, height, width):
            widths[min(int(2 * _thickness(row)), 39)] += row[AREA]
            areas[ink] += row[AREA]
            across[ink] += row[ACROSS]
            along[ink] += row[ALONG]
            lefts[ink], rights[ink] = min(lefts[ink], row[LEFT]), max(rights[ink], row[RIGHT])
    rest, usual = USUAL * widths.sum(), 39
    while usual > 0 and rest >= widths[usual]:
        rest -= widths[usual]
        usual -= 1
    outlines = usual < OUTLINES  # hollow letters are as thin as lines, and fall apart easily
    thin = 0.0 if outlines else THIN * usual / 2
    for k in range(inks):
        level = rights[k] - lefts[k] >= WIDE * width and along[k] >= LEVEL * across[k]
        letters[k] = areas[k] > 0 and 2 * areas[k] / (across[k] + along[k]) >= thin and not level
    some = False
    for k in range(parts):
        row = table[k]
        ink = row[INK]
        if at_border[ink] or _is_long(row, height, width):
            kept[k] = False
        elif _is_speck(row, small):
            kept[k] = letters[ink] and (specks <= MANY or outlines)
        elif _thickness(row) >= thin:
            kept[k] = letters[ink] or row[BOTTOM] - row[TOP] >= LOWEST * height
        else:
            kept[k] = letters[ink] and max(row[BOTTOM] - row[TOP], row[RIGHT] - row[LEFT]) < LONG * height
        some |= kept[k] and row[PARENT] == k
    if some:
        _keep_thin(table, parts, at_border, height, width, kept)
    for k in range(parts):
        kept[k] = kept[_root(table, k)] or not some


@numba.njit(cache=True, nogil=True)
def _keep_thin(table: np.ndarray, parts: int, at_border: np.ndarray, height: int, width: int, kept: np.ndarray) -> None:
    """Keep thin parts that stand where a letter would: as high as the letters, beside them, level with them."""
    held, top, bottom, areas, heights = np.zeros(width, np.bool_), height, 0, 0.0, 0.0
    for k in range(parts):
        row = table[k]
        high = row[BOTTOM] - row[TOP]
        if kept[k] and row[PARENT] == k and high >= LOWEST * height:
            held[row[LEFT] : row[RIGHT]] = True
            top, bottom = min(top, row[TOP]), max(bottom, row[BOTTOM])
            areas += row[AREA]
            heights += row[AREA] * high
    if not areas:
        return
    usual = heights / areas
    for k in range(parts):
        row = table[k]
        if kept[k] or row[PARENT] != k or at_border[row[INK]] or _is_long(row, height, width):
            continue
        high, wide = row[BOTTOM] - row[TOP], row[RIGHT] - row[LEFT]
        beside = held[row[LEFT] : row[RIGHT]].sum() <= COVERED * wide
        level = min(bottom, row[BOTTOM]) - max(top, row[TOP]) >= WITHIN * high
        kept[k] = beside and level and ALIKE[0] * usual <= high <= ALIKE[1] * usual and wide <= ALIKE[1] * usual


@numba.njit(cache=True, nogil=True)
def _is_long(row: np.ndarray, height: int, width: int) -> bool:
    """Tell whether a part is a line by its box: as wide as several letters, and low or hardly filled."""
    high, wide = row[BOTTOM] - row[TOP], row[RIGHT] - row[LEFT]
    if wide >= WIDE * width and row[ALONG] >= LEVEL * row[ACROSS]:
        return True
    return bool(wide >= BROAD * width and (high < LOWEST * height or row[AREA] < SPARSE * high * wide))


@numba.njit(cache=True, nogil=True)
def _at_border(labels: np.ndarray, inks: int) -> np.ndarray:
    """Tell which inks cover so much of the border that they are part of the ground, (inks,) bool."""
    height, width = labels.shape
    counts = np.zeros(256, np.int64)
    for x in range(width):
        counts[labels[0, x]] += 1
        counts[labels[height - 1, x]] += 1
    for y in range(height):
        counts[labels[y, 0]] += 1
        counts[labels[y, width - 1]] += 1
    covered: np.ndarray = counts[:inks] > EDGE * 2 * (height + width)
    return covered


@numba.njit(cache=True, nogil=True)
def _is_speck(row: np.ndarray, small: float) -> bool:
    """Tell whether a part is as small as noise, or as the dot of a letter."""
    return bool(max(row[BOTTOM] - row[TOP], row[RIGHT] - row[LEFT]) <= small and row[AREA] <= MOST_OF_SPECK)


@numba.njit(cache=True, nogil=True)
def _thickness(row: np.ndarray) -> float:
    """Return about twice the width of a part's strokes: its pixels by half the length of its outline."""
    return float(2.0 * row[AREA] / (row[ACROSS] + row[ALONG]))


@numba.njit(cache=True, nogil=True)
def lay_down(
    shares: np.ndarray, rows: np.ndarray, columns: np.ndarray, names: np.ndarray, kept: np.ndarray, reach: int,
    state: np.ndarray, out: np.ndarray,
) -> None:  # fmt: skip
    """Fill in the ink of letters, (H, W) uint8; close letters where a line of another ink crosses them."""
    state[:], out[:] = 0, 0
    for k in range(len(rows)):
        name = names[rows[k], columns[k]]
        if name >= 0:
            state[rows[k], columns[k]] = KEPT if kept[name] else GONE
    for k in range(len(rows)):
        y, x = rows[k], columns[k]
        if state[y, x] == KEPT or (state[y, x] == 0 and shares[y, x] and _is_edge(state, y, x)):
            out[y, x] = shares[y, x]
        elif state[y, x] == GONE:
            out[y, x] = _crossed(state, shares, y, x, reach)


@numba.njit(cache=True, nogil=True)
def _is_edge(state: np.ndarray, y: int, x: int) -> bool:
    """Tell whether a pixel touches a letter."""
    for row in range(max(y - 1, 0), min(y + 2, state.shape[0])):
        for column in range(max(x - 1, 0), min(x + 2, state.shape[1])):
            if state[row, column] == KEPT:
                return True
    return False


@numba.njit(cache=True, nogil=True)
def _crossed(state: np.ndarray, shares: np.ndarray, y: int, x: int, reach: int) -> int:
    """Return the weaker ink of the letters on both sides of a pixel, in the best of four directions; 0 without."""
    best = 0
    for down, right in ((1, 0), (0, 1), (1, 1), (1, -1)):
        before = _steps(state, y, x, -down, -right, reach)
        if before:
            after = _steps(state, y, x, down, right, reach)
            if after and before + after <= reach + 1:
                one = shares[y - before * down, x - before * right]
                best = max(best, min(one, shares[y + after * down, x + after * right]))
    return best


@numba.njit(cache=True, nogil=True)
def _steps(state: np.ndarray, y: int, x: int, down: int, right: int, reach: int) -> int:
    """Return how many steps away a letter is; 0 for more than `reach`."""
    for step in range(1, reach + 1):
        row, column = y + down * step, x + right * step
        if row < 0 or row >= state.shape[0] or column < 0 or column >= state.shape[1]:
            return 0
        if state[row, column] == KEPT:
            return step
    return 0

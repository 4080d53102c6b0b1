"""A span of upright ink -> what the letter network sees: one function, for training and for reading."""

import numba
import numpy as np

from tasks.lattice import Lattice

FEATURES = 2  # raised whenever the same span gives other values; models of components have version 1
ROWS, COLUMNS = 18, 16  # of the span itself
MARGIN, BESIDE = 3, 5  # rows above and below it; columns left and right of it, of its neighbours
GRID = (ROWS + 2 * MARGIN, COLUMNS + 2 * BESIDE)
SCALARS = 16  # how wide it is, as bars
SIZE = GRID[0] * GRID[1] + SCALARS


def shape_spans(ink: np.ndarray, lattice: Lattice, chosen: np.ndarray | None = None) -> np.ndarray:
    """(k, SIZE) uint8 of the chosen spans (indices; by default all)."""
    picture = np.repeat(np.arange(len(ink)), lattice.counts)
    if chosen is None:
        chosen = np.arange(len(picture))
    out = np.empty((len(chosen), SIZE), np.uint8)
    _shape(ink, picture[chosen], lattice.box[chosen], lattice.height, out)
    return out


@numba.njit(cache=True, nogil=True)
def _shape(ink, picture, box, heights, out):
    rows, columns = ink.shape[1:]
    table = np.zeros((rows + 1, columns + 1), np.float32)
    down, across = GRID
    ys, xs = np.empty(down + 1, np.float32), np.empty(across + 1, np.float32)
    line, above = np.empty(across + 1, np.float32), np.empty(across + 1, np.float32)
    xi = np.empty(across + 1, np.int64)
    mixed = np.empty(columns + 1, np.float32)
    before = -1
    for k in range(len(picture)):
        if picture[k] != before:
            before = picture[k]
            _integrate(ink[before], table)
        top, left, bottom, right = np.int64(box[k, 0]), np.int64(box[k, 1]), np.int64(box[k, 2]), np.int64(box[k, 3])
        step_y = np.float32((bottom - top) / ROWS)
        step_x = np.float32((right - left) / COLUMNS)
        for a in range(down + 1):
            ys[a] = top + (a - MARGIN) * step_y
        for b in range(across + 1):
            if b < BESIDE:
                xs[b] = left + (b - BESIDE) * step_y
            elif b <= BESIDE + COLUMNS:
                xs[b] = left + (b - BESIDE) * step_x
            else:
                xs[b] = right + (b - BESIDE - COLUMNS) * step_y
            xs[b] = min(max(xs[b], np.float32(0)), np.float32(columns))
            xi[b] = min(np.int64(xs[b]), columns - 1)
        low, high = xi[0], min(xi[across] + 2, columns + 1)
        for a in range(down + 1):
            y = min(max(ys[a], np.float32(0)), np.float32(rows))
            whole = min(np.int64(y), rows - 1)
            part = y - np.float32(whole)
            for x in range(low, high):
                mixed[x] = table[whole, x] + part * (table[whole + 1, x] - table[whole, x])
            for b in range(across + 1):
                x = xi[b]
                line[b] = mixed[x] + (xs[b] - np.float32(x)) * (mixed[x + 1] - mixed[x])
            if a:
                for b in range(across):
                    area = step_y * (step_x if BESIDE <= b < BESIDE + COLUMNS else step_y)
                    value = (line[b + 1] - line[b] - above[b + 1] + above[b]) / area
                    out[k, (a - 1) * across + b] = np.uint8(
                        min(max(value + np.float32(0.5), np.float32(0)), np.float32(255))
                    )
            for b in range(across + 1):
                above[b] = line[b]
        place = down * across
        ratio = np.float32(right - left) / np.float32(bottom - top)
        for j in range(16):  # a bar that grows with the width: 0.1 to 1.6 heights
            bar = (ratio - np.float32(0.1) * j) * np.float32(2550)
            out[k, place + j] = np.uint8(min(max(bar, np.float32(0)), np.float32(255)))


@numba.njit(cache=True, nogil=True)
def _integrate(image, table):
    rows, columns = image.shape
    for y in range(rows):
        total = np.float32(0)
        for x in range(columns):
            total += np.float32(image[y, x])
            table[y + 1, x + 1] = table[y, x + 1] + total

"""Blend colours into a picture's planes, in 8 bits: what covers a pixel by 255 replaces it, 0 leaves it as it is.

A picture is painted in planes, (C, rows, columns) uint8, one for ink or three for red, green and blue, since the
compiler makes vectors of loops along a row. `interleave` writes them as the dataset has them.
"""

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def blend(pixel, colour, share):
    """Return a pixel covered by `share`, 0 to 255, of a colour; in 16-bit numbers, so that the compiler makes vectors.

    The sum is divided by 255 and rounded: (n + 128 + (n + 128 >> 8)) >> 8.
    """
    rest = np.uint16(np.uint16(255) - np.uint16(share))
    total = np.uint16(np.uint16(np.uint16(pixel) * rest) + np.uint16(np.uint16(colour) * np.uint16(share)))
    total = np.uint16(total + np.uint16(128))
    return np.uint8(np.uint16(total + np.uint16(total >> np.uint16(8))) >> np.uint16(8))


@numba.njit(cache=True, nogil=True)
def blend_row(row, cover, first, last, colour):
    """Cover the pixels first … last - 1 of a plane's row by their share in `cover`."""
    for x in range(np.uint64(first), np.uint64(last)):
        row[x] = blend(row[x], colour, cover[x])


@numba.njit(cache=True, nogil=True)
def dab(planes, y, x, share, colour):
    """Cover a pixel of all planes."""
    for c in range(planes.shape[0]):
        planes[c, y, x] = blend(planes[c, y, x], colour[c], share)


@numba.njit(cache=True, nogil=True)
def interleave(planes, out, colour):
    """Write a picture's planes to the top left of its canvas, (H, W, C), and the colour (C,) to the rest of it."""
    count, rows, columns = planes.shape
    if count == 1:
        out[:] = colour[0]
        for y in range(rows):
            out[y, :columns, 0] = planes[0, y]
        return
    for y in range(out.shape[0]):
        line = out[y].reshape(-1)
        if y < rows:
            red, green, blue = planes[0, y], planes[1, y], planes[2, y]
            for x in range(np.uint64(columns)):
                line[np.uint64(3) * x] = red[x]
                line[np.uint64(3) * x + np.uint64(1)] = green[x]
                line[np.uint64(3) * x + np.uint64(2)] = blue[x]
        for x in range(columns if y < rows else 0, out.shape[1]):
            for c in range(3):
                line[3 * x + c] = colour[c]

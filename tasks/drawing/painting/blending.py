"""Blend colours into a picture's planes, in 8 bits: what covers a pixel by 255 replaces it, 0 leaves it as it is.

A picture is painted in planes, (C, rows, columns) uint8, one for ink or three for red, green and blue, since the
compiler makes vectors of loops along a row. `interleave` writes them as the dataset has them. Indices are unsigned, so
that numba wraps no negative ones around, which would keep the compiler from making vectors.
"""

import numba
import numpy as np

VECTOR = 16  # pixels


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
def blend_row(planes, y, shares, colour):
    """Cover row y of all planes by a share a pixel, (W,) uint8."""
    for c in range(np.uint64(planes.shape[0])):
        value = colour[c]
        for x in range(np.uint64(planes.shape[2])):
            planes[c, np.uint64(y), x] = blend(planes[c, np.uint64(y), x], value, shares[x])


@numba.njit(cache=True, nogil=True)
def widened(box, columns):
    """Return a box of whole vectors, if the picture is wide enough: shares beside a letter's are 0 and change nothing.

    The compiler's vector loops leave the rest of a row, most of a letter's, to slow ones.
    """
    width = (box[3] - box[1] + VECTOR - 1) // VECTOR * VECTOR
    if width > columns:
        return box
    left = min(box[1], columns - width)
    return box[0], left, box[2], left + width


@numba.njit(cache=True, nogil=True)
def blend_box(planes, shares, box, colour):
    """Cover the pixels of a box (top, left, bottom, right) by their shares, (rows, columns) uint8."""
    for c in range(np.uint64(planes.shape[0])):
        value = colour[c]
        for y in range(np.uint64(box[0]), np.uint64(box[2])):
            for x in range(np.uint64(box[1]), np.uint64(box[3])):
                planes[c, y, x] = blend(planes[c, y, x], value, shares[y, x])


@numba.njit(cache=True, nogil=True)
def fade(share, percent):
    """Return a share reduced to `percent`."""
    return np.uint8(np.uint16(np.uint16(share) * np.uint16(percent * 256 // 100)) >> np.uint16(8))


@numba.njit(cache=True, nogil=True)
def channels(colour):
    """Return a colour, (C,) uint8, as three numbers: arrays that are handed on pixel by pixel would be counted."""
    return (colour[0], colour[1], colour[2]) if len(colour) == 3 else (colour[0], colour[0], colour[0])


@numba.njit(cache=True, nogil=True, inline="always")
def dab(planes, y, x, share, colour):
    """Cover a pixel of all planes by a colour of three numbers."""
    i, j = np.uint64(y), np.uint64(x)
    planes[np.uint64(0), i, j] = blend(planes[np.uint64(0), i, j], colour[0], share)
    if planes.shape[0] == 3:
        planes[np.uint64(1), i, j] = blend(planes[np.uint64(1), i, j], colour[1], share)
        planes[np.uint64(2), i, j] = blend(planes[np.uint64(2), i, j], colour[2], share)


@numba.njit(cache=True, nogil=True)
def interleave(planes, out, colour):
    """Write a picture's planes to the top left of its canvas, (H, W, C), and the colour (C,) to the rest of it."""
    count, rows, columns = planes.shape
    height, width, _ = out.shape
    flat = out.reshape(-1)
    step, zero, one, two, three = np.uint64(count * width), np.uint64(0), np.uint64(1), np.uint64(2), np.uint64(3)
    for y in range(np.uint64(rows)):
        first = y * step
        if count == 1:
            for x in range(np.uint64(columns)):
                flat[first + x] = planes[zero, y, x]
            continue
        for x in range(np.uint64(columns)):
            flat[first + three * x] = planes[zero, y, x]
            flat[first + three * x + one] = planes[one, y, x]
            flat[first + three * x + two] = planes[two, y, x]
    _pad(flat, (height, width), (rows, columns), colour)


@numba.njit(cache=True, nogil=True)
def _pad(flat, canvas, size, colour):
    """Write a colour to the pixels of a canvas, flat, that are right of a picture's size and below it."""
    (height, width), (rows, columns), count = canvas, size, len(colour)
    step = np.uint64(count * width)
    for first, last, left in ((0, rows, columns), (rows, height, 0)):
        for k in range(count * (first * width + left), count * (first + 1) * width if last > first else 0):
            flat[k] = colour[k % count]
        # The other rows are copies of the first.
        for y in range(np.uint64(first + 1), np.uint64(last)):
            for k in range(y * step + np.uint64(count * left), (y + np.uint64(1)) * step):
                flat[k] = flat[k - step]

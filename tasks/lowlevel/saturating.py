"""Addition of ink: a sum of two pixels above 255 is 255."""

import numba
import numpy as np

_MOST = np.uint16(255)
_LOW_BITS, _HIGH_BITS = np.uint64(0x7F7F7F7F7F7F7F7F), np.uint64(0x8080808080808080)  # of each of eight bytes


@numba.njit
def add(pixel, ink):
    """Add two uint8 numbers, in 16 bits: the compiler makes vectors of a loop over it."""
    return np.uint8(min(np.uint16(pixel) + np.uint16(ink), _MOST))


@numba.njit
def add_words(pixels, inks):
    """Add two uint64 numbers byte by byte: eight pixels at once."""
    total = (pixels & _LOW_BITS) + (inks & _LOW_BITS) ^ (pixels ^ inks) & _HIGH_BITS
    over = (pixels & inks | (pixels | inks) & ~total) & _HIGH_BITS  # the highest bit of each byte that passed 255
    return total | over | over - (over >> np.uint64(7))

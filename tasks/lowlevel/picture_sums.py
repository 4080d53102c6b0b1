"""Sums and hashes of the pixels of pictures, for statistics."""

import numba
import numpy as np

from tasks.lowlevel.splitmix64 import GAMMA, MULTIPLIERS
from tasks.lowlevel.unaligned import load64

SPREAD = np.uint64(0xD6E8FEB86659FD93)  # the odd multiplier of the mixer degski64, which spreads bits upwards
_U = np.uint64


@numba.njit(cache=True, nogil=True)
def hash_pictures(pixels, areas):
    """Sum the ink of each picture, (n,) int64, and hash its pixels and area, (n,) uint64.

    pixels : (n, H * W) uint8, areas : (n,) uint64

    The hash is not cryptographic: it only counts equal pictures. Digests prove content.
    """
    count, size = pixels.shape
    flat = pixels.reshape(-1)
    ink, keys = np.zeros(count, np.int64), np.empty(count, np.uint64)
    mask, fold = _U(0x00FF00FF00FF00FF), _U(0x0001000100010001)
    for n in range(count):
        state, total = areas[n] * GAMMA, _U(0)
        first = _U(n * size)
        whole = _U(size & ~7)
        place = _U(0)
        while place < whole:
            word = load64(flat, first + place)
            if word:
                total += ((word & mask) + (word >> _U(8) & mask)) * fold >> _U(48)
                mixed = word ^ word >> _U(32) ^ place * SPREAD
                mixed = (mixed ^ mixed >> _U(31)) * MULTIPLIERS[0]
                state += (mixed ^ mixed >> _U(29)) * MULTIPLIERS[1]
            place += _U(8)
        while place < _U(size):
            value = _U(flat[first + place])
            total += value
            mixed = (value ^ place * SPREAD) * MULTIPLIERS[0]
            state += value * (mixed ^ mixed >> _U(29)) * MULTIPLIERS[1]
            place += _U(1)
        ink[n] = total
        state = (state ^ state >> _U(32)) * SPREAD
        keys[n] = state ^ state >> _U(29)
    return ink, keys


@numba.njit(cache=True, nogil=True)
def spread_of_colours(images, heights, widths):
    """Sum over the pixels of each picture how far they are from its mean colour, (n,) int64.

    images : (n, H, W, 3) uint8, heights, widths : (n,) int64, at most H and W

    The distance of a pixel is the mean over the channels. The sum is 0 for a picture of a single colour, and at most
    127.5 times its pixels. What lies outside of a picture's height and width does not count.
    """
    spread = np.zeros(len(images), np.int64)
    rows = images.reshape(len(images), images.shape[1], -1)
    sums, means = np.empty(rows.shape[2], np.uint32), np.empty(rows.shape[2], np.uint8)
    for n in range(len(images)):
        height, across = heights[n], 3 * widths[n]
        area = max(height * widths[n], 1)
        sums[:across] = 0
        for y in range(height):  # sums of columns, which the processor takes many at a time
            row = rows[n, y]
            for x in range(across):
                sums[x] += row[x]
        for channel in range(3):
            total = 0
            for x in range(channel, across, 3):
                total += sums[x]
            for x in range(channel, across, 3):
                means[x] = (total + area // 2) // area
        sums[:across] = 0
        for y in range(height):
            row = rows[n, y]
            for x in range(across):
                sums[x] += np.uint32(max(row[x], means[x]) - min(row[x], means[x]))
        total = 0
        for x in range(across):
            total += sums[x]
        spread[n] = (total + 2) // 3
    return spread

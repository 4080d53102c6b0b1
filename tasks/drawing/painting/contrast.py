"""Colours in integers: from hue, saturation and lightness to sRGB, and a bound on the contrast of letters.

A colour is one number, 0xRRGGBB. Contrast is WCAG's: (light + 0.05) / (dark + 0.05) of relative luminances.
"""

import functools

import numba
import numpy as np

STEPS = 32  # in which a colour is moved towards black or white
LUMINANCE = 65536 * 10_000  # of white
OFFSET = LUMINANCE // 20
WHITE = 0xFFFFFF


def rgb_of(hue: np.ndarray, saturation: np.ndarray, lightness: np.ndarray) -> np.ndarray:
    """Return the colours of hues in degrees, saturations and lightnesses in percent, as int64, rounded."""
    hue = hue % 360
    chroma = (100 - np.abs(2 * lightness - 100)) * saturation  # half of it, in 1/20,000
    least = 60 * (200 * lightness - chroma)  # in 1/1,200,000
    high, middle = 120 * chroma, 2 * chroma * (60 - np.abs(hue % 120 - 60))
    parts = np.stack([np.zeros_like(high), middle, high])
    sixth = hue // 60
    colour = np.zeros(np.broadcast(hue, saturation, lightness).shape, np.int64)
    for order in ((2, 1, 0, 0, 1, 2), (1, 2, 2, 1, 0, 0), (0, 0, 1, 2, 2, 1)):  # red, green, blue
        channel = np.take_along_axis(parts, np.array(order)[sixth][None], axis=0)[0]
        colour = colour << 8 | ((least + channel) * 255 + 600_000) // 1_200_000
    return colour


def mixed(ground: np.ndarray, colour: np.ndarray, percent: np.ndarray) -> np.ndarray:
    """Return colours that are `percent` of the way from a ground's colour to another; int64, they broadcast."""
    found = np.zeros(np.broadcast(ground, colour, percent).shape, np.int64)
    for shift in (16, 8, 0):
        here, there = ground >> shift & 255, colour >> shift & 255
        found |= (here + (there - here) * percent // 100) << shift
    return found


@functools.cache
def luminances() -> np.ndarray:
    """Return the linear light of each sRGB value, (256,) int64, in 1/65536, from whole numbers, rounded down."""
    found = []
    for value in range(256):
        if value <= 10:  # the curve is straight here
            found.append(value * 65536 * 100 // (255 * 1292))
            continue
        above, below = 200 * value + 11 * 255, 211 * 255  # ((value / 255 + 0.055) / 1.055) ** (12 / 5)
        low, high = 0, 65536
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if middle**5 * below**12 <= 65536**5 * above**12 else (low, middle - 1)
        found.append(low)
    return np.array(found, np.int64)


@numba.njit(cache=True, nogil=True)
def luminance(colour, table):
    """Return a colour's relative luminance, 0 to `LUMINANCE`."""
    return 2126 * table[colour >> 16 & 255] + 7152 * table[colour >> 8 & 255] + 722 * table[colour & 255]


@numba.njit(cache=True, nogil=True)
def enough(one, other, bound):
    """Return whether two luminances have a contrast of at least `bound` tenths."""
    return 10 * (max(one, other) + OFFSET) >= bound * (min(one, other) + OFFSET)


@numba.njit(cache=True, nogil=True)
def _towards(colour, goal, step):
    """Return the colour moved `step` of 32 steps towards another."""
    moved = 0
    for shift in (16, 8, 0):
        here, there = colour >> shift & 255, goal >> shift & 255
        moved |= (here + (there - here) * step // STEPS) << shift
    return moved


@numba.njit(cache=True, nogil=True)
def _until(colour, goal, other, bound, table):
    """Move a colour towards `goal` until its contrast to a luminance is enough."""
    for step in range(STEPS + 1):
        moved = _towards(colour, goal, step)
        if enough(luminance(moved, table), other, bound):
            return moved
    return goal


@numba.njit(cache=True, nogil=True)
def separate(grounds, letters, counts, bound, table):
    """Change colours, in place, until each letter has the contrast of `bound` tenths to all colours of its ground.

    Letters stay lighter than the ground if the first is, and white would have enough contrast to the ground; or else
    they are darker. The ground moves away from black or white only if no letter could have enough contrast to it.

    Parameters
    ----------
    grounds : (n, G) int64
        Colours of the ground; the others are moved towards the first.
    letters : (n, L) int64
    counts : (n,) int64, letters that a text has
    table : see `luminances`
    """
    black, white = luminance(0, table), luminance(WHITE, table)
    for n in range(len(grounds)):
        first = luminance(grounds[n, 0], table)
        lighter = luminance(letters[n, 0], table) > first
        if lighter and not enough(white, first, bound):
            lighter = False
        elif not lighter and not enough(black, first, bound):
            lighter = True
        goal, end = (WHITE, white) if lighter else (0, black)
        grounds[n, 0] = _until(grounds[n, 0], WHITE - goal, end, bound, table)
        nearest = luminance(grounds[n, 0], table)
        for k in range(1, grounds.shape[1]):
            grounds[n, k] = _until(grounds[n, k], grounds[n, 0], end, bound, table)
            other = luminance(grounds[n, k], table)
            nearest = max(nearest, other) if lighter else min(nearest, other)
        for k in range(counts[n]):
            letters[n, k] = _apart(letters[n, k], goal, nearest, lighter, bound, table)


@numba.njit(cache=True, nogil=True)
def _apart(colour, goal, nearest, lighter, bound, table):
    """Move a letter's colour until its contrast is enough, on the side of the ground where all letters are."""
    for step in range(STEPS + 1):
        moved = _towards(colour, goal, step)
        light = luminance(moved, table)
        if (light > nearest) == lighter and enough(light, nearest, bound):
            return moved
    return goal

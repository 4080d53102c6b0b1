"""Find out whether ink is darker or brighter than the background: grey pictures -> 0 background to 255 ink."""

import numba
import numpy as np

LEFT_OPEN, DARK, BRIGHT = range(3)  # the side of the ink: to be found out, darker, or brighter
# A side that reaches this many times as far as the other is ink. With 2, 4 and 8 the side is right for all of 2,048
# pictures each of `hard`, `noise`, `touching` and `unseen` (seed 2), dark on light and light on dark.
_FAR = 4


def background(grey: np.ndarray) -> np.uint8:
    """Return the median of the outermost pixels of (h, w) uint8, the higher of two middle values."""
    return np.uint8(background_level(own(grey)))


def ink_of(grey: np.ndarray, side: int, ground: int = -1) -> tuple[np.ndarray, int, int, bool]:
    """Compute each pixel's distance from the background to one side, stretched so that the largest is 255.

    Parameters
    ----------
    grey : (h, w) uint8
    side : int
        `DARK`, `BRIGHT`, or `LEFT_OPEN`. If it is left open, the ink is the side that reaches four times as far from
        the background as the other; if neither does, it is the side with the larger sum of squares.
    ground : int
        The level of the background; by default the median of the outermost pixels.

    Returns
    -------
    ink : (h, w) uint8
    contrast, strongest : int
        Levels between the darkest and the brightest pixel, and from the background to the furthest pixel of the ink.
    dark : bool
        Whether the ink is the darker side.
    """
    grey = own(grey)
    out = np.empty_like(grey)
    return out, *_ink(grey, side, background_level(grey) if ground < 0 else ground, out)


def own(grey: np.ndarray) -> np.ndarray:
    """Return the picture as the kind of array that the kernels are compiled for: writeable, rows in order."""
    return grey if grey.flags.c_contiguous and grey.flags.writeable else np.array(grey, order="C")


@numba.njit(cache=True, nogil=True)
def background_level(grey: np.ndarray) -> int:
    """Return the median of the outermost pixels, as `background` does."""
    counts = np.zeros(256, np.int64)
    height, width = grey.shape
    for y in (0, height - 1):  # the row of a picture with one row counts twice
        for x in range(width):
            counts[grey[y, x]] += 1
    for y in range(1, height - 1):
        counts[grey[y, 0]] += 1
        counts[grey[y, width - 1]] += 1
    middle, level = counts.sum() // 2, 0
    while counts[level] <= middle:
        middle -= counts[level]
        level += 1
    return level


@numba.njit(cache=True, nogil=True)
def _ink(grey: np.ndarray, side: int, ground: int, out: np.ndarray) -> tuple[int, int, bool]:
    flat, told = grey.ravel(), out.ravel()
    # Four tables of counts: neighbours are often equal, and an addition waits for the last addition to the same number.
    four, rest = np.zeros((4, 256), np.int64), len(flat) // 4 * 4
    for k in range(0, rest, 4):
        for lane in range(4):
            four[lane, flat[k + lane]] += 1
    for k in range(rest, len(flat)):
        four[0, flat[k]] += 1
    counts = four[0] + four[1] + four[2] + four[3]
    low, high = 0, 255
    while not counts[low]:
        low += 1
    while not counts[high]:
        high -= 1
    below, above = ground - low, high - ground
    dark = below >= above if side == LEFT_OPEN else side == DARK
    if side == LEFT_OPEN and _FAR * min(below, above) > max(below, above):
        # A few specks may reach further than the letters on the other side.
        under, total = 0, 0
        for level in range(256):
            squares = counts[level] * (level - ground) ** 2
            total += squares
            under += squares if level < ground else 0
        dark = 2 * under >= total
    strongest = below if dark else above
    table = np.zeros(256, np.uint8)
    if strongest:
        for level in range(256):
            apart = ground - level if dark else level - ground
            if apart > 0:
                table[level] = min((apart * 255 + strongest // 2) // strongest, 255)
    for k in range(len(flat)):
        told[k] = table[flat[k]]
    return high - low, strongest, dark

"""Pictures of thick letters among thin lines and dots, as seen -> the same without what is thin.

Opening (erosion, then dilation) with a square takes away what is thinner than the square is wide. How much ink is left
after squares of 1, 2, 3 ... pixels tells how wide the letters' strokes are: where the next wider square leaves nearly
as much, it is the letters that are left. (Matheron, Random Sets and Integral Geometry, 1975: granulometry.)
"""

import numpy as np
from PIL import Image, ImageFilter

from tasks.loading.oddities.cards import distances, ground_of

FAINT = 32  # levels, in the channel where a pixel differs most from the ground: ink has more
LEFT = 0.66  # of the ink that a square leaves: the next wider one leaves as much if strokes are wider than both
ENDS = 0.25  # of all ink: a square that leaves less is as wide as strokes; where none does, ink is no strokes
APART = 0.02  # of all ink: thin ink that does not touch what is left of letters; corners of letters do
STEPS = 14  # squares are tried, of 1 to 14 pixels in a picture of up to so many rows:
ROWS = 80
ALONE = 48  # levels: a pixel that is darker, or lighter, by more than each of its neighbours is a dot
DOTTED = 0.02  # of the pixels: fewer dots do letters no harm
MOST = 1_000_000  # pixels: a larger picture is read as it is


def without_thin(image: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return a picture without ink that is thinner than its letters, for some widths; nothing if letters are thin.

    Parameters
    ----------
    image : (H, W, 3) uint8

    Returns
    -------
    tuple of (H, W, 3) uint8
    """
    high, wide = image.shape[:2]
    if high * wide > MOST:
        return ()
    ground = ground_of(image)
    far = distances(image, ground)
    far[far < FAINT] = 0
    step = -(-high // ROWS)
    widths = [1, *range(2 * step, STEPS * step + 1, step)]
    left = np.array([opened(far, width).sum(dtype=np.int64) for width in widths if width <= min(high, wide)])
    if len(left) < 2 or not left[0]:
        return ()
    shares = left[1:] / np.maximum(left[:-1], 1)
    ended = np.flatnonzero(left < ENDS * left[0])
    narrower = [k for k in range(1, ended[0]) if shares[k] >= LEFT] if len(ended) else []
    if not narrower or _apart(far, widths[narrower[len(narrower) // 2]]) < APART * left[0]:
        return ()
    # How far lines and dots are thinner than strokes, nobody knows: the narrowest, the middle and the widest are tried.
    tried = sorted({narrower[0], narrower[len(narrower) // 2], narrower[-1]})
    signed = image.astype(np.int16) - ground
    light, dark = np.maximum(signed, 0).astype(np.uint8), np.maximum(-signed, 0).astype(np.uint8)
    return tuple(
        (ground + opened(light, widths[k]) - opened(dark, widths[k]).astype(np.int16)).astype(np.uint8) for k in tried
    )


def without_dots(image: np.ndarray) -> np.ndarray | None:
    """Return a picture without dots of one pixel, (H, W, 3) uint8, by the median of each pixel and its neighbours.

    None if the picture has few dots.
    """
    high, wide = image.shape[:2]
    if high * wide > MOST or min(high, wide) < 3:
        return None
    middle = image[1:-1, 1:-1].astype(np.int16)
    around = [image[y : high - 2 + y, x : wide - 2 + x] for y in range(3) for x in range(3) if (y, x) != (1, 1)]
    alone = (np.minimum.reduce(around) - middle > ALONE) | (middle - np.maximum.reduce(around) > ALONE)
    alone = alone.any(axis=2)
    if alone.sum() < DOTTED * alone.size:
        return None
    return np.asarray(Image.fromarray(image).filter(ImageFilter.MedianFilter(3)))


def _apart(ink: np.ndarray, width: int) -> int:
    """Return how much ink, (H, W) uint8, opening takes away that lies apart from what it leaves."""
    near = opened(ink, width)
    for axis, length in enumerate(ink.shape):
        around = [(width, width) if k == axis else (0, 0) for k in (0, 1)]
        near = _extremes(np.pad(near, around), np.maximum, 2 * width + 1, length, axis)
    return int(ink[near == 0].sum(dtype=np.int64))


def opened(ink: np.ndarray, width: int) -> np.ndarray:
    """Return ink, (H, W) or (H, W, C) uint8, without what no square of so many pixels fits into."""
    for extreme, (before, after) in (
        (np.minimum, ((width - 1) // 2, width // 2)), (np.maximum, (width // 2, (width - 1) // 2)),
    ):  # fmt: skip
        for axis in (0, 1):
            around = [(0, 0)] * ink.ndim
            around[axis] = before, after
            padded = np.pad(ink, around, mode="edge")
            ink = _extremes(padded, extreme, width, ink.shape[axis], axis)
    return ink


def dilated(mask: np.ndarray, reach: int) -> np.ndarray:
    """Return which pixels, (H, W) bool, have a pixel of a mask no more than so many rows and columns away."""
    for axis in (0, 1):
        around = [(reach, reach) if k == axis else (0, 0) for k in (0, 1)]
        mask = _extremes(np.pad(mask, around), np.maximum, 2 * reach + 1, mask.shape[axis], axis)
    return mask


def closed(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return a mask, (H, W) bool, without gaps that are lower than so many rows, or narrower than so many columns."""
    for extreme in (np.maximum, np.minimum):
        for axis in (0, 1):
            around = [(size[axis] // 2, size[axis] // 2) if k == axis else (0, 0) for k in (0, 1)]
            padded = np.pad(mask, around, constant_values=extreme is np.minimum)
            mask = _extremes(padded, extreme, size[axis], mask.shape[axis], axis)
    return mask


def _extremes(padded: np.ndarray, extreme: np.ufunc, width: int, length: int, axis: int) -> np.ndarray:
    """Return the extreme of each `width` values that follow each other along an axis, of `length` of them."""
    at = [slice(None)] * padded.ndim
    at[axis] = slice(length)
    out: np.ndarray = padded[tuple(at)].copy()
    for k in range(1, width):
        at[axis] = slice(k, k + length)
        extreme(out, padded[tuple(at)], out=out)
    return out

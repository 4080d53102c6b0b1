"""Heavier, lighter and hollow letters: outlines moved outwards or inwards before the letters are drawn."""

import functools
import math

import numba
import numpy as np

from tasks.drawing.bilinear import texels
from tasks.drawing.warp_kernel import Bitmaps

_TENTHS = 10  # units of a pixel in which outlines move
_ONE = 256
_SEEN = 160  # ink that some pixel of a thin letter has at least


@numba.njit(cache=True, nogil=True)
def _spread(bitmap, reach, radius, far):
    """Return a bitmap, (h + 2 reach, w + 2 reach) uint8, whose ink reaches `radius` / 256 px further.

    A pixel takes the most ink of those around it; near the radius it counts in part. far : (reach + 1, reach + 1),
    distances in 1/256 px.
    """
    height, width = bitmap.shape
    out = np.zeros((height + 2 * reach, width + 2 * reach), np.uint8)
    for i in range(height):
        for j in range(width):
            ink = np.int64(bitmap[i, j])
            if ink == 0:
                continue
            for a in range(-reach, reach + 1):
                for b in range(-reach, reach + 1):
                    share = min(max(radius + _ONE - far[abs(a), abs(b)], 0), _ONE)
                    value = ink * share // _ONE
                    if value > out[i + reach + a, j + reach + b]:
                        out[i + reach + a, j + reach + b] = value
    return out


@numba.njit(cache=True, nogil=True)
def _moved(bitmap, tenths, reach, far):
    """Return a bitmap padded by `reach` pixels whose outline is moved outwards by so many 1/10 px."""
    if tenths >= 0:
        return _spread(bitmap, reach, tenths * _ONE // _TENTHS, far)
    height, width = bitmap.shape
    paper = np.full((height + 4 * reach, width + 4 * reach), 255, np.uint8)
    for i in range(height):
        for j in range(width):
            paper[2 * reach + i, 2 * reach + j] -= bitmap[i, j]
    spread = _spread(paper, reach, -tenths * _ONE // _TENTHS, far)
    inner = np.empty((height + 2 * reach, width + 2 * reach), np.uint8)
    for i in range(inner.shape[0]):
        for j in range(inner.shape[1]):
            inner[i, j] = 255 - spread[2 * reach + i, 2 * reach + j]
    return inner


@functools.cache
def _distances(reach: int) -> np.ndarray:
    """Return how far pixels `a` rows and `b` columns apart are, (reach + 1, reach + 1) int64, in 1/256 px."""
    return np.array([[math.isqrt((a * a + b * b) * _ONE * _ONE) for b in range(reach + 1)] for a in range(reach + 1)])


def weighted(bitmap: np.ndarray, weight: int, hollow: int) -> np.ndarray:
    """Return a letter's bitmap with its outline moved by `weight`, and of it only an outline `hollow` wide.

    Both are in 1/10 px. The bitmap grows by as many pixels on each side as its ink may; with 0 and 0 it stays. A
    letter gets no thinner than it can be seen.
    """

    def moved(tenths: int, reach: int) -> np.ndarray:
        found: np.ndarray = _moved(bitmap, tenths, reach, _distances(reach))
        return found

    seen = min(_SEEN, bitmap.max()) if weight < 0 else 0
    while weight < 0:
        thinner = moved(weight, -(weight // _TENTHS))
        if thinner.max() >= seen:
            if not hollow:
                return thinner
            break
        weight += 1
    outer = weight + hollow // 2
    reach = max(0, -(-max(abs(outer), abs(outer - hollow)) // _TENTHS))
    if reach == 0:
        return bitmap
    letter = moved(outer, reach)
    if hollow:
        letter = letter - np.minimum(letter, moved(outer - hollow, reach))
    return letter


def _grown(bitmap: np.ndarray, weight: int, hollow: int) -> tuple[int, int]:
    """Return the rows and columns that `weighted` gives a bitmap, if the letter can get as thin as it is to."""
    outer = weight + hollow // 2
    reach = max(0, -(-max(abs(outer), abs(outer - hollow)) // _TENTHS))
    if weight < 0 and not hollow:
        reach = -(weight // _TENTHS)
    return bitmap.shape[0] + 2 * reach, bitmap.shape[1] + 2 * reach


def join(
    bitmaps: list[np.ndarray], kinds: list[tuple[int, int]], used: np.ndarray | None = None, whole: bool = True
) -> Bitmaps:  # fmt: skip
    """Join the bitmaps of letters in several weights, one weight after another.

    Parameters
    ----------
    bitmaps : list of (h, w) uint8 arrays
    kinds : list of (int, int)
        `weight` and `hollow` of each weight.
    used : bool array of as many values as bitmaps, optional
        Which letters will be painted; of the others only the sizes are known. Default: all.
    whole : bool
        Whether all letters are there in the first weight.
    """
    painted = {id(bitmaps[k]) for k in (range(len(bitmaps)) if used is None else np.flatnonzero(used).tolist())}
    nothing = np.zeros(0, np.uint32)
    parts: list[np.ndarray] = []
    shapes: list[tuple[int, ...]] = []
    for number, kind in enumerate(kinds):
        done: dict[int, tuple[np.ndarray, tuple[int, ...]]] = {}  # faces may share their letters
        for bitmap in bitmaps:
            if id(bitmap) not in done and (id(bitmap) in painted or (whole and number == 0)):
                drawn = weighted(bitmap, *kind)
                done[id(bitmap)] = texels(drawn).ravel(), drawn.shape
            part, shape = done.setdefault(id(bitmap), (nothing, _grown(bitmap, *kind)))
            parts.append(part)
            shapes.append(shape)
    first = np.cumsum([0, *map(len, parts[:-1])])
    return Bitmaps(np.concatenate(parts), first, np.array(shapes, np.int64))

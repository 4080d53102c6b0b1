"""Heavier, lighter and hollow letters: outlines moved outwards or inwards before the letters are drawn."""

import math

import numba
import numpy as np

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


def _moved(bitmap: np.ndarray, tenths: int, reach: int) -> np.ndarray:
    """Return a bitmap padded by `reach` pixels whose outline is moved outwards by so many 1/10 px."""
    far = np.array([[math.isqrt((a * a + b * b) * _ONE * _ONE) for b in range(reach + 1)] for a in range(reach + 1)])
    if tenths >= 0:
        spread: np.ndarray = _spread(bitmap, reach, tenths * _ONE // _TENTHS, far)
        return spread
    paper = 255 - np.pad(bitmap, 2 * reach)
    inner: np.ndarray = (
        255 - _spread(paper, reach, -tenths * _ONE // _TENTHS, far)[2 * reach : -2 * reach, 2 * reach : -2 * reach]
    )
    return inner


def weighted(bitmap: np.ndarray, weight: int, hollow: int) -> np.ndarray:
    """Return a letter's bitmap with its outline moved by `weight`, and of it only an outline `hollow` wide.

    Both are in 1/10 px. The bitmap grows by as many pixels on each side as its ink may; with 0 and 0 it stays. A
    letter gets no thinner than it can be seen.
    """
    if weight < 0 and _moved(bitmap, weight, -(weight // _TENTHS)).max() < min(_SEEN, bitmap.max()):
        return weighted(bitmap, weight + 1, hollow)
    outer = weight + hollow // 2
    reach = max(0, -(-max(abs(outer), abs(outer - hollow)) // _TENTHS))
    if reach == 0:
        return bitmap
    moved = _moved(bitmap, outer, reach)
    if hollow:
        moved = moved - np.minimum(moved, _moved(bitmap, outer - hollow, reach))
    return moved

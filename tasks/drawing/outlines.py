"""Outlines of glyphs: the reach of their ink, also of turned letters."""

from collections.abc import Callable

import numba
import numpy as np

from tasks.drawing.resampling import tangent, turned
from tasks.profiles.glyphs import GlyphSet
from tasks.profiles.profile import Profile


def each(work: Callable[..., np.ndarray], bitmaps: list[np.ndarray], *arguments: object) -> list[np.ndarray]:
    """Return `work(bitmap, *arguments)` of each bitmap.

    Faces share the objects in `first_pictures`, so what is the same object is done once.
    """
    done: dict[int, np.ndarray] = {}
    for bitmap in bitmaps:
        if id(bitmap) not in done:
            done[id(bitmap)] = work(bitmap, *arguments)
    return [done[id(bitmap)] for bitmap in bitmaps]


def outline(bitmap: np.ndarray) -> np.ndarray:
    """Return first and last inked pixel of each row, (n, 2) int64 y and x from the centre, in half pixels."""
    height, width = bitmap.shape
    rows = np.flatnonzero(bitmap.any(axis=1))
    inked = bitmap[rows] > 0
    columns = np.concatenate([inked.argmax(axis=1), width - 1 - inked[:, ::-1].argmax(axis=1)])
    return np.stack([2 * np.tile(rows, 2) - height + 1, 2 * columns - width + 1], axis=1).astype(np.int64)


def ink_columns(bitmap: np.ndarray, degrees: np.ndarray) -> np.ndarray:
    """Return how far a turned letter's ink reaches left and right of its centre, (angles, 2) int64, in 1/64 px.

    Each pixel counts as a turned square.
    """
    reach: np.ndarray = _reach(bitmap, *turned(degrees))
    return reach


@numba.njit(cache=True, nogil=True)
def _reach(bitmap, sines, cosines):
    """Return `ink_columns` of angles with these sines and cosines, in 1/65536: of each row, its ends decide."""
    height, width = bitmap.shape
    reach = np.empty((len(sines), 2), np.int64)
    least, most = np.full(len(sines), 1 << 62), np.full(len(sines), -(1 << 62))
    for i in range(height):
        first, last = width, -1
        for j in range(width):
            if bitmap[i, j] > 0:
                first, last = min(first, j), j
        if last < 0:
            continue
        y, left, right = 2 * i - height + 1, 2 * first - width + 1, 2 * last - width + 1
        for k in range(len(sines)):  # counter-clockwise, with y down; in 1/131072 px
            for x in (left, right):
                place = cosines[k] * x + sines[k] * y
                least[k], most[k] = min(least[k], place), max(most[k], place)
    for k in range(len(sines)):
        half = abs(sines[k]) + abs(cosines[k])
        reach[k, 0], reach[k, 1] = (least[k] - half) >> 11, -((-most[k] - half) >> 11)
    return reach


def edges(profile: Profile, glyphs: GlyphSet, shear: int) -> np.ndarray:
    """Return how far the plain kernel draws each bitmap left, right, up and down of its pen, (4, G) int."""
    slope = tangent(shear)
    lows, highs = [], []
    corners = glyphs.corners + np.array([profile.top, 0])
    for bitmap, (top, left) in zip(glyphs.bitmaps, corners.tolist(), strict=True):
        shifts = slope * (top + np.arange(len(bitmap)))
        inked = bitmap > 0
        firsts, lasts = inked.argmax(axis=1), bitmap.shape[1] - inked[:, ::-1].argmax(axis=1)
        rows = inked.any(axis=1)
        lows.append(int((left + firsts + (shifts >> 16))[rows].min()))
        highs.append(int((left + lasts - (-shifts >> 16))[rows].max()))
    tops, bottoms = corners[:, 0], corners[:, 0] + [len(bitmap) for bitmap in glyphs.bitmaps]
    return np.stack([-np.array(lows), np.array(highs), -tops, bottoms])

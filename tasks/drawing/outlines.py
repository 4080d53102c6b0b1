"""Outlines of glyphs: the reach of the ink of turned letters."""

from collections.abc import Callable

import numpy as np

from tasks.drawing.resampling import turned


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
    s, c = turned(degrees)
    y, x = outline(bitmap).T
    places = c[:, None] * x + s[:, None] * y  # counter-clockwise, with y down; in 1/131072 px
    half = np.abs(s) + np.abs(c)
    return np.stack([(places.min(axis=1) - half) >> 11, -((-places.max(axis=1) - half) >> 11)], axis=1)

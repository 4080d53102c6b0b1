"""Whether a picture within a picture's file shows the same: a thumbnail may be cut, padded, turned or filled."""

from collections.abc import Iterator

import numpy as np
from PIL import Image

from tasks.loading.colours.brightness import luma

SAME = 0.5  # correlation with the picture, above which an inner picture is a copy of it
_BORDER = 24  # levels of 255 within a row or column of a border of one colour
_LARGEST = 96  # longest side at which pictures are compared: a border cut one pixel off matters less
_LEAST_SIDE = 4


def shows_same(outer: np.ndarray, inner: np.ndarray) -> bool:
    """Return whether an inner picture is a copy of the outer one, as programs make thumbnails.

    Either may have bars around it, be cut to its middle, be transparent on any ground, or be turned by its metadata.

    Parameters
    ----------
    outer, inner : (h, w) or (h, w, c) uint8
        c is 3, or 4 with transparency.
    """
    inners = [view for ground in _grounds(inner) for view in _untrimmed_and_trimmed(ground)]
    for ground in _grounds(outer):
        for whole in _untrimmed_and_trimmed(ground):
            for view in inners:
                for one, other in _at_one_aspect(whole, view):
                    if likeness(one, other) >= SAME:
                        return True
    return False


def on_white(picture: np.ndarray) -> np.ndarray:
    """Return a picture as people see it on a white page: (h, w) or (h, w, 3) uint8."""
    return _on(picture, 255)


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Return the correlation of the levels of two pictures, both made as small as the smaller of each side.

    Two pictures without contrast are alike; one with and one without are not.
    """
    size = (min(one.shape[1], other.shape[1]), min(one.shape[0], other.shape[0]))
    levels = [
        np.asarray(Image.fromarray(picture).convert("L").resize(size, Image.Resampling.BOX), np.float64)
        for picture in (one, other)
    ]
    first, second = (level - level.mean() for level in levels)
    norm = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum() / norm) if norm else float(not first.any() and not second.any())


def _on(picture: np.ndarray, ground: int) -> np.ndarray:
    if picture.ndim < 3 or picture.shape[2] < 4:
        return picture
    part = picture[..., 3:].astype(np.float64) / 255
    return np.rint(picture[..., :3] * part + ground * (1 - part)).astype(np.uint8)


def _grounds(picture: np.ndarray) -> list[np.ndarray]:
    """Return the levels of a picture on white and, if it is transparent somewhere, on black."""
    clear = picture.ndim == 3 and picture.shape[2] == 4 and bool((picture[..., 3] < 255).any())
    views = [_on(picture, ground) for ground in ((255, 0) if clear else (255,))]
    return [view if view.ndim == 2 else luma(view) for view in views]


def _untrimmed_and_trimmed(levels: np.ndarray) -> list[np.ndarray]:
    trimmed = _trimmed(levels)
    return [levels] if trimmed.shape == levels.shape else [levels, trimmed]


def _trimmed(levels: np.ndarray) -> np.ndarray:
    """Return a picture without bars around it, each row or column of which has one colour; there may be several."""
    rows, columns = levels.shape
    while True:
        for side in (0, 1):
            several = np.flatnonzero(np.ptp(levels, axis=1 - side) > _BORDER)
            if not len(several) or several[-1] - several[0] < _LEAST_SIDE:
                return levels
            kept = slice(several[0], several[-1] + 1)
            levels = levels[kept] if side == 0 else levels[:, kept]
        if levels.shape == (rows, columns):
            return levels
        rows, columns = levels.shape


def _at_one_aspect(one: np.ndarray, other: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield both pictures made of one shape and small, in each turn: drawn over each other, and cut to the middle."""
    one = _small(one)
    for turns in range(4):
        turned = _small(np.rot90(other, turns))
        yield one, turned
        cut, whole = _cut(one, turned), _cut(turned, one)
        if cut.shape != one.shape or whole.shape != turned.shape:
            yield cut, turned
            yield one, whole


def _small(levels: np.ndarray) -> np.ndarray:
    height, width = levels.shape
    most = max(height, width)
    if most <= _LARGEST:
        return np.ascontiguousarray(levels)
    size = (max(1, round(width * _LARGEST / most)), max(1, round(height * _LARGEST / most)))
    return np.asarray(Image.fromarray(levels).resize(size, Image.Resampling.BOX))


def _cut(levels: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Return the middle of a picture, as wide for its height as another."""
    height, width = levels.shape
    tall = min(height, max(1, round(width * like.shape[0] / like.shape[1])))
    wide = min(width, max(1, round(height * like.shape[1] / like.shape[0])))
    top, left = (height - tall) // 2, (width - wide) // 2
    return np.ascontiguousarray(levels[top : top + tall, left : left + wide])

"""Variations of pictures that were not read with confidence, and what readings of all of them together say.

A network makes other errors on each variation of a picture. So the confidences of its readings are averaged. The field
calls this test-time augmentation.
"""

from typing import NamedTuple

import numba
import numpy as np

from tasks.deep.pictures import find_content, find_ground
from tasks.lowlevel.padding import to_read
from tasks.reading.reader import Readings

# Of some 50 that were tried on 140 to 200 pictures each of ten generators (docs/second-looks.md): letters thicker,
# thinner, by shares of the height by which dark edges move outwards, and letters that lean, by columns to a row.
EDGES = (0.02, 0.01, -0.01, -0.02)
LEANS = (0.3, -0.3)
COUNT = len(EDGES) + len(LEANS)
VARIED = 0.9  # a picture that was read with so much confidence is not varied
# The mean share is too modest: an error seldom repeats itself. 0.8 fits best on drawings of faces and profiles that the
# model does not know, and 0.5 on pictures of ten generators (docs/second-looks.md).
POWER = 0.6
_ROWS = 120  # a picture with more is made smaller, by whole numbers


class Varied(NamedTuple):
    """One variation of n pictures.

    images : (n, H, W) or (n, H, W, 3) uint8
    sizes : (n, 2) int64, rows and columns of each picture at the top left of its canvas
    """

    images: np.ndarray
    sizes: np.ndarray


class Averaged(NamedTuple):
    """What the readings of pictures and of their variations say together.

    of : (n,) int64
        The reading that says it: 0 for the picture as it is, 1 for its first variation and so on.
    words : (n, 3) str
        Best first, '' where there are fewer.
    confidences : (n, 3) float64
    reading_confidence : (n,) float64
        In the letters of the reading `of`.
    """

    of: np.ndarray
    words: np.ndarray
    confidences: np.ndarray
    reading_confidence: np.ndarray


def vary(images: np.ndarray, sizes: np.ndarray) -> list[Varied]:
    """Make each picture's variations: letters thicker, thinner, and leaning.

    Parameters
    ----------
    images : (n, H, W) or (n, H, W, 3) uint8
        Ink, or sRGB as seen.
    sizes : (n, 2) int64
        Rows and columns of each picture at the top left of its canvas.

    Returns
    -------
    list of Varied
        `COUNT` of them, of what is worth looking at in each picture.
    """
    rectangles = find_content(images, sizes)
    corners = np.column_stack([np.floor(rectangles[:, :2]), np.ceil(rectangles[:, 2:])]).astype(np.int64)
    steps = -(-(corners[:, 2] - corners[:, 0]) // _ROWS)
    wanted = np.maximum((corners[:, 2:] - corners[:, :2]) // steps[:, None], 1)
    every = to_read(images)
    every = every if every.ndim == 4 else every[..., None]
    shape = (len(images), *wanted.max(axis=0, initial=1).tolist(), every.shape[3])
    found = np.zeros((COUNT, *shape), np.uint8)
    _vary(every, corners, steps, wanted, np.array(EDGES), np.array(LEANS), images.ndim == 3, found)
    return [Varied(varied if images.ndim == 4 else varied[..., 0], wanted) for varied in found]


def average(readings: list[Readings]) -> Averaged:
    """Add up the confidences of equal words in readings of the same n pictures, as they are and varied.

    The best word is one that some reading takes for the best; a reading says with how much confidence others may be.
    """
    n, parts = len(readings[0].words), len(readings)
    words = np.stack([part.words for part in readings], axis=1)  # (n, parts, 3)
    sure = np.nan_to_num(np.stack([part.confidences for part in readings], axis=1))
    own = np.nan_to_num(np.stack([part.reading_confidence for part in readings], axis=1))
    read = np.stack([part.reading for part in readings], axis=1)
    of, best = np.zeros(n, np.int64), np.full((n, words.shape[2]), "", words.dtype)
    confidences, whole = np.zeros((n, words.shape[2])), np.zeros(n)
    for k in range(n):
        added: dict[str, float] = {}
        for word, share in zip(words[k].ravel().tolist(), sure[k].ravel().tolist(), strict=True):
            added[word] = added.get(word, 0.0) + share
        first = max(words[k, :, 0].tolist(), key=added.__getitem__)
        added.pop("", None)
        others = sorted((word for word in added if word != first), key=added.__getitem__, reverse=True)
        said = [first, *others][: words.shape[2]]
        best[k, : len(said)] = said
        confidences[k, : len(said)] = [added.get(word, 0.0) / parts for word in said]
        of[k] = np.argmax(np.where(words[k, :, 0] == first, sure[k, :, 0], -1.0))
        whole[k] = own[k][read[k] == read[k, of[k]]].sum() / parts
    shown = confidences[:, 0] ** POWER
    rest = (1 - shown) / np.maximum(1 - confidences[:, 0], 1e-9)
    confidences[:, 1:] *= np.minimum(rest, 1.0)[:, None]
    confidences[:, 0] = shown
    return Averaged(of, best, confidences, whole**POWER)


@numba.njit(cache=True, nogil=True)
def _vary(images, corners, steps, sizes, edges, leans, ink, found):
    channels = images.shape[3]
    ground = np.empty(channels, np.float32)
    for i in range(len(images)):
        high, wide = sizes[i]
        picture = np.empty((high, wide, channels), np.float32)
        _shrink(images[i], corners[i], steps[i], picture)
        for k in range(len(edges)):
            outwards = (edges[k] > 0) != ink  # dark letters get thicker where the least level counts
            moved = picture
            left = abs(edges[k]) * high
            while left > 0:
                moved = _moved(moved, min(left, 1.0), outwards)
                left -= 1.0
            _put(moved, found[k, i])
        find_ground(_whole(picture), high, wide, ground)
        for k in range(len(leans)):
            _lean(picture, leans[k], ground, found[len(edges) + k, i])


@numba.njit(cache=True, nogil=True)
def _shrink(image, corner, step, out):
    """Fill in the means of squares of `step` pixels."""
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            for c in range(out.shape[2]):
                total = np.float32(0.0)
                for i in range(step):
                    for j in range(step):
                        total += image[corner[0] + y * step + i, corner[1] + x * step + j, c]
                out[y, x, c] = total / (step * step)


@numba.njit(cache=True, nogil=True)
def _moved(picture, share, least):
    """Return a picture in which each pixel takes up a share of the least, or the greatest, of the levels beside it."""
    high, wide, channels = picture.shape
    share = np.float32(share)
    sign = np.float32(1.0) if least else np.float32(-1.0)
    across, out = np.empty_like(picture), np.empty_like(picture)
    for y in range(high):
        for x in range(wide):
            for c in range(channels):
                level = picture[y, x, c]
                beside = min(sign * picture[y, max(x - 1, 0), c], sign * picture[y, min(x + 1, wide - 1), c])
                across[y, x, c] = level + share * (sign * min(beside, sign * level) - level)
    for y in range(high):
        above, below = max(y - 1, 0), min(y + 1, high - 1)
        for x in range(wide):
            for c in range(channels):
                level = across[y, x, c]
                beside = min(sign * across[above, x, c], sign * across[below, x, c])
                out[y, x, c] = level + share * (sign * min(beside, sign * level) - level)
    return out


@numba.njit(cache=True, nogil=True)
def _lean(picture, lean, ground, out):
    high, wide, channels = picture.shape
    for y in range(high):
        shift = lean * (y - (high - 1) / 2)
        for x in range(wide):
            at = x - shift
            first = int(np.floor(at))
            part = np.float32(at - first)
            for c in range(channels):
                before = picture[y, first, c] if 0 <= first < wide else ground[c]
                after = picture[y, first + 1, c] if 0 <= first + 1 < wide else ground[c]
                out[y, x, c] = np.uint8(before + part * (after - before) + np.float32(0.5))


@numba.njit(cache=True, nogil=True)
def _whole(picture):
    return (picture + np.float32(0.5)).astype(np.uint8)


@numba.njit(cache=True, nogil=True)
def _put(picture, out):
    out[: picture.shape[0], : picture.shape[1]] = _whole(picture)

"""What stands apart from the letters of a picture, as an icon does: tell its colour from theirs, and cover it."""

import numpy as np

from tasks.loading.oddities.oddities import INKED, LETTER, Oddities
from tasks.loading.parts import LEFT, find_parts

CORE = 0.6  # of a part's ink is weaker than its core, which has the part's colour
OTHER = 40  # levels in any channel: a colour that differs by more is another
BESIDE = 2  # columns at each side of the gap's middle that tell the ground


def of_another_colour(images: np.ndarray, ink: np.ndarray, found: Oddities) -> np.ndarray:
    """Tell where the letters share a colour that what stands apart does not have, (n,) bool.

    Parameters
    ----------
    images : (n, H, W) or (n, H, W, 3) uint8
    ink : (n, H, W) uint8
        Theirs; `find_oddities` found `found` in it.
    """
    differs = np.zeros(len(images), np.bool_)
    for k in np.flatnonzero(found.apart).tolist():
        parts = find_parts(ink[k] >= INKED)
        letters = parts.height >= LETTER * parts.height.max()
        inside = (parts.table[:, LEFT] >= found.begin[k]) & (parts.table[:, LEFT] < found.end[k])
        own = np.array([_colour(images[k], ink[k], parts.labels == j) for j in np.flatnonzero(letters & inside)])
        thing = np.flatnonzero(~inside)
        if not len(own) or not len(thing):
            continue
        largest = int(thing[parts.area[thing].argmax()])
        far = abs(own - _colour(images[k], ink[k], parts.labels == largest)).max(axis=1).min()
        differs[k] = far > OTHER and np.ptp(own, axis=0).max() <= OTHER
    return differs


def _colour(image: np.ndarray, ink: np.ndarray, own: np.ndarray) -> np.ndarray:
    strong = own & (ink >= np.quantile(ink[own], CORE))
    colour: np.ndarray = np.atleast_1d(np.median(image[strong], axis=0))
    return colour


def without_apart(images: np.ndarray, found: Oddities) -> np.ndarray:
    """Cover what stands apart with the ground of the gap before it; `images` as above, and the result like them."""
    out = images.copy()
    for image, begin, end in zip(out, found.begin.tolist(), found.end.tolist(), strict=True):
        if begin > 0:
            image[:, :begin] = _ground(image, begin)
        if end < image.shape[1]:
            image[:, end:] = _ground(image, end)
    return out


def _ground(image: np.ndarray, middle: int) -> np.ndarray:
    """Return the ground of each row, from the columns around the middle of a gap."""
    beside = image[:, max(middle - BESIDE, 0) : middle + BESIDE + 1]
    ground: np.ndarray = np.median(beside, axis=1, keepdims=True).astype(np.uint8)
    return ground

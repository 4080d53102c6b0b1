"""Pictures of two colours whose shades are patterns of dots (dithered) -> shades again."""

import numpy as np
from PIL import Image, ImageFilter

TWO = 0.98  # of the pixels: the two most frequent colours have more, in a picture of two colours
DOTTED = 0.03  # of the pixels: if fewer differ from both their neighbours in a row, shades are no dots
FEW = 7  # of so many pixels the first is looked at, before all are
SOFT = 1.0  # pixels: the standard deviation of the blur


def _has_two_colours(pixels: np.ndarray, strange: float) -> bool:
    """Tell whether no larger share of pixels, (n, 3) uint8, than `strange` has another colour than two."""
    far = abs(pixels.astype(np.int16) - pixels[0]).max(axis=1)
    other = pixels[far > 8]
    if not len(other):
        return True
    second = np.median(other, axis=0)
    return bool((abs(other - second).max(axis=1) > 8).sum() <= strange * len(pixels))


def undithered(image: np.ndarray) -> np.ndarray | None:
    """Blur a dithered picture, (H, W, 3) uint8, so that its dots become shades; None if it is not dithered."""
    if min(image.shape[:2]) < 3 or not _has_two_colours(image.reshape(-1, 3)[::FEW], 2 * (1 - TWO)):
        return None
    first = image[0, 0].astype(np.int16)
    ones = abs(image.astype(np.int16) - first).max(axis=2) > 8
    if not ones.any():
        return None
    second = np.median(image[ones], axis=0)
    strange = abs(image[ones] - second).max(axis=1) > 8
    dots = (ones[:, 1:-1] != ones[:, :-2]) & (ones[:, 1:-1] != ones[:, 2:])
    if strange.sum() > (1 - TWO) * ones.size or dots.mean() < DOTTED:
        return None
    return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(SOFT)))

"""Pictures of two colours whose shades are patterns of dots (dithered) -> shades again."""

import numpy as np
from PIL import Image, ImageFilter

TWO = 0.98  # of the pixels: the two most frequent colours have more, in a picture of two colours
DOTTED = 0.03  # of the pixels: if fewer differ from both their neighbours in a row, shades are no dots
SOFT = 1.0  # pixels: the standard deviation of the blur


def undithered(image: np.ndarray) -> np.ndarray | None:
    """Blur a dithered picture, (H, W, 3) uint8, so that its dots become shades; None if it is not dithered."""
    if min(image.shape[:2]) < 3:
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

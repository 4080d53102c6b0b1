"""Pictures of letters in or on a texture that is finer than their strokes, as seen -> the same, smoothed.

Grain, chalk, sown dots, moiré and thin stripes differ from pixel to pixel, so a slight blur takes most of the picture's
contrast away. It leaves most of the contrast between letters and their ground.
"""

import numpy as np
from PIL import Image, ImageFilter

SIGN, BLURS = 1.5, (1.0, 1.5)  # pixels: deviations of the blur that tells a texture, and of those that are read,
ROWS = 80  # in a picture of up to so many rows
FINE = 0.5  # of the variance of brightness: what the blur takes away has more of it where there is a texture
PLAIN = 16  # levels: the deviation of brightness in a picture that shows nothing
MOST = 300_000  # pixels: a larger picture is read as it is


def smoothed(image: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return a picture with its texture smoothed, for some widths of it; nothing if it has none.

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
    step = -(-high // ROWS)
    grey = Image.fromarray(np.ascontiguousarray(image[::step, ::step])).convert("L")
    level, blurred = (np.asarray(each, np.float32) for each in (grey, grey.filter(ImageFilter.GaussianBlur(SIGN))))
    variance = float(level.var())
    if variance < PLAIN * PLAIN or float(np.square(level - blurred).mean()) < FINE * variance:
        return ()
    return tuple(np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(step * width))) for width in BLURS)

"""Pictures whose red, green and blue lie beside each other, as seen -> the three on one another, in shades of grey.

The two others are moved to where they agree most with green.
"""

import numpy as np

from tasks.loading.oddities.layouts.ink import MOST

FARTHEST = 0.3  # of the rows: colours are moved by no more
LEAST = 2  # pixels: what two colours lie apart at least
AGREE, GAIN = 0.75, 1.15  # the correlation of two colours that were moved, and how many times that of the picture it is
FAINT = 32  # levels: a colour whose levels differ by less in the whole picture shows nothing


def in_register(image: np.ndarray) -> np.ndarray | None:
    """Return a picture whose colours lie on one another; None if they do.

    Parameters
    ----------
    image : (H, W, 3) uint8

    Returns
    -------
    (H, W, 3) uint8
    """
    high, wide = image.shape[:2]
    if high * wide > MOST or min(high, wide) < 8 or np.ptp(image.astype(np.int16), axis=(0, 1)).min() < FAINT:
        return None
    levels = image.astype(np.float64)
    levels -= levels.mean(axis=(0, 1))
    levels /= np.linalg.norm(levels, axis=(0, 1))
    seen = np.fft.rfft2(levels, axes=(0, 1))
    moved, apart = [image[:, :, 1].astype(np.float64)], 0
    for channel in (0, 2):
        # How well they agree for each distance: a circular correlation.
        agree = np.fft.irfft2(seen[:, :, 1] * seen[:, :, channel].conj(), s=(high, wide))
        reach = max(LEAST, int(FARTHEST * high))
        rows, columns = (np.minimum(np.arange(side), side - np.arange(side)) <= reach for side in (high, wide))
        near = np.where(rows[:, None] & columns, agree, -1.0)
        y, x = divmod(int(np.argmax(near)), wide)
        if near[y, x] < AGREE or near[y, x] < GAIN * agree[0, 0]:
            y, x = 0, 0
        apart = max(apart, min(y, high - y), min(x, wide - x))
        moved.append(np.roll(image[:, :, channel].astype(np.float64), (y, x), (0, 1)))
    if apart < LEAST:
        return None
    return np.repeat(np.mean(moved, axis=0).astype(np.uint8)[:, :, None], 3, axis=2)

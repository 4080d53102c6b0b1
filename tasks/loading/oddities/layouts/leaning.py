"""Pictures of letters that lean far, as seen -> the letters upright.

Readers know letters that lean by some 20 degrees. The shear under which the columns' ink is most uneven is undone.
"""

import numpy as np
from PIL import Image

from tasks.loading.oddities.cards import from_ground, ground_of
from tasks.loading.oddities.layouts.ink import MOST

STEEPEST, STEP = 1.5, 0.1  # columns a row: shears that are tried, in both directions
LEAST = 0.4  # a text that leans by less is read as it is
GAIN = 1.25  # times the unevenness of the picture as it is: the found shear has more
HIGHEST = 80  # rows of the picture in which the shear is looked for
FAINT = 32  # levels: ink has more


def upright(image: np.ndarray) -> np.ndarray | None:
    """Return a picture whose letters lean far with its letters upright; None if they do not lean far.

    Parameters
    ----------
    image : (H, W, 3) uint8

    Returns
    -------
    (H, w, 3) uint8
        Wider by as many columns as its highest and its lowest row moved.
    """
    high, wide = image.shape[:2]
    if high * wide > MOST:
        return None
    shear = _shear(from_ground(image))
    if abs(shear) < LEAST:
        return None
    ground = tuple(int(level) for level in ground_of(image))
    size = wide + round(abs(shear) * high), high
    coefficients = 1, shear, -max(shear, 0) * high, 0, 1, 0
    leaning = Image.fromarray(image)
    found = leaning.transform(size, Image.Transform.AFFINE, coefficients, Image.Resampling.BICUBIC, fillcolor=ground)
    return np.asarray(found)


def _shear(far: np.ndarray) -> float:
    """Return by how many columns a row the letters of ink, (H, W) uint8, lean; 0 if they stand upright."""
    step = -(-len(far) // HIGHEST)
    rows, columns = len(far) // step, far.shape[1] // step
    if not rows or not columns:
        return 0.0
    small = far[: rows * step, : columns * step].reshape(rows, step, columns, step).mean(axis=(1, 3))
    small[small < FAINT] = 0
    y, x = np.nonzero(small)
    if not len(y):
        return 0.0
    weights, y = small[y, x], y - rows // 2
    margin = int(np.ceil(STEEPEST * (rows + 1) / 2)) + 1
    shears = np.arange(-round(STEEPEST / STEP), round(STEEPEST / STEP) + 1) * STEP
    uneven = np.array([
        (np.bincount(np.rint(x - shear * y).astype(np.int64) + margin, weights, columns + 2 * margin) ** 2).sum()
        for shear in shears
    ])  # fmt: skip
    best = int(np.argmax(uneven))
    return float(shears[best]) if uneven[best] >= GAIN * uneven[len(shears) // 2] else 0.0

"""Pictures whose text is small and lies among other things, as seen -> the text alone, enlarged, in black on white.

Readers take a picture as a whole to one height: what is a quarter as high as its picture becomes too small to be read.
"""

import numpy as np
from PIL import Image

from tasks.loading.oddities.cards import from_ground
from tasks.loading.parts import BOTTOM, LEFT, RIGHT, TOP, find_parts

LEAST_INK = 64  # levels, in the channel where a pixel differs most from the ground: letters have more
STRONG, FAINT = (
    0.7,
    0.4,
)  # of the strongest ink: letters have more than the first; what has less than the second is ground
HIGH, FEW = 6, 3  # pixels, and parts: a text has no lower and no fewer letters
ALIKE = 0.6, 1.7  # of the median height: letters of a text are from so high to so high
LINE = 2.0  # of the median height: a line of text is no higher
LARGE = 0.4  # of the picture: a text that is higher is read as it is
MARGIN = 0.4  # of the median height, around the text
FILLED, BLOCK = 0.6, 1.5  # of its box, and of the median height squared: a part that fills more of both is no letter
SPECK = 0.03  # of the median height squared: a part of fewer pixels is no part of a letter


def close_up(image: np.ndarray) -> np.ndarray | None:
    """Return a small text, enlarged and without what is fainter; None if no line of small letters is found.

    Parameters
    ----------
    image : (H, W, 3) uint8

    Returns
    -------
    (H, W, 3) uint8
    """
    high, wide = image.shape[:2]
    far = from_ground(image)
    inked = far[far >= LEAST_INK]
    if not len(inked):
        return None
    strongest = float(np.quantile(inked, 0.95))
    parts = find_parts(far >= STRONG * strongest)
    letters = (parts.height >= HIGH) & (parts.height <= LARGE * high) & (parts.width <= wide / 2)
    letters &= parts.width <= 3 * parts.height
    if letters.sum() < FEW:
        return None
    middle = float(np.median(parts.height[letters]))
    letters &= (parts.height >= ALIKE[0] * middle) & (parts.height <= ALIKE[1] * middle)
    table = parts.table[letters]
    if len(table) < FEW:
        return None
    top, left, bottom, right = (
        table[:, TOP].min(), table[:, LEFT].min(), table[:, BOTTOM].max(), table[:, RIGHT].max(),
    )  # fmt: skip
    if bottom - top > min(LINE * middle, LARGE * high) or _has_block(far >= LEAST_INK, middle):
        return None
    around = max(2, round(MARGIN * middle))
    rows, columns = slice(max(0, top - around), bottom + around), slice(max(0, left - around), right + around)
    ink = np.clip((far[rows, columns] / strongest - FAINT) / (1 - FAINT), 0, 1)
    inside = find_parts(ink > 0)
    ink[inside.of(inside.area < max(3, SPECK * middle * middle))] = 0
    part = Image.fromarray((255 - 255 * ink).astype(np.uint8))
    times = min(high / part.height, wide / part.width)
    part = part.resize(
        (max(1, round(times * part.width)), max(1, round(times * part.height))), Image.Resampling.BICUBIC
    )
    out = Image.new("L", (wide, high), 255)
    out.paste(part, ((wide - part.width) // 2, (high - part.height) // 2))
    return np.repeat(np.asarray(out)[:, :, None], 3, axis=2)


def _has_block(inked: np.ndarray, middle: float) -> bool:
    """Tell whether a filled area may hide letters, or halves of them, which would be what looks small."""
    parts = find_parts(inked)
    large = (np.minimum(parts.height, parts.width) >= middle) & (parts.area >= BLOCK * middle * middle)
    return bool((large & (parts.area >= FILLED * parts.height * parts.width)).any())

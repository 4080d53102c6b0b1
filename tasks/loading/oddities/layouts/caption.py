"""Pictures of a text with a smaller one above or below it, such as a web address, as seen -> the larger text alone."""

import numpy as np

from tasks.loading.oddities.cards import from_ground, ground_of
from tasks.loading.oddities.layouts.close_up import ALIKE, FEW
from tasks.loading.oddities.layouts.ink import MOST, SPECK, inked_parts
from tasks.loading.parts import BOTTOM, LEFT, RIGHT, TOP

LETTERS = 4  # a caption has no fewer parts
SMALL = 0.72  # of the usual letter's height: a caption's parts are no higher
LEVEL = 1.6  # of its highest part: a caption takes up no more rows
# A row is accents, and no caption, if it has no more than two parts a letter, and so many of them are no farther above
# or below a letter, and no farther aside (of a letter's height):
MARKS, OVER, NEAR, ASIDE = 2, 0.9, 0.35, 0.2
LARGER = 1.3  # times a caption's ink: the larger text has more


def without_caption(image: np.ndarray) -> np.ndarray | None:
    """Return a picture without a row of small letters above or below its text; None if there is none.

    Parameters
    ----------
    image : (H, W, 3) uint8

    Returns
    -------
    (H, W, 3) uint8
        Its ground where the small letters were.
    """
    if image.shape[0] * image.shape[1] > MOST:
        return None
    far = from_ground(image)
    parts = inked_parts(far, 1)
    if parts is None or len(parts.table) < LETTERS + FEW:
        return None
    highest = float(np.max(parts.height[parts.width <= 3 * parts.height], initial=0))
    letters = parts.height >= ALIKE[0] * highest
    if letters.sum() < FEW:
        return None
    table, middle = parts.table, float(np.median(parts.height[letters]))
    centre = (table[:, TOP] + table[:, BOTTOM]) / 2
    above, below = float(np.median(table[letters, TOP])), float(np.median(table[letters, BOTTOM]))
    large = table[letters]
    if np.ptp((large[:, TOP] + large[:, BOTTOM]) / 2) > middle:
        return None  # scattered letters
    small = (parts.height <= SMALL * middle) & (parts.area >= 0.5 * SPECK * middle * middle)
    out = image.copy()
    found = False
    for beyond, edge in ((centre < above, large[:, TOP].min()), (centre > below, large[:, BOTTOM].max())):
        own = np.flatnonzero(small & beyond)
        if len(own) < LETTERS:
            continue
        usual = float(np.median(centre[own]))
        high = float(parts.height[own].max())
        own = own[np.abs(centre[own] - usual) <= LEVEL / 2 * high]
        if len(own) < LETTERS:
            continue
        across = (table[own, LEFT] + table[own, RIGHT])[:, None] / 2
        apart = np.maximum(large[:, TOP] - table[own, BOTTOM, None], table[own, TOP, None] - large[:, BOTTOM])
        aside = np.maximum(large[:, LEFT] - across, across - large[:, RIGHT])
        over = (aside <= ASIDE * middle) & (apart <= NEAR * middle)
        if len(own) <= MARKS * len(large) and over.any(axis=1).mean() >= OVER:
            continue
        outside = (table[own, BOTTOM] <= edge) if usual < above else (table[own, TOP] >= edge)
        if outside.mean() < 0.5 or parts.area[own].sum() * LARGER > parts.area[letters].sum():
            continue
        found = True
        for top, left, bottom, right in table[own][:, [TOP, LEFT, BOTTOM, RIGHT]].tolist():
            box = slice(max(0, top - 1), bottom + 1), slice(max(0, left - 1), right + 1)
            kept = np.isin(parts.labels[box], np.flatnonzero(letters))
            out[box] = np.where(kept[:, :, None], out[box], ground_of(image))
    return out if found else None

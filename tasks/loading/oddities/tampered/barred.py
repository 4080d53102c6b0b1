"""Pictures of letters under level bars of the ground's colour, as seen -> the letters without gaps, in black on white.

A stroke goes on straight below the bar. So each pixel of the bar gets the ink that both ends of some straight line
through it have, which does not lean far.
"""

from itertools import pairwise

import numpy as np

from tasks.loading.oddities.cards import from_ground
from tasks.loading.oddities.layouts.ink import MOST

EMPTY = 0.12  # of a usual row's ink: a row of a bar has less
HIGHEST = 0.2  # of the text's rows: a bar has no more
BARS = 6  # a text has no more; what has more is rows of dots or dashes
BESIDE = 0.2  # of all ink: so much is above some bar, and below it
LEAN = 1.0  # columns a row: a stroke leans by no more
FAINT = 32  # levels: ink has more
LEAST = 12  # rows of a text


def without_bars(image: np.ndarray) -> np.ndarray | None:
    """Return a picture without bars of the ground's colour across its text; None if there are none.

    Parameters
    ----------
    image : (H, W, 3) uint8

    Returns
    -------
    (H, W, 3) uint8
    """
    if image.shape[0] * image.shape[1] > MOST:
        return None
    far = from_ground(image)
    far[far < FAINT] = 0
    sums = far.sum(axis=1, dtype=np.int64)
    inked = np.flatnonzero(sums)
    if not len(inked) or inked[-1] + 1 - inked[0] < LEAST:
        return None
    if np.ptp(inked) > np.ptp(np.flatnonzero(far.any(axis=0))):
        return None  # letters that may stand below each other
    usual = float(np.median(sums[inked]))
    full = np.flatnonzero(sums >= EMPTY * usual)
    high = full[-1] + 1 - full[0]
    bars = [(a + 1, b) for a, b in pairwise(full.tolist()) if b - a > 1]
    if not 0 < len(bars) <= BARS or max(b - a for a, b in bars) > HIGHEST * high:
        return None
    above = np.cumsum(sums)[[a - 1 for a, _ in bars]] / sums.sum()
    if not ((above >= BESIDE) & (above <= 1 - BESIDE)).any():
        return None  # accents above the letters, or a line below them
    strongest = float(np.quantile(far[far > 0], 0.9))
    ink = np.clip(far / strongest, 0, 1)
    for top, bottom in bars:
        _fill(ink, top, bottom)
    return np.repeat((255 - 255 * ink).astype(np.uint8)[:, :, None], 3, axis=2)


def _fill(ink: np.ndarray, top: int, bottom: int) -> None:
    """Fill the rows from `top` to `bottom` of ink, (H, W) float64, with the strokes that meet both their ends."""
    above, below, wide = ink[top - 1], ink[bottom], ink.shape[1]
    reach = round(LEAN * (bottom - top + 1))
    places = np.arange(wide)
    for y in range(top, bottom):
        share = (y - top + 1) / (bottom - top + 1)
        for lean in range(-reach, reach + 1):
            first = np.clip(np.rint(places - share * lean).astype(np.int64), 0, wide - 1)
            last = np.clip(np.rint(places + (1 - share) * lean).astype(np.int64), 0, wide - 1)
            np.maximum(ink[y], np.minimum(above[first], below[last]), out=ink[y])

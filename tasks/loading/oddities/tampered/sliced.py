"""Pictures whose rows are moved sideways in strips, as seen -> the strips where they belong.

At the edge between two strips a row agrees with the one above far better when it is moved.
"""

import numpy as np

from tasks.loading.oddities.cards import from_ground
from tasks.loading.oddities.layouts.ink import MOST

FARTHEST = 0.25  # of the text's rows: strips are moved by no more
LEAST = 2  # pixels: from one row to the next a slanting stroke moves by less
BETTER = 0.8  # of their difference as they are: rows that were moved differ by less
WHOLE = 0.93  # and all rows together by so much
STRIPS = 2  # edges: a text has no fewer where strips were moved, or a single one that moves it far:
FAR = 0.08  # of the text's rows
FAINT = 32  # levels: ink has more


def put_together(image: np.ndarray) -> np.ndarray | None:
    """Return a picture whose strips of rows are moved back; None if none was moved.

    Parameters
    ----------
    image : (H, W, 3) uint8

    Returns
    -------
    (H, W, 3) uint8
    """
    if image.shape[0] * image.shape[1] > MOST:
        return None
    far = from_ground(image).astype(np.float32)
    far[far < FAINT] = 0
    inked = np.flatnonzero(far.any(axis=1))
    if len(inked) < 8:
        return None
    high = int(inked[-1] - inked[0] + 1)
    reach = max(LEAST, min(int(FARTHEST * high), image.shape[1] - 1))
    every = np.lib.stride_tricks.sliding_window_view(np.pad(far, ((0, 0), (reach, reach))), far.shape[1], axis=1)
    moved, jumps, before, after = np.zeros(len(image), np.int64), [], 0.0, 0.0
    for y in inked[1:].tolist():
        unequal = np.abs(every[y] - far[y - 1]).sum(axis=1)
        best = int(np.argmin(unequal))
        if abs(best - reach) >= LEAST and unequal[best] < BETTER * unequal[reach] and far[y - 1].any():
            moved[y] = reach - best
            jumps.append(abs(best - reach))
        before += float(unequal[reach])
        after += float(unequal[best if moved[y] else reach])
    if not jumps or (len(jumps) < STRIPS and max(jumps) < FAR * high) or after > WHOLE * before:
        return None
    places = np.cumsum(moved)
    places -= int(np.median(places[inked]))
    return np.stack([np.roll(row, int(shift), axis=0) for row, shift in zip(image, places, strict=True)])

"""Pictures that are inverted in squares, strips or halves, as seen -> the same without inverted parts.

Along the edge of an inverted part nearly every pixel differs much from the one beside it, letter or ground.
"""

import numpy as np

from tasks.loading.oddities.layouts.ink import MOST

FAR = 40  # levels, in the channel where pixels differ most: two sides of an edge differ by more
EDGE = 0.75  # of a row or column: so many pixels differ from those beside them along an edge
MOST_EDGES = 40  # each way: a pattern of the ground has more
LEAST = 4  # rows or columns: edges are no nearer to each other


def uninverted(image: np.ndarray) -> np.ndarray | None:
    """Return a picture without inverted squares, strips or halves; None if it has none.

    Parameters
    ----------
    image : (H, W, 3) uint8

    Returns
    -------
    (H, W, 3) uint8
        Its first part, at the top left, stays as it is.
    """
    if image.shape[0] * image.shape[1] > MOST or min(image.shape[:2]) < 2 * LEAST:
        return None
    down, across = (_parity(image, axis) for axis in (0, 1))
    if not (down.any() or across.any()):
        return None
    turned: np.ndarray = np.where((down[:, None] ^ across)[:, :, None], 255 - image, image)
    return turned


def _parity(image: np.ndarray, axis: int) -> np.ndarray:
    """Return for each row, or each column, whether an odd number of edges is before it."""
    none = np.zeros(image.shape[axis], np.bool_)
    steps = np.abs(np.diff(image.astype(np.int16), axis=axis)).max(axis=2) > FAR
    edges = 1 + np.flatnonzero(steps.mean(axis=1 - axis) >= EDGE)
    if not 0 < len(edges) <= MOST_EDGES or np.diff(edges, prepend=0, append=len(none)).min() < LEAST:
        return none
    none[edges] = True
    return np.bitwise_xor.accumulate(none)

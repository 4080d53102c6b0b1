"""Pictures that are upside down, as seen -> the same the right way up."""

import numpy as np


def the_other_way_up(image: np.ndarray) -> np.ndarray:
    """Return a picture, (H, W, 3) uint8, turned by 180 degrees: nothing but reading tells which way is up."""
    return np.ascontiguousarray(image[::-1, ::-1])

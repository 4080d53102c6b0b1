"""Pictures of letters in pieces, as seen -> the same with letters in one piece: of dots, of dashes, of squares.

Closing (dilation, then erosion) fills gaps that are narrower than its square is wide. It adds little to whole letters,
and much to letters of many small pieces.
"""

import numpy as np
from PIL import Image, ImageFilter

from tasks.loading.oddities.cards import distances, ground_of
from tasks.loading.oddities.thin_ink import opened

STRONG = 0.5  # of the ink's contrast: pixels with more are ink
INKED = 32  # levels, in the channel where a pixel differs most from the ground: a picture with no more has no ink
ADDED = 1.35  # times the ink: closing leaves more if letters are in pieces
WIDTHS = (3, 5, 7)  # pixels of the squares, in a picture of up to so many rows:
ROWS = 80
BLUR = 0.4  # of a square's pixels: the deviation of the blur that joins pieces too
FULL = 0.6  # of the picture: what closing fills further is the ground
MOST = 300_000  # pixels: a larger picture is read as it is


def in_one_piece(image: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return a picture whose letters' pieces are joined, for some distances between them; nothing for whole letters.

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
    ground = ground_of(image, step=3)
    far = distances(image, ground)
    inked = far > INKED
    if not inked.any():
        return ()
    ink = np.where(far > STRONG * np.quantile(far[inked], 0.9), 255, 0).astype(np.uint8)
    step = -(-high // ROWS)
    before, found = np.count_nonzero(ink), []
    for width in (size * step for size in WIDTHS):
        after = np.count_nonzero(_closed(ink, width))
        if ADDED * before <= after <= FULL * ink.size:
            found.append(width)
    if not found:
        return ()
    signed = image.astype(np.int16) - ground
    light, dark = np.maximum(signed, 0).astype(np.uint8), np.maximum(-signed, 0).astype(np.uint8)
    joined = [ground + _closed(light, width).astype(np.int16) - _closed(dark, width) for width in found]
    blurred = [np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(BLUR * width))) for width in found]
    return tuple(np.clip(each, 0, 255).astype(np.uint8) for each in (*joined, *blurred))


def _closed(ink: np.ndarray, width: int) -> np.ndarray:
    """Return ink, (H, W) or (H, W, C) uint8, without gaps that a square of so many pixels does not fit into."""
    return 255 - opened(255 - ink, width)

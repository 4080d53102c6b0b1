"""Pictures of letters of one shade over something fainter, as seen -> the letters alone, in black on white.

A text that shines through from behind, a shadow or decoys have one shade, too, and go on behind the letters. Letters of
several shades stand beside each other.
"""

import numpy as np
from PIL import Image, ImageFilter

from tasks.loading.oddities.cards import from_ground
from tasks.loading.parts import LEFT, RIGHT, find_parts

INKED = 20  # levels, in the channel where a pixel differs most from the ground
LEAST_INK = 30  # pixels
STRONG = 0.75  # of the strongest ink: the letters' ink, without its soft edges
AROUND = 5  # pixels of a square: soft edges of letters lie no farther from these
LEAST, LETTERS = 0.08, 0.1  # of all ink: the fainter layer has more, and so have letters
FAINT = 0.5  # of the strongest ink: the fainter layer is no stronger
EVEN, SPARE = 1.5, 6  # times its usual ink, and levels more: it has one shade, so nearly all of it is no stronger
SHADE, FULL, HALF = 0.7, 0.8, 0.35  # ink that is stronger than the layer by `HALF` of the difference: `SHADE` of it
# has `FULL` of the strongest ink, since letters have one shade
BEHIND = 0.02  # of the fainter layer's columns: so many also have the middle of a letter
EDGE = 0.33  # of a letter's width, at each side, is no middle: letters beside each other meet there
MOST = 300_000  # pixels: a larger picture is read as it is


def without_fainter_layer(image: np.ndarray) -> np.ndarray | None:
    """Return a picture's letters without a fainter layer behind them; None if it has none.

    Parameters
    ----------
    image : (H, W, 3) uint8

    Returns
    -------
    (H, W, 3) uint8
    """
    if image.shape[0] * image.shape[1] > MOST:
        return None
    far = from_ground(image, step=3).astype(np.float32)
    inked = far >= INKED
    count = np.count_nonzero(inked)
    if count < LEAST_INK:
        return None
    strongest = float(np.quantile(far[inked], 0.95))
    letters = far >= STRONG * strongest
    near = np.asarray(Image.fromarray(letters.astype(np.uint8) * 255).filter(ImageFilter.MaxFilter(AROUND))) > 0
    layer = inked & ~near
    if np.count_nonzero(layer) < LEAST * count or np.count_nonzero(letters) < LETTERS * count:
        return None
    usual, most = np.quantile(far[layer], [0.6, 0.97]).tolist()
    if most > min(FAINT * strongest, EVEN * usual + SPARE):
        return None
    stronger = far[far > most + HALF * (strongest - most)]
    if np.mean(stronger >= FULL * strongest) < SHADE or _middles(letters)[layer.any(axis=0)].mean() < BEHIND:
        return None
    ink = np.clip((far - most - 4) / max(strongest - most - 4, 1), 0, 1)
    return np.repeat((255 - 255 * ink).astype(np.uint8)[:, :, None], 3, axis=2)


def _middles(letters: np.ndarray) -> np.ndarray:
    """Return which columns are of the middle of a part of the letters, (W,) bool."""
    columns = np.zeros(letters.shape[1], np.bool_)
    parts = find_parts(letters)
    edges = np.ceil(EDGE * parts.width).astype(np.int64)
    for left, right in zip(parts.table[:, LEFT] + edges, parts.table[:, RIGHT] - edges, strict=True):
        columns[left:right] = True
    return columns

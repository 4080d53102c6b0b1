"""Ink of a picture as seen, its parts without thin lines, and a row of letters as large as a picture."""

import numpy as np
from PIL import Image, ImageFilter

from tasks.loading.oddities.layouts.close_up import FEW, HIGH, LEAST_INK
from tasks.loading.oddities.thin_ink import dilated, opened
from tasks.loading.parts import Parts, find_parts

STRONG, MOST_INK = 0.25, 128  # of the strongest ink, and levels: what has more than either is a letter's
FAINT = 0.2  # of a letter's strongest ink: what has less is ground
WIDTHS = (1, 2, 3)  # pixels: of lines, narrower ones are taken away, in a picture of up to so many rows:
ROWS = 200
NEAR = 0.12  # of the median height: so near to what opening leaves, thin ink is a letter's
MANY = 12  # letters: texts have no more
SPECK = 0.03  # of the median height squared: a part of fewer pixels is no part of a letter
GAP, MARGIN = 0.25, 0.25  # of the highest letter: between letters, and around them
HIGHEST, WIDEST = 160, 2000  # pixels of a text that is set otherwise and not put back into its picture
MOST = 1_000_000  # pixels: a larger picture is read as it is


def line_widths(far: np.ndarray) -> list[int]:
    """Return the widths of lines, in pixels, that are taken away from a picture of this height."""
    return [width * -(-len(far) // ROWS) for width in WIDTHS]


def inked_parts(far: np.ndarray, width: int) -> Parts | None:
    """Return the parts of ink, (H, W) uint8, that are at least so many pixels wide; None if there is no ink."""
    ink = opened(far, width)
    inked = ink[ink >= LEAST_INK]
    if not len(inked):
        return None
    least = min(STRONG * float(np.quantile(inked, 0.95)), MOST_INK)
    parts = find_parts(ink >= least)
    if width > 1 and len(parts.table):  # and what of the letters is as thin as lines
        parts = find_parts(dilated(ink >= least, round(NEAR * middle_height(parts))) & (far >= least))
    return parts


def middle_height(parts: Parts) -> float:
    """Return the median height of what may be letters, in pixels; 0 if that is too little."""
    likely = parts.height >= HIGH
    return float(np.median(parts.height[likely])) if likely.sum() >= FEW else 0.0


def own_ink(far: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Return the ink of a letter or a row, (h, w) uint8, with its soft edges. `own`, (h, w) bool, is where it is."""
    near = np.asarray(Image.fromarray(own.astype(np.uint8) * 255).filter(ImageFilter.MaxFilter(3))) > 0
    strongest = float(np.quantile(far[own], 0.9))
    ink: np.ndarray = (255 * np.clip((far / strongest - FAINT) / (1 - FAINT), 0, 1) * near).astype(np.uint8)
    return ink


def side_by_side(cells: list[np.ndarray]) -> np.ndarray:
    """Return ink of letters or of rows one after another, with a margin, (h, w) uint8."""
    tall = max(map(len, cells))
    gap, margin = max(1, round(GAP * tall)), max(1, round(MARGIN * tall))
    row = np.zeros((tall + 2 * margin, sum(cell.shape[1] + gap for cell in cells) - gap + 2 * margin), np.uint8)
    place = margin
    for cell in cells:
        down = margin + (tall - len(cell)) // 2
        row[down : down + len(cell), place : place + cell.shape[1]] = cell
        place += cell.shape[1] + gap
    return row


def on_canvas(row: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return a row of letters, (h, w) uint8 ink, in the middle of a picture of this shape, as large as it fits."""
    times = min(shape[0] / row.shape[0], shape[1] / row.shape[1])
    size = [max(1, round(times * side)) for side in row.shape[::-1]]
    part = Image.fromarray(255 - row).resize((size[0], size[1]), Image.Resampling.BICUBIC)
    out = Image.new("L", (shape[1], shape[0]), 255)
    out.paste(part, ((shape[1] - part.width) // 2, (shape[0] - part.height) // 2))
    return np.repeat(np.asarray(out)[:, :, None], 3, axis=2)


def in_own_size(image: np.ndarray) -> np.ndarray:
    """Return a picture, (h, w, 3) uint8, as large as readers need it at most: they take it to some 40 rows."""
    high, wide = image.shape[:2]
    times = min(1.0, HIGHEST / high, WIDEST / wide)
    size = max(1, round(times * wide)), max(1, round(times * high))
    return image if times == 1.0 else np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX))

"""Pictures of small letters at any height, as seen -> the letters side by side, enlarged, in black on white.

Readers take a picture as a whole to one height: letters that are a quarter as high as their picture become too small.
"""

import numpy as np
from PIL import Image, ImageFilter

from tasks.loading.oddities.cards import distances
from tasks.loading.oddities.close_up import ALIKE, FEW, HIGH, LARGE, LEAST_INK
from tasks.loading.oddities.thin_ink import opened
from tasks.loading.parts import BOTTOM, LEFT, RIGHT, TOP, Parts, find_parts

STRONG, MOST_INK = 0.25, 128  # of the strongest ink, and levels: what has more than either is a letter's
FAINT = 0.2  # of a letter's strongest ink: what has less is ground
WIDTHS = (1, 2, 3)  # pixels: of lines, narrower ones are taken away, in a picture of up to so many rows:
ROWS = 200
NEAR = 0.12  # of the median height: so near to what opening leaves, thin ink is a letter's
MANY = 12  # letters: texts have no more
UNEVEN = 1.5  # of the median height: letters at about one height take up no more rows
SPECK = 0.03  # of the median height squared: a part of fewer pixels is no part of a letter
OVER = 0.5  # of the narrower one's columns: parts that share more are of one letter, as an i and its dot
LETTER = 0.35  # of the letters' median area: what has more, and is no letter, may be several
GAP, MARGIN = 0.25, 0.25  # of the highest letter: between letters, and around them
MOST = 1_000_000  # pixels: a larger picture is read as it is

Letter = tuple[int, int, int, int, list[int]]  # top, left, bottom, right, and the numbers of its parts


def in_a_row(image: np.ndarray) -> np.ndarray | None:
    """Return a picture's letters side by side, without lines that are thinner; None if they are not scattered.

    Parameters
    ----------
    image : (H, W, 3) uint8

    Returns
    -------
    (H, W, 3) uint8
    """
    high, wide = image.shape[:2]
    if high * wide > MOST:
        return None
    ground = np.median(image.reshape(-1, 3)[::5], axis=0).astype(np.int16)
    far = distances(image, ground)
    step = -(-high // ROWS)
    for width in (size * step for size in WIDTHS):
        ink = opened(far, width)
        inked = ink[ink >= LEAST_INK]
        if not len(inked):
            break
        least = min(STRONG * float(np.quantile(inked, 0.95)), MOST_INK)
        parts = find_parts(ink >= least)
        if width > 1 and len(parts.table):  # and what of the letters is as thin as lines
            near = 2 * round(NEAR * _middle(parts, high)) + 1
            around = Image.fromarray((ink >= least).astype(np.uint8) * 255).filter(ImageFilter.MaxFilter(near))
            parts = find_parts((np.asarray(around) > 0) & (far >= least))
        letters = _letters(parts, high)
        if letters:
            return _on_canvas(_row(far, parts, letters), image.shape[:2])
    return None


def _middle(parts: Parts, high: int) -> float:
    """Return the median height of what may be letters, in pixels; 0 if that is too little."""
    likely = (parts.height >= HIGH) & (parts.height <= LARGE * high)
    return float(np.median(parts.height[likely])) if likely.sum() >= FEW else 0.0


def _letters(parts: Parts, high: int) -> list[Letter]:
    """Return the letters from left to right; none, if they are not scattered, or not told from what is no letter."""
    middle = _middle(parts, high)
    if not middle:
        return []
    letters: list[Letter] = []
    for k in sorted(
        np.flatnonzero(parts.area >= max(3, SPECK * middle * middle)).tolist(), key=parts.table[:, LEFT].__getitem__
    ):
        top, left, bottom, right = parts.table[k, [TOP, LEFT, BOTTOM, RIGHT]].tolist()
        if letters:
            a, b, c, d, numbers = letters[-1]
            shared = min(right, d) - max(left, b)
            if shared > OVER * min(right - left, d - b) and max(bottom, c) - min(top, a) <= ALIKE[1] * middle:
                letters[-1] = min(top, a), min(left, b), max(bottom, c), max(right, d), [*numbers, k]
                continue
        letters.append((top, left, bottom, right, [k]))
    alike = [
        ALIKE[0] * middle <= c - a <= ALIKE[1] * middle and d - b <= 2 * ALIKE[1] * middle for a, b, c, d, _ in letters
    ]
    areas = [int(parts.area[numbers].sum()) for *_, numbers in letters]
    kept = [letter for letter, like in zip(letters, alike, strict=True) if like]
    if not FEW <= len(kept) <= MANY:
        return []
    usual = float(np.median([area for area, like in zip(areas, alike, strict=True) if like]))
    if any(area > LETTER * usual for area, like in zip(areas, alike, strict=True) if not like):
        return []
    rows = max(letter[2] for letter in kept) - min(letter[0] for letter in kept)
    return kept if rows > UNEVEN * middle else []


def _row(far: np.ndarray, parts: Parts, letters: list[Letter]) -> np.ndarray:
    """Return ink (H, W) uint8 of letters side by side; each with its soft edges."""
    tall = max(bottom - top for top, _, bottom, _, _ in letters)
    gap, margin = max(1, round(GAP * tall)), max(1, round(MARGIN * tall))
    row = np.zeros((tall + 2 * margin, sum(d - b + gap for _, b, _, d, _ in letters) - gap + 2 * margin), np.uint8)
    place = margin
    for top, left, bottom, right, numbers in letters:
        box = slice(top, bottom), slice(left, right)
        own = np.isin(parts.labels[box], numbers)
        near = np.asarray(Image.fromarray(own.astype(np.uint8) * 255).filter(ImageFilter.MaxFilter(3))) > 0
        strongest = float(np.quantile(far[box][own], 0.9))
        ink = 255 * np.clip((far[box] / strongest - FAINT) / (1 - FAINT), 0, 1) * near
        down = margin + (tall - bottom + top) // 2
        row[down : down + bottom - top, place : place + right - left] = ink.astype(np.uint8)
        place += right - left + gap
    return row


def _on_canvas(row: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return a row of letters, (h, w) uint8 ink, in the middle of a picture of this shape, as large as it fits."""
    times = min(shape[0] / row.shape[0], shape[1] / row.shape[1])
    size = [max(1, round(times * side)) for side in row.shape[::-1]]
    part = Image.fromarray(255 - row).resize((size[0], size[1]), Image.Resampling.BICUBIC)
    out = Image.new("L", (shape[1], shape[0]), 255)
    out.paste(part, ((shape[1] - part.width) // 2, (shape[0] - part.height) // 2))
    return np.repeat(np.asarray(out)[:, :, None], 3, axis=2)

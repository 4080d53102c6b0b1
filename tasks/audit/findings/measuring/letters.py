"""Single letters cut out of pictures, by their boxes or, where letters stand apart, by the gaps between them."""

from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage

from tasks.audit.findings.measuring.sampled import Sampled

SIDE = 16  # pixels of a letter's frame
MOST_LETTERS = 8000
GAPPED = 0.5  # share of pictures that gaps divide, from which they are believed
_FAINT = 64  # ink below it is no letter
_SMALL = 0.25  # of the height of all ink: parts lower than that are no letters


@dataclass
class Cut:
    """Letters cut out of pictures: ink (h, w) uint8, label, number of the picture, and box."""

    pictures: list[np.ndarray] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    sources: list[int] = field(default_factory=list)
    boxes: list[tuple[int, int, int, int]] = field(default_factory=list)
    by_gaps: bool = False


def cut_letters(sample: Sampled) -> Cut:
    """Cut the letters of a sample out; none of a picture whose letters can be found neither by boxes nor by gaps.

    Gaps are believed only if they divide most pictures: else those that they happen to divide have noise for letters.
    """
    cut = Cut(by_gaps=not sample.boxed)
    asked = 0
    for number, (ink, text) in enumerate(zip(sample.inks, sample.texts, strict=True)):
        boxes = sample.boxes[number, : len(text)].tolist() if sample.boxed else boxes_by_gaps(ink, len(text))
        asked += 1
        if len(boxes) != len(text):
            continue
        for letter, (top, left, bottom, right) in zip(text, boxes, strict=True):
            if 0 <= top < bottom and 0 <= left < right:
                cut.pictures.append(ink[top:bottom, left:right])
                cut.labels.append(letter)
                cut.sources.append(number)
                cut.boxes.append((top, left, bottom, right))
        if len(cut.labels) >= MOST_LETTERS:
            break
    if cut.by_gaps and len(set(cut.sources)) < GAPPED * asked:
        return Cut(by_gaps=True)
    return cut


def boxes_by_gaps(ink: np.ndarray, count: int) -> list[tuple[int, int, int, int]]:
    """Return the boxes of a picture's letters if its ink falls into just so many parts beside each other."""
    dark = ink >= _FAINT
    rows = np.flatnonzero(dark.any(axis=1))
    if not len(rows):
        return []
    columns = dark.any(axis=0)
    parts, number = ndimage.label(columns)
    found = []
    for part in range(1, int(number) + 1):
        across = np.flatnonzero(parts == part)
        down = np.flatnonzero(dark[:, across].any(axis=1))
        if down[-1] - down[0] + 1 >= _SMALL * (rows[-1] - rows[0] + 1):
            found.append((int(down[0]), int(across[0]), int(down[-1]) + 1, int(across[-1]) + 1))
    return found if len(found) == count else []


def usual_side(pictures: list[np.ndarray]) -> int:
    """Return the side of a square that holds all but the largest twentieth of some letters, pixels."""
    return max(1, int(np.percentile([max(p.shape) for p in pictures], 95))) if pictures else 1


def framed(pictures: list[np.ndarray], side: int) -> np.ndarray:
    """Put letters into frames of one size without changing their proportions to each other, (n, SIDE * SIDE) float32.

    A letter is set into the middle of a square of `side` pixels, or of its own size if it is larger, which then
    shrinks; each has the same mean square. So a small letter stays smaller than a large letter.
    """
    out = np.zeros((len(pictures), SIDE, SIDE), np.float32)
    for frame, picture in zip(out, pictures, strict=True):
        height, width = picture.shape
        own = max(side, height, width)
        square = np.zeros((own, own), np.float32)
        top, left = (own - height) // 2, (own - width) // 2
        square[top : top + height, left : left + width] = picture
        frame[:] = shrunk(square)
    flat = ndimage.gaussian_filter(out, (0, 0.7, 0.7)).reshape(len(pictures), SIDE * SIDE)
    lengths = np.sqrt((flat**2).sum(axis=1, keepdims=True))
    normal: np.ndarray = flat / np.maximum(lengths, 1e-6)
    return normal


def shrunk(square: np.ndarray) -> np.ndarray:
    """Return a square of `SIDE` pixels a side, each the mean of what it covers (or the nearest pixel)."""
    side = len(square)
    edges = np.arange(SIDE + 1) * side / SIDE
    weights = np.minimum(np.arange(side)[None] + 1, edges[1:, None]) - np.maximum(
        np.arange(side)[None], edges[:-1, None]
    )
    weights = np.maximum(weights, 0)
    weights /= weights.sum(axis=1, keepdims=True)
    small: np.ndarray = weights @ square @ weights.T
    return small

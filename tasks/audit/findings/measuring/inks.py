"""The colours of a picture as layers, and which of them make letters: parts as high and as full as letters are."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

MOST_COLOURS = 8
NEAR = 48.0  # distance in sRGB below which colours are one
LEAST_SHARE = 0.004  # of a picture's pixels, of a layer
# Distance from the line between two colours, below which a colour may be their mixture: of a colour that is drawn, and
# of what a lossy file makes of thin strokes.
_NEAR_LINE, _NEAR_BLURRED = 30.0, 50.0
_CRISP = 0.5  # share of a layer's pixels within `_LEVELS` of its commonest colour: it is no mixture, which has many
_LEVELS = 8
_TALL = 0.2  # of the picture's height: a part as high may be a letter
_FULL, _WIDE = 0.22, 0.6  # of a part's box, of the picture's width: fuller and narrower parts may be letters
_ENOUGH = 0.9  # share of a mask in parts like letters, from which no further gaps are closed
_EIGHT = np.ones((3, 3), bool)
_UPRIGHT = np.array([[0, 1, 0]] * 3, bool)


@dataclass(frozen=True)
class Layer:
    """A colour (3,) and its pixels, (h, w) bool."""

    colour: np.ndarray
    mask: np.ndarray

    @property
    def pixels(self) -> int:
        """Return how many pixels there are."""
        return int(self.mask.sum())


@dataclass(frozen=True)
class Shapes:
    """What the parts of a mask that hang together look like.

    share : of the mask's pixels in parts that look like letters
    parts : such parts
    across : share of the picture's columns in which they have pixels
    """

    share: float
    parts: int
    across: float


def layers_of(picture: np.ndarray) -> list[Layer]:
    """Divide a picture, (h, w, 3) uint8, into the layers of its colours without the ground, the largest first."""
    colours, label = _clustered(picture)
    counts = np.bincount(label.ravel(), minlength=len(colours))
    edge = np.concatenate([label[0], label[-1], label[:, 0], label[:, -1]])
    ground = int(np.bincount(edge, minlength=len(colours)).argmax())
    label = _unmixed(picture, colours, label, counts, ground)
    found = []
    for number in np.argsort(-np.bincount(label.ravel(), minlength=len(colours))).tolist():
        mask = label == number
        if number != ground and mask.sum() >= LEAST_SHARE * mask.size:
            found.append(Layer(colours[number], mask))
    return found


def _clustered(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return up to `MOST_COLOURS` colours, (k, 3), and the number of the nearest for each pixel, (h, w).

    The commonest colour is the first; then each time the commonest of those that are not near a chosen colour.
    """
    step = picture.astype(np.int64) >> 3
    code = (step[..., 0] << 10) | (step[..., 1] << 5) | step[..., 2]
    counts = np.bincount(code.ravel(), minlength=1 << 15)
    there = np.flatnonzero(counts)
    points = np.stack([there >> 10, (there >> 5) & 31, there & 31], axis=1) * 8.0 + 4
    left = counts[there].astype(float)
    chosen: list[np.ndarray] = []
    while len(chosen) < MOST_COLOURS and left.max(initial=0) > 0:
        best = points[int(left.argmax())]
        near = np.linalg.norm(points - best, axis=1) < NEAR
        if not chosen or left[near].sum() >= LEAST_SHARE * code.size:
            chosen.append(best)
        left[near] = 0
    colours = np.array(chosen)
    nearest = np.linalg.norm(points[:, None] - colours[None], axis=2).argmin(axis=1)
    table = np.zeros(1 << 15, np.int64)
    table[there] = nearest
    return colours, table[code]


def _unmixed(
    picture: np.ndarray, colours: np.ndarray, label: np.ndarray, counts: np.ndarray, ground: int
) -> np.ndarray:
    """Give mixtures of the ground and another colour to the other colour: its rim, or its thin, diluted strokes."""
    out = label.copy()
    order = np.argsort(counts)
    for number in order.tolist():
        own = out == number
        size = int(own.sum())
        if number == ground or not size:
            continue
        crisp = _crisp(picture[own])
        for other in order[::-1].tolist():
            if other in (number, ground) or not _is_between(
                colours[number], colours[ground], colours[other], _NEAR_LINE if crisp else _NEAR_BLURRED
            ):
                continue
            beside = ndimage.binary_dilation(out == other, _EIGHT)
            if not crisp or (own & beside).sum() >= 0.75 * size:
                out[own] = other
                break
    return out


def _crisp(pixels: np.ndarray) -> bool:
    middle = np.median(pixels, axis=0)
    return bool((np.abs(pixels - middle).max(axis=1) <= _LEVELS).mean() >= _CRISP)


def _is_between(colour: np.ndarray, first: np.ndarray, second: np.ndarray, reach: float) -> bool:
    way = second - first
    length = float(way @ way)
    share = float((colour - first) @ way) / length if length else 0.0
    return 0.05 < share < 0.97 and float(np.linalg.norm(first + share * way - colour)) < reach


def shapes_of(mask: np.ndarray, others: np.ndarray) -> Shapes:
    """Look at the parts of a mask, (h, w) bool, across gaps that `others`, (h, w) bool, cover: strokes of 2 or 4 px.

    Gaps above each other are closed first, as strokes mostly run along the text; gaps in all directions, which also
    join letters that stand close, only if parts do not look like letters yet. The best counts.
    """
    best = Shapes(0.0, 0, 0.0)
    for form, reach in ((_UPRIGHT, 1), (_UPRIGHT, 2), (_EIGHT, 1), (_EIGHT, 2)):
        whole = mask | (others & ndimage.binary_closing(mask, form, iterations=reach))
        best = max(best, _counted(mask, *_shapes(whole)), key=lambda shapes: shapes.share)
        if best.share >= _ENOUGH:
            break
    return best


def shapes_alone(mask: np.ndarray) -> Shapes:
    """Look at the parts of a mask, (h, w) bool, as they are: no gap is closed."""
    return _counted(mask, *_shapes(mask))


def _shapes(whole: np.ndarray) -> tuple[np.ndarray, list[tuple[int, slice]]]:
    """Return the number of each pixel's part, and the parts that look like letters, with their columns."""
    height, width = whole.shape
    labels, _ = ndimage.label(whole, _EIGHT)
    sizes = np.bincount(labels.ravel())
    found = []
    for number, place in enumerate(ndimage.find_objects(labels), 1):
        rows, across = (part.stop - part.start for part in place)
        if rows >= _TALL * height and across <= _WIDE * width and sizes[number] >= _FULL * rows * across:
            found.append((number, place[1]))
    return labels, found


def _counted(mask: np.ndarray, labels: np.ndarray, parts: list[tuple[int, slice]]) -> Shapes:
    own = np.bincount(labels[mask], minlength=int(labels.max()) + 1)
    columns = np.zeros(mask.shape[1], bool)
    for _, place in parts:
        columns[place] = True
    inside = sum(int(own[number]) for number, _ in parts)
    return Shapes(inside / max(1, int(mask.sum())), len(parts), float(columns.mean()))

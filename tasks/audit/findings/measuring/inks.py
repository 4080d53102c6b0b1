"""The colours of a picture as layers, and what each layer's shapes look like: letters, or lines and specks."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

MOST_COLOURS = 8
NEAR = 48.0  # distance in sRGB below which colours are one
LEAST_SHARE = 0.004  # of a picture's pixels, of a layer
_BETWEEN = 28.0  # distance from the line between two colours, below which a colour may be their mixture
_TALL = 0.25  # of the picture's height: a part as high may be a letter
_SPECK = 0.16  # of the picture's height: a part that is no larger is a speck
_WIDE = 0.35  # of the picture's width: a thin part as wide is a line
_THIN = 4.5  # pixels of a column of a line
_EIGHT = np.ones((3, 3), bool)


@dataclass(frozen=True)
class Layer:
    """The pixels of one colour, (h, w) bool, and sums over the parts that hang together.

    tall : pixels in parts of a letter's height that are no lines
    noise : pixels in specks and lines
    parts : parts of a letter's height
    across : share of the picture's columns in which the tall parts have pixels
    """

    colour: np.ndarray
    mask: np.ndarray
    pixels: int
    tall: int
    noise: int
    parts: int
    across: float

    def looks_like_letters(self, letters: int) -> bool:
        """Return whether the layer is made of some parts as high as letters, about as many as there are letters."""
        return self.tall >= 0.8 * self.pixels and self.parts >= max(1, (letters + 1) // 3) and self.across >= 0.2

    def looks_like_noise(self) -> bool:
        """Return whether the layer is made of lines and specks."""
        return self.noise >= 0.85 * self.pixels


def layers_of(picture: np.ndarray) -> list[Layer]:
    """Divide a picture, (h, w, 3) uint8, into the layers of its colours without the ground, the largest first."""
    colours, label = _clustered(picture)
    counts = np.bincount(label.ravel(), minlength=len(colours))
    edge = np.concatenate([label[0], label[-1], label[:, 0], label[:, -1]])
    ground = int(np.bincount(edge, minlength=len(colours)).argmax())
    label = _unmixed(colours, label, counts, ground)
    found = []
    for number in np.argsort(-np.bincount(label.ravel(), minlength=len(colours))).tolist():
        mask = label == number
        if number != ground and mask.sum() >= LEAST_SHARE * mask.size:
            found.append(_layer(colours[number], mask))
    return found


def _clustered(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return up to `MOST_COLOURS` colours, (k, 3), and the number of the nearest for each pixel, (h, w).

    The commonest colour is the first; then each time the commonest of those that are not near a chosen colour.
    """
    step = (picture.astype(np.int64) >> 3)  # fmt: skip
    code = (step[..., 0] << 10) | (step[..., 1] << 5) | step[..., 2]
    counts = np.bincount(code.ravel(), minlength=1 << 15)
    there = np.flatnonzero(counts)
    points = np.stack([there >> 10, (there >> 5) & 31, there & 31], axis=1) * 8.0 + 4
    left = counts[there].astype(float)
    chosen: list[np.ndarray] = []
    for _ in range(MOST_COLOURS):
        if left.max(initial=0) <= 0:
            break
        best = points[int(left.argmax())]
        near = np.linalg.norm(points - best, axis=1) < NEAR
        mass = counts[there][near & (left > 0)]
        if chosen and mass.sum() < LEAST_SHARE * code.size:
            left[near] = 0
            continue
        chosen.append(best)
        left[near] = 0
    colours = np.array(chosen)
    nearest = np.linalg.norm(points[:, None] - colours[None], axis=2).argmin(axis=1)
    table = np.zeros(1 << 15, np.int64)
    table[there] = nearest
    return colours, table[code]


def _unmixed(colours: np.ndarray, label: np.ndarray, counts: np.ndarray, ground: int) -> np.ndarray:
    """Give colours that are mixtures of the ground and another colour, along its rim, to the other colour."""
    out = label.copy()
    order = np.argsort(counts)
    for number in order.tolist():
        if number == ground:
            continue
        own = out == number
        size = own.sum()
        if not size:
            continue
        for other in order[::-1].tolist():
            if other in (number, ground) or not _is_between(colours[number], colours[ground], colours[other]):
                continue
            beside = ndimage.binary_dilation(out == other, _EIGHT)
            if (own & beside).sum() >= 0.75 * size:
                out[own] = other
                break
    return out


def _is_between(colour: np.ndarray, first: np.ndarray, second: np.ndarray) -> bool:
    way = second - first
    length = float(way @ way)
    share = float((colour - first) @ way) / length if length else 0.0
    return 0.05 < share < 0.97 and float(np.linalg.norm(first + share * way - colour)) < _BETWEEN


def _layer(colour: np.ndarray, mask: np.ndarray) -> Layer:
    height, width = mask.shape
    labels, count = ndimage.label(mask, _EIGHT)
    tall = noise = parts = 0
    columns = np.zeros(width, bool)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    for number, place in enumerate(ndimage.find_objects(labels), 1):
        rows, across = (part.stop - part.start for part in place)
        size = int(sizes[number])
        thin = size / across <= _THIN
        if thin and across >= _WIDE * width:
            noise += size
        elif rows >= _TALL * height:
            tall += size
            parts += 1
            columns[place[1]] = True
        elif max(rows, across) <= max(3, _SPECK * height):
            noise += size
    return Layer(colour, mask, int(mask.sum()), tall, noise, parts, float(columns.mean()))

"""Pictures whose letters stand on cards or tiles of colours of their own, as seen -> the letters in black on white."""

import numba
import numpy as np

from tasks.loading.parts import BOTTOM, LEFT, RIGHT, TOP, find_parts

NEAR = 24  # levels in each channel: pixels that differ by less from a card's colour belong to it
FREQUENT, COLOURS = 0.005, 8  # of the picture: a card's colour covers more; so many colours are looked at
HIGH, WIDE = 10, 6  # pixels: a card is no smaller
FILLED, EDGED = 0.35, 0.8  # of its box, and of that box's edges: what has the card's colour
INKED = 0.03, 0.65  # of its box: what the letters cover
LEAST_INK = 48  # levels: a letter differs by more from its card
AS_HIGH = 0.5  # of the highest card: another one is not lower
WHOLE = 0.9  # of the picture: what covers more of it is no card, but the ground
INSIDE = 0.25  # of a card: if more of it is other cards, it is the page that these lie on


def on_white(image: np.ndarray) -> np.ndarray | None:
    """Return what stands on the cards of a picture in black on white, at its place; None if there is no card.

    Parameters
    ----------
    image : (H, W, 3) uint8

    Returns
    -------
    (H, W, 3) uint8
    """
    boxes = _cards(image)
    if not boxes:
        return None
    out = np.full(image.shape, 255, np.uint8)
    border = np.concatenate((image[0], image[-1], image[:, 0], image[:, -1]))
    page = np.median(border, axis=0).astype(np.int16)
    for top, left, bottom, right, colour in boxes:
        part = image[top:bottom, left:right]
        far = distances(part, colour)
        others = find_parts(far > NEAR)
        table = others.table
        sides = (table[:, TOP] == 0).astype(int) + (table[:, LEFT] == 0)
        sides += (table[:, BOTTOM] == bottom - top).astype(int) + (table[:, RIGHT] == right - left)
        # Round corners and the page behind them are no letters; a letter may be cut off at one side.
        outside = sides > 1
        for k in np.flatnonzero(sides == 1).tolist():
            outside[k] = abs(np.median(part[others.labels == k], axis=0) - page).max() <= NEAR
        far[others.of(outside)] = 0
        strongest = int(np.quantile(far[far > NEAR], 0.9)) if (far > NEAR).any() else 0
        if strongest >= LEAST_INK:
            ink = np.minimum(far.astype(np.int32) * 255 // strongest, 255).astype(np.uint8)
            out[top:bottom, left:right] = (255 - ink)[:, :, None]
    return out if out.min() < 255 else None


def _cards(image: np.ndarray) -> list[tuple[int, int, int, int, np.ndarray]]:
    """Return the box and the colour of each card; of cards that lie on each other the upper ones."""
    height, width = image.shape[:2]
    if height < HIGH or width < WIDE:
        return []
    counts, sums = np.zeros(4096, np.int64), np.zeros((4096, 3), np.int64)
    _count(image, counts, sums)
    boxes: list[tuple[int, int, int, int, np.ndarray]] = []
    for bin_ in np.argsort(-counts, kind="stable")[:COLOURS].tolist():
        if counts[bin_] < FREQUENT * height * width:
            break
        colour = (sums[bin_] / counts[bin_]).round().astype(np.int16)
        if any(abs(colour - other).max() <= NEAR for *_, other in boxes):
            continue
        boxes += [(*box, colour) for box in _boxes(distances(image, colour) <= NEAR)]
    boxes = [box for box in boxes if not _is_page(box, boxes)]
    highest = max((bottom - top for top, _, bottom, _, _ in boxes), default=0)
    return [box for box in boxes if box[2] - box[0] >= AS_HIGH * highest]


@numba.njit(cache=True, nogil=True)
def _count(image: np.ndarray, counts: np.ndarray, sums: np.ndarray) -> None:
    """Count the pixels of (H, W, 3) uint8 by coarse colour, (4096,), and add up their channels, (4096, 3)."""
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            red, green, blue = np.int64(image[y, x, 0]), np.int64(image[y, x, 1]), np.int64(image[y, x, 2])
            bin_ = (red >> 4) << 8 | (green >> 4) << 4 | blue >> 4
            counts[bin_] += 1
            sums[bin_, 0] += red
            sums[bin_, 1] += green
            sums[bin_, 2] += blue


@numba.njit(cache=True, nogil=True)
def distances(image: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """Return how far each pixel is from a colour, in the channel where it is furthest, (H, W) uint8."""
    out = np.empty(image.shape[:2], np.uint8)
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            far = 0
            for k in range(3):
                far = max(far, abs(np.int64(image[y, x, k]) - colour[k]))
            out[y, x] = far
    return out


def ground_of(image: np.ndarray, step: int = 5) -> np.ndarray:
    """Return the median colour of every `step`-th pixel, (3,) int16: most of a picture is ground."""
    ground: np.ndarray = np.median(image.reshape(-1, 3)[::step], axis=0).astype(np.int16)
    return ground


def from_ground(image: np.ndarray, step: int = 5) -> np.ndarray:
    """Return how far each pixel is from the ground's colour, in the channel where it is furthest, (H, W) uint8."""
    far: np.ndarray = distances(image, ground_of(image, step))
    return far


def _boxes(near: np.ndarray) -> list[tuple[int, int, int, int]]:
    """Return the boxes of the parts of a mask that are cards with something on them."""
    parts = find_parts(near)
    large = (parts.height >= HIGH) & (parts.width >= WIDE) & (parts.area >= FILLED * parts.height * parts.width)
    large &= parts.height * parts.width <= WHOLE * near.size
    found = []
    for k in np.flatnonzero(large).tolist():
        top, left, bottom, right, area = parts.table[k].tolist()
        own = parts.labels[top:bottom, left:right] == k
        edges = np.concatenate((own[0], own[-1], own[1:-1, 0], own[1:-1, -1]))
        ink = 1 - area / own.size
        if edges.mean() >= EDGED and INKED[0] <= ink <= INKED[1]:
            found.append((top, left, bottom, right))
    return found


def _is_page(
    box: tuple[int, int, int, int, np.ndarray], boxes: list[tuple[int, int, int, int, np.ndarray]]
) -> bool:  # fmt: skip
    """Tell whether enough of a card is covered by others."""
    top, left, bottom, right, _ = box
    inside = sum(
        (other[2] - other[0]) * (other[3] - other[1])
        for other in boxes
        if other is not box and top <= other[0] and left <= other[1] and other[2] <= bottom and other[3] <= right
    )
    return inside >= INSIDE * (bottom - top) * (right - left)

"""Letters of the ground's colour that only a rim or a shadow shows, as seen -> the letters filled in.

The pixels of the ground's colour fall into cells at narrow places, so that a gap in a rim joins nothing. Two cells
belong together by the width of the place where they meet, and are letter and ground by the length of the thin ink
between them. The strongest of these relations that agree with each other tell which cells are letters.
"""

import numba
import numpy as np

from tasks.loading.oddities.cards import from_ground
from tasks.loading.parts import find_parts

FAINT = 8  # levels, in the channel where a pixel differs most from the ground: a rim has more
PLAIN = 0.35  # of the pixels: a picture with less ground has no letters of the ground's colour that are worth a look
MASS = 0.02  # of the ink lies above the text's top, and as much below its bottom, so that single lines do not count
THICK = 0.12  # of the text's height: ink between a letter and the ground is no thicker, and half a stroke neither
LEAST_THICK = 4  # pixels
TOGETHER = 8.0  # a pixel of the width of a narrow place counts as so many of thin ink
SLANTED = 0.6  # a look across ink counts as so much: it is taken along four directions, and two meet most ink
CERTAIN = 1e9  # of a relation: cells that are wider than strokes are ground
KEPT = 0.7  # of the picture's ink is seen beside the letters
FILLED = 0.15  # of the ink: the cells of letters cover more
COVERED = 0.4  # of the columns from the first to the last cell: holes of letters, and a ring beside them, have less
CELLS = 1000  # a picture of more cells is a texture, and would take seconds; one of 450 x 150 pixels has some 500
MOST = 1_000_000  # pixels: a larger picture is read as it is


def filled_in(image: np.ndarray) -> np.ndarray | None:
    """Return letters that are seen by rims and shadows as filled ones, dark on white; None if there are none.

    Parameters
    ----------
    image : (H, W, 3) uint8

    Returns
    -------
    (H, W, 3) uint8
    """
    if image.shape[0] * image.shape[1] > MOST:
        return None
    far = from_ground(image)
    ink = far >= FAINT
    mass = np.cumsum(ink.sum(axis=1))
    if not mass[-1] or 1 - ink.mean() < PLAIN:
        return None
    high = np.searchsorted(mass, (1 - MASS) * mass[-1]) - np.searchsorted(mass, MASS * mass[-1]) + 1
    thick = max(LEAST_THICK, round(THICK * high))
    around = np.pad(ink, 1)
    depths = _depths(around)
    parts = find_parts(_peaks(depths))
    cells, count = parts.labels + 1, len(parts.table)
    if not 1 < count <= CELLS:
        return None
    _flood(depths, cells, np.argsort(-depths, axis=None, kind="stable"))
    relations = _relations(cells, count, thick, TOGETHER)
    outside = cells[0, 0]
    for wide in np.unique(cells[depths > thick]).tolist():
        relations[min(outside, wide), max(outside, wide)] = CERTAIN * (wide != outside)
    letter = _other_side(relations + relations.T, outside)
    inside = letter[cells]
    columns = np.flatnonzero(inside.any(axis=0))
    if inside.sum() < FILLED * ink.sum() or len(columns) < COVERED * (np.ptp(columns) + 1):
        return None
    rim = inside.copy()
    rim[1:] |= inside[:-1]
    rim[:-1] |= inside[1:]
    rim[:, 1:] |= inside[:, :-1]
    rim[:, :-1] |= inside[:, 1:]
    out = 255 - np.where(rim[1:-1, 1:-1], 255, KEPT * far)
    return np.repeat(out.astype(np.uint8)[:, :, None], 3, axis=2)


@numba.njit(cache=True, nogil=True)
def _depths(ink: np.ndarray) -> np.ndarray:
    """Return how many steps, also aslant, each pixel is from the ink, (H, W) bool -> int32; 0 for ink."""
    height, width = ink.shape
    out = np.empty((height, width), np.int32)
    for y in range(height):
        for x in range(width):
            least = height + width
            if ink[y, x]:
                least = 0
            elif y > 0:
                least = min(least, out[y - 1, x] + 1)
                if x > 0:
                    least = min(least, out[y - 1, x - 1] + 1)
                if x + 1 < width:
                    least = min(least, out[y - 1, x + 1] + 1)
            if x > 0 and not ink[y, x]:
                least = min(least, out[y, x - 1] + 1)
            out[y, x] = least
    for y in range(height - 1, -1, -1):
        for x in range(width - 1, -1, -1):
            least = out[y, x]
            if y + 1 < height:
                least = min(least, out[y + 1, x] + 1)
                if x > 0:
                    least = min(least, out[y + 1, x - 1] + 1)
                if x + 1 < width:
                    least = min(least, out[y + 1, x + 1] + 1)
            if x + 1 < width:
                least = min(least, out[y, x + 1] + 1)
            out[y, x] = least
    return out


@numba.njit(cache=True, nogil=True)
def _peaks(depths: np.ndarray) -> np.ndarray:
    """Return which pixels have no deeper neighbour, also aslant, and are no ink, (H, W) int32 -> bool."""
    height, width = depths.shape
    out = np.zeros((height, width), np.bool_)
    for y in range(height):
        for x in range(width):
            deepest = depths[y, x]
            for v in range(max(0, y - 1), min(height, y + 2)):
                for u in range(max(0, x - 1), min(width, x + 2)):
                    deepest = max(deepest, depths[v, u])
            out[y, x] = depths[y, x] > 0 and depths[y, x] == deepest
    return out


@numba.njit(cache=True, nogil=True)
def _flood(depths: np.ndarray, cells: np.ndarray, order: np.ndarray) -> None:
    """Spread cells, (H, W) int32, over all that is no ink: in the order (H * W,) int64 of depth, the deepest first.

    Each pixel takes the cell of a pixel beside, above or below it that was reached before it.
    """
    width = cells.shape[1]
    queue = np.empty(cells.size, np.int64)
    start = 0
    while start < len(order) and depths[order[start] // width, order[start] % width] > 0:
        level, end, waiting = depths[order[start] // width, order[start] % width], start, 0
        while end < len(order) and depths[order[end] // width, order[end] % width] == level:
            if cells[order[end] // width, order[end] % width] > 0:
                queue[waiting] = order[end]
                waiting += 1
            end += 1
        for k in range(start, end):
            y, x = order[k] // width, order[k] % width
            if cells[y, x] == 0:
                near = _beside(depths, cells, y, x)
                if near > 0:
                    cells[y, x] = near
                    queue[waiting] = order[k]
                    waiting += 1
        first = 0
        while first < waiting:
            y, x = queue[first] // width, queue[first] % width
            first += 1
            for dy, dx in ((-1, 0), (0, -1), (0, 1), (1, 0)):
                v, u = y + dy, x + dx
                if 0 <= v < cells.shape[0] and 0 <= u < width and cells[v, u] == 0 and depths[v, u] == level:
                    cells[v, u] = cells[y, x]
                    queue[waiting] = v * width + u
                    waiting += 1
        start = end


@numba.njit(cache=True, nogil=True)
def _beside(depths: np.ndarray, cells: np.ndarray, y: int, x: int) -> int:
    """Return the cell of a deeper pixel beside, above or below a pixel; 0 if none has a cell yet."""
    for dy, dx in ((-1, 0), (0, -1), (0, 1), (1, 0)):
        v, u = y + dy, x + dx
        if 0 <= v < cells.shape[0] and 0 <= u < cells.shape[1] and depths[v, u] > depths[y, x] and cells[v, u] > 0:
            return int(cells[v, u])
    return 0


@numba.njit(cache=True, nogil=True)
def _relations(cells: np.ndarray, count: int, thick: int, together: float) -> np.ndarray:
    """Return how much tells that cells belong together, (count + 1, count + 1) float32: negative across ink.

    Only what is above the diagonal counts.
    """
    height, width = cells.shape
    out = np.zeros((count + 1, count + 1), np.float32)
    for y in range(height):
        for x in range(width):
            own = cells[y, x]
            if own == 0:
                continue
            for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
                slanted = dy != 0 and dx != 0
                steps = int(thick / 1.41) if slanted else thick
                v, u, inked = y + dy, x + dx, 0
                while inked <= steps and v < height and 0 <= u < width and cells[v, u] == 0:
                    v, u, inked = v + dy, u + dx, inked + 1
                if inked > steps or v >= height or u < 0 or u >= width or cells[v, u] == own:
                    continue
                other = cells[v, u]
                if inked:
                    out[min(own, other), max(own, other)] -= SLANTED / 1.41 if slanted else SLANTED
                elif not slanted:
                    out[min(own, other), max(own, other)] += together
    return out


@numba.njit(cache=True, nogil=True)
def _other_side(relations: np.ndarray, ground: int) -> np.ndarray:
    """Return which cells are on the other side than the ground, (n,) bool.

    The pair with the strongest relation, (n, n) float32, becomes a cell again and again, and its relations to the
    others add up. So many weak relations can outweigh a strong one.
    """
    n = len(relations)
    root, other = np.arange(n), np.zeros(n, np.bool_)  # what a cell became a part of, and whether on its other side
    best = np.zeros(n, np.int64)
    for k in range(n):
        best[k] = _strongest(relations[k])
    while True:
        first = 0
        for k in range(n):
            if abs(relations[k, best[k]]) > abs(relations[first, best[first]]):
                first = k
        second = best[first]
        strength = relations[first, second]
        if strength == 0:
            break
        root[second], other[second] = first, strength < 0
        for k in range(n):
            added = -relations[second, k] if strength < 0 else relations[second, k]
            relations[first, k] += added if k != first else 0
            relations[k, first] = relations[first, k]
            relations[second, k] = relations[k, second] = 0
        for k in range(n):
            if k == first or best[k] == first or best[k] == second:
                best[k] = _strongest(relations[k])
            elif abs(relations[k, first]) > abs(relations[k, best[k]]):
                best[k] = first
    out = np.zeros(n, np.bool_)
    ground_root, ground_other = _root(root, other, ground)
    for cell in range(1, n):
        its, its_other = _root(root, other, cell)
        out[cell] = its == ground_root and its_other != ground_other
    return out


@numba.njit(cache=True, nogil=True)
def _strongest(relations: np.ndarray) -> int:
    best = 0
    for k in range(len(relations)):
        if abs(relations[k]) > abs(relations[best]):
            best = k
    return best


@numba.njit(cache=True, nogil=True)
def _root(root: np.ndarray, other: np.ndarray, cell: int) -> tuple[int, bool]:
    side = False
    while root[cell] != cell:
        side ^= other[cell]
        cell = root[cell]
    return cell, side

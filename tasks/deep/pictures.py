"""Pictures of any size -> pictures of one height, as the network takes them; training and reading share this kernel."""

import numba
import numpy as np

from tasks.deep.shape import COLUMNS_PADDED_TO
from tasks.lowlevel.padding import to_read

_MARGIN = 0.25  # of the content's height, that stays around it
_GROUND = 0.1  # of the content: the ground covers more of it, between and in letters; a bar's colour covers less
_BESIDE = 0.5  # of the content's outermost line: the ground beyond has the colour of so much of it
_LEAST_CONTENT = 8  # pixels: what is smaller is a speck
_SAME_COLOUR = 12  # levels by which the pixels of a row or column of one colour differ at most: JPEG changes them
_FRAME = 2  # pixels: a frame that is no thicker is not taken for the ground
_ANTIALIASED = 1.0  # half the width of the triangle that weighs pixels, in pixels of the larger grid


def natural_widths(sizes: np.ndarray, height: int, widest: int) -> np.ndarray:
    """Return how wide pictures of sizes (n, 2), rows and columns, are at that height, (n,) int64: at most `widest`."""
    sizes = np.maximum(sizes, 1)
    widths: np.ndarray = np.rint(sizes[:, 1] * height / sizes[:, 0]).astype(np.int64)
    np.clip(widths, COLUMNS_PADDED_TO, widest, out=widths)
    return widths


def padded_width(widths: np.ndarray, widest: int) -> int:
    """Return the width of a batch of pictures that are so wide."""
    return min(-(-int(widths.max(initial=1)) // COLUMNS_PADDED_TO) * COLUMNS_PADDED_TO, widest)


def canvas_widths(widths: np.ndarray, usual: int, widest: int) -> np.ndarray:
    """Return how wide the network sees pictures that are so wide, (n,) int64: `usual`, and more for wider pictures.

    The ground beyond a picture takes part in the network. So its width must not depend on the pictures that are read
    beside it, and is as in training, where most batches had a picture of the full width.
    """
    padded = -(-widths // COLUMNS_PADDED_TO) * COLUMNS_PADDED_TO
    canvases: np.ndarray = np.clip(padded, usual, widest)
    return canvases


def find_content(images: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Find the rectangle that is worth looking at in each picture: without frames, bars and wide empty margins.

    Rows and columns at the edge that have one colour are left out, and then those inside them: of the ground's colour,
    or of a frame, which goes on beyond the ends; the stem of a letter ends where the letter does. A quarter of the
    height that is left stays around it, as far as the colour beside it goes; so pictures with usual margins stay whole.

    Parameters
    ----------
    images : (n, H, W) or (n, H, W, 3) uint8
    sizes : (n, 2) int64
        Rows and columns of each picture, which is at the top left of its canvas.

    Returns
    -------
    (n, 4) float64
        Top, left, bottom, right, in pixels; the whole picture if it has one colour.
    """
    rectangles = np.empty((len(images), 4), np.float64)
    images = to_read(images)
    _find_content(images if images.ndim == 4 else images[..., None], sizes.astype(np.int64), rectangles)
    return rectangles


def normalise(
    images: np.ndarray, sizes: np.ndarray, rectangles: np.ndarray, widths: np.ndarray, out: np.ndarray
) -> np.ndarray:
    """Draw a rectangle of each picture at another size, without aliases, on the picture's own ground.

    Parameters
    ----------
    images : (n, H, W) or (n, H, W, 3) uint8
        Ink, 0 ground to 255, which becomes dark on light; or sRGB as seen.
    sizes : (n, 2) int64
        Rows and columns of each picture, which is at the top left of its canvas.
    rectangles : (n, 4) float64
        Top, left, bottom, right, in pixels; it may reach beyond the picture, where the ground is: the median of the
        picture's pixels near its edge.
    widths : (n,) int64
        Columns of `out` that each rectangle fills; beyond them is ground.
    out : (n, 3, height, width) uint8
        Filled.

    References
    ----------
    The triangle filter of Pillow's `BILINEAR`, with the same antialiasing when it shrinks.
    """
    images = np.ascontiguousarray(images)  # of other layouts the kernel would be compiled anew
    sizes, widths = sizes.astype(np.int64), widths.astype(np.int64)
    rectangles = rectangles.astype(np.float64)
    if images.ndim == 3:
        _normalise(images[..., None], True, sizes, rectangles, widths, out)
    else:
        _normalise(images, False, sizes, rectangles, widths, out)
    return out


@numba.njit(cache=True, nogil=True)
def _normalise(images, ink, sizes, rectangles, widths, out):
    n, _, rows, columns = out.shape
    channels = images.shape[3]
    most = max(images.shape[1], images.shape[2]) + 2
    line = np.empty(images.shape[2] * channels, np.float32)
    starts, counts = np.empty(columns, np.int64), np.empty(columns, np.int64)
    weights, own = np.empty((columns, most), np.float32), np.empty(most, np.float32)
    ground = np.empty(channels, np.float32)
    for i in range(n):
        height, width = min(sizes[i, 0], images.shape[1]), min(sizes[i, 1], images.shape[2])
        top, left, bottom, right = rectangles[i]
        wide = min(max(widths[i], 1), columns)
        image = images[i]
        find_ground(image, height, width, ground)
        for x in range(wide):
            step = (right - left) / wide
            starts[x], counts[x] = _weigh(left + (x + 0.5) * step, step, width, weights[x])
        taps = (starts[:wide], counts, weights)
        step = (bottom - top) / rows
        for y in range(rows):
            start, count = _weigh(top + (y + 0.5) * step, step, height, own)
            used = width * channels
            line[:used] = 0.0
            inside = np.float32(0.0)
            for k in range(count):
                weight = own[k]
                inside += weight
                source = image[start + k]
                for x in range(width):
                    for c in range(channels):
                        line[x * channels + c] += weight * source[x, c]
            for c in range(channels):
                rest = (np.float32(1.0) - inside) * ground[c]
                if rest > 1e-3:
                    for x in range(width):
                        line[x * channels + c] += rest
            for c in range(channels):
                _fill_row(line[c::channels], taps, ground[c], ink, out[i, c, y])
        if channels == 1:
            out[i, 1], out[i, 2] = out[i, 0], out[i, 0]


@numba.njit(cache=True, nogil=True)
def _fill_row(line, taps, ground, ink, row):
    starts, counts, weights = taps
    for x in range(len(row)):
        value = ground
        if x < len(starts):
            value, inside = np.float32(0.0), np.float32(0.0)
            for k in range(counts[x]):
                weight = weights[x, k]
                inside += weight
                value += weight * line[starts[x] + k]
            value += (np.float32(1.0) - inside) * ground
        level = min(max(int(value + np.float32(0.5)), 0), 255)
        row[x] = 255 - level if ink else level


@numba.njit(cache=True, nogil=True)
def _weigh(centre, step, size, weights):
    """Fill in the weights of the pixels under a triangle; return the first pixel and their number.

    Weights of pixels beyond the picture are left out, so the sum may be under 1.
    """
    reach = max(step, 1.0) * _ANTIALIASED
    first, last = int(np.floor(centre - reach)), int(np.ceil(centre + reach))
    total = 0.0
    start, count = max(first, 0), 0
    for x in range(first, last):
        weight = max(1.0 - abs(x + 0.5 - centre) / reach, 0.0)
        total += weight
        if 0 <= x < size:
            weights[count] = weight
            count += 1
    for k in range(count):
        weights[k] /= total
    return start, count


@numba.njit(cache=True, nogil=True)
def find_ground(image, height, width, ground):
    """Fill in the median of the pixels a little inside the edge, of each channel: a thin frame is not among them."""
    depth = min(_FRAME, (min(height, width) - 1) // 4)
    top, left, bottom, right = depth, depth, height - 1 - depth, width - 1 - depth
    levels = np.empty(256, np.int64)
    for c in range(image.shape[2]):
        levels[:] = 0
        for x in range(left, right + 1):
            levels[image[top, x, c]] += 1
            levels[image[bottom, x, c]] += 1
        for y in range(top, bottom + 1):
            levels[image[y, left, c]] += 1
            levels[image[y, right, c]] += 1
        half, level = right + 1 - left + bottom + 1 - top, 0
        below = levels[0]
        while below < half:
            level += 1
            below += levels[level]
        ground[c] = level


@numba.njit(cache=True, nogil=True)
def _find_content(images, sizes, rectangles):
    edges = np.empty(4, np.int64)  # top, left, bottom, right; half-open
    ground = np.empty(images.shape[3], np.int64)
    for i in range(len(images)):
        image = images[i]
        height, width = min(sizes[i, 0], image.shape[0]), min(sizes[i, 1], image.shape[1])
        edges[0], edges[1], edges[2], edges[3] = 0, 0, height, width
        _find_middle(image, height, width, ground)
        moved = True
        while moved:
            moved = False
            for side in range(4):
                while edges[2] - edges[0] > 1 and edges[3] - edges[1] > 1 and _may_go(image, edges, side, ground):
                    edges[side] += 1 if side < 2 else -1
                    moved = True
        if edges[2] - edges[0] < _LEAST_CONTENT or edges[3] - edges[1] < _LEAST_CONTENT:
            edges[0], edges[1], edges[2], edges[3] = 0, 0, height, width
        margin = int(_MARGIN * (edges[2] - edges[0]) + 0.5)
        for side in range(4):
            limit = 0 if side < 2 else (height if side == 2 else width)
            most = min(margin, abs(limit - edges[side]))
            if most and _is_bar(image, edges, side):
                most = 0
            grown = 0
            while grown < most and _is_plain(image, edges, side, grown + 1):
                grown += 1
            rectangles[i, side] = edges[side] + (-grown if side < 2 else grown)


@numba.njit(cache=True, nogil=True)
def _is_bar(image, edges, side):
    """Tell whether the line beyond an edge is of a bar: its colour is rare inside the edges, and along this edge."""
    at = edges[side] - 1 if side < 2 else edges[side]
    touching = edges[side] if side < 2 else edges[side] - 1
    same, beside = 0, 0
    for y in range(edges[0], edges[2]):
        for x in range(edges[1], edges[3]):
            near = True
            for c in range(image.shape[2]):
                outside = int(image[at, edges[1], c]) if side % 2 == 0 else int(image[edges[0], at, c])
                near &= abs(int(image[y, x, c]) - outside) <= _SAME_COLOUR
            same += near
            beside += near and (y if side % 2 == 0 else x) == touching
    long = edges[3] - edges[1] if side % 2 == 0 else edges[2] - edges[0]
    return same < _GROUND * (edges[2] - edges[0]) * (edges[3] - edges[1]) and beside < _BESIDE * long


@numba.njit(cache=True, nogil=True)
def _find_middle(image, height, width, ground):
    """Fill in the median of all pixels, of each channel: the ground's colour, if it covers half of a picture."""
    levels = np.empty(256, np.int64)
    for c in range(image.shape[2]):
        levels[:] = 0
        for y in range(height):
            for x in range(width):
                levels[image[y, x, c]] += 1
        below, level = levels[0], 0
        while 2 * below < height * width:
            level += 1
            below += levels[level]
        ground[c] = level


@numba.njit(cache=True, nogil=True)
def _may_go(image, edges, side, ground):
    """Tell whether the outermost row or column has the ground's colour, or a frame's, which goes on beyond its ends."""
    if not _is_plain(image, edges, side, 0):
        return False
    across = side % 2 == 0
    at = edges[side] if side < 2 else edges[side] - 1
    first, last = (edges[1], edges[3]) if across else (edges[0], edges[2])
    limit = image.shape[1] if across else image.shape[0]
    of_ground, goes_on = True, True
    for c in range(image.shape[2]):
        colour = int(image[at, first, c]) if across else int(image[first, at, c])
        of_ground &= abs(colour - ground[c]) <= _SAME_COLOUR
        for end in (first - 1, last):
            if 0 <= end < limit:
                level = int(image[at, end, c]) if across else int(image[end, at, c])
                goes_on &= abs(level - colour) <= _SAME_COLOUR
    return of_ground or goes_on


@numba.njit(cache=True, nogil=True)
def _is_plain(image, edges, side, outside):
    """Tell whether a row or column inside the edges has one colour: the outermost, or `outside` lines beyond them.

    A line beyond them must also have the colour of the line that touches them.
    """
    if side % 2 == 0:
        at = edges[0] - outside if side == 0 else edges[2] - 1 + outside
        first, last = edges[1], edges[3]
    else:
        at = edges[1] - outside if side == 1 else edges[3] - 1 + outside
        first, last = edges[0], edges[2]
    beside = at
    if outside:
        beside = at + outside - 1 if side < 2 else at - outside + 1
    for c in range(image.shape[2]):
        colour = int(image[beside, first, c]) if side % 2 == 0 else int(image[first, beside, c])
        for k in range(first, last):
            level = int(image[at, k, c]) if side % 2 == 0 else int(image[k, at, c])
            if abs(level - colour) > _SAME_COLOUR:
                return False
    return True


@numba.njit(cache=True, nogil=True)
def gather(images, rows, out):
    """Copy the rows of `images`, (m, 3, H, W), that `rows` names into `out`, (n, 3, H, w), w at most W."""
    for i in range(len(rows)):
        for c in range(out.shape[1]):
            for y in range(out.shape[2]):
                out[i, c, y] = images[rows[i], c, y, : out.shape[3]]

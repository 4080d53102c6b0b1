"""How far each pixel of a picture in colour is from the ground around it, and the colour of that ground.

The ground may be flat, a gradient, a smooth texture, tiles or stripes: it is followed from each of the four borders
towards the middle. Whoever follows it adapts to slow changes and waits, with the last colour, while the picture is
something else.
"""

import numba
import numpy as np

ADAPTING = np.float32(0.25)  # of the difference to a pixel that is ground: a gradient changes by less than 6 levels
DEEPEST = 4  # a part of the shorter side: a frame is not thicker
FRAMED, INNER = 0.9, 0.15  # of a ring of pixels: in a frame, and inside of it
BROAD = 8  # pixels along a border: what is narrower is a speck or the end of a line
RECURRING = 0.1  # of a part of the border: a colour of a pattern covers more of each of four parts
ALIKE = 24  # levels: colours that differ by less are the same frame


@numba.njit(cache=True, nogil=True)
def frame_of(picture: np.ndarray) -> int:
    """Return how many pixels thick the frames are that have a colour of their own; 0 for none. (H, W, 3) uint8."""
    depth = 0
    while True:
        thick = _frame_at(picture, depth)
        if not thick:
            return depth
        depth += thick


@numba.njit(cache=True, nogil=True)
def _frame_at(picture: np.ndarray, first: int) -> int:
    """Return how many pixels thick the frame is that begins at a depth."""
    height, width = picture.shape[0], picture.shape[1]
    if 2 * first >= min(height, width):
        return 0
    red, green, blue = (
        np.int64(picture[first, first, 0]),
        np.int64(picture[first, first, 1]),
        np.int64(picture[first, first, 2]),
    )
    depth = first
    while depth <= min(height, width) // DEEPEST:
        alike, of = 0, 0
        for y in range(depth, height - depth):
            step = 1 if y in (depth, height - 1 - depth) else max(width - 1 - 2 * depth, 1)
            for x in range(depth, width - depth, step):
                pixel = picture[y, x]
                far = max(abs(pixel[0] - red), abs(pixel[1] - green), abs(pixel[2] - blue))
                alike += int(far <= ALIKE)
                of += 1
        if alike < FRAMED * of:
            return depth - first if alike <= INNER * of else 0
        depth += 1
    return 0


@numba.njit(cache=True, nogil=True)
def follow(planes: np.ndarray, columns: int, limit: np.float32, back: bool, level: np.ndarray, out: np.ndarray) -> None:
    """Follow the ground down all columns, or up; fill in each pixel's distance to it.

    Parameters
    ----------
    planes : (3, R, C) float32
    columns : int
        The first so many are the picture's; the rest is padding.
    limit : float32
        A pixel that is nearer is ground.
    level : (3, C) float32
        Room for the ground's colour.
    out : (R, C) float32
    """
    rows = len(out)
    begin_at(planes, columns, rows - 1 if back else 0, limit, level)
    for row in range(rows):
        y = rows - 1 - row if back else row
        _follow_row(planes[0, y], planes[1, y], planes[2, y], limit, level[0], level[1], level[2], out[y])


@numba.njit(cache=True, nogil=True)
def begin_at(planes: np.ndarray, columns: int, y: int, limit: np.float32, level: np.ndarray) -> None:
    """Fill in the ground's colour along a border, (3, C): what is there, without specks and the ends of lines."""
    red, green, blue, others = planes[0, y, 0], planes[1, y, 0], planes[2, y, 0], 0
    for x in range(columns):
        a, b, c = planes[0, y, x] - red, planes[1, y, x] - green, planes[2, y, x] - blue
        if max(abs(a), max(abs(b), abs(c))) <= limit:
            red, green, blue, others = red + ADAPTING * a, green + ADAPTING * b, blue + ADAPTING * c, 0
        else:
            others += 1
        level[0, x], level[1, x], level[2, x] = red, green, blue
        if others == BROAD:
            for k in range(3):
                for near in range(x - BROAD + 1, x + 1):
                    level[k, near] = planes[k, y, near]
            red, green, blue, others = planes[0, y, x], planes[1, y, x], planes[2, y, x], 0


@numba.njit(cache=True, nogil=True)
def _follow_row(
    red: np.ndarray, green: np.ndarray, blue: np.ndarray, limit: np.float32,
    red_level: np.ndarray, green_level: np.ndarray, blue_level: np.ndarray, out: np.ndarray,
) -> None:  # fmt: skip
    none = np.float32(0)
    for x in range(len(out)):
        a, b, c = red[x] - red_level[x], green[x] - green_level[x], blue[x] - blue_level[x]
        far = max(abs(a), max(abs(b), abs(c)))
        gain = ADAPTING if far <= limit else none
        red_level[x] += gain * a
        green_level[x] += gain * b
        blue_level[x] += gain * c
        out[x] = far


@numba.njit(cache=True, nogil=True)
def second_smallest(down: np.ndarray, up: np.ndarray, right: np.ndarray, left: np.ndarray, out: np.ndarray) -> None:
    """Combine distances from four sides into (H, W) uint8; `right` and `left` are (W, H).

    Two sides have to agree: a letter that touches one border, or a tile that differs from its neighbours, is no ground
    or no letter by one side alone.
    """
    height, width = out.shape
    for y in range(height):
        for x in range(width):
            a, b, c, d = down[y, x], up[y, x], right[x, y], left[x, y]
            low, high, lower, higher = min(a, b), max(a, b), min(c, d), max(c, d)
            out[y, x] = np.uint8(min(max(low, lower), min(high, higher)))


@numba.njit(cache=True, nogil=True)
def find_pattern(picture: np.ndarray, pattern: np.ndarray) -> int:
    """Find the colours of stripes, checks and grids: those that the border has in each of four parts; return how many.

    Parameters
    ----------
    picture : (H, W, 3) uint8
    pattern : (3, 3) float64
        Filled in with the most frequent colours.
    """
    height, width = picture.shape[0], picture.shape[1]
    counts, sums = np.zeros((512, 4), np.int32), np.zeros((512, 3), np.int32)
    for y in (0, 1, height - 2, height - 1):
        row = picture[y]
        for part in range(4):
            for x in range(part * width // 4, (part + 1) * width // 4):
                red, green, blue = np.int64(row[x, 0]), np.int64(row[x, 1]), np.int64(row[x, 2])
                bin_ = (red >> 5) << 6 | (green >> 5) << 3 | blue >> 5
                counts[bin_, part] += 1
                sums[bin_, 0] += red
                sums[bin_, 1] += green
                sums[bin_, 2] += blue
    found = 0
    while found < 3:
        best, most = -1, 0
        for k in range(512):
            own = counts[k]
            total = own[0] + own[1] + own[2] + own[3]
            if total > most and min(min(own[0], own[1]), min(own[2], own[3])) >= width * RECURRING:
                best, most = k, total
        if best < 0:
            break
        for k in range(3):
            pattern[found, k] = sums[best, k] / most
        counts[best] = 0
        found += 1
    return found


@numba.njit(cache=True, nogil=True)
def lay_pattern(picture: np.ndarray, pattern: np.ndarray, count: int, far: np.ndarray) -> None:
    """Lower the distances of pixels that have a colour of the pattern, or one between two of them."""
    height, width = far.shape
    for first in range(count):
        for second in range(first + 1, count):
            a, b, c = pattern[first, 0], pattern[first, 1], pattern[first, 2]
            p, q, r = pattern[second, 0] - a, pattern[second, 1] - b, pattern[second, 2] - c
            length = max(p * p + q * q + r * r, 1.0)
            for y in range(height):
                for x in range(width):
                    pixel = picture[y, x]
                    red, green, blue = pixel[0] - a, pixel[1] - b, pixel[2] - c
                    share = min(max((red * p + green * q + blue * r) / length, 0.0), 1.0)
                    red, green, blue = abs(red - share * p), abs(green - share * q), abs(blue - share * r)
                    far[y, x] = min(far[y, x], np.uint8(max(red, max(green, blue))))


@numba.njit(cache=True, nogil=True)
def list_ink(far: np.ndarray, least: int, rows: np.ndarray, columns: np.ndarray) -> int:
    """List the pixels that are at least so far from the ground, row by row; return how many."""
    count = 0
    for y in range(far.shape[0]):
        row = far[y]
        for x in range(len(row)):
            rows[count], columns[count] = y, x
            count += int(row[x] >= least)
    return count


@numba.njit(cache=True, nogil=True)
def find_under(far: np.ndarray, least: int, last: np.ndarray, under: np.ndarray) -> None:
    """Find the ground under each pixel: the nearest pixel of its column that is nearer to the ground than `least`.

    Parameters
    ----------
    far : (H, W) uint8
    last : (W,) int32
        Room.
    under : (H, W) int32
        Filled in with the row of that pixel; -1 if the column has none.
    """
    height, width = far.shape
    last[:] = -1
    for y in range(height):
        row, out = far[y], under[y]
        for x in range(width):
            last[x] = y if row[x] < least else last[x]
            out[x] = last[x]
    last[:] = -1
    for y in range(height - 1, -1, -1):
        row, out = far[y], under[y]
        for x in range(width):
            last[x] = y if row[x] < least else last[x]
            nearer = last[x] >= 0 and (out[x] < 0 or last[x] - y < y - out[x])
            out[x] = last[x] if nearer else out[x]

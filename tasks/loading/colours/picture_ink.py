"""One picture in colour after another -> ink: the ground, the inks, their parts, and what of them is letters."""

import numba
import numpy as np

from tasks.loading.colours.layers import BINS, MOST, find_inks, share_out
from tasks.loading.colours.one_hue import levels_of
from tasks.loading.colours.seen import TINT
from tasks.loading.colours.seen_ground import (
    find_pattern,
    find_under,
    follow,
    frame_of,
    lay_pattern,
    list_ink,
    second_smallest,
)
from tasks.loading.colours.votes import COLUMNS, find_ink_parts, lay_down, vote

LEAST, MOST_LEAST = 24, 64  # levels: ink is not nearer to the ground than the one, and always at the other
STEP = 24.0, 56.0  # levels: the ground may differ so much from what it was, at least and at most
SMALLEST = 8  # rows or columns: a smaller picture has no border to tell the ground by
LANES = 16  # numbers that a processor works on at once: rows are padded to so many
REACH = 5  # pixels: a line that crosses a letter is not thicker
DONE, GREY, DYED, EMPTY = range(4)  # what becomes of a picture


@numba.njit(cache=True, nogil=True)
def ink_of_each(images: np.ndarray, out: np.ndarray, states: np.ndarray) -> None:
    """Fill in the ink of pictures in colour.

    Parameters
    ----------
    images : (n, H, W, 3) uint8
    out : (n, H, W) uint8
    states : (n,) uint8
        Filled in with `DONE`; `DYED` for a picture of one hue, of which `out` has the levels; `GREY` for a picture
        without colours and `EMPTY` for a picture without ink, for which `out` means nothing.
    """
    count, height, width = out.shape
    # One room for all pictures: memory that is fresh for each takes longer than the work.
    levels = np.zeros((10, (height + LANES) * (width + LANES)), np.float32)
    numbers, parts = np.empty((4, height * width + 1), np.int32), np.empty((height * width, COLUMNS), np.int32)
    table, touched = np.zeros((BINS, 7), np.int64), np.empty(BINS, np.int64)
    bytes_ = np.empty((4, height * width), np.uint8)
    for k in range(count):
        if _is_grey(images[k]):
            states[k] = GREY
            continue
        if levels_of(images[k], out[k]):
            states[k] = DYED
            continue
        depth = frame_of(images[k])
        if depth:
            out[k] = 0
        inner = np.ascontiguousarray(images[k, depth : height - depth, depth : width - depth])
        inside = out[k, depth : height - depth, depth : width - depth]
        some = _ink(inner, levels, numbers, bytes_, parts, table, touched, inside)
        states[k] = DONE if some else EMPTY


@numba.njit(cache=True, nogil=True)
def _is_grey(picture: np.ndarray) -> bool:
    """Tell whether no pixel has a colour that counts."""
    for y in range(picture.shape[0]):
        row = picture[y]
        for x in range(len(row)):
            red, green, blue = np.int64(row[x, 0]), np.int64(row[x, 1]), np.int64(row[x, 2])
            if max(red, max(green, blue)) - min(red, min(green, blue)) > TINT:
                return False
    return True


@numba.njit(cache=True, nogil=True)
def _ink(
    picture: np.ndarray, levels: np.ndarray, numbers: np.ndarray, bytes_: np.ndarray, parts: np.ndarray,
    table: np.ndarray, touched: np.ndarray, out: np.ndarray,
) -> bool:  # fmt: skip
    """Fill in the ink of a picture; tell whether it has any."""
    height, width = out.shape
    if min(height, width) < SMALLEST:
        return False
    size = height * width
    far, labels = bytes_[0, :size].reshape(height, width), bytes_[1, :size].reshape(height, width)
    shares, state = bytes_[2, :size].reshape(height, width), bytes_[3, :size].reshape(height, width)
    under, names = numbers[0, :size].reshape(height, width), numbers[1, :size].reshape(height, width)
    spread = _distances(picture, levels, far)
    least = int(min(max(LEAST, 1.6 * spread + 8), MOST_LEAST))
    faintest = max(8, least // 2)
    found = list_ink(far, faintest, numbers[2], numbers[3])
    rows, columns = numbers[2, :found], numbers[3, :found]
    find_under(far, faintest, numbers[1, :width], under)
    inks, ink_of = np.empty((MOST, 3)), np.full(BINS, -1, np.int64)
    count = find_inks(picture, under, far, least, spread, rows, columns, table, touched, inks, ink_of)
    if not count:
        return False
    share_out(picture, under, far, least, rows, columns, inks, count, ink_of, labels, shares)
    named = find_ink_parts(labels, rows, columns, names, parts)
    kept = np.empty(named, np.bool_)
    vote(parts, named, labels, count, kept)
    lay_down(shares, rows, columns, names, kept, REACH, state, out)
    return named > 0


@numba.njit(cache=True, nogil=True)
def _distances(picture: np.ndarray, levels: np.ndarray, far: np.ndarray) -> float:
    """Fill in each pixel's distance from the ground; return the levels that the ground varies by."""
    height, width = far.shape
    high, wide = -(-height // LANES) * LANES, -(-width // LANES) * LANES
    planes = levels[0:3].reshape(-1)[: 3 * height * wide].reshape(3, height, wide)
    turned = levels[3:6].reshape(-1)[: 3 * width * high].reshape(3, width, high)
    _split(picture, planes, turned)
    limit = np.float32(min(max(STEP[0], 3 * _roughness(picture)), STEP[1]))
    down, up = levels[6, : height * wide].reshape(height, wide), levels[7, : height * wide].reshape(height, wide)
    right, left = levels[8, : width * high].reshape(width, high), levels[9, : width * high].reshape(width, high)
    level = np.empty((3, max(high, wide)), np.float32)
    follow(planes, width, limit, False, level, down)
    follow(planes, width, limit, True, level, up)
    follow(turned, height, limit, False, level, right)
    follow(turned, height, limit, True, level, left)
    second_smallest(down, up, right, left, far)
    pattern = np.empty((3, 3))
    colours = find_pattern(picture, pattern)
    if colours > 1:
        lay_pattern(picture, pattern, colours, far)
    return float(_quantile(far, 0.6))


@numba.njit(cache=True, nogil=True)
def _split(picture: np.ndarray, planes: np.ndarray, turned: np.ndarray) -> None:
    """Fill in the three channels, (3, H, wide), and turned by a quarter, (3, W, high), both padded."""
    height, width = picture.shape[0], picture.shape[1]
    for y in range(height):
        row = picture[y]
        for x in range(width):
            for k in range(3):
                planes[k, y, x] = row[x, k]
                turned[k, x, y] = row[x, k]


@numba.njit(cache=True, nogil=True)
def _roughness(picture: np.ndarray) -> int:
    """Return the median difference of neighbours in a row, in the channel where it is largest."""
    counts = np.zeros(256, np.int64)
    of = 0
    for y in range(0, picture.shape[0], 4):
        for x in range(picture.shape[1] - 1):
            one, other = picture[y, x], picture[y, x + 1]
            a, b, c = (
                abs(np.int64(one[0]) - other[0]),
                abs(np.int64(one[1]) - other[1]),
                abs(np.int64(one[2]) - other[2]),
            )
            counts[max(a, max(b, c))] += 1
            of += 1
    seen, level = 0, 0
    while level < 255 and seen + counts[level] <= of // 2:
        seen += counts[level]
        level += 1
    return level


@numba.njit(cache=True, nogil=True)
def _quantile(far: np.ndarray, share: float) -> int:
    """Return the distance that so large a share of the pixels does not pass."""
    counts = np.zeros(256, np.int64)
    for y in range(far.shape[0]):
        for x in range(far.shape[1]):
            counts[far[y, x]] += 1
    seen, level = 0, 0
    while level < 255 and seen + counts[level] <= share * far.size:
        seen += counts[level]
        level += 1
    return level

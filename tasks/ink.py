"""Pictures -> ink alone and upright: the background taken off, the shear estimated and undone."""

import numba
import numpy as np

TILES = (4, 8)  # rows and columns of tiles, each of which should show some background
FLOOR = 8  # of 255: what is left of a background after it was taken off
STEEPEST = 500  # 1/1000 of a column a row: the largest shear that is looked for, either way
STEP = 50


def upright(images: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Take off each picture's background, and undo its shear.

    Parameters
    ----------
    images : (n, H, W) uint8
        0 background to 255 ink; a picture smaller than the canvas sits top left, on zeros.

    Returns
    -------
    ink : (n, H, W + H // 2 + 2) uint8
        The strongest ink of each is 255. Row y was moved left by ``shear * y`` columns, and all rows right by
        `offset`.
    shear : (n,) int64
        1/1000 of a column a row, positive where lower rows were further right.
    offset : (n,) int64
        Columns.
    """
    n, rows, columns = images.shape
    ink = np.zeros((n, rows, columns + rows // 2 + 2), np.uint8)
    shear, offset = np.zeros(n, np.int64), np.zeros(n, np.int64)
    _upright(np.ascontiguousarray(images), ink, shear, offset)
    return ink, shear, offset


@numba.njit(cache=True, nogil=True)
def _upright(images, ink, shear, offset):
    rows, columns = images.shape[1:]
    clean = np.zeros((rows, columns), np.uint8)
    for i in range(len(images)):
        image = images[i]
        height, width = _extent(image)
        if height == 0:
            continue
        clean[:] = 0
        _take_off(image[:height, :width], clean[:height, :width])
        shear[i] = _find_shear(clean, height, width)
        offset[i] = max(shear[i], 0) * rows // 1000
        _shift(clean, shear[i], offset[i], height, width, ink[i])


@numba.njit(cache=True, nogil=True)
def _extent(image):
    """Rows and columns up to the last pixel above 0."""
    rows, columns = image.shape
    height, width = 0, 0
    for y in range(rows):
        last = -1
        for x in range(columns - 1, -1, -1):
            if image[y, x]:
                last = x
                break
        if last >= 0:
            height = y + 1
            width = max(width, last + 1)
    return height, width


@numba.njit(cache=True, nogil=True)
def _take_off(image, clean):
    """The ink over a background that is bilinear: the faintest pixel of each tile is taken for background."""
    height, width = image.shape
    down, across = TILES
    down, across = min(down, height), min(across, width)
    count = down * across
    design = np.empty((count, 4))
    level = np.empty(count)
    strongest = 0
    for a in range(down):
        for b in range(across):
            least, where_y, where_x = 256, 0, 0
            for y in range(a * height // down, (a + 1) * height // down):
                for x in range(b * width // across, (b + 1) * width // across):
                    value = np.int64(image[y, x])
                    strongest = max(strongest, value)
                    if value < least:
                        least, where_y, where_x = value, y, x
            k = a * across + b
            level[k] = least
            y, x = where_y / height, where_x / width
            design[k, 0], design[k, 1], design[k, 2], design[k, 3] = 1.0, y, x, x * y
    flat = True
    for k in range(count):
        flat &= level[k] == 0
    fit = np.zeros(4)
    if not flat:
        fit = _robust(design, level)
    most = 0.0
    for y in range(height):
        start = fit[0] + fit[1] * y / height
        step = (fit[2] + fit[3] * y / height) / width
        for x in range(width):
            ground = min(max(start + step * x, 0.0), 250.0)
            most = max(most, 255.0 - (255.0 - image[y, x]) * (255.0 / (255.0 - ground)))
    if most <= FLOOR:
        return
    gain = np.float32(255.0 / (most - FLOOR)) if not flat else np.float32(255.0 / most)
    low = np.float32(FLOOR) if not flat else np.float32(0)
    for y in range(height):
        start = np.float32(fit[0] + fit[1] * y / height)
        step = np.float32((fit[2] + fit[3] * y / height) / width)
        for x in range(width):
            ground = min(max(start + step * np.float32(x), np.float32(0)), np.float32(250))
            rest = (np.float32(255) - np.float32(image[y, x])) * (np.float32(255) / (np.float32(255) - ground))
            value = (np.float32(255) - rest - low) * gain
            clean[y, x] = np.uint8(min(max(value, np.float32(0)), np.float32(255)))


@numba.njit(cache=True, nogil=True)
def _robust(design, level):
    """Least squares over the tiles that are not far above the fit, which are all ink."""
    count = len(level)
    used = np.ones(count, np.bool_)
    fit = np.zeros(4)
    for _ in range(4):
        normal = np.zeros((4, 4))
        right = np.zeros(4)
        for k in range(count):
            if used[k]:
                for a in range(4):
                    right[a] += design[k, a] * level[k]
                    for b in range(4):
                        normal[a, b] += design[k, a] * design[k, b]
        for a in range(4):
            normal[a, a] += 1e-3
        fit = np.linalg.solve(normal, right)
        over = 0.0
        for k in range(count):
            error = level[k]
            for a in range(4):
                error -= design[k, a] * fit[a]
            over = max(over, error)
        if over < 4.0:
            break
        for k in range(count):
            error = level[k]
            for a in range(4):
                error -= design[k, a] * fit[a]
            used[k] = error < max(over / 2, 2.0)
    return fit


@numba.njit(cache=True, nogil=True)
def _find_shear(clean, height, width):
    """The shear whose undoing makes the columns' sums of ink most uneven."""
    best, worth = 0, -1.0
    room = height * STEEPEST // 1000 + 1
    sums = np.empty(width + 2 * room, np.int32)
    firsts, lasts = np.zeros(height, np.int64), np.zeros(height, np.int64)
    for y in range(height):
        firsts[y] = width
        for x in range(width):
            if clean[y, x]:
                firsts[y] = min(firsts[y], x)
                lasts[y] = x + 1
    for turn in range(2):
        middle = best
        for k in range(-5, 6):
            if turn == 0:
                shear = k * 2 * STEP
            elif k in (-1, 1):
                shear = middle + k * STEP
            else:
                continue
            if abs(shear) > STEEPEST:
                continue
            sums[:] = 0
            for y in range(height):
                place = room - (shear * (2 * y - height) + 1000) // 2000
                for x in range(firsts[y], lasts[y]):
                    sums[place + x] += clean[y, x]
            total = 0.0
            for x in range(len(sums)):
                total += np.float64(sums[x]) * sums[x]
            if total > worth:
                worth, best = total, shear
    return best


@numba.njit(cache=True, nogil=True)
def _shift(clean, shear, offset, height, width, out):
    for y in range(height):
        moved = offset * 1000 - shear * y
        whole = moved // 1000
        share = np.int32((moved - whole * 1000) * 256 // 1000)
        for x in range(width):
            value = np.int32(clean[y, x])
            if value == 0:
                continue
            right = (value * share) >> 8
            at = x + whole
            if 0 <= at < out.shape[1]:
                out[y, at] = np.uint8(min(np.int32(out[y, at]) + value - right, 255))
            if 0 <= at + 1 < out.shape[1]:
                out[y, at + 1] = np.uint8(min(np.int32(out[y, at + 1]) + right, 255))

"""Pictures -> upright ink: remove the background, estimate the shear and undo it."""

import numba
import numpy as np

from tasks.lowlevel.normal_equations import solve

# Behind each value: the words of `hard` right with other values, in percent without / with the dictionary, where they
# are 71.8 / 92.1 with these (2,048 pictures, seed 2, the shipped model, `python -m tests.benchmarks.constants`).
# Rows and columns of tiles; in each some background should be visible; (2, 4): 71.9 / 92.1, (8, 16): 71.4 / 92.5.
TILES = (4, 8)
# Of 255: the most that may remain of a background after it was removed; 4: 71.7 / 92.0, 16: 72.3 / 93.0.
FLOOR = 8
# 1/1000 of a column a row: the largest shear that is tried, in both directions; 250: 71.8 / 91.6. The width of the ink
# leaves no room for more.
STEEPEST_SHEAR = 500
# 1/1000 of a column a row: the distance between the shears that are tried; 25: 72.7 / 91.4, 100: 71.0 / 92.1.
STEP = 50
# Of 255: the strongest background that is removed; above it hardly any ink would be visible; 125: the same.
DARKEST = 250.0
FITS = 4  # fits of the background; each leaves out tiles that are too far above the last fit; 2 and 8: the same
CLOSE = 4.0  # levels: a fit is final if no tile is further above it; 2: 71.9 / 92.1, 8: the same
CLOSEST = 2.0  # levels: a tile that is less far above the fit is never left out; 1 and 4: the same
_AT_ONCE = 8  # rows that are added up together; it changes no reading


def upright(images: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Remove each picture's background, and undo its shear.

    Parameters
    ----------
    images : (n, H, W) uint8
        0 background to 255 ink; a picture smaller than the canvas lies at its top left, with zeros around it.

    Returns
    -------
    ink : (n, H, W + H // 2 + 2) uint8
        The strongest ink of a picture is 255. Row y was moved left by ``shear * y / 1000`` columns, and all rows right
        by `offset`.
    shear : (n,) int64
        1/1000 of a column a row, positive where lower rows were further right.
    offset : (n,) int64
        Columns.
    """
    n, rows, columns = images.shape
    ink = np.empty((n, rows, columns + rows // 2 + 2), np.uint8)
    shear, offset = np.zeros(n, np.int64), np.zeros(n, np.int64)
    # The sums of the columns, in as few bits as possible: adding them up takes most of the time of the search.
    sums = np.zeros(columns + 2 * _reach(rows), np.uint16 if rows * 255 < 1 << 16 else np.uint32)
    _upright(np.ascontiguousarray(images), ink, shear, offset, sums)
    return ink, shear, offset


@numba.njit(cache=True, nogil=True)
def _reach(rows):
    """Return by how many columns the steepest shear about the middle row moves a pixel at most."""
    return rows * STEEPEST_SHEAR // 2000 + 1


@numba.njit(cache=True, nogil=True)
def _upright(images, ink, shear, offset, sums):
    rows, columns = images.shape[1:]
    margin = 2 * _reach(rows) + 1
    # The ink has empty columns on both sides and empty rows below, so that inner loops need no test for the borders.
    clean = np.zeros((rows + _AT_ONCE, columns + 2 * margin), np.uint8)
    strongest, lines = np.zeros(rows, np.uint8), np.zeros((TILES[0], columns), np.uint8)
    places = np.arange(columns).astype(np.float32)
    for i in range(len(images)):
        image = images[i]
        height, width = _extent(image, strongest, lines[0])
        if height == 0:
            ink[i] = 0
            continue
        clean[:] = 0
        inner = clean[:height, margin : margin + width]
        _take_off(image[:height, :width], inner, strongest, lines, places)
        shear[i] = _find_shear(clean, height, width, margin, sums)
        offset[i] = max(shear[i], 0) * rows // 1000
        _shift(clean, shear[i], offset[i], height, width, margin, ink[i])


@numba.njit(cache=True, nogil=True)
def _extent(image, strongest, line):
    """Return the rows and columns up to the last pixel above 0; fill `strongest` with each row's strongest pixel."""
    rows, columns = image.shape
    line[:] = 0
    height = 0
    for y in range(rows):
        row = image[y]
        most = np.uint8(0)
        for x in range(columns):
            most = max(most, row[x])
        strongest[y] = most
        if most:
            height = y + 1
            for x in range(columns):
                line[x] |= row[x]
    width = columns
    while width and line[width - 1] == 0:
        width -= 1
    return height, width


@numba.njit(cache=True, nogil=True)
def _take_off(image, clean, strongest, lines, places):
    """Remove a bilinear background, which is fitted to the faintest pixel of each tile.

    Parameters
    ----------
    image, clean : (H, W) uint8
        The picture, without empty columns on the right; its ink, filled in unless it has none.
    strongest : (H or more,) uint8
        The strongest pixel of each row.
    lines : (TILES[0], W or more) uint8
        Scratch.
    places : (W or more,) float32
        0, 1, 2 ...
    """
    height, width = image.shape
    down, across = min(TILES[0], height), min(TILES[1], width)
    lefts = np.empty(across + 1, np.int64)
    for b in range(across + 1):
        lefts[b] = b * width // across
    level = np.empty((down, across), np.uint8)
    for a in range(down):
        _least(image[a * height // down : (a + 1) * height // down], lines[a])
        for b in range(across):
            least = np.uint8(255)
            for x in range(lefts[b], lefts[b + 1]):
                least = min(least, lines[a, x])
            level[a, b] = least
    if not level.any():
        _stretch(image, clean, strongest[:height].max())
        return
    design = np.empty((down * across, 4))
    for a in range(down):
        top, bottom = a * height // down, (a + 1) * height // down
        for b in range(across):
            y, x = _find_level(image[top:bottom], level[a, b], lines[a], lefts[b], lefts[b + 1])
            y += top
            k = a * across + b
            design[k, 0], design[k, 1], design[k, 2] = 1.0, y / height, x / width
            design[k, 3] = design[k, 1] * design[k, 2]
    fit = _robust(design, level.ravel().astype(np.float64))
    _uncover(image, clean, strongest, fit, places)


@numba.njit(cache=True, nogil=True)
def _find_level(rows, level, least, left, right):
    """Find the first pixel of that level, row by row, between two columns; `least` has each column's faintest pixel."""
    y, x = len(rows), left
    for near in range(left, right):
        if least[near] == level:
            for above in range(y):
                if rows[above, near] == level:
                    y, x = above, near
                    break
    return y, x


@numba.njit(cache=True, nogil=True, error_model="numpy")  # a check of each divisor would prevent vectors
def _uncover(image, clean, strongest, fit, places):
    """Remove the fitted background and stretch the ink so that its strongest pixel is 255."""
    height, width = image.shape
    # Without its background no pixel is stronger than before, so that most rows cannot hold the strongest ink.
    most, highest = 0.0, strongest[:height].max()
    for turn in range(2):
        for y in range(height):
            if (strongest[y] != highest) if turn == 0 else (strongest[y] <= most):
                continue
            start = fit[0] + fit[1] * y / height
            step = (fit[2] + fit[3] * y / height) / width
            for x in range(width):
                if image[y, x] > most:
                    ground = min(max(start + step * x, 0.0), DARKEST)
                    most = max(most, 255.0 - (255.0 - image[y, x]) * (255.0 / (255.0 - ground)))
    if most <= FLOOR:
        return
    gain, low, full = np.float32(255.0 / (most - FLOOR)), np.float32(FLOOR), np.float32(255)
    for y in range(height):
        start = np.float32(fit[0] + fit[1] * y / height)
        step = np.float32((fit[2] + fit[3] * y / height) / width)
        row, out = image[y], clean[y]
        for x in range(width):
            ground = min(max(start + step * places[x], np.float32(0)), np.float32(DARKEST))
            rest = (full - np.float32(row[x])) * (full / (full - ground))
            value = (full - rest - low) * gain
            out[x] = np.uint8(min(max(value, np.float32(0)), full))


@numba.njit(cache=True, nogil=True)
def _least(image, line):
    """Fill `line` with the faintest pixel of each column."""
    rows, columns = image.shape
    line[:columns] = 255
    for y in range(rows):
        row = image[y]
        for x in range(columns):
            line[x] = min(line[x], row[x])


@numba.njit(cache=True, nogil=True)
def _stretch(image, clean, most):
    """Stretch ink on an empty background so that its strongest pixel is 255."""
    height, width = image.shape
    if most <= FLOOR:
        return
    gain, full = np.float32(255.0 / most), np.float32(255)
    for y in range(height):
        row, out = image[y], clean[y]
        if most == 255:
            for x in range(width):
                out[x] = row[x]
        else:
            for x in range(width):
                out[x] = np.uint8(min(np.float32(row[x]) * gain, full))


@numba.njit(cache=True, nogil=True)
def _robust(design, level):
    """Fit a background by least squares, without the tiles that are far above it: these hold only ink."""
    count = len(level)
    used = np.ones(count, np.bool_)
    fit = np.zeros(4)
    for _ in range(FITS):
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
        solve(normal, right, fit)
        over = 0.0
        for k in range(count):
            error = level[k]
            for a in range(4):
                error -= design[k, a] * fit[a]
            over = max(over, error)
        if over < CLOSE:
            break
        for k in range(count):
            error = level[k]
            for a in range(4):
                error -= design[k, a] * fit[a]
            used[k] = error < max(over / 2, CLOSEST)
    return fit


@numba.njit(cache=True, nogil=True)
def _find_shear(clean, height, width, margin, sums):
    """Find the shear that, once undone, makes the columns' sums of ink most uneven."""
    best, worth = 0, -1
    reach = _reach(height)
    for turn in range(2):
        middle = best
        for k in range(-5, 6):
            if turn == 0:
                shear = k * 2 * STEP
            elif k in (-1, 1):
                shear = middle + k * STEP
            else:
                continue
            if abs(shear) > STEEPEST_SHEAR:
                continue
            total = _unevenness(clean, shear, height, margin - reach, sums[: width + 2 * reach])
            if total > worth:
                worth, best = total, shear
    return best


@numba.njit(cache=True, nogil=True)
def _unevenness(clean, shear, height, begin, sums):
    """Sum up the squares of the columns' sums of ink after that shear is undone about the middle row."""
    count = len(sums)
    for y in range(0, height, _AT_ONCE):  # several rows at once, so that the sums are read and written less often
        a, b = _row(clean, y, shear, height, begin, count), _row(clean, y + 1, shear, height, begin, count)
        c, d = _row(clean, y + 2, shear, height, begin, count), _row(clean, y + 3, shear, height, begin, count)
        e, f = _row(clean, y + 4, shear, height, begin, count), _row(clean, y + 5, shear, height, begin, count)
        g, h = _row(clean, y + 6, shear, height, begin, count), _row(clean, y + 7, shear, height, begin, count)
        if y == 0:
            for x in range(count):
                sums[x] = a[x] + b[x] + c[x] + d[x] + e[x] + f[x] + g[x] + h[x]
        else:
            for x in range(count):
                sums[x] += a[x] + b[x] + c[x] + d[x] + e[x] + f[x] + g[x] + h[x]
    total = np.int64(0)
    for x in range(count):
        total += np.int64(sums[x]) * np.int64(sums[x])
    return total


@numba.njit(cache=True, nogil=True)
def _row(clean, y, shear, height, begin, count):
    if y >= height:
        return clean[height, :count]  # empty
    at = begin + (shear * (2 * y - height) + 1000) // 2000
    return clean[y, at : at + count]


@numba.njit(cache=True, nogil=True)
def _shift(clean, shear, offset, height, width, margin, out):
    """Undo the shear; share each pixel between the two columns that it then lies between."""
    for y in range(height):
        moved = offset * 1000 - shear * y
        whole = moved // 1000
        share = np.uint32((moved - whole * 1000) * 256 // 1000)
        begin, end = max(whole, 0), whole + width + 1
        out[y, :begin] = 0
        out[y, end:] = 0
        at = margin - whole + begin
        row = out[y, begin:end]
        own, left = clean[y, at : at + end - begin], clean[y, at - 1 : at - 1 + end - begin]
        for x in range(len(row)):
            row[x] = own[x] - ((own[x] * share) >> np.uint32(8)) + ((left[x] * share) >> np.uint32(8))
    out[height:] = 0

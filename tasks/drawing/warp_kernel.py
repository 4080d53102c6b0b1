"""The general drawing kernel: every letter turned, moved, sheared, waved and scaled in one resampling.

For each pixel of a letter's region the kernel asks where it comes from: back through the scale, the
wave (a table of shifts a row and a column), the shear and the turn to a place in the letter's bitmap,
which it reads by bilinear interpolation. Coordinates have 16 fractional bits, weights 8; nothing is a
float, so the bytes are the same on every processor. Below 70 % a pixel is the mean of several samples
a side, since one would miss thin strokes.
"""

import functools

import numba
import numpy as np

PI = 0x3243F6A8885A308D313198A2E  # pi * 2**96
ONE = 1 << 16
SINES = 4096  # steps a turn in the table that waves are read from
PHASES = 1024  # steps a turn of a wave's random phase
DENSE = 70  # percent; below it more than one sample a pixel and side
STEEP = 1 << 12  # a coordinate that grows slower than this a pixel (in 1/65536) does not bound a row's span


def sine(number: int, turn: int) -> int:
    """sin(2 pi number / turn) in 1/65536, from an integer series: libm's last bit differs between machines."""
    number %= turn
    if 2 * number > turn:
        return -sine(turn - number, turn)
    if 4 * number > turn:
        return sine(turn - 2 * number, 2 * turn)
    angle = 2 * PI * number // turn
    total, term, k = 0, angle, 1
    while term:
        total += -term if k % 4 == 3 else term
        k += 2
        term = (term * angle >> 96) * angle // (k * (k - 1)) >> 96
    return ((total >> 79) + 1) >> 1


@functools.cache
def sines(turn: int) -> np.ndarray:
    """Sine of every step of a turn, (turn,) int64, in 1/65536."""
    return np.array([sine(number, turn) for number in range(turn)], np.int64)


def turned(degrees: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sine and cosine of whole degrees, int64, in 1/65536."""
    table = sines(360)
    return table[degrees % 360], table[(degrees + 90) % 360]


def samples(scale: int) -> int:
    """How many samples a pixel takes, down and across each."""
    return 1 if scale >= DENSE else -(-100 // scale)


def sample_places(scale: int, count: int) -> np.ndarray:
    """Where the samples of `count` pixels lie before scaling, (count * samples,) int64, in 1/65536 px.

    Pixel centres are whole numbers: sample i of k a pixel lies at (i + 1/2) * 100 / (k * scale) - 1/2.
    """
    parts = samples(scale) * scale
    return np.array([((2 * i + 1) * 100 * ONE // parts - ONE) >> 1 for i in range(count * samples(scale))], np.int64)


def texels(bitmap: np.ndarray) -> np.ndarray:
    """Each pixel with its right, lower and lower right neighbour in one number, (h + 3, w + 3) uint32.

    Texel (i + 2, j + 2) has pixel (i, j) in its lowest byte; the border is as wide as interpolation
    and a clamped coordinate need.
    """
    wide = np.zeros((bitmap.shape[0] + 4, bitmap.shape[1] + 4), np.uint32)
    wide[2:-2, 2:-2] = bitmap
    return wide[:-1, :-1] | wide[:-1, 1:] << 8 | wide[1:, :-1] << 16 | wide[1:, 1:] << 24


def outline(bitmap: np.ndarray) -> np.ndarray:
    """First and last inked pixel of each row, (n, 2) int64 y and x from the centre, in half pixels."""
    height, width = bitmap.shape
    rows = np.flatnonzero(bitmap.any(axis=1))
    inked = bitmap[rows] > 0
    columns = np.concatenate([inked.argmax(axis=1), width - 1 - inked[:, ::-1].argmax(axis=1)])
    return np.stack([2 * np.tile(rows, 2) - height + 1, 2 * columns - width + 1], axis=1).astype(np.int64)


def ink_columns(bitmap: np.ndarray, degrees: np.ndarray) -> np.ndarray:
    """How far a turned letter's ink reaches left and right of its centre, (angles, 2) int64, in 1/64 px.

    The reach of its pixels as turned squares.
    """
    s, c = turned(degrees)
    y, x = outline(bitmap).T
    places = c[:, None] * x + s[:, None] * y  # counter-clockwise, with y down; in 1/131072 px
    half = np.abs(s) + np.abs(c)
    return np.stack([(places.min(axis=1) - half) >> 11, -((-places.max(axis=1) - half) >> 11)], axis=1)


@numba.njit(cache=True, nogil=True)
def _read_row(texel, origin, width, height, tu, tv, u0, v0, first, last, found, weight, line):
    """Samples first … last - 1 of a row into `line` (uint8): source coordinates are tu + u0, tv + v0 in 1/65536 px.

    Three loops, since the look-up in the middle is all that the compiler cannot do several at a time;
    32-bit numbers for the same reason, unsigned indices so that numba wraps no negative ones around.
    """
    u0, v0, width, height = np.int32(u0), np.int32(v0), np.int32(width), np.int32(height)
    stride, corner = np.uint32(width + 3), np.uint32(origin + 2 * width + 6 + 2)
    for k in range(np.uint64(first), np.uint64(last)):
        u, v = np.int32(tu[k] + u0), np.int32(tv[k] + v0)
        i = np.int32(min(max(np.int32(v >> np.int32(16)), np.int32(-2)), height))
        j = np.int32(min(max(np.int32(u >> np.int32(16)), np.int32(-2)), width))
        found[k] = np.uint32(corner + np.uint32(np.uint32(i) * stride) + np.uint32(j))
        weight[k] = ((np.uint32(u) >> np.uint32(8)) & np.uint32(0xFF)) | (np.uint32(v) & np.uint32(0xFF00))
    for k in range(np.uint64(first), np.uint64(last)):
        found[k] = texel[np.uint64(found[k])]
    for k in range(np.uint64(first), np.uint64(last)):
        four, across, down = found[k], np.uint32(weight[k] & np.uint32(0xFF)), np.uint32(weight[k] >> np.uint32(8))
        left, right = np.uint32(four & np.uint32(0x00FF00FF)), np.uint32((four >> np.uint32(8)) & np.uint32(0x00FF00FF))
        # Both rows of the four neighbours at once, in the halves of one word.
        both = np.uint32(np.uint32(left * (np.uint32(256) - across)) + np.uint32(right * across))
        upper, lower = np.uint32(both & np.uint32(0xFFFF)), np.uint32(both >> np.uint32(16))
        value = np.uint32(np.uint32(upper * (np.uint32(256) - down)) + np.uint32(lower * down))
        line[k] = np.uint8(np.uint32(value + np.uint32(32768)) >> np.uint32(16))


@numba.njit(cache=True, nogil=True)
def _span(low, high, gain, inverse, start, slack, factor, count):
    """Samples for which low - slack < gain * place + start < high + slack, a little generously: [first, last)."""
    if gain < 0:
        low, high, gain, start = -high, -low, -gain, -start
    first = ((low - slack - start) * inverse) >> 16
    last = ((high + slack - start) * inverse) >> 16
    return max(0, ((first + 32768) * factor >> 32) - 1), min(count, ((last + 32768) * factor >> 32) + 3)


@numba.njit(cache=True, nogil=True)
def _merge(line, first, last, pixels, origin, seen):
    """Add samples to a picture's row, which begins at `origin`, no pixel above 255; says whether any was above 0."""
    any_ink = np.uint8(0)
    for k in range(np.uint64(first), np.uint64(last)):
        value, place = line[k], np.uint64(origin) + k
        total = np.uint16(pixels[place]) + np.uint16(value)
        pixels[place] = np.uint8(min(total, np.uint16(255)))
        seen[k] |= value
        any_ink |= value
    return any_ink > 0


@numba.njit(cache=True, nogil=True)
def draw_letters(
    glyph, centre, turn, slope, scale, wave, texel, first, shapes, sizes, percents, dense, places, table, images, boxes
):
    """Draw one picture a row.

    glyph : (n, L) int64 index into the bitmaps, -1 past the end
    centre : (n, L, 2) int64, y and x of each letter's centre before shear and scale, in half pixels
    turn : (n, L, 2) int64, sine and cosine in 1/65536
    slope : (n,) int64, in 1/65536; scale : (n,) int64, index into the tables
    wave : (n, 5) int64, amplitude of y and x in 1/10 px, length in px, phase of y and x in 1/1024 turn
    texel, first, shapes : the bitmaps' texels one after another, where each begins, its (rows, columns)
    sizes, percents, dense : the pictures' size, the scale and its samples a side, by scale
    places : (scales, samples) int64, where samples lie before scaling
    table : (4096,) int64, sines of a turn
    images : (n, H, W) uint8 and boxes : (n, L, 4) int16, written
    """
    count, length = glyph.shape
    most = places.shape[1]
    down, across = np.zeros(most, np.int64), np.zeros(most, np.int64)
    tu, tv = np.zeros(most, np.int32), np.zeros(most, np.int32)
    found, weight = np.zeros(most, np.uint32), np.zeros(most, np.uint32)
    line, seen = np.zeros(most, np.uint8), np.zeros(most, np.uint8)
    total = np.zeros(most, np.int32)
    pixels = images.reshape(-1)
    pixels[:] = 0
    boxes[:] = -1
    for n in range(count):
        k, percent, at = dense[scale[n]], percents[scale[n]], places[scale[n]]
        rows, columns = sizes[scale[n], 0], sizes[scale[n], 1]
        factor = (k * percent << 16) // 100
        # How far each column's rows and each row's columns are shifted.
        high, wide = wave[n, 0] * 65536 // 10, wave[n, 1] * 65536 // 10
        for i in range(columns * k if high else 0):
            down[i] = table[((wave[n, 3] << 6) + at[i] // wave[n, 2] & 0xFFFF) >> 4] * high >> 16
        for i in range(rows * k if wide else 0):
            across[i] = table[((wave[n, 4] << 6) + at[i] // wave[n, 2] & 0xFFFF) >> 4] * wide >> 16
        if high == 0:
            down[: columns * k] = 0
        if wide == 0:
            across[: rows * k] = 0
        m = slope[n]
        for j in range(length):
            g = glyph[n, j]
            if g < 0:
                break
            height, width = shapes[g]
            s, c = turn[n, j]
            y0, x0 = centre[n, j, 0] << 15, centre[n, j, 1] << 15
            # The source's column is c * x + uy * y + cu, its row s * x + vy * y + cv.
            uy, vy = -(c * m >> 16) - s, c - (s * m >> 16)
            cu = ((width - 1) << 15) + ((s * y0 - c * x0) >> 16)
            cv = ((height - 1) << 15) - ((s * x0 + c * y0) >> 16)
            # The region: the bitmap and a pixel around it, turned, sheared and waved.
            reach_y, reach_x = ((height - 1) << 15) + 65536, ((width - 1) << 15) + 65536
            half_x = (abs(c - (m * s >> 16)) * reach_x + abs(s + (m * c >> 16)) * reach_y >> 16) + wide + 32768
            half_y = (abs(s) * reach_x + abs(c) * reach_y >> 16) + high + 32768
            middle = x0 + (m * y0 >> 16) + 32768
            left = max(0, ((middle - half_x) * factor >> 32) // k) * k
            right = min(columns, ((middle + half_x) * factor >> 32) // k + 1) * k
            top = max(0, ((y0 + 32768 - half_y) * factor >> 32) // k)
            bottom = min(rows, ((y0 + 32768 + half_y) * factor >> 32) // k + 1)
            if right <= left:
                continue
            for i in range(left, right):
                tu[i] = (c * at[i] + uy * down[i]) >> 16
                tv[i] = (s * at[i] + vy * down[i]) >> 16
            seen[left // k : right // k] = 0
            slack_u, slack_v = (abs(uy) * high >> 16) + 2, (abs(vy) * high >> 16) + 2
            inverse_u = (1 << 32) // abs(c) if abs(c) > STEEP else 0
            inverse_v = (1 << 32) // abs(s) if abs(s) > STEEP else 0
            box_top, box_bottom = rows, 0
            for y in range(top, bottom):
                low, end = right, left
                if k > 1:
                    total[left:right] = 0
                for q in range(y * k, y * k + k):
                    u0 = ((c * across[q] + uy * at[q]) >> 16) + cu
                    v0 = ((s * across[q] + vy * at[q]) >> 16) + cv
                    a, b = left, right
                    if inverse_u:
                        first_i, last_i = _span(-65536, width << 16, c, inverse_u, u0, slack_u, factor, right)
                        a, b = max(a, first_i), min(b, last_i)
                    if inverse_v:
                        first_i, last_i = _span(-65536, height << 16, s, inverse_v, v0, slack_v, factor, right)
                        a, b = max(a, first_i), min(b, last_i)
                    if b <= a:
                        continue
                    _read_row(texel, first[g], width, height, tu, tv, u0, v0, a, b, found, weight, line)
                    low, end = min(low, a), max(end, b)
                    if k > 1:
                        for i in range(a, b):
                            total[i] += line[i]
                if end <= low:
                    continue
                if k > 1:
                    low, end = low // k, (end + k - 1) // k
                    for i in range(low, end):
                        mean = k * k // 2
                        for q in range(k):
                            mean += total[i * k + q]
                        line[i] = np.uint8(mean // (k * k))
                if _merge(line, low, end, pixels, (n * images.shape[1] + y) * images.shape[2], seen):
                    box_top, box_bottom = min(box_top, y), y + 1
            if box_bottom:
                a, b = left // k, right // k
                while not seen[a]:
                    a += 1
                while not seen[b - 1]:
                    b -= 1
                boxes[n, j, 0], boxes[n, j, 1], boxes[n, j, 2], boxes[n, j, 3] = box_top, a, box_bottom, b

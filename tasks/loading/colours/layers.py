"""Inks of a picture in colour: the few colours that its pixels off the ground have, and each pixel's share of one.

A pixel at a letter's edge mixes the letter's colour with the ground's, so it lies between both. An ink is therefore a
direction: pixels whose difference from the ground points along an ink's difference belong to that ink.
"""

import numba
import numpy as np

MOST = 12  # inks
STRONG = 96  # of 255: a pixel with a smaller share of an ink belongs to no part
NONE = 255  # instead of an ink's number
BINS = 4096  # colours, four bits a channel
LEAST_SHARE, MOST_SHARE = 0.25, 1.25  # of an ink's difference from the ground: colours in between belong to the ink
NARROW, WIDE = 12.0, 0.18  # levels and share of the difference: so far a colour may lie beside an ink's direction
CLOSE = 24  # levels: colours that are so near to an ink's are averaged into it
PLENTY = 0.15  # of the pixels along an ink's direction: the strongest of them have the ink's own colour
STRONGEST = 25  # tenths of the strength of the most frequent colour in that direction
SLOPE = 12  # a part of a pixel's distance from the ground: neighbours that differ by more are an edge
FAINTNESS = 20.0  # levels: half an ink explains a colour as badly as an ink that is half as many levels beside it
BLUR = 2  # pixels: an edge is not broader
OWN = 0.04  # of the pixels that are no ground: a more frequent colour is an ink of its own
RARE = 0.02  # of the pixels that are no ground: an ink has more


@numba.njit(cache=True, nogil=True)
def find_inks(  # noqa: PLR0913 - a hot kernel: arrays are rooms that all pictures share
    picture: np.ndarray, under: np.ndarray, far: np.ndarray, least: int, spread: float,
    rows: np.ndarray, columns: np.ndarray, table: np.ndarray, touched: np.ndarray, inks: np.ndarray, ink_of: np.ndarray,
) -> int:  # fmt: skip
    """Find the inks of a picture; return how many.

    Parameters
    ----------
    picture : (H, W, 3) uint8
    under : (H, W) int32
        The row of the ground under each pixel.
    far : (H, W) uint8
        Distances from the ground.
    least : int
        Pixels that are nearer have no ink of their own.
    spread : float
        Levels that the ground varies by.
    rows, columns : (m,) int32
        The pixels to look at.
    table : (BINS, 7) int64
        Zeros, and zeros again afterwards: pixels of each colour, sums of their colours and of their grounds.
    touched : (BINS,) int64
        Room for the numbers of the colours that occur.
    inks : (MOST, 3) float64
        Filled in with the inks' colours.
    ink_of : (BINS,) int64
        Filled in with the ink of each colour that occurs; -1 before, and for others.
    """
    count, total = _count_colours(picture, under, far, least, rows, columns, table, touched)
    found = 0
    while found < MOST:
        best, weight = -1, 0.0
        for k in range(count):
            bin_ = touched[k]
            if ink_of[bin_] < 0:
                row = table[bin_]
                apart = max(abs(row[1] - row[4]), max(abs(row[2] - row[5]), abs(row[3] - row[6])))
                if apart > weight:
                    best, weight = bin_, float(apart)
        if best < 0 or (found and table[best, 0] < RARE * total):
            break
        _absorb(table, touched, count, best, spread, OWN * total, inks, ink_of, found)
        found += 1
    for k in range(count):
        row, least_cost = table[touched[k]], 1e9
        for number in range(found):
            cost = _cost(*_share_of_bin(row, inks[number]))
            if cost < least_cost:
                ink_of[touched[k]], least_cost = number, cost
        row[:] = 0
    return found


@numba.njit(cache=True, nogil=True)
def _cost(share: float, beside: float) -> float:
    """Return how badly an ink explains a colour, in levels."""
    return beside + FAINTNESS * abs(1.0 - share)


@numba.njit(cache=True, nogil=True)
def _count_colours(
    picture: np.ndarray, under: np.ndarray, far: np.ndarray, least: int, rows: np.ndarray, columns: np.ndarray,
    table: np.ndarray, touched: np.ndarray,
) -> tuple[int, int]:  # fmt: skip
    """Count the colours of pixels that are no edges; return how many colours and how many pixels there are."""
    count, total = 0, 0
    for k in range(len(rows)):
        y, x = rows[k], columns[k]
        if far[y, x] < least or not stands_out(far, y, x):
            continue
        red, green, blue = np.int64(picture[y, x, 0]), np.int64(picture[y, x, 1]), np.int64(picture[y, x, 2])
        bin_ = (red >> 4) << 8 | (green >> 4) << 4 | blue >> 4
        row = table[bin_]
        if row[0] == 0:
            touched[count] = bin_
            count += 1
        row[0] += 1
        row[1] += red
        row[2] += green
        row[3] += blue
        below = under[y, x]
        if below >= 0:
            row[4] += picture[below, x, 0]
            row[5] += picture[below, x, 1]
            row[6] += picture[below, x, 2]
        total += 1
    return count, total


@numba.njit(cache=True, nogil=True)
def _absorb(  # noqa: PLR0913 - a part of `find_inks`
    table: np.ndarray, touched: np.ndarray, count: int, best: int, spread: float, own: float,
    inks: np.ndarray, ink_of: np.ndarray, number: int,
) -> None:  # fmt: skip
    """Make an ink of a colour, with all colours that point along it and belong to none."""
    ink = inks[number]
    first = table[best]
    ink[0], ink[1], ink[2] = first[1] / first[0], first[2] / first[0], first[3] / first[0]
    # Thin strokes hardly have pixels of their own colour: the ink is what their strongest pixels have.
    strengths = np.zeros(STRONGEST + 1)
    for k in range(count):
        row = table[touched[k]]
        if ink_of[touched[k]] < 0:
            share, beside = _share_of_bin(row, ink)
            if share >= LEAST_SHARE and beside <= spread:
                strengths[min(int(10 * share), STRONGEST)] += row[0]
    rest, most = PLENTY * strengths.sum(), STRONGEST
    while most > 0 and rest >= strengths[most]:
        rest -= strengths[most]
        most -= 1
    if most > 10:
        _strengthen(table, touched, count, spread, ink, ink_of, most / 10.0)
    for k in range(count):
        row = table[touched[k]]
        if ink_of[touched[k]] < 0:
            share, beside = _share_of_bin(row, ink)
            far = max(abs(row[1] / row[0] - ink[0]), max(abs(row[2] / row[0] - ink[1]), abs(row[3] / row[0] - ink[2])))
            if far <= CLOSE or (LEAST_SHARE <= share <= MOST_SHARE and beside <= spread and row[0] < own):
                ink_of[touched[k]] = number
    ink_of[best] = number


@numba.njit(cache=True, nogil=True)
def _strengthen(
    table: np.ndarray, touched: np.ndarray, count: int, spread: float, ink: np.ndarray, ink_of: np.ndarray, least: float
) -> None:
    """Make an ink the mean of the colours that have at least so many times its strength."""
    red, green, blue, pixels = 0.0, 0.0, 0.0, 0.0
    for k in range(count):
        row = table[touched[k]]
        if ink_of[touched[k]] < 0:
            share, beside = _share_of_bin(row, ink)
            if share >= least and beside <= spread:
                red, green, blue, pixels = red + row[1], green + row[2], blue + row[3], pixels + row[0]
    if pixels:
        ink[0], ink[1], ink[2] = red / pixels, green / pixels, blue / pixels


@numba.njit(cache=True, nogil=True)
def _share_of_bin(row: np.ndarray, ink: np.ndarray) -> tuple[float, float]:
    """Return which share of a colour is ink, and how many levels too far it is beside the mixture."""
    n = float(row[0])
    share, beside = share_of(row[1] / n, row[2] / n, row[3] / n, row[4] / n, row[5] / n, row[6] / n, ink)
    length = max(abs(row[1] - row[4]), max(abs(row[2] - row[5]), abs(row[3] - row[6]))) / n
    return share, beside - NARROW - WIDE * length


@numba.njit(cache=True, nogil=True)
def share_of(
    red: float, green: float, blue: float, from_red: float, from_green: float, from_blue: float, ink: np.ndarray
) -> tuple[float, float]:
    """Return which share of a colour is ink, the rest ground, and how many levels it lies beside that mixture."""
    p, q, r = ink[0] - from_red, ink[1] - from_green, ink[2] - from_blue
    a, b, c = red - from_red, green - from_green, blue - from_blue
    length = p * p + q * q + r * r
    if length < 1.0:
        return 0.0, max(abs(a), max(abs(b), abs(c)))
    share = (a * p + b * q + c * r) / length
    return share, max(abs(a - share * p), max(abs(b - share * q), abs(c - share * r)))


@numba.njit(cache=True, nogil=True)
def share_out(  # noqa: PLR0913 - a hot kernel: arrays are rooms that all pictures share
    picture: np.ndarray, under: np.ndarray, far: np.ndarray, least: int, rows: np.ndarray, columns: np.ndarray,
    inks: np.ndarray, count: int, ink_of: np.ndarray, labels: np.ndarray, shares: np.ndarray,
) -> None:  # fmt: skip
    """Fill in each pixel's ink, and its share of the pixel.

    An edge has the ink of its strongest neighbour.

    Parameters
    ----------
    rows, columns : (m,) int32
        The pixels to look at.
    labels : (H, W) uint8
        `NONE` for less than a `STRONG` share.
    shares : (H, W) uint8
    """
    labels[:], shares[:] = NONE, 0
    for k in range(len(rows)):
        y, x = rows[k], columns[k]
        if far[y, x] >= least and stands_out(far, y, x):
            pixel = picture[y, x]
            bin_ = (np.int64(pixel[0]) >> 4) << 8 | (np.int64(pixel[1]) >> 4) << 4 | np.int64(pixel[2]) >> 4
            if ink_of[bin_] < 0:
                ink_of[bin_] = _nearest(pixel, picture[max(under[y, x], 0), x], inks, count)
            labels[y, x] = ink_of[bin_]
    for _ in range(BLUR):
        for k in range(len(rows)):
            y, x = rows[k], columns[k]
            if labels[y, x] == NONE:
                labels[y, x] = _strongest_beside(far, labels, y, x)
    for k in range(len(rows)):
        y, x = rows[k], columns[k]
        if labels[y, x] == NONE:
            continue
        pixel, below = picture[y, x], picture[max(under[y, x], 0), x]
        share, _ = share_of(
            float(pixel[0]), float(pixel[1]), float(pixel[2]), float(below[0]), float(below[1]), float(below[2]),
            inks[labels[y, x]],
        )  # fmt: skip
        shares[y, x] = np.uint8(max(0.0, min(share * 255.0, 255.0)))
        if shares[y, x] < STRONG:
            labels[y, x] = NONE


@numba.njit(cache=True, nogil=True)
def _strongest_beside(far: np.ndarray, labels: np.ndarray, y: int, x: int) -> int:
    """Return the ink of the neighbour that is farthest from the ground, and farther than the pixel; or `NONE`."""
    strongest, own = far[y, x], np.uint8(NONE)
    for row in range(max(y - 1, 0), min(y + 2, far.shape[0])):
        for column in range(max(x - 1, 0), min(x + 2, far.shape[1])):
            if far[row, column] > strongest and labels[row, column] != NONE:
                strongest, own = far[row, column], labels[row, column]
    return int(own)


@numba.njit(cache=True, nogil=True)
def stands_out(far: np.ndarray, y: int, x: int) -> bool:
    """Tell whether a pixel is no edge: an edge lies between a nearer and a farther neighbour, in its row or column."""
    height, width = far.shape
    own, least = np.int64(far[y, x]), np.int64(far[y, x]) // SLOPE
    a, b = np.int64(far[y, max(x - 1, 0)]) - own, np.int64(far[y, min(x + 1, width - 1)]) - own
    if min(a, b) < -least and max(a, b) > least:
        return False
    a, b = np.int64(far[max(y - 1, 0), x]) - own, np.int64(far[min(y + 1, height - 1), x]) - own
    return not (min(a, b) < -least and max(a, b) > least)


@numba.njit(cache=True, nogil=True)
def _nearest(pixel: np.ndarray, ground: np.ndarray, inks: np.ndarray, count: int) -> int:
    """Return the ink that explains a pixel best."""
    best, least = 0, 1e9
    for k in range(count):
        share, beside = share_of(
            float(pixel[0]),
            float(pixel[1]),
            float(pixel[2]),
            float(ground[0]),
            float(ground[1]),
            float(ground[2]),
            inks[k],
        )
        cost = _cost(share, beside)
        if cost < least:
            best, least = k, cost
    return best

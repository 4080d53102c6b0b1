"""Pictures whose colours lie on one line, from one colour to another: they are grey pictures, dyed."""

import numba
import numpy as np

BESIDE = 20.0  # levels: a colour that is nearer to the line lies on it
OTHERS = 0.005  # of the pixels: if more lie beside the line, the picture has other colours
SHORTEST = 24.0  # levels: between nearer colours the line has no sure direction


@numba.njit(cache=True, nogil=True)
def levels_of(picture: np.ndarray, out: np.ndarray) -> bool:
    """Fill in each pixel's place on the line, in levels; tell whether the picture has one line.

    Parameters
    ----------
    picture : (H, W, 3) uint8
    out : (H, W) uint8
        The contrast is that of the channel with the most.
    """
    first = _farthest(picture, picture[0, 0])
    last = _farthest(picture, first)
    a, b, c = float(first[0]), float(first[1]), float(first[2])
    p, q, r = last[0] - a, last[1] - b, last[2] - c
    length, longest = p * p + q * q + r * r, max(abs(p), max(abs(q), abs(r)))
    if longest < SHORTEST:
        return False
    others, most = 0, int(OTHERS * out.size)
    for y in range(out.shape[0]):
        row, levels = picture[y], out[y]
        for x in range(len(levels)):
            red, green, blue = row[x, 0] - a, row[x, 1] - b, row[x, 2] - c
            share = (red * p + green * q + blue * r) / length
            beside = max(abs(red - share * p), max(abs(green - share * q), abs(blue - share * r)))
            others += int(beside > BESIDE)
            levels[x] = np.uint8(min(max(share * longest + 0.5, 0.0), 255.0))
        if others > most:
            return False
    return True


@numba.njit(cache=True, nogil=True)
def _farthest(picture: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """Return the pixel whose colour is farthest from another."""
    a, b, c = np.int64(colour[0]), np.int64(colour[1]), np.int64(colour[2])
    top, left, most = 0, 0, np.int64(-1)
    for y in range(picture.shape[0]):
        row = picture[y]
        for x in range(len(row)):
            p, q, r = np.int64(row[x, 0]) - a, np.int64(row[x, 1]) - b, np.int64(row[x, 2]) - c
            far = p * p + q * q + r * r
            if far > most:
                top, left, most = y, x, far
    found: np.ndarray = picture[top, left]
    return found

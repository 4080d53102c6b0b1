"""Bilinear interpolation in bitmaps whose pixels are packed with their neighbours."""

import numba
import numpy as np

from tasks.drawing.resampling import HALF

BORDER = 2  # empty texels above and left of a bitmap


@numba.njit(cache=True, nogil=True)
def texels(bitmap):
    """Pack each pixel with its right, lower and lower right neighbour into one number, (h + 3, w + 3) uint32.

    bitmap : (h, w) uint8. Texel (i + 2, j + 2) has pixel (i, j) in its lowest byte; the border is as wide as
    interpolation and a clamped coordinate need.
    """
    height, width = bitmap.shape
    packed = np.zeros((height + BORDER + 1, width + BORDER + 1), np.uint32)
    for i in range(height):
        for j in range(width):
            ink = np.uint32(bitmap[i, j])
            packed[i + 2, j + 2] |= ink
            packed[i + 2, j + 1] |= ink << np.uint32(8)
            packed[i + 1, j + 2] |= ink << np.uint32(16)
            packed[i + 1, j + 1] |= ink << np.uint32(24)
    return packed


@numba.njit(cache=True, nogil=True)
def find(tu, tv, source, start, span, found, weight):
    """Write the number of each sample's texel and the fractions of its place: column tu + start[0], row tv + start[1].

    32-bit numbers, so that the compiler makes vectors of the loop; unsigned indices, so that numba wraps no negative
    ones around.
    """
    u0, v0, width, height = np.int32(start[0]), np.int32(start[1]), np.int32(source.width), np.int32(source.height)
    stride, corner = np.uint32(width + 3), np.uint32(source.corner)
    for k in range(np.uint64(span[0]), np.uint64(span[1])):
        u, v = np.int32(tu[k] + u0), np.int32(tv[k] + v0)
        i = np.int32(min(max(np.int32(v >> np.int32(16)), np.int32(-BORDER)), height))
        j = np.int32(min(max(np.int32(u >> np.int32(16)), np.int32(-BORDER)), width))
        found[k] = np.uint32(corner + np.uint32(np.uint32(i) * stride) + np.uint32(j))
        weight[k] = ((np.uint32(u) >> np.uint32(8)) & np.uint32(0xFF)) | (np.uint32(v) & np.uint32(0xFF00))


@numba.njit(cache=True, nogil=True)
def interpolate(texels, found, weight, span, line):
    """Write the samples whose texels and fractions `find` wrote; the look-up apart, since it makes no vectors."""
    for k in range(np.uint64(span[0]), np.uint64(span[1])):
        found[k] = texels[np.uint64(found[k])]
    for k in range(np.uint64(span[0]), np.uint64(span[1])):
        four, across, down = found[k], np.uint32(weight[k] & np.uint32(0xFF)), np.uint32(weight[k] >> np.uint32(8))
        left, right = np.uint32(four & np.uint32(0x00FF00FF)), np.uint32((four >> np.uint32(8)) & np.uint32(0x00FF00FF))
        # Both rows of the four neighbours at once, in the halves of one word.
        both = np.uint32(np.uint32(left * (np.uint32(256) - across)) + np.uint32(right * across))
        upper, lower = np.uint32(both & np.uint32(0xFFFF)), np.uint32(both >> np.uint32(16))
        value = np.uint32(np.uint32(upper * (np.uint32(256) - down)) + np.uint32(lower * down))
        line[k] = np.uint8(np.uint32(value + np.uint32(HALF)) >> np.uint32(16))

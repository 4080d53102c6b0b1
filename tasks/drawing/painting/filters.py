"""Filters over a finished plane of a picture: squares of pixels, sharpening, a few levels."""

import numba
import numpy as np

from tasks.drawing.noise_kernel import blur

# Ordered dithering (Bayer, 1973): at which of 16 steps between two levels a pixel takes the higher.
_ORDER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], np.int32)


@numba.njit(cache=True, nogil=True)
def coarsen(plane, side, sums):
    """Give each square of `side` by `side` pixels its mean; sums : (W,) int32, scratch."""
    rows, columns = plane.shape
    whole = (1 << 24) // (side * side) + 1
    for top in range(0, rows, side):
        bottom = min(top + side, rows)
        for x in range(np.uint64(columns)):
            sums[x] = plane[np.uint64(top), x]
        for y in range(np.uint64(top + 1), np.uint64(bottom)):
            for x in range(np.uint64(columns)):
                sums[x] += np.int32(plane[y, x])
        for left in range(0, columns, side):
            right, total = min(left + side, columns), 0
            for x in range(np.uint64(left), np.uint64(right)):
                total += sums[x]
            # Divided by the area and rounded; a multiplication is faster.
            area = (bottom - top) * (right - left)
            mean = np.uint8((total + area // 2) * (whole if area == side * side else (1 << 24) // area + 1) >> 24)
            for x in range(np.uint64(left), np.uint64(right)):
                plane[np.uint64(top), x] = mean
        for y in range(np.uint64(top + 1), np.uint64(bottom)):
            for x in range(np.uint64(columns)):
                plane[y, x] = plane[np.uint64(top), x]


@numba.njit(cache=True, nogil=True)
def sharpen(plane, percent, soft, above, here, sums):
    """Add `percent` of the difference between a plane and its blurred copy.

    soft : as large as the plane, scratch; the others as in `blur`
    """
    for y in range(np.uint64(plane.shape[0])):
        for x in range(np.uint64(plane.shape[1])):
            soft[y, x] = plane[y, x]
    blur(soft, above, here, sums)
    amount = np.int32(percent * 256 // 100)
    for y in range(np.uint64(plane.shape[0])):
        for x in range(np.uint64(plane.shape[1])):
            value = np.int32(plane[y, x])
            edge = np.int32(np.int32(value - np.int32(soft[y, x])) * amount) >> np.int32(8)
            plane[y, x] = np.uint8(min(max(np.int32(value + edge), np.int32(0)), np.int32(255)))


@numba.njit(cache=True, nogil=True)
def print_levels(planes, levels):
    """Leave so many evenly spaced levels in all planes, in the pattern of a printed picture."""
    steps, unit = np.uint16(levels - 1), np.uint32((255 << 16) // (levels - 1) + 1)
    offsets = np.empty(planes.shape[2], np.uint16)
    for y in range(np.uint64(planes.shape[1])):
        for x in range(planes.shape[2]):
            offsets[x] = np.uint16(255 * (2 * _ORDER[y & np.uint64(3), x & 3] + 1) // 32)
        for c in range(np.uint64(planes.shape[0])):
            for x in range(np.uint64(planes.shape[2])):
                wanted = np.uint16(np.uint16(np.uint16(planes[c, y, x]) * steps) + offsets[x])
                # Divided by 255, rounded down.
                level = np.uint16(np.uint16(wanted + np.uint16(1)) + np.uint16(wanted >> np.uint16(8))) >> np.uint16(8)
                planes[c, y, x] = np.uint8(np.uint32(np.uint32(level) * unit) >> np.uint32(16))


def align(boxes: np.ndarray, sides: np.ndarray, sizes: np.ndarray) -> None:
    """Widen boxes (n, L, 4) to whole squares of `sides` (n,) pixels, within pictures of `sizes` (n, 2), in place."""
    there, side = boxes[..., 0] >= 0, sides[:, None]
    for edge in range(4):
        aligned = boxes[..., edge] // side * side if edge < 2 else -(-boxes[..., edge] // side) * side
        boxes[..., edge] = np.where(there, aligned.clip(0, sizes[:, edge % 2][:, None]), -1)

"""Letter segment -> the 20 x 20 picture that the network sees: one function, for training and for solving."""

import numba
import numpy as np

from tasks.segmentation import Segments

# Raised whenever the same segment gives another picture: a model refuses to read with other features than
# the ones it was trained on.
FEATURES = 1
SIDE = 20


def shape_letters(images: np.ndarray, segments: Segments) -> np.ndarray:
    """Each segment alone, stretched to 20 x 20.

    A segment's own pixels, and the faint ones below the threshold that touch it (by a side or a corner): without
    that edge a small letter is a staircase. Nothing of a neighbour, which a bounding-box crop of sheared letters
    would hold. Stretched axis by axis, by area average where it shrinks, else bilinear with half-pixel centres
    (scikit-image's ``resize(…, order=1, mode="edge")``); then divided by its maximum.

    Parameters
    ----------
    images : (n, H, W) uint8
        The pictures that were cut, 0 background to 255 ink.
    segments : Segments
        As `tasks.segmentation.cut` returns them.

    Returns
    -------
    (m, 20, 20) uint8
        One a segment, in their order; the brightest pixel of each is 255.

    Raises
    ------
    ValueError
        The segments are not those of pictures of this shape.
    """
    if images.shape != segments.labels.shape or images.dtype != np.uint8:
        raise ValueError(
            f"images: must be {segments.labels.shape} uint8, as the pictures that were cut; "
            f"it is {images.shape} {images.dtype}"
        )
    return _shape(images, segments.labels, segments.picture, segments.id, segments.box)


@numba.njit(cache=True, nogil=True)
def _shape(images, labels, picture, ids, box):
    rows, columns = images.shape[1:]
    first, count, weight = _taps(max(rows, columns))
    out = np.empty((len(picture), SIDE, SIDE), np.uint8)
    crop = np.empty((rows, columns), np.float32)
    near = np.empty((rows + 2, columns + 2), np.uint8)
    flat = np.empty((SIDE, columns), np.float32)
    square = np.empty((SIDE, SIDE), np.float32)
    for k in range(len(picture)):
        top, left, height, width = _lift(images[picture[k]], labels[picture[k]], ids[k], box[k], crop, near)
        for a in range(SIDE):
            start = top + first[height, a]
            for t in range(count[height, a]):
                share = weight[height, a, t]
                source = crop[start + t, left : left + width]
                for x in range(width):
                    flat[a, x] = share * source[x] + (flat[a, x] if t else np.float32(0))
        brightest = np.float32(0)
        for a in range(SIDE):
            for b in range(SIDE):
                value = np.float32(0)
                for t in range(count[width, b]):
                    value += weight[width, b, t] * flat[a, first[width, b] + t]
                square[a, b] = value
                brightest = max(brightest, value)
        stretch = np.float32(255) / brightest
        for a in range(SIDE):
            for b in range(SIDE):
                out[k, a, b] = np.uint8(min(square[a, b] * stretch + np.float32(0.5), np.float32(255)))
    return out


@numba.njit(cache=True, nogil=True)
def _lift(image, labels, own, box, crop, near):
    """Copy a segment with its faint edge into `crop`; returns the top, left, height and width that it takes there.

    `near` is room for (H + 2, W + 2) flags. Passes without branches: the compiler makes vectors of them.
    """
    rows, columns = image.shape
    first_row, first_column = max(box[0] - 1, 0), max(box[1] - 1, 0)
    height, width = min(box[2] + 1, rows) - first_row, min(box[3] + 1, columns) - first_column
    image = image[first_row : first_row + height, first_column : first_column + width]
    labels = labels[first_row : first_row + height, first_column : first_column + width]
    near[: height + 2, : width + 2] = 0
    for y in range(height):
        for x in range(width):
            mine = np.uint8(labels[y, x] == own)
            near[y, x + 1] |= mine
            near[y + 1, x + 1] |= mine
            near[y + 2, x + 1] |= mine
    top, left, bottom, right = height, width, 0, 0
    for y in range(height):
        brightest = np.uint8(0)
        for x in range(width):
            edge = (labels[y, x] == 0) & ((near[y + 1, x] | near[y + 1, x + 1] | near[y + 1, x + 2]) != 0)
            value = image[y, x] if (labels[y, x] == own) | edge else np.uint8(0)
            crop[y, x] = value
            brightest = max(brightest, value)
        if brightest > 0:
            top, bottom = min(top, y), y + 1
            for x in range(width):
                if crop[y, x] > 0:
                    left, right = min(left, x), max(right, x + 1)
    return top, left, bottom - top, right - left


@numba.njit(cache=True, nogil=True)
def _taps(longest):
    """For each length from 1: which source pixels (first, count), with what weights, make each of 20 pixels."""
    first = np.zeros((longest + 1, SIDE), np.int64)
    count = np.zeros((longest + 1, SIDE), np.int64)
    weight = np.zeros((longest + 1, SIDE, longest // SIDE + 3), np.float32)
    for length in range(1, longest + 1):
        step = length / SIDE
        for i in range(SIDE):
            if length > SIDE:
                low, high = i * step, (i + 1) * step
                start = int(low)
                stop = min(int(np.ceil(high)), length)
                for k in range(start, stop):
                    weight[length, i, k - start] = (min(high, k + 1) - max(low, k)) / step
            else:
                centre = min(max((i + 0.5) * step - 0.5, 0.0), length - 1.0)
                start = max(min(int(centre), length - 2), 0)
                stop = min(start + 2, length)
                weight[length, i, 0] = 1 - (centre - start)
                weight[length, i, 1] = centre - start
            first[length, i] = start
            count[length, i] = stop - start
    return first, count, weight

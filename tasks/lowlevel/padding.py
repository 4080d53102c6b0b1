"""Arrays as kernels take them: pictures of different sizes in one, each at the top left, and what is only read."""

from collections.abc import Callable, Iterable

import numpy as np


def stack_padded(
    pictures: Iterable[np.ndarray],
    count: int,
    height: int,
    width: int,
    pixel: tuple[int, ...] = (),
    around: Callable[[np.ndarray], np.ndarray] | None = None,
) -> np.ndarray:
    """Copy pictures into one array, with zeros at the right of each and below it, or with a pixel of its own.

    Parameters
    ----------
    pictures : iterable of (h, w, *pixel) uint8
        As many as `count`, none larger than the canvas. Each is copied before the next is asked for.
    height, width : int
        Of the canvas.
    pixel : tuple of int
        The shape of a pixel: none in grey, (3,) in colour.
    around : callable, optional
        Returns the pixel that fills the canvas around a picture.

    Returns
    -------
    (count, height, width, *pixel) uint8

    Raises
    ------
    ValueError
        A picture is larger than the canvas, or their number is not `count`.
    """
    images = np.zeros((count, height, width, *pixel), np.uint8)
    for image, picture in zip(images, pictures, strict=True):
        if around and image.shape != picture.shape:
            image[:] = around(picture)
        image[: picture.shape[0], : picture.shape[1]] = picture
    return images


def to_read(array: np.ndarray) -> np.ndarray:
    """Return a C-contiguous view that cannot be written to, and a copy only where the array is not contiguous.

    numba compiles a kernel anew for arrays that cannot be written to, as those over bytes and those of Pillow, and for
    those that are not contiguous. A kernel that only reads gets its arrays through this function, to be compiled once.
    """
    view = np.ascontiguousarray(array).view()
    view.setflags(write=False)
    return view

"""Picture files -> batches of pictures as they are seen, for the deep reader."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from tasks.loading.decode import MOST_SHAPES, PADDED_TO, decode_to_read
from tasks.loading.safe_read import BadPicture, read_file


class SeenGroup(NamedTuple):
    """Pictures on one canvas.

    indices : (k,) int64, ascending
    images : (k, h, w, 3) uint8, sRGB, each at the top left
    sizes : (k, 2) int64, rows and columns of each
    """

    indices: np.ndarray
    images: np.ndarray
    sizes: np.ndarray


def load_seen_batch(
    paths: Iterable[object], read: Callable[..., bytes] = read_file, notes: dict[int, str] | None = None
) -> tuple[list[SeenGroup], list[tuple[int, BadPicture]]]:
    """Load many picture files as they are seen, and stack pictures of equal shape.

    If more than 64 shapes occur, pictures are stacked on canvases of multiples of 16, so that the groups stay few and
    the reader's batches large.

    Parameters
    ----------
    read : callable
        Returns the bytes of an entry of `paths`, or raises `BadPicture`.
    notes : dict, optional
        Filled in with what is to be known of a picture, by its index.

    Returns
    -------
    groups : list of SeenGroup
    failures : list of (index, BadPicture)
        Every index is either in one group or here.
    """
    found: list[tuple[int, np.ndarray]] = []
    failures = []
    for index, path in enumerate(paths):
        try:
            picture, note = decode_to_read(read(path))
        except BadPicture as error:
            failures.append((index, error))
            continue
        found.append((index, picture))
        if note and notes is not None:
            notes[index] = note
    shapes = {picture.shape[:2] for _, picture in found}
    unit = 1 if len(shapes) <= MOST_SHAPES else PADDED_TO
    groups: dict[tuple[int, int], list[tuple[int, np.ndarray]]] = {}
    for index, picture in found:
        rows, columns = (-(-side // unit) * unit for side in picture.shape[:2])
        groups.setdefault((rows, columns), []).append((index, picture))
    return [_stacked(canvas, members) for canvas, members in groups.items()], failures


def _stacked(canvas: tuple[int, int], members: list[tuple[int, np.ndarray]]) -> SeenGroup:
    sizes = np.array([picture.shape[:2] for _, picture in members], np.int64)
    images = np.zeros((len(members), *canvas, 3), np.uint8)
    for image, (_, picture) in zip(images, members, strict=True):
        image[: picture.shape[0], : picture.shape[1]] = picture
    return SeenGroup(np.array([index for index, _ in members], np.int64), images, sizes)

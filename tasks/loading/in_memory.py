"""Pictures that a program has in memory, as the bytes of a picture file: so they are read as files are."""

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from tasks.loading.safe_read import BadPicture, read_file

Given = str | Path | bytes | Image.Image | np.ndarray
"""A picture: a file's path, a file's bytes, a Pillow image, or an array (H, W), (H, W, 3) or (H, W, 4) uint8."""


def picture_bytes(picture: Given) -> bytes:
    """Return a picture as the bytes of a file that `decode_picture` takes.

    Raises
    ------
    BadPicture
        A file that cannot be read, or an array of another shape or dtype.
    """
    if isinstance(picture, str | Path):
        return read_file(picture)
    if isinstance(picture, bytes):
        return picture
    if isinstance(picture, np.ndarray):
        channels = picture.shape[2:] if picture.ndim == 3 else ()
        if picture.dtype != np.uint8 or picture.ndim not in (2, 3) or channels not in ((), (3,), (4,)):
            raise BadPicture(
                f"an array must be (H, W), (H, W, 3) or (H, W, 4) uint8, not {picture.shape} {picture.dtype}"
            )
        if not picture.size:
            raise BadPicture(f"an array must have pixels, not {picture.shape}")
        picture = Image.fromarray(picture)
    if not isinstance(picture, Image.Image):
        raise BadPicture(f"must be a path, bytes, a Pillow image or an array, not {type(picture).__name__}")
    buffer = io.BytesIO()
    try:
        # TIFF has every mode of Pillow but a few, and is not compressed. Turned here, since Pillow would not keep the
        # orientation of another format.
        frames = getattr(picture, "n_frames", 1) > 1
        if frames:
            picture.save(buffer, "TIFF", save_all=True)
        else:
            ImageOps.exif_transpose(picture).save(buffer, "TIFF")
    except (OSError, ValueError, KeyError) as error:
        raise BadPicture(f"an image of mode {picture.mode} cannot be read ({error})") from error
    return buffer.getvalue()

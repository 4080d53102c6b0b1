"""What an owner's callable returns -> the text that it says it drew, and the bytes of a picture file."""

import base64
import binascii
import io
import os
import re
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tasks.audit.generators.processes.picture_files import NoPicture, too_large, whole_picture

PICTURES = ("image", "picture", "img", "png")  # attributes and keys of what holds both
TEXTS = ("text", "characters", "answer", "solution", "code", "label", "word", "value")
KEPT = frozenset({"1", "L", "LA", "P", "RGB", "RGBA", "I;16"})  # modes that PNG has; others become RGB
_DATA_URL = re.compile(r"data:image/[\w.+-]+;base64,", re.ASCII)
_LONGEST_TEXT = 200  # characters of what may be a text, and not a path or a page


def unpack(value: Any, pixels: int) -> tuple[str | None, bytes]:
    """Return the text that a returned value names, None if it names none, and the bytes of its picture.

    Raises
    ------
    NoPicture
    """
    text, picture = _parts(value)
    return None if text is None else str(text)[:_LONGEST_TEXT], picture_file(picture, pixels)


def _parts(value: Any) -> tuple[str | int | None, Any]:
    """Divide what was returned into a text and a picture, in either order, or by their names."""
    if isinstance(value, tuple | list) and len(value) == 2:
        first, second = value
        if _is_text(first) and not (_is_text(second) and not _is_picture_name(second)):
            return first, second
        if _is_text(second):
            return second, first
        long = next((one for one in value if isinstance(one, str) and not _is_text(one)), None)
        if long is not None:
            raise NoPicture("gave a text that cannot be used", f"it has {len(long):,} characters ({long[:20]}…)")
        raise NoPicture("returned no picture", f"a pair of {_kind(first)} and {_kind(second)}, not text and picture")
    if isinstance(value, Mapping):
        return _named(dict(value))
    if not isinstance(value, Image.Image | np.ndarray | bytes | str) and not hasattr(value, "getvalue"):
        held = _named({key: getattr(value, key, None) for key in PICTURES + TEXTS})
        if held[1] is not None and not callable(held[1]):
            return held
    return None, value


def _named(values: Mapping[str, Any]) -> tuple[str | int | None, Any]:
    """Find a picture and perhaps a text by their names."""
    picture, text = (
        next((found for key in keys if (found := values.get(key)) is not None), None) for keys in (PICTURES, TEXTS)
    )
    return (text if isinstance(text, str | int) else None), picture


def _is_text(value: Any) -> bool:
    """Return whether a value may be a text, also the number that answers a sum."""
    number = isinstance(value, int) and not isinstance(value, bool)
    return number or (isinstance(value, str) and len(value) <= _LONGEST_TEXT)


def _is_picture_name(value: str | int) -> bool:
    if isinstance(value, int):
        return False
    return bool(_DATA_URL.match(value)) or (Path(value).suffix != "" and Path(value).is_file())


def picture_file(value: Any, pixels: int) -> bytes:
    """Return a picture as the bytes of a file: as they are if they are a file's, else as PNG.

    Parameters
    ----------
    value : Pillow image, array, bytes, path, data: URL, file object, or what has `getvalue` or `save`
        Arrays are (h, w), (h, w, 1), (h, w, 3), (h, w, 4) or with the channels first: bool, 0 to 1 as floats, or
        0 to 255 as integers.
    pixels : int
        At most so many.

    Raises
    ------
    NoPicture
    """
    if isinstance(value, Image.Image):
        return _as_png(value, pixels)
    if isinstance(value, str | os.PathLike):
        return _from_name(value, pixels)
    if hasattr(value, "getvalue"):
        value = value.getvalue()
    elif hasattr(value, "read") and not isinstance(value, np.ndarray):
        value = value.read()
    if isinstance(value, bytes | bytearray | memoryview):
        return whole_picture(bytes(value), pixels)
    if isinstance(value, np.ndarray) or hasattr(value, "__array__"):
        return _as_png(_image_of(np.asarray(value)), pixels)
    if hasattr(value, "save"):
        buffer = io.BytesIO()
        value.save(buffer, "PNG")
        return whole_picture(buffer.getvalue(), pixels)
    raise NoPicture("returned no picture", _kind(value))


def _from_name(value: str | os.PathLike[str], pixels: int) -> bytes:
    if isinstance(value, str) and (start := _DATA_URL.match(value)):
        try:
            data = base64.b64decode(value[start.end() :], validate=True)
        except binascii.Error as error:
            raise NoPicture("gave a damaged picture", f"a data: URL that is not base64 ({error})") from error
    else:
        try:
            data = Path(value).read_bytes()
        except (OSError, ValueError) as error:
            shown = str(value)[:80]
            raise NoPicture("returned no picture", f"the text {shown!r}, which is no file that can be read") from error
    return whole_picture(data, pixels)


def _as_png(image: Image.Image, pixels: int) -> bytes:
    width, height = image.size
    if width * height > pixels:
        raise NoPicture(too_large(pixels), f"{width} x {height} pixels")
    if not width * height:
        raise NoPicture("returned no picture", f"an image of {width} x {height} pixels")
    if image.mode not in KEPT:
        image = image.convert("RGBA" if image.mode in ("PA", "RGBa") else "RGB")
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _image_of(array: np.ndarray) -> Image.Image:
    """Return an array as an image, or say why it is none."""
    if array.ndim == 3 and array.shape[2] not in (1, 3, 4) and array.shape[0] in (1, 3, 4):
        array = np.moveaxis(array, 0, 2)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)) or not array.size:
        raise NoPicture("returned no picture", f"an array of shape {array.shape}")
    if array.dtype == bool:
        return Image.fromarray(array.astype(np.uint8) * np.uint8(255))
    kind = array.dtype.kind
    if kind not in "fiu":
        raise NoPicture("returned no picture", f"an array of {array.dtype}")
    low, high = array.min(), array.max()
    if not (low >= 0 and high <= (1 if kind == "f" else 255)):  # written so that NaN is refused too
        raise NoPicture(
            "returned no picture",
            f"an array of {array.dtype} with {low:g} to {high:g}; floats must be 0 to 1, integers 0 to 255",
        )
    return Image.fromarray((array * 255).round().astype(np.uint8) if kind == "f" else array.astype(np.uint8))


def _kind(value: Any) -> str:
    if value is None:
        return "nothing (None)"
    hint = "; write asyncio.run(…) around it" if hasattr(value, "__await__") else ""
    if isinstance(value, Generator):
        hint = "; it yields: return a picture instead"
    return f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.") + hint

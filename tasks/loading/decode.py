"""Picture files of any common kind -> pictures as the reader takes them: uint8, 0 background to 255 ink.

A file that cannot be read never ends a run: for every fault `load_picture` raises `BadPicture`, with the reason.
"""

import io
import re
import threading
import warnings
from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from tasks.loading.ground import even_ground
from tasks.loading.plain_png import decode_plain
from tasks.loading.polarity import BRIGHT, DARK, LEFT_OPEN, background, ink_of
from tasks.loading.safe_read import BadPicture, Unreadable, read_file
from tasks.loading.structure import (
    both_inks, even_strength, faint_columns, has_faint_letters, letters_alone,
)  # fmt: skip
from tasks.lowlevel.padding import stack_padded

LOADER = 1  # raised whenever the same file gives other pixels; part of an imported dataset's identity
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF")
MOST_PIXELS = 16_000_000
LONGEST_SIDE = 640
LEAST_CONTRAST = 8  # levels of 255 between the darkest and the brightest pixel
MOST_SHAPES = 64  # if a batch has more, its pictures are padded
PADDED_TO = 16

# Pillow warns about odd files. `catch_warnings` replaces a list of the whole process, which two threads at once would
# leave wrong; hence the lock. Processes decode in parallel, threads do not.
_QUIET = threading.Lock()

# The turn that makes a picture upright, by its EXIF orientation; 1 is upright.
_TURNS: dict[object, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip
_LUMA = (19595, 38470, 7471)  # ITU-R 601 in 1/65536, Pillow's own weights: grey colours keep their level


class Invert(StrEnum):
    """The side of the ink: dark ink on a light ground (`yes`), light on dark (`no`), or found out for each (`auto`)."""

    AUTO = "auto"
    YES = "yes"
    NO = "no"


_SIDES = {Invert.AUTO: LEFT_OPEN, Invert.YES: DARK, Invert.NO: BRIGHT}


def load_picture(path: Path | str) -> np.ndarray:
    """Load a picture file as ink on an empty background.

    *Format*: PNG, JPEG, GIF, BMP, WebP or TIFF, recognised by content, in any colour mode. Of several frames the
    first is read. A picture with an EXIF orientation is turned, as viewers turn it. A picture with a side over 640
    pixels is shrunk until that side has 640 (area average), since the reader was trained on letters 10 to 30 pixels
    high.

    *Transparency*: transparent parts are filled with black or white, whichever contrasts more with the opaque part.
    If the opaque part covers most of the picture and has contrast of its own, they get its median colour.

    *Colour*: colours become luma. If that would lose more than half of the contrast, they become the largest distance
    from the background in any channel.

    *Ink*: the background is the median of the outermost pixels. Ink is the distance from it to the darker or the
    brighter side: the side that reaches four times as far as the other, else the side with the larger sum of squares.
    It is stretched so that the strongest pixel is 255. So `image`, `255 - image` and their lossless copies all load
    as `image`, if its border is mostly 0 and its maximum is 255.

    Returns
    -------
    (h, w) uint8
        0 background to 255 ink, at least one pixel of each.

    Raises
    ------
    BadPicture
        The file cannot be read; it has over 32 MB or 16 megapixels (then nothing is decoded); it is not in one of
        these formats; it is damaged or cut off; or it is blank (contrast under 8 of 255 levels).
    """
    return decode_picture(read_file(path))


def decode_picture(data: bytes, invert: Invert = Invert.AUTO) -> np.ndarray:
    """Decode the bytes of a picture file, as `load_picture` does.

    Parameters
    ----------
    invert : Invert
        `yes` takes the side darker than the background for ink, `no` the brighter side, both by luma; `auto` decides
        as `load_picture` describes.

    Raises
    ------
    BadPicture
    """
    pixels = decode_plain(data, LONGEST_SIDE)
    if pixels is None:
        pixels = _decoded(data)
    if pixels.ndim == 3:
        pixels = _filled(pixels)
        if invert is Invert.AUTO:
            return _coloured_ink(pixels)
        pixels = _luma(pixels)
    return _ink(pixels, invert)


def load_batch(
    paths: Iterable[object], read: Callable[..., bytes] = read_file
) -> tuple[list[tuple[np.ndarray, np.ndarray]], list[tuple[int, BadPicture]]]:
    """Load many picture files, and stack pictures of equal shape.

    If more than 64 shapes occur, pictures are padded with zeros at the right and at the bottom to multiples of 16, so
    that the groups stay few and the reader's batches large.

    Parameters
    ----------
    read : callable
        Returns the bytes of an entry of `paths`, or raises `BadPicture`.

    Returns
    -------
    groups : list of (indices (k,) int64, images (k, h, w) uint8)
        `indices` point into `paths` and ascend. A picture takes at most 0.41 MB, twice that while stacking.
    failures : list of (index, BadPicture)
        Every index is either in one group or here.
    """
    by_shape: dict[tuple[int, int], list[tuple[int, np.ndarray]]] = {}
    failures = []
    for index, path in enumerate(paths):
        try:
            picture = decode_picture(read(path))
        except BadPicture as error:
            failures.append((index, error))
        else:
            height, width = picture.shape
            by_shape.setdefault((height, width), []).append((index, picture))
    if len(by_shape) > MOST_SHAPES:
        padded: dict[tuple[int, int], list[tuple[int, np.ndarray]]] = {}
        for (height, width), members in by_shape.items():
            canvas = -(-height // PADDED_TO) * PADDED_TO, -(-width // PADDED_TO) * PADDED_TO
            padded.setdefault(canvas, []).extend(members)
        by_shape = {shape: sorted(members, key=lambda member: member[0]) for shape, members in padded.items()}
    groups = []
    for shape, members in by_shape.items():
        images = stack_padded((picture for _, picture in members), len(members), *shape)
        groups.append((np.array([index for index, _ in members], np.int64), images))
    return groups, failures


def _decoded(data: bytes) -> np.ndarray:
    """Decode a file with Pillow into (h, w), (h, w, 3) or (h, w, 4) uint8, no side over 640.

    libtiff writes its complaints about a damaged TIFF to standard error itself; they cannot be caught here.
    """
    try:
        with (
            _QUIET,
            warnings.catch_warnings(action="ignore"),
            Image.open(io.BytesIO(data), formats=FORMATS) as image,
        ):
            width, height = image.size
            if width * height > MOST_PIXELS:
                raise BadPicture(
                    f"{width} x {height} = {width * height:,} pixels; at most {MOST_PIXELS:,} are read: "
                    "make the picture smaller"
                )
            return _pixels(image)
    except BadPicture:
        raise
    except Image.DecompressionBombError as error:  # Pillow refuses before it tells the size
        found = re.search(r"(\d+) pixels", str(error))
        count = f"{int(found[1]):,} pixels" if found else "too many pixels"
        raise BadPicture(f"{count}; at most {MOST_PIXELS:,} are read: make the picture smaller") from error
    except UnidentifiedImageError as error:
        raise BadPicture(
            "no picture: not PNG, JPEG, GIF, BMP, WebP or TIFF, or the file's beginning is damaged"
        ) from error
    except MemoryError as error:
        raise Unreadable("its decoding asks for more memory than there is") from error
    except Exception as error:  # decoders raise all kinds of errors; the message keeps the reason
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise BadPicture(f"damaged or cut off: {said}") from error


def _pixels(image: Image.Image) -> np.ndarray:
    image.load()
    turn = _turn(image)
    mode = image.mode
    if mode.startswith(("I", "F")):
        image = Image.fromarray(_levels(np.asarray(image)))
    elif image.has_transparency_data:
        image = image.convert("RGBA")
    elif mode == "1":
        image = image.convert("L")
    elif mode == "LAB":  # Pillow cannot convert it; its first channel is lightness
        image = image.getchannel(0)
    elif mode not in {"L", "RGB"}:
        image = image.convert("RGB")
    longest = max(image.size)
    if longest > LONGEST_SIDE:
        width, height = (max(1, round(side * LONGEST_SIDE / longest)) for side in image.size)
        image = image.resize((width, height), Image.Resampling.BOX)
    if turn is not None:
        image = image.transpose(turn)
    shape = (image.height, image.width, len(image.getbands()))
    return np.frombuffer(image.tobytes(), np.uint8).reshape(shape[:2] if shape[2] == 1 else shape)


def _turn(image: Image.Image) -> Image.Transpose | None:
    """Return how a loaded picture is turned upright by its metadata; None for none, and for metadata that is damaged.

    Pillow turns TIFF files itself as it loads them, and takes the orientation away.
    """
    try:
        return _TURNS.get(image.getexif().get(ExifTags.Base.Orientation))
    except Exception:  # noqa: BLE001 - whatever is wrong with the metadata, the pixels are there
        return None


def _levels(values: np.ndarray) -> np.ndarray:
    """Stretch integers of 16 or 32 bits, or floats, over 0 to 255."""
    low, high = float(values.min()), float(values.max())
    span = high - low
    if not np.isfinite(span):
        raise BadPicture("it holds values that are no finite numbers")
    largest = max(abs(low), abs(high))
    white = next((white for white in (1.0, 255.0, 65535.0) if largest <= white), largest)
    _refuse_blank(span / white * 255)
    levels = values.astype(np.float64)
    levels -= low
    levels *= 255
    levels /= span
    return np.rint(levels, out=levels).astype(np.uint8)


def _filled(pixels: np.ndarray) -> np.ndarray:
    """Fill transparent parts so that the opaque part stands out: (h, w, 3 or 4) -> (h, w, 3)."""
    if pixels.shape[2] == 3:
        return pixels
    colour, alpha = pixels[..., :3], pixels[..., 3]
    most = int(alpha.max())
    if most == 0:
        raise BadPicture("blank: every pixel is transparent")
    if alpha.min() == 255:
        return colour
    drawn = alpha >= (most + 1) // 2
    tones = _luma(colour)[drawn]
    if 2 * tones.size > drawn.size and int(tones.max()) - int(tones.min()) >= 64:
        fill = np.median(colour[drawn], axis=0).astype(np.int32)  # a card with margins around it
    else:
        fill = np.int32(0 if np.median(tones) > 127 else 255)
    cover = alpha[..., None].astype(np.int32)
    filled: np.ndarray = ((colour * cover + fill * (255 - cover) + 127) // 255).astype(np.uint8)
    return filled


def _grey(colour: np.ndarray) -> np.ndarray:
    """Turn colours into levels of grey, (h, w, 3) -> (h, w) uint8."""
    red, green, blue = (np.ascontiguousarray(colour[..., k]) for k in range(3))
    if np.array_equal(red, green) and np.array_equal(red, blue):
        return red
    luma = _luma(colour)
    contrast = int(_apart(luma).max())
    distance = _distance(colour)
    return distance if int(distance.max()) > 2 * contrast else luma


def _coloured_ink(colour: np.ndarray) -> np.ndarray:
    """Return the ink of a picture in colours; of letters in several colours, by the measure that shows them all."""
    grey = _grey(colour)
    ink = _ink(grey, Invert.AUTO, last=False)
    if has_faint_letters(ink):
        distance = _distance(colour)
        other = _ink(distance, Invert.AUTO, last=False) if distance.max() >= LEAST_CONTRAST else ink
        if faint_columns(other) < faint_columns(ink):
            ink = other
    return even_strength(ink)


def _luma(colour: np.ndarray) -> np.ndarray:
    wide = colour.astype(np.int32)
    total = wide[..., 0] * _LUMA[0] + wide[..., 1] * _LUMA[1] + wide[..., 2] * _LUMA[2]
    luma: np.ndarray = ((total + (1 << 15)) >> 16).astype(np.uint8)
    return luma


def _apart(channel: np.ndarray) -> np.ndarray:
    ground = background(channel)
    distance: np.ndarray = np.maximum(channel, ground) - np.minimum(channel, ground)
    return distance


def _distance(colour: np.ndarray) -> np.ndarray:
    """Return the largest distance from the background in any channel, (h, w, 3) -> (h, w) uint8."""
    red, green, blue = (_apart(np.ascontiguousarray(colour[..., k])) for k in range(3))
    distance: np.ndarray = np.maximum(np.maximum(red, green), blue)
    return distance


def _ink(grey: np.ndarray, invert: Invert, *, last: bool = True) -> np.ndarray:
    """Return the ink of a grey picture; `last`: faint letters get full strength."""
    grey, ground = even_ground(grey)
    ink, contrast, strongest, dark = ink_of(grey, _SIDES[invert], ground)
    _refuse_blank(contrast)
    if strongest < LEAST_CONTRAST and invert is not Invert.AUTO:
        raise BadPicture(f"blank: less than {LEAST_CONTRAST} levels {'below' if dark else 'above'} the background")
    if invert is Invert.AUTO:
        ink = both_inks(grey, ink, ground, dark)
    ink = letters_alone(ink)
    return even_strength(ink) if last else ink


def _refuse_blank(contrast: float) -> None:
    if contrast < LEAST_CONTRAST:
        raise BadPicture(
            f"blank: the darkest and the brightest pixel are {contrast:.3g} of 255 levels apart, "
            f"at least {LEAST_CONTRAST} are needed"
        )

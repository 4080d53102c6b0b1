"""Picture files of any kind -> pictures as the reader takes them, 0 background to 255 ink, or as people see them.

A file that cannot be read never ends a run: for every fault `load_picture` raises `BadPicture`, with the reason.
"""

from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path

import numpy as np

from tasks.loading.colour_ink import ink_of_colours, ink_of_levels
from tasks.loading.colours.brightness import filled, luma
from tasks.loading.colours.seen import as_seen
from tasks.loading.frames import LONGEST_SIDE, MOST_FRAMES, Frames, choose_frame, decode_frames, refuse_blank
from tasks.loading.parts import signs_of
from tasks.loading.plain_png import decode_plain
from tasks.loading.polarity import BRIGHT, DARK, LEFT_OPEN
from tasks.loading.safe_read import BadPicture, read_file
from tasks.loading.structure import legible
from tasks.lowlevel.padding import stack_padded

LOADER = 4  # raised whenever the same file gives other ink; part of an imported dataset's identity
SEEN = 2  # the same for pictures as they are seen
MOST_SHAPES = 64  # if a batch has more, its pictures are padded
PADDED_TO = 16


class Invert(StrEnum):
    """The side of the ink: dark ink on a light ground (`yes`), light on dark (`no`), or found out for each (`auto`)."""

    AUTO = "auto"
    YES = "yes"
    NO = "no"


class Colour(StrEnum):
    """Whether pictures keep their colours (`keep`), become ink (`grey`), or keep them if any has a colour (`auto`)."""

    AUTO = "auto"
    KEEP = "keep"
    GREY = "grey"


_SIDES = {Invert.AUTO: LEFT_OPEN, Invert.YES: DARK, Invert.NO: BRIGHT}


def load_picture(path: Path | str) -> np.ndarray:
    """Load a picture file as ink on an empty background.

    *Format*: PNG, JPEG, GIF, BMP, WebP or TIFF, recognised by content, in any colour mode. Of several frames the
    fullest is read, together with frames that have letters which it lacks; of pages of several sizes the first, or a
    larger one of which it is a thumbnail. A picture with an EXIF orientation is
    turned, as viewers turn it. A picture with a side over 640 pixels is shrunk until that side has 640 (area average),
    since the reader was trained on letters 10 to 30 pixels high. If 16 bits or floats hold few levels, these are
    stretched.

    *Transparency*: transparent parts are filled with black or white, whichever contrasts more with the opaque part.
    If the opaque part covers most of the picture and has contrast of its own, they get its median colour.

    *Colour*: a picture in colours is read as `tasks.loading.colour_ink` reads datasets in colour; what follows is for
    grey pictures and pictures of one hue.

    *Ground*: the background is the median of the outermost pixels, or the most frequent level of the middle if a frame,
    margins or letters cover the border. Parts that are inverted are inverted back (`tasks.loading.ground`).

    *Ink*: ink is the distance from the background to the darker or the brighter side: the side that reaches four times
    as far as the other, else the side with the larger sum of squares. It is stretched so that the strongest pixel is
    255. Letters on the other side are added. Frames, rules, grids and dots are taken away, and faint letters get full
    strength (`tasks.loading.structure`). So `image`, `255 - image` and their lossless copies all load as `image`, if
    its border is mostly 0, its maximum is 255, and it holds only letters of equal strength.

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
    return decode_noted(data, invert)[0]


def decode_noted(data: bytes, invert: Invert = Invert.AUTO) -> tuple[np.ndarray, str]:
    """Decode a picture file as `decode_picture` does; return the ink, and which frames it is from if not the first.

    Raises
    ------
    BadPicture
    """
    pixels = decode_plain(data, LONGEST_SIDE)
    if pixels is not None:
        return _ink_of(pixels, invert), ""
    frames = decode_frames(data)
    if len(frames.pixels) == 1:
        return _ink_of(frames.pixels[0], invert), _told_frames([frames.page], frames.count)
    return _of_frames(frames, invert)


def _of_frames(frames: Frames, invert: Invert) -> tuple[np.ndarray, str]:
    """Return the ink of several frames, and which of them it is from."""
    inks, reasons = _inks_of(frames.pixels, invert)
    if len(reasons) == len(inks):
        raise reasons[0]
    chosen = choose_frame(inks)
    ink: np.ndarray = np.maximum.reduce([own for k in chosen if (own := inks[k]) is not None])
    return ink, _told_frames(chosen, frames.count)


def _inks_of(frames: list[np.ndarray], invert: Invert) -> tuple[list[np.ndarray | None], list[BadPicture]]:
    """Return the ink of each frame, None for a frame that has none, and why."""
    inks: list[np.ndarray | None] = []
    reasons = []
    for pixels in frames:
        try:
            inks.append(_ink_of(pixels, invert))
        except BadPicture as error:
            inks.append(None)
            reasons.append(error)
    return inks, reasons


def decode_seen(data: bytes) -> np.ndarray:
    """Decode a picture file as a browser shows it; of several frames the fullest, with letters that it lacks.

    A picture that is transparent is laid on white, or on black if all its ink is light. A picture with a side over 640
    pixels is shrunk; it is turned as its EXIF orientation says.

    Returns
    -------
    (h, w, 3) uint8
        sRGB.

    Raises
    ------
    BadPicture
    """
    return _decode_seen(data, as_shown=True)[0]


def decode_to_read(data: bytes) -> tuple[np.ndarray, str]:
    """Decode a picture file as `decode_seen` does, for reading: levels of 16 bits are stretched, as they are for ink.

    Also returns which frames the picture is from, if not the first.

    Raises
    ------
    BadPicture
    """
    return _decode_seen(data, as_shown=False)


def _decode_seen(data: bytes, as_shown: bool) -> tuple[np.ndarray, str]:
    pixels = decode_plain(data, LONGEST_SIDE)
    frames = Frames([pixels]) if pixels is not None else decode_frames(data, as_shown)
    if len(frames.pixels) == 1:
        seen, note = as_seen(frames.pixels[0]), _told_frames([frames.page], frames.count)
    else:
        seen, note = _seen_of_frames(frames)
    refuse_blank(_spread(seen))
    return seen, note


def _spread(seen: np.ndarray) -> int:
    """Return by how much the levels of a channel of (H, W, 3) uint8 differ at most: row by row, not pixel by pixel."""
    rows = seen.reshape(len(seen), -1)
    high, low = rows.max(axis=0).reshape(-1, 3).max(axis=0), rows.min(axis=0).reshape(-1, 3).min(axis=0)
    return int((high - low).max())


def _seen_of_frames(frames: Frames) -> tuple[np.ndarray, str]:
    """Return the fullest frame as it is seen, with the letters of other frames that it lacks; and which they are."""
    inks, reasons = _inks_of(frames.pixels, Invert.AUTO)
    if len(reasons) == len(inks):
        raise reasons[0]
    chosen = choose_frame(inks)
    there = {k: ink for k in chosen if (ink := inks[k]) is not None}
    first, *others = sorted(there, key=lambda k: -int(there[k].sum(dtype=np.int64)))
    seen = as_seen(frames.pixels[first]).copy()
    for k in others:
        more = there[k] > there[first]
        seen[more] = as_seen(frames.pixels[k])[more]
    return seen, _told_frames(chosen, frames.count)


def _told_frames(chosen: list[int], count: int) -> str:
    numbers = ", ".join(str(k + 1) for k in chosen)
    whole = f"more than {MOST_FRAMES}" if count > MOST_FRAMES else str(count)
    return "" if chosen == [0] else f"read from frame{'s' * (len(chosen) > 1)} {numbers} of {whole}"


def _ink_of(pixels: np.ndarray, invert: Invert) -> np.ndarray:
    if pixels.ndim == 3:
        pixels = filled(pixels)
        if invert is Invert.AUTO:
            return ink_of_colours(pixels)
        pixels = luma(pixels)
    return ink_of_levels(pixels, _SIDES[invert])


def load_batch(
    paths: Iterable[object], read: Callable[..., bytes] = read_file, notes: dict[int, str] | None = None
) -> tuple[list[tuple[np.ndarray, np.ndarray]], list[tuple[int, BadPicture]]]:
    """Load many picture files for reading, and stack pictures of equal shape.

    Unlike `load_picture` it enlarges tiny letters, and gives a margin to a picture whose border letters touch.
    If more than 64 shapes occur, pictures are padded with zeros at the right and at the bottom to multiples of 16, so
    that the groups stay few and the reader's batches large.

    Parameters
    ----------
    read : callable
        Returns the bytes of an entry of `paths`, or raises `BadPicture`.
    notes : dict, optional
        Filled in with what is to be known of a picture, by its index: which of several frames it is from.

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
            picture, note = decode_noted(read(path))
        except BadPicture as error:
            failures.append((index, error))
        else:
            picture = legible(picture, signs_of(picture).touched)
            height, width = picture.shape
            by_shape.setdefault((height, width), []).append((index, picture))
            if note and notes is not None:
                notes[index] = note
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

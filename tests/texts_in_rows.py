"""Draw texts in two or three rows, alone or among lines and dots."""

import io
from collections.abc import Callable
from functools import partial
from itertools import accumulate, pairwise
from typing import Any

from PIL import Image

from tests.scattered_texts import laid_out, make_kind
from tests.strangers import Kind, Plate, png


def _rows(plate: Plate, counts: tuple[int, ...], gap: float = 0.4, indent: float = 0.5) -> list[Image.Image]:
    """Return the letters' masks in rows of so many letters, `gap` of their height apart.

    `indent`: 0 if rows begin at the same column, 0.5 if they have the same middle.
    """
    letters = [mask.crop(mask.getbbox()) for mask in plate.masks]
    tall = max(letter.height for letter in letters)
    pitch = round((1 + gap) * tall)
    y, masks = (plate.size[1] - pitch * (len(counts) - 1) - tall) // 2, []
    ends = list(accumulate(counts, initial=0))
    rows = [letters[first:end] for first, end in pairwise(ends)]
    wide = [sum(letter.width + 4 for letter in row) - 4 for row in rows]
    for row, own in zip(rows, wide, strict=True):
        x = (plate.size[0] - max(wide)) // 2 + round(indent * (max(wide) - own))
        for letter in row:
            masks.append(Image.new("L", plate.size))
            masks[-1].paste(letter, (x, y + tall - letter.height))
            x += letter.width + 4
        y += pitch
    return masks


def _slanting(plate: Plate, counts: tuple[int, ...]) -> list[Image.Image]:
    """Return the masks of rows that slant by up to six degrees."""
    degrees = plate.chance.uniform(-6, 6)
    return [mask.rotate(degrees, Image.Resampling.BICUBIC) for mask in _rows(plate, counts, gap=0.6)]


def _kind(place: Callable[[Plate], list[Image.Image]], size: tuple[int, int], letters: int, **more: Any) -> Kind:
    """Draw a text that would fit into one row of a wider picture, and cut this to (width, height) pixels."""
    make = make_kind(place=place, **more)

    def cut(plate: Plate) -> bytes:
        image = Image.open(io.BytesIO(make(plate)))
        left = (image.width - size[0]) // 2
        return png(image.crop((left, 0, left + size[0], size[1])))

    return laid_out(cut, (60 + 36 * letters, size[1]), 30, letters)


def _of(*counts: int, **more: float) -> Callable[[Plate], list[Image.Image]]:
    return partial(_rows, counts=counts, **more)


IN_ROWS = {
    "rows-equal": _kind(_of(3, 3), (130, 90), 6),
    "rows-shorter": _kind(_of(4, 2, indent=0.0), (150, 90), 6),
    "rows-longer": _kind(_of(2, 3, gap=0.8), (120, 100), 5),
    "rows-close": _kind(_of(3, 4, gap=0.15), (150, 80), 7),
    "rows-three": _kind(_of(2, 2, 2), (90, 130), 6),
    "rows-light": _kind(_of(4, 4), (160, 100), 8, light=True),
    "rows-dots": _kind(_of(3, 3), (130, 90), 6, dots=0.02),
    "rows-lines": _kind(_of(3, 3), (130, 90), 6, lines=3),
    "rows-colours": _kind(_of(3, 3), (130, 90), 6, colours=True),
    "rows-slanting": _kind(partial(_slanting, counts=(3, 3)), (140, 120), 6),
}


def _upright(plate: Plate, gap: float) -> list[Image.Image]:
    """Return the letters' masks below each other in the middle of the picture, `gap` of their height apart."""
    letters = [mask.crop(mask.getbbox()) for mask in plate.masks]
    between = max(2, round(gap * max(letter.height for letter in letters)))
    y, masks = (plate.size[1] - sum(letter.height + between for letter in letters) + between) // 2, []
    for letter in letters:
        masks.append(Image.new("L", plate.size))
        masks[-1].paste(letter, ((plate.size[0] - letter.width) // 2, y))
        y += letter.height + between
    return masks


def _column(gap: float, **more: Any) -> Kind:
    """Draw letters below each other, and cut the picture to (60, 220) pixels."""
    return _kind(partial(_upright, gap=gap), (60, 220), 5, **more)


def _on_its_side(degrees: int, **more: Any) -> Kind:
    """Draw a text, and turn it."""
    make = make_kind(place=_of(5), **more)

    def turned(plate: Plate) -> bytes:
        return png(Image.open(io.BytesIO(make(plate))).rotate(degrees, expand=True))

    return laid_out(turned, (180, 54), 32, 5)


IN_COLUMNS = {
    "column": _column(0.35), "column-close": _column(0.08), "column-light": _column(0.3, light=True),
    "column-lines": _column(0.3, lines=3), "column-dots": _column(0.3, dots=0.02),
    "side-left": _on_its_side(90), "side-right": _on_its_side(-90), "side-lines": _on_its_side(90, lines=3),
    "side-light": _on_its_side(-90, light=True),
}  # fmt: skip

"""Draw texts around circles, leaning far, or with a caption, and pictures that were tampered with as a whole."""

import io
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tests.scattered_texts import laid_out, make_kind
from tests.strangers import FACES, FONTS, Kind, Plate, png
from tests.textured_texts import TEXTURED


def _around(plate: Plate, first: float, step: float, middle: float, outwards: bool = True) -> list[Image.Image]:
    """Return the letters' masks on a circle: so many degrees from the top, and from letter to letter, clockwise.

    The circle's middle is at so much of the picture's height. Letters' heads point away from it, or towards it.
    """
    letters = [mask.crop(mask.getbbox()) for mask in plate.masks]
    side = max(max(letter.size) for letter in letters)
    radius = 0.7 * side / math.sin(math.radians(abs(step)) / 2)
    (width, height), masks = plate.size, []
    for k, letter in enumerate(letters):
        degrees = first + k * step
        cell = Image.new("L", (2 * side, 2 * side))
        cell.paste(letter, (side - letter.width // 2, side - letter.height // 2))
        cell = cell.rotate(-degrees + 180 * (not outwards), Image.Resampling.BICUBIC)
        x = width / 2 + radius * math.sin(math.radians(degrees)) - side
        y = middle * height - radius * math.cos(math.radians(degrees)) - side
        masks.append(Image.new("L", plate.size))
        masks[-1].paste(cell, (round(x), round(y)))
    return masks


def _upper(**more: Any) -> Kind:
    place = partial(_around, first=-64, step=32, middle=0.75)
    return laid_out(make_kind(place=place, **more), (190, 130), 30, 5)


def _lower(**more: Any) -> Kind:
    place = partial(_around, first=244, step=-32, middle=0.25, outwards=False)
    return laid_out(make_kind(place=place, **more), (190, 130), 30, 5)


def _ring(**more: Any) -> Kind:
    place = partial(_around, first=0, step=60, middle=0.5)
    return laid_out(make_kind(place=place, **more), (180, 180), 28, 6)


ON_CIRCLES = {
    "arc-upper": _upper(), "arc-lower": _lower(), "arc-light": _upper(light=True), "arc-dots": _upper(dots=0.01),
    "ring": _ring(), "ring-colours": _ring(colours=True),
}  # fmt: skip


def _whole(change: Callable[[Plate, Image.Image], Image.Image], **more: Any) -> Kind:
    """Draw a text, and change its picture as a whole."""
    make = make_kind(place=lambda plate: plate.masks, **more)

    def changed(plate: Plate) -> bytes:
        return png(change(plate, Image.open(io.BytesIO(make(plate))).convert("RGB")))

    return laid_out(changed, (180, 54), 30, 5)


def _leaning(plate: Plate, image: Image.Image, shear: float) -> Image.Image:
    size = image.width + round(abs(shear) * image.height), image.height
    coefficients = 1, shear, -max(shear, 0) * image.height, 0, 1, 0
    ground = image.getpixel((0, 0))
    return image.transform(size, Image.Transform.AFFINE, coefficients, Image.Resampling.BICUBIC, fillcolor=ground)


LEANING = {
    "leaning-far": _whole(partial(_leaning, shear=1.3)), "leaning-back": _whole(partial(_leaning, shear=-1.2)),
    "leaning-light": _whole(partial(_leaning, shear=1.1), light=True),
}  # fmt: skip


def _captioned(plate: Plate, image: Image.Image, above: bool = False) -> Image.Image:
    """A web address or a name of a third of the letters' size."""
    words = plate.chance.choice(("example.com", "www.captcha.net", "Powered by Foo", "SiteName"))
    colours = image.getcolors(1 << 16) or []
    ink = min((colour for _, colour in colours), key=lambda colour: sum(colour))
    out = Image.new("RGB", (image.width, image.height + 12), image.getpixel((0, 0)))
    out.paste(image, (0, 12 * above))
    font = ImageFont.truetype(FONTS / FACES[0], plate.chance.randint(9, 11))
    brush = ImageDraw.Draw(out)
    brush.text((plate.chance.randint(2, 60), 2 if above else image.height - 4), words, font=font, fill=ink)
    return out


CAPTIONED = {"caption-below": _whole(_captioned), "caption-above": _whole(partial(_captioned, above=True))}


def _in_squares(plate: Plate, image: Image.Image, strips: bool = False) -> Image.Image:
    """Every other square, or every other strip of columns, is inverted."""
    seen, side = np.array(image), plate.chance.randint(14, 24)
    down, across = np.indices(seen.shape[:2]) // side
    inverted = (across if strips else down + across) % 2 == 1
    seen[inverted] = 255 - seen[inverted]
    return Image.fromarray(seen)


def _fringed(plate: Plate, image: Image.Image) -> Image.Image:
    """Red and blue are moved to both sides."""
    seen, far = np.array(image), plate.chance.randint(3, 6)
    return Image.fromarray(np.stack([np.roll(seen[:, :, c], (c - 1) * far, 1) for c in range(3)], axis=2))


def _sliced(plate: Plate, image: Image.Image) -> Image.Image:
    """Strips of 5 to 9 rows are moved by up to 4 pixels to either side."""
    seen, high = np.array(image), plate.chance.randint(5, 9)
    for y in range(0, len(seen), high):
        seen[y : y + high] = np.roll(seen[y : y + high], plate.chance.randint(-4, 4), 1)
    return Image.fromarray(seen)


def _barred(plate: Plate, image: Image.Image) -> Image.Image:
    """Two level bars of the ground's colour, of 2 to 4 rows."""
    brush = ImageDraw.Draw(image)
    for top in (16, 27):
        y = top + plate.chance.randint(0, 7)
        brush.rectangle((0, y, image.width, y + plate.chance.randint(1, 3)), fill=image.getpixel((0, 0)))
    return image


TAMPERED = {
    "inverted-squares": _whole(_in_squares), "inverted-strips": _whole(partial(_in_squares, strips=True)),
    "fringes": _whole(_fringed), "fringes-light": _whole(_fringed, light=True),
    "sliced": _whole(_sliced), "sliced-light": _whole(_sliced, light=True),
    "barred": _whole(_barred), "barred-light": _whole(_barred, light=True),
}  # fmt: skip

WHOLE_PICTURES = {
    "around circles": ON_CIRCLES, "leaning far": LEANING, "with a caption": CAPTIONED, "tampered": TAMPERED,
    "in a fine texture": TEXTURED,
}  # fmt: skip

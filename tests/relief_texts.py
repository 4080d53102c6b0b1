"""Draw letters of the ground's colour, which only their rims and shadows show."""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from tests.strangers import Colour, Kind, Plate, png

FINE = 3  # a picture is drawn so many times larger


def _moved(mask: Image.Image, right: int, down: int) -> Image.Image:
    out = Image.new("L", mask.size)
    out.paste(mask, (right, down))
    return out


def _pair(plate: Plate, coloured: bool) -> tuple[Colour, Colour]:
    """Choose the colours of ground and ink."""
    chance = plate.chance
    if not coloured:
        return (255, 255, 255), (chance.randrange(70),) * 3
    while True:
        ground, ink = ((chance.randrange(256), chance.randrange(256), chance.randrange(256)) for _ in range(2))
        if abs(np.subtract(ground, ink)).max() >= 110:
            return ground, ink


def _relief(
    shadow: bool = True, coloured: bool = False, faint: float = 1.0, line: bool = True, times: int = 1,
    quality: int = 0,
) -> Callable[[Plate], bytes]:  # fmt: skip
    """Draw a rim of `faint` strength, a shadow aslant below it, and a line across.

    `times` is the picture's scale beside that of the others; with a `quality` it is saved as a JPEG.
    """

    def make(plate: Plate) -> bytes:
        chance, scale = plate.chance, FINE * times
        ground, ink = _pair(plate, coloured)
        letters = plate.mask.point(lambda level: 255 * (level > 127))
        around = letters.filter(ImageFilter.MaxFilter(2 * round(0.7 * scale) + 1))
        picture = Image.new("RGB", letters.size, ground)
        if shadow:
            right = chance.choice((1, 1, -1))
            dark = Image.new("L", letters.size)
            for step in range(1, round(chance.uniform(1.8, 3) * scale) + 1):
                dark = ImageChops.lighter(dark, _moved(around, right * step, step))
            picture.paste(ink, mask=dark)
        red, green, blue = (round(g + faint * (i - g)) for g, i in zip(ground, ink, strict=True))
        picture.paste((red, green, blue), mask=around)
        picture.paste(ground, mask=letters)
        if line:
            width, height = letters.size
            left, end = (chance.randint(height // 4, height * 3 // 4) for _ in range(2))
            ends = [(0, left), (width, end)]
            ImageDraw.Draw(picture).line(ends, ink, round(1.2 * scale))
        picture = picture.reduce(FINE)
        if quality:
            picture = Image.open(io.BytesIO(png(picture, "JPEG", quality=quality)))
        return png(picture)

    return make


def _kind(make: Callable[[Plate], bytes], times: int = 1) -> Kind:
    scale = FINE * times
    return Kind(
        make, layout={"size": (150 * scale, 50 * scale), "points": 32 * scale, "at": 10 * scale},
        letters="ABCDEFGHJKLMNPQRSTUVWXYZabdefghnqrt23456789",
    )  # fmt: skip


RELIEF = {
    "relief-shadow": _kind(_relief()),
    "relief-faint": _kind(_relief(faint=0.55)),
    "relief-plain": _kind(_relief(line=False)),
    "relief-outline": _kind(_relief(shadow=False)),
    "relief-coloured": _kind(_relief(coloured=True)),
    "relief-jpeg": _kind(_relief(quality=80)),
    "relief-large": _kind(_relief(times=3), 3),
}

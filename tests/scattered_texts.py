"""Draw small letters at any height of a large picture, alone or among lines and dots."""

from collections.abc import Callable

from PIL import Image, ImageDraw

from tests.strangers import Colour, Kind, Plate, png

DARK: tuple[Colour, ...] = ((40, 40, 40), (20, 30, 90), (110, 20, 20), (0, 70, 30))
LIGHT: tuple[Colour, ...] = ((255, 255, 255), (240, 235, 210), (200, 230, 255))


def _scattered(plate: Plate, turned: int, level: bool) -> list[Image.Image]:
    """Return the letters' masks, each somewhere in its part of the picture, from left to right."""
    (width, height), chance, masks = plate.size, plate.chance, []
    part = (width - 10) / len(plate.masks)
    for k, mask in enumerate(plate.masks):
        left, top, right, bottom = mask.getbbox() or (0, 0, 1, 1)
        letter = mask.crop((left - 12, top - 12, right + 12, bottom + 12))
        letter = letter.rotate(chance.uniform(-turned, turned), resample=Image.Resampling.BICUBIC)
        letter = letter.crop(letter.getbbox())
        x = 5 + round(k * part + chance.uniform(0, max(0, part - letter.width - 2)))
        masks.append(Image.new("L", plate.size))
        masks[-1].paste(letter, (x, top if level else chance.randint(3, height - letter.height - 3)))
    return masks


def _grown(plate: Plate) -> list[Image.Image]:
    """Return the letters' masks side by side, each larger than the one before, or smaller: from 50 to 150 %."""
    masks, x, step = [], 6, plate.chance.choice((-1, 1))
    for k, mask in enumerate(plate.masks[::step]):
        letter = mask.crop(mask.getbbox())
        times = 0.5 + k / (len(plate.masks) - 1)
        size = max(1, round(letter.width * times)), max(1, round(letter.height * times))
        masks.append(letter.resize(size, Image.Resampling.BICUBIC))
    placed = []
    for letter in masks[::step]:
        placed.append(Image.new("L", plate.size))
        placed[-1].paste(letter, (x, plate.size[1] - letter.height - 8))
        x += letter.width + 4
    return placed


def _slanting(plate: Plate) -> list[Image.Image]:
    """Return the mask of the whole text, turned by 25 to 40 degrees."""
    degrees = plate.chance.choice((-1, 1)) * plate.chance.uniform(25, 40)
    text = plate.mask.crop(plate.mask.getbbox()).rotate(degrees, Image.Resampling.BICUBIC, expand=True)
    mask = Image.new("L", plate.size)
    mask.paste(text, ((mask.width - text.width) // 2, (mask.height - text.height) // 2))
    return [mask]


def make_kind(
    turned: int = 0, lines: int = 0, dots: float = 0.0, colours: bool = False, light: bool = False,
    level: bool = False, place: Callable[[Plate], list[Image.Image]] | None = None
) -> Callable[[Plate], bytes]:  # fmt: skip
    """Draw letters turned by up to so many degrees, over or under lines and dots, in their own colours or in one."""

    def make(plate: Plate) -> bytes:
        (width, height), chance = plate.size, plate.chance
        inks, grounds = (LIGHT, DARK) if light else (DARK, LIGHT)
        ground, ink = chance.choice(grounds), chance.choice(inks)
        image = Image.new("RGB", plate.size, ground)
        brush = ImageDraw.Draw(image)
        middle = tuple((a + b) // 2 for a, b in zip(ground, ink, strict=True))
        for _ in range(lines):
            ends = [(chance.randint(0, width), chance.randint(0, height)) for _ in range(2)]
            brush.line(ends, fill=chance.choice((ink, middle)))
        for mask in place(plate) if place else _scattered(plate, turned, level):
            image.paste(chance.choice(inks) if colours else ink, mask=mask)
        for _ in range(int(dots * width * height)):
            colour = chance.randrange(256), chance.randrange(256), chance.randrange(256)
            image.putpixel((chance.randrange(width), chance.randrange(height)), colour)
        return png(image)

    return make


def laid_out(
    make: Callable[[Plate], bytes], size: tuple[int, int] = (220, 130), points: int = 28, length: int = 5
) -> Kind:  # fmt: skip
    """Return a kind of so many letters, so many points high, in a picture of (width, height) pixels."""
    return Kind(make, layout={"size": size, "points": points}, length=length)


SCATTERED = {
    "scattered": laid_out(make_kind()),
    "scattered-turned": laid_out(make_kind(turned=25), (260, 150), 34),
    "scattered-colours": laid_out(make_kind(colours=True), (200, 110), 24),
    "scattered-light": laid_out(make_kind(light=True), (300, 200), 40),
    "scattered-dots": laid_out(make_kind(dots=0.03)),
    "scattered-lines": laid_out(make_kind(lines=6), (240, 140), 30),
    "scattered-level": laid_out(make_kind(level=True), (420, 56), 30),
    "scattered-slanting": laid_out(make_kind(place=_slanting), (200, 160), 26),
    "scattered-growing": laid_out(make_kind(place=_grown), (220, 64), 34),
    "scattered-all": laid_out(make_kind(turned=15, lines=4, dots=0.02, colours=True), (280, 160), 36),
}

"""Draw small texts that lie among lines and dots over a whole large picture."""

from collections.abc import Callable

from PIL import Image, ImageDraw

from tests.strangers import Colour, Kind, Plate, png

INKS: tuple[Colour, ...] = ((50, 50, 50), (20, 30, 90), (90, 20, 20), (0, 0, 0))
GROUNDS: tuple[Colour, ...] = ((255, 255, 255), (240, 244, 250), (250, 246, 230))


def _grid(brush: ImageDraw.ImageDraw, plate: Plate, faint: Colour) -> None:
    (width, height), chance = plate.size, plate.chance
    step, leaning = chance.randint(6, 16), chance.choice((0, 0, 6, 12))
    for x in range(chance.randint(0, step), width, step):
        brush.line((x, 0, x + leaning, height), fill=faint)
    for y in range(chance.randint(0, step), height, step):
        brush.line((0, y, width, y), fill=faint)


def _lines(brush: ImageDraw.ImageDraw, plate: Plate, faint: Colour) -> None:
    (width, height), chance = plate.size, plate.chance
    for _ in range(chance.randint(6, 14)):
        ends = [(chance.randint(0, width), chance.randint(0, height)) for _ in range(2)]
        brush.line(ends, fill=faint, width=chance.choice((1, 1, 2)))


def _rings(brush: ImageDraw.ImageDraw, plate: Plate, faint: Colour) -> None:
    (width, height), chance = plate.size, plate.chance
    for _ in range(chance.randint(8, 14)):
        x, y, radius = chance.randint(0, width), chance.randint(0, height), chance.randint(6, 30)
        brush.ellipse((x - radius, y - radius, x + radius, y + radius), outline=faint)


def _none(brush: ImageDraw.ImageDraw, plate: Plate, faint: Colour) -> None:
    """Draw nothing under the text."""


Under = Callable[[ImageDraw.ImageDraw, Plate, Colour], None]


def _small(under: Under = _none, specks: float = 0.0, frame: bool = False) -> Callable[[Plate], bytes]:
    """Draw things under the text, specks in its colour over it, and a frame."""

    def make(plate: Plate) -> bytes:
        (width, height), chance = plate.size, plate.chance
        ground, ink, fainter = chance.choice(GROUNDS), chance.choice(INKS), chance.randint(70, 120)
        paper = Image.new("RGB", plate.size, ground)
        red, green, blue = ground
        under(ImageDraw.Draw(paper), plate, (red - fainter, green - fainter, blue - fainter))
        image = plate.plain(ink, paper)
        for _ in range(int(width * height * chance.uniform(specks / 3, specks))):
            image.putpixel((chance.randrange(width), chance.randrange(height)), ink)
        if frame:
            ImageDraw.Draw(image).rectangle((0, 0, width - 1, height - 1), outline=ink)
        return png(image)

    return make


def _kind(make: Callable[[Plate], bytes], size: tuple[int, int] = (200, 80), points: int = 16, at: int = 30) -> Kind:
    return Kind(make, layout={"size": size, "points": points, "at": at})


SMALL = {
    "small-framed": _kind(_small(frame=True)),
    "small-specks": _kind(_small(specks=0.035), (160, 60), 15),
    "small-grid": _kind(_small(_grid)),
    "small-grid-specks": _kind(_small(_grid, 0.035), (240, 100), 18, 60),
    "small-lines": _kind(_small(_lines), (180, 72)),
    "small-lines-specks": _kind(_small(_lines, 0.035)),
    "small-rings": _kind(_small(_rings), (240, 100), 17, 12),
    "small-all": _kind(_small(_grid, 0.03, True), (160, 60), 15),
}

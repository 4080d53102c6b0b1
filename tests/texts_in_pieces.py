"""Draw letters in pieces: in dots, squares, dashes or single pixels."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from tests.strangers import BLACK, WHITE, Colour, Kind, Plate, png

CLEAR = "ABCDEFGHJKLMNPQRSTUVWXYZ2345679"
_LARGE = {"size": (200, 70), "points": 44, "at": 18}


def _shown(plate: Plate, pattern: np.ndarray, ink: Colour = BLACK, ground: Colour = WHITE) -> Image.Image:
    """Return the letters where a pattern, (H, W) bool, shows them."""
    picture = Image.new("RGB", plate.size, ground)
    picture.paste(ink, mask=ImageChops.darker(plate.mask, Image.fromarray(pattern.astype(np.uint8) * 255)))
    return picture


def _dots(pitch: int, size: int, ink: Colour = BLACK, ground: Colour = WHITE) -> Callable[[Plate], bytes]:
    def make(plate: Plate) -> bytes:
        dots = Image.new("1", plate.size)
        for y in range(0, plate.size[1], pitch):
            for x in range(0, plate.size[0], pitch):
                ImageDraw.Draw(dots).ellipse((x, y, x + size - 1, y + size - 1), fill=1)
        return png(_shown(plate, np.asarray(dots), ink, ground))

    return make


def _squares(side: int) -> Callable[[Plate], bytes]:
    def make(plate: Plate) -> bytes:
        rows, columns = (np.arange(length) // side for length in plate.size[::-1])
        return png(_shown(plate, np.add.outer(rows, columns) % 2 == 1))

    return make


def _dashes(side: int, upright: bool) -> Callable[[Plate], bytes]:
    def make(plate: Plate) -> bytes:
        rows, columns = np.indices(plate.size[::-1])
        return png(_shown(plate, (columns if upright else rows) // side % 2 == 0))

    return make


def _sparse(share: float) -> Callable[[Plate], bytes]:
    def make(plate: Plate) -> bytes:
        chance = np.random.default_rng(plate.chance.randrange(1 << 30))
        return png(_shown(plate, chance.random(plate.size[::-1]) < share))

    return make


def _kind(make: Callable[[Plate], bytes]) -> Kind:
    return Kind(make, layout=_LARGE, letters=CLEAR)


PIECES = {
    "dots-4": _kind(_dots(4, 3)), "dots-5": _kind(_dots(5, 4)), "dots-light": _kind(_dots(4, 3, WHITE, (20, 30, 90))),
    "dots-colour": _kind(_dots(5, 4, (200, 40, 40), (240, 230, 180))), "squares-3": _kind(_squares(3)),
    "squares-4": _kind(_squares(4)), "dashes-3": _kind(_dashes(3, False)), "dashes-upright": _kind(_dashes(3, True)),
    "sparse-50": _kind(_sparse(0.5)), "sparse-30": _kind(_sparse(0.3)),
}  # fmt: skip

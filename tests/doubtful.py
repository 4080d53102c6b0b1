"""Draw pictures that show what the shipped models cannot know, or that these may take for something else.

Each group of kinds is about one thing: icons beside the text, accents, blocks over letters, cards and tiles, dots in
place of shades, pictures that are turned, text of another page that shines through. `tests.strangers.draw` draws them.
"""

import functools
import itertools
import operator
import random
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

from tests.relief_texts import RELIEF
from tests.scattered_texts import SCATTERED
from tests.small_texts import SMALL
from tests.strangers import BLACK, FACES, FONTS, LETTERS, WHITE, Colour, Kind, Plate, lay_out, png
from tests.tampered_texts import WHOLE_PICTURES
from tests.texts_in_pieces import PIECES
from tests.texts_in_rows import IN_COLUMNS, IN_ROWS

Brush = ImageDraw.ImageDraw
Shape = Callable[[Brush, int, int, Colour], None]  # draws in 20 x 20 pixels from x, y

SYMBOLS = "↻↺⟳⟲♻✓✔✗✘★☆♥♡⚑⚐☎✉♪♫⌨⚙☰⚠☁✎✂⌂⏎▶◀●◆■☺"
SYMBOL_FACE = FONTS / "dejavu" / "DejaVuSans-Bold.ttf"
ICON_INKS = ((60, 110, 200), (90, 90, 90), BLACK, (200, 60, 40))
WIDE = {"size": (200, 48)}


def _arc(brush: Brush, x: int, y: int, ink: Colour) -> None:
    brush.arc((x, y, x + 20, y + 20), 30, 330, fill=ink, width=3)


def _disc(brush: Brush, x: int, y: int, ink: Colour) -> None:
    brush.ellipse((x, y, x + 20, y + 20), fill=ink)


def _ring(brush: Brush, x: int, y: int, ink: Colour) -> None:
    brush.ellipse((x, y, x + 20, y + 20), outline=ink, width=3)


def _square(brush: Brush, x: int, y: int, ink: Colour) -> None:
    brush.rectangle((x, y, x + 20, y + 20), fill=ink)


def _box(brush: Brush, x: int, y: int, ink: Colour) -> None:
    brush.rectangle((x, y, x + 20, y + 20), outline=ink, width=2)


def _triangle(brush: Brush, x: int, y: int, ink: Colour) -> None:
    brush.polygon([(x, y), (x, y + 20), (x + 20, y + 10)], fill=ink)


def _refresh(brush: Brush, x: int, y: int, ink: Colour) -> None:
    brush.arc((x, y, x + 20, y + 20), 60, 350, fill=ink, width=3)
    brush.polygon([(x + 16, y + 6), (x + 24, y + 6), (x + 20, y + 12)], fill=ink)


def _two_arrows(brush: Brush, x: int, y: int, ink: Colour) -> None:
    for first in (20, 200):
        brush.arc((x, y, x + 20, y + 20), first, first + 140, fill=ink, width=3)
    brush.polygon([(x - 3, y + 10), (x + 5, y + 10), (x + 1, y + 4)], fill=ink)
    brush.polygon([(x + 15, y + 10), (x + 23, y + 10), (x + 19, y + 16)], fill=ink)


def _speaker(brush: Brush, x: int, y: int, ink: Colour) -> None:
    brush.polygon([(x, y + 6), (x + 6, y + 6), (x + 14, y - 1), (x + 14, y + 21), (x + 6, y + 14), (x, y + 14)], ink)
    brush.arc((x + 10, y, x + 24, y + 20), -50, 50, fill=ink, width=2)


def _cross(brush: Brush, x: int, y: int, ink: Colour) -> None:
    brush.line((x + 2, y + 2, x + 18, y + 18), fill=ink, width=2)
    brush.line((x + 2, y + 18, x + 18, y + 2), fill=ink, width=2)


def _plus(brush: Brush, x: int, y: int, ink: Colour) -> None:
    brush.line((x + 10, y + 1, x + 10, y + 19), fill=ink, width=3)
    brush.line((x + 1, y + 10, x + 19, y + 10), fill=ink, width=3)


def _lens(brush: Brush, x: int, y: int, ink: Colour) -> None:
    brush.ellipse((x, y, x + 14, y + 14), outline=ink, width=2)
    brush.line((x + 12, y + 12, x + 20, y + 20), fill=ink, width=3)


def _menu(brush: Brush, x: int, y: int, ink: Colour) -> None:
    for down in (2, 9, 16):
        brush.rectangle((x, y + down, x + 20, y + down + 2), fill=ink)


def _heart(brush: Brush, x: int, y: int, ink: Colour) -> None:
    for left in (x, x + 10):
        brush.ellipse((left, y, left + 11, y + 11), fill=ink)
    brush.polygon([(x + 1, y + 8), (x + 20, y + 8), (x + 10, y + 21)], fill=ink)


def _padlock(brush: Brush, x: int, y: int, ink: Colour) -> None:
    brush.rectangle((x + 1, y + 9, x + 19, y + 21), fill=ink)
    brush.arc((x + 4, y - 1, x + 16, y + 18), 180, 360, fill=ink, width=3)


SHAPES = {
    "arc": _arc, "disc": _disc, "ring": _ring, "square": _square, "box": _box, "triangle": _triangle,
    "refresh": _refresh, "two-arrows": _two_arrows, "speaker": _speaker, "cross": _cross, "plus": _plus,
    "lens": _lens, "menu": _menu, "heart": _heart, "padlock": _padlock,
}  # fmt: skip


def _icon(shape: Shape) -> Callable[[Plate], bytes]:
    """A shape of about 20 pixels at the left or right of the text, in one of four inks."""

    def make(plate: Plate) -> bytes:
        ink, left = plate.chance.choice(ICON_INKS), plate.chance.random() < 0.5
        image = Image.new("RGB", (190, 48), WHITE)
        image.paste(plate.plain(), (42 if left else 0, 0))
        shape(ImageDraw.Draw(image), 8 if left else 152, 14, ink)
        return png(image)

    return make


def _symbol(plate: Plate, inks: tuple[Colour, ...] = (*ICON_INKS, (20, 130, 60))) -> bytes:
    """A symbol of a font, of any size from 16 to 38 points, as near as 18 pixels."""
    font = ImageFont.truetype(SYMBOL_FACE, plate.chance.randint(16, 38))
    symbol, ink, gap = plate.chance.choice(SYMBOLS), plate.chance.choice(inks), plate.chance.randint(18, 40)
    left, top, right, bottom = font.getbbox(symbol)
    first, _, last, _ = plate.mask.getbbox() or (0, 0, 1, 1)
    image = Image.new("RGB", (plate.size[0] + int(right - left) + gap + 16, plate.size[1]), WHITE)
    before = plate.chance.random() < 0.5
    image.paste(BLACK, (int(right - left) + gap + 8 - first if before else 0, 0), plate.mask)
    y = (plate.size[1] - bottom + top) // 2 + plate.chance.randint(-3, 3)
    ImageDraw.Draw(image).text(((6 if before else last + gap) - left, y - top), symbol, font=font, fill=ink)
    return png(image)


def _spaced(first: int, last: int) -> Callable[[Plate], bytes]:
    """So many letters at the beginning and at the end stand 28 pixels apart from the others."""

    def make(plate: Plate) -> bytes:
        image = Image.new("RGB", (plate.size[0] + 80, 48), WHITE)
        for number, mask in enumerate(plate.masks):
            image.paste(BLACK, (28 * ((number >= first) + (number >= len(plate.masks) - last)), 0), mask)
        return png(image)

    return make


def _block(ink: Colour | None = None, part: float = 1.0, round_: bool = False) -> Callable[[Plate], bytes]:
    """A block over a letter, or over a part of it from below or from the right."""

    def make(plate: Plate) -> bytes:
        image, pad = plate.plain(), 4 if round_ else 2
        left, top, right, bottom = plate.chance.choice(plate.masks).getbbox() or (0, 0, 1, 1)
        box = [left - pad, top - pad, right + pad, bottom + pad]
        fill = ink or plate.chance.choice(((200, 30, 30), (30, 60, 180), (120, 120, 120), (240, 200, 40)))
        if part < 1:
            side = plate.chance.randrange(2)
            box[side] = box[side + 2] - int((box[side + 2] - box[side]) * part)
        brush = ImageDraw.Draw(image)
        (brush.ellipse if round_ else brush.rectangle)(box, fill=fill)
        return png(image)

    return make


def _card(
    page: Colour = (24, 26, 32), size: tuple[int, int] = (500, 300), paper: Colour = WHITE, ink: Colour = BLACK,
    frame: Colour | None = None, shadow: bool = False, radius: int = 0,
) -> Callable[[Plate], bytes]:  # fmt: skip
    """A card with the text, anywhere on a page of another colour."""

    def make(plate: Plate) -> bytes:
        image = Image.new("RGB", size, page)
        x, y = plate.chance.randint(20, size[0] - 160), plate.chance.randint(20, size[1] - 60)
        if shadow:
            ImageDraw.Draw(image).rectangle((x + 4, y + 4, x + 144, y + 52), fill=tuple(level // 2 for level in page))
            image = image.filter(ImageFilter.GaussianBlur(4))
        shape = Image.new("L", plate.size)
        ImageDraw.Draw(shape).rounded_rectangle((0, 0, 139, 47), radius, fill=255)
        image.paste(plate.plain(ink, paper), (x, y), shape)
        if frame:
            ImageDraw.Draw(image).rectangle((x - 1, y - 1, x + 140, y + 48), outline=frame, width=2)
        return png(image)

    return make


def _tiles(*colours: tuple[Colour, Colour], full: bool = False) -> Callable[[Plate], bytes]:
    """Each letter on a tile, in one of the pairs of a tile's and a letter's colour; `full`: tiles fill the picture."""

    def make(plate: Plate) -> bytes:
        image, boxes = Image.new("RGB", plate.size, WHITE), [mask.getbbox() or (0, 0, 1, 1) for mask in plate.masks]
        edges = [0, *((a[2] + b[0]) // 2 for a, b in itertools.pairwise(boxes)), plate.size[0]]
        for number, (mask, box) in enumerate(zip(plate.masks, boxes, strict=True)):
            paper, ink = plate.chance.choice(colours)
            tile = (box[0] - 2, box[1] - 4, box[2] + 1, box[3] + 3)
            ImageDraw.Draw(image).rectangle((edges[number], 0, edges[number + 1], 48) if full else tile, fill=paper)
            image.paste(ink, mask=mask)
        return png(image)

    return make


MANY = (((200, 30, 30), WHITE), ((30, 60, 180), (255, 230, 80)), ((240, 200, 40), BLACK), ((30, 120, 60), WHITE))


def _diffused(level: int) -> Callable[[Plate], bytes]:
    """Pillow's dither: the error is spread to the pixels that follow."""
    return lambda plate: png(plate.plain((level, level, level)).convert("1"))


def _ordered(level: int) -> Callable[[Plate], bytes]:
    """Dots by Bayer's table of 4 x 4 limits."""
    limits = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) * 16 + 8

    def make(plate: Plate) -> bytes:
        grey = np.asarray(plate.plain((level, level, level)).convert("L"))
        return png(Image.fromarray(grey > np.tile(limits, (12, 35))))

    return make


def _turned(turn: Callable[[Image.Image], Image.Image]) -> Callable[[Plate], bytes]:
    return lambda plate: png(turn(plate.plain()))


def _shines(level: int, turn: Callable[[Image.Image], Image.Image], other: bool) -> Callable[[Plate], bytes]:
    """The text, or another one, shows faintly from behind."""

    def make(plate: Plate) -> bytes:
        behind = plate.mask
        if other:
            text = "".join(plate.chance.choice(LETTERS) for _ in range(4))
            behind = lay_out(text, random.Random(plate.chance.random()), plate.chance.choice(FACES)).mask
        image = Image.new("RGB", plate.size, WHITE)
        image.paste((level, level, level), mask=turn(behind))
        image.paste(BLACK, mask=plate.mask)
        return png(image)

    return make


def _cut(at: int) -> Callable[[Plate], bytes]:
    """The picture ends within its first letter (0) or its last (-1)."""

    def make(plate: Plate) -> bytes:
        left, _, right, _ = plate.masks[at].getbbox() or (0, 0, 1, 1)
        share = plate.chance.uniform(0.25, 0.55)
        here = round(left + (share if at == 0 else 1 - share) * (right - left))
        width, height = plate.size
        return png(plate.plain().crop((here, 0, width, height) if at == 0 else (0, 0, here, height)))

    return make


def _plain(letters: str, one: str = "") -> Kind:
    return Kind(lambda plate: png(plate.plain()), 0.0, letters=letters, one=one)


GROUPS: dict[str, dict[str, Kind]] = {
    "icons": {f"icon-{name}": Kind(_icon(shape)) for name, shape in SHAPES.items()},
    "symbols": {
        "symbol-4": Kind(_symbol), "symbol-6": Kind(_symbol, layout=WIDE, length=6),
        "symbol-mixed": Kind(_symbol, letters="ABCDEFGHJKLMNPQRSTUVWXYZabdefghnqrt23456789"),
        "symbol-black": Kind(functools.partial(_symbol, inks=(BLACK,))),
    },
    "letters apart": {
        "first-apart": Kind(_spaced(1, 0), 0.0, {"size": (170, 48)}, length=5),
        "last-apart": Kind(_spaced(0, 1), 0.0, WIDE, length=6), "two-apart": Kind(_spaced(2, 0), 0.0, WIDE, length=6),
    },
    "accents": {
        "german": _plain("ÄÖÜ"), "french": _plain("ÉÈÊËÀÂÇÎÏÔÙÛ"), "czech": _plain("ČŠŽŘĚÝÁÍÉŮ"),
        "nordic": _plain("ÅÆØÖÄ"), "polish": _plain("ĄĆĘŁŃÓŚŹŻ"), "small-accents": _plain("äöüéèñçå"),
        "one-accent": _plain("ABCDEFGHJKLMNOPQRSTUVWXYZ", "ÄÖÜÉÈÊÑÅÇŠŽČ"),
    },
    "blocks": {
        "block-black": Kind(_block(BLACK), 0.0), "block-colour": Kind(_block(), 0.0),
        "block-grey": Kind(_block((140, 140, 140)), 0.0), "block-white": Kind(_block(WHITE), 0.0),
        "half-black": Kind(_block(BLACK, 0.55), 0.0), "half-colour": Kind(_block(None, 0.55), 0.0),
        "disc-black": Kind(_block(BLACK, round_=True), 0.0),
    },
    "cards": {
        "card": Kind(_card()), "card-small": Kind(_card(size=(300, 150))), "card-big": Kind(_card(size=(900, 600))),
        "card-frame": Kind(_card(frame=(90, 120, 200))), "card-shadow": Kind(_card((60, 64, 70), shadow=True)),
        "card-middle": Kind(_card((120, 120, 125))), "card-light": Kind(_card((225, 228, 232))),
        "card-round": Kind(_card(radius=8)),
        "card-dark": Kind(_card(WHITE, paper=(30, 40, 60), ink=(240, 240, 240))),
        "card-colour": Kind(_card((40, 90, 60), paper=(250, 240, 200), ink=(120, 20, 20))),
    },
    "tiles": {
        "tiles": Kind(_tiles(*MANY)), "tiles-black": Kind(_tiles((BLACK, WHITE))),
        "tiles-grey": Kind(_tiles(((60, 60, 60), WHITE), ((200, 200, 200), BLACK))),
        "tiles-one": Kind(_tiles(((200, 30, 30), WHITE))), "tiles-full": Kind(_tiles(*MANY, full=True)),
    },
    "dithered": {
        "diffused-60": Kind(_diffused(60)), "diffused-110": Kind(_diffused(110)), "diffused-150": Kind(_diffused(150)),
        "ordered-110": Kind(_ordered(110)), "ordered-160": Kind(_ordered(160)),
    },
    "small texts": SMALL,
    "scattered": SCATTERED,
    "in rows": IN_ROWS,
    "in columns": IN_COLUMNS,
    **WHOLE_PICTURES,
    "rims and shadows": RELIEF,
    "in pieces": PIECES,
    "cut off": {"cut-left": Kind(_cut(0), 0.0), "cut-right": Kind(_cut(-1), 0.0)},
    "upside down": {"upside-down": Kind(_turned(lambda image: image.rotate(180)), 0.0)},
    "mirrored": {"mirrored": Kind(_turned(ImageOps.mirror), 0.0), "flipped": Kind(_turned(ImageOps.flip), 0.0)},
    "shines through": {
        "shines": Kind(_shines(215, ImageOps.mirror, False), 0.0),
        "shines-strong": Kind(_shines(180, ImageOps.mirror, False), 0.0),
        "shines-other": Kind(_shines(210, ImageOps.mirror, True), 0.0),
        "shines-flipped": Kind(_shines(205, ImageOps.flip, False), 0.0),
    },
}  # fmt: skip
DOUBTFUL: dict[str, Kind] = functools.reduce(operator.or_, GROUPS.values())

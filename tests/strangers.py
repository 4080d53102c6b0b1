"""Draw pictures unlike those that the shipped model learnt from, with Pillow: what other people bring.

`draw` returns picture files of one kind. Each kind changes one thing about plain dark letters on white. All are clean:
what is hard about them is the ground, the file or the colours.
"""

import functools
import io
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageChops, ImageDraw, ImageFilter, ImageFont

FONTS = Path(__file__).parents[1] / "fonts"
FACES = (
    "dejavu/DejaVuSans-Bold.ttf", "cantarell/Cantarell-Bold.otf", "inter/Inter-Bold.otf", "tuffy/Tuffy_Bold.ttf",
    "tex-gyre/texgyreheros-regular.otf", "caladea/Caladea-Bold.ttf",
)  # fmt: skip
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
COLOURS = ((230, 150, 20), (220, 30, 30), (30, 60, 220), (30, 140, 30), (140, 30, 160), (20, 20, 20))
WHITE, BLACK = (255, 255, 255), (16, 16, 16)

Colour = tuple[int, int, int]


@dataclass
class Plate:
    """A text laid out on a picture, and the randomness of everything else about it.

    Attributes
    ----------
    text : str
    chance : Random
    masks : list of (H, W) mode L
        The coverage of each letter.
    height : int
        Pixels of a capital letter.
    """

    text: str
    chance: random.Random
    masks: list[Image.Image] = field(default_factory=list)
    height: int = 0

    @property
    def size(self) -> tuple[int, int]:
        """Return width and height."""
        return self.masks[0].size

    @property
    def mask(self) -> Image.Image:
        """Return the coverage of all letters."""
        return functools.reduce(ImageChops.lighter, self.masks)

    def plain(self, ink: Colour = BLACK, ground: Colour | Image.Image = WHITE) -> Image.Image:
        """Return the letters in one colour on a ground."""
        paper = ground.copy() if isinstance(ground, Image.Image) else Image.new("RGB", self.size, ground)
        paper.paste(ink, mask=self.mask)
        return paper

    def each(self, inks: list[Colour], ground: Colour) -> Image.Image:
        """Return the letters, each in its own colour."""
        paper = Image.new("RGB", self.size, ground)
        for mask, ink in zip(self.masks, inks, strict=True):
            paper.paste(ink, mask=mask)
        return paper


def lay_out(
    text: str, chance: random.Random, face: str, size: tuple[int, int] = (140, 48), points: int = 28, at: int = 10
) -> Plate:
    """Lay out a text from the left, a few pixels between letters, which are made smaller if they would not fit."""
    width, height = size
    path = Path(face) if face.startswith("/") else FONTS / face
    gap = max(1, points // 8)
    while True:
        font = ImageFont.truetype(path, points)
        widths = [font.getlength(letter) for letter in text]
        if sum(widths) + gap * (len(text) - 1) <= width - 1.5 * at or points <= 6:
            break
        points -= 1
    top, bottom = font.getbbox("H")[1::2]
    plate = Plate(text, chance, height=int(bottom - top))
    x, y = float(at), (height - (bottom - top)) / 2 - top + chance.randint(-1, 1) * (height > 30)
    for letter, wide in zip(text, widths, strict=True):
        mask = Image.new("L", size)
        ImageDraw.Draw(mask).text((round(x), round(y)), letter, fill=255, font=font)
        plate.masks.append(mask)
        x += wide + gap
    return plate


def png(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """Return the bytes of a file."""
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def _plain(plate: Plate) -> bytes:
    return png(plate.plain())


def _framed(plate: Plate) -> bytes:
    image = plate.plain()
    width = plate.chance.choice((1, 1, 2, 3))
    ink = plate.chance.choice((BLACK, (0, 0, 0), (128, 128, 128), (200, 30, 30)))
    ImageDraw.Draw(image).rectangle((0, 0, image.width - 1, image.height - 1), outline=ink, width=width)
    return png(image)


def _framed_light(plate: Plate) -> bytes:
    image = plate.plain((235, 235, 235), (20, 30, 60))
    ink = plate.chance.choice(((255, 255, 255), (0, 0, 0), (180, 180, 180)))
    width = plate.chance.choice((1, 2, 3))
    ImageDraw.Draw(image).rectangle((0, 0, image.width - 1, image.height - 1), outline=ink, width=width)
    return png(image)


def _framed_partly(plate: Plate) -> bytes:
    """One to three sides of the frame, or a frame a few pixels inside."""
    image, ink, width = plate.plain(), BLACK, plate.chance.choice((1, 2, 3))
    brush, (w, h) = ImageDraw.Draw(image), plate.size
    sides = [(0, 0, w, width - 1), (0, h - width, w, h), (0, 0, width - 1, h), (w - width, 0, w, h)]
    if plate.chance.random() < 0.25:
        brush.rectangle((3, 3, w - 4, h - 4), outline=ink, width=width)
    else:
        for side in plate.chance.sample(sides, plate.chance.randint(1, 3)):
            brush.rectangle(side, fill=ink)
    return png(image)


def _framed_twice(plate: Plate) -> bytes:
    """A frame of two colours, or a rounded frame with corners outside of it."""
    image, (w, h) = plate.plain(), plate.size
    brush = ImageDraw.Draw(image)
    if plate.chance.random() < 0.5:
        brush.rectangle((0, 0, w - 1, h - 1), outline=(0, 0, 0), width=1)
        brush.rectangle((1, 1, w - 2, h - 2), outline=(170, 170, 190), width=2)
        return png(image)
    paper = Image.new("RGB", plate.size, plate.chance.choice((WHITE, (240, 240, 240))))
    ImageDraw.Draw(paper).rounded_rectangle((1, 1, w - 2, h - 2), radius=8, fill=WHITE, outline=BLACK, width=2)
    paper.paste(BLACK, mask=plate.mask)
    return png(paper)


def _bordered(plate: Plate) -> bytes:
    """A broad border around the card that holds the letters."""
    margin = plate.chance.randint(5, 14)
    colour = plate.chance.choice((BLACK, (90, 90, 90), (40, 60, 160)))
    image = Image.new("RGB", (plate.size[0] + 2 * margin, plate.size[1] + 2 * margin), colour)
    image.paste(plate.plain(), (margin, margin))
    return png(image)


def _ruled(plate: Plate) -> bytes:
    """Rules above and below the letters that reach both borders, or do not quite."""
    image, (w, h) = plate.plain(), plate.size
    brush, short = ImageDraw.Draw(image), plate.chance.choice((0, 0, 6))
    middle, half, width = h // 2, plate.height // 2 + 4, plate.chance.choice((1, 2))
    for y in plate.chance.choice(((middle - half,), (middle + half,), (middle - half, middle + half))):
        brush.line((short, y, w - 1 - short, y), fill=BLACK, width=width)
    return png(image)


def _lined_paper(plate: Plate) -> bytes:
    """Lines of a notebook behind the letters."""
    image, (w, h) = Image.new("RGB", plate.size, WHITE), plate.size
    step, ink = plate.chance.randint(6, 10), plate.chance.choice(((150, 170, 220), (190, 190, 190), (230, 120, 120)))
    for y in range(plate.chance.randint(0, step - 1), h, step):
        ImageDraw.Draw(image).line((0, y, w, y), fill=ink)
    return png(plate.plain(BLACK, image))


def _grid(plate: Plate, ink: Colour, light: bool = False) -> bytes:
    """A grid behind the letters, or in a light colour over dark paper."""
    ground = (25, 25, 40) if light else WHITE
    image, (w, h) = Image.new("RGB", plate.size, ground), plate.size
    step, brush = plate.chance.randint(6, 12), ImageDraw.Draw(image)
    for x in range(plate.chance.randint(0, step - 1), w, step):
        brush.line((x, 0, x, h), fill=ink)
    for y in range(plate.chance.randint(0, step - 1), h, step):
        brush.line((0, y, w, y), fill=ink)
    return png(plate.plain((250, 250, 250) if light else BLACK, image))


def _grid_light(plate: Plate) -> bytes:
    return _grid(plate, plate.chance.choice(((170, 180, 200), (150, 150, 170), (200, 200, 200), (120, 170, 120))))


def _grid_dark(plate: Plate) -> bytes:
    return _grid(plate, plate.chance.choice(((90, 90, 110), (60, 60, 60), (110, 60, 60))))


def _grid_on_dark(plate: Plate) -> bytes:
    return _grid(plate, plate.chance.choice(((90, 90, 110), (130, 130, 140))), light=True)


def _animated(frames: list[Image.Image], kind: str, **options: object) -> bytes:
    if kind == "GIF":
        frames = [frame.quantize(64) for frame in frames]
    lossless = {"lossless": True} if kind == "WEBP" else {}
    return png(frames[0], kind, save_all=True, append_images=frames[1:], duration=200, loop=0, **lossless, **options)


def _blank_first(plate: Plate, kind: str = "GIF") -> bytes:
    return _animated([Image.new("RGB", plate.size, WHITE), plate.plain()], kind)


def _blank_first_png(plate: Plate) -> bytes:
    return _blank_first(plate, plate.chance.choice(("PNG", "WEBP", "TIFF")))


def _letters_missing(plate: Plate) -> bytes:
    """A GIF with a frame of three of the four letters first, then all."""
    gone = plate.chance.randrange(len(plate.masks))
    few = Plate(plate.text, plate.chance, [mask for k, mask in enumerate(plate.masks) if k != gone])
    return _animated([few.plain(), plate.plain()], "GIF")


def _letters_in_turn(plate: Plate) -> bytes:
    """An animation of which no frame has all letters."""
    frames = []
    for k in range(len(plate.masks)):
        frames.append(Plate(plate.text, plate.chance, [plate.masks[k]]).plain())
    return _animated(frames, plate.chance.choice(("GIF", "PNG", "WEBP")))


def _sixteen(plate: Plate, low: int, high: int) -> bytes:
    grey = np.asarray(plate.plain().convert("L"), np.float64) / 255
    return png(Image.fromarray((low + grey * (high - low)).astype(np.uint16)))


def _sixteen_low(plate: Plate) -> bytes:
    return _sixteen(plate, 0, plate.chance.choice((255, 400, 1023, 4095)))


def _sixteen_narrow(plate: Plate) -> bytes:
    """Sixteen bits of which a narrow band is used, anywhere."""
    low = plate.chance.choice((1000, 20_000, 60_000))
    return _sixteen(plate, low, low + plate.chance.choice((120, 500, 2000)))


def _inverted(plate: Plate, box: tuple[int, int, int, int]) -> bytes:
    image = plate.plain((16, 16, 16))
    image.paste(ImageChops.invert(image.crop(box)), box)
    return png(image)


def _half_inverted(plate: Plate) -> bytes:
    w, h = plate.size
    where = w // 2 + plate.chance.randint(-12, 12)
    return _inverted(plate, plate.chance.choice(((where, 0, w, h), (0, 0, where, h))))


def _half_inverted_rows(plate: Plate) -> bytes:
    w, h = plate.size
    where = h // 2 + plate.chance.randint(-3, 3)
    return _inverted(plate, plate.chance.choice(((0, where, w, h), (0, 0, w, where))))


def _hollow(plate: Plate) -> bytes:
    edge = ImageChops.subtract(plate.mask.filter(ImageFilter.MaxFilter(3)), plate.mask)
    return png(Plate(plate.text, plate.chance, [edge]).plain())


def _exif(plate: Plate) -> bytes:
    turns = {6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270, 3: Image.Transpose.ROTATE_180}
    orientation = plate.chance.choice(list(turns))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    kind = plate.chance.choice(("JPEG", "PNG", "WEBP"))
    return png(plate.plain().transpose(turns[orientation]), kind, exif=exif, quality=92)


def _two_inks(plate: Plate, ground: int = 128) -> bytes:
    """Each letter lighter or darker than a grey ground, at least one of each."""
    inks: list[Colour] = [WHITE, (0, 0, 0)] + [plate.chance.choice((WHITE, (0, 0, 0))) for _ in plate.masks[2:]]
    plate.chance.shuffle(inks)
    return png(plate.each(inks, (ground, ground, ground)))


def _two_inks_unequal(plate: Plate) -> bytes:
    """As two inks, one of which is nearer to the ground than the other."""
    return _two_inks(plate, plate.chance.choice((80, 100, 160, 180)))


def _mid_grey(plate: Plate) -> bytes:
    """All letters in one ink on a grey ground."""
    level = plate.chance.randint(100, 155)
    return png(plate.plain(plate.chance.choice((WHITE, BLACK)), (level, level, level)))


def _fainter(plate: Plate) -> bytes:
    """Letters of several strengths of one ink."""
    levels = [0, *(plate.chance.choice((0, 60, 110, 150)) for _ in plate.masks[1:])]
    plate.chance.shuffle(levels)
    return png(plate.each([(level, level, level) for level in levels], WHITE))


def _coloured(plate: Plate) -> bytes:
    return png(plate.each([plate.chance.choice(COLOURS[:-1]) for _ in plate.masks], WHITE))


def _coloured_on_dark(plate: Plate) -> bytes:
    inks: list[Colour] = [(250, 210, 60), (90, 200, 250), (250, 110, 110), (120, 240, 120), (240, 240, 240)]
    return png(plate.each([plate.chance.choice(inks) for _ in plate.masks], (20, 20, 40)))


def _salted(plate: Plate) -> bytes:
    pixels, amount = np.array(plate.plain().convert("L")), plate.chance.uniform(0.05, 0.1)
    chance = np.random.default_rng(plate.chance.getrandbits(32)).random(pixels.shape)
    pixels[chance < amount] = 0
    pixels[chance > 1 - amount] = 255
    return png(Image.fromarray(pixels))


def _peppered_by_colours(plate: Plate) -> bytes:
    pixels = np.array(plate.plain())
    chance = np.random.default_rng(plate.chance.getrandbits(32))
    where = chance.random(pixels.shape[:2]) < plate.chance.uniform(0.03, 0.08)
    pixels[where] = chance.integers(0, 256, (int(where.sum()), 3))
    return png(Image.fromarray(pixels))


def _darker_dots(plate: Plate) -> bytes:
    """Letters in grey, and dots of two to three pixels that are darker."""
    level = plate.chance.randint(90, 150)
    image = plate.plain((level, level, level))
    brush = ImageDraw.Draw(image)
    for _ in range(plate.chance.randint(6, 25)):
        x, y = plate.chance.randrange(image.width), plate.chance.randrange(image.height)
        brush.rectangle((x, y, x + plate.chance.randint(0, 1), y + plate.chance.randint(0, 1)), fill=(0, 0, 0))
    return png(image)


def _touching_edge(plate: Plate) -> bytes:
    image = plate.plain()
    return png(image.crop(plate.mask.point(lambda level: 255 * (level > 99)).getbbox()))


def _touching_one_edge(plate: Plate) -> bytes:
    """Cropped at one or two sides only."""
    left, top, right, bottom = plate.mask.point(lambda level: 255 * (level > 99)).getbbox() or (0, 0, 1, 1)
    boxes = ((left, 0, 140, 48), (0, top, 140, 48), (0, 0, right, 48), (0, 0, 140, bottom), (0, top, 140, bottom))
    return png(plate.plain().crop(plate.chance.choice(boxes)))


def _white_lines(plate: Plate) -> bytes:
    """White lines of one to two pixels through the letters."""
    image = plate.plain()
    brush, (w, h) = ImageDraw.Draw(image), plate.size
    for _ in range(plate.chance.randint(2, 4)):
        ends = [plate.chance.randint(h // 4, 3 * h // 4) for _ in range(2)]
        brush.line((0, ends[0], w, ends[1]), fill=WHITE, width=plate.chance.choice((1, 1, 2)))
    return png(image)


def _transparent_light(plate: Plate) -> bytes:
    """Light letters on nothing; some with a transparent ground that has a colour of its own."""
    image = Image.new("RGBA", plate.size, plate.chance.choice(((0, 0, 0, 0), (255, 255, 255, 0))))
    image.paste((*plate.chance.choice((WHITE, (250, 220, 90), (180, 220, 250))), 255), mask=plate.mask)
    return png(image)


def _gradient(plate: Plate) -> bytes:
    ramp = Image.linear_gradient("L").rotate(90).resize(plate.size).point(lambda level: 150 + level * 105 // 255)
    return png(plate.plain(BLACK, Image.merge("RGB", [ramp] * 3)))


@dataclass(frozen=True)
class Kind:
    """How pictures of a kind are made, and what the issue wants of them.

    Attributes
    ----------
    make : callable
    wanted : float
        Share of words that are to be right; 0 where only a low confidence is wanted.
    layout : dict
        Arguments of `lay_out`.
    case : callable
        Changes the letters' case.
    letters, length
        Of the texts, if not what `draw` is told.
    one : str
        One letter of each text is one of these.
    """

    make: Callable[[Plate], bytes]
    wanted: float = 11 / 12
    layout: dict[str, object] = field(default_factory=dict)
    case: Callable[[str], str] = str.upper
    letters: str = ""
    length: int = 0
    one: str = ""


KINDS = {
    "plain": Kind(_plain, 1.0),
    "framed": Kind(_framed),
    "framed-light": Kind(_framed_light),
    "framed-partly": Kind(_framed_partly),
    "framed-twice": Kind(_framed_twice),
    "bordered": Kind(_bordered),
    "ruled": Kind(_ruled),
    "lined-paper": Kind(_lined_paper, 10 / 12),
    "grid-light": Kind(_grid_light, 10 / 12),
    "grid-dark": Kind(_grid_dark, 10 / 12),
    "grid-on-dark": Kind(_grid_on_dark, 10 / 12),
    "blank-first": Kind(_blank_first),
    "blank-first-others": Kind(_blank_first_png),
    "letters-missing": Kind(_letters_missing),
    "letters-in-turn": Kind(_letters_in_turn),
    "sixteen-low": Kind(_sixteen_low, 1.0),
    "sixteen-narrow": Kind(_sixteen_narrow, 1.0),
    "half-inverted": Kind(_half_inverted, 9 / 12),
    "half-inverted-rows": Kind(_half_inverted_rows, 9 / 12),
    "hollow": Kind(_hollow, 0.0),
    "lower": Kind(_plain, 0.0, case=str.lower),
    "exif": Kind(_exif, 1.0),
    "two-inks": Kind(_two_inks, 10 / 12),
    "two-inks-unequal": Kind(_two_inks_unequal, 10 / 12),
    "mid-grey": Kind(_mid_grey),
    "fainter": Kind(_fainter, 10 / 12),
    "coloured": Kind(_coloured),
    "coloured-on-dark": Kind(_coloured_on_dark),
    "salted": Kind(_salted, 10 / 12),
    "peppered-colours": Kind(_peppered_by_colours, 10 / 12),
    "darker-dots": Kind(_darker_dots, 10 / 12),
    "tiny-60x20": Kind(_plain, 10 / 12, {"size": (60, 20), "points": 13, "at": 3}),
    "tiny-40x12": Kind(_plain, 8 / 12, {"size": (40, 12), "points": 9, "at": 2}),
    "touching-edge": Kind(_touching_edge),
    "touching-one-edge": Kind(_touching_one_edge),
    "white-lines": Kind(_white_lines, 10 / 12),
    "transparent-light": Kind(_transparent_light),
    "gradient": Kind(_gradient),
}


def draw(
    kind: str, count: int, seed: int, faces: tuple[str, ...] = FACES, letters: str = LETTERS, length: int = 4,
    kinds: Mapping[str, Kind] = KINDS,
) -> list[tuple[bytes, str]]:  # fmt: skip
    """Return picture files of a kind with their texts; a larger `count` only adds pictures.

    Parameters
    ----------
    kind : str
        A name in `kinds`.
    faces : tuple of str
        Font files, below `fonts/` or absolute; each picture takes one of them.
    letters : str
        Each letter of a text is one of them, if the kind has none of its own.
    """
    chosen, drawn = kinds[kind], []
    letters, length = chosen.letters or letters, chosen.length or length
    case = str if chosen.letters else chosen.case
    for number in range(count):
        chance = random.Random(f"{kind} {seed} {number}")
        text = case("".join(chance.choice(letters) for _ in range(length)))
        if chosen.one:
            at = chance.randrange(length)
            text = text[:at] + chance.choice(chosen.one) + text[at + 1 :]
        plate = lay_out(text, chance, chance.choice(faces), **chosen.layout)  # type: ignore[arg-type]
        drawn.append((chosen.make(plate), text))
    return drawn

"""Pictures as other generators draw them: labelled sets to learn from, none of them drawn by this project's renderer.

The faces of two kinds are not bundled: matplotlib's DejaVu Serif, and the one that the `captcha` package brings.
"""

import string
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from tasks.profiles.fonts import find_face

KAGGLE = "2345678bcdefgmnpwxy"
SVG = "".join(letter for letter in string.ascii_letters + string.digits if letter not in "0oO1ilI")
CAPITALS = string.ascii_uppercase + string.digits
COMIC, SANS, LOWER = "Comic Neue Bold", "DejaVu Sans Bold", "Cantarell Bold"
Random = np.random.Generator


@dataclass(frozen=True)
class Kind:
    """A kind of labelled pictures.

    draw : takes randomness and a text, and gives a picture
    text : takes randomness, and gives a text
    counts : numbers of pictures to learn from
    wanted : share of new pictures that should be read right, for each of the counts; None if nothing can be learnt
    """

    draw: Callable[[Random, str], Image.Image]
    text: Callable[[Random], str]
    counts: tuple[int, ...]
    wanted: tuple[float | None, ...]


def letters_of(alphabet: str, shortest: int, longest: int) -> Callable[[Random], str]:
    """Return a function that chooses a text of some of these letters."""

    def text(random: Random) -> str:
        return "".join(random.choice(list(alphabet), random.integers(shortest, longest + 1)))

    return text


def sum_of(random: Random) -> str:
    """Return a sum such as `12-5=?`."""
    return f"{random.integers(1, 30)}{random.choice(list('+-'))}{random.integers(1, 10)}=?"


@cache
def _face(name: str, size: int) -> ImageFont.FreeTypeFont:
    if name == "DejaVu Serif Bold":
        path = str(files("matplotlib") / "mpl-data" / "fonts" / "ttf" / "DejaVuSerif-Bold.ttf")
    else:
        path = find_face(name).path
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


def _tile(letter: str, face: ImageFont.FreeTypeFont, turn: float = 0.0, shear: float = 0.0) -> Image.Image:
    """Draw a letter's ink on a tile as high as all tiles of the face; turned about the tile's middle."""
    left, _, right, _ = face.getbbox(letter)
    rise, fall = face.getmetrics()
    side = rise + fall
    tile = Image.new("L", (int(right - left) + side, side * 2))
    ImageDraw.Draw(tile).text((side // 2 - left, side // 2), letter, 255, font=face)
    if shear:
        middle = tile.height / 2
        tile = tile.transform(
            tile.size, Image.Transform.AFFINE, (1, shear, -shear * middle, 0, 1, 0), Image.Resampling.BICUBIC
        )
    return tile.rotate(turn, Image.Resampling.BICUBIC) if turn else tile


def _row(tiles: list[Image.Image], size: tuple[int, int], gaps: list[int], downs: list[int]) -> np.ndarray:
    """Set tiles by their ink in the middle of a picture of ink, (height, width) float 0 to 1."""
    boxes = [tile.getbbox() or (0, 0, 1, 1) for tile in tiles]
    width = sum(box[2] - box[0] for box in boxes) + sum(gaps[1:])
    ink = Image.new("L", size)
    x = (size[0] - width) // 2
    for tile, box, gap, down in zip(tiles, boxes, [0, *gaps[1:]], downs, strict=True):
        x += gap
        part = tile.crop((box[0], 0, box[2], tile.height))
        ink.paste(255, (x, (size[1] - tile.height) // 2 + down), part)
        x += box[2] - box[0]
    return np.asarray(ink, float) / 255


def kaggle(random: Random, text: str) -> Image.Image:
    """Draw grey letters that touch, with a wavy line over them, like the Kaggle set "captcha-version-2"."""
    face = _face("DejaVu Serif Bold", int(random.integers(30, 36)))
    tiles = [_tile(letter, face, random.uniform(-6, 6), random.uniform(-0.25, 0.25)) for letter in text]
    ink = _row(tiles, (200, 50), random.integers(-4, 1, len(text)).tolist(), random.integers(-4, 5, len(text)).tolist())
    x = np.arange(200)
    line = Image.new("L", (200, 50))
    y = 25 + random.uniform(4, 12) * np.sin(x / random.uniform(14, 32) + random.uniform(0, 7)) + random.uniform(-5, 5)
    ImageDraw.Draw(line).line(list(zip(x.tolist(), y.tolist(), strict=True)), 255, int(random.integers(1, 3)))
    ink = np.maximum(ink, np.asarray(line, float) / 255)
    ground = 225 - 30 * np.linspace(0, random.uniform(0, 1), 200) - random.uniform(0, 25)
    picture = ground + (random.uniform(20, 70) - ground) * ink + random.normal(0, 3, ink.shape)
    return Image.fromarray(picture.clip(0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.6))


def _svg(random: Random, text: str) -> np.ndarray:
    face = _face(COMIC, 46)
    ink = Image.new("L", (150, 50))
    for number, letter in enumerate(text):
        tile = _tile(letter, face, random.uniform(-8, 8), random.uniform(-0.1, 0.1))
        place = round(148 / (len(text) + 1) * (number + 1)) - tile.width // 2
        ink.paste(255, (place, 25 - tile.height // 2), tile)
    return np.asarray(ink, float) / 255


def svg(random: Random, text: str) -> Image.Image:
    """Draw grey letters, each turned a little, at even distances, like svg-captcha without noise."""
    ink = _svg(random, text)
    return Image.fromarray((255 - (255 - random.integers(0, 80)) * ink).astype(np.uint8))


def svg_line(random: Random, text: str) -> Image.Image:
    """Draw the same with a curve over the letters, as svg-captcha does by default."""
    ink = _svg(random, text)
    t = np.linspace(0, 1, 60)[:, None]
    ends = np.array([(x + random.uniform(-12, 12), random.uniform(6, 44)) for x in (15, 55, 95, 135)])
    way = (1 - t) ** 3 * ends[0] + 3 * t * (1 - t) ** 2 * ends[1] + 3 * t**2 * (1 - t) * ends[2] + t**3 * ends[3]
    line = Image.new("L", (150, 50))
    ImageDraw.Draw(line).line([tuple(point) for point in way.tolist()], 255, 2)
    ink = np.maximum(ink, np.asarray(line, float) / 255)
    return Image.fromarray((255 - (255 - random.integers(0, 80)) * ink).astype(np.uint8))


def svg_outlined(random: Random, text: str) -> Image.Image:
    """Draw the outlines of letters, each turned, at even distances."""
    ink = Image.new("L", (150, 50))
    for number, letter in enumerate(text):
        face = _face(COMIC, 42)
        tile = Image.new("L", (80, 100))
        ImageDraw.Draw(tile).text((40, 50), letter, 0, face, "mm", stroke_width=2, stroke_fill=255)
        inner = Image.new("L", tile.size)
        ImageDraw.Draw(inner).text((40, 50), letter, 255, face, "mm")
        tile.paste(0, (0, 0), inner)
        tile = tile.rotate(random.uniform(-15, 15), Image.Resampling.BICUBIC)
        place = round(148 / (len(text) + 1) * (number + 1)) - tile.width // 2
        ink.paste(255, (place, 25 - tile.height // 2), tile)
    return Image.fromarray((255 - (255 - random.integers(0, 80)) * (np.asarray(ink, float) / 255)).astype(np.uint8))


def plain_sum(random: Random, text: str) -> Image.Image:
    """Draw a sum, letter beside letter, turned a little, with a few dots."""
    face = _face(SANS, 26)
    tiles = [_tile(letter, face, random.uniform(-8, 8)) for letter in text]
    ink = _row(tiles, (160, 50), random.integers(1, 5, len(text)).tolist(), random.integers(-2, 3, len(text)).tolist())
    picture = 245 - random.integers(150, 240) * ink
    for y, x in zip(random.integers(0, 50, 25), random.integers(0, 160, 25), strict=True):
        picture[y, x] = 120
    return Image.fromarray(picture.clip(0, 255).astype(np.uint8))


def pypi(random: Random, text: str) -> Image.Image:
    """Draw a picture of the `captcha` package, whose own randomness has no seed."""
    from captcha.image import ImageCaptcha

    return ImageCaptcha().generate_image(text)


def colours(random: Random, text: str) -> Image.Image:
    """Draw letters, each in a colour of its own, on a ground of coloured shapes, like multicolorcaptcha."""
    picture = Image.new("RGB", (200, 80), tuple(random.integers(0, 256, 3).tolist()))
    pen = ImageDraw.Draw(picture)
    for _ in range(40):
        x, y, wide, high = random.integers(0, 200), random.integers(0, 80), *random.integers(5, 60, 2)
        pen.ellipse(
            (x - wide, y - high, x + wide, y + high), outline=tuple(random.integers(0, 256, 3).tolist()), width=3
        )
    for _ in range(30):
        pen.line(random.integers(0, 200, 4).tolist(), tuple(random.integers(0, 256, 3).tolist()), 2)
    for number, letter in enumerate(text):
        tile = _tile(letter, _face(SANS, int(random.integers(30, 46))), random.uniform(-35, 35))
        place = (10 + number * 46 + random.integers(-4, 5), int(random.integers(-25, 5)))
        picture.paste(tuple(random.integers(0, 256, 3).tolist()), place, tile)
    return picture


def clean(random: Random, text: str) -> Image.Image:
    """Draw dark letters on white, one beside the other."""
    picture = Image.new("L", (120, 40), 255)
    ImageDraw.Draw(picture).text((int(random.integers(4, 14)), int(random.integers(0, 8))), text, 20, _face(LOWER, 26))
    return picture


FOUR_LOWER, FOUR_DIGITS = letters_of(string.ascii_lowercase, 4, 4), letters_of(string.digits, 4, 4)
KINDS = {
    "kaggle": Kind(kaggle, letters_of(KAGGLE, 5, 5), (1070,), (0.95,)),
    "svg": Kind(svg, letters_of(SVG, 4, 4), (1500,), (0.9,)),
    "svg-outlined": Kind(svg_outlined, letters_of(SVG, 4, 4), (1500,), (0.9,)),
    "svg-line": Kind(svg_line, letters_of(string.ascii_letters + string.digits, 4, 4), (1500,), (0.82,)),
    "sum": Kind(plain_sum, sum_of, (1000,), (0.98,)),
    "pypi-digits": Kind(pypi, FOUR_DIGITS, (1500,), (0.9,)),
    "pypi": Kind(pypi, letters_of(CAPITALS, 4, 4), (1500,), (0.38,)),
    "colours": Kind(colours, FOUR_DIGITS, (1000,), (None,)),
    "lower": Kind(clean, FOUR_LOWER, (30, 100, 300), (0.0, 0.95, 0.99)),
}


def write(kind: Kind, count: int, seed: int, folder: Path) -> dict[str, str]:
    """Draw labelled pictures into a folder with a `labels.csv`; return the label of each file."""
    folder.mkdir(parents=True)
    random = np.random.Generator(np.random.Philox(seed))
    labels = {}
    for number in range(count):
        text = kind.text(random)
        name = f"{number:05d}.png"
        kind.draw(random, text).save(folder / name)
        labels[name] = text
    rows = "".join(f'"{name}","{text}"\n' for name, text in labels.items())
    (folder / "labels.csv").write_text("path,label\n" + rows, encoding="utf-8")
    return labels

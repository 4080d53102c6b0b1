"""Draw numbers of four digits, some of which the shipped models read as letters where nobody says what to expect."""

import io
import random

from PIL import Image, ImageChops, ImageDraw, ImageFont

from tasks.profiles.fonts import find_face

FACE = "Prociono"  # its digits have the forms of small letters


def draw_text(text: str, chance: random.Random, face: str = FACE) -> bytes:
    """Draw a text with turned letters, as a PNG file."""
    font = ImageFont.truetype(str(find_face(face).path), 26)
    picture = Image.new("L", (30 + 22 * len(text), 36), 255)
    x = 2
    for letter in text:
        card = Image.new("L", (44, 36), 255)
        ImageDraw.Draw(card).text((12, 2), letter, font=font, fill=0)
        turned = card.rotate(chance.uniform(-25, 25), Image.Resampling.BICUBIC, fillcolor=255)
        picture.paste(ImageChops.darker(turned, picture.crop((x, 0, x + 44, 36))), (x, 0))
        x += 18 + chance.randrange(4)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def numbers(count: int, seed: int = 5) -> list[tuple[bytes, str]]:
    """Draw numbers, each with its text."""
    chance = random.Random(seed)
    texts = [f"{chance.randrange(10_000):04}" for _ in range(count)]
    return [(draw_text(text, chance), text) for text in texts]

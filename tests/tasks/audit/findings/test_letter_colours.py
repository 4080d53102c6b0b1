"""A colour that each letter has for itself is found; colours of places, of pictures or of chance are not."""

import colorsys

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from tasks.audit.findings.files.giveaways import find_giveaways

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
FONT = ImageFont.load_default(30)
COUNT = 200


def hue(share: float) -> tuple[int, int, int]:
    red, green, blue = (int(255 * part) for part in colorsys.hsv_to_rgb(share, 1, 0.7))
    return red, green, blue


def drawn(text: str, rng: np.random.Generator, kind: str) -> np.ndarray:
    """Draw a text in colours that follow from its letters, their places or chance, (50, 160, 3) uint8."""
    image = Image.new("RGB", (160, 50), "white")
    draw, of_picture = ImageDraw.Draw(image), rng.random()
    for _ in range(3):
        draw.line([int(end) for end in rng.integers(0, 50, 4)], hue(rng.random()), 1)
    for place, letter in enumerate(text):
        share = {
            "letters": LETTERS.index(letter) / len(LETTERS), "places": place / 5, "picture": of_picture,
            "chance": rng.random(), "few": rng.integers(8) / 8,
        }[kind]  # fmt: skip
        at = 6 + 30 * place + int(rng.integers(0, 8)), int(rng.integers(0, 14))
        draw.text(at, letter, hue(share), FONT)
    return np.array(image)


def answer(kind: str) -> dict:
    rng = np.random.default_rng(5)
    texts = ["".join(rng.choice(list(LETTERS), 5)) for _ in range(COUNT)]
    return next(
        one for one in find_giveaways((), texts, ([drawn(text, rng, kind) for text in texts], texts))
        if one["name"] == "answer"
    )  # fmt: skip


def test_a_colour_for_each_letter_is_found():
    found = answer("letters")
    assert found["severity"] == "high" and "the colours of the letters" in found["figures"]["pixels"]
    assert "have a colour of their own" in found["plain"]


@pytest.mark.parametrize("kind", ["places", "picture", "chance", "few"])
def test_other_colours_tell_nothing(kind):
    assert answer(kind)["severity"] == "unknown"

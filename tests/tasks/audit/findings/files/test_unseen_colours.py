"""Answers under full transparency, and in the choice among equal colours of a palette; soft edges are not accused."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from tasks.audit.findings.files.giveaways import find_giveaways

LETTERS = "ABCDEFGHJKLM"
FONT = ImageFont.load_default(14)
TEXTS = ["".join(row) for row in np.random.Generator(np.random.Philox(4)).choice(list(LETTERS), (120, 4))]


def drawn(text: str, rng: np.random.Generator, ink: int = 0) -> np.ndarray:
    """Draw letters at any height on white, (h, w) uint8."""
    image = Image.new("L", (70, 24), 255)
    for place, letter in enumerate(text):
        ImageDraw.Draw(image).text((5 + 15 * place + rng.integers(0, 4), rng.integers(0, 7)), letter, ink, FONT)
    return np.asarray(image)


def hidden_letters(text: str, rng: np.random.Generator) -> Image.Image:
    """Letters of another text are shown, and the answer's stand under transparency."""
    alpha = np.where(drawn(text[::-1], rng) < 128, 255, 0)
    return Image.fromarray(np.dstack([*[drawn(text, rng)] * 3, alpha]).astype(np.uint8))


def hidden_noise(text: str, rng: np.random.Generator) -> Image.Image:
    """What is transparent differs from picture to picture, but not with the answer."""
    alpha = np.where(drawn(text, rng) < 128, 255, 0)
    colours = np.where(rng.random(alpha.shape) < rng.random(), 0, 255)
    return Image.fromarray(np.dstack([*[colours] * 3, alpha]).astype(np.uint8))


def soft_edges(text: str, rng: np.random.Generator) -> Image.Image:
    """A ground that was made transparent where it is nearly white."""
    shown = drawn(text, rng)
    return Image.fromarray(np.dstack([*[shown] * 3, np.where(shown > 195, 0, 255)]).astype(np.uint8))


def doubled(text: str, rng: np.random.Generator) -> Image.Image:
    """Two entries of the palette are white; which a pixel uses is a bit of the answer."""
    chosen = np.where(drawn(text, rng) < 128, 2, 0).astype(np.uint8)
    bits = np.unpackbits(np.frombuffer(text.encode(), np.uint8))
    chosen[0, : len(bits)] = bits
    return paletted(chosen)


def doubled_by_chance(text: str, rng: np.random.Generator) -> Image.Image:
    return paletted(np.where(drawn(text, rng) < 128, 2, rng.integers(0, 2, (24, 70))).astype(np.uint8))


def paletted(chosen: np.ndarray) -> Image.Image:
    image = Image.fromarray(chosen)
    image.putpalette([255, 255, 255, 255, 255, 255, 9, 9, 60])
    return image


@pytest.mark.parametrize(
    ("draw", "said"),
    [(hidden_letters, "the colours of transparent pixels"), (doubled, "the choice among equal colours of the palette"),
     (hidden_noise, None), (soft_edges, None), (doubled_by_chance, None)],
)  # fmt: skip
def test_what_no_viewer_shows_is_named_if_it_tells_the_answer(tmp_path, draw, said):
    rng = np.random.Generator(np.random.Philox(8))
    for text in TEXTS:
        file = io.BytesIO()
        draw(text, rng).save(file, "PNG")
        (tmp_path / f"{text}.png").write_bytes(file.getvalue())
    (found,) = find_giveaways([tmp_path], TEXTS)
    assert found["severity"] == ("none" if said is None else "high")
    if said is not None:
        assert said in found["plain"]

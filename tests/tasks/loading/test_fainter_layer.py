"""What shines through behind letters is left out; letters of several shades stay."""

import io
import random

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from tasks.loading.oddities.fainter_layer import without_fainter_layer
from tests.doubtful import DOUBTFUL
from tests.strangers import FACES, FONTS, draw, lay_out

SHADES = (10, 10, 10), (150, 150, 150)


def opened(file: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(file)).convert("RGB"))


@pytest.mark.parametrize("kind", ["shines", "shines-strong", "shines-other"])
def test_what_shines_through_is_left_out_and_letters_stay(kind):
    found = 0
    for file, _ in draw(kind, 12, 3, kinds=DOUBTFUL):
        image = opened(file)
        letters, alone = image[:, :, 0] < 40, without_fainter_layer(image)
        if alone is None:
            continue
        found += 1
        assert alone.shape == image.shape and (alone == alone[:, :, :1]).all()
        assert (alone[letters] < 60).all()
        assert alone[:, :, 0][image[:, :, 0] > 170].min() > 200
    assert found >= 6


@pytest.mark.parametrize("face", FACES)
def test_letters_of_two_shades_stay_as_they_are(face):
    """A fainter letter is a letter: before each of two texts was read without it."""
    chance = random.Random(3)
    for text in ("KUMA", "BONE", "TRYX", "WHIM"):
        plate = lay_out(text, chance, face)
        image = plate.each([chance.choice(SHADES) for _ in text[2:]] + [*SHADES], (255, 255, 255))
        assert without_fainter_layer(np.array(image)) is None


def test_letters_of_two_shades_that_touch_stay_as_they_are():
    for gap in (-2, -1, 0):
        image = Image.new("RGB", (150, 48), (255, 255, 255))
        font, at = ImageFont.truetype(FONTS / FACES[0], 28), 10.0
        for k, letter in enumerate("HNKEM"):
            ImageDraw.Draw(image).text((at, 6), letter, fill=SHADES[k % 2], font=font)
            at += font.getlength(letter) + gap
        assert without_fainter_layer(np.array(image)) is None


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (48, 140)])
def test_a_picture_without_letters_is_left_alone(size):
    assert without_fainter_layer(np.full((*size, 3), 200, np.uint8)) is None
    assert without_fainter_layer(np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8)) is None


def bars(shades: list[int], step: int) -> np.ndarray:
    """Bars 20 px wide, every second black and higher up; the others in turn in these shades, lower and behind."""
    picture = np.full((56, 150, 3), 255, np.uint8)
    for k in (1, 3, 5):
        picture[20:45, 10 + step * k : 30 + step * k] = shades[k // 2 % len(shades)]
    for k in (0, 2, 4):
        picture[10:32, 10 + step * k : 30 + step * k] = 0
    return picture


def test_a_layer_lies_in_the_middle_of_letters_and_has_one_shade():
    assert without_fainter_layer(bars([170], 10)) is not None
    assert without_fainter_layer(bars([170], 17)) is None  # they only meet at their edges, as letters that lean do
    assert without_fainter_layer(bars([150, 210, 210], 10)) is None

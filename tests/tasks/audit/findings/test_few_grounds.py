"""Grounds that are chosen from a few: each can be averaged and subtracted, though no pixel is the same in all."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from tasks.audit.findings.measuring.sampled import Sampled
from tasks.audit.findings.picture_defects import find_ground

FONT = ImageFont.load_default(28)
LETTERS = "ABCDEFGHKMNPQRSTUVWXYZ"


def ground(seed: int) -> Image.Image:
    rng = np.random.default_rng(seed)
    image = Image.new("L", (150, 44), int(rng.integers(200, 240)))
    draw = ImageDraw.Draw(image)
    for _ in range(20):
        ends = [(int(rng.integers(150)), int(rng.integers(44))) for _ in range(2)]
        draw.line(ends, int(rng.integers(60, 180)), int(rng.integers(1, 4)))
    return image


def sample(grounds: int, count: int = 120, texts: int = 0, fixed: bool = False, plain: float = 0.0) -> Sampled:
    """Draw on one of so many grounds, 0 for a new one each; with one of so many texts, 0 for any."""
    pictures, labels = [], []
    for k in range(count):
        rng = np.random.default_rng([3, k])
        image = ground(1000 + k) if not grounds or rng.random() < plain else ground(int(rng.integers(grounds)))
        chosen = np.random.default_rng(int(rng.integers(texts))) if texts else rng
        text = "".join(LETTERS[j] for j in chosen.integers(0, len(LETTERS), 4))
        left = 10 if fixed else int(rng.integers(4, 26))
        for letter in text:
            top = 6 if fixed else int(rng.integers(0, 14))
            ImageDraw.Draw(image).text((left, top), letter, 40 if fixed else int(rng.integers(0, 50)), FONT)
            left += 30 if fixed else int(rng.integers(24, 31))
        pictures.append(255 - np.asarray(image))
        labels.append(text)
    boxes = np.full((count, 4, 4), -1, np.int16)
    return Sampled(pictures, labels, boxes, np.zeros(count), labels, count)


@pytest.mark.parametrize("grounds", [2, 3, 6])
def test_a_few_grounds_are_counted_and_shown(grounds):
    found = find_ground(sample(grounds))
    assert found["severity"] == "high"
    assert f"have one of {grounds} grounds" in found["plain"]
    assert found["figures"]["of_a_ground"]["right"] == 120
    assert len(found["shown"]) == min(grounds, 4)


def test_other_pictures_may_have_grounds_of_their_own():
    found = find_ground(sample(2, plain=0.3))
    assert found["severity"] == "high" and "have one of at least 2 grounds" in found["plain"]
    assert 70 <= found["figures"]["of_a_ground"]["right"] <= 95
    assert find_ground(sample(1, plain=0.7))["severity"] == "none"


@pytest.mark.parametrize("fixed", [False, True])
def test_new_grounds_are_none_even_where_letters_stand_in_fixed_places(fixed):
    """Most letters have a stem at the left, so that it is ink in most pictures: that is no ground."""
    found = find_ground(sample(0, fixed=fixed))
    assert found["severity"] == "none" and found["figures"]["grounds"] == 0


def test_few_texts_in_fixed_places_are_no_grounds():
    """Pictures of the same text have its letters in common."""
    assert find_ground(sample(0, texts=6, fixed=True))["figures"]["grounds"] == 0

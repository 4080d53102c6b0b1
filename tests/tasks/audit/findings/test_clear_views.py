"""Letters in one bit of the pixels or in the difference of two channels are named; honest pictures raise no alarm."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from tasks.audit.findings.clear_views import find_views, letters_stand
from tasks.profiles.built_in import find_profile
from tests.tasks.audit.findings.test_defects import NOISY, PLAIN, hue, sampled

FONT = ImageFont.load_default(28)
TEXTS = [f"{first}{second}K" for first in "ABCDEF" for second in "HMNP"]


def letters(text: str, rng: np.random.Generator) -> np.ndarray:
    """Return where letters are, (50, 110) bool, each at a place of its own."""
    image = Image.new("L", (110, 50))
    for place, letter in enumerate(text):
        at = (12 + 30 * place + int(rng.integers(-3, 4)), int(rng.integers(2, 14)))
        ImageDraw.Draw(image).text(at, letter, 255, FONT)
    return np.asarray(image) > 127


def in_a_bit(bit: int, text: str, rng: np.random.Generator) -> np.ndarray:
    there = letters(text, rng)
    noise = rng.integers(0, 256, there.shape)
    return (noise & ~(1 << bit) | there.astype(np.int64) << bit).astype(np.uint8)


def in_a_difference(text: str, rng: np.random.Generator) -> np.ndarray:
    there = letters(text, rng)
    red, green = rng.integers(40, 216, there.shape), rng.integers(0, 256, there.shape)
    return np.dstack([red, green, red + 24 * there]).astype(np.uint8)


@pytest.mark.parametrize("bit", [0, 3, 4, 5])
def test_letters_in_a_bit_are_named(bit):
    rng = np.random.default_rng(1)
    (found,) = find_views([in_a_bit(bit, text, rng) for text in TEXTS], TEXTS)
    assert (found["severity"], found["figures"]["view"]) == ("high", f"bit {bit} of the levels")
    assert found["shown"]


def test_letters_in_a_difference_of_channels_are_named():
    rng = np.random.default_rng(1)
    (found,) = find_views([in_a_difference(text, rng) for text in TEXTS], TEXTS)
    assert found["figures"]["view"] == "blue less red"


def test_letters_in_a_bit_of_one_channel_are_named():
    rng = np.random.default_rng(1)
    pictures = [in_a_bit(4, text, rng) for text in TEXTS]
    coloured = [np.dstack([rng.integers(0, 256, (*one.shape, 2)).astype(np.uint8), one]) for one in pictures]
    assert find_views(coloured, TEXTS)[0]["figures"]["view"] == "bit 4 of blue"


@pytest.mark.parametrize("profile", [PLAIN, NOISY], ids=["plain", "noisy"])
@pytest.mark.parametrize("colours", [{}, {"letter_colour": hue(0, 359), "line_colour": hue(0, 359)}])
def test_pictures_that_show_their_letters_raise_no_alarm(profile, colours):
    sample = sampled(profile if not colours else profile.__class__(**{**profile.__dict__, **colours}), 24)
    assert not find_views(sample.seen, sample.texts)


def test_noise_alone_raises_no_alarm():
    rng = np.random.default_rng(1)
    assert not find_views([rng.integers(0, 256, (50, 110, 3)).astype(np.uint8) for _ in TEXTS], TEXTS)
    assert not find_views([np.full((50, 110), 200, np.uint8) for _ in TEXTS], TEXTS)
    assert not find_views([], [])


def test_the_bands_of_a_gradient_are_no_letters():
    """In the lowest bit of a gradient there are bands, which the letters and lines on it cut into pieces."""
    sample = sampled(find_profile("like-kaptcha"), 24)
    assert not find_views(sample.pictures, sample.texts)


def test_letters_stand_with_either_side_as_ink():
    there = letters("AHK", np.random.default_rng(1))
    assert letters_stand(there, 3)
    assert letters_stand(~there, 3)

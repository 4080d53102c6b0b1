"""A threshold that tells letters from noise, where both have many colours: found if it is there, and only then."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from tasks.audit.findings.colour_rules import TRIED, rule_by_shapes

FONT = ImageFont.load_default(34)
Draw = Callable[[np.random.Generator], tuple[int, ...]]


def between(low: tuple[int, int, int], high: tuple[int, int, int]) -> Draw:
    return lambda rng: tuple(int(level) for level in rng.integers(low, np.add(high, 1)))


def picture(seed: int, letter: Draw, noise: Draw, ground: int) -> np.ndarray:
    """Draw four letters, each of its own colour, under lines and specks that each have their own."""
    rng = np.random.Generator(np.random.Philox(key=[seed, 4]))
    image = Image.new("RGB", (140, 50), (ground,) * 3)
    draw = ImageDraw.Draw(image)
    for place in range(4):
        draw.text((6 + 33 * place, int(rng.integers(0, 8))), "KMWX"[int(rng.integers(4))], letter(rng), FONT)
    for _ in range(6):
        ends = [(int(rng.integers(140)), int(rng.integers(50))) for _ in range(2)]
        draw.line(ends, noise(rng), 2)
    for _ in range(60):
        draw.point((int(rng.integers(140)), int(rng.integers(50))), noise(rng))
    return np.asarray(image)


def searched(letter: Draw, noise: Draw, ground: int = 255, colour: bool = True):
    pictures = [picture(seed, letter, noise, ground) for seed in range(2 * TRIED)]
    return rule_by_shapes(pictures, [4] * len(pictures), colour)


@pytest.mark.parametrize(
    ("letter", "noise", "ground", "said"),
    [
        (between((0, 0, 0), (170, 170, 60)), between((0, 0, 150), (170, 170, 230)), 255, "blue at most"),
        (between((0, 0, 0), (170, 60, 170)), between((0, 150, 0), (170, 230, 170)), 255, "green at most"),
        (between((0, 0, 0), (80, 80, 80)), between((140, 140, 140), (205, 205, 205)), 255, "at most"),
        (between((190, 190, 190), (255, 255, 255)), between((70, 70, 70), (130, 130, 130)), 10, "above"),
    ],
    ids=["blue", "green", "lightness", "on a dark ground"],
)
def test_a_value_that_divides_letters_of_many_colours_from_noise_is_found(letter, noise, ground, said):
    found = searched(letter, noise, ground)
    assert said in found.rule.told
    assert found.rate.value >= 0.75 and found.rate.n == TRIED
    assert len(found.shown) == 6


@pytest.mark.parametrize(
    ("letter", "noise"),
    [(between((0, 0, 0), (180, 180, 180)),) * 2, (between((0, 0, 0), (0, 0, 0)),) * 2],
    ids=["any", "black"],
)  # fmt: skip
def test_noise_of_the_letters_colours_leaves_no_rule(letter, noise):
    assert searched(letter, noise) is None


def test_thin_lines_with_soft_edges_are_no_noise_of_another_colour():
    """They are lighter than letters of the same colour, as all that is thin."""
    pictures = []
    for seed in range(2 * TRIED):
        rng = np.random.Generator(np.random.Philox(key=[seed, 6]))
        large = Image.new("RGB", (560, 200), "white")
        draw = ImageDraw.Draw(large)
        dark = between((0, 0, 0), (110, 110, 110))
        for place in range(4):
            draw.text((24 + 132 * place, int(rng.integers(0, 30))), "KMWX"[int(rng.integers(4))], dark(rng),
                      FONT.font_variant(size=136))  # fmt: skip
        for _ in range(8):
            draw.line([(int(rng.integers(560)), int(rng.integers(200))) for _ in range(2)], dark(rng), 4)
        pictures.append(np.asarray(large.resize((140, 50), Image.Resampling.BOX)))
    assert rule_by_shapes(pictures, [4] * len(pictures), True) is None


def test_in_grey_pictures_only_the_lightness_is_looked_at():
    found = searched(between((0, 0, 0), (80, 80, 80)), between((140, 140, 140), (205, 205, 205)), colour=False)
    assert found.rule.told.startswith("lightness at most")


def test_few_and_huge_pictures_are_not_searched():
    some = [np.zeros((20, 20, 3), np.uint8)] * (2 * TRIED - 1)
    assert rule_by_shapes(some, [4] * len(some), True) is None
    assert rule_by_shapes([np.zeros((4000, 4000, 3), np.uint8)] * (2 * TRIED), [4] * 2 * TRIED, True) is None

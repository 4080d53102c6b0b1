"""Dithered pictures become shades again."""

import random

import numpy as np
import pytest
from PIL import Image

from tasks.loading.oddities.dither import undithered
from tests.strangers import FACES, lay_out


def grey(level: int) -> Image.Image:
    return lay_out("KUMA", random.Random(1), FACES[0]).plain((level, level, level)).convert("L")


@pytest.mark.parametrize("level", [110, 150])
def test_dots_become_shades(level):
    dots = np.array(grey(level).convert("1").convert("RGB"))  # Pillow spreads the error to the pixels that follow
    shades, meant = undithered(dots).astype(int), np.array(grey(level).convert("RGB")).astype(int)
    assert shades.shape == meant.shape
    assert abs(shades - meant).mean() < abs(dots.astype(int) - meant).mean() / 2


@pytest.mark.parametrize("image", [grey(16), grey(16).point(lambda level: 255 * (level > 99)), grey(255)])
def test_other_pictures_are_not_dithered(image):
    assert undithered(np.array(image.convert("RGB"))) is None
    assert undithered(np.zeros((2, 9, 3), np.uint8)) is None

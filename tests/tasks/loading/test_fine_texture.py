"""Textures that are finer than strokes are smoothed, and pictures without them are read as they are."""

import io

import numpy as np
import pytest
from PIL import Image

from tasks.loading.oddities.fine_texture import MOST, smoothed
from tests.strangers import KINDS, draw
from tests.textured_texts import TEXTURED


def opened(file: bytes, times: int = 1) -> np.ndarray:
    image = Image.open(io.BytesIO(file)).convert("RGB")
    return np.asarray(image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST))


def unequal(image: np.ndarray) -> float:
    """How much pixels differ from those beside them, in levels."""
    return float(np.abs(np.diff(image.astype(np.int16), axis=1)).mean())


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("kind", TEXTURED)
def test_a_fine_texture_is_smoothed_in_pictures_of_any_size(kind, times):
    pictures = [opened(file, times) for file, _ in draw(kind, 6, 3, kinds=TEXTURED)]
    found = [smoothed(picture) for picture in pictures]
    assert sum(map(bool, found)) >= 5
    for picture, ways in zip(pictures, found, strict=True):
        assert {(way.shape, way.dtype) for way in ways} <= {(picture.shape, np.dtype(np.uint8))}
        levels = [unequal(way) for way in (picture, *ways)]
        assert levels == sorted(levels, reverse=True)
        assert not ways or levels[1] < 0.7 * levels[0]


@pytest.mark.parametrize("kind", ["plain", "framed", "two-inks", "coloured", "gradient", "white-lines", "lined-paper"])
def test_pictures_without_a_texture_stay_as_they_are(kind):
    assert not any(smoothed(opened(file)) for file, _ in draw(kind, 6, 3, kinds=KINDS))


def test_letters_keep_their_contrast_when_the_grain_goes():
    letters = np.zeros((60, 160), np.bool_)
    for left in range(20, 140, 30):
        letters[12:48, left : left + 8] = True
    grain = np.random.default_rng(1).normal(0, 90, letters.shape)
    grey = np.clip(np.where(letters, 70, 190) + grain, 0, 255).astype(np.uint8)
    for way in smoothed(np.repeat(grey[:, :, None], 3, axis=2)):
        inside, outside = way[letters][:, 0].astype(float), way[~letters][:, 0].astype(float)
        assert outside.mean() - inside.mean() > 1.5 * max(inside.std(), outside.std())
    inside, outside = grey[letters].astype(float), grey[~letters].astype(float)
    assert outside.mean() - inside.mean() < 1.5 * max(inside.std(), outside.std())


def test_noise_that_shows_next_to_nothing_and_large_pictures_are_left_alone():
    chance = np.random.default_rng(2)
    assert smoothed(chance.integers(200, 230, (48, 140, 3), np.uint8)) == ()
    high = 400
    noise = chance.integers(0, 256, (high, MOST // high, 3), np.uint8)
    assert len(smoothed(noise)) == 2
    assert smoothed(np.concatenate([noise, noise[:1]])) == ()
    for size in ((1, 1), (3, 200)):
        assert smoothed(np.full((*size, 3), 200, np.uint8)) == ()

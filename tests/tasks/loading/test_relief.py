"""Letters that only rims and shadows show are filled in, also where a rim has gaps and a line crosses it."""

import random

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tasks.loading.decode import decode_seen
from tasks.loading.oddities import relief
from tasks.loading.oddities.relief import filled_in
from tests.relief_texts import FINE, RELIEF
from tests.strangers import FACES, lay_out


@pytest.mark.parametrize("kind", RELIEF)
def test_letters_are_filled_and_nothing_else_is(kind):
    plate = lay_out("RoKa", random.Random(2), FACES[1], **RELIEF[kind].layout)
    image = np.asarray(decode_seen(RELIEF[kind].make(plate)))
    found = filled_in(image)
    assert found.shape == image.shape and found.dtype == np.uint8 and (found == found[:, :, :1]).all()
    letters = np.asarray(plate.mask.reduce(FINE)) > 127
    filled = found[:, :, 0] == 0
    assert filled[letters].mean() > 0.9
    assert (filled & letters).sum() > 0.5 * filled.sum()  # rims are filled as well
    assert filled[~letters].mean() < 0.15
    if kind != "relief-outline":  # a shadow is seen beside the letters, fainter
        assert ((found[:, :, 0] > 0) & (found[:, :, 0] < 200)).mean() > 0.01


def ring(gap: int) -> np.ndarray:
    """Draw two circles around each other, each with a gap."""
    picture = Image.new("RGB", (60, 60), (255, 255, 255))
    brush = ImageDraw.Draw(picture)
    brush.ellipse((8, 8, 51, 51), outline=(0, 0, 0))
    brush.ellipse((17, 17, 42, 42), outline=(0, 0, 0))
    if gap:
        brush.rectangle((29, 8, 29 + gap - 1, 9), fill=(255, 255, 255))
        brush.rectangle((17, 29, 18, 29 + gap - 1), fill=(255, 255, 255))
    return np.asarray(picture)


@pytest.mark.parametrize("gap", [0, 1, 2])
def test_a_gap_in_a_rim_lets_nothing_in_or_out(gap):
    found = filled_in(ring(gap))[:, :, 0]
    assert (found[30, [12, 13, 46, 47]] == 0).all() and (found[[12, 13, 46, 47], 30] == 0).all()
    assert (found[[30, 3, 57], [30, 3, 57]] == 255).all()


@pytest.mark.parametrize("ink", [(16, 16, 16), (150, 40, 60)])
def test_filled_letters_stay_as_they_are(ink):
    for face in FACES:  # O and e alone cannot be told from rims: their insides are large
        plate = lay_out("KRMTa", random.Random(1), face, (170, 48))
        assert filled_in(np.array(plate.plain(ink))) is None
        assert filled_in(255 - np.array(plate.plain(ink))) is None


def test_textures_and_large_pictures_are_left_alone():
    grid = np.full((600, 600, 3), 255, np.uint8)
    grid[::14] = grid[:, ::14] = 0
    assert filled_in(grid[:200, :200]) is not None
    assert filled_in(grid) is None  # it has 1,934 cells, which would take seconds where they are less alike
    assert filled_in(np.repeat(grid[:200, :200], 6, axis=0).repeat(6, axis=1)) is None


def test_a_ring_beside_a_text_and_holes_of_letters_are_no_letters_of_the_ground(monkeypatch):
    picture = lay_out("KJBP", random.Random(1), FACES[0], (190, 48)).plain()
    ImageDraw.Draw(picture).ellipse((152, 14, 166, 28), outline=(16, 16, 16), width=2)
    for filled, covered, found in ((0.05, 0.4, False), (0.15, 0.0, False), (0.05, 0.0, True)):  # each limit is enough
        monkeypatch.setattr(relief, "FILLED", filled)
        monkeypatch.setattr(relief, "COVERED", covered)
        assert (filled_in(np.array(picture)) is not None) == found


@pytest.mark.parametrize("size", [(1, 1), (1, 90), (48, 140)])
def test_a_picture_without_letters_is_left_alone(size):
    assert filled_in(np.full((*size, 3), 200, np.uint8)) is None
    assert filled_in(np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8)) is None

"""Lines and dots that are thinner than the letters' strokes are taken away, and nothing else."""

import random

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tasks.loading.oddities.thin_ink import without_dots, without_thin
from tests.strangers import FACES, lay_out

WHITE, BLACK = (255, 255, 255), (16, 16, 16)


def bold(ink=BLACK, ground=WHITE, times: int = 1) -> Image.Image:
    """Letters with strokes of five pixels, `times` as large."""
    return lay_out("KUMA", random.Random(1), FACES[0], (190 * times, 56 * times), points=40 * times).plain(ink, ground)


def crossed(picture: Image.Image, colour, times: int = 1) -> Image.Image:
    """The same with lines, a bow and dots, of two pixels."""
    picture, chance = picture.copy(), random.Random(2)
    drawn, (wide, high) = ImageDraw.Draw(picture), picture.size
    for _ in range(5):
        drawn.line([(chance.randrange(wide), chance.randrange(high)) for _ in range(2)], colour, 2 * times)
    drawn.arc((10 * times, 8 * times, 150 * times, 90 * times), 180, 330, colour, 2 * times)
    for _ in range(60):
        x, y = chance.randrange(wide), chance.randrange(high)
        drawn.rectangle((x, y, x + 2 * times - 1, y + 2 * times - 1), colour)
    return picture


def inked(image: np.ndarray, ground) -> np.ndarray:
    return abs(image.astype(int) - ground).max(axis=2) > 64


@pytest.mark.parametrize("times", [1, 3, 4])
@pytest.mark.parametrize(
    ("ink", "ground", "line"),
    [(BLACK, WHITE, BLACK), (BLACK, WHITE, (200, 30, 30)), (WHITE, (20, 20, 60), WHITE), ((30, 60, 220), WHITE, BLACK)],
)
def test_what_is_thinner_than_letters_goes_and_letters_stay(ink, ground, line, times):
    letters = bold(ink, ground, times)
    found = without_thin(np.asarray(crossed(letters, line, times)))
    assert 1 <= len(found) <= 3
    clean, noisy = (inked(np.asarray(image), ground) for image in (letters, crossed(letters, line, times)))
    left = [inked(image, ground) for image in found]
    assert all(image.dtype == np.uint8 and image.shape[:2] == clean.shape for image in found)
    thin = noisy & ~clean
    assert min((mask & thin).sum() for mask in left) < 0.2 * thin.sum()
    assert max((mask & clean).sum() for mask in left) > 0.9 * clean.sum()
    assert min((mask & clean).sum() for mask in left) > 0.7 * clean.sum()


def test_thin_letters_are_left_alone():
    face = "tex-gyre/texgyreheros-regular.otf"
    thin = lay_out("KUMA", random.Random(1), face, (140, 48), points=16).plain()
    assert without_thin(np.asarray(thin)) == ()


def test_corners_of_letters_are_no_noise():
    for face in FACES:
        plate = lay_out("KUMA", random.Random(1), face, (190, 56), points=40)
        assert without_thin(np.asarray(plate.plain())) == ()
        assert without_thin(np.asarray(plate.each([(230, 150, 20), BLACK, (30, 60, 220), (200, 30, 30)], WHITE))) == ()


@pytest.mark.parametrize("size", [(1, 1), (1, 90), (60, 2), (48, 140)])
def test_pictures_without_strokes_are_left_alone(size):
    for image in (
        np.full((*size, 3), 90, np.uint8),
        np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8),
        np.repeat(np.linspace(0, 255, size[1]).astype(np.uint8)[None, :, None], size[0], axis=0).repeat(3, axis=2),
    ):
        assert without_thin(image) == ()


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (200, 30, 30)])
def test_dots_of_one_pixel_go_and_letters_stay(colour):
    clean = np.asarray(bold((85, 85, 85), (170, 170, 170)))
    dotted, chance = clean.copy(), np.random.default_rng(3)
    rows, columns = (chance.integers(0, size, 500) for size in clean.shape[:2])
    dotted[rows, columns] = colour
    found = without_dots(dotted)
    far, before = (abs(image.astype(int) - clean).max(axis=2) > 64 for image in (found, dotted))
    assert far.sum() < 0.25 * before.sum()
    assert without_dots(clean) is None
    faint = clean.copy()
    faint[rows, columns] += 30
    assert without_dots(faint) is None
    few = clean.copy()
    few[rows[:60], columns[:60]] = colour  # of 10,640 pixels
    assert without_dots(few) is None


@pytest.mark.parametrize("size", [(1, 1), (2, 90), (90, 2), (3, 3)])
def test_a_picture_of_few_pixels_has_no_dots(size):
    assert without_dots(np.full((*size, 3), 90, np.uint8)) is None


def test_a_huge_picture_is_left_alone():
    picture = crossed(bold(), BLACK)
    assert without_thin(np.asarray(picture.resize((950, 280))))
    assert without_thin(np.asarray(picture.resize((1900, 560)))) == ()
    dotted = np.zeros((1001, 1000, 3), np.uint8)
    dotted[::4, ::4] = 255
    assert without_dots(dotted) is None
    assert without_dots(dotted[:900]) is not None

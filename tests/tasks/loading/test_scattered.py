"""Small letters at any height are set side by side and enlarged."""

import io
import random

import numpy as np
import pytest
from PIL import Image

from tasks.loading.oddities.cards import distances
from tasks.loading.oddities.layouts.scattered import in_a_row, in_one_size
from tasks.loading.oddities.thin_ink import dilated
from tasks.loading.parts import find_parts
from tests.doubtful import DOUBTFUL
from tests.scattered_texts import SCATTERED
from tests.strangers import FACES, draw, lay_out


def opened(file: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(file)).convert("RGB"))


@pytest.mark.parametrize("kind", [kind for kind in SCATTERED if kind != "scattered-growing"])
def test_scattered_letters_stand_side_by_side_and_fill_the_picture(kind):
    image = opened(draw(kind, 1, 3, kinds=SCATTERED)[0][0])
    found = in_a_row(image)[-1]
    assert found.shape == image.shape and (found == found[:, :, :1]).all()
    inked = found[:, :, 0] < 128
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    assert np.ptp(rows) > 0.6 * image.shape[0] or np.ptp(columns) > 0.8 * image.shape[1]
    parts = find_parts(inked)
    letters = parts.area >= 0.2 * parts.area.max()
    assert letters.sum() == 5
    assert np.ptp(parts.table[letters, 0] + parts.table[letters, 2]) < 0.5 * parts.height.max()  # they are level


@pytest.mark.parametrize("width", [1, 2])
def test_thin_lines_that_join_letters_are_left_out_and_thin_strokes_stay(width):
    picture = np.full((140, 240, 3), 255, np.uint8)
    for k, top in enumerate((10, 80, 30, 100)):  # each an H whose bar is as thin as the lines
        for left in (0, 11):
            picture[top : top + 28, 20 + 55 * k + left : 25 + 55 * k + left] = 0
        picture[top + 14 : top + 14 + width, 25 + 55 * k : 31 + 55 * k] = 0
    for y in (20, 90, 110):
        picture[y : y + width] = 0
    (found,) = in_a_row(picture)
    inked = find_parts(found[:, :, 0] < 128)
    assert len(inked.table) == 4
    assert (inked.width > 0.5 * inked.height).all()


def test_letters_of_different_sizes_become_equally_high():
    for file, _ in draw("scattered-growing", 6, 3, kinds=SCATTERED):
        image = opened(file)
        before = find_parts(distances(image, image[0, 0].astype(np.int16)) > 100)
        parts = find_parts(in_one_size(image)[:, :, 0] < 128)
        letters = parts.area >= 0.2 * parts.area.max()
        assert letters.sum() >= 5  # some faces have letters in pieces
        assert parts.height[letters].max() < 1.4 * np.median(parts.height[letters])
        assert before.height.max() > 1.8 * before.height.min()


@pytest.mark.parametrize("place", [0, 3])
def test_a_small_thing_at_one_end_of_even_letters_is_not_enlarged(place):
    """It would be read as a letter, surely."""
    picture = np.full((60, 200, 3), 255, np.uint8)
    highs = [34, 32, 34]
    highs.insert(place, 16)
    for k, high in enumerate(highs):
        picture[45 - high : 45, 20 + 40 * k : 40 + 40 * k] = 0
    assert in_one_size(picture) is None
    picture[45 - 18 : 45, 180:198] = 0  # with another small letter they are of different sizes
    assert in_one_size(picture) is not None


@pytest.mark.parametrize("rise", [0.4, 0.8])
def test_letters_on_a_slanting_line_are_turned_too(rise):
    picture = np.full((240, 240, 3), 255, np.uint8)
    for k in range(5):  # upright ones, so that turning them makes them higher and wider
        top = 15 + round(40 * k * rise)
        picture[top : top + 30, 15 + 40 * k : 25 + 40 * k] = 0
    upright, turned = in_a_row(picture)
    widths = [np.median(find_parts(found[:, :, 0] < 128).width) for found in (upright, turned)]
    heights = [np.median(find_parts(found[:, :, 0] < 128).height) for found in (upright, turned)]
    assert widths[1] / heights[1] > 1.5 * widths[0] / heights[0]


def test_letters_on_a_line_and_large_letters_stay_as_they_are():
    for face in FACES:
        large = lay_out("KUMA", random.Random(1), face, (240, 60), points=46)
        small = lay_out("KUMAT", random.Random(1), face, (240, 100), points=20)
        assert in_one_size(np.array(large.plain())) is None
        assert in_a_row(np.array(large.plain())) == ()
        assert in_a_row(np.array(small.plain())) == ()


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (48, 140)])
def test_a_picture_without_letters_is_left_alone(size):
    assert in_a_row(np.full((*size, 3), 200, np.uint8)) == ()
    assert in_one_size(np.full((*size, 3), 200, np.uint8)) is None
    assert in_one_size(np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8)) is None
    assert in_a_row(np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8)) == ()


@pytest.mark.parametrize(
    "kind", ["small-framed", "small-specks", "small-all", "half-black", "half-colour", "block-grey", "card", "tiles"]
)
def test_other_kinds_are_not_scattered(kind):
    for file, _ in draw(kind, 6, 3, kinds=DOUBTFUL):
        assert in_a_row(opened(file)) == ()


def test_letters_below_each_other_stay_as_they_are():
    picture = np.full((200, 120, 3), 255, np.uint8)
    for top in (10, 60, 110, 160):
        picture[top : top + 25, 50:65] = 0
    assert in_a_row(picture) == ()


def test_a_large_picture_takes_no_long_search():
    """A square of 41 pixels, not taken row by row and column by column, took seven seconds."""
    mask = np.zeros((90, 200), np.bool_)
    mask[30, 50], mask[80, 199] = True, True
    wide = dilated(mask, 20)
    assert wide.sum() == 41 * 41 + 30 * 21
    assert wide[10:51, 30:71].all()

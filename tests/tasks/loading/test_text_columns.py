"""Texts that run down or up are set in a row."""

import io

import numpy as np
import pytest
from PIL import Image

from tasks.loading.oddities.layouts.text_columns import out_of_a_column
from tasks.loading.parts import find_parts
from tests.doubtful import DOUBTFUL
from tests.strangers import KINDS, draw
from tests.texts_in_rows import IN_COLUMNS, IN_ROWS


def opened(file: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(file)).convert("RGB"))


@pytest.mark.parametrize("kind", sorted(set(IN_COLUMNS) - {"column-lines", "side-lines"}))
def test_a_column_becomes_a_row_and_two_turned_texts(kind):
    for file, text in draw(kind, 4, 3, kinds=IN_COLUMNS):
        image = opened(file)
        upright, left, right = out_of_a_column(image)
        assert upright.shape[1] > upright.shape[0]
        np.testing.assert_array_equal(left, np.rot90(image, -1))
        np.testing.assert_array_equal(right, np.rot90(image, 1))
        parts = find_parts(upright[:, :, 0] < 128)
        letters = parts.area >= 0.2 * parts.area.max()
        assert abs(letters.sum() - len(text)) <= 2  # some touch, and some are in pieces


@pytest.mark.parametrize("kind", ["column-lines", "side-lines"])
def test_lines_seldom_hide_a_column(kind):
    assert sum(bool(out_of_a_column(opened(file))) for file, _ in draw(kind, 20, 3, kinds=IN_COLUMNS)) >= 14


def test_letters_keep_their_order_from_the_top():
    picture = np.full((220, 60, 3), 255, np.uint8)
    for k, wide in enumerate((10, 20, 30, 15)):
        picture[15 + 50 * k : 45 + 50 * k, 30 - wide // 2 : 30 - wide // 2 + wide] = 0
    parts = find_parts(out_of_a_column(picture)[0][:, :, 0] < 128)
    assert parts.width[np.argsort(parts.table[:, 1])].tolist() == [10, 20, 30, 15]


def test_a_large_picture_becomes_no_larger_than_readers_need():
    picture = np.full((3000, 300, 3), 255, np.uint8)
    for k in range(5):
        picture[100 + 600 * k : 500 + 600 * k, 40:260] = 0
    for found in out_of_a_column(picture):
        assert found.shape[0] <= 160 and found.shape[1] <= 2000


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"exif"}))
def test_a_text_in_a_row_stays_as_it_is(kind):
    for file, _ in draw(kind, 3, 3):
        image = opened(file)
        assert out_of_a_column(image) == ()
        page = np.full((3 * image.shape[1], image.shape[1], 3), 255, np.uint8)  # also on a tall page
        page[60 : 60 + image.shape[0]] = image
        assert out_of_a_column(page) == ()


@pytest.mark.parametrize("kind", ["rows-equal", "rows-longer", "scattered", "scattered-slanting", "small-all"])
def test_rows_and_scattered_letters_are_no_column(kind):
    for file, _ in draw(kind, 5, 3, kinds=DOUBTFUL | IN_ROWS):
        assert out_of_a_column(opened(file)) == ()


@pytest.mark.parametrize("size", [(1, 1), (200, 3), (140, 48)])
def test_a_picture_without_letters_is_left_alone(size):
    assert out_of_a_column(np.full((*size, 3), 200, np.uint8)) == ()
    assert out_of_a_column(np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8)) == ()

"""Texts around a circle or on an arc are set in a row."""

import io

import numpy as np
import pytest
from PIL import Image

from tasks.loading.oddities.layouts.around_circles import out_of_a_circle
from tasks.loading.parts import find_parts
from tests.doubtful import DOUBTFUL
from tests.strangers import KINDS, draw
from tests.tampered_texts import ON_CIRCLES


def opened(file: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(file)).convert("RGB"))


def blocks(angles: tuple[int, ...], wide: tuple[int, ...], radius: int = 60) -> np.ndarray:
    """Draw blocks of 24 rows around the middle, so many degrees clockwise from the top, each so many pixels wide."""
    picture = Image.new("L", (200, 200), 255)
    for degrees, width in zip(angles, wide, strict=True):
        cell = Image.new("L", (40, 40))
        cell.paste(255, (20 - width // 2, 8, 20 - width // 2 + width, 32))
        turned = cell.rotate(-degrees, Image.Resampling.BICUBIC)
        x, y = radius * np.sin(np.radians(degrees)), -radius * np.cos(np.radians(degrees))
        picture.paste(0, (round(100 + x) - 20, round(100 + y) - 20), turned)
    return np.repeat(np.asarray(picture)[:, :, None], 3, axis=2)


def widths(found: np.ndarray) -> list[int]:
    """Return the widths of the blocks of a row, from left to right, in tenths of their height."""
    parts = find_parts(found[:, :, 0] < 128)
    order = np.argsort(parts.table[:, 1])
    return np.rint(10 * parts.width[order] / np.median(parts.height)).astype(int).tolist()


@pytest.mark.parametrize("kind", ["arc-upper", "arc-lower", "arc-light", "ring"])
def test_letters_on_a_circle_become_a_row(kind):
    for file, text in draw(kind, 4, 3, kinds=ON_CIRCLES):
        (row,) = out_of_a_circle(opened(file))
        assert row.shape[1] > 1.5 * row.shape[0] and (row == row[:, :, :1]).all()
        parts = find_parts(row[:, :, 0] < 128)
        assert abs((parts.area >= 0.2 * parts.area.max()).sum() - len(text)) <= 2  # some touch


@pytest.mark.parametrize(("angles", "order"), [((-60, -20, 20, 60), 1), ((120, 160, 200, 240), -1)])
def test_an_upper_arc_is_read_clockwise_and_a_lower_one_anticlockwise(angles, order):
    (row,) = out_of_a_circle(blocks(angles, (6, 10, 14, 18)))
    assert np.argsort(widths(row)).tolist() == [0, 1, 2, 3][::order]


def test_an_arc_at_a_side_is_read_in_both_directions():
    clockwise, anticlockwise = out_of_a_circle(blocks((30, 70, 110, 150), (6, 10, 14, 18)))
    assert np.argsort(widths(clockwise)).tolist() == [0, 1, 2, 3]
    assert np.argsort(widths(anticlockwise)).tolist() == [3, 2, 1, 0]


def test_a_ring_begins_at_the_top():
    (row,) = out_of_a_circle(blocks((0, 72, 144, 216, 288), (18, 6, 9, 12, 15)))
    assert np.argsort(widths(row)).tolist() == [1, 2, 3, 4, 0]


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"exif"}))
def test_a_text_in_a_row_stays_as_it_is(kind):
    assert sum(bool(out_of_a_circle(opened(file))) for file, _ in draw(kind, 6, 3)) <= 1


@pytest.mark.parametrize("kind", ["rows-equal", "column", "scattered-slanting", "small-all", "tiles", "leaning-far"])
def test_rows_columns_and_slanting_texts_stand_on_no_circle(kind):
    assert sum(bool(out_of_a_circle(opened(file))) for file, _ in draw(kind, 6, 3, kinds=DOUBTFUL)) <= 1


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (48, 140)])
def test_a_picture_without_letters_is_left_alone(size):
    assert out_of_a_circle(np.full((*size, 3), 200, np.uint8)) == ()
    assert out_of_a_circle(np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8)) == ()


@pytest.mark.parametrize(("side", "found"), [(14, 1), (44, 0)])
def test_things_of_very_different_sizes_are_no_text_on_a_circle(side, found):
    picture = np.full((240, 240, 3), 255, np.uint8)
    for k in range(8):
        y, x = (int(120 + 80 * f(k * np.pi / 4)) for f in (np.sin, np.cos))
        half = (side if k == 3 else 14) // 2
        picture[y - half : y + half, x - half : x + half] = 0
    assert len(out_of_a_circle(picture)) == found

"""Rows of a text are set one after another."""

import io
import random

import numpy as np
import pytest
from PIL import Image

from tasks.loading.oddities.layouts.scattered import in_a_row
from tasks.loading.oddities.layouts.several_rows import in_one_row
from tasks.loading.parts import find_parts
from tests.doubtful import DOUBTFUL
from tests.scattered_texts import SCATTERED
from tests.strangers import FACES, KINDS, draw, lay_out
from tests.texts_in_rows import IN_ROWS


def opened(file: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(file)).convert("RGB"))


def blocks(*rows: str, pitch: int = 40, step: int = 24, slope: float = 0.0) -> np.ndarray:
    """Draw a block 30 px high for each character: so wide in pixels as its digit says, five times; none for a blank."""
    picture = np.full((40 + pitch * len(rows), 40 + step * max(map(len, rows)), 3), 255, np.uint8)
    for r, row in enumerate(rows):
        for k, character in enumerate(row):
            if character != " ":
                top, left = 20 + pitch * r + round(slope * step * k), 20 + step * k
                picture[top : top + 30, left : left + 5 * int(character)] = 0
    return picture


def widths(found: np.ndarray) -> str:
    """Return the widths of the blocks of a picture from left to right, as `blocks` takes them."""
    parts = find_parts(found[:, :, 0] < 128)
    order = np.argsort(parts.table[:, 1])
    times = 30 / np.median(parts.height)
    return "".join(str(round(wide * times / 5)) for wide in parts.width[order].tolist())


@pytest.mark.parametrize("kind", IN_ROWS)
def test_rows_stand_one_after_another_in_their_own_size(kind):
    for file, text in draw(kind, 3, 5, kinds=IN_ROWS):
        image = opened(file)
        found = in_one_row(image)
        assert found.shape[1] > found.shape[0] and (found == found[:, :, :1]).all()
        inked = found[:, :, 0] < 128
        columns = np.flatnonzero(inked.any(axis=0))
        assert np.ptp(columns) > 0.8 * found.shape[1]
        parts = find_parts(inked)
        letters = parts.area >= 0.2 * parts.area.max()
        assert abs(letters.sum() - len(text)) <= 1  # some touch, and some faces have letters in pieces
        assert in_a_row(image) == ()  # which would take them from left to right


@pytest.mark.parametrize(
    ("rows", "together"),
    [
        (("1234", "4321"), "12344321"), (("123", " 4 "), "1234"), ((" 4 ", "123"), "4123"), (("13", "22"), "1322"),
        (("12", "34", "21"), "123421"), (("1 2 3", " 4 4 "), None), (("1 3 2 4", "2"), "13242"),
    ],
)  # fmt: skip
def test_rows_are_read_from_the_top_and_from_the_left(rows, together):
    found = in_one_row(blocks(*rows))
    assert (None if found is None else widths(found)) == together


@pytest.mark.parametrize("slope", [0.11, -0.11])
def test_rows_that_slant_are_told_apart(slope):
    image = blocks("123412", "341234", slope=abs(slope))
    rows = "123412341234" if slope > 0 else "214321432143"
    assert widths(in_one_row(image if slope > 0 else np.ascontiguousarray(image[:, ::-1]))) == rows


def test_the_same_text_twice_is_a_text():
    assert widths(in_one_row(blocks("1432", "1432"))) == "1432"
    assert widths(in_one_row(blocks("1432", "1432", "1432"))) == "1432"
    assert widths(in_one_row(blocks("1432", "1434"))) == "14321434"
    assert widths(in_one_row(blocks("3", "3", "3"))) == "333"  # letters below each other


def test_what_differs_in_size_or_strength_is_no_row():
    small = blocks("1234", "1234", pitch=40)
    small[60 : 60 + 12] = 255  # the lower row is 18 px high
    assert in_one_row(small) is None
    faint = blocks("1234", "1234")
    faint[56:][faint[56:] == 0] = 110
    assert in_one_row(faint) is None


def test_a_row_of_dots_or_dashes_is_none():
    for mark in (3, 9):
        picture = blocks("1234", "    ")
        picture[60:66, 20:120] = np.where(np.arange(100) % (2 * mark) < mark, 0, 255)[:, None]
        assert in_one_row(picture) is None


def test_a_text_in_a_single_row_stays_as_it_is():
    for face in FACES:
        plate = lay_out("KUMATi", random.Random(1), face, (240, 100), points=30)
        assert in_one_row(np.array(plate.plain())) is None


@pytest.mark.parametrize("kind", [*SCATTERED, "small-all", "half-black", "block-grey", "card", "tiles", "shines"])
def test_other_kinds_have_a_single_row(kind):
    for file, _ in draw(kind, 8, 3, kinds=DOUBTFUL):
        assert in_one_row(opened(file)) is None


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"exif", "white-lines"}))
def test_strange_kinds_have_a_single_row(kind):
    for file, _ in draw(kind, 5, 3):
        assert in_one_row(opened(file)) is None


def test_halves_of_letters_that_white_lines_cut_are_seldom_rows():
    found = [in_one_row(opened(file)) is not None for file, _ in draw("white-lines", 60, 7)]
    assert sum(found) <= 9


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (48, 140)])
def test_a_picture_without_letters_is_left_alone(size):
    assert in_one_row(np.full((*size, 3), 200, np.uint8)) is None
    assert in_one_row(np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8)) is None

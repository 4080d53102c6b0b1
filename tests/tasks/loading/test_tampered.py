"""What was done to a whole picture is undone: leaning, captions, inverted parts, colours moved apart, strips, bars."""

import io

import numpy as np
import pytest
from PIL import Image

from tasks.loading.oddities.layouts.caption import without_caption
from tasks.loading.oddities.layouts.leaning import upright
from tasks.loading.oddities.tampered.barred import without_bars
from tasks.loading.oddities.tampered.fringes import in_register
from tasks.loading.oddities.tampered.inverted import uninverted
from tasks.loading.oddities.tampered.sliced import put_together
from tests.strangers import KINDS, draw
from tests.tampered_texts import CAPTIONED, LEANING, TAMPERED

WAYS = {
    without_caption: ("caption-below", "caption-above"), upright: tuple(LEANING),
    uninverted: ("inverted-squares", "inverted-strips"), in_register: ("fringes", "fringes-light"),
    put_together: ("sliced", "sliced-light"), without_bars: ("barred", "barred-light"),
}  # fmt: skip
DRAWN = CAPTIONED | LEANING | TAMPERED


def opened(file: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(file)).convert("RGB"))


@pytest.fixture
def letters() -> np.ndarray:
    """A picture of (60, 160, 3) uint8, dark on light: four letters of a stem and a bar."""
    picture = np.full((60, 160, 3), (240, 230, 220), np.uint8)
    for left in (20, 55, 90, 125):
        picture[12:48, left : left + 6] = 30, 20, 60
        picture[20:26, left : left + 18] = 30, 20, 60
    return picture


@pytest.mark.parametrize(("way", "kind"), [(way, kind) for way, kinds in WAYS.items() for kind in kinds])
def test_each_way_finds_its_kind(way, kind):
    assert sum(way(opened(file)) is not None for file, _ in draw(kind, 8, 3, kinds=DRAWN)) >= 6


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["plain", "framed", "grid-light", "two-inks", "coloured", "gradient", "tiny-40x12"])
def test_other_pictures_stay_as_they_are(way, kind):
    assert sum(way(opened(file)) is not None for file, _ in draw(kind, 6, 3, kinds=KINDS)) <= 1


def test_letters_that_lean_become_upright(letters):
    for shear in (1.0, -1.0):
        size = letters.shape[1] + 60, 60
        coefficients = 1, shear, -max(shear, 0) * 60, 0, 1, 0
        leaning = Image.fromarray(letters).transform(
            size, Image.Transform.AFFINE, coefficients, fillcolor=(240, 230, 220)
        )
        stems = (upright(np.asarray(leaning))[:, :, 0] < 100).sum(axis=0)
        assert (stems >= 30).sum() >= 12  # 4 stems of 6 columns, whose edges are soft
    assert upright(letters) is None


def test_a_caption_becomes_ground_and_the_letters_stay(letters):
    below = np.pad(letters, ((0, 14), (0, 0), (0, 0)), mode="edge")
    for left in range(30, 100, 9):
        below[62:70, left : left + 5] = 30, 20, 60
    found = without_caption(below)
    np.testing.assert_array_equal(found[:60], letters)
    assert (found[60:] == found[0, 0]).all()
    np.testing.assert_array_equal(without_caption(below[::-1]), found[::-1])
    below[62:70, 55:] = below[0, 0]  # three small parts are no caption: dots, or a letter's tail
    assert without_caption(below) is None


@pytest.mark.parametrize(("high", "wide"), [(17, 23), (60, 80), (30, 160)])
def test_inverted_parts_are_inverted_back(letters, high, wide):
    down, across = np.indices(letters.shape[:2])
    inverted = letters.copy()
    odd = (down // high + across // wide) % 2 == 1
    inverted[odd] = 255 - inverted[odd]
    np.testing.assert_array_equal(uninverted(inverted), letters)


@pytest.mark.parametrize("far", [(0, 4), (2, -3), (-5, 0)])
def test_colours_are_moved_onto_one_another(letters, far):
    moved = letters.copy()
    moved[:, :, 0] = np.roll(letters[:, :, 0], far, (0, 1))
    moved[:, :, 2] = np.roll(letters[:, :, 2], (-far[0], -far[1]), (0, 1))
    found = in_register(moved)
    np.testing.assert_allclose(found[:, :, 0], letters.mean(axis=2), atol=1)


def test_strips_are_moved_back(letters):
    sliced = letters.copy()
    for top, far in ((28, 5), (34, -4), (40, 3)):
        sliced[top : top + 6] = np.roll(letters[top : top + 6], far, axis=1)
    found = put_together(sliced)
    far = [np.flatnonzero(row[:, 0] < 100)[0] for row in found[12:48]]
    assert np.ptp(far) == 0


def test_strokes_go_on_below_bars(letters):
    barred = letters.copy()
    barred[30:34] = barred[0, 0]
    found = without_bars(barred)
    np.testing.assert_array_equal(found[:, :, 0] < 128, letters[:, :, 0] < 128)
    dotted = letters.copy()
    dotted[12:48:4] = dotted[0, 0]  # so many are rows of dots
    assert without_bars(dotted) is None


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("size", [(1, 1), (3, 200), (48, 140)])
def test_a_picture_without_letters_is_left_alone(way, size):
    assert way(np.full((*size, 3), 200, np.uint8)) is None
    found = way(np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8))
    assert found is None or found.dtype == np.uint8


@pytest.mark.parametrize("dots", [1, 2])
def test_accents_are_no_caption(dots):
    """Without its marks, ÄÖÜË would be read as AOUE, surely."""
    picture = np.full((70, 200, 3), 255, np.uint8)
    for left in range(20, 180, 40):
        picture[25:55, left : left + 26] = 0
        for k in range(dots):
            picture[17:21, left + 6 + 9 * k : left + 10 + 9 * k] = 0
    assert without_caption(picture) is None
    assert without_bars(picture) is None
    for left in range(10, 190, 12):  # as many parts as a line of small letters
        picture[10:20, left : left + 7] = 0
    assert without_caption(picture) is not None


def test_letters_below_each_other_stand_under_no_bars():
    picture = np.full((160, 60, 3), 255, np.uint8)
    for top in range(10, 150, 28):
        picture[top : top + 24, 20:40] = 0
    assert without_bars(picture) is None
    assert without_bars(np.concatenate([picture] * 4, axis=1)) is not None  # the same, wider than high


def test_two_rows_that_fit_elsewhere_make_no_strips():
    """Two strips are moved, but most rows have nothing to do with the rows above them."""
    rows = 255 * np.random.default_rng(3).integers(0, 2, (60, 600)).astype(np.uint8)
    for y in (20, 40):
        rows[y] = np.roll(rows[y - 1], 3)
    assert put_together(np.repeat(rows[:, :, None], 3, axis=2)) is None


def test_colours_that_have_nothing_in_common_stay_where_they_are():
    assert in_register(np.random.default_rng(4).integers(0, 256, (60, 160, 3), np.uint8)) is None

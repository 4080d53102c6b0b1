"""Decoys, lines and patterns of another colour than the letters are taken away, and letters never are."""

import random

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tasks.loading.oddities.several_inks import without_an_ink, without_decoys
from tests.strangers import FACES, lay_out

WHITE, BLACK, BLUE, GREEN, RED = (255, 255, 255), (16, 16, 16), (20, 60, 200), (0, 120, 40), (200, 20, 30)
WIDE, HIGH = 190, 56


def plate(seed: int = 1):
    return lay_out("KUMA", random.Random(seed), FACES[0], (WIDE, HIGH), points=32)


def inked(image, ground=WHITE) -> np.ndarray:
    return abs(np.asarray(image).astype(int) - ground).max(axis=2) > 40


def decoyed(colour) -> Image.Image:
    """Other letters, a little lower and to the right, behind which the text is drawn."""
    paper = Image.new("RGB", (WIDE, HIGH), WHITE)
    behind = lay_out("RSTE", random.Random(4), FACES[1], (WIDE, HIGH), points=32).mask
    paper.paste(colour, (9, 5), behind)
    return paper


def striped(colour) -> Image.Image:
    paper = Image.new("RGB", (WIDE, HIGH), WHITE)
    drawn = ImageDraw.Draw(paper)
    for x in range(-HIGH, WIDE, 11):
        drawn.line([(x, 0), (x + HIGH // 2, HIGH)], colour, 4)
    return paper


def lined(picture: Image.Image, colour) -> Image.Image:
    picture, drawn = picture.copy(), None
    drawn = ImageDraw.Draw(picture)
    for y in (14, 27, 40):
        drawn.line([(0, y), (WIDE, HIGH - y)], colour, 2)
    return picture


def best(found, clean) -> float:
    """Return the share of the pixels of the picture nearest to `clean` that differ from it."""
    return min(((inked(image) != inked(clean)).mean() for image in found), default=1.0)


@pytest.mark.parametrize("colour", [(160, 220, 200), (190, 190, 190), (230, 190, 190)])
def test_decoys_of_another_fainter_colour_go(colour):
    clean, picture = plate().plain(BLUE), plate().plain(BLUE, decoyed(colour))
    found = without_decoys(np.asarray(picture))
    assert found and all(image.dtype == np.uint8 and image.shape == (HIGH, WIDE, 3) for image in found)
    assert best(found, clean) < 0.02 < best([picture], clean)


@pytest.mark.parametrize("colour", [(150, 150, 150), RED])
def test_a_pattern_of_another_colour_goes(colour):
    clean, picture = plate().plain(BLUE), plate().plain(BLUE, striped(colour))
    assert best(without_decoys(np.asarray(picture)), clean) < 0.03 < best([picture], clean)


def test_letters_are_closed_where_lines_cross_them():
    clean, picture = plate().plain(BLUE), lined(plate().plain(BLUE), RED)
    found = without_decoys(np.asarray(picture))
    assert best(found, clean) < 0.03 < best([picture], clean)
    left = max((inked(image) & inked(clean)).sum() for image in found)
    assert left > 0.9 * inked(clean).sum()


@pytest.mark.parametrize("line", [None, (150, 90, 10), (120, 120, 120)])
@pytest.mark.parametrize("inks", [(BLUE, RED, BLUE, RED), (RED, BLUE, GREEN, BLACK), (GREEN, GREEN, RED, GREEN)])
def test_letters_of_several_colours_stay(inks, line):
    """Whatever goes, each letter keeps its place: no letter's columns are empty."""
    letters = plate()
    picture = letters.each(list(inks), WHITE)
    picture = lined(picture, line) if line else picture
    for image in (*without_decoys(np.asarray(picture)), *without_an_ink(np.asarray(picture))):
        for mask in letters.masks:
            own = np.asarray(mask) > 128
            assert inked(image)[own].mean() > 0.6


def test_a_line_among_letters_of_several_colours_goes():
    clean = plate().each([RED, BLUE, GREEN, RED], WHITE)
    picture = lined(clean, (150, 150, 0))
    assert best(without_an_ink(np.asarray(picture)), clean) < 0.02 < best([picture], clean)


def test_a_mark_at_one_place_stays():
    picture = plate().plain(BLUE)
    ImageDraw.Draw(picture).rectangle((44, 24, 64, 27), RED)
    assert all((image[24:28, 44:65] == RED).all() for image in without_decoys(np.asarray(picture)))


def test_two_inks_on_both_sides_of_a_direction_without_ink_are_no_division_by_zero():
    """Both are in one bin of directions, and more than ten degrees from its middle; warnings are errors here."""
    image = np.full((40, 200, 3), 128, np.uint8)
    image[10:30, 10:42], image[10:30, 100:140] = (243, 147, 35), (232, 173, 82)
    assert without_decoys(image) == ()


@pytest.mark.parametrize("size", [(1, 1), (1, 90), (60, 2), (48, 140), (1001, 1000)])
def test_other_pictures_are_left_alone(size):
    grey = np.repeat(np.linspace(0, 255, size[1]).astype(np.uint8)[None, :, None], size[0], axis=0).repeat(3, axis=2)
    for image in (np.full((*size, 3), 90, np.uint8), grey):
        assert without_decoys(image) == without_an_ink(image) == ()
    noise = np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8)
    for image in without_decoys(noise):
        assert image.shape == noise.shape

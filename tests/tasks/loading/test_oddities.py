"""What is told of ink: letters with marks, what stands apart from letters, and blots."""

import random

import numpy as np
import pytest
from PIL import ImageDraw

from tasks.loading.oddities.oddities import Oddities, find_oddities
from tests.strangers import FACES, Plate, lay_out


def letters(text: str) -> Plate:
    return lay_out(text, random.Random(1), FACES[0], (190, 48))


def look(picture) -> tuple[int, int, bool, bool]:
    found = find_oddities(255 - np.array(picture.convert("L"))[None])
    assert isinstance(found, Oddities)
    things, marks, apart, blots = (column.tolist()[0] for column in found)
    return things, marks, apart, blots


@pytest.mark.parametrize(
    ("text", "marks"), [("KUMA", 0), ("KÜMA", 1), ("ÉÖŠŽ", 4), ("nagé", 1), ("ijai", 3), ("Q7R5", 0), ("CȘTU", 1)]
)
def test_letters_with_marks_are_counted(text, marks):
    assert look(letters(text).plain()) == (4, marks, False, False)


def test_dirt_is_no_mark():
    picture = letters("KUMA").plain()
    for x in range(20, 140, 12):
        ImageDraw.Draw(picture).rectangle((x, 2, x + 2, 4), fill=0)
        ImageDraw.Draw(picture).rectangle((x, 44, x + 1, 45), fill=0)
    assert look(picture)[1] == 0


@pytest.mark.parametrize(
    ("left", "apart"), [(160, True), (112, False)], ids=["far from the letters", "as near as a letter"]
)
def test_what_stands_apart_from_letters_is_told(left, apart):
    plate = letters("KUMA")
    picture, right = plate.plain(), plate.mask.getbbox()[2]
    left = left if apart else right + 4
    ImageDraw.Draw(picture).ellipse((left, 14, left + 20, 34), outline=0, width=3)
    assert look(picture) == (4 if apart else 5, 0, apart, False)


def test_things_apart_may_be_of_two_parts_and_stand_before_the_letters():
    plate = letters("KUMA")
    picture = plate.plain().transform(plate.size, 0, (1, 0, -40, 0, 1, 0), fillcolor=(255, 255, 255))
    ImageDraw.Draw(picture).rectangle((2, 12, 8, 34), outline=0, width=2)
    ImageDraw.Draw(picture).rectangle((11, 12, 17, 34), outline=0, width=2)
    assert look(picture) == (4, 0, True, False)


@pytest.mark.parametrize("share", [1.0, 0.75])
def test_a_blot_is_wider_than_the_strokes_of_letters(share):
    plate = letters("KUMA")
    picture, (left, top, right, bottom) = plate.plain(), plate.masks[1].getbbox()
    ImageDraw.Draw(picture).rectangle((left, bottom - share * (bottom - top), right, bottom), fill=(80, 80, 80))
    assert look(picture) == (4, 0, False, True)


def test_nothing_is_told_of_empty_and_tiny_ink():
    for shape in ((0, 0), (1, 1), (48, 140), (6, 20)):
        found = find_oddities(np.zeros((2, *shape), np.uint8))
        assert not any(column.any() for column in found)
    tiny = np.zeros((1, 7, 20), np.uint8)
    tiny[0, 1:6, 2:4] = tiny[0, 1:6, 8:13] = 255
    assert not any(column.any() for column in find_oddities(tiny))

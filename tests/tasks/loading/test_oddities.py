"""What is told of ink: letters with marks, what stands apart from letters, and blots."""

import random

import numpy as np
import pytest
from PIL import ImageDraw

from tasks.loading.oddities.cut_off import APART, CROSSED, TOUCHED
from tasks.loading.oddities.oddities import Oddities, find_oddities
from tasks.loading.oddities.standing_apart import of_another_colour, without_apart
from tests.strangers import FACES, Plate, lay_out


def letters(text: str) -> Plate:
    return lay_out(text, random.Random(1), FACES[0], (190, 48))


def look(picture) -> tuple[int, int, bool, bool]:
    found = find_oddities(255 - np.array(picture.convert("L"))[None])
    assert isinstance(found, Oddities)
    things, marks, apart, blots, *_ = (column.tolist()[0] for column in found)
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
        assert not any(column.any() for column in found._replace(end=found.end - shape[1]))
    tiny = np.zeros((1, 7, 20), np.uint8)
    tiny[0, 1:6, 2:4] = tiny[0, 1:6, 8:13] = 255
    found = find_oddities(tiny)
    assert not any(column.any() for column in found._replace(end=found.end - 20))


def apart(draw, mirrored: bool = False) -> tuple[np.ndarray, Oddities]:
    """Return a picture of letters with what `draw` draws at the right, (1, H, W, 3) uint8, and what its ink shows."""
    picture = letters("KUMA").plain()
    draw(ImageDraw.Draw(picture))
    image = np.array(picture)[None, :, :: -1 if mirrored else 1].copy()
    return image, find_oddities(255 - image.min(axis=3))


def ring(top: int, bottom: int, colour: tuple[int, int, int]):
    return lambda brush: brush.ellipse((160, top, 160 + bottom - top, bottom), outline=colour, width=3)


@pytest.mark.parametrize(
    ("top", "bottom", "alike"),
    [(14, 34, True), (14, 38, True), (8, 34, False), (20, 32, False)],
    ids=["as a letter", "with a tail", "higher", "smaller"],
)
def test_what_stands_apart_may_be_level_with_the_letters(top, bottom, alike):
    _, found = apart(ring(top, bottom, (16, 16, 16)))
    assert (found.apart.tolist(), found.alike.tolist()) == ([True], [alike])


@pytest.mark.parametrize("mirrored", [False, True], ids=["right", "left"])
def test_what_stands_apart_is_covered_with_the_ground_beside_it(mirrored):
    image, found = apart(ring(14, 34, (60, 110, 200)), mirrored)
    image = np.maximum(image.astype(np.int64) - np.arange(48)[:, None, None], 0).astype(np.uint8)  # a gradient
    covered = without_apart(image, found)
    begin, end = found.begin[0], found.end[0]
    assert (begin > 0, end < 190) == (mirrored, not mirrored)
    assert (covered[:, :, begin:end] == image[:, :, begin:end]).all()
    ground = 255 - np.arange(48)[:, None, None]
    outside = np.ones(190, bool)
    outside[begin:end] = False
    assert (covered[0][:, outside] == ground).all()


@pytest.mark.parametrize(
    ("colour", "differs"), [((60, 110, 200), True), ((200, 60, 40), True), ((90, 90, 90), True), ((30, 20, 16), False)]
)
def test_a_colour_that_no_letter_has_is_told(colour, differs):
    image, found = apart(ring(14, 34, colour))
    assert of_another_colour(image, 255 - image.min(axis=3), found).tolist() == [differs]


def test_among_letters_of_many_colours_no_colour_is_another():
    plate = lay_out("KUMA", random.Random(1), FACES[0], (190, 48))
    picture = plate.each([(200, 30, 30), (30, 60, 200), (16, 16, 16), (20, 120, 20)], (255, 255, 255))
    ring(14, 34, (120, 30, 120))(ImageDraw.Draw(picture))
    image = np.array(picture)[None]
    ink = 255 - image.min(axis=3)
    found = find_oddities(ink)
    assert found.apart.all()
    assert not of_another_colour(image, ink, found).any()


@pytest.mark.parametrize(
    ("text", "cut", "what"),
    [("KUMB", (None, 0.5), CROSSED), ("BUMK", (0.5, None), CROSSED), ("CUMK", (0.6, None), CROSSED),
     ("KUMO", (None, 0), TOUCHED), ("LUMO", (0, None), TOUCHED),
     ("BUMB", (0.5, 0.5), APART), ("KUMA", (None, None), APART)],
    ids=["right", "left", "two pieces", "a round side", "an upright stroke", "both sides", "none"],
)  # fmt: skip
@pytest.mark.parametrize("padded", [False, True])
def test_a_letter_at_the_border_may_be_cut_off(text, cut, what, padded):
    """Shares of the first and of the last letter that are cut away; None for a picture that goes on beyond it."""
    plate = letters(text)
    ends = [plate.masks[k].point(lambda level: 255 * (level > 99)).getbbox() for k in (0, 3)]
    left = round(ends[0][0] + cut[0] * (ends[0][2] - ends[0][0])) if cut[0] is not None else 0
    right = round(ends[1][2] - cut[1] * (ends[1][2] - ends[1][0])) if cut[1] is not None else 190
    ink = 255 - np.array(plate.plain().convert("L"))[None, :, left:right]
    wide = np.pad(ink, ((0, 0), (0, 0), (0, 9))) if padded else ink
    assert find_oddities(wide, np.array([right - left])).cut.tolist() == [what]

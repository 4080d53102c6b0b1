from dataclasses import replace

import numpy as np
import pytest

from tasks.ink import upright
from tasks.recipes import make_recipe, renderer_of
from tasks.specs import BUILT_IN, Grid


def block(profile, count=60):
    return renderer_of(make_recipe(profile, 1)).block(1, 0, count)


def test_the_shear_of_clean_words_is_found():
    drawn = block(BUILT_IN["random"], 200)
    _, shear, _ = upright(drawn.images)
    off = np.abs(shear - drawn.parameters["shear"])
    assert np.median(off) <= 50
    assert (off <= 100).mean() > 0.9


@pytest.mark.parametrize("slope", [0, 200, 400, -300])
def test_a_slanted_stroke_stands_upright_where_it_is_said_to_be(slope):
    image = np.zeros((1, 40, 80), np.uint8)
    rows = np.arange(5, 35)
    for width in range(4):
        image[0, rows, 40 + slope * rows // 1000 + width] = 255
    ink, shear, offset = upright(image)
    assert shear.tolist() == [slope]
    inked = np.flatnonzero(ink[0].sum(axis=0) > 30 * 128)
    assert 3 <= len(inked) <= 5
    assert abs(inked.mean() - (41.5 + offset[0])) <= 1


def test_no_ink_is_lost_and_none_is_made():
    drawn = block(BUILT_IN["book"])
    ink, _, _ = upright(drawn.images)
    most = drawn.images.max(axis=(1, 2))
    kept = ink.sum(axis=(1, 2)) / 255
    assert kept == pytest.approx(drawn.images.sum(axis=(1, 2)) / most, rel=0.05)


def test_an_uneven_background_is_taken_off():
    plain = replace(BUILT_IN["noise"], arcs=Grid(0, 0), lines=Grid(0, 0), specks=Grid(0, 0), blur=Grid(0, 0))
    drawn = block(plain)
    assert np.median(drawn.images, axis=(1, 2)).max() > 40
    ink, _, _ = upright(drawn.images)
    assert (np.median(ink, axis=(1, 2)) == 0).all()
    inside = drawn.images == 255  # letters cover the background
    assert (ink >= 200).sum() == pytest.approx(inside.sum(), rel=0.25)


def test_pictures_do_not_influence_one_another_and_may_be_empty():
    drawn = block(BUILT_IN["hard"], 6).images
    drawn[2] = 0
    ink, shear, offset = upright(drawn)
    assert not ink[2].any()
    for number in range(6):
        alone = upright(drawn[number : number + 1])
        assert np.array_equal(alone[0][0], ink[number])
        assert (alone[1][0], alone[2][0]) == (shear[number], offset[number])
    assert upright(drawn[:0])[0].shape[0] == 0

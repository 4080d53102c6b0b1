"""Straight lines anywhere: over and under the letters, as many, as long and as wide as a profile asks for."""

from dataclasses import replace

import numpy as np
import pytest

from storage.shards.shard import Block, combined
from tasks.datasets.recipe import make_recipe, renderer_of
from tasks.profiles.colours import Colours
from tasks.profiles.profile import Ink, Profile
from tasks.profiles.ranges import OFF, Grid

PLAIN = Profile(
    "plain", alphabet="HMOX", length=(3, 3), height=60, width=150, font_size=34, left=4, top=4, shear=OFF,
    scale=Grid(100, 100), ink=Ink.GREY, place_y=Grid(50, 50), place_x=Grid(50, 50), letter_colour=Colours(("#0000ff",)),
    line_colour=Colours(("#ff0000",)),
)  # fmt: skip
MANY = replace(
    PLAIN, segments=Grid(-2, 6), segments_under=Grid(-2, 6), segment_width=Grid(1, 3), segment_ink=Grid(40, 100, 20),
    segment_length=Grid(20, 120, 10), own_line_colours=True, line_colour=Colours(),
)  # fmt: skip


def drawn(count: int = 6, **changes: Grid) -> Block:
    renderer = renderer_of(make_recipe(replace(PLAIN, **changes), 5))
    return renderer.render(renderer.table(["HMX"] * count, paint=np.arange(count)))


def is_red(block: Block) -> np.ndarray:
    return (block.images[..., 0].astype(int) - block.images[..., 1]) > 100


def test_segments_over_the_letters_cover_them_and_those_under_do_not():
    plain, over, under = drawn(), drawn(segments=Grid(9, 9)), drawn(segments_under=Grid(9, 9))
    letters = (plain.images == (0, 0, 255)).all(axis=3)
    assert (is_red(over) & letters).any(axis=(1, 2)).all()
    assert (under.images[letters] == (0, 0, 255)).all()
    assert (is_red(over) & ~letters == is_red(under) & ~letters).mean() > 0.99  # the same lines
    for block in (over, under):
        assert block.boxes.tolist() == plain.boxes.tolist()


def test_none_is_the_picture_without_and_more_leave_those_there():
    renderer = renderer_of(make_recipe(replace(PLAIN, segments=Grid(0, 3)), 5))
    none = renderer.render(renderer.table(["HMX"] * 6, segments=0, paint=np.arange(6)))
    assert none.images.tobytes() == drawn().images.tobytes()
    few, more = drawn(segments=Grid(2, 2)), drawn(segments=Grid(2, 2), segments_under=Grid(3, 3))
    assert (is_red(more) | ~is_red(few)).all()
    assert is_red(more).sum() > is_red(few).sum()


def test_they_are_as_long_and_wide_as_asked_for():
    longest = {}
    for percent in (10, 50, 200):
        lines = is_red(drawn(200, segments=Grid(1, 1), segment_length=Grid(percent, percent)))
        there = lines.any(axis=(1, 2))
        assert there.mean() > 0.9
        columns = [np.nonzero(line.any(axis=0))[0] for line in lines[there]]
        longest[percent] = max(int(np.ptp(column)) + 1 for column in columns)
    assert 10 < longest[10] <= 15 + 2
    assert 55 < longest[50] <= 75 + 2
    assert longest[200] == 150
    pixels = [is_red(drawn(50, segments=Grid(1, 1), segment_width=Grid(width, width))).sum() for width in (1, 3)]
    assert pixels[1] > 2 * pixels[0]


def test_values_without_effect_are_0_and_rows_do_not_depend_on_one_another():
    renderer = renderer_of(make_recipe(MANY, 5))
    table = renderer.parameters(5, 0)
    block = renderer.render(table.rows(slice(60)))
    alone = renderer.render(table.rows(np.array([41, 7])))
    for part, whole in zip(alone, block, strict=True):
        assert part.tobytes() == whole[[41, 7]].tobytes()
    stored = table.drawn
    none = (stored["segments"] == 0) & (stored["segments_under"] == 0)
    assert 0.05 < none.mean() < 0.3
    for name in ("segment_width", "segment_ink", "segment_length", "line_colour", "paint"):
        assert not stored[name][none].any()
        assert stored[name][~none].any()


def test_segments_are_what_they_always_were():
    digest = combined([renderer_of(make_recipe(MANY, 5)).block(5, 0, 60).digest()])
    assert digest == "f9f1ff2aa81934d61becfac74bd8dcfb831e6106c65a844969e0237ab4ae596a"


@pytest.mark.parametrize("name", ["segments", "segments_under"])
def test_they_make_no_profile_a_fitted_one(name):
    assert not replace(PLAIN, place_y=None, place_x=None, **{name: Grid(1, 1)}).fits_text

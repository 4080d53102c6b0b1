"""Letters that are stretched, lean, cover in part or are struck through; large specks, blots and frames."""

from dataclasses import replace

import numpy as np
import pytest

from storage.shards.shard import Block
from tasks.datasets.samples import first_pictures
from tasks.profiles.profile import Ink, Profile
from tasks.profiles.ranges import OFF, Grid

ONE = Profile(
    "one", alphabet="H", length=(1, 1), height=80, width=60, font_size=24, shear=OFF, scale=Grid(100, 100),
    ink=Ink.GREY, place_y=Grid(50, 50), place_x=Grid(50, 50),
)  # fmt: skip


def drawn(**changes: object) -> Block:
    return first_pictures(replace(ONE, **changes), 1, 4)


def sizes(block: Block) -> np.ndarray:
    boxes = block.boxes[:, 0].astype(int)
    return boxes[:, 2:] - boxes[:, :2]


def test_a_stretched_letter_is_taller_and_as_wide():
    plain, tall = sizes(drawn()), sizes(drawn(stretch=Grid(200, 200)))
    np.testing.assert_allclose(tall[:, 0], 2 * plain[:, 0], atol=2)
    np.testing.assert_allclose(tall[:, 1], plain[:, 1], atol=1)


def test_stretches_and_leans_differ_from_letter_to_letter_and_are_stored():
    block = first_pictures(
        replace(ONE, length=(2, 2), width=120, stretch=Grid(80, 160), lean=Grid(-300, 300)), 3, 40
    )  # fmt: skip
    for name in ("stretch", "lean"):
        stored = block.parameters[name]
        assert stored.shape == (40, 2)
        assert (stored[:, 0] != stored[:, 1]).mean() > 0.8
    np.testing.assert_allclose(
        (block.boxes[:, 0, 2] - block.boxes[:, 0, 0]) / block.parameters["stretch"][:, 0], 0.18, atol=0.04
    )


@pytest.mark.parametrize("lean", [-400, 400])
def test_a_letter_that_leans_keeps_its_centre_and_moves_its_feet(lean):
    columns = np.arange(60)
    plain, block = drawn().images.astype(float), drawn(lean=Grid(lean, lean)).images.astype(float)

    def middle(rows: np.ndarray) -> float:
        return float((rows * columns).sum() / rows.sum())

    top, _, bottom, _ = drawn(lean=Grid(lean, lean)).boxes[0, 0].astype(int)
    assert middle(block[0]) == pytest.approx(middle(plain[0]), abs=0.7)
    feet, head = middle(block[0, bottom - 4 : bottom - 1]), middle(block[0, top + 1 : top + 4])
    assert np.sign(feet - head) == np.sign(lean)
    assert abs(feet - head) == pytest.approx(np.tan(abs(lean) / 1000) * (bottom - top - 4), abs=1.5)


def test_letters_cover_in_part_and_more_where_they_overlap():
    assert drawn().images.max() == 255
    assert 125 <= drawn(letter_ink=Grid(50, 50)).images.max() <= 129
    twice = replace(ONE, length=(2, 2), letter_ink=Grid(50, 50), overlap=Grid(12, 12))
    assert 185 <= first_pictures(twice, 1, 1).images.max() <= 195


def test_a_letter_that_is_struck_through_has_lines_in_its_place():
    plain, struck = drawn().images, drawn(slashes=Grid(2, 2), slash_width=Grid(2, 2)).images
    added = (struck > plain).reshape(4, -1).sum(axis=1)
    assert ((added > 10) & (added < 200)).all()
    assert (struck >= plain).all()
    assert len({picture.tobytes() for picture in struck}) == 4


def test_a_speck_is_as_large_as_asked_for():
    plain, block = drawn().images, drawn(specks=Grid(1, 1), speck_size=Grid(4, 4)).images
    added = (block > plain).reshape(4, -1).sum(axis=1)
    assert added.max() == 16


def test_a_blot_is_a_disc_of_a_third_of_the_size_to_the_whole():
    plain, block = drawn().images, drawn(blots=Grid(1, 1), blot_size=Grid(12, 12)).images
    for before, after in zip(plain, block, strict=True):
        added = np.argwhere(after > before)
        assert len(added) <= np.pi * 7**2
        assert (np.ptp(added, axis=0) <= 13).all()
    assert max((after > before).sum() for before, after in zip(plain, block, strict=True)) >= np.pi * 2**2 - 4


def test_a_frame_covers_the_edges_and_nothing_else():
    plain, block = drawn().images, drawn(frame_y=Grid(3, 3), frame_x=Grid(2, 2)).images
    assert (block[:, :3] == 255).all() and (block[:, -3:] == 255).all()
    assert (block[:, :, :2] == 255).all() and (block[:, :, -2:] == 255).all()
    np.testing.assert_array_equal(block[:, 3:-3, 2:-2], plain[:, 3:-3, 2:-2])

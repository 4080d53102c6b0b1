"""Letters whose corners are moved, lenses over them, and curves through them."""

from dataclasses import replace

import numpy as np
import pytest

from storage.errors import BadInput
from storage.shards.shard import Block, combined
from tasks.datasets.recipe import make_recipe, renderer_of
from tasks.drawing.renderer import Renderer
from tasks.profiles.colours import Colours
from tasks.profiles.profile import Ink, Profile
from tasks.profiles.ranges import OFF, Grid

PLAIN = Profile(
    "plain", alphabet="HMOX", length=(1, 3), height=60, width=150, font_size=34, left=4, top=4, shear=OFF,
    scale=Grid(100, 100), ink=Ink.GREY, place_y=Grid(50, 50), place_x=Grid(50, 50),
)  # fmt: skip
ALL = replace(
    PLAIN, corners=Grid(0, 30, 5), curves=Grid(-1, 2), curve_width=Grid(1, 4), curve_dash=Grid(0, 4),
    lenses=Grid(-1, 2), lens_y=Grid(50, 100, 10), lens_x=Grid(20, 60, 10), lens_power=Grid(-90, 60, 10),
    lens_turn=Grid(-60, 60, 10), shadow_y=Grid(0, 2), letter_colour=Colours(("#204060",)),
)  # fmt: skip


@pytest.fixture(scope="module")
def plain() -> Renderer:
    return renderer_for(PLAIN)


def renderer_for(profile: Profile) -> Renderer:
    return renderer_of(make_recipe(profile, 5))


def drawn(texts: tuple[str, ...] = ("HMX",), changes: dict[str, Grid] | None = None, **chosen: object) -> Block:
    renderer = renderer_for(replace(PLAIN, **(changes or {})))
    return renderer.render(renderer.table(list(texts), **chosen))


def extent(image: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero(image.any(axis=1))[0], np.nonzero(image.any(axis=0))[0]
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


@pytest.mark.parametrize("name", ["corners", "lenses"])
def test_what_is_not_bent_stays_bit_for_bit(plain, name):
    there = {"lens_power": Grid(40, 40)} if name == "lenses" else {}
    block = drawn(("HMX", "O"), {name: Grid(0, 1), **there}, **{name: 0})
    before = plain.render(plain.table(["HMX", "O"]))
    assert block.images.tobytes() == before.images.tobytes()
    assert block.boxes.tolist() == before.boxes.tolist()


@pytest.mark.parametrize(
    "changes",
    [
        {"corners": Grid(40, 40)},
        {"lenses": Grid(2, 2), "lens_y": Grid(60, 60), "lens_x": Grid(30, 30), "lens_power": Grid(-80, -80)},
        {"lenses": Grid(1, 1), "lens_y": Grid(80, 80), "lens_x": Grid(30, 30), "lens_turn": Grid(90, 90)},
    ],
)
def test_boxes_of_bent_letters_are_those_of_their_ink(changes):
    for text in "HMOX":
        block = drawn((text,) * 8, changes, paint=np.arange(8))
        assert len({image.tobytes() for image in block.images}) >= 4
        for image, boxes in zip(block.images, block.boxes, strict=True):
            assert extent(image) == tuple(boxes[0])


def test_corners_move_each_by_itself_and_by_no_more_than_they_may():
    changes = {"size": Grid(100, 100), "corners": Grid(0, 30, 30)}
    wide = {**changes, "height": 90, "width": 90}  # so that the letter is drawn at its full size
    for key in range(12):
        one, other = (drawn(("H",), wide, corners=corners, paint=key).boxes[0, 0].astype(int) for corners in (0, 30))
        size = np.tile(one[2:] - one[:2], 2)
        assert (np.abs(other - one) <= 0.3 * size + 2).all()
    renderer = renderer_for(replace(PLAIN, corners=Grid(0, 30, 30)))
    table = renderer.parameters(1, 0).rows(slice(200))
    assert table.drawn["corners"].shape == (200, 3)
    assert set(np.unique(table.drawn["corners"])) == {0, 30}
    assert not table.drawn["corners"][table.letters < 0].any()
    bent = table.drawn["corners"].any(axis=1)
    assert (table.drawn["paint"] != 0).tolist() == bent.tolist()


def test_a_lens_magnifies_makes_smaller_or_turns_its_middle_and_leaves_its_edge(plain):
    before = plain.render(plain.table(["M"])).images[0]
    ink = {}
    for power, turn in ((60, 0), (-100, 0), (0, 90)):
        changes = {"lenses": Grid(1, 1), "lens_power": Grid(power, power), "lens_turn": Grid(turn, turn)}
        image = drawn(("M",), changes).images[0]
        assert (image != before).any()
        ink[power] = int(image.sum()) / before.sum()
        small = {**changes, "lens_y": Grid(20, 20), "lens_x": Grid(10, 10)}
        changed = [image != before for image in drawn(("M",) * 20, small, paint=np.arange(20)).images]
        for top, left, bottom, right in (extent(pixels) for pixels in changed if pixels.any()):
            assert bottom - top <= 13
            assert right - left <= 16
        assert sum(pixels.any() for pixels in changed) > 1
    assert ink[60] > 1.3
    assert ink[-100] < 0.7
    assert 0.7 < ink[0] < 1.3


def test_a_curve_goes_over_the_letters_as_wide_and_as_dashed_as_asked_for(plain):
    before = plain.render(plain.table(["HMX"]))
    for width in (1, 3, 8):
        block = drawn(("HMX",) * 6, {"curves": Grid(1, 1), "curve_width": Grid(width, width)}, paint=np.arange(6))
        assert (block.boxes == before.boxes).all()
        assert (block.images >= before.images).all()
        whole = drawn(("HMX",) * 6, {"curves": Grid(0, 1)}, curves=0).images
        added = (block.images.astype(int) - whole)[:, :, 60:90]
        assert added.any(axis=(1, 2)).all()  # it crosses the middle of every picture
    blank = {"letter_ink": Grid(1, 1), "curves": Grid(1, 1), "curve_width": Grid(3, 3)}
    solid = drawn(("O",) * 6, blank, paint=np.arange(6)).images > 128
    dashed = drawn(("O",) * 6, {**blank, "curve_dash": Grid(6, 6)}, paint=np.arange(6)).images > 128
    assert (solid | ~dashed).all()
    assert 0.5 < dashed.sum() / solid.sum() < 0.8  # round ends add to each dash


def test_a_picture_is_the_same_alone_and_values_without_effect_are_0():
    renderer = renderer_for(ALL)
    table = renderer.parameters(5, 0)
    block = renderer.render(table.rows(slice(60)))
    alone = renderer.render(table.rows(np.array([41, 7])))
    for part, whole in zip(alone, block, strict=True):
        assert part.tobytes() == whole[[41, 7]].tobytes()
    stored = block.parameters
    for cause, names in {"lenses": ("lens_y", "lens_x", "lens_turn"), "curves": ("curve_width", "curve_dash")}.items():
        assert 0.2 < (stored[cause] == 0).mean() < 0.8
        for name in names:
            assert not stored[name][stored[cause] == 0].any()
            assert stored[name][stored[cause] > 0].any()


def test_a_letter_that_no_pixel_shows_is_refused():
    gone = {"lenses": Grid(8, 8), "lens_power": Grid(-100, -100), "corners": Grid(60, 60)}
    with pytest.raises(BadInput, match=r"profile 'plain': no pixel shows letter \d of 'HMX'; choose more weight, size"):
        drawn(("HMX",) * 40, gone, paint=np.arange(40))


def test_bent_pictures_are_what_they_always_were():
    assert (
        combined([renderer_for(ALL).block(5, 0, 60).digest()])
        == "a596dae9550289fc333e014402d3819e43a56028d5fca6ffaffbcd2bee0caacc"
    )


@pytest.mark.parametrize(("name", "value"), [("corners", 61), ("lens_power", 81), ("lens_y", 5), ("curve_dash", 65)])
def test_limits_are_named(name, value):
    with pytest.raises(BadInput, match=f"{name}: must be .* from"):
        replace(PLAIN, **{name: Grid(value, value)})

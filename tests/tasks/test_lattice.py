import numpy as np
import pytest

from tasks.apart import find_apart
from tasks.ink import upright
from tasks.lattice import NARROWEST, WIDEST, find_spans
from tasks.marking import nearness
from tasks.recipes import make_recipe, renderer_of
from tasks.spans import BESIDE, COLUMNS, GRID, MARGIN, ROWS, SIZE, shape_spans
from tasks.specs import BUILT_IN


def lattice_of(name, count=80, find=find_spans):
    block = renderer_of(make_recipe(BUILT_IN[name], 1)).block(1, 0, count)
    ink, shear, offset = upright(block.images)
    return block, ink, shear, offset, find(ink)


def bars(*places, width=6, height=20, rows=30, columns=120):
    """Upright bars, each a picture's letter."""
    image = np.zeros((1, rows, columns), np.uint8)
    for place in places:
        image[0, 4 : 4 + height, place : place + width] = 255
    return image


def test_spans_are_ordered_and_within_their_limits():
    _, ink, _, _, lattice = lattice_of("hard")
    assert len(lattice.first) == lattice.counts.sum() == lattice.starts[-1]
    height = lattice.height[lattice.picture]
    width = lattice.box[:, 3] - lattice.box[:, 1]
    assert (lattice.first < lattice.last).all()
    assert (lattice.last < lattice.cuts[lattice.picture]).all()
    key = (lattice.picture * 1000 + lattice.first) * 1000 + lattice.last
    assert (np.diff(key) > 0).all()
    assert (width <= WIDEST * height // 100 + 1).all()
    assert (width >= np.maximum(NARROWEST * height // 100, 1)).all()
    assert (lattice.box[:, 2] - lattice.box[:, 0] == height).all()
    assert (lattice.box >= 0).all()
    assert (lattice.box[:, 2] <= ink.shape[1]).all()
    assert (lattice.box[:, 3] <= ink.shape[2]).all()


@pytest.mark.parametrize("name", ["book", "touching", "warp", "hard"])
def test_there_is_a_span_for_every_letter(name):
    block, _, shear, offset, lattice = lattice_of(name)
    near = nearness(lattice, shear, offset, block.boxes)
    best = np.full((len(block.images), block.boxes.shape[1]), -np.inf)
    np.maximum.at(best, lattice.picture, near)
    there = block.boxes[..., 0] >= 0
    assert (best[there] > -0.35).mean() > 0.97


def test_apart_bars_are_one_span_each():
    image = bars(10, 40, 70)
    lattice = find_apart(image)
    assert lattice.counts.tolist() == [3]
    assert lattice.height.tolist() == [20]
    assert lattice.box.tolist() == [[4, 10, 24, 16], [4, 40, 24, 46], [4, 70, 24, 76]]
    assert (lattice.first.tolist(), lattice.last.tolist(), lattice.cuts.tolist()) == ([0, 1, 2], [1, 2, 3], [4])


def test_what_cannot_stand_apart_is_left_to_the_lattice():
    joined = bars(10, 30, 50, 70)
    joined[0, 10, 10:76] = 255
    assert find_apart(joined).counts.tolist() == [0]
    assert find_spans(joined).counts[0] > 10
    assert find_apart(np.zeros_like(joined)).counts.tolist() == [0]
    assert find_spans(np.zeros_like(joined)).counts.tolist() == [0]


def test_components_of_the_book_are_its_letters():
    block, _, _, _, lattice = lattice_of("book", 400, find_apart)
    assert (lattice.counts == np.char.str_len(np.array(block.texts()))).mean() > 0.85


def test_a_span_fills_the_middle_of_its_shape_and_neighbours_stand_beside_it():
    image = bars(40, 49)
    lattice = find_apart(image)
    shapes = shape_spans(image, lattice)
    assert shapes.shape == (2, SIZE)
    left = shapes[0, : GRID[0] * GRID[1]].reshape(GRID)
    middle = left[MARGIN : MARGIN + ROWS, BESIDE : BESIDE + COLUMNS]
    assert (middle == 255).all()
    assert not left[:MARGIN].any()
    assert not left[-MARGIN:].any()
    assert not left[:, :BESIDE].any()
    assert left[MARGIN : MARGIN + ROWS, -1].min() == 255  # the other bar, 3 to 9 px away of 20 px height
    assert not left[:, BESIDE + COLUMNS].any()
    bar = shapes[0, -16:]
    assert bar.tolist() == [255, 255, 255, *[0] * 13]  # 6 of 20 px wide
    some = shape_spans(image, lattice, np.array([1]))
    assert np.array_equal(some, shapes[1:])


def test_the_shape_does_not_depend_on_scale():
    small, large = bars(40, 55), np.kron(bars(40, 55), np.ones((1, 2, 2), np.uint8))
    a, b = (shape_spans(image, find_apart(image)) for image in (small, large))
    assert np.abs(a.astype(int) - b).max() <= 1

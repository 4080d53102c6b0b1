import numpy as np
import pytest

from tasks.datasets.recipe import make_recipe, renderer_of
from tasks.profiles.built_in import BUILT_IN
from tasks.reading.components import find_apart
from tasks.reading.deskew import upright
from tasks.reading.features import (
    ACROSS,
    AROUND_X,
    AROUND_Y,
    BARS,
    COARSE,
    COLUMNS,
    DIRECTIONS,
    DOWN,
    ROWS,
    SIZE,
    TALL,
    WIDE,
    shape_spans,
)
from tasks.reading.lattice import Lattice, find_spans

GAIN = 12


def ink_of(name, count=6):
    return upright(renderer_of(make_recipe(BUILT_IN[name], 1)).block(1, 0, count).images)[0]


def spans_at(*boxes, pictures=1):
    """A lattice of any spans, the same ones in every picture."""
    n = len(boxes)
    first = np.tile(np.arange(n, dtype=np.int16), pictures)
    height = np.full(pictures, boxes[0][2] - boxes[0][0])
    return Lattice(
        np.full(pictures, n), np.full(pictures, n + 1), height, first, first + np.int16(1),
        np.tile(np.array(boxes, np.int16), (pictures, 1)),
    )  # fmt: skip


def bars(*places, width=6, height=20, rows=30, columns=120, ink=255):
    """Upright bars, each a picture's letter."""
    image = np.zeros((1, rows, columns), np.uint8)
    for place in places:
        image[0, 4 : 4 + height, place : place + width] = ink
    return image


def cells_of(shapes):
    """The ink's cells, (m, DOWN, ACROSS)."""
    return shapes[:, : DOWN * ACROSS].reshape(-1, ACROSS, DOWN).transpose(0, 2, 1)


def bars_of(shapes):
    return shapes[:, DOWN * ACROSS : COARSE]


def directions_of(shapes):
    """The gradients' cells, (m, TALL + 2, WIDE + 2, DIRECTIONS)."""
    return shapes[:, COARSE:].reshape(-1, TALL + 2, WIDE + 2, DIRECTIONS)


def covered(edges, size):
    """How much of each pixel lies between two edges that follow each other, (len(edges) - 1, size)."""
    places = np.arange(size)
    low, high = np.array(edges[:-1])[:, None], np.array(edges[1:])[:, None]
    return np.clip(np.minimum(high, places + 1) - np.maximum(low, places), 0, 1)


def plain_cells(image, box):
    """The mean ink of each cell, where what is outside the picture has none."""
    top, left, bottom, right = (float(edge) for edge in box)
    height, width = bottom - top, right - left
    down = [top + height * (k - AROUND_Y) / ROWS for k in range(DOWN + 1)]
    across = [left + height * (k - AROUND_X) / 8 for k in range(AROUND_X)]
    across += [left + width * k / COLUMNS for k in range(COLUMNS + 1)]
    across += [right + height * (k + 1) / 8 for k in range(AROUND_X)]
    ink = covered(down, image.shape[0]) @ image.astype(float) @ covered(across, image.shape[1]).T
    return ink / np.diff(down)[:, None] / np.diff(across)


def plain_gradients(image):
    """Sobel's gradient of each pixel as a sum of the two of eight directions it lies between, (H, W, 8)."""
    padded = np.pad(image.astype(float), 1, mode="edge")
    rows, columns = image.shape

    def moved(y, x):
        return padded[1 + y : 1 + y + rows, 1 + x : 1 + x + columns]

    across = sum(weight * (moved(y, 1) - moved(y, -1)) for y, weight in ((-1, 1), (0, 2), (1, 1)))
    down = sum(weight * (moved(1, x) - moved(-1, x)) for x, weight in ((-1, 1), (0, 2), (1, 1)))
    turn = np.arctan2(down, across) % (2 * np.pi) / (np.pi / 4)
    sector = np.floor(turn + 1e-9).astype(int)
    strength, past = np.hypot(across, down) / np.sin(np.pi / 4), (turn - sector) * np.pi / 4
    out = np.zeros((rows, columns, DIRECTIONS))
    at = np.indices((rows, columns))
    out[at[0], at[1], sector % DIRECTIONS] = strength * np.sin(np.pi / 4 - past)
    out[at[0], at[1], (sector + 1) % DIRECTIONS] = strength * np.sin(past)
    return out


def plain_directions(gradients, box):
    """(sum of gradients, area) of each cell: (TALL + 2, WIDE + 2, 8) and (TALL + 2, WIDE + 2, 1)."""
    top, left, bottom, right = (float(edge) for edge in box)
    height, width = bottom - top, right - left
    down = [top + height * (k - 1) / TALL for k in range(TALL + 3)]
    across = [left - height / 5, *(left + width * k / WIDE for k in range(WIDE + 1)), right + height / 5]
    rows, columns = covered(down, len(gradients)), covered(across, gradients.shape[1])
    sums = np.einsum("ay,yxd,bx->abd", rows, gradients, columns, optimize=True)
    return sums, (np.diff(down)[:, None] * np.diff(across))[..., None]


def same_as_plain(ink, lattice):
    shapes = shape_spans(ink, lattice)
    assert (shapes.shape, shapes.dtype) == ((len(lattice.box), SIZE), np.uint8)
    gradients = [plain_gradients(image) for image in ink]
    for shape, picture, box in zip(shapes, lattice.picture, lattice.box, strict=True):
        image, own = ink[picture], shape[None]
        assert cells_of(own)[0] == pytest.approx(plain_cells(image, box).clip(0, 255), abs=0.51)
        ratio = (float(box[3]) - box[1]) / (float(box[2]) - box[0])
        expected = ((ratio - 0.1 * np.arange(BARS)) * 2550).clip(0, 255)
        assert bars_of(own)[0] == pytest.approx(expected, abs=1.01)
        sums, area = plain_directions(gradients[picture], box)
        # Sums of areas are differences of large float32: off by a few units, which a root shows where there is nothing.
        low, high = (np.sqrt((sums + off).clip(0) / area) * GAIN for off in (-1.0, 1.0))
        found = directions_of(own)[0].astype(float)
        assert (found >= np.floor(low.clip(0, 255))).all()
        assert (found <= high.clip(0, 255)).all()


@pytest.mark.parametrize("name", ["book", "noise", "hard"])
def test_drawn_spans_become_what_a_plain_program_makes_of_them(name):
    ink = ink_of(name, 2)
    lattice = find_spans(ink)
    some = np.zeros(len(lattice.box), bool)
    some[::17] = True
    same_as_plain(ink, lattice.keep(some))


@pytest.mark.parametrize("shape", [(4, 5), (9, 30), (40, 90)])
def test_spans_of_noise_become_what_a_plain_program_makes_of_them(shape):
    random = np.random.Generator(np.random.Philox(shape[0]))
    noise = random.integers(0, 256, (2, *shape)).astype(np.uint8)
    noise[1][noise[1] < 200] = 0
    rows, columns = shape
    # At all edges of the picture, one column wide, and as high as the picture.
    boxes = [(0, 0, 4, 2), (rows - 4, columns - 3, rows, columns), (rows - 4, 1, rows, 2), (0, 0, 4, columns)]
    same_as_plain(noise, spans_at(*boxes, pictures=2))
    same_as_plain(noise, spans_at((0, 0, rows, columns), (0, 2, rows, 3), pictures=2))


def test_a_span_fills_the_middle_and_neighbours_stand_beside_it():
    image = bars(40, 49)
    shapes = shape_spans(image, find_apart(image))
    left, right = cells_of(shapes)
    inside = slice(AROUND_X, AROUND_X + COLUMNS)
    for one in (left, right):
        assert (one[AROUND_Y:-AROUND_Y, inside] == 255).all()
        assert not one[:AROUND_Y].any()
        assert not one[-AROUND_Y:].any()
    assert not left[:, :AROUND_X].any()
    assert not right[:, -AROUND_X:].any()
    # An eighth of 20 px is 2.5: the other bar begins 3 px away.
    beside = left[AROUND_Y, -AROUND_X:].tolist()
    assert beside == [0, 204, 255]
    assert right[AROUND_Y, :AROUND_X].tolist() == beside[::-1]
    assert bars_of(shapes)[0].tolist() == [255, 255, 255, *[0] * (BARS - 3)]  # 6 of 20 px wide
    alone = shape_spans(bars(40), find_apart(bars(40)))
    assert np.array_equal(cells_of(alone)[0][:, :-AROUND_X], left[:, :-AROUND_X])
    assert not cells_of(alone)[0][:, -AROUND_X:].any()


def test_edges_show_which_way_the_ink_grows():
    image = bars(40, ink=60)
    found = directions_of(shape_spans(image, spans_at((4, 38, 24, 48))))[0].astype(int)
    across, down = found[2:-2].sum(axis=(0, 1)), found[:, 3].sum(axis=0)
    assert across.argmax() == 0 or across.argmax() == 4
    assert across[0] == across[4] > 0  # ink grows to the right at its left edge, to the left at its right one
    assert across[[1, 2, 3, 5, 6, 7]].sum() == 0
    assert down[2] == down[6] > 0
    # The left edge is in the left half.
    assert found[3, : (WIDE + 2) // 2, 0].sum() > 0
    assert found[3, : (WIDE + 2) // 2, 4].sum() == 0


@pytest.mark.parametrize(("turn", "moved"), [(1, 6), (2, 4), (3, 2)])
def test_directions_turn_with_the_picture(turn, moved):
    image = ink_of("book", 1)[:, 2:32, 10:40]
    one = plain_gradients(image[0]).sum(axis=(0, 1))
    turned = plain_gradients(np.rot90(image[0], turn)).sum(axis=(0, 1))
    assert np.roll(one, moved) == pytest.approx(turned)
    box = (0, 0, 30, 30)
    found = directions_of(shape_spans(image, spans_at(box)))[0].astype(float) ** 2
    other = np.ascontiguousarray(np.rot90(image, turn, axes=(1, 2)))
    other = directions_of(shape_spans(other, spans_at(box)))[0].astype(float) ** 2
    # Cells are no squares, but all are as large: the sum of all of them is the same.
    sums = [part[1:-1, 1:-1].sum(axis=(0, 1)) for part in (found, other)]
    assert np.roll(sums[0], moved) == pytest.approx(sums[1], rel=0.03)


@pytest.mark.parametrize("times", [2, 3])
def test_the_shape_does_not_depend_on_scale(times):
    box = (4, 40, 24, 46)
    small = shape_spans(bars(40, 55, ink=60), spans_at(box))
    large = np.kron(bars(40, 55, ink=60), np.ones((1, times, times), np.uint8))
    large = shape_spans(large, spans_at([times * edge for edge in box]))
    assert np.abs(small[:, :COARSE].astype(int) - large[:, :COARSE]).max() <= 1
    # An edge as sharp as before is thinner beside the letter, and its gradient a smaller part of the cell.
    one, other = (directions_of(shapes)[0, 2:-2].astype(float) for shapes in (small, large))
    assert one.max() < 255
    assert one == pytest.approx(other * np.sqrt(times), abs=2.5)


def test_the_shape_does_not_depend_on_the_place():
    ink = ink_of("hard", 1)
    lattice = find_spans(ink)
    shapes = shape_spans(ink, lattice)
    moved = np.zeros((1, ink.shape[1] + 40, ink.shape[2] + 60), np.uint8)
    moved[:, 21 : 21 + ink.shape[1], 33 : 33 + ink.shape[2]] = ink
    boxes = lattice.box + np.array([21, 33, 21, 33], np.int16)
    other = shape_spans(
        moved, Lattice(lattice.counts, lattice.cuts, lattice.height, lattice.first, lattice.last, boxes)
    )
    assert np.abs(shapes[:, :COARSE].astype(int) - other[:, :COARSE]).max() <= 1


def test_spans_that_reach_out_of_the_picture_see_nothing_there():
    image = np.full((1, 20, 10), 200, np.uint8)
    shapes = shape_spans(image, spans_at((0, 0, 20, 10)))
    cells = cells_of(shapes)[0]
    assert (cells[AROUND_Y:-AROUND_Y, AROUND_X:-AROUND_X] == 200).all()
    cells[AROUND_Y:-AROUND_Y, AROUND_X:-AROUND_X] = 0
    assert not cells.any()
    assert not directions_of(shapes).any()


def test_other_spans_that_are_asked_for_change_nothing():
    ink = ink_of("hard", 6)
    lattice = find_spans(ink)
    shapes = shape_spans(ink, lattice)
    random = np.random.Generator(np.random.Philox(4))
    for most in (1, 9, 400):
        chosen = np.unique(random.integers(0, len(lattice.box), most))
        some = shape_spans(ink, lattice, chosen)
        kept = np.zeros(len(lattice.box), bool)
        kept[chosen] = True
        assert np.array_equal(shape_spans(ink, lattice.keep(kept)), some)
        assert np.array_equal(some[:, :COARSE], shapes[chosen, :COARSE])
        # Gradients are added up from where a picture's spans begin, in float32: a root may be cut to the next byte.
        off = np.abs(some.astype(int) - shapes[chosen])
        assert off.max() <= 1
        assert (off > 0).mean() < 0.005


def test_other_pictures_change_nothing():
    ink = ink_of("hard", 6)
    lattice = find_spans(ink)
    shapes = shape_spans(ink, lattice)
    for number in (0, 3, 5):
        own = lattice.picture == number
        alone = lattice.of(np.arange(6) == number)
        assert np.array_equal(shape_spans(ink[number : number + 1], alone), shapes[own])


def test_no_spans_at_all():
    ink = np.zeros((3, 20, 40), np.uint8)
    assert shape_spans(ink, find_spans(ink)).shape == (0, SIZE)
    full = ink_of("book", 2)
    assert shape_spans(full, find_spans(full), np.empty(0, int)).shape == (0, SIZE)

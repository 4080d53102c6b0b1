from dataclasses import fields
from itertools import pairwise

import numpy as np
import pytest
from skimage.measure import label, regionprops

from tasks.datasets.recipe import make_recipe, renderer_of
from tasks.profiles.built_in import BUILT_IN
from tasks.reading.components import INKED, OVERHANG, SPECK, find_apart
from tasks.reading.deskew import upright
from tasks.reading.lattice import CUTS, DENSITY, FINE, NARROWEST, WIDEST, Lattice, _cuts, find_spans
from tasks.reading.text_line import FAINTEST, _densest
from tasks.training.alignment import nearness


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


def plain_measure(image):
    """Where the text is and how high its letters are, a column at a time."""
    rows = len(image)
    top, bottom = _densest(image.sum(axis=1).astype(float), 0, rows, 0.3)
    if bottom - top < 4:
        return 0, 0, 0
    around = (bottom - top) // 6
    high, low = max(0, top - around), min(rows, bottom + around)
    sizes = []
    for column in image.T:
        start, stop = _densest(column.astype(float), high, low, 0.3)
        if column[high:low].sum() > FAINTEST and stop - start > 2:
            sizes.append(stop - start)
    if not sizes:
        return high, low, 4
    most = sorted(sizes)[len(sizes) * 92 // 100]
    sizes = sorted(size for size in sizes if size * 10 >= most * 7)
    return high, low, max(min(sizes[len(sizes) // 2], low - high), 4)


def plain_top(image, high, low, height):
    """The ink of the best window of rows, and where it begins: the middle one of equals."""
    rows = np.concatenate([[0], np.cumsum(image[high:low].sum(axis=1, dtype=int))])
    inside = rows[height:] - rows[:-height]
    start = again = int(inside.argmax())
    while again + 1 < len(inside) and inside[again + 1] == inside[start]:
        again += 1
    return inside[start], high + (start + again) // 2


def plain_spans(image, fine):
    high, low, height = plain_measure(image)
    if height == 0:
        return []
    begins, ends = np.zeros(CUTS, int), np.zeros(CUTS, int)
    count = _cuts(image[high:low].sum(axis=0).astype(np.uint32), height, fine, begins, ends)
    found = []
    for a in range(count - 1):
        for b in range(a + 1, count):
            left, right = begins[a], ends[b]
            if max(1, NARROWEST * height // 100) <= right - left <= WIDEST * height // 100 + 1:
                most, top = plain_top(image[:, left:right], high, low, height)
                if most >= DENSITY * height * (right - left):
                    found.append([a, b, top, left, top + height, right])
    return found


def same_as_plain(ink, fine):
    lattice = find_spans(ink, fine)
    spans = np.column_stack([lattice.first, lattice.last, lattice.box])
    for image, begin, end in zip(ink, lattice.starts[:-1], lattice.starts[1:], strict=True):
        assert spans[begin:end].tolist() == plain_spans(image, fine)


@pytest.mark.parametrize("name", ["book", "hard"])
@pytest.mark.parametrize("fine", [0, FINE])
def test_spans_are_what_a_plain_program_finds(name, fine):
    same_as_plain(upright(renderer_of(make_recipe(BUILT_IN[name], 1)).block(1, 0, 8).images)[0], fine)


@pytest.mark.parametrize("shape", [(1, 5), (4, 4), (9, 50), (40, 90), (100, 300)])
def test_spans_of_noise_are_what_a_plain_program_finds(shape):
    noise = np.random.Generator(np.random.Philox(shape[0])).integers(0, 256, (5, *shape)).astype(np.uint8)
    noise[1:][noise[1:] < np.array([100, 200, 240, 250])[:, None, None]] = 0
    noise[4][noise[4] > 0] = 255
    noise[2, : shape[0] // 2] = 0
    same_as_plain(noise, FINE)


def test_more_spans_than_there_was_room_for_are_still_found():
    image = np.zeros((1, 24, 1400), np.uint8)
    image[0, 2:22] = 200
    many = find_spans(np.repeat(image, 60, axis=0), 40)
    assert many.counts.sum() > 256 * 60 + 4096
    one = find_spans(image, 40)
    assert np.array_equal(many.counts, np.repeat(one.counts, 60))
    assert np.array_equal(many.box, np.tile(one.box, (60, 1)))


def plain_apart(image):
    high, low, height = plain_measure(image)
    if height == 0:
        return []
    regions = regionprops(label(image >= INKED, connectivity=2))
    ordered = sorted(regions, key=lambda region: min((x, y) for y, x in region.coords.tolist()))
    large = [region.area * 100 >= SPECK * height * height for region in ordered]
    if np.cumsum([0, *large])[:-1].max(initial=0) >= 32:
        return []
    edges = [list(region.bbox[1::2]) for region, is_large in zip(ordered, large, strict=True) if is_large]
    if any((right - left) * 100 > WIDEST * height for left, right in edges):
        return []
    for one, other in pairwise(edges):
        shared = one[1] - other[0]
        if shared * 100 > OVERHANG * height:
            return []
        if shared > 0:
            one[1] = other[0] = other[0] + shared // 2
    if any(right <= left for left, right in edges):
        return []
    tops = [plain_top(image[:, left:right], high, low, height)[1] for left, right in edges]
    return [[top, left, top + height, right] for top, (left, right) in zip(tops, edges, strict=True)]


def same_components(ink):
    lattice = find_apart(ink)
    for image, begin, end in zip(ink, lattice.starts[:-1], lattice.starts[1:], strict=True):
        assert lattice.box[begin:end].tolist() == plain_apart(image)


@pytest.mark.parametrize("name", ["book", "fonts", "hard"])
def test_components_are_what_a_plain_program_finds(name):
    same_components(upright(renderer_of(make_recipe(BUILT_IN[name], 1)).block(1, 0, 16).images)[0])


@pytest.mark.parametrize("shape", [(1, 5), (9, 50), (40, 90), (30, 300)])
def test_components_of_noise_are_what_a_plain_program_finds(shape):
    noise = np.random.Generator(np.random.Philox(shape[0])).integers(0, 256, (6, *shape)).astype(np.uint8)
    noise[noise < np.array([128, 150, 200, 230, 245, 252])[:, None, None]] = 0
    same_components(noise)
    same_components(np.kron(noise, np.ones((1, 5, 4), np.uint8)))


# Lattices are taken apart and put together.


def arrays(lattice):
    return [getattr(lattice, field.name) for field in fields(Lattice)]


def the_same(one, other):
    for a, b in zip(arrays(one), arrays(other), strict=True):
        assert np.array_equal(a, b)
        assert a.dtype == b.dtype


@pytest.fixture(scope="module")
def hard():
    """Upright ink of eleven pictures, one of them empty, and its lattice."""
    _, ink, _, _, _ = lattice_of("hard", 11)
    ink[4] = 0
    return ink, find_spans(ink)


def test_spans_know_their_pictures(hard):
    ink, lattice = hard
    assert lattice.counts[4] == 0
    assert lattice.starts.tolist() == [0, *np.cumsum(lattice.counts)]
    for number in range(11):
        own = slice(lattice.starts[number], lattice.starts[number + 1])
        assert (lattice.picture[own] == number).all()
        assert np.array_equal(lattice.box[own], find_spans(ink[number : number + 1]).box)


def test_kept_spans_keep_their_cuts(hard):
    lattice = hard[1]
    random = np.random.Generator(np.random.Philox(1))
    chosen = random.random(len(lattice.box)) < 0.3
    chosen[lattice.picture == 2] = False
    kept = lattice.keep(chosen)
    assert kept.counts.sum() == chosen.sum() == len(kept.box)
    assert (kept.counts[2], kept.counts[4]) == (0, 0)
    assert len(kept.counts) == 11
    assert np.array_equal(kept.picture, lattice.picture[chosen])
    assert np.array_equal(kept.box, lattice.box[chosen])
    assert np.array_equal(np.stack([kept.first, kept.last]), np.stack([lattice.first, lattice.last])[:, chosen])
    assert np.array_equal(kept.cuts, lattice.cuts)
    assert np.array_equal(kept.height, lattice.height)
    the_same(lattice.keep(np.ones(len(chosen), bool)), lattice)
    assert lattice.keep(np.zeros(len(chosen), bool)).counts.tolist() == [0] * 11


@pytest.mark.parametrize("numbers", [[0, 3, 4, 9], [4], [], list(range(11))])
def test_some_pictures_are_what_their_ink_alone_gives(hard, numbers):
    ink, lattice = hard
    chosen = np.zeros(11, bool)
    chosen[numbers] = True
    the_same(lattice.of(chosen), find_spans(ink[chosen]))


def test_one_lattice_after_another_is_that_of_all_pictures(hard):
    ink, lattice = hard
    the_same(find_spans(ink[:5]).followed_by(find_spans(ink[5:])), lattice)
    the_same(lattice.followed_by(find_spans(ink[:0])), lattice)
    the_same(find_spans(ink[:0]).followed_by(lattice), lattice)


@pytest.mark.parametrize(
    "place", [[*range(11)], [*range(10, -1, -1)], [3, 4, 0, 10, 1, 7, 9, 8, 2, 5, 6], [4, 4, 2], []]
)
def test_pictures_are_put_into_another_order(hard, place):
    ink, lattice = hard
    moved, spans = lattice.at(np.array(place, int))
    the_same(moved, find_spans(ink[np.array(place, int)]))
    assert np.array_equal(lattice.box[spans], moved.box)
    assert np.array_equal(lattice.picture[spans], np.array(place, int)[moved.picture])


def test_what_was_taken_apart_comes_together_again(hard):
    lattice = hard[1]
    fine = np.arange(11) % 3 == 1
    both = lattice.of(fine).followed_by(lattice.of(~fine))
    place = np.argsort(np.concatenate([np.flatnonzero(fine), np.flatnonzero(~fine)]))
    the_same(both.at(place)[0], lattice)

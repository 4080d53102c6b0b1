import numpy as np
import pytest

from tasks.reading.lattice import Lattice
from tasks.training.alignment import LIKELY, NEAR, OTHER, OUTWARD, SAME, mark, nearness, odds_of_letters, pick

HEIGHT = 100  # of the text: a hundredth of it is a pixel


def lattice_of(*pictures):
    """Make a lattice of pictures with cuts at these columns, and a span between any two cuts."""
    counts, cuts, first, last, box = [], [], [], [], []
    for edges in pictures:
        pairs = [(a, b) for a in range(len(edges)) for b in range(a + 1, len(edges))]
        counts.append(len(pairs))
        cuts.append(len(edges))
        first += [a for a, _ in pairs]
        last += [b for _, b in pairs]
        box += [(0, edges[a], HEIGHT, edges[b]) for a, b in pairs]
    return Lattice(
        np.array(counts), np.array(cuts), np.full(len(counts), HEIGHT), np.array(first, np.int16),
        np.array(last, np.int16), np.array(box, np.int16).reshape(-1, 4),
    )  # fmt: skip


def boxes_of(*pictures, longest=3):
    boxes = np.full((len(pictures), longest, 4), -1, np.int16)
    for row, letters in zip(boxes, pictures, strict=True):
        for box, (left, right) in zip(row, letters, strict=False):
            box[:] = 0, left, HEIGHT, right
    return boxes


def near(lattice, boxes, shear=0, offset=0):
    n = len(lattice.counts)
    return nearness(lattice, np.full(n, shear), np.full(n, offset), boxes)


def test_a_span_with_the_edges_of_a_box_is_nearest_and_each_pixel_counts():
    lattice = lattice_of([0, 40, 90])  # spans 0-40, 0-90, 40-90
    found = near(lattice, boxes_of([(0, 40), (40, 90)]))
    assert found[0, 0] == found[2, 1] == 0
    assert found[1, 0] == pytest.approx(-(50 + OUTWARD * 50) / HEIGHT)
    assert found[2, 0] == pytest.approx(-(40 + 50) * (1 + OUTWARD) / HEIGHT)
    assert (found[:, 2] < -10).all()  # there is no third letter


def test_edges_are_known_within_the_columns_of_the_shear():
    lattice = lattice_of([0, 50, 99])
    box = boxes_of([(0, 99)])
    upright, sheared = near(lattice, box), near(lattice, box, shear=500, offset=50)
    assert upright[:, 0] == pytest.approx(np.array([-49, 0, -50]) * (1 + OUTWARD) / HEIGHT)
    # The left edge is from 0.5 to 50, the right one from 99.5 to 149: a span of half the box may be the letter.
    assert sheared[2, 0] == pytest.approx(-0.5 * (1 + OUTWARD) / HEIGHT)
    assert sheared[:, 0].argmax() == 2
    assert near(lattice, box, offset=7)[1, 0] == pytest.approx(-(1 + OUTWARD) * 14 / HEIGHT)


def test_spans_are_letters_others_or_too_close_to_say():
    close, far = round(100 * SAME) + 2, round(100 * OTHER) + 2
    lattice = lattice_of([0, 40, 40 + close, 40 + far, 90])
    labels = mark(lattice, np.array([[7, 3, -1]]), near(lattice, boxes_of([(0, 40), (40, 90)])), NEAR, 26)
    by_span = {(box[1], box[3]): label for box, label in zip(lattice.box.tolist(), labels.tolist(), strict=True)}
    assert by_span[0, 40] == 7
    assert by_span[40, 90] == 3
    assert by_span[0, 40 + close] == by_span[40 + close, 90] == -1
    assert by_span[0, 40 + far] == by_span[0, 90] == 26


def test_letters_far_from_every_span_teach_nothing_and_the_next_picture_all_the_same():
    lattice = lattice_of([0, 40, 90], [0, 40, 90])
    boxes = boxes_of([(200, 240), (240, 290)], [(0, 40), (40, 90)])
    labels = mark(lattice, np.array([[0, 1, -1], [0, 1, -1]]), near(lattice, boxes), NEAR, 2)
    assert labels.tolist() == [-1, -1, -1, 0, 2, 1]


def test_a_network_aligns_by_its_odds_of_the_known_letters():
    lattice = lattice_of([0, 40, 90])
    codes = np.array([[2, 0]])
    odds = np.full((3, 3), -9.0)
    odds[0, 2], odds[2, 0], odds[1, 1] = 5, 4, 99  # the whole would be a 1, of which there is none
    worth = odds_of_letters(lattice, codes, odds)
    assert worth.tolist() == [[5, -9], [-9, -9], [-9, 4]]
    assert mark(lattice, codes, worth, LIKELY, 3).tolist() == [2, 3, 0]
    assert mark(lattice, codes, worth - 20, LIKELY, 3).tolist() == [-1, -1, -1]


def test_the_first_letters_and_others_of_each_picture_are_picked():
    labels = np.array([0, 1, 2, 2, 2, -1, 2, 2, 0, 2])
    picture = np.array([0, 0, 0, 0, 0, 0, 1, 1, 2, 2])
    random = np.array([5, 4, 9, 1, 3, 0, 1, 2, 8, 7], np.uint64)
    assert pick(labels, picture, 2, random, 1, 2).tolist() == [1, 3, 4, 8, 9]  # none of picture 1: it has no letter
    assert pick(labels, picture, 2, random).tolist() == [0, 1, 2, 3, 4, 8, 9]
    assert pick(labels[:0], picture[:0], 2, random[:0]).tolist() == []

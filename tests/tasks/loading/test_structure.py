"""What is taken from a picture beside its letters, and what is left."""

import numpy as np

from tasks.loading.ground import even_ground
from tasks.loading.structure import DOTS, without_cuts, without_dots


def letters(height=40, width=120):
    image = np.zeros((height, width), np.uint8)
    for left in (15, 45, 75):
        image[8:32, left : left + 5] = 255
        image[27:32, left : left + 18] = 255
    return image


def test_many_dots_go_and_few_stay():
    """The dots of i, commas and a colon are few."""
    for count, gone in ((DOTS + 10, True), (DOTS - 1, False)):
        image = letters()
        places = [(2 + 2 * (k % 2), 2 + 3 * k) for k in range(count)]
        for y, x in places:
            image[y, x] = 255
        out = without_dots(image)
        assert all(bool(out[y, x]) is not gone for y, x in places)
        assert (out[8:, 10:] == letters()[8:, 10:]).all()


def test_gaps_are_filled_in_high_letters_only():
    high = letters()
    high[18:20] = 0
    assert (without_cuts(high)[18:20, 15:20] == 255).all()
    low = np.zeros((14, 40), np.uint8)
    low[1:13, 10:14] = 255
    low[6:8] = 0
    assert (without_cuts(low)[6:8] == 0).all()


def test_a_border_of_another_level_is_ground_if_it_frames_and_not_if_it_is_ink():
    grey = 255 - letters()
    framed = np.pad(grey, 3, constant_values=90)
    out, level = even_ground(framed)
    assert level == 255 and (out[0] == 255).all()
    # Thick strokes that cover most of the middle: the ground between them goes on to the border, as no frame does.
    plain = np.full((40, 120), 255, np.uint8)
    for left in range(8, 112, 5):
        plain[6:34, left : left + 3] = 0
    out, level = even_ground(plain)
    assert level == 255 and np.array_equal(out, plain)


def test_a_middle_without_a_level_of_its_own_has_no_other_ground():
    random = np.random.default_rng(1)
    noise = np.where(random.random((40, 120)) < 0.25, 200, random.integers(0, 150, (40, 120))).astype(np.uint8)
    noise[:8] = noise[-8:] = noise[:, :8] = noise[:, -8:] = 200
    noise[:3] = noise[-3:] = noise[:, :3] = noise[:, -3:] = 90
    out, level = even_ground(noise)
    assert level == 90 and np.array_equal(out, noise)

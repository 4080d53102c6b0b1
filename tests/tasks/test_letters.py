import numpy as np
import pytest
from skimage.transform import resize

from tasks.letters import SIDE, shape_letters
from tasks.segmentation import cut


def generator(key):
    return np.random.Generator(np.random.Philox(key))


def stretched(crop):
    """20 x 20 in floats, by scikit-image where an axis grows and exact area averages where it shrinks."""
    crop = crop.astype(float)
    for axis in (0, 1):
        length = crop.shape[axis]
        if length > SIDE:  # the least common grid: each pixel as 20, then means of `length`
            fine = np.moveaxis(np.repeat(crop, SIDE, axis), axis, 0)
            crop = np.moveaxis(fine.reshape(SIDE, length, -1).mean(axis=1), 0, axis)
        else:
            shape = (SIDE, crop.shape[1]) if axis == 0 else (crop.shape[0], SIDE)
            crop = resize(crop, shape, order=1, mode="edge", anti_aliasing=False)
    return crop / crop.max() * 255


@pytest.mark.parametrize("shape", [(5, 7), (20, 20), (1, 1), (3, 20), (21, 6), (37, 52), (20, 41), (64, 19), (200, 2)])
def test_stretching_agrees_with_the_reference(shape):
    # All pixels near the maximum: one component that fills its crop, whatever the threshold.
    crop = generator(sum(shape)).integers(200, 250, shape, dtype=np.uint8)
    image = np.zeros((shape[0] + 6, shape[1] + 9), np.uint8)
    image[2 : 2 + shape[0], 4 : 4 + shape[1]] = crop
    letters = shape_letters(image[None], cut(image[None], 0.5, 1))
    assert letters.shape == (1, SIDE, SIDE)
    assert letters.dtype == np.uint8
    assert np.abs(letters[0] - stretched(crop)).max() <= 0.51


def test_a_segment_of_twenty_by_twenty_is_kept_as_it_is():
    crop = generator(5).integers(130, 256, (20, 20), dtype=np.uint8)
    crop[3, 3] = 255
    assert np.array_equal(shape_letters(crop[None], cut(crop[None], 0.5))[0], crop)


def test_the_brightest_pixel_is_255_whatever_the_ink():
    image = np.zeros((1, 30, 30), np.uint8)
    image[0, 5:15, 5:12] = 7
    image[0, 5:15, 15:22] = 6
    letters = shape_letters(image, cut(image, 0.5))
    assert (letters == 255).all()


def test_faint_pixels_that_touch_belong_to_a_letter_and_others_do_not():
    image = np.zeros((1, 12, 12), np.uint8)
    image[0, 4:8, 4:8] = 200
    image[0, 3, 4:8] = 50  # touches by sides
    image[0, 8, 8] = 40  # touches by a corner
    image[0, 1, 4:8] = 60  # two rows away
    image[0, 8, 10] = 60
    crop = image[0, 3:9, 4:9].copy()
    assert np.abs(shape_letters(image, cut(image, 0.5))[0] - stretched(crop)).max() <= 0.51


def test_nothing_of_a_neighbour_comes_along():
    image = np.zeros((1, 30, 40), np.uint8)
    image[0, 2:22, 5:8] = 255
    image[0, 19:22, 5:25] = 255  # an L …
    image[0, 2:12, 12:22] = 255  # … and a square inside its box, and a speck
    image[0, 15, 15] = 255
    segments = cut(image, 0.5)
    assert segments.box.tolist() == [[2, 5, 22, 25], [2, 12, 12, 22]]
    expected = image[0, 2:22, 5:25].copy()
    expected[0:10, 7:17] = expected[13, 10] = 0
    assert np.array_equal(shape_letters(image, segments)[0], expected)


def test_a_neighbour_that_touches_at_a_corner_is_left_out():
    image = np.zeros((1, 60, 60), np.uint8)
    image[0, 10:30, 10:30] = 255
    image[0, 30:50, 30:50] = 200
    segments = cut(image, 0.5, connectivity=1)
    assert segments.counts.tolist() == [2]
    assert (shape_letters(image, segments) == 255).all()


def test_a_letter_looks_the_same_alone_and_among_others():
    random = generator(8)
    letters = [random.integers(130, 256, (14, 9), dtype=np.uint8) for _ in range(3)]
    together = np.zeros((1, 20, 50), np.uint8)
    for number, letter in enumerate(letters):
        together[0, 3:17, 2 + 15 * number : 11 + 15 * number] = letter
    joint = shape_letters(together, cut(together, 0.5))
    for number, letter in enumerate(letters):
        assert np.array_equal(joint[number], shape_letters(letter[None], cut(letter[None], 0.5))[0])


def test_a_letter_at_the_very_edge_of_the_picture():
    image = np.zeros((2, 10, 10), np.uint8)
    image[0, :, :] = 255
    image[1, 0:4, 6:10] = 255
    assert (shape_letters(image, cut(image)) == 255).all()


def test_no_segments_give_no_letters():
    image = np.zeros((2, 10, 10), np.uint8)
    assert shape_letters(image, cut(image)).shape == (0, SIDE, SIDE)


def test_segments_of_other_pictures_are_refused():
    image = np.full((1, 10, 10), 255, np.uint8)
    with pytest.raises(ValueError, match=r"^images: must be \(1, 10, 10\) uint8.*it is \(1, 9, 10\)"):
        shape_letters(image[:, 1:], cut(image))

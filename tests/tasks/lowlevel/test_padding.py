import numpy as np
import pytest

from tasks.lowlevel.padding import stack_padded


def test_each_picture_is_at_the_top_left_and_zeros_are_around_it():
    random = np.random.Generator(np.random.Philox(1))
    pictures = [random.integers(1, 256, shape, np.uint8) for shape in ((1, 1), (5, 7), (5, 2), (3, 7))]
    images = stack_padded(iter(pictures), 4, 5, 7)
    assert (images.shape, images.dtype) == ((4, 5, 7), np.uint8)
    for image, picture in zip(images, pictures, strict=True):
        height, width = picture.shape
        assert (image[:height, :width] == picture).all()
        assert np.count_nonzero(image) == picture.size


def test_no_pictures_make_an_array_of_the_canvas():
    assert stack_padded([], 0, 8, 9).shape == (0, 8, 9)


@pytest.mark.parametrize("shape", [(6, 7), (5, 8), (1, 8), (6, 1)])
def test_a_picture_larger_than_the_canvas_is_refused(shape):
    with pytest.raises(ValueError, match="broadcast"):
        stack_padded([np.ones(shape, np.uint8)], 1, 5, 7)


@pytest.mark.parametrize("count", [1, 3])
def test_another_number_of_pictures_is_refused(count):
    with pytest.raises(ValueError, match="zip"):
        stack_padded([np.ones((2, 2), np.uint8)] * 2, count, 2, 2)


def test_pictures_in_colour_may_go_on_around_themselves():
    pictures = [np.full((2, 3, 3), (9, 8, 7), np.uint8), np.zeros((4, 5, 3), np.uint8)]
    assert (stack_padded(pictures, 2, 4, 5, (3,))[0, 2:] == 0).all()
    around = stack_padded(pictures, 2, 4, 5, (3,), lambda picture: picture[0, 0] + 1)
    assert around.shape == (2, 4, 5, 3)
    assert (around[0, :2, :3] == (9, 8, 7)).all()
    assert (around[0, 2:] == (10, 9, 8)).all()
    assert (around[0, :, 3:] == (10, 9, 8)).all()
    assert (around[1] == 0).all()  # it fills its canvas

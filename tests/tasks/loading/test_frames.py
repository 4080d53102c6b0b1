"""Which frames make up a picture, and pictures of 16 bits that use few of their levels."""

import io

import numpy as np
import pytest
from PIL import Image

from tasks.loading.frames import BadPicture, choose_frame, decode_frames


def ink(*parts):
    """Ink of 255 in each (left, right) of a picture of 20 x 100 pixels."""
    image = np.zeros((20, 100), np.uint8)
    for left, right in parts:
        image[5:15, left:right] = 255
    return image


def test_a_frame_with_little_more_than_the_fullest_adds_nothing():
    few, full = ink((90, 94)), ink((0, 20), (25, 45), (50, 70))
    assert choose_frame([few, full]) == [1]
    assert choose_frame([None, few, full, few]) == [2]


def test_the_first_of_frames_that_are_nearly_as_full_is_taken():
    full, nearly = ink((0, 20), (25, 45), (50, 70)), ink((0, 20), (25, 45), (50, 67))
    assert choose_frame([nearly, full]) == [0]
    assert choose_frame([full, nearly]) == [0]


def test_a_frame_with_a_letter_that_the_fullest_lacks_joins_it():
    assert choose_frame([ink((0, 20), (25, 45)), ink((0, 20), (25, 45), (50, 60)), ink((80, 90))]) == [1, 2]


def test_frames_of_another_size_are_no_frames_of_the_picture():
    stream = io.BytesIO()
    first, small = Image.new("L", (40, 20), 255), Image.new("L", (8, 8), 0)
    first.save(stream, "TIFF", save_all=True, append_images=[small, first])
    frames = decode_frames(stream.getvalue())
    assert [frame.shape for frame in frames.pixels] == [(20, 40)] * 2
    assert frames.count == 3


@pytest.mark.parametrize(("step", "blank"), [(4, True), (1000, False)])
def test_levels_of_16_bits_that_nobody_could_tell_apart_are_blank(step, blank):
    levels = np.full((30, 60), 20_000, np.uint16)
    levels[8:22, 10:30] += step
    stream = io.BytesIO()
    Image.fromarray(levels).save(stream, "PNG")
    if blank:
        with pytest.raises(BadPicture, match="blank: "):
            decode_frames(stream.getvalue())
    else:
        (pixels,) = decode_frames(stream.getvalue()).pixels
        assert (pixels.min(), pixels.max()) == (0, 255)

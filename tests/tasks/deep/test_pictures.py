"""Pictures of any size come before the network at one height, without aliases, on their own ground."""

import numpy as np
import pytest

from tasks.deep.pictures import find_content, gather, natural_widths, normalise, padded_width


def whole(sizes: np.ndarray) -> np.ndarray:
    """Return the rectangle of each whole picture."""
    return np.column_stack([np.zeros((len(sizes), 2)), sizes])


def normalised(images, rectangle=None, height=32, width=32, columns=32):
    sizes = np.tile(np.array(images.shape[1:3]), (len(images), 1))
    rectangles = whole(sizes) if rectangle is None else np.tile(np.array(rectangle, float), (len(images), 1))
    out = np.zeros((len(images), 3, height, columns), np.uint8)
    return normalise(images, sizes, rectangles, np.full(len(images), width), out)


def noise(*shape: int) -> np.ndarray:
    return np.random.Generator(np.random.Philox(1)).integers(0, 256, shape, np.uint8)


def test_a_picture_of_that_size_stays_as_it_is():
    colour = noise(2, 32, 32, 3)
    np.testing.assert_array_equal(normalised(colour), colour.transpose(0, 3, 1, 2))


def test_ink_becomes_dark_on_light():
    ink = noise(2, 32, 32)
    np.testing.assert_array_equal(normalised(ink)[:, 1], 255 - ink)


def test_ink_and_the_same_picture_as_seen_are_one():
    ink = noise(2, 45, 60)
    seen = np.repeat((255 - ink)[..., None], 3, axis=3)
    apart = normalised(ink).astype(int) - normalised(seen)
    assert np.abs(apart).max() <= 1


def test_shrinking_averages_areas():
    stripes = np.zeros((1, 64, 64), np.uint8)
    stripes[:, :, ::2] = 255
    inside = normalised(stripes)[0, 0, 2:-2, 2:-2]
    assert np.abs(inside.astype(int) - 127).max() <= 2


def test_beyond_a_picture_is_its_ground():
    picture = np.full((1, 32, 32, 3), 90, np.uint8)
    picture[0, 10:20, 10:20] = (200, 10, 30)
    out = normalised(picture, rectangle=(-16, -16, 48, 48), width=24)
    assert (out[0, :, :, 24:] == 90).all()
    assert (out[0, :, :4] == 90).all()
    assert out[0, 0].max() > 190


def test_only_the_picture_on_its_canvas_is_seen():
    canvas = noise(1, 60, 80)
    sizes = np.array([[30, 40]])
    parts = []
    for image in (canvas, np.ascontiguousarray(canvas[:, :30, :40])):
        out = np.zeros((1, 3, 32, 48), np.uint8)
        parts.append(normalise(image, sizes, whole(sizes), np.array([43]), out))
    np.testing.assert_array_equal(*parts)


@pytest.mark.parametrize(("size", "wide"), [((60, 160), 85), ((30, 30), 32), ((10, 400), 160), ((400, 10), 8)])
def test_widths_keep_the_aspect_within_bounds(size, wide):
    assert natural_widths(np.array([size]), 32, 160).tolist() == [wide]


def test_a_batch_is_as_wide_as_its_widest():
    assert padded_width(np.array([33, 41, 9]), 160) == 48
    assert padded_width(np.array([159]), 156) == 156


def test_gathering_takes_rows_and_cuts_them():
    images = noise(5, 3, 8, 16)
    out = np.empty((2, 3, 8, 8), np.uint8)
    gather(images, np.array([4, 1]), out)
    np.testing.assert_array_equal(out, images[[4, 1], :, :, :8])


def content(picture: np.ndarray) -> list[float]:
    return find_content(picture[None], np.array([picture.shape[:2]]))[0].tolist()


def stems(height: int = 60, width: int = 160) -> np.ndarray:
    """Draw an upright stroke, a square that is no letter, and a stroke again, all of one height, on white."""
    picture = np.full((height, width, 3), 255, np.uint8)
    picture[20:40, 30:36] = picture[20:40, 100:106] = picture[20:40:2, 60:80] = (0, 0, 90)
    return picture


def test_faint_letters_are_content():
    picture = np.full((60, 160, 3), 255, np.uint8)
    picture[20:40, 30:36] = picture[20:40, 100:106] = picture[20:40:2, 60:80] = 225
    assert content(picture) == [15, 25, 45, 111]


def test_stems_of_letters_are_no_frame():
    assert content(stems()) == [15, 25, 45, 111]
    assert content(255 - stems()) == [15, 25, 45, 111]
    assert content(255 - stems()[..., 0]) == [15, 25, 45, 111]


def test_frames_and_bars_are_left_out():
    framed = stems()
    framed[:3] = framed[-3:] = framed[:, :3] = framed[:, -3:] = (200, 0, 0)
    assert content(framed) == [15, 25, 45, 111]
    barred = stems()
    barred[:12] = barred[-12:] = 0
    assert content(barred) == [15, 25, 45, 111]


def test_a_picture_without_margins_or_of_one_colour_stays_whole():
    assert content(noise(30, 50, 3)) == [0, 0, 30, 50]
    assert content(np.full((30, 50, 3), 7, np.uint8)) == [0, 0, 30, 50]


def on_bars(content: np.ndarray, bar: int = 100) -> np.ndarray:
    """Return a picture between two black bars."""
    bars = np.zeros((bar, *content.shape[1:]), np.uint8)
    return np.concatenate([bars, content, bars])[None]


def test_bars_that_lines_and_discs_touch_are_left_out():
    content = np.full((160, 640, 3), (250, 90, 130), np.uint8)
    content[50:110, 100:130] = (20, 60, 60)
    content[-12:, 300:330] = (40, 250, 40)  # a disc
    content[:3, 200:260] = 0  # a line
    content[-3:, 400:640] = 0
    picture = on_bars(content)
    np.testing.assert_array_equal(find_content(picture, np.array([picture.shape[1:3]])), [[100, 0, 260, 640]])


def test_the_ground_beside_letters_that_fill_a_line_stays():
    """A stem may fill the outermost column, and bold letters most of what is inside; the ground is between them."""
    picture = np.full((1, 40, 120, 3), 255, np.uint8)
    picture[0, 10:30, 20:80] = 0
    picture[0, 14:26, 30:32] = picture[0, 14:26, 50:70] = 255
    (found,) = find_content(picture, np.array([[40, 120]]))
    np.testing.assert_array_equal(found, [5, 15, 35, 85])


def test_the_ground_stays_beside_a_line_that_mostly_has_its_colour():
    """Letters may cover nearly all that is inside; the line that they just touch tells the ground."""
    picture = np.full((1, 40, 120, 3), 255, np.uint8)
    picture[0, 10:30, 20:80] = 0
    picture[0, 10, 20:56] = 255
    (found,) = find_content(picture, np.array([[40, 120]]))
    assert found[0] == 5

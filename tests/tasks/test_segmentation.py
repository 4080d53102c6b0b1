import numpy as np
import pytest
from skimage.measure import label, regionprops

from tasks.recipes import make_recipe, renderer_of
from tasks.segmentation import cut
from tasks.specs import find_profile


@pytest.fixture(scope="module")
def block():
    return renderer_of(make_recipe(find_profile("book"), 1)).block(1, 0, 300)


def by_regionprops(image, threshold, smallest, connectivity):
    """What scikit-image says of one picture: (box, set of pixels) in reading order."""
    regions = regionprops(label(image > threshold * image.max(), background=0, connectivity=connectivity))
    found = [(region.bbox, set(map(tuple, region.coords.tolist()))) for region in regions if region.area >= smallest]
    return sorted(found, key=lambda one: (one[0][1], one[0][0]))


@pytest.mark.parametrize(
    ("threshold", "smallest", "connectivity"), [(0.6, 3, 1), (0.8, 3, 2), (0.2, 1, 1), (0.9, 6, 1)]
)
def test_segments_are_those_of_regionprops_picture_by_picture(block, threshold, smallest, connectivity):
    noise = np.random.Generator(np.random.Philox(3)).integers(0, 256, (20, 42, 140), dtype=np.uint8)
    images = np.concatenate([block.images, noise, np.zeros((2, 42, 140), np.uint8)])
    segments = cut(images, threshold, smallest, connectivity)
    row = 0
    for number, image in enumerate(images):
        expected = by_regionprops(image, threshold, smallest, connectivity)
        assert segments.counts[number] == len(expected)
        for box, pixels in expected:
            assert segments.picture[row] == number
            own = np.argwhere(segments.labels[number] == segments.id[row])
            assert tuple(segments.box[row].tolist()) == box
            assert set(map(tuple, own.tolist())) == pixels
            row += 1
    assert row == len(segments) == segments.counts.sum()


def test_types_and_shapes(block):
    segments = cut(block.images)
    m = int(segments.counts.sum())
    assert (segments.picture.dtype, segments.picture.shape) == (np.int32, (m,))
    assert (segments.box.dtype, segments.box.shape) == (np.int16, (m, 4))
    assert (segments.labels.dtype, segments.labels.shape) == (np.int32, block.images.shape)
    assert (segments.counts.dtype, segments.counts.shape) == (np.int32, (300,))


def test_words_fall_into_their_letters(block):
    segments = cut(block.images)
    right = segments.counts == 4
    assert right.mean() > 0.98
    boxes = segments.box[right[segments.picture]].reshape(-1, 4, 4)
    # The true boxes are of all pixels above 0: each holds the brighter core, and little more.
    truth = block.boxes[right]
    assert (boxes[..., :2] >= truth[..., :2]).all()
    assert (boxes[..., 2:] <= truth[..., 2:]).all()
    assert np.abs(boxes - truth).max() <= 4


def test_reading_order_is_by_left_edge_then_top():
    image = np.zeros((12, 20), np.uint8)
    image[6:9, 1:4] = 200  # first in reading, second in raster order
    image[1:4, 8:11] = 200
    image[8:11, 8:12] = 200  # the same left edge, lower
    segments = cut(image[None])
    assert segments.box.tolist() == [[6, 1, 9, 4], [1, 8, 4, 11], [8, 8, 11, 12]]


def test_threshold_is_a_share_of_each_pictures_own_maximum(block):
    faint = (block.images // 4).astype(np.uint8)
    bright = (faint * 4).astype(np.uint8)
    # One very dark picture beside them changes nothing.
    dark = np.full((1, 42, 140), 255, np.uint8)
    one, other = cut(np.concatenate([faint, dark])), cut(bright)
    assert one.counts[:-1].tolist() == other.counts.tolist()
    assert np.array_equal(one.box[:-1], other.box)


def test_pixels_at_the_threshold_are_not_ink():
    image = np.array([[[100, 60, 60, 61, 61, 61]]], np.uint8)
    assert cut(image, 0.6, 1).box.tolist() == [[0, 0, 1, 1], [0, 3, 1, 6]]


def test_pictures_do_not_touch_each_other():
    # Ink on the last row of one and the first of the next.
    images = np.full((3, 4, 5), 9, np.uint8)
    for connectivity in (1, 2):
        segments = cut(images, connectivity=connectivity)
        assert segments.picture.tolist() == [0, 1, 2]
        assert segments.box.tolist() == [[0, 0, 4, 5]] * 3


def test_specks_are_dropped_and_corners_join_as_asked():
    image = np.zeros((1, 9, 12), np.uint8)
    image[0, 1, 1] = image[0, 1, 2] = 255  # 2 px
    image[0, 4:6, 5:7] = image[0, 6:8, 7:9] = 255  # two squares that meet at a corner
    assert cut(image, smallest=3, connectivity=1).box.tolist() == [[4, 5, 6, 7], [6, 7, 8, 9]]
    assert cut(image, smallest=3, connectivity=2).box.tolist() == [[4, 5, 8, 9]]
    assert cut(image, smallest=2, connectivity=2).counts.tolist() == [2]


@pytest.mark.parametrize("shape", [(0, 42, 140), (3, 10, 10)])
def test_no_pictures_and_empty_pictures_have_no_segments(shape):
    segments = cut(np.zeros(shape, np.uint8))
    assert len(segments) == 0
    assert segments.counts.tolist() == [0] * shape[0]
    assert segments.labels.shape == shape


@pytest.mark.parametrize(
    ("images", "values", "name"),
    [
        (np.zeros((5, 5), np.uint8), {}, "images"),
        (np.zeros((1, 5, 5)), {}, "images"),
        (np.zeros((1, 5, 5), np.uint8), {"threshold": 1.0}, "threshold"),
        (np.zeros((1, 5, 5), np.uint8), {"threshold": -0.1}, "threshold"),
        (np.zeros((1, 5, 5), np.uint8), {"connectivity": 3}, "connectivity"),
    ],
)
def test_wrong_arguments_are_named(images, values, name):
    with pytest.raises(ValueError, match=f"^{name}: must be"):
        cut(images, **values)

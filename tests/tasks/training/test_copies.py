from types import SimpleNamespace

import numpy as np

from tasks.training import copies
from tasks.training.copies import copies_for, vary


def pictures(count=40):
    """Bars on nothing, 20 x 50 px at the top left of a canvas of 24 x 60."""
    images = np.zeros((count, 24, 60), np.uint8)
    images[:, 5:15, 10:40:6] = 255
    return images, np.full(count, 20), np.full(count, 50)


def test_copies_look_alike_and_each_is_different():
    images, heights, widths = pictures()
    varied = vary(images, heights, widths, (1, 2))
    assert (varied.shape, varied.dtype) == (images.shape, np.uint8)
    assert len({image.tobytes() for image in varied}) == len(images)
    assert not varied[:, 20:].any() and not varied[:, :, 50:].any()  # nothing outside of the picture
    ratio = varied.sum(axis=(1, 2)) / images[0].sum()
    assert (np.abs(ratio - 1) < 0.25).all()
    rows, columns = np.mgrid[:24, :60]
    for axis in (rows, columns):
        middle = (varied * axis).sum(axis=(1, 2)) / varied.sum(axis=(1, 2))
        assert np.abs(middle - (images[0] * axis).sum() / images[0].sum()).max() < 3


def test_the_key_decides_and_neither_the_rest_of_the_block_nor_memory_does(monkeypatch):
    images, heights, widths = pictures()
    expected = vary(images, heights, widths, (1, 2))
    assert np.array_equal(vary(images[:7], heights[:7], widths[:7], (1, 2)), expected[:7])
    monkeypatch.setattr(copies, "_AT_ONCE", 1)
    assert np.array_equal(vary(images, heights, widths, (1, 2)), expected)
    assert not np.array_equal(vary(images, heights, widths, (1, 3)), expected)
    assert vary(images[:0], heights[:0], widths[:0], (1, 2)).shape == (0, 24, 60)


def test_few_pictures_are_copied_often_and_many_or_large_ones_not():
    def number(count, height=50, width=200):
        profile = {"height": height, "width": width}
        return copies_for([SimpleNamespace(manifest=SimpleNamespace(profile=profile))], count)

    assert [number(count) for count in (0, 1, 24, 1200, 6000, 20_000)] == [0, 16, 16, 9, 1, 0]
    assert number(1200, 640, 640) == 0


def test_nothing_is_drawn_beside_a_picture_that_is_smaller_than_its_canvas():
    images = np.zeros((8, 30, 60), np.uint8)
    images[:, :20, :40] = 255
    varied = vary(images, np.full(8, 20), np.full(8, 40), (1, 2))
    assert varied[:, :20, :40].mean() > 200
    assert not varied[:, 20:].any() and not varied[:, :, 40:].any()

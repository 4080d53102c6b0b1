"""Ink on nothing, told from the background by plain numpy, a picture at a time."""

import numpy as np
import pytest

from tasks.loading.polarity import BRIGHT, DARK, LEFT_OPEN, background, ink_of


def plain(grey: np.ndarray, side: int) -> tuple[np.ndarray, int, int, bool]:
    """As it was written before it was a kernel."""
    border = np.sort(np.concatenate((grey[0], grey[-1], grey[1:-1, 0], grey[1:-1, -1])))
    ground, low, high = int(border[len(border) // 2]), int(grey.min()), int(grey.max())
    below, above = ground - low, high - ground
    dark = below >= above if side == LEFT_OPEN else side == DARK
    apart = grey.astype(np.int64) - ground
    if side == LEFT_OPEN and 4 * min(below, above) > max(below, above):
        dark = 2 * (apart[apart < 0] ** 2).sum() >= (apart**2).sum()
    strongest = below if dark else above
    ink = np.maximum(-apart if dark else apart, 0)
    stretched = np.minimum((ink * 255 + strongest // 2) // max(strongest, 1), 255).astype(np.uint8)
    return stretched, high - low, strongest, bool(dark)


@pytest.mark.parametrize("side", [LEFT_OPEN, DARK, BRIGHT])
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (2, 2), (13, 29), (42, 140)])
def test_the_kernel_is_the_plain_rule(side, shape):
    rng = np.random.default_rng(5)
    for low, high in ((0, 256), (100, 140), (250, 256), (0, 2)):
        for few in (1.0, 0.05):
            grey = np.full(shape, rng.integers(low, high), np.uint8)
            some = rng.random(shape) < few
            grey[some] = rng.integers(low, high, some.sum())
            ink, *rest = ink_of(grey, side)
            expected, *told = plain(grey, side)
            assert rest == told
            assert np.array_equal(ink, expected)
            assert ink.dtype == np.uint8


def test_the_background_is_the_upper_median_of_the_border():
    assert background(np.array([[1, 1, 9], [9, 0, 9], [1, 9, 1]], np.uint8)) == 9
    assert background(np.array([[3]], np.uint8)) == 3


def test_arrays_that_may_not_be_written_or_lie_across_are_taken():
    grey = np.arange(35, dtype=np.uint8).reshape(5, 7)
    expected = ink_of(np.ascontiguousarray(grey.T), DARK)[0]
    assert np.array_equal(ink_of(grey.T, DARK)[0], expected)
    sealed = np.frombuffer(np.ascontiguousarray(grey.T).tobytes(), np.uint8).reshape(7, 5)
    assert np.array_equal(ink_of(sealed, DARK)[0], expected)
    assert np.array_equal(grey.ravel(), np.arange(35))

"""Noise by its properties: what it may touch, how much ink it brings, and that the key decides it."""

import numpy as np
import pytest

from tasks.drawing import noise_kernel

FIELDS = ("lines", "arcs", "line_width", "line_ink", "specks", "background", "blur")
THICKNESS = noise_kernel.thicknesses()


def add(images: np.ndarray, sizes=None, keys=None, **settings: int) -> np.ndarray:
    """The same noise settings over a copy of every picture, each with a key of its own."""
    drawn = images.copy()
    sizes = np.full((len(images), 2), images.shape[1:], np.int64) if sizes is None else np.array(sizes, np.int64)
    keys = np.arange(len(images), dtype=np.uint64) * np.uint64(0x9E3779B9) if keys is None else keys
    rows = np.tile(
        [settings.get(field, {"line_width": 1, "line_ink": 100}.get(field, 0)) for field in FIELDS], (len(drawn), 1)
    )
    noise_kernel.add_noise(drawn, sizes, keys, rows.astype(np.int64), THICKNESS)
    return drawn


@pytest.fixture
def blank() -> np.ndarray:
    return np.zeros((60, 40, 120), np.uint8)


@pytest.fixture
def grainy() -> np.ndarray:
    return np.random.Generator(np.random.Philox(1)).integers(0, 256, (60, 40, 120)).astype(np.uint8)


def splitmix(key: int, number: int, limit: int) -> int:
    """The generator as its authors print it, in Python's own integers."""
    mask = (1 << 64) - 1
    state = (key + (number + 1) * 0x9E3779B97F4A7C15) & mask
    state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & mask
    state = (state ^ state >> 27) * 0x94D049BB133111EB & mask
    return ((state ^ state >> 31) >> 32) * limit >> 32


def test_chances_are_splitmix():
    keys = np.array([0, 1, 0xFFFFFFFFFFFFFFFF, 0x123456789ABCDEF0], np.uint64)
    for key in keys:
        for number in (0, 1, 77, 65536):
            assert noise_kernel._chance(key, number, 1000) == splitmix(int(key), number, 1000)


@pytest.mark.parametrize(
    "settings",
    [{"lines": 3}, {"arcs": 3, "line_width": 3}, {"specks": 50}, {"background": 60}, {"blur": 2},
     {"lines": 2, "arcs": 2, "specks": 20, "background": 40, "blur": 1}],
    ids=lambda settings: " ".join(settings),
)  # fmt: skip
def test_noise_stays_inside_the_picture_and_is_its_own_rows(grainy, settings):
    sizes = [(20 + k % 20, 60 + k) for k in range(60)]
    for image, (rows, columns) in zip(grainy, sizes, strict=True):
        image[rows:] = 0
        image[:, columns:] = 0
    keys = np.arange(60, dtype=np.uint64) ** np.uint64(9)
    drawn = add(grainy, sizes, keys, **settings)
    for k, (rows, columns) in enumerate(sizes):
        assert not drawn[k, rows:].any()
        assert not drawn[k, :, columns:].any()
        assert (drawn[k, :rows, :columns] != grainy[k, :rows, :columns]).any()
        alone = add(grainy[k : k + 1], [sizes[k]], keys[k : k + 1], **settings)
        assert alone[0].tobytes() == drawn[k].tobytes()
    if "blur" not in settings:
        assert (drawn >= grainy).all()  # noise is ink too
        assert (drawn != add(grainy, sizes, keys + np.uint64(1), **settings)).any(axis=(1, 2)).all()


def test_a_line_crosses_in_every_column_with_its_width(blank):
    drawn = add(blank, lines=1, line_width=2).astype(int)
    for image in drawn:
        columns = np.flatnonzero(image.any(axis=0))
        assert columns[0] < 30 <= 90 <= columns[-1]
        assert (np.diff(columns) == 1).all()
        ys = (image * np.arange(40)[:, None]).sum(axis=0)[columns] / image.sum(axis=0)[columns]
        slope = (ys[-1] - ys[0]) / (columns[-1] - columns[0])
        # Straight, two pixels thick across itself, and in the middle of the picture.
        assert np.abs(ys - ys[0] - slope * (columns - columns[0])).max() < 0.3
        assert np.abs(image.sum(axis=0)[columns] / 255 - 2 * np.hypot(1, slope)).max() < 0.15
        assert 40 / 6 - 1 <= ys.min() <= ys.max() <= 40 * 5 / 6
    assert len({image.tobytes() for image in drawn}) == len(drawn)


def test_arcs_bend(blank):
    bends = []
    for image in add(blank, arcs=1).astype(int):
        columns = np.flatnonzero(image[2:-2].any(axis=0) & ~image[[0, -1]].any(axis=0))
        ys = (image * np.arange(40)[:, None]).sum(axis=0)[columns] / image.sum(axis=0)[columns]
        bends.append(np.polyfit(columns / 100, ys, 2)[0])
        assert np.abs(np.polyval(np.polyfit(columns, ys, 2), columns) - ys).max() < 0.6  # a parabola
    assert min(bends) < -20
    assert max(bends) > 20


def test_strokes_have_the_ink_they_are_given(blank):
    for percent in (30, 60, 100):
        drawn = add(blank, lines=1, line_width=3, line_ink=percent)
        assert drawn.max() == percent * 255 // 100
        assert (drawn.max(axis=(1, 2)) == drawn.max()).all()


def test_specks_are_1_or_2_by_1_or_2(blank):
    found = add(blank, specks=1, line_ink=50)
    sizes = set()
    for image in found:
        ys, xs = np.nonzero(image)
        size = (np.ptp(ys) + 1, np.ptp(xs) + 1)
        assert size[0] * size[1] == len(ys)
        assert (image[ys, xs] == 127).all()
        sizes.add(size)
    assert sizes == {(1, 1), (1, 2), (2, 1), (2, 2)}
    many = add(blank, specks=200)
    assert (many.any(axis=0)).mean() > 0.9  # everywhere


def test_background_is_even_steps_between_corners(blank):
    drawn = add(blank, background=50).astype(int)
    assert drawn.max() <= 127
    assert drawn[:, [0, 0, -1, -1], [0, -1, 0, -1]].max() > 110
    for image in drawn:
        assert np.abs(np.diff(image, axis=0)).max() <= 127 / 40 + 1.01
        assert np.abs(np.diff(image, axis=1)).max() <= 127 / 120 + 1.01
        # Linear along each row, to the rounding.
        assert np.abs(image - np.linspace(image[:, 0], image[:, -1], 120).T).max() <= 2.5


def test_background_leaves_full_ink_full():
    assert (add(np.full((5, 10, 10), 255, np.uint8), background=90) == 255).all()


def test_blur_is_the_binomial_filter_with_its_border_repeated(grainy):
    wanted = grainy.astype(int)
    for passes in (1, 2):
        wide = np.pad(wanted, ((0, 0), (1, 1), (1, 1)), mode="edge")
        down = wide[:, :-2] + 2 * wide[:, 1:-1] + wide[:, 2:]
        wanted = (down[..., :-2] + 2 * down[..., 1:-1] + down[..., 2:] + 8) // 16
        assert (add(grainy, blur=passes) == wanted).all()


def test_pictures_of_a_single_row_or_column():
    for shape in ((3, 1, 50), (3, 50, 1), (3, 1, 1)):
        drawn = add(np.full(shape, 100, np.uint8), lines=1, arcs=1, specks=3, background=30, blur=2)
        assert drawn.shape == shape
        assert (drawn >= 99).all()


def test_covering_is_rounded_and_never_passes_full():
    for pixel in range(0, 256, 5):
        for ink in range(0, 256, 5):
            assert (
                abs(int(noise_kernel._cover(np.uint8(pixel), np.uint16(ink))) - (pixel + (255 - pixel) * ink / 255))
                <= 0.51
            )
    assert noise_kernel._cover(np.uint8(255), np.uint16(255)) == 255


def test_thickness_is_that_of_a_slanting_stroke():
    slopes = np.arange(len(THICKNESS)) / noise_kernel.STEEPNESS
    assert slopes[-1] == noise_kernel.STEEPEST_STROKE
    assert np.abs(THICKNESS / 256 - np.hypot(1, slopes)).max() < 1 / 128

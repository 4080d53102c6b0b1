from dataclasses import replace

import numpy as np
import pytest

from tasks.datasets.recipe import make_recipe, renderer_of
from tasks.profiles.built_in import BUILT_IN
from tasks.profiles.profile import Grid
from tasks.reading.deskew import FLOOR, STEEPEST_SHEAR, STEP, TILES, _robust, upright


def block(profile, count=60):
    return renderer_of(make_recipe(profile, 1)).block(1, 0, count)


def test_the_shear_of_clean_words_is_found():
    drawn = block(BUILT_IN["random"], 200)
    _, shear, _ = upright(drawn.images)
    off = np.abs(shear - drawn.parameters["shear"])
    assert np.median(off) <= 50
    assert (off <= 100).mean() > 0.9


@pytest.mark.parametrize("slope", [0, 200, 400, -300])
def test_a_slanted_stroke_stands_upright_where_it_is_said_to_be(slope):
    image = np.zeros((1, 40, 80), np.uint8)
    rows = np.arange(5, 35)
    for width in range(4):
        image[0, rows, 40 + slope * rows // 1000 + width] = 255
    ink, shear, offset = upright(image)
    assert shear.tolist() == [slope]
    inked = np.flatnonzero(ink[0].sum(axis=0) > 30 * 128)
    assert 3 <= len(inked) <= 5
    assert abs(inked.mean() - (41.5 + offset[0])) <= 1


def test_no_ink_is_lost_and_none_is_made():
    drawn = block(BUILT_IN["book"])
    ink, _, _ = upright(drawn.images)
    most = drawn.images.max(axis=(1, 2))
    kept = ink.sum(axis=(1, 2)) / 255
    assert kept == pytest.approx(drawn.images.sum(axis=(1, 2)) / most, rel=0.05)


def test_an_uneven_background_is_taken_off():
    plain = replace(BUILT_IN["noise"], arcs=Grid(0, 0), lines=Grid(0, 0), specks=Grid(0, 0), blur=Grid(0, 0))
    drawn = block(plain)
    assert np.median(drawn.images, axis=(1, 2)).max() > 40
    ink, _, _ = upright(drawn.images)
    assert (np.median(ink, axis=(1, 2)) == 0).all()
    inside = drawn.images == 255  # letters cover the background
    assert (ink >= 200).sum() == pytest.approx(inside.sum(), rel=0.25)


def test_pictures_do_not_influence_one_another_and_may_be_empty():
    drawn = block(BUILT_IN["hard"], 6).images
    drawn[2] = 0
    ink, shear, offset = upright(drawn)
    assert not ink[2].any()
    for number in range(6):
        alone = upright(drawn[number : number + 1])
        assert np.array_equal(alone[0][0], ink[number])
        assert (alone[1][0], alone[2][0]) == (shear[number], offset[number])
    assert upright(drawn[:0])[0].shape[0] == 0


def plain_clean(image):
    """What `upright` does about the background, a picture at a time."""
    if not image.any():
        return image
    height, width = (int(np.flatnonzero(image.any(axis=axis)).max()) + 1 for axis in (1, 0))
    inside, clean = image[:height, :width].astype(float), np.zeros_like(image)
    down, across = min(TILES[0], height), min(TILES[1], width)
    design, level = [], []
    for a in range(down):
        for b in range(across):
            top, left = a * height // down, b * width // across
            tile = inside[top : (a + 1) * height // down, left : (b + 1) * width // across]
            y, x = np.unravel_index(tile.argmin(), tile.shape)
            y, x = (top + y) / height, (left + x) / width
            design.append([1, y, x, x * y])
            level.append(tile.min())
    fit, low = np.zeros(4), 0
    if any(level):
        fit, low = _robust(np.array(design), np.array(level)), FLOOR
    y, x = np.arange(height)[:, None], np.arange(width)
    start, step = fit[0] + fit[1] * y / height, (fit[2] + fit[3] * y / height) / width
    most = (255 - (255 - inside) * (255 / (255 - np.clip(start + step * x, 0, 250)))).max()
    if most > FLOOR:
        full = np.float32(255)
        start, step, inside, x = (part.astype(np.float32) for part in (start, step, inside, x))
        ground = np.clip(start + step * x, np.float32(0), np.float32(250))
        over = full - (full - inside) * (full / (full - ground)) - np.float32(low)
        clean[:height, :width] = np.clip(over * np.float32(255 / (most - low)), np.float32(0), full)
    return clean


def plain_upright(image):
    clean = plain_clean(image)
    rows, columns = clean.shape
    ink = np.zeros((rows, columns + rows // 2 + 2), int)
    if not image.any():
        return ink, 0, 0
    height = int(np.flatnonzero(image.any(axis=1)).max()) + 1

    def unevenness(shear):
        sums = np.zeros(columns + 2 * rows, int)
        for y in range(height):
            at = rows - (shear * (2 * y - height) + 1000) // 2000
            sums[at : at + columns] += clean[y]
        return (sums**2).sum()

    best = max(range(-STEEPEST_SHEAR, STEEPEST_SHEAR + 1, 2 * STEP), key=unevenness)
    near = [shear for shear in (best, best - STEP, best + STEP) if abs(shear) <= STEEPEST_SHEAR]
    best = max(near, key=unevenness)
    offset = max(best, 0) * rows // 1000
    for y in range(rows):
        whole, part = divmod(offset * 1000 - best * y, 1000)
        for x in np.flatnonzero(clean[y]):
            right = int(clean[y, x]) * (part * 256 // 1000) >> 8
            if x + whole >= 0:
                ink[y, x + whole] += clean[y, x] - right
            ink[y, x + whole + 1] += right
    return ink, best, offset


def same_as_plain(images):
    for image, *found in zip(images, *upright(images), strict=True):
        expected = plain_upright(image)
        assert np.array_equal(found[0], expected[0])
        assert tuple(found[1:]) == expected[1:]


@pytest.mark.parametrize("name", ["book", "noise", "hard"])
def test_drawn_pictures_become_what_a_plain_program_makes_of_them(name):
    same_as_plain(block(BUILT_IN[name], 8).images)


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (30, 1), (3, 5), (17, 40), (60, 33), (270, 30)])
def test_pictures_of_any_size_become_what_a_plain_program_makes_of_them(shape):
    random = np.random.Generator(np.random.Philox(shape[0]))
    noise = random.integers(0, 256, (5, *shape)).astype(np.uint8)
    noise[1][noise[1] < 200] = 0
    noise[2] = noise[2] // 20 + 30
    noise[3, shape[0] // 2 :] = 0
    noise[4] //= 40
    same_as_plain(noise)

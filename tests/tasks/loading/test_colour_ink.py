"""The ink of pictures in colour: letters of any colours on any ground, without what has another colour."""

import io
import random

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tasks.loading.colour_ink import ink_of_batch, to_ink
from tasks.loading.decode import BadPicture, decode_picture
from tests.strangers import FACES, lay_out, png

SIZE = WIDTH, HEIGHT = 160, 60
LIGHT, DARK = (228, 236, 250), (18, 22, 48)
INKS = {LIGHT: ((200, 30, 40), (20, 90, 30), (30, 40, 190), (110, 10, 110)),
        DARK: ((250, 210, 60), (90, 200, 250), (250, 110, 110), (120, 240, 120))}  # fmt: skip
OTHER = {LIGHT: (240, 160, 20), DARK: (200, 120, 255)}  # of lines


def plate(seed=1, text="HANS"):
    return lay_out(text, random.Random(seed), FACES[0], SIZE, 32, 12)


def flat(ground):
    return Image.new("RGB", SIZE, ground)


def gradient(ground):
    share = np.linspace(0, 1, WIDTH)[None, :, None] * np.linspace(0.4, 1, HEIGHT)[:, None, None]
    return Image.fromarray((np.array(ground) * (1 - share) + np.array((90, 90, 90)) * share).astype(np.uint8))


def patterned(ground, cell):
    """Two colours by turns; `cell` tells which, from row and column."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    other = np.clip(np.array(ground) + np.array((28, -40, 24)), 0, 255)
    return Image.fromarray(np.where(cell(y, x)[..., None], ground, other).astype(np.uint8))


GROUNDS = {
    "flat": flat,
    "gradient": gradient,
    "stripes": lambda ground: patterned(ground, lambda y, x: y // 5 % 2 == 0),
    "bars": lambda ground: patterned(ground, lambda y, x: x // 6 % 2 == 0),
    "checks": lambda ground: patterned(ground, lambda y, x: (x // 7 + y // 7) % 2 == 0),
    "grid": lambda ground: patterned(ground, lambda y, x: (x % 9 > 0) & (y % 9 > 0)),
    "tiles": lambda ground: patterned(ground, lambda y, x: x // 40 % 2 == 0),
}


def written(ground, paper, seed=1):
    """Letters, each in its own colour, on a paper: the picture, and the letters' coverage, (H, W) uint8."""
    letters = plate(seed)
    image = paper.copy()
    for mask, ink in zip(letters.masks, INKS[ground], strict=True):
        image.paste(ink, mask=mask)
    return image, np.asarray(letters.mask)


def agreement(ink, mask):
    """Share of the pixels that are strong in either that are strong in both."""
    return ((ink >= 128) & (mask >= 128)).sum() / ((ink >= 128) | (mask >= 128)).sum()


@pytest.mark.parametrize("ground", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("paper", GROUNDS)
def test_letters_of_any_colours_are_ink_on_any_ground(paper, ground):
    image, mask = written(ground, GROUNDS[paper](ground))
    ink = to_ink(np.asarray(image)[None])[0]
    assert agreement(ink, mask) > 0.9
    assert np.median(ink[mask == 255]) > 230  # whatever their contrast, letters have full strength
    assert not ink[mask == 0].any() or ink[mask == 0].mean() < 2


@pytest.mark.parametrize("ground", [LIGHT, DARK], ids=["light", "dark"])
def test_lines_of_another_colour_are_voted_down_and_letters_closed(ground):
    image, mask = written(ground, flat(ground))
    brush = ImageDraw.Draw(image)
    for begin, end in ((10, 40), (45, 20)):
        brush.line((0, begin, WIDTH, end), fill=OTHER[ground], width=2)
    ink = to_ink(np.asarray(image)[None])[0]
    assert agreement(ink, mask) > 0.85
    assert (ink >= 128)[:, 130:].sum() == 0  # where there are lines alone


def corner(image, left, stroke, colour):
    """Draw an L, 24 px high and 16 wide; return where it is."""
    pen = ImageDraw.Draw(image)
    pen.rectangle((left, 18, left + stroke - 1, 41), fill=colour)
    pen.rectangle((left, 42 - stroke, left + 15, 41), fill=colour)
    return slice(18, 42), slice(left, left + 16)


@pytest.mark.parametrize("ground", INKS)
def test_a_letter_of_thin_strokes_stays_beside_thick_letters(ground):
    image = flat(ground)
    thick = [corner(image, left, 6, INKS[ground][k]) for k, left in enumerate((12, 44, 108))]
    thin = corner(image, 76, 1, INKS[ground][3])
    ImageDraw.Draw(image).line((0, 48, 68, 10), fill=OTHER[ground])  # as thin, and another ink
    ink = to_ink(np.asarray(image)[None])[0]
    assert all((ink[place] > 200).sum() > 150 for place in thick)
    assert (ink[thin] > 150).sum() >= 30  # of 39 px
    ink[thin] = 0
    for place in thick:
        ink[place] = 0
    assert (ink > 100).sum() < 8


def test_specks_of_many_colours_are_voted_down():
    image, mask = written(LIGHT, flat(LIGHT))
    pixels, chance = np.array(image), np.random.default_rng(1)
    where = chance.random(pixels.shape[:2]) < 0.02
    pixels[where] = chance.integers(0, 256, (int(where.sum()), 3))
    ink = to_ink(pixels[None])[0]
    assert agreement(ink, mask) > 0.85
    assert (ink[mask == 0] >= 128).mean() < 0.003


def test_a_frame_of_another_colour_is_no_ink():
    image, mask = written(LIGHT, flat(LIGHT))
    brush = ImageDraw.Draw(image)
    brush.rectangle((0, 0, WIDTH - 1, HEIGHT - 1), outline=(160, 60, 20), width=3)
    brush.rectangle((3, 3, WIDTH - 4, HEIGHT - 4), outline=(20, 60, 160), width=1)
    assert agreement(to_ink(np.asarray(image)[None])[0], mask) > 0.9


def some_pictures():
    pictures = [np.asarray(written(LIGHT, GROUNDS[name](LIGHT), seed)[0]) for seed, name in enumerate(GROUNDS)]
    dyed = np.asarray(plate().plain((120, 20, 60), (240, 230, 200)))
    grey = np.asarray(plate().plain())
    faint = np.asarray(plate().plain((120, 128, 121), (120, 110, 121)))
    return np.stack([*pictures, dyed, grey, faint])


def test_a_file_and_a_dataset_give_the_same_ink():
    pictures = some_pictures()
    for picture, ink in zip(pictures, to_ink(pictures), strict=True):
        assert np.array_equal(decode_picture(png(Image.fromarray(picture))), ink)
        assert ink.any()


def test_a_picture_does_not_depend_on_those_before_it():
    pictures = some_pictures()
    every = to_ink(pictures)
    assert np.array_equal(to_ink(pictures[::-1])[::-1], every)
    assert np.array_equal(to_ink(pictures), every)


def test_a_picture_is_read_without_the_rest_of_its_canvas():
    picture = some_pictures()[0]
    canvas = np.zeros((2, HEIGHT + 9, WIDTH + 20, 3), np.uint8)
    canvas[:, :HEIGHT, :WIDTH] = picture
    ink = ink_of_batch(canvas, np.array([HEIGHT, HEIGHT + 9]), np.array([WIDTH, WIDTH + 20]))
    assert np.array_equal(ink[0, :HEIGHT, :WIDTH], to_ink(picture[None])[0])
    assert not ink[0, HEIGHT:].any() and not ink[0, :, WIDTH:].any()
    grey = np.zeros((2, 5, 7), np.uint8)
    assert ink_of_batch(grey, np.array([5, 5]), np.array([7, 7])) is grey


def test_a_blank_picture_has_no_ink_in_a_dataset_and_is_refused_as_a_file():
    blank = np.full((1, 30, 40, 3), (200, 90, 40), np.uint8)
    assert not to_ink(blank).any()
    with pytest.raises(BadPicture, match="blank"):
        decode_picture(png(Image.fromarray(blank[0])))


@pytest.mark.parametrize("size", [(0, 0), (1, 1), (1, 9), (9, 1), (7, 40), (8, 8), (9, 33), (40, 3), (64, 64)])
def test_noise_of_any_size_is_turned_into_ink(size):
    noise = np.random.default_rng(3).integers(0, 256, (3, *size, 3)).astype(np.uint8)
    assert to_ink(noise).shape == (3, *size)


def test_a_jpeg_file_in_colour_is_read_like_the_picture():
    image, mask = written(DARK, gradient(DARK))
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=85)
    assert agreement(decode_picture(stream.getvalue()), mask) > 0.8

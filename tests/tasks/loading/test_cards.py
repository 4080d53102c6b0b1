"""Letters on cards and tiles are laid on white in black."""

import random

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tasks.loading.oddities.cards import on_white
from tests.strangers import FACES, lay_out

PAGE, AT = (24, 26, 32), (40, 30)


def card(paper, ink, page=PAGE, round_: int = 0) -> tuple[Image.Image, np.ndarray]:
    """Return a card on a page, and the coverage of its letters, (H, W) uint8."""
    plate = lay_out("KUMA", random.Random(1), FACES[0])
    picture, mask = Image.new("RGB", (240, 120), page), Image.new("L", plate.size)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, 139, 47), round_, fill=255)
    picture.paste(plate.plain(ink, paper), AT, mask)
    letters = Image.new("L", picture.size)
    letters.paste(plate.mask, AT)
    return picture, np.array(letters)


@pytest.mark.parametrize(
    ("paper", "ink", "page", "round_"),
    [
        ((255, 255, 255), (16, 16, 16), PAGE, 0),
        ((255, 255, 255), (16, 16, 16), PAGE, 8),
        ((30, 40, 60), (240, 240, 240), (255, 255, 255), 0),
        ((250, 240, 200), (120, 20, 20), (40, 90, 60), 0),
    ],
    ids=["light", "round", "dark", "colours"],
)
def test_a_cards_letters_are_black_on_white(paper, ink, page, round_):
    picture, letters = card(paper, ink, page, round_)
    white = on_white(np.array(picture))
    assert white.shape == (120, 240, 3)
    assert (white == white[:, :, :1]).all()
    assert abs(255 - white[:, :, 0].astype(int) - letters).max() <= 30  # whose edges are mixed in other colours


def test_tiles_of_other_colours_become_one_ground():
    plate = lay_out("KUMA", random.Random(1), FACES[0], points=24, at=6)
    picture = Image.new("RGB", plate.size, (255, 255, 255))
    for number, mask in enumerate(plate.masks):
        left, top, right, bottom = mask.getbbox()
        box = left - 1, top - 4, right, bottom + 3
        ImageDraw.Draw(picture).rectangle(box, fill=((200, 30, 30), (30, 60, 180))[number % 2])
        picture.paste(((255, 255, 255), (255, 230, 80))[number % 2], mask=mask)
    white = on_white(np.array(picture))
    assert ((white[:, :, 0] < 128) == (np.array(plate.mask) > 128)).mean() > 0.99


@pytest.mark.parametrize("ink", [(16, 16, 16), (200, 30, 30)])
def test_letters_on_the_page_itself_are_on_no_card(ink):
    for face in FACES:
        plate = lay_out("BOND08HN", random.Random(1), face, (240, 60))
        assert on_white(np.array(plate.plain(ink))) is None
        assert on_white(255 - np.array(plate.plain(ink))) is None


def test_a_card_without_letters_and_tiny_pictures_have_none():
    picture = Image.new("RGB", (240, 120), PAGE)
    ImageDraw.Draw(picture).rectangle((40, 30, 180, 78), fill=(255, 255, 255))
    assert on_white(np.array(picture)) is None
    for shape in ((0, 0, 3), (1, 1, 3), (9, 5, 3)):
        assert on_white(np.zeros(shape, np.uint8)) is None

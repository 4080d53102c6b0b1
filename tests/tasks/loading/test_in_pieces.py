"""Letters in dots, squares and dashes are joined; whole letters, and what is no letter, are left as they are."""

import io
import random

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tasks.loading.oddities.in_pieces import MOST, in_one_piece
from tasks.loading.parts import find_parts
from tests.strangers import FACES, draw, lay_out
from tests.texts_in_pieces import PIECES


def seen(file: bytes, times: int = 1) -> np.ndarray:
    image = Image.open(io.BytesIO(file)).convert("RGB")
    return np.asarray(image.resize((image.width * times, image.height * times), Image.Resampling.BICUBIC))


def most_parts(image: np.ndarray) -> int:
    ground = np.median(image.reshape(-1, 3), axis=0)
    return len(find_parts(abs(image - ground).max(axis=2) > 128).table)


def steepest(image: np.ndarray) -> int:
    return int(abs(np.diff(image.astype(np.int64), axis=1)).max())


@pytest.mark.parametrize("times", [1, 2, 4])
@pytest.mark.parametrize("kind", ["dots-4", "dots-5", "dots-light", "dashes-3"])
def test_pieces_are_joined_whatever_their_size_and_colour(kind, times):
    for file, text in draw(kind, 4, 3, kinds=PIECES):
        image = seen(file, times)
        found = in_one_piece(image)
        assert most_parts(image) > 5 * len(text)
        assert {(each.shape, each.dtype) for each in found} == {(image.shape, np.dtype(np.uint8))}
        closed, blurred = found[: len(found) // 2], found[len(found) // 2 :]
        assert min(most_parts(each) for each in closed) <= 2 * len(text)
        assert steepest(blurred[-1]) < steepest(closed[-1]) / 2


@pytest.mark.parametrize("kind", ["squares-3", "squares-4", "sparse-50"])
def test_pieces_that_touch_at_corners_are_joined(kind):
    for file, _ in draw(kind, 4, 3, kinds=PIECES):
        image = seen(file)
        inked = (image < 128).all(axis=2).sum()
        assert max((each < 128).all(axis=2).sum() for each in in_one_piece(image)) > 1.5 * inked


def test_large_whole_letters_are_left():
    for seed, text in enumerate(("KUMA", "XDGW", "FTLZ")):
        assert in_one_piece(np.asarray(lay_out(text, random.Random(seed), FACES[1], (200, 70), 44, 18).plain())) == ()


def test_faint_dots_beside_whole_letters_are_no_pieces():
    image = np.array(lay_out("KUMA", random.Random(1), FACES[1], (200, 70), 44, 18).plain())
    ground = image[:20:4, ::4]
    ground[:] = 215
    assert in_one_piece(image) == ()
    image = np.full((40, 120, 3), 200, np.uint8)
    image[10:30:4, ::4] = 180
    assert in_one_piece(image) == ()


def test_a_blank_picture_a_close_grid_and_a_huge_picture_are_left():
    grid = Image.new("RGB", (120, 40), "white")
    for x in range(0, 120, 4):
        ImageDraw.Draw(grid).line((x, 0, x, 39), fill="black")
    ((file, _),) = draw("dots-4", 1, 3, kinds=PIECES)
    huge = seen(file, 5)
    assert huge[:, :, 0].size > MOST
    for image in (np.full((40, 120, 3), 200, np.uint8), np.asarray(grid), huge, np.zeros((1, 1, 3), np.uint8)):
        assert in_one_piece(image) == ()

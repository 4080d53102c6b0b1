"""Small texts among lines and dots are enlarged, alone and in black on white."""

import io
import random

import numpy as np
import pytest
from PIL import Image

from tasks.loading.oddities.layouts.close_up import close_up
from tests.doubtful import DOUBTFUL
from tests.small_texts import SMALL
from tests.strangers import FACES, draw, lay_out


@pytest.mark.parametrize("kind", SMALL)
def test_a_small_text_fills_the_picture_and_stands_alone(kind):
    ((file, _),) = draw(kind, 1, 3, kinds=SMALL)
    image = np.asarray(Image.open(io.BytesIO(file)))
    found = close_up(image)
    assert found.shape == image.shape and (found == found[:, :, :1]).all()
    inked = found[:, :, 0] < 128
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    assert np.ptp(rows) > 0.5 * image.shape[0] or np.ptp(columns) > 0.8 * image.shape[1]
    assert np.median(found) > 224  # what is faint is gone, or nearly


def test_a_text_that_is_large_stays_as_it_is():
    for face in FACES:
        plate = lay_out("KUMA", random.Random(1), face, (240, 60), points=46)
        assert plate.height > 0.5 * plate.size[1]
        assert close_up(np.array(plate.plain())) is None


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (48, 140)])
def test_a_picture_without_letters_is_left_alone(size):
    assert close_up(np.full((*size, 3), 200, np.uint8)) is None
    assert close_up(np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8)) is None


@pytest.mark.parametrize("kind", ["half-black", "half-colour", "block-grey"])
def test_what_a_block_leaves_of_letters_is_no_small_text(kind):
    for file, _ in draw(kind, 6, 3, kinds=DOUBTFUL):
        assert close_up(np.asarray(Image.open(io.BytesIO(file)).convert("RGB"))) is None

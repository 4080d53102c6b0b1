"""Parts of a picture are covered, so that it shows where a deep model looks."""

import numpy as np

from storage.deep_models import load_deep_model
from tasks.deep.deep_reader import DeepReader
from tasks.explaining.deep_saliency import as_taken, covered, saliency, tinted
from tasks.shipped import STRANGERS
from tests.benchmarks.saliency import drawn, sheet


def test_every_pixel_is_covered_and_the_picture_comes_first():
    picture = np.random.Generator(np.random.Philox(1)).integers(0, 256, (3, 20, 50), np.uint8)
    pictures, places = covered(picture)
    assert (pictures[0] == picture).all()
    times = np.zeros((20, 50), int)
    for image, place in zip(pictures[1:], places, strict=True):
        times[place] += 1
        outside = np.ones((20, 50), bool)
        outside[place] = False
        assert (image[:, outside] == picture[:, outside]).all()
        assert len(np.unique(image[:, *place].reshape(3, -1), axis=1)[0]) == 1
    assert times.min() >= 1


def test_squares_that_change_nothing_are_not_read_again():
    picture = np.full((3, 20, 50), 255, np.uint8)
    picture[:, 8:12, 5:9] = 0
    pictures, places = covered(picture)
    changing, still = places[: len(pictures) - 1], places[len(pictures) - 1 :]
    assert 0 < len(changing) < len(still)
    assert all((picture[:, *place] == 0).any() for place in changing)
    assert all((picture[:, *place] == 255).all() for place in still)


def test_the_reader_looks_at_the_letters():
    (picture, text), *_ = drawn("book", 1)
    reader = DeepReader(load_deep_model(STRANGERS))
    rectangle, taken = as_taken(reader, picture[None], np.array([picture.shape[:2]], np.int64))
    assert (rectangle[2:] <= picture.shape[:2]).all()  # a wide empty margin at the right is left out
    lost = saliency(reader, taken, text)
    ink = taken[0] < 128
    assert lost[ink].mean() > max(0.1, 2 * lost[~ink].mean())
    assert lost.max() > 0.6
    assert lost[:, -4:].max() < 0.1  # the margin, which nothing depends on
    tint = tinted(taken.transpose(1, 2, 0), lost).astype(int)
    assert (tint[..., 0] - tint[..., 2])[ink].mean() > 20
    assert sheet(reader, [(picture[:, :40], "?")]).startswith(b"\x89PNG")

"""The kernel's pictures teach what the book's show: a model that learnt from ours reads the book's own as well.

A kernel that point-sampled small scales, or blurred, or shifted by half a pixel, would fail here. The other way round
would say no more: a reader learns from words whose letters' places are known, which the book does not keep.
"""

import numpy as np
import pytest

from tasks.datasets.recipe import make_recipe, renderer_of
from tasks.profiles.built_in import find_profile
from tasks.profiles.fonts import find_face
from tasks.reading.ranking import Ranking
from tasks.reading.reader import Reader
from tasks.scoring import book

WORDS = 1200
FACE = find_face("Inter Black")
SEED = 3


def padded(pictures) -> np.ndarray:
    """Float pictures of any size, 0 to 1, as (n, 42, 140) uint8."""
    images = np.zeros((len(pictures), 42, 140), np.uint8)
    for image, picture in zip(images, pictures, strict=True):
        image[: picture.shape[0], : picture.shape[1]] = np.rint(255 * picture.clip(0, 1))
    return images


@pytest.fixture(scope="module")
def ours():
    """Unseen pictures by the kernel, and what is in them."""
    renderer = renderer_of(make_recipe(find_profile("book"), SEED))
    blocks = [renderer.block(SEED, number) for number in range(2)]
    images, texts = np.concatenate([one.images for one in blocks]), [text for one in blocks for text in one.texts()]
    return images[:WORDS], np.array(texts[:WORDS])


@pytest.fixture(scope="module")
def printed(ours):
    """The same words by the book's procedure: Pillow, `warp`, divide, anti-aliased `resize`."""
    font, random = book.load_font(FACE.path), np.random.RandomState(SEED)
    pictures = [
        book.draw(text, random.choice(book.SHEARS), random.choice(book.SCALES), book.WORD_CANVAS, font)
        for text in ours[1].tolist()
    ]
    return padded(pictures), ours[1]


@pytest.fixture(scope="module")
def reader(learnt, web2):
    return Reader(learnt.networks, learnt.record, web2)


def shares_right(reader, pictures):
    images, truth = pictures
    answers = reader.read(images, [Ranking.NONE]).answers
    return {ranking: float((answer.words[:, 0] == truth).mean()) for ranking, answer in answers.items()}


@pytest.mark.slow
def test_the_books_pictures_are_read_as_well_as_ours(reader, ours, printed):
    own, other = shares_right(reader, ours), shares_right(reader, printed)
    assert own[Ranking.NONE] > 0.96
    assert own[Ranking.PROBABILITY] > 0.99
    assert other[Ranking.NONE] > own[Ranking.NONE] - 0.02
    assert other[Ranking.PROBABILITY] > own[Ranking.PROBABILITY] - 0.01


@pytest.mark.slow
def test_a_kernel_half_a_pixel_off_would_be_noticed(reader, ours, printed):
    """What this file is for: pictures that are sampled at points, as a careless kernel would, are read worse."""
    images, truth = printed
    coarse = np.repeat(np.repeat(images[:, ::2, ::2], 2, axis=1), 2, axis=2)
    assert shares_right(reader, (coarse, truth))[Ranking.NONE] < shares_right(reader, printed)[Ranking.NONE] - 0.02


def test_letters_are_as_high_and_as_slanted_in_both(reader, ours, printed):
    one, other = (reader.read(images) for images, _ in (ours, printed))
    assert one.height.mean() == pytest.approx(other.height.mean(), rel=0.03)
    assert one.shear.mean() == pytest.approx(other.shear.mean(), rel=0.06)
    assert one.reading_confidence.mean() == pytest.approx(other.reading_confidence.mean(), abs=0.02)

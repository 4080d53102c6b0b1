"""The kernel's pictures teach the same as the book's: a model of one kind reads the other as well.

A kernel that point-sampled small scales, or blurred, or shifted by half a pixel, would fail here.
"""

import functools

import numpy as np
import pytest
from tasks.letters import shape_letters
from tasks.segmentation import CONNECTIVITY, SMALLEST, THRESHOLD, cut
from threadpoolctl import threadpool_limits

from tasks import book, classifier
from tasks.fonts import find_face
from tasks.reader import Reader
from tasks.recipes import make_recipe, renderer_of
from tasks.specs import BUILT_IN
from tasks.words import load_words

WORDS = 2000
LETTERS = {"kernel": 30_000, "plain": 6_000}  # a plain letter takes a hundred times as long
SEED = 1
FACE = find_face("Inter Black")


def padded(pictures) -> np.ndarray:
    """Float pictures of any size, 0 to 1, as (n, 42, W) uint8."""
    pictures = list(pictures)
    images = np.zeros((len(pictures), 42, max(picture.shape[1] for picture in pictures)), np.uint8)
    for image, picture in zip(images, pictures, strict=True):
        image[: picture.shape[0], : picture.shape[1]] = np.rint(255 * picture.clip(0, 1))
    return images


def plain(texts, canvas, seed) -> np.ndarray:
    """Pictures by the book's procedure: Pillow, `warp`, divide, anti-aliased `resize`."""
    font, random = book.load_font(FACE.path), np.random.RandomState(seed)
    return padded(
        book.draw(text, random.choice(book.SHEARS), random.choice(book.SCALES), canvas, font) for text in texts
    )


@functools.cache
def pictures(kind: str, profile: str) -> tuple[np.ndarray, list[str]]:
    """Pictures of one kind with their texts: letters to learn from, or words to read."""
    if kind == "kernel":
        renderer, split = renderer_of(make_recipe(BUILT_IN[profile], 3)), 0 if profile == "letters" else 2
        wanted = LETTERS[kind] if profile == "letters" else WORDS
        images, texts, number = [], [], 0
        while len(texts) < wanted:
            block = renderer.block(3, number)
            block = block.rows(block.split == split)
            images.append(block.images)
            texts += block.texts()
            number += 1
        return np.concatenate(images)[:wanted], texts[:wanted]
    random = np.random.RandomState(5)
    if profile == "letters":
        texts = random.choice(list(book.LETTERS), LETTERS[kind]).tolist()
        return plain(texts, book.LETTER_CANVAS, 6), texts
    texts = random.choice(load_words("web2", book.LETTERS, (4, 4)), WORDS).tolist()
    return plain(texts, book.WORD_CANVAS, 7), texts


@functools.cache
def reader(kind: str) -> Reader:
    images, texts = pictures(kind, "letters")
    segments = cut(images)
    one = (segments.counts == 1)[segments.picture]
    X = shape_letters(images, segments)[one].reshape(-1, 400)
    y = np.array([book.LETTERS.index(texts[k]) for k in segments.picture[one]])
    network = classifier.build(SEED)
    with threadpool_limits(1, "blas"):
        classifier.fit_stream(network, lambda: [(X, y)], 26, classifier.ENOUGH // len(X), SEED)
    provenance = {
        "classes": book.LETTERS, "features": 1, "threshold": THRESHOLD, "smallest": SMALLEST,
        "connectivity": CONNECTIVITY,
    }  # fmt: skip
    return Reader(network, provenance)


@functools.cache
def share_right(learnt: str, read: str) -> float:
    images, texts = pictures(read, "book")
    return float((reader(learnt).read(images).reading == np.array(texts)).mean())


@pytest.mark.parametrize("kind", ["kernel", "plain"])
def test_a_model_of_the_other_kind_reads_as_well(kind):
    other = {"kernel": "plain", "plain": "kernel"}[kind]
    own = share_right(kind, kind)
    assert own > 0.97
    assert abs(share_right(other, kind) - own) <= 0.01


def test_each_model_reads_the_other_kind_as_well_as_its_own():
    for learnt, read in (("kernel", "plain"), ("plain", "kernel")):
        assert abs(share_right(learnt, read) - share_right(learnt, learnt)) <= 0.01, (
            learnt, share_right(learnt, read), share_right(learnt, learnt),
        )  # fmt: skip

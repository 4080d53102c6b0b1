"""The search finds the texts and words that summing over every path finds."""

import itertools

import numpy as np
import pytest

from tasks.deep.decoding import SHORT, USUAL, best_texts, column_shares, rarely_short
from tasks.deep.word_paths import best_words_of
from tasks.reading.word_search import Trie

LETTERS = 3


def columns(count: int, size: int, seed: int, sharp: float = 2.0) -> np.ndarray:
    """Return random shares of a blank and three letters, (count, size, 4)."""
    numbers = np.random.Generator(np.random.Philox(seed)).normal(size=(count, size, 1 + LETTERS)) * sharp
    return column_shares(numbers.astype(np.float32), np.arange(LETTERS))[0]


def by_every_path(shares: np.ndarray) -> dict[tuple[int, ...], float]:
    """Sum the probabilities of all paths of each text."""
    texts: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(shares.shape[1]), repeat=len(shares)):
        text = tuple(c - 1 for c, before in zip(path, (None, *path), strict=False) if c and c != before)
        texts[text] = texts.get(text, 0.0) + float(np.prod([shares[t, c] for t, c in enumerate(path)]))
    return texts


@pytest.mark.parametrize("bounds", [(1, 5), (2, 3), (4, 4)])
def test_the_best_texts_are_those_of_all_paths(bounds):
    shares = columns(12, 6, seed=1)
    found = best_texts(shares, *bounds)
    for k, picture in enumerate(shares):
        texts = {text: p for text, p in by_every_path(picture).items() if bounds[0] <= len(text) <= bounds[1]}
        wanted = sorted(texts, key=texts.get, reverse=True)[:3]
        got = [tuple(row[row >= 0].tolist()) for row in found.classes[k]]
        assert got[0] == wanted[0]
        np.testing.assert_allclose(found.scores[k, 0], np.log(texts[wanted[0]]), rtol=1e-9)
        for text, score in zip(got, found.scores[k], strict=True):
            np.testing.assert_allclose(score, np.log(texts[text]), rtol=1e-9)


def test_a_text_of_the_length_is_found_where_hardly_any_letter_may_occur():
    shares = np.full((2, 8, 1 + LETTERS), 1e-7)
    shares[:, :, 0] = 1 - LETTERS * 1e-7
    shares[1, 3, 2] = 3e-7
    found = best_texts(shares, 2, 3)
    assert ((found.classes[:, 0] >= 0).sum(axis=1) == 2).all()
    assert (found.scores[:, 0] < -20).all()
    assert 1 in found.classes[1, 0]


def sure_of(letters: int, share: float) -> np.ndarray:
    """Return columns of so many letters with this share, and of another letter after them with the rest."""
    shares = np.full((2 * LONG + 1, 1 + LETTERS), 1e-6)
    shares[:, 0] = 1.0
    for k in range(letters):
        shares[2 * k + 1, :2] = 1e-6, 1.0
    shares[2 * letters + 1, :2] = share, 1 - share
    return shares / shares.sum(axis=1, keepdims=True)


LONG = 6  # letters at most


@pytest.mark.parametrize(
    ("letters", "share", "left"),
    [(USUAL - 1, 0.999, True), (USUAL - 1, SHORT - 0.1, False), (USUAL, 0.6, True), (1, 0.95, True), (1, 0.8, True)],
)
def test_a_short_text_is_taken_only_where_it_is_nearly_sure(letters, share, left):
    shares = sure_of(letters, share)[None]
    texts = best_texts(shares, 1, LONG)
    found = rarely_short(texts, shares, LONG)
    assert (texts.classes[0, 0] >= 0).sum() == letters
    assert (found.classes[0, 0] >= 0).sum() == (letters if left else USUAL)
    assert np.array_equal(found.classes, texts.classes) == left
    np.testing.assert_allclose(found.scores, best_texts(shares, 1 if left else USUAL, LONG).scores)


def test_letters_that_are_alike_do_not_make_a_short_text_longer():
    shares = sure_of(2, 0.99)[None]
    shares[0, 1] = [1e-6, 0.5, 0.5, 1e-6]  # the first letter is one or the other
    texts = best_texts(shares, 1, LONG)
    assert np.exp(texts.scores[0, 0]) < SHORT
    np.testing.assert_array_equal(rarely_short(texts, shares, LONG).classes, texts.classes)


def test_pictures_without_letters_and_too_narrow_for_more_keep_their_text():
    shares = np.stack([sure_of(0, 1.0), sure_of(1, 0.6)])[:, :3]
    texts = best_texts(shares, 1, LONG)
    found = rarely_short(texts, shares, LONG)
    np.testing.assert_array_equal(found.classes, texts.classes)
    np.testing.assert_array_equal(found.scores, texts.scores)


def test_the_best_words_are_those_of_all_paths():
    words = ["a", "ab", "aab", "abc", "b", "bba", "cab", "cc", "ccc"]
    shares = columns(12, 6, seed=2, sharp=1.0)
    found = best_words_of(Trie(words, "abc"), shares, (1, 3))
    for k, picture in enumerate(shares):
        texts = by_every_path(picture)
        worth = {word: texts.get(tuple("abc".index(letter) for letter in word), 0.0) for word in words}
        wanted = sorted(worth, key=worth.get, reverse=True)[:3]
        assert [words[place] for place in found.places[k]] == wanted
        np.testing.assert_allclose(found.scores[k], [np.log(worth[word]) for word in wanted], rtol=1e-9)
        np.testing.assert_allclose(found.total[k], np.log(sum(worth.values())), rtol=2e-3)


def test_a_word_is_found_only_in_its_length():
    shares = columns(4, 6, seed=3)
    found = best_words_of(Trie(["a", "ab", "abc", "cab"], "abc"), shares, (2, 2))
    assert (found.places[:, 0] == 1).all()
    assert (found.places[:, 1:] == -1).all()


def test_letters_that_may_not_occur_have_no_share():
    scores = np.zeros((1, 2, 4), np.float32)
    scores[:, :, 2] = 5.0
    shares, allowed = column_shares(scores, np.array([0, 2]))
    np.testing.assert_allclose(shares.sum(axis=2), 1)
    assert shares.shape == (1, 2, 3)
    assert allowed[0] < -6


def test_peaks_stand_where_the_letters_are():
    shares = np.full((1, 8, 3), 0.001)
    shares[:, :, 0] = 0.998
    for column, letter in ((1, 1), (4, 2), (6, 1)):
        shares[0, column] = 0.01
        shares[0, column, letter] = 0.98
    texts = best_texts(shares, 1, 6)
    assert texts.classes[0, 0].tolist() == [0, 1, 0, -1, -1, -1]
    assert texts.peaks[0].tolist() == [1, 4, 6, -1, -1, -1]
    np.testing.assert_allclose(texts.weakest[0], 0.98)

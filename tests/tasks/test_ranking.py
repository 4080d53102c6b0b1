import itertools
import math

import numpy as np
import pytest

from storage.errors import BadInput
from tasks.ranking import LETTER_ERROR, Dictionary, Ranking, rank


def chances(count, classes, key=0):
    values = np.random.Generator(np.random.Philox(key)).random((count, classes)) ** 4
    return (values / values.sum(axis=1, keepdims=True)).astype(np.float32)


def sure(text, alphabet, sureness=0.9):
    """Letter probabilities of somebody who reads `text`."""
    rows = np.full((len(text), len(alphabet)), (1 - sureness) / (len(alphabet) - 1), np.float32)
    rows[np.arange(len(text)), [alphabet.index(letter) for letter in text]] = sureness
    return rows


def edits(a, b):
    """Levenshtein distance by its definition."""
    if not a or not b:
        return len(a) + len(b)
    return min(edits(a[1:], b) + 1, edits(a, b[1:]) + 1, edits(a[1:], b[1:]) + (a[0] != b[0]))


def best_three(scores):
    """Of {word: weight}: heaviest first, then by the alphabet, with shares of the whole."""
    total = sum(scores.values())
    first = sorted(scores, key=lambda word: (-scores[word], word))[:3]
    return first + [""] * (3 - len(first)), [scores[word] / total for word in first] + [0.0] * (3 - len(first))


ABC = "ABCDE"
TRIPLES = ("".join(letters) for letters in itertools.product(ABC, repeat=3))
WORDS = (*(word for word in TRIPLES if len(set(word)) > 1), "AB", "DAD")


def test_probability_is_the_product_of_letter_probabilities_over_the_words_of_that_length():
    counts = np.array([3, 2, 3, 3])
    rows = chances(11, 5)
    ranked = rank(rows, counts, Dictionary((*WORDS, "BE", "ED"), ABC), Ranking.PROBABILITY)
    for number, first in enumerate([0, 3, 5, 8]):
        scores = {
            word: math.prod(float(rows[first + k][ABC.index(c)]) for k, c in enumerate(word))
            for word in {*WORDS, "BE", "ED"}
            if len(word) == counts[number]
        }
        words, shares = best_three(scores)
        assert ranked.words[number].tolist() == words
        assert ranked.probabilities[number] == pytest.approx(shares, rel=1e-4)


def test_positions_prefers_the_most_equal_positions_and_then_the_alphabet():
    dictionary = Dictionary(("CAB", "DAB", "BAD", "ACE", "AB"), ABC)
    ranked = rank(sure("EAB", ABC), np.array([3]), dictionary, Ranking.POSITIONS)
    assert ranked.words.tolist() == [["CAB", "DAB", "BAD"]]
    odds = LETTER_ERROR / (1 - LETTER_ERROR) / 4
    weights = {"CAB": odds, "DAB": odds, "BAD": odds**2, "ACE": odds**3}
    assert ranked.probabilities[0] == pytest.approx(best_three(weights)[1], rel=1e-4)


def test_levenshtein_is_the_fewest_edits_among_words_of_all_lengths():
    dictionary = Dictionary((*WORDS, "ABCDE", "BADE"), ABC)
    odds = LETTER_ERROR / (1 - LETTER_ERROR) / 4
    for text in ("AAA", "BAD", "EBADE", "B"):
        ranked = rank(sure(text, ABC), np.array([len(text)]), dictionary, Ranking.LEVENSHTEIN)
        words, shares = best_three({word: odds ** edits(text, word) for word in {*WORDS, "ABCDE", "BADE"}})
        assert ranked.words[0].tolist() == words
        assert ranked.probabilities[0] == pytest.approx(shares, rel=1e-4)


@pytest.mark.parametrize("ranking", [Ranking.PROBABILITY, Ranking.POSITIONS])
def test_without_a_word_of_that_length_the_nearest_by_levenshtein(ranking):
    dictionary = Dictionary(("ABC", "EDC", "BADE"), ABC)
    rows = np.concatenate([sure("AB", ABC), sure("EDC", ABC), sure("CEDCE", ABC)])
    counts = np.array([2, 3, 5])
    ranked = rank(rows, counts, dictionary, ranking)
    expected = rank(rows, counts, dictionary, Ranking.LEVENSHTEIN)
    assert ranked.words[:, 0].tolist() == ["ABC", "EDC", "EDC"]
    for number in (0, 2):
        assert ranked.words[number].tolist() == expected.words[number].tolist()
        assert np.array_equal(ranked.probabilities[number], expected.probabilities[number])


@pytest.mark.parametrize(("classes", "length"), [(5, 1), (5, 4), (2, 1), (2, 6), (1, 3), (36, 2), (3, 3)])
def test_without_dictionary_the_three_most_probable_strings_exactly(classes, length):
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"[:classes]
    rows = chances(length * 20, classes, key=classes)
    ranked = rank(rows, np.full(20, length), Dictionary((), alphabet), Ranking.NONE)
    for number in range(20):
        scores = {
            "".join(text): math.prod(float(rows[number * length + k][alphabet.index(c)]) for k, c in enumerate(text))
            for text in itertools.product(alphabet, repeat=length)
        }
        words, _ = best_three(scores)
        assert ranked.words[number].tolist() == words
        assert ranked.probabilities[number] == pytest.approx([scores.get(word, 0) for word in words], rel=1e-5)


def test_equal_strings_come_in_the_order_of_the_alphabet():
    flat = np.full((4, 3), 1 / 3, np.float32)
    ranked = rank(flat, np.array([4]), Dictionary((), "ABC"), Ranking.NONE)
    assert ranked.words.tolist() == [["AAAA", "AAAB", "AAAC"]]
    # Two letters as likely as each other at the first place, and a sure one after them.
    rows = np.array([[0.2, 0.4, 0.4], [0.98, 0.01, 0.01]], np.float32)
    ranked = rank(rows, np.array([2]), Dictionary((), "ABC"), Ranking.NONE)
    assert ranked.words.tolist() == [["BA", "CA", "AA"]]


def test_equal_words_come_in_the_order_of_the_list():
    flat = np.full((3, 5), 0.2, np.float32)
    for ranking in (Ranking.PROBABILITY, Ranking.LEVENSHTEIN):
        ranked = rank(flat, np.array([3]), Dictionary(("CAB", "ADA", "BAA", "BAD"), ABC), ranking)
        assert ranked.words[0, 0] == "ADA"


def test_a_probability_of_zero_breaks_nothing():
    rows = np.zeros((4, 5), np.float32)
    rows[np.arange(4), [0, 1, 2, 3]] = 1  # reads ABCD, sure beyond doubt
    dictionary = Dictionary(("EBCD", "EECD", "DDDE"), ABC)
    ranked = rank(rows, np.array([4]), dictionary, Ranking.PROBABILITY)
    assert ranked.words.tolist() == [["EBCD", "EECD", "DDDE"]]
    assert ranked.probabilities[0] == pytest.approx([1, 0, 0])
    ranked = rank(rows, np.array([4]), Dictionary((), ABC), Ranking.NONE)
    assert ranked.words[0, 0] == "ABCD"
    assert ranked.probabilities.tolist() == [[1.0, 0.0, 0.0]]


@pytest.mark.parametrize("ranking", list(Ranking))
def test_pictures_do_not_influence_one_another(ranking):
    """Mixed lengths, more pictures than are scored at once, some without any segment."""
    random = np.random.Generator(np.random.Philox(11))
    counts = random.integers(0, 6, 300)
    rows = chances(int(counts.sum()), 5, key=1)
    dictionary = Dictionary((*WORDS, "BADE", "ABED"), ABC)
    together = rank(rows, counts, dictionary, ranking)
    assert together.words.shape == together.probabilities.shape == (300, 3)
    assert (together.words[counts == 0] == "").all()
    assert (together.probabilities[counts == 0] == 0).all()
    assert (together.words[counts > 0, 0] != "").all()
    assert (np.diff(together.probabilities, axis=1) <= 0).all()
    assert together.probabilities.sum(axis=1).max() <= 1 + 1e-6
    firsts = np.cumsum(counts) - counts
    for number in range(0, 300, 7):
        alone = rank(
            rows[firsts[number] : firsts[number] + counts[number]],
            counts[number : number + 1],
            dictionary,
            ranking,
        )
        assert alone.words[0].tolist() == together.words[number].tolist()
        assert alone.probabilities[0] == pytest.approx(together.probabilities[number], rel=1e-4)


def test_no_pictures_at_all():
    for ranking in Ranking:
        ranked = rank(np.empty((0, 5), np.float32), np.empty(0, int), Dictionary(WORDS, ABC), ranking)
        assert ranked.words.shape == (0, 3)
        ranked = rank(np.empty((0, 5), np.float32), np.zeros(2, int), Dictionary(WORDS, ABC), ranking)
        assert ranked.words.tolist() == [["", "", ""]] * 2


def test_an_alphabet_beyond_ascii():
    alphabet = "ÄЖ字😀"
    dictionary = Dictionary(("Ж字", "😀Ä", "Ж字"), alphabet)
    assert dictionary.words.tolist() == ["Ж字", "😀Ä"]
    for ranking in Ranking:
        assert rank(sure("😀Ä", alphabet), np.array([2]), dictionary, ranking).words[0, 0] == "😀Ä"


@pytest.mark.parametrize(("words", "name"), [(("BAD", "BÄD"), "'BÄD'.*'Ä'"), (("BAD", ""), "''")])
def test_a_word_that_cannot_be_read_is_named(words, name):
    with pytest.raises(BadInput, match=f"^dictionary, word {name}"):
        Dictionary(words, ABC)


def test_a_ranking_without_the_dictionary_it_needs_is_refused():
    for ranking in set(Ranking) - {Ranking.NONE}:
        with pytest.raises(BadInput, match=f"^ranking '{ranking.value}': needs a dictionary"):
            rank(chances(3, 5), np.array([3]), Dictionary((), ABC), ranking)


def test_arrays_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"^probabilities: must be"):
        rank(chances(3, 4), np.array([3]), Dictionary(WORDS, ABC), Ranking.NONE)
    with pytest.raises(ValueError, match=r"^counts: must sum to 3"):
        rank(chances(3, 5), np.array([2]), Dictionary(WORDS, ABC), Ranking.NONE)

import itertools

import numpy as np
import pytest

from storage.errors import BadInput
from tasks.reading.path_bounds import NEVER, Spans
from tasks.reading.ranking import LETTER_ERROR, MIXED, Cases, Dictionary, Ranking, join_letters, nearest_words
from tasks.reading.string_search import best_strings

NEAREST = (Ranking.POSITIONS, Ranking.LEVENSHTEIN)
ABC = "ABCDE"
TRIPLES = ("".join(letters) for letters in itertools.product(ABC, repeat=3))
WORDS = (*(word for word in TRIPLES if len(set(word)) > 1), "AB", "DAD")
ODDS = LETTER_ERROR / (1 - LETTER_ERROR) / 4  # of a letter that differs, of five


def codes(*texts, alphabet=ABC, longest=6):
    """Readings as places in the alphabet, -1 past the end."""
    rows = np.full((len(texts), longest), -1, np.int16)
    for row, text in zip(rows, texts, strict=True):
        row[: len(text)] = [alphabet.index(letter) for letter in text]
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


def test_positions_prefers_the_most_equal_positions_and_then_the_alphabet():
    dictionary = Dictionary(("CAB", "DAB", "BAD", "ACE", "AB"), ABC)
    ranked = nearest_words(codes("EAB"), dictionary, Ranking.POSITIONS)
    assert ranked.words.tolist() == [["CAB", "DAB", "BAD"]]
    weights = {"CAB": ODDS, "DAB": ODDS, "BAD": ODDS**2, "ACE": ODDS**3}
    assert ranked.probabilities[0] == pytest.approx(best_three(weights)[1], rel=1e-4)


def test_positions_counts_equal_letters_among_the_words_of_that_length():
    texts = ["".join(text) for text in itertools.product("ACE", repeat=3)] + ["BA", "EE"]
    words = {*WORDS, "BE", "ED"}
    ranked = nearest_words(codes(*texts), Dictionary(tuple(words), ABC), Ranking.POSITIONS)
    for text, found, shares in zip(texts, ranked.words, ranked.probabilities, strict=True):
        weights = {
            word: ODDS ** sum(a != b for a, b in zip(text, word, strict=True))
            for word in words
            if len(word) == len(text)
        }
        expected, parts = best_three(weights)
        assert found.tolist() == expected
        assert shares == pytest.approx(parts, rel=1e-4)


def test_levenshtein_is_the_fewest_edits_among_words_of_all_lengths():
    words = {*WORDS, "ABCDE", "BADE"}
    texts = ("AAA", "BAD", "EBADE", "B")
    ranked = nearest_words(codes(*texts), Dictionary(tuple(words), ABC), Ranking.LEVENSHTEIN)
    for text, found, shares in zip(texts, ranked.words, ranked.probabilities, strict=True):
        expected, parts = best_three({word: ODDS ** edits(text, word) for word in words})
        assert found.tolist() == expected
        assert shares == pytest.approx(parts, rel=1e-4)


def test_without_a_word_of_that_length_the_nearest_by_levenshtein():
    dictionary = Dictionary(("ABC", "EDC", "BADE"), ABC)
    readings = codes("AB", "EDC", "CEDCE")
    ranked = nearest_words(readings, dictionary, Ranking.POSITIONS)
    expected = nearest_words(readings, dictionary, Ranking.LEVENSHTEIN)
    assert ranked.words[:, 0].tolist() == ["ABC", "EDC", "EDC"]
    for number in (0, 2):
        assert ranked.words[number].tolist() == expected.words[number].tolist()
        assert np.array_equal(ranked.probabilities[number], expected.probabilities[number])


@pytest.mark.parametrize("ranking", NEAREST)
def test_equal_words_come_in_the_order_of_the_list(ranking):
    ranked = nearest_words(codes("EEE"), Dictionary(("CAB", "ADA", "BAA", "BAD"), ABC), ranking)
    assert ranked.words.tolist() == [["ADA", "BAA", "BAD"]]
    assert ranked.probabilities[0] == pytest.approx([0.25] * 3)


@pytest.mark.parametrize("ranking", NEAREST)
def test_fewer_than_three_words(ranking):
    ranked = nearest_words(codes("BAD", "AB"), Dictionary(("BAD", "DAD"), ABC), ranking)
    assert ranked.words.tolist() == [["BAD", "DAD", ""], ["BAD", "DAD", ""]]
    assert (ranked.probabilities[:, 2] == 0).all()
    assert ranked.probabilities.sum(axis=1) == pytest.approx(1)


@pytest.mark.parametrize("ranking", NEAREST)
def test_pictures_do_not_influence_one_another(ranking):
    """Mixed lengths, more pictures than are scored at once, some without any letter."""
    random = np.random.Generator(np.random.Philox(11))
    counts = random.integers(0, 6, 300)
    rows = np.where(np.arange(6) < counts[:, None], random.integers(0, 5, (300, 6)), -1)
    dictionary = Dictionary((*WORDS, "BADE", "ABED"), ABC)
    together = nearest_words(rows, dictionary, ranking)
    assert together.words.shape == together.probabilities.shape == (300, 3)
    assert (together.words[counts == 0] == "").all()
    assert (together.probabilities[counts == 0] == 0).all()
    assert (together.words[counts > 0, 0] != "").all()
    assert (np.diff(together.probabilities, axis=1) <= 0).all()
    assert together.probabilities.sum(axis=1).max() <= 1 + 1e-6
    for number in range(0, 300, 7):
        alone = nearest_words(rows[number : number + 1], dictionary, ranking)
        assert alone.words[0].tolist() == together.words[number].tolist()
        assert alone.probabilities[0] == pytest.approx(together.probabilities[number], rel=1e-4)


@pytest.mark.parametrize("ranking", NEAREST)
def test_no_pictures_and_pictures_without_letters(ranking):
    dictionary = Dictionary(WORDS, ABC)
    assert nearest_words(codes(), dictionary, ranking).words.shape == (0, 3)
    ranked = nearest_words(codes("", ""), dictionary, ranking)
    assert ranked.words.tolist() == [["", "", ""]] * 2
    assert not ranked.probabilities.any()


def test_a_dictionary_is_sorted_and_has_each_word_once():
    dictionary = Dictionary(("DAD", "AB", "DAD", "BE"), ABC)
    assert dictionary.words.tolist() == dictionary.listed == ["AB", "BE", "DAD"]
    assert len(dictionary) == 3
    assert len(Dictionary((), ABC)) == 0
    assert dictionary.group(4) is None
    group = dictionary.group(2)
    assert group.places.tolist() == [0, 1]
    assert group.onehot.sum(axis=0).tolist() == [2, 2]
    assert np.flatnonzero(group.onehot[:, 1]).tolist() == [1, 5 + 4]


def test_the_order_of_the_words_does_not_matter():
    readings = codes("EAB", "DDD", "A")
    one, other = Dictionary(WORDS, ABC), Dictionary(WORDS[::-1], ABC)
    for ranking in NEAREST:
        assert (
            nearest_words(readings, one, ranking).words.tolist()
            == nearest_words(readings, other, ranking).words.tolist()
        )


def test_letters_are_joined_and_end_where_nothing_follows():
    dictionary = Dictionary((), ABC)
    assert join_letters(codes("BAD", "", "ABCDEE"), dictionary).tolist() == ["BAD", "", "ABCDEE"]
    assert join_letters(codes(), dictionary).tolist() == []
    assert join_letters(np.empty((3, 0), int), dictionary).tolist() == ["", "", ""]


def test_an_alphabet_beyond_ascii():
    alphabet = "ÄЖ字😀"
    dictionary = Dictionary(("Ж字", "😀Ä", "Ж字"), alphabet)
    assert dictionary.words.tolist() == ["Ж字", "😀Ä"]
    readings = codes("😀Ä", alphabet=alphabet)
    assert join_letters(readings, dictionary).tolist() == ["😀Ä"]
    for ranking in NEAREST:
        assert nearest_words(readings, dictionary, ranking).words[0, 0] == "😀Ä"


@pytest.mark.parametrize(("words", "name"), [(("BAD", "BÄD"), "'BÄD'.*'Ä'"), (("BAD", ""), "''")])
def test_a_word_that_cannot_be_read_is_named(words, name):
    with pytest.raises(BadInput, match=f"^dictionary, word {name}"):
        Dictionary(words, ABC)


@pytest.mark.parametrize("ranking", NEAREST)
def test_a_ranking_without_the_dictionary_it_needs_is_refused(ranking):
    with pytest.raises(BadInput, match=f"^ranking '{ranking.value}': needs a dictionary"):
        nearest_words(codes("BAD"), Dictionary((), ABC), ranking)


# Texts of one case.

BOTH = "ABab1"


def favoured(odds):
    """The best strings over `BOTH` of pictures whose k-th letter has `odds[picture, k]`, and what the search says."""
    n, length, _ = odds.shape
    first = np.tile(np.arange(length, dtype=np.int16), n)
    starts, cuts = np.arange(n + 1) * length, np.full(n, length + 1)
    spans = Spans(starts, cuts, first, first + np.int16(1), np.ascontiguousarray(odds.reshape(n * length, -1)))
    plain = best_strings(spans, length, length, 8.0)
    return plain, Cases(BOTH).favour(spans, plain, (length, length), 8.0)


def test_a_text_of_one_case_wins_against_one_that_mixes_both_unless_the_letters_speak_clearly():
    assert not Cases("AB1")
    assert not Cases("ab1")
    assert Cases(BOTH)
    sure = np.array([9.0, -9, -9, -9, -9])
    doubtful, clear = np.array([-9.0, 5, -9, 5.5, -9]), np.array([-9.0, 0, -9, 9, -9])
    plain, found = favoured(np.array([[sure, doubtful], [sure, clear]]))
    spelled = [["".join(BOTH[k] for k in text if k >= 0) for text in best.texts[:, 0]] for best in (plain, found)]
    assert spelled == [["Ab", "Ab"], ["AB", "Ab"]]
    assert found.chosen.tolist() == [[0, 1], [2, 3]]


def test_the_best_texts_are_those_of_all_texts_by_letters_and_case():
    random = np.random.Generator(np.random.Philox(6))
    odds = random.normal(3, 1.5, (60, 3, 5))
    _, found = favoured(odds)
    bonus = np.log((1 - MIXED) / 2 / MIXED) + 3 * np.log(5 / 3)
    for picture in range(len(odds)):
        worth = {}
        for text in itertools.product(range(5), repeat=3):
            letters = "".join(BOTH[k] for k in text)
            mixed = letters.upper() != letters and letters.lower() != letters
            worth[text] = sum(odds[picture, k, letter] for k, letter in enumerate(text)) + (0 if mixed else bonus)
        best = max(worth, key=worth.get)
        assert tuple(found.texts[picture, 0]) == best
        assert found.scores[picture, 0] == pytest.approx(worth[best])
        assert (np.diff(found.scores[picture]) <= 0).all()
        listed = [
            tuple(text)
            for text, score in zip(found.texts[picture], found.scores[picture], strict=True)
            if score > NEVER / 2
        ]
        assert len(set(listed)) == len(listed)
        assert found.scores[picture, : len(listed)] == pytest.approx([worth[text] for text in listed])
        assert found.chosen[picture].tolist() == [3 * picture, 3 * picture + 1, 3 * picture + 2]

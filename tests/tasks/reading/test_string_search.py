import itertools

import numpy as np
import pytest

from tasks.reading.path_bounds import NEVER, Spans
from tasks.reading.string_search import align, best_strings
from tasks.reading.word_search import Trie, best_words

ABC = "ABCD"


def lattice(random, cuts, most=3):
    """All spans over up to `most` cuts, of one picture, with random odds."""
    pairs = [(a, b) for a in range(cuts) for b in range(a + 1, min(a + most, cuts - 1) + 1)]
    first, last = (np.array(column, np.int16) for column in zip(*pairs, strict=True))
    return first, last, random.normal(0, 3, (len(pairs), len(ABC)))


def joined(parts):
    starts = np.cumsum([0, *(len(part[0]) for part in parts)])
    first, last, odds = (np.concatenate(column) for column in zip(*parts, strict=True))
    return starts, first, last, odds


def all_paths(first, last, length, after=0):
    """Every way to place `length` letters, as tuples of spans."""
    if length == 0:
        yield ()
        return
    for s in range(len(first)):
        if first[s] >= after:
            for rest in all_paths(first, last, length - 1, last[s]):
                yield (s, *rest)


def scores_of(first, last, odds, lengths):
    """The best score of every string, by trying all."""
    best = {}
    for length in lengths:
        for path in all_paths(first, last, length):
            for letters in itertools.product(range(len(ABC)), repeat=length):
                value = sum(odds[s, c] for s, c in zip(path, letters, strict=True))
                best[letters] = max(best.get(letters, NEVER), value)
    return sorted(best.items(), key=lambda item: -item[1])


@pytest.fixture(scope="module")
def parts():
    random = np.random.Generator(np.random.Philox(3))
    return [lattice(random, cuts) for cuts in (4, 5, 6, 4, 5)]


CUTS = np.array([4, 5, 6, 4, 5])


def strings(parts, cuts, shortest, longest, slack=1e6):
    starts, first, last, odds = joined(parts)
    return best_strings(Spans(starts, cuts, first, last, odds), shortest, longest, slack)


@pytest.mark.parametrize("lengths", [(1, 1), (2, 2), (2, 3), (1, 3)])
def test_the_three_best_strings_are_those_of_all_paths(parts, lengths):
    texts, spans, scores = strings(parts, CUTS, *lengths)
    starts = np.cumsum([0, *(len(part[0]) for part in parts)])
    for number, (first, last, odds) in enumerate(parts):
        expected = scores_of(first, last, odds, range(lengths[0], lengths[1] + 1))[:3]
        found = [tuple(int(c) for c in row if c >= 0) for row in texts[number]]
        assert found == [letters for letters, _ in expected]
        assert scores[number] == pytest.approx([value for _, value in expected])
        own = spans[number][spans[number] >= 0] - starts[number]
        assert sum(odds[s, c] for s, c in zip(own, found[0], strict=True)) == pytest.approx(scores[number, 0])
        assert (last[own][:-1] <= first[own][1:]).all()


def test_strings_within_the_slack_are_the_same(parts):
    texts, _, scores = strings(parts, CUTS, 1, 3)
    near, _, near_scores = strings(parts, CUTS, 1, 3, slack=2.0)
    assert np.array_equal(near[:, 0], texts[:, 0])
    within = scores >= scores[:, :1] - 2
    assert np.array_equal(near[within], texts[within])
    assert near_scores[within] == pytest.approx(scores[within])


def test_too_few_spans_give_what_there_is_and_none_nothing():
    first, last = np.array([0], np.int16), np.array([1], np.int16)
    one = (first, last, np.array([[1.0, 5.0, 2.0, 0.0]]))
    none = (first[:0], last[:0], np.empty((0, 4)))
    texts, spans, scores = strings([one, none, one], np.array([2, 0, 2]), 4, 6)
    assert texts[0, :, 0].tolist() == [1, 2, 0]
    assert (texts[[0, 2], :, 1:] == -1).all()
    assert (texts[1] == -1).all()
    assert (spans[1] == -1).all()
    assert (scores[1] == NEVER).all()


WORDS = sorted(["AB", "ABBA", "BAD", "CAB", "CABA", "DAB", "D", "DADA", "ACB", "BB", "CC"])


@pytest.mark.parametrize("margin", [3.0, 1e5])
@pytest.mark.parametrize("words", [WORDS, [word for word in WORDS if len(word) == 3], ["DADA"]])
def test_the_best_words_are_those_of_all_paths(parts, words, margin):
    starts, first, last, odds = joined(parts)
    found, scores, total = best_words(Trie(words, ABC), Spans(starts, CUTS, first, last, odds), margin)
    for number, part in enumerate(parts):
        all_scores = dict(scores_of(*part, range(1, 5)))
        ranked = sorted(
            ((all_scores[codes], -place) for place, word in enumerate(words)
             if (codes := tuple(map(ABC.index, word))) in all_scores), reverse=True,
        )  # fmt: skip
        kept = [pair for pair in ranked if pair[0] > ranked[0][0] - margin] if ranked else []
        for rank, (score, place) in enumerate(kept[:3]):
            assert words[found[number, rank]] == words[-place]
            assert scores[number, rank] == pytest.approx(score)
        if not ranked:
            assert found[number].tolist() == [-1, -1, -1]
            assert total[number] == NEVER
        elif margin > 1e4:
            values = np.array([score for score, _ in ranked])
            assert total[number] == pytest.approx(values.max() + np.log(np.exp(values - values.max()).sum()))


def test_a_tree_holds_its_words_and_no_others():
    trie = Trie(WORDS, ABC)

    def below(node, text):
        if trie.word[node] >= 0:
            yield text, int(trie.word[node])
        for child in trie.child[trie.begin[node] : trie.begin[node + 1]]:
            yield from below(child, text + ABC[trie.letter[child]])

    assert sorted(below(0, "")) == [(word, place) for place, word in enumerate(WORDS)]
    assert (trie.least[0], trie.most[0]) == (1, 4)


def test_known_letters_take_their_best_path(parts):
    starts, first, last, odds = joined(parts)
    codes = np.array([[0, 1, -1], [2, 2, 3], [1, -1, -1], [3, 0, 0], [0, 1, 2]])
    picture = np.repeat(np.arange(5), np.diff(starts))
    worth = np.take_along_axis(odds, np.maximum(codes[picture], 0), axis=1)
    chosen, scores = np.empty((5, 3), np.int64), np.empty(5)
    align(starts, CUTS, first, last, worth, (codes >= 0).sum(axis=1), chosen, scores)
    for number, part in enumerate(parts):
        letters = codes[number][codes[number] >= 0]
        paths = all_paths(part[0], part[1], len(letters))
        best = max(sum(part[2][s, c] for s, c in zip(path, letters, strict=True)) for path in paths)
        assert scores[number] == pytest.approx(best)
        own = chosen[number][chosen[number] >= 0]
        assert sum(odds[s, c] for s, c in zip(own, letters, strict=True)) == pytest.approx(best)

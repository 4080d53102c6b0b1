"""A word list as a tree of prefixes, and the search for the words of a picture's best paths."""

from typing import NamedTuple

import numba
import numpy as np

from tasks.reading.path_bounds import BEST, NEVER, Reach, Spans, find_reach, largest, picture_of

_SLACK = 1.5  # margins below the best path of any letters that the first search looks at
_ENDLESS = 1 << 14  # letters: more than any word has


class Trie:
    """Words that share their prefixes: node 0 is the empty prefix, its children are the words' first letters.

    Parameters
    ----------
    words : list of str
        Sorted, each once.
    alphabet : str
        The characters in the order of the classes.

    Attributes
    ----------
    letter : (N,) int16
        Class of a node's letter; -1 for node 0.
    word : (N,) int32
        Place in the list of the word that ends at a node, or -1.
    begin, child : (N + 1,) and (N - 1,) int32
        The children of node k are ``child[begin[k]:begin[k + 1]]``.
    least, most : (N,) int16
        How many letters the words below a node still have.
    """

    def __init__(self, words: list[str], alphabet: str):
        longest = max(map(len, words), default=1)
        texts = np.array(words, f"U{longest}").view(np.uint32).reshape(len(words), longest)
        lengths = np.array([*map(len, words)], np.int16)
        # A letter has a node of its own unless the word before begins with the same letters.
        fresh = np.arange(longest) < lengths[:, None]
        fresh[1:] &= np.logical_or.accumulate(texts[1:] != texts[:-1], axis=1)
        node = np.zeros((len(words), longest + 1), np.int32)  # of each word's prefixes, by their length
        node[:, 1:][fresh] = np.arange(1, fresh.sum() + 1)
        np.maximum.accumulate(node, axis=0, out=node)
        parent = node[:, :-1][fresh]
        count = len(parent) + 1
        left = lengths[:, None] - np.arange(longest + 1, dtype=np.int16)
        passed, below = node[left >= 0], left[left >= 0]
        self.letter = np.concatenate([[-1], _codes(texts[fresh], alphabet)]).astype(np.int16)
        self.word = np.full(count, -1, np.int32)
        self.word[node[np.arange(len(words)), lengths]] = np.arange(len(words))
        self.least, self.most = np.full(count, _ENDLESS, np.int16), np.zeros(count, np.int16)
        np.minimum.at(self.least, passed, below)
        np.maximum.at(self.most, passed, below)
        self.begin = np.cumsum([0, *np.bincount(parent, minlength=count)]).astype(np.int32)
        self.child = (np.argsort(parent, kind="stable") + 1).astype(np.int32)


def _codes(points: np.ndarray, alphabet: str) -> np.ndarray:
    """Return the classes of letters that are given as code points."""
    known = np.array([ord(character) for character in alphabet], np.uint32)
    order = np.argsort(known)
    return order[np.searchsorted(known, points, sorter=order)]


class _Tree(NamedTuple):
    """The arrays of a `Trie`."""

    letter: np.ndarray
    word: np.ndarray
    begin: np.ndarray
    child: np.ndarray
    least: np.ndarray
    most: np.ndarray


class Words(NamedTuple):
    """The best words of n pictures.

    Attributes
    ----------
    places : (n, 3) int64
        Places in the list, best first and the first of equals; -1 where there are fewer.
    scores : (n, 3) float64
    total : (n,) float64
        Logarithm of the sum of all words' exponentials; `NEVER` without a word.
    """

    places: np.ndarray
    scores: np.ndarray
    total: np.ndarray


# Numba counts references to each array of a tuple at a call: small functions in the inner loop are inlined instead.
_inlined = numba.njit(cache=True, nogil=True, inline="always")


class _Pairs(NamedTuple):
    """Spans with a letter that they may be: those of class c are ``where[c]`` to ``where[c + 1]``."""

    where: np.ndarray
    first: np.ndarray
    last: np.ndarray
    odds: np.ndarray


class _Stack(NamedTuple):
    """The open nodes of the search, from the root to the current node, by depth.

    Attributes
    ----------
    node : (D,) int64
    at_cut : (D, cuts or more) float64
        The best score of the node's letters up to each cut.
    kids, bound : (D, C) int32, float64
        The children worth opening, most promising first, and the most that a word below each can score.
    many, seen : (D,) int64
        How many such children there are, and how many were opened.
    """

    node: np.ndarray
    at_cut: np.ndarray
    kids: np.ndarray
    bound: np.ndarray
    many: np.ndarray
    seen: np.ndarray


def best_words(trie: Trie, spans: Spans, margin: float) -> Words:
    """Find the three best words of each picture.

    Parameters
    ----------
    trie : Trie
    spans : Spans
    margin : float
        Words that score this much less than the best are left out of the sum.
    """
    n = len(spans.cuts)
    words = Words(np.full((n, BEST), -1, np.int64), np.full((n, BEST), NEVER), np.full(n, NEVER))
    tree = _Tree(trie.letter, trie.word, trie.begin, trie.child, trie.least, trie.most)
    _search(spans, tree, margin, words)
    return words


@numba.njit(cache=True, nogil=True)
def _search(spans, tree, margin, words):
    """Fill in the words of each picture; they come in empty.

    A search looks only at letters that lie on some path nearly as good as the best of any letters; a word that is
    that good has only such letters.
    """
    classes, longest = spans.odds.shape[1], tree.most[0]
    cuts, count = largest(spans)
    depth, most = longest + 1, count * classes
    reach = Reach(np.zeros((depth, cuts)), np.zeros((depth, cuts)), np.zeros(count))
    stack = _Stack(
        np.zeros(depth, np.int64), np.full((depth, cuts), NEVER), np.zeros((depth, classes), np.int32),
        np.zeros((depth, classes)), np.zeros(depth, np.int64), np.zeros(depth, np.int64),
    )  # fmt: skip
    pairs = _Pairs(np.zeros(classes + 1, np.int64), np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most))
    top = np.zeros(count)
    for i in range(len(spans.cuts)):
        if spans.starts[i] == spans.starts[i + 1]:
            continue
        picture = picture_of(spans, i, top)
        best = find_reach(picture, tree.least[0], reach)
        if best <= NEVER / 2:
            continue
        slack = _SLACK * margin
        while True:
            _choose_pairs(picture, reach.through, best - slack, pairs)
            words.places[i], words.scores[i] = -1, NEVER
            words.total[i] = _descend(
                tree, pairs, reach.ahead, stack, picture.cuts, (best - slack, margin), words.places[i], words.scores[i]
            )
            # Enough if no word that counts may be missing; else once more, with as much slack as that takes.
            needed = best - words.scores[i, 0] + margin if words.places[i, 0] >= 0 else 4 * slack
            if slack >= min(needed, -NEVER / 4):
                break
            slack = needed


@numba.njit(cache=True, nogil=True)
def _choose_pairs(picture, through, floor, pairs):
    """Fill in the spans and letters that lie on paths which reach `floor`."""
    first, last, odds = picture.first, picture.last, picture.odds
    where, firsts, lasts, values = pairs
    count = 0
    for c in range(odds.shape[1]):
        where[c] = count
        for s in range(len(first)):
            if through[s] + odds[s, c] >= floor:
                firsts[count], lasts[count], values[count] = first[s], last[s], odds[s, c]
                count += 1
    where[odds.shape[1]] = count


@numba.njit(cache=True, nogil=True)
def _descend(tree, pairs, ahead, stack, cuts, limits, places, scores):
    """Search depth first, the most promising letter first, with an exact bound: the best letters of any kind.

    limits : (float, float): the score that a word has to exceed, and how much less than the best word's counts
    places, scores : (3,) int64, (3,) float64: the best words, filled

    Returns the logarithm of the sum of all words' exponentials.
    """
    floor, margin = limits
    node, at_cut, kids, bound, many, seen = stack
    total = NEVER
    at_cut[0, :cuts] = 0.0
    depth, node[0], opened = 0, 0, True
    while depth >= 0:
        limit = max(scores[0] - margin, floor)
        if opened:
            opened = False
            _rank_children(tree, pairs, ahead, stack, depth, limit)
        if seen[depth] >= many[depth] or bound[depth, seen[depth]] <= limit:
            depth -= 1
            continue
        child = kids[depth, seen[depth]]
        seen[depth] += 1
        final = _read_letter(pairs, tree.letter[child], at_cut[depth], at_cut[depth + 1, :cuts])
        if tree.word[child] >= 0 and final > floor:
            total = max(final, total) + np.log1p(np.exp(min(final, total) - max(final, total)))
            _put_word(np.int64(tree.word[child]), final, places, scores)
        if tree.begin[child] < tree.begin[child + 1]:
            line = at_cut[depth + 1]
            for k in range(1, cuts):  # what lies between two letters is skipped
                line[k] = max(line[k], line[k - 1])
            depth += 1
            node[depth], opened = child, True
    return total


@_inlined
def _rank_children(tree, pairs, ahead, stack, depth, limit):
    """Put the children of the node at `depth` under which a word may exceed `limit` in order, best first."""
    letters, _, begin, children, least, most = tree
    where, first, last, odds = pairs
    at_cut, kids, bound = stack.at_cut[depth], stack.kids[depth], stack.bound[depth]
    above, count = stack.node[depth], 0
    for child in children[begin[above] : begin[above + 1]]:
        letter, hope = letters[child], NEVER
        for p in range(where[letter], where[letter + 1]):
            value = at_cut[first[p]] + odds[p]
            if value > NEVER / 2:
                for r in range(least[child], most[child] + 1):
                    hope = max(hope, value + ahead[r, last[p]])
        if hope > limit:
            j = count
            while j > 0 and bound[j - 1] < hope:
                bound[j], kids[j] = bound[j - 1], kids[j - 1]
                j -= 1
            bound[j], kids[j] = hope, child
            count += 1
    stack.many[depth], stack.seen[depth] = count, 0


@_inlined
def _read_letter(pairs, letter, before, after):
    """Read one letter more: fill `after` with the best score up to each cut; return the best of all."""
    where, first, last, odds = pairs
    after[:] = NEVER
    final = NEVER
    for p in range(where[letter], where[letter + 1]):
        value = before[first[p]] + odds[p]
        if value > after[last[p]]:
            after[last[p]] = value
            final = max(final, value)
    return final


@_inlined
def _put_word(place, score, places, scores):
    """Put a word among the best three, the first in the list before its equals."""
    for b in range(BEST):
        if score > scores[b] or (score == scores[b] and place < places[b]):
            scores[b], score = score, scores[b]
            places[b], place = place, places[b]

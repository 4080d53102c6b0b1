"""The most probable words of a list: a tree of prefixes, each with the exact probability of CTC's paths through it."""

from typing import NamedTuple

import numba
import numpy as np

from tasks.deep.shape import BLANK
from tasks.reading.path_bounds import BEST, NEVER
from tasks.reading.word_search import Trie, Words

_MARGIN = 9.0  # words whose logarithm is this much below the best do not count, and are no second or third answer
_FLOOR = 1e-80  # prefixes less probable are not followed


class _Tree(NamedTuple):
    letter: np.ndarray
    word: np.ndarray
    begin: np.ndarray
    child: np.ndarray
    least: np.ndarray
    most: np.ndarray


class _Path(NamedTuple):
    """The open nodes, from the root to the current node, by depth.

    node : (D,) int64
    blank, letter : (D, T) float64, of the paths of the node's prefix that end in each column, in a blank or its letter
    kids, mass : (D, C), the children worth opening and the probability of their prefixes, most probable first
    many, seen : (D,) int64, how many such children there are, and how many were opened
    """

    node: np.ndarray
    blank: np.ndarray
    letter: np.ndarray
    kids: np.ndarray
    mass: np.ndarray
    many: np.ndarray
    seen: np.ndarray


def best_words_of(trie: Trie, shares: np.ndarray, length: tuple[int, int]) -> Words:
    """Find the three most probable words of each picture, exactly.

    No word is more probable than its prefix, so a prefix that is too improbable beside the best word is not followed.

    Parameters
    ----------
    trie : Trie
    shares : (n, T, 1 + A) float64
        From `tasks.deep.decoding.column_shares`.
    length : (int, int)
        The shortest and the longest word.
    """
    n = len(shares)
    words = Words(np.full((n, BEST), -1, np.int64), np.full((n, BEST), NEVER), np.full(n, NEVER))
    tree = _Tree(trie.letter, trie.word, trie.begin, trie.child, trie.least, trie.most)
    _search_words(tree, np.ascontiguousarray(shares, np.float64), length[0], length[1], words)
    return words


@numba.njit(cache=True, nogil=True)
def _search_words(tree, shares, shortest, longest, words):
    n, columns, classes = shares.shape
    depth = tree.most[0] + 1
    path = _Path(
        np.zeros(depth, np.int64), np.zeros((depth, columns)), np.zeros((depth, columns)),
        np.zeros((depth, classes), np.int64), np.zeros((depth, classes)), np.zeros(depth, np.int64),
        np.zeros(depth, np.int64),
    )  # fmt: skip
    best = np.zeros(BEST)
    for i in range(n):
        best[:] = 0.0
        total = _descend(tree, shares[i], shortest, longest, path, words.places[i], best)
        for k in range(BEST):
            if best[k] > 0:
                words.scores[i, k] = np.log(best[k])
        if total > 0:
            words.total[i] = np.log(total)


@numba.njit(cache=True, nogil=True)
def _descend(tree, columns, shortest, longest, path, places, best):
    """Search depth first, the most probable prefix first; return the probability of all words that count."""
    near = np.exp(-_MARGIN)
    share = 1.0
    for t in range(len(columns)):
        share *= columns[t, BLANK]
        path.blank[0, t], path.letter[0, t] = share, 0.0
    path.node[0], total = 0, 0.0
    depth = 0
    _rank(tree, columns, path, 0, shortest, longest, max(best[0] * near, _FLOOR))
    while depth >= 0:
        limit = max(best[0] * near, _FLOOR)
        if path.seen[depth] >= path.many[depth] or path.mass[depth, path.seen[depth]] <= limit:
            depth -= 1
            continue
        child = path.kids[depth, path.seen[depth]]
        path.seen[depth] += 1
        found = _open(tree, columns, path, depth, child)
        place = tree.word[child]
        if place >= 0 and depth + 1 >= shortest and found > 0:
            total += found
            for k in range(BEST):
                if found > best[k] or (found == best[k] and place < places[k]):
                    best[k], found = found, best[k]
                    places[k], place = place, places[k]
        if tree.begin[child] < tree.begin[child + 1] and depth + 1 < longest:
            depth += 1
            _rank(tree, columns, path, depth, shortest, longest, limit)
    return total


@numba.njit(cache=True, nogil=True)
def _rank(tree, columns, path, depth, shortest, longest, limit):
    """Put the children of the node at `depth` whose prefixes are probable enough in order."""
    above = path.node[depth]
    count = 0
    last = tree.letter[above]
    blank, letter = path.blank[depth], path.letter[depth]
    for child in tree.child[tree.begin[above] : tree.begin[above + 1]]:
        if depth + 1 + tree.least[child] > longest or depth + 1 + tree.most[child] < shortest:
            continue
        c = tree.letter[child]
        mass = columns[0, 1 + c] if not depth else 0.0
        if c == last:
            for t in range(1, len(columns)):
                mass += columns[t, 1 + c] * blank[t - 1]
        else:
            for t in range(1, len(columns)):
                mass += columns[t, 1 + c] * (blank[t - 1] + letter[t - 1])
        if mass > limit:
            j = count
            while j > 0 and path.mass[depth, j - 1] < mass:
                path.mass[depth, j], path.kids[depth, j] = path.mass[depth, j - 1], path.kids[depth, j - 1]
                j -= 1
            path.mass[depth, j], path.kids[depth, j] = mass, child
            count += 1
    path.many[depth], path.seen[depth] = count, 0


@numba.njit(cache=True, nogil=True)
def _open(tree, columns, path, depth, child):
    """Follow a prefix by one letter more, through all columns; return the probability that the text ends with it."""
    c = 1 + tree.letter[child]
    same = tree.letter[child] == tree.letter[path.node[depth]]
    blank, letter = path.blank[depth], path.letter[depth]
    path.node[depth + 1] = child
    own = columns[0, c] if not depth else 0.0
    path.letter[depth + 1, 0], path.blank[depth + 1, 0] = own, 0.0
    gap = 0.0
    for t in range(1, len(columns)):
        gap = (gap + own) * columns[t, BLANK]
        before = blank[t - 1]
        if not same:
            before += letter[t - 1]
        own = (own + before) * columns[t, c]
        path.letter[depth + 1, t], path.blank[depth + 1, t] = own, gap
    return own + gap

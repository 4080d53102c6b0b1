"""A word list as a tree of prefixes, and the search for the words of a picture's best paths."""

import numba
import numpy as np

from tasks.reading.string_search import BEST, NEVER, reach


class Trie:
    """Words that share their beginnings: node 0 is the empty one, its children its words' first letters, and so on.

    Parameters
    ----------
    words : list of str
        Sorted, each once.
    alphabet : str
        The characters in the order of the classes.

    Attributes
    ----------
    letter, word : (N,) int
        Class of a node's letter; the place in the list of the word that ends there, or -1.
    begin, child : (N + 1,) and (N - 1,) int
        The children of node k are ``child[begin[k]:begin[k + 1]]``.
    least, most : (N,) int
        How many letters the words below it still have.
    """

    def __init__(self, words: list[str], alphabet: str):
        index = {character: k for k, character in enumerate(alphabet)}
        letter, word, least, most, children = [-1], [-1], [1 << 14], [0], [[]]
        path, before = [0], ""
        for number, text in enumerate(words):
            same = 0
            while same < min(len(before), len(text)) and before[same] == text[same]:
                same += 1
            del path[same + 1 :]
            for character in text[same:]:
                children[path[-1]].append(len(letter))
                path.append(len(letter))
                for column, value in (
                    (letter, index[character]), (word, -1), (least, 1 << 14), (most, 0), (children, []),
                ):  # fmt: skip
                    column.append(value)
            word[path[-1]] = number
            for depth, node in enumerate(path):
                least[node] = min(least[node], len(text) - depth)
                most[node] = max(most[node], len(text) - depth)
            before = text
        self.letter, self.word = np.array(letter, np.int16), np.array(word, np.int32)
        self.least, self.most = np.array(least, np.int16), np.array(most, np.int16)
        self.begin = np.cumsum([0, *map(len, children)]).astype(np.int32)
        self.child = np.array([node for some in children for node in some], np.int32)


def best_words(trie: Trie, starts, cuts, first, last, odds, margin: float):
    """The three best words of each picture.

    Parameters
    ----------
    starts, cuts, first, last, odds : as for `tasks.reading.string_search.best_strings`
    margin : float
        Words that score this much less than the best are left out of the sum.

    Returns
    -------
    words : (n, 3) int64
        Places in the list, best first and the first of equals; -1 where there is none.
    scores : (n, 3) float64
    total : (n,) float64
        Logarithm of the sum of all words' exponentials; `NEVER` without a word.
    """
    words = np.empty((len(cuts), BEST), np.int64)
    scores, total = np.empty((len(cuts), BEST)), np.empty(len(cuts))
    _search(
        starts, cuts, first, last, odds, trie.letter, trie.word, trie.begin, trie.child, trie.least, trie.most,
        margin, words, scores, total,
    )  # fmt: skip
    return words, scores, total


@numba.njit(cache=True, nogil=True)
def _search(starts, cuts, first, last, odds, letter, word, begin, child, least, most, margin, words, scores, total):
    """Depth first, the most promising letter first, with an exact bound: the best letters of any kind.

    First only over letters of spans that lie on some path nearly as good as the best of any letters; a word that is
    that good has only such ones.
    """
    n, classes, longest = len(cuts), odds.shape[1], most[0]
    widest, spans = 0, 0
    for i in range(n):
        widest, spans = max(widest, cuts[i]), max(spans, starts[i + 1] - starts[i])
    at_cut = np.full((longest + 1, widest + 1), NEVER)
    kids, bound = np.zeros((longest + 1, classes), np.int32), np.zeros((longest + 1, classes))
    many, seen, nodes = (
        np.zeros(longest + 1, np.int64),
        np.zeros(longest + 1, np.int64),
        np.zeros(longest + 1, np.int64),
    )
    ahead, behind = np.zeros((longest + 1, widest)), np.zeros((longest + 1, widest))
    pair_first, pair_last = np.empty(spans * classes, np.int64), np.empty(spans * classes, np.int64)
    pair_odds = np.empty(spans * classes)
    where = np.zeros(classes + 1, np.int64)
    top, through = np.zeros(spans), np.zeros(spans)
    for i in range(n):
        words[i], scores[i], total[i] = -1, NEVER, NEVER
        low, high, count = starts[i], starts[i + 1], cuts[i]
        if low == high:
            continue
        for s in range(low, high):
            top[s - low] = odds[s].max()
        best = reach(
            first[low:high], last[low:high], top[: high - low], count, least[0], longest, ahead, behind, through
        )
        if best <= NEVER / 2:
            continue
        slack = 1.5 * margin
        while True:
            words[i], scores[i], total[i] = -1, NEVER, NEVER
            floor = best - slack
            pairs = 0
            for c in range(classes):
                where[c] = pairs
                for s in range(low, high):
                    if through[s - low] + odds[s, c] >= floor:
                        pair_first[pairs], pair_last[pairs], pair_odds[pairs] = first[s], last[s], odds[s, c]
                        pairs += 1
            where[classes] = pairs
            at_cut[0, :count] = 0.0
            depth, nodes[0], opened = 0, 0, True
            while depth >= 0:
                limit = max(scores[i, 0] - margin, floor)
                if opened:
                    opened = False
                    many[depth] = seen[depth] = 0
                    for node in child[begin[nodes[depth]] : begin[nodes[depth] + 1]]:
                        hope = NEVER
                        for p in range(where[letter[node]], where[letter[node] + 1]):
                            value = at_cut[depth, pair_first[p]] + pair_odds[p]
                            if value > NEVER / 2:
                                for r in range(least[node], most[node] + 1):
                                    hope = max(hope, value + ahead[r, pair_last[p]])
                        if hope > limit:
                            j = many[depth]
                            while j > 0 and bound[depth, j - 1] < hope:
                                bound[depth, j], kids[depth, j] = bound[depth, j - 1], kids[depth, j - 1]
                                j -= 1
                            bound[depth, j], kids[depth, j] = hope, node
                            many[depth] += 1
                if seen[depth] >= many[depth] or bound[depth, seen[depth]] <= limit:
                    depth -= 1
                    continue
                node = kids[depth, seen[depth]]
                seen[depth] += 1
                at_cut[depth + 1, :count] = NEVER
                final = NEVER
                for p in range(where[letter[node]], where[letter[node] + 1]):
                    value = at_cut[depth, pair_first[p]] + pair_odds[p]
                    if value > at_cut[depth + 1, pair_last[p]]:
                        at_cut[depth + 1, pair_last[p]] = value
                        final = max(final, value)
                if word[node] >= 0 and final > floor:
                    w, v = np.int64(word[node]), final
                    total[i] = max(v, total[i]) + np.log1p(np.exp(min(v, total[i]) - max(v, total[i])))
                    for b in range(BEST):
                        if v > scores[i, b] or (v == scores[i, b] and w < words[i, b]):
                            scores[i, b], v = v, scores[i, b]
                            words[i, b], w = w, words[i, b]
                if begin[node] < begin[node + 1]:
                    for k in range(1, count):  # what lies between two letters is skipped
                        at_cut[depth + 1, k] = max(at_cut[depth + 1, k], at_cut[depth + 1, k - 1])
                    depth += 1
                    nodes[depth], opened = node, True
            # Enough if no word that counts may be missing; else once more, with as much slack as that takes.
            needed = best - scores[i, 0] + margin if words[i, 0] >= 0 else 4 * slack
            if slack >= min(needed, -NEVER / 4):
                break
            slack = needed

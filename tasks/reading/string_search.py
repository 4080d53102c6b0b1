"""Letter scores of a lattice's spans -> the best paths from its first cut to its last: strings, or known letters.

A path is a row of spans that do not overlap, each taken for one letter; ink between them is skipped. Its score is the
sum of its letters' log odds against "not one letter": spans that are left out count as what they then are.
"""

import numba
import numpy as np

BEST = 3
NEVER = -1e9
_BEAM = 6  # strings kept at every cut: the best three of all come out, but for rare ties


@numba.njit(cache=True, nogil=True)
def reach(first, last, top, cuts, shortest, longest, ahead, behind, through):
    """The best score of a path through each span, whatever its letters; returns the best of all.

    Parameters
    ----------
    first, last : (m,) int, of one picture's spans, ordered by `first`
    top : (m,) float64, the largest log odds of each
    cuts : int
    shortest, longest : int, letters on a path
    ahead, behind : (longest + 1, cuts or more) float64, room: the best r letters from a cut on, and up to it
    through : (m,) float64, filled
    """
    ahead[:, :cuts] = NEVER
    behind[:, :cuts] = NEVER
    ahead[0, :cuts] = 0.0
    behind[0, :cuts] = 0.0
    for r in range(1, longest + 1):
        s = len(first) - 1
        for k in range(cuts - 1, -1, -1):
            if k + 1 < cuts:
                ahead[r, k] = ahead[r, k + 1]
            while s >= 0 and first[s] == k:
                ahead[r, k] = max(ahead[r, k], top[s] + ahead[r - 1, last[s]])
                s -= 1
        s = 0
        for k in range(cuts):
            if k:
                behind[r, k] = max(behind[r, k], behind[r, k - 1])
            while s < len(first) and first[s] == k:
                behind[r, last[s]] = max(behind[r, last[s]], behind[r - 1, k] + top[s])
                s += 1
    best = NEVER
    for r in range(shortest, longest + 1):
        best = max(best, ahead[r, 0])
    for s in range(len(first)):
        through[s] = NEVER
        for r in range(longest):
            front = behind[r, first[s]]
            if front > NEVER / 2:
                for q in range(max(shortest - r - 1, 0), longest - r):
                    through[s] = max(through[s], front + ahead[q, last[s]])
    return best


@numba.njit(cache=True, nogil=True)
def best_strings(starts, cuts, first, last, odds, shortest, longest, slack, texts, spans, scores):
    """The three best strings of each picture.

    Parameters
    ----------
    starts : (n + 1,) int64, where each picture's spans begin
    cuts : (n,) int64
    first, last : (m,) int
    odds : (m, C) float64
    shortest, longest : int
        Letters of a string; a picture with no path of `shortest` letters gets its longest.
    slack : float
        A string that scores this much less than the best need not be found.
    texts : (n, 3, longest) int16, filled: classes, -1 past the end
    spans : (n, longest) int64, filled: the spans of the best string, -1 past its end
    scores : (n, 3) float64, filled: `NEVER` where there are fewer strings
    """
    n, classes = len(cuts), odds.shape[1]
    widest, most = 0, 0
    for i in range(n):
        widest, most = max(widest, cuts[i]), max(most, starts[i + 1] - starts[i])
    ahead, behind = np.empty((longest + 1, widest)), np.empty((longest + 1, widest))
    rest = np.empty((longest + 1, widest))
    through, top = np.empty(most), np.empty(most)
    begin, fit = np.empty(most + 1, np.int64), np.empty(most * classes, np.int64)
    worth = np.empty((longest + 1, widest, _BEAM))
    name = np.zeros((longest + 1, widest, _BEAM), np.uint64)
    span = np.zeros((longest + 1, widest, _BEAM), np.int64)
    letter = np.zeros((longest + 1, widest, _BEAM), np.int16)
    rank = np.zeros((longest + 1, widest, _BEAM), np.int64)
    ends_r, ends_b = np.zeros(BEST, np.int64), np.zeros(BEST, np.int64)
    for i in range(n):
        texts[i], spans[i], scores[i] = -1, -1, NEVER
        low, high = starts[i], starts[i + 1]
        if high == low:
            continue
        for s in range(low, high):
            top[s - low] = odds[s].max()
        count = high - low
        least = shortest
        while True:
            best = reach(first[low:high], last[low:high], top[:count], cuts[i], least, longest, ahead, behind, through)
            if best > NEVER / 2 or least <= 1:
                break
            least -= 1
        if best <= NEVER / 2:
            continue
        # Letters on a path nearly as good as the best, once for all places in a string.
        many = 0
        for s in range(low, high):
            own = s - low
            begin[own] = many
            if through[own] + top[own] >= best - slack:
                for c in range(classes):
                    if through[own] + odds[s, c] >= best - slack:
                        fit[many] = c
                        many += 1
        begin[count] = many
        # The best that may follow r letters up to a cut.
        for r in range(longest + 1):
            for k in range(cuts[i]):
                rest[r, k] = NEVER
                for q in range(max(least - r, 0), longest - r + 1):
                    rest[r, k] = max(rest[r, k], ahead[q, k])
        end = cuts[i] - 1
        # First without what cannot become a string within the slack; with it, if that leaves fewer than three.
        for floor in (best - slack - 1e-6, 4 * NEVER):
            _fill(first[low:high], last[low:high], odds[low:high], begin, fit, rest, floor, cuts[i], worth, name, span,
                  letter, rank)  # fmt: skip
            scores[i] = NEVER
            for r in range(least, longest + 1):
                for b in range(_BEAM):
                    v, own_r, own_b = worth[r, end, b], r, b
                    if v <= NEVER / 2:
                        break
                    for j in range(BEST):
                        if v > scores[i, j]:
                            scores[i, j], v = v, scores[i, j]
                            ends_r[j], own_r = own_r, ends_r[j]
                            ends_b[j], own_b = own_b, ends_b[j]
            if scores[i, BEST - 1] >= best - slack:
                break
        for j in range(BEST):
            if scores[i, j] <= NEVER / 2:
                break
            r, b, k = ends_r[j], ends_b[j], end
            while r > 0:
                s = span[r, k, b]
                texts[i, j, r - 1] = letter[r, k, b]
                if j == 0:
                    spans[i, r - 1] = low + s
                b, k, r = rank[r, k, b], first[low + s], r - 1


@numba.njit(cache=True, nogil=True)
def _fill(first, last, odds, begin, fit, rest, floor, cuts, worth, name, span, letter, rank):
    """The best strings of r letters up to each cut, of those that may still reach `floor`.

    begin, fit : span s may be any of the letters ``fit[begin[s]:begin[s + 1]]``
    rest : (longest + 1, cuts or more) float64, the best that may follow r letters up to a cut
    worth, name, span, letter, rank : (longest + 1, cuts or more, _BEAM), filled: the score, and whose it is; the last
        letter's span and class, and the place of the string before it in its list
    """
    worth[:, :cuts] = NEVER
    worth[0, :cuts, 0] = 0.0
    name[0, :cuts, 0] = 0
    for r in range(1, len(worth)):
        s = 0
        for k in range(cuts):
            if k and worth[r, k - 1, 0] > NEVER / 2:  # what lies between two letters is skipped
                if worth[r, k, 0] <= NEVER / 2:
                    for b in range(_BEAM):
                        if worth[r, k - 1, b] + rest[r, k] < floor:
                            break
                        worth[r, k, b], name[r, k, b] = worth[r, k - 1, b], name[r, k - 1, b]
                        span[r, k, b], letter[r, k, b] = span[r, k - 1, b], letter[r, k - 1, b]
                        rank[r, k, b] = rank[r, k - 1, b]
                else:
                    for b in range(_BEAM):
                        if worth[r, k - 1, b] <= max(worth[r, k, _BEAM - 1], NEVER / 2, floor - rest[r, k]):
                            break
                        _keep(worth[r, k], name[r, k], span[r, k], letter[r, k], rank[r, k], worth[r, k - 1, b],
                              name[r, k - 1, b], span[r, k - 1, b], letter[r, k - 1, b],
                              rank[r, k - 1, b])  # fmt: skip
            while s < len(first) and first[s] == k:
                if worth[r - 1, k, 0] > NEVER / 2:
                    to = last[s]
                    enough = max(NEVER / 2, floor - rest[r, to])
                    for c in fit[begin[s] : begin[s + 1]]:
                        for b in range(_BEAM):
                            value = worth[r - 1, k, b] + odds[s, c]
                            if value <= max(worth[r, to, _BEAM - 1], enough):
                                break
                            whole = name[r - 1, k, b] * np.uint64(1_000_003) + np.uint64(c + 1)
                            _keep(worth[r, to], name[r, to], span[r, to], letter[r, to], rank[r, to], value, whole,
                                  s, c, b)  # fmt: skip
                s += 1


@numba.njit(cache=True, nogil=True)
def _keep(worths, names, spans, letters, ranks, worth, name, span, letter, rank):
    """Put a string into a cut's list, best first, each once."""
    place = len(worths)
    for b in range(len(worths)):
        if names[b] == name and worths[b] > NEVER / 2:
            if worths[b] >= worth:
                return
            place = b  # the same string, cut worse
            break
    if place == len(worths):
        place -= 1
        if worths[place] >= worth:
            return
    while place > 0 and worths[place - 1] < worth:
        worths[place], names[place], spans[place] = worths[place - 1], names[place - 1], spans[place - 1]
        letters[place], ranks[place] = letters[place - 1], ranks[place - 1]
        place -= 1
    worths[place], names[place], spans[place], letters[place], ranks[place] = worth, name, span, letter, rank


@numba.njit(cache=True, nogil=True)
def align(starts, cuts, first, last, worth, lengths, chosen, scores):
    """The best path of known letters.

    Parameters
    ----------
    starts, cuts, first, last : as for `best_strings`
    worth : (m, L) float64, of a span as the k-th letter of its picture
    lengths : (n,) int64, letters of each picture
    chosen : (n, L) int64, filled: a span for each letter, -1 past the end or without a path
    scores : (n,) float64, filled
    """
    for i in range(len(cuts)):
        chosen[i], scores[i] = -1, NEVER
        length, count = lengths[i], cuts[i]
        if count < 2 or length < 1:
            continue
        best = np.full((length + 1, count), NEVER)
        back = np.full((length + 1, count), -1)
        best[0, :] = 0.0
        for k in range(1, length + 1):
            s = starts[i]
            for at in range(count):
                if at and best[k, at - 1] > best[k, at]:
                    best[k, at], back[k, at] = best[k, at - 1], back[k, at - 1]
                while s < starts[i + 1] and first[s] == at:
                    value = best[k - 1, at] + worth[s, k - 1]
                    if value > best[k, last[s]]:
                        best[k, last[s]], back[k, last[s]] = value, s
                    s += 1
        scores[i] = best[length, count - 1]
        if scores[i] <= NEVER / 2:
            continue
        at = count - 1
        for k in range(length, 0, -1):
            chosen[i, k - 1] = back[k, at]
            at = first[back[k, at]]

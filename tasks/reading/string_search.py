"""Log odds of a lattice's spans -> the best strings of each picture, and the best path of letters that are known."""

from typing import NamedTuple

import numba
import numpy as np

from tasks.reading.path_bounds import BEST, NEVER, Reach, Spans, find_reach, largest, picture_of

_BEAM = 6  # strings kept at every cut: the three best of all are among them, except for rare ties
_FACTOR = np.uint64(1_000_003)  # a string's hash is its prefix's hash times this, plus its last letter
_ROUNDING = 1e-6  # sums of the same log odds in another order differ by less
_NO_FLOOR = 4 * NEVER


class Strings(NamedTuple):
    """The best strings of n pictures.

    Attributes
    ----------
    texts : (n, 3, longest) int16
        Classes of the letters, best string first; -1 past the end.
    chosen : (n, longest) int64
        The spans of the best string; -1 past its end.
    scores : (n, 3) float64
        `NEVER` where a picture has fewer strings.
    """

    texts: np.ndarray
    chosen: np.ndarray
    scores: np.ndarray


class _Lists(NamedTuple):
    """The best strings of r letters up to each cut, each array (longest + 1, cuts or more, _BEAM).

    Attributes
    ----------
    worth : float64
        Scores, best first.
    name : uint64
        Hashes of the strings.
    span, letter : int64, int16
        Span and class of the last letter.
    rank : int64
        Place of the string without its last letter in the list that it comes from.
    """

    worth: np.ndarray
    name: np.ndarray
    span: np.ndarray
    letter: np.ndarray
    rank: np.ndarray


class _Entry(NamedTuple):
    """A place in `_Lists`."""

    worth: float
    name: int
    span: int
    letter: int
    rank: int


class _Letters(NamedTuple):
    """The letters worth trying: span s may be any of ``fit[begin[s]:begin[s + 1]]``."""

    begin: np.ndarray
    fit: np.ndarray


class _Room(NamedTuple):
    """Arrays that all pictures use in turn; `rest` has the best score that may follow r letters up to a cut."""

    reach: Reach
    letters: _Letters
    rest: np.ndarray
    lists: _Lists


def best_strings(spans: Spans, shortest: int, longest: int, slack: float) -> Strings:
    """Find the three best strings of each picture.

    Parameters
    ----------
    spans : Spans
    shortest, longest : int
        Letters of a string; a picture with no path of `shortest` letters gets its longest.
    slack : float
        A string that scores this much less than the best need not be found.
    """
    n = len(spans.cuts)
    texts, chosen = np.full((n, BEST, longest), -1, np.int16), np.full((n, longest), -1, np.int64)
    strings = Strings(texts, chosen, np.full((n, BEST), NEVER))
    if n:
        _search(spans, shortest, slack, strings)
    return strings


@numba.njit(cache=True, nogil=True)
def _search(spans, shortest, slack, strings):
    """Fill in the strings of each picture; they come in empty."""
    longest, classes = strings.texts.shape[2], spans.odds.shape[1]
    cuts, count = largest(spans)
    rows, beam = (longest + 1, cuts), (longest + 1, cuts, _BEAM)
    room = _Room(
        Reach(np.empty(rows), np.empty(rows), np.empty(count)),
        _Letters(np.empty(count + 1, np.int64), np.empty(count * classes, np.int64)),
        np.empty(rows),
        _Lists(np.empty(beam), np.zeros(beam, np.uint64), np.zeros(beam, np.int64), np.zeros(beam, np.int16),
               np.zeros(beam, np.int64)),
    )  # fmt: skip
    top, ends, other = np.empty(count), np.zeros((BEST, 2), np.int64), np.empty(longest, np.int64)
    for i in range(len(spans.cuts)):
        if spans.starts[i + 1] == spans.starts[i]:
            continue
        picture, scores = picture_of(spans, i, top), strings.scores[i]
        least = shortest
        best = find_reach(picture, least, room.reach)
        while best <= NEVER / 2 and least > 1:
            least -= 1
            best = find_reach(picture, least, room.reach)
        if best <= NEVER / 2:
            continue
        _choose_letters(picture, best - slack, room)
        _look_ahead(picture.cuts, least, room)
        # First without strings that cannot end within the slack; with all strings, if that leaves fewer than three.
        for floor in (best - slack - _ROUNDING, _NO_FLOOR):
            _fill(picture, room, floor)
            _rank_ends(room.lists.worth[:, picture.cuts - 1], least, scores, ends)
            if scores[BEST - 1] >= best - slack:
                break
        for j in range(BEST):
            if scores[j] > NEVER / 2:
                chosen = strings.chosen[i] if j == 0 else other
                _trace(picture, room.lists, ends[j], spans.starts[i], strings.texts[i, j], chosen)


@numba.njit(cache=True, nogil=True)
def _choose_letters(picture, floor, room):
    """Choose the letters on paths that reach `floor`, once for all places in a string."""
    odds, top, through = picture.odds, picture.top, room.reach.through
    begin, fit = room.letters
    count = 0
    for s in range(len(odds)):
        begin[s] = count
        if through[s] + top[s] >= floor:
            for c in range(odds.shape[1]):
                if through[s] + odds[s, c] >= floor:
                    fit[count] = c
                    count += 1
    begin[len(odds)] = count


@numba.njit(cache=True, nogil=True)
def _look_ahead(cuts, least, room):
    """Fill in `rest`, for strings of `least` letters or more."""
    ahead, rest = room.reach.ahead, room.rest
    longest = len(rest) - 1
    for r in range(longest + 1):
        for k in range(cuts):
            rest[r, k] = NEVER
            for q in range(max(least - r, 0), longest - r + 1):
                rest[r, k] = max(rest[r, k], ahead[q, k])


@numba.njit(cache=True, nogil=True)
def _fill(picture, room, floor):
    """Fill in the best strings of r letters up to each cut, of those that may still reach `floor`."""
    lists, cuts = room.lists, picture.cuts
    lists.worth[:, :cuts] = NEVER
    lists.worth[0, :cuts, 0] = 0.0
    lists.name[0, :cuts, 0] = 0
    for r in range(1, len(lists.worth)):
        _append(picture, room, floor, r)


@numba.njit(cache=True, nogil=True)
def _append(picture, room, floor, r):
    """Fill in the best strings of r letters, by appending a letter to each of the strings of r - 1."""
    # Arrays are taken out of their tuples here: inside the loops, each access would count references.
    first, last, odds, _, cuts = picture
    begin, fit = room.letters
    rest, lists = room.rest, room.lists
    worth, name = lists.worth, lists.name
    s = 0
    for k in range(cuts):
        if k and worth[r, k - 1, 0] > NEVER / 2:
            _skip(lists, r, k, floor - rest[r, k])
        while s < len(first) and first[s] == k:
            own, to = s, last[s]
            s += 1
            if worth[r - 1, k, 0] <= NEVER / 2:
                continue
            enough = max(NEVER / 2, floor - rest[r, to])
            for c in fit[begin[own] : begin[own + 1]]:
                for b in range(_BEAM):
                    value = worth[r - 1, k, b] + odds[own, c]
                    if value <= max(worth[r, to, _BEAM - 1], enough):
                        break
                    whole = name[r - 1, k, b] * _FACTOR + np.uint64(c + 1)
                    _keep(lists, r, to, _Entry(value, whole, own, c, b))


@numba.njit(cache=True, nogil=True)
def _skip(lists, r, k, enough):
    """Take over the strings of r letters up to the cut before the k-th: what lies between two letters is skipped."""
    worth, name, span, letter, rank = lists
    if worth[r, k, 0] <= NEVER / 2:
        for b in range(_BEAM):
            if worth[r, k - 1, b] < enough:
                break
            worth[r, k, b], name[r, k, b] = worth[r, k - 1, b], name[r, k - 1, b]
            span[r, k, b], letter[r, k, b] = span[r, k - 1, b], letter[r, k - 1, b]
            rank[r, k, b] = rank[r, k - 1, b]
        return
    for b in range(_BEAM):
        if worth[r, k - 1, b] <= max(worth[r, k, _BEAM - 1], NEVER / 2, enough):
            break
        entry = _Entry(worth[r, k - 1, b], name[r, k - 1, b], span[r, k - 1, b], letter[r, k - 1, b], rank[r, k - 1, b])
        _keep(lists, r, k, entry)


@numba.njit(cache=True, nogil=True, inline="always")  # a call would count references: a tenth of the search
def _keep(lists, r, k, entry):
    """Put a string of r letters into the list of the k-th cut: best first, each string once."""
    worths, names, spans = lists.worth[r, k], lists.name[r, k], lists.span[r, k]
    letters, ranks = lists.letter[r, k], lists.rank[r, k]
    place = len(worths)
    for b in range(len(worths)):
        if names[b] == entry.name and worths[b] > NEVER / 2:
            if worths[b] >= entry.worth:
                return
            place = b  # the same string, cut worse
            break
    if place == len(worths):
        place -= 1
        if worths[place] >= entry.worth:
            return
    while place > 0 and worths[place - 1] < entry.worth:
        worths[place], names[place], spans[place] = worths[place - 1], names[place - 1], spans[place - 1]
        letters[place], ranks[place] = letters[place - 1], ranks[place - 1]
        place -= 1
    worths[place], names[place], spans[place], letters[place], ranks[place] = entry


@numba.njit(cache=True, nogil=True)
def _rank_ends(worth, least, scores, ends):
    """Find the three best strings of `least` letters or more in the lists of the last cut.

    worth : (longest + 1, _BEAM) float64
    scores : (3,) float64, filled: best first, `NEVER` where there are fewer
    ends : (3, 2) int64, filled: the letters of each string, and its place in the list
    """
    scores[:] = NEVER
    for r in range(least, len(worth)):
        for b in range(_BEAM):
            value, own_r, own_b = worth[r, b], r, b
            if value <= NEVER / 2:
                break
            for j in range(BEST):
                if value > scores[j]:
                    scores[j], value = value, scores[j]
                    ends[j, 0], own_r = own_r, ends[j, 0]
                    ends[j, 1], own_b = own_b, ends[j, 1]


@numba.njit(cache=True, nogil=True)
def _trace(picture, lists, end, begin, text, chosen):
    """Follow a string back from its end: fill in its letters and, counted from `begin`, its spans."""
    r, b, k = end[0], end[1], picture.cuts - 1
    while r > 0:
        s = lists.span[r, k, b]
        text[r - 1], chosen[r - 1] = lists.letter[r, k, b], begin + s
        b, k, r = lists.rank[r, k, b], picture.first[s], r - 1


@numba.njit(cache=True, nogil=True)
def align(starts, cuts, first, last, worth, lengths, chosen, scores):
    """Find the best path of letters that are known.

    Parameters
    ----------
    starts, cuts, first, last
        As in `tasks.reading.path_bounds.Spans`.
    worth : (m, L) float64
        Score of a span as the k-th letter of its picture.
    lengths : (n,) int64
        Letters of each picture.
    chosen : (n, L) int64
        Filled: a span for each letter; -1 past the end or without a path.
    scores : (n,) float64
        Filled.
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

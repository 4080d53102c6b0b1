"""Upright ink -> a lattice: cuts, where a letter may begin or end, and spans between two cuts that may be letters."""

from dataclasses import dataclass, fields
from typing import NamedTuple

import numba
import numpy as np

from tasks.reading.text_line import FAINTEST, LANES, find_line, most_ink, window_of

# Behind each value: the words of `hard` right with other values, in percent without / with the dictionary, where they
# are 71.8 / 92.1 with these (2,048 pictures, seed 2, the shipped model, `python -m tests.benchmarks.constants`).
# Percent of the text's height. Narrowest 4: 71.9 / 92.1, 16: 72.4 / 92.0. Widest 80: 62.1 / 87.8, and of `touching`
# 81.5 / 89.4 instead of 98.7 / 99.5; 320: the same.
NARROWEST, WIDEST = 8, 160
DENSITY = 42  # of 255: the mean ink of a span that holds a letter is not lower; 21: 71.5 / 92.1, 84: 64.7 / 81.7
FINE = 8  # cuts in a stretch of ink that is as wide as the text is high; 4: 67.0 / 84.0, 16: 68.3 / 93.0
CUTS = 160  # the most cuts of a picture; 80 and 320: the same
_ROOM_EACH, _ROOM = 256, 4096  # spans that the arrays first hold: for each picture, and beyond that


@dataclass(frozen=True)
class Lattice:
    """The m spans of n pictures, in the order of pictures, first cuts and last cuts.

    Attributes
    ----------
    counts : (n,) int64
        Number of spans of each picture.
    cuts : (n,) int64
        Number of cuts of each picture; a span goes from cut `first` to cut `last`.
    height : (n,) int64
        Height of the text in pixels; 0 without ink.
    first, last : (m,) int16
    box : (m, 4) int16
        Top, left, bottom, right in the upright ink.
    """

    counts: np.ndarray
    cuts: np.ndarray
    height: np.ndarray
    first: np.ndarray
    last: np.ndarray
    box: np.ndarray

    @property
    def starts(self) -> np.ndarray:
        """Return the number of each picture's first span, and of all spans, (n + 1,) int64."""
        return np.concatenate([[0], np.cumsum(self.counts)])

    @property
    def picture(self) -> np.ndarray:
        """Return the number of the picture of each span, (m,) int64."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    def keep(self, spans: np.ndarray) -> "Lattice":
        """Return a lattice of the chosen spans, (m,) bool, with all cuts."""
        counts = np.bincount(self.picture[spans], minlength=len(self.counts))
        return Lattice(counts, self.cuts, self.height, self.first[spans], self.last[spans], self.box[spans])

    def of(self, pictures: np.ndarray) -> "Lattice":
        """Return the lattice of the chosen pictures, (n,) bool."""
        spans = pictures[self.picture]
        return Lattice(
            self.counts[pictures], self.cuts[pictures], self.height[pictures],
            self.first[spans], self.last[spans], self.box[spans],
        )  # fmt: skip

    def at(self, place: np.ndarray) -> tuple["Lattice", np.ndarray]:
        """Return the lattice with picture ``place[k]`` as its k-th, and the numbers that its spans had, (m,) int64."""
        counts = self.counts[place]
        spans = np.repeat(self.starts[place] - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
        moved = Lattice(
            counts, self.cuts[place], self.height[place], self.first[spans], self.last[spans], self.box[spans]
        )
        return moved, spans

    def longest(self) -> np.ndarray:
        """Return the largest number of spans of each picture that do not overlap, (n,) int64."""
        out = np.zeros(len(self.counts), np.int64)
        _count_apart(self.starts, self.cuts, self.first, self.last, out)
        return out

    def followed_by(self, other: "Lattice") -> "Lattice":
        """Return the lattice of these pictures, then the other's."""
        names = [field.name for field in fields(self)]
        return Lattice(*(np.concatenate([getattr(self, name), getattr(other, name)]) for name in names))


class _Found(NamedTuple):
    """The arrays of a `Lattice` that is being filled; the arrays of spans may be too short."""

    counts: np.ndarray
    cuts: np.ndarray
    height: np.ndarray
    first: np.ndarray
    last: np.ndarray
    box: np.ndarray


class _Cuts(NamedTuple):
    """The cuts of a picture.

    Attributes
    ----------
    ends, begins : (CUTS,) int64
        The column where the ink left of a cut ends, and the column where the ink right of it begins.
    at_end, at_begin : (CUTS, P) int32
        The ink of each window of rows left of those columns.
    """

    ends: np.ndarray
    begins: np.ndarray
    at_end: np.ndarray
    at_begin: np.ndarray


def find_spans(ink: np.ndarray, fine: int = FINE) -> Lattice:
    """Find the cuts of each picture, and the spans between two cuts that may be letters.

    Parameters
    ----------
    ink : (n, H, W) uint8
        From `tasks.reading.deskew.upright`.
    fine : int
        Cuts in a stretch of ink that is as wide as the text is high; with 0 only gaps are cuts.
    """
    n = len(ink)
    counts, cuts, height = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64)
    room = _ROOM_EACH * n + _ROOM
    first, last, box = np.empty(room, np.int16), np.empty(room, np.int16), np.empty((room, 4), np.int16)
    done, used = _find(ink, fine, 0, 0, _Found(counts, cuts, height, first, last, box))
    while done < n:  # the spans of that picture do not fit
        first, last, box = (np.concatenate([part, np.empty_like(part)]) for part in (first, last, box))
        done, used = _find(ink, fine, done, used, _Found(counts, cuts, height, first, last, box))
    return Lattice(counts, cuts, height, first[:used].copy(), last[:used].copy(), box[:used].copy())


@numba.njit(cache=True, nogil=True)
def _count_apart(starts, cuts, first, last, out):
    most = np.zeros(max(cuts.max(), 1) if len(cuts) else 1, np.int64)
    for i in range(len(cuts)):
        most[: cuts[i]] = 0
        s = starts[i]
        for k in range(cuts[i]):
            if k:
                most[k] = max(most[k], most[k - 1])
            while s < starts[i + 1] and first[s] == k:
                most[last[s]] = max(most[last[s]], most[k] + 1)
                s += 1
        if cuts[i]:
            out[i] = most[cuts[i] - 1]


@numba.njit(cache=True, nogil=True)
def _find(ink, fine, begin, used, found):
    """Fill in spans from picture `begin` on; return the first picture that does not fit, or n, and the spans used."""
    n, rows, columns = ink.shape
    profile, line, band = np.zeros(rows), np.zeros(rows), np.zeros(columns, np.uint32)
    sizes, most = np.zeros(columns, np.int64), (rows + 1 + LANES) // LANES * LANES
    cuts = _Cuts(np.zeros(CUTS, np.int64), np.zeros(CUTS, np.int64), np.zeros((CUTS, most), np.int32),
                 np.zeros((CUTS, most), np.int32))  # fmt: skip
    for i in range(begin, n):
        image = ink[i]
        found.counts[i] = found.cuts[i] = found.height[i] = 0
        high, low, height = find_line(image, profile, line, sizes)
        found.height[i] = height
        if height == 0:
            continue
        band[:] = 0
        for y in range(high, low):
            row = image[y]
            for x in range(columns):
                band[x] += np.uint32(row[x])
        count = _cuts(band, height, fine, cuts.begins, cuts.ends)
        found.cuts[i] = count
        windows = low - high - height + 1
        _sum_windows(image[high:low], height, count, band, cuts)
        stop = _find_between(cuts, count, windows, (high, height), used, found)
        if stop < 0:
            return i, used
        found.counts[i] = stop - used
        used = stop
    return n, used


@numba.njit(cache=True, nogil=True)
def _find_between(cuts, count, windows, line, used, found):
    """Fill in the spans between any two cuts of a picture; return the number of spans used, or -1 if they do not fit.

    line : (int, int)
        The first row of the text, and its height.
    """
    high, height = line
    first, last, box = found.first, found.last, found.box
    ends, begins, at_end, at_begin = cuts
    padded = (windows + LANES - 1) // LANES * LANES
    widest, narrowest = WIDEST * height // 100 + 1, max(1, NARROWEST * height // 100)
    for a in range(count - 1):
        left = begins[a]
        without = at_begin[a, :padded]
        for b in range(a + 1, count):
            right = ends[b]
            if right - left > widest:
                break
            if right - left < narrowest:
                continue
            inside = at_end[b, :padded]
            most = most_ink(without, inside, padded)
            if most < DENSITY * height * (right - left):
                continue
            if used == len(first):
                return -1
            top = high + window_of(without, inside, windows, most)
            first[used], last[used] = a, b
            box[used, 0], box[used, 1], box[used, 2], box[used, 3] = top, left, top + height, right
            used += 1
    return used


@numba.njit(cache=True, nogil=True)
def _sum_windows(rows, height, count, sums, cuts):
    """Fill in the ink of each window of `height` rows, left of the end and of the beginning of each cut.

    sums : (W,) uint32, scratch
    """
    columns, windows = rows.shape[1], len(rows) - height + 1
    ends, begins, at_end, at_begin = cuts
    sums[:] = 0
    for y in range(height):
        row = rows[y]
        for x in range(columns):
            sums[x] += np.uint32(row[x])
    for w in range(windows):
        if w:
            new, old = rows[w + height - 1], rows[w - 1]
            for x in range(columns):
                sums[x] += np.uint32(new[x]) - np.uint32(old[x])
        total, done = np.int64(0), 0
        for k in range(count):
            for x in range(done, ends[k]):
                total += sums[x]
            at_end[k, w] = total
            for x in range(ends[k], begins[k]):
                total += sums[x]
            at_begin[k, w] = total
            done = begins[k]
    padded = (windows + LANES - 1) // LANES * LANES
    at_begin[:count, windows:padded] = 0
    at_end[:count, windows:padded] = -1


@numba.njit(cache=True, nogil=True)
def _cuts(band, height, fine, begins, ends):
    """Fill in, for each cut, the column where the ink left of it ends and where the ink right of it begins."""
    columns = len(band)
    count = 0
    x = 0
    before = 0
    while x < columns and count < CUTS - 2:
        if band[x] <= FAINTEST:
            x += 1
            continue
        stop = x
        while stop < columns and band[stop] > FAINTEST:
            stop += 1
        ends[count] = before if count else x
        begins[count] = x
        count += 1
        if fine > 0:
            # Evenly spaced cuts, each moved to the thinnest place nearby.
            pieces = (stop - x) * fine // height
            reach = max(height // (3 * fine), 0)
            for k in range(1, pieces):
                if count >= CUTS - 2:
                    break
                place = x + (stop - x) * k // pieces
                best = place
                for near in range(max(x + 1, place - reach), min(stop, place + reach + 1)):
                    if band[near] + band[near - 1] < band[best] + band[best - 1]:
                        best = near
                if best > begins[count - 1] and best < stop:
                    ends[count] = begins[count] = best
                    count += 1
        before = stop
        x = stop
    if count:
        ends[count] = begins[count] = before
        count += 1
    return count

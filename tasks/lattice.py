"""Upright ink -> a lattice: places where a letter may begin or end, and the spans between two that may be letters."""

from dataclasses import dataclass, fields

import numba
import numpy as np

NARROWEST, WIDEST = 8, 160  # percent of the text's height
DENSITY = 28  # of 255: a span with less ink on average holds no letter
FINE = 8  # cuts inside a stretch of ink: this many for each height of it
FAINT = 90  # of 255: a column with less ink in all is a gap
CUTS = 160  # at most, a picture


@dataclass(frozen=True)
class Lattice:
    """Spans of n pictures, m in all: pictures ascending, in each by first cut, then by last.

    Attributes
    ----------
    counts : (n,) int64
        Spans of each picture.
    cuts : (n,) int64
        Cuts of each picture; spans go from cut `first` to cut `last`.
    height : (n,) int64
        Of the text, in pixels; 0 without ink.
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
        """Where the spans of each picture begin, (n + 1,) int64."""
        return np.concatenate([[0], np.cumsum(self.counts)])

    @property
    def picture(self) -> np.ndarray:
        """The picture of each span, (m,) int64."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    def keep(self, spans: np.ndarray) -> "Lattice":
        """Only those spans, (m,) bool; the cuts stay."""
        counts = np.bincount(self.picture[spans], minlength=len(self.counts))
        return Lattice(counts, self.cuts, self.height, self.first[spans], self.last[spans], self.box[spans])

    def of(self, pictures: np.ndarray) -> "Lattice":
        """Only those pictures, (n,) bool."""
        spans = pictures[self.picture]
        return Lattice(
            self.counts[pictures], self.cuts[pictures], self.height[pictures],
            self.first[spans], self.last[spans], self.box[spans],
        )  # fmt: skip

    def at(self, place: np.ndarray) -> tuple["Lattice", np.ndarray]:
        """Picture ``place[k]`` as the k-th, and the numbers that its spans had, (m,) int64."""
        counts = self.counts[place]
        spans = np.repeat(self.starts[place] - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
        moved = Lattice(
            counts, self.cuts[place], self.height[place], self.first[spans], self.last[spans], self.box[spans]
        )
        return moved, spans

    def followed_by(self, other: "Lattice") -> "Lattice":
        """These pictures, then the other's."""
        names = [field.name for field in fields(self)]
        return Lattice(*(np.concatenate([getattr(self, name), getattr(other, name)]) for name in names))


def find_spans(ink: np.ndarray, fine: int = FINE) -> Lattice:
    n = len(ink)
    counts, cuts, height = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64)
    room = 64 * n + 4096
    while True:
        first, last, box = np.empty(room, np.int16), np.empty(room, np.int16), np.empty((room, 4), np.int16)
        used = _find(ink, fine, counts, cuts, height, first, last, box)
        if used >= 0:
            return Lattice(counts, cuts, height, first[:used].copy(), last[:used].copy(), box[:used].copy())
        room *= 4


@numba.njit(cache=True, nogil=True)
def _densest(profile, low, high, share):
    """The stretch of a profile that has the most above `share` of its mean over what is inked: (start, stop)."""
    total, inked = 0.0, 0
    for y in range(low, high):
        if profile[y] > 0:
            total += profile[y]
            inked += 1
    if inked == 0:
        return low, low
    cost = share * total / inked
    best, start, stop = -1.0, low, low
    running, began = 0.0, low
    for y in range(low, high):
        running += profile[y] - cost
        if running <= 0:
            running, began = 0.0, y + 1
        elif running > best:
            best, start, stop = running, began, y + 1
    return start, stop


@numba.njit(cache=True, nogil=True)
def measure(image, profile, line, sizes):
    """Where the text is and how high its letters are: (first row, row after the last, height), height 0 without ink.

    profile, line : (H,) float64, and sizes : (W,) int64, room
    """
    rows, columns = image.shape
    for y in range(rows):
        total = 0
        for x in range(columns):
            total += image[y, x]
        profile[y] = total
    top, bottom = _densest(profile, 0, rows, 0.3)
    if bottom - top < 4:
        return 0, 0, 0
    around = (bottom - top) // 6
    high, low = max(0, top - around), min(rows, bottom + around)
    return high, low, max(min(_letter_height(image, high, low, line, sizes), low - high), 4)


@numba.njit(cache=True, nogil=True)
def _letter_height(image, high, low, line, sizes):
    """The letters' height: the median of the columns' stretches of ink that are not much lower than the highest."""
    columns = image.shape[1]
    count = 0
    for x in range(columns):
        total = 0
        for y in range(high, low):
            line[y] = image[y, x]
            total += image[y, x]
        if total <= FAINT:
            continue
        start, stop = _densest(line, high, low, 0.3)
        if stop - start > 2:
            sizes[count] = stop - start
            count += 1
    if count == 0:
        return 0
    some = np.sort(sizes[:count])
    most = some[(count * 92) // 100]
    least = 0
    while some[least] * 10 < most * 7:
        least += 1
    return some[least + (count - least) // 2]


@numba.njit(cache=True, nogil=True)
def _find(ink, fine, counts, cuts, heights, first, last, box):
    n, rows, columns = ink.shape
    left_sums = np.zeros((rows, columns + 1), np.int32)
    profile, line, band = np.zeros(rows), np.zeros(rows), np.zeros(columns)
    ends, begins = np.zeros(CUTS, np.int64), np.zeros(CUTS, np.int64)
    sizes = np.zeros(columns, np.int64)
    used = 0
    for i in range(n):
        counts[i] = cuts[i] = heights[i] = 0
        for y in range(rows):
            total = 0
            for x in range(columns):
                total += ink[i, y, x]
                left_sums[y, x + 1] = total
        high, low, height = measure(ink[i], profile, line, sizes)
        heights[i] = height
        if height == 0:
            continue
        band[:] = 0
        for y in range(high, low):
            for x in range(columns):
                band[x] += ink[i, y, x]
        count = _cuts(band, height, fine, begins, ends)
        cuts[i] = count
        widest, narrowest = WIDEST * height // 100 + 1, max(1, NARROWEST * height // 100)
        for a in range(count - 1):
            left = begins[a]
            for b in range(a + 1, count):
                right = ends[b]
                if right - left > widest:
                    break
                if right - left < narrowest:
                    continue
                # Of all windows as high as the letters, the one with the most ink; the middle one of equals.
                inside = 0
                for y in range(high, high + height):
                    inside += left_sums[y, right] - left_sums[y, left]
                most, start, again = inside, high, high
                for y in range(high + height, low):
                    inside += left_sums[y, right] - left_sums[y, left]
                    inside -= left_sums[y - height, right] - left_sums[y - height, left]
                    if inside > most:
                        most = inside
                        start = again = y - height + 1
                    elif inside == most and again == y - height:
                        again = y - height + 1
                if most < DENSITY * height * (right - left):
                    continue
                start = (start + again) // 2
                if used == len(first):
                    return -1
                first[used], last[used] = a, b
                box[used, 0], box[used, 1], box[used, 2], box[used, 3] = start, left, start + height, right
                used += 1
                counts[i] += 1
    return used


@numba.njit(cache=True, nogil=True)
def _cuts(band, height, fine, begins, ends):
    """Fill `ends` and `begins`: where what is left of each cut ends, and what is right of it begins."""
    columns = len(band)
    count = 0
    x = 0
    before = 0
    while x < columns and count < CUTS - 2:
        if band[x] <= FAINT:
            x += 1
            continue
        stop = x
        while stop < columns and band[stop] > FAINT:
            stop += 1
        ends[count] = before if count else x
        begins[count] = x
        count += 1
        if fine > 0:
            # Evenly spaced, each moved to the thinnest place near by.
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

"""Statistics of a dataset's pictures, counted shard by shard, and the bounds that drawn datasets must keep."""

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numba
import numpy as np

from storage.errors import OutOfBounds
from storage.shards.shard import SPLITS, Block
from storage.shards.shard_rules import decoded
from tasks.lowlevel.padding import to_read
from tasks.lowlevel.picture_sums import hash_pictures, spread_of_colours

SOME = 1 << 10  # keys that are added before the size of the table is looked at again
SIGMAS = 6.0  # standard deviations; a fair shard goes beyond once in 500 million statistics
MILLION = 1_000_000  # shares of ink are counted in millionths
BOUNDED = ("blank", "clipped", "equal_blocks", "letters_off", "ink_off")  # statistics
_U = np.uint64


@dataclass(frozen=True)
class Counts:
    """Counts of one shard. All are whole numbers, so that sums do not depend on their order.

    splits, letters : number of pictures in each split, and of each character of the alphabet
    ink : sum of all pixel values; of colours, see `spread_of_colours`
    pixels : sum of the pictures' areas, height times width
    share, square : sums of each picture's share of ink, in millionths, and of its square
    least, most : the smallest and largest such share
    blank, clipped : number of pictures without ink (of one colour), and of those with a letter that left no pixel
    where_blank, where_clipped : the first such picture in the shard, -1 if there is none
    keys : 64-bit hashes of the pictures, as bytes
    """

    pictures: int
    splits: tuple[int, ...]
    letters: tuple[int, ...]
    ink: int
    pixels: int
    share: int
    square: int
    least: int
    most: int
    blank: int
    clipped: int
    where_blank: int
    where_clipped: int
    keys: bytes


class Tally:
    """Counts the blocks of a shard, in order."""

    def __init__(self, alphabet: str):
        self._alphabet = alphabet
        self._splits = np.zeros(len(SPLITS), np.int64)
        self._bytes = np.zeros(256, np.int64)
        self._letters = dict.fromkeys(alphabet, 0)
        self._sums = [0, 0, 0, 0]
        self._range = [MILLION, 0]
        self._faults = {"blank": [0, -1], "clipped": [0, -1]}
        self._keys: list[np.ndarray] = []
        self._seen = 0

    def add(self, block: Block) -> None:
        """Count a block."""
        count = len(block.images)
        self._splits += np.bincount(block.split, minlength=len(SPLITS))
        text = np.frombuffer(np.ascontiguousarray(block.text).tobytes(), np.uint8).reshape(count, -1)
        if self._alphabet.isascii():
            self._bytes += np.bincount(text.ravel(), minlength=256)
        else:
            texts, counts = np.unique(block.text, return_counts=True)
            for label, times in zip(decoded(texts), counts.tolist(), strict=True):
                for letter in label:
                    self._letters[letter] += times
        heights, widths = (block.parameters[side].astype(np.int64) for side in ("height", "width"))
        area, images = heights * widths, to_read(block.images)
        ink, keys = hash_pictures(images.reshape(count, -1), area.astype(_U))
        if images.ndim == 4:
            ink = spread_of_colours(images, heights, widths)
        share = ink * MILLION // (255 * np.maximum(area, 1))
        for k, values in enumerate((ink, area, share, share * share)):
            self._sums[k] += int(values.sum())
        self._range = [min(self._range[0], int(share.min())), max(self._range[1], int(share.max()))]
        self._fault("blank", ink == 0)
        boxed = (block.boxes[..., 0] >= 0).sum(axis=1)
        if boxed.any():  # imported pictures have no boxes at all
            letters = ((text & 0xC0 != 0x80) & (text != 0)).sum(axis=1)  # UTF-8: the first byte of each character
            self._fault("clipped", boxed < letters)
        self._keys.append(keys)
        self._seen += count

    def _fault(self, what: str, rows: np.ndarray) -> None:
        found = self._faults[what]
        number = int(rows.sum())
        if number and not found[0]:
            found[1] = self._seen + int(rows.argmax())
        found[0] += number

    def counts(self) -> Counts:
        """Return the counts so far."""
        ascii_only = self._alphabet.isascii()
        letters = [int(self._bytes[ord(letter)]) if ascii_only else self._letters[letter] for letter in self._alphabet]
        ink, pixels, share, square = self._sums
        least, most = self._range
        (blank, where_blank), (clipped, where_clipped) = self._faults.values()
        return Counts(
            self._seen, tuple(self._splits.tolist()), tuple(letters), ink, pixels, share, square, least, most,
            blank, clipped, where_blank, where_clipped, b"".join(keys.tobytes() for keys in self._keys),
        )  # fmt: skip


class Distinct:
    """Counts different keys: exactly up to `most` of them, then by a sample.

    The sample is every key below a limit. Whenever more than `most` keys are left, the limit is halved (Wegman's
    adaptive sampling; Flajolet, 1990). The standard error is at most sqrt(2 / most): 0.14 % by default.
    """

    def __init__(self, most: int = 1 << 20):
        self._most = most
        self._level = 0
        self._count = 0  # keys in the table
        self._zero = 0  # 1 if key 0 came: in the table 0 means an empty place
        self._table = np.zeros(1 << 12, np.uint64)

    def add(self, keys: np.ndarray) -> None:
        """Count keys, (n,) uint64."""
        for first in range(0, len(keys), SOME):
            some = keys[first : first + SOME]
            if 4 * (self._count + len(some)) > 3 * len(self._table):
                self._rebuild(2 * len(self._table))
            self._zero |= bool((some == 0).any())
            self._count += _insert(self._table, to_read(some), self._limit())
            while self._count + self._zero > self._most:
                self._level += 1
                self._rebuild(len(self._table))

    def _rebuild(self, size: int) -> None:
        before, self._table = self._table, np.zeros(size, np.uint64)
        self._count = _insert(self._table, to_read(before), self._limit())

    def _limit(self) -> np.uint64:
        return _U((1 << 64 - self._level) - 1)

    def count(self) -> tuple[int, bool]:
        """Return the number of different keys, and whether it is exact."""
        return self._count + self._zero << self._level, self._level == 0


@numba.njit(cache=True, nogil=True)
def _insert(table, keys, limit):
    """Put the keys from 1 to `limit` into a hash table that has room for them, and return how many were new.

    The lowest bits of a key name its place; if that is taken, the next free place is used. This replaced sorting
    all keys each time, which took a tenth of two cores.
    """
    mask = _U(len(table) - 1)
    new = 0
    for key in keys:
        if key == 0 or key > limit:
            continue
        place = key & mask
        while table[place] != 0 and table[place] != key:
            place = (place + _U(1)) & mask
        new += table[place] == 0
        table[place] = key
    return new


class Summary:
    """Sums the counts of all shards, in memory that does not depend on the number of pictures.

    Parameters
    ----------
    bounded : bool
        Whether the statistics have bounds, as those of drawn pictures. Imported pictures are counted only.
    """

    def __init__(self, alphabet: str, bounded: bool = True):
        self._alphabet = alphabet
        self._bounded = bounded
        self._shards: list[tuple[str, int, np.ndarray]] = []  # name, first picture, counts
        self._totals = dict.fromkeys(("ink", "pixels", "share", "square", "blank", "clipped"), 0)
        self._splits = np.zeros(len(SPLITS), np.int64)
        self._range = [MILLION, 0]
        self._where: dict[str, tuple[int, str]] = {}
        self._distinct = Distinct()

    def add(self, name: str, first: int, counts: Counts) -> None:
        """Add one shard's counts; the order of shards does not matter."""
        for key in self._totals:
            self._totals[key] += getattr(counts, key)
        for what in ("blank", "clipped"):
            place = getattr(counts, f"where_{what}")
            if place >= 0:
                self._where[what] = min(self._where.get(what, (1 << 63, "")), (first + place, name))
        self._splits += counts.splits
        self._range = [min(self._range[0], counts.least), max(self._range[1], counts.most)]
        self._shards.append((name, first, np.array([counts.pictures, counts.share, *counts.letters], np.int64)))
        self._distinct.add(np.frombuffer(counts.keys, np.uint64))

    def statistics(self, equal_blocks: list[int], longest: int) -> dict[str, Any]:
        """Return the manifest's statistics: counts, the values that are bounded, and their bounds.

        Parameters
        ----------
        equal_blocks : list of int
            The first picture of each whole block that equals an earlier block.
        longest : int
            Characters of the longest text.
        """
        ordered = sorted(self._shards, key=lambda shard: shard[1])
        table = np.stack([counts for _, _, counts in ordered])
        pictures, share, *letters = table.sum(axis=0).tolist()
        totals = self._totals
        distinct, exact = self._distinct.count()
        distinct = min(distinct, pictures)
        mean = share / pictures
        deviation = sqrt(max(totals["square"] / pictures - mean * mean, 0.0))
        sizes = table[:, 0].astype(float)
        # Shards are drawn alike: each should have the mean ink, and the mean share of every letter.
        expected = np.outer(sizes, letters) / pictures
        spread = np.sqrt(np.maximum(expected * longest, 1.0))  # a text has a letter 0 to `longest` times
        letters_off = np.abs(table[:, 2:] - expected) / spread
        ink_off = np.abs(table[:, 1] / sizes - mean) / max(deviation, 1.0) * np.sqrt(sizes)
        self._where["letters_off"] = self._worst(ordered, letters_off)
        if equal_blocks:
            first = min(equal_blocks)
            self._where["equal_blocks"] = first, max(shard for shard in ordered if shard[1] <= first)[0]
        self._where["ink_off"] = self._worst(ordered, ink_off[:, None])
        return {
            "splits": dict(zip(SPLITS, self._splits.tolist(), strict=True)),
            "letters": dict(zip(self._alphabet, letters, strict=True)),
            "mean_ink": round(totals["ink"] / (255 * max(totals["pixels"], 1)), 6),
            "ink": {
                "mean": round(mean / MILLION, 6), "deviation": round(deviation / MILLION, 6),
                "least": self._range[0] / MILLION, "most": self._range[1] / MILLION,
            },
            "distinct": {"pictures": distinct, "share": round(distinct / pictures, 6), "exact": exact},
            "blank": totals["blank"],
            "clipped": totals["clipped"],
            "equal_blocks": len(equal_blocks),
            "letters_off": round(float(letters_off.max(initial=0)), 3),
            "ink_off": round(float(ink_off.max(initial=0)), 3),
            "bounds": {
                "blank": [0, 0], "clipped": [0, 0],
                # If the profile has one picture only, all blocks are equal; with two, chance needs 2**1024 blocks.
                "equal_blocks": [0, 0 if distinct > 1 else pictures],
                "letters_off": [0, SIGMAS], "ink_off": [0, SIGMAS],
            } if self._bounded else {},
        }  # fmt: skip

    def _worst(self, ordered: list[tuple[str, int, np.ndarray]], off: np.ndarray) -> tuple[int, str]:
        """Return the first picture and the name of the shard that is furthest off."""
        if not off.size:
            return (0, "")
        row, column = np.unravel_index(off.argmax(), off.shape)
        letter = f", letter {self._alphabet[column]!r}" if off.shape[1] > 1 else ""
        return ordered[row][1], ordered[row][0] + letter

    def require_bounds(self, statistics: dict[str, Any], name: str) -> None:
        """Refuse a dataset whose statistics leave their bounds.

        Raises
        ------
        OutOfBounds
            Naming each statistic, its value, its bounds, and the picture or shard where it was seen.
        """
        found = []
        for what, (low, high) in statistics["bounds"].items():
            if not low <= statistics[what] <= high:
                first, shard = self._where.get(what, (0, ""))
                place = f" (first in {shard}, picture {first})" if shard else ""
                found.append(f"{what} is {statistics[what]}, allowed are {low} to {high}{place}")
        if found:
            raise OutOfBounds(
                f"{name}: the pictures are not what they should be: {'; '.join(found)}. No manifest was written; "
                "look at them with captchas inspect SHARD.h5 --first PICTURE, and if the profile is at fault change it"
            )

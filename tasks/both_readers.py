"""A classic and a deep reader together: the classic reads first; where it is not sure, the deep reader reads too."""

from collections.abc import Callable, Iterable
from dataclasses import fields, replace

import numpy as np

from tasks.deep.deep_reader import DeepReader
from tasks.deep.shape import LONGEST
from tasks.doubts import doubted
from tasks.loading.decode import load_batch
from tasks.loading.safe_read import BadPicture, Unreadable
from tasks.loading.seen_batches import load_seen_batch
from tasks.reading.ranking import Ranked
from tasks.reading.reader import Reader, Readings

# Of the shares tried (docs/reader.md), those with which drawn pictures that no model learnt from were read best.
SURE = 0.99  # confidence of the classic reader from which its answer is taken at once
SURER = 0.2  # by how much it must be above the deep reader's otherwise
RULE = (SURE, SURER)

Group = tuple[np.ndarray, Readings]


class BothReaders:
    """Two readers of the same letters, lengths and dictionary.

    Parameters
    ----------
    classic : Reader
    deep : DeepReader
    """

    def __init__(self, classic: Reader, deep: DeepReader):
        self.classic, self.deep = classic, deep
        self.length = classic.length

    def read_files(
        self, pictures: Iterable[object], read: Callable[..., bytes], notes: dict[int, str]
    ) -> tuple[list[Group], list[tuple[int, BadPicture]]]:
        """Load and read pictures; parameters and results are those of `tasks.readers.read_pictures`."""
        given = [*pictures]
        loaded, failures = load_batch(given, read, notes)
        sure: list[Group] = []
        unsure: dict[int, tuple[Readings, int]] = {}
        own: dict[int, str] = {}
        for indices, images in loaded:
            readings = doubted(self.classic, self.classic.read(images), images)
            doubtful = ~(readings.confidences[:, 0] >= SURE)
            sure.append((indices[~doubtful], rows_of(readings, np.flatnonzero(~doubtful))))
            unsure |= {index: (readings, row) for row, index in enumerate(indices.tolist()) if doubtful[row]}
        again = sorted([*unsure, *(index for index, error in failures if not isinstance(error, Unreadable))])
        seen, lost = load_seen_batch([given[index] for index in again], read, own)
        groups = [group for group in sure if len(group[0])]
        for group in seen:
            indices = np.array([again[k] for k in group.indices.tolist()], np.int64)
            deep = self.deep.read(group.images, (), group.sizes)
            groups += _better(indices, doubted(self.deep, deep, group.images, group.sizes), unsure)
        notes |= {again[k]: note for k, note in own.items()}
        failed = [(again[k], error) for k, error in lost]
        # What only the deep reader cannot load has the classic reader's answer.
        for index in [index for index, _ in failed if index in unsure]:
            readings, row = unsure[index]
            groups.append((np.array([index], np.int64), rows_of(readings, np.array([row]))))
        failures = [(index, error) for index, error in failures if isinstance(error, Unreadable)]
        return groups, failures + [(index, error) for index, error in failed if index not in unsure]


def read_together(length: tuple[int, int] | None) -> bool:
    """Tell whether texts of such a length may be read by both: the deep reader knows none of over 12 letters."""
    return length is None or length[0] <= LONGEST


def takes_classic(classic: np.ndarray, deep: np.ndarray) -> np.ndarray:
    """Tell where the classic reader's answer is taken, (n,) bool, by both confidences; those unknown count as 0."""
    first, second = np.nan_to_num(classic), np.nan_to_num(deep)
    taken: np.ndarray = (first >= SURE) | (first >= second + SURER)
    return taken


def _better(indices: np.ndarray, deep: Readings, unsure: dict[int, tuple[Readings, int]]) -> list[Group]:
    """Return the better answer to each picture: groups of the deep reader's, and of the classic reader's."""
    first = np.array([unsure[k][0].confidences[unsure[k][1], 0] if k in unsure else 0.0 for k in indices.tolist()])
    classic = takes_classic(first, deep.confidences[:, 0])
    groups = [(indices[~classic], rows_of(deep, np.flatnonzero(~classic)))] if not classic.all() else []
    for index in indices[classic].tolist():
        readings, row = unsure[index]
        groups.append((np.array([index], np.int64), rows_of(readings, np.array([row]))))
    return groups


def rows_of(readings: Readings, rows: np.ndarray) -> Readings:
    """Return the readings of some pictures, in the order of `rows` (k,) int64, ascending."""
    kept = np.isin(readings.picture, rows)
    each = {
        field.name: getattr(readings, field.name)[rows]
        for field in fields(Readings)
        if field.name not in ("picture", "box", "answers", "evidence")
    }
    return replace(
        readings, **each, picture=np.searchsorted(rows, readings.picture[kept]), box=readings.box[kept],
        answers={
            key: Ranked(ranked.words[rows], ranked.probabilities[rows]) for key, ranked in readings.answers.items()
        },
        evidence={key: part[rows] for key, part in readings.evidence.items()},
    )  # fmt: skip

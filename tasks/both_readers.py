"""A classic and a deep reader together: the classic reads first; where it is not sure, the deep reader reads too."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from tasks.deep.decoding import USUAL
from tasks.deep.deep_reader import DeepReader
from tasks.deep.shape import LONGEST, UNTOLD
from tasks.doubts import Believed, add_note, believed, rows_of
from tasks.loading.decode import load_batch
from tasks.loading.safe_read import BadPicture, Unreadable
from tasks.loading.seen_batches import load_seen_batch
from tasks.reading.reader import Reader, Readings

# Of the shares tried (docs/reader.md), those with which drawn pictures that no model learnt from were read best.
SURE = 0.99  # confidence of the classic reader from which its answer is taken at once
SURER = 0.2  # by how much it must be above the deep reader's otherwise
RULE = (SURE, SURER)

Group = tuple[np.ndarray, Readings]


class Unsure(NamedTuple):
    """An answer that the classic reader is not sure of: a row of what it read."""

    part: Believed
    row: int

    @property
    def confidence(self) -> float:
        """Return its confidence."""
        return float(self.part.readings.confidences[self.row, 0])


class BothReaders:
    """Two readers of the same letters, lengths and dictionary.

    Parameters
    ----------
    classic : Reader
    deep : DeepReader
    """

    def __init__(self, classic: Reader, deep: DeepReader):
        self.classic, self.deep = classic, deep
        self.length = deep.length if deep.length == UNTOLD else classic.length

    def read_files(
        self, pictures: Iterable[object], read: Callable[..., bytes], notes: dict[int, str]
    ) -> tuple[list[Group], list[tuple[int, BadPicture]]]:
        """Load and read pictures; parameters and results are those of `tasks.readers.read_pictures`."""
        given = [*pictures]
        loaded, failures = load_batch(given, read, notes)
        sure: list[Group] = []
        unsure: dict[int, Unsure] = {}
        own: dict[int, str] = {}
        for indices, images in loaded:
            (part,) = believed(self.classic, images)
            doubtful = ~(part.readings.confidences[:, 0] >= SURE)
            sure.append((indices[~doubtful], rows_of(part.readings, np.flatnonzero(~doubtful))))
            unsure |= {index: Unsure(part, row) for row, index in enumerate(indices.tolist()) if doubtful[row]}
        again = sorted([*unsure, *(index for index, error in failures if not isinstance(error, Unreadable))])
        seen, lost = load_seen_batch([given[index] for index in again], read, own)
        notes |= {again[k]: note for k, note in own.items()}
        groups = [group for group in sure if len(group[0])]
        for group in seen:
            indices = np.array([again[k] for k in group.indices.tolist()], np.int64)
            for part in believed(self.deep, group.images, group.sizes):
                groups += _better(indices[part.rows], part, unsure, notes)
        failed = [(again[k], error) for k, error in lost]
        # What only the deep reader cannot load has the classic reader's answer.
        groups += [_alone(index, unsure[index], notes) for index, _ in failed if index in unsure]
        failures = [(index, error) for index, error in failures if isinstance(error, Unreadable)]
        return groups, failures + [(index, error) for index, error in failed if index not in unsure]


def classic_length(length: tuple[int, int] | None, shipped: bool) -> tuple[int, int] | None:
    """Return the length that a classic reader expects beside a deep one; the shipped one leaves short texts to that."""
    return (USUAL, LONGEST) if shipped and length == UNTOLD else length


def read_together(length: tuple[int, int] | None) -> bool:
    """Tell whether texts of such a length may be read by both: the deep reader knows none of over 12 letters."""
    return length is None or length[0] <= LONGEST


def takes_classic(classic: np.ndarray, deep: np.ndarray) -> np.ndarray:
    """Tell where the classic reader's answer is taken, (n,) bool, by both confidences; those unknown count as 0."""
    first, second = np.nan_to_num(classic), np.nan_to_num(deep)
    taken: np.ndarray = (first >= SURE) | (first >= second + SURER)
    return taken


def _better(indices: np.ndarray, deep: Believed, unsure: dict[int, Unsure], notes: dict[int, str]) -> list[Group]:
    """Return the better answer to each picture: groups of the deep reader's, and of the classic reader's."""
    first = np.array([unsure[k].confidence if k in unsure else 0.0 for k in indices.tolist()])
    classic = takes_classic(first, deep.readings.confidences[:, 0])
    rows = np.flatnonzero(~classic)
    groups = [(indices[rows], rows_of(deep.readings, rows))] if len(rows) else []
    for row in rows.tolist():
        add_note(notes, int(indices[row]), deep.notes[row])
    return groups + [_alone(index, unsure[index], notes) for index in indices[classic].tolist()]


def _alone(index: int, unsure: Unsure, notes: dict[int, str]) -> Group:
    """Return the classic reader's answer to one picture as a group."""
    add_note(notes, index, unsure.part.notes[unsure.row])
    return np.array([index], np.int64), rows_of(unsure.part.readings, np.array([unsure.row]))

"""Read pictures whose texts are unlike the others' once more, as texts like the others, and choose."""

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from tasks.both_readers import BothReaders
from tasks.deep.deep_reader import log_probabilities
from tasks.doubts import rows_of
from tasks.loading.safe_read import BadPicture
from tasks.readers import AnyReader, read_pictures, told_alphabet, told_length
from tasks.reading.reader import Readings
from tasks.solving.alike.in_common import InCommon, Other, in_common

MOST_ODDS = 1e-4  # confidences nearer to 0 or 1 count as that near

Group = tuple[np.ndarray, Readings]
Again = Callable[[InCommon], AnyReader]  # opens a reader of texts like the others


def letters_of(reader: AnyReader) -> str:
    """Return the letters that a reader expects."""
    return reader.deep.alphabet if isinstance(reader, BothReaders) else reader.alphabet


def is_told(reader: AnyReader) -> bool:
    """Tell whether a reader knows what texts to expect: from a dictionary, or from its owner's pictures."""
    deep = reader.deep if isinstance(reader, BothReaders) else reader
    return not deep.doubts or len(deep.dictionary) > 0


def limits(common: InCommon, letters: str) -> tuple[str | None, tuple[int, int]]:
    """Return the alphabet and the length of a reader of texts like the others, whose reader now knows `letters`."""
    return (None if common.letters == letters else common.letters), common.length


def told_in_common(common: InCommon, letters: str) -> str:
    """Tell what texts have in common, in words."""
    said = f"{told_length(common.length)} letters"
    return said if common.letters == letters else f"{said} of {told_alphabet(common.letters)}"


def others_of(first: Sequence[Group], second: Sequence[Group], count: int) -> list[Other]:
    """Compare two readings of `count` pictures."""
    texts, sure, logs = _columns(first, count)
    again, surer, other_logs = _columns(second, count)
    # A classic reader has no probability of a text among all texts, so the confidences are compared.
    by_confidence = _odds(surer) - _odds(sure)
    margins = np.where(np.isnan(logs + other_logs), by_confidence, other_logs - logs)
    margins[again == ""] = -math.inf
    return [Other(*row) for row in zip(texts.tolist(), sure.tolist(), margins.tolist(), strict=True)]


def read_alike(
    reader: AnyReader, again: Again, pictures: Iterable[object], read: Callable[..., bytes], notes: dict[int, str]
) -> tuple[list[Group], list[tuple[int, BadPicture]], InCommon | None]:
    """Load and read pictures that belong together, as `tasks.readers.read_pictures` does; also say what is in common.

    Parameters
    ----------
    again : callable
        Opens a reader of the same models for texts like the others.
    """
    given = [*pictures]
    groups, failures = read_pictures(reader, given, read, notes)
    texts, sure, _ = _columns(groups, len(given))
    letters = letters_of(reader)
    common = in_common(zip(texts.tolist(), sure.tolist(), strict=True), reader.length, letters)
    if common is None:
        return groups, failures, None
    unlike = [k for k, text in enumerate(texts.tolist()) if text and not common.fits(text)]
    own: dict[int, str] = {}
    second, _ = read_pictures(again(common), [given[k] for k in unlike], read, own)
    others = others_of(_part(groups, unlike), second, len(unlike))
    common = common.learnt(others)
    taken = [row for row, other in enumerate(others) if common.takes(other)]
    for row in taken:
        notes.pop(unlike[row], None)
        if row in own:
            notes[unlike[row]] = own[row]
    of = np.array(unlike, np.int64)
    kept = _part(groups, sorted(set(range(len(given))) - {unlike[row] for row in taken}), numbered=False)
    return kept + [(of[rows], found) for rows, found in _part(second, taken, numbered=False)], failures, common


def _columns(groups: Sequence[Group], count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the text of each picture, its confidence, and the logarithm of its probability, if a network gives it."""
    texts, sure, logs = np.full(count, "", object), np.zeros(count), np.full(count, math.nan)
    for rows, found in groups:
        texts[rows], sure[rows] = found.words[:, 0], np.nan_to_num(found.confidences[:, 0])
        logs[rows] = log_probabilities(found)
    return texts, sure, logs


def _part(groups: Sequence[Group], pictures: Sequence[int], numbered: bool = True) -> list[Group]:
    """Return the readings of some pictures, ascending; numbered by their place in `pictures`, or as they were."""
    wanted = np.array(pictures, np.int64)
    parts = []
    for indices, found in groups:
        rows = np.flatnonzero(np.isin(indices, wanted))
        if len(rows):
            numbers = np.searchsorted(wanted, indices[rows]) if numbered else indices[rows]
            parts.append((numbers, rows_of(found, rows)))
    return parts


def _odds(share: np.ndarray) -> np.ndarray:
    near = np.clip(share, MOST_ODDS, 1 - MOST_ODDS)
    odds: np.ndarray = np.log(near / (1 - near))
    return odds

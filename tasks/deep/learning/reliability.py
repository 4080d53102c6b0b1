"""Measure a trained network on validation pictures, and fit how far its answers can be believed."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from storage.deep_models import DeepModel
from storage.errors import BadInput
from tasks.deep.deep_reader import DeepReader, Seen
from tasks.deep.learning.sources import Source, Stored
from tasks.deep.learning.stream import Batch
from tasks.profiles.word_lists import load_words
from tasks.rates import Rate
from tasks.reading.ranking import Ranking
from tasks.training.curves import fit_curve

# How much answers count beside those to pictures of which alphabet and lengths are told: where nothing is told, and
# where most letters may not occur.
_UNTOLD, _FOREIGN = 0.1, 0.025
_PART = 4  # one picture in so many is read once more; one letter in so many is allowed where most may not occur


def measure(
    model: DeepModel, sources: Sequence[Source], batches: Iterable[Batch], threads: int = 1
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Measure a model whose confidence is not fitted yet.

    Parameters
    ----------
    batches : iterable of Batch
        Each of one source, from `held_out`.

    Returns
    -------
    scores : dict
        By source: words right without a dictionary, and with its own, each a rate with its interval.
    calibration : dict
        The curves of confidence by ranking, fitted over all sources together.
    """
    found = _Found(model, sources, threads)
    for batch in batches:
        found.add(batch)
    return found.scores(), found.curves()


class _Found:
    """The evidence for answers, whether they were right, and how much each counts, by ranking."""

    def __init__(self, model: DeepModel, sources: Sequence[Source], threads: int):
        self._sources = sources
        self._told = [_reader_of(model, source, threads) for source in sources]
        self._untold = DeepReader(model, threads=threads)
        self._foreign = DeepReader(model, alphabet=self._untold.alphabet[::_PART], threads=threads)
        self._letters = np.array(["", *self._untold.alphabet])
        self._rows: dict[str, list[tuple[np.ndarray, np.ndarray, np.ndarray]]] = {}
        self._right: dict[tuple[int, str], list[np.ndarray]] = {}

    def add(self, batch: Batch) -> None:
        """Read a batch, knowing its source, and not."""
        source = int(batch.source[0])
        truth = np.array(["".join(row) for row in self._letters[batch.labels].tolist()])
        reader = self._told[source]
        scores = reader.session.scores(batch.pictures)
        sizes = np.tile(np.array(batch.pictures.shape[2:], np.int64), (len(truth), 1))
        seen = Seen(scores, sizes, np.full(len(truth), batch.pictures.shape[3]))
        for ranking, right in self._count(reader, seen, truth, 1.0).items():
            self._right.setdefault((source, ranking), []).append(right)
        some = slice(0, None, _PART)
        part = Seen(seen.scores[some], seen.sizes[some], seen.widths[some])
        self._count(self._untold, part, truth[some], _PART * _UNTOLD)
        self._count(self._foreign, part, truth[some], _PART * _FOREIGN)

    def _count(self, reader: DeepReader, seen: Seen, truth: np.ndarray, weight: float) -> dict[str, np.ndarray]:
        readings = reader.read_seen(seen, [Ranking.NONE])
        found, all_right = readings.segments > 0, {}
        for ranking, rows in readings.evidence.items():
            answer = readings.reading if ranking is Ranking.NONE else readings.answers[ranking].words[:, 0]
            right = answer == truth
            all_right[ranking.value] = right
            self._rows.setdefault(ranking.value, []).append(
                (rows[found], right[found], np.full(int(found.sum()), weight))
            )
        return all_right

    def scores(self) -> dict[str, Any]:
        """Return the rates of words right, by source and ranking."""
        told: dict[str, Any] = {}
        for (source, ranking), parts in self._right.items():
            right = np.concatenate(parts)
            told.setdefault(self._sources[source].name, {})[ranking] = Rate(int(right.sum()), len(right)).as_dict()
        return told

    def curves(self) -> dict[str, Any]:
        """Fit the curves of confidence."""
        return {
            ranking: fit_curve(*(np.concatenate(part) for part in zip(*rows, strict=True))).as_record()
            for ranking, rows in self._rows.items()
        }


def _reader_of(model: DeepModel, source: Source, threads: int) -> DeepReader:
    """Return a reader that knows a source's letters, lengths and dictionary."""
    words: tuple[str, ...] = ()
    if source.words and not (isinstance(source, Stored) and source.words == "list"):
        origin = source.words if isinstance(source, Stored) else source.profile.words
        try:
            words = load_words(origin, source.alphabet, source.length)
        except BadInput:  # no such word
            words = ()
    return DeepReader(model, words, alphabet=source.alphabet, length=source.length, threads=threads)

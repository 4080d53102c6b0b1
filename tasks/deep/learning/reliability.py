"""Measure a trained network on validation pictures, and fit how far its answers can be believed."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from storage.deep_models import DeepModel, load_deep_model, save_deep_model, seal_model
from storage.errors import BadInput
from tasks.datasets.samples import first_pictures
from tasks.deep.deep_reader import CAUTIOUS, DeepReader, Seen
from tasks.deep.learning.sources import Drawn, Source, Stored
from tasks.deep.learning.stream import Batch
from tasks.deep.learning.unfamiliar import unfamiliar_profiles
from tasks.profiles.built_in import find_profile
from tasks.profiles.word_lists import load_words
from tasks.rates import Rate
from tasks.reading.ranking import Ranking
from tasks.training.curves import fit_curve

# How much answers count beside those to pictures of which alphabet and lengths are told: where nothing is told, and
# where most letters may not occur.
_UNTOLD, _FOREIGN = 0.1, 0.025
_AT_ONCE = 256  # pictures that are looked at
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


def refit(
    path: Path,
    out: Path,
    faces: Sequence[str],
    seed: int,
    pictures: int = 1024,
    unfamiliar: tuple[int, int] = (240, 48),
) -> dict[str, Any]:
    """Measure a model anew, and fit its confidence: on its profiles, and, cautious, on profiles unlike them as well.

    A curve that was fitted on what a network learnt from believes it too much on pictures of others.

    Parameters
    ----------
    path, out : Path
        The model, which learnt from built-in profiles, and the file to write.
    faces : sequence of str
        Of the unfamiliar profiles: bundled faces, or font files that no training knows.
    seed : int
        Of all pictures; not that of the training.
    pictures : int
        Of each profile.
    unfamiliar : (int, int)
        Unfamiliar profiles, and pictures of each; together they count as much as all others.

    Returns
    -------
    dict
        The record in the file.

    Raises
    ------
    BadInput, NotThere, Damaged, NoSpace, Unwritable
    """
    model = load_deep_model(path)
    named = [source["draw"]["name"] for source in model.record["sources"] if "draw" in source]
    known: list[Source] = [Drawn(find_profile(name), seed) for name in named]
    letters = str(model.record["classes"])
    others: list[Source] = [
        Drawn(profile, seed) for profile in unfamiliar_profiles(seed, unfamiliar[0], faces, letters)
    ]
    found = _Found(model, [*known, *others], threads=1)
    for source in range(len(known)):
        found.draw(source, seed, pictures)
    familiar = {"scores": found.scores(), "calibration": found.curves()}
    left_out = 0
    for source in range(len(known), len(known) + len(others)):
        try:
            found.draw(source, seed, unfamiliar[1], len(known) * pictures / (unfamiliar[0] * unfamiliar[1]))
        except BadInput:  # its letters do not fit into its picture
            left_out += 1
    how = {
        "seed": seed, "pictures": pictures, "unfamiliar": [unfamiliar[0] - left_out, unfamiliar[1]],
        "faces": sorted(face.rpartition("/")[2] for face in faces),
    }  # fmt: skip
    record = model.record | familiar | {CAUTIOUS: found.curves(), "cautious_on": how}
    save_deep_model(out, seal_model(model.network, record))
    return record


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
        truth = np.array(["".join(row) for row in self._letters[batch.labels].tolist()])
        scores = self._untold.session.scores(batch.pictures)
        sizes = np.tile(np.array(batch.pictures.shape[2:], np.int64), (len(truth), 1))
        widths = sizes[:, 1]
        contents = np.column_stack([np.zeros(len(truth)), widths])
        self.add_seen(int(batch.source[0]), Seen(scores, sizes, widths, contents), truth)

    def draw(self, source: int, seed: int, count: int, weight: float = 1.0) -> None:
        """Read pictures of a profile that are drawn for it, as files are read."""
        drawn = self._sources[source]
        if not isinstance(drawn, Drawn):
            raise TypeError(f"{drawn.name}: is no profile")
        block = first_pictures(drawn.profile, seed, count)
        sizes = np.column_stack([block.parameters["height"], block.parameters["width"]]).astype(np.int64)
        truth = np.array(block.texts())
        for first in range(0, count, _AT_ONCE):
            rows = slice(first, first + _AT_ONCE)
            self.add_seen(source, self._untold.look(block.images[rows], sizes[rows]), truth[rows], weight)

    def add_seen(self, source: int, seen: Seen, truth: np.ndarray, weight: float = 1.0) -> None:
        """Count the answers to pictures of a source, known and not."""
        for ranking, right in self._count(self._told[source], seen, truth, weight).items():
            self._right.setdefault((source, ranking), []).append(right)
        some = slice(0, None, _PART)
        part = seen.rows(some)
        self._count(self._untold, part, truth[some], weight * _PART * _UNTOLD)
        self._count(self._foreign, part, truth[some], weight * _PART * _FOREIGN)

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
        origin = source.profile.words if isinstance(source, Drawn) else source.words
        try:
            words = load_words(origin, source.alphabet, source.length)
        except BadInput:  # no such word
            words = ()
    return DeepReader(model, words, alphabet=source.alphabet, length=source.length, threads=threads)

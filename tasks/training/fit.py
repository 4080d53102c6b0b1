"""Fit a reader's two networks to the spans in a spool, and find the gate's bound."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypedDict

import numpy as np
from threadpoolctl import threadpool_limits

from storage.errors import BadInput
from storage.shards.shard import SPLITS
from tasks.rates import Rate, RateRecord
from tasks.reading import networks
from tasks.reading.features import SIZE
from tasks.reading.networks import GATE, LETTERS, FittedNetwork
from tasks.training.settings import Settings

TRAIN, VALIDATION = SPLITS.index("train"), SPLITS.index("validation")
SAMPLE = np.dtype([("label", "u1"), ("split", "u1"), ("span", "u1", (SIZE,))])  # a row of a spool file
Spans = np.ndarray  # (k,) SAMPLE
PASSED = 0.995  # share of the validation letters known to the large network that the gate lets through


class FitFacts(TypedDict):
    """What a fit was made of, and how the gate does, for the model's record."""

    letters: int
    spans: int
    shows: int
    seconds: float
    gate: float
    gate_passes: RateRecord


class Samples:
    """The samples of one split in a spool's files, numbered in the order of the files; they stay on the disk.

    Parameters
    ----------
    files : list of (k,) SAMPLE
        Memory-mapped.
    split : int
        An index into `SPLITS`.
    classes : int
        Number of letters, which is also the label "not one letter".
    """

    def __init__(self, files: list[np.ndarray], split: int, classes: int):
        self._files = files
        self._rows = [np.flatnonzero(file["split"] == split) for file in files]
        self._first = np.cumsum([0, *map(len, self._rows)])
        self.classes = classes

    def __len__(self) -> int:
        return int(self._first[-1])

    def parts(self) -> Iterator[np.ndarray]:
        """Yield the samples of one file after another, in memory."""
        for file, rows in zip(self._files, self._rows, strict=True):
            yield file[rows]

    def counts(self) -> np.ndarray:
        """Count the samples of each label, (classes + 1,) int64."""
        labels = [np.asarray(file["label"])[rows] for file, rows in zip(self._files, self._rows, strict=True)]
        return np.bincount(np.concatenate([np.empty(0, np.uint8), *labels]), minlength=self.classes + 1)

    def labelled(self, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Read some samples, numbered (k,) ascending: spans (k, SIZE) uint8 and labels (k,) int64."""
        bounds = np.searchsorted(chosen, self._first)
        some = [
            file[rows[chosen[low:high] - start]]
            for file, rows, start, low, high in zip(
                self._files, self._rows, self._first[:-1], bounds[:-1], bounds[1:], strict=True
            )
            if low < high
        ]
        joined = np.concatenate(some)
        return joined["span"], joined["label"].astype(np.int64)

    def kinds(self, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Read some samples as `labelled` does, with the label 1 for each letter and 0 for all else."""
        spans, labels = self.labelled(chosen)
        return spans, (labels < self.classes).astype(np.int64)


def fit(
    spool: Path,
    name: str,
    classes: str,
    settings: Settings,
    shows: int,
    on_pool: Callable[[int, float], None] | None = None,
    beside: Sequence[np.ndarray] = (),
) -> tuple[dict[str, FittedNetwork], FitFacts]:
    """Fit both networks to the files of a spool.

    Parameters
    ----------
    spool, name : Path, str
        The folder, and the beginning of the files' names.
    classes : str
        The letters; their places are the labels.
    settings : Settings
        Only `hidden` and `seed` count here.
    shows : int
        Spans shown to the large network, counted with repetition; the gate is shown half as many.
    on_pool : callable, optional
        As for `tasks.reading.networks.fit`.
    beside : sequence of (k,) SAMPLE
        More samples to learn from, which are in no file of the spool.

    Returns
    -------
    fitted : dict of str to MLPClassifier
    facts : FitFacts
        Letters and spans learnt from, spans shown, seconds; the gate's bound, and the rate of the validation
        split's letters that it lets through.

    Raises
    ------
    BadInput
        No letter at all to learn from, or to judge the gate by. A class without any letter is never read.
    """
    files = [*(np.load(path, mmap_mode="r") for path in sorted(spool.glob(f"{name}-*.npy"))), *beside]
    train, validation = (Samples(files, split, len(classes)) for split in (TRAIN, VALIDATION))
    counts = train.counts()
    if not counts[:-1].any():
        raise BadInput(
            f"train: none of the letters {' '.join(classes)} was found in the train split; use more pictures, or some "
            "whose letters stand apart"
        )
    began = time.perf_counter()
    letters = networks.build(settings.hidden, settings.seed)
    gate = networks.build((networks.GATE_HIDDEN,), settings.seed)
    # The mini-batches are small: a second BLAS thread waits more than it works, the more so on a busy machine.
    with threadpool_limits(1, "blas"):
        networks.fit(letters, train.labelled, len(train), shows, len(classes) + 1, settings.seed, on_pool)
        networks.fit(gate, train.kinds, len(train), max(shows // 2, 1), 2, settings.seed)
    fitted = {LETTERS: letters, GATE: gate}
    least, passed = _bound(fitted, validation)
    facts: FitFacts = {
        "letters": int(counts[:-1].sum()),
        "spans": int(counts.sum()),
        "shows": shows,
        "seconds": round(time.perf_counter() - began, 2),
        "gate": least,
        "gate_passes": passed,
    }
    return fitted, facts


def _bound(fitted: dict[str, FittedNetwork], validation: Samples) -> tuple[float, RateRecord]:
    """Find the gate's bound, and the rate of letters above it.

    `PASSED` of the validation letters are above it: of those that the large network takes for letters. Where that
    network, hardly trained, takes none for a letter, of all.
    """
    odds, known = [np.empty(0, np.float32)], [np.empty(0, bool)]
    for samples in validation.parts():
        spans = np.ascontiguousarray(samples["span"][samples["label"] < validation.classes])
        odds.append(networks.gate_odds(fitted[GATE], spans))
        known.append(networks.letter_odds(fitted[LETTERS], spans).max(axis=1, initial=-np.inf) > 0)
    judged, taken = np.concatenate(odds), np.concatenate(known)
    if not len(judged):
        raise BadInput(
            "train: no letter could be cut out of the validation split's pictures; use more of them, or some whose "
            "letters stand apart"
        )
    judged = np.sort(judged[taken] if taken.any() else judged)
    least = float(judged[int((1 - PASSED) * len(judged))])
    return least, Rate.of(judged >= least).as_dict()

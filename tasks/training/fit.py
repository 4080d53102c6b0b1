"""The units of training: spans out of shards, the networks, how sure they may be, the model's file."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from storage.errors import BadInput
from storage.shards.shard import SPLITS
from tasks.rates import Rate
from tasks.reading import networks as classifier
from tasks.reading.features import SIZE
from tasks.reading.networks import GATE, LETTERS
from tasks.training.settings import Settings

TRAIN, VALIDATION = SPLITS.index("train"), SPLITS.index("validation")
SAMPLE = np.dtype([("label", "u1"), ("split", "u1"), ("span", "u1", (SIZE,))])
PASSED = 0.995  # of the validation letters that the large network knows: so many the gate lets through


def fit(
    spool: Path,
    name: str,
    classes: str,
    settings: Settings,
    shows: int,
    on_pool: Callable[[int, float], None] | None = None,
    every: bool = True,
) -> tuple[dict, dict]:
    """Fit both networks over the spool's files of that name, which are mapped, not read into memory.

    `every`: whether each class must have a letter. The first round may do without one that only more pictures show.

    Returns
    -------
    networks : dict of str to MLPClassifier
    facts : dict
        Letters and spans learnt from, spans shown, seconds; the gate's bound, and what it lets through of the
        validation split's letters.

    Raises
    ------
    BadInput
        A class without any letter, or no letter to judge the gate by.
    """
    files = [np.load(path, mmap_mode="r") for path in sorted(spool.glob(f"{name}-*.npy"))]
    rows = {split: [np.flatnonzero(one["split"] == split) for one in files] for split in (TRAIN, VALIDATION)}
    labels = [np.asarray(one["label"])[own] for one, own in zip(files, rows[TRAIN], strict=True)]
    counts = np.bincount(np.concatenate([*labels, np.empty(0, np.uint8)]), minlength=len(classes) + 1)
    lacking = [letter for letter, count in zip(classes, counts[:-1], strict=True) if not count]
    if lacking and (every or len(lacking) == len(classes)):
        raise BadInput(
            f"train: no letter {' '.join(lacking)} was found in the train split; use more pictures, or some "
            "whose letters stand apart"
        )
    first = np.cumsum([0, *map(len, rows[TRAIN])])

    def take(chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        bounds = np.searchsorted(chosen, first)
        some = [
            one[own[chosen[low:high] - start]]
            for one, own, start, low, high in zip(
                files, rows[TRAIN], first[:-1], bounds[:-1], bounds[1:], strict=True
            )
            if low < high
        ]  # fmt: skip
        joined = np.concatenate(some)
        return joined["span"], joined["label"].astype(np.int64)

    def take_kinds(chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        X, y = take(chosen)
        return X, (y < len(classes)).astype(np.int64)

    began = time.perf_counter()
    letters = classifier.build(settings.hidden, settings.seed)
    gate = classifier.build((classifier.GATE_HIDDEN,), settings.seed)
    # The mini-batches are small: a second BLAS thread waits more than it works, the more so on a busy machine.
    with threadpool_limits(1, "blas"):
        classifier.fit(letters, take, first[-1], shows, len(classes) + 1, settings.seed, on_pool)
        classifier.fit(gate, take_kinds, first[-1], max(shows // 2, 1), 2, settings.seed)
    networks = {LETTERS: letters, GATE: gate}
    least, passed = _bound(networks, files, rows[VALIDATION], len(classes))
    facts = {
        "letters": int(counts[:-1].sum()),
        "spans": int(counts.sum()),
        "shows": shows,
        "seconds": round(time.perf_counter() - began, 2),
        "gate": least,
        "gate_passes": passed,
    }
    return networks, facts


def _bound(networks: dict, files: list, rows: list, classes: int) -> tuple[float, dict]:
    """The gate's bound: `PASSED` of the validation split's letters are above it, of those that are told from none.

    Of all letters, where the large network, hardly trained, tells none.
    """
    odds, known = [np.empty(0, np.float32)], [np.empty(0, bool)]
    for one, own in zip(files, rows, strict=True):
        some = one[own]
        some = np.ascontiguousarray(some["span"][some["label"] < classes])
        odds.append(classifier.gate_odds(networks[GATE], some))
        known.append(classifier.letter_odds(networks[LETTERS], some).max(axis=1, initial=-np.inf) > 0)
    odds, known = np.concatenate(odds), np.concatenate(known)
    if not len(odds):
        raise BadInput(
            "train: no letter could be cut out of the validation split's pictures; use more of them, or some whose "
            "letters stand apart"
        )
    odds = np.sort(odds[known] if known.any() else odds)
    least = float(odds[int((1 - PASSED) * len(odds))])
    return least, Rate.of(odds >= least).as_dict()

"""The units of training: spans out of shards, the networks, how sure they may be, the model's file."""

import re
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from storage.dataset import Dataset
from storage.errors import BadInput, Damaged, NotThere
from storage.files import atomic
from storage.files.places import ObjectPath, Place
from storage.models import load_model, model_digest, save_model
from storage.shards.shard import SPLITS
from tasks.profiles.profile import nearest
from tasks.reading import networks as classifier
from tasks.reading.features import FEATURES, SIZE
from tasks.reading.networks import GATE, LETTERS
from tasks.scoring.metrics import Rate

TRAIN, VALIDATION = SPLITS.index("train"), SPLITS.index("validation")
SAMPLE = np.dtype([("label", "u1"), ("split", "u1"), ("span", "u1", (SIZE,))])
MOST_CLASSES = 254  # what a label of one byte can tell apart, beside "not one letter"
PASSED = 0.995  # of the validation letters that the large network knows: so many the gate lets through
FIRST_SHARE = 4  # the first round has a fourth of the pictures and of the shows


@dataclass(frozen=True)
class Settings:
    """How letters are learnt; part of a model's provenance.

    pictures : of the train splits, at most: one number for all datasets, or one for each
    shows : spans shown to the network, counted with repetition
    hidden : units of its hidden layers
    leave_out : font faces whose pictures are not learnt from
    seed : of the first weights, of the order of spans and of their choice
    """

    pictures: tuple[int, ...] = (20_000,)
    shows: int = 1_000_000
    hidden: tuple[int, ...] = (128,)
    leave_out: tuple[str, ...] = ()
    seed: int = 1

    def __post_init__(self):
        for name, holds, rule in (
            ("pictures", self.pictures and min(self.pictures) >= 1, "1 or more for each dataset"),
            ("shows", self.shows >= 1, "1 or more"),
            ("hidden", 1 <= len(self.hidden) <= 4 and all(1 <= units <= 4096 for units in self.hidden),
             "one to four layers of 1 to 4096 units"),
            ("seed", 0 <= self.seed < 1 << 32, "from 0 to 2**32 - 1"),
        ):  # fmt: skip
            if not holds:
                raise BadInput(f"{name}: must be {rule}; it is {getattr(self, name)}")


def classes_of(datasets: list[Dataset]) -> str:
    """The letters of all datasets, in the order in which they come first."""
    classes = "".join(dict.fromkeys("".join(dataset.manifest.profile["alphabet"] for dataset in datasets)))
    if len(classes) > MOST_CLASSES:
        raise BadInput(f"train: at most {MOST_CLASSES} different letters; the datasets have {len(classes)}")
    return classes


def check_faces(datasets: list[Dataset], faces: tuple[str, ...]) -> None:
    """Refuse a face that is to be left out, and that no dataset has.

    Raises
    ------
    BadInput
        With the nearest that one has.
    """
    there = {f"{font['family']} {font['style']}" for dataset in datasets for font in dataset.manifest.fonts or ()}
    for face in faces:
        if face not in there:
            raise BadInput(f"leave-out: must be a font face of the datasets; it is {face!r}{nearest(face, there)}")


def shares_of(settings: Settings, datasets: int) -> tuple[int, ...]:
    """Pictures to learn from, of each of the datasets.

    Raises
    ------
    BadInput
        Another number of numbers than of datasets.
    """
    pictures = settings.pictures * (datasets if len(settings.pictures) == 1 else 1)
    if len(pictures) != datasets:
        raise BadInput(f"pictures: must be one number, or one for each of {datasets} datasets; it is {pictures}")
    return pictures


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


def provenance_of(datasets: list[Dataset], settings: Settings) -> dict:
    """What decides about a model: its data, its settings and the version of its features."""
    return {
        "datasets": [
            {
                "name": dataset.folder.name,
                "identity": dataset.manifest.identity,
                "content": dataset.manifest.content,
                "count": len(dataset),
            }
            for dataset in datasets
        ],
        "classes": classes_of(datasets),
        "features": FEATURES,
        "settings": {
            key: list(value) if isinstance(value, tuple) else value for key, value in asdict(settings).items()
        },
    }


def same_model(path: Place, provenance: dict) -> bool:
    """Whether the model at `path` was made of the same data with the same settings."""
    try:
        _, there = load_model(path)
    except (NotThere, Damaged):
        return False
    return all(there.get(key) == value for key, value in provenance.items())


def tidy(path: Path) -> None:
    """Remove what killed runs left beside a model; the caller holds its lock."""
    stem, suffix = re.escape(path.stem), re.escape(path.suffix)
    ours = re.compile(rf"\.{stem}(\.[0-9a-f]{{12}}\.spool|{suffix}\.[0-9a-f]{{12}}\.tmp)")
    for stale in path.parent.iterdir():
        if ours.fullmatch(stale.name):
            shutil.rmtree(stale) if stale.is_dir() else stale.unlink()


def save(path: Place, networks: dict, provenance: dict, facts: dict, pictures: int, marked: int, run: str) -> dict:
    """Save a model; one that stands there already is kept aside under its digest, never lost."""
    if path.is_file():
        aside = path.with_name(f"{path.stem}-{model_digest(path)[:8]}{path.suffix}")
        if isinstance(path, ObjectPath):
            atomic.replace(aside, path.read_bytes(), run)
        else:
            shutil.copy2(path, aside)
    content = provenance | facts | {
        "pictures": pictures,
        "marked": Rate(marked, pictures).as_dict(),
        "software": {name: version(name) for name in ("beating-captchas", "scikit-learn", "scikit-image", "numpy")},
    }  # fmt: skip
    save_model(path, networks, content, run)
    return content


def describe(path: Place) -> dict:
    """A model's provenance, its networks' parameters and layer shapes, for people."""
    networks, provenance = load_model(path)
    return {
        "model": str(path),
        "sha256": model_digest(path),
        "bytes": path.stat().st_size,
        **provenance,
        "layers": [
            {"network": name, "layer": number, "inputs": weights.shape[0], "outputs": weights.shape[1],
             "weights": weights.size, "biases": len(biases),
             "activation": network.activation if number < len(network.coefs_) else network.out_activation_}
            for name, network in networks.items()
            for number, (weights, biases) in enumerate(zip(network.coefs_, network.intercepts_, strict=True), 1)
        ],
        "parameters": {key: str(value) for key, value in sorted(networks[LETTERS].get_params().items())},
    }  # fmt: skip

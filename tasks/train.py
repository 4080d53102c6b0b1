"""The units of training: cut a shard's letters into a spool file, fit a network from the spool, save it."""

import io
import itertools
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from storage import atomic
from storage.dataset import Dataset
from storage.errors import BadInput, Damaged, NotThere
from storage.models import load_model, model_digest, save_model
from storage.shards import SPLITS
from tasks import classifier
from tasks.inflate import inflate
from tasks.letters import FEATURES, shape_letters
from tasks.metrics import Rate, letter_scores
from tasks.segmentation import CONNECTIVITY, SMALLEST, THRESHOLD, cut

TRAIN, VALIDATION = SPLITS.index("train"), SPLITS.index("validation")
SAMPLE = np.dtype([("label", "<u2"), ("split", "u1"), ("letter", "u1", (20, 20))])


@dataclass(frozen=True)
class Settings:
    """How letters are cut and learnt; part of a model's provenance.

    threshold : share of a picture's strongest ink above which a pixel counts as ink
    smallest : components of fewer pixels are specks
    connectivity : 1 joins pixels by their sides, 2 by their corners too
    """

    threshold: float = THRESHOLD
    smallest: int = SMALLEST
    connectivity: int = CONNECTIVITY
    seed: int = 1

    def __post_init__(self):
        for name, holds, rule in (
            ("threshold", 0 < self.threshold < 1, "above 0 and below 1"),
            ("connectivity", self.connectivity in (1, 2), "1 or 2"),
            ("smallest", self.smallest >= 1, "1 or more pixels"),
            ("seed", 0 <= self.seed < 1 << 32, "from 0 to 2**32 - 1"),
        ):
            if not holds:
                raise BadInput(f"{name}: must be {rule}; it is {getattr(self, name)}")


@dataclass(frozen=True)
class CutJob:
    """One shard whose letters are to be cut into `spool`."""

    folder: str
    shard: int
    settings: Settings
    spool: str
    run: str


@dataclass(frozen=True)
class CutReceipt:
    """Pictures of the train and validation splits, those cut into the right number of letters, and letters."""

    shard: int
    pictures: int
    cut_right: int
    letters: int


def cut_letters(job: CutJob) -> CutReceipt:
    """Cut the letters of a shard's train and validation pictures and put them, with labels, into the spool.

    Only pictures that fall into as many segments as their text has letters give labelled letters.

    Raises
    ------
    Damaged, NoSpace
    """
    dataset = Dataset(job.folder, inflate)
    index = {letter: number for number, letter in enumerate(dataset.manifest.profile["alphabet"])}
    parts, pictures, right = [], 0, 0
    for block in dataset.blocks(shards=[job.shard], fields=("images", "text", "split")):
        block = block._replace(boxes=block.split, parameters=block.split).rows(block.split <= VALIDATION)
        segments = cut(block.images, job.settings.threshold, job.settings.smallest, job.settings.connectivity)
        texts = block.texts()
        whole = segments.counts == np.array([len(text) for text in texts])
        pictures += len(texts)
        right += int(whole.sum())
        # The picture of every segment, then only those of pictures that were cut right.
        chosen = whole[segments.picture]
        samples = np.empty(int(chosen.sum()), SAMPLE)
        samples["letter"] = shape_letters(block.images, segments)[chosen]
        samples["split"] = block.split[segments.picture[chosen]]
        samples["label"] = [index[letter] for text, fine in zip(texts, whole, strict=True) if fine for letter in text]
        parts.append(samples)
    samples = np.concatenate(parts) if parts else np.empty(0, SAMPLE)
    data = io.BytesIO()
    np.save(data, samples)
    atomic.replace(Path(job.spool) / f"{job.shard:06d}.npy", data.getvalue(), job.run)
    return CutReceipt(job.shard, pictures, right, len(samples))


def fit(
    spool: Path, classes: str, settings: Settings, on_pass: Callable[[int, float], None] | None = None
) -> tuple[object, dict]:
    """Fit a network in a stream over the spool; memory is bounded by one shard's letters.

    Returns
    -------
    network : MLPClassifier
    facts : dict
        Letters, passes, seconds, and scores on the validation split's letters.

    Raises
    ------
    BadInput
        Too few letters, or a class without any.
    """
    files = sorted(spool.glob("*.npy"))
    counts = np.zeros(len(classes), np.int64)
    for path in files:
        samples = np.load(path, mmap_mode="r")
        counts += np.bincount(samples["label"][samples["split"] == TRAIN], minlength=len(classes))
    lacking = [letter for letter, count in zip(classes, counts, strict=True) if not count]
    if lacking:
        raise BadInput(
            f"train: no letter {' '.join(lacking)} was cut from the train split; draw more pictures, or choose "
            "another --threshold. Letters of several pieces, such as i or Ö, cannot be cut yet"
        )
    total = int(counts.sum())
    passes = classifier.passes_for(total)

    numbers = itertools.count()

    def chunks() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        # Shards in another order each pass; the rows within are shuffled by the fit.
        order = np.random.Philox(key=[settings.seed, next(numbers)]).random_raw(len(files)).argsort()
        for k in order:
            samples = np.load(files[k])
            samples = samples[samples["split"] == TRAIN]
            if len(samples):
                yield samples["letter"].reshape(len(samples), -1), samples["label"].astype(np.int64)

    began = time.perf_counter()
    network = classifier.build(settings.seed)
    # The mini-batches are small: a second BLAS thread waits more than it works, the more so on a busy machine.
    with threadpool_limits(1, "blas"):
        classifier.fit_stream(network, chunks, len(classes), passes, settings.seed, on_pass)
    seconds = time.perf_counter() - began
    truth, read = [], []
    for path in files:
        samples = np.load(path)
        samples = samples[samples["split"] == VALIDATION]
        if len(samples):
            truth.append(samples["label"])
            read.append(classifier.probabilities(network, samples["letter"]).argmax(axis=1))
    letters = np.array(list(classes))
    if not truth:
        raise BadInput("train: the validation split has no letter; draw more pictures")
    scores = letter_scores(letters[np.concatenate(truth)], letters[np.concatenate(read)], classes)
    return network, {
        "letters": total,
        "passes": passes,
        "seconds": round(seconds, 2),
        "validation": {key: scores[key] for key in ("n", "accuracy", "macro_f1")},
    }


def provenance_of(dataset: Dataset, settings: Settings) -> dict:
    """What decides about a model: its data, its settings and the version of its features."""
    manifest = dataset.manifest
    return {
        "dataset": dataset.folder.name,
        "dataset_identity": manifest.identity,
        "dataset_content": manifest.content,
        "classes": manifest.profile["alphabet"],
        "features": FEATURES,
        "threshold": settings.threshold,
        "smallest": settings.smallest,
        "connectivity": settings.connectivity,
        "seed": settings.seed,
    }


def same_model(path: Path, provenance: dict) -> bool:
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


def save(path: Path, network, provenance: dict, facts: dict, receipts: list[CutReceipt], run: str) -> dict:
    """Save a model; one that stands there already is kept aside under its digest, never lost."""
    if path.exists():
        shutil.copy2(path, path.with_name(f"{path.stem}-{model_digest(path)[:8]}{path.suffix}"))
    pictures = sum(receipt.pictures for receipt in receipts)
    content = provenance | facts | {
        "cut_right": Rate(sum(receipt.cut_right for receipt in receipts), pictures).as_dict(),
        "software": {name: version(name) for name in ("beating-captchas", "scikit-learn", "scikit-image", "numpy")},
    }  # fmt: skip
    save_model(path, network, content, run)
    return content


def describe(path: Path) -> dict:
    """A model's provenance, its network's parameters and layer shapes, for people."""
    network, provenance = load_model(path)
    return {
        "model": str(path),
        "sha256": model_digest(path),
        "bytes": path.stat().st_size,
        **provenance,
        "layers": [
            {"layer": number, "inputs": weights.shape[0], "outputs": weights.shape[1], "weights": weights.size,
             "biases": len(biases), "activation": network.activation if number < len(network.coefs_) else "softmax"}
            for number, (weights, biases) in enumerate(zip(network.coefs_, network.intercepts_, strict=True), 1)
        ],
        "parameters": {key: str(value) for key, value in sorted(network.get_params().items())},
    }  # fmt: skip

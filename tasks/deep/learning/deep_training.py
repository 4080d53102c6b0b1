"""Train a deep model and write it: from profiles and datasets to one `.onnx` file with its record."""

import importlib.util
import os
import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from storage.deep_models import FORMAT, check_model, load_deep_model, save_deep_model, seal_model
from storage.errors import BadInput, Damaged, NotThere
from storage.learnt_texts import TEXTS, LearntTexts
from tasks.deep.cases import alphabet_in_capitals, capital
from tasks.deep.learning.deep_settings import Settings
from tasks.deep.learning.sources import Drawn, Form, Source, Stored, require_drawable
from tasks.deep.learning.unfamiliar import Varied
from tasks.deep.pictures import natural_widths, padded_width
from tasks.deep.session import MOST_LETTERS
from tasks.deep.shape import LONGEST, Shape

if TYPE_CHECKING:
    from tasks.deep.learning.stream import Batch, Feeder, StreamPlan
    from tasks.deep.learning.train_network import Progress, Trained

MIXED_ON_GPU = 16  # blocks
_LOOKED_AT = 256  # pictures of each source, by which a model's layers are set at the beginning
_ROOM = 1.6  # of a picture's width: without its margins at the top and the bottom it is wider, at the same height


def require_torch(*, load: bool = True) -> None:
    """Refuse to train where PyTorch is not installed; without `load` it is looked for and not loaded.

    Raises
    ------
    BadInput
    """
    try:
        if load:
            import torch  # noqa: F401 - only whether it is there
        elif importlib.util.find_spec("torch") is None:
            raise ImportError
    except ImportError:
        raise BadInput(
            "train --reader deep: needs PyTorch, which is not installed; type `pip install 'beating-captchas[deep]'`, "
            "or `pip install torch`"
        ) from None


def form_of(sources: Sequence[Source], settings: Settings) -> Form:
    """Return how pictures and labels of the sources are put before the network.

    Raises
    ------
    BadInput
    """
    letters = sorted({capital(letter) if settings.folded else letter for s in sources for letter in s.alphabet})
    if len(letters) < 2:
        raise BadInput(
            f"train: must have two letters or more to tell apart; the sources have {''.join(letters)!r} only. Add a "
            "dataset with others"
        )
    if len(letters) > MOST_LETTERS:
        raise BadInput(f"train: must have at most {MOST_LETTERS} letters; the sources have {len(letters)}")
    shape = settings.shape
    sizes = np.array([source.size for source in sources])
    widths = natural_widths(sizes, shape.height, shape.widest)
    widths = np.minimum(np.rint(widths * _ROOM).astype(np.int64), shape.widest)
    return Form(shape.height, padded_width(widths, shape.widest), "".join(letters), settings.folded, settings.moved)


def train_deep(
    sources: Sequence[Source],
    settings: Settings,
    out: Path,
    checkpoint: Path | None = None,
    progress: "Callable[[Progress | str], object]" = lambda _progress: None,
    checked: int = 4096,
    begin_with: Path | None = None,
    weights: Path | None = None,
) -> dict[str, Any]:
    """Train, measure on validation pictures, fit the confidence, and write the model.

    Parameters
    ----------
    sources : sequence of Drawn or Stored
    out : Path
        The model's file.
    progress : callable
        Called with how far the training is, or with what is done before the first step and after the last.
    checkpoint : Path, optional
        Where a killed training is taken up; it is removed when the model is written.
    checked : int
        Validation pictures of each source, for the scores and the confidence.
    begin_with : Path, optional
        A deep model, or the weights of another training, to begin with.
    weights : Path, optional
        Where to write those of this training.

    Returns
    -------
    dict
        The record in the file.

    Raises
    ------
    BadInput, NotThere, Damaged, NothingLearnt, NoSpace, Unwritable
    """
    require_torch()
    from tasks.deep.learning.checkpoint import remove_checkpoint, save_weights
    from tasks.deep.learning.stream import Feeder, StreamPlan
    from tasks.deep.learning.train_network import device_of, fit_network

    require_drawable(sources)
    form = form_of(sources, settings)
    mixed = MIXED_ON_GPU if device_of().type == "cuda" else 8
    plan = StreamPlan(tuple(sources), form, settings.seed, settings.batch, mixed)
    feeder = Feeder(plan, settings.processes)
    try:
        progress("the first pictures are made")
        _require_validation(feeder)
        begun = None if begin_with is None else _weights_of(begin_with, feeder)
        trained = fit_network(feeder, settings, checkpoint, progress, begun)
        if weights is not None:
            save_weights(weights, trained.network)
        record = write_model(trained, feeder, settings, out, checked, begin_with, progress)
    finally:
        feeder.close()
    if checkpoint is not None:
        remove_checkpoint(checkpoint)
    return record


def _require_validation(feeder: "Feeder") -> None:
    """Refuse sources without a picture to check by: of few distinct texts, all may be of another split.

    Raises
    ------
    BadInput
    """
    from tasks.deep.learning.stream import held_out

    there = {int(batch.source[0]) for batch in held_out(feeder, 1)}
    lacking = [source.name for number, source in enumerate(feeder.plan.sources) if number not in there]
    if lacking:
        raise BadInput(
            f"{', '.join(lacking)}: has no picture of the validation split to check by; give more distinct texts"
        )


def _weights_of(path: Path, feeder: "Feeder") -> dict[str, Any]:
    """Return the weights that a model, or another training, leaves to begin with.

    Raises
    ------
    BadInput, NotThere, Damaged
    """
    from tasks.deep.learning.checkpoint import load_weights
    from tasks.deep.learning.onnx_network import started
    from tasks.deep.learning.stream import held_out

    if path.suffix != ".onnx":
        return load_weights(path)
    pictures = [batch.pictures for batch in held_out(feeder, _LOOKED_AT, "train")]
    widest = max(part.shape[3] for part in pictures)
    ground = [np.pad(part, ((0, 0), (0, 0), (0, 0), (0, widest - part.shape[3])), mode="edge") for part in pictures]
    weights: dict[str, Any] = started(path, feeder.plan.form.alphabet, np.concatenate(ground)).state_dict()
    return weights


def write_model(
    trained: "Trained", feeder: "Feeder", settings: Settings, out: Path, checked: int, begun: Path | None = None,
    note: Callable[[str], object] = lambda _text: None,
) -> dict[str, Any]:  # fmt: skip
    """Measure a trained network, and write it with its record; return the record."""
    from tasks.deep.learning.onnx_network import onnx_bytes
    from tasks.deep.learning.reliability import measure
    from tasks.deep.learning.stream import held_out

    shape = settings.shape
    network = onnx_bytes(trained.network, shape)
    record = record_of(trained, feeder.plan, settings, shape)
    if begun is not None:
        from tasks.deep.learning.onnx_network import told_start

        record["from"] = told_start(begun) if begun.suffix == ".onnx" else {"name": begun.name}
    # What was trained is in the checkpoint until it is measured: nobody finds a model without confidence at `out`.
    model = check_model(str(out), seal_model(network, record))
    threads = len(os.sched_getaffinity(0))
    scores, curves = measure(model, feeder.plan.sources, _noted(held_out(feeder, checked), note), threads)
    record |= {"scores": scores, "calibration": curves}
    save_deep_model(out, seal_model(network, record))
    return record


def _noted(batches: "Iterable[Batch]", note: Callable[[str], object]) -> "Iterator[Batch]":
    """Yield batches, and say how many pictures were measured."""
    done = 0
    for batch in batches:
        yield batch
        done += len(batch.pictures)
        note(f"trained; {done:,} validation pictures measured")


def record_of(trained: "Trained", plan: "StreamPlan", settings: Settings, shape: Shape) -> dict[str, Any]:
    """Return what a model depends on, and how its training went."""
    kinds = [
        LearntTexts(_letters(source, settings), (source.length[0], min(source.length[1], LONGEST)), source.words)
        for source in plan.sources
        if not isinstance(source, Varied)  # texts of any kind tell nobody what to expect
    ]
    return {
        "format": FORMAT, "reader": "deep", "shape": shape.as_dict(), "classes": plan.form.alphabet,
        "canvas": plan.form.columns,
        "folded": settings.folded, TEXTS: [texts.as_dict() for texts in dict.fromkeys(kinds)],
        "sources": [_told(source) for source in plan.sources],
        "datasets": [_told(source) for source in plan.sources if isinstance(source, Stored)],
        "settings": settings.as_dict(),
        "steps": trained.steps, "pictures": trained.pictures, "seconds": round(trained.seconds, 1),
        "curve": trained.curve, "calibration": {}, "software": _software(),
    }  # fmt: skip


def _letters(source: Source, settings: Settings) -> str:
    return alphabet_in_capitals(source.alphabet) if settings.folded else source.alphabet


def same_deep_model(path: Path, sources: Sequence[Source], settings: Settings) -> bool:
    """Tell whether the model at `path` was made from the same sources with the same settings."""
    try:
        record = load_deep_model(path).record
    except (NotThere, Damaged):
        return False
    told = [_told(source) for source in sources]
    return bool(record.get("sources") == told and record.get("settings") == settings.as_dict())


def _told(source: Source) -> dict[str, Any]:
    if isinstance(source, Drawn):
        profile = source.profile.as_dict()
        profile["fonts"] = [name.rpartition("/")[2] for name in profile["fonts"]]
        profile["words"] = source.words
        return {"draw": profile, "seed": source.seed, "weight": source.weight}
    if isinstance(source, Varied):
        faces = sorted(name.rpartition("/")[2] for name in source.faces)
        return {"varied": {"faces": faces}, "seed": source.seed, "weight": source.weight}
    return {"name": Path(source.folder).name, "weight": source.weight, **_identity(source)}


def _identity(source: Stored) -> dict[str, Any]:
    from storage.dataset import Dataset

    manifest = Dataset(source.folder).manifest
    return {"identity": manifest.identity, "content": manifest.content, "count": manifest.count}


def _software() -> dict[str, str]:
    found = {"python": ".".join(platform.python_version_tuple()[:2])}
    for name in ("beating-captchas", "torch", "onnx", "onnxruntime", "numpy", "numba", "pillow"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # a clone that is not installed
            continue
    return found

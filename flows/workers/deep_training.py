"""Train a deep model in this process, as a Prefect task that shows how far it is."""

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from cyclopts import Parameter
from prefect import task
from prefect.cache_policies import NO_CACHE

from flows.describing.about_model import in_sentences
from flows.home import dataset_folder, home, model_file
from flows.parameters import Name
from flows.reporting.artifacts import show_trained_deep
from flows.reporting.progress import stage
from storage.dataset import Dataset
from storage.deep_models import is_deep, load_deep_model
from storage.errors import BadInput, NotThere
from storage.files import atomic
from storage.files.locks import locked
from storage.files.places import local
from storage.served_model import without_suffix
from tasks import models
from tasks.deep.deep_outcome import summary
from tasks.deep.learning.deep_settings import Settings
from tasks.deep.learning.deep_training import form_of, require_torch, train_deep
from tasks.deep.learning.sources import Drawn, Source, Stored, require_drawable
from tasks.deep.session import checked_record
from tasks.deep.shape import LONGEST, SMALL
from tasks.figures.learning_curves import plot_training
from tasks.profiles.built_in import find_profile

if TYPE_CHECKING:
    from tasks.deep.learning.train_network import Progress

StartModel = Annotated[Name | None, Parameter(name="--from")]
_MINUTES, _RATE = 20.0, 3e-3
_RATE_FROM = 1e-3  # where a model is begun with, which larger steps would undo
_CHECKED = 4096  # validation pictures of a source, for the scores and the confidence
_PARTS = 10_000  # of a budget, for the bar


class DeepChoice(NamedTuple):
    """What a deep model is to learn from, and how."""

    sources: list[Source]
    settings: Settings
    start: Path | None = None


def train_deep_model(deep: DeepChoice, path: Path) -> dict[str, Any]:
    """Train a deep model, keep the file that was at its path aside, and return the record."""
    with locked(path):
        models.keep_aside(path, atomic.new_run())
        fit_deep(deep.sources, deep.settings, path, deep.start)
    content = models.describe(path)
    plot = plot_training(content["curve"], f"The training of {path.stem}")
    file = home() / "reports" / "train" / f"{path.stem}.png"
    atomic.replace(file, plot)
    show_trained_deep(content, path, plot)
    end = summary(content) | {"pictures_to_look_at": [str(file)]}
    return content | end | {"shown": in_sentences(content) | end["shown"]}


def datasets_learnt(deep: DeepChoice) -> list[Dataset]:
    """Return the datasets that a deep model is to learn from, without what is drawn."""
    return [Dataset(source.folder) for source in deep.sources if isinstance(source, Stored)]


@task(cache_policy=NO_CACHE, task_run_name="train a network")
def fit_deep(
    sources: Sequence[Source], settings: Settings, out: Path, start: Path | None = None, checked: int = _CHECKED
) -> dict[str, Any]:
    """Train, measure and write a deep model; a killed run goes on from the checkpoint beside the model."""
    checkpoint = out.with_name(f".{out.name}.checkpoint")
    atomic.make_folder(out.parent)
    for file in (out, checkpoint):
        models.remove_leftovers(file)
    with stage("training", _PARTS, "parts of the budget") as shown:

        def show(progress: "Progress | str") -> None:
            if isinstance(progress, str):
                shown.note(progress)
                shown.advance(0)
                return
            right = f", {100 * progress.right:.1f} % of validation words right" * (not math.isnan(progress.right))
            shown.note(f"loss {progress.loss:.3f}{right}, {progress.pictures_a_second:,.0f} pictures/s")
            shown.advance(int(_PARTS * min(progress.share, 1.0)) - shown.done)

        return train_deep(sources, settings, out, checkpoint, show, checked, begin_with=start)


def choose_deep(
    datasets: Sequence[str] | None, draw: Sequence[str] | None, minutes: float | None, change: bool | None, seed: int,
    start: str | None = None, fold_case: bool | None = None,
) -> DeepChoice:  # fmt: skip
    """Find what a deep model is to learn from, or name the wrong parameter.

    Raises
    ------
    BadInput, NotThere, Damaged
    """
    require_torch()
    stored = [Stored(str(local(dataset_folder(name), "dataset"))) for name in datasets or ()]
    sources: list[Source] = [*stored, *(Drawn(find_profile(name), seed) for name in draw or ())]
    require_drawable(sources)
    for source in sources:
        if source.length[1] > LONGEST:
            raise BadInput(
                f"{source.name}: has texts of {source.length[0]} to {source.length[1]} letters; the deep reader reads "
                f"at most {LONGEST}: leave out pictures with longer texts, or train the classic reader"
            )
    if change is None:
        change = any(Dataset(source.folder).manifest.source for source in stored)
    file, shape, rate = None, SMALL, _RATE
    if start is not None:
        file, rate = _deep_file(start), _RATE_FROM
        shape = checked_record(load_deep_model(file))[0]
    processes = max(0, len(os.sched_getaffinity(0)) - 2)  # on few cores a thread beside the training is enough
    settings = Settings(
        shape, minutes=minutes or _MINUTES, seed=seed, rate=rate, moved=change, folded=bool(fold_case),
        processes=processes,
    )  # fmt: skip
    form_of(sources, settings)
    return DeepChoice(sources, settings, file)


def _deep_file(name: str) -> Path:
    """Find a deep model by its name or file, also where a classic model has that name too."""
    file = model_file(name)
    if file.exists() and not is_deep(file) and without_suffix(name) == name:
        beside = model_file(f"{name}.onnx")
        file = beside if beside.exists() else file
    if not file.exists():
        raise NotThere(f"from: {file} is not there; name a deep model, such as strangers")
    if not is_deep(file):
        raise BadInput(f"from: must be a deep model; {file} is a classic model. Name another, such as strangers")
    return local(file, "from")

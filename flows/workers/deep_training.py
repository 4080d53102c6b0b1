"""Train a deep model in this process, as a Prefect task that shows how far it is."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from prefect import task
from prefect.cache_policies import NO_CACHE

from flows.home import dataset_folder
from flows.reporting.progress import stage
from storage.dataset import Dataset
from storage.files.places import local
from tasks.deep.learning.deep_settings import Settings
from tasks.deep.learning.deep_training import form_of, require_torch, train_deep
from tasks.deep.learning.sources import Drawn, Source, Stored, require_drawable
from tasks.profiles.built_in import find_profile

if TYPE_CHECKING:
    from tasks.deep.learning.train_network import Progress

_MINUTES, _RATE = 20.0, 3e-3
_PARTS = 10_000  # of a budget, for the bar


class DeepChoice(NamedTuple):
    """What a deep model is to learn from, and how."""

    sources: list[Source]
    settings: Settings


@task(cache_policy=NO_CACHE, task_run_name="train a network")
def fit_deep(sources: Sequence[Source], settings: Settings, out: Path) -> dict[str, Any]:
    """Train, measure and write a deep model; a killed run goes on from the checkpoint beside the model."""
    checkpoint = out.with_name(f".{out.name}.checkpoint")
    with stage("training", _PARTS, "parts of the budget") as shown:

        def show(progress: "Progress") -> None:
            shown.note(
                f"loss {progress.loss:.3f}, {100 * progress.right:.1f} % of validation words right, "
                f"{progress.pictures_a_second:,.0f} pictures/s"
            )
            shown.advance(int(_PARTS * min(progress.share, 1.0)) - shown.done)

        return train_deep(sources, settings, out, checkpoint, show)


def choose_deep(
    datasets: Sequence[str] | None, draw: Sequence[str] | None, minutes: float | None, change: bool | None, seed: int
) -> DeepChoice:
    """Find what a deep model is to learn from, or name the wrong parameter.

    Raises
    ------
    BadInput, NotThere, Damaged
    """
    require_torch()
    stored = [Stored(str(local(dataset_folder(name), "dataset"))) for name in datasets or ()]
    sources: list[Source] = [*stored, *(Drawn(find_profile(name), seed) for name in draw or ())]
    require_drawable(sources)
    if change is None:
        change = any(Dataset(source.folder).manifest.source for source in stored)
    processes = max(0, len(os.sched_getaffinity(0)) - 2)  # on few cores a thread beside the training is enough
    settings = Settings(minutes=minutes or _MINUTES, seed=seed, rate=_RATE, moved=change, processes=processes)
    form_of(sources, settings)
    return DeepChoice(sources, settings)

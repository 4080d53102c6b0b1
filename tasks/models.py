"""Model files: save a model with its provenance, describe it, and promote it."""

import re
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from storage.dataset import Dataset
from storage.deep_models import is_deep
from storage.errors import BadInput, Damaged, NotThere
from storage.files import atomic
from storage.files.locks import clear_dead
from storage.files.places import Place
from storage.learnt_texts import TEXTS, WORDS, LearntTexts
from storage.model_records import load_record
from storage.models import load_model, model_digest, save_model
from tasks.rates import Rate
from tasks.reading.features import FEATURES
from tasks.reading.networks import LETTERS, FittedNetwork
from tasks.training.settings import Settings, classes_of

# Of the parameters that scikit-learn keeps, those that training uses; the others belong to its other optimisers, and to
# its own loop over the data.
USED = (
    "activation", "alpha", "batch_size", "beta_1", "beta_2", "epsilon", "hidden_layer_sizes", "learning_rate_init",
    "random_state", "solver",
)  # fmt: skip


def provenance_of(datasets: list[Dataset], settings: Settings) -> dict[str, Any]:
    """Collect what a model depends on: its data with its texts, its settings and the version of its features."""
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
        TEXTS: [texts.as_dict() for texts in _texts_of(datasets)],
        "features": FEATURES,
        "settings": {
            key: list(value) if isinstance(value, tuple) else value for key, value in asdict(settings).items()
        },
    }


def _texts_of(datasets: list[Dataset]) -> list[LearntTexts]:
    """Return the kinds of texts in the datasets, each once: what `solve` expects of pictures unless told otherwise."""
    profiles = [dataset.manifest.profile for dataset in datasets]
    kinds = [
        LearntTexts(
            profile["alphabet"], tuple(profile["length"]), profile["words"] if profile["words"] in WORDS else "list"
        )
        for profile in profiles
    ]
    return list(dict.fromkeys(kinds))


def same_model(path: Place, provenance: dict[str, Any]) -> bool:
    """Tell whether the model at `path` was made of the same data with the same settings."""
    try:
        _, record = load_model(path)
    except (NotThere, Damaged):
        return False
    return all(record.get(key) == value for key, value in provenance.items())


def remove_leftovers(path: Path) -> None:
    """Remove the files that killed runs left beside a model, whose lock the caller holds, and any model's dead spools.

    A spool may hold gigabytes, and nobody may train a model of that name again.
    """
    clear_dead(path.parent, f".*.{'[0-9a-f]' * 12}.spool")
    ours = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{12}}\.tmp")
    for stale in path.parent.iterdir():
        if ours.fullmatch(stale.name):
            stale.unlink()


def save(
    path: Place, networks: dict[str, FittedNetwork], provenance: dict[str, Any], facts: Mapping[str, object],
    pictures: int, marked: int, run: str,
) -> dict[str, Any]:  # fmt: skip
    """Save a model, and keep the file that was at `path` aside.

    Parameters
    ----------
    path : Path or ObjectPath
    networks : dict of str to MLPClassifier, fitted
    provenance, facts : dict, mapping
        From `provenance_of`; and from `tasks.training.fit.fit`, with the calibration.
    pictures, marked : int
        Number of pictures learnt from, and of those whose letters were found.
    run : str
        The run's id, for the temporary name.

    Returns
    -------
    dict
        The record in the file.

    Raises
    ------
    NoSpace, Unwritable
    """
    keep_aside(path, run)
    content = {
        **provenance,
        **facts,
        "pictures": pictures,
        "marked": Rate(marked, pictures).as_dict(),
        "software": {name: version(name) for name in ("beating-captchas", "scikit-learn", "scikit-image", "numpy")},
    }
    save_model(path, networks, content, run)
    return content


def keep_aside(path: Place, run: str) -> Place | None:
    """Copy a model file to a name with its digest, and return that; None if there is no file."""
    if not path.is_file():
        return None
    aside = path.with_name(f"{path.stem}-{model_digest(path)[:8]}{path.suffix}")
    if not aside.exists():
        atomic.replace(aside, path.read_bytes(), run)
    return aside


def describe(path: Place) -> dict[str, Any]:
    """Describe a model for people: its provenance, and a classic model's layers and parameters."""
    if is_deep(path):
        record = load_record(path)
        return {"model": str(path), "sha256": model_digest(path), "bytes": path.stat().st_size, **record}
    networks, provenance = load_model(path)
    return {
        "model": str(path),
        "sha256": model_digest(path),
        "bytes": path.stat().st_size,
        "layers": [
            {"network": name, "layer": number, "inputs": weights.shape[0], "outputs": weights.shape[1],
             "weights": weights.size, "biases": len(biases),
             "activation": network.activation if number < len(network.coefs_) else network.out_activation_}
            for name, network in networks.items()
            for number, (weights, biases) in enumerate(zip(network.coefs_, network.intercepts_, strict=True), 1)
        ],
        **provenance,
        "parameters": {
            key: str(value) for key, value in sorted(networks[LETTERS].get_params().items()) if key in USED
        },
    }  # fmt: skip


def must_know_as_much(served: Path, classes: str) -> None:
    """Refuse a new model that knows only `classes` if the served model reads other letters too.

    Raises
    ------
    BadInput
        Names the letters that would be lost.
    """
    try:
        known = load_record(served)["classes"]
    except (NotThere, Damaged, KeyError):
        return
    lost = [letter for letter in known if letter not in classes]
    if lost:
        raise BadInput(
            f"model {served}: reads {' '.join(lost)}, which the datasets do not have; name another --model to be "
            "served, or add a dataset that has them"
        )


def promote(candidate: Place, served: Place, run: str) -> Place | None:
    """Put the candidate in the place of the served model; return where the served model is kept.

    A whole model is served at any moment. If a run dies between the steps, the next run finishes them: the served
    model may then be the candidate already, which `drop` removes.
    """
    aside = keep_aside(served, run)
    atomic.replace(served, candidate.read_bytes(), run)
    drop(candidate, served)
    return aside


def drop(candidate: Place, served: Place) -> None:
    """Remove a candidate whose bytes are those of the served model."""
    if candidate.exists() and candidate.read_bytes() == served.read_bytes():
        atomic.discard(candidate)

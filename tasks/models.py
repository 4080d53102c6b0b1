"""Model files: what a model was made of, saved, described, promoted, and opened as a reader."""

import functools
import re
import shutil
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from storage.dataset import Dataset
from storage.errors import BadInput, Damaged, NotThere
from storage.files import atomic
from storage.files.places import ObjectPath, Place
from storage.models import load_model, model_digest, save_model
from tasks.profiles.word_lists import WEB2, load_words
from tasks.rates import Rate
from tasks.reading.features import FEATURES
from tasks.reading.networks import LETTERS
from tasks.reading.ranking import Ranking
from tasks.reading.reader import Reader
from tasks.training.settings import Settings, classes_of
from tasks.worker import at_home


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


def must_know_as_much(served: Path, classes: str) -> None:
    """Refuse to put a model of `classes` in the place of one that reads letters which it would not.

    Raises
    ------
    BadInput
    """
    try:
        known = load_model(served)[1]["classes"]
    except (NotThere, Damaged, KeyError):
        return
    lost = [letter for letter in known if letter not in classes]
    if lost:
        raise BadInput(
            f"model {served}: reads {' '.join(lost)}, which the datasets do not have; name another --model to be "
            "served, or add a dataset that has them"
        )


def promote(candidate: Path, served: Path, run: str) -> Path | None:
    """Put the candidate in the place of the served model, which is kept aside under its digest; returns where.

    At any moment a whole model is served. A run that dies between the steps is finished by the next one: the
    served model is then the candidate, which `drop` removes.
    """
    aside = None
    if served.exists():
        aside = served.with_name(f"{served.stem}-{model_digest(served)[:8]}{served.suffix}")
        if not aside.exists():
            atomic.replace(aside, served.read_bytes(), run)
    atomic.replace(served, candidate.read_bytes(), run)
    drop(candidate, served)
    return aside


def drop(candidate: Path, served: Path) -> None:
    """Remove a candidate that is served."""
    if candidate.exists() and candidate.read_bytes() == served.read_bytes():
        atomic.discard(candidate)


def dictionary_of(
    given: str, model: Place, alphabet: str | None = None, length: tuple[int, int] | None = None
) -> tuple[str, ...]:
    """The words to rank with, over the letters that may occur.

    `web2` is the book's dictionary, its words of that length, or four-letter ones where none is given; a user's list
    may have words of any length; `none` is for random strings.

    Raises
    ------
    BadInput, NotThere
    """
    if given == "none":
        return ()
    _, provenance = load_model(model)
    return load_words(given, alphabet or provenance["classes"], length or ((4, 4) if given == WEB2 else (1, 32)))


@functools.lru_cache(maxsize=4)
def load_reader(
    model: str,
    sha256: str,
    dictionary: tuple[str, ...],
    ranking: Ranking | None = None,
    alphabet: str | None = None,
    length: tuple[int, int] | None = None,
) -> Reader:
    """The reader of a model file, kept for a worker's next job.

    Raises
    ------
    NotThere, BadInput
    Damaged
        Also when the file is not the one that the job was made for.
    """
    model = at_home(model)
    if model_digest(model) != sha256:
        raise Damaged(f"model {model}: is not the file that this run began with; run again")
    return Reader(*load_model(model), dictionary, ranking, alphabet, length)

"""Fixtures for the tests of several rooms: datasets drawn in a second, and a small model trained as the flows train."""

import os
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from filelock import FileLock

from storage.dataset import Dataset
from storage.models import load_model, save_model
from tasks import models, readers
from tasks.datasets import generate
from tasks.datasets.folder import complete
from tasks.datasets.recipe import make_recipe
from tasks.datasets.totals import Gathered
from tasks.profiles.built_in import find_profile
from tasks.profiles.profile import Profile
from tasks.profiles.word_lists import load_words
from tasks.solving import batches
from tasks.training.calibrate import CheckJob, calibrate, check_answers
from tasks.training.fit import fit
from tasks.training.settings import Settings
from tasks.training.spool import GatherReceipt, gather, jobs_of


@pytest.fixture(scope="session")
def draw_dataset() -> Callable[..., Dataset]:
    """`draw_dataset(profile, count, folder)`: draw as `captchas generate` does, without Dask, two blocks a shard."""

    def draw(profile: Profile, count: int, folder: Path, blocks: int = 2) -> Dataset:
        recipe = make_recipe(profile, 1)
        folder.mkdir(parents=True)
        gathered = Gathered(recipe.identity)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(generate, "BLOCKS_A_SHARD", blocks)
            for job in generate.plan_drawing(recipe, folder, count, "run").jobs:
                gathered.add(generate.draw_shard(job))
            complete(folder, gathered, "run")
        return Dataset(folder)

    return draw


@dataclass(frozen=True)
class Learnt:
    """A model, and all that it was trained from."""

    datasets: list[Dataset]
    settings: Settings
    spool: Path
    receipts: list[GatherReceipt]
    path: Path
    networks: dict
    record: dict


@pytest.fixture(scope="session")
def learn() -> Callable[..., Learnt]:
    """`learn(datasets, settings, folder)`: train as `captchas train` does on drawn pictures, without Dask."""

    def learn(datasets: list[Dataset], settings: Settings, folder: Path) -> Learnt:
        spool = folder / "spool"
        spool.mkdir(parents=True)
        provenance = models.provenance_of(datasets, settings)
        checked, path = spool / "checked.skops", folder / "model.skops"
        receipts = [gather(job) for job in jobs_of(datasets, settings, 1, None, spool, "run")]
        networks, facts = fit(spool, "1", provenance["classes"], settings, settings.shows)
        save_model(checked, networks, provenance | facts | {"calibration": {}})
        jobs = [CheckJob(str(dataset.folder), str(checked), settings.leave_out) for dataset in datasets]
        facts["calibration"] = calibrate([check_answers(job) for job in jobs])
        pictures, marked = (sum(getattr(receipt, key) for receipt in receipts) for key in ("pictures", "marked"))
        models.save(path, networks, provenance, facts, pictures, marked, "run")
        return Learnt(datasets, settings, spool, receipts, path, *load_model(path))

    return learn


@pytest.fixture(scope="session")
def learnt(draw_dataset, learn, tmp_path_factory) -> Learnt:
    """Train a model on 3,000 of the book's pictures, in about 3 s, once for all processes of this run of pytest."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "learnt"
    settings, receipts = Settings(pictures=(3000,), shows=240_000, hidden=(64,)), folder / "receipts"
    with FileLock(f"{folder}.lock"):
        if not receipts.exists():
            dataset = draw_dataset(find_profile("book"), 4096, folder / "book")
            receipts.write_bytes(pickle.dumps(learn([dataset], settings, folder).receipts))
    dataset, path = Dataset(folder / "book"), folder / "model.skops"
    read = pickle.loads(receipts.read_bytes())
    return Learnt([dataset], settings, folder / "spool", read, path, *load_model(path))


@pytest.fixture(scope="session")
def web2() -> tuple[str, ...]:
    """Return the book's four-letter words."""
    return load_words("web2", find_profile("book").alphabet, (4, 4))


class Numbers:
    """A reader that answers with the number in the pixel at 1, 1; above 90, with a word in which it found no letter."""

    doubts = False

    def read(self, images, rankings=()):
        numbers = [int(image[1, 1]) for image in images]
        words = [f"W{number}" for number in numbers]
        return SimpleNamespace(
            reading=np.array(words), reading_confidence=np.full(len(words), 0.5),
            words=np.array([[word, "", ""] for word in words]), confidences=np.full((len(words), 3), 0.25),
            segments=np.array([4 * (number <= 90) for number in numbers]),
        )  # fmt: skip


@pytest.fixture
def read_numbers(monkeypatch) -> list[str]:
    """Read everything that is solved with `Numbers`; collect the paths in order."""
    read, load = [], readers.load_batch
    monkeypatch.setattr(batches, "reader_of", lambda _: Numbers())
    monkeypatch.setattr(
        readers, "load_batch", lambda some, *more: load(read.extend(p.path for p in some) or some, *more)
    )
    return read

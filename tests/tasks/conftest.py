"""What several tests of units need: datasets drawn in a second, and one small model that was trained as flows do it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from storage.dataset import Dataset
from storage.models import load_model, save_model
from tasks import generate, teach, train, trust
from tasks.gather import Gathered
from tasks.recipes import make_recipe
from tasks.specs import Profile, find_profile
from tasks.words import load_words


@pytest.fixture(scope="session")
def draw_dataset() -> Callable[..., Dataset]:
    """`draw_dataset(profile, count, folder)`: what `captchas generate` does, without Dask; two blocks a shard."""

    def draw(profile: Profile, count: int, folder: Path, blocks: int = 2) -> Dataset:
        recipe = make_recipe(profile, 1)
        folder.mkdir(parents=True)
        gathered = Gathered(recipe.identity)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(generate, "BLOCKS_A_SHARD", blocks)
            for job in generate.survey(recipe, folder, count, "run").jobs:
                gathered.add(generate.draw_shard(job))
            generate.complete(recipe, folder, gathered, "run")
        return Dataset(folder)

    return draw


@dataclass(frozen=True)
class Learnt:
    """A model and all that it was made of."""

    datasets: list[Dataset]
    settings: train.Settings
    spool: Path
    receipts: list[teach.GatherReceipt]
    path: Path
    networks: dict
    record: dict


@pytest.fixture(scope="session")
def learn() -> Callable[..., Learnt]:
    """`learn(datasets, settings, folder)`: both rounds of `captchas train` and the calibration, without Dask."""

    def learn(datasets: list[Dataset], settings: train.Settings, folder: Path) -> Learnt:
        spool = folder / "spool"
        spool.mkdir(parents=True)
        provenance = train.provenance_of(datasets, settings)
        first, checked, path = spool / "first.skops", spool / "checked.skops", folder / "model.skops"
        model, networks, receipts = None, {}, []
        for share in (train.FIRST_SHARE, 1):
            receipts = [teach.gather(job) for job in teach.jobs_of(datasets, settings, share, model, spool, "run")]
            shows, every = settings.shows // share, share == 1
            networks, facts = train.fit(spool, f"{share}", provenance["classes"], settings, shows, None, every)
            model = first
            save_model(model, networks, provenance | facts)
        save_model(checked, networks, provenance | facts | {"calibration": {}})
        jobs = [trust.CheckJob(str(one.folder), str(checked), settings.leave_out) for one in datasets]
        facts["calibration"] = trust.calibrate([trust.check_answers(job) for job in jobs])
        pictures, marked = (sum(getattr(one, key) for one in receipts) for key in ("pictures", "marked"))
        train.save(path, networks, provenance, facts, pictures, marked, "run")
        return Learnt(datasets, settings, spool, receipts, path, *load_model(path))

    return learn


@pytest.fixture(scope="session")
def learnt(draw_dataset, learn, tmp_path_factory) -> Learnt:
    """A model of 3,000 of the book's pictures; about 3 s."""
    folder = tmp_path_factory.mktemp("learnt")
    dataset = draw_dataset(find_profile("book"), 4096, folder / "book")
    return learn([dataset], train.Settings(pictures=(3000,), shows=240_000, hidden=(64,)), folder)


@pytest.fixture(scope="session")
def web2() -> tuple[str, ...]:
    """The book's four-letter words."""
    return load_words("web2", find_profile("book").alphabet, (4, 4))

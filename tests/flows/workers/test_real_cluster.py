"""A Dask scheduler and workers as processes, each in a folder of its own: everything is the same to the last byte."""

import csv
import json
import os
import shutil
import signal
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from dask.distributed import Client, LocalCluster
from PIL import Image

from flows.workers import cluster
from flows.workers.cluster import crew
from flows.workers.fanout import fan_out
from flows.workers.roster import Roster
from storage.dataset import Dataset
from storage.models import load_model
from storage.shards.manifest import Manifest
from tasks.datasets import generate
from tasks.datasets.folder import complete
from tasks.datasets.recipe import make_recipe
from tasks.datasets.totals import Gathered
from tasks.profiles.built_in import BUILT_IN, read_profile
from tasks.profiles.fonts import find_face
from tasks.profiles.profile import Profile

# Warnings of Prefect, and of distributed while workers die.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

COUNT = 18_000  # pictures of the small dataset: a whole shard and a short one
FILES = ["manifest.json", "shard-000000-16384.h5", "shard-000001-1616.h5"]
LARGE = 200_000  # pictures of one that takes long enough to kill something meanwhile
PROFILE = """
based_on = "book"
fonts = ["face.ttf"]
words = "words.txt"
"""
TRAIN = ("--pictures", 1500, "--shows", 20_000, "--hidden", 16)


def until(holds, seconds: float = 60) -> None:
    """Wait for what another process does."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.02)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class Cluster:
    """A scheduler, and workers that are started one by one; ended with the tests, by their ids."""

    def __init__(self, start, folder: Path):
        self._start, self.folder, self.workers = start, folder, []
        told = folder / "scheduler.json"
        self.scheduler = start(
            sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", 0,
            "--no-dashboard", "--scheduler-file", told, cwd=folder,
        )  # fmt: skip
        until(lambda: told.exists() and told.read_text().endswith("}"))
        self.address = json.loads(told.read_text())["address"]

    def add(self, path: Path | None = None):
        """One more worker, in a folder of its own; `path` is where it finds packages first."""
        here = self.folder / f"worker-{len(self.workers)}"
        here.mkdir()
        other = ["env", f"PYTHONPATH={path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"] if path else []
        worker = self._start(
            *other, sys.executable, "-m", "distributed.cli.dask_worker", self.address, "--host", "127.0.0.1",
            "--nthreads", 1, "--no-dashboard", "--no-nanny", "--local-directory", here, cwd=here,
        )  # fmt: skip
        self.workers.append(worker)
        return worker


@pytest.fixture(scope="module")
def three(start, tmp_path_factory) -> Cluster:
    one = Cluster(start, tmp_path_factory.mktemp("cluster"))
    for _ in range(3):
        one.add()
    with Client(one.address, set_as_default=False) as client:
        client.wait_for_workers(3, 60)
    return one


@contextmanager
def one_process():
    """Commands in this block have one worker, a thread of this process."""
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None) as local,
        Client(local, set_as_default=False) as client,
    ):
        token = cluster._open.set(cluster._Crew(client, Roster(client), 1, None))
        try:
            yield
        finally:
            cluster._open.reset(token)


def draw(profile: Profile, count: int, folder: Path) -> Manifest:
    """A dataset drawn by this process alone, without Dask."""
    recipe = make_recipe(profile, 1)
    plan = generate.plan_drawing(recipe, folder, count, "0123456789ab")
    gathered = Gathered(recipe.identity)
    for job in plan.jobs:
        gathered.add(generate.draw_shard(job))
    return complete(folder, gathered, "0123456789ab")


@pytest.fixture(scope="module")
def made(captchas, three, tmp_path_factory) -> SimpleNamespace:
    """A dataset of a profile whose fonts, words, output and home are all relative, drawn over the cluster."""
    place = tmp_path_factory.mktemp("client")
    shutil.copy(find_face("Karla ExtraBold").path, place / "face.ttf")
    (place / "words.txt").write_text("bone\nfour\nmilk\nopen\nquiz\nvery\nwrap\nzinc\njade\nhusk\ngilt\napex\n")
    (place / "mine.toml").write_text(PROFILE)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        result = captchas(
            "generate", "mine.toml", "--count", COUNT, "--cluster", three.address, "--out", "made/mine",
            "--home", "data", "--json",
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
        reference = place / "alone" / "mine"
        reference.mkdir(parents=True)
        manifest = draw(read_profile(Path("mine.toml")), COUNT, reference)
    return SimpleNamespace(
        place=place, report=result.report, alone=reference, manifest=manifest, folder=place / "made" / "mine"
    )


def test_relative_paths_lead_to_one_folder_and_the_same_bytes(made, three):
    assert names(made.folder) == FILES == names(made.alone)
    assert made.report["content"] == made.manifest.content
    assert Dataset(made.folder).manifest.shards == Dataset(made.alone).manifest.shards
    assert names(made.folder.parent) == ["mine", "mine.lock"]
    for number in range(3):
        assert list((three.folder / f"worker-{number}").rglob("*.h5")) == []


@pytest.mark.soak
def test_verify_draws_again_and_repairs(captchas, made, three, tmp_path, monkeypatch):
    monkeypatch.chdir(made.place)
    common = ("made/mine", "--cluster", three.address, "--home", "data")
    given = ("--font", "face.ttf", "--words", "words.txt")
    result = captchas("verify", *common, *given, "--redraw", "--json")
    assert result.returncode == 0, result.stderr
    hurt = made.folder / FILES[-1]
    data = bytearray(hurt.read_bytes())
    data[len(data) // 2] ^= 1
    hurt.write_bytes(data)
    assert captchas("verify", *common).returncode == 1
    result = captchas("verify", *common, *given, "--repair", "--json")
    assert result.returncode == 0, result.stderr
    assert names(made.folder) == FILES
    assert Dataset(made.folder).manifest == Dataset(made.alone).manifest
    assert names(made.folder.parent) == ["mine", "mine.foreign", "mine.lock"]
    shutil.rmtree(made.folder.with_name("mine.foreign"))


@pytest.fixture(scope="module")
def models(captchas, made, three) -> SimpleNamespace:
    """The same model, trained over the cluster and by one process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made.place)
        common = ("train", "made/mine", *TRAIN, "--home", "data", "--out")
        result = captchas(*common, "models/far.skops", "--cluster", three.address)
        assert result.returncode == 0, result.stderr
        with one_process():
            result = captchas(*common, "models/near.skops", "--workers", 1)
            assert result.returncode == 0, result.stderr
    folder = made.place / "models"
    assert names(folder) == ["far.skops", "far.skops.lock", "near.skops", "near.skops.lock"]  # and no spool
    return SimpleNamespace(far=folder / "far.skops", near=folder / "near.skops")


@pytest.mark.soak
def test_a_model_has_the_same_weights(models):
    (far, facts), (near, same) = load_model(models.far), load_model(models.near)
    assert {**facts, "seconds": 0} == {**same, "seconds": 0}
    for name, network in near.items():
        for mine, its in zip(
            network.coefs_ + network.intercepts_, far[name].coefs_ + far[name].intercepts_, strict=True
        ):
            assert np.array_equal(mine, its)


@pytest.mark.soak
def test_evaluating_and_solving_give_the_same_answers(captchas, made, models, three, monkeypatch):
    monkeypatch.chdir(made.place)
    pictures = made.place / "pictures" / "deep"
    pictures.mkdir(parents=True)
    batch = next(iter(Dataset(made.folder).batches(40, split="test", fields=("images", "text"))))
    for number, image in enumerate(batch.images):
        Image.fromarray(255 - image).save(pictures / f"{number}.png")
    (pictures / "broken.png").write_bytes(b"no picture")
    reads = ("evaluate", "models/far.skops", "made/mine", "--dictionary", "words.txt", "--home", "data", "--out")
    solves = (
        "solve",
        "pictures",
        "--model",
        "models/far.skops",
        "--dictionary",
        "words.txt",
        "--home",
        "data",
        "--out",
    )
    far = ("--cluster", three.address)
    assert captchas(*reads, "reports/far", *far).returncode == 0
    assert captchas(*solves, "answers/far.csv", *far).returncode == 0
    with one_process():
        assert captchas(*reads, "reports/near", "--workers", 1).returncode == 0
        assert captchas(*solves, "answers/near.csv", "--workers", 1).returncode == 0
    answers = Path("answers/far.csv").read_bytes()
    assert answers == Path("answers/near.csv").read_bytes()
    rows = list(csv.DictReader(answers.decode().splitlines()))
    assert len(rows) == 41
    assert sum(row["status"] == "failed" for row in rows) == 1
    assert names(Path("reports/far")) == names(Path("reports/near"))
    for name in ("rates.csv", "letters.txt"):
        assert Path("reports/far", name).read_bytes() == Path("reports/near", name).read_bytes()


def test_workers_that_differ_are_refused_at_the_start(captchas, three, tmp_path):
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "tasks.py").touch()
    other = tmp_path / "other"
    (other / "fonts").mkdir(parents=True)
    (other / "fonts" / "__init__.py").touch()
    (other / "fonts" / "SHA256SUMS").write_text("0 ./inter/other.otf\n")
    (other / "pillow-1.0.dist-info").mkdir()
    (other / "pillow-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: pillow\nVersion: 1.0\n")
    strange = [three.add(tmp_path / "bare"), three.add(other)]
    with Client(three.address, set_as_default=False) as client:
        client.wait_for_workers(5, 60)
        result = captchas(
            "generate", "letters", "--count", 2000, "--cluster", three.address, "--home", tmp_path / "home"
        )
        assert result.returncode == 2
        assert "2 of 5 workers cannot work for this run" in result.stderr
        assert "lacks this project" in result.stderr
        assert "No module named 'tasks.worker'" in result.stderr
        assert "pillow 1.0 there, " in result.stderr
        assert "fonts " in result.stderr
        assert "Traceback" not in result.stderr
        assert names(tmp_path / "home" / "datasets" / "letters") == []
        for one in strange:
            os.kill(one.pid, signal.SIGKILL)
            one.wait()
        until(lambda: len(client.nthreads()) == 3)


@pytest.mark.soak
def test_one_that_joins_later_and_differs_gets_no_job(three, tmp_path):
    (tmp_path / "fonts").mkdir()
    (tmp_path / "fonts" / "__init__.py").touch()
    (tmp_path / "fonts" / "SHA256SUMS").write_text("0 ./inter/other.otf\n")
    pids, after, deadline = set(), [], time.monotonic() + 60

    def who(_) -> int:  # within: the cluster cannot import a test module, so that this has to go by value
        time.sleep(0.05)
        return os.getpid()

    def jobs():
        """Until the late one was refused, and some more."""
        while len(after) < 30 and time.monotonic() < deadline:
            if roster.refused:
                after.append(1)
            yield len(after)

    with crew(cluster=three.address) as client:
        roster = cluster._open.get().roster
        receipts = fan_out(client, who, jobs())
        pids.add(next(receipts))
        late = three.add(tmp_path)
        pids.update(receipts)
        assert len(after) == 30
        assert [why for why in roster.refused.values() if why.startswith("fonts ")] == [*roster.refused.values()]
        assert len(roster.refused) == 1
        assert pids == {worker.pid for worker in three.workers[:3]}
        os.kill(late.pid, signal.SIGKILL)
        late.wait()
        until(lambda: len(client.nthreads()) == 3)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    folder = tmp_path_factory.mktemp("large") / "letters"
    folder.mkdir()
    return draw(BUILT_IN["letters"], LARGE, folder)


@contextmanager
def killing(process, folder: Path, killed: list):
    """SIGKILL a process once a shard is sealed; `killed` says when."""

    def kill():
        until(lambda: any(folder.glob("shard-*.h5")))
        os.kill(process.pid, signal.SIGKILL)
        killed.append(time.monotonic())
        process.wait()

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield
    finally:
        thread.join()


@pytest.mark.soak
def test_a_killed_worker_costs_nothing(captchas, three, large, tmp_path):
    folder = tmp_path / "datasets" / "letters"
    killed = []
    with killing(three.workers[0], folder, killed):
        result = captchas(
            "generate", "letters", "--count", LARGE, "--cluster", three.address, "--home", tmp_path, "--json"
        )
    assert result.returncode == 0, result.stderr
    assert killed
    assert result.report["content"] == large.content
    assert names(folder) == sorted(["manifest.json", *(line["name"] for line in large.shards)])


def test_a_killed_scheduler_ends_the_run_soon_and_another_one_goes_on(captchas, start, three, large, tmp_path):
    folder = tmp_path / "datasets" / "letters"
    common = ("generate", "letters", "--count", LARGE, "--home", tmp_path, "--json")
    killed = []
    with killing(three.scheduler, folder, killed):
        result = captchas(*common, "--cluster", three.address)
    assert time.monotonic() - killed[0] < 20
    assert result.returncode == 1
    assert f"cluster '{three.address}': the scheduler is gone" in result.stderr
    assert "it goes on from here" in result.stderr
    assert "Traceback" not in result.stderr
    sealed = {path.name: path.stat().st_mtime_ns for path in folder.glob("shard-*.h5")}
    assert sealed
    assert "manifest.json" not in names(folder)
    for worker in three.workers[1:3]:  # they notice, and end; systemd or the like would start them again
        until(lambda worker=worker: worker.poll() is not None)
    sealed = {path.name: path.stat().st_mtime_ns for path in folder.glob("shard-*.h5")}
    (tmp_path / "cluster").mkdir()
    new = Cluster(start, tmp_path / "cluster")
    new.add()
    result = captchas(*common, "--cluster", new.address)
    assert result.returncode == 0, result.stderr
    assert result.report["content"] == large.content
    assert names(folder) == sorted(["manifest.json", *(line["name"] for line in large.shards)])
    assert names(folder.parent) == ["letters", "letters.lock"]
    for name, changed in sealed.items():
        assert (folder / name).stat().st_mtime_ns == changed

"""Datasets and models in an object store, as people use them: the commands, against moto on loopback."""

import os
import re
import signal
import sys
import time
from pathlib import Path

import pytest

from flows.__main__ import main
from flows.home import dataset_folder, home, model_file
from storage.dataset import Dataset
from storage.errors import BadInput
from storage.files import atomic
from storage.files.locks import locked
from storage.files.places import ObjectPath, place, sizes
from storage.models import load_model, model_digest
from storage.shards.manifest import MANIFEST
from storage.shards.shard import shard_name
from tasks.lowlevel.png_encoder import png

# Prefect and what it brings warn while they are imported; that is theirs.
pytestmark = pytest.mark.filterwarnings("ignore")
CAPTCHAS = Path(sys.executable).with_name("captchas")

COUNT = 40_000  # two whole shards and a short one
A, B, C = SHARDS = [shard_name(0, 16_384), shard_name(1, 16_384), shard_name(2, COUNT - 32_768)]
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCY"


@pytest.fixture(scope="module")
def whole(captchas, tmp_path_factory) -> Dataset:
    """The same dataset on this machine's disk, by one worker."""
    folder = tmp_path_factory.mktemp("local") / "letters"
    result = captchas("generate", "letters", "--count", COUNT, "--home", folder.parent / "home", "--out", folder)
    assert result.returncode == 0, result.stderr
    return Dataset(folder)


@pytest.fixture
def made(captchas, whole, bucket, tmp_path) -> ObjectPath:
    """The dataset in a bucket, put there without the command."""
    folder = place(f"s3://{bucket}/letters")
    for path in whole.folder.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


@pytest.mark.slow
def test_two_workers_draw_into_a_bucket_and_a_repair_mends_it(captchas, whole, bucket, tmp_path):
    url = f"s3://{bucket}/sets/letters"
    run = ("generate", "letters", "--out", url, "--home", tmp_path, "--json")
    result = captchas(*run, "--count", 20_000)
    assert result.returncode == 0, result.stderr
    result = captchas(*run, "--count", COUNT)
    assert result.returncode == 0, result.stderr
    assert (result.report["dataset"], result.report["drawn"], result.report["kept"]) == (url, COUNT - 16_384, 16_384)
    folder = place(url)
    assert Dataset(url).manifest == whole.manifest
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        path.name: path.read_bytes() for path in whole.folder.iterdir()
    }
    assert sorted(path.name for path in folder.parent.iterdir()) == ["letters"]  # no lock, nothing half-written
    assert captchas(*run, "--count", COUNT, "--dry-run").report["to_draw"] == 0

    damaged = bytearray((folder / A).read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (folder / A).write_bytes(bytes(damaged))
    (folder / B).write_bytes((folder / B).read_bytes()[:-9])
    (folder / C).unlink()
    (folder / "notes.txt").write_bytes(b"mine")
    verify = ("verify", url, "--home", tmp_path)
    result = captchas(*verify)
    assert result.returncode == 1 and f"{url}: is not whole" in result.stderr
    assert all(re.search(rf"{name}.*{state}", result.stdout) for name, state in (
        (A, "damaged"), (B, "damaged"), (C, "missing"), ("notes.txt", "foreign")))  # fmt: skip
    result = captchas(*verify, "--repair", "--json")
    assert result.returncode == 0, result.stderr
    assert Dataset(url).manifest == whole.manifest
    assert sizes(folder.with_name("letters.foreign")).keys() == {A, B, "notes.txt"}
    assert captchas(*verify, "--redraw").returncode == 0


@pytest.mark.soak
def test_a_killed_run_leaves_a_lock_that_runs_out_and_the_next_one_goes_on(
    captchas, start, whole, bucket, tmp_path, monkeypatch
):
    monkeypatch.setenv("CAPTCHAS_LOCK_SECONDS", "4")
    url, count = f"s3://{bucket}/letters", 400_000
    command = ("generate", "letters", "--count", count, "--out", url, "--home", tmp_path)
    process = start("env", "CAPTCHAS_LOCK_SECONDS=4", CAPTCHAS, *command, "--workers", "2")
    folder = place(url)
    deadline = time.monotonic() + 90
    while not sizes(folder) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    sealed = {path.name: atomic.fingerprint(path) for path in folder.iterdir()}
    assert sealed and MANIFEST not in sealed and sizes(folder.parent).keys() == {"letters.lock"}
    result = captchas(*command)
    assert result.returncode == 1 and f":{process.pid}, run " in result.stderr and "takes over after" in result.stderr
    deadline = time.monotonic() + 90
    while result.returncode and time.monotonic() < deadline:
        time.sleep(0.5)
        result = captchas("generate", "letters", "--count", COUNT, *command[4:], "--json")
    assert result.returncode == 0, result.stderr
    assert Dataset(url).manifest.content == whole.manifest.content
    assert result.report["kept"] == 16_384 * len(sealed.keys() & {A, B})
    assert {name: atomic.fingerprint(folder / name) for name in sealed.keys() & {A, B}} == {
        name: version for name, version in sealed.items() if name in (A, B)
    }
    assert sizes(folder.parent) == {}


@pytest.mark.slow
def test_two_runs_at_once(captchas, made, tmp_path):
    with locked(made):
        for command in (("generate", "letters", "--count", COUNT, "--out", made), ("verify", made)):
            result = captchas(*command, "--home", tmp_path)
            assert result.returncode == 1
            assert f"{made}: another run is working on it" in result.stderr and f":{os.getpid()}, run" in result.stderr


@pytest.mark.soak
def test_learning_and_measuring_there(captchas, unplotted, bucket, tmp_path):
    model, made = f"s3://{bucket}/models/tiny.skops", place(f"s3://{bucket}/letters")
    for folder in (made, tmp_path / "letters"):
        result = captchas("generate", "letters", "--count", 3000, "--out", folder, "--home", tmp_path)
        assert result.returncode == 0, result.stderr
    settings = ("--pictures", 300, "--shows", 3000, "--hidden", 8, "--home", tmp_path)
    for _ in range(2):
        result = captchas("train", made, "--out", model, *settings, "--json")
        assert result.returncode == 0, result.stderr
    assert result.report["kept"] and result.report["model"] == model
    assert sizes(place(model).parent).keys() == {"tiny.skops"}
    assert list((tmp_path / "models").iterdir()) == []
    result = captchas("train", tmp_path / "letters", "--out", tmp_path / "here.skops", *settings)
    assert result.returncode == 0, result.stderr
    _, here = load_model(tmp_path / "here.skops")
    _, there = load_model(model)
    assert all(here[key] == there[key] for key in here.keys() - {"seconds"})
    result = captchas("evaluate", model, made, "--home", tmp_path, "--json")
    assert result.returncode == 0, result.stderr
    assert result.report["model"] == model and result.report["pictures"] > 200
    assert (tmp_path / "reports" / "tiny-on-letters" / "report.json").is_file()
    for what in (model, made, made / shard_name(0, 3000)):
        result = captchas("inspect", what, "--home", tmp_path, "--json")
        assert result.returncode == 0, result.stderr
        assert str(what) in result.report.values()
    result = captchas("export", made, "--format", "webdataset", "--count", 20, "--home", tmp_path, "--json")
    assert result.returncode == 0 and result.report["pictures"] == 20, result.stderr


@pytest.mark.slow
def test_an_inbox_there_and_its_answers(captchas, whole, bucket, tmp_path):
    inbox, answers = place(f"s3://{bucket}/inbox"), f"s3://{bucket}/answers/inbox.csv"
    for number in range(3):
        picture = whole[number]
        (inbox / f"{number:02d}" / "a.png").write_bytes(png(picture.image))
    solve = ("solve", inbox, "--dictionary", "none", "--length", 1, "--out", answers, "--home", tmp_path, "--json")
    result = captchas(*solve)
    assert result.returncode == 0, result.stderr
    assert (result.report["total"], result.report["read"], result.report["answers_file"]) == (3, 3, answers)
    assert result.report["folder"] == str(inbox)
    rows = place(answers).read_bytes().decode().splitlines()
    assert [row.partition(",")[0] for row in rows] == ["path", "00/a.png", "01/a.png", "02/a.png"]
    result = captchas(*solve)
    assert (result.returncode, result.report["skipped"], result.report["read"]) == (0, 3, 0), result.stderr
    assert sizes(place(answers).parent).keys() == {"inbox.csv"} and not (tmp_path / "answers" / "inbox").exists()


def test_no_secret_is_told_or_kept(captchas, made, tmp_path, bucket):
    """Neither that of a URL, which is refused, nor those of the environment, in whatever Prefect keeps."""
    for url in (f"s3://AKIA42:{SECRET}@{bucket}/letters", f"s3://{bucket}/letters?Signature={SECRET}"):
        for command in (
            ("generate", "letters", "--out", url), ("verify", url), ("train", url), ("evaluate", url, url),
            ("evaluate", "ladder", url), ("inspect", url), ("export", url, "--format", "png"),
            ("train", made, "--pictures", 300, "--out", url), ("solve", url), ("solve", tmp_path, "--out", url),
        ):  # fmt: skip
            result = captchas(*command, "--home", tmp_path)
            assert result.returncode == 2, (command, result.stderr)
            assert SECRET not in result.stdout + result.stderr and "AKIA42" not in result.stderr
            assert "neither credentials nor a query" in result.stderr
    kept = [SECRET.encode(), os.environ["AWS_SECRET_ACCESS_KEY"].encode()]
    looked = 0
    for folder in (Path(os.environ["TESTS_PREFECT_FOLDER"]), tmp_path):
        for file in (path for path in folder.rglob("*") if path.is_file()):
            looked += 1
            assert not any(secret in file.read_bytes() for secret in kept), file
    assert looked > 2
    assert not any(secret in path.read_bytes() for path in made.iterdir() for secret in kept)


def test_what_urls_stand_for(monkeypatch):
    assert dataset_folder("s3://bucket/a") == dataset_folder(Path("s3://bucket/a")) == ObjectPath("s3", "bucket/a")
    assert model_file("s3://bucket/m.skops") == ObjectPath("s3", "bucket/m.skops")
    monkeypatch.setenv("CAPTCHAS_HOME", "s3://bucket/home")
    with pytest.raises(BadInput, match="home: must be a folder of this machine"):
        home()


def test_a_home_in_a_bucket_is_refused(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["captchas", "datasets", "--home", "s3://bucket/home"])
    monkeypatch.setenv("CAPTCHAS_HOME", "")
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2 and "home: must be a folder of this machine" in capsys.readouterr().err


def test_models_are_equal_wherever_they_are(bucket):
    from tasks.shipped import SHIPPED

    path = place(f"s3://{bucket}/ladder.skops")
    path.write_bytes(SHIPPED.read_bytes())
    assert model_digest(path) == model_digest(str(path)) == model_digest(SHIPPED)

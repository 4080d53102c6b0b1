"""Datasets to a specification, a new model, and whether it is served: the real command on a small scale."""

import string
from pathlib import Path
from types import SimpleNamespace

import pytest

from flows import regenerate as flow
from storage.dataset import Dataset
from storage.deep_models import load_deep_model, save_deep_model, seal_model
from storage.models import load_model, model_digest
from storage.shards.shard import SPLITS
from tasks.deep.learning import deep_training
from tasks.shipped import STRANGERS

# Prefect and what it brings warn while they are imported; that is theirs.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("unplotted")]
PROFILE = """
name = "own"
based_on = "book"
alphabet = "ABCD"
words = ""
length = [2, 3]
shear = 0
scale = 100
"""
COUNT = 2048


@pytest.fixture(scope="module")
def own(captchas, tmp_path_factory) -> SimpleNamespace:
    """A home with a small profile of its own; `own.run(...)` regenerates it."""
    home = tmp_path_factory.mktemp("regenerate")
    profile = home / "own.toml"
    profile.write_text(PROFILE)

    def run(*arguments, count=COUNT, shows=20_000):
        result = captchas(
            "regenerate", profile, "--count", count, "--shows", shows, "--hidden", 16, "--pictures", 500,
            "--home", home, "--json", *arguments,
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
        return result.report

    models = home / "models"
    return SimpleNamespace(home=home, run=run, served=models / "own.skops", aside=models / "candidates" / "own.skops")


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")


def test_the_first_model_is_served(own):
    report = own.run()
    assert (report["replaced"], report["why"], report["n"]) == (True, "no model was served", None)
    assert [(one["count"], one["drawn"]) for one in report["datasets"]] == [(COUNT, COUNT)]
    assert files(own.home / "models") == ["own.skops", "served.json"]
    assert report["solve_reads_with"] == str(own.served)
    assert report["candidate"] is None and report["before"] is None


def test_with_the_same_data_and_settings_nothing_is_done(own):
    before = model_digest(own.served), own.served.stat().st_mtime_ns
    served_json = own.home / "models" / "served.json"
    served_json.write_text('{"model": "chosen.skops", "by": "choice"}')
    report = own.run()
    assert report["solve_reads_with"] == str(own.home / "models" / "chosen.skops")  # a person's choice stands
    served_json.unlink()
    report = own.run()
    assert report["solve_reads_with"] == str(own.served)
    assert not report["replaced"]
    assert report["why"] == "the served model was made from these data and settings"
    assert (model_digest(own.served), own.served.stat().st_mtime_ns) == before
    assert report["datasets"][0]["drawn"] == 0


def test_a_worse_model_is_kept_aside_and_not_trained_again(own, monkeypatch):
    before = model_digest(own.served)
    report = own.run(shows=30)
    assert (report["replaced"], report["why"]) == (False, "worse than the served model")
    assert report["candidate"] == str(own.aside)
    pairs = report["pairs"]
    assert pairs["rates"]["share"]["high"] < 0.5
    test = sum(line["count"] for line in Dataset(own.home / "datasets" / "own").manifest.shards)
    assert 0 < pairs["n"] < test / 2
    assert model_digest(own.served) == before
    aside = model_digest(own.aside), own.aside.stat().st_mtime_ns
    # As after a kill between training and the decision: the candidate is there.
    assert own.run(shows=30) == report
    assert (model_digest(own.aside), own.aside.stat().st_mtime_ns) == aside
    assert files(own.home / "models") == ["own.skops", "own.skops", "served.json"]
    reports = own.home / "reports" / "regenerate" / "own"
    assert {"candidate", "served"} == {path.name for path in reports.iterdir()}


def test_only_unseen_pictures_are_read(own, monkeypatch):
    """The very pictures: neither model was trained on one of them."""
    read = []
    original = flow.compare

    def compare(new, served):
        read.extend(str(word) for one in new for word in one.truth)
        return original(new, served)

    monkeypatch.setattr(flow, "compare", compare)
    report = own.run(shows=30)
    data = Dataset(own.home / "datasets" / "own")
    blocks = data[0:COUNT]
    unseen = blocks.split == SPLITS.index("test")
    assert sorted(read) == sorted(text for text, test in zip(blocks.texts(), unseen, strict=True) if test)
    assert report["n"] == unseen.sum()


@pytest.mark.soak
def test_an_extended_dataset_gives_a_model_that_is_no_worse(own):
    own.run()
    before = model_digest(own.served)
    report = own.run(count=COUNT + 1024)
    assert (report["replaced"], report["why"]) == (True, "no worse than the served model")
    assert [(one["count"], one["drawn"]) for one in report["datasets"]] == [(COUNT + 1024, COUNT + 1024)]
    kept = own.served.with_name(f"own-{before[:8]}.skops")
    assert report["before"] == str(kept)
    assert model_digest(kept) == before != model_digest(own.served)
    assert load_model(own.served)[1]["datasets"][0]["count"] == COUNT + 1024
    assert report["pairs"]["rates"]["share"]["n"] == 0 or report["pairs"]["rates"]["share"]["high"] >= 0.5


@pytest.mark.soak
def test_a_dataset_of_another_recipe_is_moved_only_when_told_to(own, captchas):
    folder = own.home / "datasets" / "own"
    if not folder.exists():
        own.run()
    identity = Dataset(folder).manifest.identity
    result = captchas("regenerate", own.home / "own.toml", "--count", 1024, "--seed", 2, "--home", own.home, "--json")
    assert result.returncode == 2
    assert "seed" in result.stderr
    assert Dataset(folder).manifest.identity == identity
    report = own.run("--seed", "2", "--rebuild")
    assert report["datasets"][0]["drawn"] == COUNT
    assert Dataset(folder).manifest.seed == 2
    assert Dataset(folder.with_name(f"own-{identity[:8]}")).manifest.identity == identity


def test_a_deep_model_is_made_served_and_kept(own, captchas, monkeypatch, tmp_path):
    """Training is left out: what it would write is the shipped deep model, with the record of this training."""
    begun = []

    def fit(sources, settings, out, start):
        begun.append(start)
        model = load_deep_model(STRANGERS)
        told = {"sources": [deep_training._told(source) for source in sources], "settings": settings.as_dict()}
        save_deep_model(out, seal_model(model.network, model.record | told))

    monkeypatch.setattr("flows.workers.deep_training.fit_deep", fit)
    profile = tmp_path / "own.toml"
    profile.write_text(PROFILE.replace("ABCD", string.ascii_letters + string.digits) + "left = 4\nwidth = 130\n")

    def run():
        result = captchas("regenerate", profile, "--count", 1024, "--reader", "deep", "--from", "strangers",
                          "--minutes", 1, "--home", tmp_path, "--json")  # fmt: skip
        assert result.returncode == 0, result.stderr
        return result.report

    report = run()
    served = tmp_path / "models" / "own.onnx"
    assert (report["model"], report["replaced"], report["solve_reads_with"]) == (str(served), True, str(served))
    assert begun == [STRANGERS]
    assert run()["why"] == "the served model was made from these data and settings"
    assert begun == [STRANGERS]
    wrong = captchas("regenerate", profile, "--count", 1024, "--reader", "deep", "--shows", 5, "--home", tmp_path)
    assert wrong.returncode == 2
    assert "shows: belongs to the classic reader" in wrong.stderr

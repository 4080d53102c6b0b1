"""A classic and a deep model of one name are compared once, on the datasets that they learnt from."""

from types import SimpleNamespace

import pytest

from flows import measured_pairs
from flows.measured_pairs import datasets_of, told_beside
from flows.model_pairs import ModelPair
from storage.errors import NotThere
from storage.pairs import Readers

# Prefect and what it brings warn while they are imported; that is theirs.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def pair(tmp_path, monkeypatch) -> ModelPair:
    monkeypatch.setenv("CAPTCHAS_HOME", str(tmp_path))
    return ModelPair(tmp_path / "models" / "mine.skops", tmp_path / "models" / "mine.onnx")


def test_datasets_are_those_that_the_models_learnt_from(pair, tmp_path, monkeypatch):
    """All of them, as they were; else none."""

    def opened(folder):
        if folder.name == "gone":
            raise NotThere("no complete dataset there")
        return SimpleNamespace(folder=folder, manifest=SimpleNamespace(identity=f"of {folder.name}"))

    learnt = [("shots", "of shots")]
    monkeypatch.setattr(measured_pairs, "Dataset", opened)
    monkeypatch.setattr(measured_pairs, "learnt_from", lambda _: learnt)
    (found,) = datasets_of(pair)
    assert found.folder == tmp_path / "datasets" / "shots"
    for other in (("more", "of others"), ("gone", "of gone")):
        learnt[1:] = [other]
        assert datasets_of(pair) == []


def test_a_training_compares_both_kinds_once(pair, monkeypatch):
    compared = []
    scores = SimpleNamespace(right={"none": {}}, best=lambda _: Readers.BOTH)
    monkeypatch.setattr(measured_pairs, "pair_beside", lambda _: pair)
    monkeypatch.setattr(measured_pairs, "scores_of", lambda _: compared[0] if compared else None)
    monkeypatch.setattr(measured_pairs, "compare", lambda *_: compared.append(scores))
    monkeypatch.setattr(measured_pairs, "told_pair", lambda _: "mine.skops where it is sure, else mine.onnx")
    for _ in range(2):
        told = told_beside(pair.deep, [])
    assert compared == [scores]
    assert told == {
        "solve_reads_with": "`captchas solve --model mine`: mine.skops where it is sure, else mine.onnx"
    }  # fmt: skip


def test_a_model_without_the_other_kind_tells_nothing(pair):
    assert told_beside(pair.classic, []) == {}

"""A classic and a deep model of one name: what validation showed to be best reads, and the first line says why."""

from pathlib import Path

import pytest

from flows import model_pairs
from flows.model_pairs import ModelPair, own_models, pair_beside, pair_named, verdict
from flows.parameters import ReaderChoice
from flows.serve import serve
from flows.solve_request import SolveRequest, named_models, plan_of, served_model
from storage.deep_models import load_deep_model, seal_model
from storage.model_records import load_record
from storage.models import model_digest
from storage.pairs import PairScores, Readers, record_of_pair, save_pair
from tasks.both_readers import RULE
from tasks.shipped import SHIPPED, STRANGERS


@pytest.fixture
def pair(tmp_path, monkeypatch) -> ModelPair:
    """Copies of the shipped models under one name."""
    monkeypatch.setenv("CAPTCHAS_HOME", str(tmp_path / "home"))
    models = tmp_path / "home" / "models"
    models.mkdir(parents=True)
    for shipped in (SHIPPED, STRANGERS):
        (models / f"mine{shipped.suffix}").write_bytes(shipped.read_bytes())
    return ModelPair(models / "mine.skops", models / "mine.onnx")


def showed(pair: ModelPair, *none: int, probability: tuple[int, ...] = ()) -> None:
    """Keep what validation showed: words right of 100 by the classic model, both, and the deep model."""
    right = {name: dict(zip(Readers, counts, strict=True)) for name, counts in
             (("none", none), ("probability", probability)) if counts}  # fmt: skip
    save_pair(
        record_of_pair(pair.classic),
        PairScores(model_digest(pair.classic), model_digest(pair.deep), RULE, ("shots",), 100, right),
    )


def plan(**more):
    return plan_of(SolveRequest(Path("inbox"), **more))


@pytest.mark.parametrize(("none", "reader", "model", "told"), [
    ((70, 90, 80), "both", "mine.onnx", "mine.skops where it is 99 % sure, else mine.onnx (--model; the best on 100"),
    ((70, 80, 90), "deep", "mine.onnx", "mine.onnx (--model; the best on 100 validation pictures of shots: classic 70"),
    ((90, 80, 70), "classic", "mine.skops", "mine.skops (--model; the best on 100 validation pictures of shots: class"),
    ((90, 90, 90), "classic", "mine.skops", "mine.skops ("),
], ids=["both", "deep", "classic", "equal"])  # fmt: skip
def test_the_best_on_validation_reads_and_the_first_line_says_so(pair, none, reader, model, told):
    showed(pair, *none)
    report = plan(model="mine").report()
    assert report["reader"] == reader
    assert Path(report["model"]).name == model
    assert (report["classic_model"] is not None) == (reader == "both")
    assert report["reads_with"].startswith(told)
    for rate in none:
        assert f" {rate}.0 %" in report["reads_with"]


def test_with_a_dictionary_what_was_best_with_it_reads(pair):
    showed(pair, 10, 20, 30, probability=(90, 80, 70))
    assert plan(model="mine", dictionary="none").report()["reader"] == "deep"
    assert plan(model="mine", dictionary="web2", length="4").report()["reader"] == "classic"


def test_a_kind_or_a_file_that_is_named_reads_alone(pair):
    showed(pair, 70, 90, 80)
    for reader, model in ((ReaderChoice.CLASSIC, pair.classic), (ReaderChoice.DEEP, pair.deep)):
        assert named_models("mine", reader)[:2] == (model, None)
    for file in pair:
        assert named_models(file.name, ReaderChoice.AUTO)[:2] == (file, None)
        assert named_models(str(file), ReaderChoice.AUTO)[:2] == (file, None)


def test_texts_that_are_too_long_for_the_deep_model_are_left_to_the_classic(pair):
    showed(pair, 70, 90, 80)
    report = plan(model="mine", length="13-14").report()
    assert (report["reader"], report["model"]) == ("classic", str(pair.classic))
    assert "mine knows no texts of over 12 letters" in report["reads_with"]


def test_a_name_that_is_served_stands_for_both_and_a_file_for_itself(pair):
    showed(pair, 70, 90, 80)
    assert serve("mine")["served"] == str(pair.deep)
    assert served_model()[:2] == (pair.deep, pair.classic)
    assert served_model(ReaderChoice.DEEP)[:2] == (pair.deep, None)
    assert served_model(ReaderChoice.CLASSIC)[:2] == (pair.classic, None)
    assert "served by `captchas serve`; the best on 100" in plan().told
    serve("mine.skops")
    assert served_model()[:2] == (pair.classic, None)
    assert own_models() == ["mine"]


def test_scores_of_models_that_were_trained_anew_do_not_count(pair):
    showed(pair, 70, 90, 80)
    assert pair_named("mine") == pair
    pair.deep.write_bytes(seal_model(STRANGERS.read_bytes(), load_record(STRANGERS) | {"seconds": 1}))
    assert pair_named("mine") is None  # and their records say that they learnt from other datasets


def learnt_alike(pair: ModelPair, right: int) -> None:
    """Let the deep model have learnt from the classic model's datasets, with so many of 1,000 words right then."""
    model = load_deep_model(STRANGERS)
    scores = {"mine": {"none": {"right": right, "n": 1000}}}
    record = model.record | {"datasets": load_record(pair.classic)["datasets"], "scores": scores}
    pair.deep.write_bytes(seal_model(model.network, record))


@pytest.mark.parametrize(("right", "readers"), [(1000, Readers.DEEP), (1, Readers.CLASSIC)])
def test_before_they_are_compared_their_own_scores_decide(pair, monkeypatch, right, readers):
    learnt_alike(pair, right)
    record = load_record(pair.classic) | {"validation": {"right": 500, "n": 1000}}
    real = load_record
    monkeypatch.setattr(model_pairs, "load_record", lambda file: record if file == pair.classic else real(file))
    assert pair_beside(pair.classic) == pair
    found = verdict(pair, words=False)
    assert found.readers is readers
    assert "the best when trained: classic 50.00 % (46.9 to 53.1 %, n = 1,000), deep" in found.why
    assert "`captchas evaluate mine DATASET` tries both together" in found.why


def test_a_model_that_reads_both_cases_alike_has_no_pair(pair, monkeypatch):
    learnt_alike(pair, 5)
    assert pair_beside(pair.deep) == pair
    real = load_record
    monkeypatch.setattr(model_pairs, "load_record", lambda file: real(file) | {"folded": file == pair.deep})
    assert pair_beside(pair.deep) is None


def test_a_model_elsewhere_or_damaged_has_no_pair(pair, tmp_path):
    learnt_alike(pair, 5)
    assert pair_beside(pair.deep) == pair
    for file in pair:
        (tmp_path / file.name).write_bytes(file.read_bytes())
        assert pair_beside(tmp_path / file.name) is None
    pair.deep.write_bytes(b"no model")
    assert pair_beside(pair.classic) is None
    pair.deep.unlink()
    assert pair_beside(pair.classic) is None

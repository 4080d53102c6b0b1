"""A deep model for which upper and lower case count alike is measured by capitals, and says so."""

from dataclasses import replace

import onnx
import pytest
from onnx import numpy_helper

from flows.reporting.artifacts import evaluation_for_people
from storage.deep_models import load_deep_model, seal_model
from storage.errors import Damaged
from storage.models import model_digest
from tasks.deep.deep_reader import DeepReader
from tasks.deep.session import checked_record
from tasks.profiles.profile import Profile
from tasks.readers import expect_texts
from tasks.scoring.evaluate import EvaluateJob, read_shard
from tasks.scoring.report import summarise
from tasks.shipped import STRANGERS

KNOWN = 36  # digits and capitals, which come first in the shipped model
SMALL = "cosvwxz"  # as their capitals look


@pytest.fixture(scope="module")
def folded(tmp_path_factory):
    """Write the shipped model without small letters, and say that it reads both cases alike."""
    model = load_deep_model(STRANGERS)
    graph = onnx.load_model_from_string(model.network)
    for array in graph.graph.initializer:
        if array.name.startswith("scores."):
            rows = numpy_helper.to_array(array)[: KNOWN + 1]
            array.CopyFrom(numpy_helper.from_array(rows, array.name))
    graph.graph.output[0].type.tensor_type.shape.dim[2].dim_value = KNOWN + 1
    record = model.record | {"classes": model.record["classes"][:KNOWN], "folded": True, "texts": [], "datasets": []}
    path = tmp_path_factory.mktemp("folded") / "folded.onnx"
    path.write_bytes(seal_model(graph.SerializeToString(), record))
    return path


def test_labels_and_answers_are_compared_in_capitals(folded, draw_dataset, tmp_path, monkeypatch):
    for name in ("plot_rates", "plot_confusion", "plot_failures", "plot_reliability"):
        monkeypatch.setattr(f"tasks.scoring.report.{name}", lambda *_: b"")
    profile = Profile("small", alphabet=SMALL + SMALL[0].upper(), length=(3, 3), width=70)
    data = draw_dataset(profile, 200, tmp_path / "small")
    receipt = read_shard(EvaluateJob(str(data.folder), 0, "test", str(folded), model_digest(folded), ()))
    assert set("".join(receipt.truth)) <= set(SMALL.upper())
    assert (receipt.answers["none"] == receipt.truth).mean() > 0.8
    report, _ = summarise([receipt], data, folded, "test", ())
    assert report["folded"] is True
    assert report["letters"]["classes"] == list(SMALL.upper())
    told = evaluation_for_people(report, False, tmp_path)
    assert told["reads_with"].startswith("folded.onnx, upper and lower case alike")


def test_what_is_asked_for_in_small_letters_is_read_in_capitals(folded, tmp_path):
    (tmp_path / "words.txt").write_text("bone\nBond\nBOND\n")
    texts = expect_texts(folded, str(tmp_path / "words.txt"), "abcdeno", (4, 4))
    assert texts.alphabet == "ABCDENO"
    assert texts.words == ("BOND", "BONE")
    assert "letters A-ENO (--alphabet), upper and lower case alike, answers in capitals" in texts.told
    assert DeepReader(load_deep_model(folded), ("bone", "BONE")).dictionary.words.tolist() == ["BONE"]


def test_small_letters_in_such_a_model_are_damage():
    model = load_deep_model(STRANGERS)
    with pytest.raises(Damaged, match="must be capitals, since upper and lower case count alike"):
        checked_record(replace(model, record=model.record | {"folded": True}))

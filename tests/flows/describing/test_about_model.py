"""A model's record is shown in sentences, its layers first."""

from flows.describe import inspect
from flows.describing.about_model import in_sentences
from flows.reporting.show import show
from tasks.models import describe
from tasks.shipped import SHIPPED


def test_people_see_layers_and_then_sentences(capsys):
    show(inspect(str(SHIPPED)), as_json=False)
    said = capsys.readouterr().out
    assert said.index("layers") < said.index("reads: ") < said.index("learnt from: ")
    for words in ("letters: ABC", "with seed ", "confidence: calibrated ", "made with: ", "sha256 "):
        assert words in said
    for word in ("momentum", "early_stopping", "calibration: ", "high 0."):
        assert word not in said


def test_the_texts_that_a_model_expects_are_told():
    kinds = [
        {"alphabet": "ABCDEF", "length": [4, 6], "words": "web2"},
        {"alphabet": "0123456789", "length": [5, 5], "words": ""},
    ]
    assert in_sentences({"texts": kinds}) == {
        "texts": "4 to 6 of A-F, English words (web2); 5 of 0-9, any strings"
    }  # fmt: skip
    assert in_sentences({"texts": [{"alphabet": 5}]}) == {}


def test_parameters_that_training_does_not_use_are_left_out():
    parameters = describe(SHIPPED)["parameters"]
    assert {"solver", "batch_size", "hidden_layer_sizes"} <= set(parameters)
    assert not {"momentum", "power_t", "max_fun", "validation_fraction", "n_iter_no_change"} & set(parameters)


def test_a_record_of_another_form_is_shown_as_it_is():
    record = describe(SHIPPED)
    assert all(
        in_sentences(record).get(key, "") is None for key in ("datasets", "gate_passes", "calibration", "software")
    )
    for key in ("datasets", "settings", "gate", "software", "classes", "calibration"):
        for value in (None, 7, "text", [1], {"a": 1}):
            said = in_sentences({**record, key: value})
            assert all(isinstance(text, str | None) for text in said.values())
    assert "datasets" not in in_sentences({**record, "datasets": 7})
    assert in_sentences({"new": 1}) == {}

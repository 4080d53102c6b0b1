"""Deep models whose files pass the first look and are none: each is named, and none ends in a traceback."""

from dataclasses import replace

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from storage.deep_models import DeepModel, load_deep_model, save_deep_model, seal_model
from storage.errors import BadInput, Damaged
from tasks.deep.deep_reader import DeepReader, require_curve
from tasks.deep.session import Session, checked_record
from tasks.deep.shape import Shape
from tasks.shipped import STRANGERS

SHAPE = Shape(24, 48, (4, 6, 8), (0, 0, 0), 12, 1)
RECORD = {"format": 1, "classes": "AB", "shape": SHAPE.as_dict(), "calibration": {}}
PICTURES = np.zeros((2, 30, 50), np.uint8)


def network(*middle, stride=4, level=1.0) -> DeepModel:
    """Make a model: the means of pictures' columns, one for each `stride` pixels, as scores of three classes.

    Loading would refuse some: what reads must not rely on that.
    """
    nodes = [
        helper.make_node("Cast", ["pictures"], ["levels"], to=TensorProto.FLOAT),
        helper.make_node("Conv", ["levels", "kernel"], ["columns"], strides=[24, stride]),  # (n, 3, 1, columns)
        helper.make_node("Squeeze", ["columns", "two"], ["flat"]),
        *middle,
        helper.make_node("Transpose", ["flat"], ["scores"], perm=[0, 2, 1]),
    ]
    arrays = {
        "kernel": np.full((3, 3, 24, stride), level, np.float32), "two": np.array([2], np.int64),
        "wrong": np.array([7, 7], np.int64),
    }  # fmt: skip
    ends = [
        helper.make_tensor_value_info("pictures", TensorProto.UINT8, ["n", 3, 24, "width"]),
        helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", "columns", 3]),
    ]
    graph = helper.make_graph(
        nodes, "network", ends[:1], ends[1:], [numpy_helper.from_array(array, name) for name, array in arrays.items()]
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    return DeepModel(seal_model(made.SerializeToString(), RECORD), RECORD, 24, 3)


def test_a_network_of_the_right_form_reads(tmp_path):
    save_deep_model(tmp_path / "x.onnx", network().network)
    assert DeepReader(load_deep_model(tmp_path / "x.onnx")).read(PICTURES).words.shape == (2, 3)


def test_columns_of_another_width_are_damage():
    with pytest.raises(Damaged, match=r"gives scores of shape \(2, 6, 3\), not \(2, 12, 3\)"):
        DeepReader(network(stride=8)).read(PICTURES)


@pytest.mark.parametrize("level", [np.nan, np.inf])
def test_scores_that_are_no_numbers_are_damage(level):
    with pytest.raises(Damaged, match="scores that are no numbers") as raised:
        DeepReader(network(level=level)).read(PICTURES)
    assert raised.value.exit_code == 2  # as for every model that is none


def test_a_network_that_does_not_run_is_damage():
    wrong = network(helper.make_node("Reshape", ["flat", "wrong"], ["other"]))
    with pytest.raises(Damaged, match="does not run"):
        DeepReader(wrong).read(PICTURES)


def test_a_network_that_onnxruntime_refuses_is_damage():
    wrong = network(helper.make_node("Add", ["flat", "nowhere"], ["other"]))
    with pytest.raises(Damaged, match="onnxruntime does not take it"):
        Session(wrong).open()


@pytest.mark.parametrize("change", [
    {"classes": "ABC"}, {"classes": "A"}, {"classes": "AA"}, {"classes": "A "}, {"classes": "A\n"}, {"classes": 7},
    {"classes": ""}, {"classes": "é" * 400}, {"shape": None}, {"shape": {}},
    *({"shape": SHAPE.as_dict() | wrong} for wrong in ({"height": 32}, {"widest": 10**9}, {"channels": [1, 2, "3"]})),
])  # fmt: skip
def test_a_record_that_does_not_fit_its_network_is_damage(change):
    model = DeepModel(b"", RECORD | change, 24, 3)
    with pytest.raises(Damaged, match="does not fit its network"):
        checked_record(model)


@pytest.mark.parametrize("calibration", [5, {"x": {}}, {"none": {}}, {"none": [1, 2]}, {"none": None}])
def test_a_confidence_that_no_training_makes_is_named(calibration):
    model = load_deep_model(STRANGERS)
    with pytest.raises(BadInput, match="model, calibration"):
        DeepReader(replace(model, record=model.record | {"calibration": calibration}), familiar=True)
    with pytest.raises(BadInput, match="has no curve"):
        require_curve({"calibration": {}})


@pytest.mark.parametrize(("asked", "said"), [
    ({"alphabet": "ABé"}, "must be letters that the model knows.* it has 'é'"),
    ({"alphabet": ""}, "must be letters that the model knows"),
    ({"length": (13, 14)}, "must be from 1 to 12 letters"),
    ({"length": (0, 4)}, "must be from 1 to 12 letters"),
    ({"length": (5, 4)}, "must be from 1 to 12 letters"),
])  # fmt: skip
def test_texts_that_a_model_cannot_read_are_named(asked, said):
    with pytest.raises(BadInput, match=said):
        DeepReader(load_deep_model(STRANGERS), **asked)


@pytest.mark.parametrize("familiar", [True, False])
@pytest.mark.parametrize("part", ["calibration", "cautious"])
def test_a_confidence_of_wrong_form_is_refused_whichever_is_used(part, familiar):
    model = network()
    wrong = replace(model, record=RECORD | {part: {"none": None}})
    with pytest.raises(BadInput, match="train it again"):
        DeepReader(wrong, familiar=familiar)
    DeepReader(model, familiar=familiar)

"""Networks that somebody forged: what would grow, take long or wait for other files is refused by arithmetic alone."""

import time

import numpy as np
import pytest
from onnx import GraphProto, TensorProto, helper, numpy_helper

from storage.deep_models import RECORD, SEAL, load_deep_model, save_deep_model, seal_model
from storage.errors import Damaged
from storage.networks import shapes

HEIGHT = 24
TALL = np.zeros((1, 1, 1 << 12, 1), np.float32)


def forged(*middle, arrays=None, last="levels", ends=("n", "width"), tail=None):
    """Make a network that would be a model, but for the operators in the middle, which begin with `levels`."""
    inputs = helper.make_tensor_value_info("pictures", TensorProto.UINT8, [ends[0], 3, HEIGHT, ends[1]])
    output = helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", "columns", 3])
    nodes = [
        helper.make_node("Cast", ["pictures"], ["levels"], to=TensorProto.FLOAT),
        *middle,
        *(tail or [
            helper.make_node("Conv", [last, "kernel"], ["columns"], strides=[HEIGHT, 4]),
            helper.make_node("Squeeze", ["columns", "two"], ["flat"]),
            helper.make_node("Transpose", ["flat"], ["scores"], perm=[0, 2, 1]),
        ]),
    ]  # fmt: skip
    kept = {"kernel": np.ones((3, 3, HEIGHT, 4), np.float32), "two": np.array([2], np.int64), **(arrays or {})}
    graph = helper.make_graph(
        nodes, "network", [inputs], [output], [numpy_helper.from_array(array, name) for name, array in kept.items()]
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])


def node(operator, *inputs, **attributes):
    return helper.make_node(operator, ["levels", *inputs], ["x"], **attributes)


def conv(shape, **attributes):
    return forged(node("Conv", "w", **attributes), arrays={"w": np.zeros(shape, np.float32)}, last="x")


def chain(operator, count, *inputs, shape=None):
    """Make many operators in a row."""
    names = ["levels", *(f"x{k}" for k in range(count))]
    nodes = [helper.make_node(operator, [names[k], *inputs], [names[k + 1]]) for k in range(count)]
    return forged(*nodes, arrays={"w": np.zeros(shape or (1,), np.float32)}, last=names[-1])


def hoarding(count):
    """Make a network that keeps the results of many operators until its end."""
    wide = helper.make_node("Conv", ["levels", "w"], ["y0"], pads=[1, 1, 1, 1])
    kept = [helper.make_node("Relu", [f"y{k}"], [f"y{k + 1}"]) for k in range(count)]
    sums = [helper.make_node("Add", [f"y{count}" if k == 0 else f"z{k - 1}", f"y{k}"], [f"z{k}"]) for k in range(count)]
    back = helper.make_node("Conv", [f"z{count - 1}", "v"], ["x"])
    arrays = {"w": np.zeros((64, 3, 3, 3), np.float32), "v": np.zeros((3, 64, 1, 1), np.float32)}
    return forged(wide, *kept, *sums, back, arrays=arrays, last="x")


def with_graph(operator, name):
    return forged(helper.make_node(operator, ["levels"], ["x"], **{name: GraphProto(name="inner")}), last="x")


def load(tmp_path, model, record=None):
    save_deep_model(tmp_path / "x.onnx", seal_model(model.SerializeToString(), record or {"format": 1}))
    return load_deep_model(tmp_path / "x.onnx")


def test_what_training_makes_is_let_by(tmp_path):
    same = node("Conv", "w", pads=[1, 1, 1, 1], group=3)
    twice = helper.make_node("Identity", ["w"], ["v"])
    again = helper.make_node("Conv", ["x", "v"], ["y"], pads=[1, 1, 1, 1], group=3, dilations=[1, 1])
    model = forged(same, twice, again, arrays={"w": np.zeros((3, 1, 3, 3), np.float32)}, last="y")
    assert load(tmp_path, model).classes == 3


@pytest.mark.parametrize("operator", [
    "Concat", "ConstantOfShape", "Expand", "Gather", "GRU", "If", "Loop", "LSTM", "MatMul", "NonZero", "Pad", "Range",
    "Reshape", "Resize", "Scan", "SequenceConstruct", "Shape", "Tile", "Upsample", "Where",
])  # fmt: skip
def test_operators_that_may_grow_are_refused(tmp_path, operator):
    with pytest.raises(Damaged, match=f"has the operator {operator}, which no model has; allowed are Add, Cast,"):
        load(tmp_path, forged(node(operator), last="x"))


FORGED = {
    "a table": (lambda: forged(node("Add", "w"), arrays={"w": TALL}, last="x"), r"operator Add of \(64, 3, 24, 512\)"),
    "another rank": (
        lambda: forged(node("Mul", "w"), arrays={"w": np.zeros((9, 1, 1, 1, 1), np.float32)}, last="x"),
        "operator Mul",
    ),
    "whole numbers": (
        lambda: forged(node("Add", "n"), arrays={"n": np.zeros((1,), np.int64)}, last="x"),
        "operator Add",
    ),
    "wide pads": (lambda: conv((3, 3, 3, 3), pads=[9, 9, 9, 9]), "operator Conv"),
    "odd pads": (lambda: conv((3, 3, 2, 2), pads=[1, 1, 1, 1]), "operator Conv"),
    "no stride": (lambda: conv((3, 3, 3, 3), strides=[0, 1]), "operator Conv"),
    "backwards": (lambda: conv((3, 3, 3, 3), strides=[-1, 1]), "operator Conv"),
    "dilations": (lambda: conv((3, 3, 3, 3), dilations=[9, 9]), "operator Conv"),
    "another kernel": (lambda: conv((3, 3, 3, 3), kernel_shape=[1, 1]), "operator Conv"),
    "no groups": (lambda: conv((3, 3, 3, 3), group=0), "operator Conv"),
    "pads by itself": (lambda: conv((3, 3, 3, 3), auto_pad="SAME_UPPER"), "Conv with auto_pad; its attributes are"),
    "a number as pads": (lambda: conv((3, 3, 3, 3), pads=1), "Conv with pads of type 2, not 7"),
    "many channels": (
        lambda: conv((1 << 12, 3, 1, 1)),
        "numbers at a time at the operator Conv, for 64 pictures of 512 px",
    ),
    "too many channels": (lambda: conv((1 << 16, 3, 1, 1)), "numbers at a time"),
    "a hoard": (lambda: hoarding(5), "numbers at a time at the operator Relu"),
    "many convolutions": (lambda: chain("Conv", 480, "w", shape=(3, 3, 24, 1)), "operator Conv"),
    "copies": (
        lambda: forged(
            *(helper.make_node("Identity", ["w"], [f"w{k}"]) for k in range(200)),
            arrays={"w": np.zeros((1 << 20,), np.float32)},
        ),
        "numbers at a time",
    ),
    "an array alone": (
        lambda: forged(helper.make_node("Relu", ["kernel"], ["x"])),
        "Relu, which does not take what the operator before",
    ),
    "a bypass": (lambda: forged(node("Relu"), last="levels"), "Conv, which does not take what the operator before"),
    "two for one": (lambda: forged(node("Relu", "levels"), last="x"), "operator Relu"),
    "from nowhere": (lambda: forged(node("Add", "nowhere"), last="x"), r"operator Add from \['levels', 'nowhere'\]"),
    "one name twice": (
        lambda: forged(helper.make_node("Relu", ["levels"], ["levels"])),
        "two values of the name 'levels'",
    ),
    "words": (
        lambda: forged(helper.make_node("Constant", [], ["c"], value_strings=["a" * 99])),
        "Constant with value_strings",
    ),
    "to text": (
        lambda: forged(helper.make_node("Cast", ["levels"], ["x"], to=TensorProto.STRING), last="x"),
        "operator Cast",
    ),
    "means of nothing": (lambda: forged(node("ReduceMean", axes=[9]), last="x"), "operator ReduceMean"),
    "an axis twice": (lambda: forged(node("Transpose", perm=[0, 1, 2, 2]), last="x"), "operator Transpose"),
    "turned": (lambda: forged(node("Transpose", perm=[0, 1, 3, 2]), last="x"), "gives|operator"),
    "a side of 24": (lambda: forged(node("Squeeze", "two"), last="x"), "operator Squeeze"),
    "many whole numbers": (
        lambda: forged(arrays={"many": np.zeros(99, np.int64)}),
        r"array many of shape \(99,\) and type 7",
    ),
    "halves": (lambda: forged(arrays={"half": np.zeros(9, np.float16)}), "array half .* type 10, which no model has"),
    "no side": (lambda: forged(arrays={"none": np.zeros((9, 0), np.float32)}), "array none"),
    "one picture": (lambda: forged(ends=(1, "width")), "uint8 of any n and width"),
    "one width": (lambda: forged(ends=("n", 512)), "uint8 of any n and width"),
    "n and width alike": (lambda: forged(ends=("n", "n")), "uint8 of any n and width"),
    "a branch": (lambda: with_graph("If", "then_branch"), "operator If"),
    "a body": (lambda: with_graph("Relu", "body"), "graph within the operator Relu"),
}


@pytest.mark.parametrize("name", FORGED)
def test_what_grows_or_has_another_form_is_refused(tmp_path, name):
    made, said = FORGED[name]
    with pytest.raises(Damaged, match=said) as found:
        load(tmp_path, made())
    assert str(found.value).startswith(f"model {tmp_path}/x.onnx: ")
    assert str(found.value).endswith("it was not loaded. Train it again")


def test_columns_of_another_width_are_refused(tmp_path):
    tail = [
        helper.make_node("Conv", ["levels", "kernel"], ["columns"], strides=[HEIGHT, 8]),
        helper.make_node("Squeeze", ["columns", "two"], ["flat"]),
        helper.make_node("Transpose", ["flat"], ["scores"], perm=[0, 2, 1]),
    ]
    said = r"gives \(64, 64, 3\) \(type 1\) for 64 pictures of 512 px; a model gives \(64, 128, 3\)"
    with pytest.raises(Damaged, match=said):
        load(tmp_path, forged(tail=tail))


def test_long_work_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(shapes, "MOST_WORK", 10_000_000)
    slow = chain("Mul", 300, "w")
    with pytest.raises(Damaged, match="takes over 10,000,000 products and sums a picture of 512 px"):
        load(tmp_path, slow)


def altered(change):
    model = forged()
    change(model)
    return model


def doubled(model):
    model.graph.initializer[0].float_data.extend([1.0])


def segmented(model):
    model.graph.initializer[0].segment.end = 5


def annotated(model):
    model.graph.quantization_annotation.add().tensor_name = "levels"


@pytest.mark.parametrize(("change", "said"), [
    (lambda model: model.opset_import.add(domain="", version=99), r"opset \[\('', 17\), \('', 99\)\]"),
    (lambda model: model.opset_import.add(domain="com.microsoft", version=1), "com.microsoft"),
    (lambda model: model.functions.add(name="Relu"), "functions"),
    (lambda model: model.training_info.add(), "parts for training"),
    (lambda model: model.graph.output.add(name="more"), "1 inputs and 2 outputs"),
    (lambda model: model.graph.value_info.add(name="levels"), "shapes its values have"),
    (doubled, "array kernel .* without its bytes"), (segmented, "array kernel"), (annotated, "shapes its values"),
])  # fmt: skip
def test_what_else_a_file_may_hold_is_refused(tmp_path, change, said):
    with pytest.raises(Damaged, match=said):
        load(tmp_path, altered(change))


def _sized(number, data):
    size, length = len(data), b""
    while size > 127:
        length, size = length + bytes([size & 127 | 128]), size >> 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + data


BOMBS = {
    "a record of 2 MB": lambda: _sized(14, _sized(1, RECORD.encode()) + _sized(2, b"[" * 2_000_000)),
    "millions of operators": lambda: _sized(7, b"\x0a\x00" * 600_000),
    "millions of graphs": lambda: _sized(7, b"") * 600_000,
    "millions of sides": lambda: _sized(7, _sized(5, b"\x08\x01" * 600_000)),
    "a million names": lambda: b"\x12\x00" * 600_000,
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_file_that_would_fill_the_memory_is_never_parsed(tmp_path, monkeypatch, bomb):
    monkeypatch.setattr("onnx.load_model_from_string", None)  # a parser would make an object of every two bytes
    (tmp_path / "x.onnx").write_bytes(BOMBS[bomb]())
    began = time.process_time()
    with pytest.raises(Damaged, match=r"beside its weights|fields, which no model has"):
        load_deep_model(tmp_path / "x.onnx")
    assert time.process_time() - began < 2


@pytest.mark.parametrize("end", [b"", b"\x0a", b"\xff" * 12, b"\x0b\x0c", b"\x3a\xff\xff\xff\x7f", b"\x09"])
def test_bytes_that_are_no_fields_are_no_model(tmp_path, end):
    (tmp_path / "x.onnx").write_bytes(b"\x08\x08" + end)
    with pytest.raises(Damaged, match=r"neither a classic model|foreign ONNX"):
        load_deep_model(tmp_path / "x.onnx")


def sealed(tmp_path, record: str):
    """Write a model with a record that is no JSON of ours, but sealed as it is."""
    import onnx

    from storage.deep_models import _seal

    model = onnx.load_model_from_string(seal_model(forged().SerializeToString(), {}))
    del model.metadata_props[:]
    for key, value in ((RECORD, record), (SEAL, _seal(model, record))):
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    (tmp_path / "x.onnx").write_bytes(model.SerializeToString())
    return tmp_path / "x.onnx"


@pytest.mark.parametrize(("inner", "said"), [
    ('"calibration": {"none": {"shift": NaN}}', "numbers only; it has NaN"),
    ('"calibration": {"none": {"shift": -Infinity}}', "numbers only; it has -Infinity"),
    ('"seconds": 1e999', "below 2 to the 63rd"), ('"steps": ' + "9" * 400, "below 2 to the 63rd"),
    ('"steps": ' + "9" * 5000, "record is not that of a model"),
    ('"x": ' + "[" * 30 + "]" * 30, "nested at most 16 deep"), ('"x": ' + "[" * 90_000 + "]" * 90_000, "nested"),
    ('"classes": "AB\\u0007"', "control characters"), ('"\\u001b[2J": 1', "control characters"),
    ('"sources": [{"name": "\\ud800"}]', "control characters"),
    ('"classes": 7', "classes: must be a text; it is 7"), ('"folded": "yes"', "folded: must be true or false"),
    ('"steps": -1', "steps: must be a whole number"), ('"pictures": true', "pictures: must be a whole number"),
    ('"curve": [{}]', "curve: must be a list of the looks"), ('"sources": [{}]', "sources: must be"),
    ('"sources": {"draw": 1}', "sources: must be"), ('"datasets": [{"name": "x"}]', "datasets: must be"),
    ('"scores": {"x": {"none": {"right": 2, "n": 1}}}', "scores: must be"),
    ('"scores": {"x": {"none": {"right": 0, "n": 0}}}', "scores: must be"),
    ('"software": {"torch": 2}', "software: must be"), ('"settings": []', "settings: must be"),
    ('"from": "me"', "from: must be"), ('"averaged_with": [7]', "averaged_with: must be"),
    ('"cautious_on": {}', "cautious_on: must be"),
])  # fmt: skip
def test_a_record_that_no_training_writes_is_refused(tmp_path, inner, said):
    with pytest.raises(Damaged, match=said) as found:
        load_deep_model(sealed(tmp_path, f'{{"format": 1, {inner}}}'))
    assert len(str(found.value)) < 500
    assert str(found.value).isprintable()

"""A deep model's file is checked before anything runs it."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from storage.deep_models import is_deep, load_deep_model, save_deep_model, seal_model
from storage.errors import Damaged, NotThere

RECORD = {"format": 1, "classes": "AB"}


def model(operator: str = "Relu", opset: int = 17, height: int = 32, classes: int = 3, domain: str = ""):
    """Make the smallest network: the means of pictures' columns, one for each 4 px, as scores of the classes."""
    ends = [
        helper.make_tensor_value_info("pictures", TensorProto.UINT8, ["n", 3, height, "width"]),
        helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", "columns", classes]),
    ]
    nodes = [
        helper.make_node("Cast", ["pictures"], ["levels"], to=TensorProto.FLOAT),
        helper.make_node(operator, ["levels"], ["seen"], domain=domain),
        helper.make_node("Conv", ["seen", "weights"], ["columns"], strides=[height, 4]),
        helper.make_node("Squeeze", ["columns", "two"], ["flat"]),
        helper.make_node("Transpose", ["flat"], ["scores"], perm=[0, 2, 1]),
    ]
    arrays = [
        numpy_helper.from_array(np.ones((classes, 3, height, 4), np.float32), "weights"),
        numpy_helper.from_array(np.array([2], np.int64), "two"),
    ]
    graph = helper.make_graph(nodes, "network", ends[:1], ends[1:], arrays)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])


def saved(path, found, record=RECORD):
    save_deep_model(path, seal_model(found.SerializeToString(), record))
    return path


def test_a_model_comes_back_with_its_record(tmp_path):
    path = saved(tmp_path / "a.onnx", model())
    loaded = load_deep_model(path)
    assert (loaded.record, loaded.height, loaded.classes) == (RECORD, 32, 3)
    assert is_deep(path)
    assert path.read_bytes() == saved(tmp_path / "b.onnx", model()).read_bytes()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.onnx", "b.onnx"]


def external(found):
    weights = found.graph.initializer[0]
    weights.data_location = TensorProto.EXTERNAL
    entry = weights.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"
    return found


def absurd(found):
    found.graph.initializer[0].dims[:] = [1 << 40, 1 << 40]
    return found


def short(found):
    found.graph.initializer[0].dims[:] = [512, 512]  # more than its bytes hold
    return found


def nested(found):
    found.graph.node[1].attribute.append(helper.make_attribute("body", found.graph))
    return found


def long(found):
    found.graph.node.extend([found.graph.node[1]] * 600)
    return found


def attribute(kind: str):
    """Add a constant whose value is of a kind that no model has; its bytes are in another file."""
    found = model()
    added = onnx.AttributeProto(name="value", type=getattr(onnx.AttributeProto, kind))
    values = external(model()).graph.initializer[0]
    if kind == "SPARSE_TENSOR":
        added.sparse_tensor.values.CopyFrom(values)
    else:
        added.tensors.append(values)
    node = helper.make_node("Constant", [], ["more"])
    node.attribute.append(added)
    found.graph.node.insert(0, node)
    return found


def padded():
    found = model()
    kernel = numpy_helper.from_array(np.ones((3, 3, 1, 1), np.float32), "kernel")
    found.graph.initializer.append(kernel)
    found.graph.node[1].CopyFrom(helper.make_node("Conv", ["levels", "kernel"], ["scores"], pads=[0, 0, 0, 1 << 40]))
    return found


def weightless(value: float):
    found = model()
    found.graph.initializer[0].CopyFrom(numpy_helper.from_array(np.full((2, 3), value, np.float32), "weights"))
    return found


@pytest.mark.parametrize(("end", "side"), [("input", 0), ("input", 3), ("output", 0), ("output", 1)])
def test_a_side_that_is_written_as_0_is_not_free(tmp_path, end, side):
    found = model()
    getattr(found.graph, end)[0].type.tensor_type.shape.dim[side].dim_value = 0
    with pytest.raises(Damaged, match=r"takes .* of any n and width"):
        load_deep_model(saved(tmp_path / "a.onnx", found))


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (long(model()), "at most 500"),
        (model("Loop"), "operator Loop"),
        (model("Relu", domain="com.microsoft"), "operator com.microsoft.Relu"),
        (model(opset=99), "opset"),
        (model(height=9999), "takes"),
        (model(classes=1), "takes"),
        (external(model()), "another file"),
        (absurd(model()), "of shape"),
        (short(model()), "with 4608 bytes"),
        (nested(model()), "graph within"),
        (attribute("SPARSE_TENSOR"), "value of type 11"),
        (attribute("TENSORS"), "value of type 9"),
        (padded(), "in a form that no model has"),
        (weightless(np.nan), "numbers that are not finite"),
        (weightless(np.inf), "numbers that are not finite"),
    ],
    ids=[
        "long",
        "loop",
        "domain",
        "opset",
        "height",
        "classes",
        "external",
        "absurd",
        "short",
        "nested",
        "sparse",
        "several",
        "padded",
        "nan",
        "infinite",
    ],
)
def test_what_no_model_has_is_refused(tmp_path, found, said):
    with pytest.raises(Damaged, match=said):
        load_deep_model(saved(tmp_path / "a.onnx", found))


def test_a_file_that_is_too_large_is_not_read_whole(tmp_path):
    path = tmp_path / "a.onnx"
    with path.open("wb") as file:
        file.truncate(70_000_000)  # a hole, which takes no disk
    with pytest.raises(Damaged, match=r"has 70\.0 MB and is larger than the 64\.0 MB that are read"):
        load_deep_model(path)


def test_every_changed_byte_is_noticed(tmp_path):
    path = saved(tmp_path / "a.onnx", model())
    data = path.read_bytes()
    for place in range(0, len(data), 37):
        path.write_bytes(data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :])
        with pytest.raises(Damaged):
            load_deep_model(path)
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(Damaged):
        load_deep_model(path)


def test_files_that_are_no_model_are_named(tmp_path):
    path = tmp_path / "a.onnx"
    with pytest.raises(NotThere, match="no such file"):
        load_deep_model(path)
    with pytest.raises(NotThere, match="is a folder"):
        load_deep_model(tmp_path)
    path.write_bytes(b"no model at all")
    with pytest.raises(Damaged, match="neither a classic model"):
        load_deep_model(path)
    onnx.save(model(), path)
    with pytest.raises(Damaged, match="foreign ONNX"):
        load_deep_model(path)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"format": 9}, "format 9"),
        ({"format": 1, "texts": 3}, "record"),
        ([1], "record"),
        ({"format": 1, "calibration": None}, "calibration: must be an object"),
        ({"format": 1, "sources": [{}, 2]}, "sources: must be a list"),
        ({"format": 1, "sources": {}}, "sources: must be a list"),
        ({"format": 1, "sources": [{"draw": {}}]}, "sources: must be a list"),
        ({"format": 1, "sources": [{"name": 1}]}, "sources: must be a list"),
    ],
)
def test_a_wrong_record_is_refused(tmp_path, record, said):
    with pytest.raises(Damaged, match=said):
        load_deep_model(saved(tmp_path / "a.onnx", model(), record))

"""Deep models: a network and its record in one `.onnx` file, checked before anything runs it; loading runs no code."""

import functools
import hashlib
import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from storage.errors import Damaged
from storage.files import atomic
from storage.files.places import Place, place
from storage.learnt_texts import learnt_texts
from storage.model_files import model_bytes

FORMAT = 1
OPSETS = range(17, 24)  # of ONNX: those that onnxruntime of the version we ask for runs, and PyTorch writes
RECORD, SEAL = "captchas.record", "captchas.seal"  # keys of the file's metadata
MOST_BYTES = 64_000_000
MOST_NODES = 500
MOST_CLASSES = 256
WIDEST = 640  # columns of a picture for which the sizes of a network's values are counted
MOST_VALUES = 1 << 22  # numbers in one of these; the shipped model has a twentieth of it
LARGEST_SIDE = 512  # pixels of a picture, and channels of a convolution times two
# What a network of ours is made of. A file with any other operator is refused before onnxruntime sees it.
OPERATORS = frozenset({
    "Add", "Cast", "Clip", "Concat", "Constant", "Conv", "Div", "Identity", "MatMul", "Mul", "Pow", "ReduceMean",
    "Relu", "Reshape", "Sqrt", "Squeeze", "Sub", "Transpose", "Unsqueeze",
})  # fmt: skip
_OBJECTS = frozenset({"calibration", "cautious", "scores", "settings", "shape"})  # of a record
_LISTS = frozenset({"averaged_with", "curve", "datasets", "sources"})
_FLOATS = {1: "<f4", 10: "<f2"}
_ATTRIBUTES = {1, 2, 3, 4, 6, 7}  # a number, a text, an array, numbers: by ONNX's number of their type
_ARRAYS = {1: 4, 6: 4, 7: 8, 10: 2}  # bytes of an element, by ONNX's number of its type: float32, int32, int64, float16


@dataclass(frozen=True, eq=False)
class DeepModel:
    """A checked model.

    network : bytes of the ONNX file
    record : its provenance, JSON values
    height : pixels of a picture
    classes : outputs of a column
    """

    network: bytes
    record: dict[str, Any]
    height: int
    classes: int


def is_deep(path: str | Place) -> bool:
    """Tell whether a file that is there is no classic model: those begin as ZIP archives do.

    Raises
    ------
    NotThere, Damaged
    """
    return not model_bytes(path, first=4).startswith(b"PK")


def seal_model(network: bytes, record: dict[str, Any]) -> bytes:
    """Put a record into an ONNX file, and a digest over both. Equal input gives equal bytes.

    Raises
    ------
    TypeError, ValueError
        A record that JSON cannot hold.
    """
    import onnx  # takes 0.3 s; only what opens a deep model needs it

    model = onnx.load_model_from_string(network)
    del model.metadata_props[:]
    model.doc_string = model.graph.doc_string = ""
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    text = json.dumps(record, ensure_ascii=False, sort_keys=True, allow_nan=False)
    for key, value in ((RECORD, text), (SEAL, _seal(model, text))):
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    data: bytes = model.SerializeToString(deterministic=True)
    return data


def save_deep_model(path: str | Place, data: bytes, run: str | None = None) -> str:
    """Write a sealed model, over an existing file; return its sha256.

    Raises
    ------
    NoSpace, Unwritable
    """
    atomic.replace(place(path), data, run)
    return hashlib.sha256(data).hexdigest()


def load_deep_model(path: str | Place) -> DeepModel:
    """Read and check a model; nothing of it runs.

    Raises
    ------
    NotThere
    Damaged
        The file is no ONNX, is too large, was cut short or altered in any byte, keeps data in other files, has
        operators, inputs or shapes that no model of this program has, or a wrong record.
    """
    return _checked(str(path), model_bytes(path, MOST_BYTES))


@functools.lru_cache(maxsize=4)
def _checked(path: str, data: bytes) -> DeepModel:
    import onnx

    try:
        model = onnx.load_model_from_string(data)
    except Exception as error:  # protobuf raises several types
        raise Damaged(
            f"model {path}: is neither a classic model (.skops) nor a deep one (.onnx), or was cut short; train a "
            "model with `captchas train`"
        ) from error
    notes = {entry.key: entry.value for entry in model.metadata_props}
    if RECORD not in notes or SEAL not in notes:
        raise Damaged(f"model {path}: is no model of this program: it lacks the record of its origin (foreign ONNX)")
    try:
        _require_plain(model)
    except _Unfit as error:
        raise Damaged(f"model {path}: {error}; it was not loaded. Train it again") from error
    if _seal(model, notes[RECORD]) != notes[SEAL]:
        raise Damaged(f"model {path}: its bytes differ from those that were sealed; restore it or train again")
    try:
        record = json.loads(notes[RECORD])
        if not isinstance(record, dict):
            raise TypeError("it is no object")
        number = record.get("format")
        learnt_texts(record)
        _require_kinds(record)
    except (ValueError, TypeError, RecursionError) as error:
        raise Damaged(f"model {path}: its record is not that of a model ({error}); train it again") from error
    if number != FORMAT:
        raise Damaged(f"model {path}: format {number}; this version reads format {FORMAT}. Train it again")
    height = model.graph.input[0].type.tensor_type.shape.dim[2].dim_value
    classes = model.graph.output[0].type.tensor_type.shape.dim[2].dim_value
    return DeepModel(data, record, height, classes)


def _require_kinds(record: dict[str, Any]) -> None:
    """Check the kinds of what is read of a record later, where it is there; a record is JSON of anybody.

    Raises
    ------
    TypeError
    """
    for key in _OBJECTS & record.keys():
        if not isinstance(record[key], dict):
            raise TypeError(f"{key} is no object")
    for key in _LISTS & record.keys():
        found = record[key]
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise TypeError(f"{key} is no list of objects")
    for source in record.get("sources", ()):
        drawn, name = source.get("draw", {"name": ""}), source.get("name", "")
        if not isinstance(drawn, dict) or not isinstance(drawn.get("name"), str) or not isinstance(name, str):
            raise TypeError("sources has a wrong entry")


class _Unfit(ValueError):
    """Something that no model of this program has."""


def _require_plain(model: Any) -> None:
    opsets = {entry.domain: entry.version for entry in model.opset_import}
    if set(opsets) != {""} or opsets[""] not in OPSETS:
        raise _Unfit(f"needs operators of opset {opsets}; known is {OPSETS.start} to {OPSETS.stop - 1} of ONNX's own")
    if len(model.functions) or len(model.training_info) or len(model.graph.sparse_initializer):
        raise _Unfit("has functions or parts for training, which no model has")
    if len(model.graph.node) > MOST_NODES:
        raise _Unfit(f"has {len(model.graph.node)} operators; at most {MOST_NODES} are allowed")
    for node in model.graph.node:
        if node.domain or node.op_type not in OPERATORS:
            raise _Unfit(f"has the operator {node.domain}{'.' * bool(node.domain)}{node.op_type}, which no model has")
        for attribute in node.attribute:
            if attribute.HasField("g") or len(attribute.graphs):
                raise _Unfit(f"has a graph within the operator {node.op_type}, which no model has")
            if attribute.type not in _ATTRIBUTES or any(attribute.HasField(name) for name in ("sparse_tensor", "tp")):
                raise _Unfit(f"has an attribute of type {attribute.type} in {node.op_type}, which no model has")
            _require_array(attribute.t, node.op_type)
    for array in model.graph.initializer:
        _require_array(array, array.name)
        _require_finite(array)
    _require_ends(model.graph)
    _require_bounded(model)


def _require_array(array: Any, name: str) -> None:
    if array.data_location or len(array.external_data):
        raise _Unfit(f"keeps {name} in another file, which no model does")
    if not array.data_type:
        return
    size = 1
    for side in array.dims:
        size *= side
    if array.data_type not in _ARRAYS or any(not 0 <= side <= 1 << 20 for side in array.dims):
        raise _Unfit(f"has an array {name} of shape {tuple(array.dims)} and type {array.data_type}, which no model has")
    if array.raw_data and len(array.raw_data) != size * _ARRAYS[array.data_type]:
        raise _Unfit(f"has an array {name} of shape {tuple(array.dims)} with {len(array.raw_data)} bytes")
    if not array.raw_data and size > 1 << 12:
        raise _Unfit(f"has an array {name} of shape {tuple(array.dims)} without its bytes")


def _require_finite(array: Any) -> None:
    kind = _FLOATS.get(array.data_type)
    if kind is not None and array.raw_data and not np.isfinite(np.frombuffer(array.raw_data, kind)).all():
        raise _Unfit(f"has weights in {array.name} that are no finite numbers")
    if not all(map(math.isfinite, array.float_data)):
        raise _Unfit(f"has weights in {array.name} that are no finite numbers")


def _require_bounded(model: Any) -> None:
    """Count the numbers that each operator gives for a wide picture: a few of them could ask for all memory.

    Operators that join a value to itself double it, and others multiply rows by columns or pad as they are told.
    """
    from onnx import ModelProto, shape_inference

    one = ModelProto()
    one.CopyFrom(model)
    del one.graph.value_info[:]  # what a file says of its values is not believed
    for side, length in zip(one.graph.input[0].type.tensor_type.shape.dim, (1, None, None, WIDEST), strict=True):
        side.dim_value = length or side.dim_value
    one.graph.output[0].type.tensor_type.ClearField("shape")
    try:
        shaped = shape_inference.infer_shapes(one, data_prop=True).graph
    except Exception as error:  # onnx raises several types
        raise _Unfit("is a network whose sizes cannot be told") from error
    sizes = {value.name: _numbers(value) for value in (*shaped.value_info, *shaped.output)}
    for node in model.graph.node:
        for name in filter(None, node.output):
            size = sizes.get(name)
            if size is None:
                raise _Unfit(f"gives {name} of a size that cannot be told")
            if size > MOST_VALUES:
                raise _Unfit(f"gives {name} of {size:,} numbers for a picture; at most {MOST_VALUES:,} are allowed")


def _numbers(value: Any) -> int | None:
    """Return how many numbers a value has; None if that is not known."""
    if not value.type.tensor_type.HasField("shape"):
        return None
    sides = value.type.tensor_type.shape.dim
    known = all(side.HasField("dim_value") and side.dim_value >= 0 for side in sides)
    return math.prod(side.dim_value for side in sides) if known else None


def _require_ends(graph: Any) -> None:
    if len(graph.input) != 1 or len(graph.output) != 1:
        raise _Unfit(f"has {len(graph.input)} inputs and {len(graph.output)} outputs; a model has one of each")
    ends = [end.type.tensor_type for end in (graph.input[0], graph.output[0])]
    sides = [[side.dim_value for side in end.shape.dim] for end in ends]
    kinds = [end.elem_type for end in ends]
    fits = (
        kinds == [2, 1] and len(sides[0]) == 4 and len(sides[1]) == 3 and sides[0][1] == 3
        and 8 <= sides[0][2] <= LARGEST_SIDE and 2 <= sides[1][2] <= MOST_CLASSES
    )  # fmt: skip
    if not fits:
        raise _Unfit(
            f"takes {sides[0]} (type {kinds[0]}) and gives {sides[1]} (type {kinds[1]}); a model takes (n, 3, height, "
            "columns) uint8 and gives (n, columns, classes) float32"
        )


def _seal(model: Any, record: str) -> str:
    digest = hashlib.sha256(model.graph.SerializeToString(deterministic=True))
    digest.update(record.encode())
    return digest.hexdigest()

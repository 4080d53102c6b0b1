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
from storage.networks.records import record_from
from storage.networks.shapes import RULES, require_bounded
from storage.networks.unfit import Unfit
from storage.networks.wire import notes_of, require_lean

FORMAT = 1
OPSET = 17  # of ONNX's operators, which training exports
RECORD, SEAL = "captchas.record", "captchas.seal"  # keys of the file's metadata
MOST_BYTES = 64_000_000
CLASSIC = b"PK"  # how a classic model begins, as ZIP archives do
MOST_NODES = 500
MOST_CLASSES = 256
LARGEST_SIDE = 512  # pixels of a picture
OPERATORS = frozenset(RULES)  # a file with any other is refused before onnxruntime sees it
# The shipped file was checked when it was made, so no library has to parse it: its sha256, then height and classes.
_SHIPPED = {"22baa7660cc1c22a36b8541fbd741fcd3719f1d45093a99dfb1d918cc7b90b78": (40, 63)}
_FLOAT, _INT64 = 1, 7  # ONNX's numbers of the types
_ARRAYS = {_FLOAT: 4, _INT64: 8}  # bytes of an element, by ONNX's number of its type: float32, int64
_MOST_AXES, _MOST_WHOLE, _MOST_TYPED = 8, 8, 1 << 12  # of an array; int64 numbers in it; numbers that are not raw bytes


@dataclass(frozen=True, eq=False)
class DeepModel:
    """A checked model.

    network : bytes of the ONNX file
    record : its provenance, JSON values
    height : pixels of a picture
    classes : outputs of a column
    name : what messages call it
    """

    network: bytes
    record: dict[str, Any]
    height: int
    classes: int
    name: str = "model"


def is_deep(path: str | Place) -> bool:
    """Tell whether a file that is there is no classic model: those begin as ZIP archives do.

    Raises
    ------
    NotThere, Damaged
    """
    return not model_bytes(path, first=4).startswith(CLASSIC)


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
    return check_model(str(path), model_bytes(path, MOST_BYTES))


@functools.lru_cache(maxsize=4)
def check_model(path: str, data: bytes) -> DeepModel:
    """Check the bytes of a model that is at a path, or will be; raise as `load_deep_model` does."""
    if sides := _SHIPPED.get(hashlib.sha256(data).hexdigest()):
        return DeepModel(data, json.loads(notes_of(data)[RECORD]), *sides, f"model {path}")
    import onnx

    try:
        require_lean(data)
        model = onnx.load_model_from_string(data)
    except Unfit as error:
        raise Damaged(f"model {path}: {error}; it was not loaded. Train it again") from error
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
    except Unfit as error:
        raise Damaged(f"model {path}: {error}; it was not loaded. Train it again") from error
    if _seal(model, notes[RECORD]) != notes[SEAL]:
        raise Damaged(f"model {path}: its bytes differ from those that were sealed; restore it or train again")
    try:
        record = record_from(notes[RECORD])
        number = record.get("format")
        learnt_texts(record)
    except (ValueError, TypeError) as error:
        raise Damaged(f"model {path}: its record is not that of a model ({error}); train it again") from error
    if number != FORMAT:
        raise Damaged(f"model {path}: format {number}; this version reads format {FORMAT}. Train it again")
    height = model.graph.input[0].type.tensor_type.shape.dim[2].dim_value
    classes = model.graph.output[0].type.tensor_type.shape.dim[2].dim_value
    return DeepModel(data, record, height, classes, f"model {path}")


def _require_plain(model: Any) -> None:
    opsets = [(entry.domain, entry.version) for entry in model.opset_import]
    if opsets != [("", OPSET)]:
        raise Unfit(f"needs operators of opset {opsets}; a model needs {OPSET} of ONNX's own")
    graph = model.graph
    if len(model.functions) or len(model.training_info) or len(graph.sparse_initializer):
        raise Unfit("has functions or parts for training, which no model has")
    if len(graph.value_info) or len(graph.quantization_annotation):
        raise Unfit("says what shapes its values have, which no model does")
    if len(graph.node) > MOST_NODES:
        raise Unfit(f"has {len(graph.node)} operators; at most {MOST_NODES} are allowed")
    for node in graph.node:
        if node.domain or node.op_type not in OPERATORS:
            raise Unfit(
                f"has the operator {node.domain}{'.' * bool(node.domain)}{node.op_type}, which no model has; allowed "
                f"are {', '.join(sorted(OPERATORS))}"
            )
        for attribute in node.attribute:
            if attribute.HasField("g") or len(attribute.graphs) or len(attribute.sparse_tensors):
                raise Unfit(f"has a graph within the operator {node.op_type}, which no model has")
            if attribute.HasField("t"):
                _require_array(attribute.t, node.op_type)
    for array in graph.initializer:
        _require_array(array, array.name)
    _require_ends(graph)
    require_bounded(graph)


def _require_array(array: Any, name: str) -> None:
    if array.data_location or len(array.external_data):
        raise Unfit(f"keeps {name} in another file, which no model does")
    told = f"has an array {name} of shape {tuple(array.dims[:_MOST_AXES])} and type {array.data_type}"
    if array.data_type not in _ARRAYS or len(array.dims) > _MOST_AXES or array.HasField("segment"):
        raise Unfit(f"{told}, which no model has")
    size = math.prod(array.dims)
    if any(not 1 <= side <= 1 << 20 for side in array.dims) or (array.data_type == _INT64 and size > _MOST_WHOLE):
        raise Unfit(f"{told}, which no model has")
    typed = {_FLOAT: array.float_data, _INT64: array.int64_data}[array.data_type]
    if len(array.raw_data) not in (0, size * _ARRAYS[array.data_type]):
        raise Unfit(f"{told}, with {len(array.raw_data)} bytes")
    if len(typed) != (0 if array.raw_data else size) or size > _MOST_TYPED * (1 if typed else size):
        raise Unfit(f"{told}, without its bytes")
    if len(array.int32_data) or len(array.string_data) or len(array.double_data) or len(array.uint64_data):
        raise Unfit(f"{told}, with numbers of another type")
    if array.data_type == _FLOAT and not all(_finite(part) for part in (array.raw_data, typed)):
        raise Unfit(f"has an array {name} with numbers that are not finite")


def _finite(numbers: Any) -> bool:
    """Return whether all float32 numbers, of raw bytes or of a list, are finite."""
    array = np.frombuffer(numbers, "<f4") if isinstance(numbers, bytes) else np.array(numbers, np.float32)
    return bool(np.isfinite(array).all())


def _require_ends(graph: Any) -> None:
    if len(graph.input) != 1 or len(graph.output) != 1:
        raise Unfit(f"has {len(graph.input)} inputs and {len(graph.output)} outputs; a model has one of each")
    ends = [end.type.tensor_type for end in (graph.input[0], graph.output[0])]
    sides = [[side.dim_value for side in end.shape.dim] for end in ends]
    kinds = [end.elem_type for end in ends]
    free = [side.dim_param for end in ends for side in end.shape.dim]
    fixed = [side.HasField("dim_value") for end in ends for side in end.shape.dim]
    fits = (
        kinds == [2, 1] and len(sides[0]) == 4 and len(sides[1]) == 3 and sides[0][1] == 3
        and 8 <= sides[0][2] <= LARGEST_SIDE and 2 <= sides[1][2] <= MOST_CLASSES
        and not any((fixed[0], *fixed[3:6])) and free[0] != free[3]
    )  # fmt: skip
    if not fits:
        raise Unfit(
            f"takes {sides[0]} (type {kinds[0]}) and gives {sides[1]} (type {kinds[1]}); a model takes (n, 3, height, "
            "width) uint8 of any n and width, and gives (n, columns, classes) float32"
        )


def _seal(model: Any, record: str) -> str:
    digest = hashlib.sha256(model.graph.SerializeToString(deterministic=True))
    digest.update(record.encode())
    return digest.hexdigest()

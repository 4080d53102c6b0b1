"""The shape of everything that a network computes, by arithmetic: no value may grow, and no step may take long."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from storage.networks.unfit import Unfit

AT_ONCE = 64  # pictures that are read in a run; larger batches take more memory and are no faster
WIDEST = 512  # pixels of a picture
STRIDE = 4  # pixels of a picture to a column of the scores
MOST_ALIVE = 128 << 20  # numbers that must be kept at a time: 512 MB of float32; the shipped model needs a quarter
MOST_WORK = 4 << 30  # products and sums of one picture; the shipped model has a tenth
_NARROW = 64  # pixels: a picture of a second width, by which the columns are told from a constant
_UINT8, _FLOAT, _INT64 = 2, 1, 7  # ONNX's numbers of the types

Sides = tuple[int, ...]


class _Value(NamedTuple):
    """What is known of a value: its type and sides; of small arrays of whole numbers, also what they hold."""

    kind: int
    sides: Sides
    holds: tuple[int, ...] | None = None


class _Step(NamedTuple):
    """A node: what it takes, and its attributes."""

    operator: str
    takes: tuple[_Value, ...]
    attributes: dict[str, Any]


def require_bounded(graph: Any) -> None:
    """Compute all shapes for the widest pictures, and refuse a network that grows, takes long, or gives other shapes.

    Each operator must take what the operator before it gave, so that there is one order to run them in, and what must
    be kept at a time is known.

    Parameters
    ----------
    graph : onnx.GraphProto
        Of one input (n, 3, height, width) uint8.

    Raises
    ------
    Unfit
    """
    height = graph.input[0].type.tensor_type.shape.dim[2].dim_value
    classes = graph.output[0].type.tensor_type.shape.dim[2].dim_value
    for pictures, width in ((AT_ONCE, WIDEST), (1, _NARROW)):
        given = _computed(graph, (pictures, 3, height, width))
        wanted = (pictures, width // STRIDE, classes)
        if given.kind != _FLOAT or given.sides != wanted:
            raise Unfit(
                f"gives {given.sides} (type {given.kind}) for {pictures} pictures of {width} px; a model gives "
                f"{wanted} float32"
            )


class _Memory:
    """What must be kept while a network runs: the numbers of each value, by name, until its last use."""

    def __init__(self, graph: Any, sides: Sides):
        self._last_use = {name: place for place, node in enumerate(graph.node) for name in node.input}
        self._alive = {graph.input[0].name: math.prod(sides)}
        self._copied = 0
        self._told = f"for {sides[0]} pictures of {sides[3]} px"

    def copy(self, size: int) -> None:
        """Count an array that is kept to the end."""
        self._copied += size

    def keep(self, name: str, size: int, place: int, operator: str) -> None:
        """Count a value, then forget those that no later operator takes.

        Raises
        ------
        Unfit
        """
        self._alive[name] = size
        needed = sum(self._alive.values()) + self._copied
        if needed > MOST_ALIVE:
            raise Unfit(
                f"needs {needed:,} numbers at a time at the operator {operator}, {self._told}; at most {MOST_ALIVE:,} "
                "are allowed"
            )
        self._alive = {own: size for own, size in self._alive.items() if self._last_use.get(own, -1) > place}


def _computed(graph: Any, sides: Sides) -> _Value:
    """Return what the network gives for pictures of these sides."""
    before = graph.input[0].name
    arrays = {array.name: _array(array) for array in graph.initializer}
    values = {**arrays, before: _Value(_UINT8, sides)}
    if len(values) <= len(graph.initializer):
        raise Unfit("has two values of one name")
    constants, memory, work = set(arrays), _Memory(graph, sides), 0
    for place, node in enumerate(graph.node):
        step = _step(node, values)
        value, (name,) = RULES[step.operator](step), node.output
        if not name or name in values:
            raise Unfit(f"has two values of the name {name!r}")
        values[name] = value
        if step.operator in _CONSTANTS and constants.issuperset(node.input):
            constants.add(name)
            memory.copy(math.prod(value.sides))
            continue
        if before not in node.input:
            raise Unfit(f"has the operator {step.operator}, which does not take what the operator before it gives")
        before, work = name, work + _work(step, value)
        memory.keep(name, math.prod(value.sides), place, step.operator)
        if work > MOST_WORK * sides[0]:
            raise Unfit(f"takes over {MOST_WORK:,} products and sums a picture of {sides[3]} px")
    if graph.output[0].name != before:
        raise Unfit(f"gives {graph.output[0].name!r}, which is not what the last operator gives")
    return values[before]


def _step(node: Any, values: dict[str, _Value]) -> _Step:
    unknown = [name for name in node.input if name not in values]
    if unknown or len(node.output) != 1:
        raise Unfit(f"has the operator {node.op_type} from {list(node.input)} to {list(node.output)}; a model has none")
    attributes = {attribute.name: attribute for attribute in node.attribute}
    known = _ATTRIBUTES[node.op_type]
    if not attributes.keys() <= known.keys() or len(attributes) < len(node.attribute):
        raise Unfit(
            f"has the operator {node.op_type} with {', '.join(attributes)}; its attributes are "
            f"{', '.join(known) or 'none'}"
        )
    for name, attribute in attributes.items():
        if attribute.type != known[name]:
            raise Unfit(f"has the operator {node.op_type} with {name} of type {attribute.type}, not {known[name]}")
    return _Step(node.op_type, tuple(values[name] for name in node.input), attributes)


def _array(array: Any) -> _Value:
    holds = None
    if array.data_type == _INT64:
        raw = array.raw_data
        holds = tuple(array.int64_data) or tuple(
            int.from_bytes(raw[at : at + 8], "little", signed=True) for at in range(0, len(raw), 8)
        )
    return _Value(array.data_type, tuple(array.dims), holds)


def _work(step: _Step, value: _Value) -> int:
    size = math.prod(value.sides)
    if step.operator == "Conv":
        size *= math.prod(step.takes[1].sides[1:])
    return max(size, *(math.prod(taken.sides) for taken in step.takes))


def _refused(step: _Step) -> Unfit:
    told = ", ".join(f"{taken.sides} of type {taken.kind}" for taken in step.takes)
    return Unfit(f"has the operator {step.operator} of {told or 'nothing'} in a form that no model has")


def _constant(step: _Step) -> _Value:
    if len(step.takes) or "value" not in step.attributes:
        raise _refused(step)
    return _array(step.attributes["value"].t)


def _identity(step: _Step) -> _Value:
    if len(step.takes) != 1:
        raise _refused(step)
    return step.takes[0]


def _cast(step: _Step) -> _Value:
    if len(step.takes) != 1 or "to" not in step.attributes or step.attributes["to"].i != _FLOAT:
        raise _refused(step)
    return _Value(_FLOAT, step.takes[0].sides)


def _elementwise(step: _Step) -> _Value:
    """Let an argument keep its sides: the other is as large, or is repeated along sides of 1."""
    if len(step.takes) != _ARGUMENTS[step.operator] or any(taken.kind != _FLOAT for taken in step.takes):
        raise _refused(step)
    sides = [taken.sides for taken in step.takes]
    rank = max(map(len, sides))
    padded = [(1,) * (rank - len(own)) + own for own in sides]
    joined = tuple(max(pair) for pair in zip(*padded, strict=True))
    fits = all(side in (1, whole) for own in padded for side, whole in zip(own, joined, strict=True))
    if not fits or joined not in padded:  # a row and a column would make a table
        raise _refused(step)
    return _Value(_FLOAT, joined)


def _mean(step: _Step) -> _Value:
    (taken, *rest) = step.takes or (None,)
    axes = tuple(step.attributes["axes"].ints) if "axes" in step.attributes else None
    kept = step.attributes["keepdims"].i if "keepdims" in step.attributes else 1
    if taken is None or rest or taken.kind != _FLOAT or kept != 1 or not axes:
        raise _refused(step)
    if any(not 0 <= axis < len(taken.sides) for axis in axes):
        raise _refused(step)
    return _Value(_FLOAT, tuple(1 if axis in axes else side for axis, side in enumerate(taken.sides)))


def _squeeze(step: _Step) -> _Value:
    if len(step.takes) != 2 or step.takes[1].kind != _INT64 or step.takes[0].kind != _FLOAT:
        raise _refused(step)
    sides, axes = step.takes[0].sides, step.takes[1].holds or ()
    if not axes or len(set(axes)) < len(axes) or any(not 0 <= axis < len(sides) or sides[axis] != 1 for axis in axes):
        raise _refused(step)
    return _Value(_FLOAT, tuple(side for axis, side in enumerate(sides) if axis not in axes))


def _transpose(step: _Step) -> _Value:
    if len(step.takes) != 1 or step.takes[0].kind != _FLOAT or "perm" not in step.attributes:
        raise _refused(step)
    sides, order = step.takes[0].sides, list(step.attributes["perm"].ints)
    if sorted(order) != list(range(len(sides))):
        raise _refused(step)
    return _Value(_FLOAT, tuple(sides[axis] for axis in order))


def _conv(step: _Step) -> _Value:
    """Let a convolution make pictures no larger, with weights that fit."""
    fits = 2 <= len(step.takes) <= 3 and all(taken.kind == _FLOAT for taken in step.takes)
    fits = fits and len(step.takes[0].sides) == len(step.takes[1].sides) == 4
    if not fits:
        raise _refused(step)
    (n, channels, *spatial), (outputs, inputs, *kernel) = step.takes[0].sides, step.takes[1].sides
    asked = {name: list(step.attributes[name].ints) for name in _CONV_LISTS if name in step.attributes}
    group = step.attributes["group"].i if "group" in step.attributes else 1
    pads, strides = asked.get("pads", [0] * 4), asked.get("strides", [1, 1])
    fits = (
        group >= 1 and channels == inputs * group and outputs % group == 0
        and asked.get("kernel_shape", kernel) == kernel and asked.get("dilations", [1, 1]) == [1, 1]
        and len(pads) == 4 and len(strides) == 2 and all(stride >= 1 for stride in strides)
        and all(0 <= pad < side for pad, side in zip(pads, kernel * 2, strict=True))
        and step.takes[2:] in ((), (_Value(_FLOAT, (outputs,)),))
    )  # fmt: skip
    after = tuple(
        (side + pads[axis] + pads[axis + 2] - kernel[axis]) // strides[axis] + 1 if fits else 0
        for axis, side in enumerate(spatial)
    )
    if not fits or min(after) < 1 or any(end > side for end, side in zip(after, spatial, strict=True)):
        raise _refused(step)
    return _Value(_FLOAT, (n, outputs, *after))


_INT, _INTS, _TENSOR = 2, 7, 4  # ONNX's numbers of the types of attributes
_CONV_LISTS = ("kernel_shape", "dilations", "pads", "strides")
_ARGUMENTS = {"Add": 2, "Div": 2, "Mul": 2, "Relu": 1, "Sqrt": 1, "Sub": 2}
_CONSTANTS = frozenset({"Constant", "Identity"})
# What a network of ours is made of, as training exports it. A file with any other operator is refused.
RULES: dict[str, Callable[[_Step], _Value]] = {
    "Add": _elementwise, "Cast": _cast, "Constant": _constant, "Conv": _conv, "Div": _elementwise,
    "Identity": _identity, "Mul": _elementwise, "ReduceMean": _mean, "Relu": _elementwise, "Sqrt": _elementwise,
    "Squeeze": _squeeze, "Sub": _elementwise, "Transpose": _transpose,
}  # fmt: skip
_ATTRIBUTES: dict[str, dict[str, int]] = {operator: {} for operator in RULES} | {
    "Cast": {"to": _INT}, "Constant": {"value": _TENSOR}, "ReduceMean": {"axes": _INTS, "keepdims": _INT},
    "Transpose": {"perm": _INTS}, "Conv": {"group": _INT, **dict.fromkeys(_CONV_LISTS, _INTS)},
}  # fmt: skip

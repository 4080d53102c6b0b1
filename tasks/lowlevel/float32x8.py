"""Eight float32 at once: numba makes no vectors of such short loops, since its arrays may overlap.

No bounds are checked: the caller's arrays reach at least 8 values past each index.
"""

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from tasks.lowlevel.llvm import pointer, repeated

_EIGHT, _BYTES = ir.VectorType(ir.FloatType(), 8), ir.VectorType(ir.IntType(8), 8)


def _load(context, builder, array_type, array, index):
    value = builder.load(pointer(context, builder, array_type, array, index, _EIGHT))
    value.align = 4
    return value


def _store(context, builder, array_type, array, index, value):
    builder.store(value, pointer(context, builder, array_type, array, index, _EIGHT)).align = 4


def _choose(builder, value, other, order):
    """Keep the values for which `value order other` holds, and take the others from `other`."""
    return builder.select(builder.fcmp_ordered(order, value, other), value, other)


def _store_bytes(context, builder, array_type, array, index, value):
    """Store values as bytes: limited to 0 … 255, fractions dropped."""
    value = _choose(builder, value, ir.Constant(_EIGHT, [0.0] * 8), ">")
    value = _choose(builder, value, ir.Constant(_EIGHT, [255.0] * 8), "<")
    numbers = builder.fptosi(value, ir.VectorType(ir.IntType(32), 8))
    place = pointer(context, builder, array_type, array, index, _BYTES)
    builder.store(builder.trunc(numbers, _BYTES), place).align = 1


@intrinsic
def copy8(typing_context, table, source, target):
    """Copy: `table[target:target + 8] = table[source:source + 8]`."""

    def codegen(context, builder, signature, args):
        value = _load(context, builder, signature.args[0], args[0], args[1])
        _store(context, builder, signature.args[0], args[0], args[2], value)
        return context.get_dummy_value()

    return types.void(table, types.uintp, types.uintp), codegen


@intrinsic
def mix8(typing_context, table, high, low, part_x, part_y, out, place):
    """Interpolate bilinearly into `out[place:place + 8]`.

    The upper values are in `table` at `high`, the lower values at `low`, the right neighbours of both 8 further.
    """

    def codegen(context, builder, signature, args):
        def rows(index):
            left = _load(context, builder, signature.args[0], args[0], index)
            further = builder.add(index, ir.Constant(index.type, 8))
            right = _load(context, builder, signature.args[0], args[0], further)
            return builder.fadd(left, builder.fmul(across, builder.fsub(right, left)))

        across, down = repeated(builder, args[3], _EIGHT), repeated(builder, args[4], _EIGHT)
        upper, lower = rows(args[1]), rows(args[2])
        value = builder.fadd(upper, builder.fmul(down, builder.fsub(lower, upper)))
        _store(context, builder, signature.args[5], args[5], args[6], value)
        return context.get_dummy_value()

    real, index = types.float32, types.uintp
    return types.void(table, index, index, real, real, out, index), codegen


@intrinsic
def blend8(typing_context, table, first, second, part, out, place):
    """Interpolate into `out[place:place + 8]`: `table` at `first` if `part` is 0, `table` at `second` if it is 1."""

    def codegen(context, builder, signature, args):
        left, right = (_load(context, builder, signature.args[0], args[0], index) for index in (args[1], args[2]))
        value = builder.fadd(left, builder.fmul(repeated(builder, args[3], _EIGHT), builder.fsub(right, left)))
        _store(context, builder, signature.args[4], args[4], args[5], value)
        return context.get_dummy_value()

    real, index = types.float32, types.uintp
    return types.void(table, index, index, real, out, index), codegen


@intrinsic
def bytes8(typing_context, line, first, second, share, out, where):
    """Write `(line[second] - line[first]) * share` of eight values to `out` as bytes, rounded, from 0 to 255."""

    def codegen(context, builder, signature, args):
        left, right = (_load(context, builder, signature.args[0], args[0], index) for index in (args[1], args[2]))
        value = builder.fmul(builder.fsub(right, left), repeated(builder, args[3], _EIGHT))
        value = builder.fadd(value, ir.Constant(_EIGHT, [0.5] * 8))
        _store_bytes(context, builder, signature.args[4], args[4], args[5], value)
        return context.get_dummy_value()

    index = types.uintp
    return types.void(line, index, index, types.float32, out, index), codegen


@intrinsic
def roots8(typing_context, line, above, place, share, out, where):
    """Write `sqrt(share * sum)` of eight cells to `out` as bytes, limited to 255.

    The sum of a cell follows from its four corners in two rows of a summed-area table: at `place` and 8 further,
    in `above` and in `line`. `out` is C-contiguous.
    """

    def codegen(context, builder, signature, args):
        further = builder.add(args[2], ir.Constant(args[2].type, 8))
        (left, right), (left_above, right_above) = (
            [_load(context, builder, signature.args[k], args[k], index) for index in (args[2], further)] for k in (0, 1)
        )
        value = builder.fsub(builder.fsub(right, left), builder.fsub(right_above, left_above))
        value = builder.fmul(value, repeated(builder, args[3], _EIGHT))
        value = _choose(builder, value, ir.Constant(_EIGHT, [0.0] * 8), ">")
        root = builder.module.declare_intrinsic("llvm.sqrt.v8f32", (), ir.FunctionType(_EIGHT, [_EIGHT]))
        _store_bytes(context, builder, signature.args[4], args[4], args[5], builder.call(root, [value]))
        return context.get_dummy_value()

    index = types.uintp
    return types.void(line, above, index, types.float32, out, index), codegen

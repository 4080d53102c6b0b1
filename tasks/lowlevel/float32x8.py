"""Eight float32 at once: numba makes no vectors of loops so short, since two of its arrays may be one.

No bounds are checked: the caller's arrays reach at least 8 values past each index.
"""

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

_EIGHT = ir.VectorType(ir.FloatType(), 8)


def _load(context, builder, array_type, array, index):
    data = context.make_array(array_type)(context, builder, array).data
    value = builder.load(builder.bitcast(builder.gep(data, [index]), _EIGHT.as_pointer()))
    value.align = 4
    return value


def _all(builder, number):
    """A vector of eight times one float."""
    one = builder.insert_element(ir.Constant(_EIGHT, ir.Undefined), number, ir.Constant(ir.IntType(32), 0))
    places = ir.Constant(ir.VectorType(ir.IntType(32), 8), [0] * 8)
    return builder.shuffle_vector(one, ir.Constant(_EIGHT, ir.Undefined), places)


def _least(builder, one, other, order):
    return builder.select(builder.fcmp_ordered(order, one, other), one, other)


def _store_bytes(context, builder, array_type, array, index, value):
    """Cut at 0 and 255, truncated."""
    value = _least(builder, value, ir.Constant(_EIGHT, [0.0] * 8), ">")
    value = _least(builder, value, ir.Constant(_EIGHT, [255.0] * 8), "<")
    numbers = builder.fptosi(value, ir.VectorType(ir.IntType(32), 8))
    eight_bytes = ir.VectorType(ir.IntType(8), 8)
    data = context.make_array(array_type)(context, builder, array).data
    pointer = builder.bitcast(builder.gep(data, [index]), eight_bytes.as_pointer())
    builder.store(builder.trunc(numbers, eight_bytes), pointer).align = 1


@intrinsic
def copy8(typing_context, table, one, other):
    """`table[other:other + 8] = table[one:one + 8]`."""

    def codegen(context, builder, signature, args):
        value = _load(context, builder, signature.args[0], args[0], args[1])
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        builder.store(value, builder.bitcast(builder.gep(data, [args[2]]), _EIGHT.as_pointer())).align = 4
        return context.get_dummy_value()

    return types.void(table, types.uintp, types.uintp), codegen


@intrinsic
def mix8(typing_context, table, high, low, part_x, part_y, out, place):
    """Bilinear: `out[place:place + 8]` from `table` at `high` and `low` and, eight further, their right neighbours."""

    def codegen(context, builder, signature, args):
        def rows(index):
            left = _load(context, builder, signature.args[0], args[0], index)
            further = builder.add(index, ir.Constant(index.type, 8))
            right = _load(context, builder, signature.args[0], args[0], further)
            return builder.fadd(left, builder.fmul(across, builder.fsub(right, left)))

        across, down = _all(builder, args[3]), _all(builder, args[4])
        one, other = rows(args[1]), rows(args[2])
        value = builder.fadd(one, builder.fmul(down, builder.fsub(other, one)))
        data = context.make_array(signature.args[5])(context, builder, args[5]).data
        builder.store(value, builder.bitcast(builder.gep(data, [args[6]]), _EIGHT.as_pointer())).align = 4
        return context.get_dummy_value()

    real, index = types.float32, types.uintp
    return types.void(table, index, index, real, real, out, index), codegen


@intrinsic
def blend8(typing_context, table, one, other, part, out, place):
    """Linear: `out[place:place + 8]` between `table` at `one`, where `part` is 0, and at `other`."""

    def codegen(context, builder, signature, args):
        left, right = (_load(context, builder, signature.args[0], args[0], index) for index in (args[1], args[2]))
        value = builder.fadd(left, builder.fmul(_all(builder, args[3]), builder.fsub(right, left)))
        data = context.make_array(signature.args[4])(context, builder, args[4]).data
        builder.store(value, builder.bitcast(builder.gep(data, [args[5]]), _EIGHT.as_pointer())).align = 4
        return context.get_dummy_value()

    real, index = types.float32, types.uintp
    return types.void(table, index, index, real, out, index), codegen


@intrinsic
def bytes8(typing_context, line, one, other, share, out, where):
    """`line` at `other` less `line` at `one`, times `share`, rounded and cut at 0 and 255, as eight bytes of `out`."""

    def codegen(context, builder, signature, args):
        left, right = (_load(context, builder, signature.args[0], args[0], index) for index in (args[1], args[2]))
        value = builder.fmul(builder.fsub(right, left), _all(builder, args[3]))
        value = builder.fadd(value, ir.Constant(_EIGHT, [0.5] * 8))
        _store_bytes(context, builder, signature.args[4], args[4], args[5], value)
        return context.get_dummy_value()

    index = types.uintp
    return types.void(line, index, index, types.float32, out, index), codegen


@intrinsic
def roots8(typing_context, line, above, place, share, out, where):
    """Square roots of eight cells between two rows of corners, times `share` before, cut at 255, as bytes of `out`.

    A cell's corners are at `place` and eight further, in `above` and in `line`; `out` is C-contiguous.
    """

    def codegen(context, builder, signature, args):
        further = builder.add(args[2], ir.Constant(args[2].type, 8))
        (left, right), (left_above, right_above) = (
            [_load(context, builder, signature.args[k], args[k], index) for index in (args[2], further)] for k in (0, 1)
        )
        value = builder.fsub(builder.fsub(right, left), builder.fsub(right_above, left_above))
        value = builder.fmul(value, _all(builder, args[3]))
        value = _least(builder, value, ir.Constant(_EIGHT, [0.0] * 8), ">")
        root = builder.module.declare_intrinsic("llvm.sqrt.v8f32", (), ir.FunctionType(_EIGHT, [_EIGHT]))
        _store_bytes(context, builder, signature.args[4], args[4], args[5], builder.call(root, [value]))
        return context.get_dummy_value()

    index = types.uintp
    return types.void(line, above, index, types.float32, out, index), codegen

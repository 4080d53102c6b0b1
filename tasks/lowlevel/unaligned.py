"""Eight bytes at once, at any address: what numba has no word for.

No bounds are checked: the caller's array reaches at least 8 bytes past `index`.
"""

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

_WORD = ir.IntType(64)


def _pointer(context, builder, signature, args):
    array = context.make_array(signature.args[0])(context, builder, args[0])
    return builder.bitcast(builder.gep(array.data, [args[1]]), _WORD.as_pointer())


@intrinsic
def load64(typing_context, array, index):
    """Bytes `index` to `index + 8` of a C-contiguous uint8 array as a uint64, little end first."""

    def codegen(context, builder, signature, args):
        value = builder.load(_pointer(context, builder, signature, args))
        value.align = 1
        return value

    return types.uint64(array, types.uintp), codegen


@intrinsic
def store64(typing_context, array, index, value):
    """Write a uint64 over bytes `index` to `index + 8` of a C-contiguous uint8 array."""

    def codegen(context, builder, signature, args):
        builder.store(args[2], _pointer(context, builder, signature, args)).align = 1
        return context.get_dummy_value()

    return types.void(array, types.uintp, types.uint64), codegen


@intrinsic
def trailing_zeros(typing_context, value):
    """How many of the lowest bits of a uint64 other than 0 are 0."""

    def codegen(context, builder, signature, args):
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(types.uint64), codegen

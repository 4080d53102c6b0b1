"""Eight bytes at once, at any address, which numba offers no function for.

No bounds are checked: the caller's array reaches at least 8 bytes past `index`.
"""

import numba
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from tasks.lowlevel.llvm import pointer

WORD = 8  # bytes that are read or written at once
_U64 = ir.IntType(64)


@numba.njit
def padded(count):
    """Round a number of bytes up to whole words."""
    return (count + WORD - 1) & ~(WORD - 1)


@intrinsic
def load64(typing_context, array, index):
    """Read bytes `index` to `index + 8` of a C-contiguous uint8 array as a little-endian uint64."""

    def codegen(context, builder, signature, args):
        value = builder.load(pointer(context, builder, signature.args[0], args[0], args[1], _U64))
        value.align = 1
        return value

    return types.uint64(array, types.uintp), codegen


@intrinsic
def store64(typing_context, array, index, value):
    """Write a uint64 over bytes `index` to `index + 8` of a C-contiguous uint8 array."""

    def codegen(context, builder, signature, args):
        builder.store(args[2], pointer(context, builder, signature.args[0], args[0], args[1], _U64)).align = 1
        return context.get_dummy_value()

    return types.void(array, types.uintp, types.uint64), codegen


@intrinsic
def trailing_zeros(typing_context, value):
    """Count the lowest bits that are 0, of a uint64 other than 0."""

    def codegen(context, builder, signature, args):
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(types.uint64), codegen

"""LLVM code that the intrinsics of this room share: the address of an array's element, a vector of equal numbers."""

from llvmlite import ir
from numba.core import types
from numba.core.base import BaseContext

_I32 = ir.IntType(32)


def pointer(
    context: BaseContext, builder: ir.IRBuilder, array_type: types.Array, array: ir.Value, index: ir.Value, to: ir.Type
) -> ir.Value:
    """Return the address of element `index` of a C-contiguous array, as a pointer to values of type `to`."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), to.as_pointer())


def repeated(builder: ir.IRBuilder, number: ir.Value, vector: ir.VectorType) -> ir.Value:
    """Return a vector of type `vector` with `number` in every place."""
    undefined = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(undefined, number, ir.Constant(_I32, 0))
    places = ir.Constant(ir.VectorType(_I32, vector.count), [0] * vector.count)
    return builder.shuffle_vector(first, undefined, places)

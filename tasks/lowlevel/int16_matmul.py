"""Multiply bytes with a matrix in integers of 16 bits: twice as fast as float32, and equal on every machine.

The inputs of a network are bytes, and most of its work is to multiply them with the weights of its first layer.
Rounding the weights to 16 bits changes a sum by some hundred-thousandths of the largest sum. The sums have 32 bits and
are exact.
"""

from dataclasses import dataclass

import llvmlite.binding
import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from tasks.lowlevel.llvm import pointer, repeated

_LANES = 8  # sums in a vector
_ROWS, _PANELS = (
    6,
    2,
)  # of a tile: its sums, two vectors of weights and a vector of bytes fit into 16 registers
_WIDE = _LANES * _PANELS
_BLOCK = 8 * _ROWS  # rows that are multiplied with two panels in turn, while the panels are in the first cache
_MOST = (1 << 31) - 1
_I16, _I32 = ir.IntType(16), ir.IntType(32)
_PAIRS, _SUMS = ir.VectorType(_I16, 2 * _LANES), ir.VectorType(_I32, _LANES)


@dataclass(frozen=True)
class Packed:
    """A matrix of K x H weights and H biases, rounded and laid out for `multiply`.

    panels : (P, K // 2, 16) int16
        A panel has eight columns, two rows of them interleaved. Zeros fill the last tile.
    step, bias : (8 P,) float32
        Of each column: the weight that the integer 1 stands for, and the bias.
    columns : int
        H, the columns without the zeros.
    """

    panels: np.ndarray
    step: np.ndarray
    bias: np.ndarray
    columns: int


def pack(weights: np.ndarray, bias: np.ndarray) -> Packed:
    """Round `weights` (K, H) to the largest integers whose sums stay in 32 bits, and lay them out; `bias` is (H,)."""
    rows, columns = weights.shape
    weights = np.pad(weights.astype(np.float64), ((0, rows % 2), (0, -columns % _WIDE)))
    largest = np.maximum(np.abs(weights).max(axis=0), 1e-30)
    room = (_MOST / 255 - len(weights)) / np.maximum(np.abs(weights).sum(axis=0) / largest, 1)
    step = largest / np.floor(np.minimum(room, (1 << 15) - 1))
    whole = np.rint(weights / step).astype(np.int16)
    panels = whole.reshape(len(weights) // 2, 2, -1, _LANES).transpose(2, 0, 3, 1)
    padded = np.pad(bias.astype(np.float32), (0, -columns % _WIDE))
    shape = (panels.shape[0], panels.shape[1], 2 * _LANES)
    return Packed(np.ascontiguousarray(panels.reshape(shape)), step.astype(np.float32), padded, columns)


def multiply(X: np.ndarray, packed: Packed) -> np.ndarray:
    """Compute ``X @ weights + bias`` of `X`, (m, K) uint8, as (m, H) float32."""
    out = np.empty((len(X), len(packed.step)), np.float32)
    _multiply(X, packed.panels, packed.step, packed.bias, out)
    return out[:, : packed.columns]


def _has_pairs() -> bool:
    """Return whether this processor multiplies and adds pairs of 16 bits in one instruction (x86 with AVX2)."""
    return bool(llvmlite.binding.get_host_cpu_features().get("avx2"))


def _halves(builder, value):
    """Yield the numbers at even places and those at odd places of 16 numbers, in 32 bits."""
    undefined = ir.Constant(_PAIRS, ir.Undefined)
    for k in (0, 1):
        places = ir.Constant(ir.VectorType(_I32, _LANES), list(range(k, 2 * _LANES, 2)))
        yield builder.sext(builder.shuffle_vector(value, undefined, places), _SUMS)


def _sum_pairs(builder, left, right):
    """Multiply two vectors of 16 numbers, and add each two neighbouring products."""
    if _has_pairs():
        step = ir.FunctionType(_SUMS, [_PAIRS, _PAIRS])
        return builder.call(builder.module.declare_intrinsic("llvm.x86.avx2.pmadd.wd", (), step), [left, right])
    products = [builder.mul(a, b) for a, b in zip(_halves(builder, left), _halves(builder, right), strict=True)]
    return builder.add(*products)


@intrinsic
def _tile(typing_context, block, row, panels, panel, pairs, sums):
    """Multiply `_ROWS` rows of `block`, from `row` on, with `_PANELS` panels, from `panel` on, into `sums`.

    block : (n, 2 * pairs) int16, panels : (P, pairs, 16) int16, sums : (_ROWS, _WIDE) int32; no bounds are checked.
    """

    def codegen(context, builder, signature, args):
        index = args[1].type

        def start(k, to):
            return pointer(context, builder, signature.args[k], args[k], ir.Constant(index, 0), to)

        count = args[4]
        first = builder.mul(args[1], count)
        rows = [
            builder.gep(start(0, _I32), [builder.add(first, builder.mul(count, ir.Constant(index, r)))])
            for r in range(_ROWS)
        ]
        columns = [
            builder.gep(start(2, _PAIRS), [builder.mul(builder.add(args[3], ir.Constant(index, c)), count)])
            for c in range(_PANELS)
        ]
        out = start(5, _SUMS)
        before, loop, after = builder.block, builder.append_basic_block("pairs"), builder.append_basic_block("done")
        builder.branch(loop)
        builder.position_at_end(loop)
        place = builder.phi(index)
        place.add_incoming(ir.Constant(index, 0), before)
        totals = [builder.phi(_SUMS) for _ in range(_ROWS * _PANELS)]
        weights = [builder.load(builder.gep(column, [place])) for column in columns]
        more = []
        for row in rows:
            pair = builder.load(builder.gep(row, [place]))
            pair = builder.bitcast(repeated(builder, pair, _SUMS), _PAIRS)
            more += [_sum_pairs(builder, pair, weight) for weight in weights]
        for load in weights:
            load.align = 2
        following = builder.add(place, ir.Constant(index, 1))
        place.add_incoming(following, loop)
        added = []
        for total, product in zip(totals, more, strict=True):
            added.append(builder.add(total, product))
            total.add_incoming(ir.Constant(_SUMS, [0] * _LANES), before)
            total.add_incoming(added[-1], loop)
        builder.cbranch(builder.icmp_unsigned("<", following, count), loop, after)
        builder.position_at_end(after)
        for number, total in enumerate(added):
            builder.store(total, builder.gep(out, [ir.Constant(_I32, number)])).align = 4
        return context.get_dummy_value()

    number = types.uintp
    return types.void(block, number, panels, number, number, sums), codegen


@numba.njit(cache=True, nogil=True)
def _multiply(X, panels, step, bias, out):
    count, size = X.shape
    pairs = panels.shape[1]
    block, sums = np.zeros((_BLOCK, 2 * pairs), np.int16), np.empty((_ROWS, _WIDE), np.int32)
    for first in range(0, count, _BLOCK):
        here = min(_BLOCK, count - first)
        for n in range(here):
            for k in range(size):
                block[n, k] = X[first + n, k]
        for panel in range(0, len(panels), _PANELS):
            column = panel * _LANES
            for row in range(0, here, _ROWS):
                _tile(block, np.uintp(row), panels, np.uintp(panel), np.uintp(pairs), sums)
                for n in range(min(_ROWS, here - row)):
                    for k in range(_WIDE):
                        out[first + row + n, column + k] = np.float32(sums[n, k]) * step[column + k] + bias[column + k]

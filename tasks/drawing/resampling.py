"""Integer tables for shear, turn and scale: tangents and sines, and the source pixels of each output pixel."""

import functools
from itertools import pairwise
from math import gcd
from typing import NamedTuple

import numpy as np

ONE = 1 << 16  # a pixel, a whole turn, or a sine of 1
HALF = ONE >> 1
PI = 0x3243F6A8885A308D313198A2E  # pi * 2**96
DENSE = 70  # percent; below it a pixel has several samples
WEIGHT_BITS = 14  # fractional bits of a tap's weight


class Taps(NamedTuple):
    """The source pixels of each output pixel, at a scale.

    scale : int, in percent
    start : (N,) int32, the first source pixel
    weight : (N, T) int32, the weight of it and of those after it; each row sums to 2**14
    """

    scale: int
    start: np.ndarray
    weight: np.ndarray


def make_taps(scale: int, count: int) -> Taps:
    """Make the taps of output pixels 0 … count - 1 at `scale` percent."""
    whole = 1 << WEIGHT_BITS
    start = np.zeros(count, np.int32)
    rows = []
    for x in range(count):
        if scale >= 100:
            # Pixel centres: (x + 1/2) * 100 / scale - 1/2, over the denominator 2 * scale.
            numerator, denominator = 100 * (2 * x + 1) - scale, 2 * scale
            start[x] = numerator // denominator
            second = (numerator % denominator * whole + denominator // 2) // denominator
            rows.append([whole - second, second])
        else:
            # In units of 1/scale: source pixel j covers scale units, output pixel x covers 100.
            start[x] = 100 * x // scale
            last = (100 * (x + 1) - 1) // scale
            edges = [100 * x, *((j + 1) * scale for j in range(start[x], last)), 100 * (x + 1)]
            sums = [((edge - 100 * x) * whole + 50) // 100 for edge in edges]
            rows.append([high - low for low, high in pairwise(sums)])
    weight = np.zeros((count, max(map(len, rows))), np.int32)
    for x, row in enumerate(rows):
        weight[x, : len(row)] = row
    return Taps(scale, start, weight)


def tangent(milliradians: int) -> int:
    """Return tan(angle) in 1/65536, from integer series: libm's last bit differs between machines."""
    bits = 96  # fractional bits of the series
    angle = (abs(milliradians) << bits) // 1000
    sine, cosine, term, number = 0, 0, 1 << bits, 0
    while term:
        signed = -term if number % 4 >= 2 else term
        if number % 2:
            sine += signed
        else:
            cosine += signed
        number += 1
        term = (term * angle >> bits) // number
    value = ((sine << 17) // cosine + 1) >> 1
    return value if milliradians >= 0 else -value


def phases(scale: int) -> int:
    """Return the number of source columns after which the output grid repeats."""
    return 100 // gcd(scale, 100)


def sine(number: int, turn: int) -> int:
    """Return sin(2 pi number / turn) in 1/65536, from an integer series: libm's last bit differs between machines."""
    number %= turn
    if 2 * number > turn:
        return -sine(turn - number, turn)
    if 4 * number > turn:
        return sine(turn - 2 * number, 2 * turn)
    angle = 2 * PI * number // turn
    total, term, k = 0, angle, 1
    while term:
        total += -term if k % 4 == 3 else term
        k += 2
        term = (term * angle >> 96) * angle // (k * (k - 1)) >> 96
    return ((total >> 79) + 1) >> 1


@functools.cache
def sines(turn: int) -> np.ndarray:
    """Return the sine of every step of a turn, (turn,) int64, in 1/65536."""
    return np.array([sine(number, turn) for number in range(turn)], np.int64)


def turned(degrees: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return sine and cosine of whole degrees, int64, in 1/65536."""
    table = sines(360)
    return table[degrees % 360], table[(degrees + 90) % 360]


def samples(scale: int) -> int:
    """Return how many samples a pixel takes, in each direction."""
    return 1 if scale >= DENSE else -(-100 // scale)


def sample_places(scale: int, count: int, side: int | None = None) -> np.ndarray:
    """Return the places of the samples of `count` pixels before scaling, (count * side,) int64, in 1/65536 px.

    Pixel centres are whole numbers: sample i of k a pixel lies at (i + 1/2) * 100 / (k * scale) - 1/2. `side` is how
    many samples a pixel has in each direction, by default `samples`.
    """
    side = side or samples(scale)
    return np.array([((2 * i + 1) * 100 * ONE // (side * scale) - ONE) >> 1 for i in range(count * side)], np.int64)

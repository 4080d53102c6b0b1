"""SplitMix64 (Steele, Lea and Flood, 2014): random numbers from a counter, and a mixer of 64 bits for hashes."""

import numba
import numpy as np

GAMMA = np.uint64(0x9E3779B97F4A7C15)  # the step of the counter: 2**64 divided by the golden ratio, made odd
MULTIPLIERS = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)  # of the mixer, variant 13 of Stafford's


def mix(state: np.ndarray) -> np.ndarray:
    """Mix the bits of each number so that every bit of it changes half of the result.

    Parameters
    ----------
    state : ndarray of uint64
        Of any shape.

    Returns
    -------
    ndarray of uint64
        Of the same shape.
    """
    state = (state ^ (state >> np.uint64(30))) * MULTIPLIERS[0]
    state = (state ^ (state >> np.uint64(27))) * MULTIPLIERS[1]
    mixed: np.ndarray = state ^ (state >> np.uint64(31))
    return mixed


mix_one = numba.njit(mix)  # the same function for one number in a kernel


@numba.njit
def output(seed, number):
    """Return output `number`, from 0, of the generator with this seed, as a uint64; numbers may come in any order."""
    return mix_one(np.uint64(seed) + np.uint64(number + 1) * GAMMA)

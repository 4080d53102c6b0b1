"""Texts and random numbers of a picture, from the seed and the picture's index alone."""

import string

import numpy as np

ALPHABET = string.ascii_uppercase + string.digits
LENGTHS = (4, 5)
# Each use has numbers of its own: a place in Philox's counter.
_TEXT, _GENERATOR, _SEED = 1, 2, 3


def text_of(seed: int, index: int, alphabet: str, lengths: tuple[int, ...]) -> str:
    """Return the text that a picture shall show: each length and each letter is as likely as any other."""
    numbers = _numbers(seed, index, _TEXT).random_raw(1 + max(lengths)) >> np.uint64(32)

    def below(place: int, limit: int) -> int:
        return int(numbers[place]) * limit >> 32  # the bias is under limit / 2**32

    length = lengths[below(0, len(lengths))]
    return "".join(alphabet[below(1 + place, len(alphabet))] for place in range(length))


def generator_of(seed: int, index: int) -> np.random.Generator:
    """Return the generator that a picture is drawn with."""
    return np.random.Generator(_numbers(seed, index, _GENERATOR))


def seed_of(seed: int, index: int) -> int:
    """Return a seed of a picture's own, 0 to 2**31 - 1, which fits the smallest integers of most languages."""
    return int(_numbers(seed, index, _SEED).random_raw()) >> 33


def _numbers(seed: int, index: int, use: int) -> np.random.Philox:
    return np.random.Philox(key=[seed, index], counter=[0, 0, 0, use])

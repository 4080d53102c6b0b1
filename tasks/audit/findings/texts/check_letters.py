"""Letters that follow from the others of their text, as a check letter does."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

LEAST_TIMES = 4  # that a letter comes at its place, below which its texts are left out
SPARE = 40  # texts more than unknowns: 2 to this power is the chance that a rule holds for all of them by accident
MOST_UNKNOWN = 700  # values that letters have at all places; more are not solved for


class Check(NamedTuple):
    """A rule that all texts of a length obey: the sum of a value for each letter is the same, modulo a number.

    Rules of the same places modulo several primes, such as 2 and 5, are one modulo their product.

    `places` are those of the letters in it, from 0; `bits` is how much less there is to guess.
    """

    length: int
    texts: int
    modulus: int
    places: tuple[int, ...]
    bits: float


def find_check(texts: Sequence[str]) -> Check | None:
    """Return a rule by which a letter follows, at least in part, from others of its text; None if none was found.

    Each letter at each place may have any value, so the rule is found whatever the order of the letters and the
    weights of the places are: sums, weighted sums, Luhn's, XOR, CRC, and letters that are a copy of others. Hashes that
    are no such sum are not found.

    Parameters
    ----------
    texts : sequence of str
    """
    if not texts:
        return None
    length, _ = Counter(map(len, texts)).most_common(1)[0]
    lines = np.array([[ord(letter) for letter in text] for text in set(texts) if len(text) == length], np.int64)
    lines = np.array(sorted(lines.tolist()), np.int64).reshape(-1, length)
    varied = [place for place in range(length) if len(np.unique(lines[:, place])) > 1]
    numbers = _common(lines)
    sizes = [len(np.unique(column)) for column in numbers.T]
    unknown = 1 + sum(size - 1 for size in sizes)
    if len(varied) < 2:
        return None
    whole, own = len(np.unique(lines)), {place: len(np.unique(lines[:, place])) for place in varied}
    if 3 <= unknown <= min(MOST_UNKNOWN, len(numbers) - SPARE):
        # Texts at equal distances of their order; more than are needed take time and add nothing.
        chosen = numbers[np.linspace(0, len(numbers) - 1, min(len(numbers), unknown + 2 * SPARE)).astype(np.int64)]
        if _rule(*_equations(chosen), own, whole, length, len(chosen)) is None:
            return None
        # A letter that is seldom among the chosen may stand beside another one in all of them.
        return _rule(*_equations(numbers), own, whole, length, len(numbers))
    return next(
        filter(None, (_rule(*some, own, whole, length, len(lines)) for some in _in_orders(lines, varied))), None
    )


def _rule(
    equations: np.ndarray, places: np.ndarray, sizes: dict[int, int], whole: int, length: int, texts: int
) -> Check | None:  # fmt: skip
    """Return the rule that all equations obey, with the modulus that takes most away; None if there is none.

    `sizes` are the letters that come at each place, `whole` those that come anywhere; moduli divide these.
    """
    if len(equations) < equations.shape[1] + SPARE:
        return None
    found = []
    open_to = {place: math.log2(size) for place, size in sizes.items()}  # bits of each letter that are not yet told
    for prime in sorted({prime for size in {*sizes.values(), 2, whole} for prime in _primes(size)}):
        rules = _rules(equations % prime, prime)
        used = np.unique(places[rules.any(axis=0)])
        tied = tuple(used[used >= 0].tolist())
        if len(tied) < 2:
            continue
        bits = 0.0
        for place, count in Counter(places[rule.nonzero()[0][-1]] for rule in rules).items():  # it follows from others
            told = min(open_to.get(place, 0.0), count * math.log2(prime))
            open_to[place] = open_to.get(place, 0.0) - told
            bits += told
        if bits > 0:
            found.append((bits, prime, tied))
    if not found:
        return None
    _, _, tied = max(found)
    modulus = math.prod(prime for _, prime, places_of in found if places_of == tied)
    return Check(length, texts, modulus, tied, sum(bits for bits, _, _ in found))


def _rules(equations: np.ndarray, prime: int) -> np.ndarray:
    """Return the null space of equations, (k, columns), without the places whose numbers are all equal.

    The bytes of "aeiou" are so modulo 2: that is no rule.
    """
    varies = (equations != equations[:1]).any(axis=0)
    varies[0] = True  # the constant
    found = _null_space(equations[:, varies], prime)
    rules = np.zeros((len(found), len(varies)), np.int64)
    rules[:, varies] = found
    return rules


def _in_orders(lines: np.ndarray, varied: list[int]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield equations of fewer unknowns, for few texts: letters as numbers in their usual orders, and as bytes."""
    there = np.unique(lines).tolist()
    for order in (sorted(there), sorted(there, key=lambda code: (chr(code).isdigit(), code)), range(max(there) + 1)):
        rank = np.zeros(max(there) + 1, np.int64)
        rank[list(order)] = np.arange(len(order))
        columns = [np.ones(len(lines), np.int64), *rank[lines[:, varied]].T]
        yield np.stack(columns, axis=1), np.array([-1, *varied])


def _common(lines: np.ndarray) -> np.ndarray:
    """Leave out texts with letters that are seldom at their place, until there are none."""
    while len(lines):
        keep = np.ones(len(lines), bool)
        for column in lines.T:
            _, inverse, counts = np.unique(column, return_inverse=True, return_counts=True)
            keep &= counts[inverse] >= LEAST_TIMES
        if keep.all():
            break
        lines = lines[keep]
    return lines


def _equations(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which values each text has, (texts, unknowns) int64, and of which place each unknown is, -1 for none.

    The first value of each place has no unknown, since a sum's constant stands for it.
    """
    columns, places = [np.ones(len(numbers), np.int64)], [-1]
    for place, column in enumerate(numbers.T):
        for value in np.unique(column)[1:].tolist():
            columns.append((column == value).astype(np.int64))
            places.append(place)
    return np.stack(columns, axis=1), np.array(places)


def _null_space(matrix: np.ndarray, prime: int) -> np.ndarray:
    """Return the vectors that a matrix takes to 0 modulo a prime, (k, columns) int64, by Gauss's elimination."""
    work = np.asarray(matrix % prime, np.int64)
    pivots: list[int] = []
    for column in range(work.shape[1]):
        row = len(pivots)
        below = np.flatnonzero(work[row:, column])
        if not len(below):
            continue
        work[[row, row + below[0]]] = work[[row + below[0], row]]
        work[row] = work[row] * pow(int(work[row, column]), -1, prime) % prime
        others = np.flatnonzero(work[:, column])
        others = others[others != row]
        work[others] = (work[others] - work[others, column, None] * work[row]) % prime
        pivots.append(column)
    free = [column for column in range(work.shape[1]) if column not in set(pivots)]
    out = np.zeros((len(free), work.shape[1]), np.int64)
    for vector, column in zip(out, free, strict=True):
        vector[column] = 1
        vector[pivots] = -work[: len(pivots), column] % prime
    return out


def _primes(number: int) -> list[int]:
    """Return the primes that divide a number."""
    found, prime = [], 2
    while number > 1:
        if number % prime == 0:
            found.append(prime)
            number //= prime
        else:
            prime += 1
    return sorted(set(found))

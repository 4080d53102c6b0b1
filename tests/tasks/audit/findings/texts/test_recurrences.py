"""Texts that follow from the text before are named, random texts and sorted ones are not."""

import string
from collections.abc import Callable

import numpy as np
import pytest

from tasks.audit.findings.texts.recurrences import told_recurrence
from tasks.audit.findings.texts.repeated_texts import find_repeats
from tasks.audit.findings.texts.text_defects import find_frequencies

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
LCG = tuple[int, int, int]


def states(generator: LCG, count: int, state: int = 7) -> list[int]:
    factor, constant, modulus = generator
    found = []
    for _ in range(count):
        state = (factor * state + constant) % modulus
        found.append(state)
    return found


def in_letters(number: int, letters: str, length: int) -> str:
    return "".join(letters[number // len(letters) ** k % len(letters)] for k in reversed(range(length)))


def two_processes() -> list[str]:
    """Two processes draw in turn, each with a state of its own, and a text of ten fails."""
    pairs = zip(states((421, 1663, 7875), 90), states((421, 1663, 7875), 90, 900), strict=True)
    return [f"{number:04d}" for k, pair in enumerate(pairs) if k % 10 for number in pair]


def circle() -> list[str]:
    letters = random_texts(LETTERS, 1, 307, 4)
    return ["".join(letters[(5 * k + j) % 307] for j in range(5)) for k in range(130)]


def random_texts(letters: str, length: int, count: int, seed: int) -> list[str]:
    chosen = np.random.Generator(np.random.Philox(key=[seed, 5])).choice(list(letters), (count, length))
    return ["".join(row) for row in chosen.tolist()]


def copied() -> list[str]:
    """The first letter is the last of the text before, seven further on."""
    texts = random_texts(LETTERS, 4, 150, 2)
    return [
        LETTERS[(LETTERS.index(before[-1]) + 7) % 24] + text[1:]
        for before, text in zip(["A", *texts], texts, strict=False)
    ]


POOR: dict[str, tuple[Callable[[], list[str]], str]] = {
    "decimal": (lambda: [f"{x:05d}" for x in states((4096, 150889, 714025), 90)], "714,025"),
    "a power of two": (lambda: [f"{x:05d}" for x in states((25173, 13849, 65536), 90)], "25,173 times the text before"),
    "letters": (lambda: [in_letters(x, LETTERS, 4) for x in states((16807, 0, 331769), 90)], "modulo 331,769"),
    "two processes": (two_processes, "421 times text 2 before"),
    "the end of a state": (lambda: [f"{x % 10**5:05d}" for x in states((1103515245, 12345, 2**31), 150)], "its rest"),
    "a letter of the text before": (copied, "Letter 1 of a text follows from letter 4 of the text before"),
    "a circle": (circle, "a circle of 307"),
}


@pytest.mark.parametrize("kind", POOR)
def test_poor_random_numbers_are_named(kind):
    texts, said = POOR[kind][0](), POOR[kind][1]
    found = find_repeats(texts, "", (len(texts), len(texts)), 0)
    assert found["severity"] == "high"
    assert said in found["plain"]


@pytest.mark.parametrize(
    ("letters", "length"), [(string.digits, 5), (LETTERS, 4), ("01", 24), (string.ascii_uppercase + string.digits, 6)]
)
def test_random_texts_follow_from_nothing(letters, length):
    for seed in range(3):
        assert told_recurrence(random_texts(letters, length, 200, seed)) is None


def test_sorted_texts_are_not_taken_for_an_order_of_drawing():
    """A command that names its pictures by their texts gives them in that order, a hundred at a time."""
    texts = random_texts(LETTERS, 3, 900, 3)
    batches = [text for first in range(0, 900, 100) for text in sorted(texts[first : first + 100])]
    for some in (batches, sorted(texts[:30] * 30)):
        assert "text before" not in find_frequencies(some, "", None)["plain"]
        assert "right after each other" not in find_repeats(some, "", (900, 900), 0)["plain"]

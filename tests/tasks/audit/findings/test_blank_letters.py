"""A letter of which nothing is drawn is named; thin letters, and those that noise covers, are not."""

import numpy as np
import pytest

from tasks.audit.findings.blank_letters import find_blank
from tasks.audit.findings.measuring.sampled import Sampled

LETTERS = "ABCDEFGHIJKL"
INK = dict.fromkeys(LETTERS, 12) | {"I": 3, "L": 5}  # pixels across of bars that stand for letters


def sampled(blank: str, length: tuple[int, int] = (4, 4), count: int = 300) -> Sampled:
    """Draw bars of many heights with some noise."""
    rng = np.random.Generator(np.random.Philox(key=[1, 4]))
    texts, pictures = [], []
    for _ in range(count):
        texts.append("".join(rng.choice(list(LETTERS), rng.integers(length[0], length[1] + 1))))
        picture = np.zeros((30, 110), np.uint8)
        for place, letter in enumerate(texts[-1]):
            top, high = rng.integers(0, 6), rng.integers(18, 24)
            if letter not in blank:
                picture[top : top + high, 3 + 18 * place : 3 + 18 * place + INK[letter]] = 255
        picture[rng.integers(0, 30, 20), rng.integers(0, 110, 20)] = 200
        pictures.append(picture)
    return Sampled(pictures, texts, np.full((count, 6, 4), -1, np.int16), np.zeros(count), texts, count)


@pytest.mark.parametrize(("blank", "length"), [("C", (4, 4)), ("CI", (4, 6))])
def test_letters_that_are_not_drawn_are_named(blank, length):
    (found,) = find_blank(sampled(blank, length))
    assert found["severity"] == "high"
    assert found["figures"]["letters"] == list(blank)
    assert found["plain"].startswith(" and ".join(blank))
    assert f", in which {' and '.join(blank)} cannot be seen" in found["shown"][0]["text"]


@pytest.mark.parametrize("length", [(4, 4), (4, 6)])
def test_letters_that_are_drawn_are_not_accused(length):
    assert find_blank(sampled("", length)) == []


def test_few_pictures_and_few_texts_tell_nothing():
    assert find_blank(sampled("C", count=12)) == []
    few = sampled("C")
    few.texts[:] = ["ABCD", "EFGH"] * 150
    assert find_blank(few) == []

"""Places at which nothing is drawn are named; places that are drawn are not, whatever else is in the picture."""

import numpy as np
import pytest

from tasks.audit.findings.lost_places import find_lost
from tasks.audit.findings.measuring.sampled import Sampled

LETTERS = "ABCDEFGHIJKLMNOP"


def sampled(
    lost: set[int], length: int = 6, noise: int = 20, count: int = 300, fixed: str = "", letters: str = LETTERS
) -> Sampled:
    """Draw bars as wide as the letter's own, but none at the places that are lost."""
    rng = np.random.Generator(np.random.Philox(key=[length, noise]))
    texts, pictures = [], []
    for _ in range(count):
        text = fixed + "".join(rng.choice(list(letters), length - len(fixed)))
        picture = np.zeros((30, 12 + 18 * length), np.uint8)
        for place, letter in enumerate(text):
            top, high = rng.integers(0, 6), rng.integers(18, 24)
            if place not in lost:
                picture[top : top + high, 3 + 18 * place : 6 + 18 * place + LETTERS.index(letter)] = 255
        picture[rng.integers(0, 30, noise), rng.integers(0, picture.shape[1], noise)] = 200
        texts.append(text)
        pictures.append(picture)
    return Sampled(pictures, texts, np.full((count, 8, 4), -1, np.int16), np.zeros(count), texts, count)


@pytest.mark.parametrize(("lost", "told"), [({5}, "place 6"), ({4, 5}, "places 5 and 6"), ({2}, "place 3")])
def test_places_that_are_not_drawn_are_named(lost, told):
    (found,) = find_lost(sampled(lost))
    assert (found["name"], found["severity"]) == ("lost", "high")
    assert found["figures"]["places"] == sorted(place + 1 for place in lost)
    assert f"{told} of texts of 6" in found["plain"]
    assert found["shown"]


@pytest.mark.parametrize("noise", [0, 20, 2000])
def test_places_that_are_drawn_are_not_accused(noise):
    assert find_lost(sampled(set(), noise=noise)) == []


def test_few_texts_constant_letters_and_pure_noise_tell_nothing():
    assert find_lost(sampled({5}, count=60)) == []
    assert find_lost(sampled(set(), fixed="AB")) == []
    assert find_lost(sampled(set(range(6)), noise=2000)) == []
    assert find_lost(sampled(set(), letters="AA")) == []


def test_words_of_which_there_are_few_tell_nothing():
    few = sampled(set())
    few.texts[:] = ["ABCDEF", "GHIJKL", "MNOPAB"] * 100
    assert find_lost(few) == []

"""Intervals of differences, against published examples and by simulation."""

import random

import pytest

from tasks.audit.attackers.differences import paired, unpaired
from tasks.rates import Rate


def test_unpaired_as_published():
    """Newcombe 1998, table II, method 10: 56 of 70 and 48 of 80."""
    found = unpaired(Rate(48, 80), Rate(56, 70))
    assert found.value == pytest.approx(0.2)
    assert (found.low, found.high) == (pytest.approx(0.0524, abs=5e-5), pytest.approx(0.3339, abs=5e-5))


def test_paired_pictures_tell_more_than_others():
    first = [True] * 50 + [False] * 50
    second = [True] * 55 + [False] * 45
    same, others = paired(first, second), unpaired(Rate(50, 100), Rate(55, 100))
    assert same.value == pytest.approx(others.value)
    assert same.high - same.low < others.high - others.low


def test_equal_answers_keep_an_interval_around_nothing():
    found = paired([True, False], [True, False])
    assert found.low < 0 == found.value < found.high


def test_paired_intervals_hold_what_they_promise():
    chance, hits, rounds = random.Random(5), 0, 400
    for _ in range(rounds):
        first = [chance.random() < 0.3 for _ in range(100)]
        second = [chance.random() > 0.05 if flag else chance.random() < 0.1 for flag in first]
        found = paired(first, second)
        hits += found.low <= 0.055 <= found.high
    assert hits / rounds > 0.92


def test_answers_must_be_of_the_same_pictures():
    with pytest.raises(ValueError, match="picture"):
        paired([], [])
    with pytest.raises(ValueError, match="longer"):
        paired([True], [True, False])

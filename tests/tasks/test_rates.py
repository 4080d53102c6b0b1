import json
import math

import numpy as np
import pytest

from tasks.rates import Rate, wilson


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [
        # 3.8415 is z squared: at 0 and at n the interval has this closed form.
        (0, 10, 0.0, 3.8414588 / 13.8414588),
        (10, 10, 10 / 13.8414588, 1.0),
        # R: prop.test(50, 100, correct = FALSE).
        (50, 100, 0.4038315, 0.5961685),
        # R. G. Newcombe, Statistics in Medicine 17, 1998, table I, method 3, printed to four places.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_known_intervals(right, n, low, high):
    places = 1e-6 if n in (10, 100) else 0.51e-4
    assert wilson(right, n) == pytest.approx((low, high), abs=places)


def test_wilson_solves_its_own_equation():
    for right, n in [(3, 17), (120, 121), (1, 100_000)]:
        for end in wilson(right, n):
            assert abs(right / n - end) == pytest.approx(1.959964 * math.sqrt(end * (1 - end) / n), rel=1e-5)


def test_wilson_is_symmetric_and_stays_inside():
    for n in (1, 2, 7, 50):
        for right in range(n + 1):
            low, high = wilson(right, n)
            assert 0 <= low <= right / n <= high <= 1
            assert wilson(n - right, n) == pytest.approx((1 - high, 1 - low))


@pytest.mark.parametrize(("right", "n", "name"), [(1, -1, "n"), (-1, 5, "right"), (6, 5, "right")])
def test_impossible_counts_are_refused_by_name_and_value(right, n, name):
    wrong = n if name == "n" else right
    for function in (wilson, Rate):
        with pytest.raises(ValueError, match=rf"^{name} must be .*not {wrong}\b"):
            function(right, n)


def test_counts_must_be_whole():
    with pytest.raises(TypeError):
        Rate(0.5, 1)


def test_rate_reads_well():
    assert str(Rate(9812, 10_000)) == "98.12 % (97.8 to 98.4 %, n = 10,000)"
    assert str(Rate(0, 0)) == "no tries (n = 0)"


def test_rate_never_rounds_a_mistake_or_a_success_away():
    for n in (1, 30, 999, 30_000, 4_000_000):
        assert float(str(Rate(n, n)).split(" %")[0]) == 100
        if n > 1:
            assert float(str(Rate(n - 1, n)).split(" %")[0]) < 100
            assert float(str(Rate(1, n)).split(" %")[0]) > 0
        high = str(Rate(0, n)).split(" to ")[1].split(" %")[0]
        assert float(high) > 0


def test_rate_as_dict_is_json_without_nan():
    assert Rate(0, 0).as_dict() == {"right": 0, "n": 0, "rate": None, "low": None, "high": None}
    stored = json.loads(json.dumps(Rate(np.int64(3), np.int32(4)).as_dict(), allow_nan=False))
    assert stored == {"right": 3, "n": 4, "rate": 0.75, "low": wilson(3, 4)[0], "high": wilson(3, 4)[1]}
    assert math.isnan(Rate(0, 0).value)


def test_rate_of_counts_booleans_only():
    assert Rate.of(np.array([True, False, True])) == Rate(2, 3)
    assert Rate.of(np.array([])) == Rate(0, 0)
    with pytest.raises(ValueError, match="right must be an array of bool, not int64"):
        Rate.of(np.array([1, 0]))

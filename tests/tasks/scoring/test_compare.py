"""Whether a new model may be served, on paired counts."""

import numpy as np
import pytest

from tasks.scoring.compare import Pairs, compare, no_worse
from tasks.scoring.evaluate import EvaluateReceipt


@pytest.mark.parametrize(
    ("only_new", "only_served", "fine"),
    [
        (0, 0, True),  # they agree on every picture
        (9, 9, True),
        (50, 3, True),
        (0, 3, True),  # three pictures prove nothing
        (0, 4, False),
        (10, 20, True),
        (10, 23, False),
        (10, 30, False),
        (1000, 1000, True),
        (1000, 1090, False),  # the more pictures, the smaller the difference that shows
        (1000, 1085, True),
    ],
)
def test_a_new_model_passes_unless_it_loses_beyond_the_interval(only_new, only_served, fine):
    pairs = Pairs(100_000, 90_000, only_new, only_served)
    assert no_worse(pairs) == fine
    assert no_worse(Pairs(100_000, 0, only_new, only_served)) == fine  # what both read says nothing
    wins, losses = pairs.share.right, pairs.share.n - pairs.share.right
    if wins + losses:  # McNemar's statistic, in other words
        assert fine == (losses <= wins or (losses - wins) ** 2 / (losses + wins) < 1.959963984540054**2)


def test_it_is_stricter_than_two_intervals_that_overlap():
    pairs = Pairs(20_000, 19_900, 10, 30)
    assert pairs.new.high > pairs.served.low
    assert not no_worse(pairs)


def test_without_a_picture_nothing_is_decided():
    with pytest.raises(ValueError, match="without a picture"):
        no_worse(Pairs(0, 0, 0, 0))
    for counts in ((1, 1, 1, 0), (3, -1, 2, 1)):
        with pytest.raises(ValueError, match="counts must be 0 or more"):
            Pairs(*counts)


def receipt(shard: int, truth: str, **answers: str) -> EvaluateReceipt:
    """Make the receipt of a shard whose pictures show one letter each."""
    found = {name: np.array(list(letters)) for name, letters in answers.items()}
    empty = np.empty(0)
    words = np.array(list(truth)) if truth else np.empty(0, "U1")
    return EvaluateReceipt(words, words, found, {}, empty, empty, empty, empty, shard, ([], []), 0.0)


def test_pairs_are_of_the_same_pictures_and_of_the_answer_that_people_get():
    new = [receipt(1, "ABCD", probability="ABXX", none="XXXX"), receipt(0, "AA", none="AX"), receipt(2, "")]
    served = [receipt(0, "AA", none="XX"), receipt(1, "ABCD", probability="AXCX", none="ABCD"), receipt(2, "")]
    pairs = compare(new, served)
    assert pairs == Pairs(6, both=1, only_new=2, only_served=1)
    assert (pairs.new.right, pairs.served.right, pairs.share.n) == (3, 2, 3)
    assert pairs.as_dict()["rates"]["new"]["right"] == 3
    with pytest.raises(ValueError, match="same shards"):
        compare(new, served[:1])
    with pytest.raises(ValueError, match="same pictures; shard 0"):
        compare(new, [receipt(0, "AB", none="AB"), *served[1:]])
    assert compare([], []) == Pairs(0, 0, 0, 0)

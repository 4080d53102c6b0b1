"""What an attacker's answers are worth: rates, tries, thresholds, cost."""

import pytest

from tasks.audit.attackers.answers import Answers, Attack, bits_of, flags_of, judge, not_tried, within
from tasks.rates import Rate, wilson

ATTACK = Attack("classic", "the classic reader", "It reads.", 1000, 0.002)


def answers(firsts: list[str], confidences: list[float] | None = None, more: str = "") -> Answers:
    guesses = tuple((first, more) if more else (first,) if first else () for first in firsts)
    return Answers(guesses, confidences and tuple(confidences), 0.5)


def test_an_attacker_is_judged_by_the_words_it_has_right():
    found = judge(ATTACK, answers(["AB", "AC", "", "ABC"]), ["AB", "AB", "AB", "AB"], fold_case=False)
    assert (found["words"]["right"], found["words"]["n"]) == (1, 4)
    assert (found["words"]["low"], found["words"]["high"]) == wilson(1, 4)
    assert (found["letters"]["right"], found["letters"]["n"]) == (3, 4)  # of the two with two letters
    assert (found["expected_tries"], found["seconds_a_success"]) == (4.0, 2.0)
    assert found["cost"] == 2.0
    assert flags_of(found["right"], 4) == [True, False, False, False]


def test_case_counts_unless_it_is_folded():
    for folded, right in ((False, 0), (True, 1)):
        assert judge(ATTACK, answers(["ab"]), ["AB"], folded)["words"]["right"] == right


def test_without_a_success_nobody_knows_the_tries():
    found = judge(ATTACK, answers(["X"]), ["AB"], fold_case=False)
    assert (found["expected_tries"], found["seconds_a_success"]) == (None, None)


@pytest.mark.parametrize("tries", [1, 3, 5])
def test_the_interval_of_tries_is_the_interval_of_one_transformed(tries):
    found, one = within(Rate(7, 50), tries), Rate(7, 50)
    for key, share in (("rate", one.value), ("low", one.low), ("high", one.high)):
        assert found[key] == pytest.approx(1 - (1 - share) ** tries, rel=1e-12)
    assert within(Rate(50, 50), tries)["rate"] == 1.0
    assert within(Rate(0, 50), tries)["low"] == 0.0


def test_small_rates_keep_their_digits():
    assert within(Rate(1, 10**17), 3)["rate"] == pytest.approx(3e-17, rel=1e-6)


def test_a_truth_among_three_guesses_is_counted_apart():
    found = judge(ATTACK, answers(["X", "AB"], more="AB"), ["AB", "AB"], fold_case=False)
    assert (found["words"]["right"], found["top_three"]["right"]) == (1, 2)
    assert judge(ATTACK, answers(["X"]), ["AB"], fold_case=False)["top_three"] is None


def test_thresholds_follow_from_confidence_alone():
    """The surest half has only right answers; equal confidences are answered together."""
    firsts = ["AB"] * 50 + ["X"] * 50
    sure = [0.9] * 20 + [0.8] * 30 + [0.3] * 50
    found = judge(ATTACK, answers(firsts, sure), ["AB"] * 100, fold_case=False)["thresholds"]
    assert [(line["coverage"], line["confidence"], line["right"]["right"]) for line in found] == [
        (1.0, 0.3, 50), (0.5, 0.8, 50), (0.2, 0.9, 20),
    ]  # fmt: skip
    assert judge(ATTACK, answers(firsts), ["AB"] * 100, fold_case=False)["thresholds"] == []


def test_a_slow_attacker_is_judged_on_the_first_pictures():
    assert judge(ATTACK, answers(["AB"]), ["AB", "CD"], fold_case=False)["words"]["n"] == 1


def test_answers_and_flags_survive_json():
    given = answers(["AB", ""], [0.5, 0.0], "CD")
    assert Answers.of(given.as_dict()) == given
    for flags in ([], [True], [False, True, True, False, True], [True] * 9):
        assert flags_of(bits_of(flags), len(flags)) == flags


def test_who_was_not_tried_has_the_reason_and_no_figure():
    found = not_tried(ATTACK, "not installed")
    assert (found["tried"], found["why_not"], found["words"], found["cost"]) == (False, "not installed", None, None)
    assert found.keys() == judge(ATTACK, answers(["X"]), ["AB"], fold_case=False).keys()

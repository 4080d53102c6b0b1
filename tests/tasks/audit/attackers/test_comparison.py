"""Two audits compared: stronger, weaker, not told apart."""

import pytest

from tasks.audit.attackers.answers import Answers, judge
from tasks.audit.attackers.catalogue import attack_of
from tasks.audit.attackers.comparison import compared
from tasks.audit.attackers.verdict import verdict_of


def audit(right: list[bool], content: str = "a", name: str = "x") -> dict:
    answers = Answers(tuple(("A",) if flag else ("X",) for flag in right), None, 0.1)
    entry = judge(attack_of("classic", 100, 0.001), answers, ["A"] * len(right), fold_case=False)
    verdict = verdict_of([entry], len(right), [], 0.001, "USD")
    target, made = {"name": name, "content": content}, {"started": "2026-01-01T00:00:00Z"}
    return {"schema": 1, "made": made, "target": target, "verdict": verdict, "attackers": [entry]}


@pytest.mark.parametrize(
    ("first", "second", "word"), [(80, 40, "stronger"), (40, 80, "weaker"), (80, 78, "not told apart")]
)
def test_a_captcha_that_is_read_less_is_stronger(first, second, word):
    found = compared(audit([k < first for k in range(100)]), audit([k < second for k in range(100)], "b", "y"))
    assert (found["second_is"], found["paired"]) == (word, False)
    assert found["difference"][0] == pytest.approx((second - first) / 100)
    assert found["difference"][1] < found["difference"][0] < found["difference"][2]
    assert found["sentence"].startswith("y is ")


@pytest.mark.parametrize(("minutes", "told"), [((3, 3), False), ((3, 30), True)])
def test_audits_of_other_lengths_are_told(minutes, told):
    """A longer audit makes the same CAPTCHA look weaker."""
    both = [audit([True, False] * 50), audit([True, False] * 50, "b")]
    for one, allowed in zip(both, minutes, strict=True):
        one["made"]["minutes"] = allowed
    assert ("had 3 and 30 minutes" in compared(*both)["sentence"]) == told


def test_defects_that_one_audit_has_are_told_beside_the_rates():
    """Labels of other pictures make every attacker fail, which is no strength."""

    def with_high(right: bool, name: str, *titles: str) -> dict:
        findings = [{"name": title.lower(), "title": title, "severity": "high"} for title in titles]
        return audit([right] * 100, name, name) | {"findings": [*findings, {"name": "n", "severity": "none"}]}

    found = compared(with_high(True, "x", "Places", "Colour"), with_high(False, "y", "Places", "Labels"))
    assert found["second_is"] == "stronger"
    assert "only x has: Colour. Of high severity, only y has: Labels." in found["sentence"]
    same = compared(with_high(True, "x", "Places"), with_high(False, "y", "Places"))
    assert "severity" not in same["sentence"]


def test_equal_pictures_are_paired_and_tell_more():
    """Seven of 200 pictures fewer: too few to tell on other pictures, not on the same."""
    first, second = [k < 100 for k in range(200)], [k < 93 for k in range(200)]
    assert compared(audit(first), audit(second))["second_is"] == "stronger"
    assert compared(audit(first), audit(second, "b"))["second_is"] == "not told apart"


def test_an_audit_without_a_measured_attacker_is_not_told_apart():
    empty = audit([True]) | {"attackers": []}
    empty["verdict"] = verdict_of([], 0, [], 0.001, "USD")
    found = compared(audit([True]), empty)
    assert (found["second_is"], found["difference"]) == ("not told apart", None)

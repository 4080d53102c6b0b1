"""The verdict: three words, by rules that say nothing that was not shown."""

import pytest

from tasks.audit.attackers.answers import Answers, judge, not_tried
from tasks.audit.attackers.catalogue import attack_of
from tasks.audit.attackers.verdict import RIGHT_TO_LEFT, helps, needed_unseen, percent, strongest, verdict_of
from tasks.audit.schema import BROKEN, HELD, NOT_SHOWN, Attacker
from tasks.rates import wilson

MANY = 40_000


def entry(name: str, right: int, n: int, labels: int = 0) -> Attacker:
    answers = Answers((("A",),) * right + (("X",),) * (n - right), None, 0.1)
    return judge(attack_of(name, labels, 0.001), answers, ["A"] * n, fold_case=False)


def judged(*entries: Attacker, skipped: list[dict] | None = None) -> dict:
    return verdict_of(list(entries), 1000, skipped or [], 0.001, "USD")


def trained(right: int = 0, n: int = MANY, labels: int = 10_000) -> list[Attacker]:
    return [entry("classic", right, n, labels), entry("deep", right, n, labels)]


def test_broken_is_what_is_surely_read_in_more_than_one_of_a_hundred():
    verdict = judged(entry("chance", 0, 1000), entry("ladder", 30, 1000))
    assert (verdict["word"], verdict["attacker"]) == (BROKEN, "ladder")
    assert "3.0 %" in verdict["sentence"]
    assert "n = 1,000" in verdict["sentence"]
    assert judged(entry("ladder", 12, 1000))["word"] == NOT_SHOWN  # 1.2 %, but 0.7 % at least


def test_the_best_of_many_is_no_proof():
    """What is broken for an attacker alone is not for the luckiest of twenty."""
    right = next(count for count in range(100) if wilson(count, 1000)[0] > 0.01)
    assert judged(entry("ladder", right, 1000))["word"] == BROKEN
    others = [entry("classic", 0, 1000, labels) for labels in range(20)]
    verdict = judged(entry("ladder", right, 1000), *others)
    assert (verdict["word"], verdict["compared"]) == (NOT_SHOWN, 21)
    assert verdict["low"] < 0.01 < verdict["words"]["low"]


def test_it_held_only_if_enough_was_tried():
    whole = [entry("strangers", 0, MANY), *trained()]
    verdict = judged(*whole)
    assert (verdict["word"], verdict["reasons"], verdict["needed"]) == (HELD, [], None)
    assert "secure" not in verdict["sentence"].lower()
    for entries, skipped, said in (
        ([*whole, entry("ladder", 0, 20_000)], [], f"it takes {needed_unseen():,}"),
        ([*whole, entry("ladder", 20, MANY)], [], "more often than once in 10,000"),
        ([entry("strangers", 0, MANY), trained()[0]], [], "the deep reader was not trained"),
        ([*trained(labels=3000)], [], "3,000 labelled pictures at most"),
        (whole, [{"part": "attackers", "why": "the budget ended"}], "the budget ended"),
        (whole, [{"part": RIGHT_TO_LEFT, "why": "so"}], "run from right to left"),
    ):
        verdict = judged(*entries, skipped=skipped)
        assert verdict["word"] == NOT_SHOWN
        assert said in verdict["sentence"]


def test_what_has_a_defect_of_high_severity_has_not_held():
    """Pixels that tell the answer, or labels of other pictures: no attacker succeeds, and that shows nothing."""
    whole = [entry("strangers", 0, MANY), *trained()]
    for severities, word in ((["low", "none", "unknown"], HELD), (["high"], NOT_SHOWN), (["high", "high"], NOT_SHOWN)):
        findings = [
            {"name": f"f{k}", "title": f"Defect {k}", "severity": severity, "plain": "", "remedy": None, "figures": {},
             "shown": []} for k, severity in enumerate(severities)
        ]  # fmt: skip
        verdict = verdict_of(whole, MANY, [], 0.001, "USD", None, findings)
        assert verdict["word"] == word
        high = [f"Defect {k}" for k, severity in enumerate(severities) if severity == "high"]
        assert all(title in verdict["sentence"] for title in high)
        assert verdict["reasons"] == [] if not high else ", ".join(high) in verdict["reasons"][0]
    broken = verdict_of([entry("ladder", 900, 1000)], 1000, [], 0.001, "USD", None, findings)
    assert (broken["word"], broken["reasons"]) == (BROKEN, [])


def test_the_reason_why_a_reader_is_missing_is_told():
    deep = not_tried(attack_of("deep"), "needs PyTorch")
    assert "needs PyTorch" in judged(entry("classic", 0, MANY, 10_000), deep)["sentence"]


def test_how_many_unseen_pictures_are_needed():
    assert wilson(0, needed_unseen())[1] < 1e-4 <= wilson(0, needed_unseen() - 1)[1]
    assert judged(entry("ladder", 0, 1000))["needed"] == needed_unseen()
    assert judged(entry("ladder", 900, 1000))["needed"] is None


def test_without_any_attacker_nothing_is_shown():
    verdict = judged(not_tried(attack_of("deep"), "no"))
    assert (verdict["word"], verdict["attacker"], verdict["words"]) == (NOT_SHOWN, None, None)


def test_the_strongest_has_the_highest_lower_end_and_of_equals_fewer_labels():
    lucky, sure = entry("tesseract", 2, 2), entry("ladder", 900, 1000)
    assert strongest([lucky, sure]) is sure
    many, few = entry("classic", 900, 1000, 3000), entry("classic", 900, 1000, 100)
    assert strongest([many, few]) is few


def test_more_labels_no_longer_help_where_no_gain_is_shown():
    few, same, more = (entry("classic", right, 1000, 100) for right in (500, 505, 700))
    assert helps(few, more)
    assert not helps(few, entry("classic", 500, 1000, 300))
    assert helps(few, same)  # five gained and none lost on the same pictures
    assert helps(entry("classic", 0, 1000, 100), entry("classic", 0, 1000, 300))  # far from broken: go on


@pytest.mark.parametrize(
    ("share", "said"),
    [(0, "0 %"), (1, "100 %"), (0.5, "50.0 %"), (0.00018, "0.018 %"), (1e-7, "0.000010 %"), (0.99998, "nearly 100 %")],
)
def test_shares_are_told_with_enough_digits(share, said):
    assert percent(share) == said


def test_an_answer_in_the_file_breaks_a_captcha_that_nobody_reads():
    verdict = judged(entry("chance", 0, 1000, 100), entry("file", 990, 1000), entry("deep", 0, 1000, 300))
    assert (verdict["word"], verdict["attacker"], verdict["labels"]) == (BROKEN, "file", 0)
    assert verdict["low"] > 0.9
    assert "the answer stands in the file" in verdict["sentence"] and "99.0 %" in verdict["sentence"]
    assert "has not seen" not in verdict["sentence"]


def test_a_memory_reads_nothing_and_has_seen_what_it_answers():
    sentence = judged(entry("memory", 900, 1000, 5999))["sentence"]
    assert "pictures come again" in sentence and "Who keeps 5,999 of them" in sentence and "90.0 %" in sentence
    assert "has not seen" not in sentence and "a memory of pictures with" not in sentence


@pytest.mark.parametrize("right", [0, 500])
def test_few_pictures_are_told_beside_the_verdict(right):
    whole = verdict_of(
        [entry("ladder", right, 1000)], 1000, [], 0.001, "USD", "the generator drew only 40; --minutes 90"
    )
    assert whole["sentence"].endswith(". The generator drew only 40; --minutes 90.")

"""What a report on a training says, for readings that are wrong in one way each."""

from types import SimpleNamespace

import numpy as np
import pytest

from storage.errors import BadInput, NothingLearnt
from tasks.rates import Rate
from tasks.training import outcome
from tasks.training.outcome import OutcomeReceipt, judge, occurrences, rare_letters, require_validation, summary
from tasks.training.spool import GatherReceipt

SURE = Rate(990, 1000)
OFTEN = [400] * 10


def texts(count, key=0):
    numbers = np.random.Generator(np.random.Philox(key)).integers(0, 10, (count, 4))
    return ["".join(map(str, row)) for row in numbers.tolist()]


def judged(truth, reading, labelled=OFTEN, marked=SURE, rare=None):
    return judge([OutcomeReceipt(tuple(truth), tuple(reading))], "0123456789", labelled, marked, rare or {})


def test_a_good_reader_has_its_rate_and_no_reasons():
    truth = texts(200)
    found = judged(truth, [*truth[:196], "0", "1", "2", "3"])
    assert (found["validation"]["right"], found["validation"]["n"]) == (196, 200)
    assert found["why"] == found["next"] == []


@pytest.mark.parametrize(
    ("spoil", "given", "why", "remedy"),
    [
        (lambda text: text[:3], {}, "letters that touch, or lines: 200 of 200", "--shows"),
        (lambda text: text.translate(str.maketrans("0123456789", "1234567890")), {}, "letters that touch", "--shows"),
        (lambda text: text.replace("7", "1"), {}, "letters confused: 7 read as 1 (", "label more pictures with those"),
        (lambda text: text[:3] + "x", {"labelled": [5] * 10}, "most letters were seen 5 times or less", "import more"),
        (lambda text: text[:3] + "x", {"marked": Rate(60, 100)}, "letters not found: only in 60.", "wrong labels"),
        (lambda text: text[:3] + "x", {"rare": {"9": 1}}, "letters that the labels hardly have: 9 (1)", "label more"),
    ],
)  # fmt: skip
def test_each_kind_of_mistake_is_named_with_a_remedy(spoil, given, why, remedy):
    truth = texts(200)
    found = judged([*truth, *truth], [*truth, *map(spoil, truth)], **given)
    assert any(why in said for said in found["why"]), found
    assert any(remedy in said for said in found["next"])


@pytest.mark.parametrize(("found", "told"), [(90, True), (94, True), (96, False)])
def test_a_tenth_of_wrong_labels_is_told_with_the_command_that_shows_them(found, told):
    truth = texts(200)
    read = [*truth[:180], *texts(20, key=5)]
    outcome = judged(truth, read, marked=Rate(found, 100))
    assert any("letters not found" in said for said in outcome["why"]) is told
    assert any("captchas evaluate MODEL DATASET --split all" in said for said in outcome["next"]) is told


def test_upper_and_lower_case_confused_points_at_the_labels():
    truth = ["aBcd", "AbCD"] * 30
    found = judge([OutcomeReceipt(tuple(truth), tuple(text.lower() for text in truth))], "aA", [400], SURE, {})
    assert any("labels of one case" in said for said in found["next"])


def test_guessing_is_no_learning():
    truth = texts(100)
    with pytest.raises(NothingLearnt, match=r"nothing was learnt.*0\.0.*No model was written") as raised:
        judged(truth, texts(100, key=1), marked=Rate(230, 1000))
    assert raised.value.exit_code == 1
    with pytest.raises(NothingLearnt):  # also where the network believes what it made up
        judged(truth, texts(100, key=1), marked=SURE)
    with pytest.raises(NothingLearnt):  # always the same answer
        judged(truth, ["1111"] * 100, marked=SURE)


def test_a_poor_start_is_one():
    truth = texts(100)
    half = [text[:2] + other[2:] for text, other in zip(truth, texts(100, key=1), strict=True)]
    assert judged(truth, half, marked=Rate(230, 1000))["why"]
    found = judged(["1234", "5678"], ["1234", "5678"], labelled=[60] * 10)
    assert [said.partition(":")[0] for said in found["why"]] == ["a start"]
    # From a handful of pictures, of which three are in the validation split, nobody can tell guesses from a start.
    assert judged(["1234", "5678", "9012"], ["1", "22", "3333"], marked=Rate(20, 27))["validation"]["right"] == 0
    # Where one answer is always right, guessing cannot be told from reading.
    assert judged(["1"] * 50, ["1"] * 50)["validation"]["right"] == 50


def receipt(labelled, learnt):
    return GatherReceipt(0, 0, 0, 0, 0, tuple(labelled), tuple(learnt))


def test_rare_letters_are_named_with_their_number_in_the_labels():
    labelled, learnt = occurrences([receipt([9, 1, 0, 1], [30, 2, 0, 0]), receipt([9, 1, 0, 30], [30, 2, 9, 0])])
    assert (labelled, learnt) == ([18, 2, 0, 31], [60, 4, 9, 0])
    rare = rare_letters("ABCD", labelled, learnt)
    assert rare == {"B": 2, "C": 0, "D": 31}
    assert "B (2), C (0), D (31)" in outcome.warning_of(rare)


def test_without_a_validation_picture_training_is_refused_at_once():
    def dataset(validation):
        splits = {"train": 9, "validation": validation, "test": 0}
        manifest = SimpleNamespace(source=None, statistics={"splits": splits})
        return type("Data", (), {"manifest": manifest, "__len__": lambda self: 9})()

    require_validation([dataset(0), dataset(1)])
    with pytest.raises(BadInput, match=r"none of the 9 pictures is in the validation split.*import more pictures"):
        require_validation([dataset(0)])


def test_a_summary_stands_at_the_end_and_old_models_have_none():
    record = {"validation": Rate(9, 10).as_dict(), "why": ["a", "b"], "next": ["c"], "rare": {}}
    end = summary(record)
    assert end["words_right_on_validation"].startswith("90.0")
    assert end["shown"] == {"why": "a; b", "next": "c"}
    assert "warning" not in end and "é (2)" in summary(record | {"rare": {"é": 2}})["warning"]
    assert "note" not in end and next(iter(summary(record | {"note": "mine"}))) == "note"
    assert summary({"classes": "AB"}) == {}

"""The record of what validation showed of a classic and a deep model of one name."""

import json
from dataclasses import replace

import pytest

from storage.pairs import PairScores, Readers, load_pair, record_of_pair, save_pair

RULE = (0.99, 0.2)
SCORES = PairScores(
    "c0", "d0", RULE, ("shots",), 100,
    {"none": {Readers.CLASSIC: 70, Readers.BOTH: 90, Readers.DEEP: 80},
     "probability": {Readers.CLASSIC: 95, Readers.BOTH: 95, Readers.DEEP: 95}},
)  # fmt: skip


@pytest.fixture
def record(tmp_path):
    path = record_of_pair(tmp_path / "shots.skops")
    save_pair(path, SCORES)
    return path


def test_the_most_words_right_decide_and_of_equals_the_quickest(record):
    assert record.name == "shots.pair.json"
    scores = load_pair(record, "c0", "d0", RULE)
    assert scores == SCORES
    assert scores.best("none") is Readers.BOTH
    assert scores.best("probability") is Readers.CLASSIC
    for right, best in ((91, Readers.DEEP), (90, Readers.BOTH)):
        own = {**SCORES.right["none"], Readers.DEEP: right}
        assert replace(SCORES, right={"none": own}).best("none") is best


@pytest.mark.parametrize("of", [("c1", "d0", RULE), ("c0", "d1", RULE), ("c0", "d0", (0.95, 0.2))])
def test_scores_of_other_models_or_another_rule_are_none(record, of):
    assert load_pair(record, *of) is None


@pytest.mark.parametrize("change", [
    {"format": 2}, {"n": "many"}, {"right": []}, {"right": {"none": {"classic": 1}}}, {"rule": 3}, {"right": {}},
    {"right": {"none": {"classic": 101, "both": 1, "deep": 1}}}, {"datasets": None},
])  # fmt: skip
def test_a_damaged_record_is_none(record, change):
    record.write_text(json.dumps(json.loads(record.read_text()) | change))
    assert load_pair(record, "c0", "d0", RULE) is None


def test_a_file_that_cannot_be_read_is_none(record):
    record.write_bytes(b"\xff")
    assert load_pair(record, "c0", "d0", RULE) is None
    record.unlink()
    assert load_pair(record, "c0", "d0", RULE) is None

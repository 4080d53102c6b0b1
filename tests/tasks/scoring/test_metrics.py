import json

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_recall_fscore_support

from tasks.rates import Rate
from tasks.scoring.metrics import (
    BINS,
    FAILURES,
    calibration_error,
    failure_split,
    letter_scores,
    rates_by,
    reliability,
)


def test_letter_scores_by_hand():
    # A: 2 of 3 found, and once claimed wrongly. B: 1 of 2 found. C only claimed. D in neither.
    scores = letter_scores(np.array(list("AAABB")), np.array(list("AABAC")), "ABCD")
    assert scores["confusion"] == [[2, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    scores = letter_scores(np.array(list("AAABB")), np.array(list("AABBC")), "ABCD")
    assert scores["confusion"] == [[2, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert scores["letters"] == {
        "A": {"precision": 1.0, "recall": 2 / 3, "f1": 0.8, "support": 3},
        "B": {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 2},
        "C": {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0},
    }
    assert scores["macro_f1"] == pytest.approx((0.8 + 0.5 + 0) / 3)
    assert scores["weighted_f1"] == pytest.approx((3 * 0.8 + 2 * 0.5) / 5)
    assert scores["micro_f1"] == scores["accuracy"]["rate"] == 0.6
    assert (scores["accuracy"]["right"], scores["n"]) == (3, 5)


def test_letter_scores_agree_with_scikit_learn():
    generator = np.random.default_rng(5)
    letters = np.array(list("ABCDEFGHIJ"))
    truth = letters[generator.integers(8, size=500)]
    read = np.where(generator.random(500) < 0.7, truth, letters[generator.integers(9, size=500)])
    scores = letter_scores(truth, read, "JIHGFEDCBA")
    for average in ("macro", "micro", "weighted"):
        expected = f1_score(truth, read, average=average, zero_division=0)
        assert scores[f"{average}_f1"] == pytest.approx(expected)
        assert f"{expected:.4f}" in scores["report"]
    table = precision_recall_fscore_support(truth, read, labels=list("ABCDEFGHI"), zero_division=0)
    for letter, row in zip("ABCDEFGHI", zip(*table, strict=True), strict=True):
        assert tuple(scores["letters"][letter].values()) == pytest.approx(row)
    # A row of the report is named by its own letter, although the classes are not in alphabetical order.
    for line in scores["report"].splitlines()[2:11]:
        name, *_, support = line.split()
        assert int(support) == np.count_nonzero(truth == name)
    assert "J" not in scores["letters"]
    json.dumps(scores, allow_nan=False)


def test_letters_that_never_occur_do_not_pull_the_macro_average_down():
    word = np.array(list("WORD"))
    assert letter_scores(word, word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")["macro_f1"] == 1.0


def test_letter_scores_of_nothing():
    scores = letter_scores(np.array([]), np.array([], dtype="U1"), "AB")
    assert scores["n"] == scores["accuracy"]["n"] == 0
    assert [scores[f"{average}_f1"] for average in ("macro", "micro", "weighted")] == [None] * 3
    assert scores["confusion"] == [[0, 0], [0, 0]]
    assert (scores["letters"], scores["report"]) == ({}, "")


@pytest.mark.parametrize(
    ("truth", "read", "classes", "message"),
    [
        (["A", "B"], ["A"], "AB", "truth, read must be"),
        (["A"], ["C"], "AB", r"read must hold single letters of 'AB', not \['C'\]"),
        (["AB"], ["A"], "AB", r"truth must hold .* not \['AB'\]"),
        ([1], ["A"], "AB", "truth must be a 1-D array of str, not 1-D of int64"),
        (["A"], ["A"], "AA", "classes must be different"),
        (["A"], ["A"], ["AB"], "classes must be different"),
    ],
)
def test_letter_scores_refuse_what_they_cannot_count(truth, read, classes, message):
    with pytest.raises(ValueError, match=message):
        letter_scores(np.array(truth), np.array(read), classes)


def test_rates_by_counts_every_picture_under_its_value():
    generator = np.random.default_rng(11)
    values, right = generator.integers(-300, 300, size=2000) // 100 * 100, generator.random(2000) < 0.8
    table = rates_by(values, right)
    assert [row["value"] for row in table] == [-300, -200, -100, 0, 100, 200]
    assert sum(row["n"] for row in table) == 2000
    assert sum(row["right"] for row in table) == right.sum()
    for row in table:
        mine = right[values == row["value"]]
        assert row == {"value": row["value"], **Rate(int(mine.sum()), len(mine)).as_dict()}
    json.dumps(table)


def test_rates_by_name_are_sorted():
    table = rates_by(np.array(["Play", "Inter", "Play"]), np.array([True, False, False]))
    assert [(row["value"], row["right"], row["n"]) for row in table] == [("Inter", 0, 1), ("Play", 1, 2)]
    assert type(table[0]["value"]) is str
    assert rates_by(np.array([]), np.array([])) == []


def test_rates_by_refuses_other_shapes_and_types():
    with pytest.raises(ValueError, match="values, right must be 1-D arrays of one length"):
        rates_by(np.arange(3), np.array([True]))
    with pytest.raises(ValueError, match="right must be an array of bool"):
        rates_by(np.arange(2), np.array([1, 0]))
    with pytest.raises(ValueError, match="values must be integers or str, not float64"):
        rates_by(np.array([0.5]), np.array([True]))


@pytest.mark.parametrize(
    ("reading", "answer", "segments", "in_place", "category"),
    [
        ("WORD", "WORD", 4, True, "right"),
        ("WRD", "WORD", 3, True, "rescue"),
        ("OWRD", "WORD", 4, False, "rescue"),
        ("WRD", "", 3, True, "segments"),
        ("WRD", "WARD", 3, False, "segments"),
        ("OWRD", "", 4, False, "place"),
        ("WQRD", "WARD", 4, True, "letter"),
        ("WORD", "WARD", 4, True, "damage"),
        ("WORD", "", 4, True, "damage"),
        # Precedence: a wrong order comes before damage, too.
        ("WORD", "WARD", 4, False, "place"),
    ],
)
def test_failure_split_names_the_first_cause(reading, answer, segments, in_place, category):
    split = failure_split(["WORD"], [reading], [answer], [segments], [in_place])
    assert split == {name: int(name == category) for name in FAILURES}


def test_failure_split_is_a_partition():
    generator = np.random.default_rng(23)
    words = np.array(["AB", "BA", "ABC", "A", ""])
    n = 3000
    truth, reading, answer = words[generator.integers([[4], [5], [5]], size=(3, n))]
    segments, in_place = generator.integers(1, 4, size=n), generator.random(n) < 0.5
    split = failure_split(truth, reading, answer, segments, in_place)
    assert list(split) == ["segments", "place", "letter", "damage", "rescue", "right"]
    assert all(count > 0 for count in split.values())
    assert sum(split.values()) == n
    assert split["right"] + split["rescue"] == np.count_nonzero(answer == truth)
    assert split["right"] + split["damage"] <= np.count_nonzero(reading == truth)
    # Word by word, in plain Python.
    by_word = dict.fromkeys(FAILURES, 0)
    for t, r, a, s, o in zip(truth, reading, answer, segments, in_place, strict=True):
        if a == t:
            by_word["right" if r == t else "rescue"] += 1
        elif len(t) != s:
            by_word["segments"] += 1
        elif not o:
            by_word["place"] += 1
        else:
            by_word["damage" if r == t else "letter"] += 1
    assert split == by_word


def test_failure_split_of_nothing_and_of_unequal_arrays():
    empty = np.array([])
    assert failure_split(empty, empty, empty, empty, empty) == dict.fromkeys(FAILURES, 0)
    with pytest.raises(ValueError, match="must be 1-D arrays of one length"):
        failure_split(["A", "B"], ["A", "B"], ["A", "B"], [1], [True, True])


def test_the_error_is_exact_where_it_can_be_counted():
    assert calibration_error(np.array([1.0, 1.0, 1.0, 1.0]), np.array([True, True, True, False])) == 0.25
    assert calibration_error(np.array([0.5, 0.5]), np.array([True, False])) == 0
    # Two bins of different size, off by 0.1 and by 0.2.
    sure, right = np.array([0.9] * 6 + [0.2] * 2), np.array([True] * 6 + [False] * 2)
    assert calibration_error(sure, right) == pytest.approx(0.75 * 0.1 + 0.25 * 0.2)
    assert np.isnan(calibration_error(np.empty(0), np.empty(0, bool)))


def test_reliability_counts_every_answer_in_its_bin():
    random = np.random.Generator(np.random.Philox(3))
    sure = random.random(5000) ** 0.3
    right = random.random(5000) < 0.8 * sure
    rows = reliability(sure, right)
    assert sum(row["n"] for row in rows) == 5000
    assert [row["confidence"] for row in rows] == sorted(row["confidence"] for row in rows)
    for row in rows:
        own = np.floor(sure * BINS) == np.floor(row["confidence"] * BINS)
        assert row == {"confidence": float(sure[own].mean()), **Rate.of(right[own]).as_dict()}
    error = sum(row["n"] * abs(row["rate"] - row["confidence"]) for row in rows) / 5000
    assert calibration_error(sure, right) == pytest.approx(error)


def test_reliability_of_the_surest_and_of_nothing():
    assert [row["n"] for row in reliability(np.array([0.0, 1.0, 1.0]), np.array([True, True, False]))] == [1, 2]
    assert reliability(np.empty(0), np.empty(0, bool)) == []

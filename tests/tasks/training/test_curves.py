import json

import numpy as np
import pytest

from tasks.reading.confidence import EVIDENCE, confidence, curves_of
from tasks.scoring.metrics import calibration_error
from tasks.training.curves import fit_curve


def answers(weights, n=40_000):
    """Evidence of several kinds and scales, and answers that are right as often as the weights say."""
    random = np.random.Generator(np.random.Philox(2))
    k = len(weights) - 1
    evidence = random.normal(1, 2, (n, k)) * [1, 10, 0.1][:k] + [0, -30, 5][:k]
    chance = 1 / (1 + np.exp(-(weights[0] + evidence @ np.array(weights[1:]))))
    return evidence, chance, random.random(n) < chance


@pytest.mark.parametrize("weights", [[0.0, 1.0], [0.7, 0.5], [-1.5, 1.4], [9.0, 1.0, 0.3], [-14.0, 0.5, 0.1, 2.0]])
def test_the_curve_that_made_the_answers_is_found(weights):
    evidence, chance, right = answers(weights)
    found = confidence(evidence, fit_curve(evidence, right))
    assert np.abs(chance - found).mean() < 0.02
    assert calibration_error(found, right) < 0.01
    assert found.mean() == pytest.approx(right.mean(), abs=1e-3)


def test_more_evidence_never_lowers_confidence_and_nothing_is_extrapolated():
    random = np.random.Generator(np.random.Philox(5))
    for seed in range(5):
        evidence = random.normal(size=(300, 3)) * random.uniform(0.1, 30, 3)
        right = random.random(300) < 1 / (1 + np.exp(evidence[:, seed % 3]))  # one column speaks the wrong way
        curve = fit_curve(evidence, right)
        some = random.normal(size=(500, 3)) * 1000
        more = some + random.exponential(500, (500, 3))
        assert (confidence(more, curve) >= confidence(some, curve)).all()
        inside = np.clip(some, evidence.min(axis=0) - np.maximum(evidence.std(axis=0), 1e-3), evidence.max(axis=0))
        assert confidence(some, curve) == pytest.approx(confidence(inside, curve))


def test_evidence_that_says_nothing_changes_nothing():
    evidence, _, right = answers([0.5, 1.0])
    useless = np.column_stack([evidence, np.full(len(evidence), 7.0)])
    alone, both = (confidence(rows, fit_curve(rows, right)) for rows in (evidence, useless))
    assert both == pytest.approx(alone, abs=0.01)


@pytest.mark.parametrize("n", [1, 5, 10, 4096])
def test_nothing_is_surer_than_so_many_answers_can_show(n):
    evidence = np.random.Generator(np.random.Philox(1)).normal(size=(n, 3))
    for right in (np.ones(n, bool), np.zeros(n, bool), np.arange(n) % 2 == 0):
        found = confidence(np.vstack([evidence, evidence + 99, evidence - 99]), fit_curve(evidence, right))
        assert found.max() <= (n + 1) / (n + 2)
        assert found.min() >= 1 / (n + 2)


@pytest.mark.parametrize("n", [10, 4096])
def test_where_all_are_right_worse_evidence_than_theirs_makes_less_sure(n):
    evidence = np.random.Generator(np.random.Philox(1)).normal(size=(n, 3))
    curve = fit_curve(evidence, np.ones(n, bool))
    sure = confidence(evidence, curve)
    assert sure.mean() > 0.8
    assert confidence(evidence.min(axis=0)[None] - 9, curve)[0] < sure.min()


def test_weights_count_like_repeated_answers():
    evidence, _, right = answers([0.5, 1.0], 2000)
    weight = np.arange(2000) % 3
    again = np.repeat(np.arange(2000), weight)
    found = confidence(evidence, fit_curve(evidence, right, weight.astype(float)))
    assert found == pytest.approx(confidence(evidence, fit_curve(evidence[again], right[again])), abs=0.02)


def test_without_answers_confidence_is_an_even_chance():
    found = fit_curve(np.empty((0, 2)), np.empty(0, bool))
    assert confidence(np.array([[3.0, -8.0]]), found).tolist() == [0.5]


def test_a_record_gives_the_same_curve():
    columns = len(EVIDENCE["none"])
    evidence = np.random.Generator(np.random.Philox(3)).normal(size=(200, columns))
    curve = fit_curve(evidence, evidence[:, 0] > 0)
    record = json.loads(json.dumps({"none": curve.as_record()}))
    assert curves_of(record) == {"none": curve}

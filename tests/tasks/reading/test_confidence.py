import numpy as np
import pytest

from tasks.reading.confidence import confidence, fit_curve
from tasks.scoring.metrics import calibration_error


def answers(weights, n=40_000):
    """Evidence of several kinds and scales, and answers that are right as often as the weights say."""
    random = np.random.Generator(np.random.Philox(2))
    k = len(weights) - 1
    evidence = random.normal(1, 2, (n, k)) * [1, 10, 0.1][:k] + [0, -30, 5][:k]
    return evidence, random.random(n) < 1 / (1 + np.exp(-(weights[0] + evidence @ np.array(weights[1:]))))


def products(k):
    return k + k * (k + 1) // 2


def padded(weights):
    """The same, with weights of 0 for all products."""
    return [*weights, *[0.0] * (products(len(weights) - 1) - len(weights) + 1)]


def test_two_kinds_of_evidence_that_only_count_together_are_understood():
    random = np.random.Generator(np.random.Philox(3))
    evidence = random.normal(size=(20_000, 2))
    chance = 1 / (1 + np.exp(-3 * evidence[:, 0] * evidence[:, 1]))
    found = fit_curve(evidence, random.random(20_000) < chance)
    assert np.abs(confidence(evidence, found) - chance).mean() < 0.02


@pytest.mark.parametrize("weights", [[0.0, 1.0], [0.7, 0.5], [-1.5, 1.4], [9.0, 1.0, 0.3], [-14.0, 0.5, -0.1, 2.0]])
def test_the_weights_that_made_the_answers_are_found(weights):
    evidence, right = answers(weights)
    found = fit_curve(evidence, right)
    assert len(found) == 1 + products(len(weights) - 1)
    chance = confidence(evidence, found)
    assert np.abs(chance - confidence(evidence, padded(weights))).mean() < 0.01
    assert calibration_error(chance, right) < 0.01
    assert chance.mean() == pytest.approx(right.mean(), abs=1e-4)


def test_evidence_that_says_nothing_weighs_nothing():
    evidence, right = answers([0.5, 1.0])
    useless = np.column_stack([evidence, np.full(len(evidence), 7.0)])
    found = fit_curve(useless, right)
    assert np.isfinite(found).all()
    assert confidence(useless, found) == pytest.approx(confidence(evidence, fit_curve(evidence, right)), abs=5e-3)


def test_separable_answers_do_not_run_away():
    evidence = np.linspace(-1, 1, 200)[:, None]
    found = fit_curve(evidence, evidence[:, 0] > 0)
    assert np.isfinite(found).all()
    chance = confidence(evidence, found)
    assert (np.diff(chance) >= 0).all()
    assert chance[0] < 0.01 < 0.99 < chance[-1]
    assert found[1] < 1000


@pytest.mark.parametrize("n", [1, 5, 4096])
def test_where_all_are_right_or_none_is_the_number_of_answers_decides(n):
    evidence = np.random.Generator(np.random.Philox(1)).normal(size=(n, 3))
    for right, chance in ((np.ones(n, bool), (n + 1) / (n + 2)), (np.zeros(n, bool), 1 / (n + 2))):
        found = fit_curve(evidence, right)
        assert found[1:] == [0.0] * products(3)
        assert confidence(evidence, found) == pytest.approx(np.full(n, chance))


@pytest.mark.parametrize("n", [1, 5, 4096])
def test_where_all_are_right_worse_evidence_than_theirs_makes_less_sure(n):
    evidence = np.random.Generator(np.random.Philox(1)).normal(size=(n, 3))
    evidence[:, 1] = 0.0  # as of answers for which no dictionary was bent
    found = fit_curve(evidence, np.ones(n, bool), speaking=2)
    assert len(found) == 1 + products(3)
    assert found[3:] == [0.0] * (products(3) - 2)
    assert confidence(evidence, found).mean() == pytest.approx((n + 1) / (n + 2))
    best, worse = evidence.max(axis=0), evidence.max(axis=0) - [0, 20, 0]
    chances = confidence(np.array([best, best - [9, 0, 0], worse, worse - [9, 0, 0], worse - [0, 0, 99]]), found)
    assert chances[0] > chances[1] >= chances[3]
    assert chances[0] > chances[2] >= chances[3]
    assert chances[2] < 0.1
    assert chances[4] == chances[2]
    assert fit_curve(evidence, np.zeros(n, bool), speaking=2)[1:] == [0.0] * products(3)


def test_without_answers_confidence_is_an_even_chance():
    found = fit_curve(np.empty((0, 2)), np.empty(0, bool))
    assert confidence(np.array([[3.0, -8.0]]), found).tolist() == [0.5]


def test_confidence_stays_between_0_and_1():
    chance = confidence(np.array([[-1e9], [-1], [0], [1], [1e9]]), [0.0, 1.0, 0.0])
    assert (np.diff(chance) > 0).all()
    assert chance[0] >= 0
    assert chance[-1] <= 1
    assert chance[2] == 0.5

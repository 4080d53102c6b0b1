import numpy as np
import pytest

from tasks.calibration import calibration_error, fit_line


def answers(shift, slope, n=40_000):
    """Confidences, and answers that are right as often as the line says."""
    random = np.random.Generator(np.random.Philox(2))
    odds = random.normal(1, 2, n)
    right = random.random(n) < 1 / (1 + np.exp(-(shift + slope * odds)))
    return 1 / (1 + np.exp(-odds)), right


@pytest.mark.parametrize(("shift", "slope"), [(0, 1), (0.7, 0.5), (-1.5, 1.4)])
def test_the_line_is_found_and_mends_the_error(shift, slope):
    confidence, right = answers(shift, slope)
    line = fit_line(confidence, right)
    assert line == pytest.approx([shift, slope], abs=0.06)
    mended = 1 / (1 + np.exp(-(line[0] + line[1] * np.log(confidence / (1 - confidence)))))
    assert calibration_error(mended, right) < 0.01
    if slope != 1:
        assert calibration_error(confidence, right) > 0.05


def test_the_error_is_exact_where_it_can_be_counted():
    assert calibration_error(np.array([1.0, 1.0, 1.0, 1.0]), np.array([True, True, True, False])) == 0.25
    assert calibration_error(np.array([0.5, 0.5]), np.array([True, False])) == 0
    # Two bins of different size, off by 0.1 and by 0.2.
    confidence, right = np.array([0.9] * 6 + [0.2] * 2), np.array([True] * 6 + [False] * 2)
    assert calibration_error(confidence, right) == pytest.approx(0.75 * 0.1 + 0.25 * 0.2)
    assert np.isnan(calibration_error(np.empty(0), np.empty(0, bool)))


@pytest.mark.parametrize("right", [np.ones(5, bool), np.zeros(5, bool), np.empty(0, bool)])
def test_with_nothing_to_fit_the_line_changes_nothing(right):
    assert fit_line(np.full(len(right), 0.7), right) == [0.0, 1.0]


def test_certain_answers_do_not_break_it():
    line = fit_line(np.array([1.0, 1.0, 0.0, 1.0, 0.0]), np.array([True, True, False, False, True]))
    assert np.isfinite(line).all()
    assert line[1] >= 0

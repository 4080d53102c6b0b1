"""Confidence that means something: how far it is off, and what makes it fit."""

import numpy as np

from tasks.metrics import Rate

BINS = 15


def calibration_error(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> float:
    """The expected calibration error: |share right - mean confidence| of bins of equal width, weighed by their size.

    Parameters
    ----------
    confidence : (n,) float, 0 to 1
    right : (n,) bool
    bins : int

    Returns
    -------
    float
        0 to 1; nan for no answers.

    References
    ----------
    M. P. Naeini, G. F. Cooper, M. Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning",
    AAAI 2015.
    """
    if not len(confidence):
        return float("nan")
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    off = np.bincount(place, right - confidence, bins)
    return float(np.abs(off).sum() / len(confidence))


def reliability(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> list[dict]:
    """Of each bin that has answers: their number, mean confidence and the rate of right ones, ready for JSON."""
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    rows = []
    for k in np.unique(place).tolist():
        own = place == k
        rows.append({"confidence": float(confidence[own].mean()), **Rate.of(right[own]).as_dict()})
    return rows


def fit_curve(evidence: np.ndarray, right: np.ndarray) -> list[float]:
    """Weights under which the answers are most probable (logistic regression; with one column, Platt's scaling).

    Parameters
    ----------
    evidence : (n, k) float
        Whatever speaks for or against an answer.
    right : (n,) bool

    Returns
    -------
    list of k + 1 float
        A shift, then a weight a column; all 0 but the shift where there is nothing to fit, because all are right, or
        none is: the shift then stands for Laplace's rule of succession, (n + 1) / (n + 2) or 1 / (n + 2).

    References
    ----------
    J. Platt, "Probabilistic outputs for support vector machines", 1999.
    """
    n, k = evidence.shape
    if n == 0 or right.all() or not right.any():
        wrong_or_right = np.log(n + 1.0) if n else 0.0
        return [float(wrong_or_right if n and right.all() else -wrong_or_right), *[0.0] * k]
    middle, spread = evidence.mean(axis=0), np.maximum(evidence.std(axis=0), 1e-6)
    design = np.column_stack([np.ones(n), (evidence - middle) / spread])
    # Newton's method; a weak pull towards 0 keeps it from running away where answers are separable.
    weights, pull = np.zeros(k + 1), np.eye(k + 1) * 1e-2
    pull[0, 0] = 0
    for _ in range(100):
        chance = 1 / (1 + np.exp(-np.clip(design @ weights, -40, 40)))
        gradient = design.T @ (right - chance) - pull @ weights
        curvature = (design * (chance * (1 - chance))[:, None]).T @ design + pull + np.eye(k + 1) * 1e-9
        step = np.linalg.solve(curvature, gradient)
        weights = weights + np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-9:
            break
    slopes = weights[1:] / spread
    return [float(weights[0] - slopes @ middle), *slopes.tolist()]


def confidence(evidence: np.ndarray, weights: list[float]) -> np.ndarray:
    """How probable it is that each answer is right, (n,) float64 from 0 to 1, by the weights of `fit_curve`."""
    return 1 / (1 + np.exp(-np.clip(weights[0] + evidence @ np.array(weights[1:]), -40, 40)))

"""Confidence that means something: how far it is off, and what makes it fit."""

import numpy as np
from sklearn.linear_model import LogisticRegression

from tasks.metrics import Rate

BINS = 15
LOOSE = 10.0  # how far weights may go: scikit-learn's inverse strength of regularisation


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
    """Weights under which the answers are most probable: logistic regression on the evidence and its products.

    Parameters
    ----------
    evidence : (n, k) float
        Whatever speaks for or against an answer.
    right : (n,) bool

    Returns
    -------
    list of float
        A shift, then a weight for each column and for each product of two; all 0 but the shift where there is nothing
        to fit, because all are right, or none is: the shift then stands for Laplace's rule of succession,
        (n + 1) / (n + 2) or 1 / (n + 2).

    References
    ----------
    J. Platt, "Probabilistic outputs for support vector machines", 1999.
    """
    design, n = _with_products(evidence), len(right)
    if n == 0 or right.all() or not right.any():
        shift = float(np.log(n + 1.0))
        return [shift if n and right.all() else -shift, *[0.0] * design.shape[1]]
    middle, spread = design.mean(axis=0), np.maximum(design.std(axis=0), 1e-9)
    fitted = LogisticRegression(C=LOOSE, max_iter=5000).fit((design - middle) / spread, right)
    slopes = fitted.coef_[0] / spread
    return [float(fitted.intercept_[0] - slopes @ middle), *slopes.tolist()]


def confidence(evidence: np.ndarray, weights: list[float]) -> np.ndarray:
    """How probable it is that each answer is right, (n,) float64 from 0 to 1, by the weights of `fit_curve`."""
    score = weights[0] + _with_products(evidence) @ np.array(weights[1:])
    return 1 / (1 + np.exp(-np.clip(score, -40, 40)))


def _with_products(evidence: np.ndarray) -> np.ndarray:
    one, other = np.triu_indices(evidence.shape[1])
    return np.column_stack([evidence, evidence[:, one] * evidence[:, other]])

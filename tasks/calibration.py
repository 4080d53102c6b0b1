"""Confidence that means something: how far it is off, and a line that mends it."""

import numpy as np

BINS = 15
_EDGE = 1e-9


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


def fit_line(confidence: np.ndarray, right: np.ndarray) -> list[float]:
    """Shift and slope of the log odds under which the answers are most probable (Platt's scaling).

    Parameters
    ----------
    confidence : (n,) float, 0 to 1
    right : (n,) bool

    Returns
    -------
    list of two float
        0 and 1 where there is nothing to fit: no answers, or none right, or none wrong.

    References
    ----------
    J. Platt, "Probabilistic outputs for support vector machines", 1999.
    """
    if len(right) == 0 or right.all() or not right.any():
        return [0.0, 1.0]
    clipped = np.clip(confidence, _EDGE, 1 - _EDGE)
    design = np.stack([np.ones(len(right)), np.log(clipped / (1 - clipped))], axis=1)
    # Newton's method; a weak pull towards 0 and 1 keeps it from running away where answers are separable.
    line, pull = np.array([0.0, 1.0]), np.eye(2) * 1e-3
    for _ in range(50):
        chance = 1 / (1 + np.exp(-np.clip(design @ line, -40, 40)))
        gradient = design.T @ (right - chance) - pull @ (line - [0.0, 1.0])
        curvature = (design * (chance * (1 - chance))[:, None]).T @ design + pull
        step = np.linalg.solve(curvature, gradient)
        line = line + np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-9:
            break
    return [float(line[0]), float(max(line[1], 0.0))]

"""Fit the curve that turns the evidence for answers into confidence, to how often such answers were right."""

import numpy as np

from tasks.reading.confidence import Curve, Line

PLACES = (0, 0.01, 0.03, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.97, 1)  # quantiles of a column, where its line may bend
# A step of 1 in a line costs as much as this share of an answer being as wrong as 1: few answers make flat lines.
STIFF = 0.05
NEAREST = 0.005  # of a column's range: bends are not nearer to each other, or rounding would move confidence
MOST_ANSWERS = 60_000  # that are fitted to; of more, evenly spaced answers
FIT_ROUNDS = 500  # of the search; it ends by itself after some 100


def fit_curve(evidence: np.ndarray, right: np.ndarray, weight: np.ndarray | None = None) -> Curve:
    """Fit the curve under which the answers are most probable: logistic regression on ramps, with no negative weight.

    Parameters
    ----------
    evidence : (n, k) float
        Each column speaks for an answer the more, the larger it is.
    right : (n,) bool
    weight : (n,) float, optional
        How much an answer counts; by default 1.

    Returns
    -------
    Curve
        It never promises more than Laplace's rule of succession allows for so many answers: (n + 1) / (n + 2), nor less
        than 1 / (n + 2). One imagined wrong answer, with worse evidence than any, tells it what to think of such where
        all are right.

    References
    ----------
    J. Platt, "Probabilistic outputs for support vector machines", 1999.
    """
    counts = np.ones(len(right)) if weight is None else weight
    n, step = float(counts.sum()), -(-len(right) // MOST_ANSWERS)
    if not len(right):
        return Curve(0.0, 0.0, 1.0, [Line([0.0], [0.0]) for _ in range(evidence.shape[1])])
    evidence, right, counts = evidence[::step], right[::step], counts[::step] * step
    worst = evidence.min(axis=0) - np.maximum(evidence.std(axis=0), 1e-3)
    rows, truth = np.vstack([evidence, worst]), np.append(right, False)
    corners = [_corners(column) for column in rows.T]
    design = np.column_stack([_ramps(column, at) for column, at in zip(rows.T, corners, strict=True)])
    slopes, shift = _regression(design, truth, np.append(counts, 1.0))
    lines, first = [], 0
    for at in corners:
        own = slopes[first : first + len(at) - 1]
        first += len(own)
        lines.append(Line(at.tolist(), np.concatenate([[0.0], np.cumsum(own)]).tolist()))
    return Curve(shift, 1 / (n + 2), (n + 1) / (n + 2), lines)


def _corners(column: np.ndarray) -> np.ndarray:
    """Choose where the line of a column may bend, ascending: its quantiles, without those too near to another."""
    quantiles = np.unique(np.quantile(column, PLACES))
    near = (quantiles[-1] - quantiles[0]) * NEAREST
    corners = [quantiles[0]]
    for place in quantiles[1:]:
        if place - corners[-1] > near:
            corners.append(place)
    return np.array(corners)


def _ramps(column: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return, for each piece between two corners, how much of it lies below each value, (n, corners - 1), 0 to 1."""
    ramps: np.ndarray = np.clip((column[:, None] - at[:-1]) / np.diff(at), 0, 1).astype(np.float32)
    return ramps


def _regression(design: np.ndarray, right: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, float]:
    """Return slopes, none of them negative, and the shift of a logistic regression."""
    from scipy.optimize import minimize  # only training needs it, and it takes long to import

    sign = np.where(right, 1.0, -1.0)

    def cost(values: np.ndarray) -> tuple[float, np.ndarray]:
        slopes, shift = values[1:], values[0]
        odds = sign * (design @ slopes.astype(np.float32) + shift)
        push = -weight * sign / (1 + np.exp(np.clip(odds, -50, 50)))
        total = (weight * np.logaddexp(0, -odds)).sum() + STIFF * (slopes**2).sum()
        return float(total), np.concatenate([[push.sum()], design.T @ push.astype(np.float32) + 2 * STIFF * slopes])

    rate = np.clip(weight[right].sum() / weight.sum(), 1e-3, 1 - 1e-3)
    start = np.concatenate([[np.log(rate / (1 - rate))], np.zeros(design.shape[1])])
    bounds = [(None, None)] + [(0, None)] * design.shape[1]
    found = minimize(cost, start, jac=True, bounds=bounds, method="L-BFGS-B", options={"maxiter": FIT_ROUNDS})
    return np.maximum(found.x[1:], 0), float(found.x[0])

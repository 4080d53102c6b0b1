"""Confidence: fit it to how often answers are right, and compute it for an answer."""

import numpy as np

LOOSE = 10.0  # how far weights may go: scikit-learn's inverse strength of regularisation


def fit_curve(evidence: np.ndarray, right: np.ndarray, speaking: int = 0) -> list[float]:
    """Fit weights under which the answers are most probable: logistic regression on the evidence and its products.

    Parameters
    ----------
    evidence : (n, k) float
        What speaks for or against an answer.
    right : (n,) bool
    speaking : int
        So many of the first columns speak for an answer the more, the larger they are. Where all answers are right,
        the data cannot show it.

    Returns
    -------
    list of float
        A shift, then a weight for each column and for each product of two. Where all are right, or none is, Laplace's
        rule of succession takes the place of a fit: the probability is (n + 1) / (n + 2) or 1 / (n + 2) on average. It
        is the same for all answers unless `speaking` is given: then the wrong answer that the rule imagines has worse
        evidence.

    References
    ----------
    J. Platt, "Probabilistic outputs for support vector machines", 1999.
    """
    design, n = _with_products(evidence), len(right)
    if n == 0 or right.all() or not right.any():
        shift, slopes = float(np.log(n + 1.0)), np.zeros(design.shape[1])
        if n and right.all() and speaking:
            known = evidence[:, :speaking]
            slopes[: known.shape[1]] = _slopes_of_imagined(known)
            shift = _shift(design @ slopes, (n + 1) / (n + 2))
        return [shift if n and right.all() else -shift, *slopes.tolist()]
    middle, spread = design.mean(axis=0), np.maximum(design.std(axis=0), 1e-9)
    slopes, shift = _regression((design - middle) / spread, right)
    slopes = slopes / spread
    return [float(shift - slopes @ middle), *slopes.tolist()]


def _slopes_of_imagined(evidence: np.ndarray) -> np.ndarray:
    """Fit weights that tell right answers from a single wrong answer, with worse evidence than any of them."""
    worse = evidence.min(axis=0) - np.maximum(evidence.std(axis=0), 1)
    rows, right = np.vstack([evidence, worse]), np.arange(len(evidence) + 1) < len(evidence)
    middle, spread = rows.mean(axis=0), rows.std(axis=0)
    slopes: np.ndarray = np.maximum(_regression((rows - middle) / spread, right, 100)[0], 0) / spread
    return slopes


def _regression(design: np.ndarray, right: np.ndarray, most: int = 5000) -> tuple[np.ndarray, float]:
    """Return slopes and shift of a logistic regression with at most so many iterations."""
    from sklearn.linear_model import LogisticRegression  # only training needs it, and it takes long to import

    fitted = LogisticRegression(C=LOOSE, max_iter=most).fit(design, right)
    slopes: np.ndarray = fitted.coef_[0]
    return slopes, float(fitted.intercept_[0])


def _shift(score: np.ndarray, mean: float) -> float:
    """Find the shift of scores under which their probabilities have this mean."""
    wanted = np.log(mean / (1 - mean))
    low, high = wanted - score.max(), wanted - score.min()
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if (1 / (1 + np.exp(-score - middle))).mean() < mean else (low, middle)
    return float(middle)


def confidence(evidence: np.ndarray, weights: list[float]) -> np.ndarray:
    """Compute the probability that each answer is right, (n,) float64 from 0 to 1, by the weights of `fit_curve`."""
    score = weights[0] + _with_products(evidence) @ np.array(weights[1:])
    share: np.ndarray = 1 / (1 + np.exp(-np.clip(score, -40, 40)))
    return share


def _with_products(evidence: np.ndarray) -> np.ndarray:
    first, second = np.triu_indices(evidence.shape[1])
    return np.column_stack([evidence, evidence[:, first] * evidence[:, second]])

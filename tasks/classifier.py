"""The letter network: build, fit in a stream, probabilities."""

import warnings
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from sklearn.neural_network import MLPClassifier

from storage.errors import BadInput
from tasks.letters import SIDE

HIDDEN = 100  # units, as in the book
ENOUGH = 800_000  # letters to show the network, counted with repetition
MOST_PASSES = 40
POOL = 8000  # letters shuffled together: 40 of scikit-learn's mini-batches of 200, and no short one
_CHUNK = 4096  # letters multiplied at once: the activations stay in the processor's cache


def build(seed: int) -> MLPClassifier:
    """The book's network: 400 features, 100 hidden units, a softmax over integer labels.

    Parameters
    ----------
    seed : int, 0 to 2**63 - 1
        Of the first weights; one below 2**32 is scikit-learn's `random_state` itself.
    """
    # partial_fit starts a generator of the same state each time: its own shuffle would be one fixed order.
    return MLPClassifier((HIDDEN,), random_state=(seed ^ seed >> 32) & 0xFFFFFFFF, shuffle=False)


def passes_for(n: int) -> int:
    """Passes over n letters that show the network about 800,000: 1 to 40."""
    return min(max(round(ENOUGH / max(n, 1)), 1), MOST_PASSES)


def fit_stream(
    network: MLPClassifier,
    chunks_factory: Callable[[], Iterable[tuple[np.ndarray, np.ndarray]]],
    classes: int,
    passes: int,
    seed: int,
    on_pass: Callable[[int, float], None] | None = None,
) -> int:
    """Fit the network in place, holding one chunk and one pool of 8,000 letters in memory.

    Equal letters and seed give equal weights on one machine, however the letters are dealt into chunks. Rows
    are shuffled within a pool: labels have to come mixed, as they do from a drawn dataset.

    Parameters
    ----------
    network : MLPClassifier
        From `build`, or fitted so far.
    chunks_factory : callable
        Called once a pass; gives chunks (X, y): X (k, 400) uint8, 0 to 255, y (k,) integers, 0 to `classes` - 1.
    classes : int
        How many there are, whether or not all of them occur.
    passes : int
    seed : int, 0 to 2**64 - 1
        Of the order of rows.
    on_pass : callable, optional
        Called after each pass with its number, from 1, and the mean loss over its letters.

    Returns
    -------
    int
        Letters seen, counted with repetition.

    Raises
    ------
    BadInput
        There is no letter to learn from.
    ValueError
        A chunk of another shape, or a label out of range.
    """
    seen = 0
    for number in range(passes):
        loss, rows = 0.0, 0
        for place, (X, y) in enumerate(_pools(chunks_factory(), classes)):
            # Philox's raw output, as for the drawing: numpy keeps it the same between versions.
            generator = np.random.Philox(key=[seed, number], counter=[0, 0, 1, place])
            order = generator.random_raw(len(X)).argsort()
            _step(network, _features(X[order]), y[order], classes)
            loss += float(network.loss_) * len(X)
            rows += len(X)
        if not rows:
            raise BadInput("training: needs at least one letter; there is none, so draw more pictures first")
        seen += rows
        if on_pass is not None:
            on_pass(number + 1, loss / rows)
    return seen


def _pools(chunks: Iterable[tuple[np.ndarray, np.ndarray]], classes: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The same rows in pools of `POOL`, the last one shorter, wherever the chunks end."""
    X, y = np.empty((POOL, SIDE * SIDE), np.uint8), np.empty(POOL, np.int64)
    filled = 0
    for more, labels in chunks:
        _check_chunk(more, labels, classes)
        while len(more):
            taken = min(POOL - filled, len(more))
            X[filled : filled + taken], y[filled : filled + taken] = more[:taken], labels[:taken]
            more, labels, filled = more[taken:], labels[taken:], filled + taken
            if filled == POOL:
                yield X, y
                filled = 0
    if filled:
        yield X[:filled], y[:filled]


def _step(network: MLPClassifier, X: np.ndarray, y: np.ndarray, classes: int) -> None:
    with warnings.catch_warnings():
        # scikit-learn swallows Ctrl-C here, warns, and would have us go on with half a step.
        warnings.filterwarnings("error", "Training interrupted by user", UserWarning)
        try:
            network.partial_fit(X, y, classes=np.arange(classes))
        except UserWarning as interrupted:
            raise KeyboardInterrupt from interrupted


def _check_chunk(X: np.ndarray, y: np.ndarray, classes: int) -> None:
    if X.ndim != 2 or X.shape[1] != SIDE * SIDE or X.dtype != np.uint8 or y.shape != X.shape[:1]:
        raise ValueError(
            f"chunk: must be (k, 400) uint8 and (k,) labels; it is {X.shape} {X.dtype} and {y.shape} {y.dtype}"
        )
    if len(y) and (y.min() < 0 or y.max() >= classes):
        raise ValueError(f"label: must be from 0 to {classes - 1}; found {y.min()} to {y.max()}")


def _features(X: np.ndarray) -> np.ndarray:
    # scikit-learn keeps float32 as it is: half the memory and twice the speed of float64.
    return X.astype(np.float32) / np.float32(255)


def probabilities(network: MLPClassifier, letters: np.ndarray) -> np.ndarray:
    """What `predict_proba` gives, without its checks and copies.

    Parameters
    ----------
    network : MLPClassifier
        Fitted; with the relu and softmax (or, for two classes, logistic) units of `build`.
    letters : (m, 20, 20) uint8
        From `tasks.letters.shape_letters`.

    Returns
    -------
    (m, C) float32
        Each row sums to 1; columns in the order of ``network.classes_``.

    Raises
    ------
    ValueError
        Another shape or type, or a network with other units.
    """
    if letters.shape[1:] != (SIDE, SIDE) or letters.dtype != np.uint8:
        raise ValueError(f"letters: must be (m, {SIDE}, {SIDE}) uint8; it is {letters.shape} {letters.dtype}")
    if network.activation != "relu" or network.out_activation_ not in ("softmax", "logistic"):
        raise ValueError(
            f"network: must have relu and softmax units; it has {network.activation} and {network.out_activation_}"
        )
    flat = letters.reshape(len(letters), SIDE * SIDE)
    out = np.empty((len(letters), len(network.classes_)), np.float32)
    for first in range(0, len(letters), _CHUNK):
        last = first + _CHUNK
        out[first:last] = _forward(network, _features(flat[first:last]))
    return out


def _forward(network: MLPClassifier, values: np.ndarray) -> np.ndarray:
    for weights, bias in zip(network.coefs_[:-1], network.intercepts_[:-1], strict=True):
        values = values @ weights + bias
        np.maximum(values, 0, out=values)
    values = values @ network.coefs_[-1] + network.intercepts_[-1]
    if len(network.classes_) == 1:
        return np.ones_like(values)  # nothing to choose from
    if network.out_activation_ == "logistic":  # of two classes scikit-learn keeps the second's logit only
        values = np.hstack([np.zeros_like(values), values])
    values -= values.max(axis=1, keepdims=True)
    np.exp(values, out=values)
    values /= values.sum(axis=1, keepdims=True)
    return values

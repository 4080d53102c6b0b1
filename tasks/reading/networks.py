"""The two networks of a reader: one tells single letters from what is none, the other says which letter it is."""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.neural_network import MLPClassifier

from storage.errors import BadInput
from tasks.lowlevel.int16_matmul import Packed, multiply, pack
from tasks.reading.features import SIZE

LETTERS, GATE = "letters", "gate"  # what the networks of a model are called
GATE_HIDDEN = 32
BATCH = 256
POOL = 40 * BATCH  # spans that are put together at once
FASTEST, SLOWEST = 1e-3, 1e-5  # the rate of learning, at the beginning and at the end
_CHUNK = 2048  # spans multiplied at once: the activations stay in the processor's cache


@dataclass(frozen=True)
class Layers:
    """A fitted network as `letter_odds` and `gate_odds` multiply with it; one that is used often is prepared once.

    first : Packed
        Of bytes, not of 0 to 1.
    others : tuple of (weights, bias)
    classes : int
    """

    first: Packed
    others: tuple[tuple[np.ndarray, np.ndarray], ...]
    classes: int


def layers_of(network: MLPClassifier | Layers) -> Layers:
    """Prepare a network as it is now."""
    if isinstance(network, Layers):
        return network
    weights, bias = network.coefs_, network.intercepts_
    first = pack(weights[0] / 255, bias[0])
    return Layers(first, tuple(zip(weights[1:], bias[1:], strict=True)), len(network.classes_))


def build(hidden: tuple[int, ...], seed: int) -> MLPClassifier:
    """A network with a softmax over integer labels.

    Parameters
    ----------
    hidden : tuple of int
        Units of each hidden layer.
    seed : int, 0 to 2**63 - 1
        Of the first weights; one below 2**32 is scikit-learn's `random_state` itself.
    """
    # partial_fit starts a generator of the same state each time: its own shuffle would be one fixed order.
    return MLPClassifier(hidden, random_state=(seed ^ seed >> 32) & 0xFFFFFFFF, batch_size=BATCH, shuffle=False)


def fit(
    network: MLPClassifier,
    take: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    n: int,
    shows: int,
    classes: int,
    seed: int,
    on_pool: Callable[[int, float], None] | None = None,
) -> None:
    """Fit the network in place, holding one pool of spans in memory; equal input gives equal weights on one machine.

    The rate of learning falls from `FASTEST` to `SLOWEST` along half a cosine, which is worth about a third of all
    errors.

    Parameters
    ----------
    network : MLPClassifier
        From `build`.
    take : callable
        Rows, ascending -> (X, y): X (k, F) uint8, 0 to 255, y (k,) integers, 0 to `classes` - 1.
    n : int
        Rows that there are.
    shows : int
        How many rows to show, counted with repetition; every row once before any comes again.
    classes : int
        How many there are, whether or not all of them occur.
    seed : int, 0 to 2**64 - 1
        Of the order of rows.
    on_pool : callable, optional
        Called after each pool with the rows shown so far, and the loss over the last rows.

    Raises
    ------
    BadInput
        There is nothing to learn from.
    ValueError
        A label out of range.

    References
    ----------
    I. Loshchilov, F. Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017.
    """
    if n == 0:
        raise BadInput("training: needs at least one letter; there is none, so use more pictures")
    shown = 0
    for rows, order in _pools(n, shows, seed):
        X, y = take(rows)
        if y.min() < 0 or y.max() >= classes:
            raise ValueError(f"label: must be from 0 to {classes - 1}; found {y.min()} to {y.max()}")
        if hasattr(network, "_optimizer"):  # scikit-learn's Adam takes no schedule; it reads this attribute
            share = 0.5 * (1 + np.cos(np.pi * shown / shows))
            network._optimizer.learning_rate_init = SLOWEST + (FASTEST - SLOWEST) * share
        _step(network, to_unit(X[order]), y[order], classes)
        shown += len(rows)
        if on_pool is not None:
            on_pool(shown, float(network.loss_))


def _pools(n: int, shows: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows of each pool, ascending, and the order to show them in."""
    number = 0
    while shows > 0:
        # Philox's raw output, as for the drawing: numpy keeps it the same between versions.
        key = np.array([seed, number], np.uint64)  # a list with a seed of 2**63 or more would become float64
        order = np.random.Philox(key=key).random_raw(n).argsort()[:shows]
        for first in range(0, len(order), POOL):
            pool = order[first : first + POOL]
            rows = np.sort(pool)
            yield rows, np.searchsorted(rows, pool)
        shows -= len(order)
        number += 1


def _step(network: MLPClassifier, X: np.ndarray, y: np.ndarray, classes: int) -> None:
    with warnings.catch_warnings():
        # scikit-learn swallows Ctrl-C here, warns, and would have us go on with half a step.
        warnings.filterwarnings("error", "Training interrupted by user", UserWarning)
        # The last pool may be shorter than a batch.
        warnings.filterwarnings("ignore", "Got `batch_size` less than 1 or larger", UserWarning)
        try:
            network.partial_fit(X, y, classes=np.arange(classes))
        except UserWarning as interrupted:
            raise KeyboardInterrupt from interrupted


def to_unit(X: np.ndarray) -> np.ndarray:
    """Bytes -> 0 to 1. scikit-learn keeps float32 as it is: half the memory and twice the speed of float64."""
    return X.astype(np.float32) / np.float32(255)


def letter_odds(network: MLPClassifier | Layers, X: np.ndarray) -> np.ndarray:
    """Log odds of each letter against "not one letter", which is the last class.

    Parameters
    ----------
    network : MLPClassifier or Layers
        The one called `LETTERS`, of C + 1 classes.
    X : (m, SIZE) uint8
        From `tasks.reading.features.shape_spans`.

    Returns
    -------
    (m, C) float32
    """
    layers = layers_of(network)
    out = np.empty((len(X), layers.classes - 1), np.float32)
    for some, scores in _scores(layers, X):
        if layers.classes == 2:  # scikit-learn keeps one logit for two classes: that of the second
            out[some] = -scores
        else:
            out[some] = scores[:, :-1] - scores[:, -1:]
    return out


def gate_odds(network: MLPClassifier | Layers, X: np.ndarray) -> np.ndarray:
    """Log odds that a span is one letter, (m,) float32."""
    out = np.empty(len(X), np.float32)
    for some, scores in _scores(layers_of(network), X):
        out[some] = scores[:, 0]
    return out


def _scores(layers: Layers, X: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """What the last layer gives before its softmax, for some rows after others."""
    if X.ndim != 2 or X.shape[1] != SIZE or X.dtype != np.uint8:
        raise ValueError(f"spans: must be (m, {SIZE}) uint8; it is {X.shape} {X.dtype}")
    for first in range(0, len(X), _CHUNK):
        some = slice(first, first + _CHUNK)
        values = multiply(X[some], layers.first)
        for weights, bias in layers.others:
            np.maximum(values, 0, out=values)
            values = values @ weights
            values += bias
        yield some, values

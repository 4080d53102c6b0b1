"""The two networks of a reader: the gate tells single letters from other ink, the large network names the letter."""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from storage.errors import BadInput
from tasks.lowlevel.int16_matmul import Packed, multiply, pack
from tasks.reading.confidence import curves_of, is_number
from tasks.reading.features import FEATURES, SIZE
from tasks.reading.ranking import Ranking

if TYPE_CHECKING:  # scikit-learn takes longer to import than a picture to read; only training needs it
    from sklearn.neural_network import MLPClassifier

LETTERS, GATE = "letters", "gate"  # what the networks of a model are called
GATE_HIDDEN = 32
BATCH = 256
POOL = 40 * BATCH  # spans that are put together at once
FASTEST, SLOWEST = 1e-3, 1e-5  # the rate of learning, at the beginning and at the end
_CHUNK = 2048  # spans multiplied at once: the activations stay in the processor's cache
# What a record must say for pictures to be cut and read as they were when the model was trained.
NEEDED = ("classes", "features", "gate", "calibration")
MOST_CLASSES = 254  # a label of one byte tells so many apart, beside "not one letter"


class FittedNetwork(Protocol):
    """A fitted network: scikit-learn's, or `storage.models.Network`."""

    @property
    def coefs_(self) -> Sequence[np.ndarray]:
        """The weights of each layer."""

    @property
    def intercepts_(self) -> Sequence[np.ndarray]:
        """The biases of each layer."""

    @property
    def classes_(self) -> np.ndarray:
        """The labels of its classes."""


def require_record(networks: Mapping[str, FittedNetwork], provenance: Mapping[str, Any]) -> str:
    """Check the networks and the record of a model against each other and this version; return its letters.

    Raises
    ------
    BadInput
        The record lacks a part or has another type, range or length there than a trained model; it was trained on
        other features; or a network has other classes than the record.
    """
    lacking = [key for key in NEEDED if key not in provenance]
    if lacking or not {LETTERS, GATE} <= set(networks):
        raise BadInput(f"model: its record lacks {', '.join(lacking) or 'a network'}; train it again")
    if provenance["features"] != FEATURES:
        raise BadInput(
            f"model: was trained on letter features version {provenance['features']!r}, and this version makes "
            f"{FEATURES}; train it again"
        )
    known = provenance["classes"]
    if not isinstance(known, str) or not 1 <= len(known) <= MOST_CLASSES or len(set(known)) < len(known):
        raise BadInput(f"model, classes: must be 1 to {MOST_CLASSES} letters, each once; it is {known!r}")
    classes = len(networks[LETTERS].classes_)
    if classes != len(known) + 1:
        raise BadInput(
            f"model: its network knows {classes} classes, and its record names {len(known)} letters and other ink "
            f"({known!r}); train it again"
        )
    if len(networks[GATE].classes_) != 2:
        raise BadInput(f"model: its gate must tell 2 classes apart; it knows {len(networks[GATE].classes_)}")
    if not is_number(provenance["gate"]):
        raise BadInput(f"model, gate: must be a finite number; it is {provenance['gate']!r}")
    curves_of(provenance["calibration"])
    return known


def require_calibrated(provenance: Mapping[str, Any]) -> None:
    """Refuse a model whose confidence was never fitted: its answers would have none.

    Raises
    ------
    BadInput
    """
    if Ranking.NONE.value not in provenance["calibration"]:
        raise BadInput("model, calibration: has no curve, so no confidence could be believed; train it again")


@dataclass(frozen=True)
class Layers:
    """A fitted network as `letter_odds` and `gate_odds` multiply with it; prepare it once if you use it often.

    first : Packed
        Of bytes, not of 0 to 1.
    others : tuple of (weights, bias)
    classes : int
    """

    first: Packed
    others: tuple[tuple[np.ndarray, np.ndarray], ...]
    classes: int


def layers_of(network: FittedNetwork | Layers) -> Layers:
    """Prepare a network as it is now.

    Raises
    ------
    BadInput
        Its first layer does not take the features of a span: the kernels would read beyond its weights.
    """
    if isinstance(network, Layers):
        return network
    weights, bias = network.coefs_, network.intercepts_
    if weights[0].shape[0] != SIZE:
        raise BadInput(f"model: a network takes {weights[0].shape[0]} features, and a span has {SIZE}; train it again")
    first = pack(weights[0] / 255, bias[0])
    return Layers(first, tuple(zip(weights[1:], bias[1:], strict=True)), len(network.classes_))


def build(hidden: tuple[int, ...], seed: int) -> "MLPClassifier":
    """Build a network with a softmax over integer labels.

    Parameters
    ----------
    hidden : tuple of int
        Units of each hidden layer.
    seed : int, 0 to 2**63 - 1
        Of the first weights; a seed below 2**32 is scikit-learn's `random_state` itself.
    """
    from sklearn.neural_network import MLPClassifier

    # partial_fit starts a generator of the same state each time: its own shuffle would always be the same order.
    return MLPClassifier(hidden, random_state=(seed ^ seed >> 32) & 0xFFFFFFFF, batch_size=BATCH, shuffle=False)


def fit(
    network: "MLPClassifier",
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
        raise BadInput("training: needs at least one letter, but found none; use more pictures")
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
    """Yield the rows of each pool, ascending, and the order to show them in."""
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


def _step(network: "MLPClassifier", X: np.ndarray, y: np.ndarray, classes: int) -> None:
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
    """Scale bytes to 0 … 1. scikit-learn keeps float32 as it is: half the memory and twice the speed of float64."""
    return X.astype(np.float32) / np.float32(255)


def letter_odds(network: FittedNetwork | Layers, X: np.ndarray) -> np.ndarray:
    """Log odds of each letter against "not one letter", which is the last class.

    Parameters
    ----------
    network : fitted network or Layers
        The network called `LETTERS`, of C + 1 classes.
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


def gate_odds(network: FittedNetwork | Layers, X: np.ndarray) -> np.ndarray:
    """Log odds that a span is one letter, (m,) float32."""
    out = np.empty(len(X), np.float32)
    for some, scores in _scores(layers_of(network), X):
        out[some] = scores[:, 0]
    return out


def _scores(layers: Layers, X: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield the outputs of the last layer before its softmax, for some rows at a time."""
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

"""A small network of the book's kind, with its gradients written out: forward, back, and a step of learning."""

from dataclasses import dataclass

import numpy as np
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from tasks.scoring import book

HIDDEN = 16  # neurons: few enough to look at each
HALFWAY = 60  # steps of training after which the network knows some letters and confuses others
RATE = 0.01  # of those steps
LETTERS = 1000  # that it learns from
DIGITS = 6  # of a weight that is stored


@dataclass(frozen=True)
class Weights:
    """A network's weights and biases: (pixels, hidden), (hidden,), (hidden, 26), (26,), all float64."""

    first: np.ndarray
    first_bias: np.ndarray
    second: np.ndarray
    second_bias: np.ndarray


@dataclass(frozen=True)
class Activity:
    """What a letter does in a network.

    sums : (hidden,) of weighted pixels and the bias
    hidden : (hidden,) the sums, or 0 where they are negative (ReLU)
    outputs : (26,) from 0 to 1
    loss : log loss, summed over the 26 outputs
    """

    sums: np.ndarray
    hidden: np.ndarray
    outputs: np.ndarray
    loss: float


@dataclass(frozen=True)
class Gradients:
    """How fast the loss grows with each number of a network.

    error : (26,) with the sums of the outputs: the output less what is wanted
    delta : (hidden,) with the sums of the hidden neurons
    weights : with the weights and the biases
    """

    error: np.ndarray
    delta: np.ndarray
    weights: Weights


def forward(weights: Weights, pixels: np.ndarray, wanted: int) -> Activity:
    """Send a letter, (pixels,) from 0 to 1, through a network; `wanted` is its place in the alphabet."""
    sums = pixels @ weights.first + weights.first_bias
    hidden = np.maximum(sums, 0)
    scores = hidden @ weights.second + weights.second_bias
    outputs = np.exp(-np.logaddexp(0, -scores))  # 1 / (1 + exp(-s)), in a form that never overflows
    losses = np.logaddexp(0, scores)  # log(1 + exp(s)), from which s is taken off where 1 is wanted
    return Activity(sums, hidden, outputs, float(losses.sum() - scores[wanted]))


def backward(weights: Weights, pixels: np.ndarray, wanted: int, activity: Activity) -> Gradients:
    """Send the error of a letter back through a network: the chain rule, layer by layer."""
    error = activity.outputs.copy()
    error[wanted] -= 1
    delta = (weights.second @ error) * (activity.sums > 0)
    own = Weights(np.outer(pixels, delta), delta, np.outer(activity.hidden, error), error)
    return Gradients(error, delta, own)


def learn(weights: Weights, gradients: Gradients, rate: float) -> Weights:
    """Take a step down: each number of the network less `rate` times its gradient."""
    own = gradients.weights
    return Weights(
        weights.first - rate * own.first, weights.first_bias - rate * own.first_bias,
        weights.second - rate * own.second, weights.second_bias - rate * own.second_bias,
    )  # fmt: skip


def drawn_alphabet(font_path: str) -> np.ndarray:
    """Draw each letter upright at its own size, cut as the book cuts it; (26, 400) float64 in steps of 1/255."""
    font = book.load_font(font_path)
    pictures = [book.draw(letter, 0.0, 1.0, book.LETTER_CANVAS, font) for letter in book.LETTERS]
    pixels: np.ndarray = np.rint(255 * np.array([book.cut(picture, book.STEPS[0])[0] for picture in pictures])) / 255
    return pixels


def trained(font_path: str, seed: int) -> tuple[Weights, Weights]:
    """Return a network at the beginning and halfway through its training, with weights of `DIGITS` digits."""
    features, targets = book.letter_samples(
        np.random.RandomState(seed), LETTERS, book.load_font(font_path), book.STEPS[0]
    )
    wanted = np.eye(len(book.LETTERS), dtype=int)[targets]
    network = MLPClassifier(hidden_layer_sizes=(HIDDEN,), random_state=seed, learning_rate_init=RATE)
    order, batch = np.random.RandomState(seed), 100
    with threadpool_limits(1):
        for step in range(HALFWAY):
            rows = order.permutation(len(targets))[:batch]
            network.partial_fit(features[rows], wanted[rows], classes=np.arange(len(book.LETTERS)))
            if step == 0:
                first = weights_of(network)
    return first, weights_of(network)


def weights_of(network: MLPClassifier) -> Weights:
    """Return a copy of a fitted network's weights, rounded to `DIGITS` digits."""
    parts = zip(network.coefs_, network.intercepts_, strict=True)
    return Weights(*(np.round(part, DIGITS) for pair in parts for part in pair))

"""The book's 400-100-26 network, trained on drawn letters step by step, with what it looks like on the way."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from tasks.profiles.word_lists import WEB2, load_words
from tasks.scoring import book

FRAMES = (1, 3, 10, 30, 100, 300, 1000)  # steps after which the network is looked at; the book's training has 1,000
BATCH = 200  # letters of a step: scikit-learn's default
CHECKED = 520  # new letters, which the scores on the way are of
WORDS = 300  # whose letters, cut as the book cuts them, the last scores are of


@dataclass(frozen=True)
class Confusion:
    """What letters were taken for: counts (26, 26) int64, the true letter down, the network's across."""

    counts: np.ndarray

    @property
    def each(self) -> np.ndarray:
        """Return the F1 score of each letter, (26,), not a number for a letter that neither occurs nor is read."""
        both = self.counts.sum(axis=0) + self.counts.sum(axis=1)
        right = 2.0 * np.diag(self.counts)
        scores: np.ndarray = np.divide(right, both, out=np.full(len(both), np.nan), where=both > 0)
        return scores

    @property
    def macro(self) -> float:
        """Return the mean of the letters' scores: each letter counts as much, however often it occurs."""
        return float(np.nanmean(self.each))

    @property
    def micro(self) -> float:
        """Return the score of all decisions put together: of one letter each, it is the share that is right."""
        return float(np.trace(self.counts) / self.counts.sum())


@dataclass(frozen=True)
class Snapshot:
    """The network after some steps: first-layer weights (400, 100), and its confusion of new letters."""

    step: int
    weights: np.ndarray
    confusion: Confusion


@dataclass(frozen=True)
class NetworkStudy:
    """A training of the book's network.

    parameters : what `get_params` gives
    shapes : of the weights and the biases
    snapshots : after the steps of `FRAMES`
    steps, train_loss, check_loss, macro : (k,) the losses and the macro F1 on the way
    excites : the three letters that excite each hidden neuron most, (100,) str
    excitement : (100, 26) float64, mean activation of each neuron by each letter, of new letters
    output : (100, 26) float64, the weights from the hidden neurons to the letters
    alone, cut : confusions of new letters that stand alone, and of letters cut out of words
    book_macro : macro F1 of the tenth that the book keeps, by `predict`, as the book scores
    words, words_of_four : words drawn for `cut`, and those that were cut into four pieces
    """

    parameters: dict[str, Any]
    shapes: dict[str, list[list[int]]]
    snapshots: list[Snapshot]
    steps: np.ndarray
    train_loss: np.ndarray
    check_loss: np.ndarray
    macro: np.ndarray
    excites: list[str]
    excitement: np.ndarray
    output: np.ndarray
    alone: Confusion
    cut: Confusion
    book_macro: float
    words: int
    words_of_four: int


@dataclass(frozen=True)
class Letters:
    """Drawn letters: features (n, 400) float64, 0 to 1, and targets (n,), 0 to 25."""

    features: np.ndarray
    targets: np.ndarray

    @property
    def one_hot(self) -> np.ndarray:
        """Return a row of 26 outputs for each letter: 1 for the letter, 0 for all others."""
        rows: np.ndarray = np.eye(len(book.LETTERS), dtype=int)[self.targets]
        return rows


def study_network(
    font_path: str,
    seed: int = 14,
    last: int = FRAMES[-1],
    words: int = WORDS,
    advance: Callable[[int], None] = lambda _: None,
) -> NetworkStudy:
    """Draw the book's letters, train its network on them, and look at it on the way; about 4 s.

    Parameters
    ----------
    font_path : str
    seed : int
        Of the letters, the split and the network.
    last : int
        Steps of training.
    words : int
        Words to cut letters out of.
    advance : callable
        Called with 1 after each step of training.
    """
    font, step = book.load_font(font_path), book.STEPS[0]
    features, targets = book.letter_samples(np.random.RandomState(seed), book.TRAINING_LETTERS, font, step)
    X_train, X_test, y_train, y_test = train_test_split(features, targets, random_state=seed, train_size=0.9)
    train, kept = Letters(X_train, y_train), Letters(X_test, y_test)
    check = Letters(*book.letter_samples(np.random.RandomState([seed, 2]), CHECKED, font, step))
    network = MLPClassifier(hidden_layer_sizes=(100,), random_state=seed)
    parameters = network.get_params()
    frames = [step for step in FRAMES if step <= last]
    with threadpool_limits(1):  # more threads would only wait for each other on batches this small
        seen = _train(network, train, check, frames, advance)
    excitement = _excitement(network, check)
    of_words, four = _letters_of_words(font_path, seed, words)
    return NetworkStudy(
        parameters,
        {"weights": [list(part.shape) for part in network.coefs_],
         "biases": [list(part.shape) for part in network.intercepts_]},
        *seen, _exciting(excitement), excitement, network.coefs_[1].copy(), _confusion(network, check),
        _confusion(network, of_words),
        float(f1_score(kept.one_hot, network.predict(kept.features), average="macro", zero_division=np.nan)),
        words, four,
    )  # fmt: skip


def _train(
    network: MLPClassifier, train: Letters, check: Letters, frames: list[int], advance: Callable[[int], None]
) -> tuple[list[Snapshot], np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Train batch by batch, each batch a step; return the snapshots and the curves."""
    order, left = np.random.RandomState(network.random_state), np.zeros(0, int)
    looks = sorted({*frames, *np.unique(np.geomspace(1, frames[-1], 40).astype(int)).tolist()})
    snapshots: list[Snapshot] = []
    curve = []
    targets = train.one_hot
    for step in range(1, frames[-1] + 1):
        if not len(left):
            left = order.permutation(len(train.targets))
        rows, left = left[:BATCH], left[BATCH:]
        network.partial_fit(train.features[rows], targets[rows], classes=np.arange(len(book.LETTERS)))
        advance(1)
        if step in looks:
            confusion = _confusion(network, check)
            curve.append((step, _loss(network, train), _loss(network, check), confusion.macro))
            if step in frames:
                snapshots.append(Snapshot(step, network.coefs_[0].copy(), confusion))
    steps, train_loss, check_loss, macro = np.array(curve, float).T
    return snapshots, steps.astype(int), train_loss, check_loss, macro


def _outputs(network: MLPClassifier, letters: Letters) -> np.ndarray:
    outputs: np.ndarray = network.predict_proba(letters.features)
    return outputs


def _confusion(network: MLPClassifier, letters: Letters) -> Confusion:
    """Count which letter the largest output names for each letter."""
    counts = np.zeros((len(book.LETTERS),) * 2, np.int64)
    if len(letters.targets):
        np.add.at(counts, (letters.targets, _outputs(network, letters).argmax(axis=1)), 1)
    return Confusion(counts)


def _loss(network: MLPClassifier, letters: Letters) -> float:
    """Return the mean over letters of the log loss of the 26 outputs, without the penalty on large weights."""
    outputs = np.clip(_outputs(network, letters), 1e-15, 1 - 1e-15)
    wanted = letters.one_hot
    return float(-(wanted * np.log(outputs) + (1 - wanted) * np.log(1 - outputs)).sum(axis=1).mean())


def _excitement(network: MLPClassifier, letters: Letters) -> np.ndarray:
    """Return the mean activation of each hidden neuron by each letter, (100, 26)."""
    hidden = np.maximum(letters.features @ network.coefs_[0] + network.intercepts_[0], 0)
    sums = letters.one_hot.T @ hidden
    means: np.ndarray = (sums / np.maximum(letters.one_hot.sum(axis=0), 1)[:, None]).T
    return means


def _exciting(excitement: np.ndarray) -> list[str]:
    """Return the three letters that excite each neuron most; none of a neuron that no letter excites."""
    best = np.argsort(-excitement, axis=1, kind="stable")[:, :3]
    return [
        "".join(book.LETTERS[k] for k in row if own[k] > 0) for row, own in zip(best.tolist(), excitement, strict=True)
    ]


def _letters_of_words(font_path: str, seed: int, count: int) -> tuple[Letters, int]:
    """Cut the letters out of words as the book does; of the words that fall into four pieces, in their order."""
    listed = load_words(WEB2, book.LETTERS, (book.LENGTH, book.LENGTH))
    words = [listed[k * len(listed) // count] for k in range(count)]
    features, targets = [], []
    four = 0
    for word, picture in zip(words, book.draw_words(words, font_path, seed), strict=True):
        pieces = book.cut(picture, book.STEPS[0])
        if len(pieces) == book.LENGTH:
            four += 1
            features += pieces
            targets += [book.LETTERS.index(letter) for letter in word]
    return Letters(np.array(features).reshape(-1, 400), np.array(targets, int)), four

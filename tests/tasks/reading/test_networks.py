import itertools
from types import SimpleNamespace

import numpy as np
import pytest

from storage.errors import BadInput
from tasks.reading.confidence import EVIDENCE
from tasks.reading.features import FEATURES, SIZE
from tasks.reading.networks import (
    FASTEST,
    GATE,
    LETTERS,
    POOL,
    SLOWEST,
    build,
    fit,
    gate_odds,
    letter_odds,
    require_calibrated,
    require_record,
)
from tasks.reading.reader import Reader


def blobs(count, classes, size=60, key=0):
    """Easy spans: each class lights a band of its own, in noise."""
    random = np.random.Generator(np.random.Philox(key))
    y = random.integers(0, classes, count)
    X = random.integers(0, 120, (count, size), dtype=np.uint8)
    X[np.arange(size) * classes // size == y[:, None]] += 100
    return X, y


def taking(X, y):
    return lambda rows: (X[rows], y[rows])


def unit(X):
    return X.astype(np.float32) / np.float32(255)


def weights(network):
    return [array.tobytes() for array in (*network.coefs_, *network.intercepts_)]


@pytest.fixture(scope="module")
def trained():
    """A network of five classes, and what it said on the way."""
    X, y = blobs(3000, 5)
    network, told = build((20,), 1), []
    fit(network, taking(X, y), 3000, 120_000, 5, 1, lambda shown, loss: told.append((shown, loss)))
    return network, told


def test_it_learns_and_says_how_it_goes(trained):
    network, told = trained
    assert [shown for shown, _ in told] == list(range(3000, 120_001, 3000))
    assert told[-1][1] < told[0][1] / 3
    X, y = blobs(500, 5, key=9)
    assert (network.predict(unit(X)) == y).mean() > 0.99


class Watched:
    """A network that only writes down what it is shown, and a `take` that writes down what was asked for."""

    def __init__(self, monkeypatch, n):
        self.network, self.asked, self.shown = build((4,), 1), [], []
        self.network.loss_ = 0.0
        self.n = n
        monkeypatch.setattr(self.network, "partial_fit", self.learn)

    def take(self, rows):
        self.asked.append(rows)
        return np.stack([rows % 256, rows // 256], axis=1).astype(np.uint8), rows % 5

    def learn(self, X, y, classes):
        numbers = np.round(X * 255).astype(int)
        self.shown.append(numbers[:, 0] + 256 * numbers[:, 1])
        assert y.tolist() == (self.shown[-1] % 5).tolist()  # each row with its own label
        assert classes.tolist() == [0, 1, 2, 3, 4]
        assert X.dtype == np.float32

    def fit(self, shows, seed=1):
        fit(self.network, self.take, self.n, shows, 5, seed)
        return np.concatenate(self.shown)


def test_every_row_comes_once_before_any_comes_again(monkeypatch):
    n = POOL + 900
    watched = Watched(monkeypatch, n)
    order = watched.fit(2 * n + 77)
    assert [len(rows) for rows in watched.shown] == [POOL, 900, POOL, 900, 77]
    for first in (0, n):
        assert sorted(order[first : first + n]) == list(range(n))
    assert len(set(order[2 * n :])) == 77
    # Anew in every pass, and not as they lie.
    assert (order[:n] == order[n : 2 * n]).mean() < 0.01
    assert (order[:n] == np.arange(n)).mean() < 0.01


def test_rows_are_asked_for_in_ascending_order_a_pool_at_a_time(monkeypatch):
    watched = Watched(monkeypatch, POOL + 900)
    watched.fit(2 * POOL)
    assert max(map(len, watched.asked)) == POOL
    for asked, shown in zip(watched.asked, watched.shown, strict=True):
        assert (np.diff(asked) > 0).all()
        assert asked.tolist() == sorted(shown)


@pytest.mark.parametrize("shows", [1, 255, 300])
def test_no_more_is_shown_than_was_asked_for(monkeypatch, shows):
    watched = Watched(monkeypatch, 300)
    assert len(set(watched.fit(shows))) == shows
    assert sum(map(len, watched.asked)) == shows


def test_the_order_is_that_of_the_seed(monkeypatch):
    orders = [Watched(monkeypatch, 500).fit(900, seed).tolist() for seed in (1, 1, 2, 2**64 - 1)]
    assert orders[0] == orders[1]
    assert len({tuple(order) for order in orders}) == 3


def test_the_rate_of_learning_falls_along_half_a_cosine():
    X, y = blobs(POOL, 3, 12)
    network, rates = build((4,), 1), []
    fit(network, taking(X, y), POOL, 8 * POOL, 3, 1, lambda *_: rates.append(network._optimizer.learning_rate_init))
    assert rates[0] == FASTEST
    assert rates[4] == pytest.approx((FASTEST + SLOWEST) / 2)
    assert rates == sorted(rates, reverse=True)
    shares = (np.array(rates) - SLOWEST) / (FASTEST - SLOWEST)
    assert np.arccos(2 * shares - 1) == pytest.approx(np.pi * np.arange(8) / 8, abs=1e-6)


def test_scikit_learn_follows_the_rate():
    X, y = blobs(POOL, 3, 12)
    network, moved, before = build((4,), 1), [], [None]

    def watch(*_):
        if before[0] is not None:
            moved.append(np.abs(network.coefs_[0] - before[0]).max())
        before[0] = network.coefs_[0].copy()

    fit(network, taking(X, y), POOL, 20 * POOL, 3, 1, watch)
    assert moved[-1] < moved[0] / 20


def test_equal_input_gives_equal_weights():
    X, y = blobs(POOL + 500, 4)

    def fitted(seed=3, first=3, shows=2 * POOL, hidden=(20,)):
        network = build(hidden, first)
        fit(network, taking(X, y), len(X), shows, 4, seed)
        return weights(network)

    expected = fitted()
    assert fitted() == expected
    assert fitted(seed=4) != expected
    assert fitted(first=4) != expected
    assert fitted(shows=2 * POOL + 1) != expected
    assert len(fitted(hidden=(20, 6))) == len(expected) + 2


def test_weights_stay_float32_and_the_global_generator_is_left_alone():
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    X, y = blobs(300, 3)
    network = build((8,), 5)
    fit(network, taking(X, y), 300, 600, 3, 5)
    assert {array.dtype for array in (*network.coefs_, *network.intercepts_)} == {np.dtype(np.float32)}
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


def test_classes_that_do_not_occur_are_known():
    X, y = blobs(400, 3, SIZE)
    network = build((8,), 1)
    fit(network, taking(X, y), 400, 400, 7, 1)
    assert network.classes_.tolist() == list(range(7))
    assert letter_odds(network, X).shape == (400, 6)


def test_ctrl_c_ends_the_training(monkeypatch):
    X, y = blobs(300, 3)
    network, shown = build((8,), 1), []

    def interrupted(*_):
        raise KeyboardInterrupt

    # scikit-learn catches it, warns and returns.
    monkeypatch.setattr(network, "_backprop", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fit(network, taking(X, y), 300, 300, 3, 1, lambda done, _: shown.append(done))
    assert shown == []


def test_no_letters_are_refused():
    with pytest.raises(BadInput, match="at least one letter"):
        fit(build((8,), 1), lambda rows: pytest.fail("nothing was to be taken"), 0, 100, 3, 1)


@pytest.mark.parametrize("label", [-1, 3])
def test_labels_out_of_range_are_refused(label):
    X, y = blobs(20, 3)
    y[7] = label
    with pytest.raises(ValueError, match=r"^label: must be from 0 to 2; found"):
        fit(build((8,), 1), taking(X, y), 20, 20, 3, 1)


@pytest.mark.parametrize("classes", [2, 3, 37])
@pytest.mark.parametrize("hidden", [(8,), (8, 5)])
def test_odds_of_letters_are_those_of_predict_proba(classes, hidden):
    X, y = blobs(800, classes, SIZE)
    network = build(hidden, 2)
    fit(network, taking(X, y), 800, 800, classes, 2)
    odds = letter_odds(network, X)
    assert odds.dtype == np.float32
    assert odds.shape == (800, classes - 1)
    chance = network.predict_proba(unit(X)).astype(float)
    assert odds == pytest.approx(np.log(chance[:, :-1] / chance[:, -1:]), rel=1e-3, abs=1e-4)


def test_odds_of_the_gate_are_those_of_predict_proba():
    X, y = blobs(800, 2, SIZE)
    network = build((16,), 2)
    fit(network, taking(X, y), 800, 8000, 2, 2)
    odds = gate_odds(network, X)
    assert (odds.shape, odds.dtype) == ((800,), np.float32)
    chance = network.predict_proba(unit(X)).astype(float)
    assert odds == pytest.approx(np.log(chance[:, 1] / chance[:, 0]), rel=1e-3, abs=1e-4)
    assert ((odds > 0) == (y == 1)).mean() > 0.9


def test_odds_do_not_depend_on_how_many_spans_are_asked_for():
    X, y = blobs(5000, 5, SIZE)
    letters, gate = build((8,), 1), build((8,), 1)
    fit(letters, taking(X, y), 300, 300, 5, 1)
    fit(gate, taking(X, y % 2), 300, 300, 2, 1)
    together = letter_odds(letters, X)
    assert letter_odds(letters, X[2040:2060]) == pytest.approx(together[2040:2060], rel=1e-4, abs=1e-4)
    assert letter_odds(letters, X[:0]).shape == (0, 4)
    together = gate_odds(gate, X)
    assert gate_odds(gate, X[2040:2060]) == pytest.approx(together[2040:2060], rel=1e-4, abs=1e-4)
    assert gate_odds(gate, X[:0]).shape == (0,)


@pytest.mark.parametrize(("odds", "size"), [(letter_odds, SIZE), (gate_odds, SIZE)])
def test_spans_of_another_shape_or_type_are_refused(odds, size):
    for wrong in (np.zeros((3, size - 1), np.uint8), np.zeros(size, np.uint8), np.zeros((3, size), np.float32)):
        with pytest.raises(ValueError, match=rf"^spans: must be \(m, {size}\) uint8"):
            odds(shaped((SIZE, 5, 4), 4), wrong)


@pytest.mark.parametrize("seed", [0, 14, 2**32 - 1, 2**32 + 5, 2**63 - 1])
def test_any_seed_of_the_project_builds_a_network(seed):
    assert 0 <= build((8,), seed).random_state < 2**32
    assert build((8,), 14).random_state == 14


FLAT = {"at": [0.0, 1.0], "worth": [0.0, 0.0]}


def curve(**changes) -> dict:
    return {"shift": 0.0, "least": 0.1, "most": 0.9, "lines": [FLAT] * len(EVIDENCE["none"])} | changes


def record(**changes) -> dict:
    curves = {"none": curve(), "probability": [0.0] * 15}  # the second as of version 0.1
    return {"classes": "ABC", "features": FEATURES, "gate": -1.0, "calibration": curves} | changes


def shaped(sizes: tuple[int, ...], classes: int) -> SimpleNamespace:
    """A network of zeros with these layer sizes."""
    return SimpleNamespace(
        coefs_=[np.zeros(pair, np.float32) for pair in itertools.pairwise(sizes)],
        intercepts_=[np.zeros(size, np.float32) for size in sizes[1:]],
        classes_=np.arange(classes),
    )


FITTING = {LETTERS: shaped((SIZE, 5, 4), 4), GATE: shaped((SIZE, 3, 1), 2)}


def test_a_record_that_fits_gives_its_letters():
    assert require_record(FITTING, record()) == "ABC"
    assert require_record(FITTING, record(calibration={})) == "ABC"  # in training, before it is fitted
    require_calibrated(record())
    with pytest.raises(BadInput, match="calibration: has no curve"):
        require_calibrated(record(calibration={}))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"classes": "AB"}, "knows 4 classes"),
        ({"classes": "ABA"}, "each once"),
        ({"classes": ""}, "1 to 254 letters"),
        ({"classes": ["A", "B", "C"]}, "1 to 254 letters"),
        ({"classes": None}, "1 to 254 letters"),
        ({"features": FEATURES + 1}, "letter features version"),
        ({"features": "4"}, "letter features version"),
        ({"gate": float("nan")}, "gate: must be a finite number"),
        ({"gate": "0"}, "gate: must be a finite number"),
        ({"gate": True}, "gate: must be a finite number"),
        ({"calibration": None}, "calibration: must be curves by ranking"),
        ({"calibration": {"none": []}}, "must be 21 finite numbers for 'none'"),
        ({"calibration": {"none": [1.0] * 20}}, "must be 21 finite numbers"),
        ({"calibration": {"none": [float("inf")] * 21}}, "must be 21 finite numbers"),
        ({"calibration": {"probability": [0.0] * 21}}, "must be 15 finite numbers"),
        ({"calibration": {"levenshtein": [0.0]}}, "must be curves by ranking"),
        ({"calibration": {"none": None}}, "must have shift, least, most, lines for 'none'"),
        ({"calibration": {"none": {"shift": 0.0}}}, "must have shift, least, most, lines for 'none'"),
        *(
            ({"calibration": {"none": curve(**changes)}}, said)
            for changes, said in (
                ({"shift": float("nan")}, "finite shift"),
                ({"shift": "0"}, "finite shift"),
                ({"least": -0.1}, "0 <= least <= most <= 1"),
                ({"least": 0.9, "most": 0.1}, "0 <= least <= most <= 1"),
                ({"most": 1.5}, "0 <= least <= most <= 1"),
                ({"lines": None}, "a line for each of margin"),
                ({"lines": [FLAT] * (len(EVIDENCE["none"]) - 1)}, "a line for each of margin"),
                *(
                    ({"lines": [line] + [FLAT] * (len(EVIDENCE["none"]) - 1)}, "'margin': must be 1 to 64 corners")
                    for line in (
                        None,
                        [],
                        {},
                        {"at": [0.0]},
                        {"at": [], "worth": []},
                        {"at": [0.0], "worth": [0.0, 1.0]},
                        {"at": [0.0, 0.0], "worth": [0.0, 1.0]},
                        {"at": [1.0, 0.0], "worth": [0.0, 1.0]},
                        {"at": [0.0, 1.0], "worth": [1.0, 0.0]},
                        {"at": [0.0, 1.0], "worth": [0.0, float("inf")]},
                        {"at": [0.0, float("nan")], "worth": [0.0, 1.0]},
                        {"at": "01", "worth": [0.0, 1.0]},
                        {"at": [*range(65)], "worth": [*range(65)]},
                        {"at": [0.0, True], "worth": [0.0, 1.0]},
                    )
                ),
            )
        ),
    ],
)
def test_a_record_that_does_not_fit_is_refused(changes, said):
    with pytest.raises(BadInput, match=said):
        require_record(FITTING, record(**changes))


@pytest.mark.parametrize("name", [LETTERS, GATE])
@pytest.mark.parametrize("inputs", [1, SIZE - 1, SIZE + 1])
def test_a_first_layer_of_another_width_is_refused_before_a_kernel_reads_past_it(name, inputs):
    sizes = (inputs, 5, 4) if name == LETTERS else (inputs, 3, 1)
    networks = FITTING | {name: shaped(sizes, 4 if name == LETTERS else 2)}
    with pytest.raises(BadInput, match=f"takes {inputs} features, and a span has {SIZE}"):
        Reader(networks, record())


def test_a_gate_of_three_classes_is_refused():
    with pytest.raises(BadInput, match="gate must tell 2 classes apart; it knows 3"):
        require_record(FITTING | {GATE: shaped((SIZE, 3, 3), 3)}, record())

import numpy as np
import pytest

from storage.errors import BadInput
from tasks.classifier import POOL, build, fit_stream, passes_for, probabilities


def blobs(count, classes, key=0):
    """Easy letters: each class lights a band of its own, in noise."""
    random = np.random.Generator(np.random.Philox(key))
    y = random.integers(0, classes, count)
    X = random.integers(0, 120, (count, 20, 20), dtype=np.uint8)
    bands = np.arange(20)[None, :] * classes // 20 == y[:, None]
    X[bands] += 100
    return X.reshape(count, 400), y


def dealt(X, y, size):
    return lambda: ((X[first : first + size], y[first : first + size]) for first in range(0, len(X), size))


@pytest.fixture(scope="module")
def trained():
    X, y = blobs(3000, 5)
    network, losses = build(1), []
    seen = fit_stream(network, dealt(X, y, 700), 5, 4, 1, lambda number, loss: losses.append((number, loss)))
    return network, losses, seen


def test_it_learns_and_says_how_it_goes(trained):
    network, losses, seen = trained
    assert seen == 12_000
    assert [number for number, _ in losses] == [1, 2, 3, 4]
    assert losses[-1][1] < losses[0][1] / 3
    X, y = blobs(500, 5, key=9)
    assert (probabilities(network, X.reshape(-1, 20, 20)).argmax(axis=1) == y).mean() > 0.99


@pytest.mark.parametrize("classes", [1, 2, 3, 36])
def test_probabilities_are_those_of_predict_proba(classes):
    X, y = blobs(800, classes)
    network = build(2)
    fit_stream(network, dealt(X, y, 800), classes, 1, 2)
    found = probabilities(network, X.reshape(-1, 20, 20))
    assert found.dtype == np.float32
    assert found.shape == (800, classes)
    assert found.sum(axis=1) == pytest.approx(1, abs=1e-5)
    if classes > 1:  # for a single class predict_proba makes two columns
        expected = network.predict_proba(X.astype(np.float32) / np.float32(255))
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_probabilities_do_not_depend_on_how_many_letters_are_asked_for(trained):
    X, _ = blobs(9000, 5, key=4)
    letters = X.reshape(-1, 20, 20)
    together = probabilities(trained[0], letters)
    np.testing.assert_allclose(probabilities(trained[0], letters[4090:4100]), together[4090:4100], rtol=1e-4, atol=1e-6)
    assert probabilities(trained[0], letters[:0]).shape == (0, 5)


def weights(network):
    return [array.tobytes() for array in (*network.coefs_, *network.intercepts_)]


def fitted(size, seed=3, first=3):
    X, y = blobs(POOL + 500, 4)
    network = build(first)
    fit_stream(network, dealt(X, y, size), 4, 2, seed)
    return weights(network)


def test_same_letters_and_seed_give_the_same_weights_however_they_are_dealt():
    expected = fitted(1000)
    assert fitted(1000) == expected
    assert fitted(POOL + 500) == expected
    assert fitted(777) == expected
    assert fitted(1000, seed=4) != expected
    assert fitted(1000, first=4) != expected


def test_rows_are_shuffled_anew_in_every_pass_and_all_of_them_seen(monkeypatch):
    X = np.zeros((POOL + 9, 400), np.uint8)
    X[:, 0], X[:, 1] = np.arange(POOL + 9) % 256, np.arange(POOL + 9) // 256
    network, seen = build(1), []

    def learn(X, y, classes):
        network.loss_ = 0.0
        numbers = np.round(X * 255).astype(int)
        seen.append(numbers[:, 0] + 256 * numbers[:, 1])
        assert y.tolist() == (seen[-1] % 5).tolist()  # each row with its own label

    monkeypatch.setattr(network, "partial_fit", learn)
    fit_stream(network, dealt(X, np.arange(POOL + 9) % 5, 700), 5, 2, 1)
    assert [len(rows) for rows in seen] == [POOL, 9, POOL, 9]
    for first in (0, 2):
        assert sorted(seen[first]) == list(range(POOL))
        assert sorted(seen[first + 1]) == list(range(POOL, POOL + 9))
    assert (seen[0] == seen[2]).mean() < 0.01
    assert (seen[0] == np.arange(POOL)).mean() < 0.01


def test_weights_stay_float32_and_the_global_generator_is_left_alone(trained):
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    X, y = blobs(300, 3)
    network = build(5)
    fit_stream(network, dealt(X, y, 100), 3, 1, 5)
    assert {array.dtype for array in (*network.coefs_, *network.intercepts_)} == {np.dtype(np.float32)}
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


def test_classes_that_do_not_occur_are_known():
    X, y = blobs(400, 3)
    network = build(1)
    fit_stream(network, dealt(X, y, 400), 7, 1, 1)
    assert network.classes_.tolist() == list(range(7))
    assert probabilities(network, X.reshape(-1, 20, 20)).shape == (400, 7)


def test_a_large_stream_is_held_a_chunk_at_a_time():
    alive = [0, 0]

    class Chunk(np.ndarray):
        def __del__(self):
            if self.base is None:
                alive[0] -= 1

    def chunks():
        X, y = blobs(500, 3)
        for _ in range(60):
            alive[0] += 1
            alive[1] = max(alive)
            own = np.ndarray.__new__(Chunk, X.shape, np.uint8)
            own[:] = X
            yield own, y
            del own

    assert fit_stream(build(1), chunks, 3, 1, 1) == 30_000
    assert alive[1] <= 2


def test_ctrl_c_ends_the_training(monkeypatch):
    X, y = blobs(300, 3)
    network = build(1)

    def interrupted(*_):
        raise KeyboardInterrupt

    # scikit-learn catches it, warns and returns.
    monkeypatch.setattr(network, "_backprop", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fit_stream(network, dealt(X, y, 100), 3, 1, 1)


def test_no_letters_are_refused():
    for chunks in (list, lambda: [(np.empty((0, 400), np.uint8), np.empty(0, int))]):
        with pytest.raises(BadInput, match="at least one letter"):
            fit_stream(build(1), chunks, 3, 1, 1)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (np.zeros((2, 400)), np.zeros(2, int), "^chunk: must be"),
        (np.zeros((2, 399), np.uint8), np.zeros(2, int), "^chunk: must be"),
        (np.zeros((2, 400), np.uint8), np.zeros(3, int), "^chunk: must be"),
        (np.zeros((2, 400), np.uint8), np.array([0, 3]), "^label: must be from 0 to 2; found 0 to 3"),
        (np.zeros((2, 400), np.uint8), np.array([-1, 0]), "^label: must be from 0 to 2; found -1"),
    ],
)
def test_wrong_chunks_are_refused(X, y, message):
    with pytest.raises(ValueError, match=message):
        fit_stream(build(1), lambda: [(X, y)], 3, 1, 1)


def test_wrong_letters_and_networks_are_refused(trained):
    with pytest.raises(ValueError, match=r"^letters: must be"):
        probabilities(trained[0], np.zeros((1, 400), np.uint8))
    other = build(1).set_params(activation="tanh")
    X, y = blobs(300, 3)
    fit_stream(other, dealt(X, y, 300), 3, 1, 1)
    with pytest.raises(ValueError, match=r"^network: must have relu"):
        probabilities(other, np.zeros((1, 20, 20), np.uint8))


def test_passes_show_about_a_million_letters():
    assert passes_for(60_000) == 13
    assert passes_for(600_000) == 1
    assert [passes_for(n) for n in (0, 1, 1000, 30_000)] == [40, 40, 40, 27]
    assert passes_for(5_000_000) == 1


@pytest.mark.parametrize("seed", [0, 14, 2**32 - 1, 2**32 + 5, 2**63 - 1])
def test_any_seed_of_the_project_builds_a_network(seed):
    assert 0 <= build(seed).random_state < 2**32
    assert build(14).random_state == 14

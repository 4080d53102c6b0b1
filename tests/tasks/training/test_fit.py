from dataclasses import replace

import numpy as np
import pytest

from storage.errors import BadInput
from tasks import models
from tasks.reading.features import SIZE
from tasks.reading.networks import GATE, LETTERS, gate_odds, letter_odds
from tasks.training import fit
from tasks.training.fit import PASSED, SAMPLE, TRAIN, VALIDATION
from tasks.training.settings import Settings

QUICK = Settings(pictures=(100,), shows=600, hidden=(8,))


@pytest.fixture
def spool(tmp_path):
    """`spool(name, labels, splits)`: a file of spans of easy classes; spans of no letter are bright all over."""

    def put(name, labels, splits, key=0):
        samples = np.zeros(len(labels), SAMPLE)
        samples["label"], samples["split"] = labels, splits
        samples["span"] = np.random.Generator(np.random.Philox(key)).integers(0, 90, (len(labels), SIZE))
        for k, label in enumerate(labels):
            if label < 3:
                samples["span"][k, 60 * label : 60 * label + 60] += 150
            else:
                samples["span"][k] += 150
        np.save(tmp_path / name, samples)

    return put


def labels_of(count, key=0):
    return np.random.Generator(np.random.Philox(key)).integers(0, 4, count)


def weights(networks):
    return [array.tobytes() for _, one in sorted(networks.items()) for array in (*one.coefs_, *one.intercepts_)]


@pytest.mark.slow
def test_both_networks_learn_what_the_spool_says(spool, tmp_path):
    labels = labels_of(900)
    splits = np.where(np.arange(900) % 3, TRAIN, VALIDATION)
    spool("1-000-000000.npy", labels[:500], splits[:500])
    spool("1-001-000000.npy", labels[500:], splits[500:], key=1)
    told = []
    settings = replace(QUICK, hidden=(16,))
    networks, facts = fit.fit(tmp_path, "1", "ABC", settings, 120_000, lambda shown, _: told.append(shown))
    assert set(networks) == {LETTERS, GATE}
    assert networks[LETTERS].coefs_[0].shape == (SIZE, 16)
    assert networks[GATE].coefs_[0].shape[0] == SIZE
    assert networks[LETTERS].classes_.tolist() == [0, 1, 2, 3]
    assert networks[GATE].classes_.tolist() == [0, 1]
    own = splits == TRAIN
    assert facts["letters"] == (own & (labels < 3)).sum()
    assert facts["spans"] == own.sum()
    assert facts["shows"] == told[-1] == 120_000
    files = [np.load(path) for path in sorted(tmp_path.glob("*.npy"))]
    checked = np.concatenate(files)[~own]
    X = checked["span"].astype(np.float32) / np.float32(255)
    assert (networks[LETTERS].predict(X) == checked["label"]).mean() > 0.98
    assert (networks[GATE].predict(X) == (checked["label"] < 3)).mean() > 0.98


def test_the_gate_lets_through_as_many_validation_letters_as_it_should(spool, tmp_path):
    labels = labels_of(3000)
    spool("1-000-000000.npy", labels, np.where(np.arange(3000) % 2, TRAIN, VALIDATION))
    networks, facts = fit.fit(tmp_path, "1", "ABC", QUICK, 3000)
    checked = np.load(tmp_path / "1-000-000000.npy")
    checked = checked[(checked["split"] == VALIDATION) & (checked["label"] < 3)]
    spans = np.ascontiguousarray(checked["span"])
    known = letter_odds(networks[LETTERS], spans).max(axis=1) > 0
    assert known.any()
    odds = gate_odds(networks[GATE], spans[known])
    passed = (odds >= facts["gate"]).sum()
    assert passed == len(odds) - int((1 - PASSED) * len(odds))
    assert (facts["gate_passes"]["right"], facts["gate_passes"]["n"]) == (passed, len(odds))
    assert np.float32(facts["gate"]) in odds  # the least of those that pass


def test_a_network_that_knows_no_letter_yet_has_a_gate_all_the_same(spool, tmp_path):
    labels = labels_of(3000)
    spool("1-000-000000.npy", labels, np.where(np.arange(3000) % 2, TRAIN, VALIDATION))
    _, facts = fit.fit(tmp_path, "1", "ABC", QUICK, 1)
    assert facts["gate_passes"]["n"] > 0


def test_equal_spools_give_equal_networks_however_they_are_split(spool, tmp_path):
    labels = labels_of(600)
    splits = np.where(np.arange(600) % 3, TRAIN, VALIDATION)
    spool("1-000-000000.npy", labels, splits)
    whole = np.load(tmp_path / "1-000-000000.npy")
    expected = weights(fit.fit(tmp_path, "1", "ABC", QUICK, 1000)[0])
    assert weights(fit.fit(tmp_path, "1", "ABC", QUICK, 1000)[0]) == expected
    for number, part in enumerate((whole[:7], whole[7:7], whole[7:400], whole[400:])):
        np.save(tmp_path / f"2-000-{number:06d}.npy", part)
    assert weights(fit.fit(tmp_path, "2", "ABC", QUICK, 1000)[0]) == expected
    assert weights(fit.fit(tmp_path, "2", "ABC", replace(QUICK, seed=2), 1000)[0]) != expected


def test_a_letter_that_no_picture_shows_is_left_out_and_none_at_all_is_refused(spool, tmp_path):
    spool("1-000-000000.npy", [0, 1, 2, 4, 2], [TRAIN, TRAIN, TRAIN, TRAIN, VALIDATION])
    networks, _ = fit.fit(tmp_path, "1", "ABCD", QUICK, 10)
    assert networks[LETTERS].classes_.tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(BadInput, match=r"^train: none of the letters A B was found in the train split"):
        fit.fit(tmp_path, "9", "AB", QUICK, 10)  # no file at all


def test_samples_beside_the_spool_are_learnt_from(spool, tmp_path):
    labels = labels_of(600)
    splits = np.where(np.arange(600) % 3, TRAIN, VALIDATION)
    spool("1-000-000000.npy", labels, splits)
    whole = np.load(tmp_path / "1-000-000000.npy")
    expected = weights(fit.fit(tmp_path, "1", "ABC", QUICK, 1000)[0])
    np.save(tmp_path / "2-000-000000.npy", whole[:100])
    beside = [whole[100:300], whole[300:]]
    assert weights(fit.fit(tmp_path, "2", "ABC", QUICK, 1000, beside=beside)[0]) == expected


def test_without_validation_letters_there_is_no_bound(spool, tmp_path):
    spool("1-000-000000.npy", [0, 1, 2, 3, 3], [TRAIN, TRAIN, TRAIN, TRAIN, VALIDATION])
    with pytest.raises(BadInput, match=r"^train: no letter could be cut out of the validation split.*stand apart$"):
        fit.fit(tmp_path, "1", "ABC", QUICK, 10)


def test_training_again_gives_the_same_model(learn, draw_dataset, small, tmp_path):
    dataset = draw_dataset(small, 1500, tmp_path / "small")
    settings = Settings(pictures=(600,), shows=3000, hidden=(8,))
    one, other = (learn([dataset], settings, tmp_path / name) for name in ("one", "other"))
    assert weights(one.networks) == weights(other.networks)
    own = {key: value for key, value in one.record.items() if key != "seconds"}
    assert own == {key: value for key, value in other.record.items() if key != "seconds"}
    assert models.same_model(one.path, models.provenance_of([dataset], settings))

from dataclasses import replace

import numpy as np
import pytest

from storage.errors import BadInput
from storage.models import load_model, model_digest, save_model
from tasks import models
from tasks.profiles.built_in import BUILT_IN, UNSEEN
from tasks.reading.features import FEATURES, SIZE
from tasks.reading.networks import GATE, LETTERS, gate_odds, letter_odds
from tasks.reading.reader import NEEDED
from tasks.training import fit, settings
from tasks.training.fit import PASSED, SAMPLE, TRAIN, VALIDATION
from tasks.training.settings import LADDER_SETTINGS, LEARNT, RUNGS, Settings

QUICK = Settings(pictures=(100,), shows=600, hidden=(8,))


@pytest.fixture
def spool(tmp_path):
    """`spool(name, labels, splits)`: a file of spans of easy classes; what is no letter is bright all over."""

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


# Settings.


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"pictures": ()}, r"^pictures: must be 1 or more for each dataset; it is \(\)"),
        ({"pictures": (5, 0)}, r"^pictures: must be 1 or more for each dataset; it is \(5, 0\)"),
        ({"shows": 0}, "^shows: must be 1 or more; it is 0"),
        ({"hidden": ()}, "^hidden: must be one to four layers"),
        ({"hidden": (4, 4, 4, 4, 4)}, "^hidden: must be one to four layers"),
        ({"hidden": (4097,)}, "^hidden: must be one to four layers"),
        ({"seed": -1}, "^seed: must be from 0"),
        ({"seed": 2**32}, "^seed: must be from 0"),
    ],
)
def test_settings_that_cannot_be_are_refused(change, said):
    with pytest.raises(BadInput, match=said):
        replace(Settings(), **change)


def test_every_dataset_has_its_share():
    assert settings.shares_of(Settings(pictures=(7,)), 3) == (7, 7, 7)
    assert settings.shares_of(Settings(pictures=(7, 8)), 2) == (7, 8)
    with pytest.raises(BadInput, match=r"^pictures: must be one number, or one for each of 3 datasets; it is \(7, 8\)"):
        settings.shares_of(Settings(pictures=(7, 8)), 3)


def test_the_ladder_learns_from_rungs_that_there_are_and_not_from_unseen_faces():
    assert set(LEARNT) == set(RUNGS) - {"unseen"}
    assert set(RUNGS) <= set(BUILT_IN)
    assert settings.shares_of(LADDER_SETTINGS, len(LEARNT)) == tuple(LEARNT.values())
    assert LADDER_SETTINGS.leave_out == UNSEEN
    for name in LEARNT:
        assert name == "fonts" or not set(BUILT_IN[name].fonts) & set(UNSEEN)


# Fitting.


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


def test_a_letter_that_was_never_found_is_named(spool, tmp_path):
    spool("1-000-000000.npy", [0, 1, 2, 3, 2], [TRAIN, VALIDATION, TRAIN, TRAIN, VALIDATION])
    with pytest.raises(BadInput, match=r"^train: no letter B was found in the train split"):
        fit.fit(tmp_path, "1", "ABCD", QUICK, 10)
    with pytest.raises(BadInput, match=r"^train: no letter A B was found"):
        fit.fit(tmp_path, "9", "AB", QUICK, 10)  # no file at all


def test_the_first_round_may_lack_a_rare_letter(spool, tmp_path):
    spool("1-000-000000.npy", [0, 1, 2, 4, 2], [TRAIN, TRAIN, TRAIN, TRAIN, VALIDATION])
    networks, _ = fit.fit(tmp_path, "1", "ABCD", QUICK, 10, every=False)
    assert networks[LETTERS].classes_.tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(BadInput, match=r"^train: no letter D was found"):
        fit.fit(tmp_path, "1", "ABCD", QUICK, 10)
    with pytest.raises(BadInput, match=r"^train: no letter A B was found"):  # nor is nothing enough
        fit.fit(tmp_path, "9", "AB", QUICK, 10, every=False)


def test_without_validation_letters_there_is_no_bound(spool, tmp_path):
    spool("1-000-000000.npy", [0, 1, 2, 3, 3], [TRAIN, TRAIN, TRAIN, TRAIN, VALIDATION])
    with pytest.raises(BadInput, match=r"^train: no letter could be cut out of the validation split.*stand apart$"):
        fit.fit(tmp_path, "1", "ABC", QUICK, 10)


# Provenance.


def test_the_provenance_is_what_decides_about_a_model(learnt):
    provenance = models.provenance_of(learnt.datasets, learnt.settings)
    manifest = learnt.datasets[0].manifest
    assert provenance["datasets"] == [
        {"name": "book", "identity": manifest.identity, "content": manifest.content, "count": 4096}
    ]
    assert provenance["classes"] == manifest.profile["alphabet"]
    assert provenance["features"] == FEATURES
    assert provenance["settings"] == {
        "pictures": [3000], "shows": 240_000, "hidden": [64], "leave_out": [], "seed": 1,
    }  # fmt: skip
    assert {key: learnt.record[key] for key in provenance} == provenance


def test_classes_are_those_of_all_datasets_in_their_order(draw_dataset, small, tmp_path):
    other = replace(small, name="other", alphabet="CDA")
    one, two = draw_dataset(small, 20, tmp_path / "one"), draw_dataset(other, 20, tmp_path / "two")
    assert settings.classes_of([one, two]) == "ABCD"
    assert settings.classes_of([two, one]) == "CDAB"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "MOST_CLASSES", 3)
        assert settings.classes_of([one]) == "ABC"
        with pytest.raises(BadInput, match="at most 3 different letters; the datasets have 4"):
            settings.classes_of([one, two])


def test_a_model_of_the_same_data_and_settings_is_the_same(learnt, tmp_path):
    provenance = models.provenance_of(learnt.datasets, learnt.settings)
    assert models.same_model(learnt.path, provenance)
    assert models.same_model(learnt.path, {})
    for other in (replace(learnt.settings, seed=2), replace(learnt.settings, leave_out=("Inter Black",))):
        assert not models.same_model(learnt.path, models.provenance_of(learnt.datasets, other))
    assert not models.same_model(learnt.path, provenance | {"features": FEATURES + 1})
    assert not models.same_model(learnt.path, provenance | {"more": 1})
    assert not models.same_model(tmp_path / "none.skops", provenance)
    (tmp_path / "damaged.skops").write_bytes(learnt.path.read_bytes()[:-9])
    assert not models.same_model(tmp_path / "damaged.skops", provenance)


def test_training_again_gives_the_same_model(learn, draw_dataset, small, tmp_path):
    dataset = draw_dataset(small, 1500, tmp_path / "small")
    settings = Settings(pictures=(600,), shows=3000, hidden=(8,))
    one, other = (learn([dataset], settings, tmp_path / name) for name in ("one", "other"))
    assert weights(one.networks) == weights(other.networks)
    own = {key: value for key, value in one.record.items() if key != "seconds"}
    assert own == {key: value for key, value in other.record.items() if key != "seconds"}
    assert models.same_model(one.path, models.provenance_of([dataset], settings))


# The file.


def test_a_saved_model_says_all_that_a_reader_needs(learnt):
    assert set(NEEDED) <= set(learnt.record)
    assert learnt.record["marked"]["n"] == learnt.record["pictures"] == 3000
    assert learnt.record["marked"]["rate"] > 0.99
    assert set(learnt.record["software"]) == {"beating-captchas", "scikit-learn", "scikit-image", "numpy"}
    assert set(learnt.record["calibration"]) == {"none", "probability"}
    assert learnt.path.stat().st_size < 3_000_000


def test_a_model_that_stands_there_is_kept_aside(learnt, tmp_path):
    path = tmp_path / "m.skops"
    for number in (1, 2, 2):
        models.save(path, learnt.networks, {"number": number}, {}, 10, 9, "run")
    kept = sorted(one.name for one in tmp_path.iterdir())
    assert len(kept) == 3
    assert load_model(path)[1]["number"] == 2
    aside = [tmp_path / name for name in kept if name != "m.skops"]
    assert sorted(load_model(one)[1]["number"] for one in aside) == [1, 2]
    assert all(one.name == f"m-{model_digest(one)[:8]}.skops" for one in aside)


def test_a_description_names_every_layer(learnt):
    told = models.describe(learnt.path)
    assert told["sha256"] == model_digest(learnt.path)
    assert told["bytes"] == learnt.path.stat().st_size
    assert {key: told[key] for key in learnt.record} == learnt.record
    layers = {(row["network"], row["layer"]): row for row in told["layers"]}
    assert len(layers) == 4
    assert (layers[LETTERS, 1]["inputs"], layers[LETTERS, 1]["outputs"]) == (SIZE, 64)
    assert (layers[LETTERS, 2]["inputs"], layers[LETTERS, 2]["outputs"]) == (64, 27)
    assert (layers[GATE, 1]["inputs"], layers[GATE, 2]["outputs"]) == (SIZE, 1)
    assert [layers[LETTERS, k]["activation"] for k in (1, 2)] == ["relu", "softmax"]
    assert layers[GATE, 2]["activation"] == "logistic"
    assert all(row["weights"] == row["inputs"] * row["outputs"] for row in told["layers"])
    assert all(row["biases"] == row["outputs"] for row in told["layers"])
    assert told["parameters"]["hidden_layer_sizes"] == "(64,)"


def test_what_killed_runs_left_is_removed_and_nothing_else(tmp_path):
    run = "0123456789ab"
    left = (f".m.{run}.spool", f".m.skops.{run}.tmp")
    (tmp_path / left[0]).mkdir()
    (tmp_path / left[0] / "1-000-000000.npy").write_bytes(b"x")
    (tmp_path / left[1]).write_bytes(b"x")
    others = [
        "m.skops",
        "m-01234567.skops",
        ".m.short.spool",
        f".mm.{run}.spool",
        f".n.skops.{run}.tmp",
        f"m.{run}.spool",
    ]
    for name in others:
        (tmp_path / name).write_bytes(b"x")
    models.tidy(tmp_path / "m.skops")
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted(others)


def test_a_model_of_another_program_is_not_the_same(learnt, tmp_path):
    save_model(tmp_path / "m.skops", learnt.networks, {"classes": "AB"})
    assert not models.same_model(tmp_path / "m.skops", {"classes": "ABC"})

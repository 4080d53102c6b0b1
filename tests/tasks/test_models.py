"""Model files: what is written into them, and the exchange of the served model: a whole one is there at any moment."""

from dataclasses import replace

import numpy as np
import pytest
import skops.io

from storage.errors import BadInput, Damaged, NoSpace, NotThere
from storage.models import load_model, model_digest, save_model
from tasks import models, readers
from tasks.models import must_know_as_much
from tasks.reading import networks
from tasks.reading.features import FEATURES, SIZE
from tasks.reading.networks import GATE, LETTERS, NEEDED
from tasks.reading.ranking import Ranking


def test_the_provenance_names_data_letters_features_and_settings(learnt):
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


def test_a_model_of_another_program_is_not_the_same(learnt, tmp_path):
    save_model(tmp_path / "m.skops", learnt.networks, {"classes": "AB"})
    assert not models.same_model(tmp_path / "m.skops", {"classes": "ABC"})


def test_a_saved_model_says_all_that_a_reader_needs(learnt):
    assert set(NEEDED) <= set(learnt.record)
    assert learnt.record["marked"]["n"] == learnt.record["pictures"] == 3000
    assert learnt.record["marked"]["rate"] > 0.99
    assert set(learnt.record["software"]) == {"beating-captchas", "scikit-learn", "scikit-image", "numpy"}
    assert set(learnt.record["calibration"]) == {"none", "probability"}
    assert learnt.path.stat().st_size < 3_000_000


def test_a_model_that_stands_there_is_kept_aside(learnt, tmp_path):
    path = tmp_path / "m.skops"
    networks = skops.io.load(learnt.path, trusted=[])["networks"]
    for number in (1, 2, 2):
        models.save(path, networks, {"number": number}, {}, 10, 9, "run")
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
    models.remove_leftovers(tmp_path / "m.skops")
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted(others)


@pytest.fixture
def two(tmp_path):
    """A served model and a candidate, as small as can be."""
    network = networks.build((2,), 1)
    network.partial_fit(np.tile(np.eye(3), (400, 1)), [0, 1, 2] * 400, classes=[0, 1, 2])
    served, candidate = tmp_path / "book.skops", tmp_path / "candidates" / "book.skops"
    candidate.parent.mkdir()
    for path, name in ((served, "old"), (candidate, "new")):
        save_model(path, {"letters": network}, {"classes": "AB", "made": name})
    return served, candidate


def made(path) -> str:
    return load_model(path)[1]["made"]


def files(folder) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_the_old_model_is_kept_aside_and_the_candidate_moves(two):
    served, candidate = two
    aside = models.promote(candidate, served, "run")
    assert (made(served), made(aside)) == ("new", "old")
    assert files(served.parent) == sorted([aside.name, "book.skops"])
    assert aside.name.startswith("book-")


def test_without_a_served_model_nothing_is_put_aside(two):
    served, candidate = two
    served.unlink()
    assert models.promote(candidate, served, "run") is None
    assert made(served) == "new"
    assert files(served.parent) == ["book.skops"]


@pytest.mark.parametrize("step", range(3))
def test_a_whole_model_is_served_wherever_it_dies(two, monkeypatch, step):
    """Each step fails in turn, as if the process had been killed there; the same call finishes the job."""
    served, candidate = two
    steps = iter(range(3))

    def dying(function):
        def run(*arguments, **options):
            if next(steps) == step:
                raise NoSpace("killed here")
            return function(*arguments, **options)

        return run

    with monkeypatch.context() as patch:
        patch.setattr(models.atomic, "replace", dying(models.atomic.replace))
        patch.setattr(models.atomic, "discard", dying(models.atomic.discard))
        with pytest.raises(NoSpace):
            models.promote(candidate, served, "run")
    assert made(served) == ("new" if step == 2 else "old")
    assert candidate.exists()
    if made(served) == "new":
        models.drop(candidate, served)
    else:
        models.promote(candidate, served, "run")
    assert made(served) == "new"
    assert len(files(served.parent)) == 2  # and the one from before


def test_only_a_candidate_that_is_served_is_dropped(two):
    served, candidate = two
    models.drop(candidate, served)
    assert candidate.exists()


def test_a_model_that_reads_more_letters_is_not_replaced(two, tmp_path):
    served, _ = two
    must_know_as_much(served, "ABC")
    must_know_as_much(tmp_path / "none.skops", "A")
    (tmp_path / "broken.skops").write_bytes(b"no model")
    must_know_as_much(tmp_path / "broken.skops", "A")
    with pytest.raises(BadInput, match=r"book\.skops: reads B, which the datasets do not have"):
        must_know_as_much(served, "A")


def test_a_reader_is_loaded_once_for_equal_jobs(learnt, web2):
    digest = model_digest(learnt.path)
    reader = readers.load_reader(str(learnt.path), digest, web2)
    assert readers.load_reader(str(learnt.path), digest, web2) is reader
    other = readers.load_reader(str(learnt.path), digest, (), None, "ABC", (1, 3))
    assert (other.ranking, other.alphabet, other.length) == (Ranking.NONE, "ABC", (1, 3))
    with pytest.raises(Damaged, match=r"model\.skops: is not the file that this run began with; run again"):
        readers.load_reader(str(learnt.path), "0" * 64, web2)
    with pytest.raises(NotThere, match="no such file"):
        readers.load_reader(str(learnt.path.with_name("none.skops")), digest, web2)


@pytest.mark.parametrize("step", ["save", "promote"])
def test_a_model_is_kept_aside_whole_or_not_at_all(two, monkeypatch, step):
    """Saving and promoting share one way to do it: a run that dies there leaves the model and nothing beside it."""
    served, candidate = two
    before = served.read_bytes()

    def full(path, data, run):
        raise NoSpace("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(models.atomic, "replace", full)
        with pytest.raises(NoSpace):
            if step == "save":
                models.save(served, load_model(candidate)[0], {"classes": "AB"}, {}, 1, 1, "run")
            else:
                models.promote(candidate, served, "run")
    assert served.read_bytes() == before
    assert files(served.parent) == ["book.skops", "candidates/book.skops"]
    aside = models.keep_aside(served, "run")
    assert aside.read_bytes() == before
    assert models.keep_aside(served, "run") == aside
    assert models.keep_aside(served.with_name("none.skops"), "run") is None

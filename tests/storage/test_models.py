import hashlib
import io
import json
import subprocess
import sys
import zipfile
from functools import partial

import numpy as np
import pytest
import skops.io
from sklearn.neural_network import MLPClassifier
from sklearn.tree import DecisionTreeClassifier

from storage import models
from storage.errors import Damaged, NotThere
from storage.models import load_model, model_digest, save_model

PROVENANCE = {
    "classes": "ABC",
    "gate": -1.25,
    "scores": {"f1": [1.0, 0.5]},
    "note": 'Ж "file": "1.npy"',
    "none": None,
}


def features(count=50):
    return np.random.Generator(np.random.Philox(0)).random((count, 400), dtype=np.float32)


@pytest.fixture(scope="module")
def network():
    network = MLPClassifier((20,), random_state=1, shuffle=False)
    for _ in range(3):
        network.partial_fit(features(), np.arange(50) % 3, classes=np.arange(3))
    return network


@pytest.fixture
def path(network, tmp_path):
    save_model(tmp_path / "deep" / "m.skops", {"one": network}, PROVENANCE)
    return tmp_path / "deep" / "m.skops"


def sealed(content) -> bytes:
    """A file with a valid seal and any content: what somebody could put in our way on purpose."""
    return models._sealed(skops.io.dumps(content))


def test_what_is_loaded_predicts_as_before(network, path):
    networks, provenance = load_model(path)
    assert provenance == PROVENANCE
    assert list(networks) == ["one"]
    loaded = networks["one"]
    assert np.array_equal(loaded.predict_proba(features()), network.predict_proba(features()))
    assert [a.dtype for a in loaded.coefs_] == [np.float32] * 2
    assert loaded.get_params() == network.get_params()


def test_a_model_from_another_scikit_learn_loads_without_a_warning(network, tmp_path, monkeypatch):
    monkeypatch.setattr("sklearn.base.__version__", "1.8.0")
    save_model(tmp_path / "m.skops", {"one": network}, {})
    monkeypatch.undo()
    with zipfile.ZipFile(tmp_path / "m.skops") as archive:
        assert b"1.8.0" in archive.read("schema.json")
    loaded = load_model(tmp_path / "m.skops")[0]["one"]
    assert np.array_equal(loaded.predict_proba(features()), network.predict_proba(features()))


def test_one_file_is_left_and_nothing_else(path):
    assert [entry.name for entry in path.parent.iterdir()] == ["m.skops"]


def test_the_optimiser_stays_out_and_the_network_is_left_as_it_was(network, path):
    loaded = load_model(path)[0]["one"]
    assert not hasattr(loaded, "_optimizer")
    assert not hasattr(loaded, "loss_curve_")
    assert hasattr(network, "_optimizer")
    assert path.stat().st_size < 2 * sum(array.nbytes for array in network.coefs_)


def test_it_is_an_ordinary_skops_file(network, path):
    content = skops.io.load(path, trusted=[])
    assert np.array_equal(content["networks"]["one"].coefs_[0], network.coefs_[0])
    assert json.loads(content["provenance"]) == PROVENANCE
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None


def test_equal_input_gives_equal_bytes(network, path, tmp_path):
    digest = save_model(tmp_path / "b.skops", {"one": network}, dict(reversed(PROVENANCE.items())))
    assert digest == model_digest(path) == hashlib.sha256(path.read_bytes()).hexdigest()
    networks, provenance = load_model(path)  # other objects at other addresses
    assert save_model(tmp_path / "c.skops", networks, provenance) == digest
    assert save_model(tmp_path / "d.skops", networks, provenance | {"gate": 0.7}) != digest
    assert save_model(tmp_path / "e.skops", {"other": networks["one"]}, provenance) != digest


def test_several_networks_come_back_under_their_names_in_any_order(network, tmp_path):
    other = MLPClassifier((3, 4), random_state=2, shuffle=False)
    other.partial_fit(features()[:, :7], np.arange(50) % 2, classes=np.arange(2))
    digest = save_model(tmp_path / "a.skops", {"one": network, "other": other}, PROVENANCE)
    assert save_model(tmp_path / "b.skops", {"other": other, "one": network}, PROVENANCE) == digest
    assert save_model(tmp_path / "c.skops", {"one": other, "other": network}, PROVENANCE) != digest
    networks, _ = load_model(tmp_path / "a.skops")
    assert set(networks) == {"one", "other"}
    assert np.array_equal(networks["one"].predict_proba(features()), network.predict_proba(features()))
    assert np.array_equal(networks["other"].predict(features()[:, :7]), other.predict(features()[:, :7]))
    # One network under two names shares its arrays, in memory and in the file.
    save_model(tmp_path / "d.skops", {"one": network, "same": network}, {})
    networks, _ = load_model(tmp_path / "d.skops")
    assert np.array_equal(networks["one"].coefs_[0], networks["same"].coefs_[0])
    assert hasattr(other, "_optimizer")


def test_replacing_a_model_leaves_the_new_one(network, path):
    save_model(path, {"one": network}, {"second": True})
    assert load_model(path)[1] == {"second": True}
    assert [entry.name for entry in path.parent.iterdir()] == ["m.skops"]


def test_a_missing_model_is_said_to_be_missing(tmp_path):
    for function in (load_model, model_digest):
        with pytest.raises(NotThere, match=r"m\.skops: no such file"):
            function(tmp_path / "m.skops")


def test_any_flipped_bit_is_noticed(path):
    data = path.read_bytes()
    places = np.linspace(0, len(data) - 1, 200).astype(int).tolist() + list(range(len(data) - 120, len(data)))
    for place in places:
        flipped = bytearray(data)
        flipped[place] ^= 1 << place % 8
        path.write_bytes(flipped)
        with pytest.raises(Damaged, match=r"^model .*m\.skops: "):
            load_model(path)


def test_a_file_that_was_cut_short_or_is_no_model_is_refused(path):
    data = path.read_bytes()
    for other in (
        b"",
        b"PK",
        data[:-1],
        data[: len(data) // 2],
        data + b"\n",
        b"word,confidence\nBONE,1\n",
        b"\x89PNG" + data,
    ):
        path.write_bytes(other)
        with pytest.raises(Damaged, match="is not a model of this program, or was cut short"):
            load_model(path)


def test_a_folder_is_no_model(tmp_path):
    with pytest.raises(Damaged, match="cannot be read"):
        load_model(tmp_path)


def test_a_plain_skops_file_is_no_model_of_ours(path, network):
    skops.io.dump(network, path)
    with pytest.raises(Damaged, match="is not a model of this program"):
        load_model(path)


@pytest.mark.parametrize(
    ("intruder", "name"),
    [
        (partial(print, "ran"), "functools.partial"),
        (DecisionTreeClassifier(), "sklearn.tree._classes.DecisionTreeClassifier"),
        (np.add, "numpy.add"),
        (print, "builtins.print"),
        (json.JSONDecoder, "json.decoder.JSONDecoder"),
    ],
)
def test_other_types_are_named_and_never_built(path, network, intruder, name, monkeypatch, capsys):
    content = {"format": 2, "networks": {"one": network}, "provenance": "{}", "more": intruder}
    path.write_bytes(sealed(content))
    monkeypatch.setattr(skops.io, "loads", lambda *_, **__: pytest.fail("the content was built"))
    with pytest.raises(Damaged, match=f"was not loaded: .*{name}"):
        load_model(path)
    assert capsys.readouterr().out == ""


def test_the_optimiser_is_a_foreign_type_too(path, network):
    path.write_bytes(sealed({"format": 2, "networks": {"one": network}, "provenance": "{}"}))
    with pytest.raises(Damaged, match="AdamOptimizer"):
        load_model(path)


def bare(network):
    bare = MLPClassifier()
    bare.__dict__.update({key: value for key, value in vars(network).items() if key not in models._DROPPED})
    return bare


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 1}, "format 1; this version reads format 2"),
        ({"format": 3, "networks": "of another kind"}, "format 3; this version reads format 2"),
        ({"networks": "MLP"}, "its content is not that of a model"),
        ({"networks": {"one": MLPClassifier()}}, "its content is not that of a model"),
        ({"provenance": "{"}, "its content is not that of a model"),
        ({"provenance": "[]"}, "do not fit|is not that of a model"),
    ],
)
def test_a_sealed_file_with_other_content_is_refused(path, network, change, message):
    path.write_bytes(sealed({"format": 2, "networks": {"one": bare(network)}, "provenance": "{}"}))
    assert load_model(path)[1] == {}
    path.write_bytes(sealed({"format": 2, "networks": {"one": bare(network)}, "provenance": "{}"} | change))
    with pytest.raises(Damaged, match=message):
        load_model(path)


def test_layers_that_do_not_fit_together_are_refused(path, network):
    spoilt = bare(network)
    spoilt.intercepts_ = [spoilt.intercepts_[0][:-1], spoilt.intercepts_[1]]
    networks = {"one": bare(network), "other": spoilt}
    path.write_bytes(sealed({"format": 2, "networks": networks, "provenance": "{}"}))
    with pytest.raises(Damaged, match="its layers do not fit together"):
        load_model(path)


def test_a_node_without_a_type_is_foreign(path):
    data = models._sealed(skops.io.dumps({"format": 2}))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        schema = json.loads(archive.read("schema.json"))
    del schema["content"]["format"]["__module__"]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("schema.json", json.dumps(schema))
    path.write_bytes(models._sealed(buffer.getvalue()))
    with pytest.raises(Damaged, match="was not loaded"):
        load_model(path)


@pytest.mark.parametrize("provenance", [{"a": np.int64(1)}, {"a": float("nan")}, {"a": {1, 2}}])
def test_a_provenance_that_json_cannot_hold_is_refused_before_anything_is_written(network, tmp_path, provenance):
    with pytest.raises((TypeError, ValueError)):
        save_model(tmp_path / "m.skops", {"one": network}, provenance)
    assert list(tmp_path.iterdir()) == []


def test_another_process_writes_the_same_bytes(path):
    """Other memory addresses, another clock."""
    code = "import sys; from storage.models import *; print(save_model(sys.argv[2], *load_model(sys.argv[1])))"
    again = path.with_name("again.skops")
    out = subprocess.run([sys.executable, "-c", code, path, again], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == model_digest(path)

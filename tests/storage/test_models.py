import hashlib
import io
import json
import pickle
import struct
import subprocess
import sys
import zipfile
from functools import partial

import numpy as np
import pytest
import skops.io
from sklearn.neural_network import MLPClassifier
from sklearn.tree import DecisionTreeClassifier

from storage import models, skops_archive
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


def built(path) -> dict:
    """The networks of a model file as scikit-learn's users open them."""
    return skops.io.load(path, trusted=[])["networks"]


def equal(one, other) -> bool:
    """Whether two networks have equal arrays, in the same order in memory, for BLAS rounds by that."""
    arrays = [[*network.coefs_, *network.intercepts_, network.classes_] for network in (one, other)]
    return (one.activation, one.out_activation_) == (other.activation, other.out_activation_) and all(
        a.dtype == b.dtype and a.flags.c_contiguous == b.flags.c_contiguous and np.array_equal(a, b)
        for a, b in zip(*arrays, strict=True)
    )


def test_what_is_loaded_is_what_was_saved(network, path):
    networks, provenance = load_model(path)
    assert provenance == PROVENANCE
    assert list(networks) == ["one"]
    loaded = networks["one"]
    assert equal(loaded, network)
    assert [a.dtype for a in loaded.coefs_] == [np.float32] * 2
    assert loaded.get_params() == network.get_params()
    assert loaded.hidden_layer_sizes == (20,)


def test_a_model_from_another_scikit_learn_loads_without_a_warning(network, tmp_path, monkeypatch):
    monkeypatch.setattr("sklearn.base.__version__", "1.8.0")
    save_model(tmp_path / "m.skops", {"one": network}, {})
    monkeypatch.undo()
    with zipfile.ZipFile(tmp_path / "m.skops") as archive:
        assert b"1.8.0" in archive.read("schema.json")
    assert equal(load_model(tmp_path / "m.skops")[0]["one"], network)


def test_one_file_is_left_and_nothing_else(path):
    assert [entry.name for entry in path.parent.iterdir()] == ["m.skops"]


def test_the_optimiser_stays_out_and_the_network_is_left_as_it_was(network, path):
    opened = built(path)["one"]
    assert not hasattr(opened, "_optimizer")
    assert not hasattr(opened, "loss_curve_")
    assert hasattr(network, "_optimizer")
    assert path.stat().st_size < 2 * sum(array.nbytes for array in network.coefs_)


def test_it_is_an_ordinary_skops_file(network, path):
    content = skops.io.load(path, trusted=[])
    opened = content["networks"]["one"]
    assert np.array_equal(opened.predict_proba(features()), network.predict_proba(features()))
    assert json.loads(content["provenance"]) == PROVENANCE
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None


def test_equal_input_gives_equal_bytes(network, path, tmp_path):
    digest = save_model(tmp_path / "b.skops", {"one": network}, dict(reversed(PROVENANCE.items())))
    assert digest == model_digest(path) == hashlib.sha256(path.read_bytes()).hexdigest()
    networks, provenance = built(path), load_model(path)[1]  # other objects at other addresses
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
    assert equal(networks["one"], network)
    assert equal(networks["other"], other)
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
    with pytest.raises(NotThere, match="is a folder; give the file of a model"):
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
def test_other_types_are_named_and_never_read(path, network, intruder, name, monkeypatch, capsys):
    content = {"format": 2, "networks": {"one": network}, "provenance": "{}", "more": intruder}
    path.write_bytes(sealed(content))
    monkeypatch.setattr(models, "values_of", lambda *_: pytest.fail("the content was read"))
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
        ({"provenance": "[]"}, "is not that of a model"),
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


@pytest.mark.slow
def test_another_process_writes_the_same_bytes_and_does_not_import_pytorch(network, path):
    """Other memory addresses, another clock. PyTorch is installed for deep models only, and takes a second or more."""
    code = """
import pickle, sys
from storage.models import load_model, save_model
network = pickle.load(sys.stdin.buffer)
print(save_model(sys.argv[2], {"one": network}, load_model(sys.argv[1])[1]))
assert "sklearn.externals.array_api_compat.torch" not in sys.modules, "a stub was left behind"
assert "skops.io" in sys.modules and "torch" not in sys.modules
"""
    command = [sys.executable, "-c", code, path, path.with_name("again.skops")]
    out = subprocess.run(command, input=pickle.dumps(network), capture_output=True, check=False)
    assert out.returncode == 0, out.stderr.decode()
    assert out.stdout.decode().strip() == model_digest(path)


def test_models_load_without_scikit_learn(path):
    """It takes longer to import than a picture to read; only training needs it."""
    code = (
        "import sys; from storage.models import load_model; load_model(sys.argv[1]); "
        "print(sorted({'sklearn', 'scipy', 'skops'} & sys.modules.keys()))"
    )
    out = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def archive_of(path) -> tuple[dict[str, bytes], dict]:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    return members, json.loads(members.pop("schema.json"))


def seal(path, members: dict[str, bytes], schema, compression: int = zipfile.ZIP_STORED) -> None:
    """Write members and a schema as a model file with a valid seal."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        archive.writestr("schema.json", json.dumps(schema))
        archive.comment = models._SEAL + bytes(models._HEX)
    body = buffer.getvalue()[: -models._HEX]
    path.write_bytes(body + hashlib.sha256(body).hexdigest().encode())


def npy(array) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def test_a_member_that_inflates_without_end_is_refused_before_it_does(path):
    members, schema = archive_of(path)
    seal(path, members | {"99.npy": bytes(skops_archive.MOST_BYTES + 1)}, schema, zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 1 << 20
    with pytest.raises(Damaged, match=r"must have at most .* CAPTCHAS_MODEL_BYTES may allow more"):
        load_model(path)


def test_members_that_claim_less_than_they_have_are_not_unpacked_further(path, peak):
    """A file of 3 MB took 2 GB."""
    members, schema = archive_of(path)
    seal(path, members, schema)
    with zipfile.ZipFile(path) as archive:
        sizes = {member.filename: member.file_size for member in archive.infolist()}
    forged = {}
    for name in ("0.npy", "schema.json"):
        for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2):
            with zipfile.ZipFile(buffer := io.BytesIO(), "w", method) as archive:
                for other, content in (members | {"schema.json": json.dumps(schema).encode()}).items():
                    archive.writestr(other, bytes(40 << 20) if other == name else content)
                archive.comment = models._SEAL + bytes(models._HEX)
            claimed = struct.pack("<I", 40 << 20), struct.pack("<I", sizes[name])
            body = buffer.getvalue()[: -models._HEX].replace(*claimed)
            forged[name, method] = path.with_name(f"{name}-{method}.skops")
            forged[name, method].write_bytes(body + hashlib.sha256(body).hexdigest().encode())

    def refuse() -> None:
        for file in forged.values():
            with pytest.raises(Damaged):
                load_model(file)

    assert peak(refuse) < 20 << 20
    with pytest.raises(Damaged, match=r"schema\.json must be stored or deflated; its method is 12"):
        load_model(forged["schema.json", zipfile.ZIP_BZIP2])


def test_members_without_an_end_are_not_listed(path, monkeypatch):
    """A directory of 120 MB took half a minute, and a gigabyte."""
    members, schema = archive_of(path)
    seal(path, members | {f"{number:>300}": b"" for number in range(900)}, schema)
    monkeypatch.setattr(skops_archive.zipfile, "ZipFile", lambda _: pytest.fail("it was listed"))
    with pytest.raises(Damaged, match="its directory must have at most 262144 bytes"):
        load_model(path)


def test_a_member_that_many_arrays_name_counts_as_often(path):
    """Two thousand names of one array of 56 MB would take 114 GB."""
    members, schema = archive_of(path)
    array = max(
        (part for part in nodes(schema) if part["__loader__"] == "NdArrayNode"),
        key=lambda part: len(members[part["file"]]),
    )
    listed = {"__class__": "list", "__module__": "builtins", "__loader__": "ListNode", "content": [array] * 10_000}
    schema["content"]["more"] = listed
    seal(path, members, schema)
    with pytest.raises(Damaged, match=r"the arrays have more than 67108864 bytes"):
        load_model(path)


def test_a_schema_that_would_fill_memory_is_not_parsed(path, monkeypatch):
    members, schema = archive_of(path)
    seal(path, members, schema | {"more": [[]] * 3_000_000}, zipfile.ZIP_DEFLATED)
    monkeypatch.setattr(skops_archive.json, "loads", lambda _: pytest.fail("it was parsed"))
    with pytest.raises(Damaged, match=r"schema\.json must have at most"):
        load_model(path)


def nodes(found):
    """Yield all nodes of a schema."""
    if isinstance(found, dict):
        if "__loader__" in found:
            yield found
        for value in found.values():
            yield from nodes(value)
    elif isinstance(found, list):
        for value in found:
            yield from nodes(value)


def test_the_user_may_allow_larger_models(path, monkeypatch):
    monkeypatch.setenv("CAPTCHAS_MODEL_BYTES", "100")
    with pytest.raises(Damaged, match="of 100 bytes in all"):
        load_model(path)
    monkeypatch.setenv("CAPTCHAS_MODEL_BYTES", "1e9")
    with pytest.raises(Damaged, match="must be a number of bytes; it is '1e9'"):
        load_model(path)
    monkeypatch.setenv("CAPTCHAS_MODEL_BYTES", str(1 << 30))
    load_model(path)


def test_a_header_that_claims_more_than_the_member_has_takes_no_memory(path):
    members, schema = archive_of(path)
    name = next(name for name, data in members.items() if np.load(io.BytesIO(data)).ndim == 2)
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1000000), }"
    header += b" " * (117 - len(header)) + b"\n"
    members[name] = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(64)
    seal(path, members, schema)
    with pytest.raises(Damaged, match="an array of"):
        load_model(path)


WRONG = {
    "nan": lambda a: np.full_like(a, np.nan) if a.dtype.kind == "f" else a.astype(float) * np.nan,
    "infinity": lambda a: np.where(np.arange(a.size).reshape(a.shape) == a.size // 2, np.inf, a),
    "int8": lambda a: a.astype(np.int8) if a.dtype.kind == "f" else a.astype(np.complex64),
    "complex": lambda a: a.astype(np.complex128),
    "objects": lambda a: a.astype(object),
    "text": lambda a: a.astype("U8"),
    "float16": lambda a: a.astype(np.float16),
    "less": lambda a: a[:-1],
    "more": lambda a: np.concatenate([a, a]),
    "none": lambda a: a[:0],
    "transposed": lambda a: a.T if a.ndim == 2 else a[None],
    "flat": lambda a: a.ravel() if a.ndim == 2 else a[:, None],
    "scalar": lambda a: np.array(1, a.dtype),
    "huge": lambda a: (a.astype(float) + 2) * 1e308 * 10,
}


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_arrays_are_refused(path, kind):
    """Every array of the file, one at a time."""
    members, schema = archive_of(path)
    for name, data in members.items():
        array = np.load(io.BytesIO(data))
        if not array.ndim:
            continue  # a scalar that reading does not use
        with np.errstate(all="ignore"):
            wrong = npy(WRONG[kind](array))
        seal(path, members | {name: wrong}, schema)
        first, *others = used_arrays(schema)
        # How many features the first layer takes, the reader checks, which knows how many there are.
        if name in others or (name == first and kind not in ("less", "more")):
            with pytest.raises(Damaged, match=r"^model .*m\.skops: its (content|layers)"):
                load_model(path)


def used_arrays(schema) -> list[str]:
    """The members that hold weights, biases and classes of the network; others are scikit-learn's own."""
    attributes = schema["content"]["networks"]["content"]["one"]["content"]["content"]
    nodes = [*attributes["coefs_"]["content"], *attributes["intercepts_"]["content"], attributes["classes_"]]
    return [node["file"] for node in nodes]


def leaves(node, at=()) -> list[tuple]:
    """The places of all texts, numbers and such in a schema, each as the keys that lead there."""
    if not isinstance(node, dict | list):
        return [at]
    children = node.items() if isinstance(node, dict) else enumerate(node)
    return [leaf for key, child in children for leaf in leaves(child, (*at, key))]


def forge(schema, at, value) -> dict:
    """Return a schema with another value at a place."""
    forged = node = json.loads(json.dumps(schema))
    for key in at[:-1]:
        node = node[key]
    node[at[-1]] = value
    return forged


# Some are JSON texts, as a schema has them for the values of parameters; 1e999 is infinity.
VALUES = [
    None, -1, 0.5, float("inf"), "", [], {}, "../../x", True, "x" * 300, [[[[]]]], "null", "-1", "1e999", "[]", "{}",
]  # fmt: skip
UNREAD = {"is_json", "__id__", "type", "protocol", "_skops_version"}  # for skops, which does not read the file here


def test_a_thousand_forged_schemas_are_refused_or_read_as_what_they_were(path, network):
    """One value of the schema is replaced at a time, at random places; only a parameter of training may be another."""
    members, schema = archive_of(path)
    places = leaves(schema)
    attributes = ("content", "networks", "content", "one", "content", "content")
    parameters = network.get_params()
    rng = np.random.Generator(np.random.Philox(1))
    seen = set()
    for _ in range(1000):
        at, value = places[rng.integers(len(places))], VALUES[rng.integers(len(VALUES))]
        seal(path, members, forge(schema, at, value))
        try:
            networks, provenance = load_model(path)
        except Damaged:
            assert at[-1] not in UNREAD, (at, value)
            seen.add("refused")
            continue
        assert at[-1] in UNREAD or at[: len(attributes)] == attributes, (at, value)
        assert list(networks) == ["one"] and provenance == PROVENANCE
        assert equal(networks["one"], network), (at, value)
        read = networks["one"].get_params()
        others = {name for name in parameters.keys() | read.keys() if read.get(name) != parameters.get(name)}
        assert others <= (set() if at[-1] in UNREAD else {at[len(attributes)]}), (at, value)
        seen.add("another parameter" if others else "equal")
    assert seen == {"refused", "another parameter", "equal"}

"""Model files: trained networks and their provenance in one `.skops` file, which runs no code when it is loaded."""

import copy
import hashlib
import io
import itertools
import json
import warnings
import zipfile
from collections.abc import Iterator
from typing import Any

import skops.io
from sklearn.neural_network import MLPClassifier

from storage.errors import Damaged, NotThere
from storage.files import atomic
from storage.files.places import Place, place

FORMAT = 2

# What a file may hold: module, class, and the node of skops that builds it. skops trusts a longer list, which grows
# with its versions. A file that holds anything outside this list is refused before skops sees it.
TRUSTED = frozenset(
    {
        ("sklearn.neural_network._multilayer_perceptron", "MLPClassifier", "ObjectNode"),
        ("sklearn.preprocessing._label", "LabelBinarizer", "ObjectNode"),
        ("numpy", "ndarray", "NdArrayNode"),
        ("numpy", "float64", "NdArrayNode"),
        ("builtins", "dict", "DictNode"),
        ("builtins", "list", "ListNode"),
        ("builtins", "tuple", "TupleNode"),
        ("builtins", "str", "JsonNode"),
        ("builtins", "str", "TypeNode"),
    }
)

# Attributes that only further training needs: the optimiser's moments (twice the network's size), the generator, the
# best weights, the curves.
_DROPPED = (
    "_optimizer", "_random_state", "_best_coefs", "_best_intercepts", "_no_improvement_count", "best_loss_",
    "loss_curve_", "validation_scores_", "best_validation_score_",
)  # fmt: skip

# The archive's comment, at the end of the file: _SEAL, then the digest of all bytes before it in _HEX digits.
_SEAL = b"sha256:"
_HEX = 64


def save_model(
    path: str | Place, networks: dict[str, MLPClassifier], provenance: dict[str, Any], run: str | None = None
) -> str:
    """Write networks and their provenance, over an existing file. Equal input gives equal bytes.

    Parameters
    ----------
    networks : dict of str to fitted MLPClassifier
        They are not changed. The file leaves out what only further training needs.
    provenance : dict
        Values that JSON can hold.
    run : str, optional
        The run's id, for the temporary name.

    Returns
    -------
    str
        The file's sha256, as `model_digest` gives it.

    Raises
    ------
    NoSpace, Unwritable
    TypeError, ValueError
        A provenance that JSON cannot hold.
    """
    bare = {name: _bare(network) for name, network in sorted(networks.items())}
    text = json.dumps(provenance, ensure_ascii=False, sort_keys=True, allow_nan=False)
    data = _sealed(skops.io.dumps({"format": FORMAT, "networks": bare, "provenance": text}))
    atomic.replace(place(path), data, run)
    return hashlib.sha256(data).hexdigest()


def _bare(network: MLPClassifier) -> MLPClassifier:
    """Copy a network without the attributes that only further training needs."""
    bare = copy.copy(network)
    for name in _DROPPED:
        bare.__dict__.pop(name, None)
    return bare


def load_model(path: str | Place) -> tuple[dict[str, MLPClassifier], dict[str, Any]]:
    """Load the networks and the provenance from a file that `save_model` wrote.

    Returns
    -------
    networks : dict of str to MLPClassifier
        They can predict, but cannot be trained further.
    provenance : dict

    Raises
    ------
    NotThere
    Damaged
        The file is not a model, was cut short or altered in any byte, is of another format, or holds types that a
        model does not have (they are named; nothing of them was imported or run).
    """
    data = _bytes(path)
    if data[-_HEX - len(_SEAL) : -_HEX] != _SEAL or not data.startswith(b"PK"):
        raise Damaged(
            f"model {path}: is not a model of this program, or was cut short; train one with `captchas train`"
        )
    if hashlib.sha256(data[:-_HEX]).hexdigest().encode() != data[-_HEX:]:
        raise Damaged(f"model {path}: its bytes differ from those that were sealed; restore it or train again")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            schema = json.loads(archive.read("schema.json"))
        foreign = sorted(".".join(name[:2]) for name in _types(schema) - TRUSTED)
    except Exception as error:  # zipfile, zlib and json raise a dozen types of errors
        raise Damaged(f"model {path}: is not a skops archive ({error})") from error
    if foreign:
        raise Damaged(f"model {path}: holds types that no model has, and was not loaded: {', '.join(foreign)}")
    try:
        with warnings.catch_warnings():
            # scikit-learn warns of a file from another version. We read only the arrays, which mean the same in all
            # versions; the provenance names the version.
            warnings.filterwarnings("ignore", "Trying to unpickle estimator", UserWarning)
            content = skops.io.loads(data, trusted=[])
        number, provenance = content["format"], json.loads(content["provenance"])
        networks = dict(content["networks"]) if number == FORMAT else {}
        fitting = all(
            [array.shape[1:] for array in network.coefs_] == [array.shape for array in network.intercepts_]
            for network in networks.values()
        )
    except Exception as error:
        raise Damaged(f"model {path}: its content is not that of a model ({error})") from error
    if number != FORMAT:
        raise Damaged(f"model {path}: format {number}; this version reads format {FORMAT}. Train it again")
    if not isinstance(provenance, dict) or not fitting:
        raise Damaged(f"model {path}: its layers do not fit together; train it again")
    return networks, provenance


def model_digest(path: str | Place) -> str:
    """Return the sha256 of the file, in hexadecimal.

    Raises
    ------
    NotThere, Damaged
    """
    return hashlib.sha256(_bytes(path)).hexdigest()


def _bytes(path: str | Place) -> bytes:
    try:
        return place(path).read_bytes()
    except FileNotFoundError:
        raise NotThere(f"model {path}: no such file; train one with `captchas train`") from None
    except OSError as error:
        raise Damaged(f"model {path}: cannot be read ({error.strerror})") from error


def _sealed(dumped: bytes) -> bytes:
    """Return the same archive without times and memory addresses, sealed by its own digest at the end.

    skops names arrays and numbers nodes by their addresses in memory. They are numbered anew, each node once, so that
    the bytes do not depend on which objects an interpreter happens to share.
    """
    names: dict[str, str] = {}
    with zipfile.ZipFile(io.BytesIO(dumped)) as archive:
        schema = _renumbered(json.loads(archive.read("schema.json")), itertools.count(1), names)
        members = {new: archive.read(old) for old, new in names.items()}
    members["schema.json"] = json.dumps(schema).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)  # dated 1980-01-01
        archive.comment = _SEAL + bytes(_HEX)
    body = buffer.getvalue()[:-_HEX]
    return body + hashlib.sha256(body).hexdigest().encode()


def _renumbered(node: object, numbers: Iterator[int], names: dict[str, str]) -> object:
    """Number the nodes and arrays of a schema in order of appearance; `names` collects the arrays' new names by old."""
    if isinstance(node, list):
        return [_renumbered(child, numbers, names) for child in node]
    if not isinstance(node, dict):
        return node
    renumbered: dict[str, object] = {}
    for key, child in node.items():
        if key == "__id__":
            renumbered[key] = next(numbers)
        elif key == "file" and isinstance(child, str):
            renumbered[key] = names.setdefault(child, f"{len(names)}.npy")
        else:
            renumbered[key] = _renumbered(child, numbers, names)
    return renumbered


def _types(node: object) -> set[tuple[str, ...]]:
    """Collect (module, class, loader) of all nodes in a schema. A value that a node lacks is "None", so not trusted."""
    if isinstance(node, list):
        return set().union(*map(_types, node))
    if not isinstance(node, dict):
        return set()
    found = set().union(*map(_types, node.values()))
    if {"__class__", "__module__", "__loader__"} & node.keys():
        found.add(tuple(str(node.get(key)) for key in ("__module__", "__class__", "__loader__")))
    return found

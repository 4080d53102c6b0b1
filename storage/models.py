"""Model files: trained networks and their provenance in one `.skops` file, which runs no code when it is loaded."""

import copy
import hashlib
import io
import itertools
import json
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from storage.errors import Damaged
from storage.files import atomic
from storage.files.places import Place, place
from storage.learnt_texts import learnt_texts
from storage.model_files import model_bytes
from storage.skops_archive import StoredObject, open_archive, values_of

if TYPE_CHECKING:
    from sklearn.neural_network import MLPClassifier

FORMAT = 2
MOST_LAYERS = 5  # `captchas train` makes at most four hidden ones

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


@dataclass(frozen=True, eq=False)
class Network:
    """A fitted multilayer perceptron: its arrays, named as scikit-learn names them, and nothing that runs.

    coefs_ : the weights of each layer, (inputs, outputs) float32 or float64
    intercepts_ : the biases of each layer, (outputs,)
    classes_ : (k,) integers, ascending; with two classes the last layer has one output, that of the second
    activation, out_activation_ : 'relu'; 'softmax' or 'logistic'
    parameters : what the network was built with
    """

    coefs_: tuple[np.ndarray, ...]
    intercepts_: tuple[np.ndarray, ...]
    classes_: np.ndarray
    activation: str
    out_activation_: str
    parameters: dict[str, Any]

    @property
    def hidden_layer_sizes(self) -> tuple[int, ...]:
        """Return the units of each hidden layer."""
        return tuple(weights.shape[1] for weights in self.coefs_[:-1])

    def get_params(self) -> dict[str, Any]:
        """Return what the network was built with, by name, as scikit-learn does."""
        return dict(self.parameters)


def save_model(
    path: str | Place, networks: "dict[str, MLPClassifier]", provenance: dict[str, Any], run: str | None = None
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
    with _without_torch():
        import skops.io  # brings scikit-learn, which only training needs

    bare = {name: _bare(network) for name, network in sorted(networks.items())}
    text = json.dumps(provenance, ensure_ascii=False, sort_keys=True, allow_nan=False)
    data = _sealed(skops.io.dumps({"format": FORMAT, "networks": bare, "provenance": text}))
    atomic.replace(place(path), data, run)
    return hashlib.sha256(data).hexdigest()


@contextmanager
def _without_torch() -> Iterator[None]:
    """Keep PyTorch out, if it is installed: skops imports all of scikit-learn, and a file there all of PyTorch."""
    name = "sklearn.externals.array_api_compat.torch"
    hidden = name not in sys.modules
    if hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # makes its import an ImportError
    try:
        yield
    finally:
        if hidden:
            del sys.modules[name]


def _bare(network: "MLPClassifier") -> "MLPClassifier":
    """Copy a network without the attributes that only further training needs."""
    bare = copy.copy(network)
    for name in _DROPPED:
        bare.__dict__.pop(name, None)
    return bare


def load_model(path: str | Place) -> tuple[dict[str, Network], dict[str, Any]]:
    """Load the networks and the provenance from a file that `save_model` wrote; as `networks_from` of its bytes.

    Raises
    ------
    NotThere, Damaged
    """
    return networks_from(path, model_bytes(path))


def networks_from(path: str | Place, data: bytes) -> tuple[dict[str, Network], dict[str, Any]]:
    """Load the networks and the provenance from the bytes of a file, whose path messages name.

    Returns
    -------
    networks : dict of str to Network
    provenance : dict

    Raises
    ------
    Damaged
        The file is not a model, was cut short or altered in any byte, is of another format, is too large, or holds
        types that a model does not have (they are named; nothing of them was imported or run), arrays that are not
        those of a network, or a record with wrong `texts`.
    """
    if data[-_HEX - len(_SEAL) : -_HEX] != _SEAL or not data.startswith(b"PK"):
        raise Damaged(
            f"model {path}: is not a model of this program, or was cut short; train a model with `captchas train`"
        )
    if hashlib.sha256(data[:-_HEX]).hexdigest().encode() != data[-_HEX:]:
        raise Damaged(f"model {path}: its bytes differ from those that were sealed; restore it or train again")
    try:
        archive, schema = open_archive(data)
        foreign = sorted(".".join(name[:2]) for name in _types(schema) - TRUSTED)
    except Exception as error:  # zipfile, zlib and json raise a dozen types of errors
        raise Damaged(f"model {path}: is not a skops archive ({error})") from error
    if foreign:
        raise Damaged(f"model {path}: holds types that no model has, and was not loaded: {', '.join(foreign)}")
    try:
        content = values_of(archive, schema)
        number, provenance = content["format"], json.loads(content["provenance"])
        objects = dict(content["networks"]) if number == FORMAT else {}
    except Exception as error:  # a forged archive fails in any step
        raise Damaged(f"model {path}: its content is not that of a model ({error})") from error
    if number != FORMAT:
        raise Damaged(f"model {path}: format {number}; this version reads format {FORMAT}. Train it again")
    try:
        networks = {name: _network(found) for name, found in objects.items()}
    except _Unfit as error:
        raise Damaged(f"model {path}: its layers do not fit together ({error}); train it again") from error
    except Exception as error:
        raise Damaged(f"model {path}: its content is not that of a model ({error})") from error
    if not isinstance(provenance, dict):
        raise Damaged(f"model {path}: its content is not that of a model (no record of its origin); train it again")
    try:
        learnt_texts(provenance)
    except ValueError as error:
        raise Damaged(f"model {path}: its record is not that of a model ({error}); train it again") from error
    return networks, provenance


class _Unfit(ValueError):
    """The arrays of a network do not fit each other."""


def _network(found: StoredObject) -> Network:
    """Check an object of the archive, and make a network of its arrays."""
    if found.name != "MLPClassifier":
        raise ValueError(f"a network must be an MLPClassifier, not {found.name}")
    attributes = found.attributes
    coefs, intercepts, classes = attributes["coefs_"], attributes["intercepts_"], attributes["classes_"]
    layers = [*zip(coefs, intercepts, strict=True)]
    numbers = [array for layer in layers for array in layer]
    if not 1 <= len(layers) <= MOST_LAYERS or not all(isinstance(array, np.ndarray) for array in (*numbers, classes)):
        raise ValueError(f"a network has 1 to {MOST_LAYERS} layers of arrays")
    if any(array.dtype not in (np.float32, np.float64) for array in numbers) or classes.dtype.kind not in "iu":
        raise ValueError("weights must be float32 or float64, and classes integers")
    if any(weights.ndim != 2 or not weights.size or biases.shape != weights.shape[1:] for weights, biases in layers):
        raise _Unfit(f"weights {[array.shape for array in coefs]}, biases {[array.shape for array in intercepts]}")
    if any(weights.shape[1] != following.shape[0] for weights, following in itertools.pairwise(coefs)):
        raise _Unfit(f"weights {[array.shape for array in coefs]}")
    if classes.ndim != 1 or (np.diff(classes) <= 0).any() or len(intercepts[-1]) != _outputs(len(classes)):
        raise _Unfit(f"{len(intercepts[-1])} outputs for classes {classes.tolist()[:5]}")
    if not all(np.isfinite(array).all() for array in numbers):
        raise ValueError("a weight is not a finite number")
    activation, out_activation = attributes["activation"], attributes["out_activation_"]
    if activation != "relu" or out_activation not in ("softmax", "logistic"):
        raise ValueError(f"its activations must be relu, and softmax or logistic, not {activation}, {out_activation}")
    parameters = {
        name: value for name, value in attributes.items()
        if not name.startswith("_") and not name.endswith("_") and name != "loss"  # which no constructor takes
    }  # fmt: skip
    return Network(tuple(coefs), tuple(intercepts), classes, activation, out_activation, parameters)


def _outputs(classes: int) -> int:
    """Return the number of outputs of a network that tells so many classes apart."""
    return 1 if classes == 2 else classes


def model_digest(path: str | Place) -> str:
    """Return the sha256 of the file, in hexadecimal.

    Raises
    ------
    NotThere, Damaged
    """
    return hashlib.sha256(model_bytes(path)).hexdigest()


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

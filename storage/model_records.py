"""A model file of either kind, found by looking at the file: classic (`.skops`) or deep (`.onnx`)."""

import hashlib
from typing import Any, NamedTuple

from storage.deep_models import CLASSIC, MOST_BYTES, DeepModel, check_model
from storage.errors import Damaged, readable_size
from storage.files.places import Place
from storage.model_files import model_bytes
from storage.models import Network, networks_from


class ModelFile(NamedTuple):
    """A checked model and what its file is, from one reading of the file: it may be replaced at any time.

    sha256 : of the file, in hexadecimal, as `storage.models.model_digest` gives it
    record : its provenance, JSON values
    networks : of a classic model, by name; None for a deep one
    deep : a deep model; None for a classic one
    """

    sha256: str
    record: dict[str, Any]
    networks: dict[str, Network] | None
    deep: DeepModel | None


def load_either(path: str | Place, sha256: str | None = None) -> ModelFile:
    """Read a model file once, and check it; nothing of the file runs.

    Parameters
    ----------
    sha256 : str, optional
        What the file's digest must be.

    Raises
    ------
    NotThere
    Damaged
        Also if the file has another digest.
    """
    data = model_bytes(path)
    found = hashlib.sha256(data).hexdigest()
    if sha256 not in (None, found):
        raise Damaged(f"model {path}: is not the file that this run began with; run again")
    if data.startswith(CLASSIC):
        networks, record = networks_from(path, data)
        return ModelFile(found, record, networks, None)
    if len(data) > MOST_BYTES:
        told = f"it has {readable_size(len(data))} and is larger than the {readable_size(MOST_BYTES)} that are read"
        raise Damaged(f"model {path}: is no file of a model ({told}); give the file of a model")
    deep = check_model(str(path), data)
    return ModelFile(found, deep.record, None, deep)


def load_record(path: str | Place) -> dict[str, Any]:
    """Load and check a model file, and return its record; nothing of the file runs.

    Raises
    ------
    NotThere, Damaged
    """
    return load_either(path).record

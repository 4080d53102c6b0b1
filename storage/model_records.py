"""The record of a model file of either kind, found by looking at the file: classic (`.skops`) or deep (`.onnx`)."""

from typing import Any

from storage.deep_models import is_deep, load_deep_model
from storage.files.places import Place
from storage.models import load_model


def load_record(path: str | Place) -> dict[str, Any]:
    """Load and check a model file, and return its record; nothing of the file runs.

    Raises
    ------
    NotThere, Damaged
    """
    return load_deep_model(path).record if is_deep(path) else load_model(path)[1]

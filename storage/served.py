"""Which model of a home is served: the record beside the models that `solve` follows unless a model is named."""

import json
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from storage.errors import Damaged
from storage.files import atomic
from storage.files.places import Place, place

RECORD = "served.json"  # beside the models of a home
SUFFIXES = (".skops", ".onnx")  # of model files: classic, deep


class ServedBy(StrEnum):
    """Who decided which model is served."""

    CHOICE = "choice"  # a person, by `captchas serve`
    PROMOTION = "promotion"  # `captchas regenerate`


class Served(NamedTuple):
    """The served model's file, and who decided that."""

    model: Place
    by: ServedBy


def served_in(models: Path) -> Served | None:
    """Return the model that is served in a folder of models; None if nobody decided, so that the shipped one is.

    Raises
    ------
    Damaged
        The record is none of this program's.
    """
    record = models / RECORD
    try:
        content = json.loads(record.read_bytes())
        named = place(content["model"])
        return Served(models / named if isinstance(named, Path) else named, ServedBy(content["by"]))
    except (FileNotFoundError, NotADirectoryError):  # the latter: the home is a file, which whoever writes there tells
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Damaged(
            f"{record}: does not say which model is served ({error}); `captchas serve MODEL` writes it anew"
        ) from error


def serve_model(models: Path, model: Place, by: ServedBy) -> None:
    """Serve a model from now on; a file among the models is recorded by its name, since homes may be moved.

    Raises
    ------
    NoSpace, Unwritable
    """
    inside = isinstance(model, Path) and model.resolve().parent == models.resolve()
    name = model.name if inside else str(model.resolve())
    atomic.replace(models / RECORD, json.dumps({"model": name, "by": by.value}).encode(), atomic.new_run())


def serve_shipped(models: Path) -> None:
    """Serve the model that comes with the package again."""
    atomic.discard(models / RECORD)


def without_suffix(name: str) -> str:
    """Return a model's name without the ending of its file."""
    for suffix in SUFFIXES:
        name = name.removesuffix(suffix)
    return name

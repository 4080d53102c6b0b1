"""Which model of a home is served: the record beside the models that `solve` follows unless a model is named."""

import json
import os
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from storage.errors import Damaged
from storage.files import atomic
from storage.files.places import Place, place
from storage.files.small_files import read_json

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
        content = read_json(record)
        named = place(content["model"])
        if "\0" in str(named) or not os.fsencode(str(named)):  # which also fails for halves of characters
            raise ValueError("no file has such a name")
        return Served(models / named if isinstance(named, Path) else named, ServedBy(content["by"]))
    except (FileNotFoundError, NotADirectoryError):  # the latter: the home is a file, which whoever writes there tells
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Damaged(
            f"{record}: does not say which model is served ({error}); `captchas serve MODEL` writes it anew"
        ) from error


def is_served_by_name(models: Path) -> bool:
    """Tell whether a name was chosen, not a file: it stands for the models of both kinds that have it."""
    try:
        return bool(read_json(models / RECORD)["any_kind"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def serve_model(models: Path, model: Place, by: ServedBy, *, any_kind: bool = False) -> None:
    """Serve a model from now on; a file among the models is recorded by its name, since homes may be moved.

    With `any_kind`, models of the other kind beside it that have its name may read too.

    Raises
    ------
    NoSpace, Unwritable
    """
    inside = isinstance(model, Path) and model.resolve().parent == models.resolve()
    name = model.name if inside else str(model.resolve())
    content = {"model": name, "by": by.value} | ({"any_kind": True} if inside and any_kind else {})
    atomic.replace(models / RECORD, json.dumps(content).encode(), atomic.new_run())


def serve_shipped(models: Path) -> None:
    """Serve the model that comes with the package again."""
    atomic.discard(models / RECORD)


def without_suffix(name: str) -> str:
    """Return a model's name without the ending of its file."""
    for suffix in SUFFIXES:
        name = name.removesuffix(suffix)
    return name

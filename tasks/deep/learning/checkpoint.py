"""Checkpoints: a training's whole state in one file, replaced at most a minute after the last."""

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import torch

from storage.errors import BadInput, Damaged, NotThere
from storage.files import atomic
from tasks.deep.learning.stream import Place

_FORMAT = 1


def save_checkpoint(path: Path, state: dict[str, Any], specification: dict[str, Any]) -> None:
    """Write a state, over the one before, with what it is a state of.

    Raises
    ------
    NoSpace, Unwritable
    """
    buffer = io.BytesIO()
    text = json.dumps(specification, sort_keys=True)
    torch.save({"format": _FORMAT, "specification": text, **state}, buffer)
    atomic.replace(path, buffer.getvalue())


def load_checkpoint(path: Path, specification: dict[str, Any]) -> dict[str, Any] | None:
    """Load the state that a killed training left; None if there is none.

    Tensors and plain values only: loading it runs no code.

    Raises
    ------
    BadInput
        It is of another training.
    Damaged
        It cannot be read.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Damaged(f"checkpoint {path}: cannot be read ({error.strerror}); remove it to begin anew") from error
    try:
        state: dict[str, Any] = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        of, number = json.loads(state["specification"]), state["format"]
    except Exception as error:  # a damaged file fails in any step of unpickling
        raise Damaged(f"checkpoint {path}: cannot be read ({error}); remove it to begin anew") from error
    if number != _FORMAT or of != specification:
        differing = sorted(key for key in {*of, *specification} if of.get(key) != specification.get(key))
        raise BadInput(
            f"checkpoint {path}: is of another training (other {', '.join(differing) or 'format'}); give the same "
            "options again, or remove it to begin anew"
        )
    state["place"] = Place(*state["place"])
    return state


def save_weights(path: Path, network: torch.nn.Module) -> None:
    """Write the weights of a trained network, over an existing file: another training may begin with them.

    Raises
    ------
    NoSpace, Unwritable
    """
    buffer = io.BytesIO()
    torch.save({"averaged": network.state_dict()}, buffer)
    atomic.replace(path, buffer.getvalue())


def load_weights(path: Path) -> dict[str, Any]:
    """Load the weights that `save_weights` or a checkpoint holds, to begin another training with.

    Raises
    ------
    NotThere, Damaged
    """
    try:
        state: dict[str, Any] = torch.load(io.BytesIO(path.read_bytes()), map_location="cpu", weights_only=True)
        weights: dict[str, Any] = state["averaged"]
    except FileNotFoundError:
        raise NotThere(f"weights {path}: no such file") from None
    except Exception as error:  # a damaged file fails in any step of unpickling
        raise Damaged(f"weights {path}: cannot be read ({error})") from error
    return weights


def remove_checkpoint(path: Path) -> None:
    """Remove a checkpoint whose training is done."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()

"""Run a deep model with onnxruntime: normalised pictures in, the scores of each column out."""

import functools
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from storage.deep_models import DeepModel
from storage.errors import BadInput, Damaged
from storage.networks.shapes import AT_ONCE
from tasks.deep.cases import in_capitals
from tasks.deep.shape import BLANK, COLUMNS_PADDED_TO, STRIDE, Shape, shape_from

MOST_LETTERS = 254


class Misfit(Damaged):
    """A model whose network does not do what models do, though its bytes are as they were sealed."""

    exit_code = BadInput.exit_code


class Session:
    """A network that runs in `threads` threads of this process.

    Raises
    ------
    Damaged
        The record does not fit the network.
    """

    def __init__(self, model: DeepModel, threads: int = 1):
        self.shape, self.alphabet = checked_record(model)
        self.canvas = _canvas(model, self.shape)
        self._model, self._threads = model, threads
        self._session: Any = None

    def open(self) -> None:
        """Have onnxruntime open the network, now rather than when the first picture is read.

        Raises
        ------
        Misfit
            onnxruntime refuses it.
        """
        if self._session is not None:
            return
        # Else it keeps a database for telemetry in the home of the user.
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
        import onnxruntime  # takes 0.2 s; only what reads with a deep model needs it

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = self._threads, 1
        options.log_severity_level = 3
        network, providers = self._model.network, ["CPUExecutionProvider"]
        try:
            self._session = onnxruntime.InferenceSession(network, options, providers=providers)
        except Exception as error:  # onnxruntime raises many types of its own
            raise Misfit(f"{self._model.name}: onnxruntime does not take it ({error}); train it again") from error

    def scores(self, pictures: np.ndarray) -> np.ndarray:
        """Compute scores (n, columns, 1 + letters) float32 of normalised pictures (n, 3, height, width) uint8.

        Raises
        ------
        Misfit
            The network cannot do it, or gives no such scores: a file may look like a model and be none.
        """
        self.open()
        parts = [self._part(pictures[first : first + AT_ONCE]) for first in range(0, len(pictures), AT_ONCE)]
        scores: np.ndarray = parts[0] if len(parts) == 1 else np.concatenate(parts)
        return scores

    def _part(self, pictures: np.ndarray) -> np.ndarray:
        try:
            name = self._session.get_inputs()[0].name
            (scores,) = self._session.run(None, {name: pictures})
        except Exception as error:  # onnxruntime raises many types of its own
            raise Misfit(f"{self._model.name}: its network does not run ({error}); train it again") from error
        wanted = (len(pictures), pictures.shape[3] // STRIDE, len(self.alphabet) + 1 + BLANK)
        if scores.shape != wanted:
            raise Misfit(
                f"{self._model.name}: its network gives scores of shape {scores.shape}, not {wanted}; train it again"
            )
        if not np.isfinite(scores).all():
            raise Misfit(f"{self._model.name}: its network gives scores that are no numbers; train it again")
        return np.asarray(scores, np.float32)


def checked_record(model: DeepModel) -> tuple[Shape, str]:
    """Return the shape and the letters of a model, whose record has to fit its network.

    Raises
    ------
    Damaged
    """
    try:
        shape, alphabet = shape_from(model.record.get("shape")), _alphabet(model.record)
        if shape.height != model.height or len(alphabet) + 1 + BLANK != model.classes:
            raise BadInput(
                f"shape: a height of {shape.height} px and {len(alphabet)} letters; the network takes {model.height} "
                f"px and gives {model.classes} classes"
            )
    except BadInput as error:
        raise Damaged(f"{model.name}: its record does not fit its network ({error}); train it again") from error
    return shape, alphabet


def _canvas(model: DeepModel, shape: Shape) -> int:
    """Return how wide the pictures were that a model learnt from, with ground; the widest where a file has no word."""
    canvas = model.record.get("canvas", shape.widest)
    if type(canvas) is not int or not 0 < canvas <= shape.widest or canvas % COLUMNS_PADDED_TO:
        raise Damaged(
            f"{model.name}: its record's canvas must be a multiple of {COLUMNS_PADDED_TO} up to {shape.widest} pixels; "
            f"it is {canvas!r}; train it again"
        )
    return canvas


def _alphabet(record: Mapping[str, Any]) -> str:
    alphabet = record.get("classes")
    if not isinstance(alphabet, str) or not 1 <= len(alphabet) <= MOST_LETTERS or len(set(alphabet)) < len(alphabet):
        raise BadInput(f"classes: must be 1 to {MOST_LETTERS} letters, each once; it is {alphabet!r}")
    if not alphabet.isprintable() or any(letter.isspace() for letter in alphabet):
        raise BadInput(f"classes: must have no blank or control characters; it is {alphabet!r}")
    if record.get("folded") and in_capitals(alphabet) != alphabet:
        raise BadInput(f"classes: must be capitals, since upper and lower case count alike; it is {alphabet!r}")
    return alphabet


@functools.lru_cache(maxsize=4)
def session_of(model: DeepModel, threads: int = 1) -> Session:
    """Return the session of a model; the last few stay in memory."""
    return Session(model, threads)

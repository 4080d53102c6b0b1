"""One self-contained page in which a letter goes through a small network, and its error back; it requests nothing."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from storage.files import atomic
from tasks.explaining.backpropagation import HIDDEN, Weights, backward, drawn_alphabet, forward, learn, trained
from tasks.explaining.book_face import require_book_face
from tasks.profiles.fonts import Face
from tasks.scoring import book

FOLDER = Path(__file__).parent
STARTING_RATE = 0.01  # that the page begins with
_REFUSED = ("default-src", "base-uri", "form-action")


def write_page(face: Face, seed: int, file: Path) -> dict[str, Any]:
    """Write the page; return the report.

    Raises
    ------
    BadInput
        The face lacks a letter, or is too thin.
    NoSpace, Unwritable
    """
    require_book_face(face)
    alphabet = drawn_alphabet(face.path)
    networks = dict(zip(("first", "halfway"), trained(face.path, seed), strict=True))
    letter = _misread(networks["halfway"], alphabet)
    pixels = alphabet[letter]
    weights = networks["halfway"]
    activity = forward(weights, pixels, letter)
    gradients = backward(weights, pixels, letter, activity)
    after = forward(learn(weights, gradients, STARTING_RATE), pixels, letter)
    neuron = int(np.abs(gradients.delta).argmax())
    about = (
        f"Face {face.name}, seed {seed}. The network has ReLU in its hidden neurons, a sigmoid at each output, and the "
        "log loss summed over the outputs. So has scikit-learn's MLPClassifier on one-hot targets, which the book's "
        "code makes. Written by captchas explain backpropagation."
    )
    data = page_data(networks, alphabet, letter, neuron)
    atomic.replace(file, page(data, about).encode())
    return {
        "font": face.name,
        "seed": seed,
        "hidden_neurons": HIDDEN,
        "letter": book.LETTERS[letter],
        "read_as": book.LETTERS[int(activity.outputs.argmax())],
        "loss": round(activity.loss, 4),
        "learning_rate": STARTING_RATE,
        "loss_after_one_step": round(after.loss, 4),
        "page": str(file),
    }


def _misread(weights: Weights, alphabet: np.ndarray) -> int:
    """Return the letter that a network misreads least badly, or the letter with the largest loss if it reads all."""
    losses = []
    for place, pixels in enumerate(alphabet):
        activity = forward(weights, pixels, place)
        wrong = int(activity.outputs.argmax()) != place
        losses.append((wrong, -activity.loss if wrong else activity.loss, place))
    return max(losses)[2]


def page_data(networks: dict[str, Weights], alphabet: np.ndarray, letter: int, neuron: int) -> dict[str, Any]:
    """Return what the page computes with: networks, the drawn letters in 0 to 255, and where it begins."""
    return {
        "networks": {
            name: {part: value.tolist() for part, value in vars(own).items()} for name, own in networks.items()
        },
        "alphabet": np.rint(255 * alphabet).astype(int).tolist(),
        "letter": letter,
        "neuron": neuron,
        "rate": STARTING_RATE,
    }


def page(data: dict[str, Any], about: str, more_script: str = "") -> str:
    """Return the page as HTML; `more_script` runs behind its own script, for a test that looks inside."""
    style, script = (_source(f"backpropagation.{kind}") for kind in ("css", "js"))
    script += more_script
    policy = "; ".join([
        *(f"{kind} 'none'" for kind in _REFUSED), f"style-src '{_hash(style)}'", f"script-src '{_hash(script)}'",
    ])  # fmt: skip
    hidden = len(next(iter(data["networks"].values()))["first_bias"])
    return _source("backpropagation.html").format(
        policy=policy, style=style, script=script, about=about, hidden=hidden,
        data=json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"),
    )  # fmt: skip


def _source(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

"""Write the inside of the book's network as pictures and numbers."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from storage.files import atomic
from tasks.explaining.book_face import require_book_face
from tasks.explaining.book_network import FRAMES, WORDS, Confusion, NetworkStudy, study_network
from tasks.figures.network_sheets import (
    Frame,
    plot_curves,
    plot_f1,
    plot_output_map,
    training_frames,
    training_strip,
    weight_sheet,
)
from tasks.figures.style import sentence
from tasks.profiles.fonts import Face
from tasks.scoring import book

WEIGHTS, OUTPUT, GIF, STRIP, CURVES, ALONE, CUT, NUMBERS = PICTURES = (
    "weights.png", "output.png", "training.gif", "training.png", "curves.png", "f1-alone.png", "f1-cut.png",
    "network.json",
)  # fmt: skip
PARTS = FRAMES[-1] + len(PICTURES) - 1  # steps of training and pictures, which `advance` counts
WATCHED = 24  # neurons in the frames of training
STRIPPED = (1, 10, 100, 1000)  # steps in the picture of training
DEAD = "-"  # the caption of a neuron that no letter excites
SIDE = book.LETTER_SHAPE[0]


def write_network(
    face: Face,
    seed: int,
    folder: Path,
    last: int = FRAMES[-1],
    words: int = WORDS,
    advance: Callable[[int], None] = lambda _: None,
) -> dict[str, Any]:
    """Train the book's network; write its pictures and its numbers; return the report.

    Parameters
    ----------
    face : Face
    seed : int
    folder : Path
    last, words : int
        Steps of training, and words to cut letters out of.
    advance : callable
        Called with 1 after each of the steps, and after each picture.

    Raises
    ------
    BadInput
        The face lacks a letter, or is too thin.
    NoSpace, Unwritable
    """
    require_book_face(face)
    study = study_network(face.path, seed, last, words, advance)
    dead = sum(not letters for letters in study.excites)
    files = {}
    for name, draw in _pictures(study, f"{face.name}, seed {seed}").items():
        files[name] = draw()
        advance(1)
    report = {
        "font": face.name,
        "seed": seed,
        "parameters": study.parameters,
        "shapes": study.shapes,
        "weights": sum(int(np.prod(shape)) for shape in (*study.shapes["weights"], *study.shapes["biases"])),
        "steps": last,
        "neurons_that_no_letter_excites": dead,
        "macro_f1_as_the_book_scores": round(study.book_macro, 4),
        "letters_alone": _scores(study.alone),
        "letters_cut_from_words": _scores(study.cut),
        "words_drawn": study.words,
        "words_cut_into_four": study.words_of_four,
        "excites": study.excites,
        "folder": str(folder),
        "pictures": list(files),
    }
    atomic.make_folder(folder)
    for name, data in files.items():
        atomic.replace(folder / name, data)
    atomic.replace(folder / NUMBERS, (json.dumps(report, indent=1) + "\n").encode())
    report["shown"] = {
        "parameters": ", ".join(f"{key} {value}" for key, value in study.parameters.items() if key in _TOLD),
        "excites": None,
    }
    return report


_TOLD = ("hidden_layer_sizes", "activation", "solver", "batch_size", "learning_rate_init", "max_iter", "random_state")


def _scores(confusion: Confusion) -> dict[str, float | None]:
    """Return the scores, None where no word fell into four pieces."""
    n = int(confusion.counts.sum())
    return {
        "n": n,
        "macro_f1": round(confusion.macro, 4) if n else None,
        "micro_f1": round(confusion.micro, 4) if n else None,
    }


def _pictures(study: NetworkStudy, told: str) -> dict[str, Callable[[], bytes]]:
    """Return what draws each picture, by the names of the files."""
    final = study.snapshots[-1]
    tiles = _tiles(final.weights)
    first = np.array([book.LETTERS.index(letters[0]) if letters else len(book.LETTERS) for letters in study.excites])
    order = np.argsort(first, kind="stable")
    alive = order[first[order] < len(book.LETTERS)]
    frames = _frames(study, alive)
    captions = [f"{k + 1}: {study.excites[k] or DEAD}" for k in order.tolist()]
    dead = len(order) - len(alive)
    says = (
        "20 x 20 weights from the pixels to each of 100 hidden neurons: ink on red raises the neuron, ink on blue "
        "lowers it.\nBelow: its number, and the three letters that excite it most. Look for strokes: a red curve with "
        f"blue where it must be open.\n{dead} neurons marked - are silent for every letter: training pushed them below "
        "zero, and a ReLU gives no way back."
    )  # fmt: skip
    names = [str(k + 1) for k in alive.tolist()]
    return {
        WEIGHTS: partial(weight_sheet, tiles[order], captions, f"What each hidden neuron looks for ({told})", says),
        OUTPUT: partial(plot_output_map, study.output[alive], names, f"From hidden neurons to letters ({told})"),
        GIF: partial(training_frames, frames),
        STRIP: partial(training_strip, [frame for frame in frames if frame.step in STRIPPED]),
        CURVES: partial(plot_curves, study.steps, study.train_loss, study.check_loss, study.macro,
                        f"Training of the book's network ({told})"),
        ALONE: partial(_f1, study, alone=True),
        CUT: partial(_f1, study, alone=False),
    }  # fmt: skip


def _f1(study: NetworkStudy, *, alone: bool) -> bytes:
    confusion = study.alone if alone else study.cut
    if not confusion.counts.any():
        return sentence("Mistakes and F1", f"none of {study.words} words fell into four pieces")
    what = f"{int(confusion.counts.sum()):,} letters "
    what += "drawn alone" if alone else f"cut out of {study.words_of_four} of {study.words} words"
    return plot_f1(confusion.counts, confusion.each, confusion.macro, confusion.micro, f"Mistakes and F1: {what}")


def _tiles(weights: np.ndarray) -> np.ndarray:
    """Return the weights (400, n) into each neuron as pictures, (n, 20, 20)."""
    return weights.T.reshape(-1, SIDE, SIDE)


def _frames(study: NetworkStudy, alive: np.ndarray) -> list[Frame]:
    """Return a frame for each snapshot, with evenly spread neurons of those that are alive at the end."""
    watched = alive[np.unique(np.linspace(0, max(len(alive) - 1, 0), WATCHED).astype(int))] if len(alive) else alive
    captions = [f"{k + 1}: {study.excites[k]}" for k in watched.tolist()]
    return [
        Frame(snapshot.step, _tiles(snapshot.weights[:, watched]), captions, snapshot.confusion.counts,
              snapshot.confusion.macro)
        for snapshot in study.snapshots
    ]  # fmt: skip

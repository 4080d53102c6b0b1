"""The book's procedure as printed, defects included, and its mends one at a time.

Plain Pillow, scikit-image and scikit-learn calls throughout: this module is what the rest of the project is
measured against, so it shares no code with it. What is wrong with the printed procedure, in the order in
which `STEPS` mends it:

1. `regionprops` returns regions in raster order of their first pixel (scikit-image promises no order: its
   issue 5049), so a letter that reaches higher is read before its left neighbour. It shows only in a font
   whose capitals differ in height: Coval Black, but not Inter Black, whose tops share one row at 22 px.
2. A bounding-box crop of a sheared letter holds parts of its neighbours.
3. A threshold of 0.2 joins letters whose blurred edges meet, above all at small scales.
4. A higher threshold can break crumbs off a letter, and each counts as a letter.
5. One-hot targets put `MLPClassifier` in its multilabel mode: 26 independent sigmoids instead of a softmax.
6. The threshold belongs to the font: 0.4 is best for the book's Coval Black, but in Inter Black, which is
   heavier, letters still touch at 0.4. The 0.6 was chosen on the words that `run_step` reads, so its figure
   describes this procedure and is no forecast for unseen pictures.
As printed in every step: the fixed canvas, 1,000 letters, at most 200 iterations of training.
"""

import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from skimage.measure import label, regionprops
from skimage.transform import AffineTransform, resize, warp
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LENGTH = 4
FONT_SIZE = 22
WORD_CANVAS = (30, 100)
LETTER_CANVAS = (30, 30)
LETTER_SHAPE = (20, 20)
SHEARS = tuple(step / 20 for step in range(10))
# Quotients, not a running sum: 100 x 1.1 must come out as 110 columns.
SCALES = tuple(tenths / 10 for tenths in range(5, 15))


@dataclass(frozen=True)
class Step:
    """One variant of the procedure; the defaults are the book's.

    Parameters
    ----------
    name : str
        The mend that this step adds to the one before it.
    threshold : float
        Pixels above it, in 0..1, are ink.
    ordered : bool
        Segments go left to right by their first column, instead of in the order of `regionprops`.
    own_pixels : bool
        A segment is the connected component alone, instead of all in its bounding box.
    smallest : int
        Components with fewer pixels are dropped.
    integer_labels : bool
        The network learns integer labels (softmax), instead of one-hot rows (sigmoids).
    """

    name: str
    threshold: float = 0.2
    ordered: bool = False
    own_pixels: bool = False
    smallest: int = 1
    integer_labels: bool = False


STEPS = (
    Step("as printed"),
    Step("segments sorted left to right", ordered=True),
    Step("only the component's own pixels", ordered=True, own_pixels=True),
    Step("threshold 0.4", 0.4, ordered=True, own_pixels=True),
    Step("specks under 3 px dropped", 0.4, ordered=True, own_pixels=True, smallest=3),
    Step("integer labels (softmax)", 0.4, ordered=True, own_pixels=True, smallest=3, integer_labels=True),
    Step("threshold 0.6", 0.6, ordered=True, own_pixels=True, smallest=3, integer_labels=True),
)


def load_font(font_path: str | Path) -> ImageFont.FreeTypeFont:
    """The face at the book's 22 px, laid out without RAQM, which depends on the system."""
    return ImageFont.truetype(str(font_path), FONT_SIZE, layout_engine=ImageFont.Layout.BASIC)


def draw(text: str, shear: float, scale: float, rows_columns: tuple[int, int], font) -> np.ndarray:
    """Text on a canvas, sheared, then scaled with the whole canvas.

    Parameters
    ----------
    text : str
        Drawn at (0, 0); what does not fit on the canvas is cut off, as in the book.
    shear, scale : float
        Radians, lower rows to the right; and a factor for both sides. The book's are in `SHEARS`, `SCALES`.
    rows_columns : canvas before scaling

    Returns
    -------
    ndarray of float64, shape (round(rows * scale), round(columns * scale))
        0 background to 1 ink.

    Raises
    ------
    ValueError
        If the font leaves no pixel on the canvas.
    """
    rows, columns = rows_columns
    canvas = Image.new("L", (columns, rows), "black")
    # Ink 1 of 255 makes Pillow round the coverage to 0 or 1: the book's glyphs are binary before the warp.
    ImageDraw.Draw(canvas).text((0, 0), text, fill=1, font=font)
    image = warp(np.array(canvas), AffineTransform(shear=shear))
    if not image.any():
        raise ValueError(
            f"text: has to leave ink on a canvas of {rows} x {columns} px, but {text!r} in {font.path} "
            "leaves none; use a bolder font"
        )
    return resize(image / image.max(), (round(rows * scale), round(columns * scale)))


def segments(
    image: np.ndarray,
    threshold: float = 0.2,
    ordered: bool = False,
    own_pixels: bool = False,
    smallest: int = 1,
) -> list[np.ndarray]:
    """Crops of a float image (h, w) in 0..1 to the connected components (4-neighbourhood) of its ink.

    The switches are those of `Step`. At least one crop comes back: where nothing is found, the book takes the
    whole picture.
    """
    regions = regionprops(label(image > threshold, connectivity=1, background=0))
    regions = [region for region in regions if region.area >= smallest]
    if ordered:
        regions.sort(key=lambda region: region.bbox[1])
    crops = []
    for region in regions:
        crop = image[region.slice]
        crops.append(np.where(region.image, crop, 0) if own_pixels else crop)
    return crops or [image]


def cut(image: np.ndarray, step: Step) -> list[np.ndarray]:
    """The step's `segments`, each resized to 20 x 20 and flattened: arrays of float64, shape (400,)."""
    crops = segments(image, step.threshold, step.ordered, step.own_pixels, step.smallest)
    return [resize(crop, LETTER_SHAPE).ravel() for crop in crops]


def letter_samples(random: np.random.RandomState, count: int, font, step: Step) -> tuple[np.ndarray, np.ndarray]:
    """Single letters of random shear and scale, each as the first segment of its picture.

    Parameters
    ----------
    random : RandomState
        The book's ``check_random_state(14)`` is ``RandomState(14)``; NumPy keeps its stream frozen.
    step : how a picture is cut, for training as for reading

    Returns
    -------
    features : ndarray of float64, shape (count, 400)
        0 background to 1 ink.
    targets : ndarray of int64, shape (count,)
        0..25, places in `LETTERS`.
    """
    features, targets = [], []
    for _ in range(count):
        letter = random.choice(list(LETTERS))
        image = draw(letter, random.choice(SHEARS), random.choice(SCALES), LETTER_CANVAS, font)
        features.append(cut(image, step)[0])
        targets.append(LETTERS.index(letter))
    return np.array(features), np.array(targets)


def train(
    features: np.ndarray, targets: np.ndarray, integer_labels: bool, seed: int = 14
) -> tuple[MLPClassifier, float]:
    """The book's network of 100 hidden units, fitted to nine tenths of the letters.

    Parameters
    ----------
    features, targets : ndarray
        As from `letter_samples`.
    integer_labels : bool
        As in `Step`.
    seed : of the split and of the network

    Returns
    -------
    macro_f1 : float
        Over the letters left out, with what `predict` gives: in multilabel mode that may be no letter or
        several. Letters that are neither there nor predicted do not count.
    """
    y = targets if integer_labels else np.eye(len(LETTERS), dtype=int)[targets]
    X_train, X_test, y_train, y_test = train_test_split(features, y, random_state=seed, train_size=0.9)
    network = MLPClassifier(hidden_layer_sizes=(100,), random_state=seed)
    with warnings.catch_warnings():
        # The default of 200 iterations is the book's: to stop there is the procedure, not an accident.
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit(X_train, y_train)
    score = f1_score(y_test, network.predict(X_test), average="macro", zero_division=np.nan)
    return network, float(score)


def letter_probabilities(network: MLPClassifier, features: np.ndarray) -> np.ndarray:
    """One row a picture, one column a letter of the alphabet: float64, shape (n, 26), each value 0..1.

    Rows add up to 1 only for a network trained on integer labels. A letter that it never saw gets 0.
    """
    probabilities = np.zeros((len(features), len(LETTERS)))
    probabilities[:, network.classes_] = network.predict_proba(features)
    return probabilities


def most_equal_positions(places: np.ndarray, codes: np.ndarray) -> int:
    """Index of the word with the most letters equal to the reading's, place by place; of several, the first.

    A reading that is in the dictionary is its own nearest, so the book's look-up before it changes nothing.
    One that is too short or too long is compared as far as both go. `places` (segments,) and the dictionary
    `codes` (words, 4) are integers 0..25, places in `LETTERS`.
    """
    both = min(len(places), LENGTH)
    return int((codes[:, :both] == places[:both]).sum(axis=1).argmax())


def likeliest(probabilities: np.ndarray, codes: np.ndarray) -> int:
    """Index of the word with the largest sum of log letter probabilities; of several, the first.

    `probabilities` is (4, 26), `codes` (words, 4) as for `most_equal_positions`.
    """
    # Zero would rule a word out for ever and make ties of all words that hold one.
    logarithms = np.log(np.maximum(probabilities, np.finfo(float).tiny))
    return int(logarithms[np.arange(LENGTH), codes].sum(axis=1).argmax())


def draw_words(words: Iterable[str], font_path: str | Path, seed: int = 14) -> Iterator[np.ndarray]:
    """Yield one picture a word, in order, of random shear and scale: float64 (15..42, 50..140) in 0..1.

    Picture *i* depends on the word, the font, the seed and *i* alone.
    """
    font = load_font(font_path)
    # A stream of its own, so that the words stay the same whatever is drawn to train on.
    random = np.random.RandomState([seed, 1])
    for word in words:
        yield draw(word, random.choice(SHEARS), random.choice(SCALES), WORD_CANVAS, font)


def run_step(
    step: Step,
    words: Sequence[str],
    font_path: str | Path,
    seed: int = 14,
    pictures: Iterable[np.ndarray] | None = None,
) -> dict[str, Any]:
    """Train as the step says, draw every word once and read it; takes about 2 s and 1.5 ms a word.

    Parameters
    ----------
    step : Step
        One of `STEPS`, or your own.
    words : sequence of str
        Four letters A to Z each. Sorted, they are the dictionary as well.
    font_path : str or Path
        TrueType or OpenType.
    seed : int
        Of the letters, the network and the words.
    pictures : iterable of ndarray, optional
        What `draw_words` gives for the same words, if it is there already.

    Returns
    -------
    dict
        The fields of the step and, ready for JSON: `n` words; the shares in 0..1 of all words with
        `four_segments`, right with `no_dictionary`, with `equal_positions` and with `letter_probabilities`
        (a word that does not fall into four segments has no place in that sum and counts as wrong);
        `letters_macro_f1` on isolated letters; `iterations` of training; `seconds`.

    Raises
    ------
    ValueError
        If there is no word, or one that is not four letters A to Z.
    """
    began = time.perf_counter()
    if not words:
        raise ValueError("words: have to be at least one, but there is none; pass a word list")
    for word in words:
        if len(word) != LENGTH or not set(word) <= set(LETTERS):
            raise ValueError(f"words: each has to be four letters A to Z, but one is {word!r}; leave it out")
    font = load_font(font_path)
    features, targets = letter_samples(np.random.RandomState(seed), 1000, font, step)
    network, letters_macro_f1 = train(features, targets, step.integer_labels, seed)

    if pictures is None:
        pictures = draw_words(words, font_path, seed)
    cuts = [cut(picture, step) for _, picture in zip(words, pictures, strict=True)]
    lengths = [len(cut_word) for cut_word in cuts]
    rows = letter_probabilities(network, np.concatenate(cuts))

    dictionary = sorted(set(words))
    codes = np.array([[LETTERS.index(letter) for letter in word] for word in dictionary])
    right = {"four_segments": 0, "no_dictionary": 0, "equal_positions": 0, "letter_probabilities": 0}
    for word, probabilities in zip(words, np.split(rows, np.cumsum(lengths)[:-1]), strict=True):
        places = probabilities.argmax(axis=1)
        right["no_dictionary"] += "".join(LETTERS[place] for place in places) == word
        right["equal_positions"] += dictionary[most_equal_positions(places, codes)] == word
        if len(probabilities) == LENGTH:
            right["four_segments"] += 1
            right["letter_probabilities"] += dictionary[likeliest(probabilities, codes)] == word
    return {
        **asdict(step),
        "n": len(words),
        **{name: count / len(words) for name, count in right.items()},
        "letters_macro_f1": letters_macro_f1,
        "iterations": int(network.n_iter_),
        "seconds": time.perf_counter() - began,
    }

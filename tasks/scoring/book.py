"""The book's procedure as printed, with its defects, and then with one more defect mended in each step.

The project is measured against this module. So it shares no code with the rest, and calls only Pillow, scikit-image
and scikit-learn. The defects, in the order in which `STEPS` mends them:

1. `regionprops` returns regions in raster order of their first pixel, and scikit-image promises no order (its issue
   5049). A letter that reaches higher is therefore read before its left neighbour. This shows only in fonts whose
   capitals differ in height: in Coval Black, but not in Inter Black, whose tops share a row at 22 px.
2. The bounding box of a sheared letter holds parts of its neighbours.
3. The threshold of 0.2 joins letters whose blurred edges meet, above all at small scales.
4. A higher threshold can break specks off a letter, and each speck counts as a letter.
5. One-hot targets put `MLPClassifier` into its multilabel mode: 26 independent sigmoids instead of a softmax.
6. The best threshold depends on the font: 0.4 for the book's Coval Black. Inter Black is heavier, and its letters
   still touch at 0.4. The 0.6 was chosen on the words that `run_step` reads: its score describes this procedure, and
   forecasts nothing for unseen pictures.

Every step keeps what the book prints: the fixed canvas, 1,000 letters, at most 200 iterations of training.
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
WORD_CANVAS = (30, 100)  # rows, columns
LETTER_CANVAS = (30, 30)
LETTER_SHAPE = (20, 20)  # of the network's input
TRAINING_LETTERS = 1000
SHEARS = tuple(step / 20 for step in range(10))
# Quotients instead of a running sum, so that 100 columns x 1.1 are 110.
SCALES = tuple(tenths / 10 for tenths in range(5, 15))


@dataclass(frozen=True)
class Step:
    """One variant of the procedure; the defaults are the book's.

    name : the mend that this step adds to the step before it
    threshold : pixels above it, in 0..1, are ink
    ordered : sort segments by their first column, instead of keeping the order of `regionprops`
    own_pixels : a segment is the connected component alone, instead of everything in its bounding box
    smallest : drop components with fewer pixels
    integer_labels : the network learns integer labels (softmax), instead of one-hot rows (sigmoids)
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
    """Load a face at the book's 22 px, with Pillow's own layout: RAQM's depends on the system."""
    return ImageFont.truetype(str(font_path), FONT_SIZE, layout_engine=ImageFont.Layout.BASIC)


def draw(
    text: str, shear: float, scale: float, rows_columns: tuple[int, int], font: ImageFont.FreeTypeFont
) -> np.ndarray:
    """Draw text on a canvas, shear it, then scale the whole canvas.

    Parameters
    ----------
    text : str
        Drawn at (0, 0); parts outside the canvas are cut off, as in the book.
    shear, scale : float
        Radians, lower rows to the right; and a factor for both sides. The book's are `SHEARS` and `SCALES`.
    rows_columns : (int, int)
        Of the canvas before scaling.

    Returns
    -------
    ndarray of float64, shape (round(rows * scale), round(columns * scale))
        0 background to 1 ink.

    Raises
    ------
    ValueError
        The font leaves no pixel on the canvas.
    """
    rows, columns = rows_columns
    canvas = Image.new("L", (columns, rows), "black")
    # With ink 1 of 255, Pillow rounds the coverage to 0 or 1: the book's glyphs are binary before the warp.
    ImageDraw.Draw(canvas).text((0, 0), text, fill=1, font=font)
    image = warp(np.array(canvas), AffineTransform(shear=shear))
    if not image.any():
        raise ValueError(
            f"text: must leave ink on a canvas of {rows} x {columns} px, but {text!r} in {font.path!r} "
            "leaves none; use a bolder font"
        )
    scaled: np.ndarray = resize(image / image.max(), (round(rows * scale), round(columns * scale)))
    return scaled


def segments(
    image: np.ndarray,
    threshold: float = 0.2,
    ordered: bool = False,
    own_pixels: bool = False,
    smallest: int = 1,
) -> list[np.ndarray]:
    """Cut an image (h, w), float in 0..1, into the connected components (4-neighbourhood) of its ink.

    The switches are those of `Step`. If nothing is found, the whole image is the only segment, as in the book.
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
    """Cut an image into the step's `segments`, each resized to 20 x 20 and flattened to (400,) float64."""
    crops = segments(image, step.threshold, step.ordered, step.own_pixels, step.smallest)
    return [resize(crop, LETTER_SHAPE).ravel() for crop in crops]


def letter_samples(
    random: np.random.RandomState, count: int, font: ImageFont.FreeTypeFont, step: Step
) -> tuple[np.ndarray, np.ndarray]:
    """Draw single letters of random shear and scale, and keep the first segment of each picture.

    Parameters
    ----------
    random : RandomState
        The book's ``check_random_state(14)`` is ``RandomState(14)``; NumPy keeps its stream frozen.
    step : Step
        How to cut a picture, in training as in reading.

    Returns
    -------
    features : ndarray of float64, shape (count, 400)
        0 background to 1 ink.
    targets : ndarray of int64, shape (count,)
        0..25, positions in `LETTERS`.
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
    """Fit the book's network of 100 hidden units to nine tenths of the letters.

    Parameters
    ----------
    features, targets : ndarray
        As from `letter_samples`.
    integer_labels : bool
        As in `Step`.
    seed : int
        Of the split and of the network.

    Returns
    -------
    network : MLPClassifier
    macro_f1 : float
        Of `predict` on the other tenth. In multilabel mode it may predict no letter, or several. Letters that
        neither occur nor are predicted do not count.
    """
    y = targets if integer_labels else np.eye(len(LETTERS), dtype=int)[targets]
    X_train, X_test, y_train, y_test = train_test_split(features, y, random_state=seed, train_size=0.9)
    network = MLPClassifier(hidden_layer_sizes=(100,), random_state=seed)
    with warnings.catch_warnings():
        # The book leaves the default of 200 iterations: the procedure is to stop there.
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit(X_train, y_train)
    return network, float(f1_score(y_test, network.predict(X_test), average="macro", zero_division=np.nan))


def letter_probabilities(network: MLPClassifier, features: np.ndarray) -> np.ndarray:
    """Compute the probability of each letter, (n, 26) float64 in 0..1.

    Rows add up to 1 only for a network trained on integer labels. A letter that the network never saw gets 0.
    """
    probabilities = np.zeros((len(features), len(LETTERS)))
    probabilities[:, network.classes_] = network.predict_proba(features)
    return probabilities


def most_equal_positions(places: np.ndarray, codes: np.ndarray) -> int:
    """Find the first of the words that have the most letters equal to the reading's, position by position.

    A reading in the dictionary is its own nearest word, so the look-up that the book does first changes nothing. A
    shorter or longer reading is compared as far as both go. The reading `places` (segments,) and the dictionary
    `codes` (words, 4) are integers 0..25, positions in `LETTERS`.
    """
    both = min(len(places), LENGTH)
    return int((codes[:, :both] == places[:both]).sum(axis=1).argmax())


def likeliest(probabilities: np.ndarray, codes: np.ndarray) -> int:
    """Find the first of the words with the largest sum of log letter probabilities.

    `probabilities` is (4, 26), `codes` (words, 4) as for `most_equal_positions`.
    """
    # A logarithm of zero would rule a word out, and make ties of all words that were ruled out.
    logarithms = np.log(np.maximum(probabilities, np.finfo(float).tiny))
    return int(logarithms[np.arange(LENGTH), codes].sum(axis=1).argmax())


def draw_words(words: Iterable[str], font_path: str | Path, seed: int = 14) -> Iterator[np.ndarray]:
    """Yield a picture of each word, in order, of random shear and scale: float64 (15..42, 50..140) in 0..1.

    Picture *i* depends only on its word, the font, the seed and *i*.
    """
    font = load_font(font_path)
    # A stream of its own: the words stay the same, whatever is drawn for training.
    random = np.random.RandomState([seed, 1])
    for word in words:
        yield draw(word, random.choice(SHEARS), random.choice(SCALES), WORD_CANVAS, font)


def run_step(
    step: Step,
    words: Sequence[str],
    font_path: str | Path,
    seed: int = 14,
    pictures: Iterable[np.ndarray] | None = None,
    letters: int | None = None,
) -> dict[str, Any]:
    """Train as the step says, draw every word once and read it, in about 2 s and 1.5 ms a word.

    Parameters
    ----------
    step : Step
        One of `STEPS`, or your own.
    words : sequence of str
        Four letters A to Z each. They are the dictionary too.
    font_path : str or Path
        TrueType or OpenType.
    seed : int
        Of the letters, the network and the words.
    pictures : iterable of ndarray, optional
        From `draw_words` for the same words; by default drawn here.
    letters : int, optional
        To learn from and to score; by default `TRAINING_LETTERS`.

    Returns
    -------
    dict
        Ready for JSON. The fields of the step; `n`, the number of words; shares in 0..1 of all words: cut into
        `four_segments`, and right with `no_dictionary`, with `equal_positions` and with `letter_probabilities`
        (wrong if a word is not cut into four segments); `letters_macro_f1` of isolated letters; `iterations` of
        training; `seconds`.

    Raises
    ------
    ValueError
        No word at all, or a word that is not four letters A to Z.
    """
    began = time.perf_counter()
    if not words:
        raise ValueError("words: must be one word or more, but the list is empty; pass a word list")
    for word in words:
        if len(word) != LENGTH or not set(word) <= set(LETTERS):
            raise ValueError(f"words: each must be four letters A to Z; {word!r} is not: leave it out")
    font = load_font(font_path)
    features, targets = letter_samples(np.random.RandomState(seed), letters or TRAINING_LETTERS, font, step)
    network, letters_macro_f1 = train(features, targets, step.integer_labels, seed)

    drawn = draw_words(words, font_path, seed) if pictures is None else pictures
    cuts = [cut(picture, step) for _, picture in zip(words, drawn, strict=True)]
    rows = letter_probabilities(network, np.concatenate(cuts))
    dictionary = sorted(set(words))
    codes = np.array([[LETTERS.index(letter) for letter in word] for word in dictionary])
    right = {"four_segments": 0, "no_dictionary": 0, "equal_positions": 0, "letter_probabilities": 0}
    for word, probabilities in zip(words, np.split(rows, np.cumsum([*map(len, cuts)])[:-1]), strict=True):
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

"""The book's chapter in pictures, by its own code: drawing, shearing, letters, pieces, crops, and each defect."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL.ImageFont import FreeTypeFont
from skimage.measure import label, regionprops
from skimage.transform import resize
from threadpoolctl import threadpool_limits

from storage.files import atomic
from tasks.explaining.book_face import require_book_face
from tasks.figures.contact_sheet import BLUE, GREEN, ORANGE, PURPLE, RED, SKY
from tasks.figures.picture_rows import PictureCell, PictureRow, picture_rows
from tasks.profiles.fonts import Face
from tasks.profiles.word_lists import WEB2, load_words
from tasks.scoring import book

PICTURES = ("draw.png", "shear.png", "letters.png", "label.png", "crop.png", "defects.png")
SHOWN_SHEARS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.45)
SHOWN_SCALES = (0.5, 0.8, 1.0, 1.4)
SHOWN_LETTERS = 39
THRESHOLDS = (0.2, 0.4, 0.6)
STEPS = len(book.STEPS)  # of the procedure, which take nearly all of the time
WORDS = 400  # among which each defect's example is looked for
WORD = "BONE"
DRAWN = ("NAVY", "GAVE", WORD)  # words of the first picture
TOUCHING = (("ABLE", 0.1, 0.7), (WORD, 0.35, 0.7), ("MILK", 0.2, 0.5))  # of the picture of pieces: shear and scale
_COLOURS = [tuple(bytes.fromhex(colour[1:])) for colour in (BLUE, ORANGE, GREEN, PURPLE, RED, SKY)]


class Reading(NamedTuple):
    """What a step of the procedure makes of a word: its pieces, (20, 20) each, and the letters that it reads."""

    pieces: list[np.ndarray]
    text: str


def write_chapter(
    face: Face, seed: int, folder: Path, words: int = WORDS, advance: Callable[[int], None] = lambda _: None
) -> dict[str, Any]:
    """Draw the chapter's pictures, and an example for each defect among some words; return the report.

    Parameters
    ----------
    face : Face
    seed : int
    folder : Path
    words : int
        Words that each step of the procedure reads.
    advance : callable
        Called with 1 after each of the `STEPS`.

    Raises
    ------
    BadInput
        The face lacks a letter, or is too thin.
    NoSpace, Unwritable
    """
    require_book_face(face)
    font = book.load_font(face.path)
    defects, rates = _defects(face, seed, words, advance)
    sheets = {
        "draw.png": picture_rows([_drawn(font)], "A word, drawn"),
        "shear.png": picture_rows(_sheared(font), "A word, sheared and scaled"),
        "letters.png": picture_rows([_letters(font, seed)], "Letters to learn from"),
        "label.png": picture_rows([_labelled(font, *drawn) for drawn in TOUCHING], "Connected pieces"),
        "crop.png": picture_rows(_cropped(font), "Two ways to crop"),
        "defects.png": picture_rows(defects, f"One defect after the other ({face.name}, {words} words, seed {seed})"),
    }
    atomic.make_folder(folder)
    for name, data in sheets.items():
        atomic.replace(folder / name, data)
    return {"font": face.name, "seed": seed, "words": words, "steps": rates, "folder": str(folder),
            "pictures": [*sheets]}  # fmt: skip


def dark(image: np.ndarray) -> np.ndarray:
    """Return an image of ink, 0 to 1, as dark ink on white, uint8."""
    levels: np.ndarray = np.rint(255 * (1 - np.clip(image, 0, 1))).astype(np.uint8)
    return levels


def _drawn(font: FreeTypeFont) -> PictureRow:
    cells = [PictureCell(dark(book.draw(word, 0.0, 1.0, book.WORD_CANVAS, font)), word, 3) for word in DRAWN]
    return PictureRow(
        "", "100 x 30 pixels each. Look at the edges: each pixel is ink or ground, with nothing between.", cells
    )


def _sheared(font: FreeTypeFont) -> list[PictureRow]:
    sheared = [
        PictureCell(dark(book.draw(WORD, shear, 1.0, book.WORD_CANVAS, font)), f"shear {shear:g}", 3)
        for shear in SHOWN_SHEARS
    ]
    scaled = [
        PictureCell(dark(book.draw(WORD, 0.2, scale, book.WORD_CANVAS, font)), f"scale {scale:g}", 2)
        for scale in SHOWN_SCALES
    ]
    return [
        PictureRow("Shear", "Each row is moved to the right, the lower the further. Look at the gap between N and E: "
                   "it stays, but no vertical line goes through it any more.", sheared),
        PictureRow("Scale, at shear 0.2", "Then the whole picture is resized. Look at the smallest: the edges are "
                   "grey, and greys of neighbours meet.", scaled),
    ]  # fmt: skip


def _letters(font: FreeTypeFont, seed: int) -> PictureRow:
    features, targets = book.letter_samples(np.random.RandomState(seed), SHOWN_LETTERS, font, book.STEPS[0])
    cells = [
        PictureCell(dark(row.reshape(book.LETTER_SHAPE)), book.LETTERS[target], 3)
        for row, target in zip(features, targets.tolist(), strict=True)
    ]
    says = (
        f"The first {SHOWN_LETTERS} of 1,000: each a letter alone, sheared, scaled, cropped to its box and resized to "
        "20 x 20 pixels. Below each is its label."
    )
    return PictureRow("", says, cells)


def _labelled(font: FreeTypeFont, word: str, shear: float, scale: float) -> PictureRow:
    image = book.draw(word, shear, scale, book.WORD_CANVAS, font)
    cells = [PictureCell(dark(image), f"{word}, shear {shear:g}, scale {scale:g}", 3)]
    for threshold in THRESHOLDS:
        pieces = label(image > threshold, connectivity=1, background=0)
        colours = np.full((*image.shape, 3), 255, np.uint8)
        for number in range(1, int(pieces.max()) + 1):
            colours[pieces == number] = _COLOURS[(number - 1) % len(_COLOURS)]
        count = int(pieces.max())
        cells.append(PictureCell(colours, f"above {threshold:g}: {count} piece{'s' * (count != 1)}", 3))
    return PictureRow(word, "Each connected piece of ink has a colour. Four letters should be four pieces.", cells)


def _cropped(font: FreeTypeFont) -> list[PictureRow]:
    image = book.draw("GAVE", 0.45, 1.0, book.WORD_CANVAS, font)
    rows = [
        PictureRow("GAVE, shear 0.45", "The box of each connected piece. Look at A and V: boxes of leaning letters "
                   "overlap.", [PictureCell(boxed(image, 0.4), "", 1)]),
    ]  # fmt: skip
    for own, heading, says in (
        (False, "Everything in the box (the book)", "Look at the edges: parts of the neighbours came along."),
        (True, "The connected piece alone", "The same boxes, and only the pixels of the piece itself."),
    ):
        crops = book.segments(image, 0.4, ordered=True, own_pixels=own)
        cells = [PictureCell(dark(resize(crop, book.LETTER_SHAPE)), "", 5) for crop in crops]
        rows.append(PictureRow(heading, says, cells))
    return rows


def boxed(image: np.ndarray, threshold: float, times: int = 6) -> np.ndarray:
    """Enlarge an image of ink, and draw the bounding box of each connected piece of it in a colour.

    Parameters
    ----------
    image : ndarray of float64, shape (h, w)
        0 ground to 1 ink.
    threshold : float
        Pixels above it belong to pieces.
    times : int
        How many pixels a pixel becomes on each side.

    Returns
    -------
    ndarray of uint8, shape (times * h, times * w, 3)
    """
    large = np.repeat(np.repeat(dark(image), times, axis=0), times, axis=1)
    painted: np.ndarray = np.stack([large] * 3, axis=2)
    regions = regionprops(label(image > threshold, connectivity=1, background=0))
    for number, region in enumerate(sorted(regions, key=lambda region: region.bbox[1])):
        top, left, bottom, right = (times * side for side in region.bbox)
        box = painted[top:bottom, left:right]
        for edge in (box[:2], box[-2:], box[:, :2], box[:, -2:]):
            edge[:] = _COLOURS[number % len(_COLOURS)]
    return painted


def _defects(
    face: Face, seed: int, count: int, advance: Callable[[int], None]
) -> tuple[list[PictureRow], list[dict[str, Any]]]:
    """Read words by each step of the procedure; show the first word that a mend mends, and the rates of all steps."""
    listed = load_words(WEB2, book.LETTERS, (book.LENGTH, book.LENGTH))
    words = [listed[k * len(listed) // count] for k in range(count)]
    pictures = [*book.draw_words(words, face.path, seed)]
    readings = []
    for step in book.STEPS:
        readings.append(_readings(step, pictures, face, seed))
        advance(1)
    right = [[own.text == word for own, word in zip(step, words, strict=True)] for step in readings]
    rates = [
        {"step": step.name, "words_right": sum(own), "percent": round(100 * sum(own) / count, 1),
         "threshold": asdict(step)["threshold"]}
        for step, own in zip(book.STEPS, right, strict=True)
    ]  # fmt: skip
    rows = []
    for number in range(1, len(book.STEPS)):
        mended = [k for k in range(count) if right[number][k] and not right[number - 1][k]]
        before, after = rates[number - 1]["percent"], rates[number]["percent"]
        says = f"{before} % of the words are right before, {after} % after; {len(mended)} became right. "
        if not mended:
            rows.append(PictureRow(f"{number}. {_capital(book.STEPS[number].name)}", says + "No example here.", []))
            continue
        k = mended[0]
        cells = [
            PictureCell(dark(pictures[k]), words[k], 2), *_pieces(readings[number - 1][k]), None,
            *_pieces(readings[number][k]),
        ]  # fmt: skip
        says += "Left the word and its pieces before, right its pieces after, each above the letter that is read."
        rows.append(PictureRow(f"{number}. {_capital(book.STEPS[number].name)}", says, cells))
    return rows, rates


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def _readings(step: book.Step, pictures: Sequence[np.ndarray], face: Face, seed: int) -> list[Reading]:
    font = book.load_font(face.path)
    samples = book.letter_samples(np.random.RandomState(seed), book.TRAINING_LETTERS, font, step)
    with threadpool_limits(1):
        network, _ = book.train(*samples, step.integer_labels, seed)
        cuts = [book.cut(picture, step) for picture in pictures]
        places = book.letter_probabilities(network, np.concatenate(cuts)).argmax(axis=1)
    texts = np.split(places, np.cumsum([len(pieces) for pieces in cuts])[:-1])
    return [
        Reading([piece.reshape(book.LETTER_SHAPE) for piece in pieces], "".join(book.LETTERS[k] for k in own))
        for pieces, own in zip(cuts, texts, strict=True)
    ]


def _pieces(reading: Reading) -> list[PictureCell | None]:
    return [PictureCell(dark(piece), letter, 3) for piece, letter in zip(reading.pieces, reading.text, strict=True)]

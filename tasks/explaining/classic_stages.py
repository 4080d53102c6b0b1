"""What the classic reader makes of one picture, as stages to draw: ground, ink, upright, spans, letters, path."""

from typing import NamedTuple

import numpy as np

from tasks.doubts import believed
from tasks.figures.reading_stages import Stage
from tasks.figures.stage_panels import LettersPanel, PathPanel, PicturePanel, RankingPanel
from tasks.reading.components import find_apart
from tasks.reading.deskew import upright
from tasks.reading.lattice import Lattice, find_spans
from tasks.reading.ranking import Ranking
from tasks.reading.reader import Reader, Readings
from tasks.reading.string_search import align

MOST_LETTERS = 4  # the likeliest letters of a span that are shown
INKED = 48  # of 255: a pixel is shown as ink
LEANING = 25  # 1/1000 of a column a row: less is called upright
TINT = np.array([230, 159, 0], np.float64)  # of ink over the ground


class Found(NamedTuple):
    """The spans of one picture, the share of each letter in each, (m, A), and the letters of the columns."""

    lattice: Lattice
    shares: np.ndarray
    odds: np.ndarray
    letters: str


def classic_stages(
    reader: Reader, known: str, seen: np.ndarray, image: np.ndarray, loaded: np.ndarray
) -> tuple[list[Stage], Readings]:
    """Read a picture; return all stages, and the readings.

    Parameters
    ----------
    known : str
        The letters that the model knows.
    seen : (h, w, 3) uint8
        The picture as people see it.
    image : (H, W) uint8
        The ink that the reader gets: 0 ground to 255.
    loaded : (h, w) uint8
        The same before small letters are enlarged.

    Returns
    -------
    stages : list of Stage
    readings : Readings
        Of one picture.
    """
    rankings = (Ranking.NONE, *([Ranking.PROBABILITY] if len(reader.dictionary) else []))
    readings = believed(reader, image[None], None, rankings)[0].readings
    ink, shear, _ = upright(image[None])
    lattice, odds = reader.spans(ink)
    columns = np.array([known.index(letter) for letter in reader.alphabet])
    own = np.exp(np.minimum(odds, 500.0))
    shares = own[:, columns] / (1 + own[:, columns].sum(axis=1, keepdims=True))
    found = Found(lattice, shares, odds[:, columns], reader.alphabet)
    path = _places(lattice, readings.box)
    return [
        *_before(seen, image, loaded),
        _upright(ink[0], int(shear[0])),
        _spans(ink, found),
        _letters(ink[0], readings, found, path),
        _path(ink[0], readings, found, path),
        ranking_stage(reader.ranking, len(reader.dictionary), readings),
    ], readings


def _before(seen: np.ndarray, image: np.ndarray, loaded: np.ndarray) -> list[Stage]:
    high, wide = seen.shape[:2]
    stages = [Stage("The picture", f"{wide} x {high} pixels, as a browser shows it.", PicturePanel(seen))]
    if loaded.shape == seen.shape[:2]:
        share = float((loaded >= INKED).mean())
        tinted = seen.astype(np.float64)
        tinted[loaded >= INKED] = 0.2 * tinted[loaded >= INKED] + 0.8 * TINT
        says = (
            "The colour around the letters is ground. What differs from it is ink, orange here: "
            f"{100 * share:.0f} % of the picture. What keeps its own colour is dropped."
        )
        stages.append(Stage("Ground", says, PicturePanel(np.rint(tinted).astype(np.uint8))))
    larger = image.shape[0] / loaded.shape[0]
    enlarged = f" Small letters were enlarged {larger:.1f} times." if larger > 1.4 else ""
    says = "Only the strength of the ink is left: black is full ink, white is none. Colours play no part any more."
    return [*stages, Stage("Ink", says + enlarged, PicturePanel(255 - image))]


def _upright(ink: np.ndarray, shear: int) -> Stage:
    if abs(shear) < LEANING:
        says = "The letters stand upright already. Look: their stems are vertical."
    else:
        side = "left" if shear > 0 else "right"
        says = (
            f"The letters leaned to the {side} by {abs(shear) / 1000:g} columns a row. Each row was shifted back. "
            "Look: stems are vertical now, and gaps between letters are wider."
        )
    return Stage("Upright", says, PicturePanel(255 - ink))


def _spans(ink: np.ndarray, found: Found) -> Stage:
    lattice, apart = found.lattice, find_apart(ink)
    if np.array_equal(lattice.box, apart.box):
        says = (
            f"The ink falls apart into {len(lattice.box)} connected pieces, and each surely is a letter. So the "
            "picture is cut between them (blue)."
        )
        cuts = np.unique(lattice.box[:, [1, 3]])
    else:
        every = find_spans(ink)
        cuts = np.unique(every.box[:, [1, 3]])
        says = (
            f"Letters touch, break or have lines over them, so a cut is possible at {len(cuts)} places (blue). "
            f"Of the {int(every.counts[0]):,} pieces between two cuts a small network keeps "
            f"{int(lattice.counts[0]):,} that may be letters."
        )
    return Stage("Cuts", says, PicturePanel(255 - ink[0], None, cuts))


def _letters(ink: np.ndarray, readings: Readings, found: Found, path: list[int]) -> Stage:
    says = (
        'The network\'s letters for each piece of the reading, with their probabilities; the rest is "no letter". '
        "Look for low bars: there the reading is in doubt."
    )
    crops = [_crop(ink, box) for box in readings.box]
    return Stage("Letters", says, LettersPanel(crops, [likeliest(found.shares[k], found.letters) for k in path]))


def likeliest(shares: np.ndarray, letters: str) -> list[tuple[str, float]]:
    """Return the likeliest letters with their shares, the best first, without those that hardly count."""
    order = np.argsort(-shares, kind="stable")[:MOST_LETTERS].tolist()
    return [(letters[k], float(shares[k])) for k in order if shares[k] >= 0.0005 or k == order[0]]


def _crop(ink: np.ndarray, box: np.ndarray) -> np.ndarray:
    top, left, bottom, right = (max(int(side), 0) for side in box)
    crop: np.ndarray = 255 - ink[top : max(bottom, top + 1), left : max(right, left + 1)]
    return crop


def _places(lattice: Lattice, boxes: np.ndarray) -> list[int]:
    """Return the spans that the letters of the reading are in."""
    return [int(np.flatnonzero((lattice.box == box).all(axis=1))[0]) for box in boxes]


def _path(ink: np.ndarray, readings: Readings, found: Found, path: list[int]) -> Stage:
    """Return the path of the answer: that of the reading, or of the word of the dictionary if it is another."""
    word, reading = str(readings.words[0, 0]), str(readings.reading[0])
    says = "Pieces that may be letters, darker the surer they are. "
    if word and word != reading and set(word) <= set(found.letters):
        path = _path_of(word, found) or path
        says += f"Blue: the cuts of {word}, the dictionary's word; the letters alone would say {reading}."
    else:
        word = reading
        says += "Blue: the row of pieces, without overlap, whose letters are most probable together."
    best = found.shares.argmax(axis=1) if len(found.shares) else np.zeros(0, int)
    letters = [found.letters[k] for k in best.tolist()]
    shares = found.shares.max(axis=1, initial=0.0)
    named = [*zip(path, word, strict=False)]
    return Stage("Path", says, PathPanel(ink.shape[1], found.lattice.box[:, [1, 3]], letters, shares, named))


def _path_of(word: str, found: Found) -> list[int]:
    """Find the best way to cut the picture into the letters of a word; empty if there is none."""
    lattice = found.lattice
    worth = np.ascontiguousarray(found.odds[:, [found.letters.index(letter) for letter in word]], np.float64)
    chosen, scores = np.empty((1, len(word)), np.int64), np.empty(1)
    align(lattice.starts, lattice.cuts, lattice.first, lattice.last, worth, np.array([len(word)]), chosen, scores)
    return chosen[0].tolist() if (chosen[0] >= 0).all() else []


def ranking_stage(ranking: Ranking, words: int, readings: Readings) -> Stage:
    """Return the last stage: the best three answers with their confidence, and the reading if it differs."""
    rows = [
        (str(word), None if np.isnan(share) else float(share))
        for word, share in zip(readings.words[0], readings.confidences[0], strict=True)
        if word
    ]
    if ranking is Ranking.NONE:
        says = "The best three strings. There is no dictionary, so any letters may follow each other."
        return Stage("Answers", says, RankingPanel(rows, "confidence"))
    reading = str(readings.reading[0])
    agrees = bool(rows) and rows[0][0] == reading
    says = f"The best of {words:,} words. The first bar is the confidence: how often such an answer is right. "
    says += "The letters alone say the same." if agrees else f"The letters alone say {reading or 'nothing'}."
    return Stage("Dictionary", says, RankingPanel(rows, "confidence"))

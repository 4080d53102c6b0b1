"""What a deep model makes of one picture, as stages to draw: content, columns with their letters, paths, answers."""

import numpy as np

from tasks.deep.decoding import best_texts, column_shares
from tasks.deep.deep_reader import DeepReader
from tasks.deep.shape import BLANK
from tasks.doubts import believed
from tasks.explaining.classic_stages import ranking_stage
from tasks.explaining.deep_saliency import as_taken, saliency, tinted
from tasks.figures.reading_stages import Stage
from tasks.figures.stage_panels import ColumnsPanel, PicturePanel, RankingPanel
from tasks.reading.path_bounds import NEVER
from tasks.reading.ranking import Ranking
from tasks.reading.reader import Readings

NONE = "–"  # a column that begins no letter
MOST_ROWS = 16  # letters of the map
VISIBLE = 0.02  # a letter that is nowhere more probable has no row of the map


def deep_stages(
    reader: DeepReader, seen: np.ndarray, images: np.ndarray, sizes: np.ndarray
) -> tuple[list[Stage], Readings]:
    """Read a picture; return all stages, and the readings.

    Parameters
    ----------
    seen : (h, w, 3) uint8
        The picture as people see it.
    images, sizes
        As for `DeepReader.read`, of one picture.
    """
    rankings = (Ranking.NONE, *([Ranking.PROBABILITY] if len(reader.dictionary) else []))
    (part,) = believed(reader, images, sizes, rankings)
    readings = part.readings
    says = "nothing is cut, and no ground is taken away before."
    if not np.array_equal(part.images, images):
        says = (
            "nothing is cut. Before, an icon was left out, letters on cards became black on white, dots became shades, "
            "a small text was enlarged, letters were set in a row, or letters that rims show were filled in."
        )
        images, sizes = part.images, part.sizes
    looked_at = seen if np.array_equal(sizes[0], seen.shape[:2]) else images[0, : sizes[0, 0], : sizes[0, 1]]
    rectangle, taken = as_taken(reader, images, sizes)
    high, wide = seen.shape[:2]
    normal = np.ascontiguousarray(taken.transpose(1, 2, 0))
    columns = reader.look(images, sizes).scores
    chosen = np.array([reader.session.alphabet.index(letter) for letter in reader.alphabet], np.int64)
    shares, _ = column_shares(columns, chosen)
    stages = [
        Stage("The picture", f"{wide} x {high} pixels, as a browser shows it.", PicturePanel(seen)),
        Stage(
            "What is looked at", "Frames and wide empty margins are left out: the network sees what is inside orange.",
            PicturePanel(looked_at, np.rint(rectangle[None]).astype(int)),
        ),
        Stage(
            "As the network takes it",
            f"Drawn {normal.shape[0]} pixels high. A deep network takes the whole picture, colours and lines too: "
            + says,
            PicturePanel(normal),
        ),
        _columns(reader, shares, normal),
        *_looks(reader, taken, normal, str(readings.reading[0])),
        _paths(reader, shares),
        ranking_stage(reader.ranking, len(reader.dictionary), readings),
    ]  # fmt: skip
    return stages, readings


def _columns(reader: DeepReader, shares: np.ndarray, normal: np.ndarray) -> Stage:
    texts = best_texts(shares, *reader.length)
    own = shares[0].T  # a row for the blank, and then for each letter
    tops = own[1:].max(axis=1)
    rows = np.flatnonzero(tops >= VISIBLE)
    rows = rows[np.argsort(-tops[rows], kind="stable")][:MOST_ROWS]
    rows = rows[np.argsort(own[1:][rows].argmax(axis=1), kind="stable")]  # in the order in which they come
    best = "".join(NONE if k == BLANK else reader.alphabet[k - 1] for k in own.argmax(axis=0).tolist())
    peaks = [int(column) for column in texts.peaks[0] if column >= 0]
    says = (
        "For each column of four pixels, from left to right, the probability of each letter (darker is surer); "
        f'"{NONE}" means that no letter begins. Below: the likeliest of each column. Look for columns with two dark '
        "letters: there the network is in doubt."
    )
    letters = [NONE, *(reader.alphabet[k] for k in rows)]
    panel = ColumnsPanel(normal, letters, np.concatenate([own[:1], own[1:][rows]]), best, peaks)
    return Stage("Columns", says, panel)


def _looks(reader: DeepReader, taken: np.ndarray, normal: np.ndarray, read: str) -> list[Stage]:
    """Show what the answer depends on; nothing where nothing was read."""
    if not read:
        return []
    says = (
        f"A square is covered with the ground, here and there; the redder, the less probable {read} becomes. What is "
        "not tinted does not matter to the network."
    )
    return [Stage("Where it looks", says, PicturePanel(tinted(normal, saliency(reader, taken, read))))]


def _paths(reader: DeepReader, shares: np.ndarray) -> Stage:
    texts = best_texts(shares, *reader.length)
    rows = [
        ("".join(reader.alphabet[k] for k in classes if k >= 0), float(np.exp(score)))
        for classes, score in zip(texts.classes[0], texts.scores[0], strict=True)
        if score > NEVER / 2
    ]
    says = (
        "The likeliest texts. Each sums up all paths through the columns that spell it: a letter may stand in several "
        "neighbouring columns and counts once. Where most letters are digits and nobody says which may occur, a text "
        "of digits alone is taken in place of a likelier one."
    )
    return Stage("Best paths", says, RankingPanel(rows, "probability"))

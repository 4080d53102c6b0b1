"""Believe less of answers to pictures that show what the model cannot know of: accents, icons, blots."""

from collections.abc import Iterable
from dataclasses import fields, replace
from typing import NamedTuple

import numpy as np

from tasks.deep.deep_reader import DeepReader
from tasks.deep.variations import VARIED, average, vary
from tasks.loading.colour_ink import ink_of_batch
from tasks.loading.oddities.cut_off import CROSSED, TOUCHED
from tasks.loading.oddities.oddities import Oddities, find_oddities
from tasks.loading.oddities.standing_apart import of_another_colour, without_apart
from tasks.plainer import REST, choose, make_plainer
from tasks.reading.ranking import Ranked, Ranking
from tasks.reading.reader import Reader, Readings, joined

DOUBTS = 13  # raised whenever other pictures are doubted or read otherwise, here or in rooms below, or by other factors
DOUBTED = 0.45  # a doubted answer's confidence is multiplied by this: no answer that is surely wrong looks probable
# What stands apart is left out if the rest is read with at least REST confidence, and it has another colour, or the
# whole is read with less confidence than that: if it is level with the letters, and if it is not.
WHOLE_LEVEL, WHOLE = 0.4, 0.9
VARIED_AT_ONCE = 32  # pictures whose variations are held in memory
LEFT_OUT = 0.9  # such an answer's confidence is multiplied by this: it may have been a letter
# Letters without marks of their own. Any other letter may account for a mark: i, j, and all that models learn besides.
PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghklmnopqrstuvwxyz0123456789")

READ_WITHOUT = "left out: something that stands apart from the letters"
MARKED = "doubted: more letters have a mark, such as an accent, than letters of the answer"
APART = "doubted: something stands apart from the letters, and was read as one"
CUT_OFF = "doubted: a letter may be cut off by the picture's border"
BLOTTED = "doubted: a filled area is as large as a letter"


class Believed(NamedTuple):
    """Answers to some of n pictures, with as much confidence as they deserve.

    rows : (k,) int64, ascending
    readings : of these k
    notes : k sentences on what was left out or is doubted; '' for nothing
    images : these k as they were read, without what was left out
    sizes : (k, 2) int64, rows and columns of each at the top left of its canvas
    """

    rows: np.ndarray
    readings: Readings
    notes: list[str]
    images: np.ndarray
    sizes: np.ndarray

    def noted(self, indices: np.ndarray, notes: dict[int, str]) -> tuple[np.ndarray, Readings]:
        """Add the notes to those of all pictures; return the numbers (k,) int64 and the readings of these.

        Parameters
        ----------
        indices : (n,) int64
            The numbers of the n pictures in `notes`.
        """
        for index, note in zip(indices[self.rows].tolist(), self.notes, strict=True):
            add_note(notes, index, note)
        return indices[self.rows], self.readings


def add_note(notes: dict[int, str], index: int, note: str) -> None:
    """Add a note, which may be empty, to what is to be known of a picture."""
    if note:
        notes[index] = "; ".join(filter(None, (notes.get(index, ""), note)))


def believed(
    reader: Reader | DeepReader, images: np.ndarray, sizes: np.ndarray | None = None, rankings: Iterable[Ranking] = ()
) -> list[Believed]:
    """Read pictures; believe less where a picture shows what its answer does not explain, and say why.

    A deep reader reads once more without what stands apart from the letters, and takes that if it surely is no letter.
    It reads pictures once more made plainer (see `tasks.plainer`), and takes that if it is surer then: letters on
    cards in black on white, dithered pictures as shades, small texts enlarged, scattered letters and rows of letters
    side by side, letters seen by their rims filled in, letters in pieces joined, and letters without what shines
    through behind them, or without thin lines and dots.
    All this only for readers with `doubts`: a model that learnt from its owner's pictures knows what these show.

    Parameters
    ----------
    images : (n, H, W) or (n, H, W, 3) uint8
        Ink, or for a deep reader sRGB as seen.
    sizes : (n, 2) int64, optional
        For a deep reader: rows and columns of each picture at the top left of its canvas; by default the canvas.
    rankings
        As for the readers.
    """
    rankings, every = tuple(rankings), np.arange(len(images))
    if sizes is None:
        sizes = np.tile(np.array(images.shape[1:3], np.int64), (len(images), 1))
    deep = reader if isinstance(reader, DeepReader) else None
    readings = deep.read(images, rankings, sizes) if deep else reader.read(images, rankings)
    if not reader.doubts or not len(images):
        return [Believed(every, readings, [""] * len(images), images, sizes)]
    if not deep:
        rows = np.flatnonzero(_surest(readings) > DOUBTED)  # nobody believes the others, so they need no look
        found = find_oddities(images[rows] if len(rows) else np.zeros((0, 8, 8), np.uint8), sizes[rows, 1])
        return [Believed(every, *_doubted(readings, rows, found), images, sizes)]
    first = readings.reading_confidence
    varied = _varied(deep, readings, images, sizes, rankings)
    whole, plainer = _plainer(deep, Believed(every, varied, [""] * len(images), images, sizes), first, rankings)
    again = [each.readings.reading_confidence for each in plainer]
    kept = _part(whole, np.flatnonzero(~np.isin(whole.rows, [row for each in plainer for row in each.rows.tolist()])))
    return [
        _in_doubt(part, found)
        for each, sure in zip([*plainer, kept], [*again, first[kept.rows]], strict=True)
        for part, found in _icons_apart(deep, each, sure, rankings)
        if len(part.rows)
    ]


def _part(whole: Believed, kept: np.ndarray) -> Believed:
    notes = [whole.notes[k] for k in kept.tolist()]
    return Believed(whole.rows[kept], rows_of(whole.readings, kept), notes, whole.images[kept], whole.sizes[kept])


def _varied(
    reader: DeepReader, readings: Readings, images: np.ndarray, sizes: np.ndarray, rankings: tuple[Ranking, ...]
) -> Readings:
    """Return readings that are averaged with those of the pictures' variations where they lack confidence."""
    rows = np.flatnonzero(readings.confidences[:, 0] < VARIED)  # none without a curve: nothing is known of any answer
    if not len(rows):
        return readings
    parts = (rows[first : first + VARIED_AT_ONCE] for first in range(0, len(rows), VARIED_AT_ONCE))
    read = [
        [reader.read(varied.images, rankings, varied.sizes) for varied in vary(images[part], sizes[part])]
        for part in parts
    ]
    again = [joined([*each]) for each in zip(*read, strict=True)]
    found = average([rows_of(readings, rows), *again])
    every = joined([readings, *again])
    chosen = np.arange(len(images))
    chosen[rows] = np.where(found.of, len(images) + (found.of - 1) * len(rows) + np.arange(len(rows)), rows)
    taken = rows_of(every, chosen)
    words, confidences, own = taken.words.copy(), taken.confidences.copy(), taken.reading_confidence.copy()
    words[rows], confidences[rows], own[rows] = found.words, found.confidences, found.reading_confidence
    answers = taken.answers | {reader.ranking: Ranked(words, confidences)}
    return replace(taken, words=words, confidences=confidences, reading_confidence=own, answers=answers)


def _plainer(
    reader: DeepReader, whole: Believed, first: np.ndarray, rankings: tuple[Ranking, ...]
) -> tuple[Believed, list[Believed]]:
    """Read pictures once more in every plainer way that fits them; return all as they are, and what is taken of it.

    `first`, (n,) float64, is the confidence in what the network first read, which the limits of the ways are of.
    """
    of, ways, pictures, sizes = make_plainer(whole.images, whole.sizes, first)
    if not ways:
        return whole, []
    # Texts that were set otherwise have pictures of other sizes: their canvas would be too large for the others.
    anew = np.array([picture.shape != whole.images.shape[1:] for picture in pictures])
    groups = [group for group in (np.flatnonzero(~anew), np.flatnonzero(anew)) if len(group)]
    images = [_on_one_canvas([pictures[k] for k in group]) for group in groups]
    read = [reader.read(image, rankings, sizes[group]) for image, group in zip(images, groups, strict=True)]
    again = rows_of(joined(read), np.argsort(np.concatenate(groups)))
    taken, shares, kept_shares = choose(whole.readings, again, of, ways)
    whole = whole._replace(readings=_lowered(whole.readings, kept_shares[:, 1], kept_shares[:, 0]))
    plainer = []
    for image, group in zip(images, groups, strict=True):
        own = np.flatnonzero(np.isin(taken, group))
        if len(own):
            rows = taken[own]
            readings = _lowered(rows_of(again, rows), shares[own, 1], shares[own, 0])
            place = np.searchsorted(group, rows)
            plainer.append(Believed(of[rows], readings, [""] * len(rows), image[place], sizes[rows]))
    return whole, plainer


def _on_one_canvas(pictures: list[np.ndarray]) -> np.ndarray:
    """Return pictures at the top left of canvases as large as the largest."""
    shape = np.max([picture.shape for picture in pictures], axis=0)
    canvas = np.zeros((len(pictures), *shape), np.uint8)
    for own, picture in zip(canvas, pictures, strict=True):
        own[: picture.shape[0], : picture.shape[1]] = picture
    return canvas


def _surest(readings: Readings) -> np.ndarray:
    surest: np.ndarray = np.maximum(
        np.nan_to_num(readings.confidences[:, 0]), np.nan_to_num(readings.reading_confidence)
    )
    return surest


def _icons_apart(
    reader: DeepReader, whole: Believed, sure: np.ndarray, rankings: tuple[Ranking, ...]
) -> list[tuple[Believed, Oddities]]:
    """Read pictures without what stands apart from their letters, where that surely is no letter.

    `sure`, (k,) float64, is the confidence in a single reading of each. Returns these and the others, each with what
    their ink shows.
    """
    sizes = whole.sizes
    ink = ink_of_batch(whole.images, sizes[:, 0], sizes[:, 1])
    found = find_oddities(ink, sizes[:, 1])
    rows = np.flatnonzero(found.apart & (found.things >= reader.length[0]))
    if not len(rows):
        return [(whole, found)]
    some = _rows_of(found, rows)
    covered = without_apart(whole.images[rows], some)
    again = reader.read(covered, rankings, sizes[rows])
    no_letter = of_another_colour(whole.images[rows], ink[rows], some)
    no_letter |= sure[rows] < np.where(some.alike, WHOLE_LEVEL, WHOLE)
    taken = np.flatnonzero(no_letter & (again.reading_confidence >= REST))
    if not len(taken):
        return [(whole, found)]
    lowered = _lowered(rows_of(again, taken), *[np.full(len(taken), LEFT_OUT)] * 2)
    without = [READ_WITHOUT] * len(taken)
    apart = Believed(whole.rows[rows[taken]], lowered, without, covered[taken], sizes[rows[taken]])
    kept = np.setdiff1d(np.arange(len(found.things)), rows[taken])
    nothing = _rows_of(find_oddities(np.zeros((1, 8, 8), np.uint8)), np.zeros(len(taken), np.int64))
    return [(apart, nothing), (_part(whole, kept), _rows_of(found, kept))]


def _rows_of(found: Oddities, rows: np.ndarray) -> Oddities:
    return Oddities(*(column[rows] for column in found))


def _in_doubt(part: Believed, found: Oddities) -> Believed:
    readings, whys = _doubted(part.readings, np.arange(len(part.rows)), found)
    notes = ["; ".join(filter(None, both)) for both in zip(part.notes, whys, strict=True)]
    return part._replace(readings=readings, notes=notes)


def _doubted(readings: Readings, rows: np.ndarray, found: Oddities) -> tuple[Readings, list[str]]:
    """Return readings with less confidence where `found`, of the pictures `rows`, is not explained; and why."""
    notes, factors = [""] * len(readings.words), np.ones((2, len(readings.words)))
    sure = _surest(readings)[rows] > DOUBTED
    for own, words in zip(factors, (readings.reading, readings.words[:, 0]), strict=True):
        whys = unexplained(found, words[rows].tolist())
        own[rows] = np.where(sure & np.array([why != "" for why in whys], np.bool_), DOUBTED, 1.0)
    for row, why, was_sure in zip(rows.tolist(), whys, sure.tolist(), strict=True):  # of the words
        notes[row] = why if was_sure else ""
    return _lowered(readings, *factors[::-1]), notes


def _lowered(readings: Readings, words: np.ndarray, reading: np.ndarray) -> Readings:
    """Multiply the confidences of the words and of the readings, each by (n,) float64."""
    return replace(
        readings,
        reading_confidence=readings.reading_confidence * reading,
        confidences=readings.confidences * words[:, None],
        answers={
            ranking: Ranked(ranked.words, ranked.probabilities * words[:, None])
            for ranking, ranked in readings.answers.items()
        },
    )


def unexplained(found: Oddities, words: list[str]) -> list[str]:
    """Tell what of each picture its word does not explain; '' for nothing.

    - More letters with marks than the word has, in a picture whose letters can be told from each other.
    - A thing that stands apart from fewer things than the word has letters: it was read as a letter.
    - A blot, which hides a letter or is none; one that stands apart and was not read does not count.
    - A stroke that the left or the right border cuts, so that a letter looks like another; or a thing that reaches the
      border, where the word has fewer letters than there are things.
    """
    reasons = []
    columns = (found.things, found.marks, found.apart, found.blots, found.cut)
    for word, things, marks, apart, blot, cut in zip(words, *(column.tolist() for column in columns), strict=True):
        left_out = apart and len(word) <= things
        if not word:
            reasons.append("")
        elif marks > sum(letter not in PLAIN for letter in word) and things >= max(len(word) - 1, 1):
            reasons.append(MARKED)
        elif apart and not left_out:
            reasons.append(APART)
        elif blot and not left_out:
            reasons.append(BLOTTED)
        else:
            reasons.append(CUT_OFF if cut == CROSSED or (cut == TOUCHED and len(word) < things) else "")
    return reasons


def rows_of(readings: Readings, rows: np.ndarray) -> Readings:
    """Return the readings of some pictures, in the order of `rows` (k,) int64."""
    order = np.argsort(rows)
    kept = np.flatnonzero(np.isin(readings.picture, rows))
    picture = order[np.searchsorted(rows[order], readings.picture[kept])]
    letters = np.argsort(picture, kind="stable")
    each = {
        field.name: getattr(readings, field.name)[rows]
        for field in fields(Readings)
        if field.name not in ("picture", "box", "answers", "evidence")
    }
    return replace(
        readings, **each, picture=picture[letters], box=readings.box[kept[letters]],
        answers={
            key: Ranked(ranked.words[rows], ranked.probabilities[rows]) for key, ranked in readings.answers.items()
        },
        evidence={key: part[rows] for key, part in readings.evidence.items()},
    )  # fmt: skip

"""Make pictures plainer in ways that may fit them, and choose between what is read in these and as they are seen."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tasks.deep.pictures import find_content
from tasks.loading.oddities.cards import on_white
from tasks.loading.oddities.dither import undithered
from tasks.loading.oddities.fainter_layer import without_fainter_layer
from tasks.loading.oddities.fine_texture import smoothed
from tasks.loading.oddities.in_pieces import in_one_piece
from tasks.loading.oddities.layouts.around_circles import out_of_a_circle
from tasks.loading.oddities.layouts.caption import without_caption
from tasks.loading.oddities.layouts.close_up import close_up
from tasks.loading.oddities.layouts.leaning import upright
from tasks.loading.oddities.layouts.scattered import in_a_row, in_one_size
from tasks.loading.oddities.layouts.several_rows import in_one_row
from tasks.loading.oddities.layouts.text_columns import out_of_a_column
from tasks.loading.oddities.relief import filled_in
from tasks.loading.oddities.several_inks import without_an_ink, without_decoys
from tasks.loading.oddities.tampered.barred import without_bars
from tasks.loading.oddities.tampered.fringes import in_register
from tasks.loading.oddities.tampered.inverted import uninverted
from tasks.loading.oddities.tampered.sliced import put_together
from tasks.loading.oddities.thin_ink import without_dots, without_thin
from tasks.reading.reader import Readings

REST = 0.8  # the confidence in a text that is read without something of its picture
UNLIKELY, LIKELY = 0.5, 0.6  # pieces or a texture are read with less than the first; joined, with at least the second
SURE = 0.95  # a picture that was read with so much confidence is not made plainer
ALWAYS = 1.01  # what shines through from behind is read with confidence, too
UNSURE = 0.7  # a picture that was read with so much keeps its thin ink: of 120 to 250 pictures each of seven kinds, at
# most two texts a kind were mended above, and each reading takes time


class Plainer(NamedTuple):
    """A way to make a picture plainer, and how much of what is read in it then counts.

    find : makes (H, W, 3) uint8 plainer, in one way or several; None or nothing if there is nothing to make plainer
    least : a reading with less confidence does not count
    times : the confidence of a reading is divided by it before equal texts are added up
    below : pictures that were read with so much confidence are not made plainer in this way
    shorter : whether a shorter text is taken
    shared : whether all such readings of a picture and that of the picture as it is share out the confidence
    whole : whether it is given bars and margins as well, also where they are more than half of the picture: their
        colour would be taken for the letters' ground, but around cards it is the page
    """

    find: Callable[[np.ndarray], np.ndarray | tuple[np.ndarray, ...] | None]
    least: float = 0.0
    times: float = 1.0
    below: float = SURE
    shorter: bool = False
    shared: bool = False
    whole: bool = False


PLAINER = (
    Plainer(undithered, shorter=True),
    Plainer(on_white, least=REST, whole=True),
    Plainer(close_up),
    Plainer(in_a_row),
    Plainer(in_one_size, times=1.5, below=UNSURE),
    Plainer(out_of_a_column, below=UNSURE, shorter=True),
    Plainer(without_caption, least=REST, shorter=True),
    Plainer(out_of_a_circle, least=REST, below=UNSURE, shorter=True),
    Plainer(upright, least=REST, below=UNSURE, shorter=True),
    Plainer(uninverted, least=REST, shorter=True),
    Plainer(in_register, least=REST, below=UNSURE, shorter=True),
    Plainer(put_together, least=REST, below=UNSURE, shorter=True),
    Plainer(without_bars, least=REST, below=UNSURE, shorter=True),
    Plainer(in_one_row, least=REST, times=0.2, below=ALWAYS, shorter=True),
    Plainer(filled_in, times=0.85, shorter=True),
    Plainer(without_fainter_layer, least=REST, times=0.5, below=ALWAYS, shorter=True),
    Plainer(without_thin, below=UNSURE, shorter=True, shared=True),
    Plainer(without_dots, times=1.5, below=UNSURE, shorter=True, shared=True),
    Plainer(without_decoys, below=UNSURE, shorter=True, shared=True),
    Plainer(without_an_ink, below=UNSURE, shared=True),
    Plainer(smoothed, times=1.5, below=UNLIKELY, shorter=True, shared=True),
    Plainer(in_one_piece, least=LIKELY, times=2.0, below=UNLIKELY, shorter=True),
)


def make_plainer(
    images: np.ndarray, sizes: np.ndarray, confidence: np.ndarray
) -> tuple[np.ndarray, list[Plainer], list[np.ndarray], np.ndarray]:
    """Make pictures that were not read with confidence plainer in every way that fits them.

    Parameters
    ----------
    images : (n, H, W) or (n, H, W, 3) uint8
        Ink, or sRGB as seen.
    sizes : (n, 2) int64
        Rows and columns of each picture at the top left of its canvas.
    confidence : (n,) float64
        In what was read in them as they are.

    Returns
    -------
    of : (m,) int64, ascending
        The picture that each was made of.
    ways : m Plainer
    pictures : m arrays like those of `images`
        Larger ones where a text was set otherwise, as its column in a row.
    made_sizes : (m, 2) int64
        Their rows and columns, as `sizes`.
    """
    of, ways, pictures, made_sizes = [], [], [], []
    unsure = np.flatnonzero(confidence < max(way.below for way in PLAINER))
    contents = _contents(images[unsure], sizes[unsure])
    for k, content in zip(unsure.tolist(), contents, strict=True):
        everything = slice(int(sizes[k, 0])), slice(int(sizes[k, 1]))
        for way in PLAINER:
            part = everything if way.whole else content
            image = images[k][part]
            seen = image if image.ndim == 3 else np.repeat(255 - image[:, :, None], 3, axis=2)  # ink of a grey dataset
            found = way.find(seen) if confidence[k] < way.below else None
            for plainer in found if isinstance(found, tuple) else () if found is None else (found,):
                of.append(k)
                ways.append(way)
                made = plainer if image.ndim == 3 else 255 - plainer[:, :, 0]
                anew = made.shape != image.shape
                pictures.append(made if anew else images[k].copy())
                made_sizes.append(made.shape[:2] if anew else sizes[k])
                if not anew:
                    pictures[-1][part] = made
    return np.array(of, np.int64), ways, pictures, np.array(made_sizes, np.int64).reshape(-1, 2)


def _contents(images: np.ndarray, sizes: np.ndarray) -> list[tuple[slice, slice]]:
    """Return the rows and columns of each picture without bars and margins if these are more than half of it."""
    contents = find_content(images, sizes).astype(np.int64)
    whole = np.column_stack([np.zeros_like(sizes), sizes])
    small = 2 * (contents[:, 2:] - contents[:, :2]).prod(axis=1) < sizes.prod(axis=1)
    boxes: list[list[int]] = np.where(small[:, None], contents, whole).tolist()
    return [(slice(top, bottom), slice(left, right)) for top, left, bottom, right in boxes]


def choose(
    before: Readings, again: Readings, of: np.ndarray, ways: list[Plainer]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Choose the text of each picture that was read again. The confidences of readings of equal texts add up.

    So what is read in several ways need not be the surest in any.

    Parameters
    ----------
    before : of n pictures
    again : of m plainer ones
    of : (m,) int64, ascending
        The picture that each was made of.
    ways : m Plainer

    Returns
    -------
    taken : (t,) int64, ascending
        The readings in `again` that are taken in place of those before.
    shares : (t, 2) float64
        By how much to multiply their confidences: in the reading, and in the words.
    kept_shares : (n, 2) float64
        The same for the readings before.
    """
    # What was taken for a card may be a letter, and a line of letters may be a part of the text.
    shorter = np.char.str_len(again.reading) < np.char.str_len(before.reading[of])
    least, times, shared = (
        np.array([getattr(way, name) for way in ways]) for name in ("least", "times", "shared")
    )  # fmt: skip
    may = (again.reading_confidence >= least) & (np.array([way.shorter for way in ways]) | ~shorter)
    taken, shares, kept_shares = [], [], np.ones((len(before.reading), 2))
    for k in np.unique(of[may]).tolist():
        tried = np.flatnonzero(may & (of == k))
        whole = str(before.reading[k]), float(before.reading_confidence[k])
        each = [whole, *zip(again.reading[tried].tolist(), again.reading_confidence[tried].tolist(), strict=True)]
        weights = [1.0, *(1 / times[tried]).tolist()]
        added: dict[str, float] = {}
        for (text, sure), weight in zip(each, weights, strict=True):
            added[text] = added.get(text, 0.0) + weight * sure
        chosen = max(added, key=added.__getitem__)  # the picture as it is, where two are equal
        together = [0, *(1 + np.flatnonzero(shared[tried])).tolist()]
        equal = [i for i, (text, _) in enumerate(each) if text == chosen]
        surest = max(equal, key=lambda i: each[i][1] * _share(each, i, together))
        words = [
            (str(found.words[row, 0]), float(np.nan_to_num(found.confidences[row, 0])))
            for found, row in ((before, k), *((again, row) for row in tried.tolist()))
        ]
        both = [_share(said, surest, together) for said in (each, words)]
        if surest:
            taken.append(tried[surest - 1])
            shares.append(both)
        else:
            kept_shares[k] = both
    return np.array(taken, np.int64), np.array(shares).reshape(-1, 2), kept_shares


def _share(said: list[tuple[str, float]], at: int, together: list[int]) -> float:
    """Return how much of the confidence of the readings `together` is in what the reading `at` says."""
    if at not in together:
        return 1.0
    whole = sum(said[i][1] for i in together)
    return sum(said[i][1] for i in together if said[i][0] == said[at][0]) / whole if whole else 1.0

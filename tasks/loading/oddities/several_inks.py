"""Pictures of letters among noise of another colour, as seen -> the same without ink of one colour.

Soft edges are mixtures of an ink and the ground: their colours lie on the line between both. So the direction in which
a pixel's colour differs from the ground's tells its ink, however faint it is.
"""

from itertools import product
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageFilter

from tasks.loading.oddities.thin_ink import closed, opened
from tasks.loading.parts import LEFT, RIGHT, find_parts

FAINT = 40  # levels, in the channel where a pixel differs most from the ground: ink has more
NEAR, FAR = np.cos(np.radians([10, 25]))  # directions nearer than 10 degrees are of one ink; a pixel may be 25 off
LEAST = 0.03  # of all that differs from the ground: an ink has more
INKS = 4  # are told apart
OVER = 0.5  # of the columns of an ink that is left out have letters too, between the first and the last of these
SPAN = 0.5  # of the inked columns: the first and the last column of an ink that is left out are farther apart
BEYOND = 0.5  # of a pattern lies above and below the letters
LETTER = (0.5, 1.6)  # of the letters' height: a part so high, and no wider, may be a letter itself
FULL = 0.12  # of its rectangle: a letter has more ink
FAINTER = 0.7  # of the letters' contrast: a part with less is no letter
LINE = 0.15  # of the letters' height: a column with less of their ink has no letter, but a line
WIDTHS = (1, 2, 3, 4, 6, 8)  # pixels: lines that join letters are narrower than some of them, and strokes are wider
CUT = 5  # rows: a line leaves a lower gap in the letters that it crosses, and what may be a letter is closed so far
CROSSED = 3  # pixels: gaps in the letters that are read are closed so far; more would fill letters
SAMPLE = 10_000  # pixels tell the inks
MOST = 300_000  # pixels: a larger picture is read as it is, since this one takes a fifth of a second
_BINS = 9  # of directions, each way


class _Inks(NamedTuple):
    """The inks of a picture, `number` from 0 or -1 for each pixel, and how far the pixels are from the ground."""

    number: np.ndarray
    inked: np.ndarray
    contrast: np.ndarray
    ground: np.ndarray
    total: int


def without_decoys(image: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return a picture without ink that may be decoys, lines or a pattern; nothing if there is none.

    It is the other of two inks, or much fainter than the letters, or a pattern; so it is no letter of the text. Letters
    that it crosses are closed.

    Parameters
    ----------
    image : (H, W, 3) uint8

    Returns
    -------
    tuple of (H, W, 3) uint8
    """
    return _without(image, decoys=True)


def without_an_ink(image: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return a picture without each of its inks that may be noise among letters of several colours; as above."""
    return _without(image, decoys=False)


def _without(image: np.ndarray, decoys: bool) -> tuple[np.ndarray, ...]:
    if image.shape[0] * image.shape[1] > MOST:
        return ()
    inks = _find_inks(image)
    if inks.total < 2:
        return ()
    kept = [(inks.number >= 0) & (inks.number != k) for k in range(inks.total)]
    if inks.total > 2:
        strongest = max(range(inks.total), key=lambda k: float(np.quantile(inks.contrast[inks.number == k], 0.8)))
        kept.append(inks.number == strongest)
    return tuple(
        _with(image, inks, letters)
        for letters in kept
        if _are_along(inks, letters)
        and _are_decoys(inks, letters) == decoys
        and (_are_pattern(inks, letters) or not _have_letters(inks, letters))
    )


def _find_inks(image: np.ndarray) -> _Inks:
    ground = np.median(image.reshape(-1, 3)[::3], axis=0).astype(np.uint8)
    differs = image.astype(np.float32) - ground
    contrast = np.sqrt((differs * differs).sum(axis=2))
    inked = abs(differs).max(axis=2) > FAINT
    every = differs[inked] / contrast[inked][:, None]
    step = -(-len(every) // SAMPLE) or 1
    directions, weights = every[::step], contrast[inked][::step]
    least, left = LEAST * weights.sum(), np.ones(len(weights), np.bool_)
    found: list[np.ndarray] = []
    while len(found) < INKS and weights[left].sum() > least:
        bins = np.rint((directions[left] + 1) * (_BINS // 2)).astype(np.int64) @ [_BINS * _BINS, _BINS, 1]
        densest = bins == np.bincount(bins, weights[left]).argmax()
        own = np.flatnonzero(left)[densest]
        for _ in range(4):  # the mean moves to where most of the ink is
            centre = (directions[own] * weights[own, None]).sum(axis=0)
            centre /= np.linalg.norm(centre)
            own = np.flatnonzero(directions @ centre > NEAR)
            if not len(own):  # the middle between two inks, which has none
                break
        own = own[left[own]]
        if weights[own].sum() <= least:
            break
        left[own] = False
        found.append(centre)
    number = np.full(inked.shape, -1, np.int64)
    if found:
        near = every @ np.array(found, np.float32).T
        number[inked] = np.where(near.max(axis=1) > FAR, near.argmax(axis=1), -1)
    present = np.unique(number[number >= 0])
    number[number >= 0] = np.searchsorted(present, number[number >= 0])
    return _Inks(number, inked, contrast, ground, len(present))


def _are_along(inks: _Inks, letters: np.ndarray) -> bool:
    """Tell whether other inks than the letters', (H, W) bool, lie all along the text, and mostly above or under it."""
    own, other = (np.asarray(mask.any(axis=0)) for mask in (letters, inks.inked & ~letters))
    if not own.any() or not other.any() or inks.contrast[letters].sum() <= LEAST * inks.contrast[inks.inked].sum():
        return False
    first, last = np.flatnonzero(own)[[0, -1]]
    both, there = np.flatnonzero(own | other), np.flatnonzero(other)
    between = other[first : last + 1]
    along = there[-1] - there[0] >= SPAN * (both[-1] - both[0]) and between.any()
    return bool(along and own[first : last + 1][between].mean() >= OVER)


def _are_decoys(inks: _Inks, letters: np.ndarray) -> bool:
    others = inks.inked & ~letters
    fainter = np.median(inks.contrast[others]) < FAINTER * np.median(inks.contrast[letters])
    return bool(inks.total == 2 or fainter) or _are_pattern(inks, letters)


def _are_pattern(inks: _Inks, letters: np.ndarray) -> bool:
    """Tell whether most of the other inks lies above and below the letters."""
    others = inks.inked & ~letters
    top, bottom = np.quantile(np.nonzero(letters)[0], [0.02, 0.98]).astype(np.int64)
    return int(others[top : bottom + 1].sum()) < (1 - BEYOND) * int(others.sum())


def _have_letters(inks: _Inks, letters: np.ndarray) -> bool:
    """Tell whether a part of the other inks fills a gap between letters as another letter does."""
    usual, others = np.median(inks.contrast[letters]), inks.inked & ~letters
    whole, uncut = closed(letters, (CUT, 1)), closed(others, (CUT, 1))
    for width, mask in product(WIDTHS, (others, uncut)):
        own, parts = opened(whole, width), find_parts(opened(mask, width))
        high = int(find_parts(own).height.max(initial=0))
        tall = own.sum(axis=0) >= max(1, LINE * high)
        like = (parts.height >= LETTER[0] * high) & (parts.height <= LETTER[1] * high)
        like &= (parts.width <= LETTER[1] * high) & (parts.area >= FULL * parts.height * parts.width)
        for k in np.flatnonzero(like).tolist():
            gap = ~tall[parts.table[k, LEFT] : parts.table[k, RIGHT]]
            if gap.mean() > 1 - OVER and np.median(inks.contrast[parts.labels == k]) >= FAINTER * usual:
                return True
    return False


def _with(image: np.ndarray, inks: _Inks, letters: np.ndarray) -> np.ndarray:
    """Return a picture of the letters' ink alone; what crosses letters takes their colour."""
    around = Image.fromarray(letters.astype(np.uint8) * 255).filter(ImageFilter.MaxFilter(3))
    soft = ~inks.inked & (np.asarray(around) > 0)
    crossed = inks.inked & ~letters & closed(letters, (CROSSED, CROSSED))
    out = np.where((letters | soft)[:, :, None], image, inks.ground)
    out[crossed] = np.median(image[letters], axis=0).astype(np.uint8)
    return out

"""Draw the letters of a face as bitmaps, with Pillow."""

import hashlib
from collections.abc import Container
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from storage.errors import BadInput
from tasks.profiles.fonts import Face, require_characters
from tasks.profiles.profile import Ink

_CANVAS = 1 << 18  # pixels on which texts are drawn together


@dataclass(frozen=True)
class GlyphSet:
    """A face's letters at one size, as bitmaps, and where to put them.

    Two letters may both touch a pixel, each with less than half its ink, and together ink it. So the bitmap of a
    letter depends on the letter before it; after almost every letter it is the same.

    Attributes
    ----------
    bitmaps : list of (h, w) uint8 arrays
        Ink 0 to 255, cut to the ink.
    corners : (G, 2) int32
        Row and column of each bitmap's first pixel, relative to the pen and the top of the text.
    variant : (A + 1, A) int32
        Index of the bitmap of letter b after letter a; row A is the start of the text.
    advance : (A,) int32, kerning : (A, A) int32
        In 1/64 px.
    """

    bitmaps: list[np.ndarray]
    corners: np.ndarray
    variant: np.ndarray
    advance: np.ndarray
    kerning: np.ndarray

    def alike(self) -> list[list[int]]:
        """Return the numbers of letters that are drawn alike, such as O and 0 in some faces; a list for each bitmap."""
        letters: dict[int, list[int]] = {}
        for number, bitmap in enumerate(self.variant[-1].tolist()):
            letters.setdefault(bitmap, []).append(number)
        return [numbers for numbers in letters.values() if len(numbers) > 1]

    def digest(self) -> str:
        """Return the sha256 of bitmaps and tables: it changes if Pillow or FreeType draw differently."""
        digest = hashlib.sha256()
        for bitmap in self.bitmaps:
            digest.update(repr(bitmap.shape).encode() + bitmap.tobytes())
        for array in (self.corners, self.variant, self.advance, self.kerning):
            digest.update(array.astype("<i4").tobytes())
        return digest.hexdigest()


class _Drawn(NamedTuple):
    """The ink of a text, (h, w) uint8, cut to it, and where it begins: row and column from the text's top and pen."""

    ink: np.ndarray
    row: int
    column: int


def draw_glyphs(
    face: Face, size: int, alphabet: str, ink: Ink, alone: bool = False,
    pairs: Container[tuple[str, str]] | None = None,
) -> GlyphSet:  # fmt: skip
    """Draw every letter alone and after every other letter, with Pillow; or only `alone`, for letters that are moved.

    Parameters
    ----------
    pairs : container of (str, str), optional
        Kern and draw only these letters together, and any other as it is alone: for few texts. Default: every pair.

    Raises
    ------
    BadInput
        The face lacks characters of the alphabet (a box would be drawn under a wrong label).
    """
    some = require_characters(face, alphabet)
    font = _open(face, size)
    advance = np.array([_sixty_fourths(font, letter) for letter in alphabet], np.int32)
    wanted = np.full((len(alphabet),) * 2, True) if pairs is None else _marked(pairs, alphabet)
    kerning = _kerning(font, alphabet, advance, wanted if some is None else wanted & _marked(some, alphabet))
    single = _draw(font, list(alphabet), ink)
    known: dict[bytes, int] = {}
    bitmaps: list[np.ndarray] = []
    corners: list[tuple[int, int]] = []

    def index_of(drawn: _Drawn, pen: int) -> int:
        corner = (drawn.row, drawn.column - pen)
        key = repr((drawn.ink.shape, corner)).encode() + drawn.ink.tobytes()
        if key not in known:
            known[key] = len(bitmaps)
            bitmaps.append(drawn.ink)
            corners.append(corner)
        return known[key]

    variant = np.empty((len(alphabet) + 1, len(alphabet)), np.int32)
    most = np.array([2 * size, int(advance.max() // 64 * 2 + 2 * size)]) - 1
    for j, (second, drawn) in enumerate(zip(alphabet, single, strict=True)):
        if not drawn.ink.size:
            raise BadInput(f"font {face.name!r}: draws nothing for {second!r} at size {size}; choose another font")
        first, end = np.array(drawn[1:]), np.array(drawn[1:]) + drawn.ink.shape
        if (first <= -size).any() or (end > most).any():
            raise BadInput(f"font {face.name!r}: {second!r} is far larger than its em; choose another font")
        variant[-1, j] = index_of(drawn, 0)
    variant[:-1] = variant[-1]
    if not alone:
        pens = (advance[:, None] + kerning + 32) >> 6
        touched = single if ink is Ink.GREY else _draw(font, list(alphabet), Ink.GREY)
        meeting = np.argwhere(wanted & _meet(touched, pens)).tolist()
        drawn_pairs = _draw(font, [alphabet[i] + alphabet[j] for i, j in meeting], ink)
        for (i, j), pair in zip(meeting, drawn_pairs, strict=True):
            added = _without(pair, single[i])
            if added.ink.size:
                variant[i, j] = index_of(added, int(pens[i, j]))
    return GlyphSet(bitmaps, np.array(corners, np.int32), variant, advance, kerning)


def kerned(glyphs: GlyphSet, face: Face, size: int, alphabet: str, pairs: Container[tuple[str, str]]) -> GlyphSet:
    """Return the letters of a face, drawn `alone`, with the kerning of these pairs and of no other."""
    kerning = _kerning(_open(face, size), alphabet, glyphs.advance, _marked(pairs, alphabet))
    return replace(glyphs, kerning=kerning)


def _marked(pairs: Container[tuple[str, str]], alphabet: str) -> np.ndarray:
    """Mark the pairs of an alphabet that a container has, (A, A) bool."""
    return np.array([[(a, b) in pairs for b in alphabet] for a in alphabet])


def _open(face: Face, size: int) -> ImageFont.FreeTypeFont:
    """Open a face, in BASIC: Raqm depends on the system's libraries, and other systems would draw other bytes."""
    path, number = face.file
    return ImageFont.truetype(path, size, index=number, layout_engine=ImageFont.Layout.BASIC)


def _kerning(font: ImageFont.FreeTypeFont, alphabet: str, advance: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the kerning of the wanted pairs, (A, A) int32 in 1/64 px; 0 for others."""
    kerning = np.zeros(wanted.shape, np.int32)
    for i, j in np.argwhere(wanted).tolist():
        kerning[i, j] = _sixty_fourths(font, alphabet[i] + alphabet[j]) - advance[i] - advance[j]
    return kerning


def _meet(touched: list[_Drawn], pens: np.ndarray) -> np.ndarray:
    """Find the pairs, (A, A) bool, that may touch the same pixel; all others are drawn like two single letters.

    Parameters
    ----------
    touched : list
        The letters in grey, so that pixels which they touch faintly count.
    pens : (A, A) int array
        How many pixels right of letter a the pen of letter b is.
    """
    first = min(letter.row for letter in touched)
    rows, far = max(letter.row + len(letter.ink) for letter in touched) - first, 1 << 20
    left, right = np.full((len(touched), rows), far), np.full((len(touched), rows), -far)
    for own_left, own_right, letter in zip(left, right, touched, strict=True):
        inked = letter.ink > 0
        some = np.flatnonzero(inked.any(axis=1))
        own_left[letter.row - first + some] = letter.column + inked[some].argmax(axis=1)
        last = letter.column + inked.shape[1] - 1
        own_right[letter.row - first + some] = last - inked[some, ::-1].argmax(axis=1)
    return np.asarray(np.array([(left - own).min(axis=1) for own in right]) + pens <= 0)


def _sixty_fourths(font: ImageFont.FreeTypeFont, text: str) -> int:
    return round(font.getlength(text) * 64)


def _draw(font: ImageFont.FreeTypeFont, texts: list[str], ink: Ink) -> list[_Drawn]:
    """Draw texts side by side, so many on a canvas as are drawn fastest, and cut them apart."""
    edges = [tuple(map(int, font.getbbox(text))) for text in texts]
    found: list[_Drawn] = []
    while len(found) < len(texts):
        done = len(found)
        wide = np.cumsum([max(right - left, 1) for left, _, right, _ in edges[done:]])
        high = max(max(bottom - top, 1) for _, top, _, bottom in edges[done:])
        end = done + max(1, int(np.searchsorted(wide * high, _CANVAS, "right")))
        found += _side_by_side(font, texts[done:end], edges[done:end], high, ink)
    return found


def _side_by_side(
    font: ImageFont.FreeTypeFont, texts: list[str], edges: list[tuple[int, ...]], high: int, ink: Ink
) -> list[_Drawn]:
    """Draw texts, each with its left, top, right and bottom edge, on one canvas of so many rows."""
    starts = np.cumsum([0, *(max(right - left, 1) for left, _, right, _ in edges)]).tolist()
    canvas, fill = Image.new("L", (starts[-1], high)), 1 if ink is Ink.BINARY else 255
    pen = ImageDraw.Draw(canvas)
    for start, text, (left, top, *_) in zip(starts, texts, edges, strict=False):
        pen.text((start - left, -top), text, fill=fill, font=font)
    pixels = np.asarray(canvas) * np.uint8(255 // fill)
    places = zip(pairwise(starts), edges, strict=True)
    return [_cut(pixels[:, start:end], top, left) for (start, end), (left, top, *_) in places]


def _cut(pixels: np.ndarray, row: int, column: int) -> _Drawn:
    """Cut a picture, which begins at a row and a column, to its ink."""
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    if not len(rows):
        return _Drawn(np.zeros((0, 0), np.uint8), row, column)
    cut = np.ascontiguousarray(pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    return _Drawn(cut, int(row + rows[0]), int(column + columns[0]))


def _without(pair: _Drawn, single: _Drawn) -> _Drawn:
    """Return the ink of a pair that is not its first letter's: 0 where it is no more than the letter's."""
    first = np.minimum(pair[1:], single[1:])
    end = np.maximum(np.add(pair[1:], pair.ink.shape), np.add(single[1:], single.ink.shape))
    both = np.zeros((2, *(end - first)), np.uint8)
    for canvas, (ink, row, column) in zip(both, (pair, single), strict=True):
        canvas[row - first[0] :, column - first[1] :][: ink.shape[0], : ink.shape[1]] = ink
    rest = np.where(both[0] > both[1], both[0] - both[1], 0).astype(np.uint8)
    return _cut(rest, int(first[0]), int(first[1]))

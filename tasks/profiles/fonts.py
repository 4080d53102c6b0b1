"""Find font files by name or path, check them for their characters, and draw glyph bitmaps with Pillow."""

import functools
import hashlib
import io
import os
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
from fontTools.ttLib import TTCollection, TTFont
from PIL import Image, ImageDraw, ImageFont

from storage.errors import BadInput, Damaged, NotThere, nearest
from storage.files.small_files import read_small
from tasks.profiles.profile import Ink

COLLECTIONS = (".ttc", ".otc")


def face_name(family: str, style: str) -> str:
    """Return the name of a face: family and style, for instance `Inter Black`, without the style `Regular`.

    Profiles, `--leave-out`, reports and exports all use this name.
    """
    return family if style == "Regular" else f"{family} {style}"


def face_names(fonts: Iterable[dict[str, str]] | None) -> list[str]:
    """Return the name of each font of a manifest or an identity, in order; no names for imported pictures."""
    return [face_name(font["family"], font["style"]) for font in fonts or ()]


def faces_of(numbers: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Return the face of each picture by its number in the manifest's list, (n,) str.

    Raises
    ------
    Damaged
        A number is past the list.
    """
    past = [int(number) for number in numbers if not 0 <= number < len(names)]
    if past:
        raise Damaged(
            f"parameter font: must be a number below {len(names)}, the faces in the manifest; a picture has {past[0]}; "
            "its shard was not drawn by this program; captchas verify --redraw finds which"
        )
    found: np.ndarray = np.array(names)[numbers]
    return found


@dataclass(frozen=True)
class Face:
    """A font file: the family and style that it states, its path, and its sha256.

    The path of a face in a collection ends with its number: ``fonts.ttc#2``.
    """

    family: str
    style: str
    path: str
    sha256: str

    @property
    def name(self) -> str:
        """Return the name by `face_name`."""
        return face_name(self.family, self.style)

    @property
    def file(self) -> tuple[str, int]:
        """Return the path of the file, and the number of the face in it."""
        return _numbered(self.path)

    def as_dict(self) -> dict[str, str]:
        """Return the part of it that belongs to a dataset's identity: all but the path."""
        return {"family": self.family, "style": self.style, "sha256": self.sha256}


@functools.cache
def bundled() -> dict[str, Face]:
    """Return the faces that come with the project, by name, sorted.

    Raises
    ------
    BadInput
        A file differs from `fonts/SHA256SUMS`.
    """
    folder = Path(str(files("fonts")))
    faces = {}
    for line in (folder / "SHA256SUMS").read_text("utf-8").splitlines():
        digest, name = line.split(maxsplit=1)
        face = _face(folder / name)
        if face.sha256 != digest:
            raise BadInput(f"font {name}: differs from SHA256SUMS; install the project again")
        faces[face.name] = face
    return dict(sorted(faces.items()))


def find_face(name: str) -> Face:
    """Find a bundled face by its name, or any .ttf or .otf file by its path, or a face of a .ttc collection.

    The faces of a collection are numbered from 0: ``fonts.ttc#2`` is the third; without a number the first is meant.

    Raises
    ------
    NotThere
        No such file.
    BadInput
        No such face, or the file is not a font.
    """
    faces = bundled()
    if name in faces:
        return faces[name]
    file, number = _numbered(os.path.expanduser(name))  # noqa: PTH111 - Path.expanduser raises for an unknown user
    suffix = Path(file).suffix.lower()
    if suffix in {".ttf", ".otf", *COLLECTIONS}:
        return _face(Path(file), number if suffix in COLLECTIONS else None)
    raise BadInput(
        f"font {name!r}: must be one of {', '.join(faces)}, or the path of a face in a .ttc file, such as fonts.ttc#2, "
        f"or of a .ttf or .otf file{nearest(name, faces)}"
    )


def _numbered(path: str) -> tuple[str, int]:
    """Divide a path into that of the file and the number of the face: ``fonts.ttc#2`` has face 2, others 0."""
    file, _, number = path.rpartition("#")
    if Path(file).suffix.lower() in COLLECTIONS and number.isascii() and number.isdecimal():
        return file, int(number)
    return path, 0


def _require_number(path: Path, number: int) -> None:
    """Refuse a face that a collection does not have."""
    try:
        with TTCollection(io.BytesIO(read_small(path, f"font {path}")), lazy=True) as collection:
            count = len(collection.fonts)
    except FileNotFoundError:
        raise NotThere(f"font {path}: no such file") from None
    except BadInput:
        raise
    except Exception as error:  # fontTools meets damaged files with struct.error, AssertionError …
        raise BadInput(f"font {path}: cannot be read as a collection ({error})") from error
    if number >= count:
        faces = "face, 0" if count == 1 else f"faces, 0 to {count - 1}"
        raise BadInput(f"font {path}#{number}: the number must be that of a face; the file has {count} {faces}")


def _face(path: Path, number: int | None = None) -> Face:
    if number is not None:
        _require_number(path, number)
    try:
        data = read_small(path, f"font {path}")
        basic = ImageFont.Layout.BASIC
        family, style = ImageFont.truetype(str(path), 16, index=number or 0, layout_engine=basic).getname()
    except FileNotFoundError:
        raise NotThere(f"font {path}: no such file") from None
    except OSError as error:
        raise BadInput(f"font {path}: cannot be read as a font ({error})") from error
    whole = str(path.resolve()) if number is None else f"{path.resolve()}#{number}"
    return Face(family or path.stem, style or "Regular", whole, hashlib.sha256(data).hexdigest())


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
    require_characters(face, alphabet)
    # BASIC, because Raqm depends on the system's libraries, and other systems would draw other bytes.
    path, number = face.file
    font = ImageFont.truetype(path, size, index=number, layout_engine=ImageFont.Layout.BASIC)
    advance = np.array([_sixty_fourths(font, letter) for letter in alphabet], np.int32)
    wanted = np.array([[pairs is None or (a, b) in pairs for b in alphabet] for a in alphabet])
    kerning = np.zeros((len(alphabet), len(alphabet)), np.int32)
    for i, j in np.argwhere(wanted):
        kerning[i, j] = _sixty_fourths(font, alphabet[i] + alphabet[j]) - advance[i] - advance[j]
    shape = (int(size * 3), int(advance.max() // 64 * 2 + size * 3))
    single = [_draw(font, letter, size, shape, ink) for letter in alphabet]
    known: dict[bytes, int] = {}
    bitmaps: list[np.ndarray] = []
    corners: list[tuple[int, int]] = []

    def index_of(picture: np.ndarray, pen: int) -> int:
        rows, columns = np.flatnonzero(picture.any(axis=1)), np.flatnonzero(picture.any(axis=0))
        top, left = rows[0], columns[0]
        bitmap = np.ascontiguousarray(picture[top : rows[-1] + 1, left : columns[-1] + 1])
        corner = (top - size, left - size - pen)
        key = repr((bitmap.shape, corner)).encode() + bitmap.tobytes()
        if key not in known:
            known[key] = len(bitmaps)
            bitmaps.append(bitmap)
            corners.append(corner)
        return known[key]

    variant = np.empty((len(alphabet) + 1, len(alphabet)), np.int32)
    for j, second in enumerate(alphabet):
        border = (single[j][0], single[j][-1], single[j][:, 0], single[j][:, -1])
        if any(line.any() for line in border):
            raise BadInput(f"font {face.name!r}: {second!r} is far larger than its em; choose another font")
        if not single[j].any():
            raise BadInput(f"font {face.name!r}: draws nothing for {second!r} at size {size}; choose another font")
        variant[-1, j] = index_of(single[j], 0)
    variant[:-1] = variant[-1]
    if not alone:
        pens = (advance[:, None] + kerning + 32) >> 6
        for i, j in np.argwhere(wanted & _meet(font, alphabet, size, shape, pens)).tolist():
            pair = _draw(font, alphabet[i] + alphabet[j], size, shape, ink)
            added = np.where(pair > single[i], pair - single[i], 0).astype(np.uint8)
            if added.any():
                variant[i, j] = index_of(added, int(pens[i, j]))
    return GlyphSet(bitmaps, np.array(corners, np.int32), variant, advance, kerning)


def _meet(
    font: ImageFont.FreeTypeFont, alphabet: str, size: int, shape: tuple[int, int], pens: np.ndarray
) -> np.ndarray:
    """Find the pairs, (A, A) bool, that may touch the same pixel; all others are drawn like two single letters.

    `pens`, (A, A) int, is how many pixels right of letter a the pen of letter b is.
    """
    left, right, end = [], [], shape[1] - 1
    for letter in alphabet:
        touched = _draw(font, letter, size, shape, Ink.GREY) > 0  # however faintly
        some = touched.any(axis=1)
        left.append(np.where(some, touched.argmax(axis=1), 3 * end))
        right.append(np.where(some, end - touched[:, ::-1].argmax(axis=1), -1))
    return np.asarray(np.array([(np.array(left) - own).min(axis=1) for own in right]) + pens <= 0)


def require_characters(face: Face, alphabet: str) -> None:
    """Refuse a face that has no glyph for a character.

    Raises
    ------
    BadInput
        The message has the characters.
    """
    try:
        path, number = face.file
        with TTFont(path, lazy=True, fontNumber=number) as font:
            font.setGlyphOrder([])  # numbers in the place of names, which take most of the time
            known = font.getBestCmap() or {}
            end = max(entry.offset + entry.length for entry in font.reader.tables.values())
    except Exception as error:  # fontTools meets damaged tables with KeyError, struct.error, AssertionError …
        raise BadInput(f"font {face.path}: its character table cannot be read ({error})") from error
    if Path(path).stat().st_size < end:
        raise BadInput(f"font {face.path}: its end is missing, from {end:,} bytes; get the file anew")
    missing = [character for character in alphabet if ord(character) not in known]
    if missing:
        raise BadInput(
            f"font {face.name!r}: has no glyph for {' '.join(missing)}; choose another font or take "
            f"{'it' if len(missing) == 1 else 'them'} out of the alphabet"
        )


def _sixty_fourths(font: ImageFont.FreeTypeFont, text: str) -> int:
    return round(font.getlength(text) * 64)


def _draw(font: ImageFont.FreeTypeFont, text: str, offset: int, shape: tuple[int, int], ink: Ink) -> np.ndarray:
    """Draw `text` at (offset, offset): far enough from the border for negative bearings."""
    picture = Image.new("L", shape[::-1])
    fill = 1 if ink is Ink.BINARY else 255
    ImageDraw.Draw(picture).text((offset, offset), text, fill=fill, font=font)
    return np.asarray(picture) * np.uint8(255 // fill)

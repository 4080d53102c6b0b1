"""Find font files by name or path, and check them for their characters."""

import functools
import hashlib
import io
import os
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from importlib.resources import files
from itertools import product
from pathlib import Path

import numpy as np
from fontTools.ttLib import TTCollection, TTFont
from PIL import ImageFont

from storage.errors import BadInput, Damaged, NotThere, nearest
from storage.files.small_files import read_small

Pairs = Set[tuple[str, str]]

COLLECTIONS = (".ttc", ".otc")
_KERN_HEAD, _LIST_HEAD = 2, 7  # words of 16 bits: before the lists of a table `kern`, and before the pairs of a list


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


def require_characters(face: Face, alphabet: str) -> Pairs | None:
    """Refuse a face that has no glyph for a character; return the pairs of the alphabet that it may kern.

    Returns
    -------
    set of (str, str), or None
        Pillow kerns by the table `kern` alone, which many faces lack. None: any pair, for the table is of another kind
        than the plain list of pairs.

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
            there = [character for character in alphabet if ord(character) in known]
            glyphs = np.array([font.getGlyphID(known[ord(character)]) for character in there], np.int64)
            kerning = font.reader["kern"] if "kern" in font else None
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
    if kerning is None:
        return set()
    if (listed := _listed_pairs(kerning)) is None:
        return None
    ids: dict[int, list[str]] = {}  # characters may share a glyph
    for character, glyph in zip(alphabet, glyphs.tolist(), strict=True):
        ids.setdefault(glyph, []).append(character)
    both = np.isin(listed, glyphs).all(axis=1)
    return {pair for left, right in listed[both].tolist() for pair in product(ids[left], ids[right])}


def _listed_pairs(table: bytes) -> np.ndarray | None:
    """Read the pairs of glyphs in a table `kern` of version 0, (P, 2) int64; None if it has anything but lists."""
    words = np.frombuffer(table[: len(table) // 2 * 2], ">u2").astype(np.int64)
    if len(words) < _KERN_HEAD or words[0] != 0:
        return None
    found, place = [np.zeros((0, 2), np.int64)], _KERN_HEAD
    for _ in range(int(words[1])):
        if len(words) < place + _LIST_HEAD:
            return None
        size, coverage, count = words[place + 1 : place + 4].tolist()
        end = place + _LIST_HEAD + 3 * count
        if coverage >> 8 or size != 2 * (end - place) or end > len(words):  # the format, and what cannot be true
            return None
        found.append(words[place + _LIST_HEAD : end].reshape(-1, 3)[:, :2])
        place = end
    return np.concatenate(found)

"""A face's table of kerning says which pairs to ask Pillow for."""

import random
import string
import struct
from pathlib import Path

import numpy as np
import pytest
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables.DefaultTable import DefaultTable
from PIL import ImageFont

from tasks.profiles.fonts import bundled, find_face, require_characters
from tasks.profiles.glyphs import draw_glyphs
from tasks.profiles.profile import Ink

TUFFY = Path(bundled()["Tuffy Bold"].path)
EVERY = string.ascii_letters + string.digits


def lengths(font: ImageFont.FreeTypeFont, alphabet: str) -> np.ndarray:
    """The kerning of every pair as Pillow tells it, in 1/64 px."""
    single = [font.getlength(letter) for letter in alphabet]
    both = [[font.getlength(a + b) for b in alphabet] for a in alphabet]
    return np.round((np.array(both) - np.add.outer(single, single)) * 64)


def of(face, alphabet: str) -> np.ndarray:
    return draw_glyphs(face, 40, alphabet, Ink.GREY, alone=True).kerning


@pytest.mark.parametrize("name", bundled())
def test_every_pair_is_kerned_as_pillow_kerns_it(name):
    alphabet = "AVTLo" + "".join(random.Random(name).sample("BCDEFGHIJKPWYacefrtvwy1479", 9))
    face = find_face(name)
    font = ImageFont.truetype(face.path, 40, layout_engine=ImageFont.Layout.BASIC)
    assert (of(face, alphabet) == lengths(font, alphabet)).all()


def altered(path: Path, table: bytes | None) -> str:
    """Save a face with another table of kerning."""
    with TTFont(TUFFY) as font:
        if table is None:
            del font["kern"]
        else:
            font["kern"] = DefaultTable("kern")
            font["kern"].data = table
        font.save(path)
    return str(path)


def listing(pairs: list[tuple[int, int]], coverage: int = 1, short: int = 0) -> bytes:
    """A list of pairs of glyphs, each 200 units closer."""
    body = b"".join(struct.pack(">HHh", left, right, -200) for left, right in pairs)
    return struct.pack(">7H", 0, 14 + len(body) - short, coverage, len(pairs), 0, 0, 0) + body


def whole(*lists: bytes, version: int = 0) -> bytes:
    return struct.pack(">HH", version, len(lists)) + b"".join(lists)


@pytest.fixture(scope="module")
def number() -> dict[str, int]:
    with TTFont(TUFFY) as font:
        return {letter: font.getGlyphID(font.getBestCmap()[ord(letter)]) for letter in EVERY}


def test_faces_without_a_table_kern_nothing(tmp_path):
    face = find_face(altered(tmp_path / "own.ttf", None))
    assert require_characters(face, EVERY) == set()
    assert not of(face, "AVTo").any()


def test_pairs_of_all_lists_are_found(tmp_path, number):
    lists = listing([(number["A"], number["V"]), (0, number["V"])]), listing([(number["T"], number["o"])])
    face = find_face(altered(tmp_path / "own.ttf", whole(*lists)))
    assert require_characters(face, EVERY) == {("A", "V"), ("T", "o")}
    font = ImageFont.truetype(face.path, 40, layout_engine=ImageFont.Layout.BASIC)
    assert (of(face, "AVTo") == lengths(font, "AVTo")).all()
    assert of(face, "AVTo")[0, 1] < 0


@pytest.mark.parametrize("kind", ["version", "format", "size", "end", "nothing"])
def test_where_a_table_is_of_another_kind_every_pair_is_asked_for(tmp_path, number, kind):
    pairs = sorted((number[a], number[b]) for a in "AT" for b in "Vo")
    table = {
        "version": whole(listing(pairs), version=1),
        "format": whole(listing(pairs), listing(pairs, coverage=0x201)),
        "size": whole(listing(pairs, short=6)),
        "end": whole(listing(pairs))[:-7],
        "nothing": b"\0",
    }[kind]
    face = find_face(altered(tmp_path / "own.ttf", table))
    assert require_characters(face, EVERY) is None
    font = ImageFont.truetype(face.path, 40, layout_engine=ImageFont.Layout.BASIC)
    assert (of(face, "AVTo") == lengths(font, "AVTo")).all()


def test_characters_that_share_a_glyph_are_kerned_alike(tmp_path, number):
    with TTFont(altered(tmp_path / "first.ttf", whole(listing([(number["A"], number["V"])])))) as font:
        for table in font["cmap"].tables:
            if table.isUnicode():
                table.cmap[ord("Ä")] = table.cmap[ord("A")]
        font.save(tmp_path / "own.ttf")
    assert require_characters(find_face(str(tmp_path / "own.ttf")), "AÄV") == {("A", "V"), ("Ä", "V")}

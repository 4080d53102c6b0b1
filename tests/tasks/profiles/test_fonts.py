import hashlib
import os
import random
import shutil
import string
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTCollection, TTFont
from PIL import Image, ImageDraw, ImageFont

import fonts as font_package
from flows.profiles import profiles
from storage.errors import BadInput, Damaged, NotThere
from tasks.exchange.formats import plain_rows
from tasks.profiles import fonts
from tasks.profiles.fonts import bundled, face_names, faces_of, find_face, require_characters
from tasks.profiles.glyphs import draw_glyphs
from tasks.profiles.profile import Ink
from tasks.profiles.word_lists import load_words

FOLDER = Path(font_package.__file__).parent
FACES = sorted(bundled())
UPPER = string.ascii_uppercase
MIXED = "abdefgjkqrtyzAVWT0123456789"  # letters that lean over their neighbours, and digits


@pytest.fixture(scope="module")
def words() -> list[str]:
    return random.Random(3).sample(load_words("web2", UPPER, (4, 4)), 150)


@pytest.fixture
def fresh():
    """`bundled` reads the folder once a process; a test that changes the folder must not leave its answer."""
    bundled.cache_clear()
    yield
    bundled.cache_clear()


# The bundled faces.


def test_there_are_enough_and_each_has_its_licence():
    faces = bundled()
    assert list(faces) == sorted(faces)
    assert len({face.family for face in faces.values()}) >= 40
    assert all(face.name == name for name, face in faces.items())
    for face in faces.values():
        assert (Path(face.path).parent / "copyright").stat().st_size > 100


def test_sha256sums_names_every_font_file_and_its_digest():
    lines = [line.split(maxsplit=1) for line in (FOLDER / "SHA256SUMS").read_text().splitlines()]
    listed = {(FOLDER / name).resolve(): digest for digest, name in lines}
    there = [path for path in FOLDER.rglob("*") if path.suffix in {".ttf", ".otf"}]
    assert listed == {path.resolve(): hashlib.sha256(path.read_bytes()).hexdigest() for path in there}
    assert {face.path: face.sha256 for face in bundled().values()} == {str(path): d for path, d in listed.items()}


def test_a_changed_font_file_is_refused(tmp_path, monkeypatch, fresh):
    copy = tmp_path / "fonts"
    shutil.copytree(FOLDER, copy)
    monkeypatch.setattr(fonts, "files", lambda package: copy)
    assert list(bundled()) == FACES
    path = copy / "play" / "Play-Bold.otf"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    bundled.cache_clear()
    with pytest.raises(BadInput, match=r"font \./play/Play-Bold\.otf: differs from SHA256SUMS; install the project ag"):
        find_face("Play Bold")


# Finding one.


@pytest.mark.parametrize("name", FACES)
def test_a_face_is_found_by_name_and_by_path(name):
    face = find_face(name)
    assert find_face(face.path) == face
    assert set(face.as_dict()) == {"family", "style", "sha256"}
    assert face.path not in str(face.as_dict())


def test_a_regular_face_bears_its_familys_name():
    face = bundled()["Leckerli One"]
    assert (face.family, face.style) == ("Leckerli One", "Regular")
    assert replace(face, style="Bold").name == "Leckerli One Bold"


@pytest.mark.parametrize("ending", [".otf", ".OTF", ".ttf"])
def test_any_path_will_do(tmp_path, monkeypatch, ending):
    path = tmp_path / f"some font{ending}"
    shutil.copy(bundled()["Inter Black"].path, path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in (str(path), path.name, f"~/{path.name}"):
        face = find_face(name)
        assert face == replace(bundled()["Inter Black"], path=str(path))


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("Inter Blak", "; did you mean 'Inter Black'?"),
        ("inter black", "; did you mean 'Inter Black'?"),
        ("Roboto Slab", "; did you mean 'Roboto Slab Bold'?"),
        ("zzzzzz", ".otf file"),
        ("", ".otf file"),
        ("font.woff2", ".otf file"),
    ],
)
def test_an_unknown_name_gets_the_nearest(name, near):
    with pytest.raises(BadInput, match=r"must be one of Allerta .*, Yanone Kaffeesatz Bold, or the path of") as error:
        find_face(name)
    assert str(error.value).startswith(f"font {name!r}: ")
    assert str(error.value).endswith(near)


@pytest.mark.parametrize("name", ["none.ttf", "none/none.otf", "~nobody-of-that-name/none.ttf"])
def test_a_path_with_nothing_there(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotThere, match=f"font {name}: no such file"):
        find_face(name)


@pytest.mark.parametrize("data", [b"", b"not a font", b"\0" * 5000, b"OTTO\0\x09", b"true" * 50])
def test_a_file_that_is_no_font(tmp_path, data):
    path = tmp_path / "x.ttf"
    path.write_bytes(data)
    with pytest.raises(BadInput, match=r"x\.ttf: cannot be read as a font"):
        find_face(str(path))


def test_a_folder_named_like_a_font(tmp_path):
    (tmp_path / "x.ttf").mkdir()
    with pytest.raises(BadInput, match=r"x\.ttf: cannot be read as a font"):
        find_face(str(tmp_path / "x.ttf"))


@pytest.mark.parametrize("name", ["Inter Black", "DejaVu Sans Bold"])
def test_a_damaged_font_draws_or_is_refused(tmp_path, name):
    """Cut, or with a few bits of its tables flipped: FreeType and fontTools each have their own ways to fail."""
    source = Path(bundled()[name].path)
    path = tmp_path / source.name
    chance = random.Random(3)
    refused = 0
    for trial in range(40):
        data = bytearray(source.read_bytes())
        if trial % 2:
            del data[chance.randrange(len(data)) - 3 :]  # at the end are up to three bytes that fill a word
        else:
            for _ in range(5):
                data[chance.randrange(2000)] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
        try:
            draw_glyphs(find_face(str(path)), 22, "AB", Ink.BINARY)
        except BadInput:
            refused += 1
        else:
            assert trial % 2 == 0  # what is cut off is missing to some letter, if not to these
    assert refused > 20


def test_a_table_that_fonttools_cannot_read_is_refused(monkeypatch):
    """It answers damage with whatever it trips over: KeyError for a missing table, AssertionError, struct.error."""
    for trouble in (KeyError("cmap"), AssertionError(), struct.error("too short")):

        def trip(*_, trouble=trouble):
            raise trouble

        monkeypatch.setattr(fonts.TTFont, "getBestCmap", trip)
        with pytest.raises(BadInput, match="its character table cannot be read"):
            require_characters(bundled()["Inter Black"], "A")


# Missing characters.


@pytest.mark.parametrize("name", FACES)
def test_every_bundled_face_has_letters_and_digits(name):
    require_characters(bundled()[name], UPPER + string.digits)


def test_missing_characters_are_named_and_no_others():
    with pytest.raises(BadInput) as error:
        draw_glyphs(bundled()["Bebas Neue Bold"], 22, "A☃B", Ink.BINARY)
    assert str(error.value) == (
        "font 'Bebas Neue Bold': has no glyph for ☃; choose another font or take it out of the alphabet"
    )
    with pytest.raises(BadInput) as error:
        draw_glyphs(bundled()["Tomson Talks"], 22, "A☃BЖ9", Ink.GREY)
    assert str(error.value) == (
        "font 'Tomson Talks': has no glyph for ☃ Ж; choose another font or take them out of the alphabet"
    )
    require_characters(bundled()["DejaVu Sans Bold"], "A☃Ж")


def box_font(path: Path, boxes: dict[str, tuple | None], advance: int = 600) -> str:
    """A font of 1,000 units an em whose letters are rectangles: left, bottom, right, top; None for no ink."""
    glyphs = {}
    for name, box in {".notdef": (0, 0, 500, 700), **boxes}.items():
        pen = TTGlyphPen(None)
        if box:
            left, bottom, right, top = box
            pen.moveTo((left, bottom))
            for corner in ((left, top), (right, top), (right, bottom)):
                pen.lineTo(corner)
            pen.closePath()
        glyphs[name] = pen.glyph()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(list(glyphs))
    builder.setupCharacterMap({ord(letter): letter for letter in boxes})
    builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics({name: (advance, (boxes.get(name) or (0,))[0]) for name in glyphs})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Boxes", "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=800, usWinAscent=800, usWinDescent=200)
    builder.setupPost()
    builder.save(path)
    return str(path)


def test_a_letter_without_ink_is_refused(tmp_path):
    face = find_face(box_font(tmp_path / "boxes.ttf", {"A": (0, 0, 500, 700), "B": None}))
    with pytest.raises(BadInput, match="font 'Boxes': draws nothing for 'B' at size 20; choose another font"):
        draw_glyphs(face, 20, "AB", Ink.BINARY)


def test_bitmaps_are_cut_to_the_ink_and_placed_from_the_pen(tmp_path):
    face = find_face(box_font(tmp_path / "boxes.ttf", {"A": (50, 0, 550, 700), "B": (-100, -200, 300, 800)}))
    glyphs = draw_glyphs(face, 20, "AB", Ink.BINARY)
    a, b = glyphs.variant[-1].tolist()
    assert (glyphs.bitmaps[a].shape, glyphs.corners[a].tolist()) == ((14, 10), [2, 1])
    assert (glyphs.bitmaps[b].shape, glyphs.corners[b].tolist()) == ((20, 8), [0, -2])
    assert (glyphs.bitmaps[a] == 255).all() and (glyphs.bitmaps[b] == 255).all()
    assert glyphs.advance.tolist() == [12 * 64] * 2
    assert glyphs.kerning.tolist() == [[0, 0], [0, 0]]
    # A ends in column 10, where B after it begins: that column's rows are not inked twice.
    after = glyphs.bitmaps[glyphs.variant[0, 1]]
    assert (after[2:16, 0] == 0).all() and (after == 255).sum() == 20 * 8 - 14


@pytest.mark.parametrize("box", [(50, 0, 550, 2500), (0, -2500, 500, 700), (0, 0, 6000, 700)])
def test_a_letter_far_larger_than_its_em_is_not_cut(tmp_path, box):
    face = find_face(box_font(tmp_path / "boxes.ttf", {"A": box}))
    left, bottom, right, top = box
    try:
        glyphs = draw_glyphs(face, 20, "A", Ink.BINARY)
    except BadInput:
        return
    assert glyphs.bitmaps[glyphs.variant[-1, 0]].shape == ((top - bottom) // 50, (right - left) // 50)


# Words put together from letters.


def composed(glyphs, alphabet: str, text: str, picture: np.ndarray, row: int, column: int) -> np.ndarray:
    """The letters of `text` at their pens, in 1/64 px, into a picture of zeros; ink that meets adds up."""
    pen, previous = 0, len(alphabet)
    for number, letter in enumerate(map(alphabet.index, text)):
        if number:
            pen += int(glyphs.advance[previous] + glyphs.kerning[previous, letter])
        bitmap, (top, left) = (
            glyphs.bitmaps[glyphs.variant[previous, letter]],
            glyphs.corners[glyphs.variant[previous, letter]],
        )
        y, x = row + top, column + left + ((pen + 32) >> 6)
        part = picture[y : y + bitmap.shape[0], x : x + bitmap.shape[1]]
        np.copyto(part, np.minimum(part.astype(int) + bitmap, 255), casting="unsafe")
        previous = letter
    return picture


def drawn(font, text: str, shape: tuple[int, int], row: int, column: int, ink: Ink) -> np.ndarray:
    """The whole word by Pillow; binary as the book has it, ink 1 in a grey picture: 1 from half ink on."""
    picture = Image.new("L", shape[::-1])
    ImageDraw.Draw(picture).text((column, row), text, fill=1 if ink is Ink.BINARY else 255, font=font)
    return np.asarray(picture) * np.uint8(255 if ink is Ink.BINARY else 1)


def unlike(name: str, size: int, alphabet: str, texts: list[str], ink: Ink) -> list[tuple[str, int]]:
    """(text, number of pixels) of each text that does not come out as Pillow draws it."""
    face = bundled()[name]
    font = ImageFont.truetype(face.path, size, layout_engine=ImageFont.Layout.BASIC)
    glyphs = draw_glyphs(face, size, alphabet, ink)
    shape = (3 * size, 8 * size)
    found = []
    for text in texts:
        whole = drawn(font, text, shape, size, size, ink)
        differ = whole != composed(glyphs, alphabet, text, np.zeros(shape, np.uint8), size, size)
        if differ.any():
            found.append((text, int(differ.sum())))
    return found


@pytest.mark.parametrize("name", FACES)
def test_words_are_what_pillow_draws_pixel_for_pixel(name, words):
    assert unlike(name, 22, UPPER, words, Ink.BINARY) == []


@pytest.mark.parametrize("name", FACES)
def test_grey_words_are_what_pillow_draws_pixel_for_pixel(name, words):
    assert unlike(name, 22, UPPER, words, Ink.GREY) == []


@pytest.mark.parametrize("name", FACES)
def test_random_strings_are_what_pillow_draws_pixel_for_pixel(name):
    chance = random.Random(8)
    texts = ["".join(chance.choices(MIXED, k=chance.randint(1, 6))) for _ in range(150)]
    assert unlike(name, 27, MIXED, texts, Ink.BINARY) == []


def test_a_digest_is_of_all_that_is_drawn():
    face = bundled()["Inter Black"]
    glyphs = draw_glyphs(face, 22, "ABV", Ink.BINARY)
    assert draw_glyphs(face, 22, "ABV", Ink.BINARY).digest() == glyphs.digest()
    turned = [glyphs.bitmaps[0].copy(), *glyphs.bitmaps[1:]]
    turned[0][0, 0] ^= 1
    others = [
        draw_glyphs(face, 23, "ABV", Ink.BINARY),
        draw_glyphs(face, 22, "AVB", Ink.BINARY),
        draw_glyphs(face, 22, "ABV", Ink.GREY),
        draw_glyphs(bundled()["Inter Bold"], 22, "ABV", Ink.BINARY),
        replace(glyphs, bitmaps=turned),
        replace(glyphs, bitmaps=[glyphs.bitmaps[0].reshape(-1, 1), *glyphs.bitmaps[1:]]),
        *(replace(glyphs, **{name: getattr(glyphs, name) + 1}) for name in ("corners", "variant", "advance")),
        replace(glyphs, kerning=glyphs.kerning + 1),
    ]  # fmt: skip
    assert len({one.digest() for one in (glyphs, *others)}) == 1 + len(others)


def test_every_listed_face_is_named_as_in_a_manifest_that_has_it():
    listed = [font["name"] for font in profiles(fonts=True)["fonts"]]
    assert face_names(find_face(name).as_dict() for name in listed) == listed
    assert find_face("Prociono").style == "Regular" and "Prociono" in listed


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    """A file of two faces."""
    faces = [bundled()[name] for name in ("DejaVu Sans Bold", "Manrope ExtraBold")]
    made = TTCollection()
    made.fonts = [TTFont(face.path) for face in faces]
    path = tmp_path_factory.mktemp("fonts") / "two.ttc"
    made.save(path)
    return path


def test_a_face_of_a_collection_is_drawn_like_its_own_file(collection):
    for number, name in enumerate(("DejaVu Sans Bold", "Manrope ExtraBold")):
        face = find_face(f"{collection}#{number}")
        assert (face.name, face.path) == (name, f"{collection}#{number}")
        assert find_face(face.path) == face
        alone, there = draw_glyphs(bundled()[name], 24, "ABW", Ink.GREY), draw_glyphs(face, 24, "ABW", Ink.GREY)
        assert alone.digest() == there.digest()
    assert find_face(str(collection)).name == "DejaVu Sans Bold"


def test_a_face_that_a_collection_does_not_have_is_refused(collection, tmp_path):
    with pytest.raises(BadInput, match=r"two\.ttc#2: the number must be that of a face; the file has 2 faces, 0 to 1"):
        find_face(f"{collection}#2")
    with pytest.raises(NotThere, match=r"none.ttc: no such file"):
        find_face(str(tmp_path / "none.ttc#0"))
    os.mkfifo(tmp_path / "fifo.ttc")
    for name in ("fifo.ttc", "fifo.ttc#0"):  # a pipe without a writer was waited for, without an end
        with pytest.raises(BadInput, match=r"is a device, a pipe or a socket"):
            find_face(str(tmp_path / name))
    (tmp_path / "bad.ttc").write_bytes(b"no font")
    with pytest.raises(BadInput, match="cannot be read as a collection"):
        find_face(str(tmp_path / "bad.ttc#1"))
    with pytest.raises(BadInput, match="must be one of"):
        find_face(f"{collection}#x")


def test_the_number_of_a_face_past_the_list_is_damage():
    assert faces_of(np.array([1, 0, 1]), ["a", "b"]).tolist() == ["b", "a", "b"]
    with pytest.raises(Damaged, match=r"parameter font: must be a number below 2.*has 9.*verify --redraw"):
        faces_of(np.array([0, 9]), ["a", "b"])
    rows = np.zeros(3, [("font", "<u2"), ("shear", "<i2")])
    rows["font"][2] = 1
    with pytest.raises(Damaged, match="has 1"):
        list(plain_rows(rows, ("only",)))

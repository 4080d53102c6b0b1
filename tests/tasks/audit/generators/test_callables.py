"""What a callable may take, what it may return, and why it cannot be called."""

import base64
import io
import random
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from storage.errors import BadInput, NotThere
from tasks.audit.generators.own_generator import find_generator
from tasks.audit.generators.processes.callables import find_callable
from tasks.audit.generators.processes.counter_texts import generator_of, seed_of, text_of
from tasks.audit.generators.processes.limits import Limits, limits_of
from tasks.audit.generators.processes.picture_files import NoPicture
from tasks.audit.generators.processes.returned import unpack

SOURCE = """
import random
def both(text, rng): return text, rng
def turned(rng, text): return text, rng
def alone(text): return text
def free(rng): return rng
def seeded(word, seed, index): return word, seed, index
def defaults(chars, bg=None, rng=None): return chars, bg, rng
def optional(size=3, text="none"): return size, text
def keyword(*, text): return text
def place(text, /): return text
def standard(text, chance: random.Random): return chance.random()
def names(text, random): return random
def globally(text): return random.random()
def nothing(): return 1
class Maker:
    def __init__(self): self.made = 0
    def draw(self, chars): self.made += 1; return chars, self.made
    @staticmethod
    def still(text): return text
class Needs:
    def __init__(self, font): pass
    def draw(self, text): return text
maker = Maker()
number = 3
def wants(text, font): pass
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with modules whose names stand in the way of others'."""
    made = tmp_path_factory.mktemp("modules")
    for name in ("drawing", "types", "tasks"):
        (made / f"{name}.py").write_text(SOURCE)
    (made / "broken.py").write_text("import no_such_module\n")
    (made / "wrong.py").write_text("def draw(:\n")
    (made / "leaves.py").write_text("import sys\nprint('bye', file=sys.stderr)\nsys.exit('no licence')\n")
    (made / "dies.py").write_text("import os, sys\nprint('bye', file=sys.stderr)\nos._exit(3)\n")
    return made


@pytest.fixture
def call(folder, monkeypatch):
    """`call(name)`: what a function of the module returns for the text ABC, seed 1 and picture 5."""
    monkeypatch.setattr("sys.path", ["", *sys.path])
    return lambda name, text="ABC": find_callable(f"drawing:{name}", str(folder)).call(text, 1, 5)


def test_parameters_get_what_their_names_say(call):
    own, first = seed_of(1, 5), generator_of(1, 5).random()
    for name in ("both", "turned"):
        text, rng = call(name)
        assert (text, rng.random()) == ("ABC", first)
    assert call("alone") == call("keyword") == call("place") == call("Maker.still") == "ABC"
    assert call("free", None).random() == call("names").random() == first
    assert call("seeded") == ("ABC", own, 5)
    chars, ground, rng = call("defaults")
    assert (chars, ground, rng.random()) == ("ABC", None, first)
    assert call("optional") == (3, "ABC")
    assert call("Maker.draw") == call("maker.draw") == ("ABC", 1)
    assert call("standard") == call("globally") == random.Random(own).random()


def test_texts_depend_on_seed_and_index_alone():
    texts = [text_of(3, index, "ABC", (2, 5)) for index in range(3000)]
    assert texts == [text_of(3, index, "ABC", (5, 2)[::-1]) for index in range(3000)]
    assert {len(text) for text in texts} == {2, 5}
    assert abs(sum(len(text) == 2 for text in texts) - 1500) < 150
    letters = "".join(texts)
    assert all(abs(letters.count(letter) - len(letters) / 3) < 250 for letter in "ABC")
    assert text_of(4, 0, "ABCDEFGH", (8,)) != text_of(3, 0, "ABCDEFGH", (8,))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("drawing:bth", r"drawing has no 'bth'; did you mean 'both'\?; it has random, both, turned"),
        ("drawing:Maker", "is a class; name a method, such as drawing:Maker.draw"),
        ("drawing:number", "is no function but int"),
        ("drawing:Needs.draw", "cannot be made without arguments .*font.*docs/audit-generators.md"),
        ("drawing:wants", "takes 'font', which nobody gives; a generator takes text and rng"),
        ("absent:draw", "absent: no module of that name in .* give its file .draw.py:draw., or if another Python"),
        ("absent.py:draw", "absent.py: no such file"),
        ("no/absent:draw", "no/absent: no such file"),
    ],
)
def test_what_cannot_be_called_is_refused_with_its_remedy(folder, monkeypatch, given, said):
    monkeypatch.setattr("sys.path", ["", *sys.path])
    with pytest.raises((BadInput, NotThere), match=said):
        find_callable(given, str(folder))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("drawing:bth", r"^drawing:bth: drawing has no 'bth'"),
        ("broken:draw", "importing it raised ModuleNotFoundError: No module named 'no_such_module' .line 1 of broken"),
        ("wrong.py:draw", "importing it raised SyntaxError: .*line 1"),
        ("leaves:draw", "importing it raised SystemExit: no licence .line 3 of leaves.py"),
        ("dies:draw", "importing it ended its process: ended with exit code 3: bye"),
        ("draw", "must be module:function, such as draw:draw or draw.py:draw; it is 'draw'"),
    ],
)  # fmt: skip
def test_a_module_that_cannot_be_imported_is_told(folder, given, said):
    with pytest.raises(BadInput, match=said):
        find_generator(given, None, folder=folder)


@pytest.mark.slow
def test_modules_of_any_name_are_found_in_their_folder(folder):
    (folder / "a folder").mkdir()
    (folder / "a folder" / "types.py").write_text(SOURCE)
    for given in ("tasks:alone", "a folder/types.py:alone"):
        found = find_generator(given, None, folder=folder)
        assert (found.takes_text, found.takes_rng) == (True, False)
        assert len(found.source) == 64
        assert found.name.endswith(("tasks-alone", "types-alone"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"alphabet": ""}, "alphabet: must be 1 to 200 characters"),
        ({"alphabet": "ABA"}, "A comes again"),
        ({"alphabet": "A B"}, "no blank"),
        ({"lengths": ()}, "length: must be from 1 to 32"),
        ({"lengths": (0, 4)}, "length: must be from 1 to 32"),
        ({"lengths": (33,)}, "length: must be from 1 to 32"),
    ],
)
def test_options_that_break_their_rule_are_refused(folder, options, said):
    with pytest.raises(BadInput, match=said):
        find_generator(None, "true", folder=folder, **options)


def test_what_to_ask_for_goes_with_a_generator_that_can_be_asked(folder):
    for option in ({"alphabet": "ABC"}, {"lengths": (4,)}):
        with pytest.raises(BadInput, match=r"\{folder\} chooses its texts itself"):
            find_generator(None, "env true {count} {folder}", folder=folder, **option)
    with pytest.raises(BadInput, match="one of them"):
        find_generator("a:b", "true")


@pytest.mark.parametrize("value", ["0", "-1", "many", "nan", "inf"])
def test_limits_come_from_the_environment(value):
    assert limits_of({}) == Limits()
    found = limits_of({"CAPTCHAS_DRAW_SECONDS": "2.5", "CAPTCHAS_DRAW_BYTES": "5e8"})
    assert (found.seconds, found.memory) == (2.5, 500_000_000)
    with pytest.raises(BadInput, match=f"CAPTCHAS_DRAW_SECONDS: must be a number above 0; it is '{value}'"):
        limits_of({"CAPTCHAS_DRAW_SECONDS": value})


PICTURE = Image.effect_noise((20, 10), 60)
BUFFER = io.BytesIO()
PICTURE.save(BUFFER, "PNG")
DATA = BUFFER.getvalue()
GREY = np.asarray(PICTURE)


class Saves:
    """An object that can only save itself."""

    def save(self, file, format):
        PICTURE.save(file, format)


@pytest.mark.parametrize(
    "value",
    [
        PICTURE, GREY, GREY[..., None], GREY / 255, (GREY / 255).astype(np.float32), GREY.astype(int), DATA,
        bytearray(DATA), io.BytesIO(DATA), Saves(), "data:image/png;base64," + base64.b64encode(DATA).decode(),
        {"image": PICTURE}, SimpleNamespace(image=PICTURE),
    ],
)  # fmt: skip
def test_pictures_come_in_many_kinds(value):
    _, data = unpack(value, 1000)
    with Image.open(io.BytesIO(data)) as image:
        assert np.array_equal(np.asarray(image.convert("L")), GREY)


def test_the_portable_formats_become_png():
    buffer = io.BytesIO()
    PICTURE.save(buffer, "PPM")
    assert buffer.getvalue().startswith(b"P5")
    _, data = unpack(buffer, 1000)
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.size) == ("PNG", (20, 10))
        assert np.array_equal(np.asarray(image), GREY)
    with pytest.raises(NoPicture, match=r"truncated|not enough"):
        unpack(buffer.getvalue()[:-5], 1000)


def test_texts_come_before_or_behind_a_picture_or_by_name(tmp_path):
    (tmp_path / "x.png").write_bytes(DATA)
    for value in [
        ("ABC", PICTURE), (PICTURE, "ABC"), ["ABC", DATA], ("ABC", str(tmp_path / "x.png")),
        (str(tmp_path / "x.png"), "ABC"), {"text": "ABC", "image": GREY},
        SimpleNamespace(image=PICTURE, characters="ABC"),
    ]:  # fmt: skip
        assert unpack(value, 1000)[0] == "ABC"
    assert unpack(tmp_path / "x.png", 1000) == (None, DATA)
    assert unpack((12, PICTURE), 1000)[0] == unpack({"answer": 12, "image": PICTURE}, 1000)[0] == "12"


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "F", "I;16"])
def test_images_of_every_mode_become_files(mode):
    source = PICTURE if mode in ("F", "I;16", "1", "P", "L") else PICTURE.convert("RGB")
    image = source.convert(mode) if mode != "I;16" else source.convert("I").convert("I;16")
    _, data = unpack(image, 1000)
    with Image.open(io.BytesIO(data)) as found:
        assert found.size == (20, 10)
    red = Image.new("RGBA", (3, 3), (255, 0, 0, 0))
    with Image.open(io.BytesIO(unpack(red, 1000)[1])) as found:
        assert found.getpixel((0, 0)) == (255, 0, 0, 0)


def test_arrays_of_booleans_and_with_the_channels_first_are_pictures():
    with Image.open(io.BytesIO(unpack(GREY > 128, 1000)[1])) as image:
        assert np.array_equal(np.asarray(image) == 255, GREY > 128)
    colours = np.stack([GREY, GREY // 2, GREY // 3])
    with Image.open(io.BytesIO(unpack(colours, 1000)[1])) as image:
        assert np.array_equal(np.asarray(image), np.moveaxis(colours, 0, 2))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (3, "int"), (np.zeros((2, 2, 2, 2)), "shape"), (np.zeros((0, 4)), "shape"), (GREY * np.nan, "nan"),
        (GREY.astype(int) - 300, "-300"), (GREY.astype(complex), "complex"), ("no file", "'no file'"),
        ((1.5, None), r"a pair of float and nothing \(None\)"),
        ({"text": "A"}, r"nothing \(None\)"), (Image.new("L", (0, 4)), "0 x 4"),
        ("data:image/png;base64,!", "not base64"),
    ],
)  # fmt: skip
def test_what_is_no_picture_is_told(value, said):
    with pytest.raises(NoPicture, match=said):
        unpack(value, 1000)

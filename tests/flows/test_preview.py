"""`captchas preview`: a contact sheet at once, of the pictures that a dataset would begin with."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flows.preview import preview
from storage.errors import BadInput
from tasks.datasets.recipe import make_recipe, renderer_of
from tasks.datasets.samples import first_pictures
from tasks.profiles import materials
from tasks.profiles.fonts import find_face
from tasks.profiles.profile import Profile
from tasks.profiles.ranges import Grid

FACES = ("Inter Black", "Goudy Bookletter 1911", "DejaVu Sans Bold")
PLAIN = Profile("plain", fonts=FACES, alphabet="AVTJjfo", length=(3, 5), width=144, left=3, scale=Grid(100, 120, 10))


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("CAPTCHAS_HOME", str(tmp_path))


def test_it_says_where_the_sheet_is_and_what_it_shows(tmp_path):
    told = preview("letters", count=3, seed=2)
    assert told["contact_sheet"] == str(tmp_path / "reports" / "preview" / "letters.png")
    assert (told["profile"], told["seed"], told["pictures"]) == ("letters", 2, 3)
    with Image.open(told["contact_sheet"]) as sheet:
        assert sheet.format == "PNG"
        one_row = sheet.size
    assert [path.name for path in (tmp_path / "reports" / "preview").iterdir()] == ["letters.png"]
    more = preview("letters", count=20, seed=2, out=tmp_path / "own.png")
    assert more["contact_sheet"] == str(tmp_path / "own.png")
    assert more["texts"][:3] == told["texts"]
    with Image.open(tmp_path / "own.png") as sheet:
        assert sheet.height > one_row[1]


def test_a_toml_file_with_other_faces_and_words(tmp_path):
    (tmp_path / "mine.toml").write_text('based_on = "book"\nwidth = 120\n')
    (tmp_path / "words.txt").write_text("BONE\nCAKE\n")
    told = preview(str(tmp_path / "mine.toml"), count=5, font=["Inter Bold"], words=str(tmp_path / "words.txt"))
    assert told["profile"] == "mine"
    assert set(told["texts"]) <= {"BONE", "CAKE"}


def test_a_sheet_replaces_nothing_that_it_is_drawn_from(tmp_path):
    font, words, mine = (tmp_path / name for name in ("face.ttf", "words", "mine.toml"))
    font.write_bytes(Path(find_face("Inter Black").path).read_bytes())
    words.write_text("BONE\nCAKE\n")
    mine.write_text(f'based_on = "book"\nwords = "{words}"\n')
    before = font.read_bytes()
    for profile, out, more in (
        ("book", font, {"font": [str(font)]}), ("book", font, {"font": [f"{font}#0"]}),
        ("book", words, {"words": str(words)}), (str(mine), words, {}), (str(mine), mine, {}),
    ):  # fmt: skip
        with pytest.raises(BadInput, match="out: must not be a file that is read"):
            preview(profile, out=out, **more)
    assert (font.read_bytes(), words.read_text()) == (before, "BONE\nCAKE\n")


PAINTED = {
    "height": 80, "top": 4, "width": 200, "place_y": Grid(0, 100), "place_x": Grid(0, 100), "own_faces": True,
    "weight": Grid(-6, 6, 6), "hollow": Grid(0, 12, 12), "shadow_y": Grid(0, 2), "shadow_weight": Grid(0, 9, 9),
}  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {}, {"rotation": Grid(-9, 9), "height": 50, "top": 9, "left": 9, "width": 160}, PAINTED,
        PAINTED | {"decoys": Grid(2, 9), "length": (1, 1)},
    ],
)  # fmt: skip
def test_the_pictures_are_the_first_of_the_dataset(changes):
    """Letters that touch are drawn as pairs, and each face appears: nothing that was left out shows."""
    profile = Profile(**vars(PLAIN) | changes)
    shown = first_pictures(profile, 5, 40)
    drawn = renderer_of(make_recipe(profile, 5)).block(5, 0, 40)
    for ours, theirs in zip(shown, drawn, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert set(shown.parameters["font"]) == {0, 1, 2}


def test_few_pairs_and_faces_are_drawn(monkeypatch):
    """Every pair in every face of the ladder takes seconds, and a sheet shows a few."""
    pairs = []

    def counting(*arguments):
        pairs.append(len(arguments[-1]))
        return real(*arguments)

    real = materials.draw_glyphs
    monkeypatch.setattr(materials, "draw_glyphs", counting)
    first_pictures(Profile(**vars(PLAIN) | {"fonts": ("Inter Black", *FACES[1:]) * 3}), 5, 2)
    assert len(pairs) <= 3
    assert max(pairs) <= 2 * 4


def test_only_letters_that_are_shown_are_made_heavier_and_hollow(monkeypatch):
    """A face has hundreds of letters and weights, and a sheet shows a few; their sizes decide what fits."""
    from tasks.drawing.painting import weights

    made = []

    def counting(*arguments):
        made.append(arguments)
        return real(*arguments)

    real = weights.weighted
    monkeypatch.setattr(weights, "weighted", counting)
    profile = Profile(**vars(PLAIN) | PAINTED | {"own_faces": False})
    shown = first_pictures(profile, 5, 2)
    letters = set("".join(shown.texts()))
    kinds = 3 * 2 + 1
    assert 0 < len(made) <= kinds * len(letters) * 2
    assert len(letters) < len(profile.alphabet)


@pytest.mark.parametrize(("weight", "hollow"), [(0, 0), (7, 0), (-7, 0), (0, 12), (20, 30), (-13, 9)])
def test_letters_that_are_not_shown_have_their_size(weight, hollow):
    from tasks.drawing.painting.weights import join

    bitmaps = [np.full((30, 12 + k), 255, np.uint8) for k in range(3)]
    every, some = (join(bitmaps, [(0, 0), (weight, hollow)], used) for used in (None, np.array([True, False, False])))
    np.testing.assert_array_equal(some.shapes, every.shapes)
    assert len(some.texels) < len(every.texels)
    shown = [found.texels[found.first[3] : found.first[4]] for found in (some, every)]
    np.testing.assert_array_equal(*shown)


def test_what_cannot_be_drawn_is_told():
    with pytest.raises(BadInput, match="past the right edge"):
        first_pictures(Profile(**vars(PLAIN) | {"width": 60}), 1, 8)
    with pytest.raises(BadInput, match=r"count: must be from 1 to 1,024 pictures; it is 1025"):
        first_pictures(PLAIN, 1, 1025)


def test_the_child_that_finds_faces_and_words_begins_before_numba_is_imported():
    code = (
        "import sys, flows.preview as command\n"
        "def early(work):\n"
        "    print('numba' in sys.modules)\n"
        "    return Forked(work)\n"
        "Forked, command.Forked = command.Forked, early\n"
        "print(len(command.preview('book', count=1)['texts']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert done.stdout.split() == ["False", "1"], done.stderr

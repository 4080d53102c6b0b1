import json
import shutil
from dataclasses import replace
from hashlib import sha256

import pytest

from storage.errors import BadInput, Different, GlyphsDiffer, NotThere
from storage.shards.manifest import Manifest
from storage.texts import canonical
from tasks.datasets import recipe as recipes
from tasks.datasets.recipe import identity_differences, identity_of, make_recipe, renderer_of, require_same, software
from tasks.profiles.fonts import bundled, find_face
from tasks.profiles.glyphs import GlyphSet
from tasks.profiles.profile import Grid, Ink, Profile

BASE = Profile("base", alphabet="ABC", length=(1, 2), width=54, shear=Grid(0, 200, 100), scale=Grid(50, 100, 25))


def listed(folder, name: str, text: str) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def test_the_identity_is_canonical_and_its_digest_is_its_sha256(recipe):
    content = json.loads(recipe.identity)
    assert canonical(content) == recipe.identity
    assert recipe.digest == sha256(recipe.identity.encode()).hexdigest()
    assert set(content) == {"format", "profile", "words", "fonts", "renderer", "seed"}
    assert content["seed"] == 7 and content["words"] is None
    assert content["profile"] == recipe.profile.as_dict()
    (font,) = content["fonts"]
    assert font["sha256"] == bundled()["Inter Black"].sha256
    assert set(font) == {"family", "style", "sha256", "bitmaps"}


def test_the_identity_holds_no_path(tmp_path):
    shutil.copy(bundled()["Play Bold"].path, tmp_path / "mine.otf")
    profile = replace(BASE, fonts=(str(tmp_path / "mine.otf"), "Inter Black"), words=listed(tmp_path, "w.txt", "AB\nC"))
    recipe = make_recipe(profile, 1)
    content = json.loads(recipe.identity)
    assert content["profile"]["fonts"] == ["Play Bold", "Inter Black"]
    assert content["profile"]["words"] == "list"
    for part in ("/", "mine", "w.txt", tmp_path.name, ".otf"):
        assert part not in recipe.identity


def test_the_same_font_by_name_and_by_path_is_the_same_recipe(tmp_path):
    shutil.copy(bundled()["Inter Black"].path, tmp_path / "copy.otf")
    by_path = make_recipe(replace(BASE, fonts=(str(tmp_path / "copy.otf"),)), 1)
    by_name = make_recipe(BASE, 1)
    assert by_path.identity == by_name.identity
    assert renderer_of(by_path).block(1, 0).digest() == renderer_of(by_name).block(1, 0).digest()


def test_a_word_list_is_known_by_its_words_and_not_by_its_file(tmp_path):
    lists = [
        listed(tmp_path, "a.txt", "AB\nC\nBA\n"),
        listed(tmp_path, "deep/b.txt", "\ufeffba\r\n\r\nC\r\nAB\r\nC"),
    ]
    one, two = (make_recipe(replace(BASE, words=path), 1) for path in lists)
    assert one.identity == two.identity
    assert renderer_of(one).block(1, 0).digest() == renderer_of(two).block(1, 0).digest()


OTHERS = {
    "seed": (BASE, 2),
    "name": (replace(BASE, name="other"), 1),
    "fonts": (replace(BASE, fonts=("Inter Bold",)), 1),
    "two fonts": (replace(BASE, fonts=("Inter Black", "Inter Bold")), 1),
    "size": (replace(BASE, font_size=21), 1),
    "alphabet": (replace(BASE, alphabet="ABD"), 1),
    "order of the alphabet": (replace(BASE, alphabet="ACB"), 1),
    "length": (replace(BASE, length=(2, 2)), 1),
    "height": (replace(BASE, height=31), 1),
    "width": (replace(BASE, width=55), 1),
    "left": (replace(BASE, left=1), 1),
    "shear": (replace(BASE, shear=Grid(0, 100, 100)), 1),
    "step": (replace(BASE, scale=Grid(50, 100, 50)), 1),
    "ink": (replace(BASE, ink=Ink.GREY), 1),
    "words": (replace(BASE, words="web2"), 1),
}


def test_whatever_changes_the_pictures_changes_the_identity(tmp_path):
    found = {"base": make_recipe(BASE, 1)} | {name: make_recipe(*other) for name, other in OTHERS.items()}
    for name, text in {"list": "AB\nC", "longer list": "AB\nC\nCA"}.items():
        found[name] = make_recipe(replace(BASE, words=listed(tmp_path, f"{name}.txt", text)), 1)
    assert len({recipe.digest for recipe in found.values()}) == len(found)


@pytest.mark.parametrize("seed", [-1, 2**63, 2**64])
def test_a_seed_out_of_range_is_refused(seed):
    with pytest.raises(BadInput, match=rf"seed: must be a whole number from 0 to 2\*\*63 - 1; it is {seed}"):
        make_recipe(BASE, seed)


@pytest.mark.parametrize("seed", [0, 2**63 - 1])
def test_the_outermost_seeds_draw(seed):
    recipe = make_recipe(BASE, seed)
    assert renderer_of(recipe).block(seed, 0).images.any()


def test_what_a_profile_names_must_be_there(tmp_path):
    for change, raised in (
        ({"fonts": ("Inter Blck",)}, BadInput),
        ({"fonts": (str(tmp_path / "none.otf"),)}, NotThere),
        ({"words": str(tmp_path / "none.txt")}, NotThere),
        ({"fonts": ("Tomson Talks",), "alphabet": "AЖ"}, BadInput),
    ):
        with pytest.raises(raised):
            make_recipe(replace(BASE, **change), 1)


# Another machine.


def test_a_machine_that_draws_other_bitmaps_refuses(recipe, monkeypatch, elsewhere):
    monkeypatch.setattr(GlyphSet, "digest", lambda self: "0" * 64)
    with pytest.raises(GlyphsDiffer) as error:
        renderer_of(recipe)
    there = json.loads(recipe.identity)["fonts"][0]["bitmaps"]
    assert str(error.value) == (
        "profile 'small': this machine would draw other pictures: "
        f"fonts[0].bitmaps: {there!r} there, {'0' * 64!r} here. "
        "Install the same fonts and versions as where the dataset was begun"
    )


def test_one_pixel_is_enough(recipe, monkeypatch, elsewhere):
    plain = recipes.draw_glyphs

    def drawn(*arguments):
        glyphs = plain(*arguments)
        glyphs.bitmaps[0][0, 0] ^= 1
        return glyphs

    monkeypatch.setattr(recipes, "draw_glyphs", drawn)
    with pytest.raises(GlyphsDiffer, match=r"fonts\[0\]\.bitmaps"):
        renderer_of(recipe)
    monkeypatch.undo()
    elsewhere()
    assert renderer_of(recipe).block(7, 0).images.any()


def test_another_font_file_or_word_list_under_the_same_path_refuses(tmp_path, elsewhere):
    font, words = tmp_path / "font.otf", tmp_path / "words.txt"
    shutil.copy(bundled()["Inter Black"].path, font)
    words.write_text("AB\nC")
    recipe = make_recipe(replace(BASE, fonts=(str(font),), words=str(words)), 1)
    shutil.copy(bundled()["Inter Bold"].path, font)
    words.write_text("AB\nC\nA")
    elsewhere()
    with pytest.raises(GlyphsDiffer) as error:
        renderer_of(recipe)
    for field in ("fonts[0].bitmaps", "fonts[0].sha256", "fonts[0].style: 'Black' there, 'Bold' here", "words: "):
        assert field in str(error.value)


def test_a_word_list_that_was_edited_is_read_again_in_the_same_process(tmp_path):
    """As in a notebook, or on a Dask worker that outlives the run."""
    profile = replace(BASE, words=listed(tmp_path, "words.txt", "AB\nC"))
    before = make_recipe(profile, 1)
    listed(tmp_path, "words.txt", "AB\nC\nA")
    assert make_recipe(profile, 1).identity != before.identity


def test_glyphs_are_drawn_once_while_fonts_and_words_stay_the_same(tmp_path, monkeypatch, elsewhere):
    drawn, plain = [], recipes.draw_glyphs
    monkeypatch.setattr(recipes, "draw_glyphs", lambda face, *rest: drawn.append(face.name) or plain(face, *rest))
    font, words = tmp_path / "mine.otf", tmp_path / "words.txt"
    shutil.copy(bundled()["Inter Black"].path, font)
    words.write_text("AB\nC")
    profile = replace(BASE, fonts=(str(font), "Play Bold"), words=str(words))
    first = make_recipe(profile, 1)
    assert drawn == ["Inter Black", "Play Bold"]
    assert make_recipe(profile, 1) == first
    renderer = renderer_of(first)
    other_seed = make_recipe(profile, 2)
    assert renderer_of(other_seed) is renderer
    assert len(drawn) == 2
    words.write_text("AB\nA")  # as long as before
    assert make_recipe(profile, 1).identity != first.identity
    assert len(drawn) == 4
    shutil.copy(bundled()["Inter Bold"].path, font)
    make_recipe(profile, 1)
    assert drawn[4:] == ["Inter Bold", "Play Bold"]


# Differences.


def test_differences_name_fields():
    a = json.loads(make_recipe(BASE, 1).identity)
    assert identity_differences(a, a) == []
    other = replace(BASE, height=31, shear=Grid(0, 100, 100), words="web2")
    found = identity_differences(a, json.loads(make_recipe(other, 2).identity))
    assert [line.partition(":")[0] for line in found] == [
        "profile.height", "profile.shear.stop", "profile.words", "seed", "words"
    ]  # fmt: skip
    assert found[0] == "profile.height: 30 there, 31 wanted"
    assert found[3] == "seed: 1 there, 2 wanted"


def test_differences_of_fonts():
    a, b, c = (
        json.loads(make_recipe(replace(BASE, fonts=names), 1).identity)
        for names in (("Inter Black",), ("Inter Bold",), ("Inter Black", "Play Bold"))
    )
    assert [line.partition(":")[0] for line in identity_differences(a, b)] == [
        "fonts[0].bitmaps", "fonts[0].sha256", "fonts[0].style", "profile.fonts"
    ]  # fmt: skip
    assert identity_differences(a, c) == [
        "fonts: 1 there, 2 wanted",
        "profile.fonts: ['Inter Black'] there, ['Inter Black', 'Play Bold'] wanted",
    ]


def test_differences_of_a_field_that_only_one_has():
    assert identity_differences({"a": 1}, {"a": 1, "b": 2}) == ["b: not set there, 2 wanted"]
    assert identity_differences({"b": "test"}, {"b": None}) == ["b: 'test' there, not set now"]


def test_require_same(recipe, tmp_path):
    there = json.loads(recipe.identity)
    require_same(there, recipe, tmp_path)
    with pytest.raises(Different) as error:
        require_same(there | {"seed": 9, "renderer": 0}, recipe, tmp_path)
    assert str(error.value).startswith(f"{tmp_path}: holds another dataset (renderer: 0 there, ")
    assert "; seed: 9 there, 7 wanted); give another folder with --out" in str(error.value)
    assert error.value.exit_code == 2


def test_a_manifest_adds_up_to_the_identity(recipe):
    content = json.loads(recipe.identity)
    manifest = Manifest(
        identity=recipe.digest, profile=content["profile"], seed=7, count=0, content="", fonts=content["fonts"],
        software={}, statistics={}, shards=[], words=content["words"], renderer=content["renderer"],
    )  # fmt: skip
    assert canonical(identity_of(manifest)) == recipe.identity


def test_software_names_what_has_a_hand_in_the_pictures():
    found = software()
    assert {"pillow", "freetype", "numpy", "numba", "h5py", "isal", "blake3", "beating-captchas"} == set(found)
    assert all(isinstance(version, str) and version[0].isdigit() for version in found.values())


def test_relative_paths_are_made_absolute_for_workers_and_leave_the_identity_alone(tmp_path, monkeypatch):
    shutil.copy(find_face("Inter Black").path, tmp_path / "face.ttf")
    (tmp_path / "list.txt").write_text("ab\nba\n")
    monkeypatch.chdir(tmp_path)
    profile = replace(BASE, fonts=("face.ttf", "Karla ExtraBold"), words="list.txt", length=(2, 2), width=80)
    recipe = make_recipe(profile, 1)
    assert recipe.profile.fonts == (str(tmp_path / "face.ttf"), "Karla ExtraBold")
    assert recipe.profile.words == str(tmp_path / "list.txt")
    absolute = replace(profile, fonts=recipe.profile.fonts, words=recipe.profile.words)
    monkeypatch.chdir("/")
    assert make_recipe(absolute, 1).identity == recipe.identity
    renderer_of(recipe)

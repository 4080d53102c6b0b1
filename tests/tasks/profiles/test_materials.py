from dataclasses import replace

import pytest

from storage.errors import BadInput, NotThere
from tasks.datasets.samples import first_pictures
from tasks.forks import Forked
from tasks.profiles.built_in import find_profile
from tasks.profiles.glyphs import draw_glyphs
from tasks.profiles.materials import find_materials

PAIRS = frozenset([("A", "V"), ("V", "A"), ("T", "o"), ("f", "i")])
PAINTED = replace(find_profile("wild"), fonts=("Tuffy Bold", "Prociono", "OCR B"))


def test_letters_that_were_drawn_alone_get_their_kerning_later():
    early, late = find_materials(PAINTED), find_materials(PAINTED, letters=False)
    assert early.faces == late.faces
    assert len(early.letters) == 3
    assert not late.letters
    for number, face in enumerate(early.faces):
        wanted = draw_glyphs(face, PAINTED.font_size, PAINTED.alphabet, PAINTED.ink, True, PAIRS)
        assert early.glyphs_of(PAINTED, number, PAIRS).digest() == wanted.digest()
        assert late.glyphs_of(PAINTED, number, PAIRS).digest() == wanted.digest()
    assert early.letters[0].digest() != early.glyphs_of(PAINTED, 0, PAIRS).digest()  # it kerns


def test_letters_that_share_pixels_and_those_of_many_faces_are_not_drawn_early(monkeypatch):
    assert not find_materials(find_profile("hard")).letters
    monkeypatch.setattr("tasks.profiles.materials._MOST_FACES", 2)
    assert not find_materials(PAINTED).letters


@pytest.mark.parametrize("name", ["wild", "hard", "strings"])
def test_a_child_finds_what_this_process_would(name):
    profile = find_profile(name)
    with Forked(lambda: find_materials(profile)) as begun:
        own, childs = first_pictures(profile, 5, 8), first_pictures(profile, 5, 8, begun)
    assert (own.images == childs.images).all()
    assert own.texts() == childs.texts()


@pytest.mark.parametrize(
    ("change", "error"),
    [({"words": "none.txt"}, NotThere), ({"fonts": ("No Such Face",)}, BadInput), ({"alphabet": "字"}, BadInput)],
)
def test_what_a_child_refuses_is_refused_here(change, error):
    wrong = replace(PAINTED, **change)
    with pytest.raises(error), Forked(lambda: find_materials(wrong)) as begun:
        first_pictures(wrong, 5, 8, begun)

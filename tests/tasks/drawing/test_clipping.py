"""What the fit lets through loses no pixel; what it refuses is named with edge and pixels."""

import re
from dataclasses import replace

import numpy as np
import pytest

from storage.errors import BadInput
from tasks.drawing.clipping import check_fit
from tasks.drawing.renderer import Renderer
from tasks.forks import in_two
from tasks.profiles.fonts import find_face
from tasks.profiles.glyphs import GlyphSet, draw_glyphs
from tasks.profiles.profile import Grid, Profile
from tasks.profiles.ranges import OFF

WORDS = ("WAJ", "JIM", "LAY", "MEW")
ALPHABET = "AEIJLMWY"
BASE = Profile("fit", words="list", alphabet=ALPHABET, length=(3, 3), height=20, width=20, shear=Grid(0, 300, 100),
               scale=Grid(100, 100))  # fmt: skip
TURNED = {"rotation": Grid(-30, 30, 5), "move_y": Grid(-5, 4), "move_x": Grid(-6, 3)}
CASES = {
    "plain": BASE,
    "rotation": replace(BASE, rotation=Grid(-30, 30, 5)),
    "moves": replace(BASE, move_y=Grid(-5, 4), move_x=Grid(-6, 3)),
    "tracking": replace(BASE, tracking=Grid(-6, 5)),
    "overlap": replace(BASE, overlap=Grid(-2, 3)),
    "waves": replace(BASE, wave_y=Grid(0, 60, 10), wave_x=Grid(0, 50, 10), wave_length=Grid(60, 80)),
    "leaning left": replace(BASE, shear=Grid(-400, -100, 100), rotation=Grid(-10, 10, 5)),
    "any scale": replace(BASE, scale=Grid(50, 170, 7), **TURNED),
    "random strings": replace(BASE, words="", length=(1, 3), tracking=Grid(-3, 3), rotation=Grid(-10, 10, 5)),
    "random by ink": replace(BASE, words="", length=(1, 3), overlap=Grid(1, 3), rotation=Grid(-10, 10, 5)),
    "all": replace(BASE, tracking=Grid(-2, 4), wave_y=Grid(0, 30, 5), wave_x=Grid(0, 30, 5), **TURNED),
}


@pytest.fixture(scope="module")
def glyphs() -> GlyphSet:
    return draw_glyphs(find_face(BASE.fonts[0]), BASE.font_size, ALPHABET, BASE.ink)


def renderer_for(profile: Profile, glyphs: GlyphSet) -> Renderer:
    return Renderer(profile, (find_face(profile.fonts[0]),), (glyphs,), WORDS if profile.words else ())


def tightest(profile: Profile, glyphs: GlyphSet) -> Profile:
    """Give each edge what the error says that it lacks, until there is none."""
    for _ in range(30):
        try:
            renderer_for(profile, glyphs)
        except BadInput as error:
            pixels, edge = re.search(r"reaches (\d+) px past the (\w+) edge", str(error)).groups()
            size, start = {"left": ("width", "left"), "right": ("width", None), "top": ("height", "top"),
                           "bottom": ("height", None)}[edge]  # fmt: skip
            profile = replace(profile, **{name: getattr(profile, name) + int(pixels) for name in (size, start) if name})
        else:
            return profile
    raise AssertionError("never fits")


@pytest.mark.parametrize("profile", CASES.values(), ids=CASES)
def test_what_fits_loses_nothing(profile, glyphs):
    """A larger picture holds no ink that the fitting one lacks, and the fit is not wasteful."""
    tight = tightest(profile, glyphs)
    renderer, wide = (
        renderer_for(tight, glyphs),
        renderer_for(replace(tight, width=tight.width + 30, height=tight.height + 30), glyphs),
    )
    blocks = [(renderer.block(1, number), wide.block(1, number)) for number in range(2)]
    least = np.full(2, 99)
    for block, larger in blocks:
        assert (block.images.sum(axis=(1, 2)) == larger.images.sum(axis=(1, 2))).all()
        assert (block.boxes == larger.boxes).all()
        boxes = np.where(block.boxes < 0, 0, block.boxes).astype(int)
        sizes = np.stack([block.parameters["height"], block.parameters["width"]], axis=1).astype(int)
        least = np.minimum(least, (sizes - boxes[..., 2:].max(axis=1)).min(axis=0))
    # Chance seldom finds the worst case of many ranges at once.
    assert (least >= 0).all()
    assert (least <= (3 if len(profile.as_dict()) <= len(BASE.as_dict()) + 1 else 14)).all(), least


@pytest.mark.parametrize("name", ["plain", "rotation", "moves", "tracking", "overlap", "leaning left"])
def test_what_fits_loses_nothing_on_the_left_and_at_the_top(name, glyphs):
    """Further right and, without shear, further down everything is the same."""
    tight = tightest(CASES[name], glyphs)
    block = renderer_for(tight, glyphs).block(1, 0)
    right = renderer_for(replace(tight, left=tight.left + 9, width=tight.width + 9), glyphs).block(1, 0)
    assert (right.images[:, :, 9:] == block.images).all()
    assert not right.images[:, :, :9].any()
    upright = tightest(replace(CASES[name], shear=OFF), glyphs)
    block = renderer_for(upright, glyphs).block(1, 0)
    down = renderer_for(replace(upright, top=upright.top + 9, height=upright.height + 9), glyphs).block(1, 0)
    assert (down.images[:, 9:] == block.images).all()
    assert not down.images[:, :9].any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"height": 40, "width": 70}, r"reaches \d+ px past the left edge.*a larger left"),
        (
            {"height": 40, "width": 70, "left": 20},
            r"'\w+' in Inter Black reaches \d+ px past the right edge at shear 300",
        ),
        ({"height": 40, "width": 150, "left": 20}, r"past the top edge.*a larger top, or less rotation"),
        ({"height": 30, "width": 150, "left": 20, "top": 12}, r"past the bottom edge"),
    ],
)
def test_what_does_not_fit_names_the_edge(change, message, glyphs):
    with pytest.raises(BadInput, match=message):
        renderer_for(replace(BASE, rotation=Grid(-30, 30), move_y=Grid(-3, 3), **change), glyphs)


@pytest.mark.parametrize("name", CASES)
def test_all_edges_are_named_at_once_with_a_picture_that_would_do(name, glyphs):
    small = replace(CASES[name], height=12, width=20)
    with pytest.raises(BadInput) as error:
        renderer_for(small, glyphs)
    said = str(error.value)
    named = set(re.findall(r"past the (\w+) edge", said))
    assert len(named) == said.count(" edge at ") >= 2  # each once
    fits = re.search(r"fit with height = (\d+), width = (\d+), left = (\d+), top = (\d+)", said)
    sizes = dict(zip(("height", "width", "left", "top"), map(int, fits.groups()), strict=True))
    renderer_for(replace(small, **sizes), glyphs)
    assert all(edge in named for edge in ("left", "top") if sizes[edge] > getattr(small, edge))


def test_letters_must_keep_their_order(glyphs):
    with pytest.raises(
        BadInput, match=r"overlap: must be less than the narrowest letter, 'I' in Inter Black, is wide, 4\.0 px"
    ):
        renderer_for(replace(BASE, overlap=Grid(0, 4), height=60, width=200, left=30, top=10), glyphs)
    renderer_for(replace(BASE, overlap=Grid(0, 3), height=60, width=200, left=30, top=10), glyphs)


def test_letters_that_are_fitted_to_the_picture_must_keep_their_order(glyphs):
    wide = replace(BASE, height=60, width=200, size=Grid(50, 100, 10))
    with pytest.raises(
        BadInput, match=r"overlap: .* narrowest letter, 'I' in Inter Black, is wide, 2\.0 px, or letters"
    ):
        renderer_for(replace(wide, overlap=Grid(0, 2)), glyphs)
    renderer_for(replace(wide, overlap=Grid(0, 1)), glyphs)


def test_tracking_must_not_set_letters_before_their_predecessors(glyphs):
    for fits in ({}, {"size": Grid(100, 110)}):
        wide = replace(BASE, height=60, width=200, left=60, top=10, **fits)
        rule = r"tracking: must be a smaller step back than the usual letter, '.' in Inter Black, is wide, \d+\.\d px"
        with pytest.raises(BadInput, match=rule):
            renderer_for(replace(wide, tracking=Grid(-18, 0)), glyphs)
        renderer_for(replace(wide, tracking=Grid(-12, 0)), glyphs)


@pytest.mark.parametrize(
    ("fits", "fields"),
    [
        ({"rotation": Grid(0, 180, 90)}, {"rotation": Grid(0, 180, 45)}),  # widest in between, not at its ends
        ({"move_y": Grid(20, 20)}, {"move_y": Grid(-20, 20, 20)}),  # letters apart, not all of them lower
        ({"move_x": Grid(60, 60)}, {"move_x": Grid(-60, 60, 60)}),
    ],
    ids=lambda fields: "-".join(fields),
)
def test_texts_are_refused_that_would_be_drawn_too_small_where_they_need_most_room(fits, fields, glyphs):
    small = replace(BASE, height=14, width=60, shear=OFF, size=Grid(150, 150))
    renderer_for(replace(small, **fits), glyphs)
    with pytest.raises(BadInput, match=r"would be drawn at \d+ % of its size, and must be at 30 % or more"):
        renderer_for(replace(small, **fields), glyphs)


def test_noise_needs_no_room(glyphs):
    tight = tightest(BASE, glyphs)
    renderer_for(replace(tight, lines=Grid(5, 5), specks=Grid(9, 9), blur=Grid(3, 3), background=Grid(9, 9)), glyphs)


def test_words_of_a_single_letter_are_checked_to_their_end():
    profile = replace(BASE, alphabet="M", words="list", length=(1, 3))
    glyphs = draw_glyphs(find_face(BASE.fonts[0]), BASE.font_size, "M", BASE.ink)
    with pytest.raises(BadInput, match="'MMM' in"):
        Renderer(profile, (find_face(profile.fonts[0]),), (glyphs,), ("M", "MMM"))


def test_faces_are_checked_alike_in_two_processes():
    """A sheet at once checks half of the faces in a forked child; the same text, face and edge must be told."""
    narrow = replace(BASE, width=14, fonts=("Inter Black", "Tuffy Bold", "Prociono", "OCR B", "Cabin Medium"))
    faces = tuple(map(find_face, narrow.fonts))
    drawn = tuple(draw_glyphs(face, BASE.font_size, ALPHABET, BASE.ink) for face in faces)
    told = []
    for each in (map, in_two):
        with pytest.raises(BadInput) as refused:
            check_fit(narrow, faces, drawn, WORDS, each)
        told.append(str(refused.value))
    assert told[0] == told[1]
    assert "px past the right edge" in told[0]
    check_fit(replace(narrow, width=90, height=60), faces, drawn, WORDS, in_two)

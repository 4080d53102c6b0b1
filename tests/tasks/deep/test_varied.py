"""Profiles drawn at random are what a reader of strangers' pictures learns from: another for each block."""

import dataclasses

import numpy as np
import pytest

from flows.describing.about_model import in_sentences
from storage.deep_models import load_deep_model
from storage.errors import BadInput
from tasks.datasets.recipe import make_recipe, renderer_of
from tasks.deep.learning.deep_settings import Settings
from tasks.deep.learning.deep_training import form_of, record_of
from tasks.deep.learning.sources import BLOCK, Drawn, Form, Slot, fill, slot_bytes
from tasks.deep.learning.stream import StreamPlan
from tasks.deep.learning.unfamiliar import Varied, one_case, unfamiliar_profile
from tasks.profiles.built_in import EVERY_FACE, ONE_CASE, find_profile
from tasks.profiles.colours import Colours
from tasks.profiles.profile import Ink
from tasks.profiles.ranges import Grid
from tasks.shipped import STRANGERS

FACES = ("Inter Black", "OCR B", "Tuffy Bold", "Bebas Neue Bold")
FORM = Form(32, 96, Varied.alphabet)


def filled(source, number, split="train"):
    """Return the pictures and labels of a block, and their number."""
    slot = Slot.of(memoryview(bytearray(slot_bytes(FORM))), FORM)
    count = fill(source, number, split, FORM, slot, 3)
    return slot.pictures[:count], slot.labels[:count], count


def test_each_block_has_a_profile_of_its_own_and_is_the_same_each_time():
    source = Varied(FACES, 5)
    (first, labels, count), (second, others, _) = filled(source, 0), filled(source, 1)
    again, same, _ = filled(Varied(FACES, 5), 0)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(labels, same)
    assert BLOCK / 2 < count < BLOCK  # the rest is of other splits
    assert first[0].shape == second[0].shape
    assert set(np.unique(labels)) != set(np.unique(others))
    assert not np.array_equal(filled(Varied(FACES, 6), 0)[0][0], first[0])


def test_some_letters_are_seen_by_their_rim_and_shadow_alone():
    """As stamped and engraved ones are: their bodies have the ground's colour."""
    profiles = [unfamiliar_profile(5, number, FACES) for number in range(40)]
    bare = [p for p in profiles if p.letter_colour not in (None, Colours()) and p.letter_colour == p.ground_colour]
    reliefs = [profile for profile in bare if profile.shadow_colour and profile.shadow_ink == Grid(100, 100)]
    assert 2 <= len(reliefs) <= 15
    painted = renderer_of(make_recipe(reliefs[0], 1)).block(1, 0, 4)
    assert all(len(np.unique(image.reshape(-1, 3), axis=0)) > 2 for image in painted.images)


def test_held_out_blocks_are_of_other_profiles(monkeypatch):
    source, asked, block = Varied(FACES, 5), [], Varied.block
    monkeypatch.setattr(Varied, "block", lambda self, number: asked.append(number) or block(self, number))
    learnt, _, _ = filled(source, 0)
    held, _, count = filled(source, 0, "validation")
    assert 0 < count < BLOCK / 4
    assert asked[0] == 0 and asked[1] > 1_000_000_000  # training gets no further
    assert not np.array_equal(held[0], learnt[0])


GONE = dataclasses.replace(
    find_profile("random"), name="gone", ink=Ink.GREY, lenses=Grid(8, 8), lens_power=Grid(-100, -100),
    corners=Grid(60, 60), font_size=20, left=1, height=30,
)  # fmt: skip
TIGHT = dataclasses.replace(find_profile("random"), name="tight", width=20)


@pytest.mark.parametrize("unfit", [GONE, TIGHT], ids=["letters that no pixel shows", "letters that do not fit"])
def test_a_profile_that_cannot_be_drawn_gives_way_to_the_next(monkeypatch, unfit):
    profiles = [unfit, find_profile("random")]
    monkeypatch.setattr("tasks.deep.learning.unfamiliar.unfamiliar_profile", lambda seed, n, faces: profiles[n % 2])
    block = Varied(FACES, 5).block(3)
    np.testing.assert_array_equal(block.images, renderer_of(make_recipe(profiles[1], 5)).block(5, 3).images)
    profiles[1] = unfit
    with pytest.raises(BadInput, match="no pixel shows" if unfit is GONE else "width"):
        Varied(FACES, 5).block(3)


def test_the_faces_of_one_case_are_known_by_their_letters():
    assert {face for face in EVERY_FACE if one_case(face)} == set(ONE_CASE)


def test_a_face_of_one_case_is_asked_for_capitals_only():
    alphabets = [unfamiliar_profile(3, number, ("Bebas Neue Bold",)).alphabet for number in range(30)]
    assert all(alphabet == alphabet.upper() for alphabet in alphabets)
    assert any(letter.isalpha() for alphabet in alphabets for letter in alphabet)
    assert any(letter.islower() for number in range(30) for letter in unfamiliar_profile(3, number, FACES[:3]).alphabet)


def test_it_stands_beside_other_sources():
    form = form_of([Drawn(find_profile("book"), 1), Varied(FACES, 5)], Settings(steps=1))
    assert form.alphabet == "".join(sorted(Varied.alphabet))


def test_a_record_tells_of_the_faces_but_of_no_texts_to_expect():
    from tasks.deep.learning.train_network import Trained  # PyTorch: not with this file, which every process collects

    sources = (Drawn(find_profile("book"), 1), Varied(("/fonts/a.ttf", "OCR B"), 5))
    settings = Settings(steps=1)
    plan = StreamPlan(sources, form_of(sources, settings), 1)
    record = record_of(Trained(None, 1, 128, 1.0), plan, settings, settings.shape)
    assert record["sources"][1] == {"varied": {"faces": ["OCR B", "a.ttf"]}, "seed": 5, "weight": 1.0}
    assert [texts["words"] for texts in record["texts"]] == ["web2"]


def test_the_shipped_model_learnt_from_such_profiles():
    from tasks.deep.learning.onnx_network import told_start

    told = told_start(STRANGERS)["sources"]
    assert "varied" in told and None not in told
    record = load_deep_model(STRANGERS).record
    (faces,) = (source["varied"]["faces"] for source in record["sources"] if "varied" in source)
    assert len(faces) > 1000
    assert set(faces).isdisjoint(set(record["cautious_on"]["faces"]) - set(EVERY_FACE))  # else it would be too sure
    assert "profiles drawn at random" in in_sentences(record)["learnt from"]

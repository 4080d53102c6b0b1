"""Confidence is fitted on pictures of a model's own profiles, and on pictures that it does not know."""

import numpy as np
import pytest

from storage.deep_models import load_deep_model
from storage.errors import BadInput
from tasks.datasets.samples import first_pictures
from tasks.deep.deep_reader import DeepReader
from tasks.deep.learning.reliability import refit
from tasks.deep.learning.unfamiliar import unfamiliar_profiles
from tasks.profiles.built_in import find_profile
from tasks.shipped import STRANGERS

FACES = ("Inter Black", "OCR B", "Tuffy Bold")


def test_unfamiliar_profiles_differ_and_are_the_same_each_time():
    profiles = unfamiliar_profiles(3, 60, FACES)
    assert profiles == unfamiliar_profiles(3, 80, FACES)[:60]
    assert len({(profile.height, profile.width, profile.alphabet) for profile in profiles}) > 50
    assert unfamiliar_profiles(4, 1, FACES) != profiles[:1]
    assert {letter for profile in unfamiliar_profiles(3, 30, FACES, "AB?") for letter in profile.alphabet} <= set("AB")
    drawn = []
    for profile in profiles[:6]:
        try:
            drawn.append(first_pictures(profile, 1, 2).texts())
        except BadInput:  # its letters do not fit
            continue
    assert len(drawn) >= 4


@pytest.mark.soak
def test_a_model_is_refitted_and_stays_the_same_network(tmp_path, monkeypatch):
    monkeypatch.setattr("tasks.deep.learning.reliability.find_profile", lambda _: find_profile("book"))
    record = refit(STRANGERS, tmp_path / "again.onnx", FACES, 9, 4, (6, 4))
    old, new = load_deep_model(STRANGERS), load_deep_model(tmp_path / "again.onnx")
    assert new.record == record
    assert (record["cautious_on"]["seed"], record["cautious_on"]["faces"]) == (9, sorted(FACES))
    changed = {key for key in record if record[key] != old.record.get(key)}
    assert changed == {"cautious", "cautious_on", "calibration", "scores"}
    assert record["scores"]["book"]["none"]["n"] == 4
    images = first_pictures(find_profile("book"), 1, 4).images
    first, second = (DeepReader(model).read(images) for model in (old, new))
    assert first.words.tolist() == second.words.tolist()
    assert not np.array_equal(first.confidences, second.confidences)


@pytest.mark.slow
def test_the_shipped_model_is_not_too_sure_of_what_it_does_not_know():
    """Its confidence is near its share of right answers on pictures of other seeds than it was fitted on."""
    reader, sure, right = load_deep_model(STRANGERS), [], []
    for profile in unfamiliar_profiles(77, 24, FACES):
        try:
            block = first_pictures(profile, 5, 8)
        except BadInput:  # its letters do not fit
            continue
        sizes = np.column_stack([block.parameters["height"], block.parameters["width"]]).astype(np.int64)
        found = DeepReader(reader, alphabet=profile.alphabet, length=profile.length).read(block.images, (), sizes)
        sure.extend(found.confidences[:, 0])
        right.extend(found.words[:, 0] == np.array(block.texts()))
    assert np.mean(sure) == pytest.approx(np.mean(right), abs=0.08)

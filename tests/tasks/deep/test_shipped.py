"""The deep model of the package: found by its name, and worth having."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from storage.deep_models import load_deep_model
from storage.errors import Damaged
from tasks.datasets.samples import first_pictures
from tasks.deep.deep_reader import DeepReader
from tasks.deep.session import Session
from tasks.profiles.built_in import find_profile
from tasks.shipped import STRANGERS

ROOT = Path(__file__).parents[3]


def test_it_reads_what_it_never_saw():
    reader = DeepReader(load_deep_model(STRANGERS), length=(4, 5))
    for name in ("like-django-simple-captcha", "like-captcha", "colour"):
        block = first_pictures(find_profile(name), 77, 24)
        readings = reader.read(block.images)
        right = sum(a == b for a, b in zip(readings.words[:, 0].tolist(), block.texts(), strict=True))
        assert right >= 18, name
        assert ((readings.confidences[:, 0] > 0) & (readings.confidences[:, 0] < 1)).all()


def test_an_answer_does_not_depend_on_the_pictures_beside_it():
    """Pictures of several widths, alone and together."""
    reader = DeepReader(load_deep_model(STRANGERS))
    block = first_pictures(find_profile("hard"), 7, 6)
    images, sizes = block.images, np.tile(np.array(block.images.shape[1:], np.int64), (6, 1))
    sizes[::2, 1] = [60, 80, 100]
    together = reader.read(images, (), sizes)
    for k in range(6):
        alone = reader.read(images[k : k + 1, :, : sizes[k, 1]])
        assert alone.words[0].tolist() == together.words[k].tolist()
        np.testing.assert_allclose(alone.confidences[0], together.confidences[k], rtol=1e-3)


def test_letters_stand_where_they_are_where_margins_are_left_out():
    """The network sees the middle of a picture; boxes are those of the whole picture."""
    block = first_pictures(find_profile("book"), 7, 8)
    images = np.pad(block.images, ((0, 0), (20, 30), (150, 90)))
    readings = DeepReader(load_deep_model(STRANGERS), length=(4, 4)).read(images)
    right = readings.words[:, 0] == np.array(block.texts())
    assert right.sum() > 4
    truth = 150 + block.boxes[right, :4, 1::2].mean(axis=2)
    found = readings.box.reshape(8, 4, 4)[right, :, 1::2].mean(axis=2)
    assert np.abs(found - truth).max() < 8


@pytest.mark.parametrize("canvas", [0, 12, 4096, "64", True, None])
def test_a_canvas_that_cannot_be_is_damage(canvas):
    model = load_deep_model(STRANGERS)
    with pytest.raises(Damaged, match="canvas must be a multiple of 8 up to 192"):
        Session(replace(model, record=model.record | {"canvas": canvas}))


def test_nothing_is_kept_elsewhere(tmp_path):
    """Onnxruntime by itself makes a database for telemetry in the home of the user."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "ORT_"))}
    code = (
        "from storage.deep_models import load_deep_model\n"
        "from tasks.deep.session import Session\n"
        "from tasks.shipped import STRANGERS\n"
        "Session(load_deep_model(STRANGERS)).open()\n"
    )
    subprocess.run(
        [sys.executable, "-c", code], env=clean | {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}, check=True
    )
    assert list(tmp_path.rglob("*")) == []

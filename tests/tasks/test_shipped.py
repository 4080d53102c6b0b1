"""The shipped model: which characters it knows, and what its confidence is worth on pictures unlike its own."""

import string
import sys

import numpy as np
import pytest

from storage import deep_models
from storage.models import load_model
from tasks.datasets.recipe import make_recipe, renderer_of
from tasks.profiles.built_in import find_profile
from tasks.reading.reader import Reader
from tasks.scoring.metrics import calibration_error
from tasks.shipped import SHIPPED, STRANGERS
from tests.benchmarks.strangers import answers
from tests.strangers import KINDS, draw

SEED, EACH = 23, 15


@pytest.fixture(scope="module")
def model():
    return load_model(SHIPPED)


def test_the_deep_model_is_known_by_its_digest_and_is_what_the_check_would_find(monkeypatch):
    data = STRANGERS.read_bytes()
    monkeypatch.setitem(sys.modules, "onnx", None)  # it takes as long to import as it takes to read a picture
    known = deep_models.check_model.__wrapped__("a.onnx", data)
    with pytest.raises(ImportError):
        deep_models.check_model.__wrapped__("a.onnx", data + b"\0")
    monkeypatch.undo()
    monkeypatch.setattr(deep_models, "_SHIPPED", {})
    assert vars(known) == vars(deep_models.check_model.__wrapped__("a.onnx", data))


def pictures(rung: str, count: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Pictures of a rung of another seed than the ladder's, and their texts."""
    block = renderer_of(make_recipe(find_profile(rung), SEED)).block(SEED, 0, count)
    return block.images, np.array(block.texts())


@pytest.mark.parametrize(
    ("rung", "least"),
    [
        pytest.param("codes", 0.9, marks=pytest.mark.slow),
        ("lower", 0.9),
        pytest.param("strings", 0.8, marks=pytest.mark.slow),
    ],
)
def test_it_knows_letters_of_both_cases_and_digits_in_every_face(model, rung, least):
    assert set(model[1]["classes"]) == set(string.ascii_letters + string.digits)
    images, texts = pictures(rung)
    found = Reader(*model, alphabet=find_profile(rung).alphabet, length=(4, 4)).read(images)
    assert (found.reading == texts).mean() > least


def test_of_a_text_in_one_case_it_reads_that_case_though_nobody_says_so(model):
    for rung in ("fonts", "lower"):
        images, texts = pictures(rung)
        found = Reader(*model).read(images)
        assert (found.reading == texts).mean() > 0.8
        folded = np.char.lower(found.reading) == np.char.lower(texts)
        assert (found.reading == texts)[folded].mean() > 0.95


@pytest.mark.parametrize("alphabet", [string.digits, "QXZJ", string.ascii_lowercase])
def test_letters_that_may_not_occur_are_not_believed(model, alphabet):
    images, texts = pictures("fonts")
    some = np.array([not set(text) & set(alphabet) and not set(text) & set("IO") for text in texts])
    found = Reader(*model, alphabet=alphabet).read(images[some][:200])
    assert found.reading_confidence.mean() < 0.5
    assert (found.reading_confidence > 0.9).mean() < 0.05 or alphabet == string.ascii_lowercase


def test_it_is_calibrated_on_kinds_that_it_was_not_fitted_on(model):
    """Issue 16: at most 8 % over all kinds together."""
    reader, sure, right = Reader(*model), [], []
    for kind in KINDS:
        drawn = draw(kind, EACH, SEED)
        words, shares = answers(reader, [file for file, _ in drawn])
        sure.append(shares)
        right.append(np.array([word == text for word, (_, text) in zip(words, drawn, strict=True)]))
    assert calibration_error(np.concatenate(sure), np.concatenate(right)) < 0.08


def test_pictures_that_hold_no_text_are_not_believed(model):
    random = np.random.Generator(np.random.Philox(SEED))
    noise = random.integers(0, 256, (60, 40, 120)).astype(np.uint8)
    noise[:20][noise[:20] < 200] = 0
    assert Reader(*model).read(noise).reading_confidence.mean() < 0.5
    images, _ = pictures("fonts", 60)
    upright, turned = (
        Reader(*model).read(some).reading_confidence for some in (images, np.ascontiguousarray(images[:, ::-1]))
    )
    assert turned.mean() < upright.mean() - 0.3  # many capitals are letters upside down too

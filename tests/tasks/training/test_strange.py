import numpy as np
import pytest

from tasks.datasets.recipe import make_recipe, renderer_of
from tasks.profiles.built_in import find_profile
from tasks.training.strange import CHANGES, make_strange
from tests.strangers import KINDS


@pytest.fixture(scope="module")
def images():
    return renderer_of(make_recipe(find_profile("fonts"), 3)).block(3, 0, 4 * len(CHANGES)).images


def test_every_change_changes_pictures_and_no_other_kind_of_array_comes_out(images):
    strange = make_strange(images, 1)
    assert (strange.shape, strange.dtype) == (images.shape, np.uint8)
    changed = (strange != images).any(axis=(1, 2)).reshape(4, -1)
    assert changed.any(axis=0).all()
    assert changed.mean() > 0.9
    assert not np.array_equal(strange, make_strange(images, 2))


def test_equal_pictures_and_seeds_give_equal_pictures(images):
    before = images.copy()
    assert np.array_equal(make_strange(images, 1), make_strange(images, 1))
    assert np.array_equal(images, before)


def test_any_picture_can_be_changed():
    random = np.random.Generator(np.random.Philox(4))
    for shape in ((1, 1), (2, 9), (30, 3), (42, 140)):
        pictures = random.integers(0, 256, (2 * len(CHANGES), *shape)).astype(np.uint8)
        pictures[::3] = 0
        assert make_strange(pictures, 0).shape == pictures.shape


def test_confidence_is_not_judged_by_the_kinds_that_it_is_fitted_on():
    assert not {name.replace(" ", "-") for name in CHANGES} & set(KINDS)


def test_the_changes_take_turns(monkeypatch):
    changes = {str(number): lambda image, _, number=number: np.full_like(image, number) for number in (1, 2, 3)}
    monkeypatch.setattr("tasks.training.strange.CHANGES", changes)
    images = np.zeros((4, 9, 9), np.uint8)
    images[:, 4, 4] = 255
    assert make_strange(images, 1).max(axis=(1, 2)).tolist() == [1, 2, 3, 1]

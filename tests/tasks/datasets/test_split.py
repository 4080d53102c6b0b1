"""No picture of one split equals one of another: all that a built-in grid profile can draw, compared."""

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest

from storage.shards.shard import SPLITS
from tasks.datasets.recipe import make_recipe, renderer_of
from tasks.lowlevel.padding import to_read
from tasks.lowlevel.picture_sums import hash_pictures
from tasks.profiles.built_in import BUILT_IN
from tasks.profiles.word_lists import load_words


def everything(name: str, words: list[str], shears=None, scales=None):
    """(keys, splits) of every picture of a profile, or of those with these shears and scales."""
    profile = BUILT_IN[name]
    renderer = renderer_of(make_recipe(profile, 1))
    keys, splits = [], []
    for shear, scale in itertools.product(shears or profile.shear.values(), scales or profile.scale.values()):
        block = renderer.render(renderer.table(words, 0, shear, scale))
        area = block.parameters["height"].astype(np.uint64) * block.parameters["width"]
        keys.append(hash_pictures(to_read(block.images.reshape(len(words), -1)), area)[1])
        splits.append(block.split)
    return np.concatenate(keys), np.concatenate(splits)


def test_the_2600_letters_all_differ_and_are_split_80_10_10():
    keys, splits = everything("letters", list(BUILT_IN["letters"].alphabet))
    assert len(keys) == 2600 == len(np.unique(keys))
    assert np.bincount(splits, minlength=len(SPLITS)) / 2600 == pytest.approx([0.8, 0.1, 0.1], abs=0.02)


@pytest.mark.parametrize(("shears", "scales"), [((0, 50, 450), (50, 60, 140))])
def test_words_differ_wherever_they_are_hardest_to_tell_apart(shears, scales):
    """The smallest scale and the smallest shears; `make soak` draws all 500,600."""
    profile = BUILT_IN["book"]
    words = list(load_words(profile.words, profile.alphabet, profile.length))
    keys, splits = everything("book", words, shears, scales)
    assert len(keys) == len(words) * 9 == len(np.unique(keys))
    assert np.bincount(splits, minlength=len(SPLITS)) / len(splits) == pytest.approx([0.8, 0.1, 0.1], abs=0.01)


@pytest.mark.soak
def test_all_pictures_of_the_book_differ():
    profile = BUILT_IN["book"]
    keys, splits = everything("book", list(load_words(profile.words, profile.alphabet, profile.length)))
    assert len(keys) == 500_600 == len(np.unique(keys))
    assert np.bincount(splits, minlength=len(SPLITS)) / len(splits) == pytest.approx([0.8, 0.1, 0.1], abs=0.002)


def test_equal_pictures_share_a_split_also_where_a_face_draws_letters_alike():
    """In Bebas Neue O is 0: sixteen texts, one picture. In Routed Gothic I is 1."""
    profile = replace(BUILT_IN["random"], fonts=("Bebas Neue Bold", "Routed Gothic"), alphabet="IO01", length=(4, 4))
    recipe = make_recipe(profile, 1)
    assert [font.get("alike") for font in json.loads(recipe.identity)["fonts"]] == [["0O"], ["1I"]]
    renderer = renderer_of(recipe)
    texts = ["".join(letters) for letters in itertools.product("IO01", repeat=4)]
    found = []
    for font in (0, 1):
        block = renderer.render(renderer.table(texts, font, 0, 100))
        assert block.texts() == texts  # each keeps its own
        splits: dict[bytes, set[int]] = {}
        for image, split in zip(block.images, block.split.tolist(), strict=True):
            splits.setdefault(image.tobytes(), set()).add(split)
        assert {len(each) for each in splits.values()} == {1}
        assert len(splits) < len(texts)
        found += [each.copy() for each in splits.values()]
    assert set().union(*found) == {0, 1, 2}


def test_where_no_letters_are_alike_the_identity_says_nothing_of_it():
    assert "alike" not in make_recipe(BUILT_IN["book"], 1).identity


def test_seeds_extensions_and_neighbours_move_no_picture_to_another_split():
    """The same text, face, shear and scale fall into the same split in any dataset, at any place."""
    known: dict[tuple, int] = {}
    for seed in (1, 2):
        renderer = renderer_of(make_recipe(BUILT_IN["letters"], seed))
        for number in (0, 1, 9):
            block = renderer.block(seed, number)
            rows = zip(block.texts(), block.parameters[["shear", "scale"]].tolist(), block.split.tolist(), strict=True)
            for text, parameters, split in rows:
                assert known.setdefault((text, parameters), split) == split
    assert len(known) > 2000

"""Look-alikes of other generators: what their documentation says, drawable, and found by name."""

from pathlib import Path

import numpy as np
import pytest

from flows.profiles import profiles
from storage.shards.shard import combined
from tasks.datasets.samples import first_pictures
from tasks.profiles.built_in import BUILT_IN, find_profile, read_profile
from tasks.profiles.look_alikes import LOOK_ALIKES

# Rows, columns, number of characters, shortest and longest text, by the generators' documentation or source. The
# pictures of django-simple-captcha are as wide as their texts, and multicolorcaptcha's are drawn at half size.
FACTS = {
    "like-captcha": (60, 160, 36, 4, 5),
    "like-django-simple-captcha": (31, 84, 26, 4, 4),
    "like-multicolorcaptcha": (180, 320, 10, 4, 4),
    "like-svg-captcha": (50, 150, 62, 4, 4),
    "like-kaptcha": (50, 200, 20, 5, 5),
    "like-dchest-captcha": (80, 240, 10, 6, 6),
}


def test_they_have_the_sizes_and_texts_of_the_generators():
    assert {
        name: (*profile.canvas, len(profile.alphabet), *profile.length) for name, profile in LOOK_ALIKES.items()
    } == FACTS


def test_they_are_no_rungs_but_are_listed_and_found(tmp_path):
    assert not set(LOOK_ALIKES) & set(BUILT_IN)
    assert set(LOOK_ALIKES) <= {row["name"] for row in profiles()["profiles"]}
    assert find_profile("like-kaptcha") is LOOK_ALIKES["like-kaptcha"]
    path = Path(tmp_path, "mine.toml")
    path.write_text('based_on = "like-svg-captcha"\nlength = [5, 5]\nwidth = 190\n')
    assert (read_profile(path).canvas, read_profile(path).shadow_x) == (
        (50, 190),
        LOOK_ALIKES["like-svg-captcha"].shadow_x,
    )


# The content of the first six pictures, seed 1. Another one is another profile: the changelog says so.
DIGESTS = {
    "like-captcha": "346f2fd1759e6e010129be43b510e759d6be7b07f9ba9eae8f55a8e5dfa42384",
    "like-django-simple-captcha": "99e84c0c0fc4527e591ec07065a3ca91435e156c0b9a1805b213367e762f285d",
    "like-multicolorcaptcha": "dba430c2cc34a3c8a6bc9a8190843185450965f4a759666e0da24cfd9f266039",
    "like-svg-captcha": "f59f53baa89b859a88ccda4f325d6f7f270e5b13998af7e4f8237d15a36412ac",
    "like-kaptcha": "704fd166e33bc3932c30244415c3b73857bd24908c2b6c7d9b923a456c213859",
    "like-dchest-captcha": "7e0361d331b713a203d59a3ae99723f5fd27f4fe1965310f5665fd5e6ef7e206",
}


@pytest.mark.parametrize("name", FACTS)
def test_they_draw_every_letter_into_the_picture(name):
    profile = LOOK_ALIKES[name]
    block = first_pictures(profile, 1, 6)
    assert block.images.shape == (6, *profile.canvas, 3)
    assert all(set(text) <= set(profile.alphabet) for text in block.texts())
    for text, boxes in zip(block.texts(), block.boxes.astype(int), strict=True):
        there = boxes[: len(text)]
        assert (there[:, :2] >= 0).all() and (there[:, 2:] <= profile.canvas).all()
        assert ((there[:, 2] - there[:, 0]) >= 6).all()  # rows: nothing has shrunk beyond legibility
    assert len(np.unique(block.images.reshape(6, -1), axis=0)) == 6
    assert combined([block.digest()]) == DIGESTS[name]

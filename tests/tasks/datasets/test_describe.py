import numpy as np
import pytest
from PIL import Image

from storage.errors import BadInput
from storage.shards.shard import BLOCK, shard_name
from tasks.datasets import generate
from tasks.datasets.describe import describe_dataset, describe_shard
from tasks.datasets.folder import complete
from tasks.datasets.generate import draw_shard, plan_drawing
from tasks.datasets.totals import Gathered

COUNT = BLOCK + 100


@pytest.fixture
def folder(recipe, tmp_path, monkeypatch):
    monkeypatch.setattr(generate, "BLOCKS_A_SHARD", 1)
    folder = tmp_path / "d"
    folder.mkdir()
    gathered = Gathered(recipe.identity)
    for job in plan_drawing(recipe, folder, COUNT, "run").jobs:
        gathered.add(draw_shard(job))
    complete(folder, gathered, "run")
    return folder


def pixels(path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image)


def test_a_dataset_shows_its_bounds_and_its_pictures(folder, tmp_path):
    told = describe_dataset(folder, tmp_path / "a.png")
    assert (told["pictures"], told["shards"]) == (COUNT, 2)
    assert told["different_pictures"]["exact"] is True
    assert (told["blank"], told["clipped"], told["equal_blocks"]) == (0, 0, 0)
    describe_dataset(folder, tmp_path / "b.png", first=BLOCK + 7)
    assert not np.array_equal(pixels(tmp_path / "a.png"), pixels(tmp_path / "b.png"))


def test_a_shard_shows_the_same_pictures_by_the_same_numbers(folder, tmp_path):
    told = describe_shard(folder / shard_name(1, 100), tmp_path / "shard.png", first=BLOCK + 7)
    assert (told["first"], told["count"]) == (BLOCK, 100)
    describe_dataset(folder, tmp_path / "dataset.png", first=BLOCK + 7)
    assert np.array_equal(pixels(tmp_path / "shard.png"), pixels(tmp_path / "dataset.png"))


@pytest.mark.parametrize("first", [-1, COUNT])
def test_a_picture_that_is_not_there_is_refused(folder, tmp_path, first):
    with pytest.raises(BadInput, match=rf"first: must be a picture's number, 0 to {COUNT - 1}; it is {first}"):
        describe_dataset(folder, tmp_path / "a.png", first)
    with pytest.raises(BadInput, match=rf"first: must be a picture's number, {BLOCK} to {COUNT - 1}; it is {first}"):
        describe_shard(folder / shard_name(1, 100), tmp_path / "a.png", first)
    assert not (tmp_path / "a.png").exists()

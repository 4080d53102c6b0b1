"""Datasets whose pictures have colours: format version 2."""

import json
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from blake3 import blake3

from flows.arrays import images as lazy_images
from storage.dataset import Dataset
from storage.errors import Damaged
from storage.shards import shard as shards
from storage.shards import writer
from storage.shards.manifest import Manifest
from storage.shards.manifest_rules import Misfit, Setting, require_manifest
from storage.shards.shard import BLOCK, COLOUR_FORMAT, FORMAT, Block, Shard, read_record
from storage.shards.writer import write_shard

GOLDEN = Path(__file__).parents[2] / "golden" / "v2" / "imported-colour"
COUNT = BLOCK + 76


@pytest.fixture(scope="module")
def colours(make_blocks) -> list[Block]:
    """A whole block and a short block."""
    rng = np.random.default_rng(5)
    return [
        block._replace(images=rng.integers(0, 256, (*block.images.shape, 3), np.uint8)) for block in make_blocks(COUNT)
    ]


@pytest.fixture(scope="module")
def dataset(colours, tmp_path_factory) -> Dataset:
    folder = tmp_path_factory.mktemp("colours")
    records = [write_shard(folder, k, k * BLOCK, [block], '{"format":2}', "run") for k, block in enumerate(colours)]
    lines = [record.as_dict() for record in records]
    replace(Manifest.read(GOLDEN), count=COUNT, shards=lines).write(folder)
    return Dataset(folder)


def test_every_way_of_reading_gives_the_pictures(dataset, colours):
    whole = np.concatenate([block.images for block in colours])
    assert dataset.colour
    assert dataset.manifest.format == COLOUR_FORMAT
    assert (dataset[:].images == whole).all()
    assert (dataset[[BLOCK, 3, 3]].images == whole[[BLOCK, 3, 3]]).all()
    picture = dataset[7]
    height, width = picture.parameters["height"], picture.parameters["width"]
    assert (picture.image == whole[7, :height, :width]).all()
    assert (np.concatenate([batch.images for batch in dataset.batches(300)]) == whole).all()
    mixed = np.concatenate([batch.images for batch in dataset.batches(300, shuffle=1, fields=("images",))])
    assert sorted(map(bytes, mixed)) == sorted(map(bytes, whole))
    assert (np.concatenate([block.images for block in dataset.blocks()]) == whole).all()
    lazy = lazy_images(dataset.folder)
    assert lazy.shape == whole.shape
    assert (
        lazy[BLOCK - 2 : BLOCK + 2, :, :, 1].compute(scheduler="sync") == whole[BLOCK - 2 : BLOCK + 2, ..., 1]
    ).all()


def test_an_object_store_holds_them_too(dataset, colours, object_folder):
    records = [write_shard(object_folder, 0, 0, [colours[1]], '{"format":2}', "run")]
    lines = [record.as_dict() for record in records]
    replace(dataset.manifest, count=len(colours[1].images), shards=lines).write(object_folder)
    stored = Dataset(object_folder)
    assert stored.colour
    assert (stored[:].images == colours[1].images).all()
    assert (next(stored.batches(500)).images == colours[1].images).all()


def test_plain_h5py_reads_it_and_its_documented_digest(dataset, colours):
    with h5py.File(dataset.path(0)) as file:
        images = file["images"]
        assert (images.shape, images.dtype, images.compression) == (colours[0].images.shape, np.uint8, "gzip")
        assert images.chunks == (BLOCK, *images.shape[1:])
        assert images.maxshape == (None, *images.shape[1:])
        assert (images[...] == colours[0].images).all()
        assert file.attrs["format"] == COLOUR_FORMAT
        digest = blake3()
        for name in Block._fields:
            array = file[name][...]
            kind = [[one, array.dtype[one].str] for one in array.dtype.names] if array.dtype.names else array.dtype.str
            digest.update(json.dumps([name, kind, array.shape]).encode() + array.tobytes())
        assert file.attrs["blocks"][0].decode() == digest.hexdigest()


@pytest.mark.parametrize(
    ("pixels", "number", "identity", "reason"),
    [
        ((), COLOUR_FORMAT, "{}", r"images: must be \(n, H, W, 3\) uint8 in this format; they are \(.*\) uint8"),
        ((3,), FORMAT, "{}", r"images: must be \(n, H, W\) uint8 in this format"),
        ((4,), COLOUR_FORMAT, "{}", r"images: must be \(n, H, W, 3\) uint8"),
        ((3, 1), COLOUR_FORMAT, "{}", r"images: must be \(n, H, W, 3\) uint8"),
        ((3,), COLOUR_FORMAT, '{"format":1}', "its identity is of format 1, its pictures are of format 2"),
        ((), FORMAT, '{"format":2}', "its identity is of format 2, its pictures are of format 1"),
    ],
)
def test_a_shard_of_another_kind_than_it_says_is_damaged(
    tmp_path, monkeypatch, colours, pixels, number, identity, reason
):
    """Whoever wrote it sealed it properly, with digests that fit."""
    block = colours[1]
    images = np.zeros((*block.images.shape[:3], *pixels), np.uint8)
    monkeypatch.setattr(writer, "PIXELS", {number: pixels})
    record = write_shard(tmp_path, 0, 0, [block._replace(images=images)], identity, "run")
    with pytest.raises(Damaged, match=reason):
        read_record(tmp_path / record.name)


def test_pictures_of_another_type_are_damaged(tmp_path, colours):
    block = colours[1]
    record = write_shard(tmp_path, 0, 0, [block._replace(images=block.images.astype(np.int16))], "{}", "run")
    with pytest.raises(Damaged, match=r"images: must be \(n, H, W, 3\) uint8 in this format; they are .* int16"):
        Shard(tmp_path / record.name)


def test_a_grey_shard_in_a_dataset_in_colour_is_damaged(dataset, colours, tmp_path):
    block = colours[0]._replace(images=np.ascontiguousarray(colours[0].images[..., 0]))
    record = write_shard(tmp_path, 0, 0, [block], "{}", "run")
    replace(dataset.manifest, count=BLOCK, shards=[record.as_dict()]).write(tmp_path)
    mixed = Dataset(tmp_path)
    reads = (
        lambda: mixed[0], lambda: mixed.head(1), lambda: next(mixed.batches(9)), lambda: lazy_images(tmp_path),
        lambda: mixed.shard(0),
    )  # fmt: skip
    for read in reads:
        with pytest.raises(Damaged, match="is of format 1 where the manifest says 2"):
            read()


def test_a_manifest_must_say_ink_where_pictures_are_ink():
    content = json.loads((GOLDEN / "manifest.json").read_text())
    del content["digest"]
    require_manifest(content)
    for wrong in (content | {"format": FORMAT}, content | {"source": content["source"] | {"ink": {"invert": "no"}}}):
        with pytest.raises(Misfit, match=r"source\.ink: must be there in format 1 only"):
            require_manifest(wrong)


def test_a_setting_may_be_a_range_names_or_colours():
    hue = {"start": 0, "stop": 359, "step": 1}
    for value in (True, 30, hue, ["flat", "#1f77b4"], {"hue": hue, "lightness": hue}):
        Setting().require(value, "profile.ground")
    for value in ("flat", 0.5, [], [""], ["a\nb"], [1], {}, {"hue": "red"}, {"hue": {"start": 1}}, {"start": 0}, None):
        with pytest.raises(Misfit, match=r"profile\.ground"):
            Setting().require(value, "profile.ground")


def test_each_format_has_its_pixel():
    assert shards.PIXELS == {FORMAT: (), COLOUR_FORMAT: (3,)}

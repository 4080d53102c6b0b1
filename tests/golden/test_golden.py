"""Datasets that older versions made stay readable, to the last pixel; make.py made them."""

import importlib.util
import json
import shutil
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import h5py
import numpy as np
import pytest
from blake3 import blake3
from PIL import features

from storage.dataset import Dataset
from storage.shards.manifest import MANIFEST
from storage.shards.shard import PIXELS, SPLITS, Shard, parse_name
from storage.texts import canonical
from tasks.datasets.inventory import inventory
from tasks.datasets.judge import judge
from tasks.datasets.prove import proof_jobs, prove
from tasks.exchange import scan

HERE = Path(__file__).parent


def format_of(folder: Path) -> int:
    return int(folder.parent.name[1:])


GOLDEN = sorted(path.with_suffix("") for path in HERE.glob("v*/*.json"))
NOW = [folder for folder in GOLDEN if format_of(folder) in PIXELS]


def name(folder: Path) -> str:
    return folder.relative_to(HERE).as_posix()


@pytest.fixture(scope="module")
def make():
    """The script that made them."""
    spec = importlib.util.spec_from_file_location("make", HERE / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def expected(folder: Path) -> dict:
    return json.loads(folder.with_suffix(".json").read_text())


def test_there_is_one_of_each_kind_of_this_format():
    assert {folder.name for folder in NOW if format_of(folder) == 1} == {"book", "letters", "hard", "imported"}
    assert {folder.name for folder in NOW if format_of(folder) == 2} == {"imported-colour", "wild"}
    assert all(sum(path.stat().st_size for path in folder.iterdir()) < 60_000 for folder in GOLDEN)


@pytest.mark.parametrize("folder", GOLDEN, ids=name)
def test_it_reads_as_what_it_was(folder):
    data, wanted = Dataset(folder), expected(folder)
    manifest = data.manifest
    assert (len(data), manifest.content, manifest.identity) == (wanted["count"], wanted["content"], wanted["identity"])
    assert (manifest.block, manifest.digests, manifest.source is None) == (
        1024,
        "blake3",
        not folder.name.startswith("imported"),
    )
    assert (manifest.format, data.colour) == (format_of(folder), format_of(folder) == 2)
    whole = data[:]
    assert whole.texts() == wanted["texts"]
    assert manifest.statistics["splits"] == {one: int((whole.split == k).sum()) for k, one in enumerate(SPLITS)}
    for number, there in wanted["pictures"].items():
        picture = data[int(number)]
        assert [bytes(row).hex() for row in picture.image] == there["image"]
        assert (picture.text, picture.split, picture.boxes.tolist()) == (there["text"], there["split"], there["boxes"])
        assert {one: picture.parameters[one].tolist() for one in there["parameters"]} == there["parameters"]
        size = there["parameters"]["height"], there["parameters"]["width"]
        assert picture.image.shape == (*size, *PIXELS[format_of(folder)])
        assert picture.image.any()
    (batch,) = data.batches(1000)
    for a, b in zip(batch, whole, strict=True):
        assert np.array_equal(a, b)


@pytest.mark.parametrize("folder", GOLDEN, ids=name)
def test_it_is_whole(folder, tmp_path):
    shutil.copytree(folder, copy := tmp_path / folder.name)  # nothing is written beside the original
    found = inventory(copy)
    verdict = judge(found, [prove(job) for job in proof_jobs(found)])
    assert (verdict.findings, len(verdict.whole)) == ((), len(found.manifest.shards))


def described(dtype: np.dtype) -> str | list:
    if not dtype.names:
        return dtype.str
    parts = [(one, dtype[one]) for one in dtype.names]
    return [[one, part.base.str, list(part.shape)] if part.shape else [one, part.str] for one, part in parts]


@pytest.mark.parametrize("folder", GOLDEN, ids=name)
def test_the_documented_digests_are_those_of_the_file(folder):
    """By docs/format.md alone: h5py, hashlib and blake3, and nothing of this project."""
    manifest = json.loads((folder / MANIFEST).read_text())
    digests = []
    for line in manifest["shards"]:
        data = (folder / line["name"]).read_bytes()
        assert sha256(data).hexdigest() == line["sha256"]
        assert blake3(data[:-32]).digest() == data[-32:]
        with h5py.File(folder / line["name"]) as file:
            told = format_of(folder), "blake3", line["first"]
            assert (file.attrs["format"], file.attrs["digest"], file.attrs["first"]) == told
            assert sha256(file.attrs["identity"].encode()).hexdigest() == manifest["identity"]
            count = file.attrs["count"]
            for first in range(0, count, 1024):
                digest = blake3()
                for one in ("images", "text", "boxes", "parameters", "split"):
                    array = file[one][first : first + 1024]
                    kind = described(array.dtype)
                    digest.update(json.dumps([one, kind, array.shape]).encode() + array.tobytes())
                digests.append(digest.digest())
                assert file.attrs["blocks"][first // 1024].decode() == digests[-1].hex()
    assert blake3(b"".join(digests)).hexdigest() == manifest["content"]
    recorded = manifest.pop("digest")
    assert sha256(canonical(manifest).encode()).hexdigest() == recorded


@pytest.mark.parametrize("folder", NOW, ids=name)
def test_made_again_it_has_the_same_content(folder, make, tmp_path, monkeypatch):
    wanted = expected(folder)
    here = {one: version(one) for one in ("pillow", "english-words")} | {"freetype": features.version("freetype2")}
    if here != wanted["software"]:
        pytest.skip(f"it was made with {wanted['software']}, here are {here}")
    source = Dataset(folder).manifest.source
    if source:  # later loaders give these plain pictures the same pixels; the loader's number is part of the identity
        monkeypatch.setattr(scan, "LOADER" if format_of(folder) == 1 else "SEEN", source["loader"])
    made = tmp_path / folder.name
    make.make(folder.name, made)
    again = Dataset(made).manifest
    assert (again.identity, again.content) == (wanted["identity"], wanted["content"])
    assert make.seen(made) == wanted
    assert again.statistics == Dataset(folder).manifest.statistics
    for path in filter(lambda path: parse_name(path.name), folder.iterdir()):
        with Shard(path) as old, Shard(made / path.name) as new:
            assert old.digests == new.digests

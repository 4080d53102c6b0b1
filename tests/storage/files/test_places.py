"""Places, by an object store in memory; what S3 itself does is in test_s3.py."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from storage.dataset import Dataset
from storage.errors import BadInput, Damaged, NotThere
from storage.files import atomic
from storage.files.places import ObjectPath, is_url, local, place, read_range, shown, sizes
from storage.models import load_model, model_digest
from storage.shards import cache
from storage.shards.shard import BLOCK, Block, sealed

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCY"


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv(cache.FOLDER, str(tmp_path / "cache"))
    return tmp_path / "cache"


def same(a: Block, b: Block) -> bool:
    return all(x.dtype == y.dtype and x.shape == y.shape and (x == y).all() for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("book", Path("book")),
        (Path("a/b"), Path("a/b")),
        ("/a:/b", Path("/a:/b")),
        ("a/s3:/b", Path("a/s3:/b")),
        ("c:/x", Path("c:/x")),
        ("file:///a/b", Path("/a/b")),
        (Path("file:///a/b"), Path("file:///a/b")),
        ("s3://bucket/a/b", ObjectPath("s3", "bucket/a/b")),
        ("S3://bucket/a/", ObjectPath("s3", "bucket/a")),
        (Path("s3://bucket/a"), ObjectPath("s3", "bucket/a")),  # its slashes are folded into one
        ("memory://x", ObjectPath("memory", "x")),
        (ObjectPath("s3", "bucket/c"), ObjectPath("s3", "bucket/c")),
    ],
)
def test_a_name_is_a_path_or_a_url(name, expected):
    if name == Path("file:///a/b"):
        expected = Path("/a/b")
    found = place(name)
    assert found == expected and type(found) is type(expected)
    assert is_url(name) == str(name).lower().startswith(("s3:", "memory:", "file:"))
    assert place(str(found)) == found  # as a job takes it to a worker
    assert pickle.loads(pickle.dumps(found)) == found


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        (f"s3://AKIA42:{SECRET}@bucket/a", "neither credentials"),
        (Path(f"s3://AKIA42:{SECRET}@bucket/a"), "neither credentials"),
        (f"s3://AKIA42:{SECRET}/bucket/a", "neither credentials"),
        (f"s3://bucket/a?X-Amz-Signature={SECRET}", "nor a query"),
        (f"s3://bucket/a#{SECRET}", "nor a query"),
        (f"memory://u:{SECRET}@a", "neither credentials"),
        (f"https://u:{SECRET}@example.org/a?key={SECRET}", "must begin with s3://"),
        ("simplecache::s3://bucket/a", "must begin with s3://"),
        ("zip://x::s3://bucket/a", "must begin with s3://"),
        ("gs://bucket/a", "must begin with s3://"),
        (Path("gs://bucket/a"), "must begin with s3://"),
        ("s3://bucket", "must name a bucket and a folder"),
        ("s3://Bucket_/a", "must name a bucket and a folder"),
        ("s3://bucket/a/../b", "none of '.' or '..'"),
        ("s3://bucket/a//b", "no empty part"),
        ("memory://", "no empty part"),
        ("file://host/a", "absolute path"),
    ],
)
def test_a_url_that_is_refused_is_told_without_its_secrets(name, rule):
    with pytest.raises(BadInput, match=rule) as caught:
        place(name)
    for text in (str(caught.value), shown(name)):
        assert SECRET not in text and SECRET[:12] not in text and "AKIA42" not in text
    assert caught.value.__cause__ is None


def test_only_what_is_secret_is_left_out():
    assert shown(f"s3://k:{SECRET}@bucket/a@b") != shown("s3://bucket/a@b") == "s3://bucket/a@b"
    assert shown("s3://bucket/a?x=1") == "s3://bucket/a?***"
    assert shown(Path("s3://bucket/a")) == "s3://bucket/a"
    assert shown("data/a?b") == "data/a?b"
    with pytest.raises(BadInput, match="out: must be a folder of this machine; it is s3://bucket/a"):
        local(Path("s3://bucket/a"), "out")
    assert local("a/b", "out") == Path("a/b")


def test_it_answers_like_a_path(object_folder):
    (object_folder / "a.h5").write_bytes(b"12345")
    (object_folder / "b" / "c").write_bytes(b"")
    path = object_folder / "a.h5"
    assert (path.name, path.stem, path.suffix) == ("a.h5", "a", ".h5")
    assert path.parent == object_folder and path.with_name("b") == object_folder / "b" and path.resolve() == path
    assert path.is_file() and not path.is_dir() and path.exists() and not path.is_symlink()
    assert object_folder.is_dir() and not object_folder.is_file() and object_folder.exists()
    assert not (object_folder / "nothing").exists() and list((object_folder / "nothing").iterdir()) == []
    assert sorted(object_folder.iterdir()) == [path, object_folder / "b"] and list(object_folder.glob("*.h5")) == [path]
    assert sizes(object_folder) == {"a.h5": 5} and path.stat().st_size == 5
    assert read_range(path, 1, 3) == b"234" and path.read_bytes() == b"12345"
    assert (
        path.is_relative_to(object_folder)
        and not object_folder.is_relative_to(path)
        and not path.is_relative_to(Path("/"))
    )
    with pytest.raises(FileNotFoundError):
        (object_folder / "nothing").unlink()
    (object_folder / "nothing").unlink(missing_ok=True)
    with pytest.raises(TypeError):
        open(path)  # noqa: PTH123, SIM115 - no local function takes it for a file


def test_sizes_of_a_local_folder(tmp_path):
    (tmp_path / "a").write_bytes(b"123")
    (tmp_path / "b").mkdir()
    assert sizes(tmp_path) == {"a": 3} and sizes(tmp_path / "nothing") == {} == sizes(tmp_path / "a")
    assert read_range(tmp_path / "a", 1, 9) == b"23"


def test_what_goes_for_a_folder_is_moved_as_a_whole(object_folder):
    (object_folder / "stray" / "a").write_bytes(b"1")
    (object_folder / "stray" / "b" / "c").write_bytes(b"2")
    atomic.move(object_folder / "stray", object_folder / "aside")
    assert sizes(object_folder / "aside") == {"a": 1} and sizes(object_folder / "aside" / "b") == {"c": 1}
    assert not (object_folder / "stray").exists()


def test_a_dataset_is_the_same_there_to_the_last_byte(object_folder, tmp_path, make_blocks, put):
    blocks = make_blocks(2 * BLOCK + 300, seed=4)
    assert put(object_folder, blocks) == put(tmp_path / "d", blocks)
    here = {path.name: path.read_bytes() for path in (tmp_path / "d").iterdir()}
    assert {path.name: path.read_bytes() for path in object_folder.iterdir()} == here
    assert {key: path.name for key, path in sealed(object_folder).items()} == {
        key: path.name for key, path in sealed(tmp_path / "d").items()
    }
    data, other = (pickle.loads(pickle.dumps(Dataset(name))) for name in (str(object_folder), tmp_path / "d"))
    assert all(map(same, data.blocks(), blocks))
    assert (data[1500].image == other[1500].image).all() and data[-1].text == other[-1].text
    assert same(data[[2000, 3, 3]], other[[2000, 3, 3]])
    for a, b in zip(data.batches(700, shuffle=3), other.batches(700, shuffle=3), strict=True):
        assert same(a, b)
    with pytest.raises(NotThere, match=f"{object_folder}/nothing: no complete dataset"):
        Dataset(object_folder / "nothing")
    with pytest.raises(NotThere, match="no such file"):
        load_model(object_folder / "m.skops")
    with pytest.raises(NotThere):
        model_digest(str(object_folder / "m.skops"))


@pytest.mark.parametrize(
    "name", ["../shard-000000-1024.h5", "/etc/passwd", "s3://other/shard-000000-1024.h5", "sub/shard-000000-1024.h5"]
)
def test_a_manifest_cannot_name_what_is_elsewhere(object_folder, make_blocks, name, put):
    manifest = put(object_folder, make_blocks(1024))
    object_folder.with_name("shard-000000-1024.h5").write_bytes((object_folder / "shard-000000-1024.h5").read_bytes())
    replace(manifest, shards=[manifest.shards[0] | {"name": name}]).write(object_folder)
    for read in (
        lambda: list(Dataset(object_folder).blocks()),
        lambda: Dataset(object_folder)[0],
        lambda: Dataset(object_folder).path(0),
    ):
        with pytest.raises(Damaged, match=r"shards\[0\]\.name: must be"):
            read()


def test_arrays_of_rows_come_from_there_too(object_folder, make_blocks, put):
    from flows.arrays import images

    blocks = make_blocks(BLOCK + 5)
    put(object_folder, blocks)
    assert (images(str(object_folder))[1000:1029].compute(scheduler="sync") == np.concatenate(
        [block.images for block in blocks])[1000:1029]).all()  # fmt: skip

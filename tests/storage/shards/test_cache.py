"""The local cache of shards of an object store, by a store in memory."""

import time
from pathlib import Path

import pytest

from storage.dataset import Dataset
from storage.errors import BadInput, Damaged
from storage.objects import store
from storage.shards import cache
from storage.shards.proven import prove
from storage.shards.shard import BLOCK, Block, read_record, shard_name


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv(cache.FOLDER, str(tmp_path / "cache"))
    return tmp_path / "cache"


def same(a: Block, b: Block) -> bool:
    return all(x.dtype == y.dtype and x.shape == y.shape and (x == y).all() for x, y in zip(a, b, strict=True))


class Counted(store.Memory):
    """Counts requests by their kind."""

    asked: list[tuple] = []  # noqa: RUF012

    def read(self, key, start=0, size=None):
        self.asked.append((key.rpartition("/")[2], start, size))
        return super().read(key, start, size)


@pytest.fixture
def asked(monkeypatch) -> list[tuple]:
    """(name, start, size) of every read."""
    monkeypatch.setattr(Counted, "asked", [])
    monkeypatch.setattr("storage.files.places.store_of", lambda _: Counted())
    prove.cache_clear()
    return Counted.asked


def test_a_shard_is_fetched_once(object_folder, make_blocks, asked, own_cache, put):
    blocks = make_blocks(2 * BLOCK)
    manifest = put(object_folder, blocks)
    data = Dataset(object_folder)
    asked.clear()
    for _ in range(2):
        assert all(map(same, data.blocks(), blocks))
        assert sum(len(batch.images) for batch in data.batches(100, shuffle=1)) == 2 * BLOCK
        assert data[5].text == blocks[0].texts()[5]
    assert [name for name, *_ in asked] == [shard_name(0, BLOCK), shard_name(1, BLOCK)]
    kept = sorted(f"{line['sha256']}.h5" for line in manifest.shards)
    assert sorted(path.name for path in own_cache.iterdir()) == kept


def test_a_shard_that_left_the_cache_is_read_by_ranges_then_fetched_again(
    object_folder, make_blocks, asked, own_cache, put
):
    blocks = make_blocks(BLOCK)
    line = put(object_folder, blocks).shards[0]
    shard = prove(str(object_folder / line["name"]), line["sha256"])
    (own_cache / f"{line['sha256']}.h5").unlink()
    asked.clear()
    for _ in range(2):
        assert same(shard.block(0), blocks[0])
    ranges = [(start, size) for _, start, size in asked]
    assert ranges[:-1] == [tuple(shard.places[field][0].tolist()) for field in Block._fields[:4]]
    assert ranges[-1] == (0, None) and (own_cache / f"{line['sha256']}.h5").exists()


def test_nothing_is_kept_where_there_is_no_room(object_folder, make_blocks, asked, own_cache, monkeypatch, put):
    monkeypatch.setenv(cache.BYTES, "0")
    blocks = make_blocks(BLOCK)
    line = put(object_folder, blocks).shards[0]
    shard = prove(str(object_folder / line["name"]), line["sha256"])
    asked.clear()
    for _ in range(2):
        assert same(shard.block(0), blocks[0])
    assert all(size is not None for _, _, size in asked) and len(asked) == 10 and not own_cache.exists()
    monkeypatch.setenv(cache.BYTES, "many")
    with pytest.raises(BadInput, match="CAPTCHAS_CACHE_BYTES: must be a number of bytes"):
        cache.room()


def test_the_cache_stays_within_its_bound(tmp_path, own_cache, monkeypatch):
    monkeypatch.setenv(cache.BYTES, "250")
    for number in range(5):
        cache._keep(f"{number:064x}", bytes(100))
        time.sleep(0.002)
    assert sorted(path.name for path in own_cache.iterdir()) == [f"{number:064x}.h5" for number in (3, 4)]
    cache._keep("f" * 64, bytes(251))
    assert len(list(own_cache.iterdir())) == 2


def test_bytes_that_changed_in_the_cache_are_fetched_again(object_folder, make_blocks, own_cache, put):
    blocks = make_blocks(BLOCK, seed=7)
    line = put(object_folder, blocks).shards[0]
    path, copy = object_folder / line["name"], own_cache / f"{line['sha256']}.h5"
    shard = prove(str(path), line["sha256"])
    for harm in (bytes(line["bytes"]), b"", b"short"):
        copy.write_bytes(harm)
        assert same(shard.block(0), blocks[0])
        copy.write_bytes(harm)
        assert all(map(same, Dataset(object_folder).blocks(), blocks))
    copy.unlink()
    path.write_bytes(bytes(line["bytes"]))  # and now the object
    with pytest.raises(Damaged, match="changed since the file was proven"):
        shard.block(0)
    prove.cache_clear()
    with pytest.raises(Damaged, match="differ from the sha256"):
        Dataset(object_folder)[0]
    assert not copy.exists()


def test_proving_looks_at_the_object_and_not_at_the_cache(object_folder, make_blocks, put):
    line = put(object_folder, make_blocks(BLOCK)).shards[0]
    path = object_folder / line["name"]
    assert list(Dataset(object_folder).blocks()) and read_record(path).sha256 == line["sha256"]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(Damaged, match="was cut or altered"):
        read_record(path)

import ctypes
import mmap
import pickle
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from isal import isal_zlib
from zlib_ng import zlib_ng

from storage.dataset import Dataset
from storage.shards.manifest import Manifest
from storage.shards.shard import BLOCK, Shard, read_record
from storage.shards.unpacking import inflated
from storage.shards.writer import write_shard
from tasks.datasets.recipe import make_recipe, renderer_of
from tasks.lowlevel.deflate import compress
from tasks.lowlevel.inflate import inflate
from tasks.profiles.built_in import BUILT_IN


def random_bytes(random, count: int, share: float) -> np.ndarray:
    values = random.integers(1, 256, count).astype(np.uint8)
    return np.where(random.random(count) < share, values, 0).astype(np.uint8)


def pictures(name: str, count: int = 64) -> np.ndarray:
    return renderer_of(make_recipe(BUILT_IN[name], 1)).block(1, 0, count).images.reshape(-1)


class Guarded:
    """Memory that ends where the process may not read: a byte past it is a crash."""

    def __init__(self, size: int):
        whole = -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
        self._map = mmap.mmap(-1, whole + mmap.PAGESIZE)
        memory = np.frombuffer(self._map, np.uint8)
        protect = ctypes.CDLL(None, use_errno=True).mprotect
        assert protect(ctypes.c_void_p(memory.ctypes.data + whole), ctypes.c_size_t(mmap.PAGESIZE), 0) == 0
        self.memory = memory[whole - size : whole]

    def of(self, data: bytes) -> np.ndarray:
        self.memory[len(self.memory) - len(data) :] = np.frombuffer(data, np.uint8)
        return self.memory[len(self.memory) - len(data) :]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 8, 9, 258, 259, 260, 1024, 4099, 4100, 4101, 8192, 9000, 50_000])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 1.0])
def test_what_was_packed_comes_back(count, share):
    random = np.random.default_rng(count)
    for _ in range(3):
        data = random_bytes(random, count, share)
        out = np.full(count, 77, np.uint8)
        assert inflate(compress(data), out)
        assert np.array_equal(out, data)


@pytest.mark.parametrize("zeros", [1, 2, 3, 4, 10, 31, 257, 258, 259, 260, 261, 517, 1019, 1020, 5000, 20_000])
@pytest.mark.parametrize("before", range(6))
def test_runs_of_zeros_of_any_length_at_any_place(zeros, before):
    part = np.concatenate([np.arange(1, before + 1), np.zeros(zeros), [7]]).astype(np.uint8)
    for data in (part, np.tile(part, 9), part[:-1]):
        out = np.full(len(data), 77, np.uint8)
        assert inflate(compress(data), out)
        assert np.array_equal(out, data)


@pytest.mark.parametrize("name", ["book", "letters", "hard"])
def test_a_block_of_pictures_comes_back(name):
    data = pictures(name, BLOCK)
    out = np.empty_like(data)
    assert inflate(compress(data), out)
    assert np.array_equal(out, data)


def test_symbols_that_the_sample_did_not_show_have_long_codes_and_come_back():
    data = np.zeros(1 << 20, np.uint8)
    data[40_000:60_000] = np.random.default_rng(1).integers(0, 256, 20_000)
    data[100_000:600_000:7] = 9
    out = np.empty_like(data)
    assert inflate(compress(data), out)
    assert np.array_equal(out, data)


@pytest.mark.parametrize("level", [0, 1, 6, 9])
def test_streams_of_other_encoders_are_left_to_zlib(level):
    data = pictures("book")
    out = np.empty_like(data)
    assert not inflate(zlib.compress(data, level), out)
    assert not inflate(zlib_ng.compress(data, level), out)
    assert not inflate(isal_zlib.compress(data, min(level, 3)), out)
    assert not inflate(b"", out)


@pytest.mark.parametrize(("name", "count"), [("book", 3), ("letters", 8), ("hard", 1)])
def test_a_cut_stream_and_another_size_are_refused_and_no_byte_outside_is_touched(name, count):
    data = pictures(name, count)
    stream = compress(data)
    source, target = Guarded(len(stream)), Guarded(len(data) + 1)
    for cut in range(len(stream)):
        assert not inflate(source.of(stream[:cut]), target.memory[1:]), cut
    assert not inflate(source.of(stream), target.memory), "a byte more than it holds"
    for short in (1, 2, len(data) // 2, len(data)):
        assert not inflate(source.of(stream), target.memory[1 + short :]), short
    assert inflate(source.of(stream), target.memory[1:])
    assert np.array_equal(target.memory[1:], data)


@pytest.mark.parametrize("name", ["book", "hard"])
def test_a_mutated_stream_gives_what_zlib_gives_or_is_refused(name):
    random = np.random.default_rng(3)
    data = pictures(name, 2)
    stream = np.frombuffer(compress(data), np.uint8)
    source, target = Guarded(len(stream) + 16), Guarded(len(data))
    taken = 0
    for trial in range(2000):
        changed = stream.copy()
        span = 160 if trial % 3 == 0 else len(stream)  # the codes' lengths, or anything
        for place in random.integers(0, span, random.integers(1, 4)):
            changed[place] = random.integers(0, 256) if trial % 2 else changed[place] ^ 1 << random.integers(0, 8)
        if trial % 5 == 0:
            changed = np.insert(changed, random.integers(0, len(changed)), random.integers(0, 256, 3))
        mutated = changed.astype(np.uint8).tobytes()
        done = inflate(source.of(mutated), target.memory)
        proven = inflated(mutated, target.memory, lambda *_, done=done: done)
        try:
            wanted = zlib_ng.decompress(mutated)
        except zlib_ng.error:
            wanted = None
        if proven:
            taken += 1
            assert target.memory.tobytes() == wanted
        elif done:  # only the check sum was wrong
            unchecked = zlib_ng.decompressobj(wbits=-15).decompress(mutated[2:])
            assert target.memory.tobytes() == unchecked
    assert taken < 2000  # most are refused


@pytest.mark.parametrize("size", [BLOCK, 300, 1500])
def test_batches_are_the_same_with_it_as_without(tmp_path, size):
    recipe = make_recipe(BUILT_IN["letters"], 1)
    blocks = [renderer_of(recipe).block(1, number, count) for number, count in ((0, BLOCK), (1, BLOCK), (2, 200))]
    record = write_shard(tmp_path, 0, 0, iter(blocks), recipe.identity, "run", compress)
    golden = Manifest.read(Path(__file__).parents[2] / "golden" / "v1" / "book")
    replace(golden, count=record.count, shards=[record.as_dict()]).write(tmp_path)
    plain, ours = Dataset(tmp_path), pickle.loads(pickle.dumps(Dataset(tmp_path, inflate)))
    for options in ({}, {"shuffle": 3}, {"split": "train", "threads": 1}):
        for one, other in zip(plain.batches(size, **options), ours.batches(size, **options), strict=True):
            assert all(map(np.array_equal, one, other))
    assert np.array_equal(plain[1500:].images, ours[1500:].images)
    assert all(np.array_equal(a.images, b.images) for a, b in zip(plain.blocks(), ours.blocks(), strict=True))


def test_a_shard_is_proven_with_it_as_without(tmp_path):
    recipe = make_recipe(BUILT_IN["book"], 1)
    blocks = [renderer_of(recipe).block(1, number, count) for number, count in ((0, BLOCK), (1, 100))]
    calls = []

    def counted(stream, out):
        calls.append(inflate(stream, out))
        return calls[-1]

    record = write_shard(tmp_path, 0, 0, iter(blocks), recipe.identity, "run", compress)
    seen = []
    path = tmp_path / record.name
    assert read_record(path, recipe.identity, 0, seen.append, record.sha256, counted) == record
    assert calls == [True, True]
    for block, other in zip(blocks, seen, strict=True):
        assert all(map(np.array_equal, block, other))

    def wrong(stream, out):
        out[0] ^= inflate(stream, out)  # a fault of ours is no fault of the shard's: the check sum tells
        return True

    with Shard(path, sha256=record.sha256, inflate=wrong) as shard:
        assert np.array_equal(shard.block(0).images, blocks[0].images)

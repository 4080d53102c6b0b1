"""Batches: every picture once, in an order that depends on the seed alone, and never a wrong one."""

import multiprocessing
import os
import pickle
import shutil
import threading
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from storage.dataset import Dataset
from storage.errors import BadInput, Damaged
from storage.shards import batches as streams
from storage.shards.manifest import Manifest
from storage.shards.proven import ProvenShard, prove, read_rows
from storage.shards.shard import BLOCK, SPLITS, Block
from storage.shards.writer import write_shard

BLOCKS = 7
COUNT = (BLOCKS - 1) * BLOCK + 300


def put(folder: Path, blocks: list[Block], blocks_a_shard: int) -> Path:
    folder.mkdir()
    records = [
        write_shard(folder, number, first * BLOCK, blocks[first : first + blocks_a_shard], "{}", "run")
        for number, first in enumerate(range(0, len(blocks), blocks_a_shard))
    ]
    golden = Manifest.read(Path(__file__).parents[2] / "golden" / "v1" / "book")
    replace(
        golden, count=sum(record.count for record in records), shards=[record.as_dict() for record in records],
    ).write(folder)  # fmt: skip
    return folder


def joined(blocks) -> Block:
    return Block(*(None if arrays[0] is None else np.concatenate(arrays) for arrays in zip(*blocks, strict=True)))


def same(a: Block, b: Block) -> bool:
    return all(
        x is y is None or (x.dtype == y.dtype and x.shape == y.shape and (x == y).all())
        for x, y in zip(a, b, strict=True)
    )


def numbers(blocks) -> list[int]:
    """The pictures' numbers, which are written into them."""
    return [number for block in blocks for number in block.images[:, 5, 5:7].copy().view("<u2").ravel().tolist()]


def readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith(streams.THREADS)]


@pytest.fixture(scope="module")
def blocks(make_blocks) -> list[Block]:
    made = make_blocks(COUNT, seed=3)
    for k, block in enumerate(made):
        number = np.arange(k * BLOCK, k * BLOCK + len(block.images), dtype="<u2")
        block.images[:, 5, 5:7] = number.view(np.uint8).reshape(-1, 2)
    return made


@pytest.fixture(scope="module")
def whole(blocks) -> Block:
    return joined(blocks)


@pytest.fixture(scope="module")
def folders(tmp_path_factory, blocks) -> dict[int, Path]:
    """The same pictures, by blocks a shard."""
    home = tmp_path_factory.mktemp("streams")
    return {size: put(home / str(size), blocks, size) for size in (1, 3)}


@pytest.fixture
def data(folders) -> Dataset:
    return Dataset(folders[3])


@pytest.fixture
def own(tmp_path, folders) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(folders[3], tmp_path / "own"))


@pytest.fixture(autouse=True)
def nothing_known_and_nothing_left():
    prove.cache_clear()
    yield
    assert readers() == []


# In plain order.


@pytest.mark.parametrize("size", [1, 100, 1023, 1024, 1025, 2500, COUNT - 1, COUNT, COUNT + 1, 10**12])
def test_batches_in_order_are_the_dataset(data, whole, size):
    batches = list(data.batches(size, threads=3))
    assert [len(batch.images) for batch in batches[:-1]] == [size] * (-(-COUNT // size) - 1)
    assert len(batches[-1].images) == COUNT - size * (len(batches) - 1)
    assert same(joined(batches), whole)
    if size > 1:
        short = list(data.batches(size, drop_last=True, fields=["text"]))
        assert [len(batch.text) for batch in short] == [size] * (COUNT // size)
        assert not short or (joined(short).text == whole.text[: COUNT // size * size]).all()


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("size", [64, 3000])
def test_batches_of_a_split_are_its_rows(data, whole, split, size):
    wanted = whole.rows(whole.split == SPLITS.index(split))
    batches = list(data.batches(size, split=split))
    assert {len(batch.images) for batch in batches[:-1]} <= {size}
    assert same(joined(batches), wanted)
    kept = list(data.batches(size, split=split, drop_last=True, fields=("boxes",)))
    assert [len(batch.boxes) for batch in kept] == [size] * (len(wanted.boxes) // size)


def test_a_split_without_a_picture_gives_no_batch(tmp_path, make_blocks):
    folder = put(tmp_path / "d", [block._replace(split=np.zeros_like(block.split)) for block in make_blocks(1100)], 1)
    assert list(Dataset(folder).batches(10, split="test")) == []
    assert list(Dataset(folder).batches(10, split="test", shuffle=1)) == []


@pytest.mark.parametrize("options", [{}, {"split": "train"}, {"shuffle": 4}], ids=str)
def test_fields_that_nobody_asked_for_are_not_read(data, monkeypatch, options):
    read, unpack = set(), ProvenShard.unpack

    def counted(self, number, field, *outs):
        read.add(field)
        unpack(self, number, field, *outs)

    monkeypatch.setattr(ProvenShard, "unpack", counted)
    every = list(data.batches(500, **options))
    read.clear()
    some = list(data.batches(500, fields=["text", "boxes"], **options))
    assert read == {"text", "boxes"} | ({"split"} if "split" in options else set())
    assert same(joined(some), joined(every)._replace(images=None, parameters=None, split=None))


def test_ranks_in_order_are_consecutive_parts(data):
    parts = [numbers(data.batches(700, rank=rank, world=3)) for rank in range(3)]
    assert [*chain(*parts)] == list(range(COUNT))
    assert [len(part) for part in parts] == [2 * BLOCK, 2 * BLOCK, 2 * BLOCK + 300]


# Shuffled.


@pytest.mark.parametrize("world", [1, 2, 3, 10])
def test_over_all_ranks_each_picture_comes_once(data, whole, world):
    parts = [list(data.batches(200, shuffle=5, rank=rank, world=world, buffer=2)) for rank in range(world)]
    order = [numbers(part) for part in parts]
    assert sorted(chain(*order)) == list(range(COUNT))
    touched = [{number // BLOCK for number in part} for part in order]
    assert sum(map(len, touched)) == BLOCKS  # no block is shared
    assert {len(part) for part in touched} <= {BLOCKS // world, BLOCKS // world + 1}
    for part, rows in zip(parts, order, strict=True):
        assert not part or same(joined(part), whole.rows(rows))  # with their own labels, boxes, parameters


@pytest.mark.parametrize("split", [None, "train", "test"])
def test_the_order_is_the_one_that_is_documented(data, whole, split):
    """Written down once more: blocks by Philox, then the rows of `buffer` blocks at a time."""
    seed, epoch, buffer, rank, world = 9, 2, 2, 1, 2

    def keys(position, purpose, count):
        key = np.array([seed, epoch], np.uint64)
        return np.random.Philox(key=key, counter=[0, 0, position, purpose]).random_raw(count).tolist()

    raw = keys(0, 0, BLOCKS)
    order = sorted(range(BLOCKS), key=raw.__getitem__)
    expected = []
    for position in range(BLOCKS // 2, BLOCKS, buffer):
        rows = [row for block in order[position : position + buffer]
                for row in range(block * BLOCK, min(COUNT, block * BLOCK + BLOCK))
                if split is None or whole.split[row] == SPLITS.index(split)]  # fmt: skip
        raw = keys(position, 1, len(rows))
        expected += [rows[k] for k in sorted(range(len(rows)), key=raw.__getitem__)]
    found = data.batches(64, split=split, shuffle=seed, epoch=epoch, buffer=buffer, rank=rank, world=world)
    assert numbers(found) == expected


def test_the_order_stays_what_it_was(data):
    assert numbers(data.batches(8, shuffle=1))[:8] == [3998, 2186, 4900, 2743, 4582, 1443, 4802, 6026]


def test_the_order_does_not_depend_on_shards_threads_or_batches(folders):
    def order(folder, size, threads):
        return numbers(Dataset(folder).batches(size, shuffle=11, epoch=1, buffer=3, threads=threads))

    expected = order(folders[3], 100, 1)
    assert expected != sorted(expected)
    assert order(folders[1], 100, 1) == order(folders[1], 999, 4) == order(folders[3], 2000, 2) == expected
    a, b = (Dataset(folder).batches(333, shuffle=11) for folder in folders.values())
    assert all(map(same, a, b))


def test_epochs_and_seeds_differ_and_repeat(data):
    def order(seed, epoch):
        return numbers(data.batches(512, shuffle=seed, epoch=epoch))

    orders = [order(seed, epoch) for seed, epoch in [(0, 0), (0, 1), (1, 0), (2**64 - 1, 0)]]
    assert len(set(map(tuple, orders))) == 4
    assert order(0, 1) == orders[1]
    assert [sorted(one) for one in orders] == [list(range(COUNT))] * 4


def test_mixing_is_thorough(data):
    """Of a buffer that holds all blocks, each tenth has about its share of each block."""
    order = np.array(numbers(data.batches(COUNT, shuffle=2))) // BLOCK
    for tenth in np.array_split(order, 10):
        shares = np.bincount(tenth, minlength=BLOCKS)[:-1] / len(tenth)
        assert (abs(shares - BLOCK / COUNT) < 0.06).all()  # five standard deviations are 0.058


# Memory.


@pytest.mark.parametrize("options", [{}, {"shuffle": 3, "buffer": 2}, {"split": "train"}], ids=str)
def test_batches_that_are_kept_stay_as_they_were(data, whole, options):
    """Also those of which only a view, or a buffer of a view, was kept."""
    kept, views, buffers, copies = [], [], [], []
    for number, batch in enumerate(data.batches(150, **options)):
        assert batch.images.flags.writeable
        copies.append(batch.images.copy())
        held = (kept, views, buffers)[number % 3]
        held.append((number, (batch.images, batch.images[7:9], memoryview(batch.images.T[1:2]))[number % 3]))
    for number, array in kept:
        assert (array == copies[number]).all()
    for number, view in views:
        assert (view == copies[number][7:9]).all()
    for number, buffer in buffers:
        assert (np.asarray(buffer) == copies[number].T[1:2]).all()


def test_memory_serves_again_only_when_nobody_looks(data):
    memory = streams._FieldMemory(data.proven(0), "images")
    a = memory.array(10)
    place = a.ctypes.data
    view = a[3:4].T[..., 0]
    del a
    b = memory.array(10)
    assert b.ctypes.data != place
    del view
    c = memory.array(10)
    assert c.ctypes.data == place
    del c
    assert memory.array(11).shape == (11, 6, 9)


def test_what_the_consumer_writes_stays_its_own(data, whole):
    for batch in data.batches(100):
        batch.images[:] = 255
    assert same(joined(data.batches(100)), whole)


# Threads and processes.


@pytest.mark.parametrize("options", [{}, {"shuffle": 3, "buffer": 1}, {"split": "test"}], ids=str)
def test_threads_end_when_the_consumer_does(data, options):
    for _ in data.batches(10, threads=3, **options):
        break
    assert readers() == []
    with pytest.raises(KeyError):
        for _ in data.batches(10, threads=3, **options):
            assert 1 <= len(readers()) <= 3
            raise KeyError
    assert readers() == []
    batches = data.batches(10, threads=2, **options)
    assert readers() == []  # none before the first batch
    next(batches)
    assert readers() != []
    batches.close()
    assert readers() == []
    assert list(batches) == []


def test_little_is_read_ahead(folders, monkeypatch):
    """A consumer that stops early has not had the whole dataset read."""
    read, unpack = [], ProvenShard.unpack

    def counted(self, number, field, *outs):
        read.append(number)
        unpack(self, number, field, *outs)

    monkeypatch.setattr(ProvenShard, "unpack", counted)
    data = Dataset(folders[1])
    next(data.batches(10, threads=1, fields=["text"]))
    assert len(read) <= 5
    read.clear()
    next(data.batches(10, threads=1, fields=["text"], shuffle=1, buffer=2))
    assert len(read) <= 4


def child(data: Dataset, queue) -> None:
    queue.put((numbers(data.batches(500, shuffle=1)), data[7].text))


def test_a_dataset_forks_and_pickles_while_it_is_read(data):
    expected = numbers(data.batches(500, shuffle=1)), data[7].text
    batches = data.batches(10)
    next(batches)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=child, args=(data, queue))
    process.start()
    try:
        assert queue.get(timeout=60) == expected
    finally:
        process.join(60)
        batches.close()
        queue.close()
        queue.join_thread()
    assert numbers(pickle.loads(pickle.dumps(data)).batches(500, shuffle=1)) == expected[0]


# Damage.


def alter(path: Path, place: int) -> None:
    """Flip a bit, and leave size and times as they were."""
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[place] ^= 4
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


ACCESSES = {
    "picture": lambda data: data[3 * BLOCK + 5],
    "slice": lambda data: data[3 * BLOCK : 4 * BLOCK],
    "array": lambda data: data[[0, 3 * BLOCK]],
    "batches": lambda data: list(data.batches(100)),
    "split": lambda data: list(data.batches(100, split="train")),
    "shuffled": lambda data: list(data.batches(100, shuffle=1)),
    "blocks": lambda data: list(data.blocks()),
    "head": lambda data: data.head(COUNT),
    "rows": lambda data: read_rows(str(data.path(1)), data.manifest.shards[1]["sha256"], "images", 3, 9),
}


@pytest.mark.parametrize("access", ACCESSES)
@pytest.mark.parametrize("known", [False, True], ids=["first", "again"])
def test_an_altered_shard_is_damaged_by_every_way_in(own, access, known):
    if known:  # proven in this process, before it was altered
        assert same(joined(Dataset(own).batches(1000)), joined(Dataset(own).blocks()))
    data = Dataset(own)
    shard = prove(str(data.path(1)), data.manifest.shards[1]["sha256"])
    place = int(shard.places["images"][0, 0]) + 40
    if not known:
        prove.cache_clear()
    alter(data.path(1), place)
    with pytest.raises(Damaged, match=r"differ from the sha256|changed since the file was proven"):
        ACCESSES[access](data)
    alter(data.path(1), place)
    ACCESSES[access](data)  # whole again


@pytest.mark.parametrize("access", ACCESSES)
@pytest.mark.parametrize("known", [False, True], ids=["first", "again"])
@pytest.mark.parametrize("harm", ["gone", "cut", "other"])
def test_a_shard_that_went_or_was_replaced_is_damaged(own, access, known, harm):
    data = Dataset(own)
    if known:
        data[:]
        list(data.batches(1000, fields=["text"]))
    data = Dataset(own)  # with nothing in memory
    path = data.path(1)
    if harm == "gone":
        path.unlink()
    elif harm == "cut":
        path.write_bytes(path.read_bytes()[:3000])
    else:
        path.write_bytes(data.path(0).read_bytes())
    with pytest.raises(Damaged):
        ACCESSES[access](data)


def test_no_bit_flipped_in_a_proven_shard_gives_a_wrong_picture(own, whole):
    data = Dataset(own)
    shard, path = data.proven(1), data.path(1)
    chunks = [range(at, at + size) for table in shard.places.values() for at, size in table.tolist()]
    random = np.random.default_rng(6)
    places = random.integers(0, path.stat().st_size, 20).tolist() + [int(random.choice(chunk)) for chunk in chunks]
    for place in places:
        alter(path, place)
        if any(place in chunk for chunk in chunks):
            with pytest.raises(Damaged, match="changed since the file was proven"):
                list(data.batches(1000, threads=1))
        else:  # nobody reads it again
            assert same(joined(data.batches(1000, threads=1)), whole)
        alter(path, place)
    assert len(places) == 35


def test_what_comes_before_the_damage_is_right(own, whole):
    data = Dataset(own)
    place = int(data.proven(1).places["text"][1, 0]) + 5
    prove.cache_clear()
    alter(data.path(1), place)
    for options, good in (({}, 3 * BLOCK), ({"split": "train"}, None)):
        got = []
        with pytest.raises(Damaged, match=data.path(1).name):
            got.extend(data.batches(128, **options))
        rows = numbers(got)
        assert max(rows) < 3 * BLOCK
        assert good is None or len(rows) == good
        assert same(joined(got), whole.rows(rows))


def test_shards_of_another_shape_do_not_mix(tmp_path, make_blocks):
    a, b = make_blocks(2 * BLOCK)
    folder = put(tmp_path / "d", [a, b._replace(text=b.text.astype("S9"))], 1)
    for options in ({}, {"shuffle": 1}):
        with pytest.raises(Damaged, match="other types or shapes"):
            list(Dataset(folder).batches(100, **options))


def test_rows_beyond_the_shard_are_refused(data):
    line = data.manifest.shards[0]
    for start, stop in ((0, 3 * BLOCK + 1), (-1, 5), (7, 6)):
        with pytest.raises(Damaged, match="the manifest counts on rows"):
            read_rows(str(data.path(0)), line["sha256"], "text", start, stop)


def test_rows_of_a_shard(data, whole):
    line = data.manifest.shards[1]
    for start, stop in ((0, 3 * BLOCK), (5, 9), (1000, 1030), (1024, 2048), (2047, 3072), (4, 4)):
        rows = read_rows(str(data.path(1)), line["sha256"], "boxes", start, stop)
        assert (rows == whole.boxes[3 * BLOCK + start : 3 * BLOCK + stop]).all()
        assert rows.shape == (stop - start, 4, 4)


# What a person may get wrong.


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 0}, "size: must be an integer of 1 or more; it is 0"),
        ({"size": 2.5}, "size: must be an integer of 1 or more; it is 2.5"),
        ({"size": True}, "size: must be"),
        ({"split": "all"}, "split: must be one of train, validation, test, or None; it is 'all'"),
        ({"split": 0}, "split: must be"),
        ({"shuffle": True}, r"shuffle \(a seed, or None\): must be an integer of 0 or more; it is True"),
        ({"shuffle": -1}, "shuffle"),
        ({"shuffle": 2**64}, "shuffle"),
        ({"rank": 2, "world": 2}, "rank: must be below world, 2; it is 2"),
        ({"rank": -1}, "rank: must be"),
        ({"world": 0}, "world: must be"),
        ({"epoch": -1}, "epoch: must be"),
        ({"buffer": 0}, "buffer: must be"),
        ({"threads": 0}, "threads: must be"),
        ({"fields": ["pixels"]}, r"fields: must be some of images, text, .*; they are \['pixels'\]"),
        ({"fields": []}, "fields: must be some"),
    ],
)
def test_bad_arguments_are_told_at_once(data, options, message):
    with pytest.raises(BadInput, match=message):
        data.batches(**{"size": 10} | options)

import pickle
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from storage.dataset import Dataset, layout, locked, sealed
from storage.errors import Busy, Damaged, NotThere, Unwritable
from storage.manifest import Manifest
from storage.shards import BLOCK, SPLITS, Block, Shard, shard_name, write_shard

COUNT = 2 * BLOCK + 300


def put(folder: Path, blocks: list[Block]) -> Manifest:
    """A dataset of one block a shard."""
    folder.mkdir()
    records = [write_shard(folder, number, number * BLOCK, [block], "{}", "run") for number, block in enumerate(blocks)]
    manifest = Manifest(
        identity="", profile={"name": "made up"}, seed=1, count=sum(record.count for record in records), content="",
        fonts=[], software={}, statistics={}, shards=[record.as_dict() for record in records],
    )  # fmt: skip
    manifest.write(folder)
    return manifest


@pytest.fixture(scope="module")
def blocks(make_blocks) -> list[Block]:
    return make_blocks(COUNT, seed=4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, blocks) -> Path:
    folder = tmp_path_factory.mktemp("datasets") / "made-up"
    put(folder, blocks)
    return folder


def joined(blocks) -> Block:
    return Block(*(np.concatenate(arrays) for arrays in zip(*blocks, strict=True)))


def same(a: Block, b: Block) -> bool:
    return all(x.dtype == y.dtype and x.shape == y.shape and (x == y).all() for x, y in zip(a, b, strict=True))


def test_blocks_come_in_order(folder, blocks):
    dataset = Dataset(folder)
    assert len(dataset) == COUNT
    read = list(dataset.blocks())
    assert [len(block.images) for block in read] == [1024, 1024, 300]
    assert all(map(same, read, blocks))
    assert all(map(same, dataset.blocks(shards=[2, 0]), (blocks[2], blocks[0])))
    assert list(dataset.blocks(shards=[])) == []


@pytest.mark.parametrize("split", SPLITS)
def test_a_split_holds_its_rows_and_no_other(folder, blocks, split):
    whole = joined(blocks)
    wanted = whole.rows(whole.split == SPLITS.index(split))
    assert len(wanted.images) > 100
    assert same(joined(Dataset(folder).blocks(split)), wanted)
    for count in (1, 50, len(wanted.images), len(wanted.images) + 99):
        assert same(Dataset(folder).head(count, split), wanted.rows(slice(0, count)))


def test_the_splits_cover_every_row_once(folder):
    assert sum(len(block.images) for split in SPLITS for block in Dataset(folder).blocks(split)) == COUNT


def test_fields_that_nobody_asked_for_are_not_read(folder, blocks):
    for block, whole in zip(Dataset(folder).blocks(fields=("text",)), blocks, strict=True):
        assert (block.text == whole.text).all()
        assert block.images is block.boxes is block.parameters is block.split is None
    block = next(Dataset(folder).blocks("test", fields=["boxes"]))
    assert (block.boxes == blocks[0].boxes[blocks[0].split == 2]).all()
    assert set(block.split.tolist()) == {2}
    assert block.images is None


def test_blocks_without_a_row_of_the_split_are_passed_over(tmp_path, make_blocks):
    blocks = [block._replace(split=np.full_like(block.split, number)) for number, block in enumerate(make_blocks(1100))]
    put(tmp_path / "d", blocks)
    dataset = Dataset(tmp_path / "d")
    assert [len(block.images) for block in dataset.blocks("validation")] == [76]
    assert list(dataset.blocks("test")) == []
    with pytest.raises(Damaged, match="no picture in split 'test'"):
        dataset.head(1, "test")


@pytest.mark.parametrize("count", [1, 1023, 1024, 1025, COUNT, COUNT + 1])
def test_head(folder, blocks, count):
    assert same(Dataset(folder).head(count), joined(blocks).rows(slice(0, count)))


def test_a_dataset_pickles(folder, blocks):
    dataset = pickle.loads(pickle.dumps(Dataset(folder)))
    assert same(next(dataset.blocks()), blocks[0])


def test_no_manifest_is_no_dataset(tmp_path):
    with pytest.raises(NotThere):
        Dataset(tmp_path)


@pytest.mark.parametrize(
    "name", ["../x.h5", "../shard-000000-1024.h5", "/etc/passwd", "x.h5", "", "sub/shard-000000-1024.h5"]
)
def test_a_name_that_is_no_shard_is_refused_before_it_is_opened(tmp_path, make_blocks, name):
    manifest = put(tmp_path / "d", make_blocks(1024))
    (tmp_path / "d" / "shard-000000-1024.h5").rename(tmp_path / "shard-000000-1024.h5")
    replace(manifest, shards=[manifest.shards[0] | {"name": name}]).write(tmp_path / "d")
    with pytest.raises(Damaged, match="which is no shard's name") as error:
        list(Dataset(tmp_path / "d").blocks())
    assert repr(name) in str(error.value)


def test_another_valid_shard_in_its_place_is_damaged(tmp_path, make_blocks):
    put(tmp_path / "a", make_blocks(1024, seed=1))
    put(tmp_path / "b", make_blocks(1024, seed=2))
    (tmp_path / "b" / shard_name(0, 1024)).replace(tmp_path / "a" / shard_name(0, 1024))
    dataset = Dataset(tmp_path / "a")
    with pytest.raises(Damaged, match=r"shard-000000-1024\.h5: its bytes differ from the sha256 in the manifest"):
        next(dataset.blocks())


def test_shards_that_changed_places_or_went_are_damaged(tmp_path, make_blocks):
    put(tmp_path / "a", make_blocks(2048))
    first, second = (tmp_path / "a" / shard_name(number, 1024) for number in range(2))
    first.rename(tmp_path / "x")
    second.rename(first)
    dataset = Dataset(tmp_path / "a")
    for number, message in ((0, "its bytes differ"), (1, "cannot be read")):
        with pytest.raises(Damaged, match=message):
            dataset.shard(number)


def test_sealed_lists_shards_by_place_and_nothing_else(tmp_path):
    for name in ("shard-000000-5.h5", "shard-000001-1024.h5", "shard-000001-7.h5", "shard-x-1.h5", "manifest.json",
                 ".shard-000002-5.h5.run.tmp", "shard-000003-5.h5.bak"):  # fmt: skip
        (tmp_path / name).touch()
    assert sealed(tmp_path) == {
        (0, 5): tmp_path / "shard-000000-5.h5",
        (1, 7): tmp_path / "shard-000001-7.h5",
        (1, 1024): tmp_path / "shard-000001-1024.h5",
    }
    assert sealed(tmp_path / "nothing") == {}


def test_a_shard_can_be_read_without_the_manifest(folder, blocks):
    with Shard(folder / shard_name(2, 300)) as shard:
        assert same(shard.block(0), blocks[2])


# Layout.


@pytest.mark.parametrize("blocks_a_shard", [1, 2, 16])
def test_layout_covers_every_picture_once(blocks_a_shard):
    size = blocks_a_shard * BLOCK
    for count in (0, 1, size - 1, size, size + 1, 5 * size, 7 * size + 13):
        places = layout(count, blocks_a_shard)
        assert [picture for _, first, n in places for picture in range(first, first + n)] == list(range(count))
        assert [index for index, _, _ in places] == list(range(len(places)))
        assert all(first == index * size and 0 < n <= size for index, first, n in places)
        assert all(n == size for _, _, n in places[:-1])


# Locks.

HOLDER = """
import sys
from pathlib import Path
from storage.dataset import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(folder: Path) -> subprocess.Popen:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_holder_is_told_so_and_a_dead_one_is_no_obstacle(tmp_path):
    folder = tmp_path / "datasets" / "letters"
    with holder(folder) as process:
        with pytest.raises(Busy, match=r"letters: another run is working on it; .*--out"), locked(folder):
            pytest.fail("two runs hold the lock")
        process.send_signal(signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL
        with locked(folder):  # free again, although nobody tidied up
            assert [path.name for path in folder.parent.iterdir()] == ["letters.lock"]
    with holder(folder) as process, pytest.raises(Busy), locked(folder):
        pytest.fail("two runs hold the lock")
    assert not folder.exists()  # the lock stands beside it


def test_a_lock_file_that_was_left_is_no_obstacle(tmp_path):
    (tmp_path / "d.lock").write_text("left by a dead run")
    with locked(tmp_path / "d"), pytest.raises(Busy), locked(tmp_path / "d"):
        pytest.fail("held twice")
    with pytest.raises(KeyError), locked(tmp_path / "d"):
        raise KeyError
    with locked(tmp_path / "d"), locked(tmp_path / "e"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d.lock", "e.lock"]


def test_one_folder_has_one_lock_however_it_is_spelled(tmp_path, monkeypatch):
    folder = tmp_path / "d"
    folder.mkdir()
    (tmp_path / "link").symlink_to(folder)
    monkeypatch.chdir(folder)
    for spelling in (Path(), Path("../d"), tmp_path / "link", tmp_path / "x" / ".." / "d"):
        with locked(folder), pytest.raises(Busy), locked(spelling):
            pytest.fail("held twice")
        with locked(spelling):
            pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d", "d.lock", "link"]
    assert list(folder.iterdir()) == []


def test_a_lock_where_no_folder_can_be(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(Unwritable), locked(tmp_path / "file" / "d"):
        pytest.fail("held under a file")

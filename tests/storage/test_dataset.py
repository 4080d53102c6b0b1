import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from storage.dataset import Dataset, Picture
from storage.errors import BadInput, Damaged, NotThere
from storage.shards import recent
from storage.shards.indexing import OutOfRange
from storage.shards.proven import ProvenShard, prove
from storage.shards.shard import BLOCK, SPLITS, Block, Shard, sealed, shard_name

COUNT = 2 * BLOCK + 300


@pytest.fixture(scope="module")
def blocks(make_blocks) -> list[Block]:
    return make_blocks(COUNT, seed=4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, blocks, put) -> Path:
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


def test_blocks_without_a_row_of_the_split_are_passed_over(tmp_path, make_blocks, put):
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
def test_a_name_that_is_no_shard_is_refused_before_it_is_opened(tmp_path, make_blocks, name, put):
    manifest = put(tmp_path / "d", make_blocks(1024))
    (tmp_path / "d" / "shard-000000-1024.h5").rename(tmp_path / "shard-000000-1024.h5")
    replace(manifest, shards=[manifest.shards[0] | {"name": name}]).write(tmp_path / "d")
    with pytest.raises(Damaged, match=r"shards\[0\]\.name: must be 'shard-000000-1024\.h5'") as error:
        list(Dataset(tmp_path / "d").blocks())
    assert repr(name) in str(error.value)


def test_another_valid_shard_in_its_place_is_damaged(tmp_path, make_blocks, put):
    put(tmp_path / "a", make_blocks(1024, seed=1))
    put(tmp_path / "b", make_blocks(1024, seed=2))
    (tmp_path / "b" / shard_name(0, 1024)).replace(tmp_path / "a" / shard_name(0, 1024))
    dataset = Dataset(tmp_path / "a")
    with pytest.raises(Damaged, match=r"shard-000000-1024\.h5: its bytes differ from the sha256 in the manifest"):
        next(dataset.blocks())


def test_shards_that_changed_places_or_went_are_damaged(tmp_path, make_blocks, put):
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


# Pictures by number.


@pytest.fixture
def reads(monkeypatch) -> list[int]:
    """The blocks of shards that are read, as they are."""
    prove.cache_clear()
    seen, block = [], ProvenShard.block

    def counted(self, number, *fields):
        seen.append(self.path.name)
        return block(self, number, *fields)

    monkeypatch.setattr(ProvenShard, "block", counted)
    return seen


@pytest.mark.parametrize("number", [0, 1, 1023, 1024, 2048, COUNT - 1, -1, -COUNT, np.int64(5), np.uint8(7)])
def test_one_picture(folder, blocks, number):
    whole = joined(blocks).rows(int(number))
    picture = Dataset(folder)[number]
    assert isinstance(picture, Picture)
    assert picture.text == whole.text.decode()
    assert picture.image.dtype == np.uint8
    assert (picture.image == whole.images).all()  # 6 x 9 of 6 x 9
    assert (picture.boxes == whole.boxes[: len(picture.text)]).all()
    assert picture.parameters == whole.parameters
    assert picture.parameters["shear"] == -250
    assert picture.split == SPLITS[whole.split]


def test_a_picture_is_cropped_to_its_own_size(tmp_path, make_blocks, put):
    (block,) = make_blocks(100)
    block.parameters["height"], block.parameters["width"] = 4, np.arange(100) % 9 + 1
    put(tmp_path / "d", [block])
    for number, picture in enumerate(Dataset(tmp_path / "d")):
        assert picture.image.shape == (4, number % 9 + 1)
        assert (picture.image == block.images[number, :4, : number % 9 + 1]).all()
    assert number == 99


def test_a_picture_is_the_callers_own(folder):
    data = Dataset(folder)
    before = data[3].image.copy()
    data[3].image[:] += 1
    data[3].boxes[:] += 1
    data[3].parameters["height"] = 1
    assert (data[3].image == before).all()
    assert data[3].parameters["height"] == 6


CHOICES = [
    slice(None), slice(5), slice(1000, 1100), slice(1023, 2049, 2), slice(None, None, -1), slice(-5, None),
    slice(7, 3), slice(3, 7, -1), slice(0, 10**9), slice(None, None, 1000), slice(2048, 100, -7),
    [0], [-1, 0], [5, 3, 3, 2347], [], np.array([], np.int32), np.arange(COUNT)[::-1], np.array([2300, 4], np.uint64),
    np.arange(COUNT) % 500 == 3, np.zeros(COUNT, bool), range(3),
]  # fmt: skip


@pytest.mark.parametrize("chosen", CHOICES, ids=range(len(CHOICES)))
def test_many_pictures_are_those_that_numpy_chooses(folder, blocks, chosen):
    numbers = np.arange(COUNT)[np.asarray(chosen, int) if isinstance(chosen, list) else chosen]
    data = Dataset(folder)
    assert same(data[chosen], joined(blocks).rows(numbers))
    data[chosen].images[:] = 9
    assert same(data[chosen], joined(blocks).rows(numbers))


@pytest.mark.parametrize("chosen", [COUNT, -COUNT - 1, 10**30, [0, COUNT], np.array([-COUNT - 1]), np.ones(5, bool)],
                         ids=str)  # fmt: skip
def test_an_index_past_the_end(folder, chosen):
    with pytest.raises((OutOfRange, BadInput), match=r"^index: must be|^index: a mask must have 2348 values"):
        Dataset(folder)[chosen]


def test_out_of_range_is_an_index_error_so_that_loops_end(folder):
    assert issubclass(OutOfRange, IndexError)
    assert sum(1 for _ in Dataset(folder)) == COUNT


@pytest.mark.parametrize(
    "chosen",
    ["7", 1.0, None, True, (1, 2), [[1]], [1, "a"], [1.5], [[1], [2, 3]], slice("a", None), {}, np.zeros((2, 2), bool)],
    ids=str,
)
def test_what_is_no_index(folder, chosen):
    with pytest.raises(BadInput, match=r"^index: (must be an integer, a slice|a slice's ends must be)"):
        Dataset(folder)[chosen]


def test_neighbours_read_a_block_once_and_two_places_do_not_disturb_each_other(folder, reads):
    data = Dataset(folder)
    for number in range(0, 1024, 50):
        data[number], data[number + 1024], data[-1 - number % 300]
    assert reads == [shard_name(0, 1024), shard_name(1, 1024), shard_name(2, 300)]


def test_the_blocks_that_stay_in_memory_are_few(folder, reads, monkeypatch):
    monkeypatch.setattr(recent, "RECENT", 2)
    data = Dataset(folder)
    data[0], data[1024], data[0], data[2048], data[0]
    assert len(reads) == 3
    data[1024]  # the one not used for longest has gone
    assert len(reads) == 4
    monkeypatch.setattr(recent, "RECENT_BYTES", 1)
    data[2048], data[2049]
    assert len(reads) == 5
    assert len(data._recent) == 1


def test_only_the_shards_that_are_touched_are_read(tmp_path, make_blocks, put):
    blocks = make_blocks(3 * BLOCK)
    put(tmp_path / "d", blocks)
    for number in (0, 2):
        (tmp_path / "d" / shard_name(number, BLOCK)).unlink()
    data = Dataset(tmp_path / "d")
    assert data[1500].text == blocks[1].text[476].decode()
    assert same(data[1024:2048], blocks[1])
    assert same(data[[2047, 1024]], blocks[1].rows([1023, 0]))
    for touched in (slice(1020, 1030), slice(2000, 2049), [0], 2048, -1):
        with pytest.raises(Damaged, match="cannot be read"):
            data[touched]


def test_what_was_looked_at_does_not_travel_in_a_pickle(folder, blocks):
    data = Dataset(folder)
    small = len(pickle.dumps(data))
    data[0], data[2000], next(data.batches(5))
    assert len(pickle.dumps(data)) == small
    assert same(pickle.loads(pickle.dumps(data))[:1024], blocks[0])


@pytest.mark.parametrize("wrong", [{"first": 1024}, {"first": 5}, {"count": 1025}, {"count": 0}, {"count": 300}],
                         ids=str)  # fmt: skip
def test_a_manifest_whose_shards_leave_a_gap_is_damaged(tmp_path, make_blocks, wrong, put):
    manifest = put(tmp_path / "d", make_blocks(2 * BLOCK))
    replace(manifest, shards=[manifest.shards[0] | wrong, manifest.shards[1]]).write(tmp_path / "d")
    with pytest.raises(Damaged, match=r"manifest\.json: cannot be read as a manifest \((count|shards\[[01]\])"):
        Dataset(tmp_path / "d")


def test_a_manifest_that_counts_more_than_its_shards_is_damaged(tmp_path, make_blocks, put):
    manifest = put(tmp_path / "d", make_blocks(1100))
    replace(manifest, count=1101).write(tmp_path / "d")
    with pytest.raises(Damaged, match=r"count: must be 1100, the sum of its shards' counts; it is 1101"):
        Dataset(tmp_path / "d")[0]
    name = shard_name(1, 77)
    (tmp_path / "d" / manifest.shards[1]["name"]).rename(tmp_path / "d" / name)
    wrong = manifest.shards[1] | {"name": name, "count": 77}
    replace(manifest, count=1101, shards=[manifest.shards[0], wrong]).write(tmp_path / "d")
    data = Dataset(tmp_path / "d")
    assert data[0].split in SPLITS
    for access in (
        lambda: data[-1], lambda: data[1020:1030], lambda: list(data.batches(2000)), lambda: list(data.blocks()),
    ):  # fmt: skip
        with pytest.raises(Damaged, match="holds 76 pictures where the manifest says 77"):
            access()


@pytest.mark.parametrize("count", [10**18, 2**20 + 1])
def test_a_manifest_with_a_shard_of_too_many_pictures_is_damaged(tmp_path, make_blocks, put, count):
    """`batches` wanted 7 PiB for the order of so many blocks."""
    manifest = put(tmp_path / "d", make_blocks(40))
    shards = [manifest.shards[0] | {"name": shard_name(0, count), "count": count}]
    replace(manifest, count=count, shards=shards).write(tmp_path / "d")
    with pytest.raises(Damaged, match="must be a whole number from 1 to"):
        Dataset(tmp_path / "d")

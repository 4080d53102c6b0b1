import hashlib
import json
import random
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
from blake3 import blake3

from storage.errors import Damaged
from storage.shards.shard import (
    BLOCK,
    DIGEST,
    FORMAT,
    SPLITS,
    Block,
    Shard,
    combined,
    layout,
    parse_name,
    read_record,
    shard_name,
)
from storage.shards.unpacking import unpacked
from storage.shards.writer import packed_size, write_shard

IDENTITY = '{"profile":{"name":"é"},"seed":1}'


@pytest.fixture(scope="module")
def blocks(make_blocks) -> list[Block]:
    return make_blocks(1500)


@pytest.fixture(scope="module")
def sealed(tmp_path_factory, blocks):
    """(path, record) of a shard of a whole and a partial block, to read only."""
    folder = tmp_path_factory.mktemp("sealed")
    record = write_shard(folder, 0, 0, blocks, IDENTITY, "run")
    return folder / record.name, record


def same(a: Block, b: Block) -> bool:
    return all(x.dtype == y.dtype and x.shape == y.shape and (x == y).all() for x, y in zip(a, b, strict=True))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("count", [1, 1023, 1024, 1025, 2048, 2100])
def test_round_trip_gives_equal_arrays(tmp_path, make_blocks, count):
    blocks = make_blocks(count, seed=count)
    record = write_shard(tmp_path, 3, 9 * BLOCK, blocks, IDENTITY, "run")
    path = tmp_path / record.name
    assert names(tmp_path) == [f"shard-000003-{count}.h5"]
    assert (record.first, record.count, record.bytes) == (9 * BLOCK, count, path.stat().st_size)
    assert record.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert record.blocks == tuple(block.digest().hex() for block in blocks)
    assert record.content == combined(block.digest() for block in blocks)
    for sha256 in (None, record.sha256):
        with Shard(path, sha256=sha256) as shard:
            assert (shard.identity, shard.index, shard.first, shard.count) == (IDENTITY, 3, 9 * BLOCK, count)
            assert len(shard) == len(blocks)
            read = list(shard)
    assert len(read) == len(blocks)
    assert all(map(same, read, blocks))
    assert read_record(path) == record
    assert read_record(path, IDENTITY, 9 * BLOCK) == record
    line = record.as_dict()
    assert list(line) == ["name", "first", "count", "bytes", "sha256", "content"]


def test_only_the_fields_asked_for_are_read(sealed, blocks):
    with Shard(sealed[0]) as shard:
        block = shard.block(1, ("text", "split"))
    assert block.images is None and block.boxes is None and block.parameters is None
    assert (block.text == blocks[1].text).all() and (block.split == blocks[1].split).all()
    assert block.texts() == [text.decode() for text in blocks[1].text.tolist()]
    assert "ÉC" in block.texts()


def test_plain_h5py_reads_it(sealed, blocks):
    """Without this project's code: what docs/format.md promises to every reader of HDF5."""
    with h5py.File(sealed[0]) as file:
        assert sorted(file) == ["boxes", "images", "parameters", "split", "text"]
        for name, array in zip(
            Block._fields, (np.concatenate(arrays) for arrays in zip(*blocks, strict=True)), strict=True
        ):
            dataset = file[name]
            assert dataset.dtype == array.dtype
            assert (dataset[...] == array).all()
            assert dataset.compression == "gzip"
            assert dataset.chunks == (1024, *array.shape[1:])
            assert dataset.maxshape == (None, *array.shape[1:])
        assert file["images"][1300:1400:7].shape == (15, 6, 9)
        assert file["text"].dtype == "S4"
        assert file["parameters"].dtype.names == ("height", "width", "font", "shear", "scale")
        assert file["parameters"].dtype.itemsize == 10  # packed
        attributes = dict(file.attrs)
    assert attributes.pop("blocks").tolist() == [block.digest().hex().encode() for block in blocks]
    assert attributes == {
        "format": FORMAT, "digest": DIGEST, "identity": IDENTITY, "index": 0, "first": 0, "count": 1500
    }  # fmt: skip


@pytest.mark.skipif(not shutil.which("h5dump"), reason="needs Debian's hdf5-tools")
def test_h5dump_opens_it(sealed):
    run = subprocess.run(["h5dump", "-pH", sealed[0]], capture_output=True, text=True, check=True)
    assert run.stdout.count("COMPRESSION DEFLATE") == 5
    assert "H5T_STD_U8LE" in run.stdout


def test_the_padding_of_the_last_chunk_is_zero(sealed):
    copy = sealed[0].with_name("copy.h5")
    shutil.copy(sealed[0], copy)
    with h5py.File(copy, "r+") as file:
        for name in Block._fields:
            file[name].resize(2048, axis=0)
            assert not np.ascontiguousarray(file[name][1500:]).view(np.uint8).any()
    copy.unlink()


def test_two_writes_give_the_same_bytes(tmp_path, sealed, blocks):
    write_shard(tmp_path, 0, 0, iter(blocks), IDENTITY, "another run")
    assert (tmp_path / sealed[0].name).read_bytes() == sealed[0].read_bytes()


def test_a_second_writer_finds_an_equal_shard(tmp_path, blocks):
    first = write_shard(tmp_path, 0, 0, blocks, IDENTITY, "a")
    before = (tmp_path / first.name).stat()
    assert write_shard(tmp_path, 0, 0, blocks, IDENTITY, "b") == first
    assert (tmp_path / first.name).stat().st_ino == before.st_ino
    assert names(tmp_path) == [first.name]


def test_a_second_writer_with_other_content_is_refused(tmp_path, make_blocks):
    first = write_shard(tmp_path, 0, 0, make_blocks(10, seed=1), IDENTITY, "a")
    data = (tmp_path / first.name).read_bytes()
    for blocks, identity in ((make_blocks(10, seed=2), IDENTITY), (make_blocks(10, seed=1), '{"seed":2}')):
        with pytest.raises(Damaged, match=first.name):
            write_shard(tmp_path, 0, 0, blocks, identity, "b")
        assert names(tmp_path) == [first.name]
        assert (tmp_path / first.name).read_bytes() == data


def test_packed_size_is_about_what_a_shard_takes(sealed, blocks):
    assert sum(map(packed_size, blocks)) < sealed[1].bytes < sum(map(packed_size, blocks)) + 30_000


# Digests.


def spelled_out(block: Block) -> bytes:
    """The content digest of this test's blocks, from the words of the docstring alone."""
    n = len(block.images)
    compound = [["height", "<u2"], ["width", "<u2"], ["font", "<u2"], ["shear", "<i2"], ["scale", "<u2"]]
    data = b""
    for name, dtype, shape, array in (
        ("images", "|u1", [n, 6, 9], block.images),
        ("text", "|S4", [n], block.text),
        ("boxes", "<i2", [n, 4, 4], block.boxes),
        ("parameters", compound, [n], block.parameters),
        ("split", "|u1", [n], block.split),
    ):
        data += json.dumps([name, dtype, shape]).encode() + array.tobytes(order="C")
    return blake3(data).digest()


def test_a_block_digest_is_what_the_docstring_says(blocks):
    for block in blocks:
        assert block.digest() == spelled_out(block)
    assert combined(block.digest() for block in blocks) == blake3(b"".join(map(spelled_out, blocks))).hexdigest()


def test_a_block_digest_is_of_values_and_not_of_memory(blocks):
    block = blocks[1]
    big_endian = [(name, ">i2" if name == "shear" else ">u2") for name in block.parameters.dtype.names]
    turned = Block(
        np.asfortranarray(block.images),
        np.repeat(block.text, 2)[::2],
        block.boxes.astype(">i2"),
        block.parameters.astype(big_endian),
        block.split[::-1][::-1],
    )  # fmt: skip
    assert turned.digest() == block.digest()


def test_a_block_digest_changes_with_any_byte_of_any_array(blocks):
    block = blocks[1]
    rng = np.random.default_rng(2)
    seen = {block.digest()}
    changes = 0
    for place, array in enumerate(block):
        size = array.nbytes
        for byte in {0, size - 1, *rng.integers(0, size, 8).tolist()}:
            data = bytearray(array.tobytes())
            data[byte] ^= 1
            changed = np.frombuffer(bytes(data), array.dtype).reshape(array.shape)
            seen.add(Block(*block[:place], changed, *block[place + 1 :]).digest())
            changes += 1
    assert len(seen) == changes + 1


def test_a_block_digest_knows_names_dtypes_and_shapes(blocks):
    block = blocks[1]
    digests = {
        block.digest(),
        block._replace(images=block.images.reshape(-1, 9, 6)).digest(),
        block._replace(images=block.images.view(np.int8)).digest(),
        block._replace(boxes=block.boxes.view(np.uint16)).digest(),
        block._replace(parameters=block.parameters.view([("a", "<u2", 5)])).digest(),
        block.rows(slice(0, 100)).digest(),
        block.rows(slice(0, 0)).digest(),
    }
    assert len(digests) == 7


def test_rows(blocks):
    mask = blocks[0].split == SPLITS.index("test")
    chosen = blocks[0].rows(mask)
    assert len(chosen.images) == mask.sum() > 0
    assert same(chosen, Block(*(array[mask] for array in blocks[0])))


# Names.


def test_names_round_trip_and_nothing_else_is_one():
    for index, count in ((0, 1), (3, 16384), (999_999, 5)):
        assert parse_name(shard_name(index, count)) == (index, count)
    for name in ("shard-0-1.h5", "../shard-000000-1.h5", "shard-000000-1.h5.tmp", ".shard-000000-1.h5", "a.h5",
                 "shard-000000--1.h5", "shard-000000-1.h5\n", "x/shard-000000-1.h5"):  # fmt: skip
        assert parse_name(name) is None


# Damage.


def rewrite(path: Path, change) -> None:
    """Alter a shard through h5py and seal it again, as a person with a script and docs/format.md would."""
    path.write_bytes(path.read_bytes()[:-32])
    with h5py.File(path, "r+") as file:
        change(file)
    data = path.read_bytes()
    path.write_bytes(data + blake3(data).digest())


def change_pixel(file):
    file["images"][1400, 2, 3] ^= 1


def no_stream(file):
    file["boxes"].id.write_direct_chunk((0, 0, 0), b"not a zlib stream")


def skip_the_filter(file):
    """As HDF5 allows for a chunk that does not get smaller."""
    file["split"].id.write_direct_chunk((0,), bytes(1024), filter_mask=1)


def swap_digests(file):
    file.attrs["blocks"] = file.attrs["blocks"][::-1]


def drop_digest(file):
    file.attrs["blocks"] = file.attrs["blocks"][:1]


def drop_identity(file):
    del file.attrs["identity"]


def drop_array(file):
    del file["boxes"]


def shorten_array(file):
    file["text"].resize(1400, axis=0)


def attribute(**values):
    return lambda file: file.attrs.update(values)


EDITS = {
    "pixel": (change_pixel, "block 1 differs from its digest"),
    "stream": (no_stream, "block 0 cannot be read"),
    "filter": (skip_the_filter, "split was stored without its filter"),
    "digests swapped": (swap_digests, "block 0 differs from its digest"),
    "digest gone": (drop_digest, "holds [1500] rows where 1500 were sealed"),
    "identity gone": (drop_identity, "its structure is damaged"),
    "array gone": (drop_array, "its structure is damaged"),
    "array short": (shorten_array, "holds [1400, 1500] rows where 1500 were sealed"),
    "format": (attribute(format=3), "format 3 with blake3 digests; this version reads formats 1 and 2 with blake3"),
    "digest": (attribute(digest="md5"), "format 1 with md5 digests"),
    "count": (attribute(count=1499), "holds [1500] rows where 1499 were sealed"),
    "count's type": (attribute(count="many"), "its structure is damaged"),
    "index": (attribute(index=1), "was sealed as shard-000001-1500.h5 from picture 0"),
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_shard_that_was_edited_is_damaged(tmp_path, sealed, edit):
    change, message = EDITS[edit]
    path = tmp_path / sealed[0].name
    shutil.copy(sealed[0], path)
    rewrite(path, change)
    with pytest.raises(Damaged) as error:
        read_record(path)
    assert str(error.value).startswith(f"{path}: ")
    assert message in str(error.value)
    with pytest.raises(Damaged, match="its bytes differ from the sha256 in the manifest"):
        Shard(path, sha256=sealed[1].sha256)


def test_blocks_that_changed_places_are_damaged(tmp_path, make_blocks):
    blocks = make_blocks(2048)
    record = write_shard(tmp_path, 0, 0, blocks, IDENTITY, "run")

    def swap(file):
        for name in Block._fields:
            file[name][...] = np.concatenate([file[name][1024:], file[name][:1024]])

    rewrite(tmp_path / record.name, swap)
    with pytest.raises(Damaged, match="block 0 differs from its digest"):
        read_record(tmp_path / record.name)


def test_another_identity_or_place_is_damaged(tmp_path, sealed):
    path, record = sealed
    with pytest.raises(Damaged, match="belongs to another dataset"):
        read_record(path, IDENTITY.replace("1", "2"))
    with pytest.raises(Damaged, match=r"was sealed as shard-000000-1500\.h5 from picture 0"):
        read_record(path, IDENTITY, first=16 * BLOCK)
    for name in ("shard-000001-1500.h5", "shard-000000-1024.h5", "copy.h5"):
        shutil.copy(path, tmp_path / name)
        with pytest.raises(Damaged, match=f"{name}: was sealed as {record.name}"):
            read_record(tmp_path / name, IDENTITY)


def foreign_file(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["images"] = np.zeros((1500, 6, 9), np.uint8)


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"\0" * 20_000),
        lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n"),
        lambda path: path.write_text("a text file"),
        lambda path: path.mkdir(),
        lambda path: None,  # nothing there
        foreign_file,
    ],
    ids=["empty", "zeros", "signature", "text", "folder", "missing", "foreign"],
)
def test_what_is_no_shard_is_damaged(tmp_path, make):
    path = tmp_path / "shard-000000-1500.h5"
    make(path)
    with pytest.raises(Damaged, match=path.name):
        read_record(path)
    with pytest.raises(Damaged, match=path.name):
        Shard(path)
    with pytest.raises(Damaged, match=path.name):
        Shard(path, sha256="0" * 64)


# Runs in a child, because HDF5 may hang or crash on damaged structures: a line for every damage. What
# is printed for a read that went well is all of the record but the file's own digest.
DAMAGE = """
import json, signal, sys
from pathlib import Path
from storage.errors import Damaged
from storage.shards.shard import Shard, read_record

whole, path, sha256, trials = Path(sys.argv[1]).read_bytes(), Path(sys.argv[2]), sys.argv[3], json.loads(sys.argv[4])
signal.alarm(40)
for kind, place in trials:
    data = bytearray(whole)
    if kind == "flip":
        data[place // 8] ^= 1 << place % 8
    else:
        del data[place:]
    path.write_bytes(data)
    try:
        record = read_record(path, first=0)
        print(record.name, record.count, record.bytes, record.content, *record.blocks)
    except Damaged:
        print("damaged")
    try:
        Shard(path, sha256=sha256).block(0)
        print("wrong")
    except Damaged:
        pass
"""


def damages(sealed, folder: Path, trials: list) -> list[str]:
    path, record = sealed
    arguments = [path, folder / path.name, record.sha256, json.dumps(trials)]
    run = subprocess.run([sys.executable, "-c", DAMAGE, *arguments], capture_output=True, text=True)
    assert run.returncode == 0, f"ended with {run.returncode} after {run.stdout.count(chr(10))}: {run.stderr}"
    return run.stdout.splitlines()


def test_no_damage_of_the_arrays_is_read_as_something_else(sealed, tmp_path):
    path, _ = sealed
    chance = random.Random(20240601)
    with h5py.File(path) as file:
        chunks = [file[name].id.get_chunk_info(number) for name in Block._fields for number in range(2)]
    packed = [byte for chunk in chunks for byte in range(chunk.byte_offset, chunk.byte_offset + chunk.size)]
    trials = [("flip", 8 * chance.choice(packed) + chance.randrange(8)) for _ in range(320)]
    trials += [("cut", chance.randrange(path.stat().st_size)) for _ in range(80)]
    found = damages(sealed, tmp_path, trials)
    assert len(found) == 400
    assert set(found) == {"damaged"}


def test_no_damage_anywhere_ends_the_process_or_is_read_as_something_else(sealed, tmp_path):
    path, _ = sealed
    chance = random.Random(20240601)
    data = path.read_bytes()
    header = data.find(b"format\0")
    trials = [("flip", 8 * byte + bit) for byte in range(header, header + 140) for bit in (1, 6)]
    trials += [("flip", chance.randrange(8 * len(data))) for _ in range(320)]
    found = damages(sealed, tmp_path, trials)
    assert len(found) == 600
    assert set(found) == {"damaged"}


@pytest.mark.parametrize("blocks_a_shard", [1, 2, 16])
def test_layout_covers_every_picture_once(blocks_a_shard):
    size = blocks_a_shard * BLOCK
    for count in (0, 1, size - 1, size, size + 1, 5 * size, 7 * size + 13):
        places = layout(count, blocks_a_shard)
        assert [picture for _, first, n in places for picture in range(first, first + n)] == list(range(count))
        assert [index for index, _, _ in places] == list(range(len(places)))
        assert all(first == index * size and 0 < n <= size for index, first, n in places)
        assert all(n == size for _, _, n in places[:-1])


def test_a_chunk_that_holds_more_than_a_block_is_not_unpacked_further(peak):
    """A stranger's shard of 3 MB took 3 GB, before a digest could tell."""
    assert unpacked(zlib.compress(bytes(1000)), 1000) == bytes(1000)
    for size, held in ((1000, 999), (1000, 1001), (1, 2)):
        with pytest.raises(ValueError, match=f"the {size} bytes that were stored"):
            unpacked(zlib.compress(bytes(held)), size)
    chunk = zlib.compress(bytes(40 << 20))

    def refuse() -> None:
        with pytest.raises(ValueError, match="the 1000 bytes"):
            unpacked(chunk, 1000)

    assert peak(refuse) < 20 << 20

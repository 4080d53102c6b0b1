"""Labels and names of parameters that no dataset of this program has are refused where they are read."""

import errno
import hashlib
import os
import zlib

import h5py
import numpy as np
import pytest
from blake3 import blake3

from storage.dataset import Dataset
from storage.errors import Damaged, Exhausted
from storage.shards import shard as shards
from storage.shards.cache import file_bytes
from storage.shards.proven import prove
from storage.shards.shard import BLOCK, SEAL_BYTES, Block, Shard, read_record
from storage.shards.shard_rules import decoded, require_fields
from storage.shards.unpacking import unpack_into
from storage.shards.writer import write_shard


def test_labels_of_ours():
    labels = np.array(["ÉA".encode(), b"B", "字😀".encode()], "S12")
    assert decoded(labels) == decoded(labels, "ÉAB字😀") == ["ÉA", "B", "字😀"]


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        (b"\xff\x1b", r"label b'\xff\x1b' of a shard: must be UTF-8"),
        (b"\xed\xb3\xbf", "must be UTF-8"),
        (b"A\x1b[2J", r"label 'A\x1b[2J' of a shard: must be without control and invisible characters"),
        (b"A\nB", r"label 'A\nB'"),
        ("\u202eA".encode(), r"label '\u202eA'"),
        ("\u2028".encode(), "invisible"),
        (b"AZ", "label 'AZ' of a shard: must be of the alphabet 'AB'"),
    ],
)
def test_other_labels(label, shown):
    with pytest.raises(Damaged) as error:
        decoded(np.array([b"AB", label], "S16"), "AB")
    assert shown in str(error.value)


def fields(*more: tuple) -> np.dtype:
    return np.dtype([("height", "<u2"), ("width", "<u2"), *more])


def test_fields_of_ours():
    require_fields(fields())
    require_fields(fields(("font", "<u2"), ("move_x", "<i2", (4,)), ("seed", "<u8")))


@pytest.mark.parametrize(
    "wrong",
    [
        np.dtype("<u2"),
        np.dtype([("width", "<u2"), ("height", "<u2")]),
        fields(("$\\frac$", "<u2")),
        fields(("x\x1b[31m\u202e", "<u2")),
        fields(("=cmd", "<u2")),
        fields(("a" * 65, "<u2")),
        fields(("a", "S4")),
        fields(("a", "<f4")),
        np.dtype([("height", "<i8"), ("width", "<u2")]),
        np.dtype([("height", "<u2"), ("width", "<u2", (2,))]),
    ],
)
def test_other_fields(wrong):
    with pytest.raises(ValueError, match="parameters"):
        require_fields(wrong)


def test_a_shard_with_such_fields_is_damaged(tmp_path, make_blocks):
    (block,) = make_blocks(BLOCK)
    parameters = np.zeros(BLOCK, fields(("$\\frac$", "<u2")))
    record = write_shard(tmp_path, 0, 0, [Block(*block[:3], parameters, block.split)], "{}", "run")
    with pytest.raises(Damaged, match="letters, digits and _ only"):
        Shard(tmp_path / record.name)


ARRAYS = {
    "text: must be (n,) bytes": lambda block: {"text": np.ones(len(block.text))},
    "text: must be (n,) bytes of": lambda block: {"text": np.stack([block.text, block.text], 1)},
    "boxes: must be (n, L, 4) int16": lambda block: {"boxes": block.boxes.astype(np.float32)},
    "boxes: must be (n, L, 4)": lambda block: {"boxes": block.boxes[:, :, :2].copy()},
    "boxes: must be": lambda block: {"boxes": block.boxes[:, :, 0].copy()},
    "parameters: must be (n,) rows": lambda block: {"parameters": np.stack([block.parameters] * 2, 1)},
    "split: must be (n,) uint8": lambda block: {"split": block.split.astype(np.int8)},
    "split: must be": lambda block: {"split": np.stack([block.split] * 3, 1)},
}


@pytest.mark.parametrize("rule", ARRAYS)
def test_arrays_of_other_types_and_shapes_are_damaged(tmp_path, make_blocks, rule):
    (block,) = make_blocks(40)
    record = write_shard(tmp_path, 0, 0, [block._replace(**ARRAYS[rule](block))], "{}", "run")
    for read in (Shard, read_record, lambda path: prove(str(path), record.sha256)):
        with pytest.raises(Damaged) as error:
            read(tmp_path / record.name)
        assert rule in str(error.value)


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("split", 3, "split: must be less than 3; it is 3"),
        ("height", 7, "parameters.height: must be from 1 to 6, the pictures' canvas; it is 7"),
        ("height", 0, "parameters.height: must be from 1 to 6, the pictures' canvas; it is 0"),
        ("width", 65535, "parameters.width: must be from 1 to 9"),
    ],
)
def test_numbers_that_lead_outside_are_damaged(tmp_path, make_blocks, field, value, rule):
    (block,) = make_blocks(40)
    block = Block(*(array.copy() for array in block))
    (block.split if field == "split" else block.parameters[field])[30] = value
    record = write_shard(tmp_path, 0, 0, [block], "{}", "run")

    def one(path):
        with Shard(path) as shard:
            return shard.block(0, [field if field == "split" else "parameters"])

    for read in (one, read_record, lambda path: prove(str(path), record.sha256).block(0)):
        with pytest.raises(Damaged) as error:
            read(tmp_path / record.name)
        assert rule in str(error.value)


def test_a_label_that_is_not_utf8_is_damaged_in_one_picture_too(tmp_path, make_blocks, put):
    (block,) = make_blocks(40)
    put(tmp_path / "data", [block._replace(text=np.full(40, b"\xff", block.text.dtype))])
    with pytest.raises(Damaged, match="must be UTF-8"):
        Dataset(tmp_path / "data")[3]


def test_want_of_memory_or_open_files_is_no_damage(tmp_path, make_blocks, monkeypatch):
    record = write_shard(tmp_path, 0, 0, make_blocks(40), "{}", "run")
    path = tmp_path / record.name

    def no_memory(*_):
        raise MemoryError

    with Shard(path) as shard, monkeypatch.context() as patched:
        patched.setattr(shards, "unpacked", no_memory)
        with pytest.raises(MemoryError):
            shard.block(0)
    for number in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
        with monkeypatch.context() as patched:
            patched.setattr("storage.shards.cache.read_ordinary", lambda *_, number=number: _raise(number))
            with pytest.raises(Exhausted):
                file_bytes(path)


def _raise(number: int):
    raise OSError(number, os.strerror(number))


def edited(tmp_path, block, change):
    """A shard of one block whose HDF5 file was changed, and sealed again: its path."""
    record = write_shard(tmp_path, 0, 0, [block], "{}", "run")
    path = tmp_path / record.name
    image = tmp_path / "image"
    image.write_bytes(path.read_bytes()[:-SEAL_BYTES])
    with h5py.File(image, "r+") as file:
        change(file)
    data = image.read_bytes()
    path.write_bytes(data + blake3(data).digest())
    return path


def other(name, **how):
    """Store an array in another way."""

    def change(file):
        data = file[name][:]
        del file[name]
        rows = (None, *data.shape[1:])
        if data.dtype.kind == "S" or how:
            file.create_dataset(name, data=data, chunks=(BLOCK, *data.shape[1:]), maxshape=rows, **how)
        else:
            file.create_dataset(
                name, shape=data.shape, dtype=data.dtype, chunks=(BLOCK, *data.shape[1:]), maxshape=rows,
                compression="gzip",
            )  # fmt: skip

    return change


def attribute(name, value):
    def change(file):
        del file.attrs[name]
        file.attrs[name] = value

    return change


def group(file):
    del file["split"]
    file.create_group("split")


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (other("boxes", compression="gzip", shuffle=True), "boxes: must be packed by gzip alone"),
        (other("text", compression="lzf"), "text: must be packed by gzip alone"),
        (other("text"), "text: must be packed by gzip alone; it has the filters []"),
        (other("split"), "split: must have a chunk for each of 1 blocks; it has 0"),
        (group, "its split must be an array; it has a Group of that name"),
        (lambda file: file.attrs.pop("first"), "it lacks the attribute first"),
        (attribute("first", -5), "first: must be a whole number from 0; it is"),
        (attribute("count", "x"), "count: must be a whole number from 0; it is 'x'"),
        (attribute("format", 1.0), "format: must be a whole number from 0"),
        (attribute("identity", 5), "identity: must be a text"),
        (attribute("blocks", "x"), "blocks: must be at most 1,024 digests of 64 characters; it is 'x'"),
        (attribute("blocks", np.array([b"\xff" * 3])), "blocks: must be at most 1,024 digests of 64 characters"),
    ],
)
def test_other_structures_are_damaged(tmp_path, make_blocks, change, rule):
    (block,) = make_blocks(40)
    path = edited(tmp_path, block, change)
    with pytest.raises(Damaged) as error, Shard(path) as shard:
        shard.block(0)
    assert str(error.value).startswith(f"{path}: its structure is damaged ({rule}")


LARGE = {
    "images: must have at most 1024 rows and columns": lambda n: {"images": np.zeros((n, 1, 1025), np.uint8)},
    "text: must be at most 10000 bytes a label": lambda n: {"text": np.array([b"A"] * n, "S10001")},
    "boxes: must be at most 10000 a picture": lambda n: {"boxes": np.zeros((n, 10_001, 4), np.int16)},
    "parameters: must be at most 65536 bytes a row": lambda n: {"parameters": np.zeros(n, fields(("a", "u1", 65_533)))},
}


@pytest.mark.parametrize("rule", LARGE)
def test_rows_that_unpack_to_gigabytes_are_damaged(tmp_path, make_blocks, rule):
    (block,) = make_blocks(2)
    record = write_shard(tmp_path, 0, 0, [block._replace(**LARGE[rule](2))], "{}", "run")
    with pytest.raises(Damaged) as error:
        Shard(tmp_path / record.name)
    assert rule in str(error.value) and len(str(error.value)) < 400


def test_a_proven_chunk_that_holds_more_than_a_block_is_not_unpacked_further(tmp_path, make_blocks, peak):
    (block,) = make_blocks(40)
    chunk = zlib.compress(bytes(40 << 20))
    path = edited(tmp_path, block, lambda file: file["split"].id.write_direct_chunk((0,), chunk))
    shard = prove(str(path), hashlib.sha256(path.read_bytes()).hexdigest())

    def refuse() -> None:
        with pytest.raises(Damaged, match="it holds more than the 1024 bytes that were stored"):
            shard.block(0, ("split",))

    assert peak(refuse) < 20 << 20


def test_what_follows_a_stream_is_not_copied_again_and_again(peak):
    out = bytearray(1000)
    chunk = zlib.compress(bytes(1000)) + bytes(4 << 20)
    assert peak(lambda: unpack_into(chunk, [memoryview(out)], 1000)) < 2 << 20

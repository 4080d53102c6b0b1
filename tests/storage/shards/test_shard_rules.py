"""Labels and names of parameters that no dataset of this program has are refused where they are read."""

import errno
import os

import numpy as np
import pytest

from storage.dataset import Dataset
from storage.errors import Damaged, Exhausted
from storage.shards import shard as shards
from storage.shards.cache import file_bytes
from storage.shards.proven import prove
from storage.shards.shard import BLOCK, Block, Shard, read_record
from storage.shards.shard_rules import decoded, require_fields
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

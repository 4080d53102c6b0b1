"""Labels and names of parameters that no dataset of this program has are refused where they are read."""

import numpy as np
import pytest

from storage.errors import Damaged
from storage.shards.shard import BLOCK, Block, Shard
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

"""A virtual file shows the rows of its shards, and names a file that is not a shard."""

import h5py
import numpy as np
import pytest

from storage.errors import Damaged
from storage.exports.virtual import MISSING, write_virtual
from storage.shards.shard import BLOCK, Block


def test_rows_come_from_the_shards_and_those_of_a_missing_shard_are_marked(tmp_path, make_blocks, put):
    blocks = make_blocks(2 * BLOCK)
    manifest = put(tmp_path / "d", blocks)
    shards = [(tmp_path / "d" / line["name"], count) for line, count in zip(manifest.shards, (BLOCK, 5), strict=True)]
    size = write_virtual(tmp_path / "all.h5", shards, {"seed": 1})
    assert size == (tmp_path / "all.h5").stat().st_size
    with h5py.File(tmp_path / "all.h5") as file:
        assert file.attrs["seed"] == 1
        for field in Block._fields:
            whole = np.concatenate([getattr(blocks[0], field), getattr(blocks[1], field)[:5]])
            assert np.array_equal(file[field][:], whole)
    shards[1][0].unlink()
    with h5py.File(tmp_path / "all.h5") as file:
        assert file["split"][BLOCK:].tolist() == [MISSING] * 5


def test_a_file_that_is_not_named_like_a_shard_is_refused(tmp_path):
    with pytest.raises(Damaged, match="its name is not a shard's"):
        write_virtual(tmp_path / "all.h5", [(tmp_path / "x.h5", 1)], {})
    assert list(tmp_path.iterdir()) == []

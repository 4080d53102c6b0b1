import zlib

import numpy as np
import pytest
from isal import isal_zlib

from storage.shards.shard import BLOCK, read_record
from storage.shards.writer import write_shard
from tasks.datasets.recipe import make_recipe, renderer_of
from tasks.lowlevel.deflate import LONGEST_CODE, code_lengths, codes_of, compress
from tasks.profiles.built_in import BUILT_IN


def random_bytes(random, count: int, share: float) -> np.ndarray:
    values = random.integers(1, 256, count).astype(np.uint8)
    return np.where(random.random(count) < share, values, 0).astype(np.uint8)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 257, 258, 259, 260, 261, 262, 516, 519, 1024, 5000])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 1.0])
def test_any_zlib_reads_it_back(count, share):
    random = np.random.default_rng(count)
    for _ in range(5):
        data = random_bytes(random, count, share)
        stream = compress(data)
        assert zlib.decompress(stream) == data.tobytes() == isal_zlib.decompress(stream)
        assert compress(data.copy()) == stream


@pytest.mark.parametrize("zeros", [1, 2, 3, 4, 257, 258, 259, 260, 261, 517, 5000])
@pytest.mark.parametrize("before", range(9))
def test_runs_of_zeros_of_any_length_at_any_place(zeros, before):
    data = np.concatenate([np.full(before, 9, np.uint8), np.zeros(zeros, np.uint8), np.full(3, 7, np.uint8)])
    assert zlib.decompress(compress(data)) == data.tobytes()
    assert zlib.decompress(compress(data[: before + zeros])) == data[: before + zeros].tobytes()


@pytest.mark.parametrize("value", [0, 1, 255])
def test_the_check_sum_holds_for_a_whole_block_of_one_value(value):
    """6 MB of 255 bring the sums of Adler-32 to their largest."""
    data = np.full(BLOCK * 42 * 140, value, np.uint8)
    assert zlib.decompress(compress(data)) == data.tobytes()


def test_noise_that_the_sample_did_not_show_is_encoded_too():
    data = np.zeros(64 * 1024, np.uint8)
    data[2000:4000] = np.random.default_rng(1).integers(0, 256, 2000)
    assert zlib.decompress(compress(data)) == data.tobytes()


def test_pictures_take_about_the_room_that_isal_needs():
    data = renderer_of(make_recipe(BUILT_IN["book"], 1)).block(1, 3).images.reshape(-1)
    assert len(compress(data)) < 1.1 * len(isal_zlib.compress(data, 1))


def test_a_code_is_complete_and_no_longer_than_the_format_allows():
    counts = [1, 1]
    while len(counts) < 286:
        counts.append(min(counts[-1] + counts[-2], 2**50))
    lengths = code_lengths(np.array(counts))
    assert lengths.max() == LONGEST_CODE
    assert sum(2.0 ** -int(length) for length in lengths) == 1.0  # Kraft
    codes = {f"{code:0{length}b}"[::-1] for code, length in zip(codes_of(lengths), lengths, strict=True)}
    assert len(codes) == 286
    assert not any(a != b and b.startswith(a) for a in codes for b in codes)


def test_frequent_symbols_have_short_codes():
    counts = np.ones(286, np.int64)
    counts[[0, 255]] = 100_000, 5_000
    lengths = code_lengths(counts)
    assert lengths[0] == 1 and lengths[255] == 2 < lengths[7]


def test_a_shard_sealed_with_it_is_proven_like_any_other(tmp_path):
    recipe = make_recipe(BUILT_IN["letters"], 1)
    blocks = [renderer_of(recipe).block(1, number, count) for number, count in ((0, BLOCK), (1, 100))]
    record = write_shard(tmp_path, 0, 0, iter(blocks), recipe.identity, "run", compress, compress)
    seen = []
    assert read_record(tmp_path / record.name, recipe.identity, 0, seen.append) == record
    for block, other in zip(blocks, seen, strict=True):
        assert all(map(np.array_equal, block, other))

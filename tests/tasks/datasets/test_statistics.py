from dataclasses import replace

import numpy as np
import pytest

from storage.errors import OutOfBounds
from storage.shards.shard import BLOCK, Block
from tasks.datasets.recipe import make_recipe, renderer_of
from tasks.datasets.statistics import Distinct, Summary, Tally
from tasks.lowlevel.padding import to_read
from tasks.lowlevel.picture_sums import hash_pictures
from tasks.profiles.built_in import BUILT_IN


@pytest.fixture(scope="module")
def blocks() -> list[Block]:
    renderer = renderer_of(make_recipe(BUILT_IN["book"], 3))
    return [renderer.block(3, number) for number in range(4)]


def counts_of(*blocks: Block, alphabet: str = BUILT_IN["book"].alphabet):
    tally = Tally(alphabet)
    for block in blocks:
        tally.add(block)
    return tally.counts()


def summary_of(*shards: tuple[Block, ...], alphabet: str = BUILT_IN["book"].alphabet) -> Summary:
    summary = Summary(alphabet)
    for number, shard in enumerate(shards):
        summary.add(f"shard-{number}", number * BLOCK, counts_of(*shard, alphabet=alphabet))
    return summary


def test_counts_are_those_of_the_arrays(blocks):
    counts = counts_of(*blocks[:2])
    whole = [np.concatenate(arrays) for arrays in zip(*blocks[:2], strict=True)]
    images, text, _, parameters, split = whole
    assert counts.pictures == 2 * BLOCK
    assert counts.splits == tuple(int((split == k).sum()) for k in range(3))
    spelled = "".join(one.decode() for one in text.tolist())
    assert counts.letters == tuple(spelled.count(letter) for letter in BUILT_IN["book"].alphabet)
    ink, area = images.sum(axis=(1, 2), dtype=np.int64), parameters["height"].astype(int) * parameters["width"]
    share = ink * 1_000_000 // (255 * area)
    assert (counts.ink, counts.pixels) == (ink.sum(), area.sum())
    assert (counts.share, counts.square) == (share.sum(), (share**2).sum())
    assert (counts.least, counts.most) == (share.min(), share.max())
    assert (counts.blank, counts.clipped, counts.where_blank, counts.where_clipped) == (0, 0, -1, -1)


@pytest.mark.parametrize("size", [1, 7, 8, 9, 16, 5880])
def test_a_picture_s_hash_depends_on_every_pixel_and_on_its_area(size):
    random = np.random.default_rng(size)
    pixels = random.integers(0, 256, (1, size)).astype(np.uint8)
    area = np.array([size], np.uint64)
    ink, (key,) = hash_pictures(to_read(pixels), area)
    assert ink.tolist() == [pixels.sum()]
    others = set()
    for place in range(size):
        changed = pixels.copy()
        changed[0, place] ^= 1 << place % 8
        others.add(int(hash_pictures(to_read(changed), area)[1][0]))
    assert len(others | {int(key)}) == size + 1
    assert hash_pictures(to_read(pixels), area + np.uint64(1))[1][0] != key


def test_moved_pixels_give_another_hash():
    pixels = np.zeros((64, 64), np.uint8)
    np.fill_diagonal(pixels, 200)
    assert len(np.unique(hash_pictures(to_read(pixels), np.full(64, 64, np.uint64))[1])) == 64


def test_blank_and_clipped_pictures_are_found_where_they_are(blocks):
    images, boxes = blocks[1].images.copy(), blocks[1].boxes.copy()
    images[[5, 9]] = 0
    boxes[17, 2] = -1
    counts = counts_of(blocks[0], blocks[1]._replace(images=images, boxes=boxes))
    assert (counts.blank, counts.where_blank) == (2, BLOCK + 5)
    assert (counts.clipped, counts.where_clipped) == (1, BLOCK + 17)


def test_imported_pictures_without_boxes_are_not_clipped(blocks):
    bare = blocks[0]._replace(boxes=np.full_like(blocks[0].boxes, -1))
    assert counts_of(bare).clipped == 0


def test_letters_of_more_than_a_byte_are_counted(blocks):
    texts = np.array([text.encode() for text in ["Éa"] * 9 + ["a"]])
    boxes = np.zeros((10, 2, 4), np.int16)
    boxes[9, 1] = -1
    counts = counts_of(blocks[0].rows(slice(10))._replace(text=texts, boxes=boxes), alphabet="Éab")
    assert counts.letters == (9, 10, 0)
    assert counts.clipped == 0


def test_statistics_do_not_depend_on_the_order_of_the_shards(blocks):
    shards = [(block,) for block in blocks]
    summary = Summary(BUILT_IN["book"].alphabet)
    for number in (2, 0, 3, 1):
        summary.add(f"shard-{number}", number * BLOCK, counts_of(*shards[number]))
    assert summary.statistics([], 4) == summary_of(*shards).statistics([], 4)


def test_equal_pictures_are_counted_once(blocks):
    statistics = summary_of((blocks[0],), (blocks[1],), (blocks[0],)).statistics([2048], 4)
    both = np.concatenate([blocks[0].images, blocks[1].images])
    sizes = np.concatenate([blocks[0].parameters, blocks[1].parameters])[["height", "width"]]
    distinct = len({(image.tobytes(), size.tobytes()) for image, size in zip(both, sizes, strict=True)})
    assert statistics["distinct"] == {
        "pictures": distinct,
        "share": round(distinct / (3 * BLOCK), 6),
        "exact": True,
    }


@pytest.mark.parametrize("count", [900, 1000, 5000, 60_000])
def test_distinct_keys_are_counted_or_closely_estimated(count):
    random = np.random.default_rng(count)
    keys = random.integers(0, 1 << 64, count, dtype=np.uint64)
    sketch, other = Distinct(1000), Distinct(1000)
    for part in np.array_split(np.concatenate([keys, keys[: count // 2]]), 50):
        sketch.add(part)
    for part in np.array_split(random.permutation(keys), 7):
        other.add(part)
    found, exact = sketch.count()
    assert (found, exact) == other.count()  # whatever the order
    assert exact == (count <= 1000)
    assert found == count if exact else abs(found / count - 1) < 4 * np.sqrt(2 / 1000)


@pytest.mark.parametrize("most", [50, 5000, 1 << 20])
def test_every_kept_key_counts_once_whatever_it_is(most):
    random = np.random.default_rng(most)
    keys = np.concatenate([
        np.arange(300, dtype=np.uint64), np.arange(300, dtype=np.uint64) << np.uint64(40),
        random.integers(0, 1 << 64, 20_000, dtype=np.uint64), np.array([0, 2**64 - 1], np.uint64),
    ])  # fmt: skip
    sketch = Distinct(most)
    for _ in range(3):
        for part in np.array_split(random.permutation(keys), 9):
            sketch.add(part)
    wanted = {int(key) for key in keys}
    level = next(level for level in range(65) if sum(key < 1 << 64 - level for key in wanted) <= most)
    assert sketch.count() == (sum(key < 1 << 64 - level for key in wanted) << level, level == 0)


# The gate.


def test_sound_data_pass(blocks):
    summary = summary_of(*((block,) for block in blocks))
    statistics = summary.statistics([], 4)
    assert statistics["letters_off"] > 0 and statistics["ink_off"] > 0  # measured, not assumed
    summary.require_bounds(statistics, "book")


def spoiled(blocks, kind: str) -> tuple[Block, ...]:
    images, boxes, text = blocks[2].images.copy(), blocks[2].boxes.copy(), blocks[2].text.copy()
    if kind == "blank":
        images[100] = 0
    elif kind == "clipped":
        boxes[7, 0] = -1
    elif kind == "ink_off":
        images[:] = np.where(images > 128, images - 20, images)
    else:
        text[:400] = b"QQQQ"
    return (blocks[2]._replace(images=images, boxes=boxes, text=text),)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("blank", r"blank is 1, allowed are 0 to 0 \(first in shard-2, picture 2148\)"),
        ("clipped", r"clipped is 1, allowed are 0 to 0 \(first in shard-2, picture 2055\)"),
        ("ink_off", r"ink_off is [\d.]+, allowed are 0 to 6.0 \(first in shard-2, picture 2048\)"),
        ("letters_off", r"letters_off is [\d.]+, allowed are 0 to 6.0 \(first in shard-2, letter 'Q', picture 2048\)"),
    ],
)
def test_what_leaves_its_bounds_is_named_with_its_place(blocks, kind, message):
    summary = summary_of((blocks[0],), (blocks[1],), spoiled(blocks, kind), (blocks[3],))
    statistics = summary.statistics([], 4)
    with pytest.raises(OutOfBounds, match=message):
        summary.require_bounds(statistics, "book")


def test_a_block_that_comes_twice_is_refused(blocks):
    summary = summary_of((blocks[0],))
    with pytest.raises(OutOfBounds, match=r"equal_blocks is 1, allowed are 0 to 0 \(first in shard-0, picture 2048\)"):
        summary.require_bounds(summary.statistics([2048], 4), "book")


def test_all_shards_of_a_short_dataset_and_one_picture_pass():
    renderer = renderer_of(make_recipe(replace(BUILT_IN["letters"], alphabet="AB"), 1))
    summary = summary_of((renderer.block(1, 0, 1),), alphabet="AB")
    summary.require_bounds(summary.statistics([], 1), "letters")


def test_one_picture_over_and_over_is_no_fault(blocks):
    same = blocks[0].rows(np.zeros(BLOCK, int))
    summary = summary_of((same,), (same,))
    statistics = summary.statistics([BLOCK], 4)
    assert (statistics["equal_blocks"], statistics["distinct"]["pictures"]) == (1, 1)
    summary.require_bounds(statistics, "one")

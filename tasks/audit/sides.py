"""Which pictures of a dataset attackers may learn from, and which are kept from them."""

import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator

import numpy as np

from storage.dataset import Dataset
from storage.shards.shard import SPLITS, Block
from tasks.drawing.randomness import pixels_digest

WANTED = 500  # unseen pictures, with which an interval is narrow enough to compare attackers
SHARE = 3  # of a small dataset, one picture in three is kept from attackers for it
_TRAIN, _TEST = SPLITS.index("train"), SPLITS.index("test")


def split_is_told(dataset: Dataset) -> bool:
    """Return whether folders told a dataset's splits, and not its pixels."""
    return bool((dataset.manifest.source or {}).get("split"))


def count_kept(dataset: Dataset) -> int:
    """Count the pictures that no attacker learns from."""
    return _of_test(dataset) + len(_added(dataset))


def with_kept(dataset: Dataset, blocks: Iterable[Block]) -> Iterator[tuple[Block, int, np.ndarray]]:
    """Yield each of a dataset's blocks, the number of its first picture, and which are kept from attackers, (n,) bool.

    These are the test split, one picture in ten. If that is fewer than `WANTED` pictures, and the pixels chose the
    splits, pictures of the train split are added, as their pixels choose, up to one picture in `SHARE` of all. Equal
    pictures stay on one side.

    Raises
    ------
    Damaged
    """
    added, first = _added(dataset), 0
    for block in blocks:
        count = len(block.split)
        yield block, first, (block.split == _TEST) | np.isin(np.arange(first, first + count), added)
        first += count


@functools.lru_cache(4)
def _added(dataset: Dataset) -> np.ndarray:
    """Return the numbers of the pictures that are kept besides the test split."""
    more = min(WANTED, len(dataset) // SHARE) - _of_test(dataset)
    if more <= 0 or split_is_told(dataset):
        return np.empty(0, np.int64)
    rows: dict[bytes, list[int]] = defaultdict(list)
    first = 0
    for block in dataset.blocks():
        for row, digest in enumerate(digests_of(block)):
            if block.split[row] == _TRAIN:
                rows[digest].append(first + row)
        first += len(block.split)
    chosen: list[int] = []
    for digest in sorted(rows):
        if len(chosen) + len(rows[digest]) <= more:
            chosen += rows[digest]
    return np.array(chosen, np.int64)


def digests_of(block: Block) -> Iterator[bytes]:
    """Yield a digest of each picture's size and pixels, without the rest of the canvas."""
    for image, size in zip(block.images, block.parameters, strict=True):
        yield pixels_digest(image[: size["height"], : size["width"]]).tobytes()


def _of_test(dataset: Dataset) -> int:
    return int(dataset.manifest.statistics["splits"]["test"])

"""A dataset: a folder of sealed shards and the manifest that was written last."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from storage import atomic
from storage.errors import Busy, Damaged
from storage.manifest import Manifest
from storage.shards import BLOCK, SPLITS, Block, Shard, parse_name


class Dataset:
    """A complete dataset, open for reading; holds no file handle, so it pickles and forks freely.

    Raises
    ------
    NotThere, Damaged
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        self.manifest = Manifest.read(self.folder)

    def __len__(self) -> int:
        return self.manifest.count

    def shard(self, number: int) -> Shard:
        """Shard `number`, its bytes checked against the manifest.

        Raises
        ------
        Damaged
            Missing, altered, or a name that would leave the folder.
        """
        line = self.manifest.shards[number]
        if parse_name(line["name"]) is None:
            raise Damaged(f"{self.folder}: the manifest names {line['name']!r}, which is no shard's name")
        return Shard(self.folder / line["name"], sha256=line["sha256"])

    def blocks(
        self, split: str | None = None, shards: Iterable[int] | None = None, fields: Iterable[str] = Block._fields
    ) -> Iterator[Block]:
        """Blocks in order, one in memory at a time.

        Parameters
        ----------
        split : {'train', 'validation', 'test'}, optional
            Only that split's rows; blocks without any are passed over.
        shards : iterable of int, optional
            Only these shards.
        fields : iterable of str
            Arrays to read; the others come as None. `split` is read whenever one is asked for.
        """
        wanted = set(fields) | ({"split"} if split else set())
        for number in range(len(self.manifest.shards)) if shards is None else shards:
            with self.shard(number) as shard:
                for index in range(len(shard)):
                    block = shard.block(index, wanted)
                    if split is None:
                        yield block
                        continue
                    rows = np.flatnonzero(block.split == SPLITS.index(split))
                    if len(rows):
                        yield Block(*(None if array is None else array[rows] for array in block))

    def head(self, count: int, split: str | None = None) -> Block:
        """The first `count` pictures (of `split`), in memory."""
        parts, have = [], 0
        for block in self.blocks(split):
            parts.append(block.rows(slice(0, count - have)))
            have += len(parts[-1].images)
            if have >= count:
                break
        if not parts:
            raise Damaged(f"{self.folder}: no picture in split {split!r}")
        return Block(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a dataset or model, an OS lock on `NAME.lock` beside it.

    The kernel frees it when its holder dies, so a lock file without a living holder is no obstacle.

    Raises
    ------
    Busy
        Another run has it.
    """
    folder = folder.resolve()  # '.' has no name and no parent; one folder has one lock, however it is spelled
    atomic.make_folder(folder.parent)
    lock = FileLock(folder.with_name(folder.name + ".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise Busy(f"{folder}: another run is working on it; wait for that to end, or choose another --out") from None
    except PermissionError as error:
        raise atomic.Unwritable(f"{folder.parent}: this user may not write there ({error.strerror})") from error
    try:
        yield
    finally:
        lock.release()


def sealed(folder: Path) -> dict[tuple[int, int], Path]:
    """Files in `folder` that bear a shard's name, by (index, count)."""
    found = {parse_name(path.name): path for path in folder.glob("shard-*.h5")}
    found.pop(None, None)
    return found


def layout(count: int, blocks_a_shard: int) -> list[tuple[int, int, int]]:
    """(index, first, count) of each shard of a dataset of `count` pictures."""
    size = blocks_a_shard * BLOCK
    return [(first // size, first, min(size, count - first)) for first in range(0, count, size)]

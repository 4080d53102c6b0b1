"""Reading of a dataset, which is a folder of sealed shards and a manifest."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple, overload

import numpy as np

from storage.errors import Damaged
from storage.files.places import Place, place
from storage.shards import batches
from storage.shards.indexing import rows_of
from storage.shards.manifest import Manifest
from storage.shards.proven import ProvenShard, prove
from storage.shards.recent import RecentBlocks
from storage.shards.shard import BLOCK, PIXELS, SPLITS, Block, Shard
from storage.shards.shard_rules import decoded, require_told
from storage.shards.unpacking import Inflate


class Picture(NamedTuple):
    """A picture with its label and parameters.

    image : (height, width) uint8, 0 background to 255 ink, or (height, width, 3) uint8, sRGB as seen; without the rest
        of the canvas
    text : the label
    boxes : (letters, 4) int16, each letter's top, left, bottom, right, half-open; -1 where unknown
    parameters : compound scalar, read by name: `parameters["shear"]`
    split : 'train', 'validation' or 'test'
    """

    image: np.ndarray
    text: str
    boxes: np.ndarray
    parameters: np.void
    split: str


class Dataset:
    """A complete dataset, open for reading. It holds no file handle, so it can be pickled and forked.

    `len(data)` is the number of pictures, and `data[7]` or `data[-1]` is one `Picture`. `data[100:200]`,
    `data[[3, 1, 3]]` and `data[mask]` are a `Block` of copies, in that order. Indexing reads only the blocks that hold
    the pictures and keeps the last few in memory, so that a neighbour costs little. To read many pictures, `batches`
    is some hundred times as fast.

    Every byte that is returned was proven in this process: a shard against the sha256 in the manifest when it is first
    needed, and each chunk against that proof whenever it is read again (see storage/shards/proven.py).

    Parameters
    ----------
    folder : path, or URL of an object store
    inflate : callable, optional
        Unpacks pictures faster than zlib, where it can (see `storage.shards.unpacking.Inflate`). For drawn datasets,
        `tasks.lowlevel.inflate.inflate` does. The pictures are the same.

    Raises
    ------
    NotThere
        There is no dataset, or it was never completed.
    Damaged
        The manifest cannot be read, or was edited.

    Examples
    --------
    >>> from storage.dataset import Dataset
    >>> data = Dataset("tests/golden/v1/book")
    >>> len(data)
    40
    >>> picture = data[7]
    >>> picture.text, picture.image.shape, picture.split
    ('INCH', (9, 28), 'train')
    >>> picture.boxes.tolist()  # each letter's top, left, bottom, right
    [[1, 1, 6, 4], [1, 3, 6, 9], [1, 8, 6, 13], [1, 12, 6, 18]]
    >>> data[[3, 1, 3]].texts()
    ['SOPE', 'BELT', 'SOPE']
    >>> for batch in data.batches(16, shuffle=1, fields=("images", "text")):
    ...     print(batch.images.shape, batch.texts()[0])
    (16, 18, 56) AVID
    (16, 18, 56) LYSE
    (8, 18, 56) LORD
    """

    def __init__(self, folder: str | Place, inflate: Inflate | None = None):
        self.folder = place(folder)
        self._inflate = inflate
        self.manifest = Manifest.read(self.folder)
        self._recent = RecentBlocks()

    def __getstate__(self) -> dict[str, Any]:
        return {"folder": self.folder, "manifest": self.manifest, "_inflate": self._inflate, "_recent": RecentBlocks()}

    def __len__(self) -> int:
        return self.manifest.count

    @overload
    def __getitem__(self, chosen: int | np.integer) -> Picture: ...

    @overload
    def __getitem__(self, chosen: slice | Sequence[int] | np.ndarray) -> Block: ...

    def __getitem__(self, chosen: object) -> Picture | Block:
        """Return a `Picture` for an integer; a `Block` for a slice or a one-dimensional array of integers or booleans.

        Raises
        ------
        OutOfRange
            An IndexError: an index past either end.
        BadInput
            Another kind of index.
        Damaged
        """
        rows = rows_of(chosen, len(self))
        return self._picture(rows) if isinstance(rows, int) else self._gather(rows)

    def _picture(self, row: int) -> Picture:
        block, row = self._block(row // BLOCK), row % BLOCK
        parameters, text = block.parameters[row].copy(), decoded(block.text[row : row + 1])[0]
        return Picture(
            block.images[row, : parameters["height"], : parameters["width"]].copy(), text,
            block.boxes[row, : len(text)].copy(), parameters, SPLITS[block.split[row]],
        )  # fmt: skip

    def _gather(self, rows: np.ndarray) -> Block:
        """Copy rows, (n,) int64 from 0, in their order. Each block that holds some of them is read once."""
        schema = self.proven(self.place(int(rows.min()) // BLOCK if len(rows) else 0)[0])
        out = Block(*(schema.empty(field, len(rows)) for field in Block._fields))
        order = np.argsort(rows, kind="stable")
        blocks, starts = np.unique(rows[order] // BLOCK, return_index=True)
        for number, places in zip(blocks.tolist(), np.split(order, starts[1:]), strict=False):
            block = self._block(number, keep=len(places) < BLOCK)
            wanted = rows[places] - number * BLOCK
            low, high = places[0], places[-1] + 1
            for array, source in zip(out, block, strict=True):
                if high - low == len(places):
                    np.take(source, wanted, axis=0, out=array[low:high], mode="clip")
                else:
                    array[places] = source[wanted]
        return out

    def _block(self, number: int, keep: bool = True) -> Block:
        """Read block `number` of the dataset with all fields, or take it from memory; it must not be written to."""
        block = self._recent.find(number)
        if block is None:
            shard, within = self.place(number)
            block = self.proven(shard).block(within)
            if keep:
                self._recent.keep(number, block)
        return block

    @cached_property
    def _firsts(self) -> list[int]:
        """Return the number of each shard's first picture; the manifest proves that there is no gap."""
        return [line["first"] for line in self.manifest.shards]

    def place(self, block: int) -> tuple[int, int]:
        """Return the number of the shard that holds a block of the dataset, and the block's number in the shard."""
        shard = bisect_right(self._firsts, block * BLOCK) - 1
        before, rest = divmod(self._firsts[shard], BLOCK)
        if rest:
            raise Damaged(
                f"{self.folder}: shard {shard} begins at picture {self._firsts[shard]}, which is within a block"
            )
        return shard, block - before

    def proven(self, number: int) -> ProvenShard:
        """Return shard `number`, proven once in a process. It reads one block at a time and proves each again.

        Raises
        ------
        Damaged
        """
        line = self.manifest.shards[number]
        shard = prove(str(self.path(number)), line["sha256"], self._inflate)
        require_told(shard, line["count"], self.manifest.format)
        return shard

    @property
    def colour(self) -> bool:
        """Return whether the pictures are in colour, (n, H, W, 3); else they are ink, (n, H, W)."""
        return PIXELS[self.manifest.format] != ()

    def batches(  # noqa: PLR0913 - the public door: users name these options in one call
        self,
        size: int,
        *,
        split: str | None = None,
        shuffle: int | None = None,
        rank: int = 0,
        world: int = 1,
        fields: Iterable[str] = Block._fields,
        drop_last: bool = False,
        epoch: int = 0,
        buffer: int = 16,
        threads: int | None = None,
    ) -> Iterator[Block]:
        """Iterate over blocks of `size` pictures, read ahead by threads; the last block is shorter.

        Parameters
        ----------
        size : int
            Pictures in a batch.
        split : {'train', 'validation', 'test'}, optional
            Read only this split's pictures.
        shuffle : int, optional
            A seed. It decides, with `epoch`, the order of blocks, and mixes the pictures of `buffer` blocks at a time.
            By default pictures come in the dataset's order.
        rank, world : int
            Read the `rank`-th of `world` parts of that order, which are equal to within a block. Over all ranks, each
            picture comes once in an epoch.
        fields : iterable of str
            Arrays to read; the others are None.
        drop_last : bool
            Leave out the last batch if it is shorter.
        epoch : int
            Another epoch is another order; it has no effect without `shuffle`.
        buffer : int
            Blocks that are mixed together. More of them mix better and need more memory.
        threads : int, optional
            By default one for each core, up to four. They end with the iterator.

        Returns
        -------
        iterator of Block
            The arrays belong to the caller, who may keep them and write to them. The stream is the same for any
            number of threads and any size of shards. Do not use an iterator after a fork; begin a new iterator.

        Raises
        ------
        BadInput
            When called.
        Damaged
            While iterating, before any picture of the damaged block.
        """
        plan = batches.BatchPlan(
            size=size, split=split, shuffle=shuffle, rank=rank, world=world, fields=tuple(fields),
            drop_last=bool(drop_last), epoch=epoch, buffer=buffer,
            threads=batches.default_threads() if threads is None else threads,
        )  # fmt: skip
        return batches.stream(self, plan)

    def path(self, number: int) -> Place:
        """Return the path of shard `number`, whose name the manifest has proven to be a shard's."""
        return self.folder / self.manifest.shards[number]["name"]

    def shard(self, number: int) -> Shard:
        """Open shard `number` after comparing its bytes with the manifest.

        Raises
        ------
        Damaged
            The file is missing, was altered, or is not what the manifest says.
        """
        line = self.manifest.shards[number]
        shard = Shard(self.path(number), sha256=line["sha256"], inflate=self._inflate)
        require_told(shard, line["count"], self.manifest.format)
        return shard

    def blocks(
        self, split: str | None = None, shards: Iterable[int] | None = None, fields: Iterable[str] = Block._fields
    ) -> Iterator[Block]:
        """Iterate over blocks in order, with one in memory at a time.

        Parameters
        ----------
        split : {'train', 'validation', 'test'}, optional
            Read only this split's rows; blocks without any are skipped.
        shards : iterable of int, optional
            Read only these shards.
        fields : iterable of str
            Arrays to read; the others are None. The array `split` is read too if `split` is given.

        Raises
        ------
        Damaged
            While iterating, before any picture of the damaged block.
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
                        yield block.rows(rows)

    def head(self, count: int, split: str | None = None) -> Block:
        """Read the first `count` pictures (of `split`) into memory.

        Raises
        ------
        Damaged
            A shard is damaged, or no picture is in `split`.
        """
        parts, have = [], 0
        for block in self.blocks(split):
            parts.append(block.rows(slice(0, count - have)))
            have += len(parts[-1].images)
            if have >= count:
                break
        if not parts:
            raise Damaged(f"{self.folder}: no picture in split {split!r}")
        return Block(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))

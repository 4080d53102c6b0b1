"""A dataset: a folder of sealed shards and the manifest that was written last."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np

from storage.errors import Damaged
from storage.files.places import Place, place
from storage.shards import batches
from storage.shards.indexing import rows_of
from storage.shards.manifest import Manifest
from storage.shards.proven import ProvenShard, prove
from storage.shards.shard import BLOCK, SPLITS, Block, Inflate, Shard, parse_name

RECENT = 4  # blocks that `data[i]` keeps unpacked …
RECENT_BYTES = 64 << 20  # … if they are no larger than this together; one in any case


class Picture(NamedTuple):
    """One picture and all that is known of it.

    image : (height, width) uint8, 0 background to 255 ink, without the empty rest of the canvas
    text : its label
    boxes : (letters, 4) int16, a letter's top, left, bottom, right, half-open; -1 where it is not known
    parameters : the compound scalar of its row, read by name: `parameters["shear"]`
    split : 'train', 'validation' or 'test'
    """

    image: np.ndarray
    text: str
    boxes: np.ndarray
    parameters: np.void
    split: str


class Dataset:
    """A complete dataset, open for reading; holds no file handle, so it pickles and forks freely.

    `len(data)` is its number of pictures, `data[7]` or `data[-1]` one `Picture`; `data[100:200]`,
    `data[[3, 1, 3]]` and `data[mask]` are a `Block` of copies in that order. Only the blocks that hold
    them are read, and the last few that `data[i]` touched stay in memory, so that neighbours cost little;
    for many pictures anywhere, `batches` is some hundred times as fast.

    Every byte handed out was proven in this process: a shard against the manifest's sha256 when it is
    first needed, each chunk against that proof whenever it is read again (see storage/shards/proven.py).

    Parameters
    ----------
    folder : path, or URL of an object store
    inflate : callable, optional
        Unpacks what it can faster than zlib (see `storage.shards.shard.Inflate`): `tasks.lowlevel.inflate.inflate` for
        drawn datasets. The pictures are the same.

    Raises
    ------
    NotThere, Damaged
    """

    def __init__(self, folder: str | Place, inflate: Inflate | None = None):
        self.folder = place(folder)
        self._inflate = inflate
        self.manifest = Manifest.read(self.folder)
        self._recent: tuple[tuple[int, Block], ...] = ()  # replaced as a whole, so that threads may share it

    def __getstate__(self) -> dict:
        return {"folder": self.folder, "manifest": self.manifest, "_inflate": self._inflate, "_recent": ()}

    def __len__(self) -> int:
        return self._firsts[-1] + self.manifest.shards[-1]["count"]  # the manifest's count, which they prove

    def __getitem__(self, chosen):
        """One `Picture` for an integer; a `Block` for a slice or a one-dimensional array of integers or booleans.

        Raises
        ------
        OutOfRange
            An IndexError: past either end.
        BadInput
            Another kind of index.
        Damaged
        """
        rows = rows_of(chosen, len(self))
        return self._picture(rows) if isinstance(rows, int) else self._gather(rows)

    def _picture(self, row: int) -> Picture:
        block, row = self._block(row // BLOCK), row % BLOCK
        parameters, text = block.parameters[row].copy(), block.text[row].decode()
        return Picture(
            block.images[row, : parameters["height"], : parameters["width"]].copy(), text,
            block.boxes[row, : len(text)].copy(), parameters, SPLITS[block.split[row]],
        )  # fmt: skip

    def _gather(self, rows: np.ndarray) -> Block:
        """Copies of these rows, (n,) int64 from 0, in their order; each block that holds some is read once."""
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
        """Block `number` of the dataset, all fields, not to be written to."""
        for age, (known, block) in enumerate(self._recent):
            if known == number:
                if age:
                    others = tuple(entry for entry in self._recent if entry[0] != number)
                    self._recent = ((number, block), *others)
                return block
        shard, within = self.place(number)
        block = self.proven(shard).block(within)
        if keep:
            kept, room = [(number, block)], RECENT_BYTES - _bytes(block)
            for entry in self._recent[: RECENT - 1]:
                room -= _bytes(entry[1])
                if room >= 0:
                    kept.append(entry)
            self._recent = tuple(kept)
        return block

    @cached_property
    def _firsts(self) -> list[int]:
        """The first picture of each shard, without gap or overlap."""
        firsts, after = [], 0
        for line in self.manifest.shards:
            if line["first"] != after or line["count"] < 1:
                raise Damaged(
                    f"{self.folder}: the manifest's shards are not consecutive ({line['name']} begins at "
                    f"{line['first']}, {after} come before it); verify the dataset"
                )
            firsts.append(after)
            after += line["count"]
        if after != self.manifest.count or not firsts:
            raise Damaged(f"{self.folder}: the manifest counts {self.manifest.count} pictures, its shards {after}")
        return firsts

    def place(self, block: int) -> tuple[int, int]:
        """The shard that holds a block of the dataset, and the block's number in it."""
        shard = bisect_right(self._firsts, block * BLOCK) - 1
        before, rest = divmod(self._firsts[shard], BLOCK)
        if rest:
            raise Damaged(
                f"{self.folder}: shard {shard} begins at picture {self._firsts[shard]}, where no block begins"
            )
        return shard, block - before

    def proven(self, number: int) -> ProvenShard:
        """Shard `number`, proven once a process; its blocks are read one at a time, each proven again.

        Raises
        ------
        Damaged
        """
        line = self.manifest.shards[number]
        shard = prove(str(self.path(number)), line["sha256"], self._inflate)
        if shard.count != line["count"]:
            raise Damaged(f"{shard.path}: holds {shard.count} pictures where the manifest says {line['count']}")
        return shard

    def batches(
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
        """Blocks of `size` pictures, read ahead by threads; the last one is shorter.

        Parameters
        ----------
        split : {'train', 'validation', 'test'}, optional
            Only that split's pictures.
        shuffle : int, optional
            A seed. Blocks come in an order that follows from it and from `epoch`, and the pictures of
            `buffer` blocks at a time are mixed; without it, the dataset's order.
        rank, world : int
            Read the `rank`-th of `world` equal parts of that order, to within a block: over all ranks,
            each picture once an epoch.
        fields : iterable of str
            Arrays to read; the others come as None.
        drop_last : bool
            Leave out a last batch that is shorter.
        threads : int, optional
            By default one a core, four at most. They end with the iterator, however that ends.

        Returns
        -------
        iterator of Block
            Arrays of the caller's own, to keep or to write to. The stream is the same for any number of
            threads and any size of shards. It belongs to the process that began it: begin one after a fork.

        Raises
        ------
        BadInput
            At once.
        Damaged
            While iterating, before any picture of the damaged block.
        """
        plan = batches.BatchPlan(
            size, split, shuffle, rank, world, tuple(fields), bool(drop_last), epoch, buffer,
            batches.default_threads() if threads is None else threads,
        )  # fmt: skip
        return batches.stream(self, plan)

    def path(self, number: int) -> Place:
        """The file of shard `number`.

        Raises
        ------
        Damaged
            The manifest gives it a name that would leave the folder.
        """
        name = self.manifest.shards[number]["name"]
        if parse_name(name) is None:
            raise Damaged(f"{self.folder}: the manifest names {name!r}, which is no shard's name")
        return self.folder / name

    def shard(self, number: int) -> Shard:
        """Shard `number`, its bytes checked against the manifest.

        Raises
        ------
        Damaged
            Missing or altered.
        """
        return Shard(self.path(number), sha256=self.manifest.shards[number]["sha256"], inflate=self._inflate)

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


def _bytes(block: Block) -> int:
    return sum(array.nbytes for array in block)

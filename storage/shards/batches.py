"""Batches of a dataset, read ahead by threads: in order, or shuffled the same way everywhere.

The order of pictures depends only on (seed, epoch, rank, world, buffer) and the number of pictures. It does not depend
on the size of shards, the number of threads or the machine.
"""

import math
import os
import weakref
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from storage.errors import BadInput, Damaged
from storage.shards.proven import ProvenShard
from storage.shards.shard import BLOCK, SPLITS, Block, blocks_in, rows_in

THREADS = "captchas-read"  # the prefix of the threads' names
_MOST_THREADS = 4  # by default; more only wait for memory
_AHEAD = 16  # a shard is proven so many blocks before it is needed, so that threads rarely wait for a proof
_LIMIT = 1 << 64  # keys and counters of Philox are uint64
_SPARE = 2  # arrays of a field that wait to be used again
_BLOCK_ORDER, _ROW_ORDER = 0, 1  # last counters of Philox: streams for the order of blocks and of rows in a buffer


class Blocks(Protocol):
    """A source of blocks: a dataset."""

    def __len__(self) -> int: ...

    def place(self, block: int) -> tuple[int, int]:
        """Return the number of a block's shard, and of the block in it."""

    def proven(self, number: int) -> ProvenShard:
        """Return shard `number`, proven against the manifest."""


def default_threads() -> int:
    """Return one thread for each core, up to four."""
    return min(_MOST_THREADS, len(os.sched_getaffinity(0)))


@dataclass(frozen=True)
class BatchPlan:
    """The parameters of `Dataset.batches`, checked on construction.

    Raises
    ------
    BadInput
    """

    size: int
    split: str | None = None
    shuffle: int | None = None
    rank: int = 0
    world: int = 1
    fields: tuple[str, ...] = Block._fields
    drop_last: bool = False
    epoch: int = 0
    buffer: int = 16
    threads: int = 1

    def __post_init__(self) -> None:
        for name, least in (("size", 1), ("world", 1), ("rank", 0), ("epoch", 0), ("buffer", 1), ("threads", 1)):
            _require_integer(name, getattr(self, name), least)
        if self.rank >= self.world:
            raise BadInput(f"rank: must be below world, {self.world}; it is {self.rank}")
        if self.split is not None and self.split not in SPLITS:
            raise BadInput(f"split: must be one of {', '.join(SPLITS)}, or None; it is {self.split!r}")
        if self.shuffle is not None:
            _require_integer("shuffle (a seed, or None)", self.shuffle, 0)
        strange = [field for field in self.fields if field not in Block._fields]
        if strange or not self.fields:
            raise BadInput(f"fields: must be some of {', '.join(Block._fields)}; they are {list(self.fields)}")

    @property
    def in_flight(self) -> int:
        """Return the number of blocks that are submitted ahead if they are not mixed: two for each thread, and two."""
        return 2 + 2 * self.threads

    def order(self, blocks: int) -> tuple[int, list[int]]:
        """Return this rank's blocks in the order of reading, and the position of the first of them.

        All blocks are put in order; with a seed, they are sorted by the raw output of Philox with key (seed, epoch)
        and counter 0. Then they are cut into `world` consecutive parts, whose lengths differ by at most one.
        Positions are counted over all ranks.
        """
        everything = np.arange(blocks)
        if self.shuffle is not None:
            everything = np.argsort(_raw(self.shuffle, self.epoch, 0, _BLOCK_ORDER, blocks), kind="stable")
        first, stop = (part * blocks // self.world for part in (self.rank, self.rank + 1))
        return first, everything[first:stop].tolist()

    def mixed(self, rows: np.ndarray, position: int) -> np.ndarray:
        """Mix the rows of a buffer; without a seed, they keep their order.

        They are sorted by the raw output of Philox with key (seed, epoch) and counter (0, 0, position, 1), where
        `position` is the position of the buffer's first block over all ranks.
        """
        if self.shuffle is None:
            return rows
        return rows[np.argsort(_raw(self.shuffle, self.epoch, position, _ROW_ORDER, len(rows)), kind="stable")]


def stream(source: Blocks, plan: BatchPlan) -> Iterator[Block]:
    """Iterate over blocks of `plan.size` rows; the last batch is shorter or dropped.

    Threads start with the first batch and end with the last, or when the iterator is closed or goes out of use.
    Besides the batches, the memory holds 3 blocks, and 2 for each thread, in plain order; otherwise twice as many
    blocks as are mixed. While a shard is proven, its thread holds the whole file.

    Raises
    ------
    Damaged
        In place of the first batch that would hold a picture of the damaged block.
    """
    first, order = plan.order(blocks_in(len(source)))
    if not order:
        return
    pool = ThreadPoolExecutor(plan.threads, thread_name_prefix=THREADS)
    try:
        reading = _BlockReader(source, first, order, pool)
        yield from (_in_order if plan.shuffle is None and plan.split is None else _through_ring)(reading, plan)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class _BlockReader:
    """Reads blocks from the shards into memory, by the threads of `pool`.

    first : position of the first block, over all ranks
    rows : number of pictures in each block
    schema : a shard; all others must have its types and shapes
    """

    def __init__(self, source: Blocks, first: int, order: list[int], pool: ThreadPoolExecutor):
        self._source, self._order, self._pool = source, order, pool
        self._proofs: dict[int, Future[ProvenShard]] = {}
        self._proving = 0  # so many blocks have their shards submitted for proof
        self.first = first
        self.rows = [rows_in(len(source), block) for block in order]
        self._prove(1)
        self.schema: ProvenShard = next(iter(self._proofs.values())).result()

    def _prove(self, stop: int) -> None:
        """Submit the proofs of the shards of blocks up to `stop`, before the blocks that wait for them."""
        for block in self._order[self._proving : stop]:
            shard, _ = self._source.place(block)
            if shard not in self._proofs:
                self._proofs[shard] = self._pool.submit(self._source.proven, shard)
        self._proving = max(self._proving, stop)

    def begin(self, place: int, outs: dict[str, list[np.ndarray]]) -> Future[None]:
        """Submit the unpacking of the `place`-th block of the order into `outs`: by field, its consecutive rows."""
        self._prove(place + _AHEAD)
        shard, number = self._source.place(self._order[place])
        return self._pool.submit(self._fill, self._proofs[shard], number, self.rows[place], outs)

    def _fill(self, proof: Future[ProvenShard], number: int, rows: int, outs: dict[str, list[np.ndarray]]) -> None:
        shard = proof.result()  # no deadlock: it was submitted earlier, so another thread has at least begun it
        if not shard.same_schema(self.schema):
            raise Damaged(f"{shard.path}: its arrays have other types or shapes than those of {self.schema.path.name}")
        if rows != shard.rows(number):
            raise Damaged(f"{shard.path}: ends within a block, and is not the last shard; verify the dataset")
        for field, arrays in outs.items():
            shard.unpack(number, field, *arrays)


def _in_order(reading: _BlockReader, plan: BatchPlan) -> Iterator[Block]:
    """Read all pictures in order, unpacked straight into the batches."""
    fresh = _BatchMemory(reading, plan)
    begun: deque[tuple[Block, list[Future[None]]]] = deque()  # batches, and the jobs that fill them
    running: deque[Future[None]] = deque()
    batch: Block | None = None
    jobs: list[Future[None]] = []
    filled = 0
    for place, rows in enumerate(reading.rows):
        outs: dict[str, list[np.ndarray]] = {field: [] for field in plan.fields}
        filling: list[list[Future[None]]] = []  # the jobs of each batch that this block goes into
        while rows:
            if batch is None:
                batch, jobs, filled = fresh.batch(), [], 0
                begun.append((batch, jobs))
            count = min(plan.size - filled, rows)
            for field, parts in outs.items():
                parts.append(getattr(batch, field)[filled : filled + count])
            filling.append(jobs)
            rows, filled = rows - count, filled + count
            if filled == plan.size:
                batch = None
        job = reading.begin(place, outs)
        for jobs_of_batch in filling:
            jobs_of_batch.append(job)
        running.append(job)
        del outs, parts  # a reference that is kept here would keep a batch's memory from being used again
        if len(running) > plan.in_flight:
            running.popleft().result()
        while len(begun) > (batch is not None) and all(job.done() for job in begun[0][1]):
            yield _finished(*begun.popleft())
    if batch is not None and plan.drop_last:
        begun.pop()
    batch = None
    while begun:
        yield _finished(*begun.popleft())


def _finished(batch: Block, jobs: list[Future[None]]) -> Block:
    """Wait until all jobs that fill a batch are done."""
    for job in jobs:
        job.result()
    return batch


def _through_ring(reading: _BlockReader, plan: BatchPlan) -> Iterator[Block]:
    """Read the pictures of a split, or mix them: unpack blocks into a ring and take rows from there."""
    fresh = _BatchMemory(reading, plan)
    group = 1 if plan.shuffle is None else plan.buffer  # blocks that are mixed together
    slots = min(2 * group if group > 1 else plan.in_flight, len(reading.rows))
    fields = (*plan.fields, *(["split"] if plan.split and "split" not in plan.fields else []))
    ring = {field: reading.schema.empty(field, slots * BLOCK) for field in fields}
    batch, filled = None, 0
    for position, rows in _groups(reading, ring, slots, group):
        chosen = rows if plan.split is None else rows[ring["split"][rows] == SPLITS.index(plan.split)]
        chosen = plan.mixed(chosen, position)
        while len(chosen):
            if batch is None:
                batch, filled = fresh.batch(), 0
            count = min(plan.size - filled, len(chosen))
            for field in plan.fields:
                out = getattr(batch, field)[filled : filled + count]
                np.take(ring[field], chosen[:count], axis=0, out=out, mode="clip")  # mode='raise' copies once more
            chosen, filled = chosen[count:], filled + count
            if filled == plan.size:
                full, batch = batch, None
                del out
                yield full
                del full  # a reference that is kept here would keep its memory from being used again
    if batch is not None and not plan.drop_last:
        yield batch.rows(slice(0, filled))


def _groups(
    reading: _BlockReader, ring: dict[str, np.ndarray], slots: int, group: int
) -> Iterator[tuple[int, np.ndarray]]:
    """Iterate over groups of `group` blocks: (position of the group over all ranks, its rows in the ring, (n,) int64).

    The rows are valid until the next group is requested.
    """
    free, begun = deque(range(slots)), 0
    pending: deque[tuple[int, Future[None]]] = deque()
    for place in range(0, len(reading.rows), group):
        while free and begun < len(reading.rows):
            slot = free.popleft()
            target = slice(slot * BLOCK, slot * BLOCK + reading.rows[begun])
            pending.append((slot, reading.begin(begun, {field: [array[target]] for field, array in ring.items()})))
            begun += 1
        taken = []
        for rows in reading.rows[place : place + group]:
            slot, job = pending.popleft()
            job.result()
            taken.append((slot, rows))
        yield reading.first + place, np.concatenate([np.arange(slot * BLOCK, slot * BLOCK + n) for slot, n in taken])
        free.extend(slot for slot, _ in taken)


class _BatchMemory:
    """The memory of batches."""

    def __init__(self, reading: _BlockReader, plan: BatchPlan):
        self._left, self._size = sum(reading.rows), plan.size
        self._memory = {field: _FieldMemory(reading.schema, field) for field in plan.fields}

    def batch(self) -> Block:
        """Return a batch of the plan's size, or of all rows that can be left."""
        rows = min(self._size, self._left)
        self._left -= rows
        return Block.partial({name: memory.array(rows) for name, memory in self._memory.items()})


class _FieldMemory:
    """The arrays of a field. When nobody holds an array or a view of it any more, its memory is used again.

    For the kernel, fresh memory takes about as much time as unpacking into it takes us.
    """

    def __init__(self, schema: ProvenShard, field: str):
        self._shape, self._dtype = schema.shapes[field], schema.dtypes[field]
        self._spare: deque[np.ndarray] = deque(maxlen=_SPARE)

    def array(self, rows: int) -> np.ndarray:
        size = rows * math.prod(self._shape) * self._dtype.itemsize
        owner = self._spare.pop() if self._spare else None
        if owner is None or len(owner) != size:
            owner = np.empty(size, np.uint8)
        # NumPy's search for the base of a view ends at a memoryview. So every view of `flat` holds `flat` itself,
        # which is therefore freed last.
        flat = np.frombuffer(owner.data, self._dtype)
        weakref.finalize(flat, self._spare.append, owner).atexit = False
        return flat.reshape(rows, *self._shape)


def _raw(seed: int, epoch: int, position: int, stream: int, count: int) -> np.ndarray:
    generator = np.random.Philox(key=np.array([seed, epoch], np.uint64), counter=[0, 0, position, stream])
    return generator.random_raw(count)


def _require_integer(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not least <= value < _LIMIT:
        raise BadInput(f"{name}: must be an integer of {least} or more; it is {value!r}")

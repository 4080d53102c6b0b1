"""Batches of a dataset, read ahead by threads: in order, or shuffled the same way everywhere.

The order of pictures depends on (seed, epoch, rank, world, buffer) and the number of pictures; the size
of shards, the number of threads and the machine have no part in it.
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
from storage.shards.shard import BLOCK, SPLITS, Block

THREADS = "captchas-read"  # what the threads' names begin with
_AHEAD = 16  # blocks: so far ahead a shard is proven, so that no thread waits for another to do it
_LIMIT = 1 << 64


class Blocks(Protocol):
    """What a stream reads from: a dataset."""

    def __len__(self) -> int: ...

    def place(self, block: int) -> tuple[int, int]:
        """A block's shard and its number within that."""

    def proven(self, shard: int) -> ProvenShard:
        """That shard, proven against the manifest."""


def default_threads() -> int:
    """One a core, four at most: more only wait for memory."""
    return min(4, len(os.sched_getaffinity(0)))


@dataclass(frozen=True)
class BatchPlan:
    """What to read and how to hand it out; checked on construction (see `Dataset.batches`).

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

    def __post_init__(self):
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

    def order(self, blocks: int) -> tuple[int, list[int]]:
        """The blocks of this rank in the order of reading, and where in the order of all they begin.

        The `rank`-th of `world` consecutive parts, whose lengths differ by one at most, of all blocks
        in order or, with a seed, sorted by the raw output of Philox with key (seed, epoch) and counter 0.
        """
        everything = np.arange(blocks)
        if self.shuffle is not None:
            everything = np.argsort(_raw(self.shuffle, self.epoch, 0, 0, blocks), kind="stable")
        first, stop = (part * blocks // self.world for part in (self.rank, self.rank + 1))
        return first, everything[first:stop].tolist()

    def mixed(self, rows: np.ndarray, position: int) -> np.ndarray:
        """The rows of one buffer in the order in which they are handed out.

        Sorted by the raw output of Philox with key (seed, epoch) and counter (0, 0, position, 1), where
        `position` is that of the buffer's first block in the order of all.
        """
        return rows[np.argsort(_raw(self.shuffle, self.epoch, position, 1, len(rows)), kind="stable")]


def stream(source: Blocks, plan: BatchPlan) -> Iterator[Block]:
    """Blocks of `plan.size` rows, the last one shorter or dropped.

    Threads start with the first batch and end with the last, or when the iterator is closed or goes out of
    use. Memory besides the batches themselves: in plain order 3 + 2 blocks a thread; otherwise twice as
    many blocks as are mixed; and a shard's file a thread while it is proven.

    Raises
    ------
    Damaged
        In place of the first batch that would hold a picture of the damaged block.
    """
    first, order = plan.order(-(-len(source) // BLOCK))
    if not order:
        return
    pool = ThreadPoolExecutor(plan.threads, thread_name_prefix=THREADS)
    try:
        reading = _Reading(source, first, order, pool)
        yield from (_plain if plan.shuffle is None and plan.split is None else _ringed)(reading, plan)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class _Reading:
    """Blocks on their way from the shards into memory, by the threads of `pool`.

    first : where in the order of all blocks these begin
    rows : pictures of each block
    schema : a shard whose types and shapes the others must have
    """

    def __init__(self, source: Blocks, first: int, order: list[int], pool: ThreadPoolExecutor):
        self._source, self._order, self._pool = source, order, pool
        self._proofs: dict[int, Future] = {}
        self._looked = 0
        self.first = first
        self.rows = [min(BLOCK, len(source) - block * BLOCK) for block in order]
        self._prove(1)
        self.schema: ProvenShard = next(iter(self._proofs.values())).result()

    def _prove(self, stop: int) -> None:
        """Have the shards of blocks up to `stop` proven: each by one thread, before the blocks that wait for it."""
        for block in self._order[self._looked : stop]:
            shard, _ = self._source.place(block)
            if shard not in self._proofs:
                self._proofs[shard] = self._pool.submit(self._source.proven, shard)
        self._looked = max(self._looked, stop)

    def begin(self, place: int, outs: dict[str, list[np.ndarray]]) -> Future:
        """Have the `place`-th block of the order unpacked into `outs`: by field, its consecutive rows."""
        self._prove(place + _AHEAD)
        shard, number = self._source.place(self._order[place])
        return self._pool.submit(self._fill, self._proofs[shard], number, self.rows[place], outs)

    def _fill(self, proof: Future, number: int, rows: int, outs: dict[str, list[np.ndarray]]) -> None:
        shard = proof.result()  # it was submitted before this, so another thread is at it or done
        if not shard.same_schema(self.schema):
            raise Damaged(f"{shard.path}: its arrays have other types or shapes than those of {self.schema.path.name}")
        if rows != shard.rows(number):
            raise Damaged(f"{shard.path}: ends within a block that goes on after it; verify the dataset")
        for field, arrays in outs.items():
            shard.unpack(number, field, *arrays)


def _plain(reading: _Reading, plan: BatchPlan) -> Iterator[Block]:
    """All pictures in order, unpacked straight into the batches."""
    fresh = _Fresh(reading, plan)
    begun: deque[tuple[Block, list[Future]]] = deque()  # batches, and the jobs that fill them
    running: deque[Future] = deque()
    batch, jobs, filled = None, [], 0
    for place, rows in enumerate(reading.rows):
        outs, filling = {field: [] for field in plan.fields}, []
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
        for one in filling:
            one.append(job)
        running.append(job)
        del outs, parts  # a reference kept here would keep a batch's memory from serving again
        if len(running) > 2 + 2 * plan.threads:
            running.popleft().result()
        while len(begun) > (batch is not None) and all(job.done() for job in begun[0][1]):
            yield _finished(*begun.popleft())
    if batch is not None and plan.drop_last:
        begun.pop()
    batch = None
    while begun:
        yield _finished(*begun.popleft())


def _finished(batch: Block, jobs: list[Future]) -> Block:
    for job in jobs:
        job.result()
    return batch


def _ringed(reading: _Reading, plan: BatchPlan) -> Iterator[Block]:
    """Pictures of a split, or mixed: blocks are unpacked into a ring, and their rows picked from there."""
    fresh = _Fresh(reading, plan)
    group = 1 if plan.shuffle is None else plan.buffer  # blocks that are mixed together
    slots = min(2 * group if group > 1 else 2 + 2 * plan.threads, len(reading.rows))
    fields = (*plan.fields, *(["split"] if plan.split and "split" not in plan.fields else []))
    ring = {field: reading.schema.empty(field, slots * BLOCK) for field in fields}
    batch, filled = None, 0
    for position, rows in _groups(reading, ring, slots, group):
        chosen = rows if plan.split is None else rows[ring["split"][rows] == SPLITS.index(plan.split)]
        if plan.shuffle is not None:
            chosen = plan.mixed(chosen, position)
        while len(chosen):
            if batch is None:
                batch, filled = fresh.batch(), 0
            count = min(plan.size - filled, len(chosen))
            for field in plan.fields:
                out = getattr(batch, field)[filled : filled + count]
                np.take(ring[field], chosen[:count], axis=0, out=out, mode="clip")  # 'raise' would copy once more
            chosen, filled = chosen[count:], filled + count
            if filled == plan.size:
                full, batch, out = batch, None, None
                yield full
                del full  # a reference kept here would keep its memory from serving again
    if batch is not None and not plan.drop_last:
        yield Block(*(None if array is None else array[:filled] for array in batch))


def _groups(reading: _Reading, ring: dict[str, np.ndarray], slots: int, group: int) -> Iterator[tuple[int, np.ndarray]]:
    """The position in the order of all of each `group` of blocks, and their rows in the ring, (n,) int64.

    The rows are good until the next group is asked for.
    """
    free, begun = deque(range(slots)), 0
    pending: deque[tuple[int, Future]] = deque()
    for place in range(0, len(reading.rows), group):
        while free and begun < len(reading.rows):
            slot = free.popleft()
            rows = slice(slot * BLOCK, slot * BLOCK + reading.rows[begun])
            pending.append((slot, reading.begin(begun, {field: [array[rows]] for field, array in ring.items()})))
            begun += 1
        taken = []
        for rows in reading.rows[place : place + group]:
            slot, job = pending.popleft()
            job.result()
            taken.append((slot, rows))
        yield reading.first + place, np.concatenate([np.arange(slot * BLOCK, slot * BLOCK + n) for slot, n in taken])
        free.extend(slot for slot, _ in taken)


class _Fresh:
    """Memory for batches."""

    def __init__(self, reading: _Reading, plan: BatchPlan):
        self._left, self._size = sum(reading.rows), plan.size
        self._memory = {field: _Memory(reading.schema, field) for field in plan.fields}

    def batch(self) -> Block:
        """A batch of the plan's size, or as many rows as can be left."""
        rows = min(self._size, self._left)
        self._left -= rows
        return Block(*(self._memory[name].array(rows) if name in self._memory else None for name in Block._fields))


class _Memory:
    """Arrays of a field. When nobody holds one, or a view of it, any more, its memory serves the next.

    Fresh memory costs the kernel about as much time as the unpacking into it costs us.
    """

    def __init__(self, schema: ProvenShard, field: str):
        self._shape, self._dtype = schema.shapes[field], schema.dtypes[field]
        self._spare: deque[np.ndarray] = deque(maxlen=2)

    def array(self, rows: int) -> np.ndarray:
        size = rows * math.prod(self._shape) * self._dtype.itemsize
        owner = self._spare.pop() if self._spare else None
        if owner is None or len(owner) != size:
            owner = np.empty(size, np.uint8)
        # Through a memoryview, which ends NumPy's search for a view's base: every view made of `flat`,
        # by whomever, holds `flat` itself, so it dies last.
        flat = np.frombuffer(memoryview(owner), self._dtype)
        weakref.finalize(flat, self._spare.append, owner).atexit = False
        return flat.reshape(rows, *self._shape)


def _raw(seed: int, epoch: int, position: int, purpose: int, count: int) -> np.ndarray:
    generator = np.random.Philox(key=np.array([seed, epoch], np.uint64), counter=[0, 0, position, purpose])
    return generator.random_raw(count)


def _require_integer(name: str, value, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not least <= value < _LIMIT:
        raise BadInput(f"{name}: must be an integer of {least} or more; it is {value!r}")

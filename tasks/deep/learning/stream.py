"""Batches for training: blocks drawn or read ahead by a thread or by processes, and mixed the same way each time."""

import multiprocessing
import queue
import shutil
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from storage.errors import BadInput, NoSpace, readable_size
from storage.shards.shard import BLOCK
from tasks.deep.learning.sources import Form, Slot, Source, blocks_of, fill, slot_bytes
from tasks.deep.pictures import gather, padded_width

_SHARED = Path("/dev/shm")  # where Linux keeps the memory that processes share
_FEWEST_DRAWN, _RARELY = 16, 20  # blocks that are drawn for held-out pictures, and pictures a block at least
_READY = 3  # batches that wait for the network
_MIXED_COUNTER = 1 << 34  # of Philox: the order of rows in a group of blocks


class Batch(NamedTuple):
    """A batch: as in `Slot`, with pictures cut to the widest, and the source of each row."""

    pictures: np.ndarray
    labels: np.ndarray
    centres: np.ndarray
    source: np.ndarray


class Place(NamedTuple):
    """Where a stream is: the next group of blocks, and how many of its batches are done."""

    group: int
    batch: int


_BEGINNING = Place(0, 0)


@dataclass(frozen=True)
class StreamPlan:
    """What decides a stream's batches; a plan and a seed give the same batches on every machine.

    size : pictures in a batch
    mixed : blocks that are mixed with each other
    """

    sources: tuple[Source, ...]
    form: Form
    seed: int
    size: int = 128
    mixed: int = 8


class _Job(NamedTuple):
    source: int
    number: int
    split: str
    slot: int


def schedule(weights: Sequence[float]) -> Iterator[tuple[int, int]]:
    """Iterate over (source, number of its block) for ever: each source comes as often as its share of the weights."""
    share = np.array(weights, np.float64) / sum(weights)
    counts = np.zeros(len(share), np.int64)
    done = 0
    while True:
        done += 1
        source = int(np.argmax(share * done - counts))
        yield source, int(counts[source])
        counts[source] += 1


class Feeder:
    """Fills slots with normalised blocks: in a thread of this process, or in processes that share the slots' memory.

    Parameters
    ----------
    processes : int
        0 for one thread of this process.

    Attributes
    ----------
    plan : StreamPlan
    slots : list of Slot
    ahead : int
        Blocks that training has begun at most.
    training, spare : range
        Slots for training, and for pictures that are held out.
    """

    def __init__(self, plan: StreamPlan, processes: int = 0):
        self.plan = plan
        self.ahead = plan.mixed + 2 * max(processes, 1)
        self.training = range(plan.mixed + self.ahead)
        self.spare = range(len(self.training), len(self.training) + 2 + processes)
        slots = self.spare.stop
        memory: list[Any]
        if processes:
            _require_shared(slots * slot_bytes(plan.form), processes)
            context = multiprocessing.get_context("spawn")
            memory = [context.RawArray("B", slot_bytes(plan.form)) for _ in range(slots)]
            self._pool: Executor = ProcessPoolExecutor(processes, context, _begin, (plan, memory))
        else:
            memory = [bytearray(slot_bytes(plan.form)) for _ in range(slots)]
            self._pool = ThreadPoolExecutor(1, "captchas-draw")
        self.slots = [Slot.of(memoryview(part).cast("B"), plan.form) for part in memory]
        self._here = not processes

    def submit(self, job: _Job) -> "Future[int]":
        """Begin to fill a slot; the result is the number of pictures."""
        if self._here:
            return self._pool.submit(_fill, self.plan, self.slots, job)
        return self._pool.submit(_fill_here, job)

    def close(self) -> None:
        """End the workers, after the blocks that they have begun."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def _require_shared(wanted: int, processes: int) -> None:
    """Refuse to begin if the memory that processes share cannot hold the slots: a process would die of it.

    Raises
    ------
    NoSpace
    """
    if _SHARED.is_dir():
        free = shutil.disk_usage(_SHARED).free
        if free < wanted:
            raise NoSpace(
                f"{_SHARED}: has {readable_size(free)} free, and {processes} processes that draw share "
                f"{readable_size(wanted)}; give fewer --processes, or make it larger"
            )


def _fill(plan: StreamPlan, slots: Sequence[Slot], job: _Job) -> int:
    return fill(plan.sources[job.source], job.number, job.split, plan.form, slots[job.slot], plan.seed)


_OWN: dict[str, Any] = {}  # of a worker process: the plan, and the slots that it shares


def _begin(plan: StreamPlan, memory: list[Any]) -> None:
    _OWN["plan"] = plan
    _OWN["slots"] = [Slot.of(memoryview(part).cast("B"), plan.form) for part in memory]


def _fill_here(job: _Job) -> int:
    return _fill(_OWN["plan"], _OWN["slots"], job)


class Stream:
    """An endless iterator of (place after the batch, batch), assembled ahead by a thread.

    Parameters
    ----------
    feeder : Feeder
        Of which no other stream takes training slots.
    start : Place
        Where to go on.
    """

    def __init__(self, feeder: Feeder, start: Place = _BEGINNING):
        self._feeder, self._plan, self._start = feeder, feeder.plan, start
        self._ready: queue.Queue[tuple[Place, Batch] | BaseException] = queue.Queue(_READY)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="captchas-mix", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[tuple[Place, Batch]]:
        return self

    def __next__(self) -> tuple[Place, Batch]:
        item = self._ready.get()
        if isinstance(item, BaseException):
            self.close()
            raise item
        return item

    def close(self) -> None:
        """End the thread, after the blocks that are begun."""
        self._closed.set()
        while self._thread.is_alive():
            try:
                self._ready.get(timeout=0.05)
            except queue.Empty:
                continue

    def _put(self, item: "tuple[Place, Batch] | BaseException") -> bool:
        while not self._closed.is_set():
            try:
                self._ready.put(item, timeout=0.2)
            except queue.Full:
                continue
            return True
        return False

    def _run(self) -> None:
        try:
            self._mix()
        except BaseException as error:  # noqa: BLE001 - it is raised where the batch is wanted
            self._put(error)

    def _mix(self) -> None:
        plan = self._plan
        blocks = schedule([source.weight for source in plan.sources])
        for _ in range(self._start.group * plan.mixed):
            next(blocks)
        free = deque(self._feeder.training)
        begun: deque[tuple[int, int, Future[int]]] = deque()
        group, skip = self._start
        while not self._closed.is_set():
            taken = []
            for _ in range(plan.mixed):
                self._begin(blocks, free, begun)
                slot, source, job = begun.popleft()
                taken.append((slot, source, job.result()))
            self._begin(blocks, free, begun)
            if not any(count for _, _, count in taken):
                raise BadInput(
                    f"{plan.sources[taken[0][1]].name}: {plan.mixed} blocks have no picture of the train split; give a "
                    "profile or a dataset with more distinct pictures"
                )
            for place, batch in self._batches(group, taken):
                wanted = place.batch > skip or place.group > group
                if wanted and not self._put((place, batch)):
                    break
            free.extend(slot for slot, _, _ in taken)
            group, skip = group + 1, 0
        for _, _, job in begun:
            if not job.cancel():
                job.exception()  # waits

    def _begin(
        self, blocks: Iterator[tuple[int, int]], free: deque[int], begun: "deque[tuple[int, int, Future[int]]]"
    ) -> None:
        """Begin as many blocks as there are slots for."""
        while free and len(begun) < self._feeder.ahead:
            source, number = next(blocks)
            slot = free.popleft()
            begun.append((slot, source, self._feeder.submit(_Job(source, number, "train", slot))))

    def _batches(self, group: int, taken: list[tuple[int, int, int]]) -> Iterator[tuple[Place, Batch]]:
        """Mix the pictures of a group of blocks; those that fill no batch are left out."""
        plan, slots = self._plan, self._feeder.slots
        rows = np.concatenate([np.arange(count) + BLOCK * k for k, (_, _, count) in enumerate(taken)])
        numbers = np.random.Philox(key=[plan.seed, group], counter=[0, 0, 0, _MIXED_COUNTER]).random_raw(len(rows))
        rows = rows[np.argsort(numbers, kind="stable")]
        size = min(plan.size, len(rows))
        batches = len(rows) // size if size else 0
        for k in range(batches):
            chosen = rows[k * size : (k + 1) * size]
            place = Place(group, k + 1) if k + 1 < batches else Place(group + 1, 0)
            yield place, _assemble([(slots[slot], source) for slot, source, _ in taken], chosen)


def _assemble(taken: list[tuple[Slot, int]], rows: np.ndarray) -> Batch:
    block, within = rows // BLOCK, rows % BLOCK
    order = np.argsort(block, kind="stable")
    block, within = block[order], within[order]
    parts = [(slot, source, within[block == k]) for k, (slot, source) in enumerate(taken)]
    widths = np.concatenate([slot.widths[own] for slot, _, own in parts])
    first = taken[0][0].pictures
    pictures = np.empty((len(rows), *first.shape[1:3], padded_width(widths, first.shape[3])), np.uint8)
    at = 0
    for slot, _, own in parts:
        gather(slot.pictures, own, pictures[at : at + len(own)])
        at += len(own)
    return Batch(
        pictures, np.concatenate([slot.labels[own] for slot, _, own in parts]),
        np.concatenate([slot.centres[own] for slot, _, own in parts]),
        np.concatenate([np.full(len(own), source, np.uint8) for _, source, own in parts]),
    )  # fmt: skip


def held_out(feeder: Feeder, count: int, split: str = "validation") -> Iterator[Batch]:
    """Iterate over the first `count` pictures of a split of each source, block by block, never moved."""
    for source in range(len(feeder.plan.sources)):
        yield from _held_out(feeder, source, count, split)


def _held_out(feeder: Feeder, source: int, count: int, split: str) -> Iterator[Batch]:
    # Few distinct pictures may all be of one split: a profile is not drawn for ever.
    blocks = blocks_of(feeder.plan.sources[source]) or _FEWEST_DRAWN + count // _RARELY
    number, have = 0, 0
    begun: deque[tuple[int, Future[int]]] = deque()
    free = deque(feeder.spare)
    while have < count:
        while free and number < blocks:
            slot = free.popleft()
            begun.append((slot, feeder.submit(_Job(source, number, split, slot))))
            number += 1
        if not begun:
            return
        slot, job = begun.popleft()
        rows = np.arange(min(job.result(), count - have))
        if len(rows):
            yield _assemble([(feeder.slots[slot], source)], rows)
        have += len(rows)
        free.append(slot)
    for _, job in begun:
        if not job.cancel():
            job.result()

"""Reading of blocks from shards that were proven once: chunk by chunk, without HDF5, into the caller's memory.

The guarantee: every byte that is returned was proven in this process. When a process first needs a shard, it reads
the whole file and compares it with the sha256 in the manifest. From these bytes it computes the place and the BLAKE3
of each chunk; it keeps those and drops the bytes. Every later read fetches one chunk from the file and compares it
with its digest before unpacking it. So it does not matter how often or how the file was changed, replaced or cut in
between. No file size or time is trusted. The same holds for an object in an object store, whose bytes come from the
cache or by a range request.
"""

import threading
from dataclasses import dataclass
from functools import lru_cache
from math import prod

import numpy as np
from blake3 import blake3

from storage.errors import Damaged
from storage.files.places import ObjectPath, Place, place, read_range
from storage.shards import cache
from storage.shards.cache import file_bytes
from storage.shards.shard import BLOCK, SPLITS, Block, Shard, blocks_in, rows_in
from storage.shards.shard_rules import require_numbers
from storage.shards.unpacking import UNREADABLE, Inflate, inflated, unpack_into

SHARDS_KNOWN = 16_384  # shards whose chunks a process remembers: about 5 KB for a shard of 16 blocks
_DIGEST_BYTES = 32  # of a BLAKE3
_own = threading.local()  # each thread's memory for a chunk that goes into more than one array


@dataclass(frozen=True)
class ProvenShard:
    """The places and digests of a proven shard's chunks.

    sha256 : of the file
    count : number of pictures
    format : of the shard, by which pictures are grey or in colour
    dtypes, shapes : by field; the shape of one row
    places : by field, (blocks, 2) int64, a chunk's first byte in the file and its length in bytes
    digests : by field, the chunks' BLAKE3, 32 bytes each, one after the other
    inflate : unpacks pictures faster than zlib, where it can
    """

    path: Place
    sha256: str
    count: int
    format: int
    dtypes: dict[str, np.dtype]
    shapes: dict[str, tuple[int, ...]]
    places: dict[str, np.ndarray]
    digests: dict[str, bytes]
    inflate: Inflate | None = None

    def rows(self, number: int) -> int:
        """Return the number of pictures in block `number`."""
        return rows_in(self.count, number)

    def unpack(self, number: int, field: str, *outs: np.ndarray) -> None:
        """Read block `number` of a field into `outs`.

        Parameters
        ----------
        *outs : array
            C-contiguous arrays of the field's dtype, which take the block's rows one after the other.

        Raises
        ------
        Damaged
            The file is gone, or the chunk's bytes are not those that were proven.
        """
        try:
            chunk = self._chunk(number, field)
        except OSError as error:
            raise Damaged(f"{self.path}: cannot be read ({error.strerror}); open the dataset again") from error
        if chunk is None:
            raise Damaged(
                f"{self.path}: {field} of block {number} changed since the file was proven; "
                "verify the dataset, then open it again"
            )
        flat = [out.reshape(-1).view(np.uint8) for out in outs]
        if self.inflate and field == "images" and self._inflated(chunk, flat, self.inflate):
            return
        try:
            size = BLOCK * self.dtypes[field].itemsize * prod(self.shapes[field])
            unpack_into(chunk, [out.data for out in flat], size)
            for out in outs:
                require_numbers(field, out, self.shapes["images"], len(SPLITS))
        except UNREADABLE as error:
            raise Damaged(f"{self.path}: block {number} cannot be read ({error})") from error

    def _chunk(self, number: int, field: str) -> bytes | None:
        """Read a chunk; None if its bytes are not those that were proven."""
        start, size = self.places[field][number].tolist()
        proven = self.digests[field][_DIGEST_BYTES * number : _DIGEST_BYTES * (number + 1)]
        if isinstance(self.path, ObjectPath):
            chunk = cache.chunk(self.path, self.sha256, start, size)
            if blake3(chunk).digest() == proven:
                return chunk
            cache.forget(self.sha256)  # perhaps only the copy in the cache was changed
        chunk = read_range(self.path, start, size)
        return chunk if blake3(chunk).digest() == proven else None

    def _inflated(self, chunk: bytes, outs: list[np.ndarray], inflate: Inflate) -> bool:
        """Unpack a chunk of pictures by `inflate`; True if it succeeded."""
        size = BLOCK * prod(self.shapes["images"])
        straight = len(outs) == 1 and len(outs[0]) == size
        whole = outs[0] if straight else _memory(size)
        if not inflated(chunk, whole, inflate):
            return False
        place = 0
        for out in () if straight else outs:
            out[:] = whole[place : place + len(out)]
            place += len(out)
        return True

    def block(self, number: int, fields: tuple[str, ...] = Block._fields) -> Block:
        """Read block `number`; arrays that are not in `fields` are None.

        Raises
        ------
        Damaged
        """
        arrays = {field: self.empty(field, self.rows(number)) for field in fields}
        for field, array in arrays.items():
            self.unpack(number, field, array)
        return Block.partial(arrays)

    def empty(self, field: str, rows: int) -> np.ndarray:
        """Allocate `rows` rows of a field."""
        return np.empty((rows, *self.shapes[field]), self.dtypes[field])

    def same_schema(self, other: "ProvenShard") -> bool:
        """Return whether rows of both shards fit into one array."""
        return self.dtypes == other.dtypes and self.shapes == other.shapes


class _Charted(Shard):
    """A shard that can say where its chunks are."""

    def __enter__(self) -> "_Charted":
        return self

    def chart(self, path: Place, sha256: str, image: bytes, inflate: Inflate | None) -> ProvenShard:
        """Find and digest all chunks; `image` is the file, proven to have `sha256`."""
        whole = memoryview(image)
        blocks = len(self)
        dtypes, shapes, places, digests = {}, {}, {}, {}
        for name in Block._fields:
            dataset = self._datasets[name]
            dtype = dataset.dtype  # h5py adds metadata to strings, which every array would carry on
            dtypes[name] = np.dtype(dtype.descr if dtype.names else dtype.str)
            shapes[name] = dataset.shape[1:]
            table = np.full((blocks, 2), -1, np.int64)
            for k in range(dataset.id.get_num_chunks()):
                chunk = dataset.id.get_chunk_info(k)
                if chunk.filter_mask:
                    raise Damaged(f"{path}: {name} was stored without its filter")
                table[chunk.chunk_offset[0] // BLOCK] = chunk.byte_offset, chunk.size
            if (table < 0).any():
                raise Damaged(f"{path}: {name} lacks a chunk")
            places[name] = table
            digests[name] = b"".join(blake3(whole[at : at + size]).digest() for at, size in table.tolist())
        return ProvenShard(path, sha256, self.count, self.format, dtypes, shapes, places, digests, inflate)


@lru_cache(maxsize=SHARDS_KNOWN)
def prove(path: str, sha256: str, inflate: Inflate | None = None) -> ProvenShard:
    """Read the whole shard at `path`, prove it, and remember the places and digests of its chunks.

    A process does this once for each file and digest. The result depends only on bytes that have this sha256, so it
    cannot become stale.

    Raises
    ------
    Damaged
        The file is missing, or its bytes differ from `sha256`. The next call tries again.
    """
    file = place(path)
    image = file_bytes(file, sha256)
    with _Charted(file, sha256=sha256, image=image) as shard:
        return shard.chart(file, sha256, image, inflate)


def read_rows(path: str, sha256: str, field: str, start: int, stop: int) -> np.ndarray:
    """Read rows `start` to `stop` of one field of a shard. The arguments are plain values, for workers elsewhere.

    Raises
    ------
    Damaged
    """
    shard = prove(path, sha256)
    if not 0 <= start <= stop <= shard.count:
        raise Damaged(f"{path}: holds {shard.count} pictures; the manifest counts on rows {start} to {stop}")
    out = shard.empty(field, stop - start)
    for number in range(start // BLOCK, blocks_in(stop)):
        first, rows = number * BLOCK, shard.rows(number)
        low, high = max(start, first), min(stop, first + rows)
        target = out[low - start : high - start]
        if high - low == rows:
            shard.unpack(number, field, target)
        else:
            whole = shard.empty(field, rows)
            shard.unpack(number, field, whole)
            target[...] = whole[low - first : high - first]
    return out


def _memory(size: int) -> np.ndarray:
    """Return memory of this thread, (size,) uint8, which is valid until the thread's next call."""
    memory: np.ndarray | None = getattr(_own, "memory", None)
    if memory is None or len(memory) != size:
        memory = _own.memory = np.empty(size, np.uint8)
    return memory

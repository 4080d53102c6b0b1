"""Blocks out of shards that were proven once: a chunk at a time, without HDF5, into memory of the caller's.

What holds. The first time a process needs a shard it reads the whole file, compares it with the sha256 in
the manifest, and keeps where each chunk stands and the chunk's BLAKE3, computed from those proven bytes in
memory. The bytes themselves are let go. Every later read fetches one chunk from the file and compares it
with that digest before a pixel of it is unpacked: what is handed out was proven in this process, however
often and however the file was changed, replaced or cut in between. No size or time of a file is trusted.
So it is with an object of an object store, whose bytes wait in a cache or come by a range request.
"""

import threading
from dataclasses import dataclass
from functools import lru_cache
from math import prod

import numpy as np
from blake3 import blake3
from zlib_ng import zlib_ng

from storage.errors import Damaged
from storage.files.places import ObjectPath, Place, place, read_range
from storage.shards import cache
from storage.shards.shard import BLOCK, Block, Inflate, Shard, file_bytes, inflated

SHARDS_KNOWN = 16_384  # whose chunks' digests a process keeps, about 5 KB each for 16 blocks
_PIECE = 1 << 18  # compressed bytes unpacked at a time: the most whose result malloc still hands out again warm
_own = threading.local()  # each thread's memory for a chunk that does not go into one array


@dataclass(frozen=True)
class ProvenShard:
    """Where a proven shard's chunks stand, and what they are.

    sha256 : of the file
    count : pictures
    dtypes, shapes : by field; a shape is one row's
    places : by field, (blocks, 2) int64, a chunk's first byte in the file and its length
    digests : by field, the chunks' BLAKE3, 32 bytes each, one after the other
    inflate : what unpacks pictures, where it can
    """

    path: Place
    sha256: str
    count: int
    dtypes: dict[str, np.dtype]
    shapes: dict[str, tuple[int, ...]]
    places: dict[str, np.ndarray]
    digests: dict[str, bytes]
    inflate: Inflate | None = None

    def rows(self, number: int) -> int:
        """Pictures in block `number`."""
        return min(BLOCK, self.count - number * BLOCK)

    def unpack(self, number: int, field: str, *outs: np.ndarray) -> None:
        """Read block `number` of a field into `outs`, its consecutive rows, each C-contiguous and of the field's dtype.

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
        if self.inflate and field == "images" and self._at_once(chunk, flat):
            return
        try:
            _inflate(chunk, [out.data for out in flat])
        except (zlib_ng.error, EOFError, ValueError) as error:
            raise Damaged(f"{self.path}: block {number} cannot be read ({error})") from error

    def _chunk(self, number: int, field: str) -> bytes | None:
        """A chunk as it was proven; None if what is there now is another one."""
        start, size = self.places[field][number].tolist()
        proven = self.digests[field][32 * number : 32 * number + 32]
        if isinstance(self.path, ObjectPath):
            chunk = cache.chunk(self.path, self.sha256, start, size)
            if blake3(chunk).digest() == proven:
                return chunk
            cache.forget(self.sha256)  # it may be the copy that changed
        chunk = read_range(self.path, start, size)
        return chunk if blake3(chunk).digest() == proven else None

    def _at_once(self, chunk: bytes, outs: list[np.ndarray]) -> bool:
        """Whether a chunk of pictures was unpacked by `inflate`."""
        size = BLOCK * prod(self.shapes["images"])
        straight = len(outs) == 1 and len(outs[0]) == size
        whole = outs[0] if straight else _memory(size)
        if not inflated(chunk, whole, self.inflate):
            return False
        place = 0
        for out in () if straight else outs:
            out[:] = whole[place : place + len(out)]
            place += len(out)
        return True

    def block(self, number: int, fields: tuple[str, ...] = Block._fields) -> Block:
        """Block `number`; arrays that are not in `fields` come as None.

        Raises
        ------
        Damaged
        """
        arrays = {field: self.empty(field, self.rows(number)) for field in fields}
        for field, array in arrays.items():
            self.unpack(number, field, array)
        return Block(*map(arrays.get, Block._fields))

    def empty(self, field: str, rows: int) -> np.ndarray:
        """Memory for `rows` rows of a field."""
        return np.empty((rows, *self.shapes[field]), self.dtypes[field])

    def same_schema(self, other: "ProvenShard") -> bool:
        """Whether rows of both fit into one array."""
        return self.dtypes == other.dtypes and self.shapes == other.shapes


class _Charted(Shard):
    """A shard whose chunks can be asked for their places."""

    def chart(self, path: Place, sha256: str, image: bytes, inflate: Inflate | None) -> ProvenShard:
        whole = memoryview(image)
        blocks = len(self)
        dtypes, shapes, places, digests = {}, {}, {}, {}
        for name in Block._fields:
            dataset = self._datasets[name]
            dtype = dataset.dtype  # h5py adds metadata to strings, which would travel on with every array
            dtypes[name] = np.dtype(dtype.descr if dtype.names else dtype.str)
            shapes[name] = dataset.shape[1:]
            table = np.full((blocks, 2), -1, np.int64)
            if dataset.chunks != (BLOCK, *dataset.shape[1:]):
                raise Damaged(f"{path}: {name} is not stored in chunks of {BLOCK} rows")
            for k in range(dataset.id.get_num_chunks()):
                chunk = dataset.id.get_chunk_info(k)
                if chunk.filter_mask:
                    raise Damaged(f"{path}: {name} was stored without its filter")
                table[chunk.chunk_offset[0] // BLOCK] = chunk.byte_offset, chunk.size
            if (table < 0).any():
                raise Damaged(f"{path}: {name} lacks a chunk")
            places[name] = table
            digests[name] = b"".join(blake3(whole[at : at + size]).digest() for at, size in table.tolist())
        return ProvenShard(path, sha256, self.count, dtypes, shapes, places, digests, inflate)


@lru_cache(maxsize=SHARDS_KNOWN)
def prove(path: str, sha256: str, inflate: Inflate | None = None) -> ProvenShard:
    """Read the whole shard at `path`, prove it, and remember what its chunks must be.

    Once a process for each file and digest: what is remembered follows from bytes with that sha256 alone,
    so it cannot grow stale.

    Raises
    ------
    Damaged
        Missing, or its bytes differ from `sha256`; that is not remembered.
    """
    file = place(path)
    image = file_bytes(file, sha256)
    with _Charted(file, sha256=sha256, image=image) as shard:
        return shard.chart(file, sha256, image, inflate)


def read_rows(path: str, sha256: str, field: str, start: int, stop: int) -> np.ndarray:
    """Rows `start` to `stop` of one field of a shard: what a worker anywhere does with paths and numbers alone.

    Raises
    ------
    Damaged
    """
    shard = prove(path, sha256)
    if not 0 <= start <= stop <= shard.count:
        raise Damaged(f"{path}: holds {shard.count} pictures; the manifest counts on rows {start} to {stop}")
    out = shard.empty(field, stop - start)
    for number in range(start // BLOCK, -(-stop // BLOCK)):
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
    """Memory of this thread's, (size,) uint8, good until it asks again."""
    if getattr(_own, "memory", None) is None or len(_own.memory) != size:
        _own.memory = np.empty(size, np.uint8)
    return _own.memory


def _inflate(chunk: bytes, outs: list[memoryview]) -> None:
    """Unpack a zlib stream into `outs` in turn; what it holds beyond (the rows that pad a short block) is dropped.

    In pieces, since a whole block would come in fresh memory each time, and the kernel takes nearly as long
    to provide that as the unpacking does.
    """
    stream = zlib_ng.decompressobj()
    source, targets = memoryview(chunk), iter(outs)
    out, place = next(targets), 0
    for start in range(0, len(source), _PIECE):
        piece = memoryview(stream.decompress(source[start : start + _PIECE]))
        while piece and out is not None:
            count = min(len(piece), len(out) - place)
            out[place : place + count] = piece[:count]
            piece, place = piece[count:], place + count
            if place == len(out):
                out, place = next(targets, None), 0
    if out is not None or not stream.eof:
        raise ValueError("it holds fewer bytes than were stored")

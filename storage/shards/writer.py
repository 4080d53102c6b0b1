"""How a shard is written: made in memory, in one piece, and published whole."""

import hashlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np
from blake3 import blake3
from isal import isal_zlib

from storage.errors import Damaged
from storage.files import atomic
from storage.files.places import Place
from storage.shards.shard import BLOCK, DIGEST, FORMAT, Block, ShardRecord, combined, read_record, shard_name


def fast_zlib(data: np.ndarray) -> bytes:
    """Isal's fastest zlib stream of a uint8 array.

    Of labels it has been seen to make, once in some ten thousand, another stream of the same bytes (isal 1.9.1, one
    chunk of `text` each time): what has to have equal bytes each time packs those otherwise.
    """
    return isal_zlib.compress(data, 1)


def write_shard(
    folder: Place,
    index: int,
    first: int,
    blocks: Iterable[Block],
    identity: str,
    run: str,
    compress: Callable[[np.ndarray], bytes] = fast_zlib,
    compress_labels: Callable[[np.ndarray], bytes] = fast_zlib,
) -> ShardRecord:
    """Seal `blocks` as one shard: made in memory, written once, fsynced, published under its name.

    In an object store that is one put, under the condition that nothing has the name.

    Parameters
    ----------
    identity : str
        The canonical identity JSON, kept in the shard so that a lost manifest can be rebuilt.
    compress, compress_labels : callable
        Make a zlib stream of the images' bytes, and of every other array's, (n,) uint8. A block is done with
        before the next one is asked for, so that they may share their memory.

    Returns
    -------
    ShardRecord
        Of the shard that stands there at the end: ours, or an equal one that another worker sealed.

    Raises
    ------
    NoSpace, Unwritable, Damaged
    """
    (image, seal), digests, count = assembled(index, first, blocks, identity, compress, compress_labels)
    path = folder / shard_name(index, count)
    with ThreadPoolExecutor(1) as beside:  # while the disk works
        sha256 = beside.submit(_sha256, image, seal)
        ours = atomic.publish(path, (image, seal), run)
    if not ours:
        there = read_record(path, identity, first)
        if there.content != combined(digests):
            raise Damaged(f"{path}: exists with other content; move it away and run again")
        return there
    return ShardRecord(
        path.name, first, count, len(image) + len(seal), sha256.result(), combined(digests),
        tuple(digest.hex() for digest in digests),
    )  # fmt: skip


def assembled(
    index: int,
    first: int,
    blocks: Iterable[Block],
    identity: str,
    compress: Callable[[np.ndarray], bytes] = fast_zlib,
    compress_labels: Callable[[np.ndarray], bytes] = fast_zlib,
) -> tuple[tuple[bytes, bytes], list[bytes], int]:
    """The two parts of a shard's file, its blocks' digests and its number of pictures; as `write_shard` needs them."""
    digests: list[bytes] = []
    chunks: list[list[bytes]] = []
    count = 0
    for block in blocks:
        if not chunks:
            layout = [(name, array.shape[1:], array.dtype) for name, array in block.named()]
        digests.append(block.digest())
        chunks.append(_packed(block, compress, compress_labels))
        count += len(block.images)
    # The core driver keeps the file in memory: one write, one sha256, no seeks. It grows by whole
    # increments, so one takes all.
    increment = sum(len(chunk) for row in chunks for chunk in row) + (1 << 18)
    with h5py.File(f"shard-{index}", "w", driver="core", backing_store=False, block_size=increment) as file:
        for (name, shape, dtype), column in zip(layout, zip(*chunks, strict=True), strict=True):
            dataset = file.create_dataset(
                name, shape=(count, *shape), dtype=dtype, compression="gzip",
                chunks=(BLOCK, *shape), maxshape=(None, *shape),
            )  # fmt: skip
            for number, chunk in enumerate(column):
                dataset.id.write_direct_chunk((number * BLOCK,) + (0,) * len(shape), chunk)
        file.attrs["format"] = FORMAT
        file.attrs["digest"] = DIGEST
        file.attrs["identity"] = identity
        file.attrs["index"] = index
        file.attrs["first"] = first
        file.attrs["count"] = count
        file.attrs["blocks"] = np.array([digest.hex() for digest in digests], dtype="S64")
        file.flush()
        image = file.id.get_file_image()
    return (image, blake3(image).digest()), digests, count  # HDF5 passes over what follows its end


def _sha256(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def _padded(array: np.ndarray) -> np.ndarray:
    """The chunk's bytes: HDF5 wants whole chunks, so a short last block gets rows of zeros."""
    array = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    if len(array) < BLOCK:
        array = np.concatenate([array, np.zeros((BLOCK - len(array), *array.shape[1:]), array.dtype)])
    return array.reshape(-1).view(np.uint8)


def _packed(
    block: Block, compress: Callable[[np.ndarray], bytes], compress_labels: Callable[[np.ndarray], bytes]
) -> list[bytes]:
    """The chunks of a block, an array each."""
    return [(compress if name == "images" else compress_labels)(_padded(array)) for name, array in block.named()]


def packed_size(
    block: Block,
    compress: Callable[[np.ndarray], bytes] = fast_zlib,
    compress_labels: Callable[[np.ndarray], bytes] = fast_zlib,
) -> int:
    """Bytes that a block takes in a shard."""
    return sum(map(len, _packed(block, compress, compress_labels)))

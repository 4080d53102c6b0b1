"""Writing of shards: a shard is made in memory and published as a whole."""

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
from storage.shards.shard import BLOCK, DIGEST, PIXELS, Block, ShardRecord, combined, read_record, shard_name

_LEVEL = 1  # isal has levels 0 to 3
_HEADERS = 1 << 18  # bytes of room for HDF5's headers and attributes beside the chunks


def fast_zlib(data: np.ndarray) -> bytes:
    """Pack a uint8 array into a zlib stream by isal, which favours speed over size.

    Its streams are not always reproducible: isal 1.9.1 was seen to pack equal labels differently, one chunk of `text`
    in some ten thousand. Use another compressor where equal arrays must give equal streams.
    """
    stream: bytes = isal_zlib.compress(data, _LEVEL)
    return stream


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
    """Seal `blocks` as one shard: make it in memory, write it once, fsync it, and publish it under its name.

    In an object store this is one put, on the condition that no object has the name.

    Parameters
    ----------
    index : int
        The shard's number in the dataset.
    first : int
        The number of its first picture in the dataset.
    blocks : iterable of Block
        Each block is packed before the next block is requested, so that all may share their memory.
    identity : str
        The canonical identity JSON, kept in the shard so that a lost manifest can be rebuilt.
    run : str
        The run's id, for temporary names.
    compress, compress_labels : callable
        Pack the bytes of the images, and of every other array, (n,) uint8, into a zlib stream.

    Returns
    -------
    ShardRecord
        Of this shard, or of an equal shard that another worker has sealed meanwhile.

    Raises
    ------
    NoSpace, Unwritable
    Damaged
        A file of that name exists, and is damaged or has other content.
    """
    (image, seal), digests, count = assembled(index, first, blocks, identity, compress, compress_labels)
    path = folder / shard_name(index, count)
    with ThreadPoolExecutor(1) as beside:  # hash while the disk writes
        sha256 = beside.submit(_sha256, image, seal)
        ours = atomic.publish(path, (image, seal), run)
    if not ours:
        existing = read_record(path, identity, first)
        if existing.content != combined(digests):
            raise Damaged(f"{path}: exists with other content; move it away and run again")
        return existing
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
    """Make a shard in memory. The parameters are those of `write_shard`.

    Returns
    -------
    parts : (bytes, bytes)
        The HDF5 image and its seal, which follow each other in the file.
    digests : list of bytes
        Of the blocks.
    count : int
        Number of pictures.
    """
    digests: list[bytes] = []
    chunks: list[list[bytes]] = []
    count = 0
    for block in blocks:
        if not chunks:
            layout = [(name, array.shape[1:], array.dtype) for name, array in block.named()]
        digests.append(block.digest())
        chunks.append(_packed(block, compress, compress_labels))
        count += len(block.images)
    # The core driver keeps the file in memory: one write, one sha256, no seeks. Its memory grows in steps of
    # `increment` bytes; one step holds the whole file.
    increment = sum(len(chunk) for row in chunks for chunk in row) + _HEADERS
    with h5py.File(f"shard-{index}", "w", driver="core", backing_store=False, block_size=increment) as file:
        for (name, shape, dtype), column in zip(layout, zip(*chunks, strict=True), strict=True):
            dataset = file.create_dataset(
                name, shape=(count, *shape), dtype=dtype, compression="gzip",
                chunks=(BLOCK, *shape), maxshape=(None, *shape),
            )  # fmt: skip
            for number, chunk in enumerate(column):
                dataset.id.write_direct_chunk((number * BLOCK,) + (0,) * len(shape), chunk)
        file.attrs["format"] = next(number for number, pixel in PIXELS.items() if layout[0][1][2:] == pixel)
        file.attrs["digest"] = DIGEST
        file.attrs["identity"] = identity
        file.attrs["index"] = index
        file.attrs["first"] = first
        file.attrs["count"] = count
        file.attrs["blocks"] = np.array([digest.hex() for digest in digests], dtype="S64")
        file.flush()
        image: bytes = file.id.get_file_image()
    return (image, blake3(image).digest()), digests, count  # HDF5 ignores bytes after the end of its image


def _sha256(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def _padded(array: np.ndarray) -> np.ndarray:
    """Return the bytes of a whole chunk, which HDF5 requires: a short last block is padded with rows of zeros."""
    array = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    if len(array) < BLOCK:
        array = np.concatenate([array, np.zeros((BLOCK - len(array), *array.shape[1:]), array.dtype)])
    return array.reshape(-1).view(np.uint8)


def _packed(
    block: Block, compress: Callable[[np.ndarray], bytes], compress_labels: Callable[[np.ndarray], bytes]
) -> list[bytes]:
    """Pack a block, each array into a chunk."""
    return [(compress if name == "images" else compress_labels)(_padded(array)) for name, array in block.named()]


def packed_size(
    block: Block,
    compress: Callable[[np.ndarray], bytes] = fast_zlib,
    compress_labels: Callable[[np.ndarray], bytes] = fast_zlib,
) -> int:
    """Return the number of bytes that a block takes in a shard, without HDF5's headers."""
    return sum(map(len, _packed(block, compress, compress_labels)))

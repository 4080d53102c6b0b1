"""The layout of an HDF5 shard (docs/format.md), and how a shard is read and proven. `writer` writes shards."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import prod
from typing import NamedTuple, TypedDict

import h5py
import numpy as np
from blake3 import blake3

from storage.errors import Damaged
from storage.files.places import Place
from storage.shards import shard_rules as rules
from storage.shards.cache import file_bytes
from storage.shards.unpacking import Inflate, inflated, unpacked

FORMAT, COLOUR_FORMAT = 1, 2  # of datasets in grey and in colour
PIXELS: dict[int, tuple[int, ...]] = {FORMAT: (), COLOUR_FORMAT: (3,)}  # the shape of a pixel, by format
BLOCK = 1024  # pictures in a block: the unit of randomness, of drawing and of storage
DIGEST = "blake3"
SEAL_BYTES = 32  # the BLAKE3 of a shard's HDF5 image, which follows the image
_IN_PLACE = 2 | 4  # H5LT_FILE_IMAGE_DONT_COPY and _DONT_RELEASE
_NAME = re.compile(r"shard-([0-9]{6})-([0-9]{1,18})\.h5")  # a count fits into int64


class Split(StrEnum):
    """The splits of a dataset, in the order of the numbers that shards hold."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


SPLITS = tuple(split.value for split in Split)


class Block(NamedTuple):
    """Up to 1,024 consecutive pictures with their labels and parameters; an array that was not asked for is None.

    images : (n, H, W) uint8, 0 background to 255 ink, or (n, H, W, 3) uint8, sRGB as seen; at the canvas's top left
    text : (n,) fixed-length bytes, UTF-8, NUL-padded
    boxes : (n, L, 4) int16, a letter's top, left, bottom, right, half-open, -1 past the end of the text
    parameters : (n,) packed compound whose first fields are height, width, font, shear, scale
    split : (n,) uint8, an index into `SPLITS`
    """

    images: np.ndarray
    text: np.ndarray
    boxes: np.ndarray
    parameters: np.ndarray
    split: np.ndarray

    @classmethod
    def partial(cls, arrays: Mapping[str, np.ndarray]) -> "Block":
        """Make a block of the arrays given by field; the others are None."""
        # No field is typed `| None`, since almost all blocks are whole and callers know which fields they named.
        return cls(*map(arrays.get, cls._fields))  # type: ignore[arg-type]  # see the line above

    def digest(self) -> bytes:
        """Return the BLAKE3 of the content, 32 bytes: of each array its name, dtype and shape, then its bytes."""
        digest = blake3()
        for name, array in self.named():
            array = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
            digest.update(json.dumps([name, _described(array.dtype), array.shape]).encode())
            digest.update(array.reshape(-1).view(np.uint8).data)
        return digest.digest()

    def named(self) -> Iterator[tuple[str, np.ndarray]]:
        """Iterate over (field, array)."""
        return zip(self._fields, self, strict=True)

    def rows(self, chosen: slice | np.ndarray) -> "Block":
        """Select rows by a mask, a slice or an array of indices."""
        return Block.partial({name: array[chosen] for name, array in self.named() if array is not None})

    def texts(self, alphabet: str | None = None) -> list[str]:
        """Return the labels; raise `Damaged` for a control character, or for a character that `alphabet` lacks."""
        return rules.decoded(self.text, alphabet)


class ShardLine(TypedDict):
    """A shard's entry in the manifest."""

    name: str
    first: int
    count: int
    bytes: int
    sha256: str
    content: str


@dataclass(frozen=True)
class ShardRecord:
    """A sealed shard's name, place in the dataset, size and digests."""

    name: str
    first: int
    count: int
    bytes: int
    sha256: str
    content: str
    blocks: tuple[str, ...]  # digests of the blocks; the dataset's content is the digest of all of them

    def as_dict(self) -> ShardLine:
        """Return the shard's entry in the manifest. The digests of its blocks are in the shard itself."""
        return ShardLine(
            name=self.name, first=self.first, count=self.count,
            bytes=self.bytes, sha256=self.sha256, content=self.content,
        )  # fmt: skip


def _described(dtype: np.dtype) -> str | list[list[str | list[int]]]:
    """Describe a dtype for a digest: `'|u1'`, or for a compound `[['height', '<u2'], ['rotation', '<i2', [4]], …]`.

    The third value is the shape of a field that holds an array. The metadata that h5py adds to strings is left out.
    """
    if not dtype.names:
        return dtype.str
    parts = [(name, dtype[name]) for name in dtype.names]
    return [[name, part.base.str, *([list(part.shape)] if part.shape else [])] for name, part in parts]


def shard_name(index: int, count: int) -> str:
    """Return a shard's file name: ``shard_name(3, 16384) == 'shard-000003-16384.h5'``."""
    return f"shard-{index:06d}-{count}.h5"


def parse_name(name: str) -> tuple[int, int] | None:
    """Return (index, count) from a shard's file name, or None if the name is not a shard's."""
    match = _NAME.fullmatch(name)
    return (int(match[1]), int(match[2])) if match else None


def sealed(folder: Place) -> dict[tuple[int, int], Place]:
    """Find the files in `folder` that have a shard's name, by (index, count)."""
    return {key: path for path in folder.glob("shard-*.h5") if (key := parse_name(path.name))}


def layout(count: int, blocks_a_shard: int) -> list[tuple[int, int, int]]:
    """Return (index, first, count) of each shard of a dataset of `count` pictures."""
    size = blocks_a_shard * BLOCK
    return [(first // size, first, min(size, count - first)) for first in range(0, count, size)]


def blocks_in(pictures: int) -> int:
    """Return the number of blocks of so many pictures; the last block may be short."""
    return -(-pictures // BLOCK)


def rows_in(pictures: int, block: int) -> int:
    """Return the number of rows in block `block` of so many pictures."""
    return min(BLOCK, pictures - block * BLOCK)


def combined(digests: Iterable[bytes]) -> str:
    """Return the digest, in hexadecimal, of block digests in order."""
    return blake3(b"".join(digests)).hexdigest()


def read_record(
    path: Place,
    identity: str | None = None,
    first: int | None = None,
    on_block: Callable[[Block], None] | None = None,
    sha256: str | None = None,
    inflate: Inflate | None = None,
) -> ShardRecord:
    """Read a whole shard, prove each of its blocks, and return its record.

    Parameters
    ----------
    identity, first : optional
        The canonical identity JSON, and the number of the first picture, that the shard must have.
    on_block : callable, optional
        Called with each block after the block was proven.
    sha256 : str, optional
        The digest in the manifest. If the file has it, its own seal is not computed again.

    Raises
    ------
    Damaged
        Unreadable, of another format, different from `identity`, `first` or its name, or with an altered block.
    """
    data = file_bytes(path)
    found = hashlib.sha256(data).hexdigest()
    with Shard(path, image=data, proven=found == sha256, inflate=inflate) as shard:
        if identity is not None and shard.identity != identity:
            raise Damaged(f"{path}: belongs to another dataset (its identity differs)")
        if parse_name(path.name) != (shard.index, shard.count) or first not in (None, shard.first):
            raise Damaged(f"{path}: was sealed as {shard_name(shard.index, shard.count)} from picture {shard.first}")
        for number, block in enumerate(shard):
            if block.digest().hex() != shard.digests[number]:
                raise Damaged(f"{path}: block {number} differs from its digest")
            if on_block:
                on_block(block)
        return ShardRecord(
            path.name, shard.first, shard.count, len(data), found,
            combined(map(bytes.fromhex, shard.digests)), tuple(shard.digests),
        )  # fmt: skip


class Shard:
    """A sealed shard, open for reading; a context manager.

    Parameters
    ----------
    path : Path or ObjectPath
    sha256 : str, optional
        The file's digest in the manifest; the bytes are compared with it before anything is read.
    image : bytes, optional
        The file's bytes, if they are in memory already; `proven`, if the caller has proven them too.
    inflate : Inflate, optional
        Unpacks pictures faster than zlib, where it can.

    Raises
    ------
    Damaged
        From the constructor and from `block`, so that no wrong pixels are returned.
    """

    def __init__(
        self,
        path: Place,
        sha256: str | None = None,
        image: bytes | None = None,
        proven: bool = False,
        inflate: Inflate | None = None,
    ):
        self.path = path
        self._inflate = inflate
        image = file_bytes(path, sha256) if image is None else image
        # Before HDF5 sees a byte of the file: the library crashes or hangs on some damaged headers.
        if sha256 is not None:
            if hashlib.sha256(image).hexdigest() != sha256:
                raise Damaged(f"{path}: its bytes differ from the sha256 in the manifest")
        elif not proven and blake3(memoryview(image)[:-SEAL_BYTES]).digest() != image[-SEAL_BYTES:]:
            raise Damaged(f"{path}: was cut or altered after it was sealed")
        self._image = image  # HDF5 reads from this memory, which must not be freed while the file is open
        try:
            self._file = h5py.File(h5py.h5f.open_file_image(image, flags=_IN_PLACE))
        except (OSError, ValueError) as error:  # h5py raises ValueError for an image that it could not open
            raise Damaged(f"{path}: not a readable HDF5 file ({error})") from error
        try:
            self._read_structure()
        except Exception as error:  # h5py raises errors of many types for damaged metadata
            self._file.close()
            if isinstance(error, Damaged | MemoryError):
                raise
            raise Damaged(f"{path}: its structure is damaged ({error})") from error

    def _read_structure(self) -> None:
        """Read the attributes, find the five datasets, and check that they fit each other and the format."""
        told = rules.attributes_of(self._file)
        self.format, self.identity, self.digests = told.format, told.identity, told.blocks
        self.index, self.first, self.count = told.index, told.first, told.count
        if self.format not in PIXELS or told.digest != DIGEST:
            known = f"formats {' and '.join(map(str, PIXELS))} with {DIGEST}"
            raise Damaged(f"{self.path}: format {self.format} with {told.digest} digests; this version reads {known}")
        rules.require_format(self.identity, self.format, PIXELS)
        rules.require_own(self._file, Block._fields)
        self._datasets = {name: self._file[name] for name in Block._fields}
        rules.require_arrays(self._datasets, PIXELS[self.format], BLOCK)
        lengths = {len(dataset) for dataset in self._datasets.values()}
        if lengths != {self.count} or len(self.digests) != blocks_in(self.count):
            raise Damaged(f"{self.path}: holds {sorted(lengths)} rows where {self.count} were sealed")
        rules.require_chunks(self._datasets, len(self.digests))

    def __enter__(self) -> "Shard":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        """Return the number of blocks."""
        return len(self.digests)

    def __iter__(self) -> Iterator[Block]:
        return (self.block(number) for number in range(len(self)))

    def block(self, number: int, fields: Iterable[str] = Block._fields) -> Block:
        """Read block `number` of this shard; arrays that are not in `fields` are None.

        Raises
        ------
        Damaged
        """
        rows = rows_in(self.count, number)
        try:
            return Block.partial({name: self._array(name, number, rows) for name in Block._fields if name in fields})
        except MemoryError:  # no fault of the shard, which must not be taken for damaged, and drawn again
            raise
        except Exception as error:  # zlib-ng, h5py and numpy raise different errors for damaged bytes
            raise Damaged(f"{self.path}: block {number} cannot be read ({error})") from error

    def _array(self, name: str, number: int, rows: int) -> np.ndarray:
        dataset = self._datasets[name]
        shape: tuple[int, ...] = dataset.shape[1:]
        dtype: np.dtype = dataset.dtype
        # Three times as fast as dataset[...], because HDF5's gzip filter uses plain zlib.
        skipped, chunk = dataset.id.read_direct_chunk((number * BLOCK,) + (0,) * len(shape))
        if skipped:
            raise ValueError(f"{name} was stored without its filter")
        size = BLOCK * dtype.itemsize * prod(shape)
        if self._inflate and name == "images":
            whole = np.empty(size, np.uint8)
            if inflated(chunk, whole, self._inflate):
                return whole.view(dtype).reshape(BLOCK, *shape)[:rows]
        array = np.frombuffer(unpacked(chunk, size), dtype).reshape(BLOCK, *shape)[:rows]
        rules.require_numbers(name, array, self._datasets["images"].shape[1:], len(SPLITS))
        return array

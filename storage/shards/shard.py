"""One HDF5 shard: its layout, and how it is read back and proven. `storage.shards.writer` writes them.

docs/format.md describes the layout for readers in other languages.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from math import prod
from typing import NamedTuple

import h5py
import numpy as np
from blake3 import blake3
from zlib_ng import zlib_ng

from storage.errors import Damaged
from storage.files.places import ObjectPath, Place
from storage.shards import cache

FORMAT = 1
BLOCK = 1024  # pictures a block: the unit of randomness, of drawing and of storage
DIGEST = "blake3"
Inflate = Callable[[bytes, np.ndarray], bool]
"""Fills a C-contiguous uint8 array with what a zlib stream holds; False for a stream that it does not know, that is
damaged, or that holds another number of bytes: then zlib decides. The check sum is looked at here."""
_IN_PLACE = 2 | 4  # H5LT_FILE_IMAGE_DONT_COPY and _DONT_RELEASE
_NAME = re.compile(r"shard-(\d{6})-(\d+)\.h5")


class Split(StrEnum):
    """The splits of a dataset, in the order of the numbers that shards hold."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


SPLITS = tuple(split.value for split in Split)


class Block(NamedTuple):
    """Up to 1,024 consecutive pictures and all that is known of them.

    images : (n, H, W) uint8, 0 background to 255 ink, the picture at the top left of its canvas
    text : (n,) fixed-length bytes, UTF-8, NUL-padded
    boxes : (n, L, 4) int16, a letter's top, left, bottom, right, half-open, -1 past the end of the text
    parameters : (n,) packed compound that begins height, width, font, shear, scale
    split : (n,) uint8, an index into `SPLITS`
    """

    images: np.ndarray
    text: np.ndarray
    boxes: np.ndarray
    parameters: np.ndarray
    split: np.ndarray

    def digest(self) -> bytes:
        """32 bytes that stand for the content: each array's name, dtype and shape, then its bytes."""
        digest = blake3()
        for name, array in self.named():
            array = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
            digest.update(json.dumps([name, _described(array.dtype), array.shape]).encode())
            digest.update(array.reshape(-1).view(np.uint8).data)
        return digest.digest()

    def named(self) -> Iterator[tuple[str, np.ndarray]]:
        """(name, array) of each."""
        return zip(self._fields, self, strict=True)

    def rows(self, chosen) -> "Block":
        """The rows that a mask, slice or index array chooses."""
        return Block(*(array[chosen] for array in self))

    def texts(self) -> list[str]:
        """The labels as strings."""
        return [text.decode() for text in self.text.tolist()]


@dataclass(frozen=True)
class ShardRecord:
    """A line of the manifest: a sealed shard's name, place, size and digests."""

    name: str
    first: int
    count: int
    bytes: int
    sha256: str
    content: str
    blocks: tuple[str, ...]  # each block's digest; their concatenation gives the dataset's content

    def as_dict(self) -> dict:
        """The manifest's line: without the blocks, which the shard itself holds."""
        line = asdict(self)
        del line["blocks"]
        return line


def _described(dtype: np.dtype) -> str | list:
    """`'|u1'`, or for a compound `[['height', '<u2'], …]`; metadata that h5py adds to strings stays out.

    A field that holds an array has its shape third: `['rotation', '<i2', [4]]`.
    """
    if not dtype.names:
        return dtype.str
    parts = [(name, dtype[name]) for name in dtype.names]
    return [[name, part.base.str, *([list(part.shape)] if part.shape else [])] for name, part in parts]


def shard_name(index: int, count: int) -> str:
    """`shard_name(3, 16384) == 'shard-000003-16384.h5'`."""
    return f"shard-{index:06d}-{count}.h5"


def parse_name(name: str) -> tuple[int, int] | None:
    """A shard's (index, count) from its file name, None if it is not a shard's name."""
    match = _NAME.fullmatch(name)
    return (int(match[1]), int(match[2])) if match else None


def sealed(folder: Place) -> dict[tuple[int, int], Place]:
    """Files in `folder` that bear a shard's name, by (index, count)."""
    found = {parse_name(path.name): path for path in folder.glob("shard-*.h5")}
    found.pop(None, None)
    return found


def layout(count: int, blocks_a_shard: int) -> list[tuple[int, int, int]]:
    """(index, first, count) of each shard of a dataset of `count` pictures."""
    size = blocks_a_shard * BLOCK
    return [(first // size, first, min(size, count - first)) for first in range(0, count, size)]


def combined(digests: Iterable[bytes]) -> str:
    """The digest, in hexadecimal, of block digests in order."""
    return blake3(b"".join(digests)).hexdigest()


def read_record(
    path: Place,
    identity: str | None = None,
    first: int | None = None,
    on_block: Callable[[Block], None] | None = None,
    sha256: str | None = None,
    inflate: Inflate | None = None,
) -> ShardRecord:
    """Read a whole shard, prove that it is what it says, and return its record.

    `on_block` is called with every block that was proven. With the file's `sha256`, as a manifest has it,
    a file that has it need not show its own seal too. `inflate` unpacks what it can faster than zlib.

    Raises
    ------
    Damaged
        Unreadable, another format, another `identity` or place than the name and `first` say, or an
        array that differs from its digest.
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
    """A sealed shard, open for reading.

    Parameters
    ----------
    path : Path, or an ObjectPath
    sha256 : str, optional
        The digest in the manifest; the file's bytes are checked against it before anything is read.
    image : bytes, optional
        The file's bytes, if they are in memory already.
    proven : bool
        They are known to be those that were sealed.
    inflate : Inflate, optional
        What unpacks pictures, where it can.

    Raises
    ------
    Damaged
        From the constructor and from `block`: never wrong pixels.
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
        if image is None:
            image = file_bytes(path, sha256)
        # Before HDF5 sees a byte of it: the library crashes or hangs on some damaged headers.
        if sha256 is not None:
            if hashlib.sha256(image).hexdigest() != sha256:
                raise Damaged(f"{path}: its bytes differ from the sha256 in the manifest")
        elif not proven and blake3(memoryview(image)[:-32]).digest() != image[-32:]:
            raise Damaged(f"{path}: was cut or altered after it was sealed")
        self._image = image  # HDF5 reads it where it is, so it has to live as long as the file is open
        try:
            self._file = h5py.File(h5py.h5f.open_file_image(image, flags=_IN_PLACE))
        except (OSError, ValueError) as error:  # ValueError: h5py, of an image that it could not open
            raise Damaged(f"{path}: not a readable HDF5 file ({error})") from error
        try:
            attributes = self._file.attrs
            if int(attributes["format"]) != FORMAT or attributes["digest"] != DIGEST:
                raise Damaged(
                    f"{path}: format {attributes['format']} with {attributes['digest']} digests; "
                    f"this version reads format {FORMAT} with {DIGEST}"
                )
            self.identity: str = attributes["identity"]
            self.index = int(attributes["index"])
            self.first = int(attributes["first"])
            self.count = int(attributes["count"])
            self.digests: list[str] = [digest.decode() for digest in attributes["blocks"].tolist()]
            for name in Block._fields:  # one with a link would show what another file holds, wherever that is
                if name in self._file and not isinstance(self._file.get(name, getlink=True), h5py.HardLink):
                    raise Damaged(f"{path}: its {name} are a link, where a shard has them itself")
            self._datasets = {name: self._file[name] for name in Block._fields}
            lengths = {len(dataset) for dataset in self._datasets.values()}
            if lengths != {self.count} or len(self.digests) != -(-self.count // BLOCK):
                raise Damaged(f"{path}: holds {sorted(lengths)} rows where {self.count} were sealed")
        except Damaged:
            self._file.close()
            raise
        except Exception as error:  # whatever h5py makes of damaged metadata means one thing here
            self._file.close()
            raise Damaged(f"{path}: its structure is damaged ({error})") from error

    def __enter__(self) -> "Shard":
        return self

    def __exit__(self, *_) -> None:
        self._file.close()

    def __len__(self) -> int:
        """Number of blocks."""
        return len(self.digests)

    def __iter__(self) -> Iterator[Block]:
        return (self.block(number) for number in range(len(self)))

    def block(self, number: int, fields: Iterable[str] = Block._fields) -> Block:
        """Block `number` of this shard; arrays that are not in `fields` come as None.

        Raises
        ------
        Damaged
        """
        rows = min(BLOCK, self.count - number * BLOCK)
        try:
            return Block(*(self._array(name, number, rows) if name in fields else None for name in Block._fields))
        except Exception as error:  # zlib-ng, h5py and numpy each have their own for damaged bytes
            raise Damaged(f"{self.path}: block {number} cannot be read ({error})") from error

    def _array(self, name: str, number: int, rows: int) -> np.ndarray:
        dataset = self._datasets[name]
        shape = dataset.shape[1:]
        # Three times as fast as dataset[...]: HDF5's gzip filter uses the plain zlib.
        skipped, chunk = dataset.id.read_direct_chunk((number * BLOCK,) + (0,) * len(shape))
        if skipped:
            raise ValueError(f"{name} was stored without its filter")
        size = BLOCK * dataset.dtype.itemsize * prod(shape)
        if self._inflate and name == "images":
            whole = np.empty(size, np.uint8)
            if inflated(chunk, whole, self._inflate):
                return whole.view(dataset.dtype).reshape(BLOCK, *shape)[:rows]
        # With its size known the result is not grown step by step.
        return np.frombuffer(zlib_ng.decompress(chunk, bufsize=size), dataset.dtype).reshape(BLOCK, *shape)[:rows]


def inflated(chunk: bytes, out: np.ndarray, inflate: Inflate) -> bool:
    """Whether `inflate` filled `out` with all of a chunk, as the check sum at its end proves."""
    return inflate(chunk, out) and zlib_ng.adler32(out) == int.from_bytes(chunk[-4:], "big")


def file_bytes(path: Place, sha256: str | None = None) -> bytes:
    """A shard's bytes as they are; of an object with a known `sha256` also as they were fetched before.

    Raises
    ------
    Damaged
        They cannot be read.
    """
    try:
        return cache.fetched(path, sha256) if sha256 and isinstance(path, ObjectPath) else path.read_bytes()
    except OSError as error:
        raise Damaged(f"{path}: cannot be read ({error.strerror})") from error

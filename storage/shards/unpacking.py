"""Unpacking of chunks, which are zlib streams, into memory that the caller gives."""

from collections.abc import Callable

import numpy as np
from zlib_ng import zlib_ng

Inflate = Callable[[bytes, np.ndarray], bool]
"""Unpack a zlib stream into a C-contiguous uint8 array. Return False, so that zlib is tried instead, if the stream is
of an unknown kind, is damaged or holds another number of bytes. `inflated` compares the checksum."""
# What zlib-ng and `unpack_into` raise for damaged bytes.
UNREADABLE: tuple[type[Exception], ...] = (zlib_ng.error, EOFError, ValueError)  # type: ignore[assignment]  # its stub is wrong
_CHECKSUM_BYTES = 4  # the Adler-32 at the end of a zlib stream
_PIECE = 1 << 18  # compressed bytes unpacked at a time: malloc reuses the memory of results up to this size


def inflated(chunk: bytes, out: np.ndarray, inflate: Inflate) -> bool:
    """Unpack a chunk into `out` by `inflate`; True if it succeeded and the checksum at the chunk's end is right."""
    if not inflate(chunk, out):
        return False
    checksum: int = zlib_ng.adler32(out)
    return checksum == int.from_bytes(chunk[-_CHECKSUM_BYTES:], "big")


def unpack_into(chunk: bytes, outs: list[memoryview], size: int) -> None:
    """Unpack a zlib stream of at most `size` bytes into `outs`, one after the other, and drop the rest.

    The rest are the rows that pad a short block. A stream that has more, perhaps without an end, is read no further.

    It works in pieces. A whole block would come in fresh memory each time, which the kernel takes nearly as long to
    provide as zlib takes to unpack.

    Raises
    ------
    zlib_ng.error, EOFError, ValueError
        The stream is damaged, or holds too few bytes or more than `size`.
    """
    stream = zlib_ng.decompressobj()
    left = size
    source, targets = memoryview(chunk), iter(outs)
    out: memoryview | None = next(targets)
    place = 0
    for start in range(0, len(source), _PIECE):
        piece = memoryview(stream.decompress(source[start : start + _PIECE], left + 1))
        left -= len(piece)
        if left < 0:
            raise ValueError(f"it holds more than the {size} bytes that were stored")
        while piece and out is not None:
            count = min(len(piece), len(out) - place)
            out[place : place + count] = piece[:count]
            piece, place = piece[count:], place + count
            if place == len(out):
                out, place = next(targets, None), 0
        if stream.eof:  # each further piece would be copied behind what follows the end already
            break
    if out is not None or not stream.eof:
        raise ValueError("it holds fewer bytes than were stored")


def unpacked(chunk: bytes, size: int) -> bytes:
    """Unpack a zlib stream of exactly `size` bytes; of one that has more, which may be without an end, no more.

    Raises
    ------
    zlib_ng.error, ValueError
        The stream is damaged or holds another number of bytes.
    """
    stream = zlib_ng.decompressobj()
    data: bytes = stream.decompress(chunk, size)
    more = stream.decompress(stream.unconsumed_tail, 1)  # which also reads the checksum at the end
    if len(data) != size or more or not stream.eof:
        raise ValueError(f"it does not hold the {size} bytes that were stored")
    return data

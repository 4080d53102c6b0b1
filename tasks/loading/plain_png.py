"""Plain PNG files -> pixels, in a quarter of the time that Pillow takes for a small one.

It knows 8 bits a channel without a palette and without interlacing, as most generators write; and colours of 16 bits a
channel, of which Pillow keeps the higher 8 bits only. Any other file, and any damaged file, it leaves to Pillow.
"""

import struct
import zlib

import numba
import numpy as np

from tasks.lowlevel.png_encoder import SIGNATURE

CHANNELS = {0: 1, 2: 3, 6: 4}  # of the colour types: grey, RGB, RGBA
WIDE = {2: 3, 4: 2, 6: 4}  # the same for 16 bits: RGB, grey with alpha, RGBA
_CHUNK = struct.Struct(">I4s")
_HEADER = struct.Struct(">IIBBBBB")


def decode_plain(data: bytes, longest: int) -> np.ndarray | None:
    """Decode a plain PNG file into (h, w), (h, w, 3) or (h, w, 4) uint8, as Pillow does; None for other files.

    Parameters
    ----------
    longest : int
        Pixels of a side; larger pictures are left to Pillow.
    """
    return _decode(data, longest, CHANNELS, 8)


def decode_wide(data: bytes, longest: int) -> np.ndarray | None:
    """Decode a PNG file of 16 bits a channel into (h, w, 2), (h, w, 3) or (h, w, 4) uint16; None for other files.

    Two channels are grey and alpha.
    """
    pixels = _decode(data, longest, WIDE, 16)
    if pixels is None:
        return None
    wide: np.ndarray = pixels.reshape(*pixels.shape[:2], -1).view(">u2").astype(np.uint16)
    return wide


def _decode(data: bytes, longest: int, kinds: dict[int, int], depth: int) -> np.ndarray | None:
    """Decode a file of these colour types, with `depth` bits a channel, into (h, w) or (h, w, bytes of a pixel)."""
    parts = _parts(data, depth > 8)
    if parts is None:
        return None
    header, packed = parts
    width, height, bits, colour, method, filters, interlaced = _HEADER.unpack(header)
    channels = kinds.get(colour, 0) * depth // 8
    if not channels or (bits, method, filters, interlaced) != (depth, 0, 0, 0):
        return None
    if not (0 < width <= longest and 0 < height <= longest):
        return None
    size = height * (1 + width * channels)
    unpacking = zlib.decompressobj()
    try:
        lines = unpacking.decompress(packed, size + 1)  # no more: a small file may unpack to gigabytes
    except zlib.error:
        return None
    if len(lines) != size or not unpacking.eof or unpacking.unused_data:
        return None
    pixels = np.empty((height, width * channels), np.uint8)
    if not _unfilter(np.frombuffer(lines, np.uint8).reshape(height, -1), channels, pixels):
        return None
    return pixels if channels == 1 else pixels.reshape(height, width, channels)


def _parts(data: bytes, more: bool) -> tuple[bytes, bytes] | None:
    """Return the header and all packed bytes, if no chunk is there that may change what pixels mean.

    With `more`, chunks that only say how to show the colours are passed over.
    """
    if data[:8] != SIGNATURE:
        return None
    place, header, packed = 8, b"", []
    while place + 12 <= len(data):
        length, kind = _CHUNK.unpack_from(data, place)
        end = place + 8 + length
        if end + 4 > len(data) or zlib.crc32(data[place + 4 : end]) != int.from_bytes(data[end : end + 4]):
            return None
        if kind == b"IDAT":
            packed.append(data[place + 8 : end])
        elif kind == b"IEND":
            return (header, packed[0] if len(packed) == 1 else b"".join(packed)) if header and packed else None
        elif kind == b"IHDR" and place == 8 and length == _HEADER.size:
            header = data[place + 8 : end]
        elif not (more and kind[0] & 32 and kind not in (b"tRNS", b"eXIf", b"acTL")):  # a small letter: not critical
            return None
        place = end + 4
    return None


@numba.njit(cache=True, nogil=True)
def _unfilter(lines: np.ndarray, channels: int, out: np.ndarray) -> bool:
    """Undo the filter that each line begins with; False for an unknown filter."""
    height, width = out.shape
    for y in range(height):
        kind, line, row = lines[y, 0], lines[y, 1:], out[y]
        above = out[max(y - 1, 0)]
        if kind == 0 or (kind == 2 and y == 0):
            for x in range(width):
                row[x] = line[x]
        elif kind == 1:
            for x in range(channels):
                row[x] = line[x]
            for x in range(channels, width):
                row[x] = line[x] + row[x - channels]
        elif kind == 2:
            for x in range(width):
                row[x] = line[x] + above[x]
        elif kind == 3:
            for x in range(width):
                left = np.int64(row[x - channels]) if x >= channels else np.int64(0)
                up = np.int64(above[x]) if y else np.int64(0)
                row[x] = line[x] + (left + up) // 2
        elif kind == 4:
            _add_nearest(line, above, y == 0, channels, row)
        else:
            return False
    return True


@numba.njit(cache=True, nogil=True)
def _add_nearest(line: np.ndarray, above: np.ndarray, topmost: bool, channels: int, row: np.ndarray) -> None:
    """Undo Paeth's filter: of the pixels left, above and between, add the nearest to left + above - between."""
    for x in range(len(row)):
        left = np.int64(row[x - channels]) if x >= channels else np.int64(0)
        up = np.int64(0) if topmost else np.int64(above[x])
        corner = np.int64(above[x - channels]) if x >= channels and not topmost else np.int64(0)
        to_left, to_up, to_corner = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
        if to_left <= to_up and to_left <= to_corner:
            row[x] = line[x] + left
        elif to_up <= to_corner:
            row[x] = line[x] + up
        else:
            row[x] = line[x] + corner

"""What a picture's file has besides pixels: metadata, colour tables, and bytes behind the picture.

A foreign file may have millions of such parts, or parts that unpack without an end, so there is a most of everything.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from itertools import islice

BEHIND = "bytes behind the picture"
PALETTE = "the palette"
SURPLUS = "bytes behind the packed pixels"
DELAYS = "the delays of the frames"
GIF_FRAME, GIF_END = 0x2C, 0x3B
MOST_PARTS, MOST_BYTES = 200, 4 << 20  # of a file
_MOST_TEXT = 1 << 20  # bytes of a part; of a longer one the beginning and the end
_MOST_BLOCKS, _MOST_BLOCK = 150, 1 << 16  # extensions of a GIF file, and bytes of each
_MOST_STEPS = 1_000_000  # pieces of the blocks of a GIF file; one of 20 MB has a tenth of that
_GIF_BLOCK = re.compile(rb"[\x21\x2c\x3b]")
_JPEG_MARKER = re.compile(rb"\xff[^\x00\x01\xff\xd0-\xd8]")  # the others stand between packed pixels, or are one mark
_MOST_SEGMENTS = 10_000  # of a JPEG file, behind its first scan
_MOST_PIXELS = 64_000_000  # bytes of unpacked pixels, behind which nothing is looked for
_MOST_DELAYS = 64  # frames whose delays are looked at
_PIXELS = {b"IHDR", b"IDAT", b"IEND", b"fdAT", b"fcTL", b"acTL"}
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))  # Adam7
_NAMED = {b"PLTE": PALETTE, b"tRNS": "the transparent colours"}
_TIFF_PIXELS = {273, 278, 279, 322, 323, 324, 325, 513, 514}  # tags that say where the pixels are
_TIFF_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}  # bytes of a value, by type
_MOST_TAGS = 200


def parts_of(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield what a picture's file has besides pixels: (what it is, bytes), the first `MOST_PARTS` or `MOST_BYTES`."""
    read = 0
    for what, body in islice(_all_parts(data), MOST_PARTS):
        part = body if len(body) <= _MOST_TEXT else body[: _MOST_TEXT // 2] + body[-_MOST_TEXT // 2 :]
        yield what, part
        read += len(part)
        if read >= MOST_BYTES:
            return


def _all_parts(data: bytes) -> Iterator[tuple[str, bytes]]:
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        yield from _png(data)
    elif data[:2] == b"\xff\xd8":
        yield from _jpeg(data)
    elif data[:3] == b"GIF":
        yield from _gif(data)
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        yield from _webp(data)
    elif data[:2] == b"BM" and len(data) > 54:
        start = struct.unpack("<I", data[10:14])[0]
        yield "the reserved bytes of the header", data[6:10]
        yield PALETTE, data[54:start]
        yield BEHIND, data[struct.unpack("<I", data[2:6])[0] :]
    elif data[:4] in (b"II*\0", b"MM\0*"):
        yield from _tiff(data)


def _png(data: bytes) -> Iterator[tuple[str, bytes]]:
    at, packed, delays = 8, bytearray(), b""
    while at + 12 <= len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + size]
        at += 12 + size
        if kind == b"IDAT":
            packed += body
        elif kind == b"fcTL" and len(delays) < 4 * _MOST_DELAYS:
            delays += body[20:24]
        if kind not in _PIXELS:
            name = kind.decode("latin-1") if kind.isalpha() else "unnamed"
            yield _NAMED.get(kind, f"the {name} chunk"), _unpacked(kind, body)
        if kind == b"IEND":
            break
    if delays:
        yield DELAYS, delays
    surplus = _surplus(data, bytes(packed))
    if surplus:
        yield SURPLUS, surplus
    if at < len(data):
        yield BEHIND, data[at:]


def _surplus(data: bytes, packed: bytes) -> bytes:
    """Return what is packed with the pixels of a PNG and belongs to none of its rows: decoders pass over it."""
    if len(data) < 33:
        return b""
    width, height, depth, colour, _, _, interlaced = struct.unpack_from(">IIBBBBB", data, 16)
    bits = depth * {2: 3, 4: 2, 6: 4}.get(colour, 1)
    passes = _PASSES if interlaced else ((0, 0, 1, 1),)
    sides = [(-((left - width) // across), -((top - height) // down)) for left, top, across, down in passes]
    size = sum(rows * (1 + (columns * bits + 7) // 8) for columns, rows in sides if columns > 0 and rows > 0)
    if size > _MOST_PIXELS:
        return b""
    stream = zlib.decompressobj()
    try:
        pixels = stream.decompress(packed, size + _MOST_BLOCK)
    except zlib.error:
        return b""
    return pixels[size:] + stream.unused_data


def _unpacked(kind: bytes, body: bytes) -> bytes:
    """Return a chunk with its packed text, or its colour profile, unpacked."""
    key, _, rest = body.partition(b"\0")
    if kind in (b"zTXt", b"iCCP"):
        packed = rest[1:]
    elif kind == b"iTXt" and rest[:1] == b"\1":
        packed = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    else:
        return body
    try:
        return key + b" " + zlib.decompressobj().decompress(packed, _MOST_TEXT)
    except zlib.error:
        return body


def _jpeg(data: bytes) -> Iterator[tuple[str, bytes]]:
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        kind, size = data[at + 1], struct.unpack(">H", data[at + 2 : at + 4])[0]
        body = data[at + 4 : at + 2 + size]
        if kind == 0xFE:
            yield "the comment", body
        elif kind == 0xE1:
            yield "EXIF or XMP", body
        elif kind == 0xDB:
            yield "the quantisation table", body
        elif 0xE0 <= kind <= 0xEF:
            yield f"segment APP{kind - 0xE0}", body
        at += 2 + size
    end = _jpeg_end(data, at)
    if end < len(data):
        yield BEHIND, data[end:]


def _jpeg_end(data: bytes, at: int) -> int:
    """Return where the picture ends whose first scan begins at a place; a picture behind it may end in the same way."""
    for _ in range(_MOST_SEGMENTS):
        found = _JPEG_MARKER.search(data, at)
        if found is None:
            return len(data)
        at = found.end()
        if data[at - 1] == 0xD9:
            return at
        at += int.from_bytes(data[at : at + 2], "big")
    end = data.find(b"\xff\xd9", at)
    return len(data) if end < 0 else end + 2


def _gif(data: bytes) -> Iterator[tuple[str, bytes]]:
    if len(data) < 13:
        return
    if data[10] & 0x80:
        yield PALETTE, data[13 : 13 + 3 * (2 << (data[10] & 7))]
    delays, count, size = b"", 0, 0
    for kind, body in gif_blocks(data):
        if kind == 0xF9:
            delays += body[1:3] if len(delays) < 2 * _MOST_DELAYS else b""
        elif kind == GIF_END:
            if body:
                yield BEHIND, body
        elif kind != GIF_FRAME and not body.startswith(b"NETSCAPE"):
            # What stands behind the end comes after them, and has to be among the parts that are looked at.
            count, size = count + 1, size + len(body)
            if count <= _MOST_BLOCKS and size <= MOST_BYTES // 2:
                yield "the comment" if kind == 0xFE else "an extension block", body
    if delays:
        yield DELAYS, delays


def gif_blocks(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the blocks of a GIF: an extension's label, `GIF_FRAME` or `GIF_END`, and its bytes; none of a frame.

    A file with more than `_MOST_STEPS` pieces is left off there.
    """
    steps = 0
    at = 13 + (3 * (2 << (data[10] & 7)) if len(data) > 10 and data[10] & 0x80 else 0)
    while at + 1 < len(data) or data[at : at + 1] == b"\x3b":
        kind = data[at]
        if kind == GIF_END:
            yield kind, data[at + 1 :]
            return
        if kind not in (0x21, GIF_FRAME):  # decoders pass over it
            found = _GIF_BLOCK.search(data, at)
            if found is None:
                return
            at = found.start()
            continue
        if kind == 0x21:
            kind = data[at + 1]
            at += 2
        else:
            flags = data[at + 9] if at + 9 < len(data) else 0
            at += 11 + (3 * (2 << (flags & 7)) if flags & 0x80 else 0)
        body = bytearray()
        while at < len(data) and data[at]:
            if kind != GIF_FRAME and len(body) < _MOST_BLOCK:
                body += data[at + 1 : at + 1 + data[at]]
            at += 1 + data[at]
            steps += 1
            if steps > _MOST_STEPS:
                return
        at += 1
        steps += 1
        yield kind, bytes(body)


def _webp(data: bytes) -> Iterator[tuple[str, bytes]]:
    at, delays = 12, b""
    while at + 8 <= len(data):
        kind, size = data[at : at + 4], struct.unpack("<I", data[at + 4 : at + 8])[0]
        body = data[at + 8 : at + 8 + size]
        if kind == b"ANMF" and len(delays) < 3 * _MOST_DELAYS:
            delays += body[12:15]
        if kind in (b"EXIF", b"XMP "):
            yield "EXIF or XMP", body
        elif not kind.startswith((b"VP8", b"ALPH", b"ANI", b"ANMF")):
            yield f"the {kind.decode('latin-1').strip()} chunk", body
        at += 8 + size + size % 2
    if delays:
        yield DELAYS, delays
    if at < len(data):
        yield BEHIND, data[at:]


def _tiff(data: bytes) -> Iterator[tuple[str, bytes]]:
    order = "<" if data[:2] == b"II" else ">"
    at = struct.unpack(f"{order}I", data[4:8])[0]
    if at + 2 > len(data):
        return
    tags = min(_MOST_TAGS, struct.unpack(f"{order}H", data[at : at + 2])[0])
    for place in range(at + 2, min(at + 2 + 12 * tags, len(data) - 11), 12):
        tag, kind, count = struct.unpack(f"{order}HHI", data[place : place + 8])
        size = _TIFF_SIZES.get(kind, 1) * count
        start = place + 8 if size <= 4 else struct.unpack(f"{order}I", data[place + 8 : place + 12])[0]
        if tag not in _TIFF_PIXELS:
            yield f"TIFF tag {tag}", data[start : start + min(size, _MOST_TEXT)]

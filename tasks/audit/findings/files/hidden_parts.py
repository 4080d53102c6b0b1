"""What a picture's file has besides pixels: metadata, colour tables, and bytes behind the picture.

A foreign file may have millions of such parts, or parts that unpack without an end, so there is a most of everything.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from itertools import islice

BEHIND = "bytes behind the picture"
MOST_PARTS, MOST_BYTES = 200, 4 << 20  # of a file
_MOST_TEXT = 1 << 20  # bytes of a part; of a longer one the beginning and the end
_MOST_BLOCKS, _MOST_BLOCK = 500, 1 << 16  # of a GIF file, and bytes of each
_PIXELS = {b"IHDR", b"IDAT", b"IEND", b"fdAT", b"fcTL", b"acTL"}
_NAMED = {b"PLTE": "the palette", b"tRNS": "the transparent colours"}
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
        yield "the palette", data[54:start]
        yield BEHIND, data[struct.unpack("<I", data[2:6])[0] :]
    elif data[:4] in (b"II*\0", b"MM\0*"):
        yield from _tiff(data)


def _png(data: bytes) -> Iterator[tuple[str, bytes]]:
    at = 8
    while at + 12 <= len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + size]
        at += 12 + size
        if kind not in _PIXELS:
            name = kind.decode("latin-1") if kind.isalpha() else "unnamed"
            yield _NAMED.get(kind, f"the {name} chunk"), _unpacked(kind, body)
        if kind == b"IEND":
            break
    if at < len(data):
        yield BEHIND, data[at:]


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
    end = data.rfind(b"\xff\xd9")
    if 0 <= end < len(data) - 2:
        yield BEHIND, data[end + 2 :]


def _gif(data: bytes) -> Iterator[tuple[str, bytes]]:
    if len(data) > 13 and data[10] & 0x80:
        yield "the palette", data[13 : 13 + 3 * (2 << (data[10] & 7))]
    for match in islice(re.finditer(rb"\x21([\xfe\xff\x01])", data), _MOST_BLOCKS):
        at, text = match.end(), b""
        while at < len(data) and data[at] and len(text) < _MOST_BLOCK:
            text += data[at + 1 : at + 1 + data[at]]
            at += 1 + data[at]
        if match[1] == b"\xfe":
            yield "the comment", text
        elif not text.startswith(b"NETSCAPE"):
            yield "an extension block", text
    end = data.rfind(b"\x00\x3b")
    if 0 <= end < len(data) - 2:
        yield BEHIND, data[end + 2 :]


def _webp(data: bytes) -> Iterator[tuple[str, bytes]]:
    at = 12
    while at + 8 <= len(data):
        kind, size = data[at : at + 4], struct.unpack("<I", data[at + 4 : at + 8])[0]
        body = data[at + 8 : at + 8 + size]
        if kind in (b"EXIF", b"XMP "):
            yield "EXIF or XMP", body
        elif not kind.startswith((b"VP8", b"ALPH", b"ANI", b"ANMF")):
            yield f"the {kind.decode('latin-1').strip()} chunk", body
        at += 8 + size + size % 2
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

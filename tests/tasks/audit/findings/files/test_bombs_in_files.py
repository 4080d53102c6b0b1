"""Files of a foreign folder that have parts without number or end: an audit looks at the first, in little time."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks.audit.findings.files.codes import Codes
from tasks.audit.findings.files.file_numbers import MOST_NUMBERS, FileNumbers
from tasks.audit.findings.files.giveaways import _Before
from tasks.audit.findings.files.hidden_parts import MOST_BYTES, MOST_PARTS, parts_of
from tasks.audit.findings.files.unseen_colours import unused_colours
from tasks.audit.findings.files.vector_pictures import VectorPictures

MANY = 100_000


def chunk(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I4s", len(body), kind) + body + struct.pack(">I", zlib.crc32(kind + body))


def png(*chunks: bytes, width: int = 40) -> bytes:
    """A PNG file with chunks before its pixels, and perhaps with a width that it does not have."""
    file = io.BytesIO()
    Image.fromarray(np.zeros((20, 40), np.uint8)).save(file, "PNG")
    data = file.getvalue()
    return data[:16] + struct.pack(">I", width) + data[20:33] + b"".join(chunks) + data[33:]


PACKED = zlib.compress(bytes(1 << 20), 9)
BOMBS = {
    "texts that unpack to megabytes each": png(chunk(b"zTXt", b"k\0\0" + PACKED) * 2000),
    "a profile that unpacks to a hundred megabytes": png(chunk(b"iCCP", b"k\0\0" + zlib.compress(bytes(10**8), 9))),
    "chunks without number": png(chunk(b"tEXt", b"k\0v") * MANY),
    "bytes behind the picture": png() + b"x" * 20_000_000,
    "comments within comments": b"GIF89a" + b"\x21\xfe" * MANY,
    "nothing within a GIF": b"GIF89a" + bytes(20_000_000),
    "marks within a JPEG": b"\xff\xd8\xff\xda" + b"\xff" * 10_000_000 + b"\xff\0\xff\xd0" * 2_000_000,
    "blocks of one byte": b"GIF89a" + b"\x21\xfe" + b"\x01" * MANY * 10,
}


@pytest.mark.parametrize("kind", BOMBS)
def test_parts_have_a_number_and_an_end(in_time, kind):
    sizes = [len(part) for _, part in parts_of(BOMBS[kind])]
    assert len(sizes) <= MOST_PARTS
    assert sum(sizes) <= MOST_BYTES + (1 << 20)


def test_the_beginning_and_the_end_of_a_long_part_are_looked_at():
    (part,) = [part for what, part in parts_of(png() + b"FIRST" + bytes(3 << 20) + b"LAST") if "behind" in what]
    assert part.startswith(b"FIRST") and part.endswith(b"LAST")


def test_numbers_of_a_file_have_an_end(in_time):
    found = FileNumbers()
    pieces = chunk(b"IDAT", b"x") * MANY * 4
    names = b"".join(chunk(bytes([97 + k // 676, 97 + k // 26 % 26, 97 + k % 26, 97])) for k in range(5000))
    wide = png(chunk(b"IDAT", zlib.compress(bytes(10**8), 9)), width=2**31 - 1)
    for text, data in (("A", png(pieces)), ("B", png(names)), ("C", wide)):
        found.add(data, text)
    assert 2 not in found._found["the filters of the first rows"]  # 16 GB would be read
    assert len(found._found) <= 3 * MOST_NUMBERS


def test_what_is_kept_of_each_file_has_an_end():
    found = Codes()
    found.add("the comment", b"A" + bytes(MOST_BYTES) + b"Z", "BONE")
    kept = [value for pairs in found._found.values() for value, _ in pairs]
    assert sum(map(len, kept)) < 1 << 16
    assert kept[0].startswith(b"A") and kept[0].endswith(b"Z")


def test_an_svg_that_opens_without_end_is_read_in_time(in_time):
    vectors = VectorPictures()
    for tag in ("text", "path"):
        vectors.add(Path("a.svg"), f"<svg>{f'<{tag} ' * MANY}".encode(), "BONE")
    assert vectors.figures()["svg_files"] == 2


def test_a_gif_of_many_frames_hides_nothing():
    file = io.BytesIO()
    frames = [Image.fromarray(np.full((4, 4), number % 250, np.uint8)) for number in range(600)]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=20)
    comments = b"\x21\xfe\x03END\0" + b"\x21\xfe\x01x\0" * 1000
    parts = list(parts_of(file.getvalue()[:-1] + comments + b"\x3bBEHIND"))
    assert ("the comment", b"END") in parts
    assert ("bytes behind the picture", b"BEHIND") in parts


def test_colours_of_a_large_moving_picture_are_looked_at_in_time(in_time):
    file = io.BytesIO()
    frames = [Image.new("P", (1500, 1500), number) for number in range(8)]
    for frame in frames:
        frame.putpalette(bytes(range(256)) * 3)
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    assert unused_colours(file.getvalue(), b"") == b""
    assert len(unused_colours(file.getvalue(), bytes(range(30)))) == 30 + 3


def test_places_that_are_remembered_have_a_most():
    before = _Before()
    for number in range(1000):
        before.add(f"the {number} chunk", "A", bytes(1 << 20))
    assert sum(len(part) for kept in before._seen.values() for _, part in kept) <= 64 << 16

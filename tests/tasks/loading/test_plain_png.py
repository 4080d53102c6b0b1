"""Plain PNG files: the same pixels as Pillow's, or none."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from tasks.loading.plain_png import decode_plain
from tasks.lowlevel.png_encoder import SIGNATURE

COLOURS = {"L": (0, 1), "RGB": (2, 3), "RGBA": (6, 4)}


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def file_of(lines: bytes, width: int, height: int, colour: int, parts: int = 1) -> bytes:
    packed = zlib.compress(lines)
    size = -(-len(packed) // parts)
    some = [chunk(b"IDAT", packed[first : first + size]) for first in range(0, len(packed), size)]
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0))
    return SIGNATURE + header + b"".join(some) + chunk(b"IEND", b"")


def by_pillow(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


@pytest.mark.parametrize("mode", COLOURS)
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (7, 13), (60, 140)])
def test_any_filters_give_pillows_pixels(mode, size):
    """Bytes at random behind every filter: each line is right only if the one above is."""
    colour, channels = COLOURS[mode]
    height, width = size
    rng = np.random.default_rng(height * 1000 + width)
    for kinds in (*range(5), None):
        lines = rng.integers(0, 256, (height, 1 + width * channels), dtype=np.uint8)
        lines[:, 0] = rng.integers(0, 5, height) if kinds is None else kinds
        data = file_of(lines.tobytes(), width, height, colour, parts=2)
        found = decode_plain(data, 640)
        assert found.dtype == np.uint8
        assert np.array_equal(found, by_pillow(data))


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_what_pillow_writes_comes_back(mode):
    rng = np.random.default_rng(3)
    image = Image.fromarray(rng.integers(0, 256, (30, 50, 4), dtype=np.uint8), "RGBA").convert(mode)
    for options in ({}, {"optimize": True}, {"compress_level": 0}):
        data = io.BytesIO()
        image.save(data, "PNG", **options)
        assert np.array_equal(decode_plain(data.getvalue(), 50), np.asarray(image))
        assert decode_plain(data.getvalue(), 49) is None


@pytest.mark.parametrize("mode", ["1", "P", "I;16", "LA"])
def test_other_kinds_are_left_to_pillow(mode):
    data = io.BytesIO()
    (Image.new("I;16", (5, 5)) if mode == "I;16" else Image.new("L", (5, 5)).convert(mode)).save(data, "PNG")
    assert decode_plain(data.getvalue(), 640) is None


def test_chunks_that_may_change_the_meaning_are_left_to_pillow():
    plain = file_of(bytes(5 * 6), 5, 5, 0)
    after = len(SIGNATURE) + 25
    for kind in (b"tRNS", b"gAMA", b"tEXt", b"zzzZ"):
        assert decode_plain(plain[:after] + chunk(kind, b"\0\0") + plain[after:], 640) is None
    assert decode_plain(plain + b"what follows the end", 640) is not None


def test_a_damaged_file_is_left_to_pillow():
    data = file_of((bytes([1]) + bytes(5)) * 5, 5, 5, 0)
    assert decode_plain(data, 640) is not None
    for place in range(len(data)):
        for changed in (data[:place], data[:place] + bytes([data[place] ^ 0x40]) + data[place + 1 :]):
            assert decode_plain(changed, 640) is None
    for wrong in (
        file_of(bytes(29), 5, 5, 0),  # too few pixels
        file_of(bytes(31), 5, 5, 0),  # too many
        file_of(bytes([5]) + bytes(29), 5, 5, 0),  # no such filter
        file_of(bytes(1_000_000), 5, 5, 0),
        file_of(bytes(30), 0, 5, 0),
        SIGNATURE,
        b"",
    ):
        assert decode_plain(wrong, 640) is None

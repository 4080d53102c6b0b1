"""EXIF orientation: pictures are read as a person sees them, and damaged metadata costs no picture."""

import hashlib
import io
import random
import struct
import zlib

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageOps

from storage.errors import BadInput
from tasks.loading.decode import Invert, decode_picture
from tasks.loading.plain_png import decode_plain

KINDS = {
    "PNG": {}, "JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"lossless": True}, "TIFF": {},
    "TIFF by libtiff": {"compression": "tiff_lzw"},
}  # fmt: skip
TURNED = {  # what a viewer does to the stored picture
    1: lambda seen: seen, 2: np.fliplr, 3: lambda seen: np.rot90(seen, 2), 4: np.flipud, 5: np.transpose,
    6: lambda seen: np.rot90(seen, -1), 7: lambda seen: np.rot90(seen, 2).T, 8: np.rot90,
}  # fmt: skip


def picture() -> Image.Image:
    """Dark strokes on white; no turn and no mirror leaves it the same."""
    pixels = np.full((40, 70), 255, np.uint8)
    pixels[8:32, 8:16] = 0
    pixels[8:16, 16:40] = 0
    pixels[24:32, 56:64] = 64
    return Image.fromarray(pixels)


def encoded(kind: str, exif: bytes | Image.Exif | None, mode: str = "L") -> bytes:
    stream = io.BytesIO()
    more = {} if exif is None else {"exif": exif}
    picture().convert(mode).save(stream, kind.partition(" ")[0], **KINDS[kind], **more)
    return stream.getvalue()


def oriented(orientation: object) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return exif


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_is_turned_as_viewers_turn_it(kind, orientation, mode):
    stored = encoded(kind, None, mode)
    with Image.open(io.BytesIO(encoded(kind, oriented(orientation), mode))) as image:
        assert (image.getexif()[ExifTags.Base.Orientation], image.mode) == (
            orientation,
            mode if kind != "WEBP" else "RGB",
        )
    got = decode_picture(encoded(kind, oriented(orientation), mode))
    assert np.array_equal(got, TURNED[orientation](decode_picture(stored)))
    with Image.open(io.BytesIO(encoded(kind, oriented(orientation), mode))) as image:
        stream = io.BytesIO()
        ImageOps.exif_transpose(image).save(stream, "PNG")
    stream = stream.getvalue()
    assert np.array_equal(got, decode_picture(stream))


def test_imports_turn_it_too():
    for invert in Invert:
        try:
            upright = decode_picture(encoded("JPEG", None), invert)
        except BadInput:
            assert invert is Invert.NO
            continue
        assert np.array_equal(decode_picture(encoded("JPEG", oriented(6)), invert), np.rot90(upright, -1))


def test_a_large_picture_is_turned_after_it_is_shrunk():
    stream, flat = io.BytesIO(), io.BytesIO()
    large = picture().resize((1400, 800))
    large.save(stream, "JPEG", exif=oriented(8))
    large.save(flat, "JPEG")
    got = decode_picture(stream.getvalue())
    assert got.shape == (640, 366)
    assert np.array_equal(got, np.rot90(decode_picture(flat.getvalue())))


@pytest.mark.parametrize("late", [False, True], ids=["before the pixels", "after them"])
def test_the_quick_path_leaves_a_png_with_an_orientation_to_pillow(late):
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    plain = encoded("PNG", None)
    at = plain.index(b"IEND" if late else b"IDAT") - 4
    data = plain[:at] + chunk(b"eXIf", oriented(6).tobytes().removeprefix(b"Exif\0\0")) + plain[at:]
    assert decode_plain(plain, 640) is not None
    assert decode_plain(data, 640) is None
    assert np.array_equal(decode_picture(data), np.rot90(decode_picture(plain), -1))


SHORT, ASCII, LONG, UNDEFINED = 3, 2, 4, 7  # types of a TIFF field


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("type_", "count", "value"),
    [(SHORT, 1, 0), (SHORT, 1, 9), (SHORT, 1, 65535), (SHORT, 2, 6 << 16 | 6), (ASCII, 2, ord("6")), (LONG, 1, 1 << 31),
     (UNDEFINED, 4, 0xFFFFFFFF), (SHORT, 0, 0), (99, 1, 6), (SHORT, 1 << 30, 8)],
)  # fmt: skip
def test_an_orientation_that_is_none_costs_no_picture(kind, type_, count, value):
    field = struct.pack("<HHII", ExifTags.Base.Orientation, type_, count, value)
    if kind.startswith("TIFF"):
        data = encoded(kind, oriented(2))
        good = struct.pack("<HHII", ExifTags.Base.Orientation, SHORT, 1, 2)
        assert data.count(good) == 1
        data = data.replace(good, field)
    else:
        data = encoded(kind, b"Exif\0\0II*\0\x08\0\0\0\1\0" + field + bytes(4))
    upright = decode_picture(encoded(kind, None))
    assert any(np.array_equal(decode_picture(data), turn(upright)) for turn in (TURNED[1], TURNED[6]))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_damaged_metadata_costs_no_picture(kind):
    """Random bytes, cuts, and flipped bits: each picture is read, upright or turned by what is left."""
    chance, whole = random.Random(15), oriented(6).tobytes()
    upright = decode_picture(encoded(kind, None))
    ways = [hashlib.sha256(turn(upright).tobytes()).digest() for turn in TURNED.values()]
    for trial in range(200):
        exif = bytearray(whole)
        if trial % 3 == 0:
            exif = bytearray(b"Exif\0\0" * (trial % 2) + chance.randbytes(chance.randrange(1, 200)))
        elif trial % 3 == 1:
            del exif[chance.randrange(7, len(exif)) :]
        else:
            for _ in range(3):
                exif[chance.randrange(len(exif))] ^= 1 << chance.randrange(8)
        got = decode_picture(encoded(kind, bytes(exif)))
        assert hashlib.sha256(np.ascontiguousarray(got).tobytes()).digest() in ways


def test_a_tiff_whose_metadata_leads_nowhere_is_read():
    exif = oriented(6)
    exif[ExifTags.Base.Software] = "a field whose place is taken by a pointer to more metadata"
    data = encoded("TIFF", exif)
    (at,) = struct.unpack_from("<I", data, 4)
    entries = [at + 2 + 12 * number for number in range(struct.unpack_from("<H", data, at)[0])]
    (entry,) = [entry for entry in entries if struct.unpack_from("<H", data, entry)[0] == ExifTags.Base.Software]
    upright = decode_picture(encoded("TIFF", None))
    for offset in (0, 1, len(data) - 1, len(data) + 7, 0xFFFFFFFF):
        broken = bytearray(data)
        struct.pack_into("<HHII", broken, entry, ExifTags.IFD.Exif, LONG, 1, offset)
        assert np.array_equal(decode_picture(bytes(broken)), np.rot90(upright, -1))

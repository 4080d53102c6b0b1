"""Numbers of a file that tell letters are found, whatever the pixels show; those that follow from the ink are not."""

import io
import math
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from tasks.audit.findings.files.file_numbers import FileNumbers, numbers_of
from tasks.audit.findings.files.giveaways import find_giveaways

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
COUNT = 150


def texts_of(letters: str = LETTERS, length: int = 4, count: int = COUNT) -> list[str]:
    numbers = np.random.Generator(np.random.Philox(key=[len(letters), length])).integers(
        0, len(letters), (count, length)
    )
    return ["".join(letters[k] for k in row) for row in numbers.tolist()]


def noise(text: str, colours: int = 256) -> Image.Image:
    numbers = np.random.Generator(np.random.Philox(key=[zlib.crc32(text.encode()), 1])).integers(0, colours, (12, 30))
    return Image.fromarray(numbers.astype(np.uint8))


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def place(text: str) -> int:
    return LETTERS.index(text[-1])


def with_length(text: str) -> bytes:
    """A length whose rest after a division by 24 is the last letter's place."""
    data = encoded(noise(text))
    return data + bytes((place(text) - len(data)) % 24)


def with_order(text: str) -> bytes:
    """A palette of eight colours in the order that has the answer's number."""
    rank, left, colours = sum(LETTERS.index(one) * 24**k for k, one in enumerate(reversed(text[-2:]))), [*range(8)], []
    for k in range(7, -1, -1):
        colours.append(left.pop(rank // math.factorial(k) % (k + 1)))
    image = noise(text, 8)
    image.putpalette([level for colour in colours for level in (30 * colour, 99, 200)])
    return encoded(image)


def with_filters(text: str) -> bytes:
    """Filters of the first five rows that are the bits of a letter's place."""
    pixels = bytes(30)
    rows = b"".join(bytes([place(text) >> row & 1 if row < 5 else 0]) + pixels for row in range(12))
    parts = ((b"IHDR", struct.pack(">IIBBBBB", 30, 12, 8, 0, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )


TOLD: dict[str, Callable[[str], bytes]] = {
    "the file's length": with_length,
    "the horizontal density": lambda t: encoded(noise(t), dpi=(40 + place(t), 300)),
    "the horizontal density of a JPEG": lambda t: encoded(noise(t), "JPEG", dpi=(700 - 7 * place(t), 72)),
    "the vertical density of a BMP": lambda t: encoded(noise(t), "BMP", dpi=(96, 96 + place(t))),
    "the order of the palette": with_order,
    "the filters of the first rows": with_filters,
    "the number of parts of the packed pixels": lambda t: encoded(noise(t)).replace(
        b"\0\0\0\0IEND", (b"\0\0\0\0IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))) * place(t) + b"\0\0\0\0IEND"
    ),
}


@pytest.mark.parametrize("what", TOLD)
def test_a_number_of_the_file_that_tells_a_letter_is_named(tmp_path, what):
    texts = texts_of()
    for text in texts:
        (tmp_path / f"{text}.png").write_bytes(TOLD[what](text))
    (found,) = find_giveaways([tmp_path], texts)
    assert found["severity"] == "high"
    assert what.split(" of a ")[0] in found["plain"]
    assert "letter 4 of the answer" in found["plain"]


def bars(text: str) -> Image.Image:
    """Draw each letter as a bar whose width is its own, without noise, in a picture as wide as they are."""
    widths = [3 + ord(letter) % 23 for letter in text]
    picture = np.full((9, sum(widths) + 2 * len(text)), 255, np.uint8)
    left = 0
    for width in widths:
        picture[2:7, left : left + width] = 9 * width
        left += width + 2
    return Image.fromarray(picture)


@pytest.mark.parametrize("length", [2, 4])
@pytest.mark.parametrize("kind", ["BMP", "PNG", "JPEG"])
def test_files_that_are_longer_for_more_ink_are_not_accused(kind, length):
    """Also where nothing but the text decides the length, and where texts come again."""
    numbers = FileNumbers()
    texts = texts_of(length=length)
    for text in [*texts, *texts]:
        numbers.add(encoded(bars(text), kind), text)
    assert list(numbers.told()) == []


def test_numbers_of_other_pictures_answers_tell_nothing():
    numbers, texts = FileNumbers(), texts_of()
    for text, other in zip(texts, texts[7:] + texts[:7], strict=True):
        numbers.add(with_length(other), text)
    assert list(numbers.told()) == []


@pytest.mark.parametrize("data", [b"", b"BM", b"GIF89a" + b"\xff" * 9, b"\xff\xd8\xff\xe0\0", b"\x89PNG\r\n\x1a\n" * 3])
def test_damaged_files_have_a_length_at_least(data):
    assert dict(numbers_of(data))["the file's length"] == len(data)

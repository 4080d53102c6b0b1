"""Answers in numbers of a file: its length, densities, sizes of chunks, the order of its palette, the rows' filters.

More ink makes a longer file, so only exact functions count: a number, or its rest after a division, that tells a
letter by a table. The table is learnt from every second file and tried on the others.
"""

import math
import struct
import zlib
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice

import numpy as np
from scipy import special

from tasks.audit.findings.files.codes import LEAST_FILES, TOLD
from tasks.audit.findings.measuring.evidence import LEVEL

MOST_FILES = 600  # that are compared
MOST_NUMBERS = 200  # of a file
LARGEST_DIVISOR = 256
LEAST_KINDS = 8  # letters that a number must tell: fewer may follow from the text's length, as the file's does
_LETTERS = 8  # of an answer that are looked for
_COLOURS = 12  # of a palette whose order is looked at
_ROWS = 8  # whose filters are looked at
_WIDEST = 1 << 20  # bytes of a row: a wider one, of a foreign file, would fill memory


class FileNumbers:
    """Gathers numbers of files, and their answers."""

    def __init__(self) -> None:
        self._texts: dict[str, int] = {}
        self._found: dict[str, dict[int, int]] = defaultdict(dict)

    def add(self, data: bytes, text: str) -> None:
        """Note the numbers of a file with an answer; of several with one answer the first, which tells as much."""
        if text not in self._texts and len(self._texts) < MOST_FILES:
            row = self._texts[text] = len(self._texts)
            for what, number in islice(numbers_of(data), MOST_NUMBERS):
                self._found[what][row] = number

    def told(self) -> Iterator[tuple[str, str, int]]:
        """Yield the numbers that tell letters of the answer: (what, how, in how many files)."""
        texts = list(self._texts)
        if len(texts) < LEAST_FILES:
            return
        known = {letter: k for k, letter in enumerate(sorted(set("".join(texts))))}
        varying = {
            what: rows for what, rows in self._found.items()
            if len(rows) >= max(LEAST_FILES, TOLD * len(texts)) and len(set(rows.values())) >= LEAST_KINDS
        }  # fmt: skip
        for what, rows in varying.items():
            values = np.array(list(rows.values()))
            for place in range(min(_LETTERS, max(map(len, texts)))):
                line = np.array([known[texts[row][place]] if place < len(texts[row]) else -1 for row in rows])
                how = _telling(values, line, len(varying) * _LETTERS)
                if how is not None:
                    yield what, f"{how} letter {place + 1} of the answer", len(rows)
                    break


def _telling(values: np.ndarray, line: np.ndarray, tests: int) -> str | None:
    """Return how numbers tell letters; None if they do not. `tests` are made for each divisor."""
    rows = np.flatnonzero(line >= 0)
    kinds = len(np.unique(line[rows]))
    if len(rows) < LEAST_FILES or kinds < LEAST_KINDS:
        return None
    values, line = values[rows], line[rows]
    # A rest has as many values as it tells letters; seldom letters may be left out.
    for divisor in (0, *range(kinds // 2, LARGEST_DIVISOR + 1)):
        some = values if not divisor else values % divisor
        if _predicts(np.unique(some, return_inverse=True)[1], line, tests * (LARGEST_DIVISOR + 1)):
            return "it tells" if not divisor else f"modulo {divisor} it tells"
    return None


def _predicts(codes: np.ndarray, line: np.ndarray, tests: int) -> bool:
    """Return whether a table of every second file tells the letters of the others, beyond chance in so many tests."""
    size = int(line.max()) + 1
    learnt, asked = slice(0, None, 2), slice(1, None, 2)
    table = np.bincount(codes[learnt] * size + line[learnt], minlength=(int(codes.max()) + 1) * size)
    table = table.reshape(-1, size)
    known: np.ndarray = table.sum(axis=1) > 0
    seen = known[codes[asked]]
    right, n = int((table.argmax(axis=1)[codes[asked]] == line[asked])[seen].sum()), int(seen.sum())
    if n < LEAST_FILES // 4 or right < TOLD * n:
        return False
    often = np.bincount(line[asked]).max() / len(line[asked])
    return bool(special.bdtrc(right - 1, n, often) * tests < LEVEL)


def numbers_of(data: bytes) -> Iterator[tuple[str, int]]:
    """Yield the numbers of a picture's file that pixels do not need: (what it is, the number)."""
    yield "the file's length", len(data)
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            yield from _of_png(data)
        elif data[:2] == b"\xff\xd8":
            yield from _of_jpeg(data)
        elif data[:3] == b"GIF" and len(data) > 13 and data[10] & 0x80:
            yield from _of_palette(data[13 : 13 + 3 * (2 << (data[10] & 7))], 3)
        elif data[:2] == b"BM":
            for side, at in (("horizontal", 38), ("vertical", 42)):
                yield f"the {side} density", struct.unpack_from("<i", data, at)[0]
            start = struct.unpack_from("<I", data, 10)[0]
            yield from _of_palette(data[54:start], 4)
    except (struct.error, IndexError, ZeroDivisionError):  # a damaged file; what was read counts
        return


def _of_png(data: bytes) -> Iterator[tuple[str, int]]:
    at, packed, parts = 8, bytearray(), 0
    while at + 12 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + size]
        at += 12 + size
        if kind == b"IDAT":
            packed += body
            parts += 1
        elif kind == b"PLTE":
            yield from _of_palette(body, 3)
        elif kind == b"pHYs":
            for side, place in (("horizontal", 0), ("vertical", 4)):
                yield f"the {side} density", struct.unpack_from(">I", body, place)[0]
        elif kind not in (b"IHDR", b"IEND") and kind.isalpha():
            name = kind.decode("latin-1")
            yield f"the length of the {name} chunk", size
            yield f"the {name} chunk", int.from_bytes(body[:4], "big")
    yield "the length of the packed pixels", len(packed)
    yield "the number of parts of the packed pixels", parts
    yield from _of_rows(data, bytes(packed))


def _of_rows(data: bytes, packed: bytes) -> Iterator[tuple[str, int]]:
    """Yield what the first rows' filters are as a number, which the writer of a PNG chooses freely."""
    width, _, depth, colour, _, _, interlaced = struct.unpack_from(">IIBBBBB", data, 16)
    if interlaced:
        return
    row = 1 + (width * depth * {2: 3, 4: 2, 6: 4}.get(colour, 1) + 7) // 8
    if row > _WIDEST:
        return
    try:
        rows = zlib.decompressobj().decompress(packed, _ROWS * row)
    except zlib.error:
        return
    yield "the filters of the first rows", sum(kind % 5 * 5**k for k, kind in enumerate(rows[::row]))


def _of_jpeg(data: bytes) -> Iterator[tuple[str, int]]:
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        kind, size = struct.unpack_from(">BH", data, at + 1)
        if kind == 0xE0 and data[at + 4 : at + 9] == b"JFIF\0":
            for side, place in (("horizontal", 12), ("vertical", 14)):
                yield f"the {side} density", struct.unpack_from(">H", data, at + place)[0]
        elif kind == 0xDD:
            yield "the restart interval", struct.unpack_from(">H", data, at + 4)[0]
        at += 2 + size


def _of_palette(colours: bytes, step: int) -> Iterator[tuple[str, int]]:
    """Yield a palette's length, and its order as a number: which of all orders of its first colours it is."""
    yield "the length of the palette", len(colours) // step
    some = [colours[k : k + step] for k in range(0, min(len(colours), _COLOURS * step), step)]
    rank = 0
    for k, colour in enumerate(some):
        rank += sum(other < colour for other in some[k + 1 :]) * math.factorial(len(some) - 1 - k)
    yield "the order of the palette", rank

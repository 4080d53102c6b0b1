"""The bytes of an ONNX file, before a library parses them: all but the weights is small.

A parser makes an object of some hundred bytes out of each message, and a message may be two bytes long. So a file of 60
MB could take many GB. Here the file is walked through without making anything of it.
"""

from collections.abc import Iterator

from storage.networks.unfit import Unfit

MOST_BESIDE_WEIGHTS = 1 << 20  # bytes: operators, names and the record; the shipped model has 83,000
_GRAPH, _ARRAY, _RAW = 7, 5, 9  # field numbers: of the model, of the graph, of an array
_NOTE = 14  # of the model
_MOST_FIELDS = 100_000  # of the model, the graph and its arrays; the shipped model has some 500
_VARINT, _SIZED, _SIZES = 0, 2, {1: 8, 5: 4}  # wire types; those of 64 and 32 bits with their bytes


def require_lean(data: bytes) -> None:
    """Refuse a file that has much beside the bytes of its arrays.

    Raises
    ------
    Unfit
    ValueError
        It is no sequence of fields, so no ONNX.
    """
    walk, beside = _Walk(data), len(data)
    for number, start, end in walk.fields(0, len(data)):
        if number == _GRAPH:
            for inner, first, last in walk.fields(start, end):
                if inner == _ARRAY:
                    beside -= sum(stop - at for field, at, stop in walk.fields(first, last) if field == _RAW)
    if beside > MOST_BESIDE_WEIGHTS:
        raise Unfit(f"has {beside:,} bytes beside its weights; at most {MOST_BESIDE_WEIGHTS:,} are allowed")


def notes_of(data: bytes) -> dict[str, str]:
    """Return the notes that a file carries beside its network; only of a file that is known to be whole."""
    walk, notes = _Walk(data), {}
    for number, start, end in walk.fields(0, len(data)):
        if number == _NOTE:
            key, value = (data[at:stop].decode() for _, at, stop in walk.fields(start, end))
            notes[key] = value
    return notes


class _Walk:
    """A walk over a file's fields, of a bounded number of steps."""

    def __init__(self, data: bytes):
        self._data, self._steps = data, 0

    def fields(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Yield (number, start, end) of the fields that have a length, with where their bytes are."""
        at = start
        while at < end:
            self._steps += 1
            if self._steps > _MOST_FIELDS:
                raise Unfit(f"has over {_MOST_FIELDS:,} fields, which no model has")
            tag, at = _number(self._data, at, end)
            kind, size = tag & 7, 0
            if kind == _VARINT:
                _, at = _number(self._data, at, end)
            elif kind == _SIZED:
                size, at = _number(self._data, at, end)
            elif kind in _SIZES:
                size = _SIZES[kind]
            else:
                raise ValueError(f"has a field of wire type {kind}, which no ONNX file has")
            if at + size > end:
                raise ValueError("was cut short")
            if kind == _SIZED:
                yield tag >> 3, at, at + size
            at += size


def _number(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Read a number of seven bits a byte; return it, and where it ends."""
    value = shift = 0
    while at < end and shift < 70:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
    raise ValueError("was cut short")

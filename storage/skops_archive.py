"""Skops archives read by ourselves: the arrays and plain values of a model file, without scikit-learn and without code.

skops imports scikit-learn, and that takes longer than to read a picture. skops stays the writer, so that users of
scikit-learn can open a model file.
"""

import io
import json
import math
import os
import zipfile
from typing import Any, NamedTuple

import numpy as np
from numpy.lib import format as npy

MOST_BYTES = 64 << 20  # of all members together, unpacked: eighty times the shipped model
LARGER = "CAPTCHAS_MODEL_BYTES"  # a variable of the environment, in place of `MOST_BYTES`
MOST_SCHEMA = 8 << 20  # of these the schema: a hundred times the shipped model's
MOST_MEMBERS = 1000
MOST_DIRECTORY = 1 << 18  # bytes: of so many members with names as skops gives
SCHEMA = "schema.json"


class StoredObject(NamedTuple):
    """An object of the archive that is not built: its class's name and its attributes."""

    name: str
    attributes: dict[str, Any]


def open_archive(data: bytes) -> tuple[zipfile.ZipFile, Any]:
    """Open an archive and read its schema, once the sizes that its members claim are within bounds.

    Raises
    ------
    ValueError
        Too many or too large members, two of one name, or no schema.
    zipfile.BadZipFile, zlib.error, UnicodeDecodeError, json.JSONDecodeError, RecursionError
    """
    _require_short_directory(data)
    archive = zipfile.ZipFile(io.BytesIO(data))
    members = archive.infolist()
    total = sum(member.file_size for member in members)
    most = most_bytes()
    if len(members) > MOST_MEMBERS or total > most:
        raise ValueError(
            f"must have at most {MOST_MEMBERS} members of {most} bytes in all; has {len(members)} of {total}; "
            f"{LARGER} may allow more bytes"
        )
    names = [member.filename for member in members]
    if len(set(names)) < len(names) or SCHEMA not in names:
        raise ValueError(f"must have {SCHEMA}, and no name twice")
    size = archive.getinfo(SCHEMA).file_size
    if size > MOST_SCHEMA:  # as objects it takes thirty times the bytes
        raise ValueError(f"{SCHEMA} must have at most {MOST_SCHEMA} bytes; has {size}")
    return archive, json.loads(_unpacked(archive, SCHEMA))


def _require_short_directory(data: bytes) -> None:
    """Refuse a directory of more bytes than a thousand members take: each entry becomes an object of 500 bytes."""
    end = data.rfind(b"PK\5\6")  # where `zipfile` looks for it too
    size = int.from_bytes(data[end + 12 : end + 16], "little")
    if end >= 0 and (size > MOST_DIRECTORY or data[end - 20 : end - 16] == b"PK\6\7"):  # which moves it elsewhere
        raise ValueError(f"its directory must have at most {MOST_DIRECTORY} bytes; has {size}")


def _unpacked(archive: zipfile.ZipFile, name: str) -> bytes:
    """Unpack a member, and no more of it than it claims to have: `ZipFile.read` unpacks all, and then cuts off.

    Raises
    ------
    ValueError
        It is packed in a way that no model is, of which there is no such bound.
    """
    member = archive.getinfo(name)
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{name} must be stored or deflated; its method is {member.compress_type}")
    with archive.open(member) as file:
        return file.read(member.file_size + 1)


def most_bytes() -> int:
    """Return how many bytes the members of an archive may have together: `MOST_BYTES`, or what the user allows.

    Raises
    ------
    ValueError
        The variable is no number.
    """
    asked = os.environ.get(LARGER, "")
    if asked and not (asked.isascii() and asked.isdecimal()):
        raise ValueError(f"{LARGER} must be a number of bytes; it is {asked!r}")
    return int(asked or MOST_BYTES)


def values_of(archive: zipfile.ZipFile, node: Any) -> Any:
    """Return the value of a node: plain values, arrays, and `StoredObject` for objects. Nothing is imported or called.

    Raises
    ------
    ValueError, KeyError, TypeError
        A node or an array that is not what skops writes.
    """
    return _Values(archive).of(node)


class _Values:
    """The values of an archive's nodes. Several may have one member, so their bytes are counted anew."""

    def __init__(self, archive: zipfile.ZipFile):
        self._archive = archive
        self._left = most_bytes()

    def of(self, node: Any) -> Any:
        match node["__loader__"]:
            case "JsonNode":
                return json.loads(node["content"])
            case "TypeNode":
                return None
            case "DictNode":
                return {key: self.of(child) for key, child in node["content"].items()}
            case "ListNode":
                return [self.of(child) for child in node["content"]]
            case "TupleNode":
                return tuple(self.of(child) for child in node["content"])
            case "NdArrayNode":
                array = _array(self._member(node["file"]))
                return array if node["__class__"] == "ndarray" else array[()]
            case "ObjectNode":
                return StoredObject(node["__class__"], self.of(node["content"]))
            case loader:
                raise ValueError(f"{loader!r} is not a kind of node that a model has")

    def _member(self, name: str) -> bytes:
        self._left -= self._archive.getinfo(name).file_size
        if self._left < 0:
            raise ValueError(f"the arrays have more than {most_bytes()} bytes together; {LARGER} may allow more")
        return _unpacked(self._archive, name)


def _array(data: bytes) -> np.ndarray:
    """Read a .npy member of numbers in the memory order that it was stored in.

    The header is compared with the member's size before memory is taken, which `numpy.load` does not do.
    """
    stream = io.BytesIO(data)
    version = npy.read_magic(stream)
    if version == (1, 0):
        shape, fortran, dtype = npy.read_array_header_1_0(stream)
    elif version == (2, 0):
        shape, fortran, dtype = npy.read_array_header_2_0(stream)
    else:
        raise ValueError(f".npy version {version} is not 1.0 or 2.0")
    if dtype.kind not in "fiu" or any(side < 0 for side in shape):
        raise ValueError(f"an array must be of numbers, not {dtype} {shape}")
    if math.prod(shape) * dtype.itemsize != len(data) - stream.tell():
        raise ValueError(f"an array of {shape} {dtype} has {len(data) - stream.tell()} bytes")
    flat = np.frombuffer(data, dtype, offset=stream.tell()).copy()
    return flat.reshape(shape[::-1]).T if fortran else flat.reshape(shape)

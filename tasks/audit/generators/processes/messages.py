"""Messages between the processes that draw: a JSON object, and the bytes of a picture behind it.

What comes from an owner's process may be anything, so a message is checked and never unpickled.
"""

import json
import os
import struct
from typing import Any

MOST_HEADER = 1 << 20  # bytes of the JSON
_SIZES = struct.Struct("<II")  # of the JSON and of what is behind it


class Garbled(ValueError):
    """The bytes are no message."""


def packed(header: dict[str, Any], body: bytes = b"") -> bytes:
    """Return a message as bytes."""
    text = json.dumps(header).encode()
    return _SIZES.pack(len(text), len(body)) + text + body


def unpacked(data: bytes | bytearray, most: int) -> tuple[dict[str, Any], bytes] | None:
    """Return a message; None if its end has not come yet.

    Raises
    ------
    Garbled
    """
    if len(data) < _SIZES.size:
        return None
    header, body = _SIZES.unpack_from(data)
    if header > MOST_HEADER or body > most:
        raise Garbled(f"a message of {header:,} and {body:,} bytes")
    end = _SIZES.size + header + body
    if len(data) < end:
        return None
    try:
        found = json.loads(bytes(data[_SIZES.size : _SIZES.size + header]))
    except (ValueError, RecursionError) as error:
        raise Garbled(str(error)) from error
    if len(data) > end or not isinstance(found, dict):
        raise Garbled("more than a message")
    return found, bytes(data[_SIZES.size + header : end])


def send(number: int, header: dict[str, Any], body: bytes = b"") -> None:
    """Write a message to a pipe."""
    data = memoryview(packed(header, body))
    while data:
        data = data[os.write(number, data) :]


def receive(number: int, most: int) -> tuple[dict[str, Any], bytes] | None:
    """Read the next message from a pipe, and no byte more; None at its end.

    Raises
    ------
    Garbled
    """
    data = b""
    while (message := unpacked(data, most)) is None:
        wanted = _SIZES.size if len(data) < _SIZES.size else _SIZES.size + sum(_SIZES.unpack_from(data))
        more = os.read(number, wanted - len(data))
        if not more:
            return None
        data += more
    return message

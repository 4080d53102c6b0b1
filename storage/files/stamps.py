"""Stamps: the size and the time of change of a file, as numbers that SQLite can hold."""

import os

Stamp = tuple[int, int]  # size in bytes and mtime in ns, each in int64
_HALF, _WHOLE = 1 << 63, 1 << 64


def stamp_of(status: os.stat_result) -> Stamp:
    """Return the stamp of a file.

    File systems and archives keep times before 1677 and after 2262, whose nanoseconds do not fit into int64. Such a
    time is taken modulo 2**64: any two times within 584 years stay different.
    """
    return as_int64(status.st_size), as_int64(status.st_mtime_ns)


def as_int64(number: int) -> int:
    """Return the integer from -2**63 to 2**63 - 1 that equals `number` modulo 2**64."""
    return number if -_HALF <= number < _HALF else (number + _HALF) % _WHOLE - _HALF

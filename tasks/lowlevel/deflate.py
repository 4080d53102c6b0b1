"""Pack pictures that are mostly background into a zlib stream: Huffman codes, and matches for runs of zeros only.

Any zlib reads the stream (RFC 1950, RFC 1951). A picture of text is runs of background between short
runs of ink, so a search for other repeats costs more time than it saves bytes: compared with isal's fastest
level this takes half the time for 7 % more bytes on pictures like the book's (`make bench`), but 50 % more bytes
on pictures full of noise.
"""

from typing import NamedTuple

import numba
import numpy as np

from tasks.lowlevel.padding import to_read
from tasks.lowlevel.unaligned import load64, store64, trailing_zeros

SAMPLE = 32  # the codes are made from every 32nd KiB
LONGEST_CODE = 14  # four codes and the rest of a byte fit into 64 bits; the format allows 15
LONGEST_MATCH = 258  # bytes
_SPARE = 64  # bytes of `out` for the end of the block, and for whole words written past it
_END = 256  # the symbol that ends a block
_ADLER = 65521  # the largest prime below 2**16, modulus of Adler-32 (RFC 1950)
_SEEN = 8  # the count of a symbol for each time it is in the sample; a symbol that is not in it counts 1
_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)  # of code lengths, RFC 1951 3.2.7
_U = np.uint64


def _length_symbols() -> np.ndarray:
    """Return the symbol, the number of extra bits and their value of each match, by its length, (259, 3) int64."""
    table = np.zeros((LONGEST_MATCH + 1, 3), np.int64)
    length = 3
    for symbol in range(257, 285):
        bits = max(0, (symbol - 261) // 4)
        for extra in range(1 << bits):
            table[length] = symbol, bits, extra
            length = min(length + 1, LONGEST_MATCH)
    table[LONGEST_MATCH] = 285, 0, 0
    return table


LENGTH_SYMBOLS = _length_symbols()


class Tables(NamedTuple):
    """Codes to send, their bits in sending order, each array of uint64.

    codes, lengths : (286,), by symbol
    run_codes, run_lengths : (259,), by the number of zeros in a run that follow its first zero
    """

    codes: np.ndarray
    lengths: np.ndarray
    run_codes: np.ndarray
    run_lengths: np.ndarray


def compress(data: np.ndarray) -> bytes:
    """Pack `data`, (n,) uint8, C-contiguous, into a zlib stream.

    The codes come from a sample, so that a single pass does the rest; the same data give the same bytes.
    """
    data = to_read(data)
    lengths = code_lengths(_count_symbols(data, LENGTH_SYMBOLS, SAMPLE))
    codes = codes_of(lengths)
    start, bits = _header(lengths)
    out = np.empty(len(start) + len(data) * LONGEST_CODE // 8 + _SPARE, np.uint8)
    out[: len(start)] = np.frombuffer(start, np.uint8)
    used, rest, bits, ink, moment = _encode(data, _tables(codes, lengths), out, len(start) - 1, start[-1], bits)
    rest = int(rest) | int(codes[_END]) << int(bits)
    end = rest.to_bytes(-(-(int(bits) + int(lengths[_END])) // 8), "little")
    first = (1 + int(ink)) % _ADLER
    second = (len(data) * (1 + int(ink)) - int(moment)) % _ADLER
    return b"".join([out[:used].data, end, (second << 16 | first).to_bytes(4, "big")])


def _tables(codes: np.ndarray, lengths: np.ndarray) -> Tables:
    symbols, extra_bits, extra = LENGTH_SYMBOLS.T
    run_codes = codes[symbols] | extra << lengths[symbols]
    run_lengths = lengths[symbols] + extra_bits + 1  # and a bit 0, the code of distance 1: no other distance is used
    # A run too short for a match is sent zero by zero, from the same table.
    run_codes[:3] = 0, codes[0], codes[0] | codes[0] << lengths[0]
    run_lengths[:3] = 0, lengths[0], 2 * lengths[0]
    return Tables(codes.astype(_U), lengths.astype(_U), run_codes.astype(_U), run_lengths.astype(_U))


@numba.njit(cache=True, nogil=True)
def _count_symbols(data, table, step):
    """Count each symbol in a sample of `data`, (286,) int64; at least 1 each, since the rest of `data` may have it."""
    counts = np.ones(286, np.int64)
    for first in range(0, len(data), 1024 * step):
        place, stop = first, min(first + 1024, len(data))
        while place < stop:
            end = place + 1
            if data[place] == 0:
                while end < stop and data[end] == 0:
                    end += 1
                left = end - place - 1
                counts[285] += _SEEN * (left // LONGEST_MATCH)
                left %= LONGEST_MATCH
                if left >= 3:
                    counts[table[left, 0]] += _SEEN
                else:
                    counts[0] += _SEEN * left
            counts[data[place]] += _SEEN
            place = end
    return counts


@numba.njit(cache=True, nogil=True)
def code_lengths(counts):
    """Return the lengths of a prefix code, at most `LONGEST_CODE`, for symbols that come so often, (n,) int64."""
    n = len(counts)
    counts = counts.copy()
    lengths = np.zeros(n, np.int64)
    while True:
        # Huffman's method with two queues: leaves in order of count, and inner nodes, made in order of their weight.
        order = np.argsort(counts, kind="mergesort")
        weight = np.zeros(2 * n - 1, np.int64)
        parent = np.zeros(2 * n - 1, np.int64)
        weight[:n] = counts[order]
        leaf, inner = 0, n
        for node in range(n, 2 * n - 1):
            for _ in range(2):
                if leaf < n and (inner >= node or weight[leaf] <= weight[inner]):
                    chosen = leaf
                    leaf += 1
                else:
                    chosen = inner
                    inner += 1
                weight[node] += weight[chosen]
                parent[chosen] = node
        depth = np.zeros(2 * n - 1, np.int64)
        for node in range(2 * n - 3, -1, -1):
            depth[node] = depth[parent[node]] + 1
        if depth[:n].max() <= LONGEST_CODE:
            break
        counts = (counts + 1) // 2  # flatter counts give shorter codes
    lengths[order] = depth[:n]
    return lengths


@numba.njit(cache=True, nogil=True)
def codes_of(lengths):
    """Return the canonical codes of these lengths (RFC 1951, 3.2.2), their bits reversed for sending, (n,) int64."""
    codes = np.zeros(len(lengths), np.int64)
    code = 0
    for length in range(1, LONGEST_CODE + 1):
        for symbol in range(len(lengths)):
            if lengths[symbol] == length:
                for bit in range(length):
                    codes[symbol] |= ((code >> bit) & 1) << (length - 1 - bit)
                code += 1
        code <<= 1
    return codes


@numba.njit(cache=True, nogil=True)
def _flush(out, used, rest, bits):
    """Write the whole bytes among the lowest `bits` of `rest`; returns the new `used`, `rest` and `bits`."""
    store64(out, used, rest)
    whole = bits >> _U(3)
    return used + whole, rest >> (whole << _U(3)), bits & _U(7)


@numba.njit(cache=True, nogil=True)
def _encode(data, tables, out, used, rest, bits):
    """Write the symbols of `data` into `out` from byte `used` on.

    Returns the bytes used, the bits after them and how many they are, and for the checksum the sum of the bytes
    and of each byte times its place (below 2**64 for any array under 256 MB).
    """
    codes, lengths, run_codes, run_lengths = tables
    longest = _U(LONGEST_MATCH)
    place, stop = _U(0), _U(len(data))
    ink, moment = _U(0), _U(0)
    used, rest, bits = _U(used), _U(rest), _U(bits)
    while place < stop:
        value = _U(data[place])
        if value:
            count = 0
            while True:
                rest |= codes[value] << bits
                bits += lengths[value]
                ink += value
                moment += value * place
                place += _U(1)
                count += 1
                if count == 4 or place == stop:
                    break
                value = _U(data[place])
                if not value:
                    break
        else:
            end = place + _U(1)
            while end + _U(8) <= stop:
                word = load64(data, end)
                if word:
                    end += trailing_zeros(word) >> _U(3)
                    break
                end += _U(8)
            else:
                while end < stop and data[end] == 0:
                    end += _U(1)
            left = end - place - _U(1)
            place = end
            rest |= codes[0] << bits
            bits += lengths[0]
            while left > longest:
                rest |= run_codes[longest] << bits
                bits += run_lengths[longest]
                left -= longest
                used, rest, bits = _flush(out, used, rest, bits)
            rest |= run_codes[left] << bits
            bits += run_lengths[left]
        used, rest, bits = _flush(out, used, rest, bits)
    return used, rest, bits, ink, moment


def _header(lengths: np.ndarray) -> tuple[bytes, int]:
    """Return the stream up to its first symbol, and how many bits of its last byte are used."""
    # After the preamble come the lengths, 4 bits each, the highest first.
    sent = np.append(lengths, 1)[:, None] >> np.arange(3, -1, -1) & 1
    bits = np.concatenate([PREAMBLE, sent.ravel().astype(np.uint8)])
    return np.packbits(np.append(bits, 0), bitorder="little").tobytes(), len(bits) % 8


def _preamble() -> np.ndarray:
    """Return the bits before the lengths, an entry for each, uint8."""
    fields = [
        (0x0178, 16),  # a window of 32 KiB, fastest; a multiple of 31 as 0x7801
        (1, 1), (2, 2),  # the last block, with codes of its own:
        (286 - 257, 5), (0, 5),  # all literals and lengths, a single distance
        (len(_ORDER) - 4, 4),
        *((4 if symbol < 16 else 0, 3) for symbol in _ORDER),  # lengths 0 to 15 have 4 bits, repeats no code
    ]  # fmt: skip
    return np.array([value >> bit & 1 for value, count in fields for bit in range(count)], np.uint8)


PREAMBLE = _preamble()

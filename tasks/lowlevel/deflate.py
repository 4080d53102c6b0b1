"""A zlib stream for pictures that are mostly background: Huffman codes, and matches for runs of zeros only.

Any zlib reads what it writes (RFC 1950, RFC 1951). A picture of text is runs of background between short
runs of ink, so looking for repeats elsewhere costs more time than it saves bytes: beside isal's fastest
level this takes half the time for 7 % more bytes on pictures like the book's (`make bench`), but half as many bytes
again on pictures full of noise.
"""

import numba
import numpy as np

from tasks.lowlevel.unaligned import load64, store64, trailing_zeros

SAMPLE = 32  # one KiB in so many decides about the codes
LONGEST_CODE = 14  # four codes and what is left of a byte fit into 64 bits; the format allows 15
_END = 256
_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)  # of code lengths, RFC 1951 3.2.7
_U = np.uint64


def _length_symbols() -> np.ndarray:
    """For a match of 3 to 258 bytes: symbol, number of extra bits, and their value, (259, 3) int64."""
    table = np.zeros((259, 3), np.int64)
    length = 3
    for symbol in range(257, 285):
        bits = max(0, (symbol - 261) // 4)
        for extra in range(1 << bits):
            table[length] = symbol, bits, extra
            length = min(length + 1, 258)
    table[258] = 285, 0, 0
    return table


LENGTH_SYMBOLS = _length_symbols()


def compress(data: np.ndarray) -> bytes:
    """A zlib stream of `data`, (n,) uint8, C-contiguous.

    The codes come from a sample, so that one pass does the rest; the same data give the same bytes.
    """
    lengths = code_lengths(_count_symbols(data, LENGTH_SYMBOLS, SAMPLE))
    codes = codes_of(lengths)
    symbols, extra_bits, extra = LENGTH_SYMBOLS.T
    match_codes = codes[symbols] | extra << lengths[symbols]
    match_lengths = lengths[symbols] + extra_bits + 1  # one bit more, 0: the code of distance 1, the only one
    # Runs too short for a match: zeros one by one, in the same table.
    match_codes[:3] = 0, codes[0], codes[0] | codes[0] << lengths[0]
    match_lengths[:3] = 0, lengths[0], 2 * lengths[0]
    start, bits = _header(lengths)
    out = np.empty(len(start) + len(data) * LONGEST_CODE // 8 + 64, np.uint8)
    out[: len(start)] = np.frombuffer(start, np.uint8)
    used, rest, bits, ink, moment = _encode(
        data, codes.astype(_U), lengths.astype(_U), match_codes.astype(_U), match_lengths.astype(_U), out,
        len(start) - 1, start[-1], bits,
    )  # fmt: skip
    rest = int(rest) | int(codes[_END]) << int(bits)
    end = rest.to_bytes(-(-(int(bits) + int(lengths[_END])) // 8), "little")
    first = (1 + int(ink)) % 65521
    second = (len(data) * (1 + int(ink)) - int(moment)) % 65521
    return b"".join([out[:used].data, end, (second << 16 | first).to_bytes(4, "big")])


@numba.njit(cache=True, nogil=True)
def _count_symbols(data, table, step):
    """How often each symbol comes in a sample of `data`, (286,) int64; each at least once, for it may yet come."""
    counts = np.ones(286, np.int64)
    for first in range(0, len(data), 1024 * step):
        place, stop = first, min(first + 1024, len(data))
        while place < stop:
            end = place + 1
            if data[place] == 0:
                while end < stop and data[end] == 0:
                    end += 1
                left = end - place - 1
                counts[285] += 8 * (left // 258)
                left %= 258
                if left >= 3:
                    counts[table[left, 0]] += 8
                else:
                    counts[0] += 8 * left
            counts[data[place]] += 8
            place = end
    return counts


@numba.njit(cache=True, nogil=True)
def code_lengths(counts):
    """Lengths, at most `LONGEST_CODE`, of a prefix code for symbols that come so often, (n,) int64."""
    n = len(counts)
    counts = counts.copy()
    lengths = np.zeros(n, np.int64)
    while True:
        # Huffman with two queues: leaves in order of count, and inner nodes, which come in order by themselves.
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
    """Canonical codes, their bits reversed as deflate sends them, (n,) int64."""
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
def _encode(data, codes, lengths, match_codes, match_lengths, out, used, rest, bits):
    """Write the symbols of `data` into `out` from byte `used` on.

    Returns bytes used, the bits after them and how many, and for the check sum the sum of the bytes
    and of each byte times its place (below 2**64 for any array under 256 MB).
    """
    one, eight, longest = _U(1), _U(8), _U(258)
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
                place += one
                count += 1
                if count == 4 or place == stop:
                    break
                value = _U(data[place])
                if not value:
                    break
        else:
            end = place + one
            while end + eight <= stop:
                word = load64(data, end)
                if word:
                    end += trailing_zeros(word) >> _U(3)
                    break
                end += eight
            else:
                while end < stop and data[end] == 0:
                    end += one
            left = end - place - one
            place = end
            rest |= codes[0] << bits
            bits += lengths[0]
            while left > longest:
                rest |= match_codes[longest] << bits
                bits += match_lengths[longest]
                left -= longest
                store64(out, used, rest)
                whole = bits >> _U(3)
                used += whole
                rest >>= whole << _U(3)
                bits &= _U(7)
            rest |= match_codes[left] << bits
            bits += match_lengths[left]
        store64(out, used, rest)
        whole = bits >> _U(3)
        used += whole
        rest >>= whole << _U(3)
        bits &= _U(7)
    return used, rest, bits, ink, moment


def _header(lengths: np.ndarray) -> tuple[bytes, int]:
    """The stream up to its first symbol, and how many bits of its last byte are used."""
    # After the zlib header each length is sent as it is, with 4 bits, the highest first.
    sent = np.append(lengths, 1)[:, None] >> np.arange(3, -1, -1) & 1
    bits = np.concatenate([PREAMBLE, sent.ravel().astype(np.uint8)])
    return np.packbits(np.append(bits, 0), bitorder="little").tobytes(), len(bits) % 8


def _preamble() -> np.ndarray:
    """What comes before the lengths, a bit an entry."""
    fields = [
        (0x0178, 16),  # a window of 32 KiB, fastest; a multiple of 31 as 0x7801
        (1, 1), (2, 2),  # the last block, with codes of its own:
        (286 - 257, 5), (0, 5),  # all literals and lengths, one distance
        (len(_ORDER) - 4, 4),
        *((4 if symbol < 16 else 0, 3) for symbol in _ORDER),  # lengths 0 to 15 have 4 bits, repeats no code
    ]  # fmt: skip
    return np.array([value >> bit & 1 for value, count in fields for bit in range(count)], np.uint8)


PREAMBLE = _preamble()

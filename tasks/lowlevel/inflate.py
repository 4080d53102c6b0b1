"""Unpack the streams of `tasks.lowlevel.deflate`, in two thirds of the time that a decoder for any zlib stream takes.

It knows only that kind of stream: one block, codes of 1 to 14 bits for every symbol, and matches for runs of
zeros only. A look-up of 11 bits gives up to four bytes and the run of zeros after them, so that most
look-ups give several symbols. It refuses any other stream and any damaged stream; the caller then asks zlib.
"""

import numba
import numpy as np

from tasks.lowlevel.deflate import LENGTH_SYMBOLS, LONGEST_CODE, LONGEST_MATCH, PREAMBLE, codes_of
from tasks.lowlevel.unaligned import load64, store64

WIDTH = 11  # bits of a look-up: with 12 the entries, 32 KB, would fill the fastest cache
_HEAD = len(PREAMBLE)  # bits before the codes' lengths
_PREFIX = np.packbits(PREAMBLE, bitorder="little")  # of the last byte not all bits are in use
_SYMBOLS = 286  # bytes, the end, and lengths of matches
_FIRST = (_HEAD + (_SYMBOLS + 1) * 4) // 8  # the byte in which the first symbol begins …
_SKIP = (_HEAD + (_SYMBOLS + 1) * 4) % 8  # … and at which bit
_END = 256  # the symbol that ends the block
_U = np.uint64

# An entry: from the lowest bit on how many bits it takes (6 bits), how many bytes it gives (3), the run of zeros
# after them (10), both together (10), three flags, and from bit 32 on the bytes. The flags `_OTHER` and `_BEGINS`
# together mean a match that does not fit into an entry: then its fields are the bits of its code (6), the number of
# extra bits of its length (3), and its shortest length (10).
_BYTES, _RUN, _BOTH = 6, 9, 19
_BEGINS, _INK, _OTHER = _U(1 << 29), _U(1 << 30), _U(1 << 31)  # begins with a run; ends with ink; is no entry
_MOST = 1019  # zeros of a run: with the four bytes before it, 10 bits hold the sum
_ROOM = 4 * (4 + _MOST) + 8  # what four entries may write
_TAKEN = 40  # bytes of the stream that four entries may take: five times a word
_FULL = _U(56)  # bits at least after taking a word
_CHECKSUM = 4  # bytes of Adler-32 after the last symbol
_AHEAD = 1 << 13  # zeros written at a time, while they are still in the fastest cache


def _match_lengths() -> np.ndarray:
    """Return each symbol's shortest match and its number of extra bits, (286, 2) int64; zeros for bytes."""
    table = np.zeros((_SYMBOLS, 2), np.int64)
    for length in range(LONGEST_MATCH, 2, -1):
        symbol, bits, _ = LENGTH_SYMBOLS[length]
        table[symbol] = length, bits
    return table


MATCHES = _match_lengths()


def inflate(stream: bytes, out: np.ndarray) -> bool:
    """Unpack a zlib stream of `tasks.lowlevel.deflate` into `out`, (n,) uint8, C-contiguous.

    Returns
    -------
    bool
        True: `out` holds all n bytes of the stream; its checksum, the last 4 bytes, was not compared.
        False: the stream is of another kind, holds another number of bytes, or is damaged; `out` holds anything.
    """
    source = np.frombuffer(stream, np.uint8)
    source.flags.writeable = False  # as of bytes: of another kind the kernels would be compiled anew
    if len(source) <= _FIRST:
        return False
    symbols = np.empty(1 << LONGEST_CODE, np.uint16)
    entries = np.empty(1 << WIDTH, np.uint64)
    if not _known(source, _PREFIX, symbols):
        return False
    return bool(_decode(source, symbols, _entries(symbols, MATCHES, entries), MATCHES, out))


@numba.njit(cache=True, nogil=True)
def _known(source, prefix, symbols):
    """Check the start of a stream, and fill `symbols`: by the next 14 bits, symbol << 4 | length of its code.

    Returns whether it starts like the streams of `tasks.lowlevel.deflate`.
    """
    last = len(prefix) - 1
    for k in range(last):
        if source[k] != prefix[k]:
            return False
    if (source[last] ^ prefix[last]) & ((1 << _HEAD % 8) - 1):
        return False
    lengths = np.zeros(_SYMBOLS + 1, np.int64)  # and of the only distance
    taken = 0
    for symbol in range(_SYMBOLS + 1):
        for k in range(4):
            bit = _HEAD + 4 * symbol + k
            lengths[symbol] = lengths[symbol] << 1 | source[bit >> 3] >> (bit & 7) & 1
        if symbol < _SYMBOLS:
            if not 1 <= lengths[symbol] <= LONGEST_CODE:
                return False
            taken += 1 << LONGEST_CODE - lengths[symbol]
    if taken != 1 << LONGEST_CODE or lengths[_SYMBOLS] != 1:
        return False
    codes = codes_of(lengths[:_SYMBOLS])
    for symbol in range(_SYMBOLS):  # Kraft's sum is 1, so every entry is filled
        found = np.uint16(symbol << 4 | lengths[symbol])
        for entry in range(codes[symbol], 1 << LONGEST_CODE, 1 << lengths[symbol]):
            symbols[entry] = found
    return True


@numba.njit(cache=True, nogil=True)
def _entries(symbols, matches, entries):
    """Fill `entries`: by the next 11 bits, as many whole symbols as an entry holds."""
    for bits in range(1 << WIDTH):
        used, count, run, values, begins, zero = 0, 0, 0, 0, False, False
        while True:
            found = symbols[bits >> used]
            symbol, length = found >> 4, found & 15
            if symbol < _END:
                if used + length > WIDTH or (run and symbol) or (not run and count == 4) or run == _MOST:
                    break
                zero = symbol == 0
                if run:
                    run += 1
                else:
                    values |= symbol << 8 * count
                    count += 1
                used += length
            elif symbol == _END:
                break
            else:
                extra = matches[symbol, 1]
                if used + length + extra + 1 > WIDTH or (used and not zero):
                    break
                more = matches[symbol, 0] + (bits >> used + length & (1 << extra) - 1)
                if run + more > _MOST or bits >> used + length + extra & 1 or more > LONGEST_MATCH:
                    break
                begins |= used == 0
                zero = True
                run += more
                used += length + extra + 1
        if used == 0 and symbol > _END and length <= WIDTH:
            entries[bits] = _OTHER | _BEGINS | _U(length)
            entries[bits] |= _U(matches[symbol, 1]) << _U(_BYTES) | _U(matches[symbol, 0]) << _U(_RUN)
        elif used == 0:
            entries[bits] = _OTHER
        else:
            flags = (_BEGINS if begins else _U(0)) | (_U(0) if zero else _INK)
            entries[bits] = (
                flags | _U(used) | _U(count) << _U(_BYTES) | _U(run) << _U(_RUN) | _U(count + run) << _U(_BOTH)
                | _U(values) << _U(32)
            )  # fmt: skip
    return entries


@numba.njit
def _clear(out, start, stop):
    """Write zeros from `start` to `stop`; assigning to a slice would call memset each time, which takes longer."""
    while start + _U(32) <= stop:
        store64(out, start, _U(0))
        store64(out, start + _U(8), _U(0))
        store64(out, start + _U(16), _U(0))
        store64(out, start + _U(24), _U(0))
        start += _U(32)
    while start < stop:
        out[start] = 0
        start += _U(1)


@numba.njit(cache=True, nogil=True)
def _decode(source, symbols, entries, matches, out):  # noqa: C901, PLR0915 - split in three, it unpacked 4 % slower
    """Decode `source` from its first symbol on; returns whether it ends with just the bytes that fit into `out`."""
    mask, longest = _U((1 << WIDTH) - 1), _U((1 << LONGEST_CODE) - 1)
    size, room = _U(len(source)), _U(len(out))
    place, done, clean = _U(_FIRST), _U(0), _U(0)  # zeros stand from `done` to `clean`
    rest, bits = _U(source[place]) >> _U(_SKIP), _U(8 - _SKIP)
    place += _U(1)
    before = _INK  # the entry before: a run may only follow a zero
    wrong = _U(0)
    while True:
        while place + _U(_TAKEN) <= size and done + _U(_ROOM) <= room:
            if done + _U(_ROOM) > clean:
                stop = min(clean + _U(_AHEAD), room)
                _clear(out, clean, stop)
                clean = stop
            rest |= load64(source, place) << bits
            place += (_U(63) - bits) >> _U(3)
            bits |= _FULL
            for _ in range(4):
                entry = entries[rest & mask]
                if entry & _OTHER:
                    if not entry & _BEGINS:
                        break
                    # A run whose code and extra bits are more than a look-up has.
                    bits &= _U(63)
                    rest |= load64(source, place) << bits
                    place += (_U(63) - bits) >> _U(3)
                    bits |= _FULL
                    length, extra = entry & _U(63), entry >> _U(_BYTES) & _U(7)
                    rest >>= length
                    done += (entry >> _U(_RUN) & _U(1023)) + (rest & (_U(1) << extra) - _U(1))
                    rest >>= extra
                    wrong |= (before >> _U(1) | (rest & _U(1)) << _U(29)) & _BEGINS
                    rest >>= _U(1)
                    bits -= length + extra + _U(1)
                    before = _U(0)
                    continue
                rest >>= entry & _U(63)
                bits -= entry  # the lowest 6 bits of it count
                wrong |= before >> _U(1) & entry
                before = entry
                store64(out, done, entry >> _U(32))
                done += entry >> _U(_BOTH) & _U(1023)
            bits &= _U(63)
            if entry & _OTHER and not entry & _BEGINS:
                break
        # Decode one symbol and check every bound: for rare symbols, and near an end of either array.
        if place + _U(8) <= size:
            rest |= load64(source, place) << bits
            place += (_U(63) - bits) >> _U(3)
            bits |= _FULL
        else:
            while bits <= _FULL and place < size:
                rest |= _U(source[place]) << bits
                place += _U(1)
                bits += _U(8)
        found = _U(symbols[rest & longest])
        symbol, length = found >> _U(4), found & _U(15)
        if length > bits or wrong & _BEGINS:
            return False
        rest >>= length
        bits -= length
        if symbol < _U(_END):
            if done == room:
                return False
            out[done] = symbol
            done += _U(1)
            clean = max(clean, done)
            before = _INK if symbol else _U(0)
        elif symbol == _U(_END):
            return done == room and place - (bits >> _U(3)) + _U(_CHECKSUM) == size
        else:
            extra = _U(matches[symbol, 1])
            count = _U(matches[symbol, 0]) + (rest & (_U(1) << extra) - _U(1))
            if extra + _U(1) > bits or rest >> extra & _U(1) or before & _INK:
                return False
            if count > _U(LONGEST_MATCH) or count > room - done:
                return False
            rest >>= extra + _U(1)
            bits -= extra + _U(1)
            stop = done + count
            if clean < stop:
                _clear(out, clean, stop)
                clean = stop
            done = stop

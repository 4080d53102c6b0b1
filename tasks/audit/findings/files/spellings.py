"""The forms in which bytes may tell an answer: as it is, backwards, in base64, as a hash, and the like."""

import base64
import binascii
import codecs
import hashlib
import re
import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache

WORD = re.compile(rb"[^\W_]+")
LONGEST = 1 << 14  # bytes of which decoded forms are made
_BASE64, _HEX = re.compile(rb"[A-Za-z0-9+/_-]{4,}"), re.compile(rb"(?:[0-9A-Fa-f]{2}){2,}")
_URL = re.compile(rb"%([0-9A-Fa-f]{2})")
_HASHES = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
_LEAST_OF_HASH = 8  # digits of a hash that was cut off
_SHORTEST_FREE = 4  # letters of a text that is looked for in a file whose own text is not known
_MOST_WORDS = 200  # of bytes in which any answer is looked for
_MOST_RUNS = 50


@lru_cache(4)  # of one part, the file's own answer and another are looked for
def views_of(part: bytes) -> tuple[tuple[str, bytes], ...]:
    """Return bytes as they are, and what they are if they are base64, hexadecimal or percent signs.

    Returns
    -------
    tuple of (str, bytes)
        How, and the bytes in small letters.
    """
    return tuple((how, view.lower()) for how, view in decoded(part))


def decoded(part: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield bytes as they are, and what parts of them are in another notation: (how, bytes)."""
    yield "", part
    some = part[:LONGEST]
    for run in _BASE64.findall(some)[:_MOST_RUNS]:
        for start in range(min(3, len(run) - 3)):  # what stands before it may be no base64
            whole = run[start:].translate(bytes.maketrans(b"-_", b"+/"))
            whole = whole[: len(whole) - (len(whole) % 4 == 1)]
            yield "in base64", base64.b64decode(whole + b"=" * (-len(whole) % 4))
    for run in _HEX.findall(some)[:_MOST_RUNS]:
        yield "in hexadecimal", binascii.unhexlify(run)
    if b"%" in some:
        yield "in percent signs", _URL.sub(lambda found: bytes([int(found[1], 16)]), some)


def told_by(part: bytes, text: str, plainly: bool) -> str | None:
    """Return in which form some bytes tell an answer; None if they do not.

    Parameters
    ----------
    plainly : bool
        Whether the answer as it is counts too, and not only what hides it.
    """
    if len(text) > 1:
        for how, view in views_of(part):
            found = _written(view, text)
            if found is not None and (plainly or how or found != "as it is"):
                return f"{text!r}, {' '.join(filter(None, [found if found != 'as it is' or not how else '', how]))}"
    words = set(WORD.findall(part.lower()))
    return f"a hash of {text!r}" if _hashed(words, text) else None


def _written(lower: bytes, text: str) -> str | None:
    """Return how small letters hold a text."""
    forms = _forms(text)
    return next((how for how, form in forms if form in lower), None)


@lru_cache(4096)
def _forms(text: str) -> tuple[tuple[str, bytes], ...]:
    """Return what a text may be written as: (how, bytes in small letters)."""
    found = [
        ("as it is", text.encode()), ("in UTF-16", text.encode("utf-16-le")), ("in UTF-16", text.encode("utf-16-be")),
        ("backwards", text[::-1].encode()), ("in ROT13", codecs.encode(text, "rot13").encode()),
        ("with a character between its letters", b"\0".join(letter.encode() for letter in text)),
    ]  # fmt: skip
    found += [("with a character between its letters", between.join(text).encode()) for between in "-_., :"]
    if text == text[::-1]:
        found = [pair for pair in found if pair[0] != "backwards"]
    plain = text.lower().encode()
    return tuple(
        (how, form.lower()) for how, form in found if len(form) > 1 and (how == "as it is" or form.lower() != plain)
    )


def _hashed(words: set[bytes], text: str) -> bool:
    """Return whether a word, in small letters, is a hash of a text, or a longer beginning of one."""
    return any(
        word in _hashes(text) or (len(word) >= _LEAST_OF_HASH and any(one.startswith(word) for one in _hashes(text)))
        for word in words
    )


@lru_cache(4096)
def _hashes(text: str) -> tuple[bytes, ...]:
    found = []
    for form in {text, text.lower(), text.upper()}:
        for end in ("", "\n"):  # a shell's echo adds a line feed
            data = (form + end).encode()
            found += [hashlib.new(name, data, usedforsecurity=False).hexdigest().encode() for name in _HASHES]
            found += [b"%08x" % zlib.crc32(data), b"%d" % zlib.crc32(data)]
    return tuple(found)


class Answers:
    """All answers there are, to find any of them where nobody told which is a file's own."""

    def __init__(self, texts: Sequence[str]):
        self._plain = {text.encode(): text for text in texts}
        self._hashes: dict[bytes, str] = {}
        for text in dict.fromkeys(texts):
            self._hashes |= {
                hashlib.new(name, form.encode(), usedforsecurity=False).hexdigest().encode(): text
                for form in {text, text.lower(), text.upper()} for name in ("md5", "sha1", "sha256")
            }  # fmt: skip
        known = sorted(self._plain.values())
        step = max(1, len(known) // 2)
        self._others = {text: known[(place + step) % len(known)] for place, text in enumerate(known)}

    def __contains__(self, text: str) -> bool:
        return text in self._others

    def other_than(self, text: str) -> str | None:
        """Return an answer of another file, to see how often it stands there by chance; None if there is none."""
        other = self._others.get(text)
        return None if other == text else other

    def any_in(self, part: bytes, plainly: bool) -> str | None:
        """Return in which form some bytes hold any answer as a word; None if they hold none."""
        words = set(WORD.findall(part))
        if len(words) >= _MOST_WORDS:
            return None
        for word in sorted(words):
            if plainly and word in self._plain and len(word) >= _SHORTEST_FREE:
                return repr(self._plain[word])
            if word in self._hashes:
                return f"a hash of {self._hashes[word]!r}"
        return None

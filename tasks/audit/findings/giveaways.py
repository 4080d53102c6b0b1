"""Answers that the owner's files give away: in metadata, behind the picture, in names, in the structure of an SVG."""

import base64
import hashlib
import re
import struct
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from storage.errors import BadInput
from storage.files.small_files import read_small
from tasks.audit.findings.measuring.shown import Severity, finding
from tasks.audit.findings.vector_pictures import VectorPictures
from tasks.audit.schema import Finding

MOST_FILES = 2000
LEAST_ANSWERS = 3  # files that tell their answer; fewer may be chance
LEAST_SHARE = 0.01
CONSTANT = 0.8  # share of the files with one answer among those that hold any, from which it is a constant word
_MOST_TEXT = 1 << 20  # bytes of a compressed text
_PIXELS = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"fdAT", b"fcTL", b"acTL"}
_WORD = re.compile(rb"[^\W_]+")
_HASHES = ("md5", "sha1", "sha256")
_SHORTEST_FREE = 4  # letters of a text that is looked for in a file whose own text is not known
_SUFFIXES = {".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".svg"}


def find_giveaways(sources: Sequence[Path], texts: Sequence[str]) -> list[Finding]:
    """Look for the answers in the owner's files: findings `answer`, and `frames` if there are moving pictures.

    Parameters
    ----------
    sources : sequence of Path
        Picture files, or folders of them.
    texts : sequence of str
        All answers there are.
    """
    files = list(_files(sources))
    if not files:
        plain = "The original files were not given, so their metadata, names and structure were not looked at."
        return [finding("answer", _TITLE, "unknown", plain, None, {"n": 0})]
    forms = _forms(texts)
    known = sorted(set(texts))
    step = max(1, len(known) // 2)
    other = {text: known[(place + step) % len(known)] for place, text in enumerate(known)}
    places, vectors = _Places(), VectorPictures()
    named, frames, unread = 0, [], 0
    for path in files:
        try:
            data = read_small(path, f"picture {path}")
        except (BadInput, OSError):
            unread += 1
            continue
        text = _in_name(path, forms)
        named += text is not None
        vectors.add(path, data, text)
        for place, part in (*parts_of(data), ("a hash in the file name", path.stem.encode())):
            for told in _told(part, text, forms, place):
                places.add(place, path.name, told, text is not None)
            if text is not None and other[text] != text:
                places.wrong[place] += bool(list(_told(part, other[text], forms, place)))
        frames.append(data.count(b"\x21\xf9\x04") if data[:3] == b"GIF" else 1)
    found = [_answer(len(files) - unread, unread, named, places, vectors)]
    moving = sum(count > 1 for count in frames)
    if moving:
        found.append(_moving(frames, moving))
    return found


class _Places:
    """Counts where answers stand: of files whose answer is known, and of others, whose answers must differ."""

    def __init__(self) -> None:
        self.right: Counter[str] = Counter()
        self.wrong: Counter[str] = Counter()
        self.examples: dict[str, str] = {}
        self._free: dict[str, Counter[str]] = defaultdict(Counter)

    def add(self, place: str, name: str, told: str, known: bool) -> None:
        """Count an answer; `known` if it is the file's own."""
        if known:
            self.right[place] += 1
        else:
            self._free[place][told] += 1
        self.examples.setdefault(place, f"{name}: {told}")

    def counts(self) -> Counter[str]:
        """Return the files that tell an answer, by place; a word that most files hold is no answer."""
        counts = self.right.copy()
        for place, told in self._free.items():
            if max(told.values()) <= CONSTANT * told.total():
                counts[place] += told.total()
        return counts


_TITLE = "The answer in the file"


def _answer(n: int, unread: int, named: int, places: _Places, vectors: VectorPictures) -> Finding:
    least = max(LEAST_ANSWERS, LEAST_SHARE * n) if n >= 10 * LEAST_ANSWERS else min(2, n)
    told = {
        place: count for place, count in places.counts().items() if count >= least and count > 3 * places.wrong[place]
    }
    severity: Severity = "none"
    said = []
    for place, count in sorted(told.items(), key=lambda item: -item[1]):
        severity = "high"
        said.append(f"The answer stands in {place} of {count:,} of {n:,} files ({places.examples[place]}).")
    weak = vectors.weaknesses()
    if weak:
        severity = "high"
        said += weak
    figures = {
        "n": n, "unread": unread, "places": told, "by_another_text": {k: places.wrong[k] for k in told},
        "text_in_name": named, **vectors.figures(),
    }  # fmt: skip
    if not said:
        said.append(f"Neither metadata nor hidden bytes nor hashes in the names of {n:,} files tell the answer.")
    if named:
        said.append(
            f"{named:,} names hold the text itself. That is fine for an audit; never send such a name to a browser."
        )
    remedy = None
    if severity == "high":
        remedy = "Write only pixels: no text chunks, comments, EXIF, or names that follow from the answer." + (
            " Send a picture of pixels instead of an SVG." if weak else ""
        )
    return finding("answer", _TITLE, severity, " ".join(said), remedy, figures)


def _moving(frames: Sequence[int], moving: int) -> Finding:
    plain = (
        f"{moving:,} of {len(frames):,} pictures move (up to {max(frames)} frames). An attacker averages the frames, "
        "or takes the clearest, so noise that changes from frame to frame adds nothing."
    )
    return finding(
        "frames", "Moving pictures", "low", plain, "Do not rely on noise that changes between frames.",
        {"n": len(frames), "moving": moving, "most_frames": max(frames)},
    )  # fmt: skip


def _files(sources: Sequence[Path]) -> Iterator[Path]:
    """Yield up to `MOST_FILES` picture files, at equal distances of all there are."""
    found: list[Path] = []
    for source in sources:
        some = sorted(source.rglob("*")) if source.is_dir() else [source]
        found += [path for path in some if path.suffix.lower() in _SUFFIXES and path.is_file()]
    yield from found[:: max(1, -(-len(found) // MOST_FILES))]


def _forms(texts: Sequence[str]) -> dict[bytes, str]:
    """Return what an answer may be written as, to the answer: as it is, and its hashes."""
    found: dict[bytes, str] = {}
    for text in set(texts):
        for form in {text, text.lower(), text.upper()}:
            for name in _HASHES:
                found[hashlib.new(name, form.encode(), usedforsecurity=False).hexdigest().encode()] = text
    for text in set(texts):
        found[text.encode()] = text
    return found


def _in_name(path: Path, forms: dict[bytes, str]) -> str | None:
    """Return the text that a file's name or folder holds as a word, if it is an answer."""
    for word in [*_WORD.findall(path.stem.encode()), path.stem.encode(), path.parent.name.encode()]:
        text = forms.get(word)
        if text is not None and text.encode() == word:
            return text
    return None


def _told(part: bytes, text: str | None, forms: dict[bytes, str], place: str) -> Iterator[str]:
    """Yield in which form some bytes tell the answer; of an unknown answer, any answer that they hold as a word."""
    named = place.endswith("name")
    words = set(_WORD.findall(part))
    if text is None:
        if not named:
            for word in sorted(words & forms.keys()):
                if len(word) >= _SHORTEST_FREE and len(words) < 200:
                    yield f"{forms[word]!r}" if forms[word].encode() == word else f"a hash of {forms[word]!r}"
                    return
        elif hashed := [word for word in words if len(word) >= 32 and word in forms]:
            yield f"a hash of {forms[hashed[0]]!r}"
        return
    if not named:
        lower = part.lower()
        for what, form in (
            ("as it is", text.encode()), ("in UTF-16", text.encode("utf-16-le")),
            ("backwards", text[::-1].encode()), ("in base64", base64.b64encode(text.encode()).rstrip(b"=")),
        ):  # fmt: skip
            if len(form) > 1 and form.lower() in lower:
                yield f"{text!r}, {what}"
                return
    if any(forms.get(word) == text and len(word) >= 32 for word in words):
        yield f"a hash of {text!r}"


def parts_of(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield what a picture's file has besides pixels: (what it is, bytes)."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        yield from _png(data)
    elif data[:2] == b"\xff\xd8":
        yield from _jpeg(data)
    elif data[:3] == b"GIF":
        yield from _gif(data)
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        yield from _webp(data)
    elif data[:2] == b"BM" and len(data) > 6:
        yield "bytes behind the picture", data[struct.unpack("<I", data[2:6])[0] :]


def _png(data: bytes) -> Iterator[tuple[str, bytes]]:
    at = 8
    while at + 12 <= len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + size]
        at += 12 + size
        if kind not in _PIXELS:
            name = kind.decode("latin-1") if kind.isalpha() else "unnamed"
            yield f"the {name} chunk", _unpacked(kind, body)
        if kind == b"IEND":
            break
    if at < len(data):
        yield "bytes behind the picture", data[at:]


def _unpacked(kind: bytes, body: bytes) -> bytes:
    """Return a text chunk with its text unpacked."""
    key, _, rest = body.partition(b"\0")
    if kind == b"zTXt":
        packed = rest[1:]
    elif kind == b"iTXt" and rest[:1] == b"\1":
        packed = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    else:
        return body
    try:
        return key + b" " + zlib.decompressobj().decompress(packed, _MOST_TEXT)
    except zlib.error:
        return body


def _jpeg(data: bytes) -> Iterator[tuple[str, bytes]]:
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        kind, size = data[at + 1], struct.unpack(">H", data[at + 2 : at + 4])[0]
        body = data[at + 4 : at + 2 + size]
        if kind == 0xFE:
            yield "the comment", body
        elif kind == 0xE1:
            yield "EXIF or XMP", body
        elif 0xE2 <= kind <= 0xEF:
            yield f"segment APP{kind - 0xE0}", body
        at += 2 + size
    end = data.rfind(b"\xff\xd9")
    if 0 <= end < len(data) - 2:
        yield "bytes behind the picture", data[end + 2 :]


def _gif(data: bytes) -> Iterator[tuple[str, bytes]]:
    for match in re.finditer(rb"\x21\xfe", data):
        at, text = match.end(), b""
        while at < len(data) and data[at]:
            text += data[at + 1 : at + 1 + data[at]]
            at += 1 + data[at]
        yield "the comment", text
    end = data.rfind(b"\x00\x3b")
    if 0 <= end < len(data) - 2:
        yield "bytes behind the picture", data[end + 2 :]


def _webp(data: bytes) -> Iterator[tuple[str, bytes]]:
    at = 12
    while at + 8 <= len(data):
        kind, size = data[at : at + 4], struct.unpack("<I", data[at + 4 : at + 8])[0]
        if kind in (b"EXIF", b"XMP "):
            yield "EXIF or XMP", data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    if at < len(data):
        yield "bytes behind the picture", data[at:]

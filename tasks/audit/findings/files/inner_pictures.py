"""Further pictures in a picture's file: frames, pages, thumbnails, and whole pictures in its metadata or behind it."""

import re
import struct
from collections import Counter
from collections.abc import Iterable
from itertools import islice

import numpy as np

from tasks.audit.findings.clear_views import HELD, SEEN, TRIED, letters_seen
from tasks.audit.findings.files.hidden_parts import GIF_FRAME, gif_blocks
from tasks.audit.findings.measuring.same_pictures import on_white, shows_same
from tasks.audit.findings.measuring.sampled import as_seen
from tasks.audit.findings.measuring.shown import Severity, figure, finding, sheet
from tasks.audit.schema import Figure, Finding
from tasks.loading.decode import decode_seen
from tasks.loading.frames import decode_frames
from tasks.loading.safe_read import BadPicture

MOST_FRAMES = 10_000  # that are counted
MOST_LOOKED = 16  # frames of a file, at equal distances, in which clear letters are looked for
MOST_WITHIN = 240  # files whose inner pictures are looked at
LEAST, LEAST_SHARE = 3, 0.01  # files with an inner picture; fewer may be chance
MOST_INNER = 3  # pictures within a file that are looked at
CONTRAST = 32  # levels of 255 in an inner picture, from which it shows something
_BEGINS = re.compile(rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|GIF8[79]a|RIFF.{4}WEBP", re.DOTALL)
_TRIED = 3  # places of a part at which a picture may begin


class InnerPictures:
    """Gathers what files have besides the one picture, file after file."""

    def __init__(self) -> None:
        self._frames: list[int] = []
        self._looked = 0
        self._within: Counter[str] = Counter()
        self._other: Counter[str] = Counter()  # those that show something else than the picture
        self._shown: list[np.ndarray] = []
        self._clearer = _Clearer()

    def add(self, data: bytes, parts: Iterable[tuple[str, bytes]], letters: int) -> None:
        """Look at a file, at the parts that it has besides pixels, and for as many letters in its frames."""
        self._frames.append(frames_of(data))
        if self._frames[-1] > 1 and letters:
            self._clearer.add(data, letters)
        if self._looked == MOST_WITHIN:
            return
        self._looked += 1
        pictures = ((place, _picture_in(part)) for place, part in parts)
        inner = list(islice(((place, picture) for place, picture in pictures if picture is not None), MOST_INNER))
        self._within.update({place for place, _ in inner})
        outer = _decoded(data) if inner else None
        if outer is None:
            return
        other = [(place, seen) for place, seen in inner if np.ptp(seen) >= CONTRAST and not shows_same(outer, seen)]
        self._other.update({place for place, _ in other})
        for _, seen in other:
            if len(self._shown) < 6:
                self._shown += [on_white(outer), on_white(seen)]

    def findings(self) -> list[Finding]:
        """Return the finding `frames`; none where each file has one picture."""
        n, moving, most = len(self._frames), sum(count > 1 for count in self._frames), max(self._frames, default=1)
        least = max(LEAST, LEAST_SHARE * self._looked) if self._looked >= 10 * LEAST else 1
        within = {place: count for place, count in self._within.most_common() if count >= least}
        if not moving and not within:
            return []
        severity: Severity = "low"
        said, remedy, shown = [], [], list[Figure]()
        for place, count in within.items():
            said.append(f"Another picture stands in {place} of {count:,} of {self._looked:,} files.")
            if self._other[place] >= max(least, min(LEAST, self._looked)):
                severity = "high"
                said.append(
                    f"In {self._other[place]:,} of them it shows something else than the picture that people see, and "
                    "no attacker of this audit looked at it: who opens the file reads whichever is clearer."
                )
            remedy = ["Write only the picture: no thumbnail, and nothing behind it."]
        if moving:
            said.append(
                f"{moving:,} of {n:,} files have several frames or pages (up to {most}). An attacker averages them, "
                "lays them over each other, or takes the clearest, so noise that changes from frame to frame adds "
                "nothing. The attackers of this audit saw the fullest frame, with letters of others that it lacks."
            )
            remedy.append("Do not rely on noise that changes between frames.")
        if self._clearer.told:
            severity = "high"
            said.append(
                f"In {self._clearer.count} of {self._clearer.n} files that were tried, letters stand clear in a frame, "
                "and not in the one that the attackers saw. Who takes the clear frame reads more than they did."
            )
            self._shown += self._clearer.shown
        if self._shown:
            shown = [figure(sheet(self._shown, 2), "On the left pictures, on the right what else is in their files.")]
        figures = {
            "n": n, "moving": moving, "most_frames": most, "looked_into": self._looked, "within": within,
            "other_than_the_picture": {place: self._other[place] for place in within},
            "clearer_frames": self._clearer.count,
        }  # fmt: skip
        title = "More than one picture in a file"
        return [finding("frames", title, severity, " ".join(said), " ".join(remedy), figures, shown)]


class _Clearer:
    """Counts moving files with a frame in which letters stand clear, while they do not in what the attackers saw."""

    def __init__(self) -> None:
        self.n = self.count = self._seen = 0
        self.shown: list[np.ndarray] = []

    @property
    def told(self) -> bool:
        """Return whether nearly all of enough files are so."""
        return self.n >= TRIED and self.count >= HELD * self.n and self._seen <= SEEN * self.n

    def add(self, data: bytes, letters: int) -> None:
        """Look at a file's frames, unless there were enough files."""
        if self.n == 2 * TRIED:
            return
        try:
            seen = decode_seen(data)
            frames = decode_frames(data).pixels
        except BadPicture:
            return
        self.n += 1
        self._seen += letters_seen(seen, letters)
        some = frames[:: -(-len(frames) // MOST_LOOKED)]
        views = (as_seen(frame[..., :3] if frame.ndim == 3 else 255 - frame) for frame in some)
        clear = next((view for view in views if letters_seen(view, letters)), None)
        if clear is not None:
            self.count += 1
            self.shown += [seen, clear] if len(self.shown) < 6 else []


def frames_of(data: bytes) -> int:
    """Count the frames or pages of a picture's file by its structure, 1 at least, `MOST_FRAMES` at most."""
    count = 1
    if data[:3] == b"GIF":
        frames = (kind for kind, _ in gif_blocks(data) if kind == GIF_FRAME)
        count = sum(1 for _ in islice(frames, MOST_FRAMES))
    elif data.startswith(b"\x89PNG\r\n\x1a\n"):
        count = _frames_of_png(data)
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        chunks = (kind for kind in _chunks_of_webp(data) if kind == b"ANMF")
        count = sum(1 for _ in islice(chunks, MOST_FRAMES))
    elif data[:4] in (b"II*\0", b"MM\0*"):
        count = _pages_of_tiff(data)
    return min(max(count, 1), MOST_FRAMES)


def _frames_of_png(data: bytes) -> int:
    at, frames, moves, before = 8, 0, False, True
    while at + 12 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        at += 12 + size
        moves |= kind == b"acTL"
        if kind == b"fcTL":
            frames += 1
        elif kind == b"IDAT" and before:
            before, frames = False, max(frames, 1)  # the picture itself, if it is no frame of its own
        elif kind == b"IEND":
            break
    return frames if moves else 1


def _chunks_of_webp(data: bytes) -> Iterable[bytes]:
    at = 12
    while at + 8 <= len(data):
        size = struct.unpack_from("<I", data, at + 4)[0]
        yield data[at : at + 4]
        at += 8 + size + size % 2


def _pages_of_tiff(data: bytes) -> int:
    order = "<" if data[:2] == b"II" else ">"
    seen: set[int] = set()
    at = struct.unpack_from(f"{order}I", data, 4)[0] if len(data) >= 8 else 0
    while at and at not in seen and at + 2 <= len(data) and len(seen) < MOST_FRAMES:
        seen.add(at)
        behind = at + 2 + 12 * struct.unpack_from(f"{order}H", data, at)[0]
        if behind + 4 > len(data):
            break
        at = struct.unpack_from(f"{order}I", data, behind)[0]
    return len(seen)


def _picture_in(part: bytes) -> np.ndarray | None:
    """Return a picture that begins somewhere in some bytes; None if there is none."""
    for tried, begin in enumerate(_BEGINS.finditer(part)):
        if tried == _TRIED:
            break
        picture = _decoded(part[begin.start() :])
        if picture is not None:
            return picture
    return None


def _decoded(data: bytes) -> np.ndarray | None:
    try:
        return decode_frames(data, as_shown=True).pixels[0]
    except BadPicture:
        return None

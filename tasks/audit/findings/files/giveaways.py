"""Answers that the owner's files give away: in metadata, behind the picture, in names, in the structure of an SVG."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from storage.errors import BadInput
from storage.files.small_files import read_small
from tasks.audit.findings.clear_views import find_views
from tasks.audit.findings.files.codes import Codes
from tasks.audit.findings.files.file_numbers import FileNumbers
from tasks.audit.findings.files.hidden_parts import PALETTE, parts_of
from tasks.audit.findings.files.hidden_pixels import MOST, find_hidden
from tasks.audit.findings.files.inner_pictures import InnerPictures
from tasks.audit.findings.files.own_pictures import own_pictures
from tasks.audit.findings.files.spellings import WORD, Answers, told_by
from tasks.audit.findings.files.unseen_colours import (
    doubles_of,
    find_in_doubles,
    find_under_transparency,
    unused_colours,
)  # fmt: skip
from tasks.audit.findings.files.vector_pictures import VectorPictures
from tasks.audit.findings.measuring.letter_colours import find_letter_colours
from tasks.audit.findings.measuring.shown import Severity, finding
from tasks.audit.schema import Finding
from tasks.loading.frames import decode_frames
from tasks.loading.safe_read import MOST_BYTES, BadPicture

LEAST_ANSWERS = 3  # files that tell their answer; fewer may be chance
LEAST_SHARE = 0.01
CONSTANT = 0.8  # share of the files with one answer among those that hold any, from which it is a constant word
_MOST_PLACES, _MOST_KEPT = 64, 1 << 16  # places of files, and bytes of a part there, that are remembered
_HASH = "a hash in the file name"
_NAME, _TIME = "the file's name", "the file's time, which a web server sends along,"
_TITLE = "The answer in the file"
_ONLY_LETTERS = "Let nothing but the drawn letters follow from the answer: no pixel, size or colour of the ground."


def find_giveaways(
    sources: Sequence[Path], texts: Sequence[str], seen: tuple[Sequence[np.ndarray], Sequence[str]] = ((), ())
) -> list[Finding]:  # fmt: skip
    """Look for the answers in the owner's files: findings `answer`, perhaps `frames` and `views`.

    `frames` is there if files have further pictures, `views` if letters stand clear where people do not look.

    Parameters
    ----------
    sources : sequence of Path
        Picture files, or folders of them, with labels as an import finds them.
    texts : sequence of str
        All answers there are.
    seen : sequence of (h, w) or (h, w, c) uint8, sequence of str
        Pictures and their answers, in which hidden answers are looked for if there are no files.
    """
    files = list(own_pictures(sources))
    if not files:
        hidden = [*find_hidden(*seen), *find_letter_colours(*seen)]
        if hidden:
            figures = {"n": len(seen[0]), "pixels": [place for place, _, _ in hidden]}
            told = " ".join(_told_hidden(hidden))
            return [finding("answer", _TITLE, "high", told, _ONLY_LETTERS, figures), *find_views(*seen)]
        plain = "The original files were not given, so their metadata, names and structure were not looked at."
        return [finding("answer", _TITLE, "unknown", plain, None, {"n": 0}), *find_views(*seen)]
    answers = Answers(texts)
    places, vectors, codes, numbers = _Places(), VectorPictures(), Codes(), FileNumbers()
    inner, before = InnerPictures(), _Before()
    named, unread = 0, 0
    pixels: list[np.ndarray] = []
    doubles: list[np.ndarray | None] = []
    shown: list[str] = []  # the answers of these
    every = max(1, len(files) // MOST)
    for number, (path, label) in enumerate(files):
        try:
            data = read_small(path, f"picture {path}", MOST_BYTES)
            seconds = int(path.stat().st_mtime)
        except (BadInput, OSError):
            unread += 1
            continue
        standing = _in_name(path, answers)
        text = label if label is not None and label in answers else standing
        named += standing is not None and standing == text
        vectors.add(path, data, text)
        within = list(parts_of(data))
        inner.add(data, within, len(text or ""))
        for place, part in (*within, (_NAME, _rest_of_name(path, text)), (_TIME, b"%d" % seconds)):
            _look(places, place, part, path.name, text, answers, before)
            if text is not None:
                some = unused_colours(data, part) if place == PALETTE else part
                codes.add(place, some, text, {_NAME: 2, _TIME: 0}.get(place, 1))
        if text is not None and path.suffix.lower() != ".svg":
            numbers.add(data, text)
            if number % every == 0:
                with suppress(BadPicture):
                    pixels.append(decode_frames(data).pixels[0])
                    doubles.append(doubles_of(data))
                    shown.append(text)
    for place, how, count in (*codes.told(), *numbers.told()):
        places.add_code(place, how, count)
    hidden = [
        *find_hidden(pixels, shown), *find_letter_colours(pixels, shown), *find_in_doubles(doubles, shown),
        *find_under_transparency(pixels, shown),
    ]  # fmt: skip
    said = _answer(len(files) - unread, unread, named, places, vectors, hidden)
    return [said, *inner.findings(), *find_views(pixels, shown)]


class _Before:
    """What stood in each place of the files before, by answer: a text is looked for there to see what chance makes."""

    def __init__(self) -> None:
        self._seen: dict[str, list[tuple[str, bytes]]] = {}

    def other_than(self, place: str, text: str) -> bytes | None:
        """Return what stood in a place of the last file with another answer; None if there was none."""
        return next((part for other, part in self._seen.get(place, ()) if other != text), None)

    def add(self, place: str, text: str, part: bytes) -> None:
        """Note what stands in a place of a file: the last two with different answers are kept.

        A stranger names the chunks of a file, so there is a most of places, and of what is kept of each.
        """
        if place not in self._seen and len(self._seen) == _MOST_PLACES:
            return
        if len(part) > _MOST_KEPT:
            part = part[: _MOST_KEPT // 2] + part[-_MOST_KEPT // 2 :]
        others = [pair for pair in self._seen.get(place, ()) if pair[0] != text]
        self._seen[place] = [(text, part), *others][:2]


def _look(
    places: "_Places", place: str, part: bytes, name: str, text: str | None, answers: Answers, before: _Before
) -> None:
    """Look for an answer in a place of a file: for its own, and what chance makes.

    For chance another answer is looked for there, and the file's own in another file: answers such as 10 stand in many
    numbers, and answers of one letter nowhere.
    """
    plainly = place not in (_NAME, _TIME)  # what has the text itself is named so for an audit
    if text is None:
        told = answers.any_in(part, plainly) if place != _TIME else None
        if told is not None:
            places.add(_said(place, told), name, told, False)
        return
    told = told_by(part, text, plainly)
    if told is not None:
        places.add(_said(place, told), name, told, True)
    other = answers.other_than(text)
    by_chance = None if other is None else told_by(part, other, plainly)
    if by_chance is not None:
        places.wrong[_said(place, by_chance)] += 1
    elsewhere = before.other_than(place, text)
    by_chance = None if elsewhere is None else told_by(elsewhere, text, plainly)
    if by_chance is not None:
        places.elsewhere[_said(place, by_chance)] += 1
    before.add(place, text, part)


def _said(place: str, told: str) -> str:
    """Return what a place is called, with what was found in it."""
    return _HASH if place == _NAME and told.startswith("a hash") else place


class _Places:
    """Counts where answers stand: of files whose answer is known, and of others, whose answers must differ.

    A place counts where it tells the right answer three times as often as chance makes.
    """

    def __init__(self) -> None:
        self.right: Counter[str] = Counter()
        self.wrong: Counter[str] = Counter()  # by another answer
        self.elsewhere: Counter[str] = Counter()  # in another file
        self.examples: dict[str, str] = {}
        self._free: dict[str, Counter[str]] = defaultdict(Counter)

    def add(self, place: str, name: str, told: str, known: bool) -> None:
        """Count an answer; `known` if it is the file's own."""
        if known:
            self.right[place] += 1
        else:
            self._free[place][told] += 1
        self.examples.setdefault(place, f"{name}: {told}")

    def add_code(self, place: str, how: str, count: int) -> None:
        """Note a code that tells the answers of so many files, unless they stand there more plainly."""
        if self.right[place] <= max(count // 2, 3 * self.by_chance(place)):
            self.right[place], self.wrong[place], self.elsewhere[place] = count, 0, 0
            self.examples[place] = how

    def by_chance(self, place: str) -> int:
        """Return in how many files chance puts an answer into a place."""
        return max(self.wrong[place], self.elsewhere[place])

    def counts(self) -> Counter[str]:
        """Return the files that tell an answer, by place; a word that most files hold is no answer."""
        counts = self.right.copy()
        for place, told in self._free.items():
            if max(told.values()) <= CONSTANT * told.total():
                counts[place] += told.total()
        return counts


def _told_hidden(hidden: Sequence[tuple[str, str, int]]) -> list[str]:
    """Say what pixels tell, a sentence each."""
    return [f"The answer is hidden in {place}: {how} ({count:,} pictures compared)." for place, how, count in hidden]


def _answer(
    n: int, unread: int, named: int, places: _Places, vectors: VectorPictures, hidden: Sequence[tuple[str, str, int]]
) -> Finding:  # fmt: skip
    least = max(LEAST_ANSWERS, LEAST_SHARE * n) if n >= 10 * LEAST_ANSWERS else min(2, n)
    told = {
        place: count
        for place, count in places.counts().items()
        if count >= least and count > 3 * places.by_chance(place)
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
    if hidden:
        severity = "high"
        said += _told_hidden(hidden)
    figures = {
        "n": n, "unread": unread, "places": told, "by_another_text": {k: places.by_chance(k) for k in told},
        "text_in_name": named, "pixels": [place for place, _, _ in hidden], **vectors.figures(),
    }  # fmt: skip
    if not said:
        said.append(
            "Neither metadata nor hidden bytes, nor codes in names, numbers of the file or single pixels, of "
            f"{n:,} files tell the answer."
        )
    if named:
        said.append(
            f"{named:,} names hold the text itself. That is fine for an audit; never send such a name to a browser."
        )
    remedy = None
    if severity == "high":
        remedy = (
            "Write only pixels: no text chunks, comments, EXIF; no names, times or lengths that follow from the answer."
            if told or weak
            else _ONLY_LETTERS
        ) + (" Send a picture of pixels instead of an SVG." if weak else "")
    return finding("answer", _TITLE, severity, " ".join(said), remedy, figures)


def _in_name(path: Path, answers: Answers) -> str | None:
    """Return the text that a file's name or folder holds as a word, if it is an answer."""
    for word in [*_words(path.stem), path.stem, path.parent.name]:
        if word in answers:
            return word
    return None


def _rest_of_name(path: Path, text: str | None) -> bytes:
    """Return a file's name without its answer as it is, which names often have for an audit."""
    words = [word for word in _words(path.stem) if word != text]
    return " ".join(words).encode(errors="replace") if path.stem != text else b""


def _words(stem: str) -> Iterator[str]:
    for word in WORD.findall(stem.encode(errors="replace")):
        yield word.decode(errors="replace")

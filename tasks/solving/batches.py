"""The units of solving: look at a batch of files, which gives their digests; read a batch of pictures."""

import functools
import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from storage.files.places import Place, is_url, place
from storage.files.stamps import Stamp
from storage.ledger.ledger import ABSTAINED, FAILED, SOLVED, Answer, KnownFile, PictureFile, digest_of
from storage.models import model_digest
from storage.texts import canonical, plain
from tasks.both_readers import SURE, SURER
from tasks.doubts import DOUBTS
from tasks.loading.decode import LOADER
from tasks.loading.safe_read import GONE, UNSETTLED, BadPicture, Unreadable, Unsettled, read_file, require_size
from tasks.readers import AnyReader, load_both, load_reader, read_pictures, told_length
from tasks.reading.ranking import Ranking
from tasks.reading.reader import Readings
from tasks.shipped import is_shipped
from tasks.solving.alike.in_common import IN_COMMON

DIGITS = 6  # of a confidence

Listed = TypeVar("Listed")


@dataclass(frozen=True)
class SolvePlan:
    """Settings that all batches of a run share.

    words : the dictionary, a word a line; empty for no dictionary
    classic, classic_sha256 : a classic model that reads before `model`, which is deep then, and its digest
    together : whether pictures whose texts are unlike the others of their folder are read once more
    """

    model: str
    model_sha256: str
    words: str
    ranking: Ranking
    abstain_below: float
    alphabet: str | None = None
    length: tuple[int, int] | None = None
    classic: str | None = None
    classic_sha256: str | None = None
    together: bool = False

    @property
    def settings(self) -> str:
        """Return all settings that decide an answer besides the model, as text for the ledger."""
        both = {"classic": [self.classic_sha256, SURE, SURER]} if self.classic else {}  # else as in earlier versions
        doubts = {"doubts": DOUBTS} if is_shipped(self.model) else {}
        return canonical({
            "words": hashlib.sha256(self.words.encode()).hexdigest() if self.words else None,
            "ranking": self.ranking.value, "abstain_below": self.abstain_below, "alphabet": self.alphabet,
            "length": self.length, "loader": LOADER,
        } | both | doubts | ({"together": IN_COMMON} if self.together else {}))  # fmt: skip


@dataclass(frozen=True)
class LookJob:
    """Files below `folder` to look at again, each as it was at the first look, with the digest that the ledger has."""

    folder: str
    files: tuple[PictureFile, ...]
    follow: bool = False


@dataclass(frozen=True)
class LookReceipt:
    """The job's files, each with its digest of now, or with the reason why it has none."""

    files: tuple[PictureFile, ...]
    digests: tuple[bytes | BadPicture, ...]


@dataclass(frozen=True)
class SolveJob:
    """A batch of files below `folder` to read. `alone`: a worker died of it, so another process is to read it."""

    folder: str
    files: tuple[PictureFile, ...]
    plan: SolvePlan
    follow: bool = False
    alone: bool = False


@dataclass(frozen=True)
class SolveReceipt:
    """The job's files, each with its answer, or with the reason why it has none for now."""

    files: tuple[PictureFile, ...]
    answers: tuple[Answer | Unreadable, ...]


def content_of(file: PictureFile | KnownFile) -> bytes:
    """Return the digest of a file's content.

    Raises
    ------
    ValueError
        The file has not been read.
    """
    if file.digest is None:
        raise ValueError("the content of this file is not known: it has not been read")
    return file.digest


def make_plan(
    model: Place,
    dictionary: tuple[str, ...],
    ranking: Ranking,
    abstain_below: float = 0.0,
    alphabet: str | None = None,
    length: tuple[int, int] | None = None,
    classic: Place | None = None,
    together: bool = False,
) -> SolvePlan:
    """Return the plan for a model as it is now, with a dictionary, which may be empty.

    With `classic`, that model reads first, and `model` is a deep model. `together` holds for the shipped models
    without a dictionary: others know from their owner's pictures what texts to expect.

    Raises
    ------
    NotThere, Damaged
    """
    words = "\n".join(dictionary)
    first, sha256 = (None, None) if classic is None else (str(classic.resolve()), model_digest(classic))
    own = str(model.resolve())
    together = together and not dictionary and is_shipped(own)
    return SolvePlan(
        own, model_digest(model), words, ranking, abstain_below, alphabet, length, first, sha256, together
    )  # fmt: skip


@functools.lru_cache(maxsize=4)
def reader_of(plan: SolvePlan) -> AnyReader:
    """Load the reader of a plan; the last few stay in memory."""
    words = tuple(plan.words.split("\n")) if plan.words else ()
    if plan.classic and plan.classic_sha256:
        first, second = (plan.classic, plan.classic_sha256), (plan.model, plan.model_sha256)
        return load_both(first, second, words, plan.ranking, plan.alphabet, plan.length)
    return load_reader(plan.model, plan.model_sha256, words, plan.ranking, plan.alphabet, plan.length)


def look(job: LookJob) -> LookReceipt:
    """Digest the files of a batch that have not changed since the first look."""
    digests: list[bytes | BadPicture] = []
    for file in job.files:
        try:
            digests.append(digest_of(_read(job, file)))
        except BadPicture as error:
            digests.append(error)
    return LookReceipt(job.files, tuple(digests))


def solve_batch(job: SolveJob) -> SolveReceipt:
    """Read a batch of files. A bad file gets an answer with the reason; it never raises an error.

    Raises
    ------
    BadInput
        The model or dictionary does not fit.
    """
    if not job.files:
        return SolveReceipt((), ())
    return SolveReceipt(job.files, tuple(answer_pictures(job.plan, job.files, functools.partial(read_unchanged, job))))


def answer_pictures(
    plan: SolvePlan, pictures: Sequence[Listed], read: Callable[[Listed], bytes]
) -> list[Answer | Unreadable]:
    """Answer pictures, in order; `read` returns the bytes of the file of one of them, or raises `BadPicture`.

    Raises
    ------
    BadInput
        The model or dictionary does not fit.
    """
    notes: dict[int, str] = {}
    groups, failures = read_pictures(reader_of(plan), pictures, read, notes)
    answers = answers_of(plan, groups, notes)
    for index, error in failures:
        answers[index] = error if isinstance(error, Unreadable) else failed(str(error))
    return [answers[index] for index in range(len(pictures))]


def answers_of(
    plan: SolvePlan, groups: Iterable[tuple[np.ndarray, Readings]], notes: Mapping[int, str]
) -> dict[int, Answer | Unreadable]:
    """Return the answers that readings give, by the numbers of the pictures, with what is to be known of each."""
    answers: dict[int, Answer | Unreadable] = {}
    for indices, readings in groups:
        found = zip(
            indices.tolist(), readings.segments.tolist(), readings.reading.tolist(),
            readings.reading_confidence.tolist(), readings.words.tolist(), readings.confidences.tolist(), strict=True,
        )  # fmt: skip
        for index, segments, reading, sure, words, confidences in found:
            answers[index] = _answer(plan, segments, reading, sure, words, confidences, notes.get(index))
    return answers


def _read(job: LookJob | SolveJob, file: PictureFile) -> bytes:
    seen = (file.size, file.mtime)
    if is_url(job.folder):
        return _read_object(place(job.folder) / file.path, seen)
    return read_file(f"{job.folder}/{file.path}", seen, follow=job.follow)


def _read_object(path: Place, seen: Stamp) -> bytes:
    """Read an object as `read_file` reads a file. A store that does not answer ends the run: `Unreachable`."""
    try:
        found = path.stat()
        if (found.st_size, found.st_mtime_ns) != seen:
            raise Unsettled(UNSETTLED)
        require_size(found.st_size)
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise Unsettled(GONE) from error
    if len(data) != seen[0]:
        raise Unsettled(UNSETTLED)
    return data


def read_unchanged(job: SolveJob, file: PictureFile) -> bytes:
    """Return the bytes of a file of a job, which must have the content that was looked at.

    Raises
    ------
    BadPicture
    """
    data = _read(job, file)
    if digest_of(data) != file.digest:
        raise Unsettled(UNSETTLED)  # it changed within one tick of the file system's clock
    return data


def failed(reason: str, reading: str | None = None, segments: int | None = None) -> Answer:
    """Return the answer for a file without a word."""
    return Answer(reading=reading, segments=segments, status=FAILED, reason=plain(reason))


def _answer(
    plan: SolvePlan, segments: int, reading: str, reading_confidence: float, words: list[str],
    confidences: list[float], note: str | None = None,
) -> Answer:  # fmt: skip
    """Return the answer for a picture; `words` and `confidences` are the best three, `note` is to be known of it."""
    if not segments:
        return failed("no letter found", segments=0)
    word: str | None
    word, second, third = words
    if not word:
        return failed("no word of the dictionary fits", reading, segments)
    if plan.length and not plan.length[0] <= len(word) <= plan.length[1]:
        return failed(f"cannot be read as {told_length(plan.length)} letters", reading, segments)
    status, reason = SOLVED, note
    sure, of_second, of_third = map(_rounded, confidences)
    if plan.abstain_below > 0 and (sure is None or sure < plan.abstain_below):
        word, status = None, ABSTAINED
        why = "the model has no confidence for answers of a dictionary"
        if sure is not None:
            why = f"confidence {sure:.3f} is below {plan.abstain_below:g}"
        reason = "; ".join(filter(None, (why, note)))
    return Answer(
        word, sure, reading, _rounded(reading_confidence), second or None, of_second if second else None,
        third or None, of_third if third else None, segments, status, reason,
    )  # fmt: skip


def _rounded(confidence: float) -> float | None:
    """Round a confidence; None where the model has none, which is not a number."""
    return None if math.isnan(confidence) else round(confidence, DIGITS)

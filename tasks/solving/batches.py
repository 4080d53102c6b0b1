"""The units of solving: look at a batch of files, which gives their digests; read a batch of them."""

import functools
import hashlib
from dataclasses import dataclass

from storage.errors import BadInput
from storage.files.places import Place, is_url, place
from storage.ledger.ledger import PictureFile, digest_of
from storage.models import model_digest
from storage.shards.manifest import canonical
from tasks.loading.decode import LOADER, load_batch
from tasks.loading.safe_read import GONE, UNSETTLED, BadPicture, Unreadable, Unsettled, read_file, require_size
from tasks.models import load_reader
from tasks.reading.ranking import Ranking
from tasks.reading.reader import Reader

SOLVED, ABSTAINED, FAILED = "solved", "abstained", "failed"
DIGITS = 6  # of a confidence


@dataclass(frozen=True)
class SolvePlan:
    """What all batches of a run share. `words` is the dictionary, a word a line: a job takes it along."""

    model: str
    model_sha256: str
    words: str
    ranking: Ranking
    abstain_below: float
    alphabet: str | None = None
    length: tuple[int, int] | None = None

    @property
    def settings(self) -> str:
        """What besides the model decides about an answer, for the ledger."""
        return canonical({
            "words": hashlib.sha256(self.words.encode()).hexdigest() if self.words else None,
            "ranking": self.ranking.value, "abstain_below": self.abstain_below, "alphabet": self.alphabet,
            "length": self.length, "loader": LOADER,
        })  # fmt: skip


@dataclass(frozen=True)
class LookJob:
    """Files below `folder` to look at again, each as it was the first time; `digest` is what it had been before."""

    folder: str
    files: tuple[PictureFile, ...]
    follow: bool = False


@dataclass(frozen=True)
class LookReceipt:
    """The job's files with the digest that each has now, or why it has none."""

    files: tuple[PictureFile, ...]
    digests: tuple[bytes | BadPicture, ...]


@dataclass(frozen=True)
class SolveJob:
    """A batch of files below `folder` to read. `alone`: it has cost a worker."""

    folder: str
    files: tuple[PictureFile, ...]
    plan: SolvePlan
    follow: bool = False
    alone: bool = False


@dataclass(frozen=True)
class SolveReceipt:
    """For each of the job's files its answer, in the columns of `storage.ledger.ledger.ANSWER`, or why it has none."""

    files: tuple[PictureFile, ...]
    answers: tuple[tuple | Unreadable, ...]


def parse_length(given: str | None) -> tuple[int, int] | None:
    """``"4"`` or ``"4-6"`` -> shortest and longest.

    Raises
    ------
    BadInput
    """
    if given is None:
        return None
    shortest, dash, longest = given.partition("-")
    if not shortest.isdecimal() or (dash and not longest.isdecimal()):
        raise BadInput(f"length: must be a number such as 4, or two such as 4-6; it is {given!r}")
    bounds = int(shortest), int(longest if dash else shortest)
    if not 1 <= bounds[0] <= bounds[1] <= 32:
        raise BadInput(f"length: must be from 1 to 32 letters, the shortest first; it is {given!r}")
    return bounds


def plan(
    model: Place,
    dictionary: tuple[str, ...],
    ranking: Ranking,
    abstain_below: float = 0.0,
    alphabet: str | None = None,
    length: tuple[int, int] | None = None,
) -> SolvePlan:
    """The model as it is now, with a dictionary (empty: none).

    Raises
    ------
    NotThere, Damaged
    """
    words = "\n".join(dictionary)
    return SolvePlan(str(model.resolve()), model_digest(model), words, ranking, abstain_below, alphabet, length)


@functools.lru_cache(maxsize=4)
def reader_of(plan: SolvePlan) -> Reader:
    """`load_reader` of what a plan names."""
    words = tuple(plan.words.split("\n")) if plan.words else ()
    return load_reader(plan.model, plan.model_sha256, words, plan.ranking, plan.alphabet, plan.length)


def look(job: LookJob) -> LookReceipt:
    """Digest a batch of files, unless they changed since they were seen first."""
    digests: list[bytes | BadPicture] = []
    for one in job.files:
        try:
            digests.append(digest_of(_read(job, one)))
        except BadPicture as error:
            digests.append(error)
    return LookReceipt(job.files, tuple(digests))


def solve_batch(job: SolveJob) -> SolveReceipt:
    """Read a batch of files; a bad one gives an answer with the reason, never an error.

    Raises
    ------
    BadInput
        The model or dictionary does not fit.
    """
    if not job.files:
        return SolveReceipt((), ())
    reader = reader_of(job.plan)
    groups, failures = load_batch(job.files, functools.partial(_read_again, job))
    answers: list[tuple | Unreadable] = [()] * len(job.files)
    for index, error in failures:
        answers[index] = error if isinstance(error, Unreadable) else failed(str(error))
    for indices, images in groups:
        readings = reader.read(images)
        found = zip(
            indices.tolist(), readings.reading.tolist(), readings.reading_confidence.tolist(),
            readings.words.tolist(), readings.confidences.tolist(), readings.segments.tolist(), strict=True,
        )  # fmt: skip
        for index, *cells in found:
            answers[index] = _answer(*cells, job.plan.abstain_below)
    return SolveReceipt(job.files, tuple(answers))


def _read(job: LookJob | SolveJob, one: PictureFile) -> bytes:
    if is_url(job.folder):
        return _read_object(place(job.folder) / one.path, one[1:3])
    return read_file(f"{job.folder}/{one.path}", one[1:3], follow=job.follow)


def _read_object(path: Place, seen: tuple[int, int]) -> bytes:
    """The bytes of an object, as `read_file` has those of a file. A store that is away ends the run: `Unreachable`."""
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


def _read_again(job: SolveJob, one: PictureFile) -> bytes:
    data = _read(job, one)
    if digest_of(data) != one.digest:
        raise Unsettled(UNSETTLED)  # within the same tick of the file system's clock
    return data


def failed(reason: str, reading: str | None = None, segments: int | None = None) -> tuple:
    """The answer for a file that gives no word."""
    reason = reason.encode("utf-8", "backslashreplace").decode()
    return None, None, reading, None, None, None, None, None, segments, FAILED, reason


def _answer(reading, reading_confidence, words, confidences, segments, abstain_below) -> tuple:
    if not segments:
        return failed("no letter found", segments=0)
    word, second, third = words
    if not word:
        return failed("no word of the dictionary fits", reading, segments)
    status, reason, confidence = SOLVED, None, confidences[0]
    if confidence < abstain_below:
        word, status, reason = None, ABSTAINED, f"confidence {confidence:.3f} is below {abstain_below:g}"
    return (
        word, round(confidence, DIGITS), reading, round(reading_confidence, DIGITS),
        second or None, round(confidences[1], DIGITS) if second else None,
        third or None, round(confidences[2], DIGITS) if third else None,
        segments, status, reason,
    )  # fmt: skip

"""The units of solving: batches of picture files, reading one, writing the answers as they come."""

import csv
import functools
import itertools
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from storage import atomic
from storage.errors import BadInput, Damaged, NotThere
from storage.models import load_model, model_digest
from tasks.folders import any_picture, count_pictures, list_names
from tasks.loading import load_batch
from tasks.ranking import Ranking
from tasks.reader import Reader
from tasks.words import WEB2, load_words
from tasks.worker import at_home

BATCH = 256  # files a job
SHOWN = 20  # failures in a report
SOLVED, ABSTAINED, FAILED = "solved", "abstained", "failed"
# Of answers.csv. `path` is relative to the folder, with forward slashes.
COLUMNS = (
    "path", "word", "confidence", "reading", "reading_confidence", "second", "second_confidence", "third",
    "third_confidence", "segments", "status", "reason",
)  # fmt: skip
_STATUS = -2


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


@dataclass(frozen=True)
class SolveJob:
    """A batch of files below `folder`, relative to it, with forward slashes."""

    folder: str
    paths: tuple[str, ...]
    plan: SolvePlan


@dataclass(frozen=True)
class SolveReceipt:
    """The answers of a batch as lines of answers.csv, in the order of its files; how many there are of each status."""

    rows: bytes
    counts: dict[str, int]
    failures: tuple[tuple[str, str], ...]  # path and reason of the first few
    seconds: float

    @property
    def files(self) -> int:
        """How many were read."""
        return sum(self.counts.values())


@dataclass
class Solved:
    """What became of all files: how many of each status, and the first failures, for people."""

    counts: dict[str, int]
    failures: list[dict]


def dictionary_of(
    given: str, model: Path, alphabet: str | None = None, length: tuple[int, int] | None = None
) -> tuple[str, ...]:
    """The words to rank with, over the letters that may occur.

    `web2` is the book's dictionary, its words of that length, or four-letter ones where none is given; a user's list
    may have words of any length; `none` is for random strings.

    Raises
    ------
    BadInput, NotThere
    """
    if given == "none":
        return ()
    _, provenance = load_model(model)
    return load_words(given, alphabet or provenance["classes"], length or ((4, 4) if given == WEB2 else (1, 32)))


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
    model: Path,
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
def load_reader(
    model: str,
    sha256: str,
    dictionary: tuple[str, ...],
    ranking: Ranking | None = None,
    alphabet: str | None = None,
    length: tuple[int, int] | None = None,
) -> Reader:
    """The reader of a model file, kept for a worker's next job.

    Raises
    ------
    NotThere, BadInput
    Damaged
        Also when the file is not the one that the job was made for.
    """
    model = at_home(model)
    if model_digest(model) != sha256:
        raise Damaged(f"model {model}: is not the file that this run began with; run again")
    return Reader(*load_model(model), dictionary, ranking, alphabet, length)


@functools.lru_cache(maxsize=4)
def reader_of(plan: SolvePlan) -> Reader:
    """`load_reader` of what a plan names."""
    words = tuple(plan.words.split("\n")) if plan.words else ()
    return load_reader(plan.model, plan.model_sha256, words, plan.ranking, plan.alphabet, plan.length)


def must_have_files(path: Path, out: Path) -> None:
    """Refuse what has nothing to read: neither a picture, nor a folder with any file but the answers.

    Raises
    ------
    NotThere, BadInput
    """
    if path.is_file():
        return
    if not path.exists():
        raise NotThere(f"{path}: no such file or folder; give a picture, or a folder of pictures")
    if not any_picture(path, skip=(out,)):
        raise BadInput(f"{path}: has no file; put pictures into it (PNG, JPEG, GIF, BMP, WebP or TIFF)")


def folder_of(path: Path) -> Path:
    """The folder that paths in answers.csv are relative to."""
    return path.parent if path.is_file() else path


def count(path: Path, out: Path) -> int:
    """How many files there are to read."""
    return 1 if path.is_file() else count_pictures(path, skip=(out,))


def batches(path: Path, out: Path, plan: SolvePlan) -> Iterator[SolveJob]:
    """Jobs of `BATCH` files each, in order, made as they are asked for: one picture, or all below a folder."""
    names = iter([path.name]) if path.is_file() else list_names(path, skip=(out,))
    folder = str(folder_of(path).resolve())
    while batch := tuple(itertools.islice(names, BATCH)):
        yield SolveJob(folder, batch, plan)


def solve_batch(job: SolveJob) -> SolveReceipt:
    """Read a batch of files; a bad one gives a row with the reason, never an error.

    Raises
    ------
    BadInput
        The model or dictionary does not fit.
    """
    began = time.perf_counter()
    reader = reader_of(job.plan)
    groups, failures = load_batch([f"{job.folder}/{path}" for path in job.paths])
    rows: list[tuple] = [()] * len(job.paths)
    for index, reason in failures:
        rows[index] = _failed(reason)
    for indices, images in groups:
        readings = reader.read(images)
        found = zip(
            indices.tolist(), readings.reading.tolist(), readings.reading_confidence.tolist(),
            readings.words.tolist(), readings.confidences.tolist(), readings.segments.tolist(), strict=True,
        )  # fmt: skip
        for index, *cells in found:
            rows[index] = _row(*cells, job.plan.abstain_below)
    counts = dict.fromkeys((SOLVED, ABSTAINED, FAILED), 0)
    lines: list[str] = []
    writer = _writer(lines)
    for path, row in zip(job.paths, rows, strict=True):
        counts[row[_STATUS]] += 1
        writer.writerow((path, *row))
    failed = [(path, row[-1]) for path, row in zip(job.paths, rows, strict=True) if row[_STATUS] == FAILED]
    return SolveReceipt(
        "".join(lines).encode("utf-8", "surrogateescape"), counts, tuple(failed[:SHOWN]), time.perf_counter() - began
    )


def write_answers(out: Path, receipts: Iterable[SolveReceipt]) -> Solved:
    """Write answers.csv from the receipts of all batches in order, as they come.

    Raises
    ------
    NoSpace, Unwritable
        Nothing is left behind, and what was there is as it was; so it is when the receipts end with an error.
    """
    done = Solved(dict.fromkeys((SOLVED, ABSTAINED, FAILED), 0), [])
    head: list[str] = []
    _writer(head).writerow(COLUMNS)
    with atomic.replacing(out) as write:
        write("".join(head).encode())
        for receipt in receipts:
            write(receipt.rows)
            for status, count in receipt.counts.items():
                done.counts[status] += count
            room = SHOWN - len(done.failures)
            done.failures += [{"path": path, "reason": reason} for path, reason in receipt.failures[:room]]
    return done


def _writer(lines: list[str]):
    # Only characters of the line's end are quoted, and names may hold a carriage return; the file ends lines with \n.
    return csv.writer(SimpleNamespace(write=lambda line: lines.append(line[:-2] + "\n")), lineterminator="\r\n")


def _failed(reason: str, reading: str = "", segments: int | None = None) -> tuple:
    return "", None, reading, None, "", None, "", None, segments, FAILED, reason


def _row(reading, reading_confidence, words, confidences, segments, abstain_below) -> tuple:
    """What stands beside a path: the columns from the second on."""
    if not segments:
        return _failed("no letter found", segments=0)
    word, second, third = words
    if not word:
        return _failed("no word of the dictionary fits", reading, segments)
    status, reason, confidence = SOLVED, "", confidences[0]
    if confidence < abstain_below:
        word, status, reason = "", ABSTAINED, f"confidence {confidence:.3f} is below {abstain_below:g}"
    return (
        word, f"{confidence:.6f}", reading, f"{reading_confidence:.6f}",
        second, f"{confidences[1]:.6f}" if second else None, third, f"{confidences[2]:.6f}" if third else None,
        segments, status, reason,
    )  # fmt: skip

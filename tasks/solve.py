"""The units of solving: read a batch of picture files, collect the rows, write the answers."""

import csv
import functools
import time
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from storage import atomic
from storage.errors import BadInput, Damaged, NotThere
from storage.models import load_model, model_digest
from tasks.folders import list_pictures
from tasks.loading import load_batch
from tasks.ranking import Ranking
from tasks.reader import Reader
from tasks.words import WEB2, load_words

BATCH = 256  # files a job
SOLVED, ABSTAINED, FAILED = "solved", "abstained", "failed"


@dataclass(frozen=True)
class Answer:
    """A row of answers.csv. `path` is relative to the folder, with forward slashes."""

    path: str
    word: str = ""
    confidence: float | None = None
    reading: str = ""
    reading_confidence: float | None = None
    second: str = ""
    second_confidence: float | None = None
    third: str = ""
    third_confidence: float | None = None
    segments: int | None = None
    status: str = FAILED
    reason: str = ""


@dataclass(frozen=True)
class SolveJob:
    """A batch of files below `folder`, with a model and a dictionary (empty: none)."""

    number: int
    folder: str
    paths: tuple[str, ...]
    model: str
    model_sha256: str
    dictionary: tuple[str, ...]
    ranking: Ranking
    abstain_below: float
    alphabet: str | None = None
    length: tuple[int, int] | None = None


@dataclass(frozen=True)
class SolveReceipt:
    """The answers of a batch, in the order of its files."""

    number: int
    answers: tuple[Answer, ...]
    seconds: float


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
    return int(shortest), int(longest if dash else shortest)


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
    if model_digest(model) != sha256:
        raise Damaged(f"model {model}: is not the file that this run began with; run again")
    return Reader(*load_model(model), dictionary, ranking, alphabet, length)


def find(path: Path, out: Path) -> tuple[Path, Iterator[Path]]:
    """The folder, and the files to read: one picture, or all below a folder.

    Raises
    ------
    NotThere, BadInput
        Nothing there, or an empty folder.
    """
    if path.is_file():
        return path.parent, iter([path])
    if not path.exists():
        raise NotThere(f"{path}: no such file or folder; give a picture, or a folder of pictures")
    files = list_pictures(path, skip=(out,))
    first = next(files, None)
    if first is None:
        raise BadInput(f"{path}: has no file; put pictures into it (PNG, JPEG, GIF, BMP, WebP or TIFF)")

    def all_files() -> Iterator[Path]:
        yield first
        yield from files

    return path, all_files()


def batches(
    folder: Path,
    files: Iterable[Path],
    model: Path,
    dictionary: tuple[str, ...],
    ranking: Ranking,
    abstain_below: float,
    alphabet: str | None = None,
    length: tuple[int, int] | None = None,
) -> list[SolveJob]:
    """Jobs of `BATCH` files each, in order."""
    names = [file.relative_to(folder).as_posix() for file in files]
    digest = model_digest(model)
    groups = [tuple(names[first : first + BATCH]) for first in range(0, len(names), BATCH)]
    return [
        SolveJob(
            number, str(folder.resolve()), group, str(model.resolve()), digest, dictionary, ranking, abstain_below,
            alphabet, length,
        )
        for number, group in enumerate(groups)
    ]  # fmt: skip


def solve_batch(job: SolveJob) -> SolveReceipt:
    """Read a batch of files; a bad one gives a row with the reason, never an error.

    Raises
    ------
    BadInput
        The model or dictionary does not fit.
    """
    began = time.perf_counter()
    reader = load_reader(job.model, job.model_sha256, job.dictionary, job.ranking, job.alphabet, job.length)
    groups, failures = load_batch([Path(job.folder) / path for path in job.paths])
    answers: list[Answer | None] = [None] * len(job.paths)
    for index, reason in failures:
        answers[index] = Answer(job.paths[index], reason=reason)
    for indices, images in groups:
        readings = reader.read(images)
        rows = zip(
            np.asarray(indices).tolist(), readings.reading.tolist(), readings.reading_confidence.tolist(),
            readings.words.tolist(), readings.confidences.tolist(), readings.segments.tolist(), strict=True,
        )  # fmt: skip
        for index, *row in rows:
            answers[index] = _answer(job.paths[index], *row, job.abstain_below)
    return SolveReceipt(job.number, tuple(answers), time.perf_counter() - began)


def _answer(path, reading, reading_confidence, words, confidences, segments, abstain_below) -> Answer:
    if not segments:
        return Answer(path, segments=0, reason="no letter found")
    (word, second, third), (confidence, *others) = words, confidences
    if not word:
        return Answer(path, reading=reading, segments=segments, reason="no word of the dictionary fits")
    status, reason = SOLVED, ""
    if confidence < abstain_below:
        word, status, reason = "", ABSTAINED, f"confidence {confidence:.3f} is below {abstain_below:g}"
    others = [value if name else None for value, name in zip(others, (second, third), strict=True)]
    return Answer(
        path,
        word,
        confidence,
        reading,
        reading_confidence,
        second,
        others[0],
        third,
        others[1],
        segments,
        status,
        reason,
    )


def write_answers(out: Path, receipts: list[SolveReceipt]) -> dict[str, int]:
    """Write answers.csv in the order of the files; returns counts by status.

    Raises
    ------
    NoSpace, Unwritable
    """
    counts = dict.fromkeys((SOLVED, ABSTAINED, FAILED), 0)
    lines: list[str] = []
    # Only characters of the line's end are quoted, and names may hold a carriage return; the file ends lines with \n.
    writer = csv.writer(SimpleNamespace(write=lambda line: lines.append(line[:-2] + "\n")), lineterminator="\r\n")
    writer.writerow([field.name for field in fields(Answer)])
    for receipt in sorted(receipts, key=lambda one: one.number):
        for answer in receipt.answers:
            counts[answer.status] += 1
            writer.writerow([f"{cell:.6f}" if isinstance(cell, float) else cell for cell in astuple(answer)])
    atomic.replace(out, "".join(lines).encode("utf-8", "surrogateescape"))
    return counts


def failed_rows(receipts: list[SolveReceipt], limit: int = 20) -> list[dict]:
    """The first failures, for people."""
    rows = [
        {"path": answer.path, "reason": answer.reason}
        for receipt in sorted(receipts, key=lambda one: one.number)
        for answer in receipt.answers
        if answer.status == FAILED
    ]
    return rows[:limit]

"""Evaluate a model: read one shard's unseen pictures. `tasks.scoring.report` sums up all shards."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum

import numpy as np

from storage.dataset import Dataset
from storage.deep_models import is_deep, load_deep_model
from storage.errors import BadInput
from storage.pairs import Readers
from storage.shards.shard import Block
from storage.texts import caption
from tasks.both_readers import BothReaders
from tasks.deep.cases import in_capitals
from tasks.deep.deep_reader import DeepReader, is_familiar
from tasks.lowlevel.inflate import inflate
from tasks.profiles.word_lists import WEB2, load_words
from tasks.readers import AnyReader, load_both, load_reader
from tasks.reading.ranking import Ranking
from tasks.reading.reader import Reader, Readings
from tasks.scoring.block_readers import Beside, read_as_solve, read_block, read_by_both
from tasks.worker import at_home

RANKINGS = tuple(Ranking)  # scored with a dictionary; without a dictionary, only `Ranking.NONE`
MISTAKES = 48  # pictures on the sheet of mistakes


class MeasuredSplit(StrEnum):
    """The pictures to measure a model on: a split of the dataset, or all of it."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"
    ALL = "all"


@dataclass(frozen=True)
class EvaluateJob:
    """Read the pictures of `split`, a `MeasuredSplit`, in one shard; an empty dictionary means none.

    beside : a classic model that is measured beside `model`, which is deep then
    """

    folder: str
    shard: int
    split: str
    model: str
    model_sha256: str
    dictionary: tuple[str, ...]
    beside: Beside | None = None


@dataclass(frozen=True)
class ReadPictures:
    """A model's results for n pictures, and the truth.

    Attributes
    ----------
    truth, reading : (n,) str
        The labels, in capitals for a model that counts both cases alike; and the most probable letters before any
        dictionary.
    answers, confidences : dict of str to (n,) str, (n,) float64
        The best word and its confidence, by ranking.
    segments : (n,) int64
        How many letters each picture was cut into.
    in_place : (n,) bool
        From `in_place`.
    parameters : (n,) structured
        Of the drawing.
    letters : (m, 2) str
        True and read letters of the pictures that were cut into the right number of segments.
    """

    truth: np.ndarray
    reading: np.ndarray
    answers: dict[str, np.ndarray]
    confidences: dict[str, np.ndarray]
    segments: np.ndarray
    in_place: np.ndarray
    parameters: np.ndarray
    letters: np.ndarray


@dataclass(frozen=True)
class EvaluateReceipt(ReadPictures):
    """A model's results for one shard.

    Attributes
    ----------
    shard : int
    mistakes : (list of (h, w) uint8, list of str)
        Up to `MISTAKES` pictures whose default answer is wrong, and their captions.
    seconds : float
        Time for the default answers.
    right : dict of Readers to (n,) bool
        Of a classic and a deep model: which default answers are right, alone and together.
    """

    shard: int
    mistakes: tuple[list[np.ndarray], list[str]]
    seconds: float
    right: dict[Readers, np.ndarray] = field(default_factory=dict)


def dictionary_of(dataset: Dataset, given: str | None) -> tuple[str, ...]:
    """Choose the words to rank by: the dataset's own, or those that are `given` ('none': no dictionary).

    Raises
    ------
    BadInput
        The dataset was drawn from a user's list, which must be given.
    """
    profile = dataset.manifest.profile
    source = profile["words"] if given is None else given
    if source in ("", "none"):
        return ()
    if source == "list":
        raise BadInput(
            f"dictionary: {dataset.folder} was drawn from a user's word list; give it with --dictionary FILE, "
            "or --dictionary none"
        )
    length = tuple(profile["length"]) if source == WEB2 else (1, 32)
    return load_words(source, profile["alphabet"], length)


def reader_for(dataset: Dataset, model: str, sha256: str, dictionary: tuple[str, ...]) -> Reader | DeepReader:
    """Open a model as a reader that knows the alphabet of a dataset and the length of its texts.

    Raises
    ------
    Damaged, BadInput
    """
    profile = dataset.manifest.profile
    file = at_home(model)
    familiar = is_deep(file) and is_familiar(load_deep_model(file).record, profile)
    return load_reader(model, sha256, dictionary, None, profile["alphabet"], tuple(profile["length"]), familiar)


def read_shard(job: EvaluateJob) -> EvaluateReceipt:
    """Read a shard's pictures of one split, or all of them, with every ranking.

    Raises
    ------
    Damaged, BadInput
    """
    dataset = Dataset(job.folder, inflate)
    reader, counted = _reader_of(job, dataset), job.beside.readers if job.beside else Readers.BOTH
    rankings = RANKINGS if job.dictionary else (Ranking.NONE,)
    parts: list[ReadPictures] = []
    right: list[dict[Readers, np.ndarray]] = []
    images: list[np.ndarray] = []
    captions: list[str] = []
    seconds = 0.0
    alphabet = dataset.manifest.profile["alphabet"]
    as_ = in_capitals if isinstance(reader, DeepReader) and reader.folded else str
    for block in dataset.blocks(None if job.split == MeasuredSplit.ALL else job.split, [job.shard]):
        block.texts(alphabet)  # refuses labels that the dataset cannot have, which the scores could not count
        began = time.perf_counter()
        read_as_solve(_quickest(reader, counted), block)  # the other rankings are no part of its speed
        seconds += time.perf_counter() - began
        if isinstance(reader, BothReaders):
            found = read_by_both(reader, block, rankings)
            right.append(found.right(np.array(block.texts())))
            of_block = [(block.rows(rows), readings) for rows, readings in found.parts(counted)]
        else:
            of_block = [(block, read_block(reader, block, rankings))]
        for some, readings in of_block:
            truth = np.array([*map(as_, some.texts())])
            parts.append(_compared(some, truth, readings, rankings))
            for image, said in _mistakes(some, truth, readings, MISTAKES - len(images)):
                images.append(image)
                captions.append(said)
    read = join(parts)
    return EvaluateReceipt(
        **{name.name: getattr(read, name.name) for name in fields(read)},
        shard=job.shard, mistakes=(images, captions), seconds=seconds,
        right={readers: np.concatenate([part[readers] for part in right]) for readers in Readers if right},
    )  # fmt: skip


def _reader_of(job: EvaluateJob, dataset: Dataset) -> AnyReader:
    """Open the model of a job, or both models, which read as `solve` has them read: with cautious confidence."""
    if job.beside is None:
        return reader_for(dataset, job.model, job.model_sha256, job.dictionary)
    profile = dataset.manifest.profile
    both = (job.beside.model, job.beside.sha256), (job.model, job.model_sha256)
    return load_both(*both, job.dictionary, None, profile["alphabet"], tuple(profile["length"]))


def _quickest(reader: AnyReader, counted: Readers) -> AnyReader:
    """Return what need only read: of two models perhaps the model whose answers count."""
    if not isinstance(reader, BothReaders) or counted is Readers.BOTH:
        return reader
    return reader.classic if counted is Readers.CLASSIC else reader.deep


def _compared(block: Block, truth: np.ndarray, readings: Readings, rankings: Sequence[Ranking]) -> ReadPictures:
    whole = readings.segments == np.char.str_len(truth)
    letters = [np.array(list("".join(words[whole].tolist())), "U1") for words in (truth, readings.reading)]
    return ReadPictures(
        truth=truth,
        reading=readings.reading,
        answers={ranking.value: readings.answers[ranking].words[:, 0] for ranking in rankings},
        confidences={ranking.value: readings.answers[ranking].probabilities[:, 0] for ranking in rankings},
        segments=readings.segments,
        in_place=in_place(block.boxes, readings),
        parameters=block.parameters,
        letters=np.stack(letters, axis=1),
    )


def _mistakes(block: Block, truth: np.ndarray, readings: Readings, most: int) -> Iterator[tuple[np.ndarray, str]]:
    """Yield up to `most` pictures whose default answer is wrong, without the empty rest of the canvas, and captions."""
    answer = readings.words[:, 0]
    for k in np.flatnonzero(answer != truth)[:most]:
        height, width = int(block.parameters["height"][k]), int(block.parameters["width"][k])
        right, said, reading = (caption(text) for text in (truth[k], answer[k] or "-", readings.reading[k]))
        yield block.images[k, :height, :width], f"{right} as {said}\n({reading})"


def join(parts: Sequence[ReadPictures]) -> ReadPictures:
    """Join the results of several blocks or shards, in their order."""
    if not parts:
        none = np.empty(0, [("font", "i4"), ("shear", "i4"), ("scale", "i4")])
        text, number, flag = np.empty(0, "U1"), np.empty(0, np.int64), np.empty(0, bool)
        return ReadPictures(text, text, {}, {}, number, flag, none, np.empty((0, 2), "U1"))

    def arrays(name: str) -> np.ndarray:
        return np.concatenate([getattr(part, name) for part in parts])

    def by_ranking(name: str) -> dict[str, np.ndarray]:
        return {key: np.concatenate([getattr(part, name)[key] for part in parts]) for key in getattr(parts[0], name)}

    return ReadPictures(
        arrays("truth"), arrays("reading"), by_ranking("answers"), by_ranking("confidences"), arrays("segments"),
        arrays("in_place"), arrays("parameters"), arrays("letters"),
    )  # fmt: skip


def in_place(boxes: np.ndarray, readings: Readings) -> np.ndarray:
    """Tell for each picture whether the span of every letter holds the middle of the letter's true box.

    A picture without boxes counts as in place. So does a picture that was cut into a wrong number of letters: that
    is another mistake.

    Parameters
    ----------
    boxes : (n, L, 4) int
        True boxes; -1 past the end of the text.
    readings : Readings

    Returns
    -------
    (n,) bool
    """
    lengths = (boxes[..., 0] >= 0).sum(axis=1)
    fine = (readings.segments != lengths) | (lengths == 0)
    picture = readings.picture
    place = np.arange(len(picture)) - np.searchsorted(picture, picture)
    judged = ~fine[picture]
    picture, found = picture[judged], readings.box[judged].astype(np.int64)
    top, left, bottom, right = boxes[picture, place[judged]].astype(np.int64).T
    moved = readings.offset[picture] - readings.shear[picture] * (top + bottom) / 2000
    middle = (left + right) / 2 + moved
    wrong = picture[(middle < found[:, 1]) | (middle > found[:, 3])]
    fine = np.ones(len(boxes), bool)
    fine[wrong] = False
    return fine

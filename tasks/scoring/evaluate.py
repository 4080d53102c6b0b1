"""The unit of evaluating: read one shard's unseen pictures. `tasks.scoring.report` sums up all shards."""

import time
from dataclasses import dataclass

import numpy as np

from storage.dataset import Dataset
from storage.errors import BadInput
from tasks.lowlevel.inflate import inflate
from tasks.models import load_reader
from tasks.profiles.word_lists import WEB2, load_words
from tasks.reading.ranking import Ranking
from tasks.reading.reader import Reader, Readings

RANKINGS = tuple(Ranking)
MISTAKES = 48  # pictures on the sheet of mistakes


@dataclass(frozen=True)
class EvaluateJob:
    """One shard to be read: the pictures of `split`, with a model and a dictionary."""

    folder: str
    shard: int
    split: str
    model: str
    model_sha256: str
    dictionary: tuple[str, ...]


@dataclass(frozen=True)
class EvaluateReceipt:
    """What was read, an entry a picture (arrays of n) or a letter (arrays of m).

    answers, confidences : by ranking
    letters : (m, 2) str, true and read, of pictures cut into the right number of segments
    mistakes : pictures whose default answer is wrong, with a caption each; a few
    """

    shard: int
    truth: np.ndarray
    reading: np.ndarray
    answers: dict[str, np.ndarray]
    confidences: dict[str, np.ndarray]
    segments: np.ndarray
    in_place: np.ndarray
    parameters: np.ndarray
    letters: np.ndarray
    mistakes: tuple[list, list]
    seconds: float


def dictionary_of(dataset: Dataset, given: str | None) -> tuple[str, ...]:
    """The words to rank with: the dataset's own, or those that were `given` ('none': no dictionary).

    Raises
    ------
    BadInput
        The dataset was drawn from a user's list, which has to be given.
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


def reader_for(dataset: Dataset, model: str, sha256: str, dictionary: tuple[str, ...]) -> Reader:
    """A reader that knows which letters a dataset's texts are made of, and how long they are.

    Raises
    ------
    Damaged, BadInput
    """
    profile = dataset.manifest.profile
    return load_reader(model, sha256, dictionary, None, profile["alphabet"], tuple(profile["length"]))


def read_shard(job: EvaluateJob) -> EvaluateReceipt:
    """Read a shard's pictures of one split with every ranking.

    Raises
    ------
    Damaged, BadInput
    """
    dataset = Dataset(job.folder, inflate)
    reader = reader_for(dataset, job.model, job.model_sha256, job.dictionary)
    rankings = RANKINGS if job.dictionary else (Ranking.NONE,)
    parts, mistakes, seconds = [], ([], []), 0.0
    for block in dataset.blocks(job.split, [job.shard]):
        began = time.perf_counter()
        readings = reader.read(block.images)  # as `solve` does: the other rankings are not part of its speed
        seconds += time.perf_counter() - began
        readings = reader.read(block.images, rankings=rankings)
        truth, answer = np.array(block.texts()), readings.words[:, 0]
        answers = {ranking.value: readings.answers[ranking].words[:, 0] for ranking in rankings}
        confidences = {ranking.value: readings.answers[ranking].probabilities[:, 0] for ranking in rankings}
        whole = readings.segments == np.char.str_len(truth)
        letters = [np.array(list("".join(words[whole].tolist())), "U1") for words in (truth, readings.reading)]
        parts.append(
            (truth, readings.reading, answers, confidences, readings.segments, in_place(block.boxes, readings),
             block.parameters, np.stack(letters, axis=1))
        )  # fmt: skip
        wrong = np.flatnonzero(answer != truth)[: MISTAKES - len(mistakes[0])]
        for k in wrong:
            height, width = int(block.parameters["height"][k]), int(block.parameters["width"][k])
            mistakes[0].append(block.images[k, :height, :width])
            mistakes[1].append(f"{truth[k]} as {answer[k] or '-'}\n({readings.reading[k]})")
    return EvaluateReceipt(job.shard, *_joined(parts), mistakes, seconds)


def _joined(parts: list[tuple]) -> tuple:
    if not parts:
        empty = np.empty(0, "U1")
        nothing = np.empty(0, bool)
        return (
            empty, empty, {}, {}, np.empty(0, np.int64), nothing,
            np.empty(0, [("font", "i4"), ("shear", "i4"), ("scale", "i4")]), np.empty((0, 2), "U1"),
        )  # fmt: skip
    return tuple(
        {key: np.concatenate([part[key] for part in column]) for key in column[0]}
        if isinstance(column[0], dict)
        else np.concatenate(column)
        for column in zip(*parts, strict=True)
    )


def in_place(boxes: np.ndarray, readings: Readings) -> np.ndarray:
    """Whether every letter was cut where it is, (n,) bool: its span holds the middle of its true box.

    A picture cut into another number of segments than it has letters counts as in place: its fault is another one.
    So does one without boxes.

    Parameters
    ----------
    boxes : (n, L, 4) int
        The true ones; -1 past the end of the text.
    readings : Readings
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

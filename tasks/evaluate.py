"""The unit of evaluating: read one shard's unseen pictures. `tasks.report` sums up all shards."""

import time
from dataclasses import dataclass

import numpy as np

from storage.dataset import Dataset
from storage.errors import BadInput
from tasks.inflate import inflate
from tasks.ranking import Ranking
from tasks.solve import load_reader
from tasks.words import WEB2, load_words

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
    confidence: np.ndarray
    segments: np.ndarray
    in_order: np.ndarray
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


def read_shard(job: EvaluateJob) -> EvaluateReceipt:
    """Read a shard's pictures of one split with every ranking.

    Raises
    ------
    Damaged, BadInput
    """
    reader = load_reader(job.model, job.model_sha256, job.dictionary)
    rankings = RANKINGS if job.dictionary else (Ranking.NONE,)
    parts, mistakes, seconds = [], ([], []), 0.0
    for block in Dataset(job.folder, inflate).blocks(job.split, [job.shard]):
        began = time.perf_counter()
        readings = reader.read(block.images, rankings=rankings)
        seconds += time.perf_counter() - began
        truth = np.array(block.texts())
        cut, answer = readings.cut, readings.words[:, 0]
        answers = {ranking.value: readings.answers[ranking].words[:, 0] for ranking in rankings}
        lengths = np.char.str_len(truth)
        whole = cut.counts == lengths
        order = in_reading_order(block.boxes, cut.picture, cut.box, cut.counts, lengths)
        chosen = whole[cut.picture]
        spelled = np.array(list("".join(truth[whole].tolist())), "U1")
        letters = np.stack([spelled, readings.letter[chosen]], axis=1)
        parts.append(
            (truth, readings.reading, answers, readings.confidences[:, 0], cut.counts, order, block.parameters, letters)
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
            empty, empty, {}, np.empty(0), np.empty(0, np.int64), nothing,
            np.empty(0, [("font", "i4"), ("shear", "i4"), ("scale", "i4")]), np.empty((0, 2), "U1"),
        )  # fmt: skip
    columns = list(zip(*parts, strict=True))
    answers = {key: np.concatenate([part[key] for part in columns[2]]) for key in columns[2][0]}
    return tuple(answers if number == 2 else np.concatenate(column) for number, column in enumerate(columns))


def in_reading_order(boxes, picture, box, counts, lengths) -> np.ndarray:
    """Whether each picture's segments come in the order of its letters, (n,) bool.

    A segment belongs to the letter whose true box it shares the largest area with. A picture with
    another number of segments than letters counts as in order: its fault is another one.
    So does one without boxes.

    Parameters
    ----------
    boxes : (n, L, 4) int, true boxes
    picture, box : (m,) and (m, 4) int, the segments'
    counts, lengths : (n,) int, segments found and letters there
    """
    true = boxes[picture].astype(np.int64)
    top, left = np.maximum(true[..., 0], box[:, None, 0]), np.maximum(true[..., 1], box[:, None, 1])
    bottom, right = np.minimum(true[..., 2], box[:, None, 2]), np.minimum(true[..., 3], box[:, None, 3])
    area = np.clip(bottom - top, 0, None) * np.clip(right - left, 0, None)
    area[true[..., 0] < 0] = -1
    owner = area.argmax(axis=1)
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    place = np.arange(len(picture)) - first[picture]
    wrong = np.bincount(picture[owner != place], minlength=len(counts)) > 0
    unknown = (boxes[..., 0] < 0).all(axis=1)  # imported pictures have no boxes
    return ~wrong | (counts != lengths) | unknown

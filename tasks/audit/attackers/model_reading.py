"""Read unseen pictures with a model of either kind: a job for some of them, and the answers of all."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from storage.dataset import Dataset
from storage.errors import BadInput
from storage.files.places import Place
from storage.models import model_digest
from tasks.audit.attackers.answers import GUESSES, Answers
from tasks.deep.deep_reader import DeepReader
from tasks.doubts import believed
from tasks.loading.colour_ink import ink_of_batch
from tasks.lowlevel.inflate import inflate
from tasks.readers import known_letters, load_reader
from tasks.reading.reader import Reader, Readings

PICTURES = 256  # of a job


@dataclass(frozen=True)
class ModelUse:
    """A model, and what an attacker who uses it knows of the texts.

    alphabet : the letters to expect, of those that the model knows
    length : the shortest and the longest text
    words : the dictionary; empty for none
    """

    model: str
    sha256: str
    alphabet: str
    length: tuple[int, int]
    words: tuple[str, ...]


@dataclass(frozen=True)
class ReadJob:
    """Read some pictures of a dataset, which are named by their places; `first` is the place of theirs in the whole."""

    folder: str
    rows: tuple[int, ...]
    first: int
    use: ModelUse


@dataclass(frozen=True)
class ReadReceipt:
    """What was read: guesses and confidences of the pictures from `first` on, and the seconds for them."""

    first: int
    guesses: tuple[tuple[str, ...], ...]
    confidences: tuple[float, ...]
    seconds: float


def use_of(model: Place, alphabet: str, length: tuple[int, int], words: tuple[str, ...], fold_case: bool) -> ModelUse:
    """Return how to read texts of an alphabet with a model; letters that it does not know are never read.

    Raises
    ------
    BadInput
        It knows none of them.
    NotThere, Damaged
    """
    record, known = known_letters(model)
    wanted = alphabet
    if fold_case or record.get("folded"):
        wanted = "".join(dict.fromkeys(letter for one in alphabet for letter in (one, one.upper(), one.lower())))
    usable = "".join(letter for letter in wanted if len(letter) == 1 and letter in known)
    if not usable:
        raise BadInput(f"model {model}: knows none of the letters {alphabet!r}; train a model on such letters")
    readable = tuple(word for word in words if set(word) <= set(usable))
    return ModelUse(str(model.resolve()), model_digest(model), usable, length, readable)


def read_jobs(dataset: Dataset, rows: Sequence[int], use: ModelUse) -> list[ReadJob]:
    """Divide the unseen pictures into jobs."""
    return [
        ReadJob(str(dataset.folder.resolve()), tuple(rows[first : first + PICTURES]), first, use)
        for first in range(0, len(rows), PICTURES)
    ]


def read_rows(job: ReadJob) -> ReadReceipt:
    """Read the pictures of a job.

    Raises
    ------
    Damaged, BadInput
    """
    use = job.use
    reader = load_reader(use.model, use.sha256, use.words, None, use.alphabet, use.length)
    block = Dataset(job.folder, inflate)[list(job.rows)]
    sizes = np.column_stack([block.parameters["height"], block.parameters["width"]]).astype(np.int64)
    began = time.perf_counter()
    # As `solve` reads: the shipped models look at strangers' pictures once more.
    parts = believed(reader, *_as_wanted(reader, block.images, sizes))
    seconds = time.perf_counter() - began
    guesses: list[tuple[str, ...]] = [()] * len(sizes)
    confidences = np.zeros(len(sizes))
    for part in parts:
        confidences[part.rows] = np.nan_to_num(part.readings.confidences[:, 0])
        for row, texts in zip(part.rows.tolist(), part.readings.words.tolist(), strict=True):
            guesses[row] = tuple(text for text in texts[:GUESSES] if text)
    return ReadReceipt(job.first, tuple(guesses), tuple(confidences.tolist()), seconds)


def read_seen(reader: Reader | DeepReader, images: np.ndarray, sizes: np.ndarray) -> Readings:
    """Read pictures as a dataset holds them: as ink, or as they are seen.

    Parameters
    ----------
    images : (n, H, W) or (n, H, W, 3) uint8
    sizes : (n, 2) int64
        Rows and columns of each picture at the top left of its canvas.
    """
    wanted, sizes_of = _as_wanted(reader, images, sizes)
    return reader.read(wanted, (), sizes_of) if isinstance(reader, DeepReader) else reader.read(wanted)


def _as_wanted(
    reader: Reader | DeepReader, images: np.ndarray, sizes: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:  # fmt: skip
    """Return pictures and their sizes as a deep reader wants them, or ink for a classic one."""
    if isinstance(reader, DeepReader):
        return images, sizes
    return ink_of_batch(images, sizes[:, 0], sizes[:, 1]), None


def gather(receipts: Iterable[ReadReceipt]) -> Answers:
    """Join the receipts of all jobs to an attacker's answers."""
    order = sorted(receipts, key=lambda receipt: receipt.first)
    guesses = tuple(texts for receipt in order for texts in receipt.guesses)
    confidences = tuple(share for receipt in order for share in receipt.confidences)
    return Answers(guesses, confidences, sum(receipt.seconds for receipt in order) / max(len(guesses), 1))


class ReadingWith:
    """A model as a function of pictures, for those who change pictures and look what is read then."""

    def __init__(self, use: ModelUse):
        self._use = use

    def __call__(self, images: np.ndarray) -> list[str]:
        """Read pictures, (n, H, W) or (n, H, W, 3) uint8, as a dataset holds them; return a text for each."""
        use = self._use
        reader = load_reader(use.model, use.sha256, use.words, None, use.alphabet, use.length)
        sizes = np.tile(np.array(images.shape[1:3], np.int64), (len(images), 1))
        return [str(text) for text in read_seen(reader, images, sizes).words[:, 0].tolist()]

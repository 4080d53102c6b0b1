"""Measure how often a model's answers are right, also on strange pictures, and fit its confidence to that."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np

from storage.dataset import Dataset
from storage.models import load_model
from tasks.loading.colour_ink import ink_of_batch
from tasks.lowlevel.inflate import inflate
from tasks.profiles.word_lists import WEB2, load_words
from tasks.reading.ranking import Ranking
from tasks.reading.reader import Reader
from tasks.training.curves import fit_curve
from tasks.training.settings import left_out
from tasks.training.strange import make_strange
from tasks.training.told_splits import validation_blocks

CHECKED = 4096  # validation pictures of each dataset, rounded up to whole blocks
# How much the answers to strange pictures count beside those to a dataset's own; to own pictures of which nothing is
# told; and to pictures whose letters may not occur. At 0.1 each, the calibration error of the shipped model on
# `touching` was 2.9 % (n = 21,430; now 1.4 %), and on the kinds of `tests.benchmarks.strangers` 1.9 % instead of 1.3 %
# (--count 60 --seed 7, n = 2,280, a network of 256 units).
STRANGE, UNTOLD, FOREIGN = 0.025, 0.025, 0.025
PART = 4  # one letter in so many is allowed where most may not occur; one picture in so many is read once more


@dataclass(frozen=True)
class CheckJob:
    """Read the first pictures of a dataset's validation split with a model whose confidence is not fitted yet."""

    folder: str
    model: str
    leave_out: tuple[str, ...]


@dataclass(frozen=True)
class CheckReceipt:
    """The evidence for each answer, (n, k) float64, whether it was right, (n,) bool, and its weight; by ranking."""

    evidence: dict[str, np.ndarray]
    right: dict[str, np.ndarray]
    weight: dict[str, np.ndarray]


def check_answers(job: CheckJob) -> CheckReceipt:
    """Read `CHECKED` validation pictures of a dataset, or all if it has fewer, and some of them changed or once more.

    They are read by what is known of the dataset: its alphabet, lengths and words. A part is made strange; and a part,
    as it is and strange, is read without any of that, and with an alphabet that lacks most of the letters. Pictures in
    which no letter is found count for nothing.

    Raises
    ------
    Damaged, BadInput
    """
    dataset = Dataset(job.folder, inflate)
    profile = dataset.manifest.profile
    length, alphabet = tuple(profile["length"]), profile["alphabet"]
    # A dataset keeps only the digest of a user's own list: without the words there is no evidence of a dictionary.
    words = load_words(WEB2, alphabet, length) if profile["words"] == WEB2 else ()
    networks, record = load_model(job.model)
    reader = Reader(networks, record, words, alphabet=alphabet, length=length)
    untold = Reader(networks, record)
    foreign = Reader(networks, record, alphabet=record["classes"][::PART])
    answers = _Answers()
    for number, block in enumerate(validation_blocks(dataset)):
        if job.leave_out:
            block = block.rows(~left_out(dataset, block, job.leave_out))
        truth = np.array(block.texts(alphabet))
        ink = ink_of_batch(block.images, block.parameters["height"], block.parameters["width"])
        some = slice(number % PART, None, PART)
        strange = make_strange(ink[some], number)
        answers.add(reader, ink, truth, 1.0)
        answers.add(reader, strange, truth[some], PART * STRANGE)
        answers.add(untold, ink[some], truth[some], PART * UNTOLD)
        answers.add(untold, strange, truth[some], PART * STRANGE)
        answers.add(foreign, ink[some], truth[some], PART * FOREIGN)
        if answers.pictures >= CHECKED:
            break
    return answers.receipt()


class _Answers:
    """Answers that are collected: their evidence, whether they were right, and how much each counts."""

    def __init__(self) -> None:
        self.pictures = 0
        self._parts: defaultdict[str, list[tuple[np.ndarray, np.ndarray, np.ndarray]]] = defaultdict(list)

    def add(self, reader: Reader, images: np.ndarray, truth: np.ndarray, weight: float) -> None:
        readings = reader.read(images, [Ranking.NONE])
        self.pictures += len(images) * (weight == 1)
        found = readings.segments > 0
        for ranking, rows in readings.evidence.items():
            answer = readings.reading if ranking is Ranking.NONE else readings.answers[ranking].words[:, 0]
            self._parts[ranking.value].append((rows[found], (answer == truth)[found], np.full(found.sum(), weight)))

    def receipt(self) -> CheckReceipt:
        joined = {
            key: [np.concatenate(part) for part in zip(*parts, strict=True)] for key, parts in self._parts.items()
        }
        return CheckReceipt(*({key: parts[k] for key, parts in joined.items()} for k in range(3)))


def calibrate(receipts: list[CheckReceipt]) -> dict[str, dict[str, Any]]:
    """Fit the curves of confidence over all datasets together, for each ranking that has evidence."""
    curves = {}
    for ranking in (Ranking.NONE.value, Ranking.PROBABILITY.value):
        some = [receipt for receipt in receipts if ranking in receipt.evidence]
        if some:
            evidence, right, weight = (
                np.concatenate([getattr(receipt, name)[ranking] for receipt in some])
                for name in ("evidence", "right", "weight")
            )
            curves[ranking] = fit_curve(evidence, right, weight).as_record()
    return curves

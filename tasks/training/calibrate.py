"""Measure how often a model's answers are right, and fit its confidence to that."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from storage.dataset import Dataset
from storage.models import load_model
from tasks.lowlevel.inflate import inflate
from tasks.profiles.word_lists import WEB2, load_words
from tasks.reading.confidence import fit_curve
from tasks.reading.ranking import Ranking
from tasks.reading.reader import Reader
from tasks.training.settings import left_out

CHECKED = 8192  # validation pictures of each dataset, rounded up to whole blocks
# The number of columns, the first of a reader's evidence, that speak for the answer. Without a dictionary two more
# follow: the number of cuts and the height of the text.
SPEAKING = {Ranking.NONE.value: 3, Ranking.PROBABILITY.value: 4}


@dataclass(frozen=True)
class CheckJob:
    """Read the first pictures of a dataset's validation split with a model whose confidence is not fitted yet."""

    folder: str
    model: str
    leave_out: tuple[str, ...]


@dataclass(frozen=True)
class CheckReceipt:
    """The evidence for each answer, (n, k) float64, and whether the answer was right, (n,) bool; by ranking."""

    evidence: dict[str, np.ndarray]
    right: dict[str, np.ndarray]


def check_answers(job: CheckJob) -> CheckReceipt:
    """Read `CHECKED` validation pictures of a dataset, or all if it has fewer.

    Raises
    ------
    Damaged, BadInput
    """
    dataset = Dataset(job.folder, inflate)
    profile = dataset.manifest.profile
    length = tuple(profile["length"])
    # A dataset keeps only the digest of a user's own list: without the words there is no evidence of a dictionary.
    words = load_words(WEB2, profile["alphabet"], length) if profile["words"] == WEB2 else ()
    networks, record = load_model(job.model)
    reader = Reader(networks, record, words, alphabet=profile["alphabet"], length=length)
    evidence: defaultdict[str, list[np.ndarray]] = defaultdict(list)
    right: defaultdict[str, list[np.ndarray]] = defaultdict(list)
    n = 0
    for block in dataset.blocks("validation"):
        if job.leave_out:
            block = block.rows(~left_out(dataset, block, job.leave_out))
        readings = reader.read(block.images, [Ranking.NONE])
        truth = np.array(block.texts(profile["alphabet"]))
        for ranking, rows in readings.evidence.items():
            answer = readings.reading if ranking is Ranking.NONE else readings.answers[ranking].words[:, 0]
            evidence[ranking.value].append(rows)
            right[ranking.value].append(answer == truth)
        n += len(truth)
        if n >= CHECKED:
            break
    return CheckReceipt(
        {key: np.concatenate(rows) for key, rows in evidence.items()},
        {key: np.concatenate(rows) for key, rows in right.items()},
    )


def calibrate(receipts: list[CheckReceipt]) -> dict[str, list[float]]:
    """Fit the weights of confidence over all datasets together, for each ranking that has evidence."""
    curves = {}
    for ranking in (Ranking.NONE.value, Ranking.PROBABILITY.value):
        some = [receipt for receipt in receipts if ranking in receipt.evidence]
        if some:
            curves[ranking] = fit_curve(
                np.concatenate([receipt.evidence[ranking] for receipt in some]),
                np.concatenate([receipt.right[ranking] for receipt in some]),
                SPEAKING[ranking],
            )
    return curves

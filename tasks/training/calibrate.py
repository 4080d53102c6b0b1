"""The unit of training that sees how often a model's answers are right, so that its confidence can be fitted."""

from dataclasses import dataclass

import numpy as np

from storage.dataset import Dataset
from storage.models import load_model
from tasks.lowlevel.inflate import inflate
from tasks.profiles.fonts import face_names
from tasks.profiles.word_lists import WEB2, load_words
from tasks.reading.confidence import fit_curve
from tasks.reading.ranking import Ranking
from tasks.reading.reader import Reader

CHECKED = 8192  # validation pictures of each dataset
# Of a reader's evidence so many columns speak for the answer; with no dictionary, the last two are the room there was.
SPEAKING = {Ranking.NONE.value: 3, Ranking.PROBABILITY.value: 4}


@dataclass(frozen=True)
class CheckJob:
    """The first pictures of a dataset's validation split are to be read by a model without fitted confidence."""

    folder: str
    model: str
    leave_out: tuple[str, ...]


@dataclass(frozen=True)
class CheckReceipt:
    """What speaks for each answer, and whether it was right, by ranking."""

    evidence: dict[str, np.ndarray]
    right: dict[str, np.ndarray]


def check_answers(job: CheckJob) -> CheckReceipt:
    """Read up to `CHECKED` validation pictures of a dataset.

    Raises
    ------
    Damaged, BadInput
    """
    dataset = Dataset(job.folder, inflate)
    profile = dataset.manifest.profile
    length = tuple(profile["length"])
    # Of a user's own list only the digest is kept, so that there is nothing to fit the dictionary's confidence on.
    words = load_words(WEB2, profile["alphabet"], length) if profile["words"] == WEB2 else ()
    reader = Reader(*load_model(job.model), words, alphabet=profile["alphabet"], length=length)
    faces = face_names(dataset.manifest.fonts)
    left_out = [number for number, face in enumerate(faces) if face in job.leave_out]
    evidence, right, n = {}, {}, 0
    for block in dataset.blocks("validation"):
        if left_out:
            block = block.rows(~np.isin(block.parameters["font"], left_out))
        readings = reader.read(block.images, [Ranking.NONE])
        truth = np.array(block.texts())
        for ranking, rows in readings.evidence.items():
            answer = readings.reading if ranking is Ranking.NONE else readings.answers[ranking].words[:, 0]
            evidence.setdefault(ranking.value, []).append(rows)
            right.setdefault(ranking.value, []).append(answer == truth)
        n += len(truth)
        if n >= CHECKED:
            break
    return CheckReceipt(
        {key: np.concatenate(rows) for key, rows in evidence.items()},
        {key: np.concatenate(rows) for key, rows in right.items()},
    )


def calibrate(receipts: list[CheckReceipt]) -> dict[str, list[float]]:
    """The weights of confidence for each ranking that has evidence, over all datasets together."""
    curves = {}
    for ranking in (Ranking.NONE.value, Ranking.PROBABILITY.value):
        some = [one for one in receipts if ranking in one.evidence]
        if some:
            curves[ranking] = fit_curve(
                np.concatenate([one.evidence[ranking] for one in some]),
                np.concatenate([one.right[ranking] for one in some]),
                SPEAKING[ranking],
            )
    return curves

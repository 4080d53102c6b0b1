"""A few unseen pictures with what the strongest attacker read in them."""

from base64 import b64encode
from collections.abc import Sequence
from io import BytesIO

from PIL import Image

from storage.dataset import Dataset
from tasks.audit.attackers.answers import Answers, right_of
from tasks.audit.attackers.labelled import Unseen
from tasks.audit.attackers.programs.other_programs import as_seen
from tasks.audit.schema import Sample

SHOWN = 12


def samples_of(dataset: Dataset, unseen: Unseen, answers: Answers, fold_case: bool) -> list[Sample]:
    """Return the first unseen pictures, so that nobody has picked them."""
    count = min(SHOWN, len(answers.guesses))
    right = right_of(answers, unseen.truths, fold_case)
    confidences: Sequence[float | None] = answers.confidences or (None,) * count
    return [
        {"picture": _data_url(picture), "truth": truth, "read": read, "confidence": confidence, "right": flag}
        for picture, truth, read, confidence, flag in zip(
            as_seen(dataset, unseen.rows[:count]), unseen.truths, answers.firsts, confidences, right, strict=False
        )
    ]


def _data_url(picture: Image.Image) -> str:
    file = BytesIO()
    picture.save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"

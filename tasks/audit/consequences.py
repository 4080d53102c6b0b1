"""What follows from the strongest attacker's answers: what helps it, and what a change of the pictures would do."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from storage.dataset import Dataset
from tasks.audit.attackers.answers import Answers, compared_as
from tasks.audit.attackers.labelled import Unseen
from tasks.audit.attackers.model_reading import ModelUse, ReadingWith
from tasks.audit.findings.causes import find_causes
from tasks.audit.findings.defects import find_defects
from tasks.audit.findings.texts.ignored_texts import Readings
from tasks.audit.findings.what_if import find_what_ifs
from tasks.audit.schema import Finding, WhatIf, Why
from tasks.profiles.profile import Profile

PAIRS = 1_000  # texts that each change is drawn with, at most


def defects_of(
    dataset: Dataset, profile: Profile | None, sources: Sequence[Path], fold_case: bool, readings: Readings
) -> list[Finding]:  # fmt: skip
    """Look for defects that need no attack; `readings` are those of readers that learnt from none of the pictures."""
    return find_defects(dataset, profile, sources, fold_case, readings)


def causes_of(
    dataset: Dataset, profile: Profile | None, unseen: Unseen, answers: Answers, use: ModelUse | None, fold_case: bool
) -> Why:  # fmt: skip
    """Find what makes an attacker succeed and fail; `use` is the model that it reads with, if it is a model."""
    as_ = compared_as(fold_case)
    count = len(answers.guesses)
    confidences = np.full(count, np.nan) if answers.confidences is None else np.array(answers.confidences)
    return find_causes(
        dataset, profile, np.array(unseen.rows[:count], np.int64), [as_(text) for text in unseen.truths[:count]],
        [as_(text) for text in answers.firsts], confidences, None if use is None else ReadingWith(use),
    )  # fmt: skip


def what_ifs_of(profile: Profile, use: ModelUse, seed: int, until: float, fold_case: bool) -> list[WhatIf]:
    """Draw the profile with each distortion removed and made stronger, and let a model read it."""
    read = ReadingWith(use)
    return find_what_ifs(profile, read, count=PAIRS, seed=seed, until=until, fold_case=fold_case)

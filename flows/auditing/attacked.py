"""What all attackers of an audit have in common: pictures, rules of comparing, budget, finished steps."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from flows.auditing.clock import TRAININGS, Clock
from flows.auditing.course import Course
from storage.audits import Steps
from storage.dataset import Dataset
from tasks.audit.attackers.answers import Answers, Attack, judge, not_tried
from tasks.audit.attackers.catalogue import ORDER
from tasks.audit.attackers.labelled import Unseen
from tasks.audit.schema import Attacker, Skipped


class Tried(NamedTuple):
    """What an attacker answered, the seconds of its training, and the pictures learnt from, if only that tells."""

    answers: Answers
    train_seconds: float = 0.0
    labels: int | None = None


@dataclass
class Attacked:
    """The pictures that are attacked, and what was found so far.

    draws : the profile that attackers can draw from as its owner does; None if there is none
    words : the dictionary that the texts are from; empty for none
    price : of a label
    few : why there are few unseen pictures, and what it would take; None if there are enough
    entries, answers : of each attacker that is done, in order; the answers by `name-labels`
    """

    dataset: Dataset
    unseen: Unseen
    draws: str | None
    words: tuple[str, ...]
    fold_case: bool
    price: float
    seed: int
    steps: Steps
    clock: Clock
    course: Course
    few: str | None = None
    entries: list[Attacker] = field(default_factory=list)
    answers: dict[str, Answers] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)

    @property
    def state(self) -> Path:
        """Return the folder of what is not finished yet, and of models."""
        return self.steps.folder

    @property
    def alphabet(self) -> str:
        """Return the letters of the texts."""
        return str(self.dataset.manifest.profile["alphabet"])

    @property
    def length(self) -> tuple[int, int]:
        """Return the shortest and the longest text."""
        shortest, longest = self.dataset.manifest.profile["length"]
        return shortest, longest

    def attack(self, attack: Attack, read: Callable[[], Tried], key: str = "", **more: object) -> Attacker:
        """Let an attacker read, judge it and keep the result; or take the result of an earlier run.

        Parameters
        ----------
        read : callable
            Trains, where there is anything to train, and reads.
        key : str
            Of the step, by default NAME-LABELS.
        more : JSON values
            What only this attacker depends on.
        """
        key = key or f"{attack.name}-{attack.labels}"
        kept = self.steps.find(key, **more)
        if kept is None:
            self.course.begins(f"trying {told(attack)}", attack.name if attack.name in TRAININGS else None)
            began = time.monotonic()
            tried = read()
            attack = attack if tried.labels is None else replace(attack, labels=tried.labels)
            judged = judge(attack, tried.answers, self.unseen.truths, self.fold_case, tried.train_seconds)
            kept = {"entry": judged, "answers": tried.answers.as_dict(), "seconds": time.monotonic() - began}
            self.steps.keep(key, kept, **more)
        else:
            self.clock.count(kept["seconds"])
        entry: Attacker = kept["entry"]
        self.answers[f"{attack.name}-{entry['labels']}"] = Answers.of(kept["answers"])
        self.entries.append(entry)
        words = entry["words"] or {"right": 0, "n": 0}
        self.course.tells(f"{told(attack)}: {words['right']:,} of {words['n']:,} right")
        return entry

    def in_order(self) -> None:
        """Put the attackers into order, from weak to strong kinds, and from few labelled pictures to many."""
        self.entries.sort(key=lambda entry: (ORDER.index(entry["name"]), entry["labels"]))

    def leave(self, attack: Attack, why_not: str) -> None:
        """Note that an attacker cannot be tried here."""
        self.course.tells(f"{told(attack)} is not tried: {why_not}")
        self.entries.append(not_tried(attack, why_not))

    def skip(self, part: str, why: str) -> None:
        """Note that a part is left out."""
        self.course.tells(f"left out, {part}: {why}")
        self.skipped.append({"part": part, "why": why})

    def step(self, name: str, work: Callable[[], Any], **more: object) -> Any:
        """Do a part whose result JSON can hold, or take the result of an earlier run."""
        kept = self.steps.find(name, **more)
        if kept is None:
            began = time.monotonic()
            kept = {"content": work(), "seconds": time.monotonic() - began}
            self.steps.keep(name, kept, **more)
        else:
            self.clock.count(kept["seconds"])
        return kept["content"]


def told(attack: Attack) -> str:
    """Tell who attacks, for people."""
    return f"{attack.title} with {attack.labels:,} labelled pictures" if attack.labels else attack.title

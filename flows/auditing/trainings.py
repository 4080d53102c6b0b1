"""Train the classic and the deep reader on more and more labelled pictures, until more no longer helps."""

import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

from flows.auditing.attacked import Attacked, Tried
from flows.auditing.clock import busy
from flows.train import train
from flows.workers.deep_training import DeepChoice, choose_deep, fit_deep
from storage.errors import BadInput, NothingLearnt
from storage.files import atomic
from storage.files.places import local
from storage.model_records import load_record
from storage.models import model_digest
from tasks.audit.attackers import budget
from tasks.audit.attackers.answers import Answers
from tasks.audit.attackers.budget import Rung
from tasks.audit.attackers.catalogue import attack_of
from tasks.audit.attackers.labelled import labelled_in, take_labelled
from tasks.audit.attackers.model_reading import ModelUse, use_of
from tasks.audit.attackers.verdict import helps, strongest
from tasks.audit.schema import Attacker
from tasks.deep.learning.deep_training import require_torch
from tasks.shipped import STRANGERS

DRAWN = 1_000_000  # pictures that count for a deep training which draws its own: more than any labelled ones
CHECKED = 1_000  # validation pictures at most: reading more costs a short budget a good part
ROUNDS = 2
LAST = "classic"  # the part of the budget that ends the trainings
READERS = ("classic", "deep")
Read = Callable[[ModelUse, str], Answers]


def attack_trained(field: Attacked, read: Read) -> None:
    """Train both readers, each on as many sets of labelled pictures as the budget allows.

    What the first round leaves of the time, since more no longer helped or nothing fitted, goes to a second one.
    """
    rungs = budget.rungs_of(labelled_in(field.dataset))
    if not rungs:
        for name in ("classic", "deep"):
            field.leave(attack_of(name), f"fewer than {budget.FEWEST} labelled pictures; label more of them")
        return
    climbs = [Climb("classic", rungs, ClassicTraining(field, read), budget.plan_classic)]  # its share ends both
    try:
        if timely := field.clock.share(LAST) >= budget.DEEP_START + budget.LEAST_DEEP:
            field.course.begins("getting ready to train", "deep")
        require_torch(load=timely)  # which takes a minute where others use the machine, and is of no use without time
        wanted = [*rungs, DRAWN] if field.draws is not None else rungs
        deep = DeepTraining(field, read)
        climbs.insert(0, Climb("deep", wanted, deep, deep.plan, deep.point))
    except BadInput as error:
        field.leave(attack_of("deep"), str(error))
    for number in range(ROUNDS):
        for climb in climbs:
            climb.go(field, climb.name if number == 0 else LAST)
            if not climb.begun:  # a short budget has no room in a share; the stronger reader then comes first
                climb.go(field, LAST)
    for climb in climbs:
        climb.tell(field)
    tell_short_curve(field, len(rungs))
    field.in_order()


def tell_short_curve(field: Attacked, most: int) -> None:
    """Note why the curve of the stronger reader has few points, if it has few; `most` are the numbers to try."""
    counts = Counter(entry["name"] for entry in field.entries if entry["name"] in READERS and entry["words"])
    best = strongest([entry for entry in field.entries if entry["name"] in READERS])
    if best is None or counts[best["name"]] >= min(budget.POINTS, most):
        return
    title, found = best["title"].removesuffix(" that draws"), counts[best["name"]]
    why = "more labelled pictures no longer helped"
    if not any(line["part"].startswith(f"{best['name']}, ") for line in field.skipped):
        needed = max(budget.CURVE_MINUTES, 1.5 * budget.POINTS * field.clock.total / 60 / found)
        why = f"there was no time for more on this machine, beside what else it did; --minutes {needed:.0f} would do"
    field.skip("cost curve", f"the curve of {title} has {found} of {budget.POINTS} points: {why}")


class Climb:
    """A reader that is trained on more and more pictures, until more no longer helps or the budget ends."""

    def __init__(
        self, name: str, wanted: Sequence[int], training: "ClassicTraining | DeepTraining",
        plan: Callable[[Sequence[int], float], list[Rung]], point: Callable[[], float] = lambda: 0.0,
    ):  # fmt: skip
        self.name, self._wanted, self._training, self._plan, self._point = name, wanted, training, plan, point
        self._tried: dict[int, Attacker | None] = {}
        self._enough: int | None = None

    def go(self, field: Attacked, part: str) -> None:
        """Train on what is still wanted, within the time that a part of the budget may use.

        What is left is planned anew after each training, which tells how fast this machine is: a slow machine leaves
        numbers out between the first and the last, and the last only if it has no time for another.
        """
        planned = self._plan(self._wanted_still(), self._seconds(field, part))
        while planned:
            rung, rest = planned[0], [rung.labels for rung in planned[1:]]
            if self._seconds(field, part) < self._training.least(rung) / self._training.pace:
                return
            self._tried[rung.labels] = self._training.attack(rung)
            measured = [(labels, entry) for labels, entry in sorted(self._tried.items()) if entry is not None]
            for (_, before), (labels, after) in pairwise(measured):
                if not helps(before, after):
                    self._enough = labels
                    break
            planned = self._plan([labels for labels in rest if self._is_wanted(labels)], self._seconds(field, part))

    def _seconds(self, field: Attacked, part: str) -> float:
        """Return the time that a part may use, on a machine of the pace that is assumed.

        In a short budget it takes from later trainings what a curve of `POINTS` points needs.
        """
        missing = max(budget.POINTS - len(self._tried), 0) * self._point()
        return max(field.clock.share(part), min(field.clock.share(LAST), missing)) / self._training.pace

    @property
    def begun(self) -> bool:
        """Return whether anything was tried."""
        return bool(self._tried)

    def tell(self, field: Attacked) -> None:
        """Note what is left out."""
        if rest := [labels for labels in self._wanted if labels not in self._tried and not self._is_wanted(labels)]:
            field.skip(f"{self.name}, {_listed(rest)}", "more labelled pictures no longer helped")
        if rest := self._wanted_still():
            field.skip("attackers", f"the {self.name} reader on {_listed(rest)}: {_takes(field)}")

    def _wanted_still(self) -> list[int]:
        return [labels for labels in self._wanted if labels not in self._tried and self._is_wanted(labels)]

    def _is_wanted(self, labels: int) -> bool:
        return self._enough is None or labels <= self._enough


def _takes(field: Attacked) -> str:
    """Say what it takes to train on every number of labelled pictures."""
    given, needed = field.clock.total / 60, math.ceil(budget.minutes_for_all(labelled_in(field.dataset)))
    if needed <= given:
        return f"this machine was too busy; --minutes {needed} is enough for all on two quiet cores"
    return f"--minutes {given:g} was too short; --minutes {needed} is enough for all on two quiet cores"


def _listed(labels: Sequence[int]) -> str:
    said = ["as many pictures as it draws" if count == DRAWN else f"{count:,}" for count in labels]
    return ", ".join(said) + ("" if said[-1].endswith("draws") else " labelled pictures")


class ClassicTraining:
    """Trainings of the classic reader; it learns how fast this machine is."""

    def __init__(self, field: Attacked, read: Read):
        self._field, self._read = field, read
        self.pace = busy()  # until a training has told it

    def least(self, rung: Rung) -> float:
        """Return the seconds that a training takes at least."""
        return self.pace * budget.classic_seconds(rung.labels, budget.LEAST_SHOWS)

    def attack(self, rung: Rung) -> Attacker | None:
        """Train, read and judge; None if these pictures cannot be learnt from."""
        field = self._field
        attack = attack_of("classic", rung.labels, field.price)
        try:
            return field.attack(attack, partial(self._learn, rung))
        except BadInput as error:
            field.leave(attack, str(error))
            return None

    def _learn(self, rung: Rung) -> Tried:
        field = self._field
        name = f"classic-{rung.labels}"
        shows = field.step(f"plan-{name}", lambda: {"shows": budget.shows_for(rung, self.pace)})["shows"]
        model = _model(field, f"{name}.skops")
        try:
            trained = _trained(field, name, model, lambda: self._train(rung, shows, model))
        except NothingLearnt:
            return _nothing(field)
        self.pace = trained["seconds"] / budget.classic_seconds(rung.labels, shows)
        use = use_of(model, field.alphabet, field.length, field.words, field.fold_case)
        return Tried(self._read(use, f"the classic reader with {rung.labels:,} labels"), trained["seconds"])

    def _train(self, rung: Rung, shows: int, model: Path) -> None:
        labelled = _labelled(self._field, rung.labels)
        train([str(labelled)], pictures=[rung.labels], shows=shows, out=model, seed=_model_seed(self._field.seed))


class DeepTraining:
    """Trainings of the deep reader; it learns what they take on this machine beside the training itself."""

    pace = 1.0  # a training ends by the clock

    def __init__(self, field: Attacked, read: Read):
        self._field, self._read = field, read
        self._start = budget.DEEP_START

    def plan(self, rungs: Sequence[int], seconds: float) -> list[Rung]:
        """Choose the trainings that so many seconds are enough for."""
        return budget.plan_deep(rungs, seconds, self._start)

    def point(self) -> float:
        """Return the seconds that a point of the curve takes at least."""
        return self._start + budget.LEAST_DEEP

    def least(self, rung: Rung) -> float:
        """Return the seconds that a training takes at least."""
        return min(self.point(), rung.seconds)

    def attack(self, rung: Rung) -> Attacker | None:
        """Train, read and judge; None if these pictures cannot be learnt from."""
        field = self._field
        draws = rung.labels == DRAWN
        attack = attack_of("drawing") if draws else attack_of("deep", rung.labels, field.price)
        try:
            return field.attack(attack, partial(self._learn, rung), "deep-drawing" if draws else "")
        except BadInput as error:
            field.leave(attack, str(error))
            return None

    def _learn(self, rung: Rung) -> Tried:
        began = time.monotonic()
        tried, seconds = self._trained_and_read(rung)
        self._start = max(time.monotonic() - began - seconds, budget.DEEP_START / 2)
        return tried

    def _trained_and_read(self, rung: Rung) -> tuple[Tried, float]:
        """Return the answers, and the seconds of the training itself."""
        field, draws = self._field, rung.labels == DRAWN
        name = "deep-drawing" if draws else f"deep-{rung.labels}"
        seconds = max(min(rung.seconds, field.clock.share(LAST)) - self._start, budget.LEAST_DEEP)
        minutes = field.step(f"plan-{name}", lambda: {"minutes": round(seconds / 60, 2)})["minutes"]
        model = _model(field, f"{name}.onnx")
        try:
            trained = _trained(field, name, model, lambda: self._train(rung, minutes, model))
        except NothingLearnt:
            return _nothing(field), 60 * minutes
        use = use_of(model, field.alphabet, field.length, field.words, field.fold_case)
        labels = int(load_record(model)["pictures"]) if draws else None
        return Tried(self._read(use, "the deep reader"), trained["seconds"], labels), 60 * minutes

    def _train(self, rung: Rung, minutes: float, model: Path) -> None:
        chosen = self._chosen(rung, minutes)
        fit_deep(chosen.sources, chosen.settings, model, chosen.start, CHECKED)

    def _chosen(self, rung: Rung, minutes: float) -> DeepChoice:
        field = self._field
        if rung.labels == DRAWN and field.draws is not None:
            return choose_deep(None, [field.draws], minutes, None, _drawing_seed(field.seed), STRANGERS.stem)
        labelled = str(_labelled(field, rung.labels))
        return choose_deep([labelled], None, minutes, None, _model_seed(field.seed), STRANGERS.stem)


def _trained(field: Attacked, name: str, model: Path, train_it: Callable[[], None]) -> dict[str, float]:
    """Train, unless a run that was ended before it had read with the model has trained it; return the seconds."""
    step = f"trained-{name}"
    kept = field.steps.find(step)
    if kept is None or not model.exists() or kept["sha256"] != model_digest(model):
        began = time.monotonic()
        train_it()
        kept = {"seconds": time.monotonic() - began, "sha256": model_digest(model)}
        field.steps.keep(step, kept)
    else:
        field.clock.count(kept["seconds"])
    return kept


def _nothing(field: Attacked) -> Tried:
    """Return what an attacker answers that learnt nothing: it has no word right."""
    return Tried(Answers(((),) * len(field.unseen.rows), None, 0.0))


def _labelled(field: Attacked, labels: int) -> Path:
    return local(take_labelled(field.dataset, labels, field.state).folder, "labelled pictures").resolve()


def _model(field: Attacked, name: str) -> Path:
    return atomic.make_folder(field.state / "models") / name


def _model_seed(seed: int) -> int:
    return _derived("trainings", seed) >> 32  # of 32 bits


def _drawing_seed(seed: int) -> int:
    """Return a seed other than that of the unseen pictures."""
    return _derived("drawing", seed) >> 1  # of 63 bits


def _derived(purpose: str, seed: int) -> int:
    return int.from_bytes(sha256(f"audit {purpose} {seed}".encode()).digest()[:8], "big")

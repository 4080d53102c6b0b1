"""How an audit divides its minutes: which parts get which share, and how many labelled pictures are tried."""

from collections.abc import Sequence
from dataclasses import dataclass

from storage.errors import BadInput
from tasks.audit.sides import WANTED

LADDER = (100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000)  # labelled pictures
FEWEST = 20  # labelled pictures that are worth a training
# Shares of the minutes. What a part leaves, later parts get. The deep reader comes before the classic one: of the same
# labelled pictures it makes more, and a short budget may be enough for one only.
SHARES = {"drawing": 0.12, "unlabelled": 0.13, "deep": 0.32, "classic": 0.25, "findings": 0.1, "what if": 0.08}
# What is done also when the minutes are used, since without it nothing can be said: seconds on two quiet cores.
ALWAYS = {
    "drawing": ("pictures", 6.0),
    "unlabelled": ("attackers without training", 14.0),
    "findings": ("defects", 14.0),
}
LEAST_MINUTES = 1.0  # below that not even the shipped models are read and written about
_UNSEEN_A_MINUTE, _MOST_UNSEEN = 500, 40_000  # the most suffice to show less than 0.01 %
# Seconds on two cores: of a training whatever it learns from; of a million shown spans; of a thousand pictures.
_CLASSIC_START, _CLASSIC_SHOWS, _CLASSIC_PICTURES = 14.0, 26.0, 2.0
LEAST_SHOWS, MOST_SHOWS = 200_000, 3_000_000
DEEP_START, LEAST_DEEP = 14.0, 12.0  # seconds around a deep training, and of it
POINTS = 3  # of the stronger reader's curve at least, in an audit of `CURVE_MINUTES` or more
CURVE_MINUTES = 3.0
_GROWTH = 0.4  # a deep training with so many times the labels takes that power of so many times the minutes


@dataclass(frozen=True)
class Rung:
    """A training: labelled pictures, and the seconds that it may take."""

    labels: int
    seconds: float


def require_minutes(minutes: float) -> None:
    """Raise `BadInput` for a budget in which nothing can be said."""
    if not minutes >= LEAST_MINUTES:
        raise BadInput(
            f"minutes: must be {LEAST_MINUTES:g} or more: in less, the pictures cannot be drawn, read by the shipped "
            f"models and written about; it is {minutes:g}. In 30 minutes readers are also trained"
        )


def unseen_wanted(minutes: float) -> int:
    """Return how many unseen pictures all attackers are measured on, where there are enough."""
    return int(min(max(_UNSEEN_A_MINUTE * minutes, WANTED), _MOST_UNSEEN))


def minutes_to_draw(pictures: int, a_second: float) -> float:
    """Return the minutes whose share for drawing is enough for so many pictures."""
    return pictures / max(a_second, 1e-9) / (60 * SHARES["drawing"])


def rungs_of(labelled: int) -> list[int]:
    """Return the numbers of labelled pictures to try: those of the ladder, and all if that is half as many again."""
    found = [labels for labels in LADDER if labels <= labelled]
    if labelled >= FEWEST and (not found or 2 * labelled >= 3 * found[-1]) and labelled not in found:
        found.append(labelled)
    return found


def spread(rungs: Sequence[int], most: int) -> list[int]:
    """Choose `most` of the rungs, the last and others evenly below it."""
    if most >= len(rungs):
        return list(rungs)
    chosen = {len(rungs) - 1 - round(k * len(rungs) / most) for k in range(most)}
    return [rungs[k] for k in sorted(chosen)]


def plan_classic(rungs: Sequence[int], seconds: float) -> list[Rung]:
    """Choose the classic reader's trainings: the largest that gets the least training, and as many below it as do."""
    chosen: list[int] = []
    while rungs and not chosen:
        counts = range(1, len(rungs) + 1)
        fitting = [some for some in (spread(rungs, count) for count in counts) if _least_classic(some) <= seconds]
        chosen, rungs = max(fitting, key=len, default=[]), rungs[:-1]
    spare = (seconds - _least_classic(chosen)) / max(len(chosen), 1)
    return [Rung(labels, _least_classic([labels]) + spare) for labels in chosen]


def _least_classic(rungs: Sequence[int]) -> float:
    return sum(classic_seconds(labels, LEAST_SHOWS) for labels in rungs)


def classic_seconds(labels: int, shows: int) -> float:
    """Estimate how long the classic reader learns, on two cores."""
    return _CLASSIC_START + _CLASSIC_SHOWS * shows / 1e6 + _CLASSIC_PICTURES * labels / 1e3


def shows_for(rung: Rung, pace: float) -> int:
    """Return how many spans the classic reader is shown, on a machine that takes `pace` times the estimate."""
    left = rung.seconds / pace - classic_seconds(rung.labels, 0)
    return int(min(max(1e6 * left / _CLASSIC_SHOWS, LEAST_SHOWS), MOST_SHOWS))


def plan_deep(rungs: Sequence[int], seconds: float, start: float = DEEP_START) -> list[Rung]:
    """Choose the deep reader's trainings: as many as get `LEAST_DEEP` seconds, more of it for more labels.

    `start` is what each takes beside its training; the last of the rungs is the last to be left out.
    """
    chosen = spread(rungs, min(int(seconds // (start + LEAST_DEEP)), len(rungs)))
    weights = [labels**_GROWTH for labels in chosen]
    free = seconds - (start + LEAST_DEEP) * len(chosen)
    return [
        Rung(labels, start + LEAST_DEEP + free * weight / sum(weights))
        for labels, weight in zip(chosen, weights, strict=True)
    ]


def minutes_for_all(labelled: int) -> float:
    """Return the minutes in which every number of labelled pictures would be tried, with time to learn from each."""
    rungs = rungs_of(labelled)
    classic = _least_classic(rungs) / SHARES["classic"]
    deep = (DEEP_START + 2 * LEAST_DEEP) * len(rungs) / SHARES["deep"]
    return max(classic, deep, 60 * LEAST_MINUTES) / 60

"""Whether a generator drew pictures enough in its time, and what it would take."""

import math

from flows.auditing.target import LEAST_DRAWN
from storage.dataset import Dataset
from tasks.audit.attackers import budget
from tasks.audit.generators.drawn_dataset import OVERTIME
from tasks.audit.schema import Generator
from tasks.audit.sides import SHARE, WANTED, split_is_told

DRAWN_FOR_UNSEEN = 10  # one in ten is in the test split
MOST_KINDS = 2  # of failures that are named


def few_drawn(
    generator: Generator | None, unseen: int, minutes: float, workers: int, wanted: int = WANTED
) -> str | None:
    """Say that a generator was too slow to give `wanted` unseen pictures, and what it takes; None if it was not."""
    if generator is None or unseen >= wanted:
        return None
    pictures = SHARE * wanted
    if generator["drawn"] >= max(pictures, LEAST_DRAWN) or generator["asked"] >= 2 * _wanted(minutes):
        return None  # it was not the time that was missing
    seconds = generator["seconds_a_picture"] * generator["asked"] + generator.get("failed_seconds", 0.0)
    rate = workers * generator["drawn"] / max(seconds, 1e-6)
    needed = math.ceil(budget.minutes_to_draw(pictures, rate))
    busy = ""
    if needed <= minutes:  # the drawing itself took little: a busy machine was slow to start the processes that draw
        longer = OVERTIME if generator["drawn"] < LEAST_DRAWN else 1.0
        rate = min(rate, generator["drawn"] / (longer * 60 * minutes * budget.SHARES["drawing"]))
        needed = max(math.ceil(budget.minutes_to_draw(pictures, rate)), math.floor(minutes) + 1)
        busy = ", or a machine that is less busy,"
    if pictures <= LEAST_DRAWN:  # for so few the drawing goes on; a quarter more, since this time it was not enough
        needed = max(math.ceil(1.25 * budget.minutes_to_draw(pictures, rate) / OVERTIME), math.floor(minutes) + 1)
    failures = failures_told(generator)
    told = f"{float(f'{rate:.2g}'):,.10g}"
    return (
        f"the generator drew {generator['drawn']:,} pictures in its part of the time"
        f"{f' ({failures})' if failures else ''}, {told} a second, so that only {unseen:,} unseen pictures were there "
        f"to measure by; --minutes {needed:,}{busy} would give about {wanted}"
    )


def _wanted(minutes: float) -> int:
    """Return how many pictures an audit of so many minutes asks a generator for."""
    return DRAWN_FOR_UNSEEN * budget.unseen_wanted(minutes)


def too_few_told(dataset: Dataset, unseen: int, least: int, generator: Generator | None) -> str:
    """Say that `unseen` of a dataset's pictures are kept from attackers, fewer than `least`, and what would do."""
    pictures = len(dataset)
    said = f"{unseen} of its {pictures:,} pictures can be kept from attackers; {least} are needed to say anything. "
    if split_is_told(dataset):
        return f"{said}Put more pictures into the folder for tests, or import without --keep-splits"
    if generator is None:  # who has more of which many are equal is not told to label fewer
        enough = max(SHARE * least, 100 * math.ceil(1.5 * pictures / 100) if pictures >= SHARE * least else 0)
        return f"{said}Label {enough:,} pictures or more, each anew: one in {SHARE} is kept for this"
    failures = failures_told(generator)
    if failures is None:
        return f"{said}Let the generator draw each picture anew: equal pictures are on one side"
    return f"{said}Of the pictures that the generator was asked for, {failures}; mend that first"


def failures_told(generator: Generator | None) -> str | None:
    """Say how many of an owner's pictures failed, and why, the commonest reasons first; None if none did."""
    if generator is None or not generator["failed"]:
        return None
    kinds = generator["failures"][:MOST_KINDS]
    rest = generator["failed"] - sum(kind["count"] for kind in kinds)
    if len(generator["failures"]) == 1 and rest <= 0:
        why = kinds[0]["what"]
    else:
        why = ", ".join(
            [f"{kind['count']:,} {kind['what']}" for kind in kinds] + ([f"{rest:,} else"] if rest > 0 else [])
        )
    return f"{generator['failed']:,} of {generator['asked']:,} failed: {why}"

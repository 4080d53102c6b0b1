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
    seconds = generator["seconds_a_picture"] * generator["asked"] + generator.get("failed_seconds", 0.0)
    rate = workers * generator["drawn"] / max(seconds, 1e-6)
    pictures = SHARE * wanted
    needed = math.ceil(budget.minutes_to_draw(pictures, rate))
    if needed <= minutes:  # it was not the time that was missing
        return None
    if pictures <= LEAST_DRAWN:  # for so few the drawing goes on; a quarter more, since this time it was not enough
        needed = max(math.ceil(1.25 * budget.minutes_to_draw(pictures, rate) / OVERTIME), math.floor(minutes) + 1)
    failures = failures_told(generator)
    told = f"{float(f'{rate:.2g}'):,.10g}"
    return (
        f"the generator drew {generator['drawn']:,} pictures in its part of the time"
        f"{f' ({failures})' if failures else ''}, {told} a second, so that only {unseen:,} unseen pictures were there "
        f"to measure by; --minutes {needed:,} would give about {wanted}"
    )


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


def too_few(dataset: Dataset, unseen: int, needed: int, failures: str | None) -> str:
    """Say that too few pictures can be kept from attackers, and what would do."""
    remedy = (
        "the folders told which: put more pictures into the one for tests, or import without --keep-splits"
        if split_is_told(dataset)
        else f"label {SHARE * needed} pictures or more, of which one in {SHARE} is kept"
    )
    return (
        f"{unseen} of its {len(dataset):,} pictures can be kept from attackers, and {needed} are needed to say "
        f"anything; {remedy}{f'. Of the pictures that the generator was asked for, {failures}' if failures else ''}"
    )

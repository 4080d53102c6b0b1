"""Whether a generator drew pictures enough in its time, and what it would take."""

import math

from flows.auditing.target import LEAST_DRAWN
from tasks.audit.attackers import budget
from tasks.audit.generators.drawn_dataset import OVERTIME
from tasks.audit.schema import Generator

DRAWN_FOR_UNSEEN = 10  # one in ten is in the test split
MOST_KINDS = 2  # of failures that are named


def few_drawn(
    generator: Generator | None, unseen: int, minutes: float, workers: int, wanted: int = budget.FEWEST_UNSEEN
) -> str | None:
    """Say that a generator was too slow to give `wanted` unseen pictures, and what it takes; None if it was not."""
    if generator is None or unseen >= wanted:
        return None
    seconds = generator["seconds_a_picture"] * generator["asked"] + generator.get("failed_seconds", 0.0)
    rate = workers * generator["drawn"] / max(seconds, 1e-6)
    pictures = DRAWN_FOR_UNSEEN * wanted
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

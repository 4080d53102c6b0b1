"""Whether a generator drew pictures enough in its time, and what it would take."""

import math

from flows.auditing.target import LEAST_DRAWN
from tasks.audit.attackers import budget
from tasks.audit.generators.drawn_dataset import OVERTIME
from tasks.audit.schema import Generator

DRAWN_FOR_UNSEEN = 10  # one in ten is in the test split


def few_drawn(
    generator: Generator | None, unseen: int, minutes: float, workers: int, wanted: int = budget.FEWEST_UNSEEN
) -> str | None:
    """Say that a generator was too slow to give `wanted` unseen pictures, and what it takes; None if it was not."""
    if generator is None or unseen >= wanted:
        return None
    rate = workers / max(generator["seconds_a_picture"], 1e-6) * generator["drawn"] / max(generator["asked"], 1)
    pictures = DRAWN_FOR_UNSEEN * wanted
    needed = math.ceil(budget.minutes_to_draw(pictures, rate))
    if needed <= minutes:  # it was not the time that was missing
        return None
    if pictures <= LEAST_DRAWN:  # for so few the drawing goes on; a quarter more, since this time it was not enough
        needed = max(math.ceil(1.25 * budget.minutes_to_draw(pictures, rate) / OVERTIME), math.floor(minutes) + 1)
    told = f"{float(f'{rate:.2g}'):,.10g}"
    return (
        f"the generator drew {generator['drawn']:,} pictures in its part of the time, {told} a second, so that "
        f"only {unseen:,} unseen pictures were there to measure by; --minutes {needed:,} would give about "
        f"{wanted}"
    )

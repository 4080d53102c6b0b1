"""The minutes of an audit: which are used, also by runs that were ended, and which a part may still use."""

import math
import os
import time
from collections.abc import Sequence

from flows.reporting.progress import duration
from tasks.audit.attackers.budget import ALWAYS, SHARES

TRAININGS = ("deep", "classic")  # parts
_OWN = 1.5  # processes a core that an audit itself may have
_MOST = 4.0  # times longer: a load that is higher may be of processes that wait for a disk


class Clock:
    """The budget of an audit, in minutes."""

    def __init__(self, minutes: float):
        self.total = 60.0 * minutes
        self._began = self._since = time.monotonic()
        self._part = next(iter(SHARES))
        self._before = 0.0

    def count(self, seconds: float) -> None:
        """Count what an earlier run took for a part that need not be done again."""
        self._before += seconds

    @property
    def spent(self) -> float:
        """Return the seconds that were used."""
        return self._before + time.monotonic() - self._began

    @property
    def left(self) -> float:
        """Return the seconds that are left; below 0 if it took longer."""
        return self.total - self.spent

    def share(self, part: str) -> float:
        """Return the seconds that a part may use: its share, and what the parts before it left over."""
        names = list(SHARES)
        until = sum(SHARES[name] for name in names[: names.index(part) + 1])
        return max(until * self.total - self.spent, 0.0)

    def until(self, part: str) -> float:
        """Return when a part must end, as `time.monotonic` tells time."""
        return time.monotonic() + self.share(part)

    def whole(self, part: str) -> float:
        """Return when a part must end that gets its whole share, however long what was before it took."""
        return time.monotonic() + SHARES[part] * self.total

    def goes_on(self, part: str) -> None:
        """Note that a part begins, so that `told` knows what still follows."""
        self._part, self._since = part, time.monotonic()

    def told(self) -> str:
        """Tell the time that is left; if it is used, what the audit still does, and about how long that takes."""
        if self.left > 0:
            return f"{duration(self.left)} left"
        names = list(SHARES)
        parts = [name for name in names[names.index(self._part) :] if name in ALWAYS]
        first = "after this training " if self._part in TRAININGS else ""
        if not parts:
            return f"the budget is used; {first}the report follows"
        said = " and ".join([", ".join(ALWAYS[name][0] for name in parts), "the report"])
        return f"the budget is used; {first}{said} take about {duration(self._still_takes(parts))} more"

    def _still_takes(self, parts: Sequence[str]) -> float:
        """Estimate the seconds that parts take on a machine that is as busy as this one."""
        pace = busy()
        takes = pace * sum(ALWAYS[name][1] for name in parts)
        if self._part in parts:
            passed = time.monotonic() - self._since
            # A part that takes longer than it should is taken to be two thirds done.
            takes += max(-passed, passed / 2 - pace * ALWAYS[self._part][1])
        return math.ceil(takes / 10) * 10


def busy() -> float:
    """Return how many processes share a core, so how many times longer work takes; 1 if only an audit's do."""
    try:
        share = os.getloadavg()[0] / (os.cpu_count() or 1)  # the load is that of all cores
    except OSError:  # the system does not tell
        return 1.0
    return min(share, _MOST) if share > _OWN else 1.0

"""The minutes of an audit: which are used, also by runs that were ended, and which a part may still use."""

import time

from flows.reporting.progress import duration
from tasks.audit.attackers.budget import SHARES


class Clock:
    """The budget of an audit, in minutes."""

    def __init__(self, minutes: float):
        self.total = 60.0 * minutes
        self._began = time.monotonic()
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

    def told(self) -> str:
        """Tell the time that is left."""
        return f"{duration(self.left)} left" if self.left > 0 else "the budget is used"

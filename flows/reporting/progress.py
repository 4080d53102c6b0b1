"""Progress of a stage: a bar on a terminal, and a Prefect artifact once a second."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from flows.shell.quiet import shows_progress

EVERY = 1.0  # seconds between updates of the artifact, which cost 17 ms each


class Stage:
    """The progress of a stage of a run."""

    def __init__(
        self, name: str, total: int, unit: str, bar: Progress, artifact: UUID | None, until: float | None = None
    ):
        self.done = 0
        self.total = self._most = total
        self._until = until
        self.began = time.monotonic()
        self._unit = unit
        self._artifact = artifact
        self._bar = bar
        self._task = bar.add_task(name, total=total, unit=unit, rate="")
        self._shown = self.began
        self._note = ""

    def note(self, text: str) -> None:
        """Say more beside the number done, from the next `advance` on."""
        self._note = text

    def advance(self, count: int) -> None:
        """Add `count` to the number done, and show it."""
        self.done += count
        now = time.monotonic()
        rate = self.done / max(now - self.began, 1e-6)
        if self._until is not None:
            self.total = min(self._most, self.done + round(rate * max(self._until - now, 0.0)))
        self._bar.update(self._task, completed=self.done, total=self.total, rate=self._note or f"{rate:,.0f}/s")
        if self._artifact and (now - self._shown > EVERY or self.done >= self.total):
            self._shown = now
            update_progress_artifact(
                self._artifact, progress=100 * self.done / max(self.total, 1),
                description=self._said(rate),
            )  # fmt: skip

    def _said(self, rate: float) -> str:
        """Return the progress as text: `4,096 of 65,536 pictures, 9,512/s, 7 s to go`."""
        said = f"{self.done:,} of {self.total:,} {self._unit}, {self._note or f'{rate:,.0f}/s'}"
        if self.done < self.total and rate:
            return f"{said}, {duration((self.total - self.done) / rate)} to go"
        return f"{said}, {duration(time.monotonic() - self.began)} in all"


@contextmanager
def stage(name: str, total: int, unit: str = "pictures", until: float | None = None) -> Iterator[Stage]:
    """Show a stage while it runs: an artifact, and a bar if standard error is a terminal.

    A stage that ends at a time, `until` as `time.monotonic()` tells it, shows the number that it will reach by then.
    """
    columns = (
        TextColumn("{task.description:<22}", markup=False), BarColumn(), MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}", markup=False), TextColumn("{task.fields[rate]}"), TimeRemainingColumn(),
    )  # fmt: skip
    artifact = create_progress_artifact(0.0, key=artifact_key(name), description=f"0 of {total:,} {unit}")
    with Progress(*columns, console=Console(stderr=True), disable=not shows_progress()) as bar:
        yield Stage(name, total, unit, bar, artifact if isinstance(artifact, UUID) else None, until)


def duration(seconds: float) -> str:
    """Write seconds as people say them: `duration(4000) == '1 h 7 min'`."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


def artifact_key(*parts: str) -> str:
    """Make a key that Prefect accepts: lower-case letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", "-".join(parts).lower()).strip("-")

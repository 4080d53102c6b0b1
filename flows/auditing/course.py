"""How far an audit is: what is being tried and the time that is left, in Prefect and on a terminal."""

import sys
from uuid import UUID

from prefect import get_run_logger
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from rich.console import Console

from flows.auditing.clock import Clock
from flows.reporting.progress import artifact_key
from storage.texts import plain


class Course:
    """The course of an audit, which shows each part as it begins; the parts have bars of their own."""

    def __init__(self, name: str, clock: Clock):
        self._clock = clock
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        artifact = create_progress_artifact(0.0, key=artifact_key("audit", name, "progress"), description="beginning")
        self._artifact = artifact if isinstance(artifact, UUID) else None

    def begins(self, what: str) -> None:
        """Show what is being tried now, and the time that is left."""
        said = f"{plain(what)}; {self._clock.told()}"
        get_run_logger().info("%s", said)
        if sys.stderr.isatty():
            self._console.print(f"audit: {said}", markup=False)
        if self._artifact:
            share = min(self._clock.spent / self._clock.total, 1.0)
            update_progress_artifact(self._artifact, progress=100 * share, description=said)

    def tells(self, what: str) -> None:
        """Write what came out into the run's log."""
        get_run_logger().info("%s", plain(what))

    def ends(self) -> None:
        """Show that all is done."""
        if self._artifact:
            update_progress_artifact(self._artifact, progress=100.0, description="done")

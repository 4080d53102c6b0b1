"""How far an audit is: what is being tried and the time that is left, in Prefect, on a terminal and in a log."""

import threading
from types import TracebackType
from uuid import UUID

from prefect import get_run_logger
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from rich.console import Console

from flows.auditing.clock import Clock
from flows.reporting.progress import artifact_key
from flows.shell.quiet import shows_progress, tell
from storage.texts import plain

EVERY = 60.0  # seconds at most between two lines where no bar moves


class Course:
    """The course of an audit, which shows each part as it begins; the parts have bars of their own.

    Where no bars are shown, as in a log, it writes a line for each part, and one a minute while a part takes longer.
    """

    def __init__(self, name: str, clock: Clock):
        self.clock = clock
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._part = "beginning"
        self._spoke, self._ended = threading.Event(), threading.Event()
        self._teller = threading.Thread(target=self._tell_again, name="captchas-course", daemon=True)
        artifact = create_progress_artifact(0.0, key=artifact_key("audit", name, "progress"), description="beginning")
        self._artifact = artifact if isinstance(artifact, UUID) else None

    def __enter__(self) -> "Course":
        self._teller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._spoke.set()

    def begins(self, what: str, part: str | None = None) -> None:
        """Show what is being tried now, and the time that is left; `part` is that of the budget, if it is another."""
        if part:
            self.clock.goes_on(part)
        self._part = plain(what)
        said = f"{self._part}; {self.clock.told()}"
        get_run_logger().info("%s", said)
        if shows_progress():
            self._console.print(f"audit: {said}", markup=False)
        else:
            self._say(said)
        if self._artifact:
            share = min(self.clock.spent / self.clock.total, 1.0)
            update_progress_artifact(self._artifact, progress=100 * share, description=said)

    def tells(self, what: str) -> None:
        """Write what came out into the run's log."""
        get_run_logger().info("%s", plain(what))
        if not shows_progress():
            self._say(plain(what))

    def ends(self) -> None:
        """Show that all is done."""
        if self._artifact:
            update_progress_artifact(self._artifact, progress=100.0, description="done")

    def _say(self, said: str) -> None:
        tell(f"audit: {said}")
        self._spoke.set()

    def _tell_again(self) -> None:
        """Write a line whenever nothing was written for a while."""
        while not self._ended.is_set():
            if self._spoke.wait(EVERY):
                self._spoke.clear()
            elif not shows_progress():
                tell(f"audit: still {self._part}; {self.clock.told()}")

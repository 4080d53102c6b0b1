"""What a stage shows of its progress."""

import io

import pytest
from rich.console import Console
from rich.progress import Progress

from flows.reporting import progress


@pytest.mark.parametrize(("until", "total"), [(None, 15_000), (140.0, 1000), (10_000.0, 15_000), (105.0, 250)])
def test_a_stage_that_ends_at_a_time_shows_what_it_reaches_by_then(monkeypatch, until, total):
    """Nine minutes to go of a budget of three would be no promise but a riddle."""
    monkeypatch.setattr(progress.time, "monotonic", lambda: 100.0)
    bar = Progress(console=Console(file=io.StringIO()), get_time=lambda: 110.0)
    stage = progress.Stage("drawing", 15_000, "pictures", bar, None, until)
    monkeypatch.setattr(progress.time, "monotonic", lambda: 110.0)
    stage.advance(250)
    assert (stage.done, stage.total, bar.tasks[0].total) == (250, total, total)

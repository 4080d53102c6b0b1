"""A bar on a terminal for commands that ask no server; `progress` has that of flows, which Prefect shows too."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from flows.shell.quiet import shows_progress


@contextmanager
def shown_bar(name: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
    """Show a bar while something runs; call what it yields with the number of parts that are done since the last call.

    Nothing is shown unless standard error is a terminal.
    """
    columns = (
        TextColumn(f"{name:<22}", markup=False), BarColumn(), MofNCompleteColumn(), TextColumn(unit, markup=False),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), disable=not shows_progress()) as bar:
        task = bar.add_task(name, total=total)
        yield lambda count: bar.update(task, advance=count)

"""What a run tells in Prefect's UI: its name, why it failed, its pictures; and when it is tried again."""

import functools
import inspect
import logging
import os
import signal
import threading
import time
from base64 import b64encode
from collections.abc import Callable
from contextvars import ContextVar
from datetime import datetime
from typing import Any, ParamSpec, TypedDict

from prefect import get_run_logger
from prefect.exceptions import TerminationSignal
from prefect.runtime import deployment, flow_run
from prefect.states import Failed, State

from flows.reporting.show import readable
from flows.workers.roster import ClusterLost, WorkerLost
from storage.errors import Busy, CaptchasError
from storage.files.places import shown
from tasks.figures.contact_sheet import at_most

P = ParamSpec("P")

# Seconds before a deployment's run asks again for what another run has, or for a cluster: nearly two hours in all.
WAITS = (30, 120, 600, 1800, 3600)
ENDING = 4.0  # seconds that the process of a deployment's run has to end once it was told to; Prefect itself waits 30
MOST_BYTES = 100_000  # of a picture in an artifact, which is a third longer as text
_within: ContextVar[bool] = ContextVar("within", default=False)  # a flow of ours, which waits for those that it calls
MOST_NAMES = 60  # characters of a run's name that are its parameters


def named(command: str, *parameters: str) -> Callable[[], str]:
    """A run's name: the command, what the named parameters say, and the day: `generate-book-5000-2026-11-26`."""

    def name() -> str:
        given = flow_run.parameters
        said = [_said(given.get(parameter)) for parameter in parameters]
        day = datetime.now().date().isoformat()
        return "-".join(filter(None, [command, "-".join(filter(None, said))[:MOST_NAMES], day]))

    return name


def _said(value) -> str:
    """A value in a name: of a path the last part, of a list all, of nothing nothing."""
    if value is None or value is True:
        return ""
    if isinstance(value, list | tuple):
        return "-".join(map(_said, value))
    return shown(value).rstrip("/").rpartition("/")[2].removesuffix(".skops").removesuffix(".toml")


def told(flow: Callable[P, dict]) -> Callable[P, dict]:
    """A flow whose errors, if they are ours, are its state's message: what happened and what to do, no traceback.

    Whoever called it gets the error itself. A deployment's run waits for a dataset that another run holds, or for a
    cluster that went away, the longer the more often; of flows within it only the outermost does, lest their waits
    multiply. People at a shell are told at once.
    """

    @functools.wraps(flow)
    def run(*args: P.args, **kwargs: P.kwargs) -> dict:
        logging.getLogger("prefect.task_runs").addFilter(_without_traceback)
        logging.getLogger("prefect.flow_runs").addFilter(_told_already)
        waits = iter(WAITS if deployment.id and not _within.get() else ())
        while True:
            token = _within.set(True)
            try:
                return flow(*args, **kwargs)
            except (Busy, ClusterLost) as error:
                wait = next(waits, None)
                if wait is None:
                    return _failed(error)
                get_run_logger().warning("%s. Trying again in %s s", error, wait)
                time.sleep(wait)
            except CaptchasError as error:
                return _failed(error)
            except TerminationSignal:
                if deployment.id:
                    _end_soon()
                raise
            finally:
                _within.reset(token)

    run.__doc__ = _as_prefect_reads(flow.__doc__)
    return run


def _as_prefect_reads(text: str | None) -> str | None:
    """A docstring with its parameters under `Args:`: from there Prefect takes what its forms say of each."""
    head, found, parameters = inspect.cleandoc(text or "").partition("\nParameters\n----------\n")
    if not found:
        return text
    lines: list[str] = []
    for line in parameters.splitlines():
        if line.startswith(" "):
            lines[-1] += ("" if lines[-1].endswith(": ") else "\n        ") + line.strip()
        elif line:
            lines.append(f"    {line}: ")
    return "\n".join([head, "Args:", *lines, ""])


def _failed(error: CaptchasError) -> Any:
    """The state of a failed run, from which Prefect raises the error where a caller waits for the report."""
    if not flow_run.id:  # the function alone was called
        raise error
    get_run_logger().error("%s", error)
    return Failed(message=str(error), data=error)


def _end_soon() -> None:
    """End this process in `ENDING` seconds, if it is still there: a thread of Dask or Prefect may hold it."""
    timer = threading.Timer(ENDING, os._exit, [128 + signal.SIGTERM])
    timer.daemon = True
    timer.start()


def _without_traceback(record: logging.LogRecord) -> bool:
    """A filter that lets all pass, but an error of ours without its traceback: its message says it all."""
    if record.exc_info and isinstance(record.exc_info[1], CaptchasError):
        record.exc_info = record.exc_text = None
    return True


def _told_already(record: logging.LogRecord) -> bool:
    """A filter that drops what Prefect's engine says of an error of ours when it ends: `told` has said it."""
    return not (record.exc_info and isinstance(record.exc_info[1], CaptchasError))


def may_pass(_task, _run, state: State) -> bool:
    """Whether trying again can help: workers were lost. What a person has to mend stays as it is."""
    return isinstance(state.data, WorkerLost)


class Retries(TypedDict):
    """How often Prefect tries a task again, after how many seconds, and when."""

    retries: int
    retry_delay_seconds: list[float]
    retry_condition_fn: Callable[[Any, Any, State], bool]


# Of a task that drives Dask and may be begun again: its jobs ask first what is there.
RETRIES: Retries = {"retries": 2, "retry_delay_seconds": [2.0, 15.0], "retry_condition_fn": may_pass}


def as_lines(report: dict, *left_out: str) -> list[str]:
    """A report as lines of a Markdown list."""
    return [
        f"- {name.replace('_', ' ')}: {readable(value)}"
        for name, value in report.items()
        if value not in (None, [], {}) and name not in left_out
    ]


def picture(png: bytes, title: str) -> str:
    """A picture as Markdown that holds it, made small enough: the UI has no access to files."""
    return f"![{title}](data:image/png;base64,{b64encode(at_most(png, MOST_BYTES)).decode()})"

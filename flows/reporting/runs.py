"""A run in Prefect's UI: its name, its error, its pictures; and when it is tried again."""

import atexit
import functools
import gc
import inspect
import logging
import os
import signal
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from datetime import datetime
from typing import Any, ParamSpec, TypedDict, TypeVar
from uuid import UUID

from prefect import State, get_client, get_run_logger
from prefect.exceptions import TerminationSignal
from prefect.runtime import deployment, flow_run
from prefect.states import Cancelled, Failed

from flows.reporting.lines import readable
from flows.shell.interrupts import Ended
from flows.workers.roster import ClusterLost, WorkerLost
from storage.errors import Busy, CaptchasError
from storage.files.places import shown
from storage.texts import markdown, plain, plain_lines
from tasks.figures.contact_sheet import at_most

P = ParamSpec("P")
Report = TypeVar("Report", bound=Mapping[str, object])

# Seconds before a deployment's run tries again to get a lock or a cluster: nearly two hours in all.
WAITS = (30, 120, 600, 1800, 3600)
ENDING = 4.0  # seconds that a deployment's process has to end after SIGTERM; Prefect itself waits 30
MOST_BYTES = 100_000  # of a picture in an artifact, which is a third longer as text
# The run of the outermost flow of ours, which does the waiting: its id, or "" where no run is.
_outermost: ContextVar[str | None] = ContextVar("outermost", default=None)
MOST_NAMES = 60  # characters of a run's name that are its parameters

# A deployment's run is a process of its own. Without a last search for garbage it ends half a second sooner.
atexit.register(gc.freeze)


def named(command: str, *parameters: str) -> Callable[[], str]:
    """Make a function that names a run: command, values of the parameters, time.

    Such as `generate-book-5000-2026-11-26-14:05:09`, in local time: so runs of one day are told apart.
    """

    def name() -> str:
        given = flow_run.parameters
        said = [_said(given.get(parameter)) for parameter in parameters]
        time_of_day = f"{datetime.now():%Y-%m-%d-%H:%M:%S}"
        return "-".join(filter(None, [command, plain("-".join(filter(None, said)))[:MOST_NAMES], time_of_day]))

    return name


def _said(value: object) -> str:
    """Return a value as part of a name: the last part of a path, all items of a list, "" for None."""
    if value is None or value is True:
        return ""
    if isinstance(value, list | tuple):
        return "-".join(map(_said, value))
    return (
        shown(str(value))
        .rstrip("/")
        .rpartition("/")[2]
        .removesuffix(".skops")
        .removesuffix(".onnx")
        .removesuffix(".toml")
    )


def told(flow: Callable[P, Report]) -> Callable[P, Report]:
    """Make the errors of a flow the message of its state, if they are ours: what happened, what to do, no traceback.

    The caller gets the error itself. A deployment's run waits, longer each time, for a dataset that another run holds
    or for a cluster that went away. Only the outermost flow waits, so that waits do not multiply. At a shell the
    error is told at once.
    """

    @functools.wraps(flow)
    def run(*args: P.args, **kwargs: P.kwargs) -> Report:
        _answer_sigterm()
        logging.getLogger("prefect.task_runs").addFilter(_without_traceback)
        logging.getLogger("prefect.flow_runs").addFilter(_told_already)
        for name in ("prefect.task_runs", "prefect.flow_runs"):
            logging.getLogger(name).addFilter(_made_plain)
        outer = _outermost.get()
        waits = iter(WAITS if deployment.id and outer is None else ())
        while True:
            token = _outermost.set(flow_run.id or "" if outer is None else outer)
            try:
                return _logged(flow(*args, **kwargs))
            except CaptchasError as error:
                wait = next(waits, None) if isinstance(error, Busy | ClusterLost) else None
                if wait is None:
                    failed: Report = _failed(error)
                    return failed
                get_run_logger().warning("%s. Trying again in %s s", error, wait)
                time.sleep(wait)
            except TerminationSignal:
                if deployment.id:
                    _end_soon()
                    _tell_cancelled(_outermost.get())
                raise
            finally:
                _outermost.reset(token)

    run.__doc__ = _as_prefect_reads(flow.__doc__)
    return run


def _answer_sigterm() -> None:
    """Have SIGTERM end a command as Ctrl-C does, from now on.

    Prefect answers it while a flow runs, and passes it on once the run is closed. Only then did the seconds begin that
    a command has to end, and on a busy machine it took 15.
    """
    ours = signal.getsignal(signal.SIGINT)
    if isinstance(getattr(ours, "__self__", None), Ended) and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, ours)


def _logged(report: Report) -> Report:
    """End a run's log with its result; a function that was called alone has no log."""
    if flow_run.id:
        get_run_logger().info("Result: %s", result_line(report))
    return report


def result_line(report: Mapping[str, object]) -> str:
    """Return a report on a line: its simple values, and the number of rows of its tables."""
    said = []
    for key, value in report.items():
        name = key.replace("_", " ")
        if isinstance(value, list):
            said += [f"{name} {len(value):,}"] if value else []
        elif key != "shown" and value not in (None, "") and not isinstance(value, dict):
            said.append(f"{name} {readable(value)}")
    return "; ".join(said)


def _as_prefect_reads(text: str | None) -> str | None:
    """Rewrite a docstring with its parameters under `Args:`, where Prefect's forms take their descriptions from."""
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
    """Return the state of a failed run, in place of a report: Prefect raises the error of it in the caller."""
    if not flow_run.id:  # the function alone was called
        raise error
    get_run_logger().error("%s", error)
    return Failed(message=str(error), data=error)


def _end_soon() -> None:
    """End this process within `ENDING` seconds, even if a thread of Dask or Prefect holds it."""
    timer = threading.Timer(ENDING, os._exit, [128 + signal.SIGTERM])
    timer.daemon = True
    timer.start()


def _tell_cancelled(outermost: str | None) -> None:
    """Tell the server that a run which was to be cancelled ends, unless the server knows that it has ended.

    Prefect's worker tells it too, but later: first it imports the flow in another process, to look for hooks.
    """
    with suppress(Exception), get_client(sync_client=True) as client:  # then Prefect's worker alone tells it
        run = client.read_flow_run(UUID(outermost))
        if run.state is not None and run.state.is_cancelling():
            client.set_flow_run_state(run.id, Cancelled(message="Flow run was cancelled successfully."), force=True)


def _without_traceback(record: logging.LogRecord) -> bool:
    """Remove the traceback of the project's own errors, whose messages are enough; let all records pass."""
    if record.exc_info and isinstance(record.exc_info[1], CaptchasError):
        record.exc_info = record.exc_text = None
    return True


def _told_already(record: logging.LogRecord) -> bool:
    """Drop the record that Prefect's engine makes of an error of ours at the end: `told` has logged the error."""
    return not (record.exc_info and isinstance(record.exc_info[1], CaptchasError))


def _made_plain(record: logging.LogRecord) -> bool:
    """Write out the unfit characters of a record's message and traceback; let all records pass."""
    record.msg, record.args = plain(record.getMessage()), None
    if record.exc_info and not record.exc_text:
        record.exc_text = plain_lines(logging.Formatter().formatException(record.exc_info))
    return True


def may_pass(_task: object, _run: object, state: State) -> bool:
    """Return whether another try can help: only if workers were lost."""
    return isinstance(state.data, WorkerLost)


class Retries(TypedDict):
    """Return the options that tell Prefect when, how often and after how many seconds to try a task again."""

    retries: int
    retry_delay_seconds: list[float]
    retry_condition_fn: Callable[[Any, Any, State], bool]


# For a task that drives Dask and may run again: its jobs keep finished work.
RETRIES: Retries = {"retries": 2, "retry_delay_seconds": [2.0, 15.0], "retry_condition_fn": may_pass}


def as_lines(report: Mapping[str, object], *left_out: str) -> list[str]:
    """Write a report as lines of a Markdown list, without the keys `left_out`."""
    return [
        f"- {markdown(name.replace('_', ' '))}: {markdown(readable(value))}"
        for name, value in report.items()
        if value not in (None, [], {}) and name not in left_out
    ]


def picture(png: bytes, title: str) -> str:
    """Embed a picture in Markdown, made small enough: the UI has no access to files."""
    return f"![{markdown(title)}](data:image/png;base64,{b64encode(at_most(png, MOST_BYTES)).decode()})"

"""The `captchas` command: reads named pictures at once, or takes the ordinary way, and answers signals and errors."""

if __name__ == "__main__":  # `python -m flows`; before imports, which another's `tasks` or `storage` might answer
    from beating_captchas import main as begin

    begin()

import json
import os
import signal
import sys
from contextlib import suppress

from flows.environment import require_streams
from flows.home import HOME
from flows.missing_inputs import require_inputs
from flows.parameters import command_at, home_of
from flows.service import processes, starting
from flows.shell.commands import COMMANDS, HELP
from flows.shell.interrupts import Ended, flushed, print_defect
from flows.shell.quiet import QUIET
from flows.shell.saying import say
from flows.shell.surroundings import shut_out_folder
from flows.wrong_values import require_values
from storage.errors import CaptchasError, refused_by_system
from tasks.lean_numba import import_lean

BEGINS_ANEW = {"train", "evaluate", "reproduce"}  # what they have done is kept at the end, but of the ladder's rungs


def main() -> None:
    """Run the command line; exit code 0, 1 for a failed job, 2 for bad input, 128 + N after signal N (Ctrl-C: 130)."""
    ended = Ended()
    if "--quiet" in sys.argv[1:]:
        os.environ[QUIET] = "1"  # before anything starts, which is quiet too
    shut_out_folder()
    processes.follow_parent()
    sys.excepthook = print_defect
    try:
        for number in processes.enders():
            signal.signal(number, ended.by)
        ended.watch()
        starting.end_quickly()
        code = _answered(ended)
        if not flushed():
            code = code or 1
    except KeyboardInterrupt:  # while something was told
        code = ended.code
    ended.over(code)
    exec("")  # else Python ends as by SIGINT, not with the code, if an `exec` of a text was interrupted, as imports do
    sys.exit(code)


def _answered(ended: Ended) -> int:
    """Run the command line, and tell what ended it; return the exit code."""
    try:
        with ended.told():
            require_streams()
            _require_inputs(sys.argv[1:])
            at_once = _named_pictures(sys.argv[1:])
            code = _run(sys.argv[1:]) if at_once is None else at_once
    except KeyboardInterrupt as interrupted:
        with suppress(OSError):  # the terminal may be closed
            say(f"interrupted; the same command {_next_time(interrupted)}")
        code = ended.code
    except CaptchasError as error:
        code = _refuse(error)
    except BrokenPipeError:
        code = ended.code if ended.begun else 1
    except OSError as error:
        if ended.begun:  # the progress could not be told to a closed terminal
            code = ended.code
        elif refused := refused_by_system(error):
            code = _refuse(refused)
        else:
            only_told = HELP.intersection(sys.argv) or len(sys.argv) == 1
            say(f"standard output: cannot be written ({error.strerror})" if only_told else str(error))
            code = 1
    except (RuntimeError, MemoryError, ImportError) as error:
        if not (refused := refused_by_system(error)):
            raise
        code = _refuse(refused)
    return code or 0


def _require_inputs(arguments: list[str]) -> None:
    """Refuse values that no run can use, and inputs that are not there, in the home that the arguments name."""
    if HELP.intersection(arguments):
        return
    require_values(arguments)
    chosen = home_of(arguments)
    if chosen is not None:
        os.environ[HOME] = str(chosen)
    require_inputs(arguments, {name: where.partition(":")[0] for name, (where, _) in COMMANDS.items()})


def _refuse(error: CaptchasError) -> int:
    """Print an error of ours; return its exit code."""
    if "--json" in sys.argv and not error.report:
        with suppress(OSError):  # standard output may be what cannot be written
            json.dump({"error": str(error), "exit_code": error.exit_code}, sys.stdout)
    say(str(error))
    return error.exit_code


def _run(arguments: list[str]) -> int:
    """Take the ordinary way."""
    from flows.command_line import run

    return run(arguments)


def _named_pictures(arguments: list[str]) -> int | None:
    """Read the pictures that `solve` names: at once, without Prefect and Dask.

    Returns
    -------
    int or None
        The exit code; None for any other command line.
    """
    place = command_at(arguments)
    if place is None or arguments[place] != "solve" or HELP.intersection(arguments):
        return None
    try:
        with starting.without_collector():
            import_lean()  # before the reader imports it
            from flows.solve_at_once import solve_named

        done = solve_named(arguments)
    except KeyboardInterrupt as interrupted:
        raise _NothingKept from interrupted
    return done.exit_code if done else None


class _NothingKept(KeyboardInterrupt):
    """Named pictures were being read: their answers are kept once all are there."""


def _next_time(interrupted: KeyboardInterrupt) -> str:
    """Return what the command that was interrupted does if it is given again."""
    at = command_at(sys.argv[1:])
    anew = at is not None and sys.argv[1 + at] in BEGINS_ANEW and "--ladder" not in sys.argv
    return "begins anew" if anew or isinstance(interrupted, _NothingKept) else "goes on from here"

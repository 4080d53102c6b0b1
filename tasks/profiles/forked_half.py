"""Share work between this process and a forked child: letters, which Pillow draws one at a time in each process."""

import os
import pickle
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

Thing = TypeVar("Thing")
Made = TypeVar("Made")

_LEAST = 4  # things: a fork and the way back cost as much as two faces


def in_two(unit: Callable[[Thing], Made], things: Sequence[Thing]) -> list[Made]:
    """Return what a unit makes of each thing, in order; a forked child makes every second, where a processor is free.

    What the child cannot make, this process makes, or raises the unit's error. For processes without threads of their
    own that hold locks, such as a command's.
    """
    if len(things) < _LEAST or not sys.platform.startswith("linux") or len(os.sched_getaffinity(0)) < 2:
        return [unit(thing) for thing in things]
    try:
        source, sink = os.pipe()
    except OSError:  # too many files are open
        return [unit(thing) for thing in things]
    try:
        child = os.fork()
    except OSError:  # no process or memory is left
        os.close(source)
        os.close(sink)
        return [unit(thing) for thing in things]
    if not child:
        _send(unit, things[1::2], source, sink)
    os.close(sink)
    made: list[Made] = []
    try:
        with os.fdopen(source, "rb") as answers:
            first = [unit(thing) for thing in things[::2]]
            try:
                second: list[Made] = pickle.load(answers)
            except (EOFError, pickle.UnpicklingError):
                second = [unit(thing) for thing in things[1::2]]
    finally:
        with suppress(ChildProcessError, ProcessLookupError):  # whoever began this process may have it ignore SIGCHLD
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    for number in range(len(things)):
        made.append((second if number % 2 else first)[number // 2])
    return made


def _send(unit: Callable[[Thing], Made], things: Sequence[Thing], source: int, sink: int) -> None:
    """Do the child's work, and end it without the parent's handlers and files."""
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        os.close(source)
        with os.fdopen(sink, "wb") as answers:
            pickle.dump([unit(thing) for thing in things], answers, pickle.HIGHEST_PROTOCOL)
    finally:
        os._exit(0)

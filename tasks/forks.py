"""Work in a forked child of this process, which has all that this process has already (Linux)."""

import ctypes
import os
import pickle
import resource
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Generic, TypeVar

Thing = TypeVar("Thing")
Made = TypeVar("Made")

_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)
_LEAST = 4  # things: a fork and the way back cost as much as two faces


class Forked(Generic[Made]):
    """Work that a forked child does while this process does something else, where a processor is free.

    For processes without threads of their own that hold locks, such as a command's. A block ends the child, whether it
    waited or not.
    """

    def __init__(self, work: Callable[[], Made]):
        self._child: int | None = None
        if not sys.platform.startswith("linux") or len(os.sched_getaffinity(0)) < 2:
            return
        parent = os.getpid()
        try:
            source, sink = os.pipe()
        except OSError:  # too many files are open
            return
        try:
            child = os.fork()
        except OSError:  # no process or memory is left
            os.close(source)
            os.close(sink)
            return
        if not child:
            _send(work, parent, source, sink)
        os.close(sink)
        self._child, self._answers = child, os.fdopen(source, "rb")

    def __enter__(self) -> "Forked[Made]":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def wait(self) -> Made | None:
        """Return what the child made, or None: it was not begun, or could not; this process then does the work."""
        if self._child is None:
            return None
        try:
            made: Made = pickle.load(self._answers)
        except (EOFError, pickle.UnpicklingError):
            return None
        else:
            return made
        finally:
            self.end()

    def end(self) -> None:
        """End the child, and forget it."""
        if self._child is None:
            return
        self._answers.close()
        with suppress(ChildProcessError, ProcessLookupError):  # who began this process may have it ignore SIGCHLD
            os.kill(self._child, signal.SIGKILL)
            os.waitpid(self._child, 0)
        self._child = None


def in_two(unit: Callable[[Thing], Made], things: Sequence[Thing]) -> list[Made]:
    """Return what a unit makes of each thing, in order; a forked child makes every second.

    What the child cannot make, this process makes, or raises the unit's error.
    """
    if len(things) < _LEAST:
        return [unit(thing) for thing in things]
    with Forked(lambda: [unit(thing) for thing in things[1::2]]) as child:
        first = [unit(thing) for thing in things[::2]]
        second = child.wait() or [unit(thing) for thing in things[1::2]]
    return [(second if number % 2 else first)[number // 2] for number in range(len(things))]


def end_with(parent: int) -> None:
    """Have the kernel end this process with its parent (Linux), and keep no core file of it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)


def as_child(parent: int) -> None:
    """Make this forked process a child that signals end at once, and that ends with its parent."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    end_with(parent)


def _send(work: Callable[[], object], parent: int, source: int, sink: int) -> None:
    """Do the child's work, and end it without the parent's handlers and files."""
    try:
        as_child(parent)
        os.close(source)
        with os.fdopen(sink, "wb") as answers:
            pickle.dump(work(), answers, pickle.HIGHEST_PROTOCOL)
    finally:
        os._exit(0)

"""A process of the owner's and all that it starts: watched while it draws, and ended as a whole."""

import os
import re
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tasks.audit.generators.processes.limits import (
    Limits,
    bytes_below,
    confined,
    descendants,
    kill_descendants,
    reap,
)

TICK = 0.1  # seconds between two looks at memory, processes and files
SHARE = 0.05  # of the time may be spent on looking
_ENDING = 0.02  # seconds between two looks at a process that closed its output, where the kernel tells no end
_CHUNK = 1 << 16
_KEPT = 4096  # bytes of what a process said last
# How what Node, PHP, Ruby, Java, Go and Rust say of an error ends, which does not tell what it was.
_WHERE = re.compile(
    r"Node\.js v|at .|from .|thrown in |#\d+ |Stack trace|Require stack|- /|goroutine \d|exit status |note: run with"
    r"|.*panicked at \S+:$|\w+: .*[,\[{]$|requireStack: |'/.*'$|[\^~})\];,]+$"
)
_ERROR = re.compile(r"(?:[Ee]rror|Exception|panic)\b.*:")
_FOLDER = 4  # times the bytes of a picture's file: what all files in the scratch folder may have together


class Gone(Exception):
    """Whoever asked for pictures has ended."""


class PassedLimitError(Exception):
    """A process passed a limit, whose name is the message."""


@dataclass(frozen=True)
class Watch:
    """How processes are watched.

    Parameters
    ----------
    limits : Limits
    asking : int
        A pipe that ends when nobody asks for pictures any more.
    scratch : Path
        The folder of their temporary files.
    folder : str
        Their working directory.
    """

    limits: Limits
    asking: int
    scratch: Path
    folder: str


class Watched:
    """A process with pipes from its output and its messages.

    Parameters
    ----------
    watch : Watch
    command : sequence of str
    environment : mapping
    stdin : int
        What it reads, or `subprocess.DEVNULL`.
    answers : int, optional
        A pipe to read instead of standard output, which then goes where the messages go.
    passed : sequence of int
        Pipes that it gets beside the standard ones.
    seconds : float, optional
        Processor time that it may take, for a process that draws a single picture.

    Attributes
    ----------
    output : bytearray
        What came through the pipe.
    said : bytearray
        The last that came through standard error.

    Raises
    ------
    OSError
        It cannot be started.
    """

    def __init__(
        self, watch: Watch, command: Sequence[str], environment: Mapping[str, str], *,
        stdin: int = subprocess.DEVNULL, answers: int | None = None, passed: Sequence[int] = (),
        seconds: float | None = None,
    ):  # fmt: skip
        self._limits, self._scratch = watch.limits, watch.scratch
        messages, end = os.pipe()
        output = subprocess.PIPE if answers is None else end
        try:
            self.process = subprocess.Popen(
                command, stdin=stdin, stdout=output, stderr=end, cwd=watch.folder, env=dict(environment),
                pass_fds=passed, start_new_session=True, preexec_fn=confined(watch.limits, seconds),
            )  # fmt: skip
        except BaseException:
            os.close(messages)
            raise
        finally:
            os.close(end)
        if answers is None:
            answers = os.dup(self.process.stdout.fileno())  # type: ignore[union-attr]
            self.process.stdout.close()  # type: ignore[union-attr]
        self._answers, self._messages, self._asking = answers, messages, watch.asking
        self.output, self.said = bytearray(), bytearray()
        self.most = watch.limits.output
        self._selector = selectors.DefaultSelector()
        for pipe in (answers, messages):
            os.set_blocking(pipe, False)
            self._selector.register(pipe, selectors.EVENT_READ)
        self._selector.register(watch.asking, selectors.EVENT_READ)
        self._ended: int | None = None
        with suppress(OSError, AttributeError):  # Linux
            self._ended = os.pidfd_open(self.process.pid)
            self._selector.register(self._ended, selectors.EVENT_READ)

    def wait(self, done: Callable[[], bool], seconds: float, late: str = "seconds") -> None:
        """Wait until `done()`, or until the process has ended and its output is read.

        Raises
        ------
        PassedLimitError
            It did not come to an end in so many seconds, or passed another limit.
        Gone
        """
        deadline, look = time.monotonic() + seconds, time.monotonic() + TICK
        while not done():
            if self.process.poll() is not None:
                self._drain()
                return
            now = time.monotonic()
            if now >= deadline:
                raise PassedLimitError(late)
            if now >= look:
                self._require_modest()
                ended = time.monotonic()
                look = ended + max(TICK, (ended - now) / SHARE)
            open_pipes = len(self._selector.get_map()) > 1 + (self._ended is not None)
            patience = TICK if open_pipes or self._ended is not None else _ENDING
            for key, _ in self._selector.select(min(patience, deadline - now)):
                self._take(key.fd)

    def end(self) -> int:
        """End the process and all that it started; return its exit code, negative for a signal."""
        if self.process.poll() is None:
            with suppress(ProcessLookupError):
                self.process.kill()
            self.process.wait()
        if reap():
            with suppress(ProcessLookupError, PermissionError):  # its session, where there is no /proc
                os.killpg(self.process.pid, signal.SIGKILL)
            kill_descendants()
        self._selector.close()
        for pipe in {self._answers, self._messages, self._ended} - {None}:
            os.close(pipe)  # type: ignore[arg-type]
        return self.process.returncode

    def last_line(self) -> str:
        """Return the last line that the process said and that tells what happened, '' if it said nothing.

        Many languages end with where it happened, or with their version: then it is the last line that names an error.
        """
        lines = [line.strip() for line in self.said.decode("utf-8", "surrogateescape").splitlines()]
        lines = [line for line in lines if line]
        if not lines or not _WHERE.match(lines[-1]):
            return lines[-1] if lines else ""
        telling = [line for line in lines if not _WHERE.match(line)]
        return next((line for line in reversed(telling) if _ERROR.search(line)), (telling or lines)[-1])

    def _take(self, pipe: int) -> None:
        """Read what a pipe has."""
        if pipe == self._asking:
            raise Gone
        if pipe == self._ended:
            return
        try:
            data = os.read(pipe, _CHUNK)
        except BlockingIOError:
            return
        if not data:
            self._selector.unregister(pipe)
        elif pipe == self._messages:
            self.said += data
            del self.said[:-_KEPT]
        else:
            self.output += data
            if len(self.output) > self.most + _CHUNK:
                raise PassedLimitError("output")

    def _drain(self) -> None:
        """Read what is left in the pipes of a process that has ended; what it left behind may hold them open."""
        for pipe in (self._answers, self._messages):
            while pipe in self._selector.get_map():
                before = len(self.output), bytes(self.said)
                self._take(pipe)
                if (len(self.output), bytes(self.said)) == before:
                    break

    def _require_modest(self) -> None:
        """Look at what the kernel's limits do not tell: all processes together, and all files."""
        there = descendants()
        if len(there) > self._limits.processes:
            raise PassedLimitError("processes")
        if sum(there.values()) > self._limits.memory:
            raise PassedLimitError("memory")
        most = _FOLDER * self._limits.output
        if bytes_below(self._scratch, most) > most:
            raise PassedLimitError("output")

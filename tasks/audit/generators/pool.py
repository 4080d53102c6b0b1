"""Wardens at work: gives each the next picture to draw, and takes what comes, in any order."""

import math
import os
import selectors
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from storage.errors import CaptchasError
from tasks.audit.generators.processes.counter_texts import seed_of
from tasks.audit.generators.processes.limits import environment_of
from tasks.audit.generators.processes.messages import packed, unpacked

_WARDEN = "from tasks.audit.generators.processes.warden import main; main()"
_CHUNK = 1 << 20
_MOST = 1 << 30  # bytes of a warden's message: it knows the limits
_ENDING = 10.0  # seconds that a warden has to end all that it watches
_LOOK = 1.0  # seconds between two looks at wardens that are silent
_LOST = "ended the process that watches it"


@dataclass(frozen=True)
class Job:
    """A picture to draw, or `count` of them from `index` on.

    `again` is whether they were drawn before, to see whether they come out equal.
    """

    index: int
    text: str | None
    again: bool = False
    count: int = 1


class Result(NamedTuple):
    """What came of a job: the warden's answer and the picture's bytes, which are empty for a failure."""

    job: Job
    answer: dict[str, Any]
    data: bytes


@dataclass
class _Warden:
    process: "subprocess.Popen[bytes]"
    jobs: int
    answers: int
    scratch: Path
    job: Job | None = None
    due: float = math.inf  # of its answer, by the monotonic clock
    read: bytearray = field(default_factory=bytearray)


class Pool:
    """Processes that draw with an owner's generator; leaving the block ends them and all that they started.

    Parameters
    ----------
    spec : dict
        What draws, as `OwnGenerator.spec` returns it.
    seed : int
    workers : int
    """

    def __init__(self, spec: dict[str, Any], seed: int, workers: int):
        self._spec, self._seed, self._workers = spec, seed, workers
        self._wardens: list[_Warden] = []
        self._selector = selectors.DefaultSelector()

    def __enter__(self) -> "Pool":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all wardens, and wait until they have ended what they watched."""
        for warden in self._wardens:
            os.close(warden.jobs)
            os.close(warden.answers)  # it may be about to write what nobody reads any more
        for warden in self._wardens:
            try:
                warden.process.wait(_ENDING)
            except subprocess.TimeoutExpired:
                warden.process.kill()
                warden.process.wait()
            shutil.rmtree(warden.scratch, ignore_errors=True)
        self._wardens.clear()
        self._selector.close()

    def facts(self) -> dict[str, Any]:
        """Ask what a callable takes; `what` and `said` in the answer say why it cannot be asked."""
        warden = self._start()
        self._send(warden, None)
        while (answer := self._read(warden)) is None:
            self._select()
        return answer[0]

    def draw(self, jobs: Iterator[Job]) -> Iterator[Result]:
        """Draw pictures; a job is taken when a warden is free for it. Results come in any order."""
        while True:
            free = [warden for warden in self._wardens if warden.job is None]
            for warden in free:
                self._give(warden, jobs)
            while len(self._wardens) < self._workers and (job := next(jobs, None)) is not None:
                self._send(self._start(), job)
            if not any(warden.job for warden in self._wardens):
                return
            for warden in self._select():
                answer, job = self._read(warden), warden.job
                if answer is None or job is None:
                    continue
                warden.job = None
                if warden in self._wardens:
                    self._give(warden, jobs)  # before the result is looked at, so that it draws meanwhile
                yield Result(job, *answer)

    def _select(self) -> list[_Warden]:
        """Wait for wardens that have something to say; end those that have been silent for too long."""
        ready = [key.data for key, _ in self._selector.select(_LOOK)]
        for warden in self._wardens:
            if time.monotonic() > warden.due:  # it watches the time itself, unless somebody stopped it
                warden.process.kill()
        return ready

    def _give(self, warden: _Warden, jobs: Iterator[Job]) -> None:
        if (job := next(jobs, None)) is not None:
            self._send(warden, job)

    def _start(self) -> _Warden:
        scratch = Path(tempfile.mkdtemp(prefix="captchas-draw-"))
        environment = environment_of(str(scratch)) | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        theirs, jobs = os.pipe()
        answers, ours = os.pipe()
        try:
            process = subprocess.Popen(
                [sys.executable, "-P", "-c", _WARDEN], stdin=theirs, stdout=ours, env=environment,
                start_new_session=True,  # Ctrl-C in a terminal is for the command, which then closes the pipe
            )  # fmt: skip
        except OSError:
            os.close(jobs)
            os.close(answers)
            shutil.rmtree(scratch, ignore_errors=True)
            raise
        finally:
            os.close(theirs)
            os.close(ours)
        os.set_blocking(answers, False)
        warden = _Warden(process, jobs, answers, scratch)
        self._wardens.append(warden)
        self._selector.register(answers, selectors.EVENT_READ, warden)
        os.write(jobs, packed(self._spec | {"scratch": str(scratch)}))
        return warden

    def _send(self, warden: _Warden, job: Job | None) -> None:
        limits, count = self._spec["limits"], job.count if job else 1
        warden.job, warden.due = job, time.monotonic() + limits["start"] + count * limits["seconds"] + _ENDING
        wanted: dict[str, Any] = {}
        if job is not None:
            own = seed_of(self._seed, job.index)
            wanted = {"index": job.index, "text": job.text, "seed": self._seed, "own": own, "count": job.count}
        with suppress(BrokenPipeError):  # it has ended, as the next read tells
            os.write(warden.jobs, packed(wanted))

    def _read(self, warden: _Warden) -> tuple[dict[str, Any], bytes] | None:
        """Read what a warden has sent; None if more is to come."""
        try:
            data = os.read(warden.answers, _CHUNK)
        except BlockingIOError:
            return None
        if not data:
            return self._lost(warden)
        warden.read += data
        message = unpacked(warden.read, _MOST)
        if message is not None:
            warden.read.clear()
            warden.due = math.inf
        return message

    def _lost(self, warden: _Warden) -> tuple[dict[str, Any], bytes]:
        """Take leave of a warden that has ended; a picture may do that to it."""
        self._selector.unregister(warden.answers)
        self._wardens.remove(warden)
        os.close(warden.jobs)
        os.close(warden.answers)
        code = warden.process.wait()
        shutil.rmtree(warden.scratch, ignore_errors=True)
        if warden.job is None:
            raise CaptchasError("a process that watches the generator did not start; its messages say why")
        return {"what": _LOST, "said": f"exit code {code}", "seconds": 0.0}, b""

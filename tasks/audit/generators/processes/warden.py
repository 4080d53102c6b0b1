"""The program of the process that watches an owner's generator: it starts, limits and ends what draws.

All descendants come back to it when their parents end, so that none is left. It ends, with all of them, when the pipe
from which it takes its jobs ends.
"""

import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

from tasks.audit.generators.processes.command_run import ended_with, run_command
from tasks.audit.generators.processes.limits import Limits, adopt_orphans, environment_of, kill_descendants
from tasks.audit.generators.processes.messages import Garbled, packed, receive, send, unpacked
from tasks.audit.generators.processes.picture_files import NoPicture
from tasks.audit.generators.processes.watched import Gone, PassedLimitError, Watch, Watched

_HOST = "from tasks.audit.generators.processes.host import main; main()"
_SAID = 300  # characters


class _Failed(Exception):
    """A process drew no picture; the answer says why."""

    def __init__(self, what: str, said: str, **more: object):
        super().__init__(what)
        self.answer = {"what": what, "said": said, **more}


def main() -> None:
    """Read what draws, then a message a picture; answer each."""
    jobs, answers = os.dup(0), os.dup(1)
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    os.dup2(2, 1)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    adopt_orphans()
    first = receive(jobs, 0)
    if first is None:
        return
    ours = os.environ.pop("PYTHONPATH")
    if first[0]["python_path"] is not None:
        os.environ["PYTHONPATH"] = first[0]["python_path"]
    scratch = Path(first[0]["scratch"])
    watch = Watch(Limits(**first[0]["limits"]), jobs, scratch, first[0]["folder"])
    try:
        drawing = _Command(first[0], watch) if "arguments" in first[0] else _Callable(first[0], watch, ours)
        while (job := receive(jobs, 0)) is not None:
            began = time.monotonic()
            header, body = drawing.answer(job[0])
            send(answers, header | {"seconds": time.monotonic() - began}, body)
    except (Gone, BrokenPipeError):
        pass
    finally:
        kill_descendants()
        shutil.rmtree(scratch, ignore_errors=True)


class _Command:
    """A command that is started for every picture."""

    def __init__(self, spec: dict[str, Any], watch: Watch):
        self._arguments, self._watch = spec["arguments"], watch

    def answer(self, job: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Draw a picture, or say why there is none."""
        try:
            return run_command(self._arguments, job, self._watch)
        except NoPicture as error:
            return {"what": error.what, "said": str(error)}, b""


class _Callable:
    """A Python callable in a host, which is started again after a picture that ended it."""

    def __init__(self, spec: dict[str, Any], watch: Watch, path: str):
        self._spec, self._watch, self._limits, self._path = spec, watch, watch.limits, path
        self._host: Watched | None = None
        self._jobs = -1
        self._facts: dict[str, Any] = {}

    def answer(self, job: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Draw a picture, or say why there is none; a job without an index asks what the callable takes."""
        try:
            host = self._host or self._start()
            if "index" not in job:
                return self._facts, b""
            host.said.clear()
            return self._ask(host, packed(job), self._limits.seconds, "seconds")
        except _Failed as failed:
            return failed.answer, b""

    def _start(self) -> Watched:
        limits = self._limits
        theirs, self._jobs = os.pipe()
        answers, ours = os.pipe()
        environment = environment_of(str(self._watch.scratch)) | {"PYTHONPATH": self._path}
        try:
            self._host = host = Watched(
                self._watch, [sys.executable, "-P", "-c", _HOST, str(theirs), str(ours)], environment,
                answers=answers, passed=(theirs, ours),
            )  # fmt: skip
        finally:
            os.close(theirs)
            os.close(ours)
        wanted = {key: self._spec[key] for key in ("given", "folder", "limits", "python_path")}
        self._facts, _ = self._ask(host, packed(wanted), limits.start, "start")
        if "what" in self._facts:
            self._end()
            raise _Failed(**self._facts)
        return host

    def _ask(self, host: Watched, message: bytes, seconds: float, late: str) -> tuple[dict[str, Any], bytes]:
        """Send a message to the host and wait for the answer.

        Raises
        ------
        _Failed
            The host ended, or was ended since it passed a limit.
        """
        host.output.clear()
        most = self._limits.output
        try:
            os.write(self._jobs, message)  # it fits into the pipe
            host.wait(lambda: unpacked(host.output, most) is not None, seconds, late)
            answer = unpacked(host.output, most)
            if answer is not None:
                return answer
            what = ""
        except PassedLimitError as error:
            what = self._limits.told()[str(error)]
        except (Garbled, BrokenPipeError) as error:
            what = "" if isinstance(error, BrokenPipeError) else "wrote between its answers"
        code, line = self._end(), host.last_line()[:_SAID]
        raise _Failed(what or f"ended its process: {ended_with(code)}", line)

    def _end(self) -> int:
        """End the host."""
        host, self._host = self._host, None
        os.close(self._jobs)
        return host.end() if host else 0

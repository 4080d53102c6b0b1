"""Something goes wrong at each file system call that changes something; then the same command again.

    python calls.py PLACE FAULT [--begun N] [--count N] [--calls N] [--named] [--repair KIND]

One run draws a dataset of COUNT pictures in this process's children, one after another: the first with
FAULT at its first call, the next at its second, until a run ends without reaching its fault. After each
the same command is given without one. Prints a JSON object a line: `call` (number and name), `ended`
(what became of the run), `left` (the folder then, as {name: content}), `again` and `after` (the same of
the second run), `foreign` (what stands beside the folder then, {name: content}). With --repair it is a
damaged dataset of COUNT pictures, a `drive.damage`, and the command repairs it.

FAULT: `kill`, or an errno's name to raise; `outlive` stops a worker there, lets the whole command run
beside it, and wakes it; `outlive-kill` kills it N calls (`--calls`) after it woke.
"""

import argparse
import errno
import gc
import json
import os
import re
import shutil
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import drive

from storage.errors import CaptchasError
from storage.files import local_files
from tasks.datasets import generate
from tasks.datasets.recipe import renderer_of

_EVENTS = {"open", "os.link", "os.rename", "os.remove", "os.mkdir"}
# Calls that a disk which is full, broken or read-only would refuse. `os.remove` is not among them: a file
# that cannot be removed stays.
_WRITES = {"open to write", "write", "fsync", "os.link", "os.rename", "os.mkdir"}
_HELD = re.compile("(/proc/self/fd/[0-9]+)(.*)")
PIECE = 1 << 16  # bytes a write: a shard takes a few, and may be cut between them


class Counter:
    """Counts this process's calls that change files in a folder, and acts at one of them, before it is made."""

    def __init__(self, folder: Path, act: Callable[[int, str], None]):
        self._folder, self._act = str(folder), act
        self.number = 0
        self._on = True
        sys.addaudithook(self._heard)
        self._instead(os, "fsync", "fsync")
        self._instead(os, "write", "write")
        local_files._AT_ONCE = PIECE
        by_path, by_handle = Path.open, os.fdopen
        Path.open = lambda path, mode="r", *args, **kwargs: _Told(by_path(path, mode, *args, **kwargs), self, mode)
        os.fdopen = lambda handle, mode="r", *args, **kwargs: _Told(
            by_handle(handle, mode, *args, **kwargs), self, mode
        )

    def _instead(self, module, name: str, told: str) -> None:
        real = getattr(module, name)

        def call(*args, **kwargs):
            self.tell(told)
            return real(*args, **kwargs)

        setattr(module, name, call)

    def _heard(self, event: str, arguments: tuple) -> None:
        if event not in _EVENTS or not any(_place(one).startswith(self._folder) for one in arguments):
            return
        if event == "open":
            if not arguments[2] & (os.O_WRONLY | os.O_RDWR):
                return  # nothing has changed since the call before
            event = "open to write"
        self.tell(event)

    def tell(self, name: str) -> None:
        if self._on:
            self.number += 1
            self._on = False  # what the action itself does is not counted
            try:
                self._act(self.number, name)
            finally:
                self._on = True


def _place(name: object) -> str:
    """Where a file is: folders are held open, and named by their number, while files in them are written."""
    held = _HELD.fullmatch(str(name))
    with suppress(OSError):
        return f"{os.readlink(held[1])}{held[2]}" if held else str(name)  # noqa: PTH115 - no call of its own
    return str(name)


class _Told:
    """A file whose writes are counted."""

    def __init__(self, file, counter: Counter, mode: str):
        self._file, self._counter, self._told = file, counter, "x" in mode or "w" in mode

    def __enter__(self):
        self._file.__enter__()
        return self

    def __exit__(self, *ended):
        return self._file.__exit__(*ended)

    def __getattr__(self, name: str):
        return getattr(self._file, name)

    def write(self, data) -> int:
        if self._told:
            self._counter.tell("write")
        return self._file.write(data)


def child(work: Callable[[], None], said: Path) -> int:
    """Start `work` in a fork; its error message goes to `said`. Its process id."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        work()
        code = 0
    except CaptchasError as error:
        said.write_text(f"{type(error).__name__}: {error}")
        code = error.exit_code
    except BaseException as error:  # noqa: BLE001 - a fork must not go on in its parent's code
        said.write_text(f"{type(error).__name__}: {error}")
    os._exit(code)


def ended(pid: int, said: Path) -> str:
    """How a child ended: 'killed', or its exit code with its message."""
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return "killed" if os.WTERMSIG(status) == signal.SIGKILL else f"signal {os.WTERMSIG(status)}"
    return f"{os.WEXITSTATUS(status)} {said.read_text() if said.exists() else ''}".strip()


def main() -> None:
    """Try each call in turn."""
    parser = argparse.ArgumentParser()
    parser.add_argument("place", type=Path)
    parser.add_argument("fault")
    parser.add_argument("--begun", type=int, default=0, help="pictures that are there before")
    parser.add_argument("--count", type=int, default=2500)
    parser.add_argument("--calls", type=int, default=2, help="from waking to being killed")
    parser.add_argument("--repair", default="", help="of this kind of damage")
    parser.add_argument("--named", action="store_true", help="as where every file has a name")
    chosen = parser.parse_args()
    if chosen.named and hasattr(os, "O_TMPFILE"):
        del os.O_TMPFILE
    made = drive.recipe()
    drive.recipe = lambda: made
    renderer_of(made).block(7, 0)  # children fork with all of it made and compiled
    begun, folder, mark, said = (chosen.place / name for name in ("begun", "d", "mark", "said"))
    begun.mkdir(parents=True)
    if chosen.repair:
        drive.draw(begun, chosen.count)
        drive.damage(begun, chosen.repair)
    elif chosen.begun:
        drive.draw(begun, chosen.begun)
    number = 0
    gc.disable()  # each child would look through all that is imported, and copy the pages that it marks
    gc.freeze()
    while True:
        number += 1
        for path in (folder, chosen.place / "d.foreign", mark, said, chosen.place / "woken"):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        shutil.copytree(begun, folder)
        line = (outlive if chosen.fault.startswith("outlive") else interrupt)(chosen, number, folder, mark, said)
        if not mark.exists():
            break
        line["call"] = [number, mark.read_text()]
        line["foreign"] = drive.files(chosen.place / "d.foreign")
        print(json.dumps(line), flush=True)


def interrupt(chosen, number: int, folder: Path, mark: Path, said: Path) -> dict:
    """A run with a fault at its `number`-th call; then the same command."""

    def act(at: int, name: str) -> None:
        if at == number:
            mark.write_text(name)
            if chosen.fault == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            elif name in _WRITES:
                code = getattr(errno, chosen.fault)
                raise OSError(code, os.strerror(code))

    def command() -> None:
        drive.repair(folder) if chosen.repair else drive.draw(folder, chosen.count)

    def run() -> None:
        Counter(folder, act)
        command()

    line = {"ended": ended(child(run, said), said), "left": drive.files(folder)}
    said.unlink(missing_ok=True)
    again = ended(child(command, said), said)
    return line | {"again": again, "after": drive.files(folder)}


def outlive(chosen, number: int, folder: Path, mark: Path, said: Path) -> dict:
    """A worker stops at its `number`-th call, its client is dead; the same command runs; the worker wakes."""
    generate.BLOCKS_A_SHARD = 1
    jobs = generate.plan_drawing(drive.recipe(), folder, chosen.count, "dead").jobs

    def act(at: int, name: str) -> None:
        if at == number:
            mark.write_text(name)
            os.kill(os.getpid(), signal.SIGSTOP)
        if chosen.fault == "outlive-kill" and at == number + chosen.calls:
            os.kill(os.getpid(), signal.SIGKILL)

    def run() -> None:
        Counter(folder, act)
        for job in jobs:
            generate.draw_shard(job)

    worker = child(run, woken := said.with_name("woken"))
    _, status = os.waitpid(worker, os.WUNTRACED)
    if not os.WIFSTOPPED(status):
        return {}
    left = drive.files(folder)
    again = ended(child(lambda: drive.draw(folder, chosen.count), said), said)
    before = {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.iterdir()}
    os.kill(worker, signal.SIGCONT)
    said_then = ended(worker, woken)
    after = {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.iterdir()}
    return {
        "ended": said_then, "left": left, "again": again, "after": drive.files(folder),
        "touched": sorted(name for name in before if before[name] != after.get(name)),
    }  # fmt: skip


if __name__ == "__main__":
    main()

"""A command of any language that draws a picture: its arguments, what it is given to read, and what came of it."""

import errno
import fcntl
import os
import shutil
import signal
import struct
import subprocess
import termios
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tasks.audit.generators.processes.limits import Limits, environment_of
from tasks.audit.generators.processes.picture_files import NoPicture, from_base64, whole_picture
from tasks.audit.generators.processes.watched import PassedLimitError, Watch, Watched

OUT = "picture.png"
MOST_FILES = 1000  # of a batch
_SAID = 300  # characters
# How a process ends that passed a limit of the kernel's; a shell says so with 128 and the number of the signal.
_BY_KERNEL = {
    code: limit
    for number, limit in ((signal.SIGXFSZ, "output"), (signal.SIGXCPU, "seconds"))
    for code in (-number, 128 + number)
}
_PRINTED = 4096  # bytes


def run_command(arguments: Sequence[str], job: dict[str, Any], watch: Watch) -> tuple[dict[str, Any], bytes]:
    """Run a command for a picture; return what it says it drew, and the bytes of the picture.

    Parameters
    ----------
    arguments : sequence of str
        With the places {text}, {out}, {seed}, {index}, {folder} and {count}.
    job : dict
        `text`, `index` and `own`, the seed, of the picture; `count`, how many are to be drawn.
    watch : Watch
        Its scratch folder is empty, and empty again afterwards.

    Returns
    -------
    dict
        What it `printed` beside the picture; the `name` that it gave the picture; whether it was `asked` for the text
        by an argument; whether it `read` the text that was on its standard input. For many pictures the names, sizes
        and times (ns) of the `files`, whose bytes follow one another.

    Raises
    ------
    NoPicture, Gone
    """
    drawn, work = watch.scratch / "drawn", watch.scratch / "work"
    for made in (drawn, work):
        made.mkdir()
    places = {
        "text": job["text"], "seed": str(job["own"]), "index": str(job["index"]), "out": str(drawn / OUT),
        "folder": str(drawn), "count": str(job["count"]),
    }  # fmt: skip
    try:
        asked, named, filled, many = (
            any("{" + place + "}" in argument for argument in arguments) for place in ("text", "out", "folder", "count")
        )
        given = None if asked or many else job["text"]
        seconds = watch.limits.seconds * job["count"]
        filled_in = [
            argument if _is_file(argument, number, watch.folder) else _filled(argument, places)
            for number, argument in enumerate(arguments)
        ]
        output, read = _run(filled_in, given, watch, work, seconds)
        if many:
            return _all_files(drawn, output)
        printed, name, data = _outcome(output, drawn, named, filled, watch)
        return {"printed": printed, "name": name, "asked": asked, "read": read}, data
    finally:
        for made in (drawn, work):
            shutil.rmtree(made, ignore_errors=True)


def _is_file(argument: str, number: int, folder: str) -> bool:
    """Return whether an argument is the program, or a file by its path, so that {text} in its name is no place."""
    return (number == 0 or "/" in argument) and "{" in argument and Path(folder, argument).is_file()


def _filled(argument: str, places: dict[str, str]) -> str:
    """Put values into an argument; a value that looks like a place stays as it is."""
    parts = [argument]
    for name, value in places.items():
        mark, filled = "{" + name + "}", []
        for number, part in enumerate(parts):
            pieces = part.split(mark) if number % 2 == 0 else [part]
            for k, piece in enumerate(pieces):
                filled += [value, piece] if k else [piece]
        parts = filled
    return "".join(parts)


def _run(arguments: list[str], given: str | None, watch: Watch, work: Path, seconds: float) -> tuple[bytes, bool]:
    """Run a command, with a text on its standard input; return its output, and whether it read the text."""
    theirs, limits = None, watch.limits
    if given is not None:
        theirs, ours = os.pipe()
        os.write(ours, f"{given}\n".encode())
        os.close(ours)
    try:
        try:
            watched = Watched(
                watch, arguments, environment_of(str(work)),
                stdin=subprocess.DEVNULL if theirs is None else theirs, seconds=seconds,
            )  # fmt: skip
        except OSError as error:
            said = f"{arguments[0]}: {error.strerror or error}"
            if error.errno == errno.ENOEXEC:
                said += "; begin it with a line that names its program, such as #!/bin/sh, or give that: 'sh SCRIPT'"
            raise NoPicture("could not be started", said) from error
        passed = ""
        try:
            watched.wait(lambda: False, seconds)
        except PassedLimitError as error:
            passed = str(error)
        finally:
            code = watched.end()
        read = theirs is None or _unread(theirs) == 0
    finally:
        if theirs is not None:
            os.close(theirs)
    said = watched.last_line()[:_SAID]
    if passed := passed or _BY_KERNEL.get(code, ""):
        raise NoPicture(limits.told()[passed], said)
    if len(watched.output) > limits.output:
        raise NoPicture(limits.told()["output"], said)
    if code:
        raise NoPicture(ended_with(code), said or _beginning(watched.output))
    return bytes(watched.output), read


def _unread(pipe: int) -> int:
    """Return how many bytes of a pipe nobody has read."""
    with suppress(OSError):
        return int(struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0])
    return 0


def ended_with(code: int) -> str:
    """Return what is said of a process that ended with an exit code, or by a signal."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


def _outcome(output: bytes, drawn: Path, named: bool, filled: bool, watch: Watch) -> tuple[str, str | None, bytes]:
    """Find the picture; return what was printed beside it, the text that its name may be, and its bytes."""
    if not named and not filled:
        path = _path_in(output, drawn, Path(watch.folder))
        if path is None:
            return "", None, whole_picture(from_base64(output), watch.limits.pixels)
        return "", path.stem, _file(path, watch.limits)
    files = [path for path in drawn.iterdir() if path.is_file() and not path.is_symlink()]
    chosen = next((path for path in files if path.name == OUT), None) or (files[0] if len(files) == 1 else None)
    if chosen is None:
        found = f"{len(files)} files" if files else "no file"
        place = "{out}" if named else "{folder}"
        raise NoPicture(f"wrote no picture to {place}", f"{found} there; {_beginning(output) or 'it printed nothing'}")
    printed = output[:_PRINTED].decode("utf-8", "replace").strip()
    return printed, (None if named or chosen.name == OUT else chosen.stem), _file(chosen, watch.limits)


def _all_files(drawn: Path, output: bytes) -> tuple[dict[str, Any], bytes]:
    """Return the files of a batch: their names, relative to the folder, and sizes, and all their bytes."""
    paths = sorted(path for path in drawn.rglob("*") if path.is_file() and not path.is_symlink())
    if not paths:
        raise NoPicture("wrote no picture to {folder}", _beginning(output) or "it printed nothing")
    if len(paths) > MOST_FILES:
        raise NoPicture("wrote too many files to {folder}", f"{len(paths):,}; at most {MOST_FILES:,} are taken")
    data = [path.read_bytes() for path in paths]
    names = [path.relative_to(drawn).as_posix() for path in paths]
    times = [path.stat().st_mtime_ns for path in paths]
    return {"files": [[name, len(one), time] for name, one, time in zip(names, data, times, strict=True)]}, b"".join(
        data
    )


def _path_in(output: bytes, drawn: Path, folder: Path) -> Path | None:
    """Return the picture whose path was printed, None if something else was."""
    if not 0 < len(output) <= 4096 or b"\0" in output:
        return None
    path = folder / os.fsdecode(output.strip())
    with suppress(OSError, ValueError):
        return path if path.is_file() and path.parent != drawn.parent else None
    return None


def _file(path: Path, limits: Limits) -> bytes:
    size = path.stat().st_size
    if size > limits.output:
        raise NoPicture(limits.told()["output"], f"{size:,} bytes")
    return whole_picture(path.read_bytes(), limits.pixels)


def _beginning(output: bytes | bytearray) -> str:
    text = bytes(output[:_SAID]).decode("utf-8", "backslashreplace").strip()
    return f"it printed {text!r}" if text else ""

"""Folders that a command may write into: each is held open while a file is written, so that no link takes its place."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from storage.errors import Unwritable, explained
from storage.files.places import Place

_OPEN = Path("/proc/self/fd")  # Linux: a name here leads to the folder that is open, whatever has come to its place
_led: dict[str, str] = {}  # by name: where each folder led when it was judged


def remember(folder: Place) -> None:
    """Note where a folder leads, which a command may write into, and so may its workers."""
    own = _absolute(folder) if isinstance(folder, Path) else None
    for above in (own, *own.parents) if own else ():
        if above == own or str(above) in _led:  # of an earlier run in this process: its owner may have moved it
            _led[str(above)] = os.path.realpath(above)


def judged() -> dict[str, str]:
    """Return where the judged folders led, by name, for a process that works for this one."""
    return dict(_led)


def take_over(led: Mapping[str, str]) -> None:
    """Have what another process has `judged` hold in this one, and nothing else."""
    _led.update(led)  # first: a thread that writes meanwhile must not find less
    for folder in [*_led.keys() - led.keys()]:
        _led.pop(folder, None)


def require_same(path: Path, opened: str | None = None) -> None:
    """Refuse a path in a folder that leads elsewhere than when it was judged.

    Parameters
    ----------
    opened : str, optional
        Where the path's folder really is, which is open; else it is looked up by its name.

    Raises
    ------
    Unwritable
        A link has come to the place of a folder, or to that of one above it.
    """
    parent = _absolute(path).parent if _led else None
    for folder in (parent, *parent.parents) if parent else ():
        led = _led.get(str(folder))
        if not led:
            continue
        below = str(parent)[len(str(folder)) :]
        leads = opened.removesuffix(below) if opened and opened.endswith(below) else os.path.realpath(folder)
        if leads != led:
            raise Unwritable(
                f"{path}: {folder} led to {led} when the command began, and leads to {leads} now; nothing is replaced "
                "there. Put the folder back, and give the same command again"
            )


@contextmanager
def held(path: Path) -> Iterator[Path]:
    """Judge the folder of a path as `require_same` does, and give a name of the path that stays in this very folder.

    Where the system has no such names (other than Linux), the path itself is given.

    Raises
    ------
    Unwritable
    OSError
    """
    if not _OPEN.is_dir() or not hasattr(os, "O_PATH"):
        require_same(path)
        yield path
        return
    try:
        handle = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    except OSError as error:
        require_same(path)  # the folder may have been moved away
        raise explained(error, path) from error
    opened = _OPEN / str(handle)
    try:
        require_same(path, str(opened.readlink()))
        yield opened / path.name
    finally:
        os.close(handle)


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 - which resolves no link

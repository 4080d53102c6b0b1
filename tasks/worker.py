"""Checks that a worker has the same software, fonts and folders as the run that it works for."""

import functools
import os
import platform
from collections.abc import Callable, Mapping
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from storage import errors
from storage.errors import CaptchasError
from storage.files.judged_folders import take_over

# The packages that a worker runs. Found by a module's file, since Dask gives its workers a folder `storage` too.
CODE = (Path(errors.__file__).parent, Path(__file__).parent)
_BEGINNING = 1 << 16  # bytes at a file's start that are compared

Job = TypeVar("Job")
Receipt = TypeVar("Receipt")


class Unfit(CaptchasError, RuntimeError):
    """A worker has other software than the run that gave it a job."""


@functools.cache
def record() -> dict[str, str]:
    """Return the versions of this process's software, and digests of its code and of the bundled fonts.

    It includes all that datasets and models record as their software: so that record is true of every worker.
    """
    from importlib.metadata import version

    from tasks.datasets.recipe import software  # here, since a reader of pictures draws none

    code = sha256()
    for package in CODE:
        for path in sorted(package.rglob("*.py")):
            name = path.relative_to(package.parent).as_posix()
            code.update(name.encode() + sha256(path.read_bytes()).digest())
    return {
        "python": ".".join(platform.python_version_tuple()[:2]),
        **software(),
        "scikit-learn": version("scikit-learn"),
        "code": code.hexdigest()[:12],
        "fonts": sha256((Path(str(files("fonts"))) / "SHA256SUMS").read_bytes()).hexdigest()[:12],
    }


@functools.cache
def software_fingerprint() -> str:
    """Return the sha256 of `record`."""
    return sha256(repr(sorted(record().items())).encode()).hexdigest()


def differences(there: dict[str, str], here: dict[str, str]) -> list[str]:
    """List the differences of two records, each as 'pillow 12.0.0 there, 13.0.0 here'."""
    return [
        f"{name} {there.get(name, 'missing')} there, {here.get(name, 'missing')} here"
        for name in sorted(set(here) | set(there))
        if there.get(name) != here.get(name)
    ]


def do(unit: Callable[[Job], Receipt], wanted: str, job: Job) -> Receipt:
    """Return `unit(job)`, if the `software_fingerprint` of this process is the wanted one.

    Raises
    ------
    Unfit
        It has another fingerprint. The unit may raise other errors.
    """
    if software_fingerprint() != wanted:
        raise Unfit("worker: has other software than the run; install the same version of this project there")
    return unit(job)


def do_within(unit: Callable[[Job], Receipt], folders: Mapping[str, str], job: Job) -> Receipt:
    """Return `unit(job)`, which writes only into folders that lead where they led when the run judged them.

    Parameters
    ----------
    folders : dict of str
        As `storage.files.judged_folders.judged` returns them.
    """
    take_over(folders)
    return unit(job)


def at_home(path: str) -> str:
    """Return the path on this machine of a font or model of this project; any other path is returned unchanged."""
    parts = Path(path).parts
    for package in ("fonts", "tasks"):
        if package in parts and not Path(path).exists():
            place = len(parts) - parts[::-1].index(package)
            here = Path(str(files(package))).joinpath(*parts[place:])
            if here.is_file():
                return str(here)
    return path


def sample(path: Path) -> dict[str, str]:
    """Return evidence by which another process can check that it sees the same file or folder at `path`.

    Returns
    -------
    dict of str
        By path: of a file its size and a digest of its first bytes; of a folder the word 'folder', and one file
        of it, if it has any.
    """
    if path.is_file():
        return {str(path): _look(str(path))}
    found = {str(path): "folder"}
    with os.scandir(path) as entries:
        first = next((entry.path for entry in entries if entry.is_file() and not entry.name.startswith(".")), None)
    return found | ({first: _look(first)} if first else {})


def differing_files(evidence: dict[str, str]) -> list[str]:
    """List the paths of a `sample` where this process sees another file, or none."""
    return [path for path, seen in evidence.items() if _look(at_home(path)) != seen]


def _look(path: str) -> str:
    """Return the evidence of one path; 'nothing' if it cannot be read."""
    try:
        if Path(path).is_dir():
            return "folder"
        with Path(path).open("rb") as file:
            return f"{os.fstat(file.fileno()).st_size} {sha256(file.read(_BEGINNING)).hexdigest()}"
    except OSError:
        return "nothing"

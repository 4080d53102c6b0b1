"""What a worker must have in common with the run that it works for: software, fonts, and the folders."""

import functools
import os
import platform
from collections.abc import Callable
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from storage import errors
from storage.errors import CaptchasError
from tasks.datasets.recipe import software

# All that a worker runs of this project. By a module's file: Dask gives its workers a folder named `storage` too.
CODE = (Path(errors.__file__).parent, Path(__file__).parent)
_BEGINNING = 1 << 16  # bytes of a file that tell it from any other


class Unfit(CaptchasError, RuntimeError):
    """The software of this process is not that of the run which gave it a job."""


@functools.cache
def record() -> dict[str, str]:
    """What this process draws, reads and learns with: versions, and digests of the code and of the bundled fonts.

    All that a dataset or model records as its software, so that the record is true of every worker too.
    """
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
def fingerprint() -> str:
    """The sha256 of `record`."""
    return sha256(repr(sorted(record().items())).encode()).hexdigest()


def differences(there: dict[str, str], here: dict[str, str]) -> list[str]:
    """What two records do not share, each as 'pillow 12.0.0 there, 13.0.0 here'."""
    return [
        f"{name} {there.get(name, 'missing')} there, {here.get(name, 'missing')} here"
        for name in sorted(set(here) | set(there))
        if there.get(name) != here.get(name)
    ]


def do(unit: Callable, wanted: str, job):
    """`unit(job)`, where the `fingerprint` is the wanted one.

    Raises
    ------
    Unfit
        And whatever the unit raises.
    """
    if fingerprint() != wanted:
        raise Unfit("worker: has other software than the run; install the same version of this project there")
    return unit(job)


def at_home(path: str) -> str:
    """A font or model of this project by its path, which on another machine may begin otherwise; others as they are."""
    parts = Path(path).parts
    for package in ("fonts", "tasks"):
        if package in parts and not Path(path).exists():
            place = len(parts) - parts[::-1].index(package)
            here = Path(str(files(package))).joinpath(*parts[place:])
            if here.is_file():
                return str(here)
    return path


def sample(path: Path) -> dict[str, str]:
    """Evidence of what stands at `path`: of a file its size and first bytes, of a folder one of its files.

    Returns
    -------
    dict of str
        By path; a folder has the value 'folder', and with it comes one file of it, if it has any.
    """
    if path.is_file():
        return {str(path): _look(str(path))}
    found = {str(path): "folder"}
    with os.scandir(path) as entries:
        first = next((entry.path for entry in entries if entry.is_file() and not entry.name.startswith(".")), None)
    return found | ({first: _look(first)} if first else {})


def missing(evidence: dict[str, str]) -> list[str]:
    """Those paths of a `sample` where this process sees something else, or nothing."""
    return [path for path, seen in evidence.items() if _look(at_home(path)) != seen]


def _look(path: str) -> str:
    try:
        if Path(path).is_dir():
            return "folder"
        with Path(path).open("rb") as file:
            return f"{os.fstat(file.fileno()).st_size} {sha256(file.read(_BEGINNING)).hexdigest()}"
    except OSError:
        return "nothing"

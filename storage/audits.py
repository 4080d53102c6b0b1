"""The folder of an audit: what is finished so far, the result, and the results of earlier audits."""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from storage.errors import BadInput, Busy, Damaged, NotThere
from storage.files import atomic
from storage.files.locks import locked
from storage.files.small_files import read_json, read_ordinary
from storage.texts import as_json, canonical

RESULT, PAGE = "audit.json", "report.html"
STATE, HISTORY = "state", "history"  # folders
TARGET = "target"  # a file in the state, of JSON: whose audits these are, and what the last began with
DIGITS = (8, 16, 64)  # of the sha256 of a target; the next number only if another target has the name
LONGEST = 190  # bytes of a name that gets digits: file systems take 255
LARGEST = 64 << 20  # bytes of a result
_STEP = re.compile(r"[a-z0-9-]+")
_DATED = re.compile(r"\d{8}T\d{6}Z\.json")


class Steps:
    """The finished steps of an audit: a file for each, whole or not there, with all that it depends on.

    Parameters
    ----------
    folder : Path
        Of the audit.
    depends : dict
        What every step depends on, as JSON values.
    """

    def __init__(self, folder: Path, depends: dict[str, Any]):
        self.folder = folder / STATE
        self._depends = depends

    def path(self, name: str) -> Path:
        """Return the file of a step, whose name has small letters, digits and dashes."""
        if not _STEP.fullmatch(name):
            raise ValueError(f"a step's name must be of small letters, digits and dashes, not {name!r}")
        return self.folder / f"{name}.json"

    def find(self, name: str, **more: object) -> dict[str, Any] | None:
        """Return what a step gave, if it depends on the same; else None. `more` is what only this step depends on."""
        try:
            content = read_json(self.path(name))
            if content["key"] == self._key(name, more):
                return dict(content["result"])
        except (OSError, ValueError, TypeError, KeyError):  # not there, or not whole: the step is done again
            return None
        return None

    def keep(self, name: str, result: dict[str, Any], **more: object) -> None:
        """Write what a step gave.

        Raises
        ------
        NoSpace, Unwritable
        """
        content = {"key": self._key(name, more), "result": result}
        atomic.replace(self.path(name), as_json(content).encode())

    def drop(self, name: str) -> None:
        """Remove what a step gave, so that it is done again."""
        self.path(name).unlink(missing_ok=True)

    def forget(self) -> None:
        """Remove the files of all steps."""
        for path in self.folder.glob("*.json") if self.folder.is_dir() else ():
            path.unlink(missing_ok=True)

    def _key(self, name: str, more: dict[str, object]) -> str:
        return hashlib.sha256(canonical([name, self._depends, more]).encode()).hexdigest()


def folder_of(audits: Path, name: str, whose: str) -> Path:
    """Return the folder of a target's audits: `NAME`, or `NAME-DIGITS` if `NAME` has those of another target.

    Parameters
    ----------
    audits : Path
        The folder of all audits.
    whose : str
        What is audited, such as its kind and its path: two targets may have the same name.
    """
    digest = hashlib.sha256(whose.encode(errors="surrogateescape")).hexdigest()
    short = os.fsdecode(os.fsencode(name)[:LONGEST])
    places = [audits / name, *(audits / f"{short}-{digest[:digits]}" for digits in DIGITS)]
    free = (place for place in places if target_in(place).get("whose") in (None, whose))
    return next(free, places[-1])


def target_in(folder: Path) -> dict[str, Any]:
    """Return what `keep_target` wrote; empty if nothing that can be read is there."""
    try:
        found = read_json(folder / STATE / TARGET)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def keep_target(folder: Path, target: Mapping[str, Any]) -> None:
    """Note whose audits a folder has, and what the last of them began with.

    Raises
    ------
    NoSpace, Unwritable
    """
    atomic.replace(folder / STATE / TARGET, as_json(dict(target)).encode())


@contextmanager
def audit_locked(folder: Path) -> Iterator[None]:
    """Hold the lock of an audit, a file in its state; an audit that fails before its first step leaves no folder.

    Raises
    ------
    Busy
        Another run holds it.
    """
    lock = folder / STATE / "audit"
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(lock))
        except Busy:
            raise Busy(f"{folder}: another run is auditing it; wait for that to end, or choose another --out") from None
        try:
            yield
        except BaseException:
            _leave_nothing(folder)
            raise


def _leave_nothing(folder: Path) -> None:
    """Remove the folder of an audit that has no step and no result; the caller holds its lock."""
    state = folder / STATE
    own = {TARGET, "audit.lock"}
    with suppress(OSError):  # another run may make a file, or remove the folder; the caller's error is what counts
        if {path.name for path in folder.iterdir()} - {STATE} or {path.name for path in state.iterdir()} - own:
            return
        for name in own:
            (state / name).unlink(missing_ok=True)
        state.rmdir()
        folder.rmdir()


def save_audit(folder: Path, content: Mapping[str, Any], page: str | None, stamp: str) -> None:
    """Write the result of an audit: a dated copy, the page, and last the result itself.

    Parameters
    ----------
    page : str, optional
        The report's page.
    stamp : str
        When the audit began, such as 20261127T181500Z.

    Raises
    ------
    NoSpace, Unwritable
    """
    data = (as_json(content, indent=1) + "\n").encode()
    atomic.replace(folder / HISTORY / f"{stamp}.json", data)
    if page is not None:
        atomic.replace(folder / PAGE, page.encode())
    atomic.replace(folder / RESULT, data)


def load_audit(path: Path) -> dict[str, Any]:
    """Read the result of an audit: of its folder, or the file itself.

    Raises
    ------
    NotThere, Damaged
    BadInput
        It is of a later version.
    """
    file = path / RESULT if path.is_dir() else path
    try:
        content = json.loads(read_ordinary(file, LARGEST))
    except FileNotFoundError:
        raise NotThere(f"{path}: no finished audit there (no {RESULT}); make it with captchas audit TARGET") from None
    except (ValueError, RecursionError, OSError) as error:  # OSError: a folder or a link to itself has that name
        why = getattr(error, "strerror", None) or error
        raise Damaged(f"{file}: cannot be read as an audit ({why}); give an {RESULT}, or make it again") from error
    if not isinstance(content, dict) or not isinstance(content.get("schema"), int):
        raise Damaged(f"{file}: is no audit (it has no number of a schema); give an {RESULT}")
    if content["schema"] != 1:
        raise BadInput(f"{file}: is of schema {content['schema']}; this version reads 1; update the program")
    lacking = [
        key for key in ("made", "target", "verdict", "attackers") if not isinstance(content.get(key), dict | list)
    ]
    if lacking:
        raise Damaged(f"{file}: lacks {', '.join(lacking)}; make the audit again")
    return content


def find_audit(folder: Path) -> dict[str, Any] | None:
    """Return the result of an audit in a folder; None if there is none that can be read."""
    try:
        return load_audit(folder)
    except (NotThere, Damaged, BadInput):
        return None


def require_own(folder: Path) -> None:
    """Refuse a folder with files of an audit's names that no audit wrote.

    Raises
    ------
    BadInput
    """
    theirs = [name for name in (RESULT, PAGE) if (folder / name).exists()]
    if theirs and find_audit(folder) is None and not earlier_audits(folder):
        raise BadInput(
            f"out: {folder} holds a {theirs[0]} that is of no audit; choose another folder, or move the file"
        )


def earlier_audits(folder: Path) -> list[Path]:
    """Return the files of all finished audits in an audit's folder, the oldest first."""
    history = folder / HISTORY
    return sorted(path for path in history.iterdir() if _DATED.fullmatch(path.name)) if history.is_dir() else []

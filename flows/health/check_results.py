"""What a check finds, and how checks run: each alone, so that one that fails or hangs hides no other."""

import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path

DISTRIBUTION = "beating-captchas"
PATIENCE = 20.0  # seconds for a check: a disk of another machine, or a server, may answer nothing for ever


class State(StrEnum):
    """How a check ended."""

    FINE = "fine"
    WARNING = "warning"  # works, but slower, or less safely
    WRONG = "wrong"  # some command will fail


@dataclass(frozen=True)
class CheckResult:
    """What a check found, and the command or the step that mends it.

    Attributes
    ----------
    check
        What was looked at.
    state
        How it is.
    found
        What was found, in words.
    remedy
        A command, or what a person has to do; None if nothing is to be done.
    """

    check: str
    state: State
    found: str
    remedy: str | None = None

    def told(self) -> str:
        """Return what was found as a line for people: anything but a fine state is named."""
        said = self.found if self.state is State.FINE else f"{self.state.upper()}: {self.found}"
        return f"{said}; mend it: {self.remedy}" if self.remedy else said


Check = Callable[[], CheckResult]


def fine(check: str, found: str) -> CheckResult:
    """Return the result of a check that found nothing wrong."""
    return CheckResult(check, State.FINE, found)


def warning(check: str, found: str, remedy: str) -> CheckResult:
    """Return the result of a check that found what works, but not well."""
    return CheckResult(check, State.WARNING, found, remedy)


def wrong(check: str, found: str, remedy: str) -> CheckResult:
    """Return the result of a check that found what makes commands fail."""
    return CheckResult(check, State.WRONG, found, remedy)


def run_checks(checks: Mapping[str, Check], patience: float = PATIENCE) -> list[CheckResult]:
    """Run checks one after the other; what a check raises, or that it takes too long, is its result."""
    return [_run_alone(name, check, patience) for name, check in checks.items()]


def _run_alone(name: str, check: Check, patience: float) -> CheckResult:
    found: list[CheckResult] = []

    def run() -> None:
        try:
            found.append(check())
        except Exception as error:  # noqa: BLE001 - whatever is broken here is what the check is to tell
            found.append(failed(name, error))

    thread = threading.Thread(target=run, name=name, daemon=True)  # a check that hangs does not hold the end up
    try:
        thread.start()
    except RuntimeError:  # a limit on processes holds for threads too
        run()
    else:
        thread.join(patience)
    if found:
        return found[0]
    return wrong(name, f"no answer within {patience:g} s", "see whether a disk or a server hangs, then try again")


def failed(name: str, error: Exception) -> CheckResult:
    """Return the result of a check that raised an error: our own errors hold their remedy."""
    said = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, FileNotFoundError) and not _current_folder_is_there():
        return wrong(name, "the folder in which this runs was removed", "cd into another folder")
    if isinstance(error, metadata.PackageNotFoundError):
        return wrong(name, f"nothing tells that {error.name} is installed", reinstall())
    if isinstance(error, ImportError):
        return wrong(name, f"Python cannot import what this needs ({said})", "see packages and imports")
    if hasattr(error, "exit_code"):  # one of ours: rule, value and remedy in a sentence
        said, _, remedy = said.rpartition("; ")
        return wrong(name, said or remedy, remedy or reinstall())
    return wrong(name, f"{type(error).__name__}: {said}", reinstall())


def _current_folder_is_there() -> bool:
    try:
        Path.cwd()
    except OSError:
        return False
    return True


def root() -> Path:
    """Return the folder that holds the packages: the clone, or `site-packages`."""
    return Path(__file__).resolve().parents[2]


def is_clone() -> bool:
    """Return whether this runs from a clone, in which `make setup` mends the installation."""
    return (root() / "Makefile").is_file() and (root() / "pyproject.toml").is_file()


def reinstall(requirements: Iterable[str] = ()) -> str:
    """Return the command that installs these requirements, or the whole again."""
    wanted = [f"'{requirement}'" for requirement in requirements]
    if not wanted and is_clone():
        return f"make -C {root()} clean setup"
    return " ".join([pip(), *(wanted or ["--force-reinstall", DISTRIBUTION])])


def pip() -> str:
    """Return the command that installs packages for this Python."""
    return f"{sys.executable or 'python3'} -m pip install"

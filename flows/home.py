"""Where things are kept, and the environment that Prefect needs before it is imported."""

import json
import os
import tomllib
from pathlib import Path

import tasks
from flows.service import processes
from storage.errors import BadInput
from storage.files import atomic
from storage.files.places import ObjectPath, Place, is_url, place

HOME = "CAPTCHAS_HOME"
SHIPPED = Path(tasks.__file__).with_name("ladder.skops")  # what `captchas train --ladder` makes, kept with the package
RECORD = "up.json"  # under Prefect's folder, while `captchas up` runs


def home() -> Path:
    """The folder of datasets, models, reports and answers: `CAPTCHAS_HOME`, or `data` here.

    Raises
    ------
    BadInput
        A URL: Prefect's database is there too.
    """
    folder = Path(os.environ.get(HOME) or "data")
    if is_url(folder):
        raise BadInput(
            "home: must be a folder of this machine, since Prefect's database is there; give the URL of an object "
            "store to a command instead: as its dataset, its model or with --out"
        )
    return folder


def dataset_folder(name: str | Path) -> Place:
    """A dataset's folder: a name under the home, a path (with a separator, or that exists), or a URL."""
    path = place(name)
    if isinstance(path, ObjectPath):
        return path
    under_home = home() / "datasets" / path
    return (
        path if len(path.parts) > 1 or path.is_absolute() or (path.exists() and not under_home.exists()) else under_home
    )


def new_dataset_folder(name: str) -> Path:
    """The folder of a dataset to be made: under the home, whatever stands in the working directory."""
    return home() / "datasets" / name


def model_file(name: str | Path) -> Place:
    """A model's file: a name under the home (with or without `.skops`), a path, or a URL; `ladder` is shipped."""
    path = place(name)
    if isinstance(path, ObjectPath):
        return path
    under_home = home() / "models" / path.with_name(path.name.removesuffix(".skops") + ".skops")
    if under_home.name == SHIPPED.name and len(path.parts) == 1 and not under_home.exists():
        return SHIPPED
    return (
        path if len(path.parts) > 1 or path.is_absolute() or (path.exists() and not under_home.exists()) else under_home
    )


def pictures_at(path: Path) -> Path:
    """A folder of pictures, or one: a path, or a name under the home such as `inbox`, if nothing here has that name.

    For a deployment's run the home comes first: what else stands where its worker was started is not meant.
    """
    under_home = home() / path
    here = path.exists() and processes.RUN not in os.environ
    return under_home if not path.is_absolute() and not here and under_home.exists() else path


def prepare_environment(chosen: Path | None = None) -> bool:
    """Set what Prefect reads when it is imported; nothing that the user has set is changed.

    Parameters
    ----------
    chosen : Path, optional
        The `--home` of the command line.

    Returns
    -------
    bool
        Whether a server has to be started in Prefect's home, which is ours then: the user has named neither a server
        nor a home of Prefect's, and no `captchas up` runs on this home. If one does, its server is named.
    """
    if chosen is not None:
        os.environ[HOME] = str(chosen)
    defaults = {
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
        # 20 s, Prefect's own, are too few for the first start on two busy cores.
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        # The command line says itself what happened; tracebacks stay in the run's log.
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    }
    own = False
    if not _has_server():
        folder = (home() / "prefect").resolve()
        atomic.make_folder(folder)  # Prefect's server does not start where this is missing
        own = os.environ.setdefault("PREFECT_HOME", str(folder)) == str(folder)
        there = served() if own else None
        if there:
            os.environ["PREFECT_API_URL"] = there["api"]
            own = False
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    os.environ[processes.CLIENT] = str(os.getpid())  # children inherit it
    return own


def served() -> dict | None:
    """The record of the `captchas up` that runs on this home: its process, the addresses of its server and UI.

    None where none runs; a record that one left which was killed is not one of a living process.
    """
    try:
        content = json.loads((home() / "prefect" / RECORD).read_bytes())
        alive = processes.started(content["pid"]) == content["started"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return content if alive else None


def end_orphaned_servers() -> int:
    """End what a killed command left running on this home; returns how many processes.

    Prefect starts a server for a run without one and ends it with the run, but SIGKILL leaves it behind; of a
    `captchas up` it leaves the server, the worker and their runs. Only processes that a command of ours started,
    which is dead, are ended; where there is no /proc nothing is done.
    """
    return len(processes.end(processes.orphans(os.environ.get("PREFECT_HOME"))))


def _has_server() -> bool:
    """Whether the user has named a Prefect server: a PREFECT_HOME of ours would hide it."""
    if os.environ.get("PREFECT_API_URL"):
        return True
    folder = Path(os.environ.get("PREFECT_HOME") or Path.home() / ".prefect")
    profiles = Path(os.environ.get("PREFECT_PROFILES_PATH") or folder / "profiles.toml")
    try:
        content = tomllib.loads(profiles.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    active = os.environ.get("PREFECT_PROFILE") or content.get("active")
    return bool(content.get("profiles", {}).get(active, {}).get("PREFECT_API_URL"))

"""The home folder, which holds datasets and models, and the environment that Prefect needs before it is imported."""

import errno
import json
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

from flows.environment import API, active_profile, exempt_loopback, named_server
from flows.service import passwords, processes
from flows.service.prefect_settings import STARTING, ignore_files_of, require_settings, require_writable
from storage.errors import BadInput, explained
from storage.files import atomic
from storage.files.places import ObjectPath, Place, is_url, place
from storage.files.private import make_private_folder
from storage.served_model import SUFFIXES, without_suffix
from tasks.shipped import SHIPPED, STRANGERS

HOME = "CAPTCHAS_HOME"
UP_RECORD = "up.json"  # under Prefect's folder, while `captchas up` runs
_MOST_RECORD = 1 << 20  # bytes of it that are read; it has a few hundred


def home() -> Path:
    """Return the folder of datasets, models, reports and answers: `CAPTCHAS_HOME`, or `data` in the working directory.

    Raises
    ------
    BadInput
        For a URL, since Prefect's database is in this folder too.
    """
    folder = Path(os.environ.get(HOME) or "data")
    if is_url(folder):
        raise BadInput(
            "home: must be a folder of this machine, since Prefect's database is there; give the URL of an object "
            "store to a command instead: as its dataset, its model or with --out"
        )
    return folder


def dataset_folder(name: str | Path) -> Place:
    """Find a dataset's folder by a name under the home, a path (which has a separator or exists), or a URL."""
    path = place(name)
    if isinstance(path, ObjectPath):
        return path
    under_home = home() / "datasets" / path
    return (
        path if len(path.parts) > 1 or path.is_absolute() or (path.exists() and not under_home.exists()) else under_home
    )


def new_dataset_folder(name: str) -> Path:
    """Return the folder of a new dataset: under the home, also if the working directory has such a folder."""
    return home() / "datasets" / name


def model_file(name: str | Path) -> Place:
    """Find a model's file by a name under the home, a path, or a URL; `ladder` and `strangers` are shipped.

    A name needs no ending: the classic model of that name comes before the deep one.
    """
    path = place(name)
    if isinstance(path, ObjectPath) or path.name in ("", ".."):
        return path
    models, bare = home() / "models", without_suffix(path.name)
    wanted = [path.suffix] if path.suffix in SUFFIXES else SUFFIXES
    files = [models / path.with_name(bare + suffix) for suffix in wanted]
    under_home = next((file for file in files if file.exists()), files[0])
    if len(path.parts) == 1 and not under_home.exists():
        for shipped in (SHIPPED, STRANGERS):
            if shipped.stem == bare and shipped.suffix in wanted:
                return shipped
    return (
        path if len(path.parts) > 1 or path.is_absolute() or (path.exists() and not under_home.exists()) else under_home
    )


def pictures_at(path: Path) -> Path:
    """Find a folder of pictures, or a picture: a path, or else a name under the home such as `inbox`.

    For a deployment's run the home comes first: the folder in which its worker was started does not matter.
    """
    under_home = home() / path
    here = path.exists() and processes.RUN not in os.environ
    return under_home if not path.is_absolute() and not here and under_home.exists() else path


def prepare_environment(chosen: Path | None = None, *, make_home: bool = True) -> bool:
    """Set the variables that Prefect reads when it is imported; keep those that the user has set.

    Parameters
    ----------
    chosen : Path, optional
        The `--home` of the command line.
    make_home : bool
        Whether to make the home's folder, if there is none; False for a command that writes nothing.

    Returns
    -------
    bool
        Whether this command has to start a server: the user has named neither a server nor PREFECT_HOME, and no
        `captchas up` runs on this home. If `captchas up` runs, its server is used.

    Raises
    ------
    BadInput
        A variable or Prefect's file of profiles is malformed.
    """
    if chosen is not None:
        os.environ[HOME] = str(chosen)
    defaults = {
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": "",  # Prefect's own default lets every web page read the answers
        # Prefect's own 20 s are too few for the first start on two busy cores.
        STARTING: "120",
        # The command line reports errors itself; tracebacks stay in the run's log.
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    }
    own = False
    named = "--home" if chosen is not None else HOME if os.environ.get(HOME) else None
    if make_home:
        _require_folder(named)
    require_settings()
    if make_home:
        require_writable()
    exempt_loopback()
    if named_server() is None:
        folder = (home() / "prefect").resolve()
        if make_home:
            _make_private(folder.parent, folder)  # Prefect's server does not start without it
        own = os.environ.setdefault("PREFECT_HOME", str(folder)) == str(folder)
        if own:
            _require_trusted(folder, named)
            ignore_files_of(folder)
        there = served() if own else None
        if there:
            os.environ[API], os.environ[passwords.CLIENT] = there["api"], there["password"]
            own = False
    else:
        if passwords.SERVER not in os.environ and (there := served()) and there["api"] == os.environ.get(API):
            os.environ.setdefault(passwords.CLIENT, there["password"])  # the server of this home, named by hand
        if make_home:
            with suppress(OSError):  # who writes there is told why it cannot be
                _make_private(home().resolve())
        if passwords.CLIENT in (profile := active_profile()):  # for our requests, which know no profiles
            defaults[passwords.CLIENT] = profile[passwords.CLIENT]
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    os.environ[processes.CLIENT] = str(os.getpid())  # children inherit it
    return own


def _make_private(*folders: Path) -> None:
    """Create the home, and perhaps Prefect's folder in it, for this user alone; existing folders keep their modes."""
    atomic.make_folder(folders[0].parent)
    try:
        for path in folders:
            make_private_folder(path)
    except NotADirectoryError:
        pass
    except FileNotFoundError as error:  # as in /proc, where nothing can be made
        raise BadInput(f"home: no folder can be made at {folders[0]}; choose another with --home or {HOME}") from error
    except OSError as error:
        raise explained(error, folders[-1]) from error
    atomic.make_folder(folders[-1])  # tells what stands in its place, if it is no folder


def _require_folder(named: str | None) -> None:
    """Refuse a home that is no folder, by the option or variable that names it."""
    folder = Path(os.environ.get(HOME) or "data")
    if is_url(folder):
        return  # what needs a home says that it cannot be a URL
    there = None
    try:
        there = next(path for path in (folder, *folder.absolute().parents) if os.path.lexists(path))
        if stat.S_ISDIR(there.stat().st_mode):
            return
        why = f"{there} is no folder"
    except FileNotFoundError:
        why = f"the link {there} leads to nothing" if there else "the working directory is not there any more"
    except (OSError, StopIteration) as error:
        if getattr(error, "errno", None) == errno.ELOOP:
            why = "a link in it leads to itself"
        else:
            why = getattr(error, "strerror", None) or "it is not there"
    remedy = f"choose another with --home or {HOME}" if named is None else "correct or leave it out"
    raise BadInput(f"{named or 'home'}: must be a folder; it is {str(folder)!r}, and {why}; {remedy}")


def _require_trusted(folder: Path, named: str | None) -> None:
    """Refuse a home, or Prefect's folder in it, that another user owns and does not share with a group of this user.

    Its owner could replace Prefect's database, or read the passwords in it. Root trusts the home that it names.
    """
    for path in (folder.parent, folder):
        try:
            found = path.stat()
        except OSError:
            continue  # who uses it makes it, or says why it cannot be
        shared = found.st_mode & 0o020 and found.st_gid in {os.getegid(), *os.getgroups()}
        root = os.geteuid() == 0 and named is not None
        if found.st_uid not in (0, os.geteuid()) and not (shared or root):
            raise BadInput(
                f"{named or 'home'}: must be this user's own, or shared with a group (docs/operations.md); {path} "
                f"belongs to the user with the number {found.st_uid}; choose another with --home or {HOME}"
            )


def served() -> dict[str, Any] | None:
    """Read the record of the `captchas up` that runs on this home: its process, its server's addresses and password.

    None if `captchas up` does not run, also if it was killed and left its record behind. Another user's record is not
    believed: it could name a server of that user.
    """
    try:
        # A home may come from elsewhere; a pipe in the record's place would be waited for.
        with os.fdopen(os.open(home() / "prefect" / UP_RECORD, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            believed = os.fstat(file.fileno()).st_uid == os.geteuid()
            content: dict[str, Any] = json.loads(file.read(_MOST_RECORD)) if believed else {}
        alive = processes.started(content["pid"]) == content["started"] and "password" in content
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return content if alive else None


def end_orphaned_servers() -> int:
    """End the processes that a killed command left on this home; return how many.

    A command ends the server that it started, but not after SIGKILL. A killed `captchas up` leaves its server, its
    worker and their runs. Only processes whose command is dead are ended. Without /proc nothing is done.
    """
    return len(processes.end(processes.orphans(os.environ.get("PREFECT_HOME"))))

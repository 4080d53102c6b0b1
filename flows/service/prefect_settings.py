"""Prefect's settings in the environment: a wrong value is named in a line, in place of Prefect's traceback."""

import io
import os
import re
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from tempfile import TemporaryFile
from types import ModuleType, SimpleNamespace
from typing import Any

from flows.service.passwords import require_sendable
from flows.shell.quiet import tell
from storage.errors import BadInput, full, readable_size

STARTING = "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"
DATABASES = ("PREFECT_SERVER_DATABASE_CONNECTION_URL", "PREFECT_API_DATABASE_CONNECTION_URL")
# Variables that this project sets, or names itself where they are wrong.
_OURS = {
    STARTING, *DATABASES, "PREFECT_API_URL", "PREFECT_API_AUTH_STRING", "PREFECT_SERVER_API_AUTH_STRING",
    "PREFECT_HOME", "PREFECT_SERVER_ANALYTICS_ENABLED", "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE",
    "PREFECT_SERVER_CORS_ALLOWED_ORIGINS", "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "PREFECT_PROFILES_PATH",
    "PREFECT_LOGGING_SETTINGS_PATH", "PREFECT_SERVER_API_BASE_PATH", "PREFECT_FLOWS_HEARTBEAT_FREQUENCY",
}  # fmt: skip
_DRIVERS = ("sqlite+aiosqlite://", "postgresql+asyncpg://")
_LOGGING = "PREFECT_LOGGING_SETTINGS_PATH"
# Files of a folder PREFECT_HOME that can have Prefect call any function, and the variables that name others.
_IN_HOME = {
    "profiles.toml": ("PREFECT_PROFILES_PATH",),
    "logging.yml": (_LOGGING, "PREFECT_LOGGING_CONFIG_PATH"),
}
_FILES = (
    "DASK_CONFIG",
    "SSL_CERT_FILE",
    "PREFECT_API_SSL_CERT_FILE",
    *(name for names in _IN_HOME.values() for name in names),
)
_MOST_FILE = 64 << 20  # bytes; certificates of all authorities have a hundredth of it
_CORRECT = "correct or unset it"
_SOURCES = "prefect.settings.sources"  # the module that looks for settings


class _Sealed:
    """An importer of Prefect's module that looks for settings, which then looks into no file of the working directory.

    Such a file can have Prefect call any function, as a handler of logs. Prefect reads it while it is imported.
    """

    @staticmethod
    def find_spec(name: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Find that module as Python does; no other."""
        spec = PathFinder.find_spec(name, path, target) if name == _SOURCES else None
        if spec and spec.loader:
            vars(spec.loader)["exec_module"] = _sealing(spec.loader.exec_module)
        return spec


def _sealing(execute: Callable[[ModuleType], None]) -> Callable[[ModuleType], None]:
    """Return what executes the module and then seals it."""

    def sealed(module: ModuleType) -> None:
        execute(module)
        _seal(module)

    return sealed


def _seal(sources: Any) -> None:
    """Have `prefect.toml`, `pyproject.toml` and `.env` count as files that are not there."""
    sources.TomlConfigSettingsSourceBase._read_files = lambda *_: {}
    sources._get_profiles_path_from_toml = lambda *_: None
    sources.dotenv = SimpleNamespace(dotenv_values=lambda *_: {})
    sources.FilteredDotEnvSettingsSource._read_env_files = lambda _: {}


def ignore_folder() -> None:
    """Have Prefect take no settings from the working directory, which may be anybody's; call it before its import."""
    if _Sealed not in sys.meta_path:
        sys.meta_path.insert(0, _Sealed)


def ignore_files_of(folder: Path) -> None:
    """Have Prefect read no settings in its folder of a home, which may have come in an archive.

    Files that the user names in a variable count. A line tells of a file that does not.
    """
    for name, variables in _IN_HOME.items():
        if not any(os.environ.get(variable) for variable in variables):
            os.environ[variables[0]] = str(Path(os.devnull, name))  # can be no file
            if os.path.lexists(folder / name):
                tell(f"{folder / name}: is not read, since a home may be another's; if it is yours: {variables[0]}")


def require_settings() -> None:
    """Refuse values of Prefect's variables that this project reads itself.

    Raises
    ------
    BadInput
    """
    require_sendable()
    _require_files()
    given = os.environ.get(STARTING)
    if given is not None:
        try:
            fits = 0 < float(given) < float("inf")
        except ValueError:
            fits = False
        if not fits:
            raise BadInput(f"{STARTING}: must be a number of seconds above 0; it is {given!r}; {_CORRECT}")
    for name in DATABASES:
        url = os.environ.get(name, "")
        if url and not url.startswith(_DRIVERS):
            # Not shown: it may hold a password.
            raise BadInput(f"{name}: must begin with {' or '.join(_DRIVERS)}; {_CORRECT}")
    folder = os.environ.get("PREFECT_HOME")
    paths = [Path(folder), *Path(folder).parents] if folder else []
    there = next((path for path in paths if os.path.lexists(path)), None)
    if there and not there.is_dir():
        raise BadInput(f"PREFECT_HOME: must be a folder; it is {folder!r}, and {there} is no folder; {_CORRECT}")


def _require_files() -> None:
    """Refuse a device, a pipe or a huge file in the place of a file that Prefect, Dask or TLS read to its end."""
    for name in _FILES:
        given = os.environ.get(name)
        if not given or given == os.devnull:
            continue
        try:
            found = Path(given).expanduser().stat()
        except (OSError, RuntimeError, ValueError):
            continue  # who opens it says so
        ordinary = stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)
        if not ordinary or found.st_size > _MOST_FILE:
            why = f"has {readable_size(found.st_size)}" if ordinary else "is a device, a pipe or a socket"
            raise BadInput(f"{name}: must name a file of settings or certificates; {given!r} {why}; {_CORRECT}")


def require_writable() -> None:
    """Make the folder that the user has named for Prefect's files; else Prefect waits for a database there.

    Raises
    ------
    BadInput, NoSpace
    """
    if given := os.environ.get("PREFECT_HOME"):
        try:
            folder = Path(given).expanduser()
            folder.mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=folder):
                pass
        except (OSError, RuntimeError) as error:
            if no_space := full(error, Path(given)):
                raise no_space from error
            why = getattr(error, "strerror", None) or error
            raise BadInput(
                f"PREFECT_HOME: must be a folder where files can be written ({why}); it is {given!r}; {_CORRECT}"
            ) from error


@contextmanager
def settings_explained() -> Iterator[None]:
    """Import Prefect within: a variable that its settings refuse is named in place of a traceback.

    Raises
    ------
    BadInput
    """
    said = io.StringIO()
    try:
        with redirect_stderr(said):
            yield
    except Exception as error:
        refused = _explained(error)
        if refused is None:
            raise
        said.truncate(0)  # Prefect's own words about the same variable
        raise refused from error
    finally:
        sys.stderr.write(said.getvalue())


def require_valid() -> None:
    """Read all of Prefect's settings, which imports Prefect, and refuse a wrong value.

    Raises
    ------
    BadInput
    """
    with settings_explained():
        import_module("prefect.logging.configuration").setup_logging()


def masked(text: str) -> str:
    """Return a text without the passwords of the URLs in it."""
    return re.sub(r"//[^/@\s]*@", "//", text)


def _explained(error: Exception) -> BadInput | None:
    """Return the project's error for an error of Prefect's settings; None for another error."""
    kind, title = type(error).__name__, str(getattr(error, "title", ""))
    if kind == "SettingsError":  # a value that is no JSON
        field = re.search(r'field "(\w+)"', str(error))
        names = [name for name in _given() if field and name.upper().endswith(field[1].upper())]
        return BadInput(f"{', '.join(names) or 'a variable PREFECT_…'}: cannot be read ({error}); {_CORRECT}")
    if kind == "ValidationError" and title.endswith("Settings"):
        return BadInput(f"{_refusals(error) or f'Prefect refuses its settings ({title})'}; {_CORRECT}")
    if kind == "ValueError" and "dask config file" in str(error):
        said = " ".join(str(error).split())
        return BadInput(f"DASK_CONFIG: {said}; mend or remove the file, or correct or unset the variable")
    if passed(error, "distributed/config.py"):  # which sets up logging when it is imported
        names = [name for name in os.environ if name.startswith("DASK_") and "LOG" in name]
        what = ", ".join(names) or "a file of Dask's settings (DASK_CONFIG)"
        return BadInput(f"{what}: its logging cannot be set up ({kind}: {error}); {_CORRECT}")
    file = getattr(error, "filename", None)
    names = [name for name, value in _given().items() if file and value == str(file)]
    if not names and _LOGGING in os.environ and passed(error, "prefect/logging/configuration.py"):
        names = [_LOGGING]
    said = " ".join(str(error).split())
    return BadInput(f"{', '.join(names)}: cannot be used ({said}); {_CORRECT}") if names else None


def _refusals(error: Exception) -> str:
    """Return the name, the rule and the value of each variable that pydantic refuses."""
    said = []
    for detail in getattr(error, "errors", list)():
        value = detail.get("input")
        if isinstance(value, str):
            # Some settings change the case of a value before they judge it.
            names = [name for name, given in _given().items() if given.casefold() == value.casefold()]
            named = ", ".join(names) or f"Prefect's setting {'.'.join(map(str, detail.get('loc', ())))}"
            said.append(f"{named}: {detail.get('msg', 'is refused')}; it is {masked(value)!r}")
    return "; ".join(said)


def suspects() -> list[str]:
    """Name Prefect's variables in the environment that are not this project's: one may be why Prefect fails.

    Prefect judges most values when it starts, others when it uses them.
    """
    return sorted(name for name in _given() if name.upper() not in _OURS and not name.upper().startswith("PREFECT__"))


def is_prefects(error: BaseException) -> bool:
    """Return whether an error was raised by Prefect's code, or by a library that it called, not by the project's."""
    trace, last = error.__traceback__, ""
    while trace:
        package = str(trace.tb_frame.f_globals.get("__name__")).partition(".")[0]
        last = package if package in {"prefect", "flows", "tasks", "storage"} else last
        trace = trace.tb_next
    return last == "prefect"


def _given() -> dict[str, str]:
    """Return Prefect's variables in the environment."""
    return {name: value for name, value in os.environ.items() if name.upper().startswith("PREFECT_")}


def passed(error: BaseException, files: str) -> bool:
    """Return whether an error came through a file of Prefect's with these words in its path."""
    trace = error.__traceback__
    while trace:
        if files in trace.tb_frame.f_code.co_filename:
            return True
        trace = trace.tb_next
    return False

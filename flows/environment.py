"""What a command needs of its process and environment: each lack is told in a line, before any work."""

import io
import os
import resource
import socket
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

from storage.errors import BadInput, Unreachable

API = "PREFECT_API_URL"
STARTING = "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"
FILES = 256  # open files that a job gets at least; Prefect, Dask and the shards of one take about a hundred
_WANTED_FILES = 4096  # asked for, where the hard limit allows it
_ANSWER = 5.0  # seconds that a named server has to take a connection
_EVERY = 0.25  # seconds between two tries
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Server(NamedTuple):
    """A Prefect server that the user has named: where it is named, and its URL."""

    source: str
    url: str


def require_streams() -> None:
    """Refuse a closed standard output; open /dev/null in place of closed standard input and errors.

    The next file that is opened, perhaps a database, would get the number of the closed stream.

    Raises
    ------
    BadInput
    """
    closed = []
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number
            closed.append(number)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123 - for the life of the process
    if 1 in closed or sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - for the life of the process
        raise BadInput("standard output: is closed; send it to a file or to /dev/null")


def require_files() -> None:
    """Raise the limit of open files as far as this process may; refuse to work with fewer than `FILES`.

    Raises
    ------
    BadInput
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= _WANTED_FILES:
        return
    wanted = _WANTED_FILES if hard == resource.RLIM_INFINITY else min(hard, _WANTED_FILES)
    if wanted > soft:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    if soft < FILES:
        raise BadInput(
            f"open files: this process may open {soft}, a job needs {FILES}; raise the limit: ulimit -n {FILES}"
        )


def require_settings() -> None:
    """Refuse values of Prefect's variables that this project reads itself.

    Raises
    ------
    BadInput
    """
    given = os.environ.get(STARTING)
    if given is not None:
        try:
            fits = 0 < float(given) < float("inf")
        except ValueError:
            fits = False
        if not fits:
            raise BadInput(f"{STARTING}: must be a number of seconds above 0; it is {given!r}; correct or unset it")


def exempt_loopback() -> None:
    """Exempt this machine from the proxies in the environment."""
    for name in ("no_proxy", "NO_PROXY"):
        given = [part.strip() for part in os.environ.get(name, "").split(",") if part.strip()]
        if "*" not in given:
            os.environ[name] = ",".join([*given, *(host for host in _LOOPBACK if host not in given)])


def named_server() -> Server | None:
    """Find the Prefect server that the user has named: in `PREFECT_API_URL` or in the active profile.

    Raises
    ------
    BadInput
        The URL or the file of profiles is malformed.
    """
    found = None
    if url := os.environ.get(API):
        found = Server(API, url)
    elif url := active_profile().get(API):
        found = Server(f"{API} in {_profiles_file()}", url)
    if found:
        _parts(found)
    return found


def active_profile() -> dict[str, str]:
    """Read the settings of Prefect's active profile; none without a file of profiles.

    Raises
    ------
    BadInput
        The file is malformed.
    """
    profiles = _profiles_file()
    try:
        content = tomllib.loads(profiles.read_text(encoding="utf-8")) if profiles else {}
    except OSError:
        return {}
    except ValueError as error:
        raise BadInput(f"{profiles}: is no file of Prefect's profiles ({error}); mend or remove it") from error
    active = os.environ.get("PREFECT_PROFILE") or content.get("active")
    known = content.get("profiles", {})
    if not isinstance(known, dict) or not all(isinstance(profile, dict) for profile in known.values()):
        raise BadInput(f"{profiles}: is no file of Prefect's profiles (its profiles are no tables); mend or remove it")
    settings = known.get(active, {}) if isinstance(active, str) else {}
    return {name: str(value) for name, value in settings.items() if value != ""}


def require_reachable(server: Server) -> None:
    """Refuse a server that takes no connection within some seconds; behind a proxy only Prefect can tell.

    Raises
    ------
    Unreachable
    """
    parts = _parts(server)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    if parts.scheme in getproxies() and not proxy_bypass(host):
        return
    deadline = time.monotonic() + _ANSWER
    while True:
        try:
            with socket.create_connection((host, port), timeout=_ANSWER):
                return
        except (OSError, UnicodeError) as error:
            if time.monotonic() > deadline:
                raise Unreachable(
                    f"{server.source}: no Prefect server answers at {_shown(parts)} ({error}); start it, or correct or "
                    "unset the variable"
                ) from error
        time.sleep(_EVERY)


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
    except ValueError as error:
        refused = _explained(error)
        if refused is None:
            raise
        said.truncate(0)  # Prefect's own words about the same variable
        raise refused from error
    finally:
        sys.stderr.write(said.getvalue())


def _explained(error: ValueError) -> BadInput | None:
    """Return the project's error for an error of Prefect's settings; None for another error."""
    kind, title = type(error).__name__, str(getattr(error, "title", ""))
    if kind == "SettingsError":  # a value that is no JSON
        return BadInput(f"a variable PREFECT_… cannot be read: {error}; correct or unset it")
    if kind != "ValidationError" or not title.endswith("Settings"):
        return None
    said = []
    for detail in getattr(error, "errors", list)():
        value = detail.get("input")
        if isinstance(value, str):
            named = ", ".join(_holding(value)) or f"Prefect's setting {'.'.join(map(str, detail.get('loc', ())))}"
            said.append(f"{named}: {detail.get('msg', 'is refused')}; it is {value!r}")
    return BadInput(f"{'; '.join(said) or f'Prefect refuses its settings ({title})'}; correct or unset it")


def _holding(value: str) -> list[str]:
    """Find Prefect's variables with that value; some settings change its case before they judge it."""
    return [
        name
        for name, given in os.environ.items()
        if name.upper().startswith("PREFECT_") and given.casefold() == value.casefold()
    ]


def _parts(server: Server) -> SplitResult:
    try:
        parts = urlsplit(server.url)
        fits = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if not fits:
        raise BadInput(
            f"{server.source}: must be a URL such as http://127.0.0.1:4200/api; it is {server.url!r}; "
            "correct or unset it"
        )
    return parts


def _shown(parts: SplitResult) -> str:
    """Return a URL without the password that it may have."""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _profiles_file() -> Path | None:
    try:
        folder = Path(os.environ.get("PREFECT_HOME") or Path.home() / ".prefect")
    except RuntimeError:  # no HOME, and a user without an entry in /etc/passwd
        folder = None
    chosen = os.environ.get("PREFECT_PROFILES_PATH")
    if chosen:
        return Path(chosen)
    return folder / "profiles.toml" if folder else None

"""What a command needs of its process and environment: each lack is told in a line, before any work."""

import os
import resource
import socket
import sys
import time
import tomllib
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from flows.service.prefect_settings import masked
from flows.shell.quiet import tell
from storage.errors import BadInput, Unreachable
from storage.files.small_files import read_ordinary

API = "PREFECT_API_URL"
FILES = 256  # open files that a job gets at least; Prefect, Dask and the shards of one take about a hundred
_WANTED_FILES = 4096  # asked for, where the hard limit allows it
FILE_SIZE = 4 << 20  # bytes that a job may write to a file at least; the log of Prefect's database takes that many
_ANSWER = 5.0  # seconds that a named server has to take a connection, and to answer before a line tells of it
_BUSY = 60.0  # seconds that it has to answer after that: a machine full of work delays its server too
_EVERY = 0.25  # seconds between two tries
_PROCESSES = Path("/proc/self/stat")
_REMEDY = "start it, or correct or unset the variable"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_PROXIES = ("http", "https", "all")  # the variables http_proxy, https_proxy and all_proxy, in either case
_PORTS = {"http": 80, "https": 443}
_SOCKS = ("socks5", "socks5h")  # kinds of proxies that Prefect's client takes with the package socksio


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
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - for the life of the process
    if 1 in closed or sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - for the life of the process
        raise BadInput("standard output: is closed; send it to a file or to /dev/null")


def require_processes() -> None:
    """Refuse Linux without its /proc, as in a bare chroot.

    Raises
    ------
    BadInput
    """
    if sys.platform == "linux" and not _PROCESSES.exists():
        raise BadInput(
            "/proc: must be mounted, since Dask looks its processes up there; mount it: mount -t proc proc /proc"
        )


def require_files() -> None:
    """Raise the limit of open files as far as this process may; refuse to work with too few or too small files.

    Raises
    ------
    BadInput
    """
    size = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    if size != resource.RLIM_INFINITY and size < FILE_SIZE:
        raise BadInput(
            f"size of files: this process may write {size} bytes to a file, a job needs {FILE_SIZE}; raise the limit: "
            "ulimit -f unlimited"
        )
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


def exempt_loopback() -> None:
    """Exempt this machine from the proxies in the environment."""
    for name in ("no_proxy", "NO_PROXY"):
        given = [part.strip() for part in os.environ.get(name, "").split(",") if part.strip()]
        if "*" not in given:
            os.environ[name] = ",".join([*given, *(host for host in _LOOPBACK if host not in given)])


def require_proxies() -> None:
    """Refuse proxies in the environment that Prefect's client cannot use; it reads them even to reach this machine.

    `all_proxy` is dropped if it names a SOCKS proxy that nothing here needs: no other part of the project reads it.

    Raises
    ------
    BadInput
    """
    from urllib.request import getproxies  # takes long to import, as HTTP does

    if "*" in getproxies().get("no", "").replace(" ", "").split(","):
        return
    for scheme in _PROXIES:
        url = getproxies().get(scheme, "")
        names = [name for name in os.environ if name.lower() == f"{scheme}_proxy" and os.environ[name] == url]
        parts = _proxy(url) if url else None
        if not url or (parts and (parts.scheme not in _SOCKS or find_spec("socksio"))):
            continue
        if parts and scheme == "all" and _is_local(named_server()):
            for name in names:
                del os.environ[name]
            continue
        rule = "SOCKS proxies need the package socksio" if parts else "must be a URL such as http://127.0.0.1:3128"
        raise BadInput(f"{', '.join(names)}: {rule}; it is {masked(url)!r}; correct or unset it")


def require_certificates() -> None:
    """Refuse a file or folder of certificates that is not there: Prefect's client reads it even without HTTPS.

    Raises
    ------
    BadInput
    """
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "PREFECT_API_SSL_CERT_FILE"):
        given = os.environ.get(name)
        if given and not any(Path(part).exists() for part in given.split(os.pathsep)):
            raise BadInput(f"{name}: must name certificates; there is no {given!r}; correct or unset it")


def _proxy(url: str) -> SplitResult | None:
    """Return the parts of a proxy's URL; None if there is no such proxy."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        fits = parts.scheme in {"http", "https", *_SOCKS} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if fits else None


def _is_local(server: Server | None) -> bool:
    """Return whether Prefect's server runs on this machine; without a named server it does."""
    return server is None or _parts(server).hostname in _LOOPBACK


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
    if profiles and os.path.realpath(profiles) == os.devnull:  # a usual way to have none
        return {}
    try:
        content = tomllib.loads(read_ordinary(profiles).decode()) if profiles else {}
    except (IsADirectoryError, ValueError, RecursionError) as error:
        raise BadInput(f"{profiles}: is no file of Prefect's profiles ({error}); mend or remove it") from error
    except OSError:
        return {}
    active = os.environ.get("PREFECT_PROFILE") or content.get("active")
    known = content.get("profiles", {})
    if not isinstance(known, dict) or not all(isinstance(profile, dict) for profile in known.values()):
        raise BadInput(f"{profiles}: is no file of Prefect's profiles (its profiles are no tables); mend or remove it")
    settings = known.get(active, {}) if isinstance(active, str) else {}
    return {name: str(value) for name, value in settings.items() if value != ""}


def require_reachable(server: Server) -> None:
    """Refuse a server that takes no connection within some seconds, stays silent for a minute, or is not Prefect's.

    Behind a proxy only Prefect can tell, so the proxy has to take a connection; over HTTPS only Prefect knows the
    certificates.

    Raises
    ------
    Unreachable, Unanswered
    """
    from urllib.request import getproxies, proxy_bypass

    parts = _parts(server)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    proxies = getproxies()
    scheme = next((name for name in (parts.scheme, "all") if proxies.get(name)), None)
    if scheme and not proxy_bypass(host):
        proxy = _proxy(proxies[scheme])
        if proxy:
            reason = f"{scheme}_proxy: no proxy answers at {_shown(proxy)}, on the way to {_shown(parts)}"
            remedy = f"start it, correct or unset the variable, or exempt the server: no_proxy={host}"
            _connect(proxy.hostname or "", proxy.port or _PORTS.get(proxy.scheme, 1080), reason, remedy)
        return
    _connect(host, port, _nobody(server), _REMEDY)
    if parts.scheme == "http" and not os.environ.get("PREFECT_CLIENT_CUSTOM_HEADERS"):
        named = unquote(parts.netloc.rpartition("@")[0]) or None
        if not isinstance(_version(server, named), str):
            raise Unreachable(f"{_nobody(server)}, but something else; {_REMEDY}")


def _version(server: Server, password: str | None) -> object:
    """Ask a server that takes connections for its version: briefly, then with patience."""
    from urllib.error import HTTPError

    from flows.service.prefect_api import Api, Unanswered

    url = _shown(_parts(server))
    for patience in (_ANSWER, _BUSY):
        try:
            return Api(url, patience, password).get("admin/version")
        except Unanswered as error:
            why = error.__cause__
            if isinstance(why, HTTPError) and why.code == 401:
                raise
            if not _is_late(why):
                said = " ".join(str(why).split())
                raise Unreachable(f"{_nobody(server)}, but something else ({said}); {_REMEDY}") from error
        if patience == _ANSWER:
            tell(f"{server.source}: waiting for {url}, up to {_BUSY:.0f} s: it takes connections and does not answer")
    raise Unreachable(
        f"{server.source}: {url} takes connections and does not answer within {_BUSY:.0f} s: "
        "it is busy, or no Prefect server; try again later, or correct or unset the variable"
    )


def _is_late(why: BaseException | None) -> bool:
    """Return whether a request failed for want of time; urllib wraps some of these errors."""
    return isinstance(why, TimeoutError) or isinstance(getattr(why, "reason", None), TimeoutError)


def _connect(host: str, port: int, reason: str, remedy: str) -> None:
    """Connect once, within some seconds; else raise Unreachable."""
    deadline = time.monotonic() + _ANSWER
    while True:
        try:
            with socket.create_connection((host, port), timeout=_ANSWER):
                return
        except (OSError, UnicodeError) as error:
            if time.monotonic() > deadline:
                raise Unreachable(f"{reason} ({error}); {remedy}") from error
        time.sleep(_EVERY)


def _nobody(server: Server) -> str:
    return f"{server.source}: no Prefect server answers at {_shown(_parts(server))}"


def _parts(server: Server) -> SplitResult:
    try:
        parts = urlsplit(server.url)
        fits = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if not fits:
        raise BadInput(
            f"{server.source}: must be a URL such as http://127.0.0.1:4200/api; it is {masked(server.url)!r}; "
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

"""Prefect's embedded server, started while this process still imports Prefect.

By default Prefect starts a server for a run without a server only when the flow is called, after importing the server's
code in this process too: together two thirds of the time to the first shard.
"""

import atexit
import os
import resource
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flows.environment import named_server
from flows.home import served
from flows.service import passwords, processes, run_database
from flows.service.prefect_api import Api
from flows.service.prefect_guard import hosts_from, server_command
from flows.service.prefect_settings import DATABASES, STARTING, is_prefects, passed, suspects
from flows.service.starting import import_rest, without_collector
from storage.errors import BadInput, CaptchasError, explained
from storage.files.private import private_mode

LOG = "embedded-server.log"  # under PREFECT_HOME
_MOST_SAID = 300  # characters of an error of Prefect's that are shown
_EVERY = 0.02  # seconds between two looks
_CLOSING = 2.5  # seconds that the server gets to end, fewer than Ctrl-C leaves
_ROOM = 4 << 20  # bytes free below which a failing server is put down to the disk; SQLite's log takes that many
_LAST = 0.5  # seconds that it gets when these are over
# The environment that Prefect gives to the server that it starts itself.
_AS_EMBEDDED = {"PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"}


class ServerLost(CaptchasError, RuntimeError):
    """Prefect's server ended while it started, or took too long."""


class _Server:
    """A server of this process, on a free port."""

    def __init__(self, seconds: float):
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}/api"

    def start(self) -> subprocess.Popen[bytes]:
        """Start the server, unless it runs, and have it end with this process."""
        if self._process is None:
            log = _log()
            self._process = subprocess.Popen(
                server_command(self._port, "--log-level", "error", "--timeout-graceful-shutdown", "2"),
                env=os.environ | _AS_EMBEDDED,
                # This process's standard output is for the report, and its messages for people hold no tracebacks.
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,  # a terminal's signals are for this process, which then ends the server
                preexec_fn=processes.end_with(os.getpid()),
            )
            os.close(log)
            atexit.register(self.stop)
        return self._process

    def wait(self) -> None:
        """Return once the server answers.

        Raises
        ------
        ServerLost
        """
        process, deadline = self.start(), time.monotonic() + self._seconds
        with without_collector():
            import_rest()
        api = Api(self.url)
        while not api.healthy():
            code = process.poll()
            if code is not None or time.monotonic() > deadline:
                how = "takes too long to start" if code is None else f"ended while it started, with exit code {code}"
                raise ServerLost(f"Prefect's server {how}; {_remedy()}")
            time.sleep(_EVERY)

    def stop(self, patience: float = _CLOSING) -> None:
        """End the server, if it runs; kill it after `patience` seconds."""
        if self._process and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(patience)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


class _Served:
    """The server of the `captchas up` on this home."""

    def __init__(self, record: dict[str, Any], seconds: float):
        self._record, self._seconds = record, seconds

    def wait(self) -> None:
        """Return once the server answers; it may be starting again.

        Raises
        ------
        ServerLost
        """
        if not Api(self._record["api"]).wait(self._seconds):
            raise ServerLost(
                f"the server of `captchas up` (process {self._record['pid']}) does not answer; see the logs in "
                f"{self._record['logs']}, or end it and give the same command again"
            )


_begun: _Server | _Served | None = None


def begin(own: bool) -> None:
    """Start the server, name it in `PREFECT_API_URL`, and have it end with this process.

    If `captchas up` runs on this home, `wait` waits for its server instead. If there is no database yet, and no
    template of it, or if the operator has named another database, `wait` starts the server: a mistake in the parameters
    ends the server early, which could leave half a database.

    Nothing is started, and Prefect does as by default, if the user has named a server or a PREFECT_HOME (`own` is
    False), or wants no embedded server. A server that Prefect starts asks for a password too.

    Raises
    ------
    BadInput
        A variable of the environment contradicts another, or cannot be understood.
    """
    global _begun
    allowed = os.environ["PREFECT_SERVER_ALLOW_EPHEMERAL_MODE"].lower() in {"1", "true", "t", "yes", "y", "on"}
    seconds = float(os.environ[STARTING])
    there = served()
    if there and there["api"] == os.environ.get("PREFECT_API_URL"):
        _begun = _Served(there, seconds)
    elif named_server() is None:
        passwords.agree()
    if not (own and allowed):
        return
    hosts_from(os.environ)
    _begun = server = _Server(seconds)
    os.environ["PREFECT_API_URL"] = server.url
    if run_database.prepare(_folder()):
        server.start()


def _folder() -> Path:
    return Path(os.environ["PREFECT_HOME"])


def _log() -> int:
    """Open the server's log, which begins anew with each server, and return its descriptor.

    A file that cannot be written, such as another user's in a home of a group, and a link or pipe are replaced.
    """
    file = _folder() / LOG
    how = os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        return os.open(file, how, private_mode(file.parent))
    except OSError as error:
        try:
            file.unlink(missing_ok=True)
            return os.open(file, how, private_mode(file.parent))
        except OSError:
            raise explained(error, file) from error


def is_ours() -> bool:
    """Whether `begin` started a server."""
    return isinstance(_begun, _Server)


def end() -> None:
    """End the server that `begin` started, for a process that ends without Python's own cleaning up."""
    if isinstance(_begun, _Server):
        _begun.stop(_LAST)


def wait() -> None:
    """Return once the server that `begin` found or started answers.

    Raises
    ------
    ServerLost
    """
    if _begun:
        _begun.wait()


@contextmanager
def failures_explained() -> Iterator[None]:
    """Name the server that a flow's run within could not talk to, in place of a traceback of Prefect's client.

    Other errors of Prefect's name the variables that it may have failed for, if the operator has set any.

    Raises
    ------
    ServerLost, BadInput
    """
    try:
        yield
    except Exception as error:
        from_client = any(kind.__module__.partition(".")[0] == "httpx" for kind in type(error).__mro__)
        # Prefect's client reads answers with pydantic, whose errors it lets through.
        misread = isinstance(error, ValueError | TypeError | KeyError) and passed(error, "prefect/client/")
        if isinstance(error, CaptchasError) or not (
            from_client or misread or str(error).startswith("Failed to reach API")
        ):
            if not isinstance(error, CaptchasError) and is_prefects(error) and (named := suspects()):
                said = " ".join(str(error).split())[:_MOST_SAID]
                raise BadInput(f"Prefect failed ({type(error).__name__}: {said}); {_blame(named)}") from error
            raise
        said = str(error).partition("\n")[0].partition(" - For more")[0] or type(error).__name__
        what = f"gives an answer that Prefect does not know ({said})" if misread else f"failed ({said})"
        raise ServerLost(f"{os.environ.get('PREFECT_API_URL')}: Prefect's server {what}; {_remedy()}") from error


def _blame(named: list[str]) -> str:
    return f"it may be for a variable of Prefect's: correct or unset {', '.join(named)}"


def _remedy() -> str:
    """Return what to do about a server that failed: free the disk if it is full, else look into the log."""
    if not is_ours():
        return "see its log, then give the same command again; or correct or unset PREFECT_API_URL"
    folder = Path(os.environ["PREFECT_HOME"])
    database = next((name for name in DATABASES if os.environ.get(name)), None)
    if database:
        return f"the database that {database} names must answer; correct or unset it; see {folder / LOG}"
    free = shutil.disk_usage(folder).free
    if free < _ROOM:
        return f"{free} bytes are free in {folder}, which holds its database; free some space"
    size = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    if size != resource.RLIM_INFINITY:
        return f"it may write {size} bytes to a file; raise the limit: ulimit -f unlimited"
    named = suspects()
    return (
        f"see {folder / LOG}; give the same command again, or start one (`prefect server start`) and name it in "
        f"PREFECT_API_URL{f'; or {_blame(named)}' if named else ''}"
    )

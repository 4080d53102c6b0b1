"""Prefect's embedded server, started while this process still imports Prefect.

By default Prefect starts a server for a run without one only when the flow is called, after importing the server's
code in this process too: together two thirds of the time to the first shard.
"""

import atexit
import os
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from flows.home import served
from flows.service import processes
from flows.service.prefect_api import Api
from storage.errors import CaptchasError
from storage.files.private import create_private

DATABASE = "prefect.db"  # under PREFECT_HOME
LOG = "embedded-server.log"  # beside it
_EVERY = 0.05  # seconds between two looks
_CLOSING = 3.0  # seconds that the server gets to end, fewer than Ctrl-C leaves
# The environment that Prefect gives to the server that it starts itself.
_AS_EMBEDDED = {"PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"}


class ServerLost(CaptchasError, RuntimeError):
    """Prefect's server ended while it started, or took too long."""


class _Server:
    """A server that this process started."""

    def __init__(self, process: subprocess.Popen, port: int, seconds: float):
        self._process, self._port, self._deadline = process, port, time.monotonic() + seconds

    def wait(self) -> None:
        """Return once the server answers.

        Raises
        ------
        ServerLost
        """
        while not self._healthy():
            code = self._process.poll()
            if code is not None or time.monotonic() > self._deadline:
                how = "takes too long to start" if code is None else f"ended while it started, with exit code {code}"
                raise ServerLost(
                    f"Prefect's server {how}; see {Path(os.environ['PREFECT_HOME'], LOG)}; give the same "
                    "command again, or start one (`prefect server start`) and name it in PREFECT_API_URL"
                )
            time.sleep(_EVERY)

    def _healthy(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=5)
        try:
            connection.request("GET", "/api/health")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def stop(self) -> None:
        """End the server."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_CLOSING)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


class _Served:
    """The server of the `captchas up` on this home."""

    def __init__(self, record: dict, seconds: float):
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

    If `captchas up` runs on this home, `wait` waits for its server instead.

    Nothing is started, and Prefect does as by default, if the user has named a server or a PREFECT_HOME (`own` is
    False), if the user wants no embedded server, or if there is no database yet: a mistake in the parameters ends the
    server early, which could leave half a database.
    """
    global _begun
    allowed = os.environ["PREFECT_SERVER_ALLOW_EPHEMERAL_MODE"].lower() in {"1", "true", "t", "yes", "y", "on"}
    seconds = float(os.environ["PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"])
    there = served()
    if there and there["api"] == os.environ.get("PREFECT_API_URL"):
        _begun = _Served(there, seconds)
    if not (own and allowed):
        return
    database = Path(os.environ["PREFECT_HOME"], DATABASE)
    create_private(database)  # Prefect would let every user read it
    if not database.is_file() or not database.stat().st_size:
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = _log()
    process = subprocess.Popen(
        [
            sys.executable, "-m", "uvicorn", "--factory", "prefect.server.api.server:create_app", "--host", "127.0.0.1",
            "--port", str(port), "--log-level", "error", "--lifespan", "on", "--timeout-graceful-shutdown", "2",
        ],
        env=os.environ | _AS_EMBEDDED,
        # This process's standard output is for the report, and its messages for people hold no tracebacks.
        stdout=subprocess.DEVNULL,
        stderr=log,
        start_new_session=True,  # a terminal's signals are for this process, which still tells the server how it ended
        preexec_fn=processes.end_with(os.getpid()),
    )  # fmt: skip
    os.close(log)
    _begun = _Server(process, port, seconds)
    atexit.register(_begun.stop)
    os.environ["PREFECT_API_URL"] = f"http://127.0.0.1:{port}/api"


def _log() -> int:
    """Open the server's log, which begins anew with each server, and return its descriptor."""
    return os.open(Path(os.environ["PREFECT_HOME"], LOG), os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_APPEND, 0o600)


def is_ours() -> bool:
    """Whether `begin` started a server."""
    return isinstance(_begun, _Server)


def end() -> None:
    """End the server that `begin` started, for a process that ends without Python's own cleaning up."""
    if isinstance(_begun, _Server):
        _begun.stop()


def wait() -> None:
    """Return once the server that `begin` found or started answers.

    Raises
    ------
    ServerLost
    """
    if _begun:
        _begun.wait()

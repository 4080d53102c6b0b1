"""`captchas up`: start and watch all that a machine needs to run the deployments."""

import json
import os
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import flows
from flows.home import UP_RECORD, home, served
from flows.parameters import File, Port
from flows.requests import Refused, command
from flows.service import deployments, passwords, processes, run_database, ui_entry
from flows.service.prefect_api import Api, Unanswered
from flows.service.prefect_guard import hosts_from, server_command
from flows.service.prefect_settings import require_valid
from flows.service.processes import Child
from flows.service.starting import start_compiler
from flows.shell.quiet import tell
from flows.shell.surroundings import SAFE_PATH
from storage.errors import BadInput, Busy
from storage.files import atomic
from storage.files.locks import locked
from storage.texts import plain_lines

FILE = "prefect.yaml"
PACKAGED = Path("deployment", FILE)  # under flows/; runs start in its folder, where no module shadows another
INBOX = "inbox"  # under the home
SCRATCH = "tmp"  # under Prefect's folder: temporary files that killed processes leave; emptied at each start
STARTING = 180.0  # seconds that the server and the worker get each, twelve times what they need on a free machine
DEPLOYING = 180.0
_EVERY = 0.25  # seconds between two looks at the children
# Seconds that each gets to end: the runs, which close their Dask workers, then the worker, then the server.
RUNS, WORKER, SERVER = 7.0, 3.0, 3.0


class Stopped(Exception):
    """A signal, before all was started."""


class Stop(threading.Event):
    """An event that is set when the user asks to stop, with the signal that asked."""

    signal: int | None = None

    def by(self, number: int, _frame: FrameType | None) -> None:
        """Handle a signal; only the first signal counts."""
        self.signal = self.signal or number
        self.set()


@dataclass(frozen=True, kw_only=True)
class UpRequest:
    """The port, and what to do.

    Parameters
    ----------
    port
        Port of the server and its UI, on 127.0.0.1; 0 for a free port.
    check
        Only report which parts run: exit code 0 if all run, else 1.
    deploy
        Only make the work pool and the deployments, on the server that PREFECT_API_URL names.
    deployments
        The file of the deployments; by default the prefect.yaml of the project, else of this folder.
    """

    port: Port = 4200
    check: bool = False
    deploy: bool = False
    deployments: File | None = None


def check(request: UpRequest) -> Path | None:
    """Find the file of the deployments (None for --check), or name the wrong parameter."""
    if request.check and request.deploy:
        raise BadInput("check, deploy: must not be given together; give --check to look, or --deploy to deploy")
    return None if request.check else _chosen(request.deployments, request.deploy)


def _chosen(given: Path | None, deploy: bool) -> Path:
    """Find the file of the deployments, and prove that nothing prevents starting or only deploying them."""
    named, there = os.environ.get("PREFECT_API_URL"), served()
    if deploy and not named:
        raise BadInput("deploy: name the server in PREFECT_API_URL, for instance http://127.0.0.1:4200/api")
    if there and not deploy:
        raise Busy(_already(there))
    if named and not deploy:
        raise BadInput(
            f"PREFECT_API_URL: names a Prefect server already, {named}; unset it, or use that server: --deploy, "
            f"then `prefect worker start --pool {deployments.POOL}`"
        )
    chosen = given or next(_files(), Path(FILE))
    if not chosen.is_file():
        raise BadInput(f"deployments: {chosen} is not there; name a file such as the project's {FILE}")
    return chosen.absolute()


@command(UpRequest, check)
def up(request: UpRequest, file: Path | None) -> dict[str, Any]:
    """Start what one machine needs to run the deployments: Prefect's server, work pool, deployments and worker.

    Runs until Ctrl-C, SIGTERM or the end of its terminal or parent, and ends all of it then: flows are told to stop,
    and their next runs go on from there. Other commands on this home use its server.
    """
    if file is None:  # --check
        return deployments.report_status(*_there())
    if request.deploy:
        api = Api(os.environ["PREFECT_API_URL"])
        with _stopping() as stop:
            try:
                deployments.make_pool(api)
                _deploy(api, file, _environment(api.url.removesuffix("/api")), home() / "prefect" / "logs", stop)
            except Stopped:
                raise KeyboardInterrupt from None
        return {"server": api.url, "deployments": sorted(deployments.names_in(file))}
    began = time.monotonic()
    with _alone(), _stopping() as stop:
        processes.end(processes.orphans(os.environ["PREFECT_HOME"]), patience=10)
        atomic.make_folder(home() / INBOX)
        _run(file, _free(request.port), stop)
    if stop.signal == signal.SIGINT:
        raise KeyboardInterrupt
    ended_by = signal.Signals(stop.signal or signal.SIGTERM).name
    return {"ended_by": ended_by, "seconds": round(time.monotonic() - began, 1)}


def _run(file: Path, port: int, stop: Stop) -> None:
    """Start server and worker, watch them until `stop`, and end them."""
    hosts_from(os.environ)
    password_at = passwords.agree_kept(home() / "prefect")
    url = f"http://127.0.0.1:{port}"
    logs, scratch = (Path(os.environ["PREFECT_HOME"]) / name for name in ("logs", SCRATCH))
    shutil.rmtree(scratch, ignore_errors=True)  # left by a killed `up`
    environment = _environment(url) | {"TMPDIR": str(atomic.make_folder(scratch).resolve())}
    serving = server_command(port, "--log-level", "warning", "--timeout-graceful-shutdown", "2")
    server = Child("server", serving, environment, logs / "server.log", file.parent)
    api = Api(f"{url}/api")
    worker = Child("worker", _worker_command(), environment, logs / "worker.log", file.parent, lambda: _settled(api))
    record = {
        "pid": os.getpid(), "started": processes.started(os.getpid()), "api": api.url, "ui": url,
        "deployments": str(file), "logs": str(logs), "password": os.environ[passwords.SERVER],
    }  # fmt: skip
    place = home() / "prefect" / UP_RECORD
    try:
        _tell(f"starting Prefect's server on {url}")
        run_database.prepare(Path(os.environ["PREFECT_HOME"]))
        server.start()
        _until(api.healthy, STARTING, server, stop)
        passwords.write_private(place, json.dumps(record, indent=1).encode())
        entry = ui_entry.write_entry(place.parent, url, os.environ[passwords.SERVER])
        deployments.make_pool(api)
        deployments.settle(api)
        compiled = start_compiler(environment, logs, _tell)
        if deployments.changed(api, file):
            _deploy(api, file, environment, logs, stop)
        _until(compiled, 10 * STARTING, None, stop)
        before = deployments.newest_worker(api)
        worker.start()
        _until(lambda: deployments.newest_worker(api) != before, STARTING, worker, stop)
        _tell(
            f"up: the UI is at {url} and asks for the password, which is in {password_at}; {entry} opens it without; "
            f"pictures go into {home() / INBOX}; Ctrl-C ends it"
        )
        while not stop.wait(_EVERY):
            for child in (server, worker):
                if said := child.look():
                    _tell(said)
    except Stopped:
        pass
    except deployments.NotUp:
        require_valid()  # else people find a wrong variable in the log only
        raise
    finally:
        _end(server, worker)
        place.unlink(missing_ok=True)
        place.with_name(ui_entry.FILE).unlink(missing_ok=True)
        shutil.rmtree(scratch, ignore_errors=True)


def _settled(api: Api) -> bool:
    """Return whether the server answers, so that a worker may start; if so, close the runs that the last worker left.

    A worker ends with its server, and the runs that it was about to start would stay open for ever.
    """
    try:
        deployments.settle(api, processes.runs_alive(os.getpid()))
    except Unanswered:
        return False
    return True


def _deploy(api: Api, file: Path, environment: dict[str, str], logs: Path, stop: Stop) -> None:
    """Make the deployments."""
    deploying = Child("deployment", _deploy_command(file), environment, logs / "deploy.log", file.parent)
    deploying.start()
    try:
        _until(lambda: not deploying.running, DEPLOYING, None, stop)
    finally:
        deploying.end(1)
    deployments.require_deployed(api, file, deploying)


def _end(server: Child, worker: Child) -> None:
    """End the runs while the server can still record it, then the worker, remaining children, and the server."""
    processes.end(processes.runs_of(os.getpid()), RUNS)
    worker.end(WORKER)
    processes.end((pid for pid in processes.all_of(os.getpid()) if pid != server.pid), 0.5)
    server.end(SERVER)


def _until(reached: Callable[[], bool], seconds: float, child: Child | None, stop: Stop) -> None:
    """Return once `reached()` is true; raise `NotUp` if that takes too long, or if the child dies."""
    deadline = time.monotonic() + seconds
    while not reached():
        if stop.wait(_EVERY):
            raise Stopped
        if child and not child.running:
            raise deployments.NotUp(
                f"the {child.name} ended while it started; see {child.log}, which ends: {child.last_words()}"
            )
        if time.monotonic() > deadline:
            raise deployments.NotUp(
                f"not ready after {seconds:.0f} s; see the logs in {os.environ['PREFECT_HOME']}/logs"
            )


def _environment(url: str) -> dict[str, str]:
    """Return the environment of all children, and of the runs that the worker starts."""
    return {name: value for name, value in os.environ.items() if name != SAFE_PATH} | {
        "CAPTCHAS_HOME": str(home().resolve()),
        "PREFECT_API_URL": f"{url}/api",
        "PREFECT_UI_API_URL": f"{url}/api",
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "INFO",
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",  # a run waits for this server and starts none itself
        "PREFECT_WORKER_QUERY_SECONDS": os.environ.get("PREFECT_WORKER_QUERY_SECONDS", "5"),
        "PREFECT__SERVER_FINAL": "1",
    }


def _worker_command() -> list[str]:
    named = ["--pool", deployments.POOL, "--name", f"up-{socket.gethostname()}"]
    return [sys.executable, "-m", "prefect", "worker", "start", *named]


def _deploy_command(file: Path) -> list[str]:
    return [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", str(file)]


def _there() -> tuple[str | None, Path | None, str | None]:
    """Find the server to look at, the file of its deployments, and its password if that is not in the environment.

    If `captchas up` runs on this home, all are its own. Else the server is that of PREFECT_API_URL.
    """
    record = served()
    if record:
        return record["api"], Path(record["deployments"]), record["password"]
    return os.environ.get("PREFECT_API_URL"), next(_files(), None), None


def _files() -> Iterator[Path]:
    """Yield the files of deployments that are there: of the clone, of this folder, and of the installation."""
    package = Path(flows.__file__).parent
    yield from (path for path in (package.parent / FILE, Path(FILE), package / PACKAGED) if path.is_file())


def _free(port: int) -> int:
    """Return the port, a free port for 0; refuse a port that cannot be used."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise BadInput(f"port: {port} cannot be used ({error.strerror}); give another, or 0 for any") from error
        return int(probe.getsockname()[1])


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the lock of `captchas up` on this home."""
    with ExitStack() as held:
        try:
            held.enter_context(locked(home() / "prefect" / "up"))
        except Busy:
            raise Refused(_already(served())) from None
        yield


def _already(record: dict[str, Any] | None) -> str:
    which = f"process {record['pid']}, its UI at {record['ui']}" if record else "which is starting"
    return f"{home()}: `captchas up` runs on this home already ({which}); end that `up` first, or use it"


@contextmanager
def _stopping() -> Iterator[Stop]:
    """Have the signals that end a command set an event, instead of what they do otherwise."""
    stop = Stop()
    before = {number: signal.signal(number, stop.by) for number in processes.enders()}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell(message: str) -> None:
    """Write a line for people to standard error; standard output is for the report."""
    with suppress(OSError):  # the terminal may be closed
        tell(plain_lines(message))

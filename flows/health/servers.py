"""Checks of the home folder, and of what commands talk to: Prefect's server, Dask, an object store."""

import errno
import json
import os
import socket
import sqlite3
import stat
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from flows.health.check_results import CheckResult, fine, pip, warning, wrong
from flows.health.machine import existing
from storage.files.locks import temporary_folder

ANSWER = 5.0  # seconds that a server gets to take a connection
STARTING = 240.0  # seconds for a first run with all that it starts
IMPORTING = 100.0  # seconds to import Prefect on a busy machine
_JUDGING = """
from flows.service.prefect_settings import ignore_folder, require_valid
from storage.errors import BadInput
ignore_folder()
try:
    require_valid()
except BadInput as error:
    print(error)
"""
STORES = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
_REMOTE = ("nfs", "cifs", "smb", "fuse.sshfs", "9p")  # file systems of other machines
MOUNTS = Path("/proc/mounts")
_OTHERS_WRITE, _OTHERS_READ = 0o002, 0o004


def check_home() -> CheckResult:
    """Look at the home folder's rights, and write into it; a home that is not there yet must be possible."""
    from flows.home import home

    folder = home()
    if not os.path.lexists(folder):
        above = existing(folder)
        if not os.access(above, os.W_OK | os.X_OK):
            return wrong("home", f"{folder} is not there, and {above} may not be written to", _another(above))
        return fine("home", f"{folder} is not there yet; the first command that needs it makes it")
    if not folder.is_dir():
        return wrong("home", f"{folder} is no folder", "captchas COMMAND --home ANOTHER, or move the file away")
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(4096))
            file.flush()
        next(folder.iterdir(), None)
    except OSError as error:
        return wrong("home", f"{folder} cannot be used ({error.strerror})", _another(folder, error.errno))
    if shut := [path for path in _inner_folders(folder) if not os.access(path, os.R_OK | os.W_OK | os.X_OK)]:
        named = " and ".join(path.name for path in shut)
        return wrong("home", f"in {folder} you may not read and write {named}", _another(shut[0]))
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & _OTHERS_WRITE:
        return wrong("home", f"{folder} may be changed by every user (mode {mode:04o})", f"chmod o-rwx {folder}")
    if mode & _OTHERS_READ:
        return warning("home", f"{folder} may be read by every user (mode {mode:04o})", f"chmod o-rwx {folder}")
    if folder.stat().st_uid != os.geteuid() != 0:
        return warning("home", f"{folder} belongs to another user", f"chown -R {os.geteuid()} {folder}, or use --home")
    kind = _file_system(folder.resolve())
    if kind.startswith(_REMOTE):
        return warning("home", f"{folder} is on {kind}, whose locks may fail", "use a home on a disk of this machine")
    return fine("home", f"{folder.resolve()}, mode {mode:04o}")


def check_database() -> CheckResult:
    """Open Prefect's database of runs in the home, if it is there, and read its tables."""
    from flows.home import home
    from flows.service.run_database import DATABASE

    file = home() / "prefect" / DATABASE
    if not file.exists():
        return fine("database", "no runs yet; the first run makes it")
    try:
        # With mode=ro alone SQLite would leave two files beside a database that nobody uses.
        mode = "mode=ro" if file.with_name(f"{file.name}-wal").exists() else "mode=ro&immutable=1"
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?{mode}", uri=True, timeout=ANSWER)) as database:
            database.execute("PRAGMA schema_version").fetchone()
            tables = database.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table'").fetchone()[0]
    except sqlite3.Error as error:
        return wrong("database", f"{file} cannot be read ({error})", f"mv {file} {file}.broken (datasets stay)")
    return fine("database", f"{file.resolve()}, {tables} tables")


def check_settings() -> CheckResult:
    """Try the variables of the environment as a command does."""
    from flows.environment import require_certificates, require_proxies
    from flows.service.prefect_settings import require_settings
    from tasks.audit.generators.processes.limits import limits_of
    from tasks.compiled import require_compiling

    limits_of()
    require_settings()
    require_proxies()
    require_certificates()
    require_compiling()
    # In a process of its own: importing Prefect takes a while, and would make the home that PREFECT_HOME names.
    with temporary_folder() as folder:
        done = subprocess.run(
            [sys.executable, "-P", "-c", _JUDGING], capture_output=True, text=True, errors="replace", check=False,
            timeout=IMPORTING,
            env=os.environ | {"PREFECT_HOME": str(folder), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )  # fmt: skip
    if refused := done.stdout.strip():
        said, _, remedy = refused.rpartition("; ")
        return wrong("settings", said, remedy)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no word of why"])[-1]
        return wrong("settings", f"Prefect cannot read its settings ({said})", "see packages and imports")
    return fine("settings", "no variable is wrong")


def check_prefect() -> CheckResult:
    """Ask the Prefect server that commands on this home use; without one, each command starts its own."""
    from flows.environment import named_server, require_reachable
    from flows.home import served

    if there := served():
        return fine("prefect", f"`captchas up` runs on this home: {there['api']}")
    server = named_server()
    if server is None:
        return fine("prefect", "each command starts its own server; captchas doctor --start tries it")
    require_reachable(server)
    return fine("prefect", f"the server that {server.source} names answers")


def check_cluster(address: str | None) -> CheckResult:
    """Connect to the Dask scheduler that is named; without one, commands start local workers."""
    if address is None:
        return fine("dask", "commands start their own workers; captchas doctor --start tries it")
    parts = urlsplit(address if "://" in address else f"tcp://{address}")
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 8786), timeout=ANSWER):
            return fine("dask", f"something takes connections at {address}; --start lets it work")
    except (OSError, UnicodeError) as error:
        return wrong("dask", f"no scheduler answers at {address} ({error})", "start it: dask scheduler, or correct it")


def check_store() -> CheckResult:
    """Connect to the object store that the environment names."""
    name = next((name for name in STORES if os.environ.get(name)), None)
    if name is None:
        keys = "credentials for Amazon's are" if os.environ.get("AWS_ACCESS_KEY_ID") else "none is"
        return fine("object store", f"{keys} named")
    from importlib.util import find_spec

    if find_spec("s3fs") is None:
        return warning("object store", f"{name} is set, but the extra s3 is missing", f"{pip()} s3fs")
    parts = urlsplit(os.environ[name])
    shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        with socket.create_connection((parts.hostname or "", port), timeout=ANSWER):
            return fine("object store", f"{shown} takes connections")
    except (OSError, UnicodeError, ValueError) as error:
        return wrong(
            "object store", f"{name}: nothing answers at {shown} ({error})", f"start it, or correct or unset {name}"
        )


def check_start(cluster: str | None) -> CheckResult:
    """Draw a few pictures with all that a command starts: Prefect's server and Dask's workers."""
    from flows.home import home

    with temporary_folder() as folder:
        command = [
            sys.executable,
            "-P",
            "-m",
            "flows",
            "generate",
            "letters",
            "--count",
            "64",
            "--json",
            "--home",
            str(home()),
        ]
        command += ["--out", f"{folder}/letters", *(["--cluster", cluster] if cluster else ["--workers", "1"])]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=STARTING,
            check=False,
            env=environment,
        )
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["no word of why"]
        return wrong("start", f"a run failed: {said[-1].removeprefix('captchas: ')}", "see the message")
    seconds = json.loads(done.stdout).get("seconds")
    return fine("start", f"a run drew 64 pictures in {seconds:g} s" if seconds else "a run drew 64 pictures")


def _inner_folders(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if path.is_dir()]


def _another(folder: Path, number: int | None = None) -> str:
    """Return how to mend a folder that cannot be used, by the number of the error; or what to use instead."""
    another = "give another home: --home, or CAPTCHAS_HOME"
    if number in (errno.ENOSPC, errno.EDQUOT):
        return f"free some space or some files there (df -h, df -i), or {another}"
    if number == errno.EROFS:
        return f"{another}; or mount that disk for writing"
    owner = folder.stat().st_uid if folder.exists() else os.geteuid()
    if os.geteuid() not in (owner, 0):
        return f"chown -R {os.geteuid()} {folder}, or {another}"
    return f"chmod u+rwx {folder}, or {another}"


def _file_system(folder: Path) -> str:
    """Return the kind of file system that a folder is on; empty if the system does not tell."""
    try:
        lines = [line.split() for line in MOUNTS.read_text("utf-8", "replace").splitlines()]
    except OSError:
        return ""
    within = [(len(words[1]), words[2]) for words in lines if len(words) > 2 and folder.is_relative_to(words[1])]
    return max(within, default=(0, ""))[1]

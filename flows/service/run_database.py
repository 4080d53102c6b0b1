"""The database of runs in a new home: a copy of an empty database, which `make setup` has Prefect's server make.

The server makes its tables by some hundred migrations, which take five times as long as its start. The template
belongs to the installation and to the version of Prefect: `python -m flows.service.run_database` makes it.
"""

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from flows.service import passwords
from flows.service.prefect_api import Api
from flows.service.prefect_guard import server_command
from flows.service.starting import ONCE
from storage.files import atomic
from storage.files.private import create_private, private_mode

DATABASE = "prefect.db"  # under PREFECT_HOME
MEMO = "memo_store.toml"  # beside it; in it Prefect's server notes which types of blocks the database has
_PATIENCE = 180.0  # seconds; the first start takes 10 on a free machine
_REVISION = "SELECT version_num FROM alembic_version"


def template() -> Path:
    """Return the folder of this installation's template, which may not be there."""
    return Path(sys.prefix, "share", "captchas", f"prefect-{version('prefect')}")


def prepare(folder: Path) -> bool:
    """Copy the template into a Prefect folder that has no database; return whether it has a database now.

    Without a template, or where it cannot be copied, people are told that the server will make the database.
    """
    for name in (MEMO, DATABASE):
        with suppress(OSError):
            _copy(template() / name, folder / name)
    create_private(folder / DATABASE)  # Prefect would let every user read it
    try:
        there = (folder / DATABASE).stat().st_size > 0
    except OSError:
        there = False
    if not there:
        sys.stderr.write(f"captchas: {ONCE}: Prefect's database of runs, which takes 10 s or more\n")
    return there


def _copy(source: Path, target: Path) -> None:
    """Copy a file under a new name: whole, never over a file that is there, and private from its first byte on."""
    if target.exists():
        return
    data = source.read_bytes()
    staged = atomic.temporary(target, atomic.new_run())
    try:
        descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, private_mode(target.parent))
        with os.fdopen(descriptor, "wb") as new:
            new.write(data)
        os.link(staged, target)
    finally:
        atomic.discard(staged)


def is_current(folder: Path) -> bool:
    """Return whether the database needs no migration: it has the revision of the template of this version of Prefect.

    False if the operator has set anything about databases.
    """
    if (folder / "profiles.toml").exists() or any("DATABASE" in name for name in os.environ if "PREFECT" in name):
        return False
    try:
        revisions = [_revision(where / DATABASE) for where in (folder, template())]
    except sqlite3.Error:
        return False
    return revisions[0] == revisions[1]


def _revision(database: Path) -> list[tuple[str]]:
    with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True, timeout=1)) as connection:
        return connection.execute(_REVISION).fetchall()


def make() -> None:
    """Have Prefect's server make the template, unless it is there.

    Raises
    ------
    RuntimeError
        The server did not start in `_PATIENCE` seconds.
    """
    if template().is_dir():
        return
    atomic.make_folder(template().parent)
    with TemporaryDirectory(dir=template().parent) as name:
        _serve_once(Path(name, "prefect"))
        made = atomic.make_folder(Path(name, "made"))
        shutil.copyfile(Path(name, "prefect", MEMO), made / MEMO)
        with (
            closing(sqlite3.connect(Path(name, "prefect", DATABASE))) as source,
            closing(sqlite3.connect(made / DATABASE)) as target,
        ):
            source.backup(target)
        made.rename(template())


def _serve_once(folder: Path) -> None:
    """Start a server whose Prefect folder is `folder`, and end it once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    others = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    own = {"PREFECT_HOME": str(folder), "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}
    password = {passwords.SERVER: passwords.new_password()}
    server = subprocess.Popen(server_command(port, "--log-level", "error"), env=others | own | password)
    try:
        if not Api(f"http://127.0.0.1:{port}/api", password=password[passwords.SERVER]).wait(_PATIENCE):
            raise RuntimeError(f"Prefect's server did not start in {_PATIENCE:.0f} s; see its messages above")
        server.terminate()
        server.wait(_PATIENCE)
    finally:
        server.kill()


if __name__ == "__main__":
    make()

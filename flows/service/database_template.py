"""Makes the template of the database of runs: `python -m flows.service.database_template`, which `make setup` calls."""

import os
import shutil
import socket
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from flows.service import passwords
from flows.service.prefect_api import Api
from flows.service.prefect_guard import server_command
from flows.service.run_database import DATABASE, MEMO, template
from storage.files import atomic
from storage.files.locks import clear_dead, held_folder

_MAKING = "making-"
_PATIENCE = 180.0  # seconds; the first start takes 10 on a free machine


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
    clear_dead(template().parent, f"{_MAKING}{'[0-9a-f]' * 12}")
    with held_folder(template().parent / f"{_MAKING}{atomic.new_run()}") as folder:
        _serve_once(folder / "prefect")
        made = atomic.make_folder(folder / "made")
        shutil.copyfile(folder / "prefect" / MEMO, made / MEMO)
        with (
            closing(sqlite3.connect(folder / "prefect" / DATABASE)) as source,
            closing(sqlite3.connect(made / DATABASE)) as target,
        ):
            source.backup(target)
        made.rename(template())


def _serve_once(folder: Path) -> None:
    """Start a server whose Prefect folder is `folder`, and end it once it answers.

    It reads no settings of Prefect's that are in the environment or the working directory.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    others = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    own = {"PREFECT_HOME": str(folder), "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}
    password = {passwords.SERVER: passwords.new_password()}
    server = subprocess.Popen(
        server_command(port, "--log-level", "error"), env=others | own | password, cwd=folder.parent
    )
    try:
        if not Api(f"http://127.0.0.1:{port}/api", password=password[passwords.SERVER]).wait(_PATIENCE):
            raise RuntimeError(f"Prefect's server did not start in {_PATIENCE:.0f} s; see its messages above")
        server.terminate()
        server.wait(_PATIENCE)
    finally:
        server.kill()


if __name__ == "__main__":
    make()

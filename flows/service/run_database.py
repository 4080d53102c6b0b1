"""The database of runs in a new home: a copy of an empty database, which `make setup` has Prefect's server make.

The server makes its tables by some hundred migrations, which take five times as long as its start. The template
belongs to the installation and to the version of Prefect; `database_template` makes it.
"""

import os
import re
import sqlite3
import sys
from contextlib import closing, suppress
from importlib.metadata import version
from pathlib import Path

from flows.environment import active_profile
from flows.service.starting import ONCE
from flows.shell.quiet import tell
from storage.files import atomic
from storage.files.private import create_private, private_mode

DATABASE = "prefect.db"  # under PREFECT_HOME
MEMO = "memo_store.toml"  # beside it; in it Prefect's server notes which types of blocks the database has
_REVISION = "SELECT version_num FROM alembic_version"
_DRIVER = "sqlite+aiosqlite:///"
# How the settings of Prefect name a database elsewhere: by a URL, or by the other driver with a host and a name.
_ELSEWHERE = re.compile("connection_url|postgresql", re.IGNORECASE)


def template() -> Path:
    """Return the folder of this installation's template, which may not be there."""
    return Path(sys.prefix, "share", "captchas", f"prefect-{version('prefect')}")


def prepare(folder: Path) -> bool:
    """Copy the template into a Prefect folder that has no database; return whether it has a database now.

    Without a template, or where it cannot be copied, people are told that the server will make the database. Nothing is
    done, and the answer is False, if the operator has named another database.
    """
    if _named_elsewhere():
        return False
    for name in (MEMO, DATABASE):
        with suppress(OSError):
            _copy(template() / name, folder / name)
    create_private(folder / DATABASE)  # Prefect would let every user read it
    try:
        there = (folder / DATABASE).stat().st_size > 0
    except OSError:
        there = False
    if not there:
        tell(f"{ONCE}: Prefect's database of runs, which takes 10 s or more")
    return there


def _named_elsewhere() -> bool:
    """Return whether the operator has named a database, in the environment or in Prefect's profiles.

    Only Prefect can tell for sure, and its import takes a second. A wrong answer costs time or leaves an unused file:
    whether migrations are needed, the server decides by `is_current`.
    """
    said = [f"{name}={value}" for name, value in os.environ.items() if name.upper().startswith("PREFECT_")]
    return any(_ELSEWHERE.search(text) for text in (*said, str(active_profile())))


def _copy(source: Path, target: Path) -> None:
    """Copy a file under a new name: whole, never over another file, and private from its first byte on.

    An empty file is replaced, which a command left that ended before its server made the database.
    """
    abandoned = _is_abandoned(target)
    if target.exists() and not abandoned:
        return
    data = source.read_bytes()
    staged = atomic.temporary(target, atomic.new_run())
    try:
        descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, private_mode(target.parent))
        with os.fdopen(descriptor, "wb") as new:
            new.write(data)
        if abandoned and _is_abandoned(target):
            staged.replace(target)
        else:
            os.link(staged, target)
    finally:
        atomic.discard(staged)


def _is_abandoned(file: Path) -> bool:
    """Return whether a file of this user is empty, and no process has it open, such as a server that is starting.

    False without /proc, where nobody can tell.
    """
    try:
        found = file.stat()
    except OSError:
        return False
    if found.st_size or found.st_uid != os.geteuid() or not Path("/proc/self/fd").is_dir():
        return False
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):  # the process has ended, or is another user's
            if os.path.samestat(descriptor.stat(), found):
                return False
    return True


def is_current(url: str) -> bool:
    """Return whether the server's database needs no migration: it has the revision of this installation's template.

    Parameters
    ----------
    url : str
        Where Prefect's server has its database, by all of its settings. False for other files than a home's.
    """
    file = Path(url.removeprefix(_DRIVER))
    if not url.startswith(_DRIVER) or "?" in url or file.name != DATABASE or not file.is_absolute():
        return False
    try:
        revisions = [_revision(database) for database in (file, template() / DATABASE)]
    except sqlite3.Error:
        return False
    return revisions[0] == revisions[1]


def _revision(database: Path) -> list[tuple[str]]:
    with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True, timeout=1)) as connection:
        return connection.execute(_REVISION).fetchall()

"""The template of the database of runs: what a new home gets, and when the server need not look for migrations."""

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from flows.service import run_database
from flows.service.prefect_settings import ignore_files_of
from flows.service.run_database import DATABASE, MEMO, is_current, prepare

ROOT = Path(__file__).parents[3]
ELSEWHERE = "sqlite+aiosqlite:////elsewhere.db"
PROFILES = f"active = 'mine'\n[profiles.mine]\nPREFECT_API_DATABASE_CONNECTION_URL = '{ELSEWHERE}'\n"
# What an archive may have beside its pictures: each names a file that has Prefect call a function.
FOREIGN = {
    "prefect.toml": f"profiles_path = 'theirs.toml'\n[logging]\nconfig_path = 'theirs.yml'\n"
                    f"[server.database]\nconnection_url = '{ELSEWHERE}'\n",
    "pyproject.toml": f"[tool.prefect]\nprofiles_path = 'theirs.toml'\n[tool.prefect.server.database]\n"
                      f"connection_url = '{ELSEWHERE}'\n",
    ".env": f"PREFECT_PROFILES_PATH=theirs.toml\nPREFECT_LOGGING_SETTINGS_PATH=theirs.yml\n"
            f"PREFECT_API_DATABASE_CONNECTION_URL={ELSEWHERE}\n",
    "theirs.toml": "active = 'x'\n[profiles.x]\nPREFECT_LOGGING_SETTINGS_PATH = 'theirs.yml'\n",
    "theirs.yml": "{version: 1, handlers: {theirs: {'()': os.mkdir, path: called}}}\n",
}  # fmt: skip


def url(folder) -> str:
    return f"sqlite+aiosqlite:///{folder / DATABASE}"


def make_database(path, revision="a1"):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES (?)", [revision])
        connection.commit()


@pytest.fixture
def template(tmp_path, monkeypatch):
    """A template that stands in for the installation's; no variable of Prefect is set."""
    folder = tmp_path / "template"
    folder.mkdir()
    make_database(folder / DATABASE)
    (folder / MEMO).write_text("memo")
    monkeypatch.setattr(run_database, "template", lambda: folder)
    for name in [name for name in os.environ if "PREFECT" in name]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "prefect"
    folder.mkdir(0o700)
    return folder


def test_a_new_home_gets_the_template_privately_and_nothing_is_said(template, folder, capsys):
    assert prepare(folder)
    assert sorted(path.name for path in folder.iterdir()) == sorted([DATABASE, MEMO])
    assert (folder / DATABASE).read_bytes() == (template / DATABASE).read_bytes()
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert is_current(url(folder))
    assert capsys.readouterr() == ("", "")


def test_a_database_that_is_there_is_kept(template, folder):
    make_database(folder / DATABASE, "b2")
    before = (folder / DATABASE).read_bytes()
    assert prepare(folder)
    assert (folder / DATABASE).read_bytes() == before
    assert not is_current(url(folder))  # the server looks for migrations


def test_without_a_template_people_are_told(template, folder, capsys, monkeypatch):
    monkeypatch.setattr(run_database, "template", lambda: template / "other")
    assert not prepare(folder)
    assert "setting up the home, once: Prefect's database of runs" in capsys.readouterr().err
    assert (folder / DATABASE).stat().st_size == 0
    assert stat.S_IMODE((folder / DATABASE).stat().st_mode) == 0o600
    assert not is_current(url(folder))


@pytest.mark.slow
@pytest.mark.parametrize("elsewhere", [False, pytest.param(True, marks=pytest.mark.soak)])
def test_the_server_leaves_out_migrations_of_a_current_home_and_obeys_no_file_of_its_folder(
    template, folder, elsewhere, monkeypatch
):
    """Prefect itself says where the database is: the environment or its profiles may name it."""
    prepare(folder)
    for name, text in FOREIGN.items():
        Path(name).write_text(text)
    (folder / "logging.yml").write_text(FOREIGN["theirs.yml"])
    (folder / "profiles.toml").write_text(PROFILES)
    monkeypatch.setenv("PREFECT_PROFILES_PATH", str(folder / "profiles.toml") if elsewhere else "")
    monkeypatch.setenv("PREFECT_LOGGING_SETTINGS_PATH", "")  # restored at the end
    monkeypatch.setenv("PREFECT_SERVER_API_BASE_PATH", "/elsewhere")  # nobody would look for the server there
    ignore_files_of(folder)
    program = (
        "from pathlib import Path; from flows.service import prefect_guard, run_database\n"
        f"run_database.template = lambda: Path({str(template)!r})\n"
        "app = prefect_guard.create_app()\n"
        "from prefect.settings import PREFECT_API_DATABASE_MIGRATE_ON_START as asked\n"
        "print(asked.value(), [route.path for route in app._application.routes if route.name == 'api'])"
    )
    command = [sys.executable, "-P", "-c", program]
    result = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert result.stdout == f"{elsewhere} ['/api']\n", result.stderr
    assert not Path("called").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PREFECT_API_DATABASE_CONNECTION_URL", ELSEWHERE),
        ("prefect_server_database_connection_url", ELSEWHERE),
        ("PREFECT_SERVER_DATABASE_DRIVER", "postgresql+asyncpg"),
        ("PREFECT_SERVER_DATABASE", f'{{"connection_url": "{ELSEWHERE}"}}'),
    ],
)
def test_a_variable_that_names_a_database_leaves_the_home_without_one(
    template, folder, monkeypatch, capsys, name, value
):
    monkeypatch.setenv(name, value)
    assert not prepare(folder)
    assert [*folder.iterdir()] == []
    assert capsys.readouterr() == ("", "")


def test_a_profile_that_names_a_database_leaves_the_home_without_one(template, folder, capsys):
    (folder / "profiles.toml").write_text(PROFILES)
    assert not prepare(folder)
    assert not (folder / DATABASE).exists()
    assert capsys.readouterr() == ("", "")


def test_files_of_the_working_directory_name_no_database(template, folder):
    for name, text in FOREIGN.items():
        Path(name).write_text(text)
    assert prepare(folder)


def test_an_empty_file_of_a_command_that_ended_early_is_replaced(template, folder, capsys):
    (folder / DATABASE).touch()
    assert prepare(folder)
    assert (folder / DATABASE).read_bytes() == (template / DATABASE).read_bytes()
    assert stat.S_IMODE((folder / DATABASE).stat().st_mode) == 0o600
    assert sorted(path.name for path in folder.iterdir()) == sorted([DATABASE, MEMO])
    assert capsys.readouterr() == ("", "")


def test_an_empty_file_of_a_server_that_is_starting_is_kept(template, folder):
    with (folder / DATABASE).open("wb") as database:
        assert not prepare(folder)
        assert os.path.samestat(os.fstat(database.fileno()), (folder / DATABASE).stat())


@pytest.mark.parametrize(
    "other",
    [
        "postgresql+asyncpg://127.0.0.1/prefect.db", "sqlite+aiosqlite:///prefect.db",
        "sqlite+aiosqlite:///file::memory:?cache=shared&uri=true", "sqlite+aiosqlite:///{folder}/prefect.db?mode=ro",
        "sqlite+aiosqlite:///{folder}/other.db",
    ],
)  # fmt: skip
def test_migrations_of_other_databases_are_left_to_the_server(template, folder, other, monkeypatch):
    prepare(folder)
    monkeypatch.chdir(folder)
    (folder / "other.db").write_bytes((folder / DATABASE).read_bytes())
    assert not is_current(other.format(folder=folder))


def test_what_is_no_database_is_left_to_the_server(template, folder):
    (folder / DATABASE).write_bytes(b"a database")
    assert prepare(folder)
    assert not is_current(url(folder))


def test_two_commands_on_a_new_home_leave_one_database(template, folder, monkeypatch):
    """The second one finds no database, but the first one's is there when it puts its own in place."""
    link = os.link

    def late(source, target):
        (folder / target.name).write_bytes(b"the first one's")
        link(source, target)

    monkeypatch.setattr(run_database.os, "link", late)
    assert prepare(folder)
    assert (folder / DATABASE).read_bytes() == b"the first one's"
    assert sorted(path.name for path in folder.iterdir()) == sorted([DATABASE, MEMO])

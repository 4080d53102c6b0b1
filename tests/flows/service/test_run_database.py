"""The template of the database of runs: what a new home gets, and when the server need not look for migrations."""

import os
import sqlite3
import stat
from contextlib import closing

import pytest

from flows.service import run_database
from flows.service.run_database import DATABASE, MEMO, is_current, prepare


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
    assert is_current(folder)
    assert capsys.readouterr() == ("", "")


def test_a_database_that_is_there_is_kept(template, folder):
    make_database(folder / DATABASE, "b2")
    before = (folder / DATABASE).read_bytes()
    assert prepare(folder)
    assert (folder / DATABASE).read_bytes() == before
    assert not is_current(folder)  # the server looks for migrations


def test_without_a_template_people_are_told(template, folder, capsys, monkeypatch):
    monkeypatch.setattr(run_database, "template", lambda: template / "other")
    assert not prepare(folder)
    assert "setting up the home, once: Prefect's database of runs" in capsys.readouterr().err
    assert (folder / DATABASE).stat().st_size == 0
    assert stat.S_IMODE((folder / DATABASE).stat().st_mode) == 0o600
    assert not is_current(folder)


def test_a_setting_about_databases_leaves_migrations_to_the_server(template, folder, monkeypatch):
    prepare(folder)
    monkeypatch.setenv("PREFECT_API_DATABASE_CONNECTION_URL", "sqlite+aiosqlite:////elsewhere.db")
    assert not is_current(folder)
    monkeypatch.delenv("PREFECT_API_DATABASE_CONNECTION_URL")
    assert is_current(folder)
    (folder / "profiles.toml").touch()
    assert not is_current(folder)


def test_what_is_no_database_is_left_to_the_server(template, folder):
    (folder / DATABASE).write_bytes(b"a database")
    assert prepare(folder)
    assert not is_current(folder)


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

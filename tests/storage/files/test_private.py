"""Modes of new homes, databases and locks: for the owner, or for a group that a folder's modes invite."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.files.locks import locked
from storage.files.private import make_private_folder, scratch_folder
from storage.ledger.database import SIDES, Database


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def open_database(path: Path) -> Database:
    return Database(path, schema="CREATE TABLE t (a)", application=1, version=1)


def test_a_new_folder_is_the_owner_s_and_one_that_is_there_stays(tmp_path):
    make_private_folder(tmp_path / "new")
    assert mode(tmp_path / "new") == 0o700
    (tmp_path / "old").mkdir(0o755)
    make_private_folder(tmp_path / "old")
    assert mode(tmp_path / "old") == 0o755


def test_a_folder_of_a_group_is_shared_with_it(tmp_path):
    tmp_path.chmod(0o2770)
    os.umask(0o002)
    make_private_folder(tmp_path / "new")
    assert mode(tmp_path / "new") & 0o777 == 0o770
    os.umask(0o077)
    make_private_folder(tmp_path / "own")
    assert mode(tmp_path / "own") & 0o777 == 0o700


@pytest.mark.parametrize(
    ("folder", "umask", "expected"), [(0o755, 0o022, 0o600), (0o770, 0o002, 0o660), (0o770, 0o077, 0o600)]
)
def test_a_database_and_all_its_files(tmp_path, folder, umask, expected):
    tmp_path.chmod(folder)
    os.umask(umask)
    base = open_database(tmp_path / "base.sqlite")
    base.rows("INSERT INTO t VALUES (1)")
    assert {mode(tmp_path / f"base.sqlite{side}") for side in SIDES} == {expected}
    base.close()


def test_a_database_that_is_there_keeps_its_mode(tmp_path):
    open_database(tmp_path / "base.sqlite").close()
    (tmp_path / "base.sqlite").chmod(0o640)
    open_database(tmp_path / "base.sqlite").close()
    assert mode(tmp_path / "base.sqlite") == 0o640


def test_a_lock(tmp_path):
    with locked(tmp_path / "d"):
        assert mode(tmp_path / "d.lock") == 0o600


def test_the_folder_for_temporary_files_is_one_and_the_user_s(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = scratch_folder()
    assert folder.parent == tmp_path and mode(folder) == 0o700
    assert scratch_folder() == folder


@pytest.mark.parametrize("planted", ["link", "file", "writable", "another user's"])
def test_a_folder_for_temporary_files_that_another_user_has_made_is_not_used(tmp_path, monkeypatch, planted):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = scratch_folder()
    folder.rmdir()
    if planted == "link":
        (tmp_path / "aim").mkdir(0o700)
        folder.symlink_to("aim")
    elif planted == "file":
        folder.touch()
    elif planted == "writable":
        folder.mkdir()
        folder.chmod(0o777)
    else:
        folder.mkdir(0o700)
        if os.geteuid():
            pytest.skip("only root can give a folder away")
        os.chown(folder, 65534, 65534)
    found = scratch_folder()
    assert found != folder and mode(found) == 0o700 and found.parent == tmp_path

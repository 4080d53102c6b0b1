"""The lock of a dataset: one holder at a time, and a dead holder is no obstacle."""

import fcntl
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from storage.errors import Busy, Unwritable
from storage.files.locks import clear_dead, held_folder, locked, temporary_folder

HOLDER = """
import sys
from pathlib import Path
from storage.files.locks import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(folder: Path) -> subprocess.Popen:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    return process


KEPT = """
import os, signal, sys
from pathlib import Path
from storage.files.locks import held_folder
with held_folder(Path(sys.argv[1])) as folder:
    (folder / "file").write_text("x")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_folder_that_a_killed_process_left_is_removed_and_that_of_a_living_one_stays(tmp_path):
    subprocess.run([sys.executable, "-c", KEPT, tmp_path / "dead.spool"], cwd=Path(__file__).parents[3])
    (tmp_path / "linked.spool").symlink_to(tmp_path)
    (tmp_path / "other").mkdir()
    assert (tmp_path / "dead.spool" / "file").is_file()
    with held_folder(tmp_path / "living.spool") as living:
        clear_dead(tmp_path, "*.spool")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["linked.spool", "living.spool", "other"]
    assert not living.exists()


def test_a_temporary_folder_is_private_and_clears_what_killed_processes_left(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with temporary_folder() as first, temporary_folder() as second:
        assert first.is_dir() and first != second and first.parent.stat().st_mode & 0o777 == 0o700
    (left := first.parent / first.name).mkdir()
    with temporary_folder():
        assert not left.exists()
    assert [*first.parent.iterdir()] == []
    first.parent.chmod(0o777)  # as if it were another's
    with temporary_folder() as elsewhere:
        assert elsewhere.parent != first.parent
    assert [*tmp_path.iterdir()] == [first.parent]


def test_no_folder_for_temporary_files_stays_after_a_kill():
    """Only `temporary_folder` clears what a killed process left; a generator's warden outlives it, and clears too."""
    root = Path(__file__).parents[3]
    kept = re.compile(r"mkdtemp\(|NamedTemporaryFile\(|^ +with tempfile.TemporaryDirectory\(", re.MULTILINE)
    sources = (path for part in ("flows", "tasks", "storage") for path in (root / part).rglob("*.py"))
    found = {path.relative_to(root).as_posix() for path in sources if kept.search(path.read_text("utf-8"))}
    assert found == {"storage/files/private.py", "tasks/audit/generators/pool.py"}


def test_a_second_holder_is_told_so_and_a_dead_one_is_no_obstacle(tmp_path):
    folder = tmp_path / "datasets" / "letters"
    with holder(folder) as process:
        with pytest.raises(Busy, match=r"letters: another run is working on it; .*--out"), locked(folder):
            pytest.fail("two runs hold the lock")
        process.send_signal(signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL
        with locked(folder):  # free again, although nobody tidied up
            assert [path.name for path in folder.parent.iterdir()] == ["letters.lock"]
    with holder(folder) as process, pytest.raises(Busy), locked(folder):
        pytest.fail("two runs hold the lock")
    assert not folder.exists()  # the lock stands beside it


def test_a_lock_file_that_was_left_is_no_obstacle(tmp_path):
    (tmp_path / "d.lock").write_text("left by a dead run")
    with locked(tmp_path / "d"), pytest.raises(Busy), locked(tmp_path / "d"):
        pytest.fail("held twice")
    with pytest.raises(KeyError), locked(tmp_path / "d"):
        raise KeyError
    with locked(tmp_path / "d"), locked(tmp_path / "e"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d.lock", "e.lock"]


def test_one_folder_has_one_lock_however_it_is_spelled(tmp_path, monkeypatch):
    folder = tmp_path / "d"
    folder.mkdir()
    (tmp_path / "link").symlink_to(folder)
    monkeypatch.chdir(folder)
    for spelling in (Path(), Path("../d"), tmp_path / "link", tmp_path / "x" / ".." / "d"):
        with locked(folder), pytest.raises(Busy), locked(spelling):
            pytest.fail("held twice")
        with locked(spelling):
            pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d", "d.lock", "link"]
    assert list(folder.iterdir()) == []


def test_a_lock_where_no_folder_can_be(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(Unwritable), locked(tmp_path / "file" / "d"):
        pytest.fail("held under a file")


def test_a_folder_is_not_cleared_before_its_lock_is_held(tmp_path, monkeypatch):
    def cleared_meanwhile(handle, how):
        monkeypatch.setattr(fcntl, "flock", flock)
        clear_dead(tmp_path, "work-?")
        return flock(handle, how)

    flock = fcntl.flock
    monkeypatch.setattr(fcntl, "flock", cleared_meanwhile)
    with held_folder(tmp_path / "work-1") as folder:
        assert folder.is_dir() and fcntl.flock is flock
    assert not list(tmp_path.iterdir())


def test_a_folder_that_was_never_locked_goes_after_an_hour(tmp_path):
    young, old = tmp_path / "work-1.new", tmp_path / "work-2.new"
    young.mkdir()
    old.mkdir()
    os.utime(old, (0, 0))
    clear_dead(tmp_path, "work-?")
    assert [path.name for path in tmp_path.iterdir()] == ["work-1.new"]


def test_a_folder_whose_name_is_taken_is_left_alone(tmp_path):
    taken = tmp_path / "work-1"
    taken.mkdir()
    (taken / "file").touch()
    with pytest.raises(OSError, match="work-1"), held_folder(taken):
        pytest.fail("held another's folder")
    assert [path.name for path in tmp_path.iterdir()] == ["work-1"] and (taken / "file").exists()

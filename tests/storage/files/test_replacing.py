"""A file that is written bit by bit: whole, or not there."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from storage.errors import NoSpace, Unwritable
from storage.files import atomic, local_files
from storage.files.local_files import LocalFiles


@pytest.fixture(params=["without a name", "with a name", "that gets no name"])
def way(request, monkeypatch) -> str:
    """As the system has files without a name, has none, and has them but will not link them."""
    if request.param == "with a name":
        monkeypatch.setattr(local_files, "_unnamed", lambda _: None)
    if request.param == "that gets no name":
        monkeypatch.setattr(local_files, "_link", lambda *_, **__: None)
    return request.param


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_was_written_is_there_at_the_end(way, tmp_path):
    path = tmp_path / "deep" / "a.csv"
    for content in (b"first", b"second " * 500_000):
        before = path.read_bytes() if path.exists() else None
        with atomic.replacing(path) as write:
            for first in range(0, len(content), 1 << 20):
                write(content[first : first + (1 << 20)])
            assert (path.read_bytes() if path.exists() else None) == before
        assert path.read_bytes() == content
        assert names(path.parent) == ["a.csv"]
        assert path.stat().st_mode & 0o777 == 0o666 & ~umask()


def umask() -> int:
    now = os.umask(0)
    os.umask(now)
    return now


def test_nothing_written_is_an_empty_file(way, tmp_path):
    with atomic.replacing(tmp_path / "a.csv"):
        pass
    assert (tmp_path / "a.csv").read_bytes() == b""


@pytest.mark.parametrize("error", [ValueError("bad"), KeyboardInterrupt(), OSError(errno.ENOENT, "theirs")])
def test_an_error_on_the_way_leaves_what_was_there(way, tmp_path, error):
    path = tmp_path / "a.csv"
    path.write_bytes(b"old")
    with pytest.raises(type(error)) as raised, atomic.replacing(path) as write:
        write(b"new")
        raise error
    assert raised.value is error  # not taken for one of this file
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a.csv"]


@pytest.mark.parametrize(("number", "expected"), [(errno.ENOSPC, NoSpace), (errno.EACCES, Unwritable)])
@pytest.mark.parametrize("where", [(local_files, "_put"), (LocalFiles, "sync_folder")])
def test_a_disk_that_refuses_is_explained(way, tmp_path, monkeypatch, number, expected, where):
    def refuse(*_):
        raise OSError(number, "no")

    monkeypatch.setattr(*where, refuse)
    with pytest.raises(expected, match=r"a\.csv"), atomic.replacing(tmp_path / "a.csv") as write:
        write(b"new")
    assert [name for name in names(tmp_path) if name != "a.csv"] == []
    assert where[1] == "sync_folder" or names(tmp_path) == []


def test_a_folder_that_cannot_be_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(Unwritable, match="cannot be a folder"), atomic.replacing(tmp_path / "file" / "a.csv"):
        pass


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="needs Linux's files without a name")
@pytest.mark.parametrize("work", [
    "with atomic.replacing(path) as write: write(b'x' * 5_000_000); os.kill(os.getpid(), 9)",
    "local_files.sync_file = lambda _: os.kill(os.getpid(), 9); atomic.replace(path, b'x' * 5_000_000)",
])  # fmt: skip
def test_a_killed_run_leaves_nothing(work, tmp_path):
    if (handle := local_files._unnamed(tmp_path)) is None:
        pytest.skip("this file system has no files without a name")
    os.close(handle)
    program = (
        "import os, sys; from pathlib import Path; from storage.files import atomic, local_files\n"
        f"path = Path(sys.argv[1])\n{work}"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(tmp_path / "a.csv")])
    assert ended.returncode == -9
    assert names(tmp_path) == []

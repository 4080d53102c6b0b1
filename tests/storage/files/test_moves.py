"""Moves that replace nothing, cut off at every step; across file systems too."""

import errno
import os
from pathlib import Path

import pytest
from blake3 import blake3

from storage.files import atomic, local_files, moves
from storage.files.moves import finish_move, free_name, move_new

DATA = b"a picture"
DIGEST = blake3(DATA).digest()


def seen(path: Path) -> tuple[int, int]:
    return path.stat().st_size, path.stat().st_mtime_ns


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class Systems:
    """What a system can do: all; no renameat2, but links; or the two folders are on two file systems."""

    @staticmethod
    def all(patch):
        pass

    @staticmethod
    def links(patch):
        patch.setattr(moves, "_renameat2", lambda: None)

    @staticmethod
    def elsewhere(patch):
        def refuse(path, target):
            raise OSError(errno.EXDEV, "Invalid cross-device link")

        patch.setattr(moves, "_rename_new", refuse)


@pytest.fixture(params=["all", "links", "elsewhere"])
def system(request, monkeypatch) -> str:
    getattr(Systems, request.param)(monkeypatch)
    return request.param


@pytest.fixture
def picture(tmp_path) -> Path:
    path = tmp_path / "in" / "a\n\udcff.png"
    path.parent.mkdir()
    path.write_bytes(DATA)
    os.utime(path, ns=(5, 7_000_000_003))
    return path


def test_a_file_is_moved_with_its_time_and_nothing_is_left(system, picture, tmp_path):
    target = tmp_path / "to" / "deep" / "b.png"
    was = seen(picture)
    assert move_new(picture, target, was, DIGEST, "run")
    assert files(tmp_path) == {"to/deep/b.png": DATA}
    assert seen(target) == was


def test_what_stands_there_is_left_alone(system, picture, tmp_path):
    (tmp_path / "b.png").write_bytes(b"another")
    with pytest.raises(FileExistsError):
        move_new(picture, tmp_path / "b.png", seen(picture), DIGEST, "run")
    (tmp_path / "to nothing").symlink_to(tmp_path / "none")
    with pytest.raises(FileExistsError):
        move_new(picture, tmp_path / "to nothing", seen(picture), DIGEST, "run")
    assert files(tmp_path) == {"b.png": b"another", "in/a\n\udcff.png": DATA}


def test_a_file_that_is_another_one_by_now_stays(system, picture, tmp_path):
    was = seen(picture)
    picture.write_bytes(b"rewritten")
    os.utime(picture, ns=(5, 8))
    assert not move_new(picture, tmp_path / "b.png", was, DIGEST, "run")
    assert files(tmp_path) == {"in/a\n\udcff.png": b"rewritten"}
    picture.unlink()
    assert not move_new(picture, tmp_path / "b.png", was, DIGEST, "run")
    assert files(tmp_path) == {}


def test_a_copy_is_not_left_behind_where_the_file_cannot_be_removed(picture, tmp_path, monkeypatch):
    Systems.elsewhere(monkeypatch)

    def refuse(path, **_):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    unlink = Path.unlink
    monkeypatch.setattr(Path, "unlink", lambda path, **more: (refuse if path == picture else unlink)(path, **more))
    with pytest.raises(PermissionError):
        move_new(picture, tmp_path / "b.png", seen(picture), DIGEST, "run")
    assert files(tmp_path) == {"in/a\n\udcff.png": DATA}


def test_a_move_ends_wherever_it_was_cut_off(system, picture, tmp_path):
    target, was = tmp_path / "to" / "b.png", seen(picture)
    assert finish_move(picture, target, was, DIGEST, "run")  # before it began
    assert files(tmp_path) == {"to/b.png": DATA}
    assert finish_move(picture, target, was, DIGEST, "run")  # after it was done
    assert files(tmp_path) == {"to/b.png": DATA}
    picture.write_bytes(DATA)  # a copy was there, the file not yet removed
    os.utime(picture, ns=(5, was[1]))
    assert finish_move(picture, target, was, DIGEST, "run")
    assert files(tmp_path) == {"to/b.png": DATA}
    picture.hardlink_to(target)  # nor the first of two links
    os.utime(picture, ns=(5, was[1]))
    assert finish_move(picture, target, was, DIGEST, "run")
    assert files(tmp_path) == {"to/b.png": DATA}
    target.unlink()  # whoever takes files from there was faster
    assert finish_move(picture, target, was, DIGEST, "run")
    assert files(tmp_path) == {}


def test_a_move_is_not_ended_over_a_stranger_or_with_another_file(picture, tmp_path):
    target, was = tmp_path / "b.png", seen(picture)
    target.write_bytes(b"a stranger")
    assert not finish_move(picture, target, was, DIGEST, "run")
    assert files(tmp_path) == {"b.png": b"a stranger", "in/a\n\udcff.png": DATA}
    picture.write_bytes(b"new under the old name")
    target.write_bytes(DATA)
    assert finish_move(picture, target, was, DIGEST, "run")  # the old one is there
    target.unlink()
    assert not finish_move(picture, target, was, DIGEST, "run")
    assert files(tmp_path) == {"in/a\n\udcff.png": b"new under the old name"}


def test_the_temporary_name_of_a_copy_is_hidden(picture, tmp_path, monkeypatch):
    """Where files without a name are unknown, a kill while copying leaves one that no listing shows."""
    Systems.elsewhere(monkeypatch)
    monkeypatch.setattr(local_files, "_unnamed", lambda _: None)
    monkeypatch.setattr(local_files, "_link", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    monkeypatch.setattr(local_files.LocalFiles, "discard", lambda _: None)
    with pytest.raises(KeyboardInterrupt):
        move_new(picture, tmp_path / "b.png", seen(picture), DIGEST, "run")
    (left,) = atomic.leftovers(tmp_path)
    assert left.name.startswith(".b.png.run")
    assert picture.read_bytes() == DATA


def test_a_free_name_is_the_name_itself_or_the_first_number_after_it(tmp_path):
    path = tmp_path / "a.h5"
    assert free_name(path) == path
    path.touch()
    (tmp_path / "a.h5.1").mkdir()
    (tmp_path / "a.h5.2").symlink_to("nowhere")
    (tmp_path / "a.h5.4").touch()
    assert free_name(path) == tmp_path / "a.h5.3"

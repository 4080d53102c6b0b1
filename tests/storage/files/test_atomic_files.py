"""The contract of `AtomicFiles`: every method, on this machine and in an object store."""

from collections.abc import Callable
from pathlib import Path

import pytest

from storage.files import atomic
from storage.files.atomic import AtomicFiles, files_at
from storage.files.local_files import LocalFiles
from storage.files.object_files import ObjectFiles
from storage.files.places import Place, place, sizes

KINDS = {"local": LocalFiles, "object": ObjectFiles}
METHODS = sorted(name for name in vars(AtomicFiles) if not name.startswith("_"))


@pytest.fixture(params=KINDS)
def kind(request) -> str:
    return request.param


@pytest.fixture
def folder(kind, tmp_path, object_folder) -> Place:
    """A place for one test; there is nothing in it and it may not exist."""
    return tmp_path / "d" if kind == "local" else object_folder


def files(folder: Place) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


def test_the_kind_of_the_path_decides(kind, folder):
    assert files_at(folder) == KINDS[kind](folder)


def test_publish_writes_a_new_file_and_replaces_none(folder):
    files_at(folder).make_folder()
    assert files_at(folder / "s").publish((b"one", b"two"), "run") is True
    assert files_at(folder / "s").publish(b"other", "run") is False
    assert files(folder) == {"s": b"onetwo"}
    assert files_at(folder / "t").publish(b"", "run") is True
    assert files(folder) == {"s": b"onetwo", "t": b""}


@pytest.mark.parametrize("run", [None, "0123456789ab"])
def test_replace_writes_over_what_was_there(folder, run):
    for data in (b"old", b"new" * 1_000_000, b""):
        files_at(folder / "deep" / "a").replace(data, run)
        assert files(folder / "deep") == {"a": data}


def test_replacing_puts_the_whole_file_at_the_end(folder):
    files_at(folder / "a").replace(b"old")
    for pieces in ([b"one,", b"two\n"], [], [bytes([n]) * 1_000_000 for n in range(20)]):
        before = files(folder)
        with files_at(folder / "a").replacing() as write:
            for piece in pieces:
                write(piece)
                assert files(folder).get("a") == before["a"]
        assert files(folder) == {"a": b"".join(pieces)}


@pytest.mark.parametrize("before", [{}, {"a": b"old"}])
def test_replacing_leaves_the_old_file_after_an_error(folder, before):
    for name, data in before.items():
        files_at(folder / name).replace(data)
    with pytest.raises(KeyError), files_at(folder / "a").replacing() as write:
        write(b"half")
        raise KeyError
    assert files(folder) == before


def test_move_takes_the_file_along(folder):
    files_at(folder / "a").replace(b"1")
    files_at(folder / "b").replace(b"old")
    assert files_at(folder / "a").move(folder / "b") is True
    assert files(folder) == {"b": b"1"}


def test_move_refuses_a_missing_file(folder):
    files_at(folder / "b").replace(b"old")
    with pytest.raises(FileNotFoundError):
        files_at(folder / "nothing").move(folder / "b")
    assert files(folder) == {"b": b"old"}


def test_move_takes_a_folder_along(folder):
    files_at(folder / "stray" / "a").replace(b"1")
    files_at(folder / "stray" / "b").replace(b"2")
    assert files_at(folder / "stray").move(folder / "aside") is True
    assert files(folder / "aside") == {"a": b"1", "b": b"2"} and not (folder / "stray").exists()


def test_move_leaves_a_file_that_is_not_the_judged_one(folder):
    path, target = folder / "s", folder / "aside"
    files_at(path).replace(b"bad")
    judged = files_at(path).fingerprint()
    files_at(path).replace(b"good")
    assert files_at(path).move(target, judged) is False
    assert files(folder) == {"s": b"good"}
    assert files_at(path).move(target, files_at(path).fingerprint()) is True
    assert files(folder) == {"aside": b"good"}
    assert files_at(path).move(target, judged) is False  # there is no file any more
    assert files(folder) == {"aside": b"good"}


def test_move_refuses_a_place_of_the_other_kind(kind, folder):
    files_at(folder / "a").replace(b"1")
    other = place("memory://tests/other") if kind == "local" else Path("other")
    with pytest.raises(TypeError, match=r"can be moved to an? \w+ path only, not to \S*other"):
        files_at(folder / "a").move(other)
    assert files(folder) == {"a": b"1"}


def test_a_fingerprint_tells_one_file_from_another(folder):
    path = folder / "a"
    assert files_at(path).fingerprint() == ()
    found = set()
    for data in (b"one", b"two"):
        files_at(path).replace(data)
        assert files_at(path).fingerprint() == files_at(path).fingerprint()
        found.add(files_at(path).fingerprint())
    assert len(found) == 2 and () not in found


def test_discard_removes_a_file_that_may_not_be_there(folder):
    files_at(folder / "a").replace(b"1")
    for _ in range(2):
        files_at(folder / "a").discard()
        assert files(folder) == {}


def test_a_made_folder_takes_files(folder):
    for _ in range(2):
        files_at(folder / "deep" / "er").make_folder()
    assert atomic.make_folder(folder / "deep" / "er") == folder / "deep" / "er"
    assert files_at(folder / "deep" / "er" / "a").publish(b"1", "run")
    assert sizes(folder / "deep" / "er") == {"a": 1}


def test_what_was_written_is_no_leftover(folder):
    assert list(files_at(folder).leftovers()) == []
    files_at(folder / "a").replace(b"1")
    files_at(folder / "b").publish(b"1", atomic.new_run())
    files_at(folder / ".my notes.tmp").replace(b"1")
    assert list(files_at(folder).leftovers()) == []


def test_a_folder_that_may_be_missing_is_synced(folder):
    files_at(folder).sync_folder()
    files_at(folder / "a").replace(b"1")
    files_at(folder).sync_folder()
    assert files(folder) == {"a": b"1"}


def test_a_little_space_is_there(folder):
    files_at(folder / "not" / "yet").need_space(1)
    assert not folder.exists()


CALLS: dict[str, Callable[[Place], object]] = {
    "publish": lambda place: atomic.publish(place, b"1", "run"),
    "replace": lambda place: atomic.replace(place, b"1"),
    "replacing": lambda place: atomic.replacing(place),
    "move": lambda place: atomic.move(place, place),
    "fingerprint": lambda place: atomic.fingerprint(place),
    "discard": lambda place: atomic.discard(place),
    "make_folder": lambda place: atomic.make_folder(place),
    "leftovers": lambda place: atomic.leftovers(place),
    "sync_folder": lambda place: atomic.sync_folder(place),
    "need_space": lambda place: atomic.need_space(place, 1),
}


@pytest.mark.parametrize("method", METHODS)
def test_each_function_calls_the_method_of_its_name(kind, folder, monkeypatch, method):
    called = []
    monkeypatch.setattr(KINDS[kind], method, lambda files, *rest: called.append(files.path))
    CALLS[method](folder)
    assert called == [folder]

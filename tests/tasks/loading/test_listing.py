"""Names of a folder of any size, in order, with few of them in memory. tests/tasks/test_loading.py has the rules."""

import os
import random
import tempfile
from pathlib import Path

import pytest

from tasks.loading import listing as folders
from tasks.loading.listing import any_picture, count_pictures, is_named_otherwise, list_names, list_pictures
from tests.open_files import open_below

# Folders before and after files that begin with the same letters; a line's end; letters of more than one byte.
NAMES = ["a", "a.b/c", "a-", "ab/z", "ab/b/1", "ab.png", "b\n2", "c'\"", "é", "z/é/é", "ｚ", "\U0001f600"]


@pytest.fixture
def tree(tmp_path):
    for name in random.Random(1).sample(NAMES, len(NAMES)):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    with open(os.fsencode(tmp_path) + b"/\xff.png", "wb"):  # noqa: PTH123 - no UTF-8
        return tmp_path


@pytest.mark.parametrize("most", [1, 2, 3, 100])
def test_names_come_in_order_however_few_are_in_memory(tree, monkeypatch, most):
    monkeypatch.setattr(folders, "RUN", most)
    found = list(list_names(tree))
    assert sorted(found) == sorted([*NAMES, "\udcff.png"])
    assert [tree / name for name in found] == list(list_pictures(tree)) == sorted(tree / name for name in found)
    assert found.index("a") < found.index("a-") < found.index("a.b/c") < found.index("ab/b/1") < found.index("ab.png")
    left = list(list_names(tree, skip=[tree / "ab" / "z", tree / "é", tree / ".." / "a"]))
    assert left == [name for name in found if name not in ("ab/z", "é")]


def test_counting(tree, tmp_path):
    assert count_pictures(tree) == len(NAMES) + 1
    assert count_pictures(tree, skip=[tree / "a", tree / "z" / "é" / "é", tree / "none"]) == len(NAMES) - 1
    assert any_picture(tree)
    empty = tmp_path / "z" / "empty" / "within"
    empty.mkdir(parents=True)
    assert not any_picture(empty.parent)
    (empty / "answers.csv").touch()
    assert not any_picture(empty.parent, skip=[empty / "answers.csv"])
    assert count_pictures(empty.parent) == 1


def test_a_listing_that_is_given_up_leaves_no_open_file(tree, tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "RUN", 2)
    spilt = tmp_path / "spilt"
    spilt.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(spilt))
    listing = list_names(tree)
    next(listing)
    opened = open_below(tmp_path)
    listing.close()
    any_picture(tree)
    assert opened or not Path("/proc/self/fd").is_dir()
    assert open_below(tmp_path) == []


def test_links_are_followed_when_asked_and_rings_end(tmp_path):
    """A folder is entered by a link once, so that folders of links to each other are not listed without end."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "o.png").touch()
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "a.png").touch()
    (folder / "sub" / "above").symlink_to(folder)
    (folder / "above").symlink_to(tmp_path)
    (folder / "self").symlink_to(folder / "self")
    (folder / "out").symlink_to(outside)
    (folder / "out again").symlink_to(outside)
    (outside / "back").symlink_to(folder / "sub")
    (folder / "o.png").symlink_to(outside / "o.png")
    (folder / "gone.png").symlink_to(outside / "gone.png")
    assert list(list_names(folder)) == ["sub/a.png"]
    found = ["above/outside/back/a.png", "above/outside/o.png", "o.png", "out/o.png", "sub/a.png"]
    assert list(list_names(folder, follow=True)) == found
    assert count_pictures(folder, follow=True) >= 4
    for level in range(12):  # by every path there would be 4,096 ways to the file at the end
        (tmp_path / "chain" / f"{level}").mkdir(parents=True)
        for name in "ab":
            (tmp_path / "chain" / f"{level}" / name).symlink_to(tmp_path / "chain" / f"{level + 1}")
    (tmp_path / "chain" / "12").mkdir()
    (tmp_path / "chain" / "12" / "x").touch()
    assert len(list(list_names(tmp_path / "chain" / "0", follow=True))) == 1


def test_memory_does_not_grow_with_the_folder(tmp_path, peak):
    def listed():
        folders.RUN = 200
        assert sum(1 for _ in list_names(folder)) == count

    peaks = []
    for count in (1000, 8000):
        folder = tmp_path / f"{count}"
        folder.mkdir()
        for number in range(count):
            os.close(os.open(folder / f"{number:060d}.png", os.O_CREAT))
        peaks.append(peak(listed))
    # A run is sorted in memory, and of each that waits, 64 KB at most are read at once.
    assert peaks[1] - peaks[0] < 35 * (70_000 + 200 * 110) < 8000 * 1000


def test_an_entry_that_cannot_be_looked_at_is_listed(tmp_path, monkeypatch):
    for name in ("a", "b", "c"):
        (tmp_path / name).touch()
    plain = os.scandir

    class Sick:
        def __init__(self, entry):
            self.name, self._entry = entry.name, entry

        def __getattr__(self, name):
            if self.name == "b":
                raise OSError(5, "Input/output error")
            return getattr(self._entry, name)

    class Entries:
        def __init__(self, folder):
            with plain(folder) as entries:
                self._entries = list(map(Sick, entries))

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def __iter__(self):
            return iter(self._entries)

    monkeypatch.setattr(os, "scandir", Entries)
    assert list(list_names(tmp_path)) == ["a", "b", "c"]
    assert count_pictures(tmp_path) == 3


@pytest.mark.parametrize(
    ("name", "otherwise"),
    [
        ("Thumbs.db", True), ("a/desktop.ini", True), ("notes.tar.gz", True), ("a.b/c", False), ("A.PNG", False),
        ("a.avif", False), ("1.png.part", True), ("a.7z", True), ("1. a", False),
        ("v1.5", False), ("BONE", False), ("BONE.", False), (".png", False),
    ],
)  # fmt: skip
def test_a_suffix_says_that_a_file_is_no_picture(name, otherwise):
    assert is_named_otherwise(name) is otherwise

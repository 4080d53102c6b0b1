"""The merge of a folder with the ledger, without either."""

import random

import pytest

from storage.ledger.ledger import KnownFile, PictureFile, key
from tasks.solving.choice import Unseen
from tasks.solving.merge import AnsweredFile, GoneFile, NewFile, OutdatedFile, VanishedFile, merge

SEEN = (10, 20)  # bytes, mtime in ns


def known(path: str, **more) -> KnownFile:
    row = KnownFile(key(path), *SEEN, settings=1, passing=0, gone=0, target=None, digest=b"d", status="solved", run=1)
    return row._replace(**more)


def new(path: str, size: int = 10, mtime: int = 20, digest: bytes | None = None) -> PictureFile:
    return PictureFile(path, size, mtime, digest)


def test_files_and_rows_are_walked_side_by_side():
    rows = [known(name) for name in ("a", "b", "d", "f", "g")]
    files = [("b", SEEN), ("c", SEEN), ("d", (11, 20)), ("e", Unseen.GONE)]
    assert list(merge(files, rows)) == [
        GoneFile(rows[0]), AnsweredFile("b", rows[1]), NewFile(new("c")), OutdatedFile(new("d", 11), rows[2]),
        VanishedFile("e"), GoneFile(rows[3]), GoneFile(rows[4]),
    ]  # fmt: skip


def test_an_empty_folder_and_an_empty_ledger():
    assert list(merge([], [])) == []
    assert list(merge([], [known("a")])) == [GoneFile(known("a"))]
    assert list(merge([("a", SEEN)], [])) == [NewFile(new("a"))]


@pytest.mark.parametrize(
    ("state", "changes", "settings", "digest"),
    [
        ((10, 21), {}, None, b"d"),  # the content may be the same
        ((10, 21), {}, 1, b"d"),
        ((11, 20), {}, None, None),
        (SEEN, {"passing": 1}, None, None),
        (SEEN, {"settings": 2}, 1, None),
        ((10, 21), {"settings": 2}, 1, None),
    ],
)
def test_a_file_is_outdated(state, changes, settings, digest):
    row = known("a", **changes)
    assert list(merge([("a", state)], [row], settings)) == [OutdatedFile(new("a", *state, digest), row)]


@pytest.mark.parametrize(("changes", "settings"), [({}, None), ({}, 1), ({"settings": 2}, None), ({"gone": 1}, 1)])
def test_an_answer_holds(changes, settings):
    row = known("a", **changes)
    assert list(merge([("a", SEEN)], [row], settings)) == [AnsweredFile("a", row)]


@pytest.mark.parametrize("rows", [[], [known("a")], [known("a", size=0, mtime=0)]])
def test_a_file_that_cannot_be_looked_at_is_new_and_one_that_vanished_is_not_gone(rows):
    assert list(merge([("a", Unseen.REFUSED)], rows)) == [NewFile(new("a", 0, 0))]
    assert list(merge([("a", Unseen.GONE)], rows)) == [VanishedFile("a")]


@pytest.mark.parametrize("seed", range(20))
def test_each_name_comes_once_in_the_order_of_a_listing(seed):
    random_ = random.Random(seed)
    names = sorted({"/".join(random_.choices("ab-.é", k=random_.randint(1, 3))) for _ in range(30)}, key=key)
    files = [name for name in names if random_.random() < 0.6]
    rows = [known(name) for name in names if random_.random() < 0.6]
    found = list(merge([(name, SEEN) for name in files], rows))
    places = [
        one.known.key if isinstance(one, GoneFile) else key(one.picture.path if isinstance(one, NewFile) else one.path)
        for one in found
    ]
    assert places == sorted({*map(key, files), *(row.key for row in rows)})
    assert [one.path for one in found if isinstance(one, AnsweredFile)] == [
        name for name in files if key(name) in {row.key for row in rows}
    ]


def test_only_what_is_compared_is_in_memory():
    asked = []

    def rows():
        for number in range(100):
            asked.append(number)
            yield known(f"{number:03d}")

    findings = merge(((f"{number:03d}", SEEN) for number in range(100)), rows())
    for _ in range(10):
        next(findings)
    assert len(asked) <= 12

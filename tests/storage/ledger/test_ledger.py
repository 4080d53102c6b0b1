"""The ledger: keys in the order of a listing, transactions, several runs, damage."""

import random
import re
import sqlite3
from pathlib import Path

import pytest

from storage.errors import Busy, Damaged, Unwritable
from storage.files.locks import inbox_locked
from storage.ledger import ledger as ledger_module
from storage.ledger.ledger import ANSWER, Answer, Ledger, LedgerEntry, PictureFile, key, path_of
from storage.ledger.schema import SCHEMA

NAMES = ["a", "a.b/c", "a-", "ab/z", "ab/b/1", "ab.png", "b\n2", "c'\"", "é", "z/é/é", "ｚ", "\U0001f600", "\udcff.png"]
SOLVED = Answer("BONE", 0.875, "BONE", 0.5, "BOND", 0.125, None, None, 4, "solved", None)


def entry(path: str, digest: bytes | None = None, answer: Answer = SOLVED, size: int = 1, **more) -> LedgerEntry:
    return LedgerEntry(PictureFile(path, size, 2**62, digest), answer, **more)


def record(ledger: Ledger, entries: list[LedgerEntry], folder: int = 1, settings: int = 1, run: int = 1) -> None:
    with ledger.transaction():
        ledger.record(folder, settings, run, entries)


@pytest.fixture
def ledger(tmp_path):
    with Ledger(tmp_path / "answers" / "ledger.sqlite") as one:
        assert (one.folder(tmp_path), one.settings("m", "{}"), one.begin(1)) == (1, 1, 1)
        yield one


def test_keys_sort_as_a_listing_and_come_back():
    listed = sorted(NAMES, key=lambda name: name.split("/"))
    assert sorted(NAMES, key=key) == listed
    assert [path_of(key(name)) for name in NAMES] == NAMES
    assert len({key(name) for name in [*NAMES, "\udced\udcb3\udcbf.png"]}) == len(NAMES) + 1


@pytest.mark.parametrize("chunk", [1, 2, 13, 100])
def test_pictures_come_back_in_order_in_chunks(ledger, monkeypatch, chunk):
    monkeypatch.setattr(ledger_module, "CHUNK", chunk)
    record(ledger, [entry(name, bytes([k])) for k, name in enumerate(random.Random(1).sample(NAMES, len(NAMES)))])
    record(ledger, [entry("of another folder")], folder=2)
    assert [path_of(one.key) for one in ledger.known(1)] == sorted(NAMES, key=key)
    assert [path_of(one.key) for one in ledger.known(1, only="ab/z")] == ["ab/z"]
    assert list(ledger.known(1, only="ab")) == []
    assert list(ledger.results(1)) == [(name, SOLVED) for name in sorted(NAMES, key=key)]
    assert list(ledger.results(1, only="é")) == [("é", SOLVED)]
    one = next(ledger.known(1, only="a"))
    assert (one.size, one.mtime, one.settings, one.passing, one.gone, one.target, one.status) == (
        1, 2**62, 1, 0, 0, None, "solved",
    )  # fmt: skip


def test_what_was_moved_stays_in_the_results_and_out_of_the_way(ledger):
    for number in range(3):  # the same name three times
        record(ledger, [entry("b", bytes([number]), target=f"/to/b-{number}"), entry("c")], run=number + 1)
        with ledger.transaction():
            ledger.mark_moved(1, ["b"])
    record(ledger, [entry("b", b"new", target="/to/\udcff")], run=4)
    assert [(path_of(one.key), one.target) for one in ledger.known(1)] == [("b", b"/to/\xff"), ("c", None)]
    assert [row[0] for row in ledger.results(1)] == ["b", "b", "b", "b", "c"]
    assert [row[0] for row in ledger.results(1, after=2)] == ["b", "b", "c"]
    assert set(ledger.answers([b"\0", b"\1", b"new", b"none"], 1)) == {b"\0", b"\1", b"new"}
    with ledger.transaction():
        ledger.mark_moving(1, [("b", None)])
    assert next(ledger.known(1)).target is None


def test_what_is_gone_is_not_in_the_results_until_it_is_back(ledger):
    record(ledger, [entry("a"), entry("b")])
    before = ledger.changes(1)
    with ledger.transaction():
        ledger.mark_gone(1, [key("a")], True)
    assert ledger.changes(1) > before
    assert [row[0] for row in ledger.results(1)] == ["b"]
    assert [one.gone for one in ledger.known(1)] == [1, 0]
    with ledger.transaction():
        ledger.touch(1, [PictureFile("a", 1, 7, None)])
    assert [(one.gone, one.mtime) for one in ledger.known(1)] == [(0, 7), (0, 2**62)]


def test_answers_are_of_the_settings_that_are_asked_for(ledger):
    assert ledger.settings("m", "[]") == 2
    assert ledger.settings("m", "{}") == 1
    failed = Answer(segments=0, status="failed", reason="no letter found")
    record(ledger, [entry("a", b"a"), entry("b", b"b", failed), entry("c", b"c", failed, passing=True)])
    wanted = [b"a", b"b", b"c", *(b"%d" % number for number in range(2000))]
    assert ledger.answers(wanted, 1) == {b"a": SOLVED, b"b": failed}
    assert ledger.answers(wanted, 2) == {}


def test_pictures_wait_in_chunks_and_may_be_put_back(ledger, monkeypatch):
    monkeypatch.setattr(ledger_module, "CHUNK", 2)
    pictures = [PictureFile(f"{number}", number, 5, b"d") for number in range(5)]
    ledger.wait(pictures)
    found = []
    for some in ledger.waiting():
        found += some
        ledger.wait([some[0]])
    assert found == pictures
    assert [one.path for some in ledger.waiting() for one in some] == ["0", "2", "4"]
    assert list(ledger.waiting()) == []


def test_runs_know_which_of_them_wrote_results(ledger):
    assert ledger.written(1) == (0, {})
    second, third = ledger.begin(1), ledger.begin(1)
    ledger.begin(2)
    with ledger.transaction():
        ledger.finish(second, {"rows": {"solved": 3}})
    assert second < third
    assert ledger.written(1) == (second, {"rows": {"solved": 3}})
    assert ledger.written(2) == (0, {})


def test_a_transaction_is_whole_or_not_there(ledger):
    with pytest.raises(ZeroDivisionError), ledger.transaction():
        ledger.record(1, 1, 1, [entry("a")])
        raise ZeroDivisionError
    assert list(ledger.known(1)) == []
    record(ledger, [entry("b")])
    assert len(list(ledger.known(1))) == 1


def test_one_file_is_left_and_another_run_may_read_meanwhile(tmp_path):
    path = tmp_path / "ledger.sqlite"
    with Ledger(path) as one, Ledger(path) as other:
        folder = one.folder(Path("/in"))
        with one.transaction():
            one.record(folder, 1, 1, [entry("a")])
            assert list(other.known(folder)) == []
        assert len(list(other.known(folder))) == 1
        assert other.knows(Path("/in"))
        assert not other.knows(Path("/out"))
    assert [file.name for file in tmp_path.iterdir()] == ["ledger.sqlite"]


def altered(*statements: str):
    """Change a ledger with a picture, as another program could."""

    def change(path: Path) -> None:
        with Ledger(path) as one:
            record(one, [entry("a", b"d")], one.folder(path.parent), one.settings("m", "{}"), one.begin(1))
            with one.transaction():
                one.finish(1, {"rows": {"solved": 1}})
        base = sqlite3.connect(path, isolation_level=None)
        for statement in statements:
            base.execute(statement)
        base.close()

    return change


def of_another_program(path: Path) -> None:
    base = sqlite3.connect(path)
    base.execute("CREATE TABLE theirs (x)")
    base.close()


def rebuilt(old: str, new: str):
    """Build the table of pictures anew with other columns."""
    statement = next(some for some in SCHEMA.split(";") if "CREATE TABLE pictures" in some)
    assert old in statement
    return altered("DROP TABLE pictures", statement.replace(old, new))


OTHER = '{"rows": {"solved": "x"}}'
NOT_OURS = {
    "newer": (altered("PRAGMA user_version = 2"), "is of format 2, and this version knows 1 only"),
    "older": (altered("PRAGMA user_version = 0"), "is of format 0, and this version knows 1 only"),
    "another application": (altered("PRAGMA application_id = 7"), "is another program's database"),
    "another program": (of_another_program, "is another program's database"),
    "no table": (altered("DROP TABLE runs"), "'runs' is missing"),
    "a view": (
        altered("ALTER TABLE folders RENAME TO hidden", "CREATE VIEW folders AS SELECT * FROM hidden"),
        "'folders' is a view",
    ),
    "no column": (altered("ALTER TABLE settings RENAME COLUMN model TO type"), "'settings' lacks column 'model'"),
    "a column more": (altered("ALTER TABLE runs ADD COLUMN colour"), "'runs' has an unknown column 'colour'"),
    "another column": (rebuilt("size INTEGER NOT NULL", "size TEXT"), "'pictures' has another column 'size'"),
    "another key": (
        altered("DROP TABLE settings",
                "CREATE TABLE settings (id INTEGER PRIMARY KEY, model TEXT NOT NULL, text TEXT NOT NULL)"),
        "'settings' has other unique keys",
    ),
    "a trigger": (
        altered("CREATE TRIGGER t AFTER INSERT ON runs BEGIN DELETE FROM pictures; END"), "it has a trigger, 't'",
    ),
    "a rule": (rebuilt("segments INTEGER", "segments INTEGER CHECK (run < 2)"), "CHECK constraint failed"),
    "a default": (
        rebuilt("gone INTEGER NOT NULL DEFAULT 0", f"gone INTEGER NOT NULL DEFAULT (abs({-1 << 63}))"),
        "integer overflow",
    ),
    "an index": (
        altered("DELETE FROM pictures", "CREATE INDEX i ON pictures (zeroblob(2000000000 + size))"),
        "string or blob too big",
    ),
    "no more runs": (altered(f"UPDATE sqlite_sequence SET seq = {(1 << 63) - 1}"), "its runs have no more numbers"),
    "settings": (altered("UPDATE settings SET text = '{'"), "the text of its settings is no JSON"),
    "settings in bytes": (altered("UPDATE settings SET text = x'7b7d'"), "the text of its settings is no JSON"),
    "bad JSON": (altered("UPDATE runs SET results = '{'"), "the results of a run are not"),
    "other JSON": (altered("UPDATE runs SET results = '[1]'"), "the results of a run are not"),
    "deep JSON": (altered(f"UPDATE runs SET results = '{'[' * 9999}'"), "the results of a run are not"),
    "no numbers": (altered(f"UPDATE runs SET results = '{OTHER}'"), "the results of a run are not"),
    "results in bytes": (altered("UPDATE runs SET results = x'ff'"), "the results of a run are not"),
    "changes": (altered("UPDATE folders SET changes = 'x'"), "a number is missing, or holds something else"),
} | {
    f"{column} = {value}": (altered(f"UPDATE pictures SET {column} = {value}"), said)
    for column, value, said in (
        ("size", "'x'", "column 'size' of a row holds a value of type str"),
        ("mtime", "x'00'", "column 'mtime' of a row holds a value of type bytes"),
        ("mtime", "1e300", "column 'mtime' of a row holds a value of type float"),
        ("digest", "'d'", "column 'digest' of a row holds a value of type str"),
        ("passing", "'x'", "column 'passing' of a row"), ("gone", "'x'", "column 'gone' of a row"),
        ("settings", "'x'", "column 'settings' of a row"), ("run", "'x'", "column 'run' of a row"),
        ("target", "'x'", "column 'target' of a row"), ("number", "'x'", "column 'number' of a row"),
        ("word", "x'ff'", "column 'word' of a row holds a value of type bytes"),
        ("reason", "CAST(x'ff' AS TEXT)", "a text is not UTF-8"), ("status", "CAST(x'ff' AS TEXT)", "is not UTF-8"),
        ("confidence", "'high'", "column 'confidence' of a row holds a value of type str"),
        ("segments", "'x'", "column 'segments' of a row"), ("status", "'maybe'", "the status of a row is none of"),
        ("path", "x'ff'", "a path is not UTF-8"),
    )
}  # fmt: skip


@pytest.mark.parametrize("kind", NOT_OURS)
def test_a_database_that_is_not_ours_is_moved_aside_with_its_reason(tmp_path, kind):
    """Nothing of it is lost, and the next run begins a new ledger."""
    path = tmp_path / "ledger.sqlite"
    change, said = NOT_OURS[kind]
    change(path)
    before = path.read_bytes()
    with pytest.raises(Damaged, match=re.escape(said)) as error:  # noqa: SIM117
        with Ledger(path) as one:
            folder = one.folder(tmp_path)
            list(one.known(folder))
            list(one.results(folder))
            one.answers([b"d"], 1)
            one.changes(folder)
            one.written(folder)
            record(one, [entry("b", b"e")], folder, run=2)
    (aside,) = [file for file in tmp_path.iterdir() if not file.name.endswith(("-wal", "-shm"))]
    assert re.search(
        rf"ledger\.sqlite: .*; it was moved to {aside.name}\. Give the same command again", str(error.value)
    )
    assert sqlite3.connect(aside).execute("PRAGMA integrity_check").fetchone() == ("ok",)
    if kind in ("newer", "another program"):
        assert aside.read_bytes() == before
    with Ledger(path) as one:
        assert list(one.known(one.folder(tmp_path))) == []


def test_tables_and_indexes_that_people_add_are_let_be(tmp_path):
    path = tmp_path / "ledger.sqlite"
    altered("CREATE TABLE mine (x)", "CREATE VIEW words AS SELECT word FROM pictures",
            "CREATE INDEX words_of ON pictures (word)", "ANALYZE")(path)  # fmt: skip
    with Ledger(path) as one:
        assert len(list(one.known(1))) == 1


@pytest.mark.parametrize("part", ["head", "body"])
def test_a_damaged_ledger_is_moved_aside_and_the_next_run_begins_a_new_one(tmp_path, part):
    path = tmp_path / "ledger.sqlite"
    with Ledger(path) as one:
        folder = one.folder(tmp_path)
        record(one, [entry(f"{number}", b"%d" % number) for number in range(2000)], folder)
    data = path.read_bytes()
    at = 0 if part == "head" else 4096
    damaged = data[:at] + bytes(len(data) - 4096 if at else 64) + (b"" if at else data[64:])
    path.write_bytes(damaged)
    with pytest.raises(Damaged, match=r"moved to ledger.sqlite.damaged-\d+\. Give the same command again"):  # noqa: SIM117
        with Ledger(path) as one:
            list(one.known(one.folder(tmp_path)))
    (aside,) = tmp_path.iterdir()
    assert aside.name.startswith("ledger.sqlite.damaged-")
    assert aside.read_bytes() == damaged
    with Ledger(path) as one:
        assert list(one.known(one.folder(tmp_path))) == []
    assert len(list(tmp_path.iterdir())) == 2


def test_a_ledger_that_cannot_be_written(tmp_path):
    (tmp_path / "ledger.sqlite").mkdir()
    with pytest.raises(Unwritable, match="may not write there"):
        Ledger(tmp_path / "ledger.sqlite")


def test_a_folder_is_held_once(tmp_path):
    with inbox_locked(tmp_path / "answers", Path("/in")):
        with inbox_locked(tmp_path / "answers", Path("/out")):
            pass
        with (
            pytest.raises(Busy, match="/in: another run is solving it"),
            inbox_locked(tmp_path / "answers", Path("/in")),
        ):
            pass
    with inbox_locked(tmp_path / "answers", Path("/in")):
        pass
    assert {file.suffix for file in (tmp_path / "answers" / "locks").iterdir()} == {".lock"}


def test_memory_does_not_grow_with_the_number_of_pictures(ledger, tmp_path, peak):
    file = tmp_path / "answers" / "ledger.sqlite"

    def listed():
        ledger_module.CHUNK = 100
        with Ledger(file) as one:
            assert sum(1 for _ in one.known(1)) == sum(1 for _ in one.results(1)) == count

    peaks = []
    for count in (1000, 8000):
        record(ledger, [entry(f"{number:050d}", b"%032d" % number) for number in range(count)])
        peaks.append(peak(listed))
    assert peaks[1] - peaks[0] < 100_000  # the rows alone are a megabyte


def test_listings_use_the_order_of_the_table(ledger):
    """No sorting and no scan, and a content that a million pictures have is found as soon as any."""
    base = sqlite3.connect(ledger._base.path)
    for query in (
        "SELECT path FROM pictures WHERE folder = 1 AND moved = 0 AND path > x'00' ORDER BY path LIMIT 9",
        "SELECT path FROM pictures WHERE folder = 1 AND moved = 1 AND (path, number) > (x'00', 1) AND gone = 0 "
        "ORDER BY path, number LIMIT 9",
    ):
        (step,) = [row[3] for row in base.execute("EXPLAIN QUERY PLAN " + query)]
        assert step.startswith("SEARCH pictures USING PRIMARY KEY (folder=? AND moved=? AND ")
    (step,) = [row[3] for row in base.execute("EXPLAIN QUERY PLAN " + ledger_module._ANSWER, (b"", 1))]
    assert step == "SEARCH pictures USING INDEX pictures_of_digest (digest=? AND settings=?)"
    base.close()


def test_the_columns_of_an_answer_are_those_of_the_table(ledger):
    base = sqlite3.connect(ledger._base.path)
    names = [row[1] for row in base.execute("PRAGMA table_info(pictures)")]
    base.close()
    assert tuple(names[-len(ANSWER) :]) == ANSWER

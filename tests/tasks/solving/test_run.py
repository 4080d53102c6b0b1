"""An inbox over several runs, without Dask: what is read, what is remembered, and what a kill costs."""

import errno
import itertools
import os
import random
import sqlite3
import struct
from collections import Counter, deque
from contextlib import closing
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from storage.errors import BadInput, NotThere
from storage.files.stamps import stamp_of
from storage.ledger import ledger as ledger_module
from storage.ledger.ledger import LEDGER, KnownFile, Ledger, digest_of, key
from tasks.loading import listing
from tasks.loading.safe_read import Fatal
from tasks.lowlevel.png_encoder import png
from tasks.reading.ranking import Ranking
from tasks.solving import batches, moving, results, survey
from tasks.solving import choice as solving_choice
from tasks.solving import inbox as inbox_module
from tasks.solving import run as solving_run
from tasks.solving.batches import LookJob, SolvePlan, SolveReceipt
from tasks.solving.choice import SolveChoice
from tasks.solving.inbox import Inbox
from tasks.solving.isolated import read_batch
from tasks.solving.results import AnswersFile, write_results
from tasks.solving.run import next_attempt
from tasks.solving.survey import ANSWERED, OTHERS
from tasks.solving.tables import AnswerFormat

PLAN = SolvePlan("model", "0" * 64, "", Ranking.NONE, 0.0)
OTHER = SolvePlan("model", "1" * 64, "", Ranking.NONE, 0.0)
NAMES = ["a", "a.b/c", "a-", "ab/z", "ab/b/1", "ab.png", "b\n2", "c'\"", "é", "z/é/é", "ｚ", "\U0001f600", "\udcff.png"]


def draw(path: Path, number: int) -> Path:
    image = np.zeros((3, 4), np.uint8)
    image[1, 1], image[1, 2] = number, 255
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png(image))
    return path


@pytest.fixture
def read(read_numbers, monkeypatch) -> list[str]:
    """The paths that were read, in order; batches are small, so that several are in flight."""
    monkeypatch.setattr(solving_run, "BATCH", 2)
    monkeypatch.setattr(solving_run, "LOOKED", 3)
    monkeypatch.setattr(survey, "NOTED", 3)
    monkeypatch.setattr(inbox_module, "WRITTEN", 3)
    monkeypatch.setattr(ledger_module, "CHUNK", 4)
    monkeypatch.setattr(moving, "AT_ONCE", 2)
    return read_numbers


@pytest.fixture
def folder(tmp_path) -> Path:
    for number, name in enumerate(random.Random(1).sample(NAMES, len(NAMES)), 10):
        draw(tmp_path / "in" / name, number)
    return tmp_path / "in"


class WorkersGone(Exception):
    pass


def flown(unit, jobs, flight: int = 3):
    """Receipts of jobs of which some are always on their way, as of `fan_out`."""
    under_way = deque(itertools.islice(jobs, flight))
    while under_way:
        yield unit(under_way.popleft())
        under_way.extend(itertools.islice(jobs, 1))


def flat_rows(inbox: Inbox) -> dict[str, tuple]:
    return {path: (path, *answer) for path, answer in inbox.ledger.results(inbox.folder)}


def run(path: Path, plan: SolvePlan = PLAN, unit=read_batch, look=batches.look, **options) -> SimpleNamespace:
    """What the flow does; `.rows` are the results, as a dictionary."""
    home = path.parent if path.is_dir() else path.parent.parent
    wanted = AnswersFile(home / "answers.csv", options.pop("format", AnswerFormat.CSV), options.pop("only_new", False))
    early = options.pop("early", None)
    choice = SolveChoice(path, settle=options.pop("settle", 0.0), **options)
    done = []
    with Ledger(home / LEDGER, durable=bool(choice.move_to)) as ledger:
        inbox = Inbox(choice, plan, ledger, early)
        while attempt := next_attempt(inbox):
            try:
                attempt.solve(partial(flown, look), lambda jobs, _: flown(unit, jobs), done.append)
                break
            except WorkersGone:  # the flow's task is tried again
                done.clear()
        counts = write_results(inbox, wanted).counts
        sheet = results.answers_sheet(inbox)
        rows = flat_rows(inbox)
    outcome = inbox.outcome
    assert outcome.done == outcome.total
    assert done == sorted(done)
    assert not done or done[-1] <= outcome.total
    return SimpleNamespace(outcome=outcome, mover=inbox.mover, rows=rows, written=counts, out=wanted.out, sheet=sheet)


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_only_what_is_new_or_changed_is_read(folder, read):
    first = run(folder)
    assert sorted(read) == sorted(NAMES)
    assert first.outcome.counts == {"solved": 13}
    assert first.outcome.read == 13
    assert list(first.rows) == sorted(NAMES, key=lambda name: name.split("/"))
    read.clear()
    second = run(folder)
    assert read == []
    assert (second.outcome.total, second.outcome.skipped, second.outcome.counts) == (13, {ANSWERED: 13}, {})
    assert second.rows == first.rows
    draw(folder / "new" / "a", 80)
    draw(folder / "ab.png", 81)
    third = run(folder)
    assert sorted(read) == ["ab.png", "new/a"]
    assert third.outcome.counts == {"solved": 2}
    assert third.rows == first.rows | {
        name: (name, f"W{number}", 0.25, f"W{number}", 0.5, None, None, None, None, 4, "solved", None)
        for name, number in (("ab.png", 81), ("new/a", 80))
    }


def test_files_of_other_kinds_are_passed_over_and_counted(folder, read):
    """By suffix and content: a picture by another name is read, and a damaged picture fails."""
    for name in ("Thumbs.db", "ab/desktop.ini", "notes.txt", "empty.log"):
        (folder / name).write_bytes(b"" if name == "empty.log" else b"no picture")
    for name in ("cut.png", "b.avif", "none"):
        (folder / name).write_bytes(b"no picture")
    draw(folder / "picture.txt", 90)
    first = run(folder)
    assert first.outcome.skipped == {"no picture by its kind": 4}
    assert first.outcome.counts == {"solved": 14, "failed": 3}
    assert {row["path"] for row in first.outcome.failures} == {"cut.png", "b.avif", "none"}
    assert (first.outcome.total, len(first.rows), first.rows["picture.txt"][1]) == (21, 17, "W90")
    read.clear()
    assert run(folder).outcome.skipped == {ANSWERED: 17, "no picture by its kind": 4}
    assert read == []
    assert run(folder / "notes.txt").outcome.counts == {"failed": 1}  # named by the user


def test_another_time_alone_is_no_change(folder, read):
    first = run(folder)
    read.clear()
    for name in NAMES[:5]:
        os.utime(folder / name, ns=(1, 2))
    assert run(folder).rows == first.rows
    looked = []
    assert run(folder, look=lambda job: looked.append(job) or batches.look(job)).outcome.skipped == {ANSWERED: 13}
    assert looked == read == []  # the new time is known by now
    os.utime(folder / "a", ns=(1, 3))
    data = bytearray((folder / "a").read_bytes())
    draw(folder / "a", 77)
    assert len((folder / "a").read_bytes()) == len(data)
    assert run(folder).rows["a"][1] == "W77"
    assert read == ["a"]


@pytest.mark.parametrize("moves", [False, True])
@pytest.mark.parametrize("lost_at", [0, 1, 3, 6, (1, 4), (2, 3, 5)])
def test_a_run_whose_workers_are_lost_goes_on_and_counts_all_of_itself(tmp_path, read, lost_at, moves, monkeypatch):
    folder, turn = tmp_path / "in", itertools.count()
    for number in range(20):
        draw(folder / f"{number:02d}", 10 + number % 12)
    draw(folder / "blank", 95)
    (folder / "empty").touch()
    options = {"move_to": tmp_path / "done"} if moves else {}
    run(folder, **options)
    for number in range(20):
        draw(folder / f"new-{number:02d}", 40 + number % 12)
    draw(folder / "blank-2", 94)
    (folder / "text").write_text("no picture")
    read.clear()
    lost = {lost_at} if isinstance(lost_at, int) else set(lost_at)

    def unit(job):
        if next(turn) in lost:
            raise WorkersGone
        return read_batch(job)

    result = run(folder, unit=unit, **options)
    assert next(turn) > max(lost) + 1
    assert Counter(read).most_common(1)[0][1] <= 1 + len(lost)
    assert result.outcome.counts == {"solved": 20, "failed": 2}
    assert result.outcome.skipped == {ANSWERED: 2 if moves else 22}
    assert result.outcome.total == (24 if moves else 44)
    assert sorted(one["path"] for one in result.outcome.failures) == ["blank-2", "text"]
    assert result.mover.moved == (20 if moves else 0)
    assert result.mover.unmoved == []
    assert len(result.rows) == 44
    if moves:
        assert len(files(tmp_path / "done")) == 40
        assert files(folder) == ["blank", "blank-2", "empty", "text"]
    assert run(folder, **options).outcome.counts == {}


@pytest.mark.parametrize("seed", range(20))
def test_workers_lost_at_any_moment_and_files_moved_that_were_solved_before(tmp_path, read, seed, monkeypatch):
    random_ = random.Random(seed)
    flights = iter([random_.choice([1, 2, 5, 9]) for _ in range(100)])
    folder, names = tmp_path / "in", [f"{number:02d}" for number in range(40)]
    for name in names:
        draw(folder / name, random_.randrange(10, 25))
    later = random_.sample(names, random_.choice([20, 30, 39]))
    for name in later:
        (folder / name).rename(tmp_path / name)
    run(folder)
    for name in later:
        (tmp_path / name).rename(folder / name)
    chance = random_.choice([0.1, 0.3])

    def unit(job):
        if random_.random() < chance:
            monkeypatch.setattr(flown, "__defaults__", (next(flights),))
            raise WorkersGone
        return read_batch(job)

    to = random_.choice([None, tmp_path / "done"])
    result = run(folder, unit=unit, move_to=to)
    assert result.outcome.total == 40
    assert result.outcome.counts.keys() <= {"solved"}
    assert result.outcome.skipped.keys() <= {ANSWERED}
    assert (result.mover.moved, result.mover.unmoved) == (40 if to else 0, [])
    assert files(to or folder) == names
    assert len(result.rows) == 40


@pytest.mark.parametrize("flight", [1, 2, 5])
def test_a_content_is_read_once_under_any_number_of_names(tmp_path, read, flight, monkeypatch):
    monkeypatch.setattr(flown, "__defaults__", (flight,))
    folder = tmp_path / "in"
    for number in range(40):
        draw(folder / f"{number:02d}", 10 + number % 5)
    for number in range(40, 50):
        draw(folder / f"{number:02d}", 95)  # no letter in it
    result = run(folder)
    assert len(read) == result.outcome.read == 6
    assert result.outcome.counts == {"solved": 40, "failed": 10}
    assert [row[1] for row in result.rows.values()] == [f"W{10 + number % 5}" for number in range(40)] + [None] * 10
    draw(folder / "later", 12)
    assert run(folder).outcome.counts == {"solved": 1}
    assert len(read) == 6
    draw(tmp_path / "other" / "x", 12)
    assert run(tmp_path / "other").outcome.read == 0  # nor under another folder


def test_another_file_is_read_where_the_first_of_its_content_has_changed(tmp_path, read):
    folder, turn = tmp_path / "in", itertools.count()
    for name in "abcd":
        draw(folder / name, 12)

    def unit(job):
        if next(turn) == 0:
            draw(folder / job.files[0].path, 13)
            os.utime(folder / job.files[0].path, ns=(1, 1))
        return read_batch(job)

    first = run(folder, unit=unit)
    assert first.outcome.counts == {"solved": 3}
    assert first.outcome.left == [{"path": "a", "reason": "still being written"}]
    assert [row[1] for row in first.rows.values()] == ["W12"] * 3
    assert run(folder).rows["a"][1] == "W13"


def test_what_failed_for_a_passing_reason_is_tried_again(folder, read, monkeypatch):
    (folder / "empty").touch()
    (folder / "text").write_text("no picture")
    draw(folder / "blank", 95)
    opened = os.open

    def refuse(path, *more, **options):  # chmod does not stop root
        if str(path).endswith("ab/z"):
            raise PermissionError(13, "Permission denied")
        return opened(path, *more, **options)

    monkeypatch.setattr(os, "open", refuse)
    first = run(folder)
    assert first.outcome.counts == {"solved": 12, "failed": 4}
    assert "Permission denied" in first.rows["ab/z"][-1]
    assert {row["path"] for row in first.outcome.failures} == {"ab/z", "empty", "text", "blank"}
    read.clear()
    assert run(folder).outcome.counts == {"failed": 1}
    monkeypatch.setattr(os, "open", opened)
    third = run(folder)
    assert (third.outcome.counts, read) == ({"solved": 1}, ["ab/z"])
    assert third.rows["ab/z"][-2] == "solved"
    assert run(folder).outcome.counts == {}


def test_a_file_that_cannot_even_be_looked_at(folder, read, monkeypatch):
    def refusing(look):
        def looked(path, **more):
            if str(path).endswith("ab/z"):
                raise PermissionError(13, "Permission denied")
            return look(path, **more)

        return looked

    with monkeypatch.context() as patch:
        for name in ("lstat", "stat"):
            patch.setattr(os, name, refusing(getattr(os, name)))
        first = run(folder)
    assert first.outcome.counts == {"solved": 12, "failed": 1}
    assert "Permission denied" in first.rows["ab/z"][-1]
    assert run(folder).outcome.counts == {"solved": 1}


def test_another_model_answers_only_when_asked_again(folder, read):
    run(folder)
    read.clear()
    other = run(folder, OTHER)
    assert (read, other.outcome.skipped) == ([], {OTHERS: 13})
    again = run(folder, OTHER, again=True)
    assert len(read) == again.outcome.read == 13
    read.clear()
    assert run(folder, OTHER, again=True).outcome.skipped == {ANSWERED: 13}
    assert run(folder, PLAN).outcome.skipped == {OTHERS: 13}
    assert run(folder, PLAN, again=True).outcome.counts == {"solved": 13}
    assert len(read) == 13


def test_a_file_that_is_still_being_written_is_left(folder, read):
    def look(job: LookJob):
        for name in ("ab.png", "é"):
            if name in [one.path for one in job.files]:
                with (folder / name).open("ab") as file:
                    file.write(b"more")
        return batches.look(job)

    first = run(folder, look=look)
    assert first.outcome.counts == {"solved": 11}
    assert first.outcome.skipped == {"still being written": 2}
    assert first.outcome.left == [{"path": name, "reason": "still being written"} for name in ("ab.png", "é")]
    assert not {"ab.png", "é"} & {*read, *first.rows}
    assert run(folder).outcome.counts == {"solved": 2}


def test_files_that_vanish_are_left(folder, read):
    def look(job: LookJob):
        if "ab.png" in [one.path for one in job.files]:
            (folder / "ab.png").unlink()
        return batches.look(job)

    assert run(folder, look=look).outcome.skipped == {"no such file": 1}
    assert "ab.png" not in run(folder).rows


class Clock:
    """A clock that only sleeping moves on."""

    def __init__(self):
        self.now, self.sleeps = 100.0, []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.sleeps.append(seconds)
        self.now += seconds


def test_two_looks_lie_apart_and_not_a_sleep_a_file(tmp_path, read, monkeypatch):
    clock, apart = Clock(), []
    monkeypatch.setattr(solving_run, "time", clock)
    monkeypatch.setattr(solving_run, "WINDOW", 10)
    monkeypatch.setattr(solving_run, "LOOKED", 5)
    first: dict[str, float] = {}
    stat = os.lstat

    def noted(path, **more):
        first.setdefault(str(path), clock.now)
        return stat(path, **more)

    monkeypatch.setattr(os, "lstat", noted)
    for number in range(120):
        draw(tmp_path / "in" / f"{number:03d}", number % 90)

    def look(job: LookJob):
        apart.extend(clock.now - first[f"{job.folder}/{one.path}"] for one in job.files)
        return batches.look(job)

    result = run(tmp_path / "in", look=look, settle=2.5)
    assert result.outcome.counts.total() == len(apart) == 120
    assert min(apart) >= 2.5
    assert len(clock.sleeps) <= 120 / 50 + 1


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(solving_run, "time", clock)
    monkeypatch.setattr(solving_choice, "time", clock)
    return clock


def test_the_wait_counts_from_an_early_look_for_files_that_stay_the_same(folder, read, clock):
    early, looked = SolveChoice(folder).look_early(), {}
    clock.now += 0.75  # servers and workers start
    draw(folder / "later", 3)
    with (folder / "a").open("ab") as still_written:
        still_written.write(b"more")

    def look(job: LookJob):
        looked.update((file.path, clock.now - 100) for file in job.files)
        return batches.look(job)

    result = run(folder, look=look, settle=1.0, early=early)
    assert result.outcome.counts.total() == 14
    assert looked["later"] == looked["a"] == 1.75
    assert min(looked.values()) == looked["a-"] == 1.0
    assert clock.sleeps == [0.25, 0.75]


def test_a_file_that_changes_after_the_early_look_and_again_is_left(folder, read, clock):
    early = SolveChoice(folder).look_early()
    clock.now += 5
    draw(folder / "a", 99).write_bytes(b"half")

    def look(job: LookJob):
        if "a" in [file.path for file in job.files]:
            draw(folder / "a", 99)
        return batches.look(job)

    result = run(folder, look=look, settle=1.0, early=early)
    assert [left["path"] for left in result.outcome.left] == ["a"]


def test_an_early_look_is_given_up_where_it_would_be_long(folder, clock, monkeypatch):
    assert SolveChoice(folder).look_early() is not None
    monkeypatch.setattr(solving_choice, "EARLY", len(NAMES) - 1)
    assert SolveChoice(folder).look_early() is None
    monkeypatch.setattr(solving_choice, "EARLY", len(NAMES))
    slow, stat = clock, os.lstat

    def slowly(path, **more):
        slow.now += 0.1
        return stat(path, **more)

    monkeypatch.setattr(os, "lstat", slowly)
    assert SolveChoice(folder).look_early() is None
    assert SolveChoice(folder / "nowhere").look_early() is not None  # the run itself tells


def test_what_is_gone_leaves_the_results_and_comes_back(folder, read, tmp_path):
    first = run(folder)
    data = (folder / "ab" / "z").read_bytes()
    times = (folder / "ab" / "z").stat()
    (folder / "ab" / "z").unlink()
    (folder / "a").rename(folder / "renamed")
    second = run(folder)
    assert set(second.rows) == {*NAMES, "renamed"} - {"ab/z", "a"}
    assert second.outcome.read == 0  # the same content under another name
    assert run(folder).outcome.skipped == {ANSWERED: 12}
    (folder / "ab" / "z").write_bytes(data)
    os.utime(folder / "ab" / "z", ns=(times.st_atime_ns, times.st_mtime_ns))
    draw(folder / "a", NAMES.index("a") + 70)
    third = run(folder)
    assert third.rows["ab/z"] == first.rows["ab/z"]
    assert third.rows["a"][1] == f"W{NAMES.index('a') + 70}"
    assert len(read) == 14
    for name in files(folder):
        (folder / name).unlink()
    assert run(folder).rows == {}
    with closing(sqlite3.connect(tmp_path / LEDGER)) as base:
        assert base.execute("SELECT count(*) FROM pictures").fetchone() == (14,)


def test_results_are_written_anew_only_where_something_changed(folder, read):
    first = run(folder)
    assert first.written == {"solved": 13}
    before = first.out.stat()
    assert run(folder).written == {"solved": 13}
    assert first.out.stat().st_ino == before.st_ino
    text = first.out.read_bytes()
    first.out.unlink()
    run(folder)
    assert first.out.read_bytes() == text
    first.out.write_text("by somebody else")
    run(folder)
    assert first.out.read_bytes() == text
    (folder / "a").unlink()
    run(folder)
    assert first.out.read_bytes().count(b"\n") == text.count(b"\n") - 1
    run(folder, format=AnswerFormat.JSONL)
    assert first.out.read_bytes().startswith(b"{")


def test_only_what_is_new(folder, read, monkeypatch):
    assert run(folder, only_new=True).written == {"solved": 13}
    assert run(folder, only_new=True).written == {}
    draw(folder / "b", 70)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(results, "write_answers", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        run(folder, only_new=True)  # the answer is remembered, the results are not written
    draw(folder / "c", 71)
    last = run(folder, only_new=True)
    assert last.written == {"solved": 2}
    assert [line.split(b",")[0] for line in last.out.read_bytes().splitlines()] == [b"path", b"b", b"c"]


def test_one_picture(folder, read):
    picture = folder / "ab" / "z"
    first = run(picture)
    assert (first.outcome.total, first.outcome.counts, read) == (1, {"solved": 1}, ["z"])
    assert first.out.read_bytes().count(b"\n") == 2
    draw(folder / "ab" / "y", 80)
    assert run(picture).outcome.skipped == {ANSWERED: 1}
    assert run(picture, OTHER, again=True).outcome.counts == {"solved": 1}
    (folder / "ab" / "link").symlink_to(picture)
    linked = run(folder / "ab" / "link")
    assert (linked.outcome.counts, linked.outcome.read) == ({"solved": 1}, 1)  # the ledger knows it of the other model
    assert set(run(folder / "ab").rows) == {"y", "z", "b/1"}


def test_links_are_followed_only_when_asked(folder, read, tmp_path):
    draw(tmp_path / "far" / "x", 60)
    (folder / "zz").symlink_to(tmp_path / "far")
    (folder / "ab" / "up").symlink_to(folder)
    (folder / "l.png").symlink_to(tmp_path / "far" / "x")
    assert set(run(folder).rows) == set(NAMES)
    followed = run(folder, follow=True)
    assert set(followed.rows) == {*NAMES, "zz/x", "l.png"}
    assert (followed.outcome.counts, followed.outcome.read) == ({"solved": 2}, 1)
    assert set(run(folder).rows) == set(NAMES)


def test_solved_files_are_moved_and_nothing_is_replaced(folder, read, tmp_path):
    to = tmp_path / "done"
    draw(folder / "blank", 95)
    (to / "ab").mkdir(parents=True)
    (to / "ab.png").write_text("mine")
    (to / "ab" / "z").mkdir()
    first = run(folder, move_to=to)
    assert (first.mover.moved, first.mover.unmoved) == (13, [])
    assert files(folder) == ["blank"]
    assert files(to) == sorted([*(name for name in NAMES if name != "ab/z"), "ab/z-2", "ab-2.png"])
    assert (to / "ab.png").read_text() == "mine"
    assert set(first.rows) == {*NAMES, "blank"}
    draw(folder / "a", 88)  # a name again, and a content again
    draw(folder / "new", 88)
    second = run(folder, move_to=to)
    assert (second.outcome.total, second.mover.moved, second.outcome.read) == (3, 2, 1)
    assert {"a-2", "new"} < set(files(to))
    assert second.written == {"solved": 15, "failed": 1}
    assert second.out.read_bytes().count(b"\na,") == 2
    assert run(folder, move_to=to).outcome.total == 1
    assert len(read) == 15


def test_what_was_solved_before_is_moved_as_well(folder, read, tmp_path):
    run(folder)
    for name in NAMES[:6]:
        os.utime(folder / name, ns=(1, 2))
    second = run(folder, move_to=tmp_path / "done")
    assert (second.mover.moved, second.outcome.read) == (13, 0)
    assert files(folder) == []
    assert files(tmp_path / "done") == sorted(NAMES)
    assert set(run(folder).rows) == set(NAMES)


def test_one_picture_that_is_moved_is_still_all_that_was_asked_for(folder, read, tmp_path, monkeypatch):
    """Its answers alone are written, and what a killed run found in its folder is still new for the next one."""
    with monkeypatch.context() as patch:
        patch.setattr(results, "write_answers", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run(folder, only_new=True)
    draw(folder / "one", 70)
    done = run(folder / "one", move_to=tmp_path / "done", again=True)
    assert (done.mover.moved, done.written) == (1, {"solved": 1})
    assert done.out.read_bytes().count(b"\n") == 2 and b"\none,W70," in done.out.read_bytes()
    assert run(folder, only_new=True).written == {"solved": len(NAMES) + 1}


def test_a_forged_ledger_gives_no_file_another_name_and_takes_none_from_elsewhere(folder, tmp_path):
    """It says that an earlier run was moving files, to where a shell reads them or from where they are another's."""
    victim, to = draw(tmp_path / "victim.png", 60), tmp_path / "to"
    with Ledger(tmp_path / LEDGER) as ledger:
        mover = moving.Mover(ledger, ledger.folder(folder), folder, None, "run")

        def moved(path: str, target: str) -> bool:
            file = folder / path
            seen, digest = stamp_of(file.stat()), digest_of(file.read_bytes())
            row = KnownFile(key(path), *seen, 1, 0, 0, os.fsencode(target), digest, "solved", 1)
            return mover.finish(row, path) and not file.exists()

        for path, target in (
            ("ab.png", f"{to}/.bashrc"), ("ab.png", f"{to}/ab.png.sh"), ("ab/z", f"{to}/z"), ("a", f"{to}/../a"),
            ("a", "a"), ("../victim.png", f"{to}/victim.png"), (str(victim), f"{to}/victim.png"),
        ):  # fmt: skip
            assert not moved(path, target), (path, target)
        assert victim.is_file() and files(folder) == sorted(NAMES) and not to.exists()
        assert moved("ab.png", f"{to}/ab-2.png") and moved("z/é/é", f"{to}/z/é/é")
    assert files(to) == ["ab-2.png", "z/é/é"]


def test_a_file_that_cannot_be_moved_is_named_and_stays(folder, read, tmp_path, monkeypatch):
    move = moving.move_new

    def refuse(path, *more):
        if path.name == "z":
            raise PermissionError(13, "Permission denied")
        return move(path, *more)

    monkeypatch.setattr(moving, "move_new", refuse)
    first = run(folder, move_to=tmp_path / "done")
    assert first.mover.unmoved == [{"path": "ab/z", "reason": "Permission denied"}]
    assert files(folder) == ["ab/z"]
    monkeypatch.setattr(moving, "move_new", move)
    assert run(folder, move_to=tmp_path / "done").mover.moved == 1
    assert files(folder) == []


@pytest.mark.parametrize("again", [True, False], ids=["and is asked for again", "and is not asked for again"])
@pytest.mark.parametrize("when", ["before", "after", "between"])
def test_a_kill_while_files_move(folder, read, tmp_path, monkeypatch, when, again):
    move, to = moving.move_new, tmp_path / "done"
    turn = itertools.count()

    def killed(path, target, *more):
        if next(turn) == 5:
            if when == "between":  # two links, or a copy: both are there
                target.parent.mkdir(parents=True, exist_ok=True)
                target.hardlink_to(path)
            if when == "after":
                move(path, target, *more)
            raise KeyboardInterrupt
        return move(path, target, *more)

    monkeypatch.setattr(moving, "move_new", killed)
    with pytest.raises(KeyboardInterrupt):
        run(folder, move_to=to)
    monkeypatch.setattr(moving, "move_new", move)
    result = run(folder, move_to=to if again else None)
    assert set(result.rows) == set(NAMES)
    assert len(read) - 13 <= 3 * 2  # three batches of two were in flight
    assert sorted(files(folder) + files(to)) == sorted(NAMES)
    assert files(folder) == [] or not again
    behind = len(files(folder))
    assert run(folder, move_to=to).mover.moved == behind
    assert (files(folder), files(to)) == ([], sorted(NAMES))


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_kill_at_any_batch_costs_that_one_at_most(tmp_path, read, monkeypatch, when):
    folder = tmp_path / "in"
    for number in range(40):
        draw(folder / f"{number:02d}", 10 + number % 30)
    write, turn, kills = Inbox.write, itertools.count(1), [2, 5, 9, 14, 15, 16, 21, 24]

    def killed(inbox, entries):
        if entries and next(turn) in kills:
            if when == "after":
                write(inbox, entries)
            raise KeyboardInterrupt
        write(inbox, entries)

    monkeypatch.setattr(Inbox, "write", killed)
    runs = 1
    while True:
        try:
            result = run(folder)
            break
        except KeyboardInterrupt:
            runs += 1
    assert runs > 5
    assert len(result.rows) == 40
    times = Counter(read)
    lost = sum(times.values()) - 30
    assert lost <= (runs - 1) * 3 * 2  # three batches of two in flight
    base = sqlite3.connect(tmp_path / LEDGER)
    by_run = dict(base.execute("SELECT run, count(*) FROM pictures GROUP BY run"))
    base.close()
    assert sum(by_run.values()) == 40
    assert len(by_run) > 3


def test_a_batch_that_costs_a_worker_is_read_apart_and_only_its_culprit_fails(folder, read):
    poison = draw(folder / "poison", 66)
    draw(folder / "zz", 66)  # the same content
    read_apart = []

    def flying(job):
        if any(one.path in ("poison", "zz") for one in job.files):
            if not job.alone:
                return job
            read_apart.append(len(job.files))
            answers = [Fatal("ended the process") if one.path == "poison" else None for one in job.files]
            whole = batches.solve_batch(job).answers
            return SolveReceipt(job.files, tuple(a or b for a, b in zip(answers, whole, strict=True)))
        return read_batch(job)

    def read_all(jobs, on_lost):
        for receipt in flown(flying, jobs):
            if isinstance(receipt, SolveReceipt):
                yield receipt
            else:
                (other,) = on_lost(receipt)
                yield flying(other)

    with Ledger(folder.parent / LEDGER) as ledger:
        inbox = Inbox(SolveChoice(folder, settle=0.0), PLAN, ledger)
        next_attempt(inbox).solve(partial(flown, batches.look), read_all)
        rows = flat_rows(inbox)
    assert len(read_apart) == 1
    assert inbox.outcome.counts == {"solved": 13, "failed": 2}
    assert rows["poison"][-2:] == rows["zz"][-2:] == ("failed", "ended the process")
    poison.unlink()
    assert run(folder).outcome.counts == {"solved": 1}  # that may pass: here it did


def test_a_batch_that_is_lost_apart_as_well_fails_for_now(folder, read):
    def read_all(jobs, on_lost):
        for job in jobs:
            (apart,) = on_lost(job)
            assert apart.alone
            assert on_lost(apart) == []
        yield from ()

    with Ledger(folder.parent / LEDGER) as ledger:
        inbox = Inbox(SolveChoice(folder, settle=0.0), PLAN, ledger)
        next_attempt(inbox).solve(partial(flown, batches.look), read_all)
        assert inbox.outcome.counts == {"failed": 13}
        assert "too little memory" in inbox.outcome.failures[0]["reason"]
    assert run(folder).outcome.counts == {"solved": 13}


def test_an_attempt_solves_once(folder, read):
    with Ledger(folder.parent / LEDGER) as ledger:
        inbox = Inbox(SolveChoice(folder, settle=0.0), PLAN, ledger)
        attempt = next_attempt(inbox)
        attempt.solve(partial(flown, batches.look), lambda jobs, _: flown(read_batch, jobs))
        with pytest.raises(RuntimeError, match="`next_attempt` gives the next attempt"):
            attempt.solve(partial(flown, batches.look), lambda jobs, _: flown(read_batch, jobs))
        assert next_attempt(inbox) is None
        assert inbox.outcome.counts == {"solved": len(NAMES)}


@pytest.mark.slow
def test_memory_does_not_grow_with_what_is_known(tmp_path, read, peak):
    def nothing():
        solving_run.LOOKED = survey.NOTED = ledger_module.CHUNK = listing.RUN = 100
        with Ledger(folder.parent / LEDGER) as ledger:
            inbox = Inbox(SolveChoice(folder), PLAN, ledger)
            assert next_attempt(inbox) is None
            assert inbox.outcome.total == count

    folder, peaks = tmp_path / "in", []
    for count in (300, 2400):
        for number in range(count):
            if not (folder / f"{number % 40}" / f"{number:040d}").exists():
                draw(folder / f"{number % 40}" / f"{number:040d}", number % 90)
        run(folder)
        peaks.append(peak(nothing))
    assert peaks[1] - peaks[0] < 100_000


def test_what_cannot_be_is_refused(tmp_path):
    folder = tmp_path / "in"
    draw(folder / "a", 1)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "out.csv").touch()
    with pytest.raises(NotThere, match="no such file or folder"):
        SolveChoice(tmp_path / "none").require_possible()
    with pytest.raises(BadInput, match="has no file"):
        SolveChoice(tmp_path / "empty", skip=(tmp_path / "empty" / "out.csv",)).require_possible()
    SolveChoice(tmp_path / "empty").require_possible()
    (tmp_path / "empty" / "out.csv").unlink()
    SolveChoice(tmp_path / "empty").require_possible(may_be_empty=True)
    SolveChoice(folder, move_to=tmp_path / "done").require_possible()
    SolveChoice(folder / "a", move_to=tmp_path / "done").require_possible()
    for move_to in (folder, folder / "done", tmp_path, folder / ".." / "in" / "x"):
        for path in (folder, folder / "a"):
            with pytest.raises(BadInput, match="move-to: must neither lie in the folder that is solved nor hold it"):
                SolveChoice(path, move_to=move_to).require_possible()
    with pytest.raises(BadInput, match=r"move-to: .* does not go with --follow-links"):
        SolveChoice(folder, move_to=tmp_path / "done", follow=True).require_possible()
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match="move-to: must be a folder"):
        SolveChoice(folder, move_to=tmp_path / "file").require_possible()
    for settle in (-1, 3601, float("nan")):
        with pytest.raises(BadInput, match="settle: must be from 0 to 3600 seconds"):
            SolveChoice(folder, settle=settle).require_possible()


def test_the_sheet_opens_no_picture_that_failed(folder, read, monkeypatch):
    """One that ends the process which decodes it has ended a worker; the client must not be the next."""
    for number in range(70):  # more than are looked at for a sheet
        (folder / f"A{number:02d}").write_bytes(b"poison")
    opened, plain = [], results.load_picture
    monkeypatch.setattr(results, "load_picture", lambda path: opened.append(path) or plain(path))
    result = run(folder)
    assert result.outcome.counts == {"solved": 13, "failed": 70}
    assert result.sheet is not None
    assert {str(path.relative_to(folder)) for path in opened} == set(NAMES)


def test_the_sheet_shows_what_this_run_answered(folder, read):
    sheet = run(folder).sheet
    assert sheet.startswith(b"\x89PNG")
    assert run(folder).sheet is None
    draw(folder / "new.png", 7)
    one = run(folder).sheet
    assert len(one) < len(sheet)
    moved = folder.parent / "done"
    draw(folder / "newer.png", 8)
    assert run(folder, move_to=moved).sheet is not None


TIMES = (-(2**63) - 5, -(10**18), -1, 0, 2**63 - 1, 2**63, 9_999_999_999 * 10**9, 2**64 + 7)  # ns since 1970


@pytest.fixture
def far_times(monkeypatch) -> None:
    """Any time, whatever this file system keeps: the time of a file is the one that its size stands for."""
    stat, lstat, fstat = os.stat, os.lstat, os.fstat

    class Status:
        def __init__(self, status: os.stat_result):
            self._status = status

        def __getattr__(self, name: str):
            value = getattr(self._status, name)
            return value + TIMES[self.st_size % len(TIMES)] if name == "st_mtime_ns" else value

    for name, plain in (("stat", stat), ("lstat", lstat), ("fstat", fstat)):
        monkeypatch.setattr(os, name, lambda *given, plain=plain, **options: Status(plain(*given, **options)))


@pytest.mark.parametrize("kept", [True, False])
def test_no_time_of_a_file_costs_more_than_nothing(tmp_path, read, kept, request):
    inbox = tmp_path / "in"
    for number, time in enumerate(TIMES):
        path = draw(inbox / f"{number}.png", 40 + number)
        if kept:
            os.utime(path, ns=(time, time))
        else:
            path.write_bytes(path.read_bytes() + bytes(number))
    if not kept:
        request.getfixturevalue("far_times")
    first = run(inbox)
    assert first.outcome.counts == {"solved": len(TIMES)}
    read.clear()
    second = run(inbox, look=None)  # nothing is even looked at again
    assert second.outcome.skipped == {ANSWERED: len(TIMES)}
    assert second.rows == first.rows
    third = run(inbox, move_to=tmp_path / "out")
    assert (third.mover.moved, third.mover.unmoved, read) == (len(TIMES), [], [])
    assert len(files(tmp_path / "out")) == len(TIMES)


@pytest.mark.parametrize(
    "code", [errno.EACCES, errno.ELOOP, errno.ENAMETOOLONG, errno.EIO, errno.ESTALE, errno.EOVERFLOW]
)
def test_a_file_that_cannot_be_looked_at_costs_its_row(folder, read, monkeypatch, code):
    plain, plain_l = os.stat, os.lstat

    def refuse(path, plain):
        if str(path).endswith("/ab.png"):
            raise OSError(code, os.strerror(code), str(path))

    monkeypatch.setattr(os, "lstat", lambda path, **more: refuse(path, 0) or plain_l(path, **more))
    monkeypatch.setattr(os, "stat", lambda path, **more: refuse(path, 0) or plain(path, **more))
    found = run(folder)
    assert found.outcome.counts == {"solved": 12, "failed": 1}
    assert os.strerror(code) in found.rows["ab.png"][-1]


def test_names_modes_and_links_cost_their_rows_only(folder, read, tmp_path):
    draw(folder / ("n" * 251 + ".png"), 60)
    draw(folder / "mode.png", 61).chmod(0)
    (folder / "ring").symlink_to(folder / "ring")
    (folder / "long").symlink_to("x" * 300)
    (folder / "nowhere").symlink_to(tmp_path / "gone")
    os.mkfifo(folder / "fifo")
    found = run(folder, follow=True)
    assert found.outcome.counts["solved"] >= 14
    assert set(found.rows) - {"mode.png"} == {*NAMES, "n" * 251 + ".png", "long"}
    assert "File name too long" in found.rows["long"][-1]
    moved = run(folder, move_to=tmp_path / "out")
    assert moved.mover.unmoved == []


def _acl(*entries: tuple[int, int, int]) -> bytes:
    """Return an access control list of (tag, permissions, user or group) as the system keeps it."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


NOBODY = 0xFFFFFFFF
HOSTILE = {
    "user.\x1b[31m\u202e": b"\xff\x00=cmd|' /C calc'!A0",
    "user." + "n" * 200: bytes(range(256)) * 3,
    "user.mime_type": b"text/html",
    "user.empty": b"",
    "system.posix_acl_access": _acl((1, 0, NOBODY), (2, 7, 12345), (4, 0, NOBODY), (16, 7, NOBODY), (32, 0, NOBODY)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_attributes_and_lists_of_access_cost_no_row_but_their_own(folder, read, tmp_path, name):
    marked = [folder / "ab.png", draw(folder / "more.png", 62)]
    try:
        for path in [*marked, folder / "z"]:
            os.setxattr(path, name, HOSTILE[name])
    except OSError as error:
        pytest.skip(f"this file system does not take {name!r}: {error}")
    found = run(folder)
    assert found.rows.keys() == {*NAMES, "more.png"}
    assert found.outcome.counts["solved"] >= len(NAMES) - 2  # the files in `z` and the marked may not be readable
    moved = run(folder, move_to=tmp_path / "out")
    assert moved.mover.unmoved == [] or os.geteuid() != 0
    assert HOSTILE[name] in {os.getxattr(path, name) for path in (tmp_path / "out").rglob("more.png")}

"""A folder's run: pictures whose texts are unlike most others are read once more, whatever kills come between."""

import json
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from storage.ledger import answered
from storage.ledger.ledger import ABSTAINED, LEDGER, SOLVED, Answer, Ledger, LedgerEntry, PictureFile, digest_of
from tasks.reading.ranking import Ranking
from tasks.shipped import SHIPPED, STRANGERS
from tasks.solving import batches
from tasks.solving.alike import unlike
from tasks.solving.alike.in_common import Other
from tasks.solving.alike.unlike import (
    KEPT,
    TAKEN,
    Second,
    SecondReceipt,
    find_unlike,
    hold_unlike,
    is_marked,
    left_unlike,
    read_second,
)
from tasks.solving.batches import SolvePlan, make_plan
from tasks.solving.choice import SolveChoice
from tasks.solving.inbox import Inbox
from tasks.solving.isolated import read_batch
from tasks.solving.results import AnswersFile, write_results
from tasks.solving.run import next_attempt
from tasks.solving.survey import ANSWERED
from tasks.solving.tables import AnswerFormat
from tests.number_pictures import draw_text, numbers


class Killed(Exception):
    """Stands for a signal."""


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """Sixty numbers and a word, each under its text; several jobs are on their way."""
    monkeypatch.setattr(unlike, "BATCH", 2)
    monkeypatch.setattr(answered, "CHUNK", 7)
    (tmp_path / "in").mkdir()
    for number, (file, text) in enumerate(numbers(60)):
        (tmp_path / "in" / f"{number:02}_{text}.png").write_bytes(file)
    (tmp_path / "in" / "99_TREF.png").write_bytes(draw_text("TREF", random.Random(3), "DejaVu Sans Bold"))
    return tmp_path / "in"


def plan(together: bool = True, **options) -> SolvePlan:
    return make_plan(
        STRANGERS, (), Ranking.NONE, length=options.pop("length", (4, 7)), classic=SHIPPED, together=together, **options
    )


def flown(unit, jobs, _lost=None, order=1):
    yield from (unit(job) for job in list(jobs)[::order])


def flown_lazily(unit, jobs, _lost=None):
    yield from map(unit, jobs)


def run(folder: Path, made: SolvePlan | None = None, order: int = 1, unit=read_second, **options) -> SimpleNamespace:
    """What the flow does."""
    home = folder.parent
    with Ledger(home / LEDGER) as ledger:
        inbox = Inbox(SolveChoice(folder, settle=0.0, **options), made or plan(), ledger)
        attempt = next_attempt(inbox)
        if attempt:
            hold_unlike(inbox)
            attempt.solve(partial(flown, batches.look), partial(flown, read_batch))
        again = find_unlike(inbox) if attempt else left_unlike(inbox)
        if again:
            again.solve(partial(flown, unit, order=order))
        inbox.move_held()
        write_results(inbox, AnswersFile(home / "answers.csv", AnswerFormat.CSV))
        rows: dict[str, Answer] = dict(ledger.results(inbox.folder))
    assert inbox.outcome.done == inbox.outcome.total
    assert min(inbox.outcome.counts.values(), default=0) >= 0
    return SimpleNamespace(rows=rows, again=again, outcome=inbox.outcome, mover=inbox.mover, inbox=inbox)


def right(rows: dict[str, Answer]) -> int:
    return sum(answer.word == name.partition("_")[2].partition(".")[0] for name, answer in rows.items())


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> int:
    """How many are right where each is read alone."""
    folder = tmp_path_factory.mktemp("alone") / "in"
    folder.mkdir()
    for number, (file, text) in enumerate(numbers(60)):
        (folder / f"{number:02}_{text}.png").write_bytes(file)
    return right(run(folder, plan(together=False)).rows)


def test_pictures_that_were_read_otherwise_are_read_once_more(folder, alone):
    done = run(folder)
    assert right(done.rows) >= alone + 6  # the word is one of them
    marked = [name for name, answer in done.rows.items() if is_marked(answer)]
    assert len(marked) == done.inbox.again.pictures == done.again.count
    taken = {name for name in marked if TAKEN in done.rows[name].reason}
    assert done.inbox.again.changed == len(taken) >= 5
    assert done.rows["99_TREF.png"].word == "TREF"
    assert done.rows["99_TREF.png"].reason == f"{KEPT}: 4 letters of 0-9"
    assert all(done.rows[name].word.isdigit() for name in taken)
    assert done.rows[min(taken)].reason == f"{TAKEN}: 4 letters of 0-9"
    assert done.outcome.counts == {SOLVED: 61}
    again = run(folder)
    assert (again.rows, again.again, again.outcome.skipped) == (done.rows, None, {ANSWERED: 61})


def test_the_order_in_which_answers_come_changes_nothing(folder, tmp_path, forget_answers):
    rows = []
    for order in (1, -1):
        (tmp_path / LEDGER).unlink(missing_ok=True)
        forget_answers()  # each picture is read in each order
        rows.append(run(folder, order=order).rows)
    assert rows[0] == rows[1]


def test_a_small_sample_stands_for_all(folder, tmp_path, monkeypatch):
    whole = run(folder).rows
    (tmp_path / LEDGER).unlink()
    monkeypatch.setattr(unlike, "SAMPLE", 4)
    assert right(run(folder).rows) >= right(whole) - 1


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_killed_run_goes_on_where_it_was(folder, tmp_path, monkeypatch, after):
    whole = run(folder).rows
    (tmp_path / LEDGER).unlink()
    monkeypatch.setattr(unlike, "SAMPLE", 1 if after == 3 else 1024)
    came = []

    def dies(job):
        came.append(job)
        if len(came) > after:
            raise Killed
        return read_second(job)

    with pytest.raises(Killed):
        run(folder, unit=dies)
    monkeypatch.undo()
    rest = run(folder)
    assert right(rest.rows) >= right(whole) - 1
    if after < 3:
        assert rest.rows == whole
    assert run(folder).again is None


def test_new_pictures_are_read_in_view_of_the_old(folder):
    late = sorted(folder.iterdir())[40:]
    kept = {path: path.read_bytes() for path in late}
    for path in late:
        path.unlink()
    run(folder)
    for path, content in kept.items():
        path.write_bytes(content)
    done = run(folder)
    assert right(done.rows) >= 58
    assert done.outcome.counts[SOLVED] == len(late)
    assert done.outcome.counts.total() + done.outcome.skipped.total() == 61


def test_a_file_that_changed_or_vanished_meanwhile_keeps_its_answer(folder, tmp_path):
    before = run(folder, plan(together=False)).rows
    (tmp_path / LEDGER).unlink()
    unread = sorted(name for name, answer in before.items() if not answer.word.isdigit())

    def changes(job):
        for name in unread[:2]:
            (folder / name).unlink(missing_ok=True)
        (folder / unread[2]).write_bytes(b"another")
        return read_second(job)

    done = run(folder, unit=changes)
    assert [done.rows[name] for name in unread[:3]] == [before[name] for name in unread[:3]]
    assert right(done.rows) > right(before)


def test_a_worker_that_dies_costs_no_answer(folder):
    lost = []

    def fly(jobs, on_lost):
        for number, job in enumerate(jobs):
            if number == 1:
                lost.extend(job.job.files)
                assert on_lost(job) == []
            else:
                yield read_second(job)

    with Ledger(folder.parent / LEDGER) as ledger:
        inbox = Inbox(SolveChoice(folder, settle=0.0), plan(), ledger)
        next_attempt(inbox).solve(partial(flown, batches.look), partial(flown, read_batch))
        find_unlike(inbox).solve(fly)
        rows = dict(ledger.results(inbox.folder))
    assert len(lost) == 2
    assert not any(is_marked(rows[file.path]) for file in lost)
    assert sum(map(is_marked, rows.values())) >= 5


@pytest.mark.parametrize(
    "made",
    [
        plan(together=False),
        make_plan(STRANGERS, ("BONE", "TREE"), Ranking.PROBABILITY, length=(4, 4), classic=SHIPPED, together=True),
        plan(alphabet="0123456789", length=(4, 4)),
    ],
)
def test_where_texts_are_known_or_pictures_stand_alone_nothing_is_read_again(folder, made):
    for path in sorted(folder.iterdir())[30:]:
        path.unlink()
    assert run(folder, made).again is None


def test_a_single_picture_stands_alone(folder):
    run(folder)
    picture = next(folder.glob("99*"))
    with Ledger(folder.parent / LEDGER) as ledger:
        assert find_unlike(Inbox(SolveChoice(picture), plan(), ledger)) is None


def test_an_answer_in_view_of_other_texts_is_not_that_of_another_folder(folder, tmp_path):
    done = run(folder)
    name = min(name for name, answer in done.rows.items() if answer.reason and TAKEN in answer.reason)
    other = tmp_path / "other"
    other.mkdir()
    (other / name).write_bytes((folder / name).read_bytes())
    assert run(other).rows[name].word != done.rows[name].word


def test_answers_that_were_left_out_are_judged_by_what_was_read(folder):
    done = run(folder, plan(abstain_below=0.9999))
    assert done.outcome.counts[ABSTAINED] > 30
    assert done.again.common.letters == "0123456789"
    assert done.outcome.counts.total() == 61


def arriving_later(folder: Path, done: Path) -> list[Path]:
    """Have a run move thirty files, and return the others, which come after it."""
    late = {path: path.read_bytes() for path in sorted(folder.iterdir())[30:]}
    for path in late:
        path.unlink()
    first = run(folder, move_to=done)
    assert (first.again, first.mover.moved) == (None, 30)
    for path, content in late.items():
        path.write_bytes(content)
    return [*late]


def test_files_are_moved_after_they_are_read_again(folder, tmp_path):
    """The first run moves each file with its first answer: nothing is known before it of the texts."""
    late = arriving_later(folder, tmp_path / "done")
    second = run(folder, move_to=tmp_path / "done")
    assert second.inbox.again.pictures >= 3
    assert second.mover.moved == len(late)
    assert not any(folder.iterdir())
    news = {path.name: second.rows[path.name] for path in late}
    assert all(answer.word.isdigit() for name, answer in news.items() if name != "99_TREF.png")
    assert second.outcome.counts == {SOLVED: len(late)}


def test_held_files_whose_second_reading_fails_are_moved_all_the_same(folder, tmp_path):
    late = arriving_later(folder, tmp_path / "done")
    second = run(
        folder, unit=lambda job: SecondReceipt(job.job.files, (None,) * len(job.job.files)), move_to=tmp_path / "done"
    )
    assert second.mover.moved == len(late)
    assert not any(folder.iterdir())


@pytest.fixture
def listed(tmp_path, monkeypatch) -> Iterator[Callable[..., Inbox]]:
    """Begin a run over a folder with 200 numbers and twelve other texts, two of each content."""
    monkeypatch.setattr(unlike, "BATCH", 2)
    monkeypatch.setattr(unlike, "SAMPLE", 2)
    opened = ExitStack()

    def begin(home: str = "") -> Inbox:
        (tmp_path / home).mkdir(exist_ok=True)
        ledger = opened.enter_context(Ledger(tmp_path / home / LEDGER))
        return Inbox(SolveChoice(tmp_path, settle=0.0), plan(), ledger)

    def written(home: str = "") -> Inbox:
        inbox = begin(home)
        words = [f"{37 * number % 10_000:04}" for number in range(200)]
        words += [f"xyz{letter}" for letter in "abcdefabcdef"]
        entries = [
            LedgerEntry(PictureFile(f"{number:03}_{word}.png", 9, 9, digest_of(word.encode())), answer_of(word))
            for number, word in enumerate(words)
        ]
        with inbox.ledger.transaction():
            inbox.ledger.record(inbox.folder, inbox.settings, inbox.run, entries)
        return inbox

    written.begin = begin
    with opened:
        yield written


def answer_of(word: str) -> Answer:
    return Answer(word, 0.9, word, 0.9, segments=4, status=SOLVED)


def made_up(job: unlike.SecondJob, wrong: str = "ab") -> unlike.SecondReceipt:
    """Some contents may have been read wrong, which the sample tells; the others truly differ."""
    texts = [file.path[4:8] for file in job.job.files]
    found = [Second(Other(text, 0.9, -8.0 if text[3] in wrong else -20.0), answer_of("1111")) for text in texts]
    return unlike.SecondReceipt(job.job.files, tuple(found))


def rows_of(inbox: Inbox) -> dict[str, Answer]:
    return dict(inbox.ledger.results(inbox.folder))


def test_files_of_one_content_are_read_once_more_as_one(listed):
    inbox, came = listed(), []
    found = find_unlike(inbox)
    found.solve(partial(flown, lambda job: came.extend(job.job.files) or made_up(job)))
    assert len(came) == found.count == 6
    assert inbox.again[1:] == (12, 4)
    rows = rows_of(inbox)
    assert sum(map(is_marked, rows.values())) == 12
    assert all(rows[f"{200 + number}_xyz{letter}.png"].word == "1111" for number, letter in ((0, "a"), (7, "b")))


def test_the_first_in_a_listing_are_the_sample_in_any_order(listed):
    rows = []
    for order in (1, -1):
        inbox = listed(f"home{order}")
        find_unlike(inbox).solve(partial(flown, made_up, order=order))
        rows.append(rows_of(inbox))
    assert rows[0] == rows[1]


def test_a_sample_is_written_as_a_whole(listed, monkeypatch):
    """Else what is left after a kill would tell otherwise how many texts truly differ."""
    monkeypatch.setattr(unlike, "SAMPLE", 1024)
    unit = partial(made_up, wrong="cdef")
    whole = listed("whole")
    find_unlike(whole).solve(partial(flown, unit))
    killed, record, calls = listed("killed"), Ledger.record, []

    def dies(*given):
        calls.append(given)
        if len(calls) > 1:
            raise Killed
        record(*given)

    monkeypatch.setattr(Ledger, "record", dies)
    with suppress(Killed):
        find_unlike(killed).solve(partial(flown, unit))
    monkeypatch.setattr(Ledger, "record", record)
    rest = listed.begin("killed")
    if left := find_unlike(rest):
        left.solve(partial(flown, unit))
    assert rows_of(rest) == rows_of(whole)


def test_all_attempts_of_a_run_are_counted(listed):
    inbox, came = listed(), []

    def fails(job):
        came.append(job)
        if len(came) == 3:
            raise Killed
        return made_up(job)

    with pytest.raises(Killed):
        find_unlike(inbox).solve(partial(flown_lazily, fails))
    assert inbox.again.pictures == 8
    find_unlike(inbox).solve(partial(flown, made_up))
    assert inbox.again.pictures == 12


def test_pictures_that_cannot_be_read_now_change_nothing(listed):
    inbox = listed()
    before = inbox.ledger.changes(inbox.folder)
    find_unlike(inbox).solve(partial(flown, lambda job: unlike.SecondReceipt(job.job.files, (None,) * 2)))
    assert (inbox.again, inbox.ledger.changes(inbox.folder)) == (None, before)


def test_the_settings_say_how_pictures_are_read():
    assert json.loads(plan().settings)["together"] == 1
    assert "together" not in json.loads(plan(together=False).settings)
    assert not make_plan(Path(__file__), (), Ranking.NONE, together=True).together
    assert replace(plan(), together=False).settings == plan(together=False).settings

"""An inbox in an object store, and answers there: the same as in a folder, by the units alone."""

import itertools
import uuid
from collections import deque
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from storage.errors import BadInput, NotThere, Unreachable
from storage.files import atomic
from storage.files.locks import inbox_locked
from storage.files.places import ObjectPath, place, sizes
from storage.ledger.ledger import LEDGER, Ledger, key
from tasks.loading.safe_read import MOST_BYTES
from tasks.lowlevel.png_encoder import png
from tasks.reading.ranking import Ranking
from tasks.solving import batches, survey
from tasks.solving import run as solving_run
from tasks.solving.batches import SolvePlan
from tasks.solving.choice import SolveChoice
from tasks.solving.inbox import Inbox
from tasks.solving.isolated import read_batch
from tasks.solving.results import AnswersFile, write_results
from tasks.solving.run import next_attempt
from tasks.solving.survey import ANSWERED
from tasks.solving.tables import AnswerFormat

PLAN = SolvePlan("model", "0" * 64, "", Ranking.NONE, 0.0)
NAMES = ["a", "a.b/c", "a-", "ab/z", "ab/b/1", "ab.png", "c'\"", "é", "z/é/é", "ｚ", "\U0001f600"]


def picture(number: int) -> bytes:
    image = np.zeros((3, 4), np.uint8)
    image[1, 1], image[1, 2] = number, 255
    return png(image)


@pytest.fixture
def read(read_numbers, monkeypatch) -> list[str]:
    """The paths that were read, in order; batches are small."""
    monkeypatch.setattr(solving_run, "BATCH", 2)
    monkeypatch.setattr(solving_run, "LOOKED", 3)
    monkeypatch.setattr(survey, "NOTED", 3)
    return read_numbers


@pytest.fixture(params=["memory", "s3"])
def there(request) -> ObjectPath:
    """An inbox with some pictures."""
    bucket = request.getfixturevalue("bucket") if request.param == "s3" else f"tests/{uuid.uuid4().hex}"
    folder = place(f"{request.param}://{bucket}/in")
    for number, name in enumerate(NAMES, 10):
        (folder / name).write_bytes(picture(number))
    (folder / ".hidden").write_bytes(b"1")
    (folder / ".hidden.d" / "x").write_bytes(b"1")
    return folder


def flown(unit, jobs):
    under_way = deque(itertools.islice(jobs, 3))
    while under_way:
        yield unit(under_way.popleft())
        under_way.extend(itertools.islice(jobs, 1))


def run(path, home: Path, look=batches.look) -> SimpleNamespace:
    """What the flow does."""
    out = place(f"{path.parent}/answers.csv")
    choice = SolveChoice(path, settle=0.0, skip=(out, home / LEDGER))
    choice.require_possible()
    with inbox_locked(home, choice.folder), Ledger(home / LEDGER, durable=False) as ledger:
        inbox = Inbox(choice, PLAN, ledger)
        if attempt := next_attempt(inbox):
            attempt.solve(partial(flown, look), lambda jobs, _: flown(read_batch, jobs))
        counts = write_results(inbox, AnswersFile(out, AnswerFormat.CSV)).counts
        rows = {path: (path, *answer) for path, answer in ledger.results(inbox.folder)}
    return SimpleNamespace(outcome=inbox.outcome, rows=rows, written=counts, out=out, choice=choice)


def test_an_inbox_remembers_there_as_here(there, tmp_path, read):
    here = tmp_path / "in"
    for number, name in enumerate(NAMES, 10):
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_bytes(picture(number))
    first, local = run(there, tmp_path / "answers"), run(here, tmp_path / "answers")
    assert first.rows == local.rows and first.outcome.counts == local.outcome.counts == {"solved": len(NAMES)}
    assert first.out.read_bytes() == local.out.read_bytes() and list(sizes(there.parent)) == ["answers.csv"]
    assert [name for name, *_ in there.walk()] == sorted(NAMES, key=key) and first.choice.count() == len(NAMES)
    read.clear()
    version = atomic.fingerprint(first.out)
    second = run(there, tmp_path / "answers")
    assert read == [] and second.outcome.skipped == {ANSWERED: len(NAMES)} and second.rows == first.rows
    assert atomic.fingerprint(first.out) == version  # nothing new, so nothing written
    (there / "new" / "a").write_bytes(picture(80))
    (there / "a").write_bytes(picture(81) + bytes(9))
    (there / "ab.png").unlink()
    third = run(there, tmp_path / "answers")
    assert sorted(read) == ["a", "new/a"] and third.outcome.counts == {"solved": 2}
    assert third.rows["a"][1] == "W81" and "ab.png" not in third.rows


def test_files_of_other_kinds_are_passed_over_there_too(there, tmp_path, read):
    for name in ("Thumbs.db", "notes.txt", "empty.log", "cut.png"):
        (there / name).write_bytes(b"" if name == "empty.log" else b"no picture")
    (there / "picture.txt").write_bytes(picture(90))
    found = run(there, tmp_path / "answers")
    assert found.outcome.skipped == {"no picture by its kind": 3}
    assert found.outcome.counts == {"solved": len(NAMES) + 1, "failed": 1}


def test_answers_within_the_inbox_are_no_pictures(there):
    (there / "out" / "answers.csv").write_bytes(b"path")
    (there / "answers.csv").write_bytes(b"path")
    left = SolveChoice(there, skip=(there / "out" / "answers.csv", there / "answers.csv"))
    assert [name for name, _ in left.files()] == sorted(NAMES, key=key)


def test_one_picture(there, tmp_path, read):
    done = run(there / "ab" / "z", tmp_path / "answers")
    assert read == ["z"] and done.rows["z"][1] == "W13" and done.choice.folder == there / "ab"
    with pytest.raises(NotThere, match="no such file or folder"):
        SolveChoice(there / "nothing").require_possible()
    for options, option in (({"move_to": tmp_path / "done"}, "move-to"), ({"follow": True}, "follow-links")):
        with pytest.raises(BadInput, match=f"{option}: is for files of this machine"):
            SolveChoice(there, **options).require_possible()


def test_what_is_no_picture_or_changes_meanwhile(there, tmp_path, read, monkeypatch):
    (there / "empty").write_bytes(b"")
    (there / "text").write_bytes(b"text")
    monkeypatch.setattr("tasks.loading.safe_read.MOST_BYTES", 200)
    (there / "large").write_bytes(bytes(201))

    def late(job):
        for one in job.files:
            if one.path == "a":
                (there / "a").write_bytes(picture(89) + bytes(50))
            if one.path == "ab/z":
                (there / "ab" / "z").unlink()
        return batches.look(job)

    done = run(there, tmp_path / "answers", look=late)
    assert {row[0]: row[-1] for row in done.rows.values() if row[-2] == "failed"}.keys() == {"empty", "text", "large"}
    assert {one["path"]: one["reason"] for one in done.outcome.left} == {
        "a": "still being written", "ab/z": "no such file",
    }  # fmt: skip
    assert MOST_BYTES == 32_000_000
    assert run(there, tmp_path / "answers").rows["a"][1] == "W89"


def test_a_store_that_is_away_ends_the_run(there, tmp_path, read, monkeypatch):
    """Nothing is taken for gone or failed because of it."""
    run(there, tmp_path / "answers")
    (there / "new").write_bytes(picture(50))

    def away(self):
        raise Unreachable(f"{self}: away")

    with monkeypatch.context() as patch:
        patch.setattr(ObjectPath, "read_bytes", away)
        with pytest.raises(Unreachable):
            run(there, tmp_path / "answers")
    done = run(there, tmp_path / "answers")
    assert done.rows["new"][1] == "W50" and len(done.rows) == len(NAMES) + 1

"""The units of solving: lazy batches, rows that a worker finishes, and answers.csv as they come."""

import itertools
import os
import types
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from storage.errors import BadInput, NotThere
from tasks import solve as units
from tasks.ranking import Ranking
from tasks.solve import ABSTAINED, COLUMNS, FAILED, SOLVED, SolvePlan, SolveReceipt

PLAN = SolvePlan("model", "0" * 64, "BONE\nBOND", Ranking.PROBABILITY, 0.5)


class Scripted:
    """A reader that says what the brightest pixel but one tells it to."""

    answers = types.MappingProxyType({
        10: ("BONE", 0.875, ["BONE", "BOND", ""], [0.9, 0.1, 0.0], 4),
        20: ("BOND", 0.25, ["BOND", "", ""], [0.4, 0.0, 0.0], 4),
        30: ("", 0.0, ["", "", ""], [0.0, 0.0, 0.0], 0),
        40: ("LONGER", 0.5, ["", "", ""], [0.0, 0.0, 0.0], 6),
    })  # fmt: skip

    def read(self, images):
        rows = [self.answers[int(image[1, 1])] for image in images]
        names = ("reading", "reading_confidence", "words", "confidences", "segments")
        return SimpleNamespace(
            **{name: np.array(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
        )


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(units, "reader_of", lambda _: Scripted())
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    for name, level, shape in (
        ("a.png", 10, (4, 6)), ("b,c.png", 20, (4, 7)), ("deep/d\r\n.png", 30, (4, 6)), ('e"f.png', 40, (4, 7)),
    ):  # fmt: skip
        image = np.zeros(shape, np.uint8)
        image[1, 1], image[2, 2] = level, 255
        Image.fromarray(image).save(folder / name)
    with open(os.fsencode(folder) + b"/\xff.png", "wb"):  # noqa: PTH123 - no UTF-8
        return folder


def solved(folder: Path, out: Path) -> units.Solved:
    return units.write_answers(out, map(units.solve_batch, units.batches(folder, out, PLAN)))


def test_each_kind_of_row_to_the_byte(folder, tmp_path):
    done = solved(folder, out := tmp_path / "answers.csv")
    assert out.read_bytes().split(b"\n", 1) == [
        ",".join(COLUMNS).encode(),
        b"a.png,BONE,0.900000,BONE,0.875000,BOND,0.100000,,,4,solved,\n"
        b'"b,c.png",,0.400000,BOND,0.250000,,,,,4,abstained,confidence 0.400 is below 0.5\n'
        b'"deep/d\r\n.png",,,,,,,,,0,failed,no letter found\n'
        b'"e""f.png",,,LONGER,,,,,,6,failed,no word of the dictionary fits\n'
        b"\xff.png,,,,,,,,,,failed,the file is empty (0 bytes)\n",
    ]
    assert done.counts == {SOLVED: 1, ABSTAINED: 1, FAILED: 3}
    assert [row["path"] for row in done.failures] == ["deep/d\r\n.png", 'e"f.png', "\udcff.png"]
    assert done.failures[0]["reason"] == "no letter found"


@pytest.mark.parametrize("batch", [1, 2, 3, 100])
def test_the_answers_do_not_depend_on_the_batches(folder, tmp_path, monkeypatch, batch):
    solved(folder, expected := tmp_path / "expected.csv")
    monkeypatch.setattr(units, "BATCH", batch)
    solved(folder, out := folder / "answers.csv")  # which is not read itself, then or the next time
    assert out.read_bytes() == expected.read_bytes()
    assert units.count(folder, out) == 5
    solved(folder, out)
    assert out.read_bytes() == expected.read_bytes()


def test_one_picture(folder, tmp_path):
    picture = folder / "deep" / "d\r\n.png"
    (job,) = units.batches(picture, tmp_path / "answers.csv", PLAN)
    assert job.paths == ("d\r\n.png",)
    assert units.folder_of(picture) == folder / "deep"
    assert units.count(picture, tmp_path / "answers.csv") == 1


def test_jobs_are_made_as_they_are_asked_for(monkeypatch, tmp_path):
    listed = []
    monkeypatch.setattr(units, "BATCH", 10)
    monkeypatch.setattr(units, "list_names", lambda *_, **__: (listed.append(k) or f"{k}" for k in range(1000)))
    jobs = units.batches(tmp_path, tmp_path / "answers.csv", PLAN)
    assert [len(job.paths) for job in itertools.islice(jobs, 3)] == [10, 10, 10]
    assert len(listed) == 30


def test_answers_are_written_as_they_come_and_few_failures_are_kept(tmp_path):
    out, seen = tmp_path / "answers.csv", []

    def receipts():
        for number in range(50):
            seen.append(out.exists())
            yield SolveReceipt(b"%d\n" % number, {SOLVED: 1, FAILED: 1}, ((f"{number}", "why"),), 0.0)

    done = units.write_answers(out, receipts())
    assert not any(seen)
    assert out.read_bytes().split(b"\n")[1:-1] == [b"%d" % number for number in range(50)]
    assert done.counts == {SOLVED: 50, ABSTAINED: 0, FAILED: 50}
    assert [row["path"] for row in done.failures] == [f"{number}" for number in range(units.SHOWN)]


def test_answers_of_a_run_that_fails_are_not_there(tmp_path):
    out = tmp_path / "answers.csv"
    out.write_bytes(b"of the last run")

    def receipts():
        yield SolveReceipt(b"a\n", {SOLVED: 1}, (), 0.0)
        raise BadInput("no")

    with pytest.raises(BadInput, match="no"):
        units.write_answers(out, receipts())
    assert out.read_bytes() == b"of the last run"
    assert [path.name for path in tmp_path.iterdir()] == ["answers.csv"]


def test_nothing_to_read_is_refused(tmp_path):
    out = tmp_path / "answers.csv"
    with pytest.raises(NotThere, match="no such file or folder"):
        units.must_have_files(tmp_path / "none", out)
    out.touch()
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="has no file"):
        units.must_have_files(tmp_path, out)
    (tmp_path / "empty" / "a.png").touch()
    units.must_have_files(tmp_path, out)


@pytest.mark.parametrize(
    ("given", "expected"), [(None, None), ("4", (4, 4)), ("4-6", (4, 6)), ("1-32", (1, 32)), ("7-7", (7, 7))]
)
def test_lengths(given, expected):
    assert units.parse_length(given) == expected


@pytest.mark.parametrize("given", ["", "-", "four", "4-", "-4", "4-5-6", "4.5", "0", "6-4", "1-33"])
def test_lengths_that_are_none(given):
    with pytest.raises(BadInput, match=r"length: must be .*it is '"):
        units.parse_length(given)

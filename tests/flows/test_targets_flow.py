"""Every option that names a file or folder to write refuses what must stay, before any work."""

import csv
import io
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.audit import AuditRequest
from flows.audit import check as audits
from flows.describe import inspect
from flows.evaluate import EvaluateRequest
from flows.evaluate import check as evaluates
from flows.export import ExportRequest
from flows.export import check as exports
from flows.generate import GenerateRequest
from flows.generate import check as generates
from flows.ingest import IngestRequest
from flows.ingest import check as imports
from flows.preview import preview
from flows.reproduce import ReproduceRequest
from flows.reproduce import check as reproduces
from flows.solve import SolveRequest
from flows.solve import check as solves
from flows.train import TrainRequest
from flows.train import check as trains
from storage.errors import BadInput
from tasks.datasets.recipe import make_recipe, renderer_of
from tasks.exchange.formats import ExportFormat
from tasks.lowlevel.png_encoder import png
from tasks.profiles.built_in import find_profile

pytestmark = pytest.mark.filterwarnings("ignore")
# Each command with an output, and whether it is a folder.
COMMANDS: dict[str, tuple[Callable[[Path, Path], object], bool]] = {
    "generate": (lambda _, out: generates(GenerateRequest("book", out=out)), True),
    "import": (lambda inbox, out: imports(IngestRequest(inbox, out=out)), True),
    "export": (lambda _, out: exports(ExportRequest("none", format=ExportFormat.PNG, out=out)), True),
    "train": (lambda _, out: trains(TrainRequest(ladder=True, out=out)), False),
    "evaluate": (lambda _, out: evaluates(EvaluateRequest("ladder", "none", out=out)), True),
    "reproduce": (lambda _, out: reproduces(ReproduceRequest(out=out)), True),
    "inspect": (lambda _, out: inspect("ladder", out=out), False),
    "preview": (lambda _, out: preview("book", count=1, out=out), False),
    "audit": (lambda _, out: audits(AuditRequest("book", out=out)), True),
    "solve": (lambda inbox, out: solves(SolveRequest(inbox, out=out)), False),
    "solve one": (lambda inbox, out: solves(SolveRequest(inbox / "a.png", out=out)), False),
    "move-to": (lambda inbox, out: solves(SolveRequest(inbox, move_to=out)), True),
}


def draw(folder: Path, count: int = 2) -> Path:
    folder.mkdir(parents=True)
    images = renderer_of(make_recipe(find_profile("book"), 5)).block(5, 0).images
    for name, image in zip("abcdefgh"[:count], images, strict=False):
        (folder / f"{name}.png").write_bytes(png(image))
    return folder


@pytest.fixture
def inbox(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("CAPTCHAS_HOME", str(tmp_path / "home"))
    return draw(tmp_path / "inbox")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_refuses_what_is_not_its_own_before_any_work(name, inbox, tmp_path):
    asks, folder = COMMANDS[name]
    data = tmp_path / "data"
    data.mkdir()
    (data / "manifest.json").write_text('{"identity": "", "shards": []}')
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "null").symlink_to("/dev/null")
    (tmp_path / "file").write_text("x")
    targets = [tmp_path / "null", data / "x", tmp_path / "file" / "x", Path("/dev/stdout")]
    targets += [tmp_path / "file"] if folder else [tmp_path, data / "manifest.json", tmp_path / "x.lock"]
    targets += [] if name.startswith("solve") else [tmp_path / "fifo", Path("-")]
    before = sorted((path, path.lstat().st_mtime_ns) for path in tmp_path.rglob("*"))
    for target in targets:
        with pytest.raises(BadInput) as refused:
            asks(inbox, target)
        option = "move-to" if name == "move-to" else "out"
        assert str(refused.value).startswith(option + ": "), (target, refused.value)
    assert sorted((path, path.lstat().st_mtime_ns) for path in tmp_path.rglob("*")) == before


def test_answers_replace_nothing_that_is_read(inbox, tmp_path):
    (inbox / "notes.txt").write_text("mine")
    (inbox / "answers.csv").write_text("path,word,confidence\n")
    words = tmp_path / "words.txt"
    words.write_text("abcd\n")
    (tmp_path / "link.csv").symlink_to(inbox / "a.png")
    for out in (inbox / "a.png", inbox / "notes.txt", tmp_path / "link.csv", words):
        with pytest.raises(BadInput, match="out: must not be a file that is read"):
            solves(SolveRequest(inbox, out=out, dictionary=str(words)))
    with pytest.raises(BadInput, match="out: must not be a file that is read"):
        solves(SolveRequest(inbox / "a.png", out=inbox / "a.png"))
    for out in (inbox / "answers.csv", inbox / "new.csv", tmp_path / "old.csv"):
        assert solves(SolveRequest(inbox, out=out, dictionary=str(words))).answers.out == out


def test_a_refused_request_claims_no_answers(inbox, tmp_path):
    with pytest.raises(BadInput):
        solves(SolveRequest(inbox, length="0"))
    with pytest.raises(BadInput, match="explain: is for named pictures"):
        solves(SolveRequest(inbox, explain="yes"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput):
        solves(SolveRequest(tmp_path / "empty"))
    assert not (tmp_path / "home" / "answers").exists()


@pytest.mark.slow
def test_whole_runs_over_two_inboxes_of_one_name(captchas, tmp_path):
    first, second = draw(tmp_path / "a" / "inbox"), draw(tmp_path / "b" / "inbox", 3)
    far = 9_999_999_999 * 10**9  # in the year 2286
    os.utime(first / "a.png", ns=(far, far))
    common = ("--home", tmp_path / "home", "--json", "--settle", "0")
    one, two = (captchas("solve", folder, *common).report for folder in (first, second))
    assert (one["solved"] + one["abstained"], one["failed"]) == (2, 0)
    assert Path(one["answers_file"]) == tmp_path / "home" / "answers" / "inbox" / "answers.csv"
    assert Path(two["answers_file"]).parent.name.startswith("inbox-")
    assert (one["folder"], two["folder"]) == (str(first), str(second))
    assert str(first) in two["answers_note"] and "answers_note" not in one
    with Path(one["answers_file"]).open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 2
    with Path(two["answers_file"]).open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 3
    refused = captchas("solve", first, *common, "--out", "-")
    assert (refused.returncode, refused.stdout[:9]) == (2, '{"error":')
    piped = captchas("solve", first, *common[:2], "--settle", "0", "--out", "-", alone=True)
    assert piped.returncode == 0, piped.stderr
    assert [row["path"] for row in csv.DictReader(io.StringIO(piped.stdout))] == ["a.png", "b.png"]
    assert "answers file: -" in piped.stderr
    os.mkfifo(tmp_path / "fifo")
    with subprocess.Popen(["cat", tmp_path / "fifo"], stdout=subprocess.PIPE, text=True) as reader:
        report = captchas("solve", first, *common, "--out", tmp_path / "fifo").report
        assert reader.communicate()[0] == piped.stdout
    assert report["rows"] == one["rows"]
    assert (tmp_path / "fifo").is_fifo()

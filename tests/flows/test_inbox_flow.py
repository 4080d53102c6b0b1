"""`captchas solve` over an inbox that fills: several runs of one command, killed at any moment."""

import csv
import json
import os
import signal
import sqlite3
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import pytest

import flows.solve
from flows.workers.roster import WorkerLost
from storage.files.locks import inbox_locked
from storage.ledger.ledger import LEDGER
from tasks.datasets.recipe import make_recipe, renderer_of
from tasks.lowlevel.png_encoder import png
from tasks.profiles.built_in import find_profile
from tasks.solving.batches import reader_of
from tasks.solving.run import Attempt
from tests.number_pictures import numbers

# Prefect and what it brings warn while they are imported; that is theirs.
pytestmark = pytest.mark.filterwarnings("ignore")
CAPTCHAS = Path(sys.executable).with_name("captchas")
COUNT = 3000
POISONED = """
import os, signal
from PIL import Image
plain = Image.open
def opened(file, *arguments, **options):
    if hasattr(file, "getvalue") and file.getvalue().startswith(b"POISON"):
        os.kill(os.getpid(), signal.SIGKILL)
    return plain(file, *arguments, **options)
Image.open = opened
"""


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """CAPTCHAs of `book`, (1024, 42, 140)."""
    return renderer_of(make_recipe(find_profile("book"), 5)).block(5, 0).images


def fill(folder: Path, images: np.ndarray, count: int) -> None:
    """Files of so many different contents, in nested folders."""
    for number in range(count):
        image = images[number % len(images)].copy()
        image[-1, -1] = number // len(images)
        (folder / f"{number % 7}").mkdir(parents=True, exist_ok=True)
        (folder / f"{number % 7}" / f"{number:05d}.png").write_bytes(png(image))


def rows(path: Path) -> list[dict]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def answered(home: Path) -> dict[bytes, tuple]:
    """What the ledger holds, as whoever looks into it meanwhile sees it: run and time of each answer."""
    if not (path := home / "answers" / LEDGER).exists():
        return {}
    with closing(sqlite3.connect(path)) as base, suppress(sqlite3.OperationalError):  # its tables are not there yet
        return {row[0]: row[1:] for row in base.execute("SELECT path, run, answered FROM pictures")}
    return {}


def alive(session: int) -> bool:
    """Whether any process of a session is."""
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):
            state, _, _, its = (place / "stat").read_text().rpartition(")")[2].split()[:4]
            if int(its) == session and state not in "ZX":
                return True
    return False


@pytest.mark.soak
def test_the_command_killed_twice_answers_every_picture_once(start, images, tmp_path):
    """The last run also meets a picture that ends every process which decodes it."""
    folder, home = tmp_path / "inbox", tmp_path / "home"
    fill(folder, images, COUNT)
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "sitecustomize.py").write_text(POISONED)
    paths = os.pathsep.join(filter(None, [str(tmp_path / "path"), os.environ.get("PYTHONPATH")]))
    # One lost worker is enough to know a batch by, for the time that each takes to start.
    variables = (f"PYTHONPATH={paths}", "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES=0")
    options = ("--dictionary", "none", "--workers", "1", "--home", home, "--json")
    command = ("env", *variables, CAPTCHAS, "solve", folder, *options)
    snapshots = [{}]
    for _ in range(2):
        process = start(*command)
        while len(found := answered(home)) < len(snapshots[-1]) + 600 and process.poll() is None:
            time.sleep(0.01)
        process.kill()
        assert process.wait(60) == -signal.SIGKILL
        for _ in range(600):
            if not alive(process.pid):
                break
            time.sleep(0.05)
        snapshots.append(answered(home))
        assert len(found) <= len(snapshots[-1]) < COUNT
    (folder / "0" / "poison.png").write_bytes(b"POISON")
    process = start(*command)
    out, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors
    report, last = json.loads(out), answered(home)
    for before in snapshots:
        assert {path: last[path] for path in before} == before  # nothing was answered again
    before = len(snapshots[-1])
    assert (report["total"], report["skipped"]) == (COUNT + 1, before)
    assert (report["solved"], report["failed"]) == (COUNT - before, 1)
    assert report["failures"] == [
        {"path": "0/poison.png", "reason": "reading it ended the process that read it (exit code -9)"}
    ]
    read = [row["path"] for row in rows(home / "answers" / "inbox" / "answers.csv")]
    names = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    assert read == sorted(names, key=lambda name: name.split("/"))
    left = {str(path.relative_to(home / "answers")) for path in (home / "answers").rglob("*") if path.is_file()}
    assert {name for name in left if not name.startswith("locks/")} == {LEDGER, "inbox/answers.csv"}
    assert len(left) == 3


@pytest.mark.slow
def test_an_inbox_over_several_runs(captchas, images, tmp_path):
    folder, home, done = tmp_path / "inbox", tmp_path / "home", tmp_path / "done"
    fill(folder, images, 20)
    (folder / "text.png").write_text("no picture")
    (folder / "copy.png").write_bytes((folder / "0" / "00000.png").read_bytes())
    common = ("solve", folder, "--settle", "0.1", "--home", home, "--json")
    first = captchas(*common).report
    assert (first["total"], first["solved"], first["skipped"], first["failed"], first["read"]) == (22, 21, 0, 1, 21)
    out = home / "answers" / "inbox" / "answers.csv"
    assert [row["status"] for row in rows(out)].count("solved") == 21
    assert first["other_settings"] is None
    kept = captchas(*common, "--length", "4", "--keep").report
    assert (kept["total"], kept["solved"], kept["skipped"], kept["read"]) == (22, 0, 22, 0)
    assert kept["skipped_because"] == {"answered by another model or settings": 22}
    assert kept["other_settings"].startswith("22 answers of another model or other settings stay, by --keep")
    second = captchas(*common, "--length", "4").report
    assert (second["solved"], second["failed"], second["read"], second["skipped"]) == (21, 1, 21, 0)
    assert second["other_settings"].startswith("22 pictures with answers of another model or other settings were")
    assert [*captchas(*common).report][:3] == ["reads_with", "model", "classic_model"]
    new = tmp_path / "new.jsonl"
    fill(folder, images, 23)
    third = captchas(*common, "--only-new", "--out", new, "--move-to", done).report
    assert (third["solved"], third["skipped"], third["moved"], third["rows"]) == (3, 22, 24, {"solved": 3})
    lines = [json.loads(line) for line in new.read_bytes().splitlines()]
    assert [line["path"] for line in lines] == ["0/00021.png", "1/00022.png", "6/00020.png"]
    assert [path.name for path in folder.rglob("*") if path.is_file()] == ["text.png"]
    assert sum(path.is_file() for path in done.rglob("*")) == 24
    with inbox_locked(home / "answers", folder):
        busy = captchas(*common)
    assert busy.returncode == 1
    assert "another run is solving it" in busy.stderr
    (folder / "text.png").unlink()
    assert captchas(*common).returncode == 2
    assert captchas(*common, "--move-to", done).report["rows"] == {"solved": 24}
    single = ("solve", done / "copy.png", "--settle", "0", "--home", home)  # as a folder
    settled = captchas(*single, "--json").report
    shown = captchas(*single).stdout.splitlines()
    assert shown[0].startswith(
        "reads with: ladder where it is 99 % sure, else strangers (the shipped models); letters "
    )
    assert [line.split()[1] for line in shown if line.startswith("word: ")] == [settled["answers"][0]["word"]]
    assert (settled["total"], settled["solved"], settled["read"]) == (1, 1, 0)
    assert [row["path"] for row in settled["answers"]] == ["copy.png"]
    assert [row["path"] for row in rows(home / "answers" / "copy" / "answers.csv")] == ["copy.png"]
    at_once = captchas("solve", done / "copy.png", "--home", home, "--json").report
    assert (at_once["total"], at_once["solved"], at_once["read"], at_once["answers_file"]) == (1, 1, 1, None)
    assert at_once["answers"][0]["path"] == str(done / "copy.png")


def test_only_the_empty_inbox_of_a_deployment_is_no_mistake(captchas, monkeypatch, tmp_path):
    (tmp_path / "inbox").mkdir()
    assert captchas("solve", "inbox", "--home", tmp_path).returncode == 2
    monkeypatch.setenv("PREFECT__RUNTIME__DEPLOYMENT__ID", "of a schedule")  # as Prefect's tests name it
    result = captchas("solve", "inbox", "--home", tmp_path, "--json")
    assert (result.returncode, result.report["total"]) == (0, 0)


@pytest.mark.slow
def test_lost_workers_cost_a_pause_and_the_report_counts_all(captchas, images, tmp_path, monkeypatch):
    """The request, which loads the model, is checked once for the shell and the flow together."""
    folder, home, checked = tmp_path / "inbox", tmp_path / "home", []
    monkeypatch.setattr(flows.solve, "reader_of", lambda plan: checked.append(plan) or reader_of(plan))
    fill(folder, images, 300)  # more than a batch
    plain = Attempt.record

    def record(self, receipt):
        monkeypatch.setattr(Attempt, "record", plain)
        plain(self, receipt)
        raise WorkerLost("gone")

    monkeypatch.setattr(Attempt, "record", record)
    report = captchas("solve", folder, "--settle", "0", "--home", home, "--json").report
    assert (report["total"], report["solved"], report["read"], report["skipped"]) == (300, 300, 300, 0)
    assert Attempt.record is plain
    assert len(checked) == 1


def test_pictures_that_are_unlike_most_others_are_read_once_more_on_workers(captchas, tmp_path):
    folder = tmp_path / "inbox"
    folder.mkdir()
    for number, (file, text) in enumerate(numbers(60)):
        (folder / f"{number:02}-{text}.png").write_bytes(file)
    common = ("solve", folder, "--settle", "0", "--home", tmp_path / "home")
    report = captchas(*common, "--json").report
    again = report["in_common"]
    assert again["told"] == "4 letters of 0-9"
    assert again["pictures"] >= again["changed"] >= 5
    assert sum(f"{row['word']}.png" == row["path"].partition("-")[2] for row in report["answers"]) >= 58
    assert sum("read once more" in (row["reason"] or "") for row in report["answers"]) == again["changed"]
    assert (report["solved"], report["read"], report["rows"]) == (60, 60, {"solved": 60})
    quiet = captchas(*common, "--json").report
    assert "in_common" not in quiet
    assert (quiet["answers"], quiet["read"]) == (report["answers"], 0)

"""The book, mended one defect at a time, by the real command."""

import json

import pytest

from storage.errors import BadInput
from tasks.profiles.fonts import find_face
from tasks.scoring import book
from tasks.scoring.reproduce import TRAINING_LETTERS, jobs, run_step_job

# Prefect and what it brings warn while they are imported; that is theirs.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.slow
def test_reproduce_on_some_words(captchas, tmp_path, monkeypatch):
    """Two of the steps; tests/tasks/test_book.py runs each of them."""
    monkeypatch.setattr(book, "STEPS", (book.STEPS[0], book.STEPS[-1]))
    result = captchas("reproduce", "--words", 200, "--home", tmp_path, "--json")
    assert result.returncode == 0, result.stderr
    folder = tmp_path / "reports" / "reproduce"
    assert sorted(path.name for path in folder.iterdir()) == ["steps.json", "steps.md", "steps.png"]
    assert json.loads(result.stdout)["letters"] == 1000
    steps = json.loads((folder / "steps.json").read_text())["steps"]
    assert [step["name"] for step in steps] == ["as printed", "threshold 0.6"]
    assert 0.45 < steps[0]["no_dictionary"] < 0.7
    assert steps[-1]["no_dictionary"] > 0.95


def test_the_network_learns_from_as_many_letters_as_are_asked_for(monkeypatch):
    drawn: list[int] = []
    monkeypatch.setattr(book, "letter_samples", lambda _, count, *__: drawn.append(count) or ([], []))
    monkeypatch.setattr(book, "train", lambda *_: 1 / 0)
    for job in jobs(find_face("Inter Black"), 14, 4, 150)[:2]:
        with pytest.raises(ZeroDivisionError):
            run_step_job(job)
    assert drawn == [150, 150]
    for wrong in (99, 200_001):
        with pytest.raises(BadInput, match=f"letters: must be from 100 to 200000; it is {wrong}"):
            jobs(find_face("Inter Black"), 14, None, wrong)


def test_the_command_learns_by_default_from_as_many_letters_as_the_book():
    assert TRAINING_LETTERS == book.TRAINING_LETTERS

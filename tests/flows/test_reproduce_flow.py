"""The book, mended one defect at a time, by the real command."""

import json

import pytest

from tasks.scoring import book

# Prefect and what it brings warn while they are imported; that is theirs.
pytestmark = pytest.mark.filterwarnings("ignore")


def test_reproduce_on_some_words(captchas, tmp_path, monkeypatch):
    """Two of the steps; tests/tasks/test_book.py runs each of them."""
    monkeypatch.setattr(book, "STEPS", (book.STEPS[0], book.STEPS[-1]))
    result = captchas("reproduce", "--words", 200, "--home", tmp_path, "--json")
    assert result.returncode == 0, result.stderr
    folder = tmp_path / "reports" / "reproduce"
    assert sorted(path.name for path in folder.iterdir()) == ["steps.json", "steps.md", "steps.png"]
    steps = json.loads((folder / "steps.json").read_text())["steps"]
    assert [step["name"] for step in steps] == ["as printed", "threshold 0.6"]
    assert 0.45 < steps[0]["no_dictionary"] < 0.7
    assert steps[-1]["no_dictionary"] > 0.95

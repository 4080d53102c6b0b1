"""The book, mended one defect at a time, by the real command; a file of its own, so that it runs beside the demo."""

import json

import pytest

# Prefect and what it brings warn while they are imported; that is theirs.
pytestmark = pytest.mark.filterwarnings("ignore")


def test_reproduce_on_some_words(captchas, tmp_path):
    result = captchas("reproduce", "--words", 200, "--home", tmp_path, "--json", timeout=400)
    assert result.returncode == 0, result.stderr
    folder = tmp_path / "reports" / "reproduce"
    assert sorted(path.name for path in folder.iterdir()) == ["steps.json", "steps.md", "steps.png"]
    steps = json.loads((folder / "steps.json").read_text())["steps"]
    assert steps[0]["name"] == "as printed"
    assert 0.45 < steps[0]["no_dictionary"] < 0.7
    assert steps[-1]["no_dictionary"] > 0.95

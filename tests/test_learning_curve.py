"""The commands that make the evidence on the deep reader: learning curves, and where it looks."""

import json
from types import SimpleNamespace

import pytest

from tasks.rates import Rate
from tests.benchmarks import learning_curve, saliency
from tests.benchmarks.learning_curve import Cell, Curve, table


@pytest.fixture
def curve(tmp_path, monkeypatch) -> Curve:
    """A curve over 60 pictures; imports and trainings are only noted."""
    work = tmp_path / "work"
    (work / "reports" / "import" / "all").mkdir(parents=True)
    (work / "datasets" / "all").mkdir(parents=True)
    lines = [json.dumps([f"{k}.png", f"L{k}", "0"]) for k in range(60)]
    (work / "reports" / "import" / "all" / "pictures.jsonl").write_text("\n".join(lines))
    for k in range(60):
        (tmp_path / f"{k}.png").write_text(f"L{k}")
    profile = {"alphabet": "L0123456789"}
    monkeypatch.setattr(learning_curve, "Dataset", lambda _: SimpleNamespace(manifest=SimpleNamespace(profile=profile)))
    monkeypatch.setattr(learning_curve, "captchas", lambda *_: None)
    return Curve(tmp_path, work, 20, 1)


def labels(curve, name):
    return (curve._work / "sources" / name / "labels.csv").read_text().splitlines()[1:]


def test_sets_grow_and_what_is_tried_is_in_none(curve):
    assert curve.most == 40
    for count in (10, 30):
        curve.dataset(f"set-{count}", curve._pairs[20:][:count])
    curve.dataset("tried", curve._pairs[:20])
    small, large, tried = labels(curve, "set-10"), labels(curve, "set-30"), labels(curve, "tried")
    assert large[:10] == small
    texts = [{line.partition(",")[2] for line in lines} for lines in (large, tried)]
    assert [len(found) for found in texts] == [30, 20]
    assert not texts[0] & texts[1]
    name, _, text = tried[0].partition(",")
    first = curve._work / "sources" / "tried" / name
    assert first.read_text() == text
    assert not first.is_symlink()  # which `captchas import` would not follow


def test_what_was_measured_is_not_trained_again(curve, monkeypatch):
    trained = []
    monkeypatch.setattr(learning_curve, "choose_deep", lambda *given: SimpleNamespace(
        sources=[], settings=None, start=given[-1]))  # fmt: skip
    monkeypatch.setattr(learning_curve, "train_deep", lambda *given, **_: trained.append(given[2]) or {"pictures": 9})
    monkeypatch.setattr(Curve, "_read", lambda *_: Rate(3, 4))
    for _ in range(2):
        assert curve.measure(Cell(10, "strangers"), 5, None) == Rate(3, 4)
    assert [path.name for path in trained] == ["10-from-strangers-5-minutes.onnx"]
    curve.measure(Cell(10, "strangers"), 6, None)
    curve.measure(Cell(10, "nothing"), 5, None)
    assert len(trained) == len(curve.results()) == 3


def test_the_table_has_a_row_for_each_number_of_pictures():
    cells = {Cell(100, "nothing"): Rate(0, 50), Cell(100, "strangers"): Rate(25, 50), Cell(300, "nothing"): Rate(9, 50)}
    lines = [*table(cells)]
    assert lines[0] == "| labelled pictures | from nothing | from strangers |"
    assert [line.partition(" | ")[0] for line in lines[2:]] == ["| 100", "| 300"]
    assert lines[3].endswith("| - |")
    assert learning_curve.plot(cells, "t").startswith(b"\x89PNG")


def test_a_files_name_tells_its_text():
    assert [saliency._text_of(stem) for stem in ("AB_1", "0001-ABC", "x")] == ["AB", "ABC", ""]

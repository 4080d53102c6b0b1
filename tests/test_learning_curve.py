"""The commands that make the evidence on the deep reader: learning curves, and where it looks."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from storage.deep_models import load_deep_model
from tasks.deep.deep_reader import DeepReader
from tasks.rates import Rate
from tasks.shipped import STRANGERS
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
        (tmp_path / f"{k}.png").touch()
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
    first = curve._work / "sources" / "tried" / tried[0].partition(",")[0]
    assert first.resolve().name == f"{tried[0].partition(',L')[2]}.png"


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


def test_every_pixel_is_covered_and_the_picture_comes_first():
    picture = np.random.Generator(np.random.Philox(1)).integers(0, 256, (20, 50, 3), np.uint8)
    pictures, places = saliency.covered(picture)
    assert (pictures[0] == picture).all()
    times = np.zeros((20, 50), int)
    for image, place in zip(pictures[1:], places, strict=True):
        times[place] += 1
        outside = np.ones((20, 50), bool)
        outside[place] = False
        assert (image[outside] == picture[outside]).all()
        assert len(np.unique(image[place].reshape(-1, 3), axis=0)) == 1
    assert times.min() >= 1


def test_the_reader_looks_at_the_letters():
    (picture, text), *_ = saliency.drawn("book", 1)
    said, heat = saliency.saliency(DeepReader(load_deep_model(STRANGERS)), picture)
    assert said == text
    ink = picture[..., 0] < 128
    assert heat[ink].mean() > 0.2
    assert heat[:, -4:].max() < 0.1  # the margin, which nothing depends on
    assert saliency.sheet(DeepReader(load_deep_model(STRANGERS)), [(picture[:, :40], "?")]).startswith(b"\x89PNG")


def test_a_files_name_tells_its_text():
    assert [saliency._text_of(stem) for stem in ("AB_1", "0001-ABC", "x")] == ["AB", "ABC", ""]

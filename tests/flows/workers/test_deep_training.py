"""A deep training as a task: what killed runs left, and what is told of its course."""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from flows.workers import deep_training
from tasks.deep.learning.deep_settings import Settings


@pytest.fixture
def course(monkeypatch) -> list[str]:
    """Collect the notes of the stage, without Prefect."""
    notes: list[str] = []

    @contextmanager
    def stage(*_):
        yield SimpleNamespace(note=notes.append, advance=lambda _: None, done=0)

    monkeypatch.setattr(deep_training, "stage", stage)
    return notes


def test_files_that_a_kill_left_amid_a_write_are_removed(course, monkeypatch, tmp_path):
    monkeypatch.setattr(deep_training, "train_deep", lambda *_, **__: {})
    gone = [tmp_path / f".mine.onnx.{'a' * 12}.tmp", tmp_path / f"..mine.onnx.checkpoint.{'0' * 12}.tmp"]
    kept = [tmp_path / f"..other.onnx.checkpoint.{'0' * 12}.tmp", tmp_path / ".mine.onnx.checkpoint"]
    for file in (*gone, *kept):
        file.write_bytes(b"part")
    assert deep_training.fit_deep.fn([], Settings(steps=1), tmp_path / "mine.onnx") == {}
    assert sorted(tmp_path.iterdir()) == sorted(kept)


def test_words_right_are_told_once_they_are_counted(course, monkeypatch, tmp_path):
    def train(*given, **_):
        show = given[4]
        told = SimpleNamespace(loss=2.5, right=float("nan"), pictures_a_second=1234.5, share=0.1)
        show("the first pictures are made")
        show(told)
        told.right = 0.5
        show(told)

    monkeypatch.setattr(deep_training, "train_deep", train)
    deep_training.fit_deep.fn([], Settings(steps=1), tmp_path / "mine.onnx")
    assert course == [
        "the first pictures are made", "loss 2.500, 1,234 pictures/s",
        "loss 2.500, 50.0 % of validation words right, 1,234 pictures/s",
    ]  # fmt: skip

"""The record of the served model: by name among the models of a home, which may be moved; by path elsewhere."""

import pytest

from storage.errors import Damaged
from storage.files.places import place
from storage.served_model import RECORD, ServedBy, serve_model, serve_shipped, served_in


def test_a_model_is_served_until_another_is(tmp_path):
    models = tmp_path / "home" / "models"
    assert served_in(models) is None
    serve_model(models, models / "mine.skops", ServedBy.CHOICE)
    assert served_in(models) == (models / "mine.skops", ServedBy.CHOICE)
    (tmp_path / "home").rename(tmp_path / "moved")
    moved = tmp_path / "moved" / "models"
    assert served_in(moved).model == moved / "mine.skops"
    for elsewhere in (tmp_path / "mine.skops", place("s3://bucket/mine.skops")):
        serve_model(moved, elsewhere, ServedBy.PROMOTION)
        assert served_in(moved) == (elsewhere, ServedBy.PROMOTION)
    serve_shipped(moved)
    serve_shipped(moved)
    assert served_in(moved) is None
    assert [*moved.iterdir()] == []


@pytest.mark.parametrize("content", [
    b"", b"[]", b"{}", b'{"model": "a"}', b'{"model": "a", "by": "x"}', b"\xff",
    b'{"model": "http://x/a", "by": "choice"}', b'{"model": "a\\u0000", "by": "choice"}',
    b'{"model": "\\ud800", "by": "choice"}',
])  # fmt: skip
def test_a_record_of_another_program_is_no_choice(tmp_path, content):
    (tmp_path / RECORD).write_bytes(content)
    with pytest.raises(Damaged, match="does not say which model is served"):
        served_in(tmp_path)


def test_a_home_that_is_a_file_has_no_served_model(tmp_path):
    (tmp_path / "home").touch()
    assert served_in(tmp_path / "home" / "models") is None

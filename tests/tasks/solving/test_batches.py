"""The units of solving: what a look says of a file, and the answers that a worker finishes."""

import json
import os
import types
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from blake3 import blake3
from PIL import Image

from storage.errors import BadInput
from storage.ledger.ledger import Answer, PictureFile
from tasks.doubts import DOUBTS
from tasks.loading import safe_read
from tasks.loading.safe_read import BadPicture, Unreadable, Unsettled
from tasks.reading.ranking import Ranking
from tasks.shipped import SHIPPED
from tasks.solving import batches
from tasks.solving.batches import LookJob, SolveJob, SolvePlan, look, solve_batch
from tasks.solving.choice import parse_length

NO_PICTURE = "no picture: not PNG, JPEG, GIF, BMP, WebP or TIFF, or the file's beginning is damaged"
PLAN = SolvePlan("model", "0" * 64, "BONE\nBOND", Ranking.PROBABILITY, 0.5)


class Scripted:
    """A reader that says what the brightest pixel but one tells it to."""

    doubts = False
    answers = types.MappingProxyType({
        10: ("BONE", 0.87500004, ["BONE", "BOND", ""], [0.9, 0.1, 0.0], 4),
        20: ("BOND", 0.25, ["BOND", "", ""], [0.4, 0.0, 0.0], 4),
        30: ("", 0.0, ["", "", ""], [0.0, 0.0, 0.0], 0),
        40: ("LONGER", 0.5, ["", "", ""], [0.0, 0.0, 0.0], 6),
        50: ("BONE", 0.75, ["BONE", "BOND", ""], [np.nan, np.nan, np.nan], 4),  # the model has no curve for words
    })  # fmt: skip

    def read(self, images, rankings=()):
        rows = [self.answers[int(image[1, 1])] for image in images]
        names = ("reading", "reading_confidence", "words", "confidences", "segments")
        return SimpleNamespace(
            **{name: np.array(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
        )


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(batches, "reader_of", lambda _: Scripted())
    (tmp_path / "deep").mkdir()
    for name, level, shape in (
        ("a.png", 10, (4, 6)), ("b,c.png", 20, (4, 7)), ("deep/d\r\n.png", 30, (4, 6)), ('e"f.png', 40, (4, 7)),
    ):  # fmt: skip
        image = np.zeros(shape, np.uint8)
        image[1, 1], image[2, 2] = level, 255
        Image.fromarray(image).save(tmp_path / name)
    with open(os.fsencode(tmp_path) + b"/\xff.png", "wb") as file:  # noqa: PTH123 - no UTF-8
        file.write(b"no picture")
    return tmp_path


NAMES = ("a.png", "b,c.png", "deep/d\r\n.png", 'e"f.png', "\udcff.png")


def pictures(folder: Path, *names: str) -> tuple[PictureFile, ...]:
    """The files as they are now, with their digests."""
    return tuple(
        PictureFile(name, (status := (folder / name).lstat()).st_size, status.st_mtime_ns, digest_of(folder / name))
        for name in names
    )


def digest_of(path: Path) -> bytes | None:
    return blake3(path.read_bytes()).digest() if path.is_file() else None


def test_each_kind_of_answer(folder):
    there = pictures(folder, *NAMES)
    receipt = solve_batch(SolveJob(str(folder), there, PLAN))
    assert receipt.files == there
    assert receipt.answers == (
        ("BONE", 0.9, "BONE", 0.875, "BOND", 0.1, None, None, 4, "solved", None),
        (None, 0.4, "BOND", 0.25, None, None, None, None, 4, "abstained", "confidence 0.400 is below 0.5"),
        (None, None, None, None, None, None, None, None, 0, "failed", "no letter found"),
        (None, None, "LONGER", None, None, None, None, None, 6, "failed", "no word of the dictionary fits"),
        (
            *[None] * 9,
            "failed",
            "no picture: not PNG, JPEG, GIF, BMP, WebP or TIFF, or the file's beginning is damaged",
        ),
    )


def test_where_the_model_has_no_confidence_none_is_shown_and_none_is_enough(folder):
    image = np.zeros((4, 6), np.uint8)
    image[1, 1], image[2, 2] = 50, 255
    Image.fromarray(image).save(folder / "a.png")
    there = pictures(folder, "a.png")
    (shown,) = solve_batch(SolveJob(str(folder), there, replace(PLAN, abstain_below=0.0))).answers
    assert shown == ("BONE", None, "BONE", 0.75, "BOND", None, None, None, 4, "solved", None)
    (asked,) = solve_batch(SolveJob(str(folder), there, PLAN)).answers
    assert (asked.word, asked.confidence, asked.status) == (None, None, "abstained")
    assert "no confidence" in asked.reason


def test_no_answer_has_another_length(folder):
    """A reader gives the longest string that it finds, where none is long enough."""
    there = pictures(folder, "a.png", "b,c.png", "deep/d\r\n.png")
    for length, told in (((5, 5), "5"), ((1, 3), "1 to 3")):
        (long, sure, none) = solve_batch(SolveJob(str(folder), there, replace(PLAN, length=length))).answers
        assert long == batches.failed(f"cannot be read as {told} letters", "BONE", 4)
        assert sure == batches.failed(f"cannot be read as {told} letters", "BOND", 4)
        assert none.reason == "no letter found"
    assert solve_batch(SolveJob(str(folder), there[:1], replace(PLAN, length=(2, 4)))).answers[0].word == "BONE"


def test_a_look_gives_digests_and_reasons(folder, monkeypatch):
    (folder / "folder").mkdir()
    (folder / "empty").touch()
    (folder / "link").symlink_to(folder / "a.png")
    names = ("a.png", "folder", "empty", "link", "b,c.png", "deep/d\r\n.png", "\udcff.png")
    there = pictures(folder, *names)
    (folder / "b,c.png").unlink()
    (folder / "deep" / "d\r\n.png").write_bytes(b"more")
    os.utime(folder / "\udcff.png", ns=(1, 1))
    monkeypatch.setattr(safe_read, "MOST_BYTES", 500)
    receipt = look(LookJob(str(folder), there))
    assert receipt.files == there
    assert receipt.digests[0] == digest_of(folder / "a.png")
    assert [(type(one), str(one).partition(";")[0].partition(":")[0]) for one in receipt.digests[1:]] == [
        (Unreadable, "a folder, not a picture file, or a folder that this user may not list"),
        (BadPicture, "the file is empty (0 bytes)"),
        (BadPicture, "not a regular file but a link, pipe, socket or device"),
        (Unsettled, "no such file"),
        (Unsettled, "still being written"),
        (Unsettled, "still being written"),
    ]
    (link,) = pictures(folder, "link")
    status = (folder / "a.png").stat()
    followed = link._replace(size=status.st_size, mtime=status.st_mtime_ns)
    assert look(LookJob(str(folder), (followed,), follow=True)).digests == (digest_of(folder / "a.png"),)
    monkeypatch.setattr(safe_read, "MOST_BYTES", status.st_size - 1)
    assert "at most" in str(look(LookJob(str(folder), there[:1])).digests[0])


def test_a_file_that_changes_between_look_and_reading_has_no_answer(folder):
    first, second, third = pictures(folder, "a.png", "b,c.png", 'e"f.png')
    os.utime(folder / "a.png", ns=(1, 1))
    data = (folder / "b,c.png").read_bytes()
    (folder / "b,c.png").write_bytes(data[:-1] + b"!")
    os.utime(folder / "b,c.png", ns=(second.mtime, second.mtime))  # within one tick of the file system's clock
    answers = solve_batch(SolveJob(str(folder), (first, second, third), PLAN)).answers
    assert [type(one) for one in answers] == [Unsettled, Unsettled, Answer]


def test_a_file_that_changes_while_it_is_read(folder, monkeypatch):
    (first,) = pictures(folder, "a.png")
    fdopen = os.fdopen

    def growing(handle, *arguments, **more):
        with (folder / "a.png").open("ab") as file:
            file.write(b"more")
        return fdopen(handle, *arguments, **more)

    monkeypatch.setattr(os, "fdopen", growing)
    (found,) = look(LookJob(str(folder), (first,))).digests
    assert isinstance(found, Unsettled)


def test_a_file_that_becomes_a_link_is_not_followed(folder, monkeypatch):
    (first,) = pictures(folder, "a.png")
    stat = os.stat

    def swapped(path, **more):
        status = stat(path, **more)
        if str(path).endswith("a.png"):
            (folder / "a.png").rename(folder / "secret")
            (folder / "a.png").symlink_to(folder / "secret")
        return status

    monkeypatch.setattr(os, "stat", swapped)
    (found,) = look(LookJob(str(folder), (first,))).digests
    assert isinstance(found, Unreadable)
    assert "Too many levels of symbolic links" in str(found)


def test_settings_tell_what_decides_about_an_answer():
    """And not where the model's file is."""
    plans = [
        PLAN,
        SolvePlan("model", "0" * 64, "BONE", Ranking.PROBABILITY, 0.5),
        SolvePlan("model", "0" * 64, "", Ranking.NONE, 0.5),
        SolvePlan("model", "0" * 64, "BONE\nBOND", Ranking.LEVENSHTEIN, 0.5),
        SolvePlan("model", "0" * 64, "BONE\nBOND", Ranking.PROBABILITY, 0.4),
        SolvePlan("model", "0" * 64, "BONE\nBOND", Ranking.PROBABILITY, 0.5, "ABC"),
        SolvePlan("model", "0" * 64, "BONE\nBOND", Ranking.PROBABILITY, 0.5, None, (4, 6)),
    ]
    assert len({plan.settings for plan in plans}) == len(plans)
    other = SolvePlan("elsewhere", "1" * 64, "BONE\nBOND", Ranking.PROBABILITY, 0.5)
    assert other.settings == PLAN.settings
    shipped = SolvePlan(str(SHIPPED), "0" * 64, "BONE\nBOND", Ranking.PROBABILITY, 0.5)
    assert json.loads(shipped.settings) == json.loads(PLAN.settings) | {"doubts": DOUBTS}  # old answers are read anew


@pytest.mark.parametrize(
    ("given", "expected"), [(None, None), ("4", (4, 4)), ("4-6", (4, 6)), ("1-32", (1, 32)), ("7-7", (7, 7))]
)
def test_lengths(given, expected):
    assert parse_length(given) == expected


@pytest.mark.parametrize("given", ["", "-", "four", "4-", "-4", "4-5-6", "4.5", "0", "6-4", "1-33"])
def test_lengths_that_are_none(given):
    with pytest.raises(BadInput, match=r"length: must be .*it is '"):
        parse_length(given)

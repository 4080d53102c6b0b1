"""Answers of the shipped models to pictures that show what these cannot know are not believed."""

import random

import numpy as np
import pytest
from PIL import Image, ImageDraw

from storage.models import model_digest
from tasks.doubts import DOUBTED, unexplained
from tasks.explaining.classic_stages import classic_stages
from tasks.loading.decode import load_batch
from tasks.loading.oddities.oddities import Oddities
from tasks.readers import load_reader, read_pictures
from tasks.reading.reader import Reader
from tasks.shipped import SHIPPED, STRANGERS
from tests.strangers import FACES, Plate, lay_out, png


def letters(text: str) -> Plate:
    return lay_out(text, random.Random(1), FACES[0], (190, 48))


def covered(text: str) -> Image.Image:
    plate = letters(text)
    picture = plate.plain()
    ImageDraw.Draw(picture).rectangle(plate.masks[2].getbbox(), fill=(16, 16, 16))
    return picture


def with_ring(text: str) -> Image.Image:
    picture = letters(text).plain()
    ImageDraw.Draw(picture).arc((160, 14, 180, 34), 30, 330, fill=(60, 110, 200), width=3)
    return picture


@pytest.fixture(scope="module", params=[SHIPPED, STRANGERS], ids=["classic", "deep"])
def reader(request):
    return load_reader(str(request.param), model_digest(request.param), ())


def read(reader, pictures: list[Image.Image]) -> list[tuple[str, float, float]]:
    groups, _ = read_pictures(reader, range(len(pictures)), lambda k: png(pictures[k]), {})
    answers = {
        index: (str(found.words[row, 0]), float(found.confidences[row, 0]), float(found.reading_confidence[row]))
        for rows, found in groups
        for row, index in enumerate(rows.tolist())
    }
    return [answers[k] for k in range(len(pictures))]


def test_confident_answers_that_cannot_be_known_are_lowered_and_the_others_kept(reader, monkeypatch):
    plain = [letters(text).plain() for text in ("KUMA", "Mijn")]
    odd = [letters("KÜMÄ").plain(), with_ring("XKUM"), covered("KUMA")]
    found = read(reader, plain + odd)
    assert reader.doubts
    monkeypatch.setattr(reader, "doubts", False)
    believed = read(reader, plain + odd)
    assert found[:2] == believed[:2]
    assert [word for word, _, _ in found[:2]] == ["KUMA", "Mijn"]
    assert [word for word, _, _ in found] == [word for word, _, _ in believed]
    for (_, sure, reading), (_, before, own) in zip(found[2:], believed[2:], strict=True):
        assert max(sure, reading) <= DOUBTED
        assert sure == pytest.approx(before * (DOUBTED if before > DOUBTED else 1))
        assert reading == pytest.approx(own * (DOUBTED if own > DOUBTED else 1))
    assert believed[2][1] > 0.9


def test_a_model_of_an_owner_knows_what_the_owners_pictures_show(tmp_path):
    copy = tmp_path / "mine.skops"
    copy.write_bytes(SHIPPED.read_bytes())
    assert not load_reader(str(copy), model_digest(copy), ()).doubts


def test_an_explained_picture_has_the_confidence_that_solving_gives():
    reader = load_reader(str(SHIPPED), model_digest(SHIPPED), ())
    assert isinstance(reader, Reader)
    picture = letters("KÜMÄ").plain()
    ((_, images),), _ = load_batch([png(picture)], bytes)
    seen = np.array(picture)
    readings = classic_stages(reader, reader.alphabet, seen, images[0], images[0])[1]
    assert (readings.words[0, 0], readings.confidences[0, 0]) == read(reader, [picture])[0][:2]


@pytest.mark.parametrize(
    ("word", "things", "marks", "apart", "blots", "odd"),
    [
        ("KUMA", 4, 0, False, False, False),
        ("KUMA", 4, 1, False, False, True),
        ("KÜMA", 4, 1, False, False, False),  # of a model that knows the letter
        ("Kija", 4, 2, False, False, False),
        ("Kija", 4, 3, False, False, True),
        ("KUMA", 2, 1, False, False, False),  # the letters cannot be told from each other
        ("KUMAC", 4, 0, True, False, True),
        ("KUMA", 4, 0, True, False, False),  # the icon was left out
        ("KUMA", 4, 0, False, True, True),
        ("KUMA", 4, 0, True, True, False),
        ("", 4, 1, True, True, False),
    ],
)  # fmt: skip
def test_what_explains_what(word, things, marks, apart, blots, odd):
    found = Oddities(*(np.array([value]) for value in (things, marks, apart, blots)))
    assert unexplained(found, [word]).tolist() == [odd]

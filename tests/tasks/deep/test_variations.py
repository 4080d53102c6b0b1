"""Pictures that are not read with confidence are read in several variations, and their probabilities are averaged."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from storage.deep_models import load_deep_model
from tasks import doubts
from tasks.deep.deep_reader import DeepReader
from tasks.deep.variations import COUNT, EDGES, POWER, average, vary
from tasks.doubts import believed, rows_of
from tasks.profiles.fonts import find_face
from tasks.reading.ranking import Ranking
from tasks.reading.reader import joined
from tasks.shipped import STRANGERS


def drawn(text: str, colour=(20, 30, 90), ground=(240, 230, 220), size=(60, 200)) -> np.ndarray:
    image = Image.new("RGB", size[::-1], ground)
    face = ImageFont.truetype(str(find_face("Inter Black").path), 34)
    ImageDraw.Draw(image).text((20, 10), text, colour, face)
    return np.asarray(image)


def darkness(images: np.ndarray) -> np.ndarray:
    """Return how much darker than the ground each picture is in all."""
    return (240.0 - images[..., 0]).sum(axis=(1, 2))


def sizes_of(images: np.ndarray) -> np.ndarray:
    return np.tile(np.array(images.shape[1:3]), (len(images), 1))


@pytest.fixture(scope="module")
def reader() -> DeepReader:
    return DeepReader(load_deep_model(STRANGERS))


def test_letters_get_thicker_and_thinner_by_a_share_of_the_height_and_lean_to_both_sides():
    images = drawn("HIH")[None]
    found = vary(images, sizes_of(images))
    assert len(found) == COUNT
    inked = [darkness(part.images)[0] for part in found]
    assert inked[0] > inked[1] > inked[-1] > inked[2] > inked[3]  # edges outwards, as they are, inwards
    height = found[0].sizes[0, 0]
    upright = inked[-1]
    bars = 5 * 2 * 25  # pixels, about, of the upright edges of three letters
    assert (inked[0] - upright) / 220 == pytest.approx(bars * EDGES[0] * height, rel=0.5)
    right, left = (np.argwhere(part.images[0, :, :, 0] < 120) for part in found[len(EDGES) :])
    assert right[right[:, 0] < height / 2, 1].min() < right[right[:, 0] > height / 2, 1].min()
    assert left[left[:, 0] < height / 2, 1].min() > left[left[:, 0] > height / 2, 1].min()


def test_light_letters_and_ink_of_a_grey_dataset_are_varied_alike():
    seen = drawn("HIH", (20, 20, 20), (240, 240, 240))
    grey, inverted = (
        vary((255 - seen[None, :, :, 0]), np.array([[60, 200]])),
        vary(255 - seen[None], np.array([[60, 200]])),
    )
    dark = vary(seen[None], np.array([[60, 200]]))
    for ink, same in zip(grey, dark, strict=True):  # ink is dark where it is strong
        np.testing.assert_allclose(255 - ink.images[0].astype(int), same.images[0, :, :, 0], atol=1)
    for k in range(len(EDGES)):  # light letters get thinner where dark ones get thicker
        light, other = inverted[k].images[0], dark[len(EDGES) - 1 - k].images[0]
        np.testing.assert_allclose(255 - light.astype(int), other, atol=1)


def test_what_lies_beyond_a_picture_on_its_canvas_and_beside_it_changes_nothing():
    first, second = drawn("HIH"), drawn("WOW", size=(90, 150))
    canvas = np.full((2, 90, 200, 3), 7, np.uint8)
    canvas[0, :60], canvas[1, :, :150] = first, second
    both = vary(canvas, np.array([[60, 200], [90, 150]]))
    for k, image in enumerate((first, second)):
        for part, own in zip(both, vary(image[None], np.array([image.shape[:2]])), strict=True):
            high, wide = own.sizes[0]
            assert part.sizes[k].tolist() == [high, wide]
            np.testing.assert_array_equal(part.images[k, :high, :wide], own.images[0, :high, :wide])


def test_a_large_picture_is_varied_at_fewer_pixels_and_a_tiny_one_at_all():
    large = np.repeat(np.repeat(drawn("HIH"), 8, axis=0), 8, axis=1)[None]
    sizes = vary(large, sizes_of(large))[0].sizes
    assert 60 <= sizes[0, 0] <= 120
    tiny = np.zeros((1, 1, 1, 3), np.uint8)
    assert all(part.images.shape == (1, 1, 1, 3) for part in vary(tiny, sizes_of(tiny)))


def said(reader, rows):
    """Return readings with these (word, confidence) of each picture, best first; letters are read as the best word."""
    blank = reader.read(np.full((len(rows), 20, 60, 3), 255, np.uint8))
    words, sure = np.full((len(rows), 3), "", "U8"), np.zeros((len(rows), 3))
    for k, row in enumerate(rows):
        for place, (word, confidence) in enumerate(row):
            words[k, place], sure[k, place] = word, confidence
    return replace(blank, reading=words[:, 0], reading_confidence=sure[:, 0], words=words, confidences=sure)


def test_the_word_counts_that_most_confidence_is_in_also_as_second_best(reader):
    parts = [said(reader, [row]) for row in ([("AB", 0.5), ("AD", 0.4)], [("AC", 0.5), ("AD", 0.1)], [("AD", 0.3)])]
    found = average(parts)
    assert found.words.tolist() == [["AD", "AB", "AC"]]
    assert found.of.tolist() == [2]
    mean = 0.8 / 3
    assert found.confidences[0, 0] == pytest.approx(mean**POWER)
    assert found.reading_confidence[0] == pytest.approx(0.1**POWER)  # that reading's own letters: 0.3 of three
    assert found.confidences[0, 1] == pytest.approx(0.5 / 3 * (1 - mean**POWER) / (1 - mean))
    assert (np.diff(found.confidences[0]) <= 0).all() and found.confidences.sum() <= 1


def test_what_no_reading_takes_for_the_best_is_not_the_answer(reader):
    rows = [[("AB", 0.3), ("XY", 0.29)], [("AC", 0.3), ("XY", 0.29)], [("AD", 0.31), ("XY", 0.29)]]
    found = average([said(reader, [row]) for row in rows])
    assert found.words[0, 0] == "AD"
    assert found.confidences[0, 0] < 0.5


def test_equal_readings_keep_their_answer_and_blank_pictures_none(reader):
    part = said(reader, [[("AB", 0.6)], []])
    found = average([part, part, part])
    assert found.words.tolist() == [["AB", "", ""], ["", "", ""]]
    assert found.confidences[:, 0].tolist() == pytest.approx([0.6**POWER, 0.0])
    assert found.of.tolist() == [0, 0]


@pytest.mark.parametrize("order", [[2, 0, 3], [3, 2, 1, 0]])
def test_rows_are_taken_in_any_order(reader, order):
    images = np.stack([drawn(text) for text in ("HA", "WXYZ", "K", "TUV")])
    readings = reader.read(images)
    taken = rows_of(readings, np.array(order))
    assert taken.reading.tolist() == readings.reading[order].tolist()
    for place, k in enumerate(order):
        np.testing.assert_array_equal(taken.box[taken.picture == place], readings.box[readings.picture == k])
    assert (np.diff(taken.picture) >= 0).all()


def test_only_pictures_without_confidence_are_varied_and_only_for_readers_of_strangers(reader, monkeypatch):
    clear, unclear = drawn("WAXK"), drawn("WAXK")
    noise = np.random.Generator(np.random.Philox(3)).integers(0, 256, unclear.shape, np.uint8)
    unclear = np.where(noise > 25, noise, unclear).astype(np.uint8)
    images, asked = np.stack([clear, unclear]), []
    monkeypatch.setattr(doubts, "vary", lambda images, sizes: asked.append(len(images)) or vary(images, sizes))
    monkeypatch.setattr(doubts, "make_plainer", lambda *_: (np.zeros(0, np.int64), [], [], np.zeros((0, 2), np.int64)))
    believed(reader, images)
    assert not asked
    monkeypatch.setattr(reader, "doubts", True)
    (part,) = believed(reader, images)
    assert asked == [1]
    plain = reader.read(images)
    assert part.readings.words[0].tolist() == plain.words[0].tolist()
    assert part.readings.confidences[0].tolist() == plain.confidences[0].tolist()
    assert part.readings.answers[reader.ranking].probabilities[1].tolist() == part.readings.confidences[1].tolist()


def test_pictures_that_are_varied_a_few_at_a_time_have_the_same_answers(reader, monkeypatch):
    monkeypatch.setattr(reader, "doubts", True)
    monkeypatch.setattr(doubts, "VARIED", 1.1)
    images = np.stack([drawn(text) for text in ("HA7", "WXYZ", "KQ", "TUVST", "9")])
    (whole,) = believed(reader, images)
    monkeypatch.setattr(doubts, "VARIED_AT_ONCE", 2)
    (parts,) = believed(reader, images)
    assert parts.readings.words.tolist() == whole.readings.words.tolist()
    np.testing.assert_allclose(parts.readings.confidences, whole.readings.confidences, atol=1e-6)


def test_with_a_dictionary_words_are_averaged(monkeypatch):
    reader = DeepReader(load_deep_model(STRANGERS), ("WAXK", "WAXY", "HOUSE"))
    monkeypatch.setattr(reader, "doubts", True)
    monkeypatch.setattr(doubts, "VARIED", 1.1)
    images = drawn("WAXK")[None]
    (part,) = believed(reader, images, rankings=[Ranking.NONE])
    assert part.readings.words[0, 0] == "WAXK"
    assert part.readings.answers[Ranking.PROBABILITY].words[0, 0] == "WAXK"
    assert part.readings.answers[Ranking.NONE].words.shape == (1, 3)


def test_readings_are_joined_in_the_order_of_their_variations(reader):
    one, two = reader.read(drawn("HA")[None]), reader.read(drawn("WXYZ")[None])
    assert rows_of(joined([one, two]), np.array([1])).reading.tolist() == two.reading.tolist()

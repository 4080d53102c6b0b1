"""Of pictures that are read once more made plainer, the text counts that most of the confidence is in."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from storage.deep_models import load_deep_model
from tasks import plainer
from tasks.deep.deep_reader import DeepReader
from tasks.deep.pictures import find_content
from tasks.doubts import believed
from tasks.plainer import Plainer, choose, make_plainer
from tasks.shipped import STRANGERS

IMAGES, SIZES = np.full((1, 20, 60, 3), 7, np.uint8), np.array([[20, 60]])


@pytest.fixture(scope="module")
def readings():
    """`readings([(text, confidence), ...])`, which are the same with a dictionary."""
    reader = DeepReader(load_deep_model(STRANGERS))

    def made(said):
        texts, sure = zip(*said, strict=True)
        blank = reader.read(np.full((len(said), 20, 60, 3), 255, np.uint8))
        words, confidences = blank.words.astype("U8"), blank.confidences.copy()
        words[:, 0], confidences[:, 0] = texts, sure
        return replace(
            blank, reading=np.array(texts), reading_confidence=np.array(sure), words=words, confidences=confidences
        )

    return made


@pytest.mark.parametrize(
    ("ways", "said", "chosen"),
    [
        (({}, {}), [("WXYZ", 0.6), ("KUMA", 0.9)], 1),
        (({}, {}), [("WXYZ", 0.6), ("KUMA", 0.2)], 0),
        (({}, {}), [("WXYZ", 0.2), ("KUMA", 0.2)], None),  # the picture as it is was read with 0.3
        (({}, {}), [("WXYZ", 0.2), ("WXYZ", 0.15)], 0),  # together they are surer
        (({}, {}), [("KU", 0.9), ("WXYZ", 0.4)], 1),  # a text that is shorter
        (({"shorter": True}, {}), [("KU", 0.9), ("WXYZ", 0.4)], 0),
        (({"least": 0.8}, {}), [("WXYZ", 0.7), ("KUMA", 0.4)], 1),
        (({"times": 0.6}, {"times": 2.5}), [("KUMA", 0.2), ("WXYZ", 0.6)], 0),
        (({}, {}), [("ABCD", 0.5), ("WXYZ", 0.4)], 0),  # as it was read, and surer so
        (({}, {}), [("ABCD", 0.1), ("WXYZ", 0.35)], None),  # as it was read, and not surer
    ],
)
def test_the_text_counts_that_most_confidence_is_in(readings, ways, said, chosen):
    before, again = readings([("ABCD", 0.3)]), readings(said)
    ways = [Plainer(np.copy, **way) for way in ways]
    taken, shares, kept = choose(before, again, np.zeros(len(said), np.int64), ways)
    assert taken.tolist() == ([] if chosen is None else [chosen])
    assert (shares == 1).all() and (kept == 1).all()  # nothing here shares out the confidence


def test_readings_that_share_out_the_confidence_lower_each_other(readings):
    before = readings([("ABCD", 0.3), ("EFGH", 0.6)])
    again = readings([("WXYZ", 0.6), ("WXYZ", 0.5), ("KUMA", 0.6), ("EFGX", 0.2)])
    ways = [*[Plainer(np.copy, shared=True)] * 2, Plainer(np.copy), Plainer(np.copy, shared=True)]
    taken, shares, kept = choose(before, again, np.array([0, 0, 0, 1]), ways)
    assert taken.tolist() == [0]
    assert shares == pytest.approx(np.full((1, 2), 1.1 / 1.4))  # of 0.3, 0.6 and 0.5; the third shares nothing
    assert kept == pytest.approx(np.array([[1, 1], [0.75, 0.75]]))  # 0.6 of 0.6 and 0.2


def test_of_equal_texts_the_surest_after_sharing_is_taken(readings):
    before, again = readings([("ABCD", 0.4)]), readings([("WXYZ", 0.9), ("WXYZ", 0.95)])
    taken, shares, _ = choose(before, again, np.zeros(2, np.int64), [Plainer(np.copy), Plainer(np.copy, shared=True)])
    assert (taken.tolist(), shares.tolist()) == ([0], [[1, 1]])


def test_a_picture_is_made_plainer_in_each_way_and_in_grey_too(monkeypatch):
    ways = [
        Plainer(lambda image: None), Plainer(lambda image: np.full_like(image, 8)), Plainer(lambda image: ()),
        Plainer(lambda image: (np.full_like(image, 9), np.full_like(image, 10))),
    ]  # fmt: skip
    monkeypatch.setattr(plainer, "PLAINER", ways)
    sure = np.array([0.95, 1.0, 0.94])
    of, found, pictures, _ = make_plainer(np.repeat(IMAGES, 3, axis=0), np.array([[20, 60], [9, 9], [9, 30]]), sure)
    assert (of.tolist(), found) == ([2, 2, 2], [ways[1], ways[3], ways[3]])
    for picture, level in zip(pictures, (8, 9, 10), strict=True):
        assert (picture[:9, :30] == level).all() and (picture[9:] == 7).all() and (picture[:, 30:] == 7).all()
    grey = make_plainer(IMAGES[..., 0], SIZES, np.array([0.5]))[2]
    assert [image[0, 0] for image in grey] == [255 - 8, 255 - 9, 255 - 10]  # ink
    monkeypatch.setattr(plainer, "PLAINER", [ways[1]._replace(below=0.7), ways[3]])
    assert [len(make_plainer(IMAGES, SIZES, np.array([sure]))[1]) for sure in (0.69, 0.7)] == [3, 2]


def test_a_text_that_is_set_otherwise_has_a_picture_of_its_own_size(monkeypatch):
    row = np.arange(30, dtype=np.uint8).reshape(2, 5, 3)
    ways = [Plainer(lambda image: row), Plainer(lambda image: np.full_like(image, 8))]
    monkeypatch.setattr(plainer, "PLAINER", ways)
    of, _, pictures, sizes = make_plainer(IMAGES, SIZES, np.array([0.5]))
    assert (of.tolist(), sizes.tolist()) == ([0, 0], [[2, 5], SIZES[0].tolist()])
    np.testing.assert_array_equal(pictures[0], row)
    grey = make_plainer(IMAGES[..., 0], SIZES, np.array([0.5]))[2]
    np.testing.assert_array_equal(grey[0], 255 - row[:, :, 0])


@pytest.mark.parametrize(("bar", "cut"), [(30, True), (2, False)])
def test_bars_are_no_ground_where_they_are_most_of_a_picture(monkeypatch, bar, cut):
    """Cards are looked for in the whole picture: what is around them is the page."""
    content = np.full((20, 60, 3), 200, np.uint8)
    content[0:18, 4:56] = (10, 120, 10)
    bars = np.zeros((bar, 60, 3), np.uint8)
    image = np.concatenate([bars, content, bars])
    sizes, given = np.array([image.shape[:2]]), []
    (box,) = find_content(image[None], sizes).astype(int)
    part = (slice(box[0], box[2]), slice(box[1], box[3])) if cut else (slice(None), slice(None))
    assert box[0] >= bar
    ways = [Plainer(given.append), Plainer(given.append, whole=True), Plainer(lambda seen: 255 - seen)]
    monkeypatch.setattr(plainer, "PLAINER", ways)
    _, _, (made,), _ = make_plainer(image[None], sizes, np.array([0.1]))
    np.testing.assert_array_equal(given[0], image[part])
    np.testing.assert_array_equal(given[1], image)
    expected = image.copy()
    expected[part] = 255 - image[part]
    np.testing.assert_array_equal(made, expected)


def test_a_sure_reading_is_left_and_an_unsure_one_believed_less(readings, monkeypatch):
    """Of two pictures the second is read otherwise without what is thin."""
    monkeypatch.setattr(plainer, "PLAINER", [Plainer(lambda image: image + 1, shorter=True, shared=True)])
    said = {7: ("ABCD", 0.96), 9: ("EFGH", 0.5), 10: ("EFGX", 0.3)}
    images = np.concatenate((IMAGES, IMAGES + 2))

    def read(images, _rankings, _sizes):
        return readings([said[int(image[0, 0, 0])] for image in images])

    reader = SimpleNamespace(read=read, doubts=True, length=(4, 4))
    monkeypatch.setattr("tasks.doubts.DeepReader", SimpleNamespace)
    monkeypatch.setattr("tasks.doubts.VARIED", 0.0)  # no picture is varied
    (all_of_them,) = believed(reader, images, np.repeat(SIZES, 2, axis=0))
    assert all_of_them.readings.reading.tolist() == ["ABCD", "EFGH"]
    assert all_of_them.readings.reading_confidence == pytest.approx([0.96, 0.5 * 0.5 / 0.8])
    assert all_of_them.readings.confidences[:, 0] == pytest.approx([0.96, 0.5 * 0.5 / 0.8])

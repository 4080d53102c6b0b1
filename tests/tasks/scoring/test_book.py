import json
import math
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
import pytest
from english_words import get_english_words_set
from PIL import Image, ImageDraw, ImageFont
from skimage.measure import label
from skimage.transform import AffineTransform, resize, warp

import fonts
from tasks.scoring import book

FONTS = Path(fonts.__file__).parent
INTER = FONTS / "inter" / "Inter-Black.otf"
# Its A is a row shorter than its N at scale 0.7; the tops of Inter Black share one row.
ALLERTA = FONTS / "allerta" / "allerta_medium.otf"
AS_PRINTED, LAST = book.STEPS[0], book.STEPS[-1]


@pytest.fixture(scope="module")
def words():
    web2 = get_english_words_set(["web2"], lower=True, alpha=True)
    return sorted({word.upper() for word in web2 if len(word) == 4})[::10][:500]


@pytest.fixture(scope="module")
def pictures(words):
    return list(book.draw_words(words, INTER))


@pytest.fixture(scope="module")
def first(words, pictures):
    return book.run_step(AS_PRINTED, words, INTER, pictures=pictures)


@pytest.fixture(scope="module")
def last(words):
    return book.run_step(LAST, words, INTER)


@pytest.fixture
def fewer(monkeypatch):
    """Train with a tenth of the letters."""
    samples = book.letter_samples
    monkeypatch.setattr(book, "letter_samples", lambda random, count, *rest: samples(random, count // 10, *rest))


@pytest.fixture
def font():
    return book.load_font(INTER)


@pytest.mark.parametrize(
    ("text", "shear", "scale", "rows_columns"),
    [("BONE", 0.0, 1.0, (30, 100)), ("WOOF", 0.45, 0.5, (30, 100)), ("Q", 0.2, 1.4, (30, 30))],
)
def test_draw_is_the_books_procedure(text, shear, scale, rows_columns):
    font = ImageFont.truetype(str(INTER), 22, layout_engine=ImageFont.Layout.BASIC)
    canvas = Image.new("L", rows_columns[::-1], "black")
    ImageDraw.Draw(canvas).text((0, 0), text, fill=1, font=font)
    image = warp(np.array(canvas), AffineTransform(shear=shear))
    image = image / image.max()
    expected = resize(image, (int(rows_columns[0] * scale), int(rows_columns[1] * scale)))

    drawn = book.draw(text, shear, scale, rows_columns, font)
    assert drawn.dtype == float
    assert drawn.min() == 0 and 0.5 < drawn.max() <= 1
    np.testing.assert_array_equal(drawn, expected)


def test_grids_are_the_books():
    np.testing.assert_allclose(book.SHEARS, np.arange(0, 0.5, 0.05), atol=1e-15)
    np.testing.assert_allclose(book.SCALES, np.arange(0.5, 1.5, 0.1), atol=1e-15)
    sizes = {(round(30 * scale), round(100 * scale)) for scale in book.SCALES}
    assert sizes == {(30 * percent // 100, percent) for percent in range(50, 150, 10)}


def test_draw_refuses_a_picture_without_ink(font):
    with pytest.raises(ValueError, match=r"leave ink on a canvas of 30 x 100 px, but '    '"):
        book.draw("    ", 0.0, 1.0, (30, 100), font)


def test_printed_order_is_raster_order_and_the_mend_sorts_it():
    image = book.draw("SPAN", 0.0, 0.7, (30, 100), book.load_font(ALLERTA))
    printed, mended = book.segments(image), book.segments(image, ordered=True)
    assert len(printed) == len(mended) == 4
    s, p, a, n = mended
    for crop, expected in zip(printed, [s, p, n, a], strict=True):
        np.testing.assert_array_equal(crop, expected)
    lefts = [np.flatnonzero((label(image > 0.2, connectivity=1) == k).any(axis=0))[0] for k in range(1, 5)]
    assert lefts != sorted(lefts)
    assert [crop.shape[1] for crop in mended] == [7, 7, 9, 8]


def test_own_pixels_leaves_the_neighbours_out(font):
    image = book.draw("AVID", 0.45, 1.0, (30, 100), font)
    labels = label(image > 0.2, connectivity=1)
    boxes = book.segments(image, ordered=True)
    own = book.segments(image, ordered=True, own_pixels=True)
    assert len(boxes) == len(own) == 4
    assert sum(int((crop > 0.2).sum()) for crop in boxes) > int((labels > 0).sum())
    assert sum(int((crop > 0.2).sum()) for crop in own) == int((labels > 0).sum())
    for box, alone in zip(boxes, own, strict=True):
        assert label(alone > 0.2, connectivity=1).max() == 1
        np.testing.assert_array_equal(alone[alone > 0], box[alone > 0])
    assert image.base is None and image[labels == 0].max() <= 0.2, "the picture itself stays as it was"


def test_segments_threshold_specks_and_an_empty_picture():
    image = np.zeros((6, 12))
    image[1:5, 1:4] = 1
    image[2, 4] = 0.3  # a faint bridge
    image[1:5, 5:8] = 1
    image[0, 10:12] = 1  # a speck of 2 px
    assert [crop.shape for crop in book.segments(image)] == [(1, 2), (4, 7)]
    assert [crop.shape for crop in book.segments(image, 0.4, ordered=True)] == [(4, 3), (4, 3), (1, 2)]
    assert [crop.shape for crop in book.segments(image, 0.4, smallest=2)] == [(1, 2), (4, 3), (4, 3)]
    assert [crop.shape for crop in book.segments(image, 0.4, smallest=3)] == [(4, 3), (4, 3)]
    assert [crop.shape for crop in book.segments(np.zeros((6, 12)))] == [(6, 12)]


def test_letters_are_resampled_not_repeated(font):
    image = book.draw("BONE", 0.2, 1.0, (30, 100), font)
    features = book.cut(image, AS_PRINTED)
    for row, crop in zip(features, book.segments(image), strict=True):
        np.testing.assert_array_equal(row.reshape(20, 20), resize(crop, (20, 20)))
        assert not np.array_equal(row.reshape(20, 20), np.resize(crop, (20, 20)))


def test_letter_samples_depend_on_the_random_state_alone(font):
    features, targets = book.letter_samples(np.random.RandomState(14), 40, font, AS_PRINTED)
    again, same = book.letter_samples(np.random.RandomState(14), 40, font, AS_PRINTED)
    assert features.shape == (40, 400) and features.min() >= 0 and features.max() <= 1
    assert len(set(targets.tolist())) > 10 and set(targets.tolist()) <= set(range(26))
    np.testing.assert_array_equal(features, again)
    np.testing.assert_array_equal(targets, same)


def test_network_is_multilabel_as_printed_and_softmax_when_mended():
    random = np.random.RandomState(0)
    targets = np.repeat([0, 3, 25], 20)
    features = np.eye(400)[targets] + random.random_sample((60, 400)) / 10
    sigmoids, _ = book.train(features, targets, integer_labels=False)
    softmax, score = book.train(features, targets, integer_labels=True)
    assert (sigmoids.out_activation_, softmax.out_activation_) == ("logistic", "softmax")
    assert score == 1
    rows = book.letter_probabilities(softmax, features)
    assert rows.shape == (60, 26)
    np.testing.assert_allclose(rows.sum(axis=1), 1)
    assert not rows[:, [1, 2, 24]].any(), "letters it never saw"
    np.testing.assert_array_equal(rows.argmax(axis=1), targets)
    assert book.letter_probabilities(sigmoids, features).shape == (60, 26)


def test_nearest_word_is_the_first_with_most_equal_positions():
    codes = np.array([[book.LETTERS.index(letter) for letter in word] for word in ["BARE", "BONE", "CONE"]])

    def nearest(reading):
        return book.most_equal_positions(np.array([book.LETTERS.index(x) for x in reading]), codes)

    assert [nearest(r) for r in ("CONE", "DONE", "XXXX", "XON", "BARES", "CONES")] == [2, 1, 0, 1, 0, 2]


def test_likeliest_word_adds_logarithms_and_survives_a_zero():
    codes = np.array([[0, 0, 0, 0], [1, 1, 1, 1], [1, 1, 1, 2]])
    probabilities = np.zeros((4, 26))
    probabilities[:, 0] = [0.9, 0.9, 0.9, 0.0]
    probabilities[:, 1] = [0.1, 0.1, 0.1, 0.4]
    probabilities[3, 2] = 0.6
    assert book.likeliest(probabilities, codes) == 2
    assert book.likeliest(np.zeros((4, 26)), codes) == 0


def test_steps_begin_as_printed_and_mend_one_thing_at_a_time():
    assert book.Step("as printed") == AS_PRINTED
    assert AS_PRINTED.threshold == 0.2
    switches = [field.name for field in fields(book.Step) if field.name != "name"]
    for before, after in zip(book.STEPS, book.STEPS[1:], strict=False):
        assert sum(getattr(before, name) != getattr(after, name) for name in switches) == 1
    assert len({step.name for step in book.STEPS}) == len(book.STEPS)


def test_pictures_do_not_depend_on_what_follows(words, pictures):
    for one, other in zip(pictures, book.draw_words(words[:20], INTER), strict=False):
        np.testing.assert_array_equal(one, other)
    assert any(
        one.shape != other.shape
        for one, other in zip(pictures, book.draw_words(words[:20], INTER, seed=15), strict=False)
    )


def test_words_as_printed(first):
    assert first["n"] == 500
    assert 0.45 < first["no_dictionary"] < 0.65
    assert first["letters_macro_f1"] > 0.95, "isolated letters look fine, as in the book"
    assert first["no_dictionary"] <= first["four_segments"]


def test_words_mended(first, last):
    assert last["no_dictionary"] > 0.96
    assert last["letter_probabilities"] > 0.96
    assert last["no_dictionary"] > first["no_dictionary"] + 0.30


def test_every_step_trains_and_reads(fewer, words):
    """`captchas reproduce` measures what each step scores."""
    rows = [book.run_step(step, words[:40], INTER) for step in book.STEPS]
    assert [row["name"] for row in rows] == [step.name for step in book.STEPS]
    for row in rows:
        assert row["n"] == 40
        assert row["letter_probabilities"] <= row["four_segments"]
    four = [row["four_segments"] for row in rows]
    assert four[-1] == max(four) > four[0] > 0.4


def test_result_is_plain(first, last):
    assert last["seconds"] > 0
    for step, result in ((AS_PRINTED, first), (LAST, last)):
        assert json.loads(json.dumps(result, allow_nan=False)) == result
        assert result.items() >= asdict(step).items()
        shares = ("four_segments", "no_dictionary", "equal_positions", "letter_probabilities")
        assert all(math.isclose(result[name] * 500, round(result[name] * 500)) for name in shares)


def test_result_is_the_same_again_also_of_given_pictures(fewer, words, pictures):
    once = book.run_step(LAST, words[:40], INTER)
    again = book.run_step(LAST, words[:40], str(INTER), pictures=iter(pictures[:40]))
    assert {**once, "seconds": 0} == {**again, "seconds": 0}


@pytest.mark.parametrize("bad", ["ABC", "ABCDE", "bone", "CAFÉ"])
def test_run_step_refuses_other_words(bad):
    with pytest.raises(ValueError, match=f"four letters A to Z; '{bad}' is not"):
        book.run_step(AS_PRINTED, ["BONE", bad], INTER)


def test_run_step_refuses_an_empty_list():
    with pytest.raises(ValueError, match="one word or more"):
        book.run_step(AS_PRINTED, [], INTER)

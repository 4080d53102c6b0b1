import dataclasses

import numpy as np
import pytest

from storage.errors import BadInput
from tasks.datasets.recipe import make_recipe, renderer_of
from tasks.profiles.built_in import find_profile
from tasks.reading.components import find_apart
from tasks.reading.confidence import EVIDENCE
from tasks.reading.deskew import upright
from tasks.reading.features import FEATURES, shape_spans
from tasks.reading.lattice import find_spans
from tasks.reading.networks import GATE, LETTERS, NEEDED, gate_odds, letter_odds
from tasks.reading.ranking import Dictionary, Ranking, nearest_words
from tasks.reading.reader import _AT_ONCE, _NEAR, FAR, LONGEST_BY_DEFAULT, SURE, Reader

ALPHABET = find_profile("book").alphabet
TEST = 2


@pytest.fixture(scope="module")
def model(learnt):
    return learnt.networks, learnt.record


@pytest.fixture(scope="module")
def unseen():
    """1,000 of the book's pictures of the test split, with what is known of them, of another seed than the model's."""
    renderer = renderer_of(make_recipe(find_profile("book"), 2))
    blocks = [block.rows(block.split == TEST) for block in (renderer.block(2, number) for number in range(12))]
    images, boxes = (np.concatenate([getattr(block, name) for block in blocks])[:1000] for name in ("images", "boxes"))
    return images, np.array([text for block in blocks for text in block.texts()][:1000]), boxes


@pytest.fixture(scope="module")
def readings(model, web2, unseen):
    return Reader(*model, web2).read(unseen[0], Ranking)


def same(one, other, rows=slice(None)):
    """Readings of the same pictures, but for the last bits of a product of matrices."""
    assert one.reading.tolist() == other.reading[rows].tolist()
    assert one.words.tolist() == other.words[rows].tolist()
    assert one.confidences == pytest.approx(other.confidences[rows], abs=1e-4)
    assert one.reading_confidence == pytest.approx(other.reading_confidence[rows], abs=1e-4)
    assert one.segments.tolist() == other.segments[rows].tolist()
    for name in ("height", "shear", "offset"):
        assert getattr(one, name).tolist() == getattr(other, name)[rows].tolist()
    letters = np.isin(other.picture, np.arange(len(other.reading))[rows])
    assert one.box.tolist() == other.box[letters].tolist()
    for ranking in one.answers:
        assert one.answers[ranking].words.tolist() == other.answers[ranking].words[rows].tolist()


# Words are read.


def test_unseen_words_are_read(readings, unseen):
    truth = unseen[1]
    assert (readings.reading == truth).mean() > 0.96
    for ranking, least in ((Ranking.NONE, 0.96), (Ranking.PROBABILITY, 0.99), (Ranking.LEVENSHTEIN, 0.98)):
        assert (readings.answers[ranking].words[:, 0] == truth).mean() > least
    assert (readings.words[:, 0] == truth).sum() >= (readings.reading == truth).sum()


def test_the_truth_is_among_the_three_more_often_than_first(readings, unseen):
    for answer in readings.answers.values():
        first = answer.words == unseen[1][:, None]
        assert first.any(axis=1).sum() >= first[:, 0].sum()
    # Of the answers that are wrong, most have the truth in second or third place.
    strings = readings.answers[Ranking.NONE].words == unseen[1][:, None]
    wrong = ~strings[:, 0]
    assert wrong.any()
    assert strings[wrong].any(axis=1).mean() > 0.5


def test_letters_are_found_where_they_are(readings, unseen):
    images, truth, boxes = unseen
    right = readings.reading == truth
    four = readings.segments == 4
    assert four.all()
    _, shear, offset = upright(images)
    assert readings.shear.tolist() == shear.tolist()
    assert readings.offset.tolist() == offset.tolist()
    found = readings.box.reshape(-1, 4, 4).astype(int)[right]
    middle = (boxes[right, :, 1] + boxes[right, :, 3]) / 2
    middle += (offset[right] - shear[right] * (boxes[right, :, 0] + boxes[right, :, 2]).T / 2000).T
    height = readings.height[right, None]
    assert (np.abs((found[..., 1] + found[..., 3]) / 2 - middle) < 0.3 * height).mean() > 0.99


def test_readings_fit_together(readings, unseen):
    n, m = len(unseen[0]), int(readings.segments.sum())
    assert readings.words.shape == readings.confidences.shape == (n, 3)
    assert readings.reading.shape == readings.reading_confidence.shape == readings.segments.shape == (n,)
    assert readings.height.shape == readings.shear.shape == readings.offset.shape == (n,)
    assert readings.picture.tolist() == np.repeat(np.arange(n), readings.segments).tolist()
    assert (readings.box.shape, readings.box.dtype) == ((m, 4), np.int16)
    assert readings.segments.tolist() == np.char.str_len(readings.reading).tolist()
    assert (readings.height > 0).all()
    box = readings.box.astype(int)
    assert (box[:, 0] < box[:, 2]).all()
    assert (box[:, 1] < box[:, 3]).all()
    assert (box[:, 2] - box[:, 0] == readings.height[readings.picture]).all()
    # From left to right, without overlap.
    follows = readings.picture[1:] == readings.picture[:-1]
    assert (box[1:, 1] >= box[:-1, 3])[follows].all()
    assert set(readings.answers) == set(Ranking)
    assert readings.words.tolist() == readings.answers[Ranking.PROBABILITY].words.tolist()
    assert readings.confidences.tolist() == readings.answers[Ranking.PROBABILITY].probabilities.tolist()
    assert {key: rows.shape for key, rows in readings.evidence.items()} == {
        Ranking.NONE: (n, len(EVIDENCE["none"])), Ranking.PROBABILITY: (n, len(EVIDENCE["probability"])),
    }  # fmt: skip


def test_confidences_are_sorted_probabilities(readings):
    for ranking in (Ranking.NONE, Ranking.PROBABILITY):
        answer = readings.answers[ranking]
        shares = answer.probabilities
        assert ((shares >= 0) & (shares <= 1)).all()
        assert (np.diff(shares, axis=1) <= 0).all()
        assert (shares.sum(axis=1) <= 1 + 1e-9).all()
        assert (shares[answer.words == ""] == 0).all()
        assert (shares[:, 0][answer.words[:, 0] != ""] > 0).all()


def test_a_share_among_words_is_no_confidence(readings, model, web2, unseen):
    for ranking in (Ranking.POSITIONS, Ranking.LEVENSHTEIN):
        answer = readings.answers[ranking]
        assert (answer.words != "").all()
        assert np.isnan(answer.probabilities).all()
    networks, record = model
    without = record | {"calibration": {"none": record["calibration"]["none"]}}
    found = Reader(networks, without, web2).read(unseen[0][:20])
    assert (found.words[:, 0] == unseen[1][:20]).all()
    assert np.isnan(found.confidences).all()
    assert (found.reading_confidence > 0.5).all()


def test_the_surest_answers_are_right_more_often(readings, unseen):
    right = readings.reading == unseen[1]
    order = np.argsort(readings.reading_confidence)
    assert right[order[500:]].mean() > right[order[:100]].mean()
    assert readings.reading_confidence.mean() == pytest.approx(right.mean(), abs=0.03)


def test_without_dictionary_the_reading_is_the_first_word(readings, model, unseen):
    plain = readings.answers[Ranking.NONE]
    assert plain.words[:, 0].tolist() == readings.reading.tolist()
    assert plain.probabilities[:, 0].tolist() == readings.reading_confidence.tolist()
    alone = Reader(*model, length=(4, 4))
    assert alone.ranking is Ranking.NONE
    found = alone.read(unseen[0][:200])
    assert found.words.tolist() == plain.words[:200].tolist()
    assert set(found.answers) == set(found.evidence) == {Ranking.NONE}


def test_other_rankings_are_those_of_the_reading(readings, model, web2):
    dictionary = Dictionary(web2, ALPHABET)
    codes = np.array([[ALPHABET.index(letter) for letter in text] for text in readings.reading])
    for ranking in (Ranking.POSITIONS, Ranking.LEVENSHTEIN):
        expected = nearest_words(codes, dictionary, ranking)
        assert readings.answers[ranking].words.tolist() == expected.words.tolist()


def test_words_are_of_the_dictionary(readings, web2, model, unseen):
    for ranking in set(Ranking) - {Ranking.NONE}:
        assert set(readings.answers[ranking].words.ravel().tolist()) <= {*web2, ""}
    few = ("BONE", "BOND", "ZZZZ")
    found = Reader(*model, few).read(unseen[0][:50])
    assert set(found.words.ravel().tolist()) <= {*few, ""}
    assert (found.words[:, 0] != "").all()


# Each picture is read by itself.


def test_a_picture_is_read_alone_as_among_others(readings, model, web2, unseen):
    reader = Reader(*model, web2)
    for some in (slice(0, 1), slice(254, 259), slice(700, 703), slice(999, 1000)):
        alone = reader.read(unseen[0][some])
        assert set(alone.answers) == {Ranking.PROBABILITY}
        same(alone, readings, some)


def test_pictures_of_more_than_one_batch_are_numbered_on(readings, model, web2, unseen):
    count = 2 * _AT_ONCE + 3
    found = Reader(*model, web2).read(unseen[0][:count], Ranking)
    same(found, readings, slice(0, count))
    assert found.picture[-1] == count - 1
    assert {ranking: len(rows) for ranking, rows in found.evidence.items()} == dict.fromkeys(found.evidence, count)


def test_without_a_dictionary_confidence_knows_how_much_there_is_to_cut(model, unseen):
    reader = Reader(*model)
    found = reader.read(unseen[0][:50])
    lattice, _ = reader.spans(upright(unseen[0][:50])[0])
    columns = [EVIDENCE["none"].index(name) for name in ("many cuts", "high")]
    expected = np.log1p(np.column_stack([lattice.cuts, lattice.height]))
    assert np.array_equal(found.evidence[Ranking.NONE][:, columns], expected)
    assert (expected.std(axis=0) > 0).all()


@pytest.fixture(scope="module")
def mixed(unseen):
    """Pictures whose letters stand apart, and the same ones with a stroke through them all, in turn."""
    images = np.repeat(unseen[0][:80], 2, axis=0)
    for image in images[1::2]:
        rows, columns = np.nonzero(image > 128)
        image[int(np.median(rows)), columns.min() : columns.max() + 1] = 255
    return images


def test_pictures_come_back_in_their_order_whichever_way_they_are_read(mixed, unseen, model, web2):
    reader = Reader(*model, web2)
    ink = upright(mixed)[0]
    apart = find_apart(ink).counts == 4
    assert apart[0::2].mean() > 0.5
    assert apart[1::2].mean() < 0.1
    lattice, odds = reader.spans(ink)
    assert len(odds) == len(lattice.box)
    fast = lattice.counts == lattice.cuts - 1  # a span from each cut to the next one
    assert fast.any()
    assert (~fast).sum() > _NEAR  # in several portions
    together = reader.read(mixed)
    for number in range(len(mixed)):
        same(reader.read(mixed[number : number + 1]), together, slice(number, number + 1))
    turned = reader.read(mixed[::-1])
    assert turned.words.tolist() == together.words[::-1].tolist()
    assert turned.segments.tolist() == together.segments[::-1].tolist()
    assert (together.words[0::2, 0] == unseen[1][:80]).mean() > 0.9
    assert (together.words[1::2, 0] == unseen[1][:80]).mean() > 0.3  # it was never taught any noise


def test_spans_of_each_picture_are_those_of_the_way_it_goes(mixed, model):
    reader = Reader(*model, length=(4, 4))
    ink = upright(mixed)[0]
    lattice, odds = reader.spans(ink)
    assert odds.dtype == np.float64
    for number in range(len(mixed)):
        image, own = ink[number : number + 1], odds[lattice.starts[number] : lattice.starts[number + 1]]
        boxes = lattice.box[lattice.starts[number] : lattice.starts[number + 1]]
        apart = find_apart(image)
        expected, found = letter_odds(model[0][LETTERS], shape_spans(image, apart)), apart
        if apart.counts[0] != 4 or (expected.max(axis=1) < SURE).any():
            found = find_spans(image)
            shapes = shape_spans(image, found)
            expected = letter_odds(model[0][LETTERS], shapes)
            passed = (gate_odds(model[0][GATE], shapes) >= model[1]["gate"]) & (expected.max(axis=1) >= FAR)
            if found.keep(passed).longest()[0] < 4:
                passed[:] = True  # no path is left: all spans come back
            found, expected = found.keep(passed), expected[passed]
        assert boxes.tolist() == found.box.tolist()
        assert lattice.cuts[number] == found.cuts[0]
        assert own == pytest.approx(expected, abs=1e-3)


def test_kernels_see_one_kind_of_array_either_way(mixed, unseen, model, web2):
    """Else they are compiled once more, in the middle of somebody's first run."""
    reader = Reader(*model, web2)
    ways = set()
    for number in range(20):
        lattice, odds = reader.spans(upright(mixed[number : number + 1])[0])
        ways.add(bool((lattice.counts == lattice.cuts - 1).all()))
        assert odds.flags.c_contiguous
        assert (odds.dtype, lattice.first.dtype, lattice.last.dtype) == (np.float64, np.int16, np.int16)
        assert (lattice.counts.dtype, lattice.cuts.dtype, lattice.box.dtype) == (np.int64, np.int64, np.int16)
    assert ways == {True, False}


# Unlike all that was learnt.


def test_letters_that_may_not_occur_speak_against_an_answer(model, unseen):
    told = Reader(*model, length=(4, 4)).read(unseen[0][:200])
    few = Reader(*model, alphabet="QXZJ", length=(4, 4)).read(unseen[0][:200])
    assert told.reading_confidence.mean() > 0.9
    assert few.reading_confidence.mean() < 0.1
    column = EVIDENCE["none"].index("letters allowed")
    assert (told.evidence[Ranking.NONE][:, column] == 0).all()
    assert (few.evidence[Ranking.NONE][:, column] < -1).mean() > 0.9


def test_ink_that_no_letter_explains_speaks_against_an_answer(model, unseen):
    clean = unseen[0][:200]
    dirty = clean.copy()
    dirty[:, -6:, :60] = 255  # a bar below the text, at the same place in all
    reader = Reader(*model, length=(4, 4))
    column = EVIDENCE["none"].index("ink explained")
    before, after = (reader.read(images) for images in (clean, dirty))
    explained = [np.median(found.evidence[Ranking.NONE][:, column]) for found in (before, after)]
    assert explained[1] < explained[0] - 1
    assert after.reading_confidence.mean() < before.reading_confidence.mean() - 0.2


# What may occur.


def test_only_letters_of_the_alphabet_are_read(model, unseen):
    some = "ZEIRO"
    reader = Reader(*model, alphabet=some, length=(4, 4))
    found = reader.read(unseen[0][:300])
    assert set("".join(found.words.ravel().tolist())) <= set(some)
    own = np.array([set(text) <= set(some) for text in unseen[1][:300]])
    assert found.reading[own].tolist() == unseen[1][:300][own].tolist()
    # Its order does not matter.
    other = Reader(*model, alphabet=some[::-1], length=(4, 4)).read(unseen[0][:300])
    assert other.reading.tolist() == found.reading.tolist()


@pytest.mark.parametrize("length", [(1, 1), (3, 3), (4, 4), (1, 4), (5, 6)])
def test_texts_are_as_long_as_they_may_be(model, unseen, length):
    found = Reader(*model, length=length).read(unseen[0][:60])
    lengths = np.char.str_len(found.words)
    assert (found.segments >= length[0]).all()
    assert (found.segments <= length[1]).all()
    assert (lengths[found.words != ""] >= length[0]).all()
    assert (lengths <= length[1]).all()


def test_a_picture_of_too_few_letters_gets_its_longest_reading(model, unseen):
    image = np.zeros_like(unseen[0][:1])
    image[0, 10:30, 60:66] = 255
    found = Reader(*model, length=(4, 6)).read(image)
    assert 1 <= found.segments[0] < 4
    assert len(found.reading[0]) == found.segments[0]


def test_lengths_are_those_of_the_dictionary_by_default(model):
    assert Reader(*model).length == (1, LONGEST_BY_DEFAULT)
    assert Reader(*model, ("BONE", "BO", "BONES")).length == (2, 5)
    assert Reader(*model, ("BONE",), length=(1, 7)).length == (1, 7)


def test_words_of_different_lengths(model):
    profile = dataclasses.replace(find_profile("book"), name="some", words="", length=(2, 6), width=200)
    block = renderer_of(make_recipe(profile, 3)).block(3, 0, 300)
    truth = np.array(block.texts())
    assert set(map(len, truth)) == {2, 3, 4, 5, 6}
    plain = Reader(*model, length=(2, 6)).read(block.images)
    assert (plain.segments == np.char.str_len(truth)).mean() > 0.9
    assert (plain.reading == truth).mean() > 0.7  # it learnt from words, in which some letters are rare
    answers = Reader(*model, tuple(truth.tolist())).read(block.images)
    assert (answers.words[:, 0] == truth).mean() > 0.95


# Nothing to read.


def test_pictures_without_ink_have_no_words(model, web2, unseen):
    images = np.concatenate([np.zeros((1, 42, 140), np.uint8), unseen[0][:1], np.zeros((2, 42, 140), np.uint8)])
    found = Reader(*model, web2).read(images, Ranking)
    assert found.segments.tolist() == [0, 4, 0, 0]
    assert found.picture.tolist() == [1] * 4
    assert found.reading.tolist() == ["", unseen[1][0], "", ""]
    assert found.reading_confidence[[0, 2, 3]].tolist() == [0, 0, 0]
    for answer in found.answers.values():
        assert answer.words[[0, 2, 3]].tolist() == [["", "", ""]] * 3
        assert not np.nan_to_num(answer.probabilities[[0, 2, 3]]).any()
    assert found.height[[0, 2, 3]].tolist() == [0, 0, 0]
    for rows in found.evidence.values():
        assert np.isfinite(rows).all()
    assert Reader(*model).read(images[:1]).reading.tolist() == [""]


@pytest.mark.parametrize("shape", [(1, 1), (3, 9), (42, 140), (200, 30)])
def test_noise_breaks_nothing(model, web2, shape):
    random = np.random.Generator(np.random.Philox(shape[0]))
    noise = random.integers(0, 256, (6, *shape)).astype(np.uint8)
    noise[1:3][noise[1:3] < 220] = 0
    noise[3] = 255
    noise[4] = 1
    for reader in (Reader(*model, web2), Reader(*model, length=(1, 32))):
        found = reader.read(noise, [Ranking.NONE])
        assert found.words.shape == (6, 3)
        assert np.isfinite(found.confidences).all()
        assert found.segments.tolist() == np.char.str_len(found.reading).tolist()


def test_no_pictures_at_all(model, web2):
    found = Reader(*model, web2).read(np.empty((0, 42, 140), np.uint8), Ranking)
    assert found.words.shape == found.confidences.shape == (0, 3)
    assert found.reading.shape == found.segments.shape == found.picture.shape == (0,)
    assert found.box.shape == (0, 4)
    assert set(found.answers) == set(Ranking)


# What is refused.


@pytest.mark.parametrize(
    "images", [np.zeros((42, 140), np.uint8), np.zeros((2, 42, 140)), np.zeros((1, 42, 140, 3), np.uint8)]
)
def test_other_arrays_are_refused(model, images):
    with pytest.raises(ValueError, match=r"^images: must be \(n, rows, columns\) uint8"):
        Reader(*model).read(images)


def test_other_features_are_refused_with_both_versions(model):
    with pytest.raises(BadInput, match=rf"features version {FEATURES + 1}, and this .* {FEATURES}; train it again"):
        Reader(model[0], model[1] | {"features": FEATURES + 1})


@pytest.mark.parametrize("key", NEEDED)
def test_an_incomplete_record_is_refused(model, key):
    with pytest.raises(BadInput, match=rf"^model: its record lacks {key}; train it again"):
        Reader(model[0], {name: value for name, value in model[1].items() if name != key})


@pytest.mark.parametrize("name", [LETTERS, GATE])
def test_a_model_without_one_of_its_networks_is_refused(model, name):
    with pytest.raises(BadInput, match=r"^model: its record lacks a network; train it again"):
        Reader({key: value for key, value in model[0].items() if key != name}, model[1])


def test_classes_that_are_not_those_of_the_network_are_refused(model):
    with pytest.raises(BadInput, match=r"^model: its network knows 27 classes, and its record names 2 letters"):
        Reader(model[0], model[1] | {"classes": "AB"})


def test_a_word_that_the_model_cannot_read_is_named(model):
    with pytest.raises(BadInput, match="'CAFÉ'"):
        Reader(*model, ("BONE", "CAFÉ"))
    with pytest.raises(BadInput, match="'BONE'"):
        Reader(*model, ("BOO", "BONE"), alphabet="BO")


@pytest.mark.parametrize(("alphabet", "said"), [("ABé9", "'é', '9'"), ("", "none")])
def test_letters_that_the_model_does_not_know_are_named(model, alphabet, said):
    with pytest.raises(BadInput, match=rf"^alphabet .*: must be letters that the model knows.* it has {said}\."):
        Reader(*model, alphabet=alphabet)


@pytest.mark.parametrize("length", [(0, 4), (5, 4), (1, 33)])
def test_a_length_that_cannot_be_is_refused(model, length):
    with pytest.raises(BadInput, match=r"^length: must be from 1 to 32 letters"):
        Reader(*model, length=length)


def test_a_ranking_that_needs_a_dictionary_is_refused_without_one(model):
    with pytest.raises(BadInput, match=r"^ranking 'positions': needs a dictionary"):
        Reader(*model, (), Ranking.POSITIONS)
    with pytest.raises(BadInput, match=r"^ranking 'levenshtein': needs a dictionary"):
        Reader(*model).read(np.zeros((1, 9, 9), np.uint8), [Ranking.LEVENSHTEIN])

import dataclasses

import numpy as np
import pytest
from sklearn.metrics import f1_score
from tasks.letters import FEATURES, shape_letters
from tasks.segmentation import CONNECTIVITY, SMALLEST, THRESHOLD, cut

from storage.errors import BadInput
from tasks.classifier import build, fit_stream
from tasks.ranking import Ranking, rank
from tasks.reader import LONGEST, Reader
from tasks.recipes import make_recipe, renderer_of
from tasks.specs import find_profile
from tasks.words import load_words

TRAIN, TEST = 0, 2


def letters_model(profile, blocks, passes):
    """A network and its record, trained on single letters of a profile."""
    renderer = renderer_of(make_recipe(profile, 1))
    chunks = []
    for number in range(blocks):
        block = renderer.block(1, number)
        block = block.rows(block.split == TRAIN)
        segments = cut(block.images)
        whole = segments.counts[segments.picture] == 1
        y = np.array([profile.alphabet.index(text) for text in block.texts()])[segments.picture]
        chunks.append((shape_letters(block.images, segments)[whole].reshape(-1, 400), y[whole]))
    network = build(1)
    fit_stream(network, lambda: iter(chunks), len(profile.alphabet), passes, 1)
    provenance = {
        "classes": profile.alphabet, "features": FEATURES, "threshold": THRESHOLD, "smallest": SMALLEST,
        "connectivity": CONNECTIVITY,
    }  # fmt: skip
    return network, provenance


@pytest.fixture(scope="module")
def model():
    return letters_model(find_profile("letters"), 30, 12)


@pytest.fixture(scope="module")
def words():
    return load_words("web2", find_profile("book").alphabet, (4, 4))


@pytest.fixture(scope="module")
def unseen():
    """2,000 of the book's pictures of the test split."""
    renderer = renderer_of(make_recipe(find_profile("book"), 1))
    blocks = [block.rows(block.split == TEST) for block in (renderer.block(1, number) for number in range(21))]
    images, texts = (
        np.concatenate([block.images for block in blocks]),
        [text for block in blocks for text in block.texts()],
    )
    assert len(texts) >= 2000
    return images[:2000], np.array(texts[:2000])


@pytest.fixture(scope="module")
def readings(model, words, unseen):
    return Reader(*model, words).read(unseen[0], Ranking)


def test_unseen_words_are_read(readings, unseen):
    truth = unseen[1]
    # The issue asks for 97.5 % and 98 % of 10,000; one point of room for 2,000 and a quicker training.
    assert (readings.reading == truth).mean() >= 0.985
    for answer in readings.answers.values():
        assert (answer.words[:, 0] == truth).mean() >= 0.985


def test_letters_cut_from_words_are_right(readings, unseen):
    four = readings.segments == 4
    truth = list("".join(unseen[1][four]))
    assert f1_score(truth, readings.letter[four[readings.cut.picture]], average="macro") >= 0.995


def test_readings_fit_together(readings, model, unseen):
    n, m = len(unseen[0]), len(readings.cut)
    assert readings.words.shape == readings.confidences.shape == (n, 3)
    assert readings.reading.shape == readings.reading_confidence.shape == readings.segments.shape == (n,)
    assert readings.letter.shape == (m,)
    assert readings.probabilities.shape == (m, 26)
    assert set(readings.answers) == set(Ranking)
    assert readings.words is readings.answers[Ranking.PROBABILITY].words
    firsts = np.cumsum(readings.segments) - readings.segments
    for number in range(0, n, 50):
        own = slice(firsts[number], firsts[number] + readings.segments[number])
        assert "".join(readings.letter[own]) == readings.reading[number]
        assert readings.reading_confidence[number] == pytest.approx(readings.probabilities[own].max(axis=1).prod())


def test_without_dictionary_the_reading_is_the_first_word(readings):
    plain = readings.answers[Ranking.NONE]
    assert plain.words[:, 0].tolist() == readings.reading.tolist()
    assert plain.probabilities[:, 0] == pytest.approx(readings.reading_confidence)


def test_each_picture_is_read_by_itself(readings, model, words, unseen):
    reader = Reader(*model, words)
    for some in (slice(0, 1), slice(700, 703), slice(1999, 2000)):
        alone = reader.read(unseen[0][some])
        assert set(alone.answers) == {Ranking.PROBABILITY}
        assert alone.reading.tolist() == readings.reading[some].tolist()
        assert alone.words.tolist() == readings.words[some].tolist()
        assert alone.confidences == pytest.approx(readings.confidences[some], rel=1e-3, abs=1e-6)


def test_the_same_answers_as_by_hand(model, words, unseen):
    images = unseen[0][:64]
    segments = cut(images, THRESHOLD, SMALLEST, CONNECTIVITY)
    X = shape_letters(images, segments).reshape(-1, 400).astype(np.float32) / np.float32(255)
    chances = model[0].predict_proba(X)
    for ranking in Ranking:
        reader = Reader(*model, words, ranking)
        expected = rank(chances, segments.counts, reader.dictionary, ranking)
        assert reader.read(images).words.tolist() == expected.words.tolist()


def test_the_models_own_threshold_is_used(model, words, unseen):
    network, provenance = model
    for change in ({"threshold": 0.3}, {"connectivity": 1}, {"smallest": 60}):
        used = provenance | change
        segments = Reader(network, used, words).read(unseen[0][:200]).segments
        assert (
            segments.tolist()
            == cut(unseen[0][:200], used["threshold"], used["smallest"], used["connectivity"]).counts.tolist()
        )
        assert segments.tolist() != cut(unseen[0][:200]).counts.tolist()


def test_pictures_without_ink_and_pictures_of_noise(model, words, unseen):
    noise = np.zeros((1, 42, 140), np.uint8)
    noise[0, ::4, ::4] = noise[0, 1::4, ::4] = noise[0, 2::4, ::4] = 255
    images = np.concatenate([np.zeros((1, 42, 140), np.uint8), unseen[0][:1], noise])
    readings = Reader(*model, words).read(images, [Ranking.NONE])
    assert readings.segments[0] == 0
    assert readings.segments[2] > LONGEST
    for answer in (readings, *readings.answers.values()):
        assert answer.words[[0, 2]].tolist() == [["", "", ""]] * 2
    assert readings.reading.tolist() == ["", unseen[1][0], ""]
    assert readings.reading_confidence[[0, 2]].tolist() == [0, 0]
    assert readings.confidences[[0, 2]].tolist() == [[0, 0, 0]] * 2
    assert len(readings.letter) == len(readings.cut) == readings.segments.sum()
    assert Reader(*model, words).read(images[:0]).words.shape == (0, 3)
    assert Reader(*model).read(images[:1]).reading.tolist() == [""]


def test_36_classes_and_lengths_from_1_to_6():
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    base = dataclasses.replace(find_profile("letters"), alphabet=alphabet, scale=dataclasses.replace(
        find_profile("letters").scale, start=100, stop=120, step=20))  # fmt: skip
    model = letters_model(base, 12, 10)
    renderer = renderer_of(make_recipe(dataclasses.replace(base, name="random", length=(1, 6), width=150), 2))
    block = renderer.block(2, 0, 400)
    reader = Reader(*model)
    assert reader.ranking is Ranking.NONE
    readings = reader.read(block.images)
    truth = np.array(block.texts())
    assert set(map(len, truth)) == {1, 2, 3, 4, 5, 6}
    cut_right = readings.segments == np.strings.str_len(truth)
    assert cut_right.mean() > 0.97
    # O and 0 differ little in this font: the truth is among the three.
    assert (readings.words[cut_right] == truth[cut_right, None]).any(axis=1).mean() > 0.97
    some = tuple(sorted(set(truth.tolist())))
    answers = Reader(*model, some).read(block.images)
    assert (answers.words[:, 0] == truth)[cut_right].mean() > 0.98


def test_other_features_are_refused_with_both_versions(model):
    with pytest.raises(BadInput, match=rf"features version {FEATURES + 1}, and this .* {FEATURES}; train it again"):
        Reader(model[0], model[1] | {"features": FEATURES + 1})


def test_an_incomplete_record_is_refused(model):
    with pytest.raises(BadInput, match=r"^model: its record lacks features, smallest"):
        Reader(model[0], {"classes": "AB", "threshold": 0.6, "connectivity": 1})


def test_classes_that_are_not_those_of_the_network_are_refused(model):
    with pytest.raises(BadInput, match=r"^model: its network knows 26 classes, and its record names 2 \('AB'\)"):
        Reader(model[0], model[1] | {"classes": "AB"})


def test_a_word_that_the_model_cannot_read_is_named(model):
    with pytest.raises(BadInput, match="'CAFÉ'"):
        Reader(*model, ("BONE", "CAFÉ"))


def test_a_ranking_that_needs_a_dictionary_is_refused_without_one(model):
    with pytest.raises(BadInput, match=r"^ranking 'positions': needs a dictionary"):
        Reader(*model, (), Ranking.POSITIONS)
    with pytest.raises(BadInput, match=r"^ranking 'levenshtein': needs a dictionary"):
        Reader(*model).read(np.zeros((1, 9, 9), np.uint8), [Ranking.LEVENSHTEIN])

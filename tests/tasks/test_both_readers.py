"""Two readers together: the classic reads first, and the deep reader reads where it is not sure."""

import numpy as np
import pytest

from storage.models import model_digest
from tasks import both_readers
from tasks.both_readers import SURE, SURER, classic_length, takes_classic
from tasks.datasets.samples import first_pictures
from tasks.doubts import rows_of
from tasks.loading.safe_read import BadPicture
from tasks.lowlevel.png_encoder import png
from tasks.profiles.built_in import find_profile
from tasks.readers import load_both, load_reader, read_pictures
from tasks.reading.ranking import Ranking
from tasks.shipped import SHIPPED, STRANGERS
from tasks.solving.batches import SolvePlan, answer_pictures, make_plan
from tests.strangers import draw

CLASSIC, DEEP = ((str(model), model_digest(model)) for model in (SHIPPED, STRANGERS))


@pytest.fixture(scope="module")
def both():
    return load_both(CLASSIC, DEEP, (), length=(4, 4))


@pytest.fixture(scope="module")
def files() -> list[bytes]:
    """Clean pictures, hollow letters, and files that are no pictures."""
    easy, hollow = draw("plain", 4, 3), draw("hollow", 4, 3)
    return [*(file for pair in zip(easy, hollow, strict=True) for file, _ in pair), b"", b"no picture"]


def read(reader, files):
    groups, failures = read_pictures(reader, range(len(files)), lambda k: files[k], {})
    words = {
        index: (word, sure)
        for indices, readings in groups
        for index, word, sure in zip(
            indices.tolist(), readings.words[:, 0].tolist(), readings.confidences[:, 0].tolist(), strict=True
        )
    }
    return words, dict(failures)


def test_each_picture_has_the_answer_of_the_reader_that_is_to_be_believed(both, files):
    words, failures = read(both, files)
    classic, deep = read(both.classic, files)[0], read(both.deep, files)[0]
    assert sorted([*words, *failures]) == list(range(len(files)))
    assert sorted(failures) == [8, 9]
    assert all(isinstance(error, BadPicture) for error in failures.values())
    for index, answer in words.items():
        first, second = classic[index], deep[index]
        taken = first[1] >= SURE or first[1] >= second[1] + SURER
        assert answer == (first if taken else second)
    assert {words[k] == deep[k] for k in (1, 3, 5, 7)} == {
        True
    }  # hollow letters, which the classic model does not know


def test_the_deep_reader_sees_only_what_the_classic_reader_is_not_sure_of(both, files, monkeypatch):
    seen = []
    real = both_readers.load_seen_batch

    def load(pictures, *rest):
        seen.extend(pictures)
        return real(pictures, *rest)

    monkeypatch.setattr(both_readers, "load_seen_batch", load)
    classic = read(both.classic, files[:8])[0]
    read(both, files[:8])
    assert seen == [index for index in range(8) if classic[index][1] < SURE]
    assert 0 < len(seen) < 8


def test_what_only_one_reader_can_load_is_answered(both, files, monkeypatch):
    def refuse(_):
        raise BadPicture("no")

    monkeypatch.setattr("tasks.loading.seen_batches.decode_to_read", refuse)
    words, failures = read(both, files)
    assert sorted(words) == list(range(8))
    monkeypatch.undo()
    monkeypatch.setattr("tasks.loading.decode.decode_noted", refuse)
    words, failures = read(both, files)
    assert sorted(words) == list(range(8))
    assert sorted(failures) == [8, 9]


def test_confidences_decide():
    classic = np.array([0.995, 0.8, 0.8, np.nan, 0.5, np.nan])
    deep = np.array([1.0, 0.5, 0.7, 0.1, np.nan, np.nan])
    assert takes_classic(classic, deep).tolist() == [True, True, False, False, True, False]


def test_rows_of_readings_are_readings():
    reader = load_reader(*CLASSIC, ("BOND", "BONE"), None, "BDENO", (4, 4))
    images = first_pictures(find_profile("book"), 1, 6).images
    whole, some = reader.read(images), rows_of(reader.read(images), np.array([1, 4]))
    alone = reader.read(images[[1, 4]])
    assert some.words.tolist() == whole.words[[1, 4]].tolist() == alone.words.tolist()
    np.testing.assert_array_equal(some.box, alone.box)
    np.testing.assert_array_equal(some.picture, alone.picture)
    for ranking in (Ranking.NONE, Ranking.PROBABILITY):
        np.testing.assert_array_equal(some.evidence[ranking], whole.evidence[ranking][[1, 4]])
    np.testing.assert_array_equal(some.answers[Ranking.PROBABILITY].probabilities, whole.confidences[[1, 4]])


def test_only_a_plan_of_both_has_other_settings_than_in_earlier_versions():
    alone = SolvePlan("m", "0", "", Ranking.NONE, 0.0)
    assert "classic" not in alone.settings
    assert SolvePlan("m", "0", "", Ranking.NONE, 0.0, None, None, "c", "1").settings != alone.settings
    plan = make_plan(STRANGERS, (), Ranking.NONE, length=(4, 4), classic=SHIPPED)
    assert (plan.model_sha256, plan.classic_sha256) == (DEEP[1], CLASSIC[1])
    (answer,) = answer_pictures(plan, [255 - first_pictures(find_profile("book"), 1, 1).images[0]], png)
    assert answer.word == first_pictures(find_profile("book"), 1, 1).texts()[0]


@pytest.mark.parametrize(("length", "classic"), [((1, 12), (4, 12)), ((1, 3), (1, 3)), ((4, 6), (4, 6)), (None, None)])
def test_texts_that_may_be_of_any_length_are_the_deep_readers_where_they_are_short(length, classic):
    """The classic reader is less sure of four letters where fewer are possible too."""
    assert classic_length(length, shipped=True) == classic
    assert classic_length(length, shipped=False) == length  # a user's model knows the lengths of its texts

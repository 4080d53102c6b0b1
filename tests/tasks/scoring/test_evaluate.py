from dataclasses import replace

import numpy as np
import pytest

from storage.errors import BadInput, Damaged
from storage.models import model_digest
from storage.shards.shard import SPLITS
from tasks.profiles.built_in import find_profile
from tasks.profiles.word_lists import load_words
from tasks.reading.ranking import Ranking
from tasks.reading.reader import Reader, Readings
from tasks.scoring.evaluate import RANKINGS, EvaluateJob, dictionary_of, in_place, read_shard


def readings(segments, boxes, shear=0, offset=0):
    """Of one picture each: so many segments, at (left, right) in the upright ink."""
    segments = np.array(segments, int)
    n = len(segments)
    box = np.array([(5, left, 25, right) for left, right in boxes], np.int16).reshape(-1, 4)
    none = np.empty(n, "U1")
    return Readings(
        none, np.zeros(n), none, np.zeros(n), segments, np.repeat(np.arange(n), segments), box, np.full(n, 20),
        np.full(n, shear), np.full(n, offset), {}, {},
    )  # fmt: skip


def true(*rows, longest=3):
    """(left, right) of the letters of each picture, 20 px high."""
    boxes = np.full((len(rows), longest, 4), -1, np.int16)
    for row, places in zip(boxes, rows, strict=True):
        for box, (left, right) in zip(row, places, strict=False):
            box[:] = 5, left, 25, right
    return boxes


def test_a_span_that_holds_the_middle_of_its_letter_is_in_place():
    boxes = true([(10, 20), (30, 40)])
    for found, fine in (
        ([(10, 20), (30, 40)], True),
        ([(15, 18), (35, 90)], True),
        ([(0, 15), (35, 36)], True),
        ([(10, 14), (30, 40)], False),
        ([(10, 20), (36, 50)], False),
        ([(30, 40), (10, 20)], False),
    ):
        assert in_place(boxes, readings([2], found)).tolist() == [fine]


def test_boxes_are_sheared_and_moved_as_the_ink_was():
    boxes = true([(10, 20), (30, 40)])
    # The middle row is 15; 400 / 1000 of it is 6.
    assert in_place(boxes, readings([2], [(14, 16), (34, 36)], 400, 6)).tolist() == [True]
    assert in_place(boxes, readings([2], [(14, 16), (34, 36)], 400, 9)).tolist() == [False]
    assert in_place(boxes, readings([2], [(20, 22), (40, 42)], -400, 0)).tolist() == [True]


def test_another_number_of_segments_is_another_fault():
    boxes = true([(10, 20), (30, 40)], [(10, 20), (30, 40)], [(10, 20)])
    found = readings([1, 3, 0], [(90, 99)] * 4)
    assert in_place(boxes, found).tolist() == [True, True, True]


def test_pictures_without_boxes_count_as_in_place():
    assert in_place(true([], []), readings([2, 0], [(90, 99)] * 2)).tolist() == [True, True]
    assert in_place(true(), readings([], [])).tolist() == []


def test_each_picture_is_judged_by_its_own_letters():
    boxes = true([(10, 20)], [(10, 20), (30, 40)], [], [(50, 60)], [(10, 20), (30, 40), (50, 60)])
    found = readings([1, 2, 1, 1, 3], [(10, 20), (10, 20), (50, 60), (1, 2), (10, 20), (10, 20), (30, 40), (50, 60)])
    assert in_place(boxes, found).tolist() == [True, False, True, False, True]


def test_words_that_are_read_right_are_in_place(learnt):
    dataset = learnt.datasets[0]
    for block in dataset.blocks("test"):
        found = Reader(learnt.networks, learnt.record, length=(4, 4)).read(block.images)
        right = found.reading == np.array(block.texts())
        assert in_place(block.boxes, found)[right].mean() > 0.98


@pytest.fixture(scope="module")
def job(learnt, web2):
    dataset = learnt.datasets[0]
    return EvaluateJob(str(dataset.folder), 0, "test", str(learnt.path), model_digest(learnt.path), web2)


def test_a_shards_split_is_read_with_every_ranking(job, learnt, web2):
    receipt = read_shard(job)
    dataset = learnt.datasets[0]
    block = dataset.head(2048)  # the first shard
    block = block.rows(block.split == SPLITS.index("test"))
    truth = np.array(block.texts())
    expected = Reader(learnt.networks, learnt.record, web2, length=(4, 4)).read(block.images, Ranking)
    assert receipt.truth.tolist() == truth.tolist()
    assert receipt.reading.tolist() == expected.reading.tolist()
    assert set(receipt.answers) == set(receipt.confidences) == {ranking.value for ranking in RANKINGS}
    for ranking in RANKINGS:
        assert receipt.answers[ranking.value].tolist() == expected.answers[ranking].words[:, 0].tolist()
    assert receipt.segments.tolist() == expected.segments.tolist()
    assert receipt.in_place.tolist() == in_place(block.boxes, expected).tolist()
    assert len(receipt.parameters) == len(truth)
    whole = expected.segments == 4
    assert "".join(receipt.letters[:, 0]) == "".join(truth[whole])
    assert "".join(receipt.letters[:, 1]) == "".join(expected.reading[whole])
    wrong = (expected.words[:, 0] != truth).sum()
    assert len(receipt.mistakes[0]) == len(receipt.mistakes[1]) == min(wrong, 48)
    assert receipt.seconds > 0


def test_without_a_dictionary_there_is_one_ranking(job):
    receipt = read_shard(replace(job, dictionary=()))
    assert set(receipt.answers) == {"none"}
    assert receipt.answers["none"].tolist() == receipt.reading.tolist()
    for picture, caption in zip(*receipt.mistakes, strict=True):
        assert picture.dtype == np.uint8
        assert " as " in caption


def test_a_shard_without_a_picture_of_the_split(learnt, draw_dataset, tmp_path):
    dataset = draw_dataset(find_profile("book"), 1, tmp_path / "one")
    split = next(name for name in SPLITS if name != SPLITS[int(dataset.head(1).split[0])])
    receipt = read_shard(EvaluateJob(str(dataset.folder), 0, split, str(learnt.path), model_digest(learnt.path), ()))
    assert len(receipt.truth) == len(receipt.letters) == 0
    assert receipt.mistakes == ([], [])


def test_another_model_than_the_run_began_with_is_refused(job):
    with pytest.raises(Damaged, match="is not the file that this run began with"):
        read_shard(replace(job, model_sha256="0" * 64))


def test_the_dictionary_is_the_datasets_own_or_the_one_given(learnt, draw_dataset, tmp_path, web2):
    dataset = learnt.datasets[0]
    assert dictionary_of(dataset, None) == web2
    assert dictionary_of(dataset, "none") == ()
    (tmp_path / "words.txt").write_text("BONE\nSTONES\n")
    assert dictionary_of(dataset, str(tmp_path / "words.txt")) == ("BONE", "STONES")
    strings = replace(find_profile("book"), name="strings", words="", width=130)
    dataset = draw_dataset(strings, 9, tmp_path / "strings")
    assert dictionary_of(dataset, None) == ()
    assert dictionary_of(dataset, "web2") == load_words("web2", dataset.manifest.profile["alphabet"], (4, 4))
    listed = replace(find_profile("book"), name="listed", words=str(tmp_path / "four.txt"))
    (tmp_path / "four.txt").write_text("BONE\nBOND\n")
    dataset = draw_dataset(listed, 9, tmp_path / "listed")
    with pytest.raises(BadInput, match="was drawn from a user's word list; give it with --dictionary FILE"):
        dictionary_of(dataset, None)

from dataclasses import replace

import numpy as np
import pytest

from storage.dataset import Dataset
from storage.shards.shard import SPLITS
from tasks.profiles.built_in import find_profile
from tasks.profiles.fonts import face_names
from tasks.reading.confidence import EVIDENCE
from tasks.reading.ranking import Ranking
from tasks.reading.reader import Reader
from tasks.training.calibrate import CHECKED, CheckJob, CheckReceipt, calibrate, check_answers


def test_answers_are_checked_on_the_validation_split(learnt, web2):
    dataset = learnt.datasets[0]
    receipt = check_answers(CheckJob(str(dataset.folder), str(learnt.path), ()))
    blocks = list(dataset.blocks("validation"))
    truth = np.array([text for block in blocks for text in block.texts()])
    found = Reader(learnt.networks, learnt.record, web2, length=(4, 4)).read(
        np.concatenate([block.images for block in blocks]), [Ranking.NONE]
    )
    assert set(receipt.evidence) == set(receipt.right) == {"none", "probability"}
    own = {ranking: receipt.weight[ranking] == 1 for ranking in receipt.weight}
    assert receipt.right["none"][own["none"]].tolist() == (found.reading == truth).tolist()
    assert receipt.right["probability"][own["probability"]].tolist() == (found.words[:, 0] == truth).tolist()
    for ranking in (Ranking.NONE, Ranking.PROBABILITY):
        assert receipt.evidence[ranking.value][own[ranking.value]] == pytest.approx(found.evidence[ranking], abs=1e-3)
    assert receipt.right["none"][own["none"]].mean() > 0.95


def test_enough_is_checked_and_no_more(learnt, monkeypatch):
    assert CHECKED == 4096
    monkeypatch.setattr("tasks.training.calibrate.CHECKED", 50)
    receipt = check_answers(CheckJob(str(learnt.datasets[0].folder), str(learnt.path), ()))
    validation = SPLITS.index("validation")
    first = (learnt.datasets[0].head(1024).split == validation).sum()
    assert (receipt.weight["none"] == 1).sum() == first >= 50


@pytest.mark.slow
def test_faces_that_are_left_out_are_not_checked(learnt, two_faces):
    faces = face_names(two_faces.manifest.fonts)
    assert faces == ["Inter Black", "Prociono"]
    sizes = []
    for left_out in ((), faces[:1], faces[1:], ("Nobody Bold",)):
        receipt = check_answers(CheckJob(str(two_faces.folder), str(learnt.path), tuple(left_out)))
        sizes.append((receipt.weight["none"] == 1).sum())
    assert sizes[1] + sizes[2] == sizes[0] == sizes[3]
    assert min(sizes) > 0


def test_without_words_of_ones_own_there_is_only_one_ranking(learnt, draw_dataset, tmp_path):
    profile = replace(find_profile("book"), name="strings", words="", length=(3, 4), width=130)
    dataset = draw_dataset(profile, 400, tmp_path / "strings")
    receipt = check_answers(CheckJob(str(dataset.folder), str(learnt.path), ()))
    assert set(receipt.evidence) == {"none"}
    curves = calibrate([receipt, CheckReceipt({}, {}, {})])
    assert set(curves) == {"none"}


def test_all_datasets_are_calibrated_together():
    random = np.random.Generator(np.random.Philox(5))
    evidence = random.normal(0, 2, (20_000, 1))
    right = random.random(20_000) < 1 / (1 + np.exp(-(0.5 + evidence[:, 0])))
    one = np.ones(20_000)
    halves = [CheckReceipt({"none": evidence[k::2]}, {"none": right[k::2]}, {"none": one[k::2]}) for k in (0, 1)]
    words = CheckReceipt({"probability": evidence[:9]}, {"probability": np.ones(9, bool)}, {"probability": one[:9]})
    curves = calibrate([*halves, words])
    assert set(curves) == {"none", "probability"}
    assert curves == calibrate([words, *halves])
    assert calibrate([]) == {}


def test_strange_pictures_and_foreign_letters_are_checked_too(learnt):
    """A fourth of each: strange, untold, strange and untold, foreign."""
    dataset = learnt.datasets[0]
    receipt = check_answers(CheckJob(str(dataset.folder), str(learnt.path), ()))
    weight, right = receipt.weight["none"], receipt.right["none"]
    own = weight == 1
    assert own.sum() == sum(len(block.text) for block in dataset.blocks("validation"))
    assert 1.5 * own.sum() < len(weight) <= 2 * own.sum() + 4
    assert right[own].mean() > right[~own].mean() + 0.2
    allowed = receipt.evidence["none"][:, EVIDENCE["none"].index("letters allowed")]
    assert (allowed[own] == 0).all()
    assert (allowed < -1).any()


def test_a_dataset_is_the_same_afterwards(learnt):
    folder = learnt.datasets[0].folder
    assert Dataset(folder).manifest.content == learnt.datasets[0].manifest.content
    assert not [path for path in folder.iterdir() if path.suffix not in (".h5", ".json")]

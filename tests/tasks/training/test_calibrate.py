from dataclasses import replace

import numpy as np
import pytest

from storage.dataset import Dataset
from storage.shards.shard import SPLITS
from tasks.profiles.built_in import find_profile
from tasks.profiles.fonts import face_names
from tasks.reading.confidence import confidence
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
    assert receipt.right["none"].tolist() == (found.reading == truth).tolist()
    assert receipt.right["probability"].tolist() == (found.words[:, 0] == truth).tolist()
    for ranking in (Ranking.NONE, Ranking.PROBABILITY):
        assert receipt.evidence[ranking.value] == pytest.approx(found.evidence[ranking], abs=1e-3)
    assert receipt.right["none"].mean() > 0.95


def test_enough_is_checked_and_no_more(learnt, monkeypatch):
    assert CHECKED == 8192
    monkeypatch.setattr("tasks.training.calibrate.CHECKED", 50)
    receipt = check_answers(CheckJob(str(learnt.datasets[0].folder), str(learnt.path), ()))
    validation = SPLITS.index("validation")
    first = (learnt.datasets[0].head(1024).split == validation).sum()
    assert len(receipt.right["none"]) == first >= 50


def test_faces_that_are_left_out_are_not_checked(learnt, two_faces):
    faces = face_names(two_faces.manifest.fonts)
    assert faces == ["Inter Black", "Prociono"]
    sizes = []
    for left_out in ((), faces[:1], faces[1:], ("Nobody Bold",)):
        receipt = check_answers(CheckJob(str(two_faces.folder), str(learnt.path), tuple(left_out)))
        sizes.append(len(receipt.right["none"]))
    assert sizes[1] + sizes[2] == sizes[0] == sizes[3]
    assert min(sizes) > 0


def test_without_words_of_ones_own_there_is_only_one_ranking(learnt, draw_dataset, tmp_path):
    profile = replace(find_profile("book"), name="strings", words="", length=(3, 4), width=130)
    dataset = draw_dataset(profile, 400, tmp_path / "strings")
    receipt = check_answers(CheckJob(str(dataset.folder), str(learnt.path), ()))
    assert set(receipt.evidence) == {"none"}
    curves = calibrate([receipt, CheckReceipt({}, {})])
    assert set(curves) == {"none"}


def test_all_datasets_are_calibrated_together():
    random = np.random.Generator(np.random.Philox(5))
    evidence = random.normal(0, 2, (20_000, 1))
    right = random.random(20_000) < 1 / (1 + np.exp(-(0.5 + evidence[:, 0])))
    halves = [CheckReceipt({"none": evidence[k::2]}, {"none": right[k::2]}) for k in (0, 1)]
    words = CheckReceipt({"probability": evidence[:9, :]}, {"probability": np.ones(9, bool)})
    curves = calibrate([*halves, words])
    assert curves["none"] == pytest.approx([0.5, 1.0, 0.0], abs=0.08)
    assert curves["none"] == pytest.approx(calibrate([CheckReceipt({"none": evidence}, {"none": right})])["none"])
    assert confidence(evidence[:9], curves["probability"]).mean() == pytest.approx(10 / 11)  # all of them were right
    assert confidence(evidence[:9].min(axis=0)[None] - 9, curves["probability"]) < 0.5
    assert calibrate([]) == {}


def test_a_dataset_is_the_same_afterwards(learnt):
    folder = learnt.datasets[0].folder
    assert Dataset(folder).manifest.content == learnt.datasets[0].manifest.content
    assert not [path for path in folder.iterdir() if path.suffix not in (".h5", ".json")]

"""The inside of the book's network: what it learns, in numbers that scikit-learn confirms, and pictures of it."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import f1_score

from storage.errors import BadInput
from tasks.explaining import book_network, network_report
from tasks.explaining.backpropagation_page import write_page
from tasks.explaining.book_network import Confusion, study_network
from tasks.explaining.chapter import write_chapter
from tasks.explaining.network_report import PICTURES, write_network
from tasks.figures.network_sheets import coloured
from tasks.profiles.fonts import find_face
from tasks.scoring import book

FACE = find_face("Inter Black")
STEPS, WORDS = 30, 20


@pytest.fixture(scope="module")
def few_letters():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(book, "TRAINING_LETTERS", 400)
        patch.setattr(book_network, "CHECKED", 130)
        yield


@pytest.fixture(scope="module")
def study(few_letters):
    done: list[int] = []
    studied = study_network(FACE.path, 14, STEPS, WORDS, done.append)
    assert done == [1] * STEPS  # what a bar shows
    return studied


def test_scores_are_scikit_learns():
    rng = np.random.default_rng(2)
    true = rng.integers(0, 20, 300)  # six letters never occur
    read = np.where(rng.random(300) < 0.7, true, rng.integers(0, 22, 300))
    counts = np.zeros((26, 26), np.int64)
    np.add.at(counts, (true, read), 1)
    confusion = Confusion(counts)
    assert confusion.macro == pytest.approx(f1_score(true, read, average="macro"))
    assert confusion.micro == pytest.approx(f1_score(true, read, average="micro"))
    assert np.isnan(confusion.each[22:]).all()


def test_it_is_the_books_network_and_it_learns(study):
    assert study.shapes == {"weights": [[400, 100], [100, 26]], "biases": [[100], [26]]}
    assert study.parameters["hidden_layer_sizes"] == (100,)
    assert [snapshot.step for snapshot in study.snapshots] == [1, 3, 10, 30]
    assert study.train_loss[-1] < study.train_loss[0] / 3
    assert study.check_loss[-1] < study.check_loss[0] / 3
    assert study.snapshots[-1].confusion.macro == study.alone.macro == study.macro[-1]
    assert study.snapshots[0].weights.shape == (400, 100)
    assert not np.array_equal(study.snapshots[0].weights, study.snapshots[1].weights)
    assert (study.words, study.cut.counts.sum()) == (WORDS, 4 * study.words_of_four)


def test_a_neuron_is_named_for_the_letters_that_excite_it_most(study):
    for letters, own in zip(study.excites, study.excitement, strict=True):
        order = np.argsort(-own, kind="stable")[:3]
        assert letters == "".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ"[k] for k in order if own[k] > 0)
    assert any(study.excites)


@pytest.mark.slow
def test_pictures_and_numbers_are_written(tmp_path, monkeypatch, study):
    monkeypatch.setattr(network_report, "study_network", lambda *_: study)
    done: list[int] = []
    report = write_network(FACE, 14, tmp_path, advance=done.append)
    assert len(done) + network_report.FRAMES[-1] == network_report.PARTS
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(PICTURES)
    told = json.loads((tmp_path / "network.json").read_text())
    assert told["weights"] == 400 * 100 + 100 + 100 * 26 + 26
    assert told["neurons_that_no_letter_excites"] == sum(not letters for letters in study.excites)
    assert told["letters_alone"]["macro_f1"] == round(study.alone.macro, 4)
    assert report["shown"]["excites"] is None
    for name in PICTURES[:-1]:
        with Image.open(tmp_path / name) as picture:
            assert picture.width <= 1000
            assert getattr(picture, "n_frames", 1) == (len(study.snapshots) if name.endswith(".gif") else 1)
            assert len(np.unique(np.asarray(picture.convert("L")))) > 20


def test_a_face_whose_words_never_fall_into_four(tmp_path, monkeypatch, study):
    monkeypatch.setattr(network_report, "study_network", lambda *_: replace(study, cut=Confusion(0 * study.cut.counts)))
    for name in ("plot_output_map", "plot_curves", "training_frames", "training_strip", "weight_sheet"):
        monkeypatch.setattr(network_report, name, lambda *_: b"drawn elsewhere")
    told = write_network(FACE, 14, tmp_path)["letters_cut_from_words"]
    assert told == {"n": 0, "macro_f1": None, "micro_f1": None}
    json.loads((tmp_path / "network.json").read_text(), parse_constant=pytest.fail)
    assert len((tmp_path / "f1-cut.png").read_bytes()) < len((tmp_path / "f1-alone.png").read_bytes())


def test_a_face_that_leaves_no_ink_is_refused(tmp_path, monkeypatch):
    def none(*_):
        raise ValueError("text: must leave ink; use a bolder font")

    monkeypatch.setattr(book, "draw", none)
    for write in (write_network, write_chapter, write_page):
        with pytest.raises(BadInput, match=r"font Inter Black, text: must leave ink; use a bolder font"):
            write(FACE, 14, tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_colours_tell_the_side_of_a_weight():
    (up, down, none), *_ = coloured(np.array([[0.5, -0.5, 0.0]]))
    assert up[0] > up[2] + 100
    assert down[2] > down[0] + 100
    assert none.tolist() == [255, 255, 255]


def test_equal_seeds_give_equal_pictures(study, few_letters):
    again = study_network(FACE.path, 14, 1, 2)
    np.testing.assert_array_equal(again.snapshots[0].weights, study.snapshots[0].weights)
    sheet = network_report.weight_sheet(study.snapshots[0].weights.T[:4].reshape(-1, 20, 20), ["a"] * 4, "t", "s")
    with Image.open(io.BytesIO(sheet)) as picture:
        assert picture.format == "PNG"

"""Which texts a model's answers may be: as it learnt, unless told otherwise; and then it solves as it is measured."""

import string
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from storage import model_files
from storage.errors import BadInput, Damaged, NotThere
from storage.files import small_files
from storage.learnt_texts import TEXTS, LearntTexts
from storage.models import model_digest, save_model
from tasks.lowlevel.png_encoder import png
from tasks.profiles.built_in import find_profile
from tasks.profiles.fonts import find_face
from tasks.profiles.ranges import Grid
from tasks.profiles.word_lists import load_words
from tasks.readers import ExpectedTexts, expect_texts, load_reader
from tasks.reading import networks
from tasks.reading.features import FEATURES, SIZE
from tasks.reading.networks import GATE, LETTERS
from tasks.reading.ranking import Ranking
from tasks.reading.reader import Reader
from tasks.scoring.evaluate import EvaluateJob, dictionary_of, read_shard
from tasks.shipped import SHIPPED, STRANGERS
from tasks.solving.batches import answer_pictures, make_plan
from tasks.solving.picture_reader import open_reader
from tasks.training.settings import Settings

UPPER, LOWER, DIGITS = string.ascii_uppercase, string.ascii_lowercase, string.digits
WORDS = LearntTexts(UPPER, (4, 4), "web2")
STRINGS = LearntTexts(UPPER + DIGITS, (5, 5), "")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """`model(*kinds, **record)`: a model that learnt from texts of these kinds; it reads nothing."""
    folder = tmp_path_factory.mktemp("models")

    def make(*kinds: LearntTexts, **record: object) -> Path:
        classes = "".join(dict.fromkeys("".join(texts.alphabet for texts in kinds))) or UPPER
        known = record.setdefault("classes", classes)
        both = {LETTERS: networks.build((2,), 1), GATE: networks.build((2,), 1)}
        for network, labels in zip(both.values(), (len(known) + 1, 2), strict=True):
            rows = np.arange(networks.BATCH) % labels  # a whole batch
            network.partial_fit(np.eye(labels, SIZE)[rows], rows, classes=range(labels))
        path = folder / f"{len([*folder.iterdir()])}.skops"
        texts = {TEXTS: [texts.as_dict() for texts in kinds]} if kinds else {}
        save_model(
            path, both, {"features": FEATURES, "gate": 0.0, "calibration": {"none": [0.0] * 21}} | texts | record
        )
        return path

    return make


def test_words_belong_to_a_model_that_learnt_nothing_but_words(model, web2):
    texts = expect_texts(model(WORDS))
    assert (texts.words, texts.length, texts.dictionary) == (web2, (4, 4), "web2")
    assert texts.told == f"letters A-Z; 4 of them; {len(web2):,} English words (web2), as it learnt"
    letters = LearntTexts(UPPER, (1, 1), "")
    assert (expect_texts(model(WORDS, letters)).words, expect_texts(model(letters, WORDS)).length) == (web2, (4, 4))


@pytest.mark.parametrize(("kinds", "length", "said"), [
    ((STRINGS,), (5, 5), "letters 0-9A-Z; 5 of them; no dictionary, as it learnt"),
    ((LearntTexts(LOWER, (3, 7), ""),), (3, 7), "letters a-z; 3 to 7 of them; no dictionary, as it learnt"),
    ((LearntTexts("ACE", (6, 6), "list"),), (6, 6), "--dictionary FILE gives"),
    ((WORDS, STRINGS), (4, 5), "it learnt from other strings too; --dictionary web2 for English words"),
    ((LearntTexts("AB", (1, 1), ""),), (1, 1), "letters AB; 1 of them"),
])  # fmt: skip
def test_a_model_of_other_texts_gets_no_words(model, kinds, length, said):
    texts = expect_texts(model(*kinds))
    assert (texts.words, texts.alphabet, texts.length, texts.dictionary) == ((), None, length, "none")
    assert said in texts.told


def test_words_are_of_the_letters_and_lengths_that_were_learnt(model):
    both = model(LearntTexts(UPPER, (4, 6), "web2"), classes=UPPER + LOWER + DIGITS)
    texts = expect_texts(both)
    assert texts.words == load_words("web2", UPPER, (4, 6))  # not in lower case, which it never saw as words
    assert {len(word) for word in expect_texts(both, length=(7, 7)).words} == {7}
    assert expect_texts(both, length=(7, 7)).length == (7, 7)
    assert set("".join(expect_texts(both, alphabet="AEBT").words)) == set("AEBT")
    assert expect_texts(model(WORDS, LearntTexts(LOWER, (5, 5), "web2"))).length == (4, 5)


def test_what_is_told_counts(model, tmp_path):
    strings, words = model(STRINGS), model(WORDS)
    assert expect_texts(words, "none") == ExpectedTexts(
        (), None, (4, 4), UPPER, "none", "letters A-Z; 4 of them; no dictionary, as asked", model_digest(words)
    )
    assert {len(word) for word in expect_texts(strings, "web2").words} == {5}
    assert {len(word) for word in expect_texts(model(), "web2").words} == {4}
    digits = expect_texts(model(WORDS, classes=UPPER + "12"), alphabet="A12")
    assert (digits.words, digits.alphabet) == ((), "A12")
    (tmp_path / "words.txt").write_text("ab\nbabba\n")
    listed = expect_texts(words, str(tmp_path / "words.txt"))
    assert (listed.words, listed.length) == (("AB", "BABBA"), (2, 5))
    assert expect_texts(words, str(tmp_path / "words.txt"), length=(1, 2)).words == ("AB",)
    with pytest.raises(NotThere, match="word list"):
        expect_texts(words, str(tmp_path / "none.txt"))
    with pytest.raises(BadInput, match="has no word"):
        expect_texts(strings, "web2", alphabet=DIGITS)


def test_a_model_of_an_earlier_version_is_known_by_the_names_of_its_datasets(model, web2):
    def named(*names: str) -> ExpectedTexts:
        return expect_texts(model(datasets=[{"name": name} for name in names], classes=UPPER + DIGITS))

    assert (named("book", "letters").words, named("book").length) == (web2, (4, 4))
    assert "told from the names of its datasets" in named("book").told
    for names in (("random",), ("book", "random")):
        assert (named(*names).words, named(*names).length) == ((), (4, 4))
    for names in ((), ("mine",), ("book", "mine")):  # whose texts nobody knows
        assert (named(*names).words, named(*names).length) == ((), None)
        assert "does not say" in named(*names).told
    assert expect_texts(model(datasets=5)).length is None


@pytest.mark.parametrize(
    "alphabet", [UPPER + DIGITS, *(pytest.param(letters, marks=pytest.mark.slow) for letters in (LOWER, DIGITS))]
)
def test_solving_reads_as_measuring_does(draw_dataset, learn, tmp_path, alphabet):
    """Every picture of the test split, from a PNG file with no option, gets the word that `evaluate` counts."""
    profile = replace(
        find_profile("book"), name="own", words="", alphabet=alphabet, length=(5, 5), width=150, height=36, left=8,
        top=2, scale=Grid(80, 120, 10), shear=Grid(0, 200, 50), fonts=("DejaVu Sans Bold", "Inter Black"),
        tracking=Grid(1, 2),
    )  # fmt: skip
    data = draw_dataset(profile, 2048, tmp_path / "own")
    model = learn([data], Settings(pictures=(1600,), shows=60_000, hidden=(32,)), tmp_path).path
    digest = model_digest(model)
    words = dictionary_of(data, None)
    measured = [read_shard(EvaluateJob(str(data.folder), shard, "test", str(model), digest, words)) for shard in (0,)]
    truth = np.concatenate([receipt.truth for receipt in measured])
    counted = np.concatenate([receipt.answers[Ranking.NONE.value] for receipt in measured])
    texts = expect_texts(model)
    plan = make_plan(model, texts.words, Ranking.NONE, 0.0, texts.alphabet, texts.length)
    images = np.concatenate([block.images for block in data.blocks("test")])
    solved = np.array([answer.word or "" for answer in answer_pictures(plan, [255 - image for image in images], png)])
    assert solved.tolist() == counted.tolist()
    assert (counted == truth).mean() > 0.5


@pytest.mark.parametrize("path", [SHIPPED, STRANGERS])
def test_strangers_texts_may_be_shorter_and_longer_than_those_that_the_shipped_models_learnt_from(path):
    texts = expect_texts(path)
    assert (texts.length, texts.words) == ((1, 12), ())
    assert "1 to 12 of them" in texts.told
    assert expect_texts(path, length=(4, 6)).length == (4, 6)
    assert max(map(len, expect_texts(path, "web2").words)) < 12  # words of the lengths that it learnt


@pytest.mark.parametrize("text", ["7", "K4", "XYZ", "48151623", "KAWMXNHTR", "2WAX4KM7HT", "73PX4WAKM9HT"])
def test_clear_texts_of_any_length_are_read_where_nothing_is_told(text):
    face = ImageFont.truetype(str(find_face("Cantarell Bold").path), 30)
    image = Image.new("RGB", (int(face.getlength(text)) + 30, 60), "white")
    ImageDraw.Draw(image).text((15, 30), text, "black", face, anchor="lm")
    (answer,) = open_reader().read([image])
    assert answer.word == text
    assert answer.confidence > 0.5


@pytest.fixture
def replaced(tmp_path, monkeypatch):
    """Return a file that is the shipped classic model, and another model as soon as it was read once."""
    path, read = tmp_path / "mine.skops", small_files.read_ordinary
    path.write_bytes(SHIPPED.read_bytes())

    def once(file, *rest):
        data = read(file, *rest)
        if file == path:
            path.write_bytes(STRANGERS.read_bytes())
        return data

    monkeypatch.setattr(model_files, "read_ordinary", once)
    return path


def test_a_model_that_is_replaced_while_it_is_opened_is_the_one_that_was_digested(replaced):
    assert isinstance(load_reader(str(replaced), model_digest(SHIPPED), ()), Reader)
    with pytest.raises(Damaged, match=r"mine\.skops: is not the file that this run began with; run again"):
        load_reader(str(replaced), model_digest(SHIPPED), ("OTHER",))


def test_a_picture_reader_has_the_model_whose_texts_were_told(replaced):
    with pytest.raises(Damaged, match="run again"):
        open_reader(replaced)

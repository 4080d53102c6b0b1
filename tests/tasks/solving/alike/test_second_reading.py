"""Pictures that are given together: those whose texts are unlike the others' are read once more."""

import random
from pathlib import Path

import numpy as np
import pytest

from storage.models import model_digest
from tasks.deep.deep_reader import log_probabilities
from tasks.readers import load_reader
from tasks.shipped import SHIPPED, STRANGERS
from tasks.solving.alike.in_common import FEWEST
from tasks.solving.picture_reader import Word, open_reader
from tests.number_pictures import draw_text, numbers

FILES, TEXTS = zip(*numbers(60), strict=True)

SAID = "0123456789abcdefghijklmnopqrstuvwxyz"


@pytest.fixture(scope="module")
def alone() -> list[Word]:
    return open_reader(independent=True).read(FILES)


def right(answers: list[Word], texts=TEXTS) -> int:
    return sum(answer.word == text for answer, text in zip(answers, texts, strict=True))


def test_numbers_that_were_read_as_letters_are_read_as_numbers(alone):
    together = open_reader().read(FILES)
    assert right(alone) <= 55
    assert right(together) >= right(alone) + 5
    assert all(answer.word.isdigit() for answer in together)
    for before, after, text in zip(alone, together, TEXTS, strict=True):
        if before.word.isdigit() and len(before.word) == 4:
            assert after == before, text  # what is like the others is not touched


def test_a_few_pictures_say_nothing_of_each_other(alone):
    few = int(FEWEST) - 1
    assert open_reader().read(FILES[:few]) == alone[:few]


def test_texts_that_truly_differ_stay():
    chance = random.Random(3)
    words = ["WEBA", "KLMN", "bakeh", "TREF"]
    files = [*FILES, *(draw_text(word, chance, "DejaVu Sans Bold") for word in words)]
    answers = open_reader().read(files)
    assert [answer.word.upper() for answer in answers[-4:]] == [word.upper() for word in words]
    assert right(answers[:-4]) >= 56


@pytest.mark.parametrize("options", [{"alphabet": "0123456789", "length": (4, 4)}, {"dictionary": "words.txt"}])
def test_whoever_knows_the_texts_is_asked_nothing(options, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("words.txt").write_text("\n".join(["BONE", "CAKE", "SOIL", "BISON", "GLOBE", "TIGERS", *TEXTS[::2]]))
    few = FILES[: int(1.5 * FEWEST)]
    assert open_reader().read(few) != open_reader(independent=True).read(few)  # they are enough to tell something
    first, second = (open_reader(**options, independent=alone).read(few) for alone in (True, False))
    assert first == second


def test_what_was_said_of_texts_holds_in_the_second_reading():
    answers = open_reader(length=(4, 5), alphabet=SAID).read(FILES)
    assert all(set(answer.word) <= set(SAID) and len(answer.word) in (4, 5) for answer in answers)
    assert right(answers) >= 57


def test_an_owners_model_is_believed(tmp_path, alone):
    own = tmp_path / "own.onnx"
    own.write_bytes(STRANGERS.read_bytes())
    first, second = (open_reader(own, independent=alone).read(FILES) for alone in (True, False))
    assert first == second


def test_a_damaged_picture_among_others_costs_its_own_answer():
    answers = open_reader().read([b"none", *FILES])
    assert (answers[0].word, answers[0].confidence) == ("", 0)
    assert right(answers[1:]) >= 57


def test_only_a_network_gives_the_probability_of_a_text():
    deep, classic = (load_reader(str(model), model_digest(model), ()) for model in (STRANGERS, SHIPPED))
    white = np.zeros((2, 40, 120), np.uint8)
    white[:, 10:30, 20:30] = 255
    assert np.isnan(log_probabilities(classic.read(white))).all()
    told = load_reader(str(STRANGERS), model_digest(STRANGERS), (), None, "abc", (4, 4))
    free, bound = (log_probabilities(reader.read(white)) for reader in (deep, told))
    assert (free <= 0).all()
    assert (bound < free).all()  # what is read under limits is no likelier than the likeliest text

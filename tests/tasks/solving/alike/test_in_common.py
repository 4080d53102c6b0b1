"""What answers have in common, and when a second reading is taken."""

import math
import random
import string
import tracemalloc

import pytest

from tasks.solving.alike.in_common import InCommon, Other, in_common

DIGITS, CAPITALS, SMALL = string.digits, string.ascii_uppercase, string.ascii_lowercase
ALL = CAPITALS + SMALL + DIGITS
LENGTH = (1, 12)


def texts(letters: str, length: tuple[int, int], count: int = 300, seed: int = 1) -> list[tuple[str, float]]:
    chance = random.Random(seed)
    return [("".join(chance.choices(letters, k=chance.randint(*length))), chance.uniform(0.5, 1)) for _ in range(count)]


@pytest.mark.parametrize(
    ("letters", "length"),
    [
        (DIGITS, (4, 4)), (CAPITALS, (4, 6)), (SMALL, (5, 5)), (CAPITALS + DIGITS, (6, 6)), (SMALL + DIGITS, (4, 7)),
        (CAPITALS + SMALL, (5, 5)), (ALL, (4, 4)), ("ABCDEFGHJKLMNPQRSTUVWXYZ23456789", (4, 4)),
        ("0123456789ABCDEF", (6, 6)),
        ("acdefhjkmnprtuvwxy34579", (5, 5)),
    ],
)  # fmt: skip
def test_letters_and_lengths_of_generators_are_found(letters, length):
    found = in_common(texts(letters, length), LENGTH, ALL)
    assert (found.length, set(found.letters)) == (length, set(letters))
    assert found.unlike == (0, 0)


def test_some_wrong_answers_hide_nothing():
    wrong = [("62g5", 0.99), ("4gO8", 0.9), ("786g", 0.97), ("12345", 0.8), ("l23", 0.6), ("7e13", 0.99)]
    found = in_common([*texts(DIGITS, (4, 4), 60), *wrong], LENGTH, ALL)
    assert (found.length, found.letters) == ((4, 4), DIGITS)
    assert found.unlike == pytest.approx((0.8 + 0.6, 0.99 + 0.9 + 0.97 + 0.99))
    assert [text for text, _ in wrong if found.fits(text)] == []


@pytest.mark.parametrize(
    "answers",
    [
        [],
        [("1234", 1.0)] * 19,  # too few
        [("1234", 0.1)] * 190,  # and too unsure
        [("", 0.9)] * 100,
        texts(DIGITS, (4, 4), 80) + texts(CAPITALS, (6, 6), 80, 2) + texts(SMALL, (9, 9), 80, 3),  # nothing is alike
    ],
)
def test_few_and_different_answers_tell_nothing(answers):
    found = in_common(answers, (4, 9), ALL)
    assert found is None or (found.length, set(found.letters)) == ((4, 9), set(ALL))


def test_the_most_frequent_length_alone_is_not_what_most_have():
    lengths = {4: 90} | dict.fromkeys(range(5, 13), 20)
    answers = [text for length, count in lengths.items() for text in texts(CAPITALS, (length, length), count, length)]
    assert in_common(answers, LENGTH, CAPITALS) is None


def test_a_length_or_kind_that_is_rare_is_not_in_use():
    assert in_common(texts(DIGITS, (4, 4), 200) + texts(DIGITS, (5, 5), 30, 2), LENGTH, DIGITS).length == (4, 4)
    misread = [(f"{text[:3]}e", sure) for text, sure in texts(DIGITS, (4, 4), 20, 3)]  # e for a turned 0
    assert in_common(texts(DIGITS, (4, 4), 200) + misread, LENGTH, ALL).letters == DIGITS


def test_letters_that_a_few_answers_lack_may_still_come():
    found = in_common(texts(CAPITALS + DIGITS, (4, 4), 40), LENGTH, ALL)
    assert set(found.letters) == set(CAPITALS + DIGITS)


def test_a_letter_that_was_read_once_by_mistake_is_not_in_use():
    found = in_common([*texts(CAPITALS.replace("Q", ""), (5, 5)), ("AQBCD", 0.9)], LENGTH, ALL)
    assert set(found.letters) == set(CAPITALS) - {"Q"}


def test_what_is_known_already_tells_nothing():
    answers = texts(DIGITS, (4, 4))
    assert in_common(answers, (4, 4), DIGITS) is None
    assert in_common(answers, (4, 5), DIGITS).length == (4, 4)
    assert in_common(texts(DIGITS, (4, 7)), (5, 6), ALL).length == (5, 6)  # never more than was said


def test_a_length_or_kind_that_is_as_frequent_as_a_third_is_in_use():
    answers = texts(CAPITALS, (4, 4), 200) + texts(CAPITALS, (5, 5), 80, 2)
    assert in_common(answers, LENGTH, ALL).length == (4, 5)
    mixed = in_common(texts(CAPITALS, (4, 4), 200) + texts(CAPITALS + DIGITS, (4, 4), 200, 2), LENGTH, ALL)
    assert set(DIGITS) <= set(mixed.letters)


def test_words_keep_their_rare_letters():
    """A letter is not in use if hardly any was seen; where both cases are in use, those that look alike may be."""
    words = ["quiz", "jazz", "axle", "bone", "tide", "lane", "seat", "note", "rain", "send"] * 30
    found = in_common([(word, 0.9) for word in words], LENGTH, ALL)
    assert set("".join(words)) <= set(found.letters)
    both = in_common(texts((CAPITALS + SMALL).replace("s", ""), (5, 5), 400), LENGTH, ALL)
    assert "s" in both.letters


def of(margin: float, text: str = "12345", confidence: float = 0.8) -> Other:
    return Other(text, confidence, margin)


COMMON = InCommon((4, 4), DIGITS, 190.0, (10.0, 10.0))


def test_a_second_reading_is_taken_by_its_margin_and_how_frequent_its_kind_is():
    odds = math.log(191 / 11 / 2)
    assert COMMON.takes(of(-odds + 0.01))
    assert not COMMON.takes(of(-odds - 0.01))
    assert COMMON.takes(of(3 * -odds + 0.01, "12a4"))  # of letters the network is too sure
    assert not COMMON.takes(of(3 * -odds - 0.01, "12a4"))
    assert not COMMON.takes(of(-math.inf))
    assert not COMMON._replace(like=10.0).takes(of(-0.1))


def test_wrong_answers_do_not_count_as_texts_of_their_kind():
    """All second readings are nearly as probable, so no text truly differs; the last is then taken too."""
    found = COMMON.learnt([of(-1.0) for _ in range(10)] + [of(-4.0)])
    assert found.unlike[0] < 2
    assert found.like + sum(found.unlike) == pytest.approx(210)
    assert found.takes(of(-4.0))
    assert not COMMON.takes(of(-4.0))


def test_texts_that_truly_differ_stay():
    others = [of(-20.0, "abcd") for _ in range(10)] + [of(-0.5, "12a4")]
    found = COMMON.learnt(others)
    assert found.unlike[1] > 8.5
    assert [found.takes(other) for other in others] == [False] * 10 + [True]


def test_a_sample_counts_for_all():
    assert COMMON.learnt([of(-1.0)] * 4).unlike == pytest.approx(COMMON.learnt([of(-1.0)] * 40).unlike)
    assert COMMON.learnt([]) == COMMON
    assert COMMON.learnt([of(5000.0)]).unlike[0] == pytest.approx(0)


@pytest.mark.parametrize("seed", range(200))
def test_any_answers_are_borne(seed):
    chance = random.Random(seed)
    letters = "".join(chance.sample(ALL + "é-", chance.randint(1, 20)))
    answers = [
        ("".join(chance.choices(letters, k=chance.randint(0, 13))), chance.choice([0.0, 1.0, chance.random()]))
        for _ in range(chance.randint(0, 240))
    ]
    found = in_common(answers, (2, 8), ALL)
    if found is not None:
        assert 2 <= found.length[0] <= found.length[1] <= 8
        assert set(found.letters) <= set(ALL)
        assert found.letters
        margin = chance.choice([-math.inf, chance.uniform(-60, 5)])
        others = [Other(text, sure, margin) for text, sure in answers if not found.fits(text)]
        learnt = found.learnt(others)
        assert min(*learnt.unlike, learnt.like) >= -1e-6
        assert all(learnt.takes(other) in (True, False) for other in others)


def test_answers_are_not_kept():
    """A ledger may have millions of different texts."""

    class Answers:
        def __iter__(self):
            return ((f"{number:06}", 0.9) for number in range(3000))

    assert in_common(iter(Answers()), LENGTH, ALL) == in_common(Answers(), LENGTH, ALL)
    held = []
    for _ in range(5):  # threads that earlier tests left may take memory meanwhile
        tracemalloc.start()
        try:
            assert in_common(Answers(), LENGTH, ALL).length == (6, 6)
            held.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert min(held) < 50_000


@pytest.mark.parametrize("confidence", [math.inf, -math.inf, math.nan, 1e308, -3.0])
def test_confidences_that_are_none_are_borne(confidence):
    """Anybody may write a ledger."""
    found = in_common([*texts(DIGITS, (4, 4)), *[("12345", confidence)] * 9], LENGTH, ALL)
    assert (found.length, found.letters) == ((4, 4), DIGITS)
    assert 0 <= sum(found.unlike) <= 9

"""Labels of other pictures are told where a reader is sure; hard pictures and readers that err are no proof."""

import numpy as np
import pytest

from tasks.audit.attackers.answers import Answers
from tasks.audit.findings.texts.ignored_texts import NOT_READ, Readings
from tasks.audit.findings.texts.unfitting_labels import find_unfitting

N = 80
RNG = np.random.Generator(np.random.Philox(key=[8, 8]))
TEXTS, OTHERS = (["".join(RNG.choice(list("ABCDEFGHKLMNPQRSTUVWXYZ"), 5)) for _ in range(N)] for _ in range(2))


def read(words: list[str], confidence: float = 0.97, truths: list[str] = TEXTS, right: float = 0.0) -> Readings:
    return Readings(truths, [Answers(tuple((word,) for word in words), (confidence,) * len(words), 0.0)], right)


def told(readings: Readings, texts: list[str] = TEXTS) -> list[dict]:
    return find_unfitting(readings, texts, str)


def test_labels_of_other_texts_are_told():
    (found,) = told(read(OTHERS))
    assert (found["name"], found["severity"]) == ("labels", "high")
    assert f"{N} of {N}" in found["plain"] and "exchanged" not in found["plain"]
    assert found["figures"]["examples"][0] == [OTHERS[0], TEXTS[0]]


def test_labels_that_were_exchanged_are_told_so():
    (found,) = told(read([*TEXTS[1:], TEXTS[0]]))
    assert found["figures"]["labels_of_other_pictures"] == N
    assert "labels were exchanged" in found["plain"]


def test_sure_readings_of_most_pictures_are_enough():
    sure = (0.97,) * (N // 2) + (0.1,) * (N // 2)
    assert told(Readings(TEXTS, [Answers(tuple((word,) for word in OTHERS), sure, 0.0)], 0.0))


ONE_WRONG = [text[:2] + other[2:] for text, other in zip(TEXTS, OTHERS, strict=True)]


@pytest.mark.parametrize(
    "readings",
    [
        NOT_READ,
        read(TEXTS),
        read(OTHERS, confidence=0.6),
        read(OTHERS, right=0.4),  # an attacker knows the texts
        read(OTHERS[:15], truths=TEXTS[:15]),
        read(ONE_WRONG),  # two letters of five are right
        read([text[1:] for text in TEXTS]),  # the first letter is missed, so all others stand elsewhere
        read(["DEMOX"] * N),  # a banner, or a text that is ignored
        read(["AB"] * N),
        read([""] * N),
        Readings(TEXTS, [Answers(tuple((word,) for word in OTHERS), None, 0.0)], 0.0),
    ],
)
def test_what_is_no_proof_is_not_told(readings):
    assert told(readings) == []


HALF = [*TEXTS[: N // 2], *TEXTS[N // 2 + 1 :], TEXTS[N // 2]]


@pytest.mark.parametrize("right", [0.0, 0.5])
def test_labels_that_were_exchanged_in_a_part_are_told(right):
    """The attackers have half of the words right, and look half as strong as they are."""
    (found,) = told(read(HALF, right=right))
    assert (found["name"], found["severity"]) == ("labels", "high")
    assert found["figures"]["labels_of_other_pictures"] == N // 2
    assert f"is sure of {N} of {N}. In {N // 2} of these" in found["plain"]
    assert f"such as {TEXTS[N // 2 + 1]!r} where the label is {TEXTS[N // 2]!r}" in found["plain"]
    assert "some labels were exchanged" in found["plain"]


NUMBERS = [f"{number:03d}" for number in range(1000)]


@pytest.mark.parametrize(
    ("readings", "labels"),
    [
        (read([*TEXTS[:-4], *TEXTS[:4]], right=0.9), TEXTS),  # four are too few
        (read([*TEXTS[: N // 2], *["DEMOX"] * (N // 2)], right=0.5), [*TEXTS, "DEMOX"]),  # a banner
        (read([*NUMBERS[:40], *NUMBERS[640:680]], truths=NUMBERS[:80], right=0.5), NUMBERS),  # any number is a label
        (read([*TEXTS[:40], *ONE_WRONG[40:]], right=0.5), [*TEXTS, *ONE_WRONG]),  # misread, as a text that there is
    ],
)
def test_some_wrong_readings_are_no_exchanged_labels(readings, labels):
    assert told(readings, labels) == []


CYRILLIC = [text.translate(str.maketrans("ABCDEFGHKLMNPQRSTUVWXYZ", "АВЕКМНОРСТХАВЕКМНОРСТХА")) for text in TEXTS]
WIDE = ["".join(chr(0xFF10 + (number * 7919 + 31 * place) % 10) for place in range(5)) for number in range(N)]
SUMS = [(2 + number % 90, 3 + number * 7 % 80) for number in range(N)]


@pytest.mark.parametrize(
    ("read_as", "labels"),
    [
        (OTHERS, CYRILLIC),  # letters that look like Latin ones
        (["".join(chr(ord(letter) - 0xFEE0) for letter in text) for text in WIDE], WIDE),
        ([f"{one}+{two}" for one, two in SUMS], [str(one + two) for one, two in SUMS]),
        ([text.lower() for text in TEXTS], TEXTS),
    ],
)
def test_labels_in_other_letters_or_of_sums_are_no_finding(read_as, labels):
    assert told(read(read_as, truths=labels), labels) == []


def test_sums_whose_sign_is_not_read_are_of_low_severity():
    labels = [str(one + two) for one, two in SUMS]
    for found in told(read([f"{one}4{two}" for one, two in SUMS], truths=labels), labels):
        assert found["severity"] == "low"

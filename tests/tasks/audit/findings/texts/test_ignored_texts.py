"""A generator that ignores its text is told; a label, a banner and a few equal pictures are no proof of it."""

import numpy as np
import pytest

from tasks.audit.attackers.answers import Answers
from tasks.audit.findings.texts.ignored_texts import NOT_READ, Readings, find_ignored

N = 60
TEXTS = [f"{chr(65 + k % 26)}{k:03d}" for k in range(N)]
NOISE = [np.random.default_rng(k).integers(0, 256, (10, 20), np.uint8) for k in range(N)]


def readings(words: list[str], confidence: float = 0.9, right: float = 0.0, truths: list[str] = TEXTS) -> Readings:
    return Readings(truths, [Answers(tuple((word,) for word in words), (confidence,) * len(words), 0.0)], right)


def told(pictures: list[np.ndarray] = NOISE, texts: list[str] = TEXTS, read: Readings = NOT_READ) -> list[dict]:
    return find_ignored(pictures, texts, read, str)


def test_equal_pictures_of_different_texts_are_told():
    (found,) = told(NOISE[:1] * N)
    assert (found["name"], found["severity"]) == ("ignored", "high")
    assert found["figures"] == {"n": N, "equal": N, "texts": N}
    assert told([NOISE[k % 3] for k in range(N)])  # a few pictures in turn


def test_one_word_that_is_read_in_pictures_of_many_texts_is_told():
    (found,) = told(read=readings(["ABCD"] * 50 + ["XY"] * 10))
    assert found["severity"] == "high"
    assert "'ABCD' in 50 of 60" in found["plain"] and "50 different texts" in found["plain"]


@pytest.mark.parametrize(
    "read",
    [
        NOT_READ,
        readings(TEXTS),
        readings(["ABCD"] * 25 + TEXTS[25:]),  # in less than half of the pictures
        readings(["ABCD"] * N, confidence=0.2),
        readings([""] * N),
        readings(["l"] * N),  # a frame, or a line
        readings(["DEMO"] * N, right=0.4),  # a banner beside a text that somebody reads
        readings(["ABCD"] * N, truths=["ABCD"] * N),
        readings(["ABCD"] * N, truths=["ABCE", "ABCF"] * (N // 2)),  # few texts
        readings(["ABCD"] * 10, truths=TEXTS[:10]),
    ],
)
def test_what_is_no_proof_is_not_told(read):
    assert told(read=read) == []


def test_some_equal_pictures_or_texts_are_not_told():
    assert told(NOISE[:1] * 20 + NOISE[20:]) == []
    assert told([NOISE[k % 3] for k in range(N)], [TEXTS[k % 3] for k in range(N)]) == []
    assert told(NOISE[:1] * 15, TEXTS[:15]) == []

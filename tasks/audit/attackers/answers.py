"""What an attacker answered to the unseen pictures, and how good that is."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tasks.audit.schema import TRIES, Attacker, Threshold
from tasks.rates import Rate, RateRecord

COVERAGES = (1.0, 0.5, 0.2, 0.1, 0.05, 0.01)  # shares of the pictures that an attacker may choose to answer
GUESSES = 3  # of a picture, at most


@dataclass(frozen=True)
class Answers:
    """What an attacker reads in the first n unseen pictures.

    guesses : up to `GUESSES` texts for each picture, best first; none where it has no answer
    confidences : of each first guess, 0 to 1; None if the attacker tells none
    seconds : of a picture, on a core of this machine
    """

    guesses: tuple[tuple[str, ...], ...]
    confidences: tuple[float, ...] | None
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self)

    @classmethod
    def of(cls, record: dict[str, Any]) -> "Answers":
        """Make it of what `as_dict` gave."""
        told = record["confidences"]
        return cls(tuple(map(tuple, record["guesses"])), None if told is None else tuple(told), record["seconds"])

    @property
    def firsts(self) -> list[str]:
        """Return the first guess of each picture, '' for none."""
        return [texts[0] if texts else "" for texts in self.guesses]


@dataclass(frozen=True)
class Attack:
    """Who attacks, how, and with how many labelled pictures; `price` is that of a label."""

    name: str
    title: str
    explained: str
    labels: int = 0
    price: float = 0.0


def compared_as(fold_case: bool) -> Callable[[str], str]:
    """Return what a text is compared as: itself, or with upper and lower case alike."""
    return str.casefold if fold_case else str


def right_of(answers: Answers, truths: Sequence[str], fold_case: bool) -> list[bool]:
    """Tell for each picture whether the first guess is the label."""
    as_ = compared_as(fold_case)
    return [as_(read) == as_(truth) for read, truth in zip(answers.firsts, truths, strict=False)]


def judge(
    attack: Attack, answers: Answers, truths: Sequence[str], fold_case: bool, train_seconds: float = 0.0
) -> Attacker:
    """Sum up an attacker's answers to the first unseen pictures.

    Parameters
    ----------
    truths : sequence of str
        Labels of all unseen pictures; a slow attacker has answers to the first of them only.
    """
    truths = truths[: len(answers.guesses)]
    as_ = compared_as(fold_case)
    right = right_of(answers, truths, fold_case)
    words = Rate(sum(right), len(right))
    top = [
        as_(truth) in map(as_, texts[:GUESSES]) for texts, truth in zip(answers.guesses, truths, strict=True)
    ]  # fmt: skip
    more = any(len(texts) > 1 for texts in answers.guesses)
    tries = words.n / words.right if words.right else None
    return {
        "name": attack.name, "title": attack.title, "explained": attack.explained, "labels": attack.labels,
        "tried": True, "why_not": None, "train_seconds": round(train_seconds, 1),
        "seconds_a_picture": answers.seconds, "words": words.as_dict(),
        "letters": _letters(answers.firsts, truths, as_).as_dict(),
        "tries": {str(count): within(words, count) for count in TRIES},
        "top_three": Rate(sum(top), len(top)).as_dict() if more else None,
        "thresholds": _thresholds(answers.confidences, right), "expected_tries": tries,
        "seconds_a_success": None if tries is None else tries * answers.seconds,
        "cost": round(attack.labels * attack.price, 6), "right": bits_of(right),
    }  # fmt: skip


def not_tried(attack: Attack, why_not: str) -> Attacker:
    """Return the entry of an attacker that was not tried, with the reason and the remedy."""
    return {
        "name": attack.name, "title": attack.title, "explained": attack.explained, "labels": attack.labels,
        "tried": False, "why_not": why_not, "train_seconds": 0.0, "seconds_a_picture": None, "words": None,
        "letters": None, "tries": {}, "top_three": None, "thresholds": [], "expected_tries": None,
        "seconds_a_success": None, "cost": None, "right": None,
    }  # fmt: skip


def within(words: Rate, tries: int) -> RateRecord:
    """Return the rate of at least one success within so many fresh pictures, 1 - (1 - p) ** tries.

    Since it grows with p, the ends of the interval of p become exactly those of its own; `right` and `n` stay those of
    single tries.
    """
    record = words.as_dict()
    for key in ("rate", "low", "high"):
        share = record[key]
        record[key] = None if share is None else -math.expm1(tries * math.log1p(-share)) if share < 1 else 1.0
    return record


def _letters(firsts: Sequence[str], truths: Sequence[str], as_: Callable[[str], str]) -> Rate:
    pairs = [
        (one, other)
        for read, truth in zip(map(as_, firsts), map(as_, truths), strict=True)
        if len(read) == len(truth)
        for one, other in zip(read, truth, strict=True)
    ]
    return Rate(sum(one == other for one, other in pairs), len(pairs))


def _thresholds(confidences: Sequence[float] | None, right: Sequence[bool]) -> list[Threshold]:
    """Return how many of the surest answers are right, for each coverage.

    The share decides where the line is drawn, and nothing of what is right, so that no threshold flatters. Answers as
    sure as the last are taken in too.
    """
    if confidences is None or not right:
        return []
    surest = sorted(zip(confidences, right, strict=True), key=lambda pair: -pair[0])
    found: dict[int, Threshold] = {}
    for coverage in COVERAGES:
        least = surest[max(round(coverage * len(surest)), 1) - 1][0]
        answered = [flag for confidence, flag in surest if confidence >= least]
        found[len(answered)] = {
            "coverage": len(answered) / len(surest), "confidence": least,
            "right": Rate(sum(answered), len(answered)).as_dict(),
        }  # fmt: skip
    return list(found.values())


def bits_of(right: Sequence[bool]) -> str:
    """Write flags as hexadecimal digits, the first flag as the highest bit; `flags_of` reads them."""
    bits = "".join("1" if flag else "0" for flag in right)
    bits += "0" * (-len(bits) % 4)
    return "".join(f"{int(bits[k : k + 4], 2):x}" for k in range(0, len(bits), 4))


def flags_of(bits: str, count: int) -> list[bool]:
    """Return the first `count` flags that `bits_of` wrote."""
    return [flag == "1" for digit in bits for flag in f"{int(digit, 16):04b}"][:count]

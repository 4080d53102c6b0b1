"""Pictures that do not depend on their text: a generator that draws the same whatever it is asked for."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from tasks.audit.attackers.answers import Answers
from tasks.audit.findings.measuring.shown import figure, finding
from tasks.audit.schema import Finding

LEAST_PICTURES = 20
LEAST_TEXTS = 10  # different ones, of pictures that show one thing
LEAST_SHARE = 0.5  # of the pictures
SURE = 0.5  # confidence from which a reading counts
LEAST_LETTERS = 2  # of a reading that counts
MOST_RIGHT = 0.05  # words right of the strongest attacker: one who is right more often sees the texts
_TITLE = "Pictures that do not depend on the text"
_REMEDY = (
    "Draw the text that is given. Of a folder, check the labels. Until then the rates of this report say nothing of "
    "the CAPTCHA that you meant."
)


class Readings(NamedTuple):
    """What readers that learnt from none of these pictures read in the unseen ones.

    truths : the texts that belong to the unseen pictures
    read : the answers of each reader
    right : the share of words right of the strongest attacker
    """

    truths: Sequence[str]
    read: Sequence[Answers]
    right: float


NOT_READ = Readings((), (), 0.0)


def find_ignored(
    pictures: Sequence[np.ndarray], texts: Sequence[str], readings: Readings, as_: Callable[[str], str]
) -> list[Finding]:  # fmt: skip
    """Return the finding `ignored`, if pictures of different texts are equal or are read as one word; else nothing.

    Parameters
    ----------
    pictures : sequence of (h, w) or (h, w, 3) uint8
    texts : sequence of str
        Their texts.
    as_ : callable
        What a text is compared as.
    """
    told = _equal(pictures, [as_(text) for text in texts]) or _read_as_one(readings, as_)
    if told is None:
        return []
    plain, figures = told
    shown = [figure(pictures[0], f"The text of this picture is {texts[0]}")] if pictures else []
    return [finding("ignored", _TITLE, "high", plain, _REMEDY, figures, shown)]


def _equal(pictures: Sequence[np.ndarray], texts: Sequence[str]) -> tuple[str, dict[str, object]] | None:
    n = len(pictures)
    groups: dict[object, list[str]] = defaultdict(list)
    for picture, text in zip(pictures, texts, strict=True):
        groups[picture.shape, picture.tobytes()].append(text)
    same = [text for found in groups.values() if len(set(found)) > 1 for text in found]
    different = len(set(same))
    if n < LEAST_PICTURES or len(same) < LEAST_SHARE * n or different < LEAST_TEXTS:
        return None
    plain = (
        f"{len(same):,} of {n:,} pictures equal a picture with another text; they have {different:,} different texts. "
        "What such a picture shows does not depend on its text."
    )
    return plain, {"n": n, "equal": len(same), "texts": different}


def _read_as_one(readings: Readings, as_: Callable[[str], str]) -> tuple[str, dict[str, object]] | None:
    """Return what is told where a reader is sure to see one word in most pictures, whose texts are many others."""
    if readings.right > MOST_RIGHT:
        return None
    for answers in readings.read:
        n = len(answers.guesses)
        confidences = answers.confidences or (0.0,) * n
        rows = zip(map(as_, answers.firsts), map(as_, readings.truths), confidences, strict=False)
        sure = [(read, truth) for read, truth, confidence in rows if confidence >= SURE and len(read) >= LEAST_LETTERS]
        if n < LEAST_PICTURES or not sure:
            continue
        word, count = Counter(read for read, _ in sure).most_common(1)[0]
        truths = Counter(truth for read, truth in sure if read == word)
        many = len(truths) >= LEAST_TEXTS and max(truths.values()) <= MOST_RIGHT * max(count, LEAST_PICTURES)
        if count >= LEAST_SHARE * n and many:
            plain = (
                f"A reader that learnt from none of these pictures is sure to see {word!r} in {count:,} of {n:,}. They "
                f"belong to {len(truths):,} different texts. What is drawn does not depend on the text that was asked."
            )
            return plain, {"n": n, "read": word, "count": count, "texts": len(truths)}
    return None

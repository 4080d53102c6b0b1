"""Labels that do not fit their pictures: a reader is sure of what it sees, and the labels say something else."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence

from tasks.audit.findings.measuring.shown import Severity, finding
from tasks.audit.findings.texts.ignored_texts import MOST_RIGHT, Readings
from tasks.audit.schema import Finding
from tasks.rates import Rate

LEAST_PICTURES = 20  # that a reader is sure of
LEAST_SHARE = 0.5  # of the pictures
SURE = 0.9  # confidence from which a reading counts
LEAST_LETTERS = 3  # of a reading that counts
ABOVE_CHANCE = 0.1  # share of letters by which labels that fit exceed those of other pictures at least
LEAST_SOME = 8  # sure readings that are labels of other pictures, if other labels fit
FEWER_TURNED = 4  # times as many of these as are labels with their first letter put last
SHIFTS = 7  # other pictures whose labels are compared with each reading
LEAST_EXCHANGED = 0.1  # share of the sure readings that are the label of another picture
MOST_OF_ONE = 0.2  # share of the sure readings that are one word: a banner beside the text, or a text that is ignored
READABLE = 0.75  # share of the labels' characters that the reader knows; it reads other scripts as letters like them
SAME_LETTERS = 0.8  # share of the letters of readings that labels have at all
_KNOWN = frozenset("0123456789abcdefghijklmnopqrstuvwxyz")
_NUMBER = re.compile(r"-?\d{1,4}")
_SUM = re.compile(r"(\d{1,4})([-+*x×t])(\d{1,4})=?\??")
_TITLE = "Labels that do not fit the pictures"
_REMEDY = (
    "Give each picture its own label; a generator has to return the text that it draws. Until then the rates of this "
    "report say nothing of the CAPTCHA. If people have to work the answer out of what they see, the labels are right, "
    "and no attacker of this audit does so."
)
_REMEDY_SOME = (
    "Look at the examples, and at how names or rows were put together; give each picture its label, and audit again."
)


def find_unfitting(readings: Readings, texts: Sequence[str], as_: Callable[[str], str]) -> list[Finding]:
    """Return the finding `labels`, if a reader is sure of other texts than the labels say; else nothing.

    So it is if some labels were exchanged, which does not keep attackers from reading the others.

    A reader counts that is sure of half of the unseen pictures, has hardly a word right, and whose letters are in the
    labels no more often than in those of other pictures. Readers that fail on a hard CAPTCHA are not sure, and have
    some letters right. Labels of another script are no finding, nor are the values of sums that are drawn. The finding
    is of high severity if readings are other pictures' labels, or have the letters that labels have.

    Parameters
    ----------
    readings : Readings
    texts : sequence of str
        All labels there are.
    as_ : callable
        What a text is compared as.
    """
    known = Counter(_plain(as_(text)) for text in texts)
    letters = Counter("".join(known))
    if sum(letters[letter] for letter in _KNOWN) < READABLE * letters.total():
        return []
    if readings.right > MOST_RIGHT:
        return _find_exchanged(readings, known, as_)
    for answers in readings.read:
        confidences = answers.confidences or (0.0,) * len(answers.guesses)
        sure = [
            (as_(read), as_(truth))
            for read, truth, confidence in zip(answers.firsts, readings.truths, confidences, strict=False)
            if confidence >= SURE and len(read) >= LEAST_LETTERS
        ]
        rows = [(_plain(read), _plain(truth)) for read, truth in sure]
        n = len(answers.guesses)
        if len(rows) < max(LEAST_PICTURES, LEAST_SHARE * n):
            continue
        if Counter(read for read, _ in rows).most_common(1)[0][1] > MOST_OF_ONE * len(rows):
            continue
        reads, truths = [read for read, _ in rows], [truth for _, truth in rows]
        own, chance = _common(reads, truths), _by_chance(reads, truths)
        if own.value > chance + ABOVE_CHANCE:
            continue
        if sum(_value(read) == truth for read, truth in rows) >= ABOVE_CHANCE * len(rows):
            continue
        exchanged = sum(known[read] > (read == truth) for read, truth in rows)
        fitting = sum(letter in letters for read in reads for letter in read) >= SAME_LETTERS * sum(map(len, reads))
        sums = _may_be_sums(rows)
        mixed = exchanged >= (LEAST_SHARE if sums else LEAST_EXCHANGED) * len(rows)  # any short number may be a sum
        severity: Severity = "high" if mixed or (fitting and not sums) else "low"
        plain, figures = _told(n, own, chance, exchanged if mixed else 0, sure, severity)
        return [finding("labels", _TITLE, severity, plain, _REMEDY, figures)]
    return _find_exchanged(readings, known, as_)


def _find_exchanged(readings: Readings, known: Counter[str], as_: Callable[[str], str]) -> list[Finding]:
    """Return the finding `labels`, if some of the labels are those of other pictures, though others fit.

    A reader is sure of just the label of another picture, and such readings have no more letters of their own labels
    than chance makes: what is misread is like its label.
    """
    for answers in readings.read:
        confidences = answers.confidences or (0.0,) * len(answers.guesses)
        sure = [
            (as_(read), as_(truth))
            for read, truth, confidence in zip(answers.firsts, readings.truths, confidences, strict=False)
            if confidence >= SURE and len(read) >= LEAST_LETTERS
        ]
        rows = [(_plain(read), _plain(truth)) for read, truth in sure]
        which = [k for k, (read, truth) in enumerate(rows) if read != truth and read in known]
        others = [rows[k] for k in which]
        if len(others) < max(LEAST_SOME, LEAST_EXCHANGED * len(rows)):
            continue
        if Counter(read for read, _ in others).most_common(1)[0][1] > MOST_OF_ONE * len(others):
            continue
        # Where labels are so many that any text is one, being one says nothing.
        if FEWER_TURNED * sum(_turned(read) in known for read, _ in others) > len(others):
            continue
        reads, truths = [read for read, _ in others], [truth for _, truth in others]
        own, chance = _common(reads, truths), _by_chance(reads, truths)
        if own.value > chance + ABOVE_CHANCE:
            continue
        examples = [list(sure[k]) for k in which[:6]]
        plain = (
            f"A reader that learnt from none of these pictures is sure of {len(rows):,} of "
            f"{len(answers.guesses):,}. In {len(others):,} of these it sees the label of another picture, such as "
            f"{examples[0][0]!r} where the label is {examples[0][1]!r}. So some "
            "labels were exchanged, and attackers read more than this report says."
        )
        figures = {
            "n": len(answers.guesses), "sure": len(rows), "letters": own.as_dict(),
            "letters_of_other_labels": round(chance, 4), "labels_of_other_pictures": len(others),
            "examples": examples,
        }  # fmt: skip
        return [finding("labels", _TITLE, "high", plain, _REMEDY_SOME, figures)]
    return []


def _turned(text: str) -> str:
    return text[1:] + text[:1]


def _plain(text: str) -> str:
    """Return a text with full-width and other forms of letters as plain ones, in lower case."""
    return unicodedata.normalize("NFKC", text).lower()


def _value(read: str) -> str | None:
    """Return the value of a sum; None if a reading is none. Readers take a plus for a t."""
    found = _SUM.fullmatch(read)
    if found is None:
        return None
    first, sign, second = int(found[1]), found[2], int(found[3])
    return str(first - second if sign == "-" else first + second if sign in "+t" else first * second)


def _may_be_sums(rows: Sequence[tuple[str, str]]) -> bool:
    """Return whether all labels are short numbers, and most readings are longer, or no numbers."""
    if not all(_NUMBER.fullmatch(truth) for _, truth in rows):
        return False
    return sum(len(read) > len(truth) or not read.isdecimal() for read, truth in rows) > len(rows) / 2


def _told(
    n: int, own: Rate, chance: float, exchanged: int, rows: Sequence[tuple[str, str]], severity: Severity
) -> tuple[str, dict[str, object]]:  # fmt: skip
    sure = len(rows)
    plain = (
        f"A reader that learnt from none of these pictures is sure of what it sees in {sure:,} of {n:,}, such as "
        f"{rows[0][0]!r} where the label is {rows[0][1]!r}. Of its letters {100 * own.value:.1f} % are in the label, "
        f"and {100 * chance:.1f} % are in labels of other pictures: that is chance."
    )
    if exchanged:
        plain += f" {exchanged:,} are read as the label of another picture, so labels were exchanged."
    elif severity == "low":
        plain += " But what it reads is unlike all labels, so people may have to work the answer out of what they see."
    figures = {
        "n": n, "sure": sure, "letters": own.as_dict(), "letters_of_other_labels": round(chance, 4),
        "labels_of_other_pictures": exchanged, "examples": [list(row) for row in rows[:6]],
    }  # fmt: skip
    return plain, figures


def _common(reads: Sequence[str], truths: Sequence[str]) -> Rate:
    """Return how many letters of readings are in the truths as well, wherever: a reader may miss the first letter."""
    common = sum((Counter(read) & Counter(truth)).total() for read, truth in zip(reads, truths, strict=True))
    return Rate(common, sum(map(len, reads)))


def _by_chance(reads: Sequence[str], truths: Sequence[str]) -> float:
    """Return the same share for truths of other pictures."""
    shifts = range(1, min(SHIFTS + 1, len(truths)))
    return sum(_common(reads, [*truths[by:], *truths[:by]]).value for by in shifts) / len(shifts)

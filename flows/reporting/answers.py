"""Answers to pictures as people read them: a line for one picture, a table for several."""

import string
from collections import Counter
from collections.abc import Sequence

from storage.ledger.ledger import Answer, ResultRow

LIKELIEST, LEAST = 0.9995, 0.0005  # shares beyond these would be rounded to 100 or 0 %
FEW, MOST = 50, 0.8  # answers, and of the answers: what fewer have in common tells nothing of a CAPTCHA
KINDS = {
    "digits alone": string.digits,
    "capitals alone": string.ascii_uppercase,
    "small letters alone": string.ascii_lowercase,
    "capitals and digits alone": string.ascii_uppercase + string.digits,
    "small letters and digits alone": string.ascii_lowercase + string.digits,
}


def answers_for_people(rows: Sequence[ResultRow]) -> dict[str, object]:
    """Return answers as parts of a report: of one picture its word, its confidence and the next two."""
    if len(rows) != 1:
        return {"answers": [_row(row.path, row.answer) for row in rows]}
    ((path, answer),) = rows
    sure = "no confidence" if answer.confidence is None else _percent(answer.confidence)
    said = f"{answer.word} ({sure})" if answer.word else f"- ({answer.status}: {answer.reason})"
    return {"picture": path, "word": said, "next": _others(answer) or None}


def _row(path: str, answer: Answer) -> dict[str, object]:
    return {
        "picture": path,
        "word": answer.word or "-",
        "sure": _percent(answer.confidence),
        "next": _others(answer),
        "why": answer.reason or "",
    }


def _others(answer: Answer) -> str:
    """Tell the second and the third answer, each with its share."""
    others = ((answer.second, answer.second_confidence), (answer.third, answer.third_confidence))
    return ", ".join(f"{word} {_percent(share)}".rstrip() for word, share in others if word)


def _percent(share: float | None) -> str:
    """Tell a share; never 100 % or 0 %, which nothing here can be."""
    if share is None:
        return ""
    if share >= LIKELIEST:
        return "over 99.9 %"
    return f"{100 * share:.1f} %" if share >= LEAST else "under 0.1 %"


def advice(words: Sequence[str], length: tuple[int, int] | None, letters: str) -> str:
    """Tell what most answers have in common and some have not, with the options that say so; '' for nothing.

    Parameters
    ----------
    words
        The answers; '' for none.
    length, letters
        What the reader expects already: the shortest and longest text, and the letters that may occur.
    """
    words = [word for word in words if word]
    if len(words) < FEW:
        return ""
    common, options = [], []
    ((most, count),) = Counter(map(len, words)).most_common(1)
    if MOST * len(words) <= count < len(words) and length != (most, most):
        common.append(f"{most} letters ({_percent(count / len(words))})")
        options.append(f"--length {most}")
    for kind, every in KINDS.items():
        known = "".join(letter for letter in every if letter in letters)
        count = sum(not word.strip(known) for word in words)
        if MOST * len(words) <= count:
            if count < len(words) and len(known) < len(letters):
                common.append(f"{kind} ({_percent(count / len(words))})")
                options.append(f"--alphabet {known}")
            break
    if not options:
        return ""
    which = " and ".join(common)
    return f"most answers have {which}. If all texts are like that, give {' '.join(options)}: it may mend the others"

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


def advice(words: Sequence[str], length_told: bool, letters_told: bool) -> str:
    """Tell what most answers have in common, and the options that would tell it to the reader; '' for nothing.

    Parameters
    ----------
    words
        The answers; '' for none.
    length_told, letters_told
        Whether --length and --alphabet were given.
    """
    words = [word for word in words if word]
    if len(words) < FEW:
        return ""
    common, options = [], []
    ((length, count),) = Counter(map(len, words)).most_common(1)
    if not length_told and MOST * len(words) <= count:
        common.append(f"{length} letters ({_percent(count / len(words))})")
        options.append(f"--length {length}")
    for kind, letters in KINDS.items():
        count = sum(not word.strip(letters) for word in words)
        if not letters_told and MOST * len(words) <= count:
            common.append(f"{kind} ({_percent(count / len(words))})")
            options.append(f"--alphabet {letters}")
            break
    if not options:
        return ""
    return f"most answers have {' and '.join(common)}: if all texts have, {' '.join(options)} reads the others better"

"""Answers to pictures as people read them: a line for one picture, a table for several."""

from collections.abc import Sequence

from storage.ledger.ledger import Answer, ResultRow

LIKELIEST, LEAST = 0.9995, 0.0005  # shares beyond these would be rounded to 100 or 0 %


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


def told_again(told: str, pictures: int, changed: int) -> str:
    """Tell what most texts have in common, and what became of the pictures that were read otherwise."""
    were = "picture that was read otherwise was" if pictures == 1 else "pictures that were read otherwise were"
    now = f"{changed:,} {'has' if changed == 1 else 'have'} another answer now"
    return f"{told}; {pictures:,} {were} read once more, {now} (--independent leaves that out)"

"""The comparison of two audits: a page that says whether the second CAPTCHA is stronger, and by how much."""

from collections.abc import Sequence

from tasks.audit.page.elements.bars import difference_bar
from tasks.audit.page.elements.data_table import Cell, Column, data_table, number_cell, rate_cell
from tasks.audit.page.elements.document import document, heading, part
from tasks.audit.page.elements.markup import Child, Markup, element, given, together
from tasks.audit.page.elements.wording import after_word, attacker_name, labels_text, points, title_of
from tasks.audit.page.parts.cost_curve import measured
from tasks.audit.page.parts.first_screen import KINDS, strongest, verdict_mark
from tasks.audit.schema import Attacker, Audit

_MARKS = {"stronger": "▲", "weaker": "▼", "not told apart": "○"}
_KINDS = {"stronger": "held", "weaker": "broken", "not told apart": "unclear"}


def compared_word(difference: Sequence[float] | None) -> str:
    """Return what the second CAPTCHA is to the first: stronger where it is surely read less often.

    Parameters
    ----------
    difference : sequence of 3 float, or None
        Words right of the second less those of the first, and the ends of its 95 % interval; -1 to 1. None where an
        audit measured no attacker.
    """
    if difference is None:
        return "not told apart"
    _, low, high = difference
    return "weaker" if low > 0 else "stronger" if high < 0 else "not told apart"


def write_comparison(
    first: Audit, second: Audit, difference: Sequence[float] | None, names: tuple[str, str], notes: Sequence[str] = ()
) -> str:  # fmt: skip
    """Return the page of `captchas audit compare FIRST SECOND`.

    Parameters
    ----------
    first, second : Audit
    difference : sequence of 3 float, or None
        As for `compared_word`, of the strongest attackers.
    names : tuple of 2 str
        What to call the two; they differ, also for two audits of one target.
    notes : sequence of str
        Sentences on what else differs.

    Returns
    -------
    str
        HTML without any request.
    """
    word = compared_word(difference)
    return document(
        f"{word.capitalize()}: {names[1]} against {names[0]}",
        heading("CAPTCHA audits compared", f"{names[1]} against {names[0]}", _note(first, second)),
        (),
        together(
            _box(word, difference, names, notes),
            _verdicts(first, second),
            _attackers(first, second),
            _made(first, second),
        ),
    )


def _note(first: Audit, second: Audit) -> Child:
    dates = [one["made"]["started"][:10] for one in (first, second)]
    return [
        "First: ", given(first["target"]["name"]), f", audited {dates[0]}. Second: ", given(second["target"]["name"]),
        f", audited {dates[1]}.",
    ]  # fmt: skip


def _box(
    word: str, difference: Sequence[float] | None, names: tuple[str, str], notes: Sequence[str]
) -> Markup:  # fmt: skip
    said = {
        "stronger": "The strongest attacker reads the second surely less often than the first.",
        "weaker": "The strongest attacker reads the second surely more often than the first.",
        "not told apart": "The audits do not tell which is read more often: the interval of the difference holds 0. "
        "More pictures would make it narrower.",
    }[word]
    if difference is None:
        said = "An audit measured no attacker, so there is nothing to compare."
    return element(
        "section",
        element(
            "div",
            element("h2", element("span", _MARKS[word], aria_hidden="true"), " ", element("span",
                    given(names[1], 60), f" is {word}" if word != "not told apart" else
                    " and the first are not told apart"), id="verdict-word"),  # one part, so that the lines break in it
            element("p", said, class_="lead"),
            _difference(difference) if difference else None,
            [element("p", given(note, 400)) for note in notes],
            class_=f"verdict {_KINDS[word]}",
        ),
        aria_labelledby="verdict-word",
        id="first",
    )  # fmt: skip


def _difference(difference: Sequence[float]) -> Markup:
    change, low, high = difference
    scale = max(abs(low), abs(high), 0.01)
    return together(
        element("p", "Words right change by ", element("b", f"{points(change)} percentage points"),
                f" (95 % interval {points(low)} to {points(high)})."),
        element("p", "Fewer ", difference_bar(change, low, high, scale), " more", class_="scale", aria_hidden="true"),
    )  # fmt: skip


def _verdicts(first: Audit, second: Audit) -> Markup:
    cards = []
    for which, audit in (("First", first), ("Second", second)):
        found = audit["verdict"]
        best = strongest(audit)
        cards.append(
            element(
                "article",
                element("h3", verdict_mark(found["word"]), f" {which}: {found['word']}",
                        class_=f"said {KINDS.get(found['word'], 'unclear')}"),
                element("p", after_word(found["word"], found["sentence"])),
                element("p", f"Strongest attacker: {attacker_name(best)}." if best else "No attacker was measured.",
                        class_="note"),
                class_="card",
            )
        )  # fmt: skip
    return part(
        "verdicts", "Both verdicts", "Each audit judges its CAPTCHA alone.", element("div", cards, class_="cards")
    )


def _attackers(first: Audit, second: Audit) -> Markup:
    """Return all attackers of both, side by side."""
    found: dict[tuple[str, int], list[Attacker | None]] = {}
    for k, audit in enumerate((first, second)):
        for one, _ in measured(audit["attackers"]):
            pair = found.setdefault((title_of(one), one["labels"]), [None, None])
            pair[k] = one
    rows = []
    for (title, labels), pair in found.items():
        rates = [None if each is None else each["words"] for each in pair]
        change = None
        if rates[0] and rates[1] and rates[0]["rate"] is not None and rates[1]["rate"] is not None:
            change = rates[1]["rate"] - rates[0]["rate"]
        rows.append([Cell(title), number_cell(labels), rate_cell(rates[0]), rate_cell(rates[1]),
                     Cell("–" if change is None else points(change), change)])  # fmt: skip
    columns = [Column("Attacker"), Column("Labelled pictures", True), Column("First, words right", True),
               Column("Second, words right", True), Column("Change, points", True)]  # fmt: skip
    return part(
        "attackers", "All attackers", "Each was measured on pictures of each CAPTCHA that it had not seen.",
        data_table("Words right with 95 % intervals", columns, rows, key="attacker-table", sortable=True),
    )  # fmt: skip


def _made(first: Audit, second: Audit) -> Markup:
    """Return what differs between the audits besides the CAPTCHA."""
    facts = [
        ("Command", *[audit["made"]["command"] for audit in (first, second)]),
        ("Identity", *[audit["target"]["identity"] for audit in (first, second)]),
        ("Version", *[audit["made"]["version"] for audit in (first, second)]),
        ("Seed", *[str(audit["made"]["seed"]) for audit in (first, second)]),
        ("Minutes allowed", *[f"{audit['made']['minutes']:g}" for audit in (first, second)]),
        ("Unseen pictures", *[f"{audit['verdict']['unseen']:,}" for audit in (first, second)]),
        ("Strongest attacker had", *[labels_text(audit["verdict"]["labels"]) for audit in (first, second)]),
    ]
    rows = [
        [Cell(name), Cell(given(one, 400)), Cell(given(other, 400)), Cell("same" if one == other else "differs")]
        for name, one, other in facts
    ]
    columns = [Column("What"), Column("First"), Column("Second"), Column("Equal")]
    return part(
        "made", "How the audits were made",
        "Audits of unequal size or time are not equally strong attacks: compare audits that were made alike.",
        data_table("What differs", columns, rows, key="made-table"),
    )  # fmt: skip

"""The first screen: the verdict in a sentence, the cost curve, and pictures with what was read in them."""

from tasks.audit.page.elements.album import Album
from tasks.audit.page.elements.data_table import Cell, Column, data_table, folded, number_cell, rate_cell
from tasks.audit.page.elements.markup import Child, Markup, element, given, together
from tasks.audit.page.elements.wording import (
    after_word,
    counted,
    duration,
    heading_case,
    interval,
    percent,
    price,
    title_of,
)
from tasks.audit.page.parts.cost_curve import NARROW, WIDE, cost_curve, measured
from tasks.audit.schema import BROKEN, HELD, NOT_SHOWN, Attacker, Audit, Sample, Verdict, Word

KINDS: dict[str, str] = {BROKEN: "broken", NOT_SHOWN: "unclear", HELD: "held"}


def strongest(audit: Audit) -> Attacker | None:
    """Return the attacker that the verdict is about; None if none was measured."""
    verdict = audit["verdict"]
    named = [one for one, _ in measured(audit["attackers"]) if one["name"] == verdict["attacker"]]
    return next((one for one in named if one["labels"] == verdict["labels"]), named[-1] if named else None)


def first_screen(audit: Audit, album: Album) -> Markup:
    """Return the part that a reader sees first."""
    verdict = audit["verdict"]
    return element(
        "section",
        verdict_box(verdict["word"], verdict["sentence"], _facts(audit)),
        element("div", _curve(audit), _pictures(audit, album), class_="pair"),
        id="first",
        aria_labelledby="verdict-word",
    )


def verdict_box(word: Word, sentence: str, facts: Child = None) -> Markup:
    """Return the verdict as a heading with its mark, and the sentence."""
    return element(
        "div",
        element("h2", verdict_mark(word), " ", element("span", "Verdict: ", class_="unseen"),
                word[:1].upper() + word[1:], id="verdict-word"),
        element("p", after_word(word, sentence), class_="lead"),
        facts,
        class_=f"verdict {KINDS.get(word, 'unclear')}",
    )  # fmt: skip


def verdict_mark(word: str) -> Markup:
    """Draw the mark of a verdict, told apart by its shape: a cross, a question, a bar."""
    kind = KINDS.get(word, "unclear")
    inner = {
        "broken": element("path", d="M9 9 L19 19 M19 9 L9 19"),
        "unclear": element("path", d="M10 11 a4 4 0 1 1 5.6 3.7 c-1 .5 -1.6 1.1 -1.6 2.3 M14 20 v.6"),
        "held": element("path", d="M8 14 H20"),
    }[kind]
    around = {
        "broken": element("path", d="M9.2 2 H18.8 L26 9.2 V18.8 L18.8 26 H9.2 L2 18.8 V9.2 Z", class_="around"),
        "unclear": element("circle", cx=14, cy=14, r=12, class_="around dashed"),
        "held": element("circle", cx=14, cy=14, r=12, class_="around"),
    }[kind]
    return element("svg", around, inner, class_="mark", viewBox="0 0 28 28", width=28, height=28, aria_hidden="true")


def _facts(audit: Audit) -> Markup | None:
    """List what the strongest attacker got and what it cost."""
    best, verdict = strongest(audit), audit["verdict"]
    if best is None:
        return None
    seconds = best["seconds_a_success"]
    facts: list[tuple[str, Child, Child]] = [
        ("Strongest attacker", title_of(best), None),
        ("Right at the first try", _words_right(best), f"{interval(best['words'])} of unseen pictures"),
        (
            "Labelled pictures it learnt from",
            f"{best['labels']:,}" if best["labels"] else "none",
            _labels_cost(best, verdict),
        ),
        ("Time to a success", "no success seen" if seconds is None else duration(seconds), _tries_said(best)),
    ]
    return element(
        "dl",
        [element("div", element("dt", name), element("dd", value, element("small", note) if note else None))
         for name, value, note in facts],
        class_="facts",
    )  # fmt: skip


def _words_right(attacker: Attacker) -> str:
    rate = attacker["words"]
    if rate is None or rate["low"] is None or rate["high"] is None:
        return "not measured"
    return percent(rate["rate"], rate["high"] - rate["low"])


def _labels_cost(attacker: Attacker, verdict: Verdict) -> str:
    if not attacker["labels"]:
        return "it costs an attacker nothing"
    currency = verdict["currency"]
    return f"{price(attacker['cost'], currency)}, at {price(verdict['price_a_label'], currency)} each"


def _tries_said(attacker: Attacker) -> str | None:
    tries = attacker["expected_tries"]
    return None if tries is None else f"about {counted(max(round(tries), 1), 'picture')}, on average"


def _curve(audit: Audit) -> Markup:
    attackers, currency = audit["attackers"], audit["verdict"]["currency"]
    wide, narrow = cost_curve(attackers, WIDE, "curve"), cost_curve(attackers, NARROW, "curve-narrow")
    heading = element("h3", "What an attack costs, and what it gets")
    if wide is None:
        return element("div", heading, element("p", "No attacker was measured, so there is no curve."), class_="card")
    rows = [
        [Cell(title_of(one)), number_cell(one["labels"]), rate_cell(rate), number_cell(rate["n"]),
         number_cell(one["cost"], price(one["cost"], currency))]
        for one, rate in measured(attackers)
    ]  # fmt: skip
    columns = [Column("Attacker"), Column("Labelled pictures", True), Column("Words right, 95 % interval", True),
               Column("Of unseen pictures", True), Column("Cost of the labels", True)]  # fmt: skip
    caption = together(
        "Higher is worse for you; further left is cheaper for an attacker. A mark is the share of pictures that were "
        "read whole; its bar is the ",
        element("a", "95 % interval", href="#interval"),
        ". A hollow mark: none was read, at most so many. Above the dashed line a CAPTCHA counts as broken.",
    )
    return element(
        "div",
        heading,
        element("figure", wide, narrow, element("figcaption", caption)),
        [
            element("p", heading_case(line["why"]), ".", class_="note")
            for line in audit["skipped"]
            if line["part"] == "cost curve"
        ],
        folded(
            "The curve as a table", data_table("The points of the curve", columns, rows, key="curve-table"), again=True
        ),
        class_="card",
    )


def _pictures(audit: Audit, album: Album) -> Markup:
    samples, best = audit["samples"], strongest(audit)
    heading = element("h3", f"{counted(len(samples), 'picture')}, and what was read" if samples else "Pictures")
    if not samples:
        return element("div", heading, element("p", "The audit kept no pictures."), class_="card")
    said = f"Read by: {title_of(best)}. " if best else ""
    return element(
        "div",
        heading,
        element(
            "ul", [_sample(k, sample, album) for k, sample in enumerate(samples, 1)], class_="samples", role="list"
        ),
        element(
            "p", said, "Chosen from the unseen pictures; the rates on this page are of all of them.", class_="note"
        ),
        class_="card",
    )


def _sample(k: int, sample: Sample, album: Album) -> Markup:
    word = "right" if sample["right"] else "wrong"
    read = sample["read"] or "nothing"
    confidence = sample["confidence"]
    sure = None if confidence is None else f", {percent(confidence)} sure"
    return element(
        "li",
        album.picture(sample["picture"], f"Picture {k}: its text is {sample['truth']}", class_="sample"),
        element(
            "p",
            element("span", "✓" if sample["right"] else "✗", class_="tick-mark", aria_hidden="true"),
            element("span", f"Read {word}: ", class_="unseen"),
            element("b", given(read, 24), class_="read"),
            element("small", sure) if sure else None,
        ),
        None if sample["right"] else element("p", element("small", "it is ", element("b", given(sample["truth"], 24)))),
        class_=word,
    )

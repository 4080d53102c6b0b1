"""The verdict with its evidence, and what its words and numbers mean."""

from tasks.audit.page.elements.data_table import BAR, Cell, Column, bar_cell, data_table, rate_cell
from tasks.audit.page.elements.document import part
from tasks.audit.page.elements.markup import Markup, element, together
from tasks.audit.page.elements.wording import MEANINGS, counted, heading_case, percent, price, title_of
from tasks.audit.page.parts.first_screen import strongest, verdict_mark
from tasks.audit.schema import BROKEN, BROKEN_RATE, TRIES, WEAK_RATE, Attacker, Audit


def verdict_part(audit: Audit) -> Markup:
    """Return the verdict with its evidence, and what the words and numbers mean."""
    found, best = audit["verdict"], strongest(audit)
    return part(
        "verdict", "3. The verdict, and how to read it", together(element("b", found["word"].capitalize()), ": ",
                                                                  MEANINGS.get(found["word"], "")),
        _against_limits(best) if best else None,
        _reasons(audit),
        _needed(audit),
        element("h3", "The three words that a verdict can have"),
        element("dl", [element("div", element("dt", verdict_mark(word), " ", word.capitalize()), element("dd", text))
                       for word, text in MEANINGS.items()], class_="words"),
        element("h3", "Terms"),
        _terms(audit),
    )  # fmt: skip


def _against_limits(best: Attacker) -> Markup:
    rows = []
    for tries in TRIES:
        rate = best["tries"].get(str(tries)) or (best["words"] if tries == 1 else None)
        if rate is None:
            continue
        low, high = rate["low"] or 0.0, 1.0 if rate["high"] is None else rate["high"]
        limits = [
            "surely above" if low >= limit else "surely below" if high < limit else "cannot be told"
            for limit in (BROKEN_RATE, WEAK_RATE)
        ]
        rows.append([Cell(counted(tries, "try", "tries")), bar_cell(rate), rate_cell(rate), *map(Cell, limits)])
    columns = [Column("The attacker may try"), BAR, Column("At least a success, 95 % interval", True),
               Column(f"Against {percent(BROKEN_RATE)}"), Column(f"Against {percent(WEAK_RATE)}")]  # fmt: skip
    return data_table(f"The strongest attacker ({title_of(best)}) against the limits", columns, rows, key="limits")


def _reasons(audit: Audit) -> Markup | None:
    found = audit["verdict"]
    if found["word"] == BROKEN or not found["reasons"]:
        return None
    return together(
        element("h3", "Why the CAPTCHA is not shown to hold"),
        element("ul", [element("li", heading_case(reason)) for reason in found["reasons"]], class_="listed"),
    )


def _needed(audit: Audit) -> Markup | None:
    needed = audit["verdict"]["needed"]
    if needed is None:
        return None
    return element(
        "p",
        f"To show less than {percent(WEAK_RATE)}, about {counted(needed, 'unseen picture')} would be needed; "
        f"this audit had {audit['verdict']['unseen']:,}.",
    )


def _terms(audit: Audit) -> Markup:
    unseen = audit["verdict"]["unseen"]
    terms = (
        (
            "interval",
            "95 % interval",
            "The audit tries some pictures, not all that your CAPTCHA could draw. Another set would give a slightly "
            "different share. The interval says how different: of 20 intervals made in this way, 19 hold the share "
            "that all pictures would give. More pictures make it narrower.",
        ),
        (
            "tries",
            "Tries",
            "How many fresh pictures an attacker may answer before your site stops it. “Within 3 tries” is the chance "
            "that at least one of three answers is right. A program can usually begin again, so a limit slows it down "
            "and does not stop it.",
        ),
        (
            "unseen",
            "Unseen pictures",
            f"{counted(unseen, 'picture')} that no attacker learnt from; nor did it learn from a copy of them.",
        ),
        (
            "label",
            "Labelled picture",
            "A picture whose text somebody typed, so that an attacker can learn from it. This report counts "
            f"{price(audit['verdict']['price_a_label'], audit['verdict']['currency'])} each.",
        ),
        (
            "limits-said",
            f"{percent(BROKEN_RATE)} and {percent(WEAK_RATE)}",
            "A CAPTCHA counts as broken when a program passes at least 1 picture of 100. It has held only where "
            "programs pass fewer than 1 of 10,000.",
        ),
    )
    return element(
        "dl", [element("div", element("dt", name, id=key), element("dd", text)) for key, name, text in terms],
        class_="terms",
    )  # fmt: skip

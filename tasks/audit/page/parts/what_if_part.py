"""What would change the verdict: distortions removed or made stronger, with what they buy and cost."""

from tasks.audit.findings.changes.people import PUBLISHED, STAND_IN, UNFAIR
from tasks.audit.page.elements.album import Album
from tasks.audit.page.elements.bars import difference_bar
from tasks.audit.page.elements.data_table import Cell, Column, data_table, folded, number_cell, rate_cell
from tasks.audit.page.elements.document import part
from tasks.audit.page.elements.markup import Markup, element, together
from tasks.audit.page.elements.wording import counted, heading_case, percent, points
from tasks.audit.schema import Audit, WhatIf

_OUTCOME = {True: "▲ stronger", False: "▼ weaker", None: "○ cannot be told"}
_ORDER = {True: 0, None: 1, False: 2}
_OPEN = 4  # changes whose pictures are shown; the rest is folded away


def what_if_part(audit: Audit, album: Album) -> Markup:
    """Return the distortions that were removed or made stronger, with what they buy and cost."""
    # What was shown to help comes first; within, the order is the audit's: what it buys less what it costs a reader.
    rows = sorted(audit["what_if"], key=lambda one: _ORDER[one["stronger"]])
    if not rows:
        why = next((one["why"] for one in audit["skipped"] if "what" in one["part"].lower()), None)
        plain = "The audit tried no changes" + (f": {why}." if why else ". It can for profiles of this project only.")
        return part("what-if", "5. What if you changed it?", plain, _people())
    gains = sorted((one for one in rows if one["stronger"]), key=lambda one: one["difference"][0])
    said = (
        f"{counted(len(gains), 'change')} of {len(rows)} would make the CAPTCHA stronger against the strongest "
        f"attacker. What buys most is {gains[0]['change']}. "
        if gains
        else f"No change of {len(rows)} was shown to make the CAPTCHA stronger. "
    )
    return part(
        "what-if", "5. What if you changed it?",
        f"{said}Each row draws the same texts again with one change. {UNFAIR}",
        _what_if_table(rows),
        element("p", "“Cannot be told” allows for the number of changes: of 20 that do nothing, one looks as if it did "
                "something.", class_="note"),
        element("p", STAND_IN, " Contrast and legibility are shares of what the CAPTCHA has now.", class_="note"),
        _pictures(rows, album),
        _people(),
    )  # fmt: skip


def _what_if_table(rows: list[WhatIf]) -> Markup:
    scale = max((max(abs(one["difference"][1]), abs(one["difference"][2])) for one in rows), default=1.0) or 1.0
    table = []
    for one in rows:
        difference, low, high = one["difference"]
        shown = together(element("b", points(difference)), " ", element("small", f"{points(low)} to {points(high)}"))
        bar = difference_bar(difference, low, high, scale)
        table.append([
            Cell(heading_case(one["change"])), Cell(_OUTCOME[one["stronger"]]), Cell(bar, difference),
            Cell(shown, difference),
            rate_cell(one["words"]),
            number_cell(one["contrast"], percent(one["contrast"])),
            number_cell(one["overlap"], _overlap(one)),
            number_cell(one["legible"], percent(one["legible"])),
        ])  # fmt: skip
    columns = [
        Column("Change"), Column("The CAPTCHA becomes"), Column("Fewer right, or more"),
        Column("Words right change by, points", True),
        Column("Words right then", True), Column("Contrast", True), Column("Overlap", True), Column("Legibility", True),
    ]  # fmt: skip
    return data_table(
        "Changes: first those that were shown to make it stronger", columns, table, key="what-if-table", sortable=True
    )


def _pictures(rows: list[WhatIf], album: Album) -> Markup:
    figures = [album.figure(one["picture"]) for one in rows if one["picture"]]
    rest = element("div", figures[_OPEN:], class_="figures")
    return together(
        element("div", figures[:_OPEN], class_="figures"),
        folded("Pictures of the other changes", rest) if len(figures) > _OPEN else None,
    )


def _overlap(row: WhatIf) -> Markup:
    before = row.get("overlap_before")
    was = element("small", f"was {percent(before, 0.05)}") if before is not None else None
    return together(percent(row["overlap"], 0.05), was)


def _people() -> Markup:
    """Return what was published about people, as context."""
    return together(
        element("h3", "People, for comparison"),
        element("ul", [element("li", one["what"], " ", element("small", f"{one['source']}.")) for one in PUBLISHED],
                class_="listed"),
        element("p", "Harder pictures stop visitors too.", class_="note"),
    )  # fmt: skip

"""The attackers from weak to strong: what each cost, and what it got."""

from tasks.audit.page.elements.data_table import (
    BAR,
    Cell,
    Column,
    bar_cell,
    data_table,
    folded,
    number_cell,
    rate_cell,
)
from tasks.audit.page.elements.document import part
from tasks.audit.page.elements.markup import Child, Markup, element, together
from tasks.audit.page.elements.wording import counted, duration, one_in, percent, price, title_of
from tasks.audit.page.parts.cost_curve import measured
from tasks.audit.page.parts.first_screen import strongest
from tasks.audit.schema import TRIES, Attacker, Audit


def attacker_part(audit: Audit) -> Markup:
    """Return the table of attackers, and those that were not tried."""
    tried = [one for one in audit["attackers"] if one["tried"]]
    best = strongest(audit)
    if best is None:
        plain: Child = "No attacker was measured."
    else:
        blind = best["name"] in ("memory", "file")  # it has seen the picture, or looks at none
        does = "knows the answer to" if blind else "reads"
        plain = (
            f"Of {counted(len(tried), 'attack')}, from weak to strong, {best['title']} does best: it {does} "
            f"{one_in(best['words']['rate'] if best['words'] else None)} of the pictures. All were measured on the "
            f"same {counted(audit['verdict']['unseen'], 'picture')}, which no attacker learnt from{_on_fewer(audit)}."
        )
    return part(
        "attackers", "2. Attackers, from weak to strong", plain,
        _attacker_table(audit, tried) if tried else None,
        _explained(tried),
        _selective(audit, tried),
        _not_tried(audit),
    )  # fmt: skip


def _on_fewer(audit: Audit) -> str:
    """Return that some were measured on fewer pictures, if so."""
    unseen = audit["verdict"]["unseen"]
    fewer = [title_of(one) for one, rate in measured(audit["attackers"]) if rate["n"] < unseen]
    return f"; slow attackers on a part of them: {', '.join(dict.fromkeys(fewer))}" if fewer else ""


def _attacker_table(audit: Audit, tried: list[Attacker]) -> Markup:
    currency = audit["verdict"]["currency"]
    columns = [
        Column("Attacker"), Column("Labelled pictures", True), Column("Cost of the labels", True),
        Column("Words right, 95 % interval", True), Column("Letters right", True),
        *[Column(f"Within {counted(tries, 'try', 'tries')}", True) for tries in TRIES if tries > 1],
        Column("Tries to a success", True), Column("Time to a success", True), Column("Training", True),
    ]  # fmt: skip
    rows = [
        [
            Cell(title_of(one)), number_cell(one["labels"]), number_cell(one["cost"], price(one["cost"], currency)),
            rate_cell(one["words"]), rate_cell(one["letters"]),
            *[rate_cell(one["tries"].get(str(tries))) for tries in TRIES if tries > 1],
            number_cell(one["expected_tries"], "never seen" if one["expected_tries"] is None else None),
            number_cell(one["seconds_a_success"],
                        "never seen" if one["seconds_a_success"] is None else duration(one["seconds_a_success"])),
            number_cell(one["train_seconds"], duration(one["train_seconds"]) if one["train_seconds"] else "none"),
        ]
        for one in tried
    ]  # fmt: skip
    return data_table("Attackers that were tried", columns, rows, key="attacker-table", sortable=True)


def _explained(tried: list[Attacker]) -> Markup | None:
    said = {title_of(one): one["explained"] for one in tried}
    if not said:
        return None
    listed = element("dl", [element("div", element("dt", name), element("dd", text)) for name, text in said.items()])
    return folded("How each attacker works", listed)


def _selective(audit: Audit, tried: list[Attacker]) -> Markup | None:
    """Return how right attackers are that answer only what they are sure of."""
    best = strongest(audit)
    most = {one["name"]: one for one in tried if one is not best}  # of each, with the most labels
    rows = [
        [
            Cell(together(title_of(one), element("small", f", {one['labels']:,} labels") if one["labels"] else None)),
            number_cell(row["coverage"], percent(row["coverage"])),
            bar_cell(row["right"]),
            rate_cell(row["right"]),
            number_cell(row["right"]["n"]),
        ]
        for one in ([best] if best else []) + list(most.values())
        for row in one["thresholds"]
    ]
    if not rows:
        return None
    columns = [Column("Attacker"), Column("Answers this share of the pictures", True), BAR,
               Column("Of these right, 95 % interval", True), Column("Answers", True)]  # fmt: skip
    return folded(
        "An attacker may ask for another picture: how right are the answers that it is sure of?",
        data_table("Answers above a confidence", columns, rows, key="selective", sortable=True),
    )


def _not_tried(audit: Audit) -> Markup | None:
    left = [one for one in audit["attackers"] if not one["tried"]]
    if not left:
        return None
    rows = [
        [Cell(title_of(one)), number_cell(one["labels"]), Cell(one["why_not"] or "no reason was kept")] for one in left
    ]
    columns = [Column("Attacker"), Column("Labelled pictures", True), Column("Why not, and what would change that")]
    return data_table("Attackers that were not tried", columns, rows, key="not-tried")
